"""Check 14 of `verify`, and the verdicts: one each, what it rests on, what is missing (SPEC §12)."""

from dataclasses import dataclass

from hybrid_bridge.business.outside import Outcome
from hybrid_bridge.core.attestation import quorum
from hybrid_bridge.core.evidence import (
    NOT_SHOWN,
    UNDECIDED,
    VERIFIED,
    Check,
    Evidence,
    OpenedField,
    RecordFact,
    RegistryFact,
    Verdict,
)
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry, DecodedEpoch
from hybrid_bridge.steps.verify.names import SELF_STATED, Naming
from hybrid_bridge.steps.verify.public import Standing
from hybrid_bridge.steps.verify.registry import LabelFact
from hybrid_bridge.steps.verify.signers import SignedNotes
from hybrid_bridge.units import TreeSize, UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the checks found."""

    decoded: Decoded
    trust: Trust
    now: UnixSeconds
    signed: SignedNotes
    naming: Naming
    labels: tuple[LabelFact, ...]
    standing: Standing
    rules: Outcome

    @property
    def trusted_log(self) -> bool:
        """The verifier has chosen to rely on this log."""
        return any(log.log_id == self.decoded.log_id for log in self.trust.logs)


def evidence_of(f: Findings, checks: tuple[Check, ...]) -> Evidence:
    """All verdicts of SPEC §12, in its order, and whether everything the trust file requires is there."""
    verdicts = (
        _integrity(f),
        _quorum(f),
        _names(f),
        _level(f),
        _public_anchor(f),
        _not_after(f),
        _not_before(f),
        _freshness(f),
        _registry(f),
        _governance(f),
    )
    d = f.decoded
    first = f.signed.notes[0]
    return Evidence(
        log_id=d.log_id,
        origin=d.bundle.genesis.origin,
        tree_size=TreeSize(d.notes[0].size),
        verdicts=verdicts,
        checks=checks,
        records=tuple(_record(epoch, entry) for epoch in d.epochs for entry in epoch.entries),
        registry=tuple(RegistryFact(epoch=x.epoch, label=x.label.describe(), statement=x.statement) for x in f.labels),
        signers=tuple(f.naming.of(address) for address in first.signers),
        warnings=f.rules.warnings,
        missing=_missing(f, verdicts),
    )


def _missing(f: Findings, verdicts: tuple[Verdict, ...]) -> tuple[str, ...]:
    missing = [
        f"{v.name}: {v.missing or v.detail}"
        for v in verdicts
        if v.name in f.trust.require and v.result in (UNDECIDED, NOT_SHOWN)
    ]
    if not f.trusted_log and "integrity" not in f.trust.require:
        missing.insert(0, _log_missing(f))
    missing += f.rules.missing
    level = f.trust.minimum_level
    reached = next(v.result for v in verdicts if v.name == "level")
    if level is not None and reached < level:
        missing.append(f"level: {level} is required, {reached} was reached")
    return tuple(missing)


def _log_missing(f: Findings) -> str:
    return f"trust in log {f.decoded.log_id.hex()} (trust file)"


def _integrity(f: Findings) -> Verdict:
    d = f.decoded
    fields = sum(len(entry.disclosures) for epoch in d.epochs for entry in epoch.entries)
    entries = sum(len(epoch.entries) for epoch in d.epochs)
    detail = f"{fields} fields → {entries} entries → {len(d.epochs)} epochs → checkpoint of size {d.notes[0].size}"
    rests = "SHA-256, and the log id in the trust file"
    if not f.trusted_log:
        return Verdict(name="integrity", result=UNDECIDED, detail=detail, rests_on=rests, missing=_log_missing(f))
    return Verdict(name="integrity", result=VERIFIED, detail=detail, rests_on=rests)


def _quorum(f: Findings) -> Verdict:
    note = f.signed.notes[0]
    n = len(note.validators.addresses)
    detail = f"{len(note.signers)} of {n} validators of set {note.validators.set_id}; {quorum(n)} needed"
    log_line = "; the log key signed too" if note.by_log else ""
    rests = "secp256k1 signatures of the set fixed by the log id"
    return Verdict(name="quorum", result=VERIFIED, detail=detail + log_line, rests_on=rests)


def _names(f: Findings) -> Verdict:
    bases = sorted({f.naming.names[address].basis for address in f.signed.notes[0].signers})
    rests = "the members' certificates" if bases != [SELF_STATED] else "the validators' own word"
    if SELF_STATED in bases:
        missing = "certificates in the bundle, and member_roots in the trust file"
        return Verdict(name="names", result=UNDECIDED, detail=", ".join(bases), rests_on=rests, missing=missing)
    return Verdict(name="names", result=VERIFIED, detail=", ".join(bases), rests_on=rests)


def _level(f: Findings) -> Verdict:
    named = all(f.naming.names[address].basis != SELF_STATED for address in f.signed.notes[0].signers)
    if named:
        detail = "k of n named members countersigned the same root"
        return Verdict(name="level", result="A1", detail=detail, rests_on="names and quorum")
    detail = "a quorum signed, but its members' names are self-stated"
    return Verdict(name="level", result="A0", detail=detail, rests_on="quorum", missing="certificates")


def _public_anchor(f: Findings) -> Verdict:
    standing = f.standing
    rests = "the public chain, its contract's append-only rule, and the source of the block hash"
    for anchoring in standing.trusted:
        detail = (
            f"size {anchoring.tree_size} in public block {anchoring.facts.block_number} of chain {anchoring.chain_id}, "
            f"contract 0x{anchoring.contract.hex()}; block hash by {anchoring.basis}"
        )
        return Verdict(name="public anchor", result=VERIFIED, detail=detail, rests_on=rests)
    if standing.by_state:
        detail = f"{standing.by_state}: the same size and root"
        return Verdict(name="public anchor", result=VERIFIED, detail=detail, rests_on=rests)
    if not standing.anchorings:
        detail = "no anchor in the bundle"
        if standing.unread:
            detail += f" that is judged here (kept: {', '.join(standing.unread)})"
        missing = "an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract"
        return Verdict(name="public anchor", result=NOT_SHOWN, detail=detail, rests_on=rests, missing=missing)
    anchoring = standing.anchorings[0]
    detail = f"receipt and headers agree with size {anchoring.tree_size}; whether the public block is real is not known"
    return Verdict(name="public anchor", result=UNDECIDED, detail=detail, rests_on=rests, missing=anchoring.missing)


def _not_after(f: Findings) -> Verdict:
    times = [anchoring.facts.block_time for anchoring in f.standing.trusted]
    if not times:
        missing = "a verified public anchor in the bundle"
        return Verdict(name="not after", result=NOT_SHOWN, detail="no time", rests_on="public chain", missing=missing)
    earliest = min(times)
    gap = earliest - f.decoded.epochs[0].record.closed_at if f.decoded.epochs else 0
    detail = f"{earliest} (public block time), {gap} s after the epoch closed"
    return Verdict(name="not after", result=VERIFIED, detail=detail, rests_on="the public chain's clock")


def _not_before(f: Findings) -> Verdict:
    time = f.standing.not_before
    if time is None:
        missing = "a beacon of the epoch and its public block"
        return Verdict(
            name="not before", result=NOT_SHOWN, detail="no beacon", rests_on="public chain", missing=missing
        )
    return Verdict(
        name="not before", result=VERIFIED, detail=f"{time} (beacon's block time)", rests_on="the public chain"
    )


def _freshness(f: Findings) -> Verdict:
    genesis = f.decoded.genesis
    size = f.decoded.notes[-1].size
    source = "the newest checkpoint in the bundle"
    head = f.standing.newest_head
    if head is not None and head.tree_size > size:
        size, source = head.tree_size, "the contract's head"
    age = f.now - genesis.checkpoint_timestamp(TreeSize(size))
    late = f.now - genesis.checkpoint_timestamp(TreeSize(size + 1)) - genesis.grace
    detail = f"{age} s old by {source}" + (f"; OVERDUE by {late} s" if late > 0 else "")
    limit = f.trust.max_age
    if limit is not None and age > limit:
        missing = f"a head not older than {limit} s"
        return Verdict(name="freshness", result=UNDECIDED, detail=detail, rests_on="your clock", missing=missing)
    return Verdict(name="freshness", result=f"{age} s", detail=detail, rests_on="your clock")


def _registry(f: Findings) -> Verdict:
    if not f.labels:
        return Verdict(
            name="registry", result=NOT_SHOWN, detail="no label shown", rests_on="registry root", missing="labels"
        )
    statements = "; ".join(f"{x.label.describe()}: {x.statement} (epoch {x.epoch})" for x in f.labels)
    open_ones = [x for x in f.labels if x.statement in ("no statement", "present, use unknown")]
    result = UNDECIDED if open_ones else VERIFIED
    missing = "all versions of the label, and the opening of the last" if open_ones else ""
    rests = "the quorum's registry root and the log's VRF key"
    return Verdict(name="registry", result=result, detail=statements, rests_on=rests, missing=missing)


def _governance(f: Findings) -> Verdict:
    name, rests = "governance since", "the governance tree in the epoch record"
    d = f.decoded
    part = d.bundle.governance
    if part is not None:
        detail = f"{len(part.records)} records from epoch {part.from_epoch} to {part.to_epoch}"
        return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)
    if len(d.epochs) > 1 and d.epochs[0].record.governance_size == d.epochs[-1].record.governance_size:
        detail = f"none from epoch {d.epochs[0].record.epoch} to {d.epochs[-1].record.epoch}, shown by equal sizes"
        return Verdict(name=name, result=VERIFIED, detail=detail, rests_on=rests)
    return Verdict(name=name, result=NOT_SHOWN, detail=NOT_SHOWN, rests_on=rests, missing="a later epoch record")


def _record(epoch: DecodedEpoch, entry: DecodedEntry) -> RecordFact:
    half = entry.entry.width // 2
    shown = tuple(
        OpenedField(name=disclosure.name, value=disclosure.value, is_claim=part.index < half)
        for disclosure, part in zip(entry.disclosures, entry.part.disclosures, strict=True)
    )
    return RecordFact(
        epoch=epoch.record.epoch,
        by=epoch.record.closed_at,
        record_type=entry.entry.record_type,
        schema=next((str(field.value) for field in shown if field.name == "_schema"), NOT_SHOWN),
        fields=shown,
        undisclosed=entry.entry.width - len(shown),
    )
