"""The shape of JSON documents: one codec for each member, strict both ways.

A codec parses a JSON value into a value of ours or raises `Malformed`, and writes it back to the same JSON.
Members that are not listed are refused; optional members are left out, never null (SPEC §11).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hybrid_bridge.core.encoding import Json, b64u, parse_b64u
from hybrid_bridge.errors import FieldMalformed, TooLong
from hybrid_bridge.units import MAX_U64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """`parse(json, field)` and its inverse `write(value)`; `field` names the place in errors."""

    parse: Callable[[Json, str], T]
    write: Callable[[T], Json]


def text(limit: int) -> Codec[str]:
    """A string of at most `limit` characters."""

    def parse(value: Json, field: str) -> str:
        if not isinstance(value, str):
            raise FieldMalformed(field=field, rule="a string")
        if len(value) > limit:
            raise TooLong(field=field, limit=limit, got=len(value))
        return value

    return Codec(parse, str)


def literal(*allowed: str) -> Codec[str]:
    """One of these strings."""

    def parse(value: Json, field: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise FieldMalformed(field=field, rule=f"one of {', '.join(allowed)}")
        return value

    return Codec(parse, str)


def uint(limit: int = MAX_U64) -> Codec[int]:
    """An integer from 0 to `limit`."""

    def parse(value: Json, field: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            raise FieldMalformed(field=field, rule=f"an integer from 0 to {limit}")
        return value

    return Codec(parse, int)


def octets(width: int | None, limit: int = 0) -> Codec[bytes]:
    """Bytes as base64url text: exactly `width`, or with None at most `limit`."""
    longest = limit if width is None else width

    def parse(value: Json, field: str) -> bytes:
        if not isinstance(value, str):
            raise FieldMalformed(field=field, rule="base64url text")
        if len(value) > (longest * 4 + 2) // 3:
            raise TooLong(field=field, limit=longest, got=len(value) * 3 // 4)
        data = parse_b64u(value, field)
        if width is not None and len(data) != width:
            raise FieldMalformed(field=field, rule=f"exactly {width} bytes")
        return data

    return Codec(parse, b64u)


def array(item: Codec[T], limit: int) -> Codec[tuple[T, ...]]:
    """At most `limit` items, in order."""

    def parse(value: Json, field: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise FieldMalformed(field=field, rule="an array")
        if len(value) > limit:
            raise TooLong(field=field, limit=limit, got=len(value))
        return tuple(item.parse(inner, f"{field}[{i}]") for i, inner in enumerate(value))

    return Codec(parse, lambda values: [item.write(value) for value in values])


def nullable(item: Codec[T]) -> Codec[T | None]:
    """The item or null, where null is a value of its own (a registry hole)."""
    return Codec(
        lambda value, field: None if value is None else item.parse(value, field),
        lambda value: None if value is None else item.write(value),
    )


def record(
    cls: type[T], required: Mapping[str, Codec[Any]], optional: Mapping[str, Codec[Any]] | None = None
) -> Codec[T]:
    """A JSON object as a dataclass whose attributes are named like the members; an absent optional one is None."""
    optional = optional or {}

    def parse(value: Json, field: str) -> T:
        members = require_members(value, field, required.keys(), optional.keys())
        codecs = {**required, **optional}
        given = {name: codecs[name].parse(inner, f"{field}.{name}") for name, inner in members.items()}
        return cls(**{**dict.fromkeys(optional), **given})

    def write(value: T) -> Json:
        written = {name: codec.write(getattr(value, name)) for name, codec in required.items()}
        for name, codec in optional.items():
            if getattr(value, name) is not None:
                written[name] = codec.write(getattr(value, name))
        return written

    return Codec(parse, write)


def tagged(codecs: Mapping[str, Codec[Any]]) -> Codec[Any]:
    """An object whose member `type` chooses the codec for the other members; the value has an attribute `type`."""

    def parse(value: Json, field: str) -> object:
        if not isinstance(value, dict):
            raise FieldMalformed(field=field, rule="an object")
        name = literal(*codecs).parse(value.get("type"), f"{field}.type")
        return codecs[name].parse({key: inner for key, inner in value.items() if key != "type"}, field)

    def write(value: Any) -> Json:  # noqa: ANN401 the union is the caller's
        written = codecs[value.type].write(value)
        return {"type": value.type, **written}  # type: ignore[dict-item]  # each codec is a `record`

    return Codec(parse, write)


def require_members(value: Json, field: str, required: Collection[str], optional: Collection[str]) -> dict[str, Json]:
    """The object's members, if all `required` and no unknown ones are there.

    Raises:
        FieldMalformed: no object; a member is missing or unknown.
    """
    if not isinstance(value, dict):
        raise FieldMalformed(field=field, rule="an object")
    for name in required:
        if name not in value:
            raise FieldMalformed(field=f"{field}.{name}", rule="required")
    for name in value:
        if name not in required and name not in optional:
            raise FieldMalformed(field=f"{field}.{name[:64]}", rule="no such member")
    return value
