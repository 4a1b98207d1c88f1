"""A whole bundle verified, against the signature and VRF checks in it alone: what our own logic costs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from bench.harness import ROOT, Comparison, Contender
from hybrid_bridge.core import checkpoint, keys, signing, vrf
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds

FOLDER = ROOT / "hybrid_bridge" / "cli" / "example_files"
NAMES = ("receivable", "financing", "split")
CHECKS = ((vrf, "verify"), (signing, "recover_address"), (checkpoint, "recover_address"), (keys.PublicKey, "verify"))


def recorded(work: Callable[[], object]) -> list[Callable[[], object]]:
    """The signature and VRF checks that `work` makes, ready to be made again."""
    calls: list[Callable[[], object]] = []

    def recording(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            calls.append(lambda: real(*args))
            return real(*args)

        return call

    with ExitStack() as stack:
        for owner, name in CHECKS:
            stack.enter_context(patch.object(owner, name, recording(getattr(owner, name))))
        work()
    return calls


def comparisons() -> Iterator[Comparison]:
    trust = parse_trust((FOLDER / "trust.json").read_bytes())
    for name in NAMES:
        data = (FOLDER / f"{name}.hb.json").read_bytes()

        def work(data: bytes = data) -> object:
            return verify(data, trust, UnixSeconds(1_900_000_000))

        calls = recorded(work)
        yield Comparison(f"verify the bundle `{name}`, {len(data) // 1024} KiB", "bundle", [
            Contender("ours, whole", lambda work=work: [work() for _ in range(5)], 5),
            Contender("its checks alone", lambda calls=calls: [call() for _ in range(5) for call in calls], 5, f"a floor: {len(calls)} signature and VRF checks, no parsing, no hashing"),
        ])  # fmt: skip
