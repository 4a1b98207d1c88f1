#!/bin/sh
# Installs the pinned Solidity compiler into $HYBRID_BRIDGE_CACHE; does nothing if it is there. Needs node and npm.
# run:  ./infra/contracts/install.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/.*"solc": "\([0-9.]*\)".*/\1/p' "$here/package.json")
target=${HYBRID_BRIDGE_CACHE:-$HOME/.cache/hybrid-bridge}/solc-$version
[ -d "$target" ] && { echo "solc $version: there"; exit 0; }
mkdir -p "$(dirname "$target")"
fresh=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$fresh"
npm ci --ignore-scripts --no-audit --no-fund --prefix "$fresh" >/dev/null
NODE_PATH="$fresh/node_modules" node "$here/solc.js" --version
mv "$fresh" "$target"  # Complete or absent: a broken download never counts as installed.
