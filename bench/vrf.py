"""The VRF: libsodium against the plain Python of the tests' reference. Same proofs and outputs required."""

import hashlib
import sys
from collections.abc import Iterator

from nacl.signing import SigningKey

from bench.harness import ROOT, Comparison, Contender, same
from hybrid_bridge.core import vrf

sys.path.append(str(ROOT / "tests" / "vectors"))
import curve

SEED = hashlib.sha256(b"bench").digest()
KEY = vrf.public_key(SEED)
ALPHAS = [b"label %d" % i for i in range(40)]
FEW = ALPHAS[:6]


def comparisons() -> Iterator[Comparison]:
    proofs = [vrf.prove(SEED, alpha) for alpha in ALPHAS]
    same(proofs[:6], [curve.prove(SEED, alpha) for alpha in FEW])
    same(*(f(KEY, ALPHAS[0], proofs[0]) for f in (vrf.verify, curve.verdict)))
    yield Comparison("make a VRF proof", "proof", [
        Contender("ours, libsodium", lambda: [vrf.prove(SEED, alpha) for alpha in ALPHAS], 40),
        Contender("plain Python, as before", lambda: [curve.prove(SEED, alpha) for alpha in FEW], 6),
    ])  # fmt: skip
    signed = SigningKey(SEED).sign(b"label")
    verifier = SigningKey(SEED).verify_key
    yield Comparison("verify a VRF proof", "proof", [
        Contender("ours, libsodium", lambda: [vrf.verify(KEY, alpha, proof) for alpha, proof in zip(ALPHAS, proofs, strict=True)], 40),
        Contender("plain Python, as before", lambda: [curve.verdict(KEY, alpha, proof) for alpha, proof in zip(FEW, proofs[:6], strict=True)], 6),
        Contender("one Ed25519 signature verified", lambda: [verifier.verify(signed) for _ in ALPHAS], 40, "a yardstick: one double multiplication instead of two"),
    ])  # fmt: skip
