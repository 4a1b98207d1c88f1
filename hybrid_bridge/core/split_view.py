"""The file that shows two histories of one log: two bundles, each whole by itself, that contradict one another.

Nothing in it is believed because it stands there: who reads it verifies both bundles and finds the contradiction again.
Source: design §2.
"""

from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.bundle import MAX_BUNDLE, MAX_PATH, Bundle, decode_bundle
from hybrid_bridge.core.encoding import Json, canonical_json, parse_canonical_json
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, text

FORMAT: Final = "hybrid-bridge/split-view/v1"
SUFFIX: Final = ".hb-split.json"
MAX_SPLIT_VIEW: Final = 4 * MAX_BUNDLE + 256  # bytes; each quotation mark in a bundle costs one more


@dataclass(frozen=True, slots=True)
class Between:
    """The root that the larger history has at the smaller one's size, and the path from there to its own root."""

    root: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SplitView:
    """What one was shown, and what the other; perhaps a path that ties the newest checkpoints of both."""

    one: Bundle
    other: Bundle
    between: Between | None = None
    format: str = FORMAT

    def encode(self) -> bytes:
        """Canonical JSON.

        Raises:
            Malformed: a bundle does not fit its shape.
        """
        return canonical_json(_SPLIT_VIEW.write(self))

    @staticmethod
    def decode(data: bytes) -> "SplitView":
        """The inverse of `encode`.

        Raises:
            Malformed: not canonical, not of this shape, too long, or a part is no bundle.
        """
        return _SPLIT_VIEW.parse(parse_canonical_json(data, "split view", MAX_SPLIT_VIEW), "split view")


def _bundle(value: Json, name: str) -> Bundle:
    return decode_bundle(_TEXT.parse(value, name).encode("utf-8"))


def _written(bundle: Bundle) -> Json:
    return bundle.encode().decode("utf-8")


_TEXT: Final = text(MAX_BUNDLE)  # a bundle's own bytes: nested, they would be deeper than we read
_PART: Final = Codec(_bundle, _written)
_BETWEEN: Final = record(Between, {"root": octets(32), "path": array(octets(32), MAX_PATH)})
_SPLIT_VIEW: Final = record(SplitView, {"format": literal(FORMAT), "one": _PART, "other": _PART}, {"between": _BETWEEN})
