"""`hybrid-bridge bundle zip`: a bundle, the documents it is about, and what helps to read both in thirty years."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import click

import hybrid_bridge
from hybrid_bridge.adapters.zip_file import Source, pieces_of, write_stored
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.readable import render
from hybrid_bridge.cli.stamping import FILE, ask_authority
from hybrid_bridge.cli.verify import bundle_and_package, read_bounded
from hybrid_bridge.core.bundle import MAX_BUNDLE, decode_bundle
from hybrid_bridge.core.encoding import b64u, canonical_json, parse_b64u, sha256
from hybrid_bridge.core.evidence import Evidence, utc
from hybrid_bridge.core.package import (
    BUNDLE,
    MANIFEST,
    MEDIA_TYPE,
    MIMETYPE,
    STAMP,
    Manifest,
    artefact_path,
    derived,
    digested,
    response,
)
from hybrid_bridge.core.trust import MAX_TRUST, Trust, parse_trust
from hybrid_bridge.core.zip_container import MAX_UNPACKED
from hybrid_bridge.errors import Missing, OtherDocument, SettingsMalformed, TooLong
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.package import judge_package
from hybrid_bridge.units import Digest, UnixSeconds

JUDGING: Final = ("units.py", "errors", "core", "business", "steps/verify")  # what `verify` is made of
VERDICTS: Final = ("verdict.txt", "verdict.json")
SPECIFICATION: Final = "docs/spec/SPEC.md"
VERIFIER: Final = "docs/verifier/verify_bundle.py"
MAX_TOLD: Final = 8  # digests in an error; `bundle info` lists all
MAX_REPORT: Final = 64 << 20  # bytes: three times a bundle, and fonts
_EXISTING: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom the report is made: his trust file's digest, and the moment."""

    trust: Trust
    digest: Digest | None
    now: UnixSeconds


@click.command("zip")
@click.argument("file", type=FILE)
@click.option(
    "--artefact",
    "artefacts",
    type=_EXISTING,
    multiple=True,
    help="A document whose SHA-256 a disclosed field holds. Several may be named.",
)
@click.option(
    "--out", "-o", "target", type=click.Path(path_type=Path, dir_okay=False), required=True, help="E.g. FILE.hb.zip"
)
@click.option("--trust", "trust_file", type=_EXISTING, help="Your trust file: then a report of today goes in.")
@click.option(
    "--report",
    "reports",
    type=_EXISTING,
    multiple=True,
    help="A report of FILE (`hybrid-bridge report`) goes in. Several may be named, in other formats or languages.",
)
@click.option("--tsa", "url", metavar="URL", help="Have this authority (RFC 3161) stamp the manifest.")
def zip_bundle(
    file: Path,
    artefacts: tuple[Path, ...],
    target: Path,
    trust_file: Path | None,
    reports: tuple[Path, ...],
    url: str | None,
) -> None:
    """Pack FILE into one evidence package: its documents, tokens and certificates, the specification, a verifier.

    FILE is verified first, and a document that no disclosed field names is refused. The same files give the same
    bytes, but for a report, which says when it was made, and a timestamp. `hybrid-bridge verify` reads packages.
    """
    pack(file, artefacts, target, trust_file, url, reports=reports)


def pack(
    file: Path,
    artefacts: Sequence[Path],
    target: Path,
    trust_file: Path | None = None,
    url: str | None = None,
    *,
    reports: Sequence[Path] = (),
) -> None:
    """Write the package of one bundle and tell what was written.

    Raises:
        Malformed, Refuted: the bundle, or what it says of a document beside its SHA-256; nothing is written.
        OtherDocument: a file whose SHA-256 no disclosed field holds; nothing is written, and the bundle stands.
        SettingsMalformed: two reports of one name.
    """
    data = read_bounded(file, MAX_BUNDLE)
    trust_data = None if trust_file is None else read_bounded(trust_file, MAX_TRUST)
    reader = Reader(
        Trust() if trust_data is None else parse_trust(trust_data),
        None if trust_data is None else sha256(trust_data),
        UnixSeconds(int(time.time())),
    )
    evidence = verify(data, reader.trust, reader.now)
    contents: dict[str, Source] = {BUNDLE: data, **derived(decode_bundle(data)), **_documents(artefacts, evidence)}
    contents |= _reports(reports, sha256(data)) | _report(evidence, reader) | _for_readers()
    _write(target, {MIMETYPE: MEDIA_TYPE.encode(), **dict(sorted(contents.items()))}, url, (evidence, reader.trust))
    click.echo(f"{target}: {len(artefacts)} document{'s' * (len(artefacts) != 1)}, {target.stat().st_size} bytes")


def _documents(paths: Sequence[Path], evidence: Evidence) -> dict[str, Source]:
    """Under the names that the bundle gives them, or else their own.

    Raises:
        OtherDocument: no disclosed field holds its SHA-256. That says nothing against the bundle, so it is not Refuted.
        TooLong: larger than a package may be.
    """
    held = {field.value: field.name for record in evidence.records for field in record.fields}
    names = {fact.sha256: fact.name for fact in evidence.artefacts}
    found: dict[str, Source] = {}
    for path in paths:
        size = path.stat().st_size
        if size > MAX_UNPACKED:
            raise TooLong(field=path.name, limit=MAX_UNPACKED, got=size)
        digest = digested(path.name, pieces_of(path)).sha256
        if b64u(digest) not in held:
            raise OtherDocument(file=path.name, wanted=_wanted(held), got=digest)
        found[artefact_path(names.get(digest, path.name), digest)] = path
    return found


def _wanted(held: Mapping[str | int | None, str]) -> str:
    """The digests of documents among disclosed values, with their fields."""
    found = [
        f"{parse_b64u(value, name).hex()} in {name}"
        for value, name in held.items()
        if isinstance(value, str) and name.rpartition(".")[2] == "sha256"
    ]
    more = f", and {len(found) - MAX_TOLD} more" if len(found) > MAX_TOLD else ""
    return ", ".join(found[:MAX_TOLD]) + more or "none: the bundle opens no field with a document's SHA-256"


def _reports(paths: Sequence[Path], digest: Digest) -> dict[str, Source]:
    """Reports made beforehand, under names that a package may have. They are the maker's word: only the digest is read.

    Raises:
        SettingsMalformed: two would have one name, or that of the verdict which this command writes; one is of
            another bundle.
        TooLong: larger than any report.
    """
    names = [re.sub(r"[^A-Za-z0-9._-]", "_", path.name)[-100:].strip(".-") or "_" for path in paths]
    if len({name.lower() for name in (*names, *VERDICTS)}) != len(names) + len(VERDICTS):
        raise SettingsMalformed(key="--report", rule=f"files of different names, none {' or '.join(VERDICTS)}")
    for path in paths:
        if digest.hex().encode() not in read_bounded(path, MAX_REPORT):
            raise SettingsMalformed(key="--report", rule="reports that name the SHA-256 of FILE")
    return dict(zip((f"report/{name}" for name in names), paths, strict=True))


def _report(evidence: Evidence, reader: Reader) -> dict[str, Source]:
    """What this program says of the bundle today, to one who trusts what that trust file says."""
    if reader.digest is None:
        return {}
    head = (
        f"Made {utc(reader.now)} for whoever relies on the trust file with SHA-256 {reader.digest.hex()}.\n"
        "Verify the bundle yourself: nothing rests on this page."
    )
    judged = {"at": reader.now, "trust_sha256": b64u(reader.digest), "evidence": evidence.to_json()}
    return {
        f"report/{VERDICTS[0]}": f"{head}\n\n{render(evidence)}\n".encode(),
        f"report/{VERDICTS[1]}": json.dumps(judged, indent=2).encode(),
    }


# ── for readers in thirty years ──────────────────────────────────────────────────────────────────────────────────────


def _for_readers() -> dict[str, Source]:
    specification = shipped(SPECIFICATION)
    if specification is None:
        raise Missing(what="SPEC.md, which an installation has in it and a checkout under docs/spec")
    found: dict[str, Source] = {"spec/SPEC.md": specification, "verifier/source.json": source_digests()}
    verifier = shipped(VERIFIER)
    return found if verifier is None else found | {"verifier/verify_bundle.py": verifier}


def shipped(path: str) -> bytes | None:
    """A file of the repository that wheels carry beside this module; in a checkout it is where it always is."""
    name = Path(path).name
    for place in (files("hybrid_bridge.cli") / "shipped" / name, Path(hybrid_bridge.__file__).parents[1] / path):
        with suppress(FileNotFoundError):
            return place.read_bytes()
    return None


def source_digests() -> bytes:
    """Which program judged: the SHA-256 of each of its files that `verify` rests on, in JCS."""
    root = files("hybrid_bridge")
    found = {name: b64u(sha256(data)) for part in JUDGING for name, data in _sources(root.joinpath(part), part)}
    return canonical_json({"program": "hybrid-bridge", "version": version("hybrid-bridge"), "sha256": dict(found)})


def _sources(item: Traversable, name: str) -> list[tuple[str, bytes]]:
    if item.is_file():
        return [(name, item.read_bytes())] if name.endswith(".py") else []
    return [found for inner in item.iterdir() for found in _sources(inner, f"{name}/{inner.name}")]


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(target: Path, contents: dict[str, Source], url: str | None, judged: tuple[Evidence, Trust]) -> None:
    """The whole package or none: it is read back and judged as `verify` would, before it gets its name."""
    manifest = Manifest(files=tuple(digested(path, pieces_of(contents[path])) for path in sorted(contents))).encode()
    contents = {**contents, MANIFEST: manifest}
    if url is not None:
        contents[STAMP] = response(ask_authority(url, manifest, "sha-256").der)
    beside = target.with_name(target.name + ".new")
    try:
        with writing("--out"):
            write_stored(beside, contents)
        _, package = bundle_and_package(beside)
        if package is not None:
            judge_package(package, *judged)
        with writing("--out"):
            beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
