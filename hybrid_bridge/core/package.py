"""The evidence package: a bundle, the documents it speaks of, and what a reader in thirty years will need with them.

What can be derived from the bundle must equal it, what is a document must be named by a disclosed field, everything
must stand in the manifest. `report/`, `spec/` and `verifier/` are the maker's word: nothing rests on them. SPEC §14.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.hashes import SM3, Hash

from hybrid_bridge.core.bundle import MAX_BUNDLE, Bundle, TokenAnchor, decode_bundle
from hybrid_bridge.core.der import SEQUENCE, der, der_integer
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, text, uint
from hybrid_bridge.core.timestamp import MAX_TOKEN
from hybrid_bridge.core.zip_container import (
    FIELD,
    MAGIC,
    MAX_ENTRIES,
    MAX_NAME,
    MAX_UNPACKED,
    STORED,
    Member,
    members_of,
    unpacked,
)
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong
from hybrid_bridge.units import Digest

MEDIA_TYPE: Final = "application/vnd.hybrid-bridge.evidence+zip"
SUFFIX: Final = ".hb.zip"
FORMAT: Final = "hybrid-bridge/evidence-package/v1"
MIMETYPE: Final = "mimetype"
BUNDLE: Final = "bundle.json"
MANIFEST: Final = "META-INF/manifest.json"
STAMP: Final = "META-INF/manifest.tsr"
ARTEFACTS: Final = "artefacts/"
FOLDERS: Final = (ARTEFACTS, "tokens/", "certs/", "report/", "spec/", "verifier/")
MAX_MANIFEST: Final = 1 << 20
MAX_RESPONSE: Final = MAX_TOKEN + 64  # bytes; a token in its envelope
_KEPT: Final = {MIMETYPE: len(MEDIA_TYPE), BUNDLE: MAX_BUNDLE, MANIFEST: MAX_MANIFEST, STAMP: MAX_RESPONSE}
_GRANTED: Final = der(SEQUENCE, der_integer(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """One line of the manifest."""

    path: str
    size: int
    sha256: Digest
    sha512: bytes
    sm3: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Every other file of a package but the timestamp over the manifest itself, by ascending path."""

    files: tuple[PackedFile, ...]
    format: str = FORMAT

    def encode(self) -> bytes:
        """The JCS text."""
        return canonical_json(_MANIFEST.write(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package whose files are those of its manifest and agree with its bundle; what that says is not judged yet."""

    bundle: bytes
    manifest: bytes
    files: tuple[PackedFile, ...]
    stamp: bytes | None  # a TimeStampResp over the manifest

    @property
    def artefacts(self) -> tuple[PackedFile, ...]:
        """The documents."""
        return tuple(file for file in self.files if file.path.startswith(ARTEFACTS))


def is_package(start: bytes) -> bool:
    """Whether a file that starts so is meant to be a package. A bundle starts with `{`."""
    return start.startswith(MAGIC)


def digested(path: str, pieces: Iterable[bytes]) -> PackedFile:
    """A file's line of the manifest."""
    sha256, sha512, sm3, size = hashlib.sha256(), hashlib.sha512(), Hash(SM3()), 0
    for piece in pieces:
        size += len(piece)
        sha256.update(piece)
        sha512.update(piece)
        sm3.update(piece)
    return PackedFile(path=path, size=size, sha256=Digest(sha256.digest()), sha512=sha512.digest(), sm3=sm3.finalize())


def derived(bundle: Bundle) -> dict[str, bytes]:
    """The files that repeat parts of the bundle for other people's tools: tokens as TimeStampResp, certificates."""
    anchors = {
        f"tokens/anchor-{i:02}.tsr": response(part.token)
        for i, part in enumerate(bundle.anchors)
        if isinstance(part, TokenAnchor)
    }
    renewals = {f"tokens/renewal-{i:02}.tsr": response(part.token) for i, part in enumerate(bundle.renewals)}
    return anchors | renewals | {f"certs/certificate-{i:02}.der": der_ for i, der_ in enumerate(bundle.certificates)}


def response(token: bytes) -> bytes:
    """A token as the answer it came in (RFC 3161 §2.4.2): status granted, which is what `.tsr` files hold."""
    return der(SEQUENCE, _GRANTED, token)


def artefact_path(name: str, sha256: Digest) -> str:
    """Where a document stands: its digest keeps apart what has one name, its name is for people."""
    return f"{ARTEFACTS}{sha256.hex()[:16]}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[-100:].rstrip('.') or '_'}"


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_package(data: memoryview) -> Package:
    """(1) container (2) first entry (3) layout (4) manifest = files, both ways (5) files derived from the bundle.

    NOT CHECKED HERE: the bundle, what the documents are to it, the timestamp. `steps.verify.verify_package` DOES THAT.

    Raises:
        Malformed: not a package.
        FieldMismatch: a file is not what the manifest or the bundle says.
    """
    members = members_of(data)
    _require_layout(members)
    kept = {member.name: _whole(data, member) for member in members if member.name in _KEPT}
    if kept[MIMETYPE] != MEDIA_TYPE.encode():
        raise FieldMalformed(field="package.mimetype", rule=MEDIA_TYPE)
    listed = _parse_manifest(kept[MANIFEST])
    found = tuple(
        digested(member.name, unpacked(data, member)) for member in members if member.name not in (MANIFEST, STAMP)
    )
    _require_same({file.path: file for file in listed}, {file.path: file for file in found}, "package.manifest")
    _require_derived(decode_bundle(kept[BUNDLE]), found)
    return Package(bundle=kept[BUNDLE], manifest=kept[MANIFEST], files=listed, stamp=kept.get(STAMP))


def _require_layout(members: Sequence[Member]) -> None:
    if members[0].name != MIMETYPE or members[0].method != STORED:
        raise FieldMalformed(field=FIELD, rule="the entry mimetype first, and stored")
    names = {member.name for member in members}
    for name in (BUNDLE, MANIFEST):
        if name not in names:
            raise FieldMalformed(field=FIELD, rule=f"an entry {name}")
    for name in names - _KEPT.keys():
        if name.count("/") != 1 or not name.startswith(FOLDERS):
            raise FieldMalformed(field=FIELD, rule="nothing but what SPEC §14 lists")


def _whole(data: memoryview, member: Member) -> bytes:
    limit = _KEPT[member.name]
    if member.size > limit:
        raise TooLong(field=member.name, limit=limit, got=member.size)
    return b"".join(unpacked(data, member))


def _parse_manifest(data: bytes) -> tuple[PackedFile, ...]:
    manifest = _MANIFEST.parse(parse_canonical_json(data, "manifest", MAX_MANIFEST), "manifest")
    paths = [file.path for file in manifest.files]
    if paths != sorted(set(paths)):
        raise FieldMalformed(field="manifest.files", rule="ascending paths, each once")
    return manifest.files


def _require_derived(bundle: Bundle, found: Sequence[PackedFile]) -> None:
    expected = {path: digested(path, [data]) for path, data in derived(bundle).items()}
    got = {file.path: file for file in found if file.path.startswith(("tokens/", "certs/"))}
    _require_same(expected, got, "package.bundle")


def _require_same(expected: Mapping[str, PackedFile], got: Mapping[str, PackedFile], field: str) -> None:
    for path in sorted(expected.keys() | got.keys()):
        if expected.get(path) != got.get(path):
            raise FieldMismatch(field=field, expected=_shown(path, expected), got=_shown(path, got))


def _shown(path: str, files: Mapping[str, PackedFile]) -> str:
    return f"{path}: {files[path].size} bytes, {files[path].sha256.hex()}" if path in files else f"no {path}"


_MANIFEST: Codec[Manifest] = record(
    Manifest,
    {
        "format": literal(FORMAT),
        "files": array(
            record(
                PackedFile,
                {
                    "path": text(MAX_NAME),
                    "size": uint(MAX_UNPACKED),
                    "sha256": octets(32),
                    "sha512": octets(64),
                    "sm3": octets(32),
                },
            ),
            MAX_ENTRIES,
        ),
    },
)
