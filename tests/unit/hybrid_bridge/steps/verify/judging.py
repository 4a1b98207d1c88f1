"""What all tests of `verify` ask: does this bundle hold, and if not, at which check and by which error?"""

from functools import cache

import pytest

from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.steps.verify import verify
from tests.bundles import NOW, Consortium, consortium, edit

ALL = ("receivable", "split", "financing", "unregistered", "history", "document", "omission")


@cache
def world() -> Consortium:
    return consortium()


@cache
def good(name: str = "receivable") -> Bundle:
    bundle = world().all()[name]
    assert judged(bundle).complete, name
    return bundle


def judged(bundle: Bundle | bytes, now: int = NOW, sights=(), **trust) -> Evidence:
    """What the verifier says who trusts what can be trusted; `trust` changes his file."""
    data = bundle if isinstance(bundle, bytes) else bundle.encode()
    return verify(data, world().trust(**trust), now, tuple(sights))


def stopped(bundle: Bundle | bytes, error: type[BridgeError], at: str, sights=(), **trust) -> BridgeError:
    """The error, of exactly this class, raised by exactly this check."""
    with pytest.raises(error) as caught:
        judged(bundle, sights=sights, **trust)
    assert type(caught.value) is error
    assert caught.value.stopped_at == at
    return caught.value


def changed(name: str, path: str, change) -> Bundle:
    """A good bundle with one part changed; `change` is a value or a function of the old one."""
    return edit(good(name), path, change if callable(change) else lambda _: change)
