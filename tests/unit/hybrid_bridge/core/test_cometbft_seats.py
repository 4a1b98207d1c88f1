"""Whose the engine's votes are: sets walked across changes, each read off governance records, and every cheat found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.core.cometbft import SignedHeader
from hybrid_bridge.core.cometbft_evidence import CometbftEvidence, Consensus
from hybrid_bridge.core.cometbft_history import Handover
from hybrid_bridge.core.cometbft_seats import Before, Term, is_own, is_tied
from hybrid_bridge.core.encoding import b64u, canonical_json, parse_canonical_json
from hybrid_bridge.core.governance import Notice
from hybrid_bridge.errors import (
    BelowQuorum,
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    RootMismatch,
    SetMismatch,
    SignatureWrong,
)
from hybrid_bridge.units import TreeSize
from tests import comet_chain as made
from tests.bundles import edit, flip
from tests.unit.hybrid_bridge.core.test_cometbft_evidence import GOOD, epoch, genesis

OTHERS = made.keys(6, 7, 8, 9)


def shown(*records: bytes, first: tuple[made.Key, ...] = made.SECOND, **changes: Any) -> tuple[CometbftEvidence, Any]:
    """Evidence of an epoch without transactions whose governance tree has these records behind the genesis record."""
    tree = [made.GENESIS_RECORD, *records]
    last = made.signed(made.header(first, height=9), first)
    bound = made.bindings(tree) if records else None
    values: dict[str, Any] = {"last": last, "executions": (), "bindings": bound}
    own = epoch(governance_size=len(tree), governance_root=made.mth(tree), last_block_hash=last.header.hash)
    return replace(GOOD, **values | changes), own


def verified(evidence: CometbftEvidence, own: Any) -> Consensus:
    return evidence.verify(genesis(), own, ())


def records(*seeds: int) -> list[bytes]:
    return [made.bound(seed) for seed in seeds]


def test_votes_are_named_by_the_records_that_bind_their_keys() -> None:
    consensus = verified(*shown(*records(1, 2, 3, 4, 5)))
    assert consensus.signers == tuple(made.holder(seed) for seed in (2, 3, 4, 5))
    assert consensus.holders == {made.Key(seed).validator.key: made.holder(seed) for seed in range(1, 6)}


def test_only_who_voted_is_named() -> None:
    last = made.signed(made.header(made.SECOND, height=9), made.SECOND, absent=1)
    assert verified(*shown(*records(1, 2, 3, 4, 5), last=last)).signers == tuple(map(made.holder, (2, 3, 4)))


def test_without_records_nobody_is_named_and_no_set_follows_the_first() -> None:
    evidence, own = shown(first=made.FIRST, handovers=())
    assert verified(evidence, own).signers == ()
    with pytest.raises(FieldMismatch) as caught:
        verified(*shown())
    assert caught.value.field == "consensus key"


def test_the_first_set_needs_no_records_its_successors_do() -> None:
    consensus = verified(*shown(*records(2, 3, 4, 5)))
    assert consensus.signers == tuple(map(made.holder, (2, 3, 4, 5)))


def test_a_whole_set_may_go_at_once_if_the_old_one_said_so() -> None:
    change = made.handover(made.FIRST, OTHERS, 2)
    consensus = verified(*shown(*records(6, 7, 8, 9), first=OTHERS, handovers=(change,)))
    assert consensus.signers == tuple(map(made.holder, (6, 7, 8, 9)))


def signed_by(members: tuple[made.Key, ...], absent: int = 0) -> Handover:
    """A change from the first set to others without overlap, under other signatures."""
    header = made.header(made.FIRST, OTHERS, height=2)
    return Handover(made.signed(header, members, absent=absent), made.set_of(OTHERS))


REFUTED: dict[str, tuple[Sequence[bytes], dict[str, Any], type[BridgeError]]] = {
    "a consensus key never bound": (records(1, 2, 3, 4), {}, FieldMismatch),
    "no record at all": ((), {}, FieldMismatch),
    "a record of another log": ([*records(2, 3, 4), made.bound(5, b"\1" * 32)], {}, FieldMismatch),
    "a key of two members": ([*records(2, 3, 4, 5), made.bound(5, member=6)], {}, FieldMismatch),
    "two votes of one member": ([*records(2, 3, 4), made.bound(5, member=4)], {}, FieldMismatch),
    "a change that the new set alone signed": (
        records(6, 7, 8, 9),
        {"first": OTHERS, "handovers": (signed_by(OTHERS),)},
        SignatureWrong,
    ),
    "a change that half of the old set signed": (
        records(6, 7, 8, 9),
        {"first": OTHERS, "handovers": (signed_by(made.FIRST, absent=2),)},
        BelowQuorum,
    ),
    "a change skipped": (records(1, 2, 3, 4, 5), {"handovers": ()}, SetMismatch),
    "a vote of two": (
        records(1, 2, 3, 4, 5),
        {
            "first": (two := (*made.FIRST[1:], made.Key(5, power=2))),
            "handovers": (made.handover(made.FIRST, two, 2),),
        },
        FieldMismatch,
    ),
    "a change within the epoch": (
        records(1, 2, 3, 4, 5),
        {"handovers": (made.handover(made.FIRST, made.SECOND, 7),)},
        FieldMismatch,
    ),
    "a change by the epoch's last block": (
        records(1, 2, 3, 4, 5),
        {"first": made.FIRST, "handovers": (made.handover(made.FIRST, made.SECOND, 10),)},
        FieldMismatch,
    ),
}


@pytest.mark.parametrize("name", REFUTED)
def test_a_set_that_the_log_does_not_know_is_refused(name: str) -> None:
    governance, changes, error = REFUTED[name]
    with pytest.raises(error):
        verified(*shown(*governance, **changes))


def test_a_change_by_the_epochs_first_block_holds() -> None:
    """Told by block 5, named by header 6, in charge from 7 on."""
    change = made.handover(made.FIRST, made.SECOND, 6)
    assert len(verified(*shown(*records(1, 2, 3, 4, 5), handovers=(change,))).history.periods) == 2


@pytest.mark.parametrize(
    ("place", "change", "error"),
    [
        ("bindings.0.index", lambda _: 2, RootMismatch),
        ("bindings.0.path.0", flip, RootMismatch),
        ("bindings.0.path", lambda path: path[:-1], Malformed),
        ("bindings", lambda bindings: bindings[::-1], FieldMalformed),
        ("bindings", lambda bindings: (bindings[0], *bindings), FieldMalformed),
        ("bindings.3.record.key_id", flip, RootMismatch),
        ("bindings.3.record.possession", flip, RootMismatch),
    ],
    ids=["another place", "another path", "a shorter path", "descending", "twice", "another holder", "another word"],
)
def test_a_record_that_does_not_stand_there_is_refused(place: str, change: Any, error: type[BridgeError]) -> None:
    evidence, own = shown(*records(1, 2, 3, 4, 5))
    with pytest.raises(error):
        verified(edit(evidence, place, change), own)


def test_no_records_have_one_spelling() -> None:
    with pytest.raises(FieldMalformed):
        replace(GOOD, bindings=())
    document = parse_canonical_json(GOOD.encode(), "evidence", 1 << 20)
    assert isinstance(document, dict)
    assert "bindings" not in parse_canonical_json(replace(GOOD, bindings=None).encode(), "evidence", 1 << 20)  # type: ignore[operator]
    for value in ([], None):
        with pytest.raises(Malformed):
            CometbftEvidence.decode(canonical_json({**document, "bindings": value}))


def test_another_governance_record_binds_nothing() -> None:
    notice = Notice(
        log_id=made.LOG, notice_type=1, source=1, time=5, until=0, entry_leaf=made.LOG, subject_hash=made.LOG
    )
    first = made.bindings(made.governance())[0].record.encode()
    with pytest.raises(Malformed):
        CometbftEvidence.decode(GOOD.encode().replace(b64u(first).encode(), b64u(notice.encode()).encode()))


# ── which set of the log ─────────────────────────────────────────────────────────────────────────────────────────────


def seats(*seeds: int) -> frozenset[Any]:
    return frozenset(map(made.holder, seeds))


FIRST, SECOND = Term(TreeSize(1), seats(1, 2, 3, 4)), Term(TreeSize(4), seats(2, 3, 4, 5))
BACK = Term(TreeSize(6), seats(1, 2, 3, 4))


def walked(*seeds: int, change: int = 2) -> Consensus:
    return verified(*shown(*records(*seeds), handovers=(made.handover(made.FIRST, made.SECOND, change),)))


def tied(consensus: Consensus, *terms: Term, sizes: Sequence[int] = (4,)) -> bool:
    return is_tied(consensus.history, consensus.holders, sizes, terms)


def test_each_set_of_the_engine_is_a_set_of_the_log() -> None:
    assert tied(walked(1, 2, 3, 4, 5), FIRST, SECOND)
    assert tied(walked(1, 2, 3, 4, 5), FIRST, SECOND, BACK)
    assert tied(walked(1, 2, 3, 4, 5), FIRST, replace(BACK, first_size=TreeSize(2)), SECOND)


def test_a_renewed_key_is_the_same_set() -> None:
    """Key 5 in place of key 1: another set of the engine, the same members."""
    governance = [*records(1, 2, 3, 4), made.bound(5, member=1)]
    consensus = verified(*shown(*governance))
    assert is_tied(consensus.history, consensus.holders, (2,), (FIRST,))


@pytest.mark.parametrize(
    "terms",
    [
        (FIRST,),
        (FIRST, BACK),
        (FIRST, replace(SECOND, first_size=TreeSize(5))),  # not due yet
        (FIRST, replace(SECOND, seats=seats(2, 3, 4, 6))),
        (SECOND,),  # nor is the first set another one than the log's first
        (replace(FIRST, seats=seats(1, 2, 3)), SECOND),
    ],
)
def test_a_set_of_the_engine_that_is_none_of_the_logs_is_refused(terms: tuple[Term, ...]) -> None:
    with pytest.raises(FieldMismatch):
        tied(walked(1, 2, 3, 4, 5), *terms)


def test_the_engine_does_not_go_back_to_an_older_set() -> None:
    changes = made.handover(made.FIRST, made.SECOND, 2), made.handover(made.SECOND, made.FIRST, 4)
    consensus = verified(*shown(*records(1, 2, 3, 4, 5), first=made.FIRST, handovers=changes))
    assert is_tied(consensus.history, consensus.holders, (4, 6), (FIRST, SECOND, BACK))
    with pytest.raises(FieldMismatch):
        is_tied(consensus.history, consensus.holders, (4, 5), (FIRST, SECOND, BACK))
    with pytest.raises(FieldMismatch):
        is_tied(consensus.history, consensus.holders, (4, 6), (FIRST, SECOND))


def test_what_is_not_shown_ties_nothing_and_refutes_nothing() -> None:
    assert not tied(walked(1, 2, 3, 4, 5), FIRST, replace(SECOND, seats=None))
    assert not tied(walked(1, 2, 3, 4, 5), replace(FIRST, seats=None), SECOND)
    assert not tied(walked(2, 3, 4, 5), FIRST, SECOND)  # whose the first keys are is left to the ledger id


def test_an_old_set_that_signs_a_later_height_is_refused() -> None:
    """The epoch is the second set's, and from its third block on none but that set signs."""
    consensus = verified(*shown(*records(1, 2, 3, 4), first=made.FIRST, handovers=()))
    for heights in ((9,), (5, 7), (6, 8)):
        with pytest.raises(FieldMismatch):
            own_of(consensus, heights, NEW_SEATS, Before(OLD_SEATS, 9))
    assert own_of(consensus, (5, 6), NEW_SEATS, Before(OLD_SEATS, 9))
    assert own_of(consensus, (5, 9), OLD_SEATS, Before(OLD_SEATS, 9))


def own_of(consensus: Consensus, heights: Sequence[int], own: Any, before: Before) -> bool:
    return is_own(consensus.history, consensus.holders, heights, epoch(), own, before=before)


OLD_SEATS, NEW_SEATS = seats(1, 2, 3, 4), seats(2, 3, 4, 5)


@pytest.mark.parametrize(("height", "blocks"), [(5, 2), (5, 3), (6, 1), (6, 2)])
def test_a_retired_set_that_signs_one_of_an_epochs_first_two_blocks_is_refused(height: int, blocks: int) -> None:
    """The epoch before has another set, and so many blocks that it was in charge: nobody older could sign."""
    consensus = verified(*shown(*records(1, 2, 3, 4), first=made.FIRST, handovers=()))
    with pytest.raises(FieldMismatch):
        own_of(consensus, (height,), NEW_SEATS, Before(NEW_SEATS, blocks))


@pytest.mark.parametrize(("height", "blocks"), [(5, None), (6, None), (5, 0), (5, 1), (6, 0)])
def test_where_an_older_set_may_still_have_been_in_charge_its_votes_are_not_enough(
    height: int, blocks: int | None
) -> None:
    """A set votes from its epoch's third block on; an engine that stood may have passed over whole epochs."""
    consensus = verified(*shown(*records(1, 2, 3, 4), first=made.FIRST, handovers=()))
    assert not own_of(consensus, (height,), NEW_SEATS, Before(NEW_SEATS, blocks))
    with pytest.raises(FieldMismatch):  # and what is known to be wrong is looked for behind it
        own_of(consensus, (height, 7), NEW_SEATS, Before(NEW_SEATS, blocks))


@pytest.mark.parametrize("height", [5, 6])
def test_the_epochs_own_set_does_not_sign_before_its_third_block(height: int) -> None:
    consensus = walked(1, 2, 3, 4, 5)
    with pytest.raises(FieldMismatch):
        own_of(consensus, (height,), NEW_SEATS, Before(OLD_SEATS, 2))
    assert not own_of(consensus, (height,), NEW_SEATS, Before(OLD_SEATS, None))


def test_votes_that_nobody_is_shown_for_are_no_contradiction() -> None:
    consensus = verified(*shown(first=made.FIRST, handovers=()))
    assert not own_of(consensus, (9,), NEW_SEATS, Before(NEW_SEATS, 2))
    consensus = verified(*shown(*records(1, 2, 3, 4), first=made.FIRST, handovers=()))
    assert not own_of(consensus, (5,), NEW_SEATS, Before(None, 2))


def test_heights_are_those_of_every_header_that_is_shown() -> None:
    assert GOOD.heights == [9, 6, 6, 7, 7]
    bare = replace(GOOD, executions=tuple(replace(item, outcome=None) for item in GOOD.executions))
    assert bare.heights == [9, 6, 6]


def test_signed_headers_of_another_set_are_not_read_as_the_one_in_charge() -> None:
    evidence, own = shown(*records(1, 2, 3, 4, 5))
    foreign: SignedHeader = made.signed(made.header(OTHERS, height=9), OTHERS)
    with pytest.raises(SetMismatch):
        verified(replace(evidence, last=foreign), replace(own, last_block_hash=foreign.header.hash))
