"""How an error of ours crosses the wire: one status code a branch, class and fields beside it.

The far side raises the same class with the same fields, or, where it does not know the class, the branch. A class is
no proof of anything: who answers may lie.
"""

from dataclasses import fields
from typing import Final, cast, get_type_hints

import grpc

from hybrid_bridge import errors
from hybrid_bridge.core.encoding import Json, b64u, canonical_json, parse_b64u, parse_canonical_json
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    Broken,
    FarSideBroken,
    LeaseLost,
    Malformed,
    NotEntitled,
    Refuted,
    Rejected,
    StoreAway,
    Throttled,
    TooManyCalls,
    Undecided,
    Unknown,
    Unreachable,
)

NAME_KEY: Final = "bridge-error"
FIELDS_KEY: Final = "bridge-fields-bin"
MAX_FIELDS: Final = 4096  # an HTTP/2 header block of ours stays below 8 KiB
MAX_TEXT: Final = 256  # of one field; more only spends the reader's time

_STATUS: Final[tuple[tuple[type[BridgeError], grpc.StatusCode], ...]] = (
    (NotEntitled, grpc.StatusCode.PERMISSION_DENIED),  # leaves before branches: the first match counts
    (Unknown, grpc.StatusCode.NOT_FOUND),
    (TooManyCalls, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Throttled, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Malformed, grpc.StatusCode.INVALID_ARGUMENT),
    (Refuted, grpc.StatusCode.DATA_LOSS),
    (Undecided, grpc.StatusCode.UNAVAILABLE),
    (Rejected, grpc.StatusCode.FAILED_PRECONDITION),
    (Broken, grpc.StatusCode.INTERNAL),
    (BridgeError, grpc.StatusCode.INTERNAL),
)
_SILENT: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


def status_of(error: BridgeError) -> grpc.StatusCode:
    """The status code of the error's branch."""
    return next(code for kind, code in _STATUS if isinstance(error, kind))


def pack(error: BridgeError) -> tuple[str, bytes]:
    """Class name and fields as canonical JSON; bytes as `{"b64u": …}`, long texts cut."""
    written: Json = {f.name: _write(getattr(error, f.name)) for f in fields(error)}
    data = canonical_json(written)
    return type(error).__name__, data if len(data) <= MAX_FIELDS else b"{}"


def unpack(name: str, data: bytes, status: grpc.StatusCode | None = None) -> BridgeError:
    """The error again. An unknown class, or fields that do not fit it, become the branch of the status code."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, BridgeError):
        try:
            return _rebuild(kind, parse_canonical_json(data, "fields", MAX_FIELDS))
        except Malformed:
            pass
    branch = next((k for k, code in reversed(_STATUS) if code is status), Undecided)
    if issubclass(branch, TooManyCalls | Throttled):
        return Undecided()
    return BridgeError() if branch in (NotEntitled, Unknown) else branch()


def trailing(error: BridgeError) -> tuple[tuple[str, str | bytes], ...]:
    """Trailing metadata of a failed call."""
    name, data = pack(error)
    return ((NAME_KEY, name), (FIELDS_KEY, data))


def call_status(failure: object) -> grpc.StatusCode | None:
    """The status of a failed call; None when it failed before it was one."""
    return failure.code() if isinstance(failure, grpc.Call) else None


def translated(failure: grpc.RpcError, endpoint: str, call: str) -> BridgeError:
    """The far side's error if it sent one of ours, else what its silence or its status says.

    Two exceptions: its `Broken` is not ours, nor is its store that is away. Who is asked must never be able
    to stop who asks.
    """
    status = call_status(failure)
    if status is None:
        return Unreachable(endpoint=endpoint, call=call)
    metadata = dict(cast("grpc.Call", failure).trailing_metadata() or ())
    name, data = metadata.get(NAME_KEY), metadata.get(FIELDS_KEY)
    if isinstance(name, str) and isinstance(data, bytes):
        return _theirs(unpack(name, data, status), endpoint, call)
    if status in _SILENT:
        return Unreachable(endpoint=endpoint, call=call)
    return AnswerMalformed(endpoint=endpoint, call=call, rule=f"status {status.name}")


def _theirs(error: BridgeError, endpoint: str, call: str) -> BridgeError:
    if isinstance(error, Broken):
        return FarSideBroken(endpoint=endpoint, call=call, error=type(error).__name__)
    if isinstance(error, StoreAway | LeaseLost):
        return Unreachable(endpoint=endpoint, call=call)
    return error


def _write(value: object) -> Json:
    if isinstance(value, bytes):
        return {"b64u": b64u(value[:MAX_TEXT])}
    if isinstance(value, bool | int) or value is None:
        return value
    return str(value)[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def _rebuild(kind: type[BridgeError], given: Json) -> BridgeError:
    """`kind` with these fields, each of the declared type.

    Raises:
        Malformed: a field is missing, unknown or of another type.
    """
    hints = get_type_hints(kind)
    names = {f.name for f in fields(kind)}
    if not isinstance(given, dict) or given.keys() != names:
        raise errors.FieldMalformed(field="fields", rule="the fields of the class")
    values = {name: _read(value) for name, value in given.items()}
    for name, value in values.items():
        wanted = getattr(hints[name], "__supertype__", hints[name])
        if not isinstance(value, wanted):
            raise errors.FieldMalformed(field=name[:64], rule="the type of the field")
    return kind(**values)


def _read(value: Json) -> object:
    if isinstance(value, dict) and value.keys() == {"b64u"} and isinstance(value["b64u"], str):
        return parse_b64u(value["b64u"], "b64u")
    return value
