"""Check 14 of `verify`: the verdicts, everything that was looked at, and what the trust file still asks for."""

from collections.abc import Iterator
from typing import Final

from hybrid_bridge.core.bundle import TimestampsAnchor
from hybrid_bridge.core.cometbft_evidence import TYPE
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import canonical_json, sha256
from hybrid_bridge.core.evidence import (
    AbsenceFact,
    ArtefactFact,
    Check,
    Evidence,
    GovernanceFact,
    OpenedField,
    PromiseFact,
    RecordFact,
    RegistryFact,
    Unjudged,
    Verdict,
    utc,
)
from hybrid_bridge.core.governance import (
    ADD,
    NOTICE_NAMES,
    REINSTATE,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    GovernanceRecord,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.labels import event_code
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry, DecodedEpoch
from hybrid_bridge.steps.verify.promise import Promised
from hybrid_bridge.steps.verify.registry import Registered
from hybrid_bridge.steps.verify.times import run_out
from hybrid_bridge.steps.verify.verdicts import Findings, verdicts_of
from hybrid_bridge.units import Digest, KeyId, LeafIndex

NO_SCHEMA: Final = "not shown"
_ACTIONS: Final = {
    ADD: "member added",
    REMOVE: "member removed",
    REPLACE_CERTIFICATE: "certificate or card replaced",
    SUSPEND: "member suspended",
    REINSTATE: "member reinstated",
}


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
        promise=None if f.promised is None else _promise(f.promised),
        governance=tuple(_governance(d)),
        blocks=f.source.blocks,
        brakes=f.brakes.facts,
        anchors=f.standing.anchors,
        tokens=tuple(stamp.fact for stamp in (*f.standing.stamps, *f.renewed)),
        beacons=f.standing.beacons,
        artefacts=tuple(_artefacts(d)),
        signers=tuple(dict.fromkeys(name.text for name in f.signers)),
        warnings=(
            *_broken(f),
            *f.standing.warnings,
            *run_out(f.standing.stamps, f.renewed, f.now),
            *f.brakes.warnings,
            *f.rules.warnings,
            *_gaps(d),
        ),
        missing=tuple(_missing(f, verdicts)),
        unjudged=tuple(Unjudged(place=place, sha256=sha256(data)) for place, data in _unjudged(f)),
    )


def _missing(f: Findings, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """What is required and no verdict gives: by the trust file, or because it was given, as a policy or a promise."""
    given = {
        "witnesses": f.trust.tlog_policy is not None,
        "freshness": f.trust.max_age is not None,
        "omission": f.promised is not None,  # a bundle with a promise claims that it was broken
    }
    required = {*f.trust.require, "integrity", *(name for name, is_given in given.items() if is_given)}
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
        submitter=None if entry.transaction is None else entry.transaction.body.submitter,
        sequence=None if entry.transaction is None else entry.transaction.body.sequence,
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


def _promise(promised: Promised) -> PromiseFact:
    promise, signer = promised.promise, promised.signer
    return PromiseFact(
        transaction=promise.transaction_id,
        entry_leaf=promise.entry_leaf,
        accepted_at=promise.accepted_time,
        accepted_epoch=promise.accepted_epoch,
        by_epoch=promise.by_epoch,
        signer="" if signer is None else signer.text,
    )


def _broken(f: Findings) -> Iterator[str]:
    """The bundle is verified; the node is not: whoever reads no further than the head must still see it."""
    if f.promised is not None and f.promised.is_broken and f.promised.signer is not None:
        yield f"broken promise: {f.promised.signer.text} accepted a transaction and left it out of the log"


def _gaps(d: Decoded) -> Iterator[str]:
    """Numbers count up by one (SPEC §4): what lies between two that are shown stands in a block and is not shown."""
    shown: dict[KeyId, set[int]] = {}
    for _, signed in d.transactions:
        shown.setdefault(signed.body.submitter, set()).add(signed.body.sequence)
    for submitter, numbers in shown.items():
        between = max(numbers) - min(numbers) + 1 - len(numbers)
        if between:
            told = ", ".join(map(str, sorted(numbers)))
            yield f"of submitter {submitter.hex()} the numbers {told} are shown; {between} between them not"


def _governance(d: Decoded) -> Iterator[GovernanceFact]:
    if d.governance is not None:
        for part, record in zip(d.governance.part.records, d.governance.records, strict=True):
            yield GovernanceFact(index=LeafIndex(part.index), what=_described(record))


def _described(record: GovernanceRecord) -> str:
    if isinstance(record, SetUpdate):
        return f"validator set {record.set_id} of {record.n}, responsible from size {record.effective_from_size} on"
    if isinstance(record, MemberUpdate):
        return f"{_ACTIONS[record.action]}, key {record.key_id.hex()}, from epoch {record.from_epoch} on"
    if isinstance(record, ConsensusKey):
        return f"consensus key {record.key.hex()} for key {record.key_id.hex()}, from the next epoch on"
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
    if bundle.promise is not None and f.promised is not None and f.promised.signer is None:
        yield "signature of the promise", bundle.promise
    for anchor in bundle.anchors:
        if isinstance(anchor, TimestampsAnchor):
            yield f"{anchor.type} anchor of size {anchor.tree_size}", anchor.proof
    for evidence in (part for part in bundle.source_evidence if part.type != TYPE):
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
