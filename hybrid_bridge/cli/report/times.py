"""When: the bounds that clocks give, every delay in seconds, and how far towards now the file sees."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.found import not_after, result_of
from hybrid_bridge.cli.report.model import Block, Head, Items, Section, Table, Text
from hybrid_bridge.cli.report.strangers import word
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.evidence import NOT_PROVEN, BrakeFact, Evidence, utc
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import SetUpdate, decode_governance
from hybrid_bridge.units import TreeSize

MAX_MOMENTS = 300


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment, and by whose clock."""

    at: int
    what: str
    clock: str


def times(case: Case, t: Words) -> Section:
    """All moments in order, what lies between each and the next, finality."""
    evidence, genesis = case.evidence, case.genesis
    if evidence is None or genesis is None:
        return Section("times", t("head.times"), ())
    every = sorted(_moments(case, evidence, genesis, t), key=lambda moment: moment.at)
    moments, more = every[:MAX_MOMENTS], len(every) - MAX_MOMENTS
    rows = tuple((m.what, utc(m.at), str(m.at), m.clock) for m in moments)
    blocks: tuple[Block, ...] = (
        Table(
            head=tuple(t(f"times.{name}") for name in ("moment", "utc", "unix", "clock")),
            rows=rows,
            weights=(44, 20, 13, 23),
        ),
        Text(t("times.left_out", count=more, limit=MAX_MOMENTS) if more > 0 else ""),
        Head(t("gaps.head")),
        Table(
            head=tuple(t(f"gaps.{name}") for name in ("from", "to", "seconds")),
            rows=(
                *((one.what, other.what, str(other.at - one.at)) for one, other in pairwise(moments)),
                *_window(evidence, t),
                _age(case, genesis, t),
            ),
            weights=(43, 43, 14),
        ),
        Text(t("clock.rules", cadence=genesis.cadence, grace=genesis.grace, delay=genesis.promise_delay)),
        Head(t("finality.head")),
        Items(tuple(_finality(evidence, t)) or (t("finality.none"),)),
    )
    return Section("times", t("head.times"), blocks)


def _window(evidence: Evidence, t: Words) -> Iterator[tuple[str, str, str]]:
    """The whole span between the two bounds on which somebody relied."""
    begun, ended = (beacon.time for beacon in evidence.beacons if beacon.basis), not_after(evidence)
    newest = max(begun, default=None)
    if newest is not None and ended is not None:
        yield t("verdict.not before"), t("verdict.not after"), str(ended - newest)


def _age(case: Case, genesis: Genesis, t: Words) -> tuple[str, str, str]:
    """How old the newest checkpoint was when the report was made: to the second, where `verify` says days."""
    size = _sizes(case)[-1]
    return t("time.checkpoint", size=size), t("time.report"), str(case.at - genesis.checkpoint_timestamp(size))


def _moments(case: Case, evidence: Evidence, genesis: Genesis, t: Words) -> Iterator[Moment]:
    ledger = t("clock.ledger")
    yield Moment(genesis.genesis_time, t("time.genesis"), ledger)
    parts = () if case.bundle is None else case.bundle.epochs
    for epoch in sorted({int.from_bytes(part.record[64:96]) for part in parts}):
        yield Moment(genesis.genesis_time + epoch * genesis.cadence, t("time.epoch", epoch=epoch), ledger)
    for size in _sizes(case):
        yield Moment(genesis.checkpoint_timestamp(size), t("time.checkpoint", size=size), ledger)
    chain = t("clock.chain")
    for beacon in evidence.beacons:
        basis = _basis(beacon.basis, t)
        what = t("time.beacon", number=beacon.block_number, epoch=beacon.epoch, basis=basis)
        yield Moment(beacon.time, what, chain)
    for anchor in evidence.anchors:
        values = {"number": anchor.block_number, "chain": anchor.chain_id, "size": anchor.tree_size}
        yield Moment(anchor.block_time, t("time.anchor", **values, basis=_basis(anchor.basis, t)), chain)
    for token in evidence.tokens:
        what = t(
            "time.token", place=token.place, who=token.authority, until=utc(token.until), basis=_basis(token.basis, t)
        )
        yield Moment(token.time, what, t("clock.authority"))
    if evidence.promise is not None:
        yield Moment(evidence.promise.accepted_at, t("time.accepted"), t("clock.node"))
    yield Moment(case.at, t("time.report"), t("clock.reader"))


def _sizes(case: Case) -> list[TreeSize]:
    parts = () if case.bundle is None else case.bundle.checkpoints
    return sorted({parse_note(part.note).size for part in parts})


def _basis(basis: str, t: Words) -> str:
    return t.said(basis) if basis else t("basis.none")


def _finality(evidence: Evidence, t: Words) -> Iterator[str]:
    for anchor in evidence.anchors:
        yield t(
            "finality.fact",
            number=anchor.block_number,
            hash=anchor.block_hash.hex(),
            above=anchor.last_number - anchor.block_number,
            last=anchor.last_number,
            last_hash=anchor.last_hash.hex(),
            basis=_basis(anchor.basis, t),
        )


# ── what happened since ──────────────────────────────────────────────────────────────────────────────────────────────


def since(case: Case, t: Words) -> Section:
    """Governance after what is shown, and where this report's sight ends."""
    evidence, genesis = case.evidence, case.genesis
    if evidence is None or genesis is None:
        return Section("since", t("head.since"), ())
    size = _sizes(case)[-1]
    reach = utc(genesis.checkpoint_timestamp(size))
    governance, freshness = evidence.verdict("governance since"), evidence.verdict("freshness")
    said = t("since.verdict", result=result_of(governance, t), detail=t.said(governance.detail))
    blocks: list[Block] = [
        Text(t("since.reach", size=size, time=reach, freshness=t.said(freshness.detail))),
        Text(said + (" " + t("since.needs", what=t.said(governance.missing)) if governance.missing else "")),
        Head(t("since.records")),
        Items((*_rotations(case, t), *_changes(evidence, t)) or (t("since.none"),)),
        Head(t("since.brakes")),
        Items(tuple(_brake(fact, t) for fact in evidence.brakes) or (t("since.no_brakes"),)),
        Text(t("since.kinds")),
    ]
    return Section("since", t("head.since"), tuple(blocks))


def _rotations(case: Case, t: Words) -> Iterator[str]:
    """Changes of the validator set by which the file gets from the first set to those that signed it."""
    for part in () if case.bundle is None else case.bundle.rotations:
        update = decode_governance(part.update)
        if isinstance(update, SetUpdate):
            size = update.effective_from_size
            yield t("since.rotation", set=update.set_id, of=update.n, size=size, epoch=size - 1)


def _changes(evidence: Evidence, t: Words) -> Iterator[str]:
    for fact in evidence.governance:
        yield f"{fact.index}: {t.said(fact.what)}"


def _brake(fact: BrakeFact, t: Words) -> str:
    return t(
        "since.brake",
        what=t(f"brake.{fact.what}"),
        scope=word(fact.scope) if fact.scope else t("brake.hidden", hash=fact.scope_hash.hex()),
        since=utc(fact.since),
        until=utc(fact.until) if fact.until else t("brake.open"),
        why=f"{word(fact.reason_code)}, {word(fact.by)}" if fact.by else t("brake.hidden", hash=fact.reason_hash.hex()),
        record=fact.record.hex(),
        ended=t("brake.not_ended") if fact.ended is None else utc(fact.ended),
    )


def not_proven(case: Case, t: Words) -> Section:
    """Printed always."""
    listed = NOT_PROVEN if case.evidence is None else case.evidence.not_proven
    blocks = (Text(t("not_proven.intro")), Items(tuple(t.said(what) for what in listed)))
    return Section("not_proven", t("head.not_proven"), blocks)
