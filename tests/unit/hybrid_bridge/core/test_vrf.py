"""The VRF against RFC 9381, appendix B.3, examples 16 to 18, and against those who bend a proof."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core import edwards25519 as curve
from hybrid_bridge.core import vrf
from hybrid_bridge.errors import FieldMalformed, SignatureWrong

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
OF_ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_examples_of_the_rfc_are_reproduced(number: str) -> None:
    seed, key, alpha, proof, output = map(bytes.fromhex, EXAMPLES[number])
    assert vrf.public_key(seed) == key
    assert vrf.prove(seed, alpha) == proof
    assert vrf.verify_proof(key, alpha, proof) == output
    assert vrf.proof_output(proof) == output
    assert vrf.index_of(output) == output[:32]


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
@settings(max_examples=10, deadline=None)
def test_what_is_proven_verifies_and_is_always_the_same(seed: bytes, alpha: bytes) -> None:
    proof = vrf.prove(seed, alpha)
    assert proof == vrf.prove(seed, alpha)
    assert vrf.verify_proof(vrf.public_key(seed), alpha, proof) == vrf.proof_output(proof)


def test_a_proof_of_another_input_is_refuted() -> None:
    with pytest.raises(SignatureWrong):
        vrf.verify_proof(KEY, b"another label", PROOF)


def test_a_proof_under_another_key_is_refuted() -> None:
    with pytest.raises(SignatureWrong):
        vrf.verify_proof(vrf.public_key(bytes(32)), ALPHA, PROOF)


@given(st.integers(0, 80 * 8 - 1))
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_is_refused(bit: int) -> None:
    bent = bytearray(PROOF)
    bent[bit // 8] ^= 1 << bit % 8
    with pytest.raises((FieldMalformed, SignatureWrong)):
        vrf.verify_proof(KEY, ALPHA, bytes(bent))


@given(st.binary(max_size=100))
@settings(max_examples=60, deadline=None)
def test_random_bytes_are_refused_with_our_errors(data: bytes) -> None:
    with pytest.raises((FieldMalformed, SignatureWrong)):
        vrf.verify_proof(KEY, ALPHA, data)


def test_vrf_s_not_reduced() -> None:
    s = int.from_bytes(PROOF[48:], "little") + curve.L
    with pytest.raises(FieldMalformed) as caught:
        vrf.verify_proof(KEY, ALPHA, PROOF[:48] + s.to_bytes(32, "little"))
    assert caught.value.rule == "s below the group order"


@pytest.mark.parametrize("key", [OF_ORDER_8, (1).to_bytes(32, "little"), (curve.P - 1).to_bytes(32, "little")])
def test_vrf_small_order_key(key: bytes) -> None:
    with pytest.raises(FieldMalformed) as caught:
        vrf.verify_proof(key, ALPHA, PROOF)
    assert caught.value.rule == "not of small order"


def test_a_point_of_small_order_added_to_gamma_makes_another_proof_that_is_refused() -> None:
    gamma = curve.add(curve.decode_point(PROOF[:32], "g"), curve.decode_point(OF_ORDER_8, "t"))
    with pytest.raises(SignatureWrong):
        vrf.verify_proof(KEY, ALPHA, curve.encode_point(gamma) + PROOF[32:])


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(FieldMalformed):
        vrf.public_key(bytes(31))


def test_an_input_that_never_leads_to_the_curve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "point_or_none", lambda _: None)
    with pytest.raises(FieldMalformed) as caught:
        vrf.prove(SEED, ALPHA)
    assert caught.value.field == "alpha"


def test_a_counter_that_gives_the_identity_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = curve.point_or_none, []

    def first_identity(data: bytes) -> curve.Point | None:
        calls.append(data)
        return curve.IDENTITY if len(calls) == 1 else real(data)

    monkeypatch.setattr(curve, "point_or_none", first_identity)
    vrf.prove(SEED, ALPHA)
    assert len(calls) > 1
