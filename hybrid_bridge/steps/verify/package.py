"""An evidence package in `verify`: its bundle as any other, its documents against the fields that name them."""

from collections.abc import Iterator
from dataclasses import dataclass

from hybrid_bridge.core.encoding import Json, b64u, sha256
from hybrid_bridge.core.evidence import ArtefactFact, Evidence, RecordFact, TokenFact
from hybrid_bridge.core.package import Package, PackedFile
from hybrid_bridge.core.timestamp import decode_response
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify.times import judged
from hybrid_bridge.units import Digest, EpochNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFact:
    """A document of the package, and the disclosed field of the record that holds its SHA-256."""

    path: str
    size: int
    sha256: Digest
    epoch: EpochNumber
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageEvidence:
    """What the bundle proves, which documents it is about, and when the package existed, if an authority said so."""

    evidence: Evidence
    documents: tuple[DocumentFact, ...]
    manifest: Digest  # SHA-256 of META-INF/manifest.json: names every byte of the package but a timestamp over it
    stamp: TokenFact | None

    def to_json(self) -> dict[str, Json]:
        """The evidence of the bundle, and beside it a member `package`."""
        documents: list[Json] = [
            {"path": d.path, "size": d.size, "sha256": b64u(d.sha256), "epoch": d.epoch, "field": d.field}
            for d in self.documents
        ]
        stamp: Json = None
        if self.stamp is not None:
            stamp = {
                "authority": self.stamp.authority,
                "time": self.stamp.time,
                "basis": self.stamp.basis,
                "missing": self.stamp.missing,
            }
        return {
            **self.evidence.to_json(),
            "package": {"manifest": b64u(self.manifest), "documents": documents, "stamp": stamp},
        }


def judge_package(package: Package, evidence: Evidence, trust: Trust) -> PackageEvidence:
    """The documents and the timestamp of a package, once its bundle is verified.

    Raises:
        FieldMismatch: a document that no disclosed field names, or the bundle describes otherwise; a token over
            another manifest.
        Malformed, SignatureWrong: a token that cannot be read, or does not hold.
    """
    stamp = None
    if package.stamp is not None:
        stamp = judged(decode_response(package.stamp, "manifest.tsr"), package.manifest, "manifest", trust)
    return PackageEvidence(
        evidence=evidence,
        documents=tuple(_document(file, evidence) for file in package.artefacts),
        manifest=sha256(package.manifest),
        stamp=stamp,
    )


def _document(file: PackedFile, evidence: Evidence) -> DocumentFact:
    for record, name in _fields_holding(file.sha256, evidence.records):
        for listed in evidence.artefacts:
            _require_alike(file, listed)
        return DocumentFact(path=file.path, size=file.size, sha256=file.sha256, epoch=record.epoch, field=name)
    got = f"{file.sha256.hex()}, which is none of them"
    raise FieldMismatch(field=file.path, expected="a SHA-256 that a disclosed field holds", got=got)


def _fields_holding(digest: Digest, records: tuple[RecordFact, ...]) -> Iterator[tuple[RecordFact, str]]:
    for record in records:
        for field in record.fields:
            if field.value == b64u(digest):
                yield record, field.name


def _require_alike(file: PackedFile, listed: ArtefactFact) -> None:
    """What the holder's list says of the same document beside its SHA-256 can be checked, now that it is here."""
    if listed.sha256 != file.sha256:
        return
    stated = (file.size, listed.sha512 and file.sha512, listed.sm3 and file.sm3)
    if stated != (listed.size, listed.sha512, listed.sm3):
        raise FieldMismatch(field=file.path, expected="what artefacts[] says of it", got=f"{file.size} bytes")
