import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.testing.datasets.stream import Stream


def test_a_stream_counts_hmac_blocks():
    key = hashlib.sha256(b"seed/purpose").digest()
    blocks = [hmac.new(key, n.to_bytes(8, "big"), hashlib.sha256).digest() for n in range(3)]
    assert Stream("seed", "purpose").take(80) == b"".join(blocks)[:80]


def test_pieces_join_to_the_whole_and_purposes_part():
    stream = Stream("seed", "purpose")
    assert b"".join(stream.take(n) for n in (1, 30, 33, 0, 36)) == Stream("seed", "purpose").take(100)
    assert Stream("seed", "other").take(16) != Stream("seed", "purpose").take(16)


@given(st.integers(1, 30), st.integers(0, 50), st.integers(0, 10**9), st.text(max_size=5))
def test_parts_add_up_and_none_is_too_small(count, least, more, seed):
    total = count * least + more
    parts = Stream(seed, "parts").parts(total, count, least)
    assert (sum(parts), len(parts)) == (total, count)
    assert min(parts) >= least


@given(st.integers(-5, 5), st.integers(0, 9))
def test_numbers_stay_between(low, width):
    stream = Stream("seed", "between")
    assert {stream.between(low, low + width) for _ in range(20)} <= set(range(low, low + width + 1))
    assert len(stream.id16()) == 32
