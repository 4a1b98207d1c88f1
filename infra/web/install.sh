#!/bin/sh
# Installs what the JavaScript verifier is built with into $HYBRID_BRIDGE_CACHE; does nothing if it is there. Needs node, npm.
# run:  ./infra/web/install.sh          install
#       ./infra/web/install.sh --where  print the folder, there or not
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lock=$(sha256sum "$here/package-lock.json" | cut -c 1-16)
target=${HYBRID_BRIDGE_CACHE:-$HOME/.cache/hybrid-bridge}/web-$lock
[ "${1:-}" = --where ] && { echo "$target"; exit 0; }
[ -d "$target" ] && { echo "web tools $lock: there"; exit 0; }
mkdir -p "$(dirname "$target")"
fresh=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$fresh"
npm ci --ignore-scripts --no-audit --no-fund --prefix "$fresh" >/dev/null
"$fresh/node_modules/.bin/esbuild" --version >/dev/null
mv "$fresh" "$target"  # Complete or absent: a broken download never counts as installed.
