# make demo | test | lint | bench — needs Python 3.11 or newer, make and a package index. Nothing is installed outside .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint bench proto contracts web forge halmos slither mutation relayer-mutants lock clean help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/installed  ## one consortium, one public chain, one outsider, on this machine (leaves demo-out/)
	@$(BIN)/hybrid-bridge demo --out demo-out $(DEMO_FLAGS)

test: $(VENV)/installed-dev  ## everything this machine can run; what it lacks is skipped by name
	$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder --cov $(PYTEST_FLAGS)

lint: $(VENV)/installed-dev  ## style, types, arrows between modules, contents of the wheel
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	rm -rf $(VENV)/wheel && $(BIN)/python -m build --wheel --no-isolation --outdir $(VENV)/wheel . >$(VENV)/wheel.log 2>&1 || { cat $(VENV)/wheel.log; exit 1; }
	$(BIN)/check-wheel-contents $(VENV)/wheel/*.whl
	@./infra/web/lint.sh

# Peers lie beside the environment, never in it: the product can import none of them. One that cannot be had is a row in the table.
$(VENV)/bench-peers: $(VENV)/installed-dev bench/peers.txt
	@rm -rf $@ && mkdir -p $@
	@$(PIP) install --no-deps --only-binary :all: --target $@ -r bench/peers.txt || echo "peers are not to be had here: their rows are skipped"
	@touch $@

bench: $(VENV)/bench-peers  ## measure, against peers; writes bench/RESULTS.md (BENCH=vrf prints one file)
	@$(BIN)/python -m bench $(BENCH)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: say make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# --no-deps: the lock is whole already, and an older pip that resolves extras itself stumbles over releases newer than the lock.
$(VENV)/installed: $(VENV)/bin/python infra/requirements.lock pyproject.toml
	@echo "installing the locked dependencies (hashes checked)"
	@$(PIP) install --no-deps --only-binary :all: --require-hashes -r infra/requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python infra/requirements-dev.lock pyproject.toml
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "the tools for tests come for Python 3.11 and 3.12 (pyrevm has no wheel for newer ones): make clean, then say make PYTHON=/path/to/python3.12"; exit 2; }
	@echo "installing the locked dependencies and the tools for tests (hashes checked)"
	@$(PIP) install --no-deps --only-binary :all: --require-hashes -r infra/requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/installed $@

proto: $(VENV)/installed-dev  ## rebuild the generated gRPC code
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. hybrid_bridge/rpc/v1/*.proto

contracts:  ## rebuild the contract artefacts (needs node)
	./infra/contracts/install.sh
	$(PYTHON) infra/contracts/build.py

web:  ## rebuild the verifier in JavaScript (needs node)
	./infra/web/install.sh
	./infra/web/build.sh

# Analysers live beside the environment, like the peers: the product can import none of them.
$(VENV)/contract-tools/installed: infra/contracts/tools.lock
	@$(PYTHON) -m venv $(VENV)/contract-tools
	@$(VENV)/contract-tools/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r $<
	@touch $@

forge:  ## the contracts' tests in Foundry (FOUNDRY_PROFILE=deep for long ones)
	./infra/install.sh forge && ./infra/contracts/install.sh
	./infra/contracts/forge.sh fmt --check && ./infra/contracts/forge.sh lint && ./infra/contracts/forge.sh test

halmos: $(VENV)/contract-tools/installed  ## lemmas of the contracts, for all values
	./infra/contracts/analyse.sh halmos --contract Lemmas

slither: $(VENV)/contract-tools/installed  ## static analysis of the contracts
	./infra/contracts/analyse.sh slither

mutation: $(VENV)/installed-dev  ## weaken each check of the contracts and see a test fail (hours; goes on where it stopped)
	$(BIN)/python infra/contracts/mutate.py $(MUTATION)
	$(BIN)/python infra/contracts/mutate.py --table

relayer-mutants: $(VENV)/installed-dev  ## weaken the relayer and the guard in one place each and see a test notice it
	$(BIN)/python -m tests.mutants $(MUTANTS)

lock:  ## rewrite the lock files (needs uv)
	./infra/lock.sh

clean:  ## remove what make made here
	rm -rf $(VENV) demo-out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
