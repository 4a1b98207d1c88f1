"""What strangers wrote, made fit to stand in a sentence of ours: on one line, bounded, between quotation marks.

A name is bounded before it goes into a sentence, so that no sentence is ever cut and no name ends one in its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import Evidence, Verdict

MAX_QUOTED: Final = 120  # characters; a longer text is named by its digest
_MARKS: Final = {ord("“"): "\\u201c", ord("”"): "\\u201d"}
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]"
)  # fillers, selectors
_SIMPLE: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
# Read from its end: what stands before the last words is the stranger's, whatever it says.
_NAMED: Final = re.compile(
    r"(.*) \((.*?); (certified by a root you trust|self-stated(?:; its certificate [a-z' ]+)?)\)", re.DOTALL
)


def visible(text: str) -> str:
    """The text with every character as its number that does not print, turns a line around, or shows nothing."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", plain(text))


def quoted(text: str) -> str:
    """The text on one line between quotation marks that it cannot close."""
    line = visible(" ".join(text.split())).translate(_MARKS)
    if len(line) <= MAX_QUOTED:
        return f"“{line}”"
    digest = sha256(text.encode("utf-8", "surrogatepass")).hex()
    return f"“{line[:MAX_QUOTED]}…” [{len(text)}; SHA-256 {digest}]"


def word(text: str) -> str:
    """A name of one plain word as it is, anything else between quotation marks."""
    return text if _SIMPLE.fullmatch(text) else quoted(text)


@dataclass(frozen=True, slots=True)
class Named:
    """A validator as `verify` names it; `standing` is the sentence of `verify`, the rest is the validator's."""

    name: str
    legal_id: str
    standing: str

    @property
    def text(self) -> str:
        """As `verify` says it, with both names bounded."""
        return f"{self.name} ({self.legal_id}; {self.standing})"


def named(text: str) -> Named | None:
    """Name, legal id and standing; None if it is no validator's name."""
    found = _NAMED.fullmatch(text)
    return None if found is None else Named(quoted(found[1]), word(found[2]), found[3])


def bounded(text: str) -> str:
    """The same in one line; a key that nobody named stays as it is."""
    found = named(text)
    return word(text) if found is None else found.text


# ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def tamed(evidence: Evidence) -> Evidence:
    """The evidence as a report may say it: each sentence of `verify` with the names in it bounded."""
    promise = evidence.promise
    signer = "" if promise is None else promise.signer
    return replace(
        evidence,
        verdicts=tuple(_verdict(verdict, evidence, signer) for verdict in evidence.verdicts),
        warnings=tuple(_begun(text, "broken promise: ", signer) for text in evidence.warnings),
        tokens=tuple(replace(token, authority=quoted(token.authority)) for token in evidence.tokens),
        blocks=tuple(replace(block, signers=tuple(map(_key_or_name, block.signers))) for block in evidence.blocks),
        promise=None if promise is None else replace(promise, signer=bounded(signer) if signer else ""),
    )


def _key_or_name(text: str) -> str:
    return text if re.fullmatch("key [0-9a-f]+", text) else bounded(text)


def _verdict(verdict: Verdict, evidence: Evidence, signer: str) -> Verdict:
    if verdict.name == "omission":
        return replace(verdict, detail=_begun(verdict.detail, "", signer))
    if verdict.name == "not after":
        return replace(verdict, detail=_stamped(verdict.detail, evidence))
    return verdict


def _begun(text: str, head: str, signer: str) -> str:
    """A sentence that begins with a validator's name."""
    told = head + signer
    return head + bounded(signer) + text[len(told) :] if signer and text.startswith(told) else text


def _stamped(text: str, evidence: Evidence) -> str:
    """A sentence that names a timestamping authority; of two names of which one begins the other, the longer."""
    for authority in sorted(_authorities(evidence), key=len, reverse=True):
        head, mark, tail = text.partition(f"a timestamp of {authority}")
        if mark:
            return f"{head}a timestamp of {quoted(authority)}{tail}"
    return text


def _authorities(evidence: Evidence) -> Iterator[str]:
    yield from (token.authority for token in evidence.tokens)
