"""Values that say whose word they are. Nothing is shown without: design D12, ADR 51."""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.units import MAX_U64

BUILDER: Final = "builder"
LOG_ID: Final = "log_id"
CHAIN: Final = "chain"
SIGNATURE: Final = "signature"
COPY: Final = "copy"
CLAIMED: Final = "claimed"
CERTIFIED: Final = "certified"
CERTIFICATE: Final = "certificate"
WORD: Final = "word"
NOBODY: Final = "nobody"

SOURCES: Final[Mapping[str, str]] = {
    BUILDER: "typed in by whoever built this: compare it with what you know from elsewhere",
    LOG_ID: "the genesis record, of which the log id is the hash; or computed from it",
    CHAIN: "the public chain, or computed from it: {basis}",
    SIGNATURE: "a signature in a public transaction or under a note, checked when this was built",
    COPY: "a log copy, proven against an anchored root; times in it are of the consortium's clock",
    CLAIMED: "a log copy's own word, which nobody checked",
    CERTIFIED: "a certificate of an authority that whoever built this trusts",
    CERTIFICATE: "what a certificate says of itself; its hash stands in the validator set",
    WORD: "the consortium's own word: a hash in the validator set binds it to that, and nobody else vouches for it",
    NOBODY: "not shown to whoever built this",
}

Marked = dict[str, Json]  # {"value": …, "source": one of SOURCES}
Value: TypeAlias = "Json | bytes"


def mark(source: str, value: Value) -> Marked:
    """A value and its source; bytes as 0x text. No value: the source says that there is none.

    A number that no reader of JSON has exactly is a text: members may sign any size of 64 bits (CONTRACT §3.6).
    """
    if isinstance(value, bytes):
        return {"value": f"0x{value.hex()}", "source": source}
    if isinstance(value, int) and abs(value) > MAX_U64:
        return {"value": str(value), "source": source}
    return {"value": value, "source": source}


def mark_if(source: str, value: Value) -> Marked:
    """As `mark`; no value: nobody showed one."""
    return mark(NOBODY if value is None or value == "" else source, value)


def marked(source: str, **values: Value) -> dict[str, Json]:
    """Several of one source."""
    return {name: mark(source, value) for name, value in values.items()}


def addresses(of: Collection[bytes]) -> list[Json]:
    """As 0x texts."""
    return [f"0x{address.hex()}" for address in of]
