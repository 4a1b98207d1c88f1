#!/bin/sh
# Other people's analysers, in an environment of their own (.venv/contract-tools, made by `make halmos` and `make slither`).
# run:  ./infra/contracts/analyse.sh halmos [options]     proves the lemmas of contracts/test/symbolic for all values
#       ./infra/contracts/analyse.sh slither [options]    static analysis of contracts/src
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../versions.env"
forge=${HYBRID_BRIDGE_CACHE:-$HOME/.cache/hybrid-bridge}/bin/forge-$FORGE
tools=$root/.venv/contract-tools/bin
tool=$1 && shift
[ -x "$forge/forge" ] || { echo "forge $FORGE is not there. Run: ./infra/install.sh forge" >&2; exit 2; }
[ -x "$tools/$tool" ] || { echo "$tool is not there. Run: make $tool" >&2; exit 2; }
export PATH="$tools:$forge:$PATH" FOUNDRY_SOLC="$here/solc" FOUNDRY_OFFLINE=true NO_COLOR=1
cd "$root/contracts"
case $tool in
    halmos)  FOUNDRY_PROFILE=symbolic exec "$tools/python" "$here/halmos_mended.py" --forge-build-out out/symbolic --loop 65 --solver-timeout-assertion 1200000 "$@" ;;
    # What is excluded, and why:
    #   timestamp              the clock is public (CONTRACT P9); a producer of blocks moves it by seconds, epochs last minutes
    #   unused-return          requireQuorum reverts by itself; only a rotation wants its list. Others cut a tuple on purpose
    #   divide-before-multiply the number of entries; the line below refuses a remainder
    #   incorrect-equality     compares an enum
    #   calls-loop, reentrancy-events   anchorBatch calls nobody but this contract, at most 256 times
    slither) export FOUNDRY_OUT=out/slither FOUNDRY_CACHE_PATH=cache/slither
        exec slither . --foundry-out-directory out/slither --exclude-informational --filter-paths 'test|examples' --fail-low \
            --exclude timestamp,unused-return,divide-before-multiply,incorrect-equality,calls-loop,reentrancy-events "$@" ;;
    *) echo "usage: $0 halmos|slither" >&2; exit 2 ;;
esac
