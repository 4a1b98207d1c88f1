"""What the consortium agreed on before its first block: the document whose hash the genesis record commits to.

It names who may use which power. Nobody can add a power later: another document is another log id.
Source: SPEC §7.1 (policyHash); SCENARIOS S7.
"""

from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.encoding import canonical_json, parse_b64u, parse_canonical_json, sha256
from hybrid_bridge.core.shape import Codec, array, record, text, uint
from hybrid_bridge.errors import FieldMalformed, NotCanonical
from hybrid_bridge.units import Digest

MAX_POLICY: Final = 1 << 16
MAX_HOLDERS: Final = 64
MAX_EPOCHS: Final = 10_000  # of a brake: longer is no emergency
QUORUM: Final = "quorum"  # of the validators
ROLE_NAMES: Final = ("court", "regulator")  # any one member in that role, alone
KEY: Final = "key:"  # this identity key, alone: a named guardian


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """Who may stop what. A holder is `quorum`, `court`, `regulator`, or `key:` and the id of one key.

    All but the quorum act alone: for `alone_max` epochs at most, and at most half of the time on one scope.
    """

    brake_all: tuple[str, ...] = (QUORUM,)
    brake_type: tuple[str, ...] = (QUORUM,)
    brake_member: tuple[str, ...] = (QUORUM,)
    freeze: tuple[str, ...] = ROLE_NAMES
    alone_max: int = 6  # epochs, the one in which it is pulled among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`policy.json`: public, and the same at every member."""

    regulators: tuple[str, ...]  # members' names
    scenario: str = "receivables"
    powers: Powers = field(default_factory=Powers)

    def encode(self) -> bytes:
        """JCS."""
        return canonical_json(_CODEC.write(self))

    @classmethod
    def decode(cls, data: bytes) -> "Policy":
        """The inverse of `encode`.

        Raises:
            Malformed: anything else.
        """
        return _CODEC.parse(parse_canonical_json(data, "policy", MAX_POLICY), "policy")

    @property
    def digest(self) -> Digest:
        """What the genesis record holds."""
        return sha256(self.encode())


def require_holder(holder: str, field: str) -> str:
    """A holder as policies write it.

    Raises:
        FieldMalformed: any other text.
    """
    if holder in (QUORUM, *ROLE_NAMES) or (holder.startswith(KEY) and _is_key(holder.removeprefix(KEY))):
        return holder
    raise FieldMalformed(field=field, rule=f"{QUORUM}, {', '.join(ROLE_NAMES)}, or {KEY} and a key id")


def _is_key(text_: str) -> bool:
    try:
        return len(parse_b64u(text_, "key")) == 32
    except NotCanonical:
        return False


def _holders() -> Codec[tuple[str, ...]]:
    inner = array(Codec(lambda value, field: require_holder(text(64).parse(value, field), field), str), MAX_HOLDERS)

    def parse(value: object, field: str) -> tuple[str, ...]:
        found = inner.parse(value, field)  # type: ignore[arg-type]  # any JSON; refused if no array
        if len(set(found)) != len(found):
            raise FieldMalformed(field=field, rule="each holder once")
        return found

    return Codec(parse, inner.write)


_POWERS: Final = record(
    Powers,
    {
        **{name: _holders() for name in ("brake_all", "brake_type", "brake_member", "freeze")},
        "alone_max": uint(MAX_EPOCHS),
    },
)
_CODEC: Final = record(Policy, {"regulators": array(text(32), MAX_HOLDERS), "scenario": text(64), "powers": _POWERS})
