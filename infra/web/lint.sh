#!/bin/sh
# Checks the types in the verifier's JSDoc. Where node or the tools are absent it says so, and is no failure.
# run:  ./infra/web/lint.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tsc=$("$here/install.sh" --where)/node_modules/.bin/tsc
command -v node >/dev/null && [ -x "$tsc" ] || { echo "types of the JavaScript verifier: skipped (./infra/web/install.sh brings the tools)"; exit 0; }
node "$tsc" -p "$here/tsconfig.json" && echo "types of the JavaScript verifier: checked"
