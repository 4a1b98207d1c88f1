#!/bin/sh
# Brings the pinned engines into $HYBRID_BRIDGE_CACHE/bin; does nothing for those already there.
# run:  ./infra/install.sh anvil chromium cometbft forge geth-dev geth-evm postgresql promtool softhsm systemd tlog-reader   (any subset; anvil and forge need npm,
#       cometbft needs go >= 1.22 and minutes, geth-dev and geth-evm (for `python -m bench.gas` alone) go >= 1.24 and a C compiler too, chromium, postgresql, softhsm and systemd are the
#       system's own packages, which root alone can install, tlog-reader needs go >= 1.25 and is built anew each time: its source is
#       ours, tests/foreign/tlog; promtool is taken out of Debian's package prometheus, which is not installed)
#       ./infra/install.sh geth-clique   (for one test more; nothing asks for it)
#       ./infra/install.sh --where postgresql   (the folder of its programs, or nothing; installs nothing)
#       ./infra/install.sh --where softhsm      (its PKCS#11 module, or nothing; installs nothing)
#       ./infra/install.sh --where chromium     (the program, or nothing; installs nothing)
set -eu
. "$(dirname "$0")/versions.env"
cache=${HYBRID_BRIDGE_CACHE:-$HOME/.cache/hybrid-bridge}

go_engine() {  # folder, module, package, version, more for the linker
    bin="$cache/bin/$1-$4"
    [ -d "$bin" ] && { echo "$1 $4: there"; return; }
    # First proxy only: with ",direct" a missing module falls back to git and fails on a name look-up, hiding the real answer.
    GOPROXY=$(go env GOPROXY | cut -d, -f1); export GOPROXY
    GOFLAGS=-buildvcs=false; export GOFLAGS
    rm -rf "$bin.new" && mkdir -p "$bin.new"
    if ! GOBIN="$bin.new" go install -trimpath -ldflags "-s -w ${5:-}" "$2$3@$4"; then
        rm -r "$bin.new"
        echo "$1 $4 could not be built. Served now:" >&2; go list -m -versions "$2" >&2; return 1
    fi
    mv "$bin.new" "$bin"; echo "$1 $4: $(du -m "$bin" | cut -f1) MB"
}

go_reader() {  # program and folder, source, version
    bin="$cache/bin/$1-$3"
    GOPROXY=$(go env GOPROXY | cut -d, -f1); export GOPROXY
    GOFLAGS="-buildvcs=false -mod=readonly"; export GOFLAGS # go.sum is the pin
    mkdir -p "$bin"
    (cd "$(dirname "$0")/../$2" && go vet ./... && go build -trimpath -ldflags "-s -w" -o "$bin/$1" .)
    echo "$1 $3: $(du -m "$bin" | cut -f1) MB"
}

npm_engine() {  # folder and program, package, version
    bin="$cache/bin/$1-$3"
    [ -d "$bin" ] && { echo "$1 $3: there"; return; }
    rm -rf "$bin.new" && mkdir -p "$bin.new"
    npm install --prefix "$cache/npm" --ignore-scripts --no-save --no-audit --no-fund "$2@$3" >/dev/null
    # The binary lies in the platform package; the wrapper's postinstall is not needed and may be skipped by npm.
    cp "$cache/npm/node_modules/$2-"*"/bin/$1" "$bin.new/"
    "$bin.new/$1" --version | head -1
    mv "$bin.new" "$bin"
}

postgresql_bin() {  # the programs of the newest server that is new enough; Debian keeps them out of PATH
    for bin in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -rV) "$(dirname "$(command -v postgres || echo /)")"; do
        [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] || continue
        major=$("$bin/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
        [ "$major" -ge "$POSTGRESQL" ] && { echo "$bin"; return; }
    done
}

postgresql() {
    bin=$(postgresql_bin)
    [ -n "$bin" ] && { echo "postgresql: there, $bin"; return; }
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "postgresql >= $POSTGRESQL is not there; as root on Debian: apt-get install -y postgresql" >&2; return 1
    fi
    # Nobody here uses the package's own cluster: neither make nor start it.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql >/dev/null
    bin=$(postgresql_bin)
    [ -n "$bin" ] || { echo "the package index has no postgresql >= $POSTGRESQL" >&2; return 1; }
    echo "postgresql: installed, $bin"
}

softhsm_module() {  # the module, if softhsm2-util is there and new enough
    command -v softhsm2-util >/dev/null || return 0
    softhsm2-util --version | awk -F. -v oldest="$SOFTHSM" \
        '{ split(oldest, least, "."); exit !($1 > least[1] || ($1 == least[1] && $2 >= least[2])) }' || return 0
    for module in /usr/lib/softhsm /usr/lib/*/softhsm /usr/lib64/pkcs11 /usr/lib64 /usr/local/lib/softhsm; do
        [ -e "$module/libsofthsm2.so" ] && { echo "$module/libsofthsm2.so"; return; }
    done
}

softhsm() {
    module=$(softhsm_module)
    [ -n "$module" ] && { echo "softhsm $(softhsm2-util --version): there, $module"; return; }
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "softhsm >= $SOFTHSM is not there; as root on Debian: apt-get install -y softhsm2" >&2; return 1
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends softhsm2 >/dev/null
    module=$(softhsm_module)
    [ -n "$module" ] || { echo "the package index has no softhsm >= $SOFTHSM" >&2; return 1; }
    echo "softhsm $(softhsm2-util --version): installed, $module"
}

chromium_program() {
    command -v chromium || command -v chromium-browser || command -v google-chrome || true
}

browser() {  # the distribution's own: what the verifier's page is opened with
    found=$(chromium_program)
    [ -n "$found" ] && { echo "chromium: there, $found"; return; }
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "chromium is not there; as root on Debian: apt-get install -y chromium" >&2; return 1
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    echo "chromium: installed, $(chromium_program)"
}

analyser() {  # systemd-analyze, which reads unit files without a systemd that runs
    if ! command -v systemd-analyze >/dev/null; then
        if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
            echo "systemd-analyze is not there; as root on Debian: apt-get install -y systemd" >&2; return 1
        fi
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null
    fi
    has=$(systemd-analyze --version | sed -nE '1s/^systemd ([0-9]+).*/\1/p')
    [ "$has" -ge "$SYSTEMD" ] || { echo "systemd-analyze is $has; $SYSTEMD is the oldest that will do" >&2; return 1; }
    echo "systemd-analyze $has: there"
}

promtool() {  # one program out of the distribution's package: no server is installed or started
    bin="$cache/bin/promtool-$PROMTOOL"
    [ -d "$bin" ] && { echo "promtool: there"; return; }
    command -v apt-get >/dev/null || { echo "promtool $PROMTOOL is not there; bring it as $bin/promtool" >&2; return 1; }
    rm -rf "$bin.new" && mkdir -p "$bin.new/package"
    [ "$(id -u)" != 0 ] || apt-get update -qq
    (cd "$bin.new/package" && apt-get download -qq prometheus 2>/dev/null && dpkg -x prometheus_*.deb . && mv usr/bin/promtool ..)
    rm -r "$bin.new/package"
    "$bin.new/promtool" --version | head -1
    mv "$bin.new" "$bin"
}

[ $# -gt 0 ] || { echo "usage: $0 anvil|chromium|cometbft|forge|geth-clique|geth-dev|geth-evm|postgresql|promtool|softhsm|systemd|tlog-reader …" >&2; exit 2; }
[ "$*" != "--where postgresql" ] || { postgresql_bin; exit 0; }
[ "$*" != "--where softhsm" ] || { softhsm_module; exit 0; }
[ "$*" != "--where chromium" ] || { chromium_program; exit 0; }
for engine in "$@"; do
    case $engine in
        anvil)    npm_engine anvil @foundry-rs/anvil "$ANVIL" ;;
        forge)    npm_engine forge @foundry-rs/forge "$FORGE" ;;
        cometbft) go_engine cometbft github.com/cometbft/cometbft /cmd/cometbft "$COMETBFT" ;;
        geth-evm) go_engine geth-evm github.com/ethereum/go-ethereum /cmd/evm "$GETH_EVM" ;;
        geth-dev) go_engine geth-dev github.com/ethereum/go-ethereum /cmd/geth "$GETH_DEV" ;;
        # An old one, which reaches into the runtime in a way that a new linker forbids.
        geth-clique) go_engine geth-clique github.com/ethereum/go-ethereum /cmd/geth "$GETH_CLIQUE" -checklinkname=0 ;;
        postgresql) postgresql ;;
        chromium) browser ;;
        promtool) promtool ;;
        softhsm) softhsm ;;
        systemd) analyser ;;
        tlog-reader) go_reader tlog-reader tests/foreign/tlog "$TLOG_READER" ;;
        *) echo "unknown engine: $engine" >&2; exit 2 ;;
    esac
done
