"""Act 5: frauds by people who hold real keys, and who catches each."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.demo.cast import MEMBERS, events, expectations
from hybrid_bridge.cli.demo.forging import altered_due_date, forged_update, honest_leaves, rewritten_leaves, thin_note
from hybrid_bridge.cli.demo.founding import Play
from hybrid_bridge.cli.demo.proving import Proof, run_verify
from hybrid_bridge.cli.demo.telling import number_word
from hybrid_bridge.cli.demo.trading import SECOND_BANK, Traded, carry_out, require_outcome
from hybrid_bridge.cli.exits import error_json
from hybrid_bridge.core.bundle import SUFFIX, Bundle
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.errors import BelowQuorum, BridgeError, FieldMismatch, NotYet, Refuted, RootMismatch, Undecided
from hybrid_bridge.ports import Head, PublicChain, Update
from hybrid_bridge.units import Address, EpochNumber, LogId

TOO_FEW: Final = 2  # of four; three are needed
SOMEBODY: Final = Address(bytes(19) + b"\x01")


@dataclass(frozen=True, slots=True)
class Catch:
    """One fraud: what was tried, who caught it, and the error in the catcher's own words."""

    fraud: str
    caught_by: str
    error: str
    details: str


def cheat(play: Play, traded: Traded, proofs: Sequence[Proof]) -> tuple[Catch, ...]:
    """Each fraud is tried for real and must be caught.

    Raises:
        FieldMismatch: one was not.
    """
    receivable = next(proof for proof in proofs if proof.name == "receivable")
    tried: tuple[Callable[[], Catch], ...] = (
        lambda: _changed_digit(play, receivable),
        lambda: _second_bank(play, traded),
        lambda: _rewritten(play, traded),
        lambda: _too_few_on_chain(play, traded),
        lambda: _too_few_in_bundle(play, receivable),
    )
    play.narrator.chapter(f"{number_word(len(tried)).capitalize()} frauds, tried with real keys")
    with play.narrator.waiting("all are tried"), ThreadPoolExecutor(2) as pool:
        catches = tuple(pool.map(lambda attempt: attempt(), tried))
    for number, catch in enumerate(catches, 1):
        play.narrator.caught(f"{number}. {catch.fraud}")
        play.narrator.table([("caught by", catch.caught_by), (catch.error, catch.details)])
    return catches


# ── offered to the outsider ──────────────────────────────────────────────────────────────────────────────────────────


def _changed_digit(play: Play, proof: Proof) -> Catch:
    bundle, before, after = altered_due_date(proof.bundle)
    answer = _refuted_offline(play, "receivable-changed-digit", bundle)
    return Catch(
        fraud=f"Whoever holds the receivable's bundle changes one digit of the due date, {before} to {after}.",
        caught_by=f"the outsider, offline: REFUTED at check {answer['stopped_at']}, exit code 1",
        error=answer["error"],
        details=f"the changed field does not hash into the record that stands in the log: {_fields(answer)}",
    )


def _too_few_in_bundle(play: Play, proof: Proof) -> Catch:
    answer = _refuted_offline(play, "receivable-signed-by-too-few", thin_note(proof.bundle, TOO_FEW))
    return Catch(
        fraud=f"A bundle comes with a checkpoint that only {TOO_FEW} of {len(MEMBERS)} members signed.",
        caught_by=f"the outsider, offline: REFUTED at check {answer['stopped_at']}, exit code 1",
        error=answer["error"],
        details=_fields(answer),
    )


def _refuted_offline(play: Play, name: str, bundle: Bundle) -> dict[str, Any]:
    path: Path = play.out / "fraud" / f"{name}{SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bundle.encode())
    code, answer = run_verify(play, path)
    if code != Refuted.exit_code:
        raise FieldMismatch(field=f"verify {name}", expected="exit code 1", got=f"{code}: {answer.get('message', '')}")
    return answer


def _fields(error: Mapping[str, Any]) -> str:
    """The fields of an error as `error_json` writes it."""
    return ", ".join(f"{name} {_short(str(value))}" for name, value in error["fields"].items())


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:16] + "…"


# ── offered to the ledger ────────────────────────────────────────────────────────────────────────────────────────────


def _second_bank(play: Play, traded: Traded) -> Catch:
    numbers = [number for number, (verdict, _) in expectations(play.files).items() if verdict == SECOND_BANK]
    event = next(event for event in events(play.files) if event["event"] == numbers[0])
    outcome = carry_out(play, traded, event)
    require_outcome(event, SECOND_BANK, outcome)
    return Catch(
        fraud="The supplier offers the financed note to the other bank, which agrees; both sign.",
        caught_by="the ledger: every member executes it and refuses it; the refusal stands on record",
        error="Rejected",
        details=f"rule I5, at most one open reservation or financing for each note: {event['fields']['note.0']}",
    )


# ── offered to the public contract ───────────────────────────────────────────────────────────────────────────────────


def _rewritten(play: Play, traded: Traded) -> Catch:
    def forge(head: Head) -> Update:
        leaves = rewritten_leaves(play.directory.log_id, _records(traded, head))
        return forged_update(play, head, leaves, len(MEMBERS))

    error = _expected(play, "the rewritten epoch's turn", forge, RootMismatch)
    return Catch(
        fraud=f"All {number_word(len(MEMBERS))} members together rewrite epoch 1, anchored, and sign the result.",
        caught_by="the public contract, whose head they would have to extend",
        error=type(error).__name__,
        details=_fields(error_json(error)),
    )


def _too_few_on_chain(play: Play, traded: Traded) -> Catch:
    def forge(head: Head) -> Update:
        leaves = honest_leaves(play.directory.log_id, _records(traded, head))
        return forged_update(play, head, leaves, TOO_FEW)

    error = _expected(play, "the thin checkpoint's turn", forge, BelowQuorum)
    return Catch(
        fraud=f"An honest next checkpoint is offered, signed by only {TOO_FEW} of {len(MEMBERS)} members.",
        caught_by="the public contract, which knows the validators and their quorum",
        error=type(error).__name__,
        details=_fields(error_json(error)),
    )


def _records(traded: Traded, head: Head) -> list[EpochRecord]:
    """As many epoch records as the head has leaves: a log of them has one leaf more.

    Raises:
        NotYet: the last of them is not closed.
    """
    asked = traded.desks["core"].epochs(EpochNumber(1), EpochNumber(head.tree_size))
    found = [EpochRecord.decode(message.record) for message in asked]
    if len(found) < head.tree_size:
        raise NotYet(what=f"epoch {head.tree_size}")
    return found


def refusal(chain: PublicChain, log_id: LogId, forge: Callable[[Head], Update]) -> BridgeError:
    """The contract's own error to what is forged upon its head.

    Head and answer are of one public block: relayers go on anchoring while the forgers sign.

    Raises:
        Undecided: not its turn yet, by the public chain's clock.
        FieldMismatch: the contract would accept.
    """
    at = chain.latest()
    update = forge(chain.head(log_id, at))
    try:
        chain.simulate(SOMEBODY, anchor_calldata(update), at)
    except Undecided:
        raise
    except BridgeError as error:
        return error
    raise FieldMismatch(field="forged checkpoint", expected="a revert", got="acceptance")


def _expected(play: Play, what: str, forge: Callable[[Head], Update], kind: type[BridgeError]) -> BridgeError:
    chain = Web3Chain(JsonRpc("public chain", play.url), play.contract)
    error = play.stage.until(what, lambda: refusal(chain, play.directory.log_id, forge))
    if not isinstance(error, kind):
        raise FieldMismatch(field=what, expected=kind.__name__, got=str(error))
    return error
