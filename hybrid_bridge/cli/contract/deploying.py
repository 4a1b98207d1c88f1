"""`contract key`, `deploy`, `verify`: the contracts come to a public chain, and anybody sees that they are ours."""

import secrets
from pathlib import Path

import click

from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.deploy import (
    Deployment,
    DeploymentPlan,
    deploy,
    plan_deployment,
    plan_deployments,
    require_funds,
)
from hybrid_bridge.adapters.evm.deployments import deployed, deployment_json, write_deployments
from hybrid_bridge.adapters.evm.keystore import create_keystore, password_from_file
from hybrid_bridge.adapters.evm.preflight import NOBODY, Preflight, preflight
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.sources import compiler_of, standard_json
from hybrid_bridge.adapters.evm.transact import likely_cost
from hybrid_bridge.cli.contract.sending import (
    AS_JSON,
    ENDPOINT,
    FILE,
    PATH,
    PAYING,
    Paying,
    endpoint,
    hex_,
    options,
    require_ours,
    say,
)
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import hex_option
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import Unknown
from hybrid_bridge.units import Address, ChainId

NAMES = (REGISTRY, VERIFIER)
CHAIN_ID = click.option("--chain-id", type=click.IntRange(1), help="Refuse any other chain.")
SOURCES = click.option(
    "--source-json",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write what block explorers ask for to verify the code: standard JSON, one file for each contract.",
)


@click.command()
@click.option("--out", required=True, type=PATH, help="The new keystore file.")
@click.option("--password-file", required=True, type=FILE, help="File with the password for it.")
@AS_JSON
def key(out: Path, password_file: Path, as_json: bool) -> None:
    """Make a gas key in a new keystore file. It holds money, nothing else hangs on it."""
    address = create_keystore(out, password_from_file(password_file), _random)
    say({"address": hex_(address), "file": str(out)}, f"0x{address.hex()} in {out}", as_json)


@click.command("deploy")
@options(ENDPOINT, PAYING, AS_JSON)
@CHAIN_ID
@click.option("--out", type=PATH, help="Write or extend this deployments.json.")
@SOURCES
def deploy_command(
    url: str, paying: Paying, as_json: bool, chain_id: ChainId | None, out: Path | None, source_json: Path | None
) -> None:
    """Deploy AnchorRegistry and ProofVerifier, and compare their code with what was compiled. Twice is once.

    First the chain is looked at: chain id, ecrecover and SHA-256, clock, rules. Through the deterministic factory where
    it exists, so that the addresses are the same everywhere.
    """
    rpc = endpoint(url)
    seen = preflight(rpc, chain_id)
    signer = paying.signer()
    known = {name: _known(out, seen.chain_id, name) for name in NAMES}
    plans = plan_deployments(rpc, [(artefact(name), known[name]) for name in NAMES], signer.address())
    _write_sources(source_json)
    if paying.dry_run:
        shown: dict[str, Json] = {"dry_run": True, "chain": _chain_json(seen)}
        shown["contracts"] = [_plan_json(plan) for plan in plans]
        say(shown, "\n".join([_chain_text(seen), *(_plan_text(plan, paying) for plan in plans)]), as_json)
        return
    require_funds(rpc, plans, signer.address())
    if dear := [_plan_text(plan, paying) for plan in plans if plan.transaction]:
        paying.agree([_chain_text(seen), *dear])
    made: list[Deployment] = []
    for name in NAMES:
        plan = plan_deployment(rpc, artefact(name), signer.address(), known[name])
        made.append(deploy(rpc, plan, signer, paying.patience()))
        if out is not None:
            with writing("--out"):
                write_deployments(out, made)
    text = "\n".join(f"{d.contract} at 0x{d.address.hex()}, code as compiled" for d in made)
    contracts = [deployment_json(d) for d in made]
    say({"dry_run": False, "chain": _chain_json(seen), "contracts": contracts}, text, as_json)


@click.command("verify")
@options(ENDPOINT, AS_JSON)
@CHAIN_ID
@click.option("--deployments", type=FILE, help="Take the addresses from this file. Without: the usual ones.")
@click.option("--registry", metavar="ADDRESS", help="AnchorRegistry's address.")
@click.option("--verifier", metavar="ADDRESS", help="ProofVerifier's address.")
@SOURCES
def verify_command(
    url: str,
    as_json: bool,
    chain_id: ChainId | None,
    deployments: Path | None,
    registry: str | None,
    verifier: str | None,
    source_json: Path | None,
) -> None:
    """See that the chain is fit, and that both contracts are, byte for byte, what was compiled and committed.

    There are no immutables and no constructor arguments, so nothing is masked: one code hash on every chain.
    """
    rpc = endpoint(url)
    seen = preflight(rpc, chain_id)
    given = {REGISTRY: registry, VERIFIER: verifier}
    found = [_verified(rpc, seen, name, given[name], deployments) for name in NAMES]
    _write_sources(source_json)
    text = [_chain_text(seen), *(f"{one['contract']} at {one['address']}, code as compiled" for one in found)]
    say({"chain": _chain_json(seen), "contracts": found}, "\n".join(text), as_json)


def _verified(rpc: JsonRpc, seen: Preflight, name: str, given: str | None, deployments: Path | None) -> dict[str, Json]:
    if given is not None:
        address = Address(hex_option(given, 20, f"the address of {name}"))
    elif deployments is not None:
        address = deployed(deployments, seen.chain_id, name).address
    else:
        address = deterministic_address(artefact(name).creation_code)
    got = require_ours(name, address, Web3Chain(rpc, NOBODY).code(address, seen.at.hash))
    return {"contract": name, "address": hex_(address), "code_hash": hex_(got), "compiler": compiler_of(name)}


def _known(out: Path | None, chain_id: ChainId, name: str) -> Address | None:
    """Where an earlier run wrote down that the contract stands."""
    if out is None or not out.exists():
        return None
    try:
        return deployed(out, chain_id, name).address
    except Unknown:
        return None


def _write_sources(folder: Path | None) -> None:
    if folder is None:
        return
    with writing("--source-json"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (folder / f"{name}.standard.json").write_text(standard_json(name), encoding="utf-8")


def _random(count: int) -> bytes:
    return secrets.token_bytes(count)


# ── from values to output ────────────────────────────────────────────────────────────────────────────────────────────


def _chain_json(seen: Preflight) -> dict[str, Json]:
    return {
        "chain_id": seen.chain_id,
        "public_block": {"number": seen.at.number, "hash": hex_(seen.at.hash), "time": seen.at.time},
        "base_fee_wei": str(seen.base_fee),
        "factory": seen.has_factory,
        "rules": seen.rules,
        "precompiles": "answer as they must",
    }


def _chain_text(seen: Preflight) -> str:
    how = "through the deterministic factory" if seen.has_factory else "no deterministic factory: plain deployment"
    return f"chain {seen.chain_id}, rules of {seen.rules} or later, precompiles answer as they must; {how}"


def _plan_json(plan: DeploymentPlan) -> dict[str, Json]:
    return {
        "chain_id": plan.chain_id,
        "contract": plan.artefact.name,
        "address": hex_(plan.address),
        "there": plan.transaction is None,
        "gas": 0 if plan.transaction is None else plan.transaction.gas,
        "likely_cost_wei": "0" if plan.transaction is None else str(likely_cost(plan.transaction)),
        "max_cost_wei": str(plan.cost),
    }


def _plan_text(plan: DeploymentPlan, paying: Paying) -> str:
    name = f"{plan.artefact.name} at 0x{plan.address.hex()}"
    if plan.transaction is None:
        return f"{name}: there already, code as compiled"
    return f"{name}: {paying.money(plan.transaction)}"
