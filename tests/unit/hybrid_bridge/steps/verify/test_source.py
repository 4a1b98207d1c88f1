"""Consensus evidence in whole bundles, made by real CometBFT engines: `tests/data/cometbft/README.md`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest

from hybrid_bridge.core.bundle import Bundle, SourceEvidence, decode_bundle
from hybrid_bridge.core.cometbft import Timestamp
from hybrid_bridge.core.cometbft_evidence import CometbftEvidence
from hybrid_bridge.core.cometbft_history import Handover
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import (
    BelowQuorum,
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    RootMismatch,
    SignatureWrong,
    TooLong,
)
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.names import CERTIFIED, Name, Names
from hybrid_bridge.steps.verify.signers import KnownSet, KnownSets
from hybrid_bridge.steps.verify.source import A2, A3, RESULTS, RETIRED, TIES, Source, verify_source
from hybrid_bridge.units import Address, Digest, SetId, TreeSize, UnixSeconds
from tests import comet_chain as made
from tests.bundles import edit, flip
from tests.unit.hybrid_bridge.core.test_cometbft_evidence import GOOD, epoch, genesis

FOLDER = Path("tests/data/cometbft")
DATA = (FOLDER / "ordered.hb.json").read_bytes()
BUNDLE = decode_bundle(DATA)
TRUST = parse_trust((FOLDER / "trust.json").read_bytes())
NOW = UnixSeconds(1_800_000_000)


def level(evidence: Evidence) -> str:
    return next(verdict.result for verdict in evidence.verdicts if verdict.name == "level")


def judged(bundle: Bundle) -> Evidence:
    return verify(bundle.encode(), TRUST, NOW)


def changed(place: str, change: Callable[[Any], Any]) -> Bundle:
    """The bundle with another value at one place of its evidence."""
    (part,) = BUNDLE.source_evidence
    evidence = edit(CometbftEvidence.decode(part.data), place, change)
    return replace(BUNDLE, source_evidence=(replace(part, data=evidence.encode()),))


def test_a_transaction_that_real_engines_decided_reaches_a3() -> None:
    evidence = judged(BUNDLE)
    assert level(evidence) == "A3"
    assert (evidence.missing, evidence.unjudged) == ((), ())


def test_without_its_outcome_it_reaches_a2() -> None:
    evidence = judged(changed("executions.0.outcome", lambda _: None))
    assert level(evidence) == "A2"
    wanting = replace(TRUST, minimum_level="A3")
    bundle = changed("executions.0.outcome", lambda _: None)
    assert any("A3; A2 was reached" in line for line in verify(bundle.encode(), wanting, NOW).missing)


def test_without_evidence_it_stays_at_a1() -> None:
    assert level(judged(replace(BUNDLE, source_evidence=()))) == "A1"


def test_a_record_without_its_transaction_stays_at_a1() -> None:
    bare = edit(BUNDLE, "epochs.0.entries.0.transaction", lambda _: None)
    assert level(judged(edit(bare, "source_evidence", lambda _: ()))) == "A1"
    with pytest.raises(FieldMismatch):  # evidence of a transaction that is not shown
        judged(bare)
    assert (
        level(judged(edit(changed("executions", lambda _: ()), "epochs.0.entries.0.transaction", lambda _: None)))
        == "A1"
    )


def test_without_names_consensus_raises_nothing() -> None:
    evidence = verify(DATA, replace(TRUST, member_roots=()), NOW)
    assert level(evidence) == "A0"


def test_evidence_of_an_engine_that_nobody_knows_here_is_told_and_not_judged() -> None:
    foreign = SourceEvidence(type="another/1", epoch=1, data=b"whatever")
    evidence = judged(replace(BUNDLE, source_evidence=(*BUNDLE.source_evidence, foreign)))
    assert level(evidence) == "A3"
    assert [item.place for item in evidence.unjudged] == ["source evidence another/1 of epoch 1"]


def test_evidence_is_of_a_shown_epoch_and_once() -> None:
    (part,) = BUNDLE.source_evidence
    for parts in ((part, part), (replace(part, epoch=part.epoch + 1),)):
        with pytest.raises(FieldMalformed):
            judged(replace(BUNDLE, source_evidence=parts))


def test_signatures_of_evidence_count_against_the_bundles_bound() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hybrid_bridge.steps.verify.decoded.MAX_SIGNATURES", 20)
        with pytest.raises(TooLong):
            judged(BUNDLE)


REFUTED: dict[str, tuple[str, Callable[[Any], Any], type[BridgeError]]] = {
    "another state": ("executions.0.outcome.state.writes", flip, RootMismatch),
    "another chain value": ("executions.0.outcome.state.chain", flip, RootMismatch),
    "another place": ("executions.0.index", lambda index: index + 1, BridgeError),
    "a header of their own": ("executions.0.block.header.data_hash", flip, FieldMismatch),
    "a signature": ("last.commit.votes.0.signature", flip, SignatureWrong),
    "too few votes": (
        "last.commit.votes",
        lambda votes: (*(replace(vote, flag=1, signature=b"") for vote in votes[:2]), *votes[2:]),
        BelowQuorum,
    ),
    "another first set": ("first.validators", lambda validators: validators[:3], FieldMismatch),
}


@pytest.mark.parametrize("name", REFUTED)
def test_evidence_that_is_wrong_refutes_the_bundle(name: str) -> None:
    place, change, error = REFUTED[name]
    with pytest.raises(error) as caught:
        judged(changed(place, change))
    assert caught.value.stopped_at == "13 source evidence"


# ── a set that followed another ──────────────────────────────────────────────────────────────────────────────────────


def log_set(number: int, first_size: int, *seeds: int) -> KnownSet:
    """A validator set of the log in which the holders of these consensus keys sit."""
    words = [sha256(b"seat %d" % seed) for seed in seeds]
    entries = sorted((ValidatorEntry(Address(word[:20]), word, word, word) for word in words), key=lambda e: e.address)
    return KnownSet(TreeSize(first_size), ValidatorSet(SetId(number), tuple(entries)), ())


def names_of(*sets: KnownSet, unknown: Sequence[int] = ()) -> Names:
    """Member 5 sits with key 5; of `unknown` no certificate is shown."""
    by_address = {Address(sha256(b"seat %d" % seed)[:20]): seed for seed in range(1, 10)}
    names: dict[tuple[SetId, Address], Name] = {}
    for known in sets:
        for address in known.validators.addresses:
            seed = by_address[address]
            key = None if seed in unknown else Digest(made.holder(seed))
            names[known.validators.set_id, address] = Name(f"member {seed}", f"LEI:{seed}", CERTIFIED, ZERO, key)
    return names


OLD, NEW = log_set(1, 1, 1, 2, 3, 4), log_set(2, 2, 2, 3, 4, 5)


Scene: TypeAlias = tuple[Any, KnownSets, Names]  # what `verify_source` is asked


def source(*sets: KnownSet, unknown: Sequence[int] = (), **changes: Any) -> Source:
    return verify_source(*scene(*sets, unknown=unknown, **changes))


def scene(*sets: KnownSet, unknown: Sequence[int] = (), **changes: Any) -> Scene:
    """Of the evidence that `comet_chain` makes, with these sets of the log."""
    evidence = replace(GOOD, **changes)
    record = epoch(set_id=len(sets), first_block=1, last_block_hash=evidence.last.header.hash)
    entries = [SimpleNamespace(transaction=data, part=SimpleNamespace(transaction=data)) for data in made.TRANSACTIONS]
    shown: Any = SimpleNamespace(
        genesis=genesis(),
        epochs=(SimpleNamespace(record=record, entries=entries),),
        sources={record.epoch: evidence},
    )
    return shown, KnownSets(sets), names_of(*sets, unknown=unknown)


def test_a_later_set_reaches_a3_when_records_say_whose_its_keys_are() -> None:
    found = source(OLD, NEW)
    assert (found.level, found.wanting) == (A3, "")
    (block,) = found.blocks
    assert (block.height, block.signers) == (9, tuple(f"member {k} (LEI:{k}; {CERTIFIED})" for k in (2, 3, 4)))


def test_where_a_certificate_is_not_shown_a_later_set_reaches_a2() -> None:
    found = source(OLD, NEW, unknown=(5,))
    assert (found.level, found.wanting) == (A2, TIES)
    assert source(OLD, NEW, unknown=(4,)).blocks[0].signers[-1] == f"key {made.holder(4).hex()}"
    first, second = GOOD.executions
    bare = first, replace(second, outcome=None)
    assert source(OLD, NEW, executions=bare).wanting == RESULTS


def still_the_first() -> dict[str, Any]:
    """Evidence that shows no change of the engine's set."""
    among = (made.TRANSACTIONS[0], b"a refused one", made.TRANSACTIONS[1])
    return {
        "handovers": (),
        "last": made.signed(made.header(made.FIRST, height=9), made.FIRST),
        "executions": tuple(made.execution(made.FIRST, among, i, 6, (0, 3, 0)) for i in (0, 2)),
    }


def test_an_old_set_that_goes_on_signing_is_refuted_and_by_what_is_kept_back_reaches_no_more_than_a2() -> None:
    """It shows no change at all; or not who sits in the log's next set."""
    old = still_the_first()
    assert source(OLD, **old).level == A3
    with pytest.raises(FieldMismatch):
        source(OLD, NEW, **old)
    assert source(OLD, NEW, unknown=(5,), **old).wanting == TIES
    assert source(OLD, NEW, **old | {"bindings": None}).wanting == TIES


@pytest.mark.parametrize(
    "sets",
    [
        (OLD,),  # the log never changed its set
        (OLD, log_set(2, 2, 2, 3, 4, 6)),  # it took in another member
        (OLD, log_set(2, 3, 2, 3, 4, 5)),  # not yet
        (log_set(1, 1, 1, 2, 3, 6), NEW),  # nor began with these
        (OLD, NEW, log_set(3, 2, 1, 2, 3, 4)),  # and the epoch is the third set's
    ],
    ids=["no change", "another", "too early", "another first", "a set skipped"],
)
def test_a_set_of_the_engine_out_of_the_logs_order_refutes(sets: tuple[KnownSet, ...]) -> None:
    with pytest.raises(FieldMismatch):
        source(*sets)


# ── an epoch of two blocks ───────────────────────────────────────────────────────────────────────────────────────────

FOURTH = 4  # the epoch shown
RULED = log_set(2, FOURTH, 2, 3, 4, 5)  # the log's since epoch 3


def short(before: int | None, *sets: KnownSet, changes: tuple[Handover, ...] = ()) -> Source:
    return verify_source(*short_scene(before, *sets, changes=changes))


def short_scene(before: int | None, *sets: KnownSet, changes: tuple[Handover, ...] = ()) -> Scene:
    """Blocks 8 and 9 are epoch 4; `before` so many are epoch 3, whose record is not shown where that is None.

    No change of the engine's set is shown unless it is given, so the first one signs.
    """
    time = Timestamp(genesis().genesis_time + (FOURTH - 1) * genesis().cadence, 0)
    signing = made.SECOND if changes else made.FIRST
    among = (made.TRANSACTIONS[0], b"a refused one", made.TRANSACTIONS[1])
    evidence = replace(
        GOOD,
        handovers=changes,
        last=made.signed(made.header(signing, height=9, time=time), signing),
        executions=tuple(made.execution(signing, among, i, 8, (0, 3, 0), time=time) for i in (0, 2)),
    )
    record = epoch(
        epoch=FOURTH, set_id=len(sets), first_block=8, end_block=10, last_block_hash=evidence.last.header.hash
    )
    third = replace(record, epoch=FOURTH - 1, first_block=8 - (before or 0), end_block=8)
    entries = [SimpleNamespace(transaction=data, part=SimpleNamespace(transaction=data)) for data in made.TRANSACTIONS]
    epochs = (SimpleNamespace(record=third, entries=[]),) * (before is not None)
    shown: Any = SimpleNamespace(
        genesis=genesis(),
        epochs=(*epochs, SimpleNamespace(record=record, entries=entries)),
        sources={FOURTH: evidence},
    )
    return shown, KnownSets(sets), names_of(*sets)


def handed_over() -> tuple[Handover, ...]:
    """In the last block of epoch 3."""
    third = Timestamp(genesis().genesis_time + (FOURTH - 2) * genesis().cadence, 0)
    return (made.handover(made.FIRST, made.SECOND, 7, time=third),)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_in_an_epoch_of_two_blocks_a_retired_set_of_the_engine_is_refuted(before: int) -> None:
    with pytest.raises(FieldMismatch):
        short(before, OLD, RULED)


@pytest.mark.parametrize("before", [None, 0])
def test_where_the_epoch_before_does_not_show_that_it_had_retired_an_old_set_reaches_no_more_than_a2(
    before: int | None,
) -> None:
    found = short(before, OLD, RULED)
    assert (found.level, found.wanting) == (A2, RETIRED)


@pytest.mark.parametrize("before", [None, 1, 2])
def test_the_set_of_the_epoch_before_signs_the_first_two_blocks_of_the_next_ones(before: int | None) -> None:
    """Set 2 begins with epoch 4: its first two blocks are still the old set's."""
    assert short(before, OLD, log_set(2, FOURTH + 1, 2, 3, 4, 5)).level == A3
    assert short(before, OLD, RULED, changes=handed_over()).level == A3
    assert short(before, OLD).level == A3
