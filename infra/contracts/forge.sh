#!/bin/sh
# The pinned forge on contracts/, with the pinned compiler and without a network.
# run:  ./infra/contracts/forge.sh test | fmt --check | lint | build | …        (FOUNDRY_PROFILE=deep … test: minutes)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../versions.env"
forge=${HYBRID_BRIDGE_CACHE:-$HOME/.cache/hybrid-bridge}/bin/forge-$FORGE/forge
[ -x "$forge" ] || { echo "forge $FORGE is not there. Run: ./infra/install.sh forge" >&2; exit 2; }
"$here/solc" --version >/dev/null
[ "${1:-}" != test ] || export FOUNDRY_PROFILE="${FOUNDRY_PROFILE:-test}"
cd "$here/../../contracts"
FOUNDRY_SOLC=$here/solc FOUNDRY_OFFLINE=true FOUNDRY_DISABLE_NIGHTLY_WARNING=1 NO_COLOR=1 exec "$forge" "$@"
