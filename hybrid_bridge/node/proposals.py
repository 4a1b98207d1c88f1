"""A proposal on its way between those who decide on it: governance records, and what they have only the hash of.

Private among members: it may hold sealed secrets, and for a newcomer the registry of epoch 0. A node keeps those that
its owner approved or that stand behind the ledger's records, and hands them to peers. Source: ADR 35; SPEC §4, §7.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.hpke_sealer import open_envelope, seal
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.core.encoding import Reader, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.governance import GovernanceRecord, SetUpdate, decode_governance
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.shape import array, literal, octets, record, text, uint
from hybrid_bridge.core.transaction import Body, GovernancePayload, SignaturePart
from hybrid_bridge.errors import FieldMismatch, TooLong
from hybrid_bridge.node.cards import CARD, Card
from hybrid_bridge.node.directory import Member
from hybrid_bridge.node.settings import LOG_KEYS
from hybrid_bridge.units import Digest, EpochNumber, KeyId, LogId, Sequence

FORMAT: Final = "hybrid-bridge/proposal/v1"
CONSENTS: Final = "hybrid-bridge/consents/v1"
MAX_PROPOSAL: Final = 1 << 21
MAX_REGISTRY: Final = 1 << 20  # bytes of the registry of epoch 0
MAX_CONSENTS: Final = 1 << 14
MAX_RECORDS: Final = 4
MAX_SECRETS: Final = 68  # of a set of 64, and four for a newcomer
MAX_RECORD: Final = 8512  # a set of 64
MAX_KEPT: Final = 4096  # of our own people's: approved or enacted here
MAX_HANDED: Final = 256  # of each peer's
ADMIT, SUSPEND, REINSTATE, REMOVE, ROTATE = "admit", "suspend", "reinstate", "remove", "rotate-key"
KINDS: Final = (ADMIT, SUSPEND, REINSTATE, REMOVE, ROTATE)
SET, VRF = "set", "vrf"  # what is handed; of the log's keys each by its own name
FOLDER: Final = "proposals"
_SUFFIX: Final = ".json"
_STANDS: Final = ".=.json"  # no member is called so
_DIGITS: Final = 64  # of the hash with which a file's name begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One secret for one member, sealed to its sealing key."""

    name: str
    kind: str  # set: of the new validator set; vrf, log, log_mldsa, receipt: the log's
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What shall change, who is to consent, and all that is needed to judge it."""

    format: str = FORMAT
    log_id: bytes
    kind: str
    name: str  # of the member that it is about
    reason: str
    records: tuple[bytes, ...]  # of one transaction, in their order
    authorisers: tuple[bytes, ...]  # identity keys, ascending
    expires_epoch: int
    cards: tuple[Card, ...] = ()
    secrets: tuple[Handed, ...] = field(default=(), repr=False)
    registry: bytes | None = field(default=None, repr=False)  # pairs of epoch 0, for a newcomer

    def encode(self) -> bytes:
        """JCS."""
        return canonical_json(_CODEC.write(self))

    @property
    def digest(self) -> Digest:
        """What consents name."""
        return sha256(self.encode())

    @property
    def leaves(self) -> tuple[Digest, ...]:
        """Of its records in the governance tree."""
        return tuple(leaf_hash(data) for data in self.records)

    def decoded(self) -> tuple[GovernanceRecord, ...]:
        """Its records.

        Raises:
            Malformed, SetMismatch: one is none.
        """
        return tuple(decode_governance(data) for data in self.records)

    def body(self) -> Body:
        """The one transaction of all its records; submitter and sequence are put in last, no consent covers them."""
        return Body(
            log_id=LogId(self.log_id),
            submitter=KeyId(bytes(32)),
            sequence=Sequence(0),
            expires_epoch=EpochNumber(self.expires_epoch),
            authorisers=tuple(KeyId(key) for key in self.authorisers),
            payload=GovernancePayload(self.records),
        )

    def secret_for(self, member: Member, sealing_key: bytes, kind: str, commitment: bytes) -> bytes | None:
        """A secret that was sealed to us; None if there is none.

        Raises:
            EnvelopeUnopenable: it was sealed to another key, for another log or commitment.
        """
        info = handed_info(self.log_id, member.sealing_key, commitment)
        for handed in self.secrets:
            if (handed.name, handed.kind) == (member.name, kind):
                return open_envelope(sealing_key, info, handed.envelope)
        return None


def parse_proposal(data: bytes) -> Proposal:
    """The inverse of `Proposal.encode`.

    Raises:
        Malformed: no proposal.
    """
    return _CODEC.parse(parse_canonical_json(data, "proposal", MAX_PROPOSAL), "proposal")


def handed_info(log_id: bytes, sealing_key: bytes, commitment: bytes) -> bytes:
    """What binds a sealed secret to its log, its recipient and what is known of it (SPEC §10)."""
    return context("handed-secret") + log_id + sha256(sealing_key) + commitment


def handed(log_id: bytes, member: Member, kind: str, secret: bytes, commitment: bytes) -> Handed:
    """A secret, sealed to a member. `commitment`: decoyKeyHash of the set, or what the genesis record has of a key."""
    info = handed_info(log_id, member.sealing_key, commitment)
    return Handed(name=member.name, kind=kind, envelope=seal(member.sealing_key, info, secret))


# ── consents ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """One authoriser's signature on a proposal: on all of its records together."""

    format: str = CONSENTS
    proposal: bytes
    signature: bytes

    def encode(self) -> bytes:
        """JCS."""
        return canonical_json(_CONSENTS.write(self))

    def part(self, proposal: Proposal) -> SignaturePart:
        """As the proposal's transaction carries it.

        Raises:
            FieldMismatch: of another proposal.
            Malformed: no signature.
        """
        if self.proposal != proposal.digest:
            raise FieldMismatch(field="consents.proposal", expected=proposal.digest.hex(), got=self.proposal.hex())
        reader = Reader(self.signature)
        part = SignaturePart.read(reader)
        reader.end("signature")
        return part


def parse_consents(data: bytes) -> Consents:
    """The inverse of `Consents.encode`.

    Raises:
        Malformed: no consents.
    """
    return _CONSENTS.parse(parse_canonical_json(data, "consents", MAX_CONSENTS), "consents")


# ── kept ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class ProposalStore:
    """A folder of proposals, each under its own hash and, if a peer handed it, that peer's name.

    Each source has a share of its own, so none can fill it for another; nothing is taken out to make room. What stands
    in the ledger takes no share any more: a quorum decided on it, and that bounds it.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: of the member."""
        self._folder = folder / FOLDER
        self._read: dict[str, Proposal] = {}  # by file name: a file never changes

    def keep(self, proposal: Proposal, source: str = "") -> None:
        """Write it down, whole or not at all; again is no change. `source`: the peer's name; none for our own people.

        Raises:
            TooLong: the share of this source is full.
        """
        if self._files(proposal):
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        limit, own = (MAX_HANDED, f".{source}{_SUFFIX}") if source else (MAX_KEPT, _SUFFIX)
        if sum(path.name[_DIGITS:] == own for path in self._folder.iterdir()) >= limit:
            raise TooLong(field=FOLDER, limit=limit, got=limit + 1)
        write_whole(self._folder / (proposal.digest.hex() + own), proposal.encode(), 0o600)

    def settle(self, proposal: Proposal) -> None:
        """It stands in the ledger, and is kept for whoever asks; again is no change."""
        for path in self._files(proposal):
            settled = path.with_name(path.name[:_DIGITS] + _STANDS)
            path.replace(settled)
            self._read.pop(path.name, None)

    def drop(self, proposal: Proposal) -> None:
        """Take it out, whoever it is of."""
        for path in self._files(proposal):
            path.unlink(missing_ok=True)
            self._read.pop(path.name, None)

    def _files(self, proposal: Proposal) -> list[Path]:
        return list(self._folder.glob(f"{proposal.digest.hex()}*{_SUFFIX}"))

    def all(self) -> Iterator[Proposal]:
        """Every one, in the order of their hashes.

        Raises:
            Malformed: a file of the folder is none.
        """
        for path in sorted(self._folder.glob("*" + _SUFFIX)):
            if path.name not in self._read:
                try:
                    with path.open("rb") as file:
                        data = file.read(MAX_PROPOSAL + 1)
                except FileNotFoundError:
                    continue  # dropped since we looked
                self._read[path.name] = parse_proposal(data)
            yield self._read[path.name]

    def replaces(self, set_hash: Digest, key: KeyId) -> bool:
        """Whether one that this identity key is asked for puts another set in the place of the one with this hash."""
        found = [(p, one) for p in self.all() for one in p.decoded() if isinstance(one, SetUpdate)]
        leaves = {leaf_hash(one.encode()) for _, one in found if one.set_hash == set_hash}
        return any(one.replaces in leaves and key in proposal.authorisers for proposal, one in found)

    def with_record(self, leaf: Digest) -> Proposal | None:
        """One that has this governance record."""
        return next((proposal for proposal in self.all() if leaf in proposal.leaves), None)


_CODEC: Final = record(
    Proposal,
    {
        "format": literal(FORMAT),
        "log_id": octets(32),
        "kind": literal(*KINDS),
        "name": text(32),
        "reason": text(1024),
        "records": array(octets(None, MAX_RECORD), MAX_RECORDS),
        "authorisers": array(octets(32), 64),
        "expires_epoch": uint(),
        "cards": array(CARD, 1),
        "secrets": array(
            record(Handed, {"name": text(32), "kind": literal(SET, VRF, *LOG_KEYS), "envelope": octets(None, 128)}),
            MAX_SECRETS,
        ),
    },
    {"registry": octets(None, MAX_REGISTRY)},
)
_CONSENTS: Final = record(
    Consents, {"format": literal(CONSENTS), "proposal": octets(32), "signature": octets(None, 256)}
)
