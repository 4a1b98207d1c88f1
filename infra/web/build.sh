#!/bin/sh
# Builds the JavaScript verifier: the same sources and the same lock give the same bytes.
# run:  ./infra/web/build.sh            into hybrid_bridge/web/
#       ./infra/web/build.sh FOLDER     into FOLDER, for a comparison
set -eu
here=$(cd "$(dirname "$0")" && pwd)
web=$(cd "$here/../../hybrid_bridge/web" && pwd)
out=${1:-$web}
tools=$("$here/install.sh" --where)
[ -d "$tools" ] || { echo "the tools are not there. Run: ./infra/web/install.sh"; exit 2; }
esbuild() {
    "$tools/node_modules/.bin/esbuild" --bundle --format=esm --target=es2022 --charset=utf8 --log-level=warning "$@"
}
mkdir -p "$out/src/vendor"
# esbuild resolves packages from the file that names them, so that file is copied beside them.
cp "$here/noble.entry.js" "$tools/noble.entry.js"
(cd "$tools" && esbuild noble.entry.js --legal-comments=inline --banner:js="// @ts-nocheck: built by infra/web/build.sh from packages of others" --outfile="$out/src/vendor/noble.js")
# Its own banner stands in the vendored file; paths in comments are relative to the source folder.
(cd "$web/src" && esbuild index.js --legal-comments=inline --outfile="$out/verifier.js")
script=$(mktemp)
trap 'rm -f "$script"' EXIT
page() { # SOURCES OUT: a folder of main.js, page.css, page.html as one file
    (cd "$web/src" && esbuild "$1/main.js" --format=iife --legal-comments=inline --outfile="$script" --allow-overwrite)
    node "$here/page.mjs" "$web/src/$1" "$script" "$out/$2"
}
page page index.html
page explorer explorer.html
(cd "$out" && sha256sum explorer.html index.html verifier.js >SHA256SUMS)
