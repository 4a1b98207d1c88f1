"""`hybrid-bridge contract`: bring the contracts to a public chain, register a log, look at its head."""

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact
from hybrid_bridge.adapters.evm.calls import register_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.deploy import Deployment, DeploymentPlan, deploy, plan_deployment, register
from hybrid_bridge.adapters.evm.deployments import deployed, deployment_json, write_deployments
from hybrid_bridge.adapters.evm.keystore import create_keystore, password_from_file
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreTransactionSigner
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Patience, cost, price
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import hex_option, read_bounded
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import CodeMismatch, FieldMismatch, SettingsMalformed
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import Address, LogId

MAX_RECORD = 1 << 16  # bytes of a genesis record or of validator entries
EVERY = 0.25  # seconds between two looks for a public block
Options = Callable[[Callable[..., None]], Callable[..., None]]
PATH = click.Path(path_type=Path, dir_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


def options(*chosen: Options) -> Options:
    """Several options as one decorator, in reading order."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(chosen):
            function = option(function)
        return function

    return decorate


ENDPOINT = click.option("--rpc", "url", required=True, metavar="URL", help="JSON-RPC endpoint, or file:PATH with it.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
CONTRACT = options(
    click.option("--contract", "contract_hex", metavar="ADDRESS", help="The registry's address."),
    click.option(
        "--deployments", type=FILE, help="Take the address from this file. Without either: the usual address."
    ),
)
KEY = options(
    click.option("--key", required=True, type=FILE, help="Keystore file of the account that pays the gas."),
    click.option("--password-file", required=True, type=FILE, help="File with the keystore's password."),
)
CHANGING = options(
    click.option("--dry-run", is_flag=True, help="Show what would be sent and what it may cost."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option(
        "--wait", default=120, show_default=True, type=click.IntRange(1), help="Seconds to wait for inclusion."
    ),
)


@click.group()
def command() -> None:
    """The contracts on the public chain: deploy, register a log, read its head."""


@command.command()
@click.option("--out", required=True, type=PATH, help="The new keystore file.")
@click.option("--password-file", required=True, type=FILE, help="File with the password for it.")
@AS_JSON
def key(out: Path, password_file: Path, as_json: bool) -> None:
    """Make a gas key in a new keystore file. It holds money, nothing else hangs on it."""
    address = create_keystore(out, password_from_file(password_file), _random)
    _say({"address": _hex(address), "file": str(out)}, f"0x{address.hex()} in {out}", as_json)


@command.command("deploy")
@options(ENDPOINT, KEY, CHANGING, AS_JSON)
@click.option("--chain-id", type=click.IntRange(1), help="Refuse any other chain.")
@click.option("--out", type=PATH, help="Write or extend this deployments.json.")
def deploy_command(
    url: str,
    key: Path,
    password_file: Path,
    dry_run: bool,
    yes: bool,
    wait: int,
    as_json: bool,
    chain_id: int | None,
    out: Path | None,
) -> None:
    """Deploy AnchorRegistry and ProofVerifier, and compare their code with what was compiled. Twice is once."""
    rpc = _endpoint(url)
    _require_chain(rpc, chain_id)
    signer = _signer(key, password_file)
    plans = [plan_deployment(rpc, artefact(name), signer.address()) for name in (REGISTRY, VERIFIER)]
    if dry_run:
        _say({"dry_run": True, "contracts": [_plan_json(p) for p in plans]}, "\n".join(map(_plan_text, plans)), as_json)
        return
    _agree([_plan_text(plan) for plan in plans if plan.transaction], yes)
    made: list[Deployment] = []
    for name in (REGISTRY, VERIFIER):
        plan = plan_deployment(rpc, artefact(name), signer.address())
        made.append(deploy(rpc, plan, signer, _patience(wait)))
        if out is not None:
            with writing("--out"):
                write_deployments(out, made)
    text = "\n".join(f"{d.contract} at 0x{d.address.hex()}, code as compiled" for d in made)
    _say({"dry_run": False, "contracts": [deployment_json(d) for d in made]}, text, as_json)


@command.command("register")
@options(ENDPOINT, CONTRACT, KEY, CHANGING, AS_JSON)
@click.option("--genesis", required=True, type=FILE, help="The genesis record, 832 bytes.")
@click.option("--origin", required=True, help="The log's origin text.")
@click.option("--entries", required=True, type=FILE, help="The validator entries of set 1, 128 bytes each.")
def register_command(
    url: str,
    contract_hex: str | None,
    deployments: Path | None,
    key: Path,
    password_file: Path,
    dry_run: bool,
    yes: bool,
    wait: int,
    as_json: bool,
    genesis: Path,
    origin: str,
    entries: Path,
) -> None:
    """Register a log. It needs no right and gives none: the log id commits to the whole genesis record."""
    chain = _chain(url, contract_hex, deployments)
    signer = _signer(key, password_file)
    log = (read_bounded(genesis, MAX_RECORD), origin, read_bounded(entries, MAX_RECORD))
    log_id = LogId(leaf_hash(log[0]))
    if chain.head(log_id, chain.latest()).tree_size == 0:
        wei = cost(price(chain, signer.address(), chain.contract, register_calldata(*log)))
        plan = f"register 0x{log_id.hex()}: at most {_ether(wei)}"
        if dry_run:
            _say(
                {"dry_run": True, "log_id": _hex(log_id), "registered": False, "max_cost_wei": str(wei)}, plan, as_json
            )
            return
        _agree([plan], yes)
    done = register(chain, signer, log, _patience(wait))
    answer: dict[str, Json] = {
        "dry_run": dry_run,
        "log_id": _hex(done.log_id),
        "registered": True,
        "transaction": None if done.included is None else _hex(done.included.tx_hash),
        "head": _head_json(done.head),
    }
    _say(answer, f"0x{done.log_id.hex()} stands at size {done.head.tree_size}", as_json)


@command.command()
@options(ENDPOINT, CONTRACT, AS_JSON)
@click.option("--log", "log_hex", metavar="HEX", help="The log id; without it only chain and contract are shown.")
def status(url: str, contract_hex: str | None, deployments: Path | None, log_hex: str | None, as_json: bool) -> None:
    """The chain, the contract, and a log's head at the newest and at the finalized public block."""
    chain = _chain(url, contract_hex, deployments)
    latest, final = chain.latest(), chain.finalized()
    answer: dict[str, Json] = {
        "chain_id": chain.chain_id(),
        "contract": _hex(chain.contract),
        "code_hash": _hex(chain.code_hash(latest.hash)),
        "latest": {"number": latest.number, "hash": _hex(latest.hash), "time": latest.time},
        "finalized": {"number": final.number, "hash": _hex(final.hash), "time": final.time},
    }
    lines = [f"chain {answer['chain_id']}, contract {answer['contract']}, public block {latest.number}"]
    if log_hex is not None:
        log_id = LogId(hex_option(log_hex, 32, "--log"))
        heads = {"latest": _head_at(chain, log_id, latest), "finalized": _head_at(chain, log_id, final)}
        answer["log_id"] = _hex(log_id)
        answer["heads"] = {name: None if head is None else _head_json(head) for name, head in heads.items()}
        lines += [f"{name}: {_head_text(head)}" for name, head in heads.items()]
    _say(answer, "\n".join(lines), as_json)


# ── from options to values ───────────────────────────────────────────────────────────────────────────────────────────


def _endpoint(url: str) -> JsonRpc:
    if url.startswith("file:"):
        try:
            url = Path(url.removeprefix("file:")).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise SettingsMalformed(key="--rpc", rule="a file with one URL") from None
    if not url.startswith(("http://", "https://")):
        raise SettingsMalformed(key="--rpc", rule="an http or https URL, or file:PATH")
    return JsonRpc("rpc", url)


def _require_chain(rpc: JsonRpc, expected: int | None) -> None:
    got = Web3Chain(rpc, Address(bytes(20))).chain_id()
    if expected not in (None, got):
        raise FieldMismatch(field="chain id", expected=str(expected), got=str(got))


def _chain(url: str, contract_hex: str | None, deployments: Path | None) -> Web3Chain:
    """The registry behind the endpoint, if its code is the committed one."""
    rpc, ours = _endpoint(url), artefact(REGISTRY)
    if contract_hex is not None:
        contract = Address(hex_option(contract_hex, 20, "--contract"))
    elif deployments is not None:
        contract = deployed(deployments, Web3Chain(rpc, Address(bytes(20))).chain_id(), REGISTRY).address
    else:
        contract = deterministic_address(ours.creation_code)
    chain = Web3Chain(rpc, contract)
    if (got := chain.code_hash()) != ours.runtime_code_hash:
        raise CodeMismatch(expected=ours.runtime_code_hash, got=got)
    return chain


def _head_at(chain: Web3Chain, log_id: LogId, at: PublicBlock) -> Head | None:
    """None where the contract was not there yet."""
    return chain.head(log_id, at) if chain.code(chain.contract, at.hash) else None


def _signer(key_file: Path, password_file: Path) -> KeystoreTransactionSigner:
    return KeystoreTransactionSigner.open(key_file, lambda: password_from_file(password_file))


def _random(count: int) -> bytes:
    return secrets.token_bytes(count)


def _patience(seconds: int) -> Patience:
    return Patience(polls=int(seconds / EVERY), every=EVERY, sleep=time.sleep)


def _agree(plans: list[str], yes: bool) -> None:
    if plans and not yes:
        click.confirm("\n".join([*plans, "Go on?"]), abort=True, err=True)


# ── from values to output ────────────────────────────────────────────────────────────────────────────────────────────


def _say(answer: dict[str, Any], text: str, as_json: bool) -> None:
    click.echo(json.dumps(answer, indent=2) if as_json else text)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _ether(wei: int) -> str:
    return f"{wei / 10**18:.6f} ether"


def _plan_json(plan: DeploymentPlan) -> dict[str, Json]:
    return {
        "chain_id": plan.chain_id,
        "contract": plan.artefact.name,
        "address": _hex(plan.address),
        "there": plan.transaction is None,
        "gas": 0 if plan.transaction is None else plan.transaction.gas,
        "max_cost_wei": str(plan.cost),
    }


def _plan_text(plan: DeploymentPlan) -> str:
    name = f"{plan.artefact.name} at 0x{plan.address.hex()}"
    if plan.transaction is None:
        return f"{name}: there already, code as compiled"
    return f"{name}: {plan.transaction.gas} gas, at most {_ether(plan.cost)}"


def _head_json(head: Head) -> dict[str, Json]:
    return {
        "tree_size": head.tree_size,
        "root": _hex(head.root),
        "timestamp": head.timestamp,
        "anchored_at": head.anchored_at,
        "set_id": head.set_id,
        "next_from_size": head.next_from_size,
        "paused_until": head.paused_until,
        "state": head.state,
    }


def _head_text(head: Head | None) -> str:
    if head is None:
        return "the contract was not there yet"
    if head.tree_size == 0:
        return "not registered"
    return f"size {head.tree_size}, root {_hex(head.root)}, {head.state}, set {head.set_id}"
