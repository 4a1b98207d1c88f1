"""A whole bundle verified, against its signatures, VRFs and hashes and one strict pass of JSON and base64url, replayed bare:
what our own logic costs beside what nobody can leave out."""

import binascii
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

from cryptography.x509 import load_der_x509_certificate

from bench.harness import ROOT, Comparison, Contender
from hybrid_bridge.core import certificate, checkpoint, keys, signing, vrf
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds

FOLDER = ROOT / "hybrid_bridge" / "cli" / "example_files"
NAMES = ("receivable", "financing", "split")
Calls = list[Callable[[], object]]
CHECKS = (
    (vrf, "verify"), (signing, "recover_address"), (checkpoint, "recover_address"), (keys.PublicKey, "verify"),
    (certificate, "_issued_by"),
)  # fmt: skip


def recorded(
    work: Callable[[], object], places: Sequence[tuple[Any, str]]
) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """The calls that `work` makes to these, with what each was given."""
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def recording(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            calls.append((real, args))
            return real(*args, **options)

        return call

    with ExitStack() as stack:
        for owner, name in places:
            stack.enter_context(patch.object(owner, name, recording(getattr(owner, name))))
        work()
    return calls


def bare(data: bytes, work: Callable[[], object]) -> tuple[Calls, Calls]:
    """What the checks of `work` cost by themselves, and what hashing and decoding cost by themselves."""
    checks = [partial(real, *args) for real, args in recorded(work, CHECKS)]
    hashed = [args[0] for _, args in recorded(work, [(hashlib, "sha256")]) if args]
    texts = [args[0] for _, args in recorded(work, [(binascii, "a2b_base64")])]
    certificates = decode_bundle(data).certificates

    def decoded() -> object:
        value = json.loads(data)
        if json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() != data:
            raise ValueError
        for text in texts:
            if binascii.b2a_base64(binascii.a2b_base64(text), newline=False) != text:
                raise ValueError
        return [load_der_x509_certificate(der) for der in certificates]

    return checks, [lambda: [hashlib.sha256(one).digest() for one in hashed], decoded]


def comparisons() -> Iterator[Comparison]:
    trust = parse_trust((FOLDER / "trust.json").read_bytes())
    for name in NAMES:
        data = (FOLDER / f"{name}.hb.json").read_bytes()

        def work(data: bytes = data) -> object:
            return verify(data, trust, UnixSeconds(1_900_000_000))

        checks, rest = bare(data, work)
        yield Comparison(f"verify the bundle `{name}`, {len(data) // 1024} KiB", "bundle", [
            Contender("ours, whole", lambda work=work: [work() for _ in range(5)], 5),
            Contender("checks, hashes and decoding, bare", lambda calls=checks + rest: [call() for _ in range(5) for call in calls], 5, "the floor: no rule, no verdict"),
            Contender("checks alone", lambda calls=checks: [call() for _ in range(5) for call in calls], 5, f"{len(checks)} signature, certificate and VRF checks"),
        ])  # fmt: skip
