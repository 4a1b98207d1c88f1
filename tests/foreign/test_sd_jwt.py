"""Our presentations read by the sd-jwt package; digests of its disclosures, spaces and all, by our arithmetic."""

import json
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from jwcrypto.jwk import JWK
from jwcrypto.jws import InvalidJWSSignature
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from hybrid_bridge.core.disclosure import Disclosure, disclosure_digest, parse_disclosure
from hybrid_bridge.core.encoding import b64u, parse_b64u
from hybrid_bridge.core.exports.sd_jwt import choose, parse_jwt, parse_presentation, verify_presentation
from hybrid_bridge.errors import BridgeError, NotCanonical
from tests.bundles import consortium

WORLD = consortium()
EVENT = 2
TEXTS = [part.value for part in WORLD.played[EVENT].draft.delivered().disclosures]


def presentation(*names) -> str:
    return choose(parse_jwt(WORLD.jwt(EVENT)), TEXTS, names).encode().decode()


def key_in_header(_issuer, header) -> JWK:
    certificate = load_der_x509_certificate(b64decode(header["x5c"][0]))
    pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return JWK.from_pem(pem)


def read(text: str) -> dict:
    return SDJWTVerifier(text, key_in_header).get_verified_payload()


@pytest.mark.parametrize("names", [(), ("due_date",), ("due_date", "note")])
def test_a_presentation_is_accepted_and_says_the_same(names):
    ours = verify_presentation(parse_presentation(presentation(*names).encode()))
    theirs = read(presentation(*names))
    stated = theirs.pop("hb")
    assert theirs == {field.disclosure.name: field.disclosure.value for field in ours}
    assert stated["log"] == b64u(WORLD.genesis.log_id)


def test_what_is_not_disclosed_they_do_not_see():
    assert set(read(presentation("due_date"))) == {"hb", "_schema", "_origin", "due_date"}


def test_a_changed_statement_is_refused_by_both():
    head, payload, signature = WORLD.jwt(EVENT).split(".")
    stated = json.loads(parse_b64u(payload, "x"))
    stated["hb"]["epoch"] = 2
    changed = b64u(json.dumps(stated, separators=(",", ":"), sort_keys=True).encode())
    text = presentation().replace(f"{head}.{payload}.{signature}", f"{head}.{changed}.{signature}")
    with pytest.raises(InvalidJWSSignature):
        read(text)
    with pytest.raises(BridgeError):
        verify_presentation(parse_presentation(text.encode()))


def test_a_disclosure_that_is_none_of_the_digests_they_ignore_and_we_refuse():
    """RFC 9901 §7.1 has it refused; the package leaves it out of its payload."""
    strange = Disclosure(bytes(32), "face", "1").text()
    text = presentation("note") + f"{strange}~"
    assert "face" not in read(text)
    with pytest.raises(BridgeError):
        verify_presentation(parse_presentation(text.encode()))


# ── digests of disclosures made elsewhere ──


def issued() -> SDJWTIssuer:
    key = JWK.generate(kty="EC", crv="P-256")
    claims = {SDObj("family_name"): "Möbius", SDObj("age"): 42, SDObj("address"): {"street": "Schulstr. 12"}}
    return SDJWTIssuer(claims, key, sign_alg="ES256")


def test_digests_of_disclosures_with_spaces_are_theirs_and_the_strings_are_none_of_ours():
    made = issued()
    digests = set(made.sd_jwt_payload["_sd"])
    for disclosure in made.ii_disclosures:
        assert b" " in parse_b64u(disclosure.b64, "x")
        assert b64u(disclosure_digest(disclosure.b64)) in digests
        with pytest.raises(NotCanonical):
            parse_disclosure(disclosure.b64)


# RFC 9901 §4.2.3 hashes the base64url text as it is shipped, whatever its JSON looks like.
KNOWN = {
    "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0": "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY",
}


@pytest.mark.parametrize("text", KNOWN)
def test_the_digest_is_that_of_the_shipped_text(text):
    assert b64u(disclosure_digest(text)) == KNOWN[text]
    assert json.loads(parse_b64u(text, "x"))[1] == "family_name"
