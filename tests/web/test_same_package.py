"""Of evidence packages Python and JavaScript say the same: evidence, or the error, its check and its field.

Good ones, ones with one thing wrong as the tests of Python's readers make them, and ones with single bits changed.
"""

import json
import random
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from cryptography import x509

from hybrid_bridge.cli.exits import error_json
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.package import derived, read_package, response
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.package import judge_package
from tests.bundles import NOW, consortium
from tests.packages import MEDIA_TYPE, manifest, zipped
from tests.tsa import Tsa
from tests.unit.hybrid_bridge.core.test_package import WRONG_MANIFESTS
from tests.unit.hybrid_bridge.core.test_zip_container import OTHER_SHAPES, directory_of, in_both, with_bytes
from tests.web.node import run

DOCUMENT = "artefacts/invoice.xml"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
FLIPS = 120


@cache
def contents() -> dict[str, bytes]:
    """A bundle, what repeats it, its document, and something that nothing rests on."""
    bundle = consortium().document().encode()
    more = {DOCUMENT: consortium().document_bytes(), "report/verdict.txt": b"anything " * 20_000}
    return {"mimetype": MEDIA_TYPE, "bundle.json": bundle, **derived(decode_bundle(bundle)), **more}


def packed(method: int = zipfile.ZIP_STORED, stamp: bytes | None = None, **changed: bytes | None) -> bytes:
    """With files changed or, by None, left out; the manifest is that of the files."""
    named = {name.replace("__", "/").replace("_dot_", "."): data for name, data in changed.items()}
    files = {name: data for name, data in (contents() | named).items() if data is not None}
    files["META-INF/manifest.json"] = named.get("META-INF/manifest.json") or manifest(files)
    if stamp is not None:
        files["META-INF/manifest.tsr"] = stamp
    return zipped(files, method)


@cache
def trust() -> bytes:
    return consortium().trust().encode()


def in_python(data: bytes, trusted: bytes) -> dict[str, Any]:
    try:
        package = read_package(memoryview(data))
        relied = parse_trust(trusted)
        return judge_package(package, verify(package.bundle, relied, NOW), relied).to_json()
    except BridgeError as error:
        told = error_json(error)
        kept: dict[str, Any] = {name: told[name] for name in ("error", "branch", "stopped_at", "reached")}
        return kept | {"field": getattr(error, "field", None)}


def compare(asked: Sequence[tuple[str, bytes]], trusted: bytes | None = None) -> list[Any]:
    """What JavaScript says, after it was the same."""
    relied = trusted or trust()
    lines = [json.dumps({"package": data.hex(), "trust": relied.hex(), "now": NOW}) for _, data in asked]
    answers = run("verify_packages.mjs", text="\n".join(lines))
    expected = [in_python(data, relied) for _, data in asked]
    different = [
        (name, python, said) for (name, _), python, said in zip(asked, expected, answers, strict=True) if python != said
    ]
    assert different == []
    return list(answers)


@pytest.mark.parametrize("method", METHODS)
def test_of_whole_packages_they_say_the_same(method: int) -> None:
    [said] = compare([("whole", packed(method))])
    assert said["complete"]
    assert [document["path"] for document in said["package"]["documents"]] == [DOCUMENT]


def test_of_timestamps_over_the_manifest_they_say_the_same() -> None:
    tsa = Tsa(now=lambda: float(NOW))
    listed = manifest(contents())
    stamps = {
        "good": response(tsa.stamp(listed)),
        "of another": response(tsa.stamp(b"another manifest")),
        "refusal": Tsa.refusal(),
        "empty": b"",
        "no answer": b"\x30\x05\x30\x03\x02\x01\x00",
        "trailing": response(tsa.stamp(listed)) + b"\x00",
    }
    for oid, value in ((x509.TLSFeature.oid, "3003020107"), (x509.SubjectAlternativeName.oid, "3002a300")):
        odd = Tsa(name="odd", now=tsa.now, leaf={"more": [x509.UnrecognizedExtension(oid, bytes.fromhex(value))]})
        stamps[oid.dotted_string] = response(odd.stamp(listed))
    said = compare([(name, packed(stamp=stamp)) for name, stamp in stamps.items()])
    assert [one.get("error") for one in said[-2:]] == ["CertificateMalformed"] * 2
    assert said[0]["package"]["stamp"]["time"] == NOW
    assert [one.get("error") for one in said[1:3]] == ["FieldMismatch", "EndpointRefused"]


def test_of_packages_with_one_thing_wrong_they_say_the_same() -> None:
    whole = packed()
    document = contents()[DOCUMENT]
    shapes = {name: change(whole) for name, change in OTHER_SHAPES.items()}
    lines = {
        f"directory {at} {new.hex()}": with_bytes(whole, directory_of(whole) + at, new)
        for at, new in ((0, b"PK\x01\x03"), (30, b"\x01\x00"), (32, b"\x01\x00"), (34, b"\x01\x00"), (42, b"\x01"))
    }
    heads = {
        f"header {at} {new.hex()}": in_both(whole, at, new)
        for at, new in (
            (2, b"\x01\x00"),
            (2, b"\x08\x00"),
            (4, b"\x63\x00"),
            (14, b"\x02\x00\x00\x00"),
            (18, b"\xff" * 4),
        )
    }
    kinds = {
        f"kind {kind:o}": with_bytes(whole, directory_of(whole) + 38, struct.pack("<L", kind << 16))
        for kind in (0o120777, 0o040755, 0o010644)
    }
    names = {
        name: packed(**{name: b"x"})
        for name in (
            "x",
            "other/x",
            "artefacts/x/y",
            "../up",
            "a//b",
            ".hidden",
            "a\\b",
            "dot.",
            "META-INF/x",
            "x" * 129,
        )
    }
    files = {
        "another document": packed(**{DOCUMENT: b"another"}),
        "one bit of it": packed(**{DOCUMENT: bytes([document[0] ^ 1]) + document[1:]}),
        "no document": packed(**{DOCUMENT: None}),
        "no bundle": packed(bundle_dot_json=None),
        "another mimetype": packed(mimetype=b"application/zip"),
        "a longer one": packed(mimetype=MEDIA_TYPE + b"\n"),
        "another certificate": packed(**{"certs/certificate-00.der": b"x"}),
        "no certificate": packed(**{"certs/certificate-00.der": None}),
        "one more": packed(**{"certs/certificate-09.der": b"x"}),
        "a broken bundle": packed(bundle_dot_json=b"{}"),
        "a name twice but for case": packed(**{"REPORT/x": b"", "report/x": b""}),
        "the manifest of less": packed(**{"META-INF/manifest.json": manifest({"mimetype": MEDIA_TYPE})}),
        "nothing": b"",
        "no file at all": zipped({}),
        "1025 files": zipped({f"f{i}": b"" for i in range(1025)}),
    }
    manifests = {
        f"manifest {name}": packed(**{"META-INF/manifest.json": data}) for name, (data, _) in WRONG_MANIFESTS.items()
    }
    said = compare([*(shapes | lines | heads | kinds | names | files | manifests).items()])
    accepted = [one for one in said if "error" not in one]
    assert len(accepted) == 1  # without the document
    assert len({one["error"] for one in said if "error" in one}) >= 5


@pytest.mark.parametrize("method", METHODS)
def test_of_packages_with_one_bit_changed_they_say_the_same(method: int) -> None:
    whole = packed(method, report__verdict_dot_txt=b"short")
    draw = random.Random(f"a package, one bit, {method}")
    asked = []
    for _ in range(FLIPS):
        at, bit = draw.randrange(len(whole)), draw.randrange(8)
        asked.append((f"{at} {bit}", whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]))
    asked += [(f"cut at {at}", whole[:at]) for at in draw.sample(range(len(whole)), 10)]
    said = compare(asked)
    assert sum("error" in one for one in said) >= 0.9 * len(said)


# ── inflating ────────────────────────────────────────────────────────────────────────────────────────────────────────


def deflated(data: bytes, level: int = 9, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    engine = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return engine.compress(data) + engine.flush()


def with_entry(stream: bytes, data: bytes) -> bytes:
    """A package with one more file, whose packed bytes are these, and which is said to be `data`."""
    name = "verifier/x"
    made = bytearray(packed(**{name: stream, "META-INF/manifest.json": manifest(contents() | {name: data})}))
    words = struct.pack("<LLL", zlib.crc32(data), len(stream), len(data))
    for place in (made.find(b"PK\x03\x04", made.find(name.encode()) - 31) + 4, made.rfind(name.encode()) - 40):
        made[place + 4 : place + 6] = b"\x08\x00"
        made[place + 10 : place + 22] = words
    return bytes(made)


def test_what_zlib_writes_is_inflated_whatever_its_strategy() -> None:
    draw = random.Random("streams")
    texts = [
        b"",
        b"x",
        b"ab" * 50_000,
        bytes(300_000),
        draw.randbytes(70_000),
        bytes(draw.choices(b"abcdefgh", k=200_000)),
    ]
    strategies = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)
    asked = [
        (f"{len(text)} {level} {strategy}", with_entry(deflated(text, level, strategy), text))
        for text in texts
        for level, strategy in [(0, strategies[0]), (1, strategies[0]), *((9, strategy) for strategy in strategies)]
    ]
    assert [one.get("error") for one in compare(asked)] == [None] * len(asked)


def test_what_is_no_whole_stream_is_refused_as_python_refuses_it() -> None:
    draw = random.Random("broken streams")
    text = bytes(draw.choices(b"the quick brown fox", k=3_000))
    whole = deflated(text)
    asked = [
        ("nothing", with_entry(b"", text)),
        ("a byte short", with_entry(whole[:-1], text)),
        ("a byte more", with_entry(whole + b"x", text)),
        ("two streams", with_entry(whole * 2, text)),
        ("more than it says", with_entry(deflated(bytes(10_000_000)), b"\x00" * 100)),
        ("less than it says", with_entry(deflated(text[:-1]), text)),
    ]
    for _ in range(FLIPS // 3):
        at = draw.randrange(len(whole))
        asked.append(
            (
                f"bit in {at}",
                with_entry(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :], text),
            )
        )
        asked.append(("noise", with_entry(draw.randbytes(draw.randrange(1, 60)), text)))
    said = compare(asked)
    assert {one.get("error") for one in said} - {None} <= {"FieldMalformed", "FieldMismatch", "TooLong"}
    assert sum("error" in one for one in said) >= len(said) - 2  # a bit after the last code means nothing
