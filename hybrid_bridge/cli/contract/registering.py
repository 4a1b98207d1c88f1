"""`contract register` and `status`: a log begins on the public chain, and anybody sees where it stands."""

from pathlib import Path

import click

from hybrid_bridge.adapters.evm.calls import BrakeState, register_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deploy import register
from hybrid_bridge.adapters.evm.transact import cost, price
from hybrid_bridge.cli.contract.sending import (
    AS_JSON,
    FILE,
    MAX_RECORD,
    PAYING,
    WHERE,
    Paying,
    Where,
    head_at,
    head_json,
    head_text,
    hex_,
    log_option,
    options,
    say,
)
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import EndpointRefused, NotYet
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import LogId


@click.command("register")
@options(WHERE, PAYING, AS_JSON)
@click.option("--genesis", required=True, type=FILE, help="The genesis record, 832 bytes.")
@click.option("--origin", required=True, help="The log's origin text.")
@click.option("--entries", required=True, type=FILE, help="The validator entries of set 1, 128 bytes each.")
def register_command(where: Where, paying: Paying, as_json: bool, genesis: Path, origin: str, entries: Path) -> None:
    """Register a log. It needs no right and gives none: the log id commits to the whole genesis record."""
    chain, signer = where.chain(), paying.signer()
    log = (read_bounded(genesis, MAX_RECORD), origin, read_bounded(entries, MAX_RECORD))
    log_id = LogId(leaf_hash(log[0]))
    if chain.head(log_id, chain.latest()).tree_size == 0:
        transaction = price(chain, signer.address(), chain.contract, register_calldata(*log))
        plan = f"register 0x{log_id.hex()}: {paying.money(transaction)}"
        if paying.dry_run:
            shown = {"dry_run": True, "log_id": hex_(log_id), "registered": False, "gas": transaction.gas}
            say(shown | {"max_cost_wei": str(cost(transaction))}, plan, as_json)
            return
        paying.agree([plan])
    done = register(chain, signer, log, paying.patience())
    answer: dict[str, Json] = {
        "dry_run": paying.dry_run,
        "log_id": hex_(done.log_id),
        "registered": True,
        "transaction": None if done.included is None else hex_(done.included.tx_hash),
        "head": head_json(done.head),
    }
    say(answer, f"0x{done.log_id.hex()} stands at size {done.head.tree_size}", as_json)


@click.command()
@options(WHERE, AS_JSON)
@click.option("--log", "log_hex", metavar="HEX", help="The log id; without it only chain and contract are shown.")
def status(where: Where, as_json: bool, log_hex: str | None) -> None:
    """The chain, the contract, and a log's head at the newest and at the finalized public block, and its brake."""
    chain = where.chain()
    latest, final = chain.latest(), _finalized(chain)
    answer: dict[str, Json] = {
        "chain_id": chain.chain_id(),
        "contract": hex_(chain.contract),
        "code_hash": hex_(chain.code_hash(latest.hash)),
        "latest": _block_json(latest),
        "finalized": None if final is None else _block_json(final),
    }
    lines = [f"chain {answer['chain_id']}, contract {answer['contract']}, public block {latest.number}"]
    lines += [] if final else ["the endpoint names no finalized public block"]
    if log_hex is not None:
        log_id = log_option(log_hex)
        blocks = {"latest": latest, "finalized": final}
        heads = {name: None if at is None else head_at(chain, log_id, at) for name, at in blocks.items()}
        brake, after = chain.brake(log_id, latest), chain.successor(log_id, latest)
        answer["log_id"] = hex_(log_id)
        answer["heads"] = {name: None if head is None else head_json(head) for name, head in heads.items()}
        answer["brake"] = _brake_json(brake)
        answer["successor"] = hex_(after) if any(after) else None
        lines += [f"{name}: {head_text(head)}" for name, head in heads.items() if blocks[name]]
        lines += [_brake_text(brake), *([f"successor 0x{after.hex()}"] if any(after) else [])]
    say(answer, "\n".join(lines), as_json)


def _finalized(chain: Web3Chain) -> PublicBlock | None:
    """None on chains without finality, and while there is no such public block yet."""
    try:
        return chain.finalized()
    except (NotYet, EndpointRefused):
        return None


def _block_json(block: PublicBlock) -> dict[str, Json]:
    return {"number": block.number, "hash": hex_(block.hash), "time": block.time}


def _brake_json(brake: BrakeState) -> dict[str, Json]:
    guardian = hex_(brake.guardian) if any(brake.guardian) else None
    return {"guardian": guardian, "pause_max": brake.pause_max, "grace": brake.grace, "nonce": brake.nonce}


def _brake_text(brake: BrakeState) -> str:
    guardian = f"0x{brake.guardian.hex()}" if any(brake.guardian) else "nobody"
    return f"brake: guardian {guardian}, a pause lasts at most {brake.pause_max} s, next nonce {brake.nonce}"
