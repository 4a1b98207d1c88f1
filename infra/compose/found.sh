#!/bin/sh
# Founds the consortium of plan.toml, once, and moves each member's folder into the volume that this member alone has.
# Cut off anywhere and started again it goes on; a folder that a member has already is never touched. Runs in the image, as root.
set -eu
if [ ! -d /consortium/founded ]; then
    rm -rf /consortium/founding
    hybrid-bridge consortium init --out /consortium/founding --members /plan.toml --ledger cometbft
    mv /consortium/founding /consortium/founded
fi
for folder in /consortium/founded/nodes/*; do
    [ -d "$folder" ] || continue # all were moved before
    place=/members/${folder##*/}
    if [ ! -d "$place/member" ]; then
        rm -rf "$place/new"
        cp -a "$folder" "$place/new"
        chown -R 10001:10001 "$place"
        mv "$place/new" "$place/member"
    fi
    rm -rf "$folder" # no second copy of its keys, and none of its guard
done
