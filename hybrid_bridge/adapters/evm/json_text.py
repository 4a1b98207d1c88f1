"""JSON of strangers: nesting and parts are counted before it is parsed.

Python's parser recurses on the C stack, and makes an object of two bytes: `[]` a million times is little to send and
much to hold. The counting is done by whole-buffer operations, since a loop over each bracket would itself take long.
"""

import re
from typing import Final

MAX_NESTING: Final = 32  # a public block with all transactions nests 6 deep
MAX_PARTS: Final = 1 << 20  # commas and brackets; the receipts of a public block have one for each forty bytes
_STRING: Final = re.compile(rb'"[^"]*+"?')
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_NO_MARKS: Final = bytes(set(range(256)) - set(b'"[]{},'))


def require_shallow(data: bytes) -> bytes:
    """`data` as it is, if no brackets outside strings nest deeper than 32 and there are no more than 2^20 parts.

    Raises:
        ValueError: they do, or there are, or the brackets do not close.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_NESTING and data.count(b",") <= MAX_PARTS:
        return data
    marks = _marks(data)
    if len(marks) > MAX_PARTS:
        raise ValueError(MAX_PARTS)
    brackets = marks.replace(b",", b"")
    for _ in range(MAX_NESTING):  # each time the innermost ones go, so one level of all
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise ValueError(MAX_NESTING)
    return data


def _marks(data: bytes) -> bytes:
    """The commas and brackets outside strings, of one kind, in their order.

    Raises:
        ValueError: more strings have marks within than an answer has parts.
    """
    unescaped = data.replace(rb"\\", b"").replace(rb"\"", b"")
    marks = unescaped.translate(_ONE_KIND, _NO_MARKS).replace(b'""', b"")  # strings without marks, which most are
    if marks.count(b'"') > MAX_PARTS:
        raise ValueError(MAX_PARTS)
    return _STRING.sub(b"", marks)
