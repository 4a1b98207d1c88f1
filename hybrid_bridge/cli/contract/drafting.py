"""`contract draft` and `sign`: a statement about a log is written down once, and signed by each validator alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.cli.contract.sending import (
    AS_JSON,
    FILE,
    LOG,
    MAX_RECORD,
    OUT,
    WHERE,
    Where,
    hex_,
    log_option,
    options,
    registered,
    say,
)
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.power import MAX_FILE, Draft, Pause, Power, Resume, Retire, SetUpdate, SignedPower, decode_draft
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import (
    AdmissionRejected,
    FieldMismatch,
    NotPaused,
    NotYet,
    PauseOutOfRange,
    RotationOutOfRange,
    RotationPending,
    SuccessorMismatch,
)
from hybrid_bridge.units import MAX_U64, Address, ChainId, Digest, LogId, SetId, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.node.proposals import ProposalStore
    from hybrid_bridge.ports import Head, PublicBlock

REASON = click.option("--reason", required=True, help="For people; only its hash goes to the public chain.")
SECONDS = click.option("--for", "seconds", required=True, type=click.IntRange(1), help="Seconds from the chain's now.")


@click.group()
def draft() -> None:
    """Write down what a quorum shall sign: pause, resume, retire, set. Reads the chain, signs and sends nothing."""


@draft.command("pause")
@options(WHERE, LOG, OUT, AS_JSON, REASON, SECONDS)
def draft_pause(where: Where, log_hex: str, out: Path, as_json: bool, reason: str, seconds: int) -> None:
    """No new anchors for so many seconds. It ends by itself; a quorum can end it sooner."""
    chain, place, at, _ = _place(where, log_hex)
    until, nonce = pause_end(chain, place["log_id"], at, seconds), chain.brake(place["log_id"], at).nonce
    _write(Pause(**place, nonce=nonce, until=until, reason=reason), out, as_json)


@draft.command("resume")
@options(WHERE, LOG, OUT, AS_JSON, REASON)
def draft_resume(where: Where, log_hex: str, out: Path, as_json: bool, reason: str) -> None:
    """The pause that stands now ends at once."""
    chain, place, at, head = _place(where, log_hex)
    if at.time >= head.paused_until:
        raise NotPaused
    _write(Resume(**place, nonce=chain.brake(place["log_id"], at).nonce, reason=reason), out, as_json)


@draft.command("retire")
@options(WHERE, LOG, OUT, AS_JSON)
@click.option("--successor", required=True, type=FILE, help="The genesis record of the log that goes on.")
def draft_retire(where: Where, log_hex: str, out: Path, as_json: bool, successor: Path) -> None:
    """The log ends at its head, for good; its successor, whose genesis record names that head, goes on."""
    _, place, _, head = _place(where, log_hex)
    after = successor_of(read_bounded(successor, MAX_RECORD), place["log_id"], head)
    _write(Retire(**place, successor=after, tree_size=head.tree_size, root=head.root), out, as_json)


@draft.command("set")
@options(WHERE, LOG, OUT, AS_JSON)
@click.option("--entries", required=True, type=FILE, help="The new set's validators, 128 bytes each.")
@click.option("--from-size", required=True, type=click.IntRange(2, MAX_U64), help="The first size it signs.")
def draft_set(where: Where, log_hex: str, out: Path, as_json: bool, entries: Path, from_size: int) -> None:
    """Another set of validators signs from a size on. A quorum of the set in force signs this, and everybody new.

    What `rotateValidators` of this contract takes; relayers send it. The log's own record of the change is another
    statement, in its ledger.
    """
    _, place, _, head = _place(where, log_hex)
    if head.next_from_size:
        raise RotationPending(from_size=head.next_from_size)
    if from_size <= head.tree_size:
        raise RotationOutOfRange(from_size=from_size, low=head.tree_size + 1, high=MAX_U64)
    new = ValidatorSet.decode_entries(SetId(head.set_id + 1), read_bounded(entries, MAX_RECORD))
    update = SetUpdate(**place, set_id=new.set_id, set_hash=new.digest, effective_from_size=TreeSize(from_size))
    _write(update, out, as_json)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--dir",
    "folder",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of the validator's node, which does not run meanwhile.",
)
@options(OUT, AS_JSON)
@click.option("--yes", is_flag=True, help="Do not ask.")
def sign(file: Path, folder: Path, out: Path, as_json: bool, yes: bool) -> None:
    """Sign a draft with this validator's attestation key, after showing what is signed.

    The node's guard writes the statement down first, and never lets the key sign another one under the same number.
    """
    from hybrid_bridge.adapters.sqlite.guard import SqlGuard  # noqa: PLC0415 SQL is dear; other commands must not pay
    from hybrid_bridge.node.directory import read_directory  # noqa: PLC0415
    from hybrid_bridge.node.laying import GUARD  # noqa: PLC0415
    from hybrid_bridge.node.proposals import ProposalStore  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_secret, read_settings  # noqa: PLC0415
    from hybrid_bridge.node.syncing import UNPROVEN, taken_height  # noqa: PLC0415

    if taken_height(folder):
        raise NotYet(what=UNPROVEN)
    statement = decode_draft(read_bounded(file, MAX_FILE)).statement
    settings, ours = read_settings(folder), read_directory(folder).log_id
    if statement.log_id != ours:
        raise FieldMismatch(field="log_id", expected=ours.hex(), got=statement.log_id.hex())
    if isinstance(statement, SetUpdate):
        _require_standing(statement, ProposalStore(folder), PrivateKey.from_seed(read_secret(settings, "identity")))
    private = read_secret(settings, "attestation")
    address, digest = address_of(public_key_of(private)), statement.digest()
    lines = [*described(statement), f"signed by 0x{address.hex()}"]
    if not yes:
        click.confirm("\n".join([*lines, "Sign this?"]), abort=True, err=True)
    guard = SqlGuard(settings.path(GUARD))
    guard.open(ours, address)
    try:
        guard.permit_power(statement.chain_id, statement.contract, statement.type, statement.number, digest)
    finally:
        guard.close()
    # Durable: this key has said this. Dead here? Signing the same draft again gives the same file.
    _new_file(out, SignedPower(statement=statement, signature=sign_digest(private, digest)).encode())
    shown: dict[str, Json] = {"signer": hex_(address), "digest": hex_(digest), "file": str(out)}
    say(shown, "\n".join([*lines, f"→ {out}"]), as_json)


def _require_standing(statement: SetUpdate, proposals: "ProposalStore", identity: PrivateKey) -> None:
    """A contract cancels nothing, and the ledger may replace a set that waits: nobody signs for both (ADR 53)."""
    if proposals.replaces(statement.set_hash, identity.public.key_id):
        raise AdmissionRejected(rule="a set that we have not consented to replace")


# ── the chain's side ─────────────────────────────────────────────────────────────────────────────────────────────────


class Place(TypedDict):
    """What every statement names: one log in one contract on one chain."""

    chain_id: ChainId
    contract: Address
    log_id: LogId


def _place(where: Where, log_hex: str) -> "tuple[Web3Chain, Place, PublicBlock, Head]":
    chain, log_id = where.chain(), log_option(log_hex)
    at = chain.latest()
    head = registered(chain, log_id, at)
    return chain, Place(chain_id=chain.chain_id(), contract=chain.contract, log_id=log_id), at, head


def pause_end(chain: Web3Chain, log_id: LogId, at: "PublicBlock", seconds: int) -> UnixSeconds:
    """When a pause of so many seconds ends, by the chain's clock.

    Raises:
        PauseOutOfRange: longer than the log's genesis record allows.
    """
    until, last = at.time + seconds, at.time + chain.brake(log_id, at).pause_max
    if until > last:
        raise PauseOutOfRange(until=until, low=at.time + 1, high=last)
    return UnixSeconds(until)


def successor_of(record: bytes, log_id: LogId, head: "Head") -> LogId:
    """The log id of a genesis record that continues this head.

    Raises:
        Malformed: no genesis record.
        SuccessorMismatch: it continues another log, or another head.
    """
    genesis = Genesis.decode(record)
    size = genesis.predecessor_size.to_bytes(32, "big")
    for expected, got in (
        (bytes(log_id), genesis.predecessor),
        (head.tree_size.to_bytes(32, "big"), size),
        (head.root, genesis.predecessor_root),
    ):
        if expected != got:
            raise SuccessorMismatch(expected=Digest(expected), got=Digest(got))
    return genesis.log_id


# ── words and files ──────────────────────────────────────────────────────────────────────────────────────────────────


def described(statement: Power) -> list[str]:
    """What a statement says, for whoever signs or sends it."""
    where = f"log 0x{statement.log_id.hex()}\n  in contract 0x{statement.contract.hex()} on chain {statement.chain_id}"
    if isinstance(statement, Pause):
        says = [f"PAUSE until {moment(statement.until)} the", where, f"reason: {statement.reason}"]
    elif isinstance(statement, Resume):
        says = ["RESUME the", where, f"reason: {statement.reason}"]
    elif isinstance(statement, SetUpdate):
        says = [f"SET {statement.set_id}, hash 0x{statement.set_hash.hex()}, shall attest the", where]
        says.append(f"from size {statement.effective_from_size} on")
    else:
        says = ["RETIRE, for good, the", where, f"at size {statement.tree_size}, root 0x{statement.root.hex()}"]
        says.append(f"in favour of 0x{statement.successor.hex()}")
    return [*says, f"number {statement.number}, EIP-712 digest 0x{statement.digest().hex()}"]


def moment(time: UnixSeconds) -> str:
    """A time for people; a number where the calendar ends."""
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {time}"


def _write(statement: Power, out: Path, as_json: bool) -> None:
    _new_file(out, Draft(statement=statement).encode())
    shown: dict[str, Json] = {"type": statement.type, "digest": hex_(statement.digest()), "file": str(out)}
    say(shown, "\n".join([*described(statement), f"→ {out}"]), as_json)


def _new_file(out: Path, data: bytes) -> None:
    with writing("--out"), out.open("xb") as file:
        file.write(data)
