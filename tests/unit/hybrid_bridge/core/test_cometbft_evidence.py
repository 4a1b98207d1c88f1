"""Source evidence `cometbft/1`: what it proves of an epoch, and every way in which it must not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.core.cometbft import Timestamp
from hybrid_bridge.core.cometbft_evidence import MAX_EVIDENCE, CometbftEvidence, Consensus, LedgerState, ledger_id
from hybrid_bridge.core.encoding import canonical_json, context, sha256
from hybrid_bridge.core.epoch import EpochRecord, epoch_of
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.errors import (
    BelowQuorum,
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    NotCanonical,
    RootMismatch,
    SetMismatch,
    SignatureWrong,
    TooLong,
)
from tests import comet_chain as made
from tests.bundles import consortium, edit, flip

GOOD = made.evidence()
DATA = GOOD.encode()
GOVERNANCE = made.governance()


def genesis(**changes: Any) -> Genesis:
    first = made.set_of(made.FIRST)
    base = {"ledger_id": ledger_id(made.CHAIN, first), "first_block": 1, "genesis_time": 1_800_000_000}
    return replace(consortium().genesis, **base | changes)


def epoch(**changes: Any) -> EpochRecord:
    own, last = EpochRecord.decode(consortium().epoch_part(1, 4).record), GOOD.last.header
    at = epoch_of(genesis(), last.time.seconds)
    base = {"epoch": at, "first_block": 5, "end_block": 10, "last_block_hash": last.hash, "log_id": made.LOG}
    base |= {"governance_size": len(GOVERNANCE), "governance_root": made.mth(GOVERNANCE)}
    return replace(own, **base | changes)


def verify(evidence: CometbftEvidence, *transactions: bytes, **changes: Any) -> Consensus:
    return evidence.verify(genesis(), epoch(**changes), transactions or made.TRANSACTIONS)


def test_order_result_and_state_of_two_transactions_are_proven() -> None:
    assert verify(GOOD).has_outcomes is True


def test_without_the_block_after_it_only_the_order_is_proven() -> None:
    first, second = GOOD.executions
    assert verify(replace(GOOD, executions=(first, replace(second, outcome=None)))).has_outcomes is False


def test_an_epoch_of_which_no_transaction_is_shown_is_bound_by_its_last_block() -> None:
    assert replace(GOOD, executions=()).verify(genesis(), epoch(), ()).has_outcomes is True


def test_it_is_written_and_read_back() -> None:
    assert CometbftEvidence.decode(DATA) == GOOD
    assert CometbftEvidence.decode(DATA).encode() == DATA
    assert len(DATA) < 28_000


def test_it_says_how_many_signatures_it_asks_for() -> None:
    assert GOOD.signatures == 4 + 3 + 4 * 4
    bare = replace(GOOD, executions=tuple(replace(item, outcome=None) for item in GOOD.executions))
    assert bare.signatures == 4 + 3 + 2 * 4


# ── what must not pass ───────────────────────────────────────────────────────────────────────────────────────────────

REFUTED: dict[str, tuple[str, Any, type[BridgeError]]] = {
    "another chain": ("chain_id", lambda _: "another", FieldMismatch),
    "first validators of their own": ("first", lambda _: made.set_of(made.keys(7, 8, 9, 10)), FieldMismatch),
    "a change left out": ("handovers", lambda _: (), SetMismatch),
    "another next set": ("handovers.0.following", lambda _: made.set_of(made.FIRST), SetMismatch),
    "two of four signed the last block": (
        "last",
        lambda _: made.signed(made.header(made.SECOND, height=9), made.SECOND, absent=2),
        BelowQuorum,
    ),
    "a last block of another height": (
        "last",
        lambda _: made.signed(made.header(made.SECOND, height=8), made.SECOND),
        FieldMismatch,
    ),
    "a wrong signature": ("executions.0.block.commit.votes.2.signature", flip, SignatureWrong),
    "one signature for all": (
        "executions.0.block.commit.votes",
        lambda votes: (votes[0], votes[0], votes[0], votes[0]),
        SignatureWrong,
    ),
    "no signatures": ("executions.0.block.commit.votes", lambda _: (), FieldMismatch),
    "another place": ("executions.0.index", lambda _: 1, RootMismatch),
    "another sibling": ("executions.0.path.0", flip, RootMismatch),
    "a shorter path": ("executions.0.path", lambda path: path[:-1], Malformed),
    "a refusal": (
        "executions.1",
        lambda _: made.execution(made.SECOND, made.TRANSACTIONS, 1, 6, (0, 3)),
        FieldMismatch,
    ),
    "a code that was not": ("executions.0.outcome.code", lambda _: 1, RootMismatch),
    "another result": ("executions.0.outcome.path.0", flip, RootMismatch),
    "another order of transactions": ("executions.0.outcome.state.chain", flip, RootMismatch),
    "other governance": ("executions.0.outcome.state.governance_root", flip, RootMismatch),
    "less governance": ("executions.0.outcome.state.governance_size", lambda size: size - 1, RootMismatch),
    "other values": ("executions.0.outcome.state.writes", flip, RootMismatch),
    "the outcome of another block": (
        "executions.0.outcome",
        lambda _: made.execution(made.SECOND, made.TRANSACTIONS, 0, 7, (0, 0)).outcome,
        FieldMismatch,
    ),
    "a block before the epoch": (
        "executions.0",
        lambda _: made.execution(made.SECOND, made.TRANSACTIONS, 0, 4, (0, 0)),
        FieldMismatch,
    ),
    "a block after the epoch": (
        "executions.0",
        lambda _: made.execution(made.SECOND, made.TRANSACTIONS, 0, 10, (0, 0)),
        FieldMismatch,
    ),
    "a block signed by the set before": (
        "executions.0",
        lambda _: made.execution(made.FIRST, made.TRANSACTIONS, 0, 6, (0, 0)),
        SetMismatch,
    ),
    "fewer executions than transactions": ("executions", lambda items: items[:1], FieldMismatch),
    "executions in another order": ("executions", lambda items: items[::-1], RootMismatch),
}


@pytest.mark.parametrize("name", REFUTED)
def test_evidence_that_is_wrong_in_one_place_is_refused(name: str) -> None:
    place, change, error = REFUTED[name]
    with pytest.raises(error):
        verify(edit(GOOD, place, change))


def test_a_last_block_of_another_epoch_is_refused() -> None:
    for changes in ({"epoch": 2}, {"end_block": 11}, {"last_block_hash": bytes(32)}):
        with pytest.raises(FieldMismatch):
            verify(GOOD, **changes)


def test_the_time_of_the_last_block_fixes_the_epoch() -> None:
    late = made.signed(
        made.header(made.SECOND, height=9, time=Timestamp(1_800_000_000 + genesis().cadence, 0)), made.SECOND
    )
    with pytest.raises(FieldMismatch):
        verify(replace(GOOD, last=late), last_block_hash=late.header.hash)


def test_a_genesis_record_of_another_ledger_is_refused() -> None:
    for changes in ({"ledger_id": sha256(b"another")}, {"first_block": 3}):
        with pytest.raises(FieldMismatch):
            GOOD.verify(genesis(**changes), epoch(), made.TRANSACTIONS)


def test_another_transaction_is_not_the_one_that_stands() -> None:
    with pytest.raises(RootMismatch):
        verify(GOOD, b"another transaction", made.TRANSACTIONS[1])


# ── ledger id and state ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_ledger_id_is_made_of_chain_id_and_keys_in_ascending_order() -> None:
    first = made.set_of(made.FIRST)
    keys = b"".join(sorted(validator.key for validator in first.validators))
    expected = sha256(context("ledger") + b"cometbft/1\x00consortium-1\x00\x00\x04" + keys)
    assert ledger_id("consortium-1", first) == expected == ledger_id("consortium-1", made.set_of(made.FIRST[::-1]))


@pytest.mark.parametrize("key", [made.Key(1, power=2), made.Key(1, kind="ed25519")], ids=["power", "kind"])
def test_first_validators_are_secp256k1_keys_of_power_one(key: made.Key) -> None:
    with pytest.raises(FieldMalformed):
        ledger_id("x", made.set_of([key]))


def test_the_state_binds_each_of_its_parts() -> None:
    state = LedgerState(bytes(32), 1, bytes(32), bytes(32))
    expected = sha256(context("engine-state") + bytes(32) + (1).to_bytes(8, "big") + bytes(64))
    assert state.hash == expected
    others = (flip(bytes(32)), 2, flip(bytes(32)), flip(bytes(32)))
    names = ("chain", "governance_size", "governance_root", "writes")
    hashes = {replace(state, **{name: value}).hash for name, value in zip(names, others, strict=True)}
    assert len(hashes | {expected}) == 5


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def broken(place: str, value: Any) -> bytes:
    document = json.loads(DATA)
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    inner = document
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return canonical_json(document)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("chain_id", "x" * 51),
        ("chain_id", 7),
        ("first.validators", []),
        ("first.validators.0.kind", "sr25519"),
        ("first.validators.0.power", 0),
        ("first.validators.0.key", "AA"),
        ("last.header.height", 0),
        ("last.header.time", "1"),
        ("last.header.time", "01.000000000"),
        ("last.header.time", "-0.000000000"),
        ("last.header.time", "+1.000000000"),
        ("last.header.time", "1.00000000"),
        ("last.header.time", "1.0000000000"),
        ("last.header.time", ".000000000"),
        ("last.header.time", "².000000000"),
        ("last.header.time", "999999999999.000000000"),
        ("last.header.time", " 1.000000000"),
        ("last.header.time", 1800000000),
        ("last.header.data_hash", "AA"),
        ("last.commit.round", 2**31),
        ("last.commit.votes.0.flag", 0),
        ("last.commit.votes.0.flag", 4),
        ("last.commit.votes.0.flag", True),
        ("last.commit.votes.0.signature", ""),
        ("executions.0.index", -1),
        ("executions.0.outcome.code", 65_536),
        ("executions.0.outcome", None),
        ("executions.0.more", 1),
        ("executions", {}),
    ],
)
def test_bytes_of_another_shape_are_refused(place: str, value: Any) -> None:
    with pytest.raises(Malformed):
        CometbftEvidence.decode(broken(place, value))


def test_there_is_one_spelling() -> None:
    with pytest.raises(NotCanonical):
        CometbftEvidence.decode(json.dumps(json.loads(DATA), indent=1).encode())
    with pytest.raises(TooLong):
        CometbftEvidence.decode(b" " * (MAX_EVIDENCE + 1))


def test_no_flipped_bit_of_the_evidence_proves_the_same() -> None:
    for bit in range(0, 8 * len(DATA), 997):
        try:
            changed = CometbftEvidence.decode(flip(DATA, bit))
        except Malformed:
            continue
        with pytest.raises(BridgeError):
            verify(changed)
