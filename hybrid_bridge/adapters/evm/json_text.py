"""JSON of strangers: its nesting is counted before it is parsed, since Python's parser recurses on the C stack."""

import re
from typing import Final

MAX_NESTING: Final = 32  # a public block with all transactions nests 6 deep
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


def require_shallow(data: bytes) -> bytes:
    """`data` as it is, if no brackets outside strings nest deeper than 32.

    Raises:
        ValueError: they do.
    """
    if data.count(b"[") + data.count(b"{") > MAX_NESTING:
        depth = 0
        for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
            depth += 1 if bracket in b"[{" else -1
            if depth > MAX_NESTING:
                raise ValueError(depth)
    return data
