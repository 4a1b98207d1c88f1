"""fsck finds what is wrong: one good journal, and one mutation of it for each promise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import StateForgotten
from hybrid_bridge.testing.memory_chain import MemoryChain
from hybrid_bridge.testing.memory_members import MemorySigner
from relayers.fsck import Finding, across, fsck, look
from relayers.journal import IntentState, JournalDump, Outcome
from relayers.signing_policy import transaction
from relayers.views import Fee
from tests.crash.relay_world import DEPTH, GWEI, Operator, World, fees, run, settle

NOTHING = bytes(32)


class Case:
    """A relayer that has anchored three checkpoints; the last one is not final yet."""

    def __init__(self, folder: Path) -> None:
        self.operator = Operator(World(), folder / "journal.db")
        self.world = self.operator.world
        self.world.network.mine()
        for last in (False, False, True):
            self.world.consortium.close_epoch()
            run([self.operator], 1)
            if not last:
                settle([self.operator])
        self.operator.relayer()
        assert self.operator.journal is not None
        self.dump: JournalDump = self.operator.journal.dump()
        self.operator.close()

    @property
    def chain(self) -> MemoryChain:
        return MemoryChain(self.world.network, final_depth=DEPTH)

    def findings(self, dump: JournalDump | None = None, **changes: Any) -> list[Finding]:
        return fsck(replace(dump or self.dump, **changes), self.world.log, self.chain, fees())


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("fsck"))


def first(rows: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    return (replace(rows[0], **changes), *rows[1:])


def last(rows: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    return (*rows[:-1], replace(rows[-1], **changes))


def test_a_good_journal_is_clean_with_and_without_a_chain(case: Case) -> None:
    assert [slot.closed_hash is None for slot in case.dump.slots] == [False, False, True]
    assert case.findings() == []
    assert fsck(case.dump, case.world.log) == []


def test_an_empty_journal_is_clean(case: Case) -> None:
    empty: dict[str, Any] = dict.fromkeys(
        ("headers", "checkpoints", "attestations", "intents", "slots", "attempts", "finals", "anchors", "sends"), ()
    )
    assert fsck(replace(case.dump, **empty), case.world.log) == []


MUTATIONS: dict[str, tuple[str, Callable[[JournalDump], dict[str, Any]]]] = {
    "bytes that are no transaction": ("S1", lambda d: {"attempts": first(d.attempts, raw=b"\x02")}),
    "bytes of another hash": ("S1", lambda d: {"attempts": first(d.attempts, raw=d.attempts[1].raw)}),
    "a column that the bytes contradict": ("S1", lambda d: {"attempts": first(d.attempts, max_fee=1)}),
    "an anchor marked as a cancel": ("S8", lambda d: {"attempts": first(d.attempts, intent_id=None)}),
    "another contract": ("S8", lambda d: {"scope": replace(d.scope, contract=bytes(20))}),
    "another key": ("S8", lambda d: {"scope": replace(d.scope, signer=bytes(20))}),
    "an attempt without a slot": ("S4", lambda d: {"slots": d.slots[1:]}),
    "a gap between slots": ("S4", lambda d: {"slots": (d.slots[0], d.slots[2])}),
    "an open slot with a final attempt": ("S4", lambda d: {"slots": first(d.slots, closed_hash=None)}),
    "a closed slot without outcomes": ("S4", lambda d: {"finals": d.finals[1:]}),
    "a slot called foreign": ("S1", lambda d: {"slots": first(d.slots, is_foreign=True)}),
    "two attempts of one nonce that stand": (
        "S1",
        lambda d: {
            "attempts": (*d.attempts, replace(d.attempts[0], hash=NOTHING)),
            "finals": (*d.finals, replace(d.finals[0], hash=NOTHING)),
        },
    ),
    "an outcome OK without an anchor": ("S2", lambda d: {"anchors": d.anchors[1:]}),
    "an outcome NOOP with an anchor": ("S2", lambda d: {"finals": first(d.finals, outcome=Outcome.NOOP)}),
    "an intent settled by no header": ("S2", lambda d: {"intents": first(d.intents, settled_hash=NOTHING)}),
    "an intent settled by another root": ("S2", lambda d: {"intents": first(d.intents, root=NOTHING)}),
    "an intent superseded by nothing": (
        "S2",
        lambda d: {
            "intents": (d.intents[0], replace(d.intents[1], state=IntentState.SUPERSEDED, settled_tx=None)),
            "anchors": d.anchors[:2],
        },
    ),
    "an intent settled too early": (
        "S2",
        lambda d: {"intents": first(d.intents, settled_hash=d.headers[0].hash)},
    ),
    "a checkpoint below its quorum": ("quorum", lambda d: {"attestations": d.attestations[1:]}),
    "a checkpoint with another root": ("quorum", lambda d: {"checkpoints": first(d.checkpoints, root=NOTHING)}),
    "a checkpoint with a wrong path": (
        "quorum",
        lambda d: {"checkpoints": last(d.checkpoints, consistency=(NOTHING,))},
    ),
    "an anchor with another root than ours": ("conflict", lambda d: {"anchors": first(d.anchors, root=NOTHING)}),
    "a final header that does not stand": ("S3", lambda d: {"headers": first(d.headers, hash=NOTHING)}),
    "a final header from the future": ("S3", lambda d: {"headers": last(d.headers, number=10**6)}),
    "an anchor in another public block": (
        "S3",
        lambda d: {"anchors": first(d.anchors, block=replace(d.anchors[0].block, hash=NOTHING))},
    ),
}


@pytest.mark.parametrize("name", list(MUTATIONS))
def test_a_mutation_is_found(case: Case, name: str) -> None:
    promise, mutate = MUTATIONS[name]
    assert promise in {finding.promise for finding in case.findings(**mutate(case.dump))}


def test_an_attempt_dearer_than_allowed_and_a_day_beyond_its_budget_are_found(case: Case) -> None:
    for limits in (fees(max_fee=1), fees(max_cost_per_anchor=1), fees(daily_budget=1)):
        assert {f.promise for f in fsck(case.dump, case.world.log, None, limits)} == {"S7"}


def test_a_superseded_intent_with_a_larger_final_anchor_is_good(case: Case) -> None:
    second = case.dump.headers[-1].hash
    superseded = first(case.dump.intents, state=IntentState.SUPERSEDED, settled_tx=None, settled_hash=second)
    assert case.findings(intents=superseded) == []


def test_a_nonce_used_by_unknown_bytes_is_found(tmp_path: Path) -> None:
    case = Case(tmp_path)
    raw = case.operator.signer.sign(transaction(case.dump.scope, 3, b"", Fee(9 * GWEI, GWEI), 21_000))
    case.world.network.offer(raw)
    case.world.network.mine()
    assert [(f.promise, f.subject) for f in case.findings()] == [("S1", "nonce 3")]


def test_a_nonce_used_by_other_bytes_than_the_journals_is_found(case: Case) -> None:
    strange = replace(case.dump.attempts[2], hash=sha256(b"other bytes"))
    found = case.findings(attempts=(*case.dump.attempts[:2], strange))
    assert Finding("S1", "nonce 2", "used, but by none of the bytes in the journal") in found


def test_a_nonce_that_endpoints_called_used_and_is_not_is_found(case: Case) -> None:
    closed = case.dump.slots[-1].nonce + 1
    false = replace(case.dump.slots[0], nonce=closed, is_foreign=True)
    found = case.findings(slots=(*case.dump.slots, false))
    assert [(one.promise, one.subject) for one in found] == [("S4", f"nonce {closed}")]
    assert case.findings() == []


def test_a_hole_below_an_open_slot_and_a_debt_beyond_the_balance_are_found(tmp_path: Path) -> None:
    case = Case(tmp_path)
    open_slot = replace(case.dump.slots[2], nonce=5)
    attempts = (*case.dump.attempts[:2], replace(case.dump.attempts[2], nonce=5, gas=10**12))
    found = case.findings(slots=(*case.dump.slots, open_slot), attempts=attempts)
    assert {f.subject for f in found if f.promise == "S4"} >= {"nonce 3", "nonce 4"}
    assert any(f.promise == "S7" and f.subject == "balance" for f in found)
    assert MemorySigner("operator 0").address() == case.dump.scope.signer


def test_our_account_is_looked_at_before_its_state_can_be_forgotten(case: Case) -> None:
    chain = case.chain
    seen = look(chain, case.dump.scope.signer)
    chain.keeps = 0  # an ordinary node, and a walk through many headers
    assert fsck(case.dump, case.world.log, chain, fees(), seen) == []
    with pytest.raises(StateForgotten):
        fsck(case.dump, case.world.log, chain, fees())


def test_two_chains_of_one_log_show_one_history(case: Case) -> None:
    other = replace(case.dump, anchors=(replace(case.dump.anchors[-1], root=NOTHING), *case.dump.anchors[:-1]))
    assert across({"main": case.dump, "side": case.dump}) == []
    size = case.dump.anchors[-1].tree_size
    assert across({"main": case.dump, "side": replace(other, checkpoints=())}) == [
        Finding("conflict", f"size {size}", "one root on main, another on side")
    ]


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Operator, JournalDump]:
    """A rotation of ours that is final."""
    operator = Operator(World(), tmp_path_factory.mktemp("turned") / "journal.db")
    operator.world.network.mine()
    operator.world.appoint(in_sizes=3)
    run([operator], 1)
    settle([operator])
    operator.relayer()
    assert operator.journal is not None
    dump = operator.journal.dump()
    operator.close()
    return operator, dump


def test_a_rotation_is_settled_by_our_own_transaction_or_as_anothers(turned: tuple[Operator, JournalDump]) -> None:
    operator, dump = turned
    (intent,), (final,) = dump.intents, dump.finals

    def findings(**changes: Any) -> list[tuple[str, str]]:
        chain = MemoryChain(operator.world.network, final_depth=DEPTH)
        found = fsck(replace(dump, **changes), operator.world.log, chain, fees())
        return [(each.promise, each.subject) for each in found]

    assert findings() == []
    anothers = replace(intent, state=IntentState.SUPERSEDED, settled_tx=None)
    assert findings(intents=(anothers,)) == []
    wrong = [("S2", "rotation to set 2")]
    assert findings(intents=(replace(intent, settled_tx=NOTHING),)) == wrong
    assert findings(intents=(replace(intent, settled_hash=NOTHING),)) == wrong
    assert findings(finals=(replace(final, outcome=Outcome.REVERTED),)) == wrong
