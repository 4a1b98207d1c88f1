"""Step 6 for the formats of others: a tlog-proof, COSE receipt or SD-JWT and the verifier's own trust in, evidence out.

An export says less than a bundle, and the evidence says how much less. What is false raises; what cannot be said
without something that is not here is an open verdict. Source: SPEC §14.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.certificate import read_certificate, show
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.disclosure import SCHEMA
from hybrid_bridge.core.encoding import Json, b64u, sha256
from hybrid_bridge.core.epoch import EpochRecord, verify_epoch
from hybrid_bridge.core.evidence import NOT_PROVEN, NOT_SHOWN, UNDECIDED, VERIFIED, OpenedField, Verdict, utc
from hybrid_bridge.core.exports.cose_receipt import (
    Consistency,
    Inclusion,
    Receipt,
    is_of,
    parse_receipt,
    verify_consistency_receipt,
    verify_inclusion_receipt,
)
from hybrid_bridge.core.exports.sd_jwt import parse_presentation, verify_presentation
from hybrid_bridge.core.exports.tlog_proof import HEADER, TlogProof, parse_tlog_proof, verify_tlog_proof
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.proof import leaf_hash, verify_inclusion
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.steps.verify.log import require_halves
from hybrid_bridge.units import Digest, LogId, TreeSize, UnixSeconds

FORMAT: Final = "hybrid-bridge/export-evidence/v1"
TLOG_PROOF, COSE_RECEIPT, SD_JWT = "tlog-proof", "cose-receipt", "sd-jwt"
_BUNDLE_SAYS: Final = "a bundle of the same record (hybrid-bridge verify FILE.hb.json)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEvidence:
    """What an export shows. `complete` is true when its own statement was verified."""

    kind: str
    verdicts: tuple[Verdict, ...]
    required: tuple[str, ...]
    facts: Mapping[str, str]
    fields: tuple[OpenedField, ...] = ()
    not_proven: tuple[str, ...] = NOT_PROVEN

    @property
    def missing(self) -> tuple[str, ...]:
        """What its own statement needs and does not have."""
        return tuple(f"{v.name}: {v.missing}" for v in self.verdicts if v.name in self.required and v.is_open)

    @property
    def complete(self) -> bool:
        """Nothing that its own statement needs is missing."""
        return not self.missing

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        names = ("name", "result", "detail", "rests_on", "missing")
        return {
            "format": FORMAT,
            "kind": self.kind,
            "complete": self.complete,
            "missing": list(self.missing),
            "verdicts": [{name: getattr(verdict, name) for name in names} for verdict in self.verdicts],
            "facts": dict(self.facts),
            "fields": [{"name": f.name, "value": f.value, "is_claim": f.is_claim} for f in self.fields],
            "not_proven": list(self.not_proven),
        }


def export_kind(data: bytes) -> str | None:
    """Which export these bytes claim to be; None for everything else, bundles among it."""
    if data.startswith(HEADER.encode("ascii")):
        return TLOG_PROOF
    if data[:1] == b"\xd2":  # CBOR tag 18
        return COSE_RECEIPT
    return SD_JWT if data.startswith(b"eyJ") else None  # base64url of {"


def verify_export(data: bytes, trust: Trust, now: UnixSeconds, subject: bytes | None = None) -> ExportEvidence:
    """Verify an export, whichever it is.

    Args:
        data: the file.
        trust: the verifier's own; `logs[].genesis` holds the keys that exports are signed with.
        now: for a certificate's term: nothing in a presentation shows when it was signed.
        subject: what a receipt speaks of: an epoch record, or a tlog-proof or bundle that shows it; for a receipt of
            consistency, one that shows the older checkpoint.

    Raises:
        Malformed: the bytes break their format.
        Refuted: they contradict themselves, a signature or the subject.
    """
    kind = export_kind(data)
    if kind == TLOG_PROOF:
        return _tlog_proof(parse_tlog_proof(data), trust)
    if kind == COSE_RECEIPT:
        return _receipt(parse_receipt(data), trust, subject)
    if kind == SD_JWT:
        return _presentation(data, trust, now)
    raise FieldMalformed(field="file", rule="a tlog-proof, a COSE receipt or an SD-JWT")


# ── tlog-proof ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _tlog_proof(proof: TlogProof, trust: Trust) -> ExportEvidence:
    note, record = proof.checkpoint, proof.epoch
    verify_inclusion(leaf_hash(proof.record), proof.index, note.size, proof.path, note.root)
    genesis, missing = _genesis(trust, record.log_id)
    if genesis is not None:
        verify_tlog_proof(proof, genesis)
    verdicts = (
        _verdict(
            "integrity",
            f"epoch record {record.epoch} is leaf {proof.index} of the checkpoint of size {note.size}",
            "SHA-256, and the log id that you chose to rely on",
            missing,
        ),
        _verdict(
            "log key", f"the log key signed the checkpoint of {note.origin}", "Ed25519, the genesis record", missing
        ),
        _quorum(),
    )
    return ExportEvidence(
        kind=TLOG_PROOF, verdicts=verdicts, required=("integrity", "log key"), facts=_epoch_facts(record, note.origin)
    )


def _epoch_facts(record: EpochRecord, origin: str) -> dict[str, str]:
    return {
        "log": f"{origin}, id {record.log_id.hex()}",
        "epoch": f"{record.epoch}, closed {utc(record.closed_at)} by the ledger's clock",
        "batch root": record.batch_root.hex(),
        "registry root": record.registry_root.hex(),
    }


# ── COSE receipt ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _receipt(receipt: Receipt, trust: Trust, subject: bytes | None) -> ExportEvidence:
    if isinstance(receipt.proof, Inclusion):
        return _inclusion(receipt, receipt.proof, trust, subject)
    return _consistency(receipt, receipt.proof, trust, subject)


def _inclusion(receipt: Receipt, proof: Inclusion, trust: Trust, subject: bytes | None) -> ExportEvidence:
    genesis, missing = _signing_log(trust, receipt)
    facts = {"log": receipt.origin, "leaf": f"{proof.index} of {proof.size}, as stated"}
    if subject is None:
        missing = missing or "the epoch record that it speaks of (--subject: the record, a tlog-proof or a bundle)"
    elif genesis is not None:
        record = _record_in(subject, proof.index)
        facts["root"] = verify_inclusion_receipt(receipt, record.encode(), genesis).hex()
        verify_epoch(genesis, proof.index, record)
        facts |= _epoch_facts(record, receipt.origin)
    detail = f"the epoch record is leaf {proof.index} of a tree whose root the log signed; {_stated(proof.size)}"
    verdict = _verdict("receipt", detail, "SHA-256, Ed25519, the receipt key in the genesis record", missing)
    return ExportEvidence(kind=COSE_RECEIPT, verdicts=(verdict, _quorum()), required=("receipt",), facts=facts)


def _consistency(receipt: Receipt, proof: Consistency, trust: Trust, subject: bytes | None) -> ExportEvidence:
    genesis, missing = _signing_log(trust, receipt)
    facts = {"log": receipt.origin, "sizes": f"{proof.old_size} → {proof.new_size}, as stated"}
    if subject is None:
        missing = missing or f"the older checkpoint (--subject: a tlog-proof or bundle on size {proof.old_size})"
    elif genesis is not None:
        newer = verify_consistency_receipt(receipt, _root_in(subject, proof.old_size), genesis)
        facts["root"] = newer.hex()
    what = f"a tree whose root the log signed extends the checkpoint of size {proof.old_size} that you brought"
    detail = f"{what}; {_stated(proof.new_size)}"
    verdict = _verdict("receipt", detail, "SHA-256, Ed25519, the receipt key in the genesis record", missing)
    return ExportEvidence(kind=COSE_RECEIPT, verdicts=(verdict, _quorum()), required=("receipt",), facts=facts)


def _stated(size: TreeSize) -> str:
    """The signature covers the root alone, and neighbouring sizes have paths of one shape (RFC 9942 §5)."""
    return f"size {size} is the receipt's own word"


def _signing_log(trust: Trust, receipt: Receipt) -> tuple[Genesis | None, str]:
    known = [Genesis.decode(log.genesis) for log in trust.logs if log.genesis is not None]
    for genesis in known:
        if is_of(receipt, genesis):
            return genesis, ""
    return None, f"a trusted log with this origin and receipt key ({receipt.origin}), its genesis record beside its id"


def _record_in(subject: bytes, index: int) -> EpochRecord:
    """The epoch record that a receipt at `index` can speak of."""
    if export_kind(subject) == TLOG_PROOF:
        return parse_tlog_proof(subject).epoch
    if not subject.startswith(b"{"):
        return EpochRecord.decode(subject)
    shown = [EpochRecord.decode(part.record) for part in decode_bundle(subject).epochs]
    for record in shown:
        if record.epoch == index:
            return record
    raise FieldMalformed(field="subject", rule=f"a bundle that shows epoch {index}")


def _root_in(subject: bytes, size: TreeSize) -> Digest:
    """The root of the checkpoint of `size` that a tlog-proof or bundle stands on."""
    if export_kind(subject) == TLOG_PROOF:
        notes = [parse_tlog_proof(subject).checkpoint]
    else:
        notes = [parse_note(part.note) for part in decode_bundle(subject).checkpoints]
    for note in notes:
        if note.size == size:
            return note.root
    raise FieldMalformed(field="subject", rule=f"on a checkpoint of size {size}")


# ── SD-JWT ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _presentation(data: bytes, trust: Trust, now: UnixSeconds) -> ExportEvidence:
    presentation = parse_presentation(data)
    fields, jwt = verify_presentation(presentation), presentation.jwt
    schema = next(str(f.disclosure.value) for f in fields if f.disclosure.name == SCHEMA)
    require_halves(jwt.entry, schema, [(f.disclosure, f.is_claim) for f in fields])
    name, missing = _issuer(jwt.certificate, trust, now)
    is_trusted = any(log.log_id == jwt.log_id for log in trust.logs)
    verdicts = (
        _verdict(
            "integrity", f"{len(fields)} fields of one record, as its submitter signed them", "SHA-256, the signature"
        ),
        _verdict(
            "issuer", f"the submitter is {name}", "a certificate issued by a root you trust, and your clock", missing
        ),
        Verdict(
            name="log",
            result=NOT_SHOWN if is_trusted else UNDECIDED,
            detail=f"that the record stands in epoch {jwt.epoch} is the submitter's word",
            rests_on="nothing here",
            missing=_BUNDLE_SAYS if is_trusted else _trust_in(jwt.log_id),
        ),
    )
    return ExportEvidence(
        kind=SD_JWT,
        verdicts=verdicts,
        required=("integrity", "issuer", *["log"] * (not is_trusted)),
        facts={
            "log id": jwt.log_id.hex(),
            "epoch": str(jwt.epoch),
            "entry": b64u(jwt.entry.encode()),
            "undisclosed": f"{len(jwt.digests) - len(fields)} digests, decoys among them",
        },
        fields=tuple(
            OpenedField(name=f.disclosure.name, value=f.disclosure.value, is_claim=f.is_claim) for f in fields
        ),
    )


def _issuer(der: bytes, trust: Trust, now: UnixSeconds) -> tuple[str, str]:
    """Whom the certificate names, and what is wanting for believing it.

    Its term is judged now: the epoch is stated by whoever signed, perhaps long after the certificate had run out.

    Raises:
        CertificateMalformed: it, or a root of the trust file, cannot be read.
    """
    certificate = show(der, [read_certificate(root) for root in trust.member_roots])
    subject = certificate.subject
    if subject is None:  # what a certificate of anybody says of itself is not repeated
        key = f"the holder of key {sha256(certificate.spki).hex()}"
        return key, "the issuer of its certificate under member_roots in the trust file"
    name = (
        f"{', '.join(sorted(subject.names)) or 'unnamed'} ({', '.join(sorted(subject.legal_ids)) or 'no identifier'})"
    )
    if not certificate.begins <= now <= certificate.ends:
        return name, f"a certificate that is valid now, {utc(now)}; when the signature was made is its maker's word"
    return name, "" if subject.is_identity else "a certificate for an identity key"


# ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _genesis(trust: Trust, log_id: LogId) -> tuple[Genesis | None, str]:
    """The trusted log's genesis record, or what is missing."""
    for log in trust.logs:
        if log.log_id == log_id:
            if log.genesis is not None:
                return Genesis.decode(log.genesis), ""
            return None, f"the genesis record of log {log_id.hex()} (beside its id in the trust file, or --genesis)"
    return None, _trust_in(log_id)


def _trust_in(log_id: LogId) -> str:
    return f"trust in log {log_id.hex()} (trust file or --log)"


def _quorum() -> Verdict:
    return Verdict(
        name="quorum",
        result=NOT_SHOWN,
        detail="this format does not say who the validators are",
        rests_on="nothing here",
        missing=_BUNDLE_SAYS,
    )


def _verdict(name: str, detail: str, rests_on: str, missing: str = "") -> Verdict:
    result = UNDECIDED if missing else VERIFIED
    return Verdict(name=name, result=result, detail=detail, rests_on=rests_on, missing=missing)
