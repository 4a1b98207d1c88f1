#!/bin/sh
# Rewrites the lock files from pyproject.toml, and that of the contracts' analysers. Run by hand when a dependency moves; needs uv (`pip install uv`).
# No addresses are written: any package index that serves these hashes will do.
set -eu
cd "$(dirname "$0")/.."
lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url "$@"
}
lock pyproject.toml --group pyproject.toml:build --output-file infra/requirements.lock
lock pyproject.toml --group pyproject.toml:build --group pyproject.toml:dev --output-file infra/requirements-dev.lock
lock pyproject.toml --all-extras --group pyproject.toml:build --constraint infra/requirements.lock --output-file infra/requirements-extras.lock
lock infra/contracts/tools.txt --output-file infra/contracts/tools.lock
