"""Every number on the wire is at most 2^53−1, as everywhere (SPEC §1); checked before anything looks at a message."""

from typing import Any

from google.protobuf.message import Message

from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import MAX_U64


def require_numbers(message: Any) -> None:  # noqa: ANN401 any generated message, or what grpc's own services pass
    """Return if no integer in the message, or in one inside it, exceeds 2^53−1.

    Raises:
        FieldMalformed: one does.
    """
    if not isinstance(message, Message):
        return
    for field, value in message.ListFields():
        for item in [value] if isinstance(value, int | bytes | str | Message) else value:
            if isinstance(item, int) and item > MAX_U64:
                raise FieldMalformed(field=field.name, rule="at most 2^53-1")
            require_numbers(item)
