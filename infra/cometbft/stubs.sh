#!/bin/sh
# Makes the Python classes of ABCI and of CometBFT's headers out of the pinned module's own .proto files.
# run:  ./infra/cometbft/stubs.sh [target folder, default hybrid_bridge/rpc/cometbft]   (needs go, and `make .venv/installed-dev`)
# They are committed, so that users need neither Go nor protoc; a test makes them again and compares.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
. "$here/infra/versions.env"
target=${1:-$here/hybrid_bridge/rpc/cometbft}
made=$(mktemp -d); trap 'rm -rf "$made"' EXIT
GOPROXY=$(go env GOPROXY | cut -d, -f1); export GOPROXY
GOFLAGS=-buildvcs=false; export GOFLAGS
folder() { (cd "$made" && go mod download -json "$1@$2") | sed -n 's/.*"Dir": "\(.*\)",*/\1/p'; }
comet=$(folder github.com/cometbft/cometbft "$COMETBFT")/proto
gogo=$(folder github.com/cosmos/gogoproto "$GOGOPROTO")
needed="abci/types crypto/keys crypto/proof types/canonical types/params types/types types/validator version/types"
files=$(for name in $needed; do echo "tendermint/$name.proto"; done)
"$here/.venv/bin/python" -m grpc_tools.protoc -I "$comet" -I "$gogo" --python_out="$made" --pyi_out="$made" $files gogoproto/gogo.proto
find "$made" -name '*_pb2.py*' | while read -r file; do
    sed -E -i 's/^from (tendermint|gogoproto)(\.| import)/from hybrid_bridge.rpc.cometbft.\1\2/' "$file"
    name=${file#"$made"/}
    mkdir -p "$target/$(dirname "$name")"
    mv "$file" "$target/$name"
done
