"""What is counted of a stranger's JSON before it is parsed."""

import json
import tracemalloc

import pytest

from hybrid_bridge.adapters.evm.json_text import MAX_NESTING, MAX_PARTS, require_shallow


def nested(depth: int) -> bytes:
    """Arrays and objects in turn."""
    opened = "".join('{"a":' if level % 2 else "[" for level in range(depth))
    closed = "".join("}" if level % 2 else "]" for level in reversed(range(depth)))
    return (opened + "1" + closed).encode()


def test_nesting_is_counted_exactly_beside_many_shallow_values() -> None:
    for beside in (b"1", b"[]," * 100 + b"{}", b'"' + b"[{" * 100 + b'\\"["'):
        deep = b"[" + nested(MAX_NESTING - 1) + b"," + beside + b"]"
        assert json.loads(require_shallow(deep))
        with pytest.raises(ValueError, match=f"^{MAX_NESTING}$"):
            require_shallow(b"[" + deep + b"]")


@pytest.mark.parametrize("data", [b"[" * 100, b"]" * 50 + b"[" * 50, b"[[]" * 40])
def test_brackets_that_do_not_close_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=f"^{MAX_NESTING}$"):
        require_shallow(data)


@pytest.mark.parametrize("part", [b"0,", b"[],", b"{},", b'{"a":0},', b'"",'])
def test_more_parts_than_any_answer_has_are_refused_before_they_become_objects(part: bytes) -> None:
    many = b"[" + part * (MAX_PARTS + 1) + b"0]"
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"^{MAX_PARTS}$"):
        require_shallow(many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20  # parsed, a million objects hold more


def test_marks_within_strings_are_no_parts() -> None:
    assert require_shallow(b'["' + b"," * (2 * MAX_PARTS) + b'"]')
    assert require_shallow(b'["' + b'\\",[' * MAX_PARTS + b'"]')


@pytest.mark.parametrize(
    "text", ['\\"[', '\\\\"[', '\\\\\\"[', '"[', '[":"]', "\\u0022[", '{"[":"]","":"\\\\"}', '","', "\\n[,]"]
)
def test_strings_end_where_a_parser_ends_them(text: str) -> None:
    """Compared with Python's own parser: a value that it takes has its depth, as long as it is counted at all."""
    for told in (f'"{text}"', text, f"[{text}]", json.dumps(text)):
        data = f"[{told}{',[]' * MAX_NESTING}]".encode()
        try:
            value = json.loads(data)
        except ValueError:
            continue
        assert require_shallow(data) == data
        assert len(value) >= MAX_NESTING
        with pytest.raises(ValueError, match=f"^{MAX_NESTING}$"):
            require_shallow(data[:-3] + nested(MAX_NESTING) + b"]")
