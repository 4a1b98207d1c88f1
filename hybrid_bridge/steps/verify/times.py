"""Timestamps in `verify`: tokens over checkpoints (check 11) and over the whole bundle (check 13, renewals)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hybrid_bridge.core.bundle import TokenAnchor
from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import TokenFact, utc
from hybrid_bridge.core.timestamp import SECOND, Token, decode_token
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMismatch, Missing
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.units import TreeSize, UnixSeconds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_UNKNOWN: Final = "unknown"
_ROOT: Final = "the root of this authority under tsa_roots in the trust file"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A token, what is said of it, and the last second in which it is good."""

    token: Token
    fact: TokenFact
    tree_size: TreeSize | None = None  # None: it is over the whole bundle


# ── 11 tokens over checkpoints ───────────────────────────────────────────────────────────────────────────────────────


def verify_tokens(d: Decoded, trust: Trust) -> tuple[Stamp, ...]:
    """Each RFC 3161 token over the body of the note it names (SPEC §13).

    Raises:
        Malformed: a token or certificate that cannot be read.
        FieldMismatch: a token over something else, from before the log began, or by a key for other purposes.
        SignatureWrong: it is not signed by its own certificate.
    """
    bodies = {note.size: note.body() for note in d.notes}
    stamps = []
    for anchor in d.bundle.anchors:
        if isinstance(anchor, TokenAnchor):
            token = decode_token(anchor.token)
            fact = judged(token, bodies[TreeSize(anchor.tree_size)], f"size {anchor.tree_size}", trust)
            if fact.time < d.genesis.genesis_time:
                expected = f">= {d.genesis.genesis_time}, when the log began"
                raise FieldMismatch(field="anchors.token.time", expected=expected, got=str(fact.time))
            stamps.append(Stamp(token, fact, TreeSize(anchor.tree_size)))
    return tuple(stamps)


def early(d: Decoded, stamps: Sequence[Stamp]) -> Iterator[str]:
    """Whoever shows a stamp older than the checkpoint's own time has a clock that is ahead, or the authority's lags."""
    at = {note.size: d.genesis.checkpoint_timestamp(note.size) for note in d.notes}
    for stamp in stamps:
        if stamp.tree_size is not None and stamp.fact.time < at[stamp.tree_size]:
            lead = at[stamp.tree_size] - stamp.fact.time
            yield f"the timestamp over {stamp.fact.place} is {lead} s older than the checkpoint's own time"


def judged(token: Token, data: bytes, place: str, trust: Trust) -> TokenFact:
    """What a token over `data` says, and which of the verifier's roots, if any, its authority leads to."""
    from hybrid_bridge.core.timestamp_trust import trusted_path, verify_token  # noqa: PLC0415 only if one is shown

    try:
        authority = verify_token(token, data)
    except Missing as error:  # an algorithm that is not known here: nothing is said, nothing refuted
        return _fact(token, place, _UNKNOWN, UnixSeconds(0), ("", error.what))
    path = trusted_path(token, authority.certificate, _roots(trust))
    basis = f"{path[-1].subject.rfc4514_string()}, one of your tsa_roots" if path else ""
    until = min((int(c.not_valid_after_utc.timestamp()) for c in path), default=authority.until)
    return _fact(token, place, authority.name, UnixSeconds(until), (basis, "" if basis else _ROOT))


def _fact(token: Token, place: str, authority: str, until: UnixSeconds, standing: tuple[str, str]) -> TokenFact:
    return TokenFact(
        place=place,
        authority=authority,
        time=token.by,
        until=until,
        hash=token.hash,
        sha256=sha256(token.der),
        basis=standing[0],
        missing=standing[1],
    )


def _roots(trust: Trust) -> list["Certificate"]:
    return [read_certificate(root) for root in trust.tsa_roots]


# ── 13 renewals ──────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_renewals(d: Decoded, trust: Trust, stamps: Sequence[Stamp]) -> tuple[Stamp, ...]:
    """Each renewal is over the bundle with the renewals before it, later than all it covers, and in time (SPEC §14).

    Raises:
        Malformed: a token that cannot be read.
        FieldMismatch: a token over other bytes or by another hash, out of order, or after the one before had run out.
        SignatureWrong: it is not signed by its own certificate.
    """
    renewed: list[Stamp] = []
    for number, part in enumerate(d.bundle.renewals):
        token, place = decode_token(part.token), f"renewal {number}"
        if token.hash != part.hash:
            raise FieldMismatch(field=f"renewals[{number}].hash", expected=token.hash, got=part.hash)
        fact = judged(token, d.bundle.covered(number), place, trust)
        _require_order(number, token, [stamp.token for stamp in (*stamps, *renewed)])
        if renewed and renewed[-1].fact.authority != _UNKNOWN and token.generated // SECOND > renewed[-1].fact.until:
            expected = f"<= {renewed[-1].fact.until}, when the certificate before had run out"
            raise FieldMismatch(field=f"renewals[{number}].time", expected=expected, got=str(fact.time))
        renewed.append(Stamp(token, fact))
    return tuple(renewed)


def _require_order(number: int, token: Token, covered: Sequence[Token]) -> None:
    newest = max((before.generated for before in covered), default=-1)
    if token.generated <= newest:
        got = f"{token.generated} ns"
        raise FieldMismatch(field=f"renewals[{number}].time", expected=f"> {newest} ns, covered by it", got=got)


def run_out(stamps: Sequence[Stamp], renewed: Sequence[Stamp], now: UnixSeconds) -> Iterator[str]:
    """Trusted tokens whose certificate had run out before anything later covered them: their worth fades."""
    trusted = [renewal.fact.time for renewal in renewed if renewal.fact.basis]  # anybody can make one that is not
    for stamp in (*stamps, *renewed[-1:]):
        covering = trusted[0] if trusted and stamp is not renewed[-1] else now
        if stamp.fact.basis and stamp.fact.until < covering:
            ended = utc(stamp.fact.until)
            yield f"the certificate of the timestamp over {stamp.fact.place} ran out on {ended}, unrenewed"
