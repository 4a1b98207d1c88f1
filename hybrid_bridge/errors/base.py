"""What all errors share: fields instead of prose, and who must act."""

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(kw_only=True, eq=False)
class BridgeError(Exception):
    """Root of everything this library raises on purpose."""

    exit_code: ClassVar[int] = 4
    cites: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__init__(str(self))
        self.reached: tuple[str, ...] = ()  # checks of `verify` that were passed before this one
        self.stopped_at = ""  # the check that failed

    def __str__(self) -> str:
        """Class name, fields, what to do (first line of the class docstring), rule."""
        shown = ", ".join(f"{f.name}={_show(getattr(self, f.name))}" for f in fields(self))
        first = (type(self).__doc__ or "").strip().splitlines()[0]
        cites = f" [{self.cites}]" if self.cites else ""
        return f"{type(self).__name__}({shown}): {first}{cites}"


def _show(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 256:  # Python refuses to write some of them out
        return f"an integer of {value.bit_length()} bits"
    return value.hex() if isinstance(value, bytes) else repr(value)
