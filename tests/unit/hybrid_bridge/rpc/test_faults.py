from collections.abc import Iterator
from dataclasses import fields
from typing import get_type_hints

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    Broken,
    Equivocation,
    FarSideBroken,
    FieldMalformed,
    LeaseLost,
    Malformed,
    NotEntitled,
    NotYet,
    Refuted,
    Rejected,
    RootMismatch,
    StoreAway,
    StoreBroken,
    Throttled,
    TooManyCalls,
    Undecided,
    Unknown,
    Unreachable,
)
from hybrid_bridge.rpc.faults import FIELDS_KEY, MAX_FIELDS, NAME_KEY, pack, status_of, trailing, translated, unpack

STATUS = {
    Malformed: grpc.StatusCode.INVALID_ARGUMENT,
    Refuted: grpc.StatusCode.DATA_LOSS,
    Undecided: grpc.StatusCode.UNAVAILABLE,
    Rejected: grpc.StatusCode.FAILED_PRECONDITION,
    Broken: grpc.StatusCode.INTERNAL,
}


def all_errors(kind: type[BridgeError] = BridgeError) -> Iterator[type[BridgeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


def example(kind: type[BridgeError]) -> BridgeError:
    """An error with every field filled."""
    values: dict[str, object] = {}
    hints = get_type_hints(kind)
    for number, field in enumerate(fields(kind)):
        wanted = getattr(hints[field.name], "__supertype__", hints[field.name])
        values[field.name] = {str: f"text {number}", int: number, bytes: bytes([number]) * 32, bool: True}[wanted]
    return kind(**values)


OURS = sorted(
    {kind for kind in all_errors() if kind.__module__.startswith("hybrid_bridge.errors.")}, key=lambda k: k.__name__
)
assert len(OURS) > 50


class Failed(grpc.RpcError, grpc.Call):
    """A failed call as grpc hands it to a client."""

    def __init__(self, status: grpc.StatusCode, metadata: tuple[tuple[str, str | bytes], ...] = ()) -> None:
        self._status, self._metadata = status, metadata

    def code(self) -> grpc.StatusCode:
        return self._status

    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    details = initial_metadata = is_active = time_remaining = cancel = add_callback = lambda self, *_: None


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_crosses_the_wire_with_its_class_and_fields(kind: type[BridgeError]) -> None:
    error = example(kind)
    name, data = pack(error)
    again = unpack(name, data)
    assert type(again) is kind
    assert {f.name: getattr(again, f.name) for f in fields(kind)} == {
        f.name: getattr(error, f.name) for f in fields(kind)
    }


@pytest.mark.parametrize("kind", [kind for kind in OURS if kind is not BridgeError], ids=lambda kind: kind.__name__)
def test_every_error_has_the_status_code_of_its_branch(kind: type[BridgeError]) -> None:
    branch = next(parent for parent in STATUS if issubclass(kind, parent))
    expected = {
        NotEntitled: grpc.StatusCode.PERMISSION_DENIED,
        Unknown: grpc.StatusCode.NOT_FOUND,
        TooManyCalls: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Throttled: grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    assert status_of(example(kind)) is expected.get(kind, STATUS[branch])


@given(st.text(max_size=40), st.binary(max_size=300), st.sampled_from(list(grpc.StatusCode)))
@settings(max_examples=150)
def test_whatever_the_far_side_says_is_one_of_our_errors(name: str, data: bytes, status: grpc.StatusCode) -> None:
    assert isinstance(unpack(name, data, status), BridgeError)
    metadata: tuple[tuple[str, str | bytes], ...] = ((NAME_KEY, name), (FIELDS_KEY, data))
    assert isinstance(translated(Failed(status, metadata), "peer", "Ask"), BridgeError)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("RootMismatch", b"{}"),
        ("RootMismatch", b'{"calculated":1,"expected":2}'),
        ("RootMismatch", b'{"calculated":{"b64u":"!"},"expected":{"b64u":"AA"}}'),
        ("NoSuchError", b"{}"),
        ("annotations", b"{}"),
        ("Digest", b"{}"),
        ("dataclass", b"{}"),
    ],
)
def test_a_class_that_does_not_fit_becomes_its_branch(name: str, data: bytes) -> None:
    assert type(unpack(name, data, grpc.StatusCode.DATA_LOSS)) is Refuted
    assert type(unpack(name, data, grpc.StatusCode.UNAVAILABLE)) is Undecided
    assert type(unpack(name, data, grpc.StatusCode.RESOURCE_EXHAUSTED)) is Undecided


def test_what_is_too_long_for_a_header_is_cut() -> None:
    name, data = pack(FieldMalformed(field="x" * 10_000, rule="\ud800" * 10_000))
    assert len(data) <= MAX_FIELDS
    assert isinstance(unpack(name, data), FieldMalformed)


def test_a_far_side_that_is_broken_does_not_break_us() -> None:
    failure = Failed(grpc.StatusCode.INTERNAL, trailing(StoreBroken(store="ledger", rule="whole")))
    error = translated(failure, "peer", "Ask")
    assert isinstance(error, FarSideBroken)
    assert isinstance(error, Undecided)
    assert error.error == "StoreBroken"


@pytest.mark.parametrize("theirs", [StoreAway(store="ledger", why="away"), LeaseLost(held=1, current=2)])
def test_a_far_side_whose_store_is_away_is_away_itself_and_ours_is_not(theirs: BridgeError) -> None:
    error = translated(Failed(grpc.StatusCode.UNAVAILABLE, trailing(theirs)), "peer", "Ask")
    assert type(error) is Unreachable
    assert (error.endpoint, error.call) == ("peer", "Ask")


def test_an_error_of_ours_is_raised_as_it_was() -> None:
    sent = Equivocation(signer="core", number=7, first=b"\x01" * 32, second=b"\x02" * 32)
    error = translated(Failed(grpc.StatusCode.DATA_LOSS, trailing(sent)), "peer", "Ask")
    assert isinstance(error, Equivocation)
    assert (error.signer, error.number, error.second) == ("core", 7, b"\x02" * 32)


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ],
)
def test_silence_is_undecided_never_a_verdict(status: grpc.StatusCode) -> None:
    error = translated(Failed(status), "peer", "Ask")
    assert isinstance(error, Unreachable)
    assert (error.endpoint, error.call) == ("peer", "Ask")


def test_a_failure_before_the_call_is_silence_too() -> None:
    assert isinstance(translated(grpc.RpcError(), "peer", "Ask"), Unreachable)


def test_any_other_status_is_a_malformed_answer() -> None:
    error = translated(Failed(grpc.StatusCode.UNIMPLEMENTED), "peer", "Ask")
    assert isinstance(error, AnswerMalformed)
    assert error.rule == "status UNIMPLEMENTED"


def test_fields_of_the_same_name_and_another_type_are_refused() -> None:
    assert type(unpack("NotYet", b'{"what":5}', grpc.StatusCode.UNAVAILABLE)) is Undecided
    assert type(unpack("NotYet", b'{"what":"a block"}')) is NotYet
    assert type(unpack("RootMismatch", pack(RootMismatch(expected=b"a" * 32, calculated=b"b" * 32))[1])) is RootMismatch
