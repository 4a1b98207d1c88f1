"""Check 14 of `verify`: the verdicts, everything that was looked at, and what the trust file still asks for."""

from collections.abc import Iterator
from typing import Final

from hybrid_bridge.core.bundle import TimestampsAnchor
from hybrid_bridge.core.encoding import canonical_json, sha256
from hybrid_bridge.core.evidence import (
    AbsenceFact,
    ArtefactFact,
    Check,
    Evidence,
    GovernanceFact,
    OpenedField,
    RecordFact,
    RegistryFact,
    Unjudged,
    Verdict,
    utc,
)
from hybrid_bridge.core.governance import (
    ADD,
    NOTICE_NAMES,
    REMOVE,
    REPLACE_CERTIFICATE,
    GovernanceRecord,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.labels import event_code
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry, DecodedEpoch
from hybrid_bridge.steps.verify.registry import Registered
from hybrid_bridge.steps.verify.times import run_out
from hybrid_bridge.steps.verify.verdicts import Findings, verdicts_of
from hybrid_bridge.units import Digest, LeafIndex

NO_SCHEMA: Final = "not shown"
_ACTIONS: Final = {ADD: "member added", REMOVE: "member removed", REPLACE_CERTIFICATE: "certificate replaced"}


def evidence_of(f: Findings, checks: tuple[Check, ...]) -> Evidence:
    """All verdicts of SPEC §12, in its order, and whether everything the trust file requires is there."""
    d, verdicts = f.decoded, verdicts_of(f)
    return Evidence(
        log_id=d.log_id,
        origin=d.bundle.genesis.origin,
        purpose=d.bundle.purpose,
        tree_size=d.notes[0].size,
        verdicts=verdicts,
        checks=checks,
        records=tuple(_record(epoch, entry) for epoch, entry in d.entries),
        registry=tuple(_registry(f.registered)),
        absences=tuple(_absences(d)),
        governance=tuple(_governance(d)),
        anchors=f.standing.anchors,
        tokens=tuple(stamp.fact for stamp in (*f.standing.stamps, *f.renewed)),
        beacons=f.standing.beacons,
        artefacts=tuple(_artefacts(d)),
        signers=tuple(name.text for name in f.signers),
        warnings=(*f.standing.warnings, *run_out(f.standing.stamps, f.renewed, f.now), *f.rules.warnings),
        missing=tuple(_missing(f, verdicts)),
        unjudged=tuple(Unjudged(place=place, sha256=sha256(data)) for place, data in _unjudged(f)),
    )


def _missing(f: Findings, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """Whatever the trust file requires and no verdict gives. The log is always required, as is a policy once given."""
    required = {*f.trust.require, "integrity", *["witnesses"] * (f.trust.tlog_policy is not None)}
    wanted: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.name in required and verdict.is_open:
            wanted.setdefault(verdict.missing, []).append(verdict.name)
        if verdict.name == "level" and verdict.result < (f.trust.minimum_level or ""):
            wanted[f"{f.trust.minimum_level}; {verdict.result} was reached"] = ["level"]
    for missing, names in wanted.items():
        yield f"{', '.join(names)}: {missing}"
    yield from f.rules.missing


# ── what was looked at ───────────────────────────────────────────────────────────────────────────────────────────────


def _record(epoch: DecodedEpoch, entry: DecodedEntry) -> RecordFact:
    half = entry.entry.width // 2
    shown = tuple(
        OpenedField(name=disclosure.name, value=disclosure.value, is_claim=part.index < half)
        for disclosure, part in zip(entry.disclosures, entry.part.disclosures, strict=True)
    )
    return RecordFact(
        epoch=epoch.record.epoch,
        by=epoch.record.closed_at,
        record_type=event_code(entry.entry.record_type),
        schema=entry.schema or NO_SCHEMA,
        leaf=leaf_hash(entry.part.entry),
        fields=shown,
        undisclosed=entry.entry.width - len(shown),
        transaction=None if entry.transaction is None else entry.transaction.body.transaction_id,
    )


def _registry(registered: Registered) -> Iterator[RegistryFact]:
    for fact in registered.labels:
        yield RegistryFact(
            epoch=fact.epoch,
            at=fact.at,
            label=fact.label.describe(),
            versions=tuple(fact.versions),
            statement=fact.statement,
        )
    for bare in registered.indices:
        yield RegistryFact(
            epoch=bare.epoch,
            at=bare.at,
            label=f"index {bare.index.hex()}",
            versions=(),
            statement="present, label not shown" if bare.present else "absent, label not shown",
        )


def _absences(d: Decoded) -> Iterator[AbsenceFact]:
    for epoch in d.epochs:
        for part in epoch.part.absences:
            yield AbsenceFact(epoch=epoch.record.epoch, leaf=Digest(part.leaf))


def _governance(d: Decoded) -> Iterator[GovernanceFact]:
    if d.governance is not None:
        for part, record in zip(d.governance.part.records, d.governance.records, strict=True):
            yield GovernanceFact(index=LeafIndex(part.index), what=_described(record))


def _described(record: GovernanceRecord) -> str:
    if isinstance(record, SetUpdate):
        return f"validator set {record.set_id} of {record.n}, responsible from size {record.effective_from_size} on"
    if isinstance(record, MemberUpdate):
        return f"{_ACTIONS[record.action]}, key {record.key_id.hex()}, from epoch {record.from_epoch} on"
    until = f" until {utc(record.until)}" if record.until else ""
    return f"{NOTICE_NAMES[record.notice_type - 1]} at {utc(record.time)}{until}, entry {record.entry_leaf.hex()}"


def _artefacts(d: Decoded) -> Iterator[ArtefactFact]:
    for part in d.bundle.artefacts:
        yield ArtefactFact(
            name=part.name,
            media_type=part.media_type,
            size=part.size,
            sha256=Digest(part.sha256),
            sha512=part.sha512,
            sm3=None if part.sm3 is None else Digest(part.sm3),
            field=part.field,
        )


def _unjudged(f: Findings) -> Iterator[tuple[str, bytes]]:
    """Everything in the bundle that no check looks into. Nothing may be said because it is there."""
    bundle = f.decoded.bundle
    yield from _unjudged_signatures(f)
    for anchor in bundle.anchors:
        if isinstance(anchor, TimestampsAnchor):
            yield f"{anchor.type} anchor of size {anchor.tree_size}", anchor.proof
    for evidence in bundle.source_evidence:
        yield f"source evidence {evidence.type} of epoch {evidence.epoch}", evidence.data
    if bundle.provenance is not None:
        yield "provenance", bundle.provenance.encode("utf-8")
    for name in sorted(bundle.extensions):
        yield f"extension {name}", canonical_json(bundle.extensions[name])


def _unjudged_signatures(f: Findings) -> Iterator[tuple[str, bytes]]:
    certified = {sha256(der) for der in f.decoded.bundle.certificates}
    for validator in f.decoded.all_validators:
        if validator.part.certificate_hash not in certified:
            yield f"signature of the key binding of 0x{validator.part.address.hex()}", validator.part.key_binding
    for note in f.signed:
        for line in note.witnessing:
            yield f"line of {line.name} on size {note.note.size}", line.text().encode("utf-8")
