"""The VRF against RFC 9381, appendix B.3, examples 16 to 18, against a slow reference, and against those who bend proofs.

The reference is plain Python over all points of the curve: what libsodium refuses to compute must not show.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core import edwards25519, vrf
from hybrid_bridge.errors import BridgeError, FieldMalformed, SignatureWrong
from tests.vectors import curve

EXAMPLES = {
    "16": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f"
        "26f8a57ccaed74ee1b190bed1f479d9727d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
        "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
    ),
    "17": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed593"
        "3bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
        "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
    ),
    "18": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf80"
        "96bb474e53895c362d8628ee9f9ea3c0e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
        "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
    ),
}
SEED = bytes.fromhex(EXAMPLES["16"][0])
KEY = bytes.fromhex(EXAMPLES["16"][1])
ALPHA = b"a label"
PROOF = vrf.prove(SEED, ALPHA)


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_examples_of_the_rfc_are_reproduced(number: str) -> None:
    seed, key, alpha, proof, output = map(bytes.fromhex, EXAMPLES[number])
    assert vrf.public_key(seed) == key
    assert vrf.prove(seed, alpha) == proof
    assert vrf.verify(key, alpha, proof) == output
    assert vrf.proof_output(proof) == output
    assert vrf.index_of(output) == output[:32]


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
@settings(max_examples=10, deadline=None)
def test_what_is_proven_verifies_and_is_always_the_same(seed: bytes, alpha: bytes) -> None:
    proof = vrf.prove(seed, alpha)
    assert proof == vrf.prove(seed, alpha)
    assert vrf.verify(vrf.public_key(seed), alpha, proof) == vrf.proof_output(proof)


def test_a_proof_of_another_input_is_refuted() -> None:
    with pytest.raises(SignatureWrong):
        vrf.verify(KEY, b"another label", PROOF)


def test_a_proof_under_another_key_is_refuted() -> None:
    with pytest.raises(SignatureWrong):
        vrf.verify(vrf.public_key(bytes(32)), ALPHA, PROOF)


@given(st.integers(0, 80 * 8 - 1))
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_is_refused(bit: int) -> None:
    bent = bytearray(PROOF)
    bent[bit // 8] ^= 1 << bit % 8
    with pytest.raises((FieldMalformed, SignatureWrong)):
        vrf.verify(KEY, ALPHA, bytes(bent))


@given(st.binary(max_size=100))
@settings(max_examples=60, deadline=None)
def test_random_bytes_are_refused_with_our_errors(data: bytes) -> None:
    with pytest.raises((FieldMalformed, SignatureWrong)):
        vrf.verify(KEY, ALPHA, data)


def test_vrf_s_not_reduced() -> None:
    s = int.from_bytes(PROOF[48:], "little") + curve.L
    with pytest.raises(FieldMalformed) as caught:
        vrf.verify(KEY, ALPHA, PROOF[:48] + s.to_bytes(32, "little"))
    assert caught.value.rule == "s below the group order"


@pytest.mark.parametrize("point", curve.SMALL, ids=range(8))
def test_vrf_small_order_key(point: curve.Point) -> None:
    with pytest.raises(FieldMalformed) as caught:
        vrf.verify(curve.encode_point(point), ALPHA, PROOF)
    assert caught.value.rule == "not of small order"


NO_POINTS = {
    "y = p": curve.P.to_bytes(32, "little"),
    "y = p + 1, the identity again": (curve.P + 1).to_bytes(32, "little"),
    "largest y": (2**255 - 1).to_bytes(32, "little"),
    "identity with a sign": (1 | 1 << 255).to_bytes(32, "little"),
    "order 2 with a sign": (curve.P - 1 | 1 << 255).to_bytes(32, "little"),
    "off the curve": (2).to_bytes(32, "little"),
    "short": bytes(31),
    "long": bytes(33),
    "empty": b"",
}


@pytest.mark.parametrize("data", NO_POINTS.values(), ids=NO_POINTS)
def test_a_key_and_a_gamma_have_one_encoding(data: bytes) -> None:
    with pytest.raises(FieldMalformed) as caught:
        vrf.verify(data, ALPHA, PROOF)
    assert (caught.value.field, caught.value.rule) == ("vrf_public_key", "the encoding of a point of edwards25519")
    with pytest.raises(FieldMalformed) as caught:
        vrf.verify(KEY, ALPHA, data + PROOF[32:])
    assert caught.value.field == "vrf_proof"


# ── as the reference, whoever made the proof ─────────────────────────────────────────────────────────────────────────


def said(key: bytes, alpha: bytes, proof: bytes) -> bytes | str:
    try:
        return vrf.verify(key, alpha, proof)
    except BridgeError as error:
        return type(error).__name__


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40))
@settings(max_examples=15, deadline=None)
def test_keys_and_proofs_are_those_of_the_reference(seed: bytes, alpha: bytes) -> None:
    assert vrf.public_key(seed) == curve.public_key(seed)
    assert vrf.prove(seed, alpha) == curve.prove(seed, alpha)


def encodings(order: int) -> st.SearchStrategy[bytes]:
    """Points of prime, mixed and small order in their encodings, and what encodes none."""
    prime = st.integers(0, order).map(lambda m: curve.multiply(m, curve.BASE))
    mixed = st.builds(curve.add, prime, st.sampled_from(curve.SMALL))
    return st.one_of(mixed.map(curve.encode_point), st.sampled_from(sorted(NO_POINTS.values())), st.binary(max_size=33))


@given(
    encodings(2**64),
    encodings(2**64),
    st.one_of(st.just(0), st.integers(0, 2**128 - 1), st.sampled_from([8, 2**127])),
    st.one_of(st.sampled_from([0, 1, curve.L - 1, curve.L, 2**256 - 1]), st.integers(0, 2**256 - 1)),
)
@settings(max_examples=80, deadline=None)
def test_hostile_proofs_get_the_verdict_of_the_reference(key: bytes, gamma: bytes, c: int, s: int) -> None:
    for proof in (
        gamma + c.to_bytes(16, "little") + s.to_bytes(32, "little"),
        PROOF[:32] + c.to_bytes(16, "little") + s.to_bytes(32, "little"),
        gamma + PROOF[32:],
    ):
        assert said(key, ALPHA, proof) == curve.verdict(key, ALPHA, proof)
        assert said(KEY, ALPHA, proof) == curve.verdict(KEY, ALPHA, proof)


@pytest.mark.parametrize("key_torsion", range(8))
@pytest.mark.parametrize("gamma_torsion", [0, 1, 2, 4, 7])
def test_a_forger_who_adds_torsion_is_judged_by_the_rfc_alone(key_torsion: int, gamma_torsion: int) -> None:
    """Where c is divisible by the torsion's order it cancels: the proof is true, and its output the honest one."""
    x, _ = curve.expand(SEED)
    key = curve.encode_point(curve.add(curve.multiply(x, curve.BASE), curve.SMALL[key_torsion]))
    point = curve.to_curve(key, ALPHA)
    gamma = curve.add(curve.multiply(x, point), curve.SMALL[gamma_torsion])
    verdicts = set()
    for k in range(1, 200):
        proof = curve.forge(x, key, gamma, k, ALPHA)
        verdict = curve.verdict(key, ALPHA, proof)
        if verdict not in verdicts:
            assert said(key, ALPHA, proof) == verdict
            verdicts.add(verdict)
        if isinstance(verdict, bytes):
            break
    honest = curve.sha512(b"\x03\x03" + curve.encode_point(curve.times_cofactor(gamma)) + b"\x00")
    assert verdicts <= {honest, "SignatureWrong"}
    assert honest in verdicts


@pytest.mark.parametrize("c", [0, 1, 2**127 + 5])
def test_u_and_v_may_be_the_identity(c: int) -> None:
    x, _ = curve.expand(SEED)
    s = c * x % curve.L
    proof = PROOF[:32] + c.to_bytes(16, "little") + s.to_bytes(32, "little")
    assert said(KEY, ALPHA, proof) == curve.verdict(KEY, ALPHA, proof) == "SignatureWrong"


# ── what hardly ever happens ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_key_has_32_bytes() -> None:
    with pytest.raises(FieldMalformed):
        vrf.public_key(bytes(31))


def test_an_input_that_never_leads_to_the_curve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edwards25519, "times_cofactor", lambda _: None)
    with pytest.raises(FieldMalformed) as caught:
        vrf.prove(SEED, ALPHA)
    assert caught.value.field == "alpha"


def test_a_counter_that_gives_the_identity_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = edwards25519.times_cofactor, []

    def first_identity(data: bytes) -> bytes | None:
        calls.append(data)
        return edwards25519.IDENTITY if len(calls) == 1 else real(data)

    monkeypatch.setattr(edwards25519, "times_cofactor", first_identity)
    assert vrf.prove(SEED, ALPHA) != PROOF
    assert len(calls) > 1


GARBAGE = [None, 0, True, "x" * 32, [], [1] * 32, object()]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_leaves_our_errors_alone(garbage: Any) -> None:
    for call in (
        lambda: vrf.prove(garbage, ALPHA),
        lambda: vrf.prove(SEED, garbage),
        lambda: vrf.public_key(garbage),
        lambda: vrf.verify(garbage, ALPHA, PROOF),
        lambda: vrf.verify(KEY, garbage, PROOF),
        lambda: vrf.verify(KEY, ALPHA, garbage),
        lambda: vrf.proof_output(garbage),
        lambda: vrf.require_public_key(garbage, "key"),
    ):
        with pytest.raises(FieldMalformed):
            call()


def test_other_byte_strings_are_read_as_what_they_hold() -> None:
    """What a foreign reader has at hand may be a view or an array of bytes; the answer is the same."""
    for kind in (bytearray, memoryview):
        assert vrf.prove(kind(SEED), kind(ALPHA)) == PROOF  # type: ignore[arg-type]
        assert vrf.verify(kind(KEY), kind(ALPHA), kind(PROOF)) == vrf.proof_output(PROOF)  # type: ignore[arg-type]
