"""What a package is made of, and that its manifest, its bundle and its files say the same."""

import zipfile
from dataclasses import replace

import pytest

from hybrid_bridge.core import package as packages
from hybrid_bridge.core.bundle import RenewalPart, TokenAnchor, WitnessAnchor, decode_bundle
from hybrid_bridge.core.der import SEQUENCE, der
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json, sha256
from hybrid_bridge.core.package import Manifest, artefact_path, derived, digested, is_package, read_package
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Malformed, NotCanonical, TooLong
from tests.bundles import consortium, edit
from tests.packages import MEDIA_TYPE, manifest, package, zipped

BARE = edit(consortium().receivable(), "certificates", lambda _: ())
BUNDLE = BARE.encode()


def read(data):
    return read_package(memoryview(data))


def files(**changes):
    return {"mimetype": MEDIA_TYPE, "bundle.json": BUNDLE, **changes}


def listed(contents, **changes):
    return zipped({**contents, "META-INF/manifest.json": manifest(contents, **changes)})


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_package_that_another_program_made_is_read(method):
    data = package(BUNDLE, method, artefacts__x_dot_pdf=b"x", report__y=b"y", spec__z=b"z", verifier__v=b"v")
    assert is_package(data[:4])
    assert not is_package(BUNDLE)
    found = read(data)
    assert found.bundle == BUNDLE
    assert [file.path for file in found.artefacts] == ["artefacts/x.pdf"]
    assert found.artefacts[0].sha256 == sha256(b"x")
    assert found.stamp is None
    assert Manifest(files=found.files).encode() == found.manifest


def test_a_manifest_is_written_as_somebody_else_writes_it():
    contents = files(**{"artefacts/x": b"x"})
    ours = Manifest(files=tuple(digested(path, [data]) for path, data in sorted(contents.items())))
    assert ours.encode() == manifest(contents)


def test_sm3_is_that_of_the_standard():
    """GB/T 32905-2016, example 1."""
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digested("x", [b"a", b"bc"]).sm3.hex() == expected


# ── layout ──


@pytest.mark.parametrize("first", ["bundle.json", "artefacts/x"])
def test_mimetype_stands_first(first):
    contents = files(**{"artefacts/x": b""})
    with pytest.raises(FieldMalformed, match="mimetype first"):
        read(listed({first: contents.pop(first), **contents}))


def test_mimetype_is_stored():
    deflated = zipped({"mimeType": MEDIA_TYPE}, zipfile.ZIP_DEFLATED).replace(b"mimeType", b"mimetype")
    with pytest.raises(FieldMalformed, match="and stored"):
        read(deflated)


@pytest.mark.parametrize("content", [b"", b"application/zip", MEDIA_TYPE[:-1] + b"q"])
def test_another_mimetype_is_refused(content):
    with pytest.raises(FieldMalformed, match=r"package\.mimetype"):
        read(listed(files(mimetype=content)))


def test_a_longer_mimetype_is_refused_unread():
    with pytest.raises(TooLong):
        read(listed(files(mimetype=MEDIA_TYPE + b"\n")))


def test_without_bundle_or_manifest_it_is_no_package():
    with pytest.raises(FieldMalformed, match=r"an entry bundle\.json"):
        read(listed({"mimetype": MEDIA_TYPE}))
    with pytest.raises(FieldMalformed, match=r"an entry META-INF/manifest\.json"):
        read(zipped(files()))


@pytest.mark.parametrize(
    "name", ["x", "other/x", "artefacts", "artefacts/x/y", "META-INF/x", "META-INF/manifest.xml", "Artefacts/x"]
)
def test_what_the_layout_does_not_know_is_refused(name):
    with pytest.raises(FieldMalformed, match="nothing but what SPEC §14 lists"):
        read(listed(files(**{name: b"x"})))


@pytest.mark.parametrize("name", ["bundle.json", "META-INF/manifest.json", "META-INF/manifest.tsr"])
def test_what_is_read_whole_is_bounded(name, monkeypatch):
    monkeypatch.setattr(packages, "_KEPT", {**packages._KEPT, name: 10})
    contents = files()
    stamped = {**contents, "META-INF/manifest.json": manifest(contents), "META-INF/manifest.tsr": bytes(11)}
    with pytest.raises(TooLong) as caught:
        read(zipped(stamped))
    assert caught.value.field == name


# ── manifest and files, both ways ──


def test_a_file_that_the_manifest_does_not_have_is_refused():
    contents = files()
    made = zipped({**contents, "report/x": b"x", "META-INF/manifest.json": manifest(contents)})
    with pytest.raises(FieldMismatch) as caught:
        read(made)
    assert caught.value.expected == "no report/x"


def test_a_file_that_the_manifest_has_and_the_package_not_is_refused():
    contents = files()
    made = zipped({**contents, "META-INF/manifest.json": manifest({**contents, "report/x": b"x"})})
    with pytest.raises(FieldMismatch) as caught:
        read(made)
    assert caught.value.got == "no report/x"


@pytest.mark.parametrize("member", ["size", "sha256", "sha512", "sm3"])
def test_each_digest_of_the_manifest_is_compared(member):
    contents = files(**{"report/x": b"x"})
    value = parse_canonical_json(manifest(contents), "manifest", 1 << 20)
    other = parse_canonical_json(manifest(files(**{"report/x": b"yy"})), "manifest", 1 << 20)
    value["files"][-1][member] = other["files"][-1][member]
    with pytest.raises(FieldMismatch, match=r"package\.manifest"):
        read(zipped({**contents, "META-INF/manifest.json": canonical_json(value)}))


def rows(change):
    value = parse_canonical_json(manifest(files()), "manifest", 1 << 20)
    change(value["files"])
    return canonical_json(value)


WRONG_MANIFESTS = {
    "not JSON": (b"{", Malformed),
    "not JCS": (manifest(files()) + b"\n", NotCanonical),
    "descending": (rows(lambda r: r.reverse()), FieldMalformed),
    "a row twice": (rows(lambda r: r.append(r[-1])), FieldMalformed),
    "a row with more": (rows(lambda r: r[0].update(x=1)), FieldMalformed),
    "a row with less": (rows(lambda r: r[0].pop("sm3")), FieldMalformed),
    "another format": (manifest(files(), format="hybrid-bridge/evidence-package/v2"), FieldMalformed),
    "more members": (manifest(files(), more=1), FieldMalformed),
}


@pytest.mark.parametrize(("data", "error"), WRONG_MANIFESTS.values(), ids=WRONG_MANIFESTS)
def test_a_manifest_of_another_shape_is_refused(data, error):
    with pytest.raises(error):
        read(zipped({**files(), "META-INF/manifest.json": data}))


# ── what repeats the bundle ──


def test_tokens_and_certificates_are_those_of_the_bundle():
    parts = (TokenAnchor(tree_size=4, token=b"t"), WitnessAnchor(tree_size=4, name="w"))
    whole = edit(consortium().receivable(), "anchors", lambda _: parts)
    whole = replace(whole, renewals=(RenewalPart(hash="sha-256", token=b"r"),))
    made = derived(decode_bundle(whole.encode()))
    assert made["tokens/anchor-00.tsr"] == der(SEQUENCE, der(SEQUENCE, b"\x02\x01\x00"), b"t")
    assert made["tokens/renewal-00.tsr"].endswith(b"r")
    assert [made[f"certs/certificate-{i:02}.der"] for i in range(4)] == list(whole.certificates)
    assert len(made) == 6
    contents = {"mimetype": MEDIA_TYPE, "bundle.json": whole.encode(), **made}
    assert len(read(listed(contents)).files) == 8
    for name in made:
        changed = {**contents, name: contents[name] + b"x"}
        absent = {path: data for path, data in contents.items() if path != name}
        for wrong in (changed, absent, {**contents, name + "x": b""}):
            with pytest.raises(FieldMismatch, match=r"package\.bundle"):
                read(listed(wrong))


def test_a_bundle_that_is_none_is_malformed():
    with pytest.raises(FieldMalformed, match=r"bundle"):
        read(listed(files(**{"bundle.json": b"{}"})))


# ── names of documents ──


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("invoice 7.pdf", "invoice_7.pdf"),
        ("发票.pdf", "__.pdf"),
        ("../../x", ".._.._x"),
        ("a.", "a"),
        ("...", "_"),
        ("", "_"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_a_document_is_named_after_its_digest_and_then_for_people(name, path):
    made = artefact_path(name, sha256(b"x"))
    assert made == f"artefacts/2d711642b726b044-{path}"
    assert read(listed(files(**{made: b"x"}))).artefacts[0].path == made
