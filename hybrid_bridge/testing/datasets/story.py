"""The frame of a data set: who takes part, what was meant to happen in order, what a checker must find.

An event is one intended transaction. Amounts, ids and dates are final; a value that begins with `@` names a key of
`keys.json`, so that a set can be played with other members' keys.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hybrid_bridge.core.encoding import Json, b64u, canonical_json
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.synthetic import Keys

START: Final = 1_767_571_200  # 2026-01-05T00:00:00Z, a Monday
CADENCE: Final = 86_400  # one epoch a day keeps two hundred days at two hundred epochs
ZONE: Final = 28_800  # dates are those of UTC+8
DAY: Final = 86_400
_AUTHORITY: Final = "party-ca"

Fields: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A legal entity of the set."""

    role: str  # its short name, e.g. supplier-3
    name: str
    uscc: str
    lei: str = ""
    roles: tuple[str, ...] = ()  # member, node, regulator, court; none: no member

    @property
    def party(self) -> str:
        """As labels name it."""
        return f"USCI:{self.uscc}"


@dataclass(kw_only=True)
class Story:
    """Collects events and expectations while a set is told."""

    seed: str
    keys: Keys = field(init=False)
    now: int = START + 3_600  # 09:00 in the zone
    firms: dict[str, Firm] = field(default_factory=dict)
    events: list[Fields] = field(default_factory=list)
    expected: list[Fields] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = Keys(self.seed)
        self._pace = Stream(self.seed, "pace")
        self.ids = Stream(self.seed, "ids")

    # ── time ──

    def today(self) -> datetime.date:
        """The date in the zone."""
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=(self.now + ZONE) // DAY)

    def epoch(self) -> int:
        """The epoch of the simulated moment."""
        return (self.now - START) // CADENCE + 1

    def skip_days(self, days: int) -> None:
        """Go on at 09:00 some days later."""
        self.now += DAY * days - (self.now + ZONE) % DAY + 9 * 3_600

    def skip_past(self, day: datetime.date) -> None:
        """Go on at 09:00 of the day after `day`."""
        self.skip_days((day - self.today()).days + 1)

    # ── events ──

    def event(
        self,
        schema: str,
        *,
        submitter: str,
        authorisers: Sequence[str],
        fields: Mapping[str, Json],
        audience: Sequence[str],
        more: Fields,
    ) -> int:
        """Append one intended transaction; its number. `more` may have labels, their object, hidden private fields."""
        self.now += self._pace.between(120, 900)
        number = len(self.events)
        event: Fields = {
            "event": number,
            "at": self.now,
            "schema": schema,
            "submitter": submitter,
            "authorisers": list(authorisers),
            "fields": {"event_time": self.now, **fields},
            "audience": list[Json](sorted({*audience, "regulator"})),
            **more,
        }
        self.events.append(event)
        return number

    def expect(
        self, case: str, kind: str, stage: str, at_event: int, expect: str, objects: Sequence[str], note: str
    ) -> None:
        """Say what a checker must find."""
        row: Fields = {
            "case": case,
            "set": "receivables",
            "kind": kind,
            "stage": stage,
            "at_event": at_event,
            "objects": list(objects),
            "expect": expect,
            "by_epoch": self.epoch(),
            "note": note,
        }
        self.expected.append(row)

    def document(self, name: str, data: bytes, media: str = "application/xml") -> Fields:
        """Keep a document; the private fields that name it."""
        self.documents[f"documents/{name}"] = data
        return {
            "doc.0.name": name,
            "doc.0.media": media,
            "doc.0.size": len(data),
            "doc.0.sha256": b64u(hashlib.sha256(data).digest()),
        }

    def party_certificate(self, firm: Firm, key: str) -> str:
        """Whose a party key is: an X.509 certificate of a TEST authority, DER in base64url (SCENARIOS S3)."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, firm.name),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, firm.uscc),
                x509.NameAttribute(NameOID.COMMON_NAME, f"TEST party key {key}"),
            ]
        )
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST registration authority")])
        begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(self.keys.private(key).public_key())
            .serial_number(int.from_bytes(hashlib.sha256(key.encode()).digest()[:15], "big") + 1)
            .not_valid_before(begin)
            .not_valid_after(begin.replace(year=2028))
        )
        return b64u(builder.sign(self.keys.private(_AUTHORITY), None).public_bytes(Encoding.DER))

    # ── files ──

    def _key_names(self) -> set[str]:
        """Every key that a member or an event names."""
        names = {firm.role for firm in self.firms.values() if firm.roles} | {_AUTHORITY}
        for event in self.events:
            authorisers, fields = event["authorisers"], event["fields"]
            if isinstance(authorisers, list) and isinstance(fields, dict):
                names |= {str(name) for name in authorisers}
                names |= {str(value)[1:] for value in fields.values() if str(value).startswith("@")}
        return names

    def files(self) -> dict[str, bytes]:
        """Everything but manifest and story, by path."""
        members: list[Json] = [
            {
                "key": firm.role,
                "name": firm.name,
                "id": firm.party,
                "lei": firm.lei,
                "roles": list(firm.roles),
            }
            for firm in self.firms.values()
            if firm.roles
        ]
        keys: dict[str, Json] = {
            name: {"TEST": True, "ed25519_seed": self.keys.seed_of(name).hex(), "key_id": self.keys.key_id(name)}
            for name in sorted(self._key_names())
        }
        return {
            "members.json": canonical_json(members) + b"\n",
            "keys.json": canonical_json({"TEST": "these keys are public; never use them", "keys": keys}) + b"\n",
            "events.jsonl": b"".join(canonical_json(event) + b"\n" for event in self.events),
            "expected.jsonl": b"".join(canonical_json(row) + b"\n" for row in self.expected),
            **self.documents,
        }
