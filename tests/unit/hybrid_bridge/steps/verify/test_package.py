"""A package's documents and its timestamp, once the bundle in it is verified."""

import hashlib
from dataclasses import replace
from functools import cache

import pytest

from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.package import derived, read_package, response
from hybrid_bridge.errors import EndpointRefused, FieldMismatch, Malformed
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.package import judge_package
from tests.bundles import NOW, consortium, edit
from tests.packages import MEDIA_TYPE, manifest, sm3, zipped
from tests.tsa import Tsa

PATH = "artefacts/invoice.xml"


@cache
def tsa():
    return Tsa(now=lambda: float(NOW))


def document_bytes():
    return consortium().document_bytes()


def unlisted():
    return edit(consortium().document(), "artefacts", lambda _: ())


def bundle(**listed):
    return edit(consortium().document(), "artefacts.0", lambda part: replace(part, **listed)).encode()


def judged(data, files, stamp=None, trust=None, seen=lambda evidence: evidence):
    contents = {"mimetype": MEDIA_TYPE, "bundle.json": data, **derived(decode_bundle(data)), **files}
    listed = manifest(contents)
    contents["META-INF/manifest.json"] = listed
    if stamp is not None:
        contents["META-INF/manifest.tsr"] = stamp(listed)
    package = read_package(memoryview(zipped(contents)))
    trust = trust or consortium().trust()
    return judge_package(package, seen(verify(package.bundle, trust, NOW)), trust)


def test_a_document_is_named_by_the_field_that_holds_its_digest():
    document = document_bytes()
    found = judged(bundle(sha512=None), {PATH: document})
    (fact,) = found.documents
    assert (fact.path, fact.size, fact.field, fact.epoch) == (PATH, len(document), "doc.0.sha256", 1)
    assert fact.sha256 == sha256(document)
    assert found.to_json()["package"] == {
        "manifest": b64u(found.manifest),
        "documents": [
            {"path": PATH, "size": len(document), "sha256": b64u(sha256(document)), "epoch": 1, "field": "doc.0.sha256"}
        ],
        "stamp": None,
    }
    assert found.to_json()["complete"] is True


def test_a_document_that_the_bundle_does_not_list_needs_a_field_alone():
    assert judged(unlisted().encode(), {PATH: document_bytes()}).documents[0].field == "doc.0.sha256"


@pytest.mark.parametrize("data", [b"", b"another", b"\x00"])
def test_a_document_that_no_disclosed_field_names_is_refuted(data):
    with pytest.raises(FieldMismatch, match=PATH):
        judged(bundle(), {PATH: data})


def test_a_document_with_one_bit_changed_is_refuted():
    document = bytearray(document_bytes())
    document[7] ^= 1
    with pytest.raises(FieldMismatch, match=PATH):
        judged(bundle(), {PATH: bytes(document)})


def test_a_document_whose_field_is_not_disclosed_is_refuted():
    def kept(parts):
        return tuple(part for part in parts if parse_disclosure(part.value).name != "doc.0.sha256")

    hidden = edit(unlisted(), "epochs.0.entries.0.disclosures", kept)
    assert len(hidden.epochs[0].entries[0].disclosures) == len(unlisted().epochs[0].entries[0].disclosures) - 1
    with pytest.raises(FieldMismatch, match=PATH):
        judged(hidden.encode(), {PATH: document_bytes()})


@pytest.mark.parametrize("wrong", [{"sha512": bytes(64)}, {"sm3": bytes(32)}])
def test_what_the_bundle_says_beside_the_sha256_is_compared_now_that_the_document_is_here(wrong):
    right = {"sha512": hashlib.sha512(document_bytes()).digest(), "sm3": sm3(document_bytes())}
    assert judged(bundle(**right), {PATH: document_bytes()}).documents
    with pytest.raises(FieldMismatch, match="what artefacts"):
        judged(bundle(**wrong), {PATH: document_bytes()})


def test_what_is_said_of_another_document_is_no_matter():
    def with_another(evidence):
        (fact,) = evidence.artefacts
        return replace(evidence, artefacts=(replace(fact, sha256=sha256(b"another"), size=1), fact))

    assert len(judged(bundle(), {PATH: document_bytes()}, seen=with_another).documents) == 1


def test_a_document_that_is_listed_need_not_be_in_the_package():
    found = judged(bundle(), {})
    assert found.documents == ()
    assert len(found.evidence.artefacts) == 1


# ── the timestamp over the manifest ──


def test_a_timestamp_over_the_manifest_says_when_the_package_existed():
    trusting = replace(consortium().trust(), tsa_roots=(tsa().root_der,))
    found = judged(bundle(), {}, lambda data: response(tsa().stamp(data)), trusting)
    assert (found.stamp.place, found.stamp.time) == ("manifest", NOW)
    assert found.stamp.basis == "CN=TEST TSA root, one of your tsa_roots"
    stamp = found.to_json()["package"]["stamp"]
    assert (stamp["time"], stamp["authority"], stamp["missing"]) == (NOW, "CN=TEST TSA 1", "")
    untrusting = judged(bundle(), {}, lambda data: response(tsa().stamp(data)))
    assert (untrusting.stamp.basis, untrusting.stamp.missing[:8]) == ("", "the root")


def test_a_timestamp_over_another_manifest_is_refuted():
    with pytest.raises(FieldMismatch, match=r"token\.imprint"):
        judged(bundle(), {}, lambda data: response(tsa().stamp(data + b" ")))


@pytest.mark.parametrize("stamp", [b"", b"\x30\x00", b"\x30\x05\x30\x03\x02\x01\x00"])
def test_what_is_no_answer_of_an_authority_is_malformed(stamp):
    with pytest.raises(Malformed):
        judged(bundle(), {}, lambda _: stamp)


def test_a_refusal_is_no_timestamp():
    with pytest.raises(EndpointRefused):
        judged(bundle(), {}, lambda _: Tsa.refusal())
