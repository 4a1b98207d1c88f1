"""Who is in the consortium: the public directory every node starts from, `members.json`.

Nothing in it is believed unseen: identity certificates must come from the consortium's authority, sealing keys must be
signed by the identity key, the validators must be the set of the genesis record.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.cometbft.home import require_peer
from hybrid_bridge.adapters.pki import NAME, identity_of
from hybrid_bridge.business.policy import Policy
from hybrid_bridge.core import cometbft as comet
from hybrid_bridge.core.attestation import Checkpoint, checkpoint_of, verify_quorum
from hybrid_bridge.core.checkpoint import Note, quorum_signatures
from hybrid_bridge.core.cometbft_evidence import ledger_id
from hybrid_bridge.core.encoding import ZERO, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.governance import AUDITOR, COURT, NODE, REGULATOR
from hybrid_bridge.core.governance import MEMBER as MEMBER_ROLE
from hybrid_bridge.core.keys import ED25519, PublicKey
from hybrid_bridge.core.mldsa import KEY_BYTES
from hybrid_bridge.core.note import TYPE_COSIGNATURE, VerifierKey
from hybrid_bridge.core.roll import Roll
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, text
from hybrid_bridge.core.validators import SignedKeyBinding, ValidatorEntry, ValidatorSet, name_hash
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, NotYet, SetMismatch, Unknown
from hybrid_bridge.node.separating import require_separate_public
from hybrid_bridge.node.settings import LOG_MLDSA
from hybrid_bridge.units import Address, Digest, KeyId, LogId, SetId, TreeSize

FORMAT: Final = "hybrid-bridge/members/v1"
POLICY: Final = "policy.json"
MAX_DIRECTORY: Final = 1 << 20
_ROLE_BITS: Final = {"regulator": REGULATOR, "court": COURT, "auditor": AUDITOR}
ROLES: Final = ("member", "validator", "regulator", "sequencer", "court", "auditor")  # member: has no other part


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member as the others know it."""

    name: str
    legal_name: str
    legal_id: str  # LEI:… or USCI:…
    roles: tuple[str, ...]
    endpoint: str
    certificate: bytes  # DER, of the identity key
    sealing_key: bytes  # X25519
    sealing_signature: bytes  # by the identity key
    address: bytes | None = None  # of the attestation key, validators only
    key_binding: bytes | None = None  # 183 bytes, validators only
    mldsa_key: bytes | None = None  # ML-DSA-44, of a validator's second line
    consensus_key: bytes | None = None  # compressed secp256k1: a validator's vote in the consensus engine
    consensus_proof: bytes | None = None  # that key's word for this identity key; a founder's is in its record
    engine: str | None = None  # how others' consensus engines dial this member's: id@host:port

    @property
    def role_bits(self) -> int:
        """Its roles as a MemberUpdate has them (SPEC §7.3)."""
        return MEMBER_ROLE | NODE | sum(bit for name, bit in _ROLE_BITS.items() if name in self.roles)


@dataclass(frozen=True, slots=True)
class Engine:
    """The consensus engine that orders: its chain, and the keys of its first validators."""

    chain_id: str
    validators: tuple[bytes, ...]  # compressed secp256k1, in the order of the members


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    format: str
    origin: str
    log_key: bytes
    members: tuple[Member, ...]
    log_mldsa_key: bytes | None = None
    chain_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Directory:
    """All members, checked: at first the founders, then whom the ledger's governance records name (`node.enrolling`).

    `validators` is set 1 for ever. What follows the ledger is replaced as a whole, part by part.
    """

    origin: str
    genesis: Genesis
    log_key: bytes  # Ed25519, of the log's own note line
    members: tuple[Member, ...]  # of today
    identities: dict[str, PublicKey]  # by name; those who have left stay known
    validators: ValidatorSet
    policy: Policy  # what the genesis record commits to
    log_mldsa_key: bytes | None = None  # ML-DSA-44, of the log's second note line
    engine: Engine | None = None  # None: the embedded ledger, which the sequencer orders
    expected: tuple[Member, ...] = ()  # whose record stands and does not count yet
    known: tuple[Member, ...] = ()  # every card ever, the founders' first
    keys: dict[KeyId, tuple[str, PublicKey]] = field(default_factory=dict)  # every identity key ever, with its name
    roll: Roll = field(init=False)

    def __post_init__(self) -> None:
        """At first nobody is known but the founders."""
        self.known = self.known or self.members
        self.keys = self.keys or {key.key_id: (name, key) for name, key in self.identities.items()}
        owners = {sha256(m.certificate): self.identities[m.name].key_id for m in self.members}
        self.roll = Roll.founded(self.validators, self.genesis.decoy_key_hash, owners)

    @property
    def log_id(self) -> LogId:
        """Of the one log this consortium keeps."""
        return self.genesis.log_id

    @property
    def sequencer(self) -> Member:
        """The founder that has this role, for ever: it orders and alone holds the log's keys, if no engine orders."""
        return next(member for member in self.known if "sequencer" in member.roles)

    @property
    def log_keys(self) -> dict[str, bytes]:
        """What notes and receipts verify by, under the names that the secrets have; without what this log has not."""
        keys = {"log": self.log_key, "receipt": self.genesis.receipt_key, LOG_MLDSA: self.log_mldsa_key}
        return {name: key for name, key in keys.items() if key is not None and key != ZERO}

    def orderers(self, epoch: int) -> list[Member]:
        """Whose nodes take transactions and promise: an epoch's validators' with an engine, else the sequencer's."""
        if self.engine is None:
            return [self.sequencer]
        names = self.names_of(self.responsible(epoch + 1))
        return [member for member in self.members if member.name in names]

    def orders(self, key: KeyId, epoch: int) -> bool:
        """Whether this is the identity key of a validator of this epoch: nobody else's promise counts (SPEC §5)."""
        return key in self.roll.signers(self.responsible(epoch + 1))

    def responsible(self, size: int) -> ValidatorSet:
        """The set responsible for a checkpoint of this size, as far as our blocks tell (SPEC §8.1)."""
        return self.roll.term(size).validators

    def is_member(self, name: str) -> bool:
        """Whether this name is a member's today."""
        return any(member.name == name for member in self.members)

    def lets_in(self, name: str) -> bool:
        """Whether a member of this name may have what members have: who comes soon has to catch up before."""
        return any(member.name == name for member in (*self.members, *self.expected))

    @property
    def engines(self) -> list[str]:
        """How the engines of members are dialled, of those who come soon too."""
        return [member.engine for member in (*self.members, *self.expected) if member.engine is not None]

    def key_ids(self, name: str) -> list[KeyId]:
        """Every identity key that a member has or had: what it said with one, it said."""
        return [key_id for key_id, (owner, _) in self.keys.items() if owner == name]

    def attester(self, name: str, size: int) -> Address | None:
        """The attestation key by which a member is a validator of the set responsible for this size."""
        addresses = self.responsible(size).addresses
        return next((address for address in self.addresses(name) if address in addresses), None)

    def addresses(self, name: str) -> list[Address]:
        """Every attestation key that a member ever had, each once."""
        held = (Address(m.address) for m in self.known if m.name == name and m.address is not None)
        return list(dict.fromkeys(held))

    def names_of(self, validators: ValidatorSet) -> set[str]:
        """The members behind a set's entries, as far as their cards are here.

        The whole entry counts: the address alone is what a card says of itself, and anybody's card can say it.
        """
        entries = set(validators.entries)
        return {m.name for m in self.known if m.address is not None and member_entry(m) in entries}

    def holder(self, entry: ValidatorEntry) -> Member:
        """The member behind a validator's entry, by its card of today if that has this entry.

        Raises:
            NotYet: nobody has shown us its card.
        """
        for member in (*self.members, *reversed(self.known)):
            if member.address == entry.address and member_entry(member) == entry:
                return member
        raise NotYet(what=f"the card of validator 0x{entry.address.hex()}")

    def key(self, key_id: KeyId) -> PublicKey:
        """An identity key, also of a member that has left.

        Raises:
            NotYet: nobody has shown us its card.
        """
        if key_id not in self.keys:
            raise NotYet(what=f"the card of key {key_id.hex()}")
        return self.keys[key_id][1]

    def checkpoint(self, size: TreeSize, root: Digest) -> Checkpoint:
        """The checkpoint somebody speaks of: time and set follow from the size, the root is theirs.

        Raises:
            FieldMalformed: no size of any tree.
        """
        return checkpoint_of(self.genesis, self.responsible(size), size, root)

    def require_quorum(self, note: Note) -> None:
        """Return if a quorum of the responsible validators signed what this note says.

        Raises:
            Malformed, Refuted: it did not; as `quorum_signatures` and `verify_quorum`.
        """
        checkpoint, validators = self.checkpoint(note.size, note.root), self.responsible(note.size)
        verify_quorum(checkpoint, validators, quorum_signatures(note, validators, self.log_id, checkpoint.timestamp))

    def member(self, name: str) -> Member:
        """By name; one that has left, or has not come yet, by its newest card.

        Raises:
            Unknown: no such member.
        """
        for member in (*self.members, *reversed(self.known)):
            if member.name == name:
                return member
        raise Unknown(what=f"member {name[:64]}")

    def member_by(self, key: KeyId) -> Member:
        """The member as the newest card of one of its identity keys has it.

        Raises:
            Unknown: no card of this key is here.
        """
        for member in (*self.members, *reversed(self.known)):
            if self.roll.owners.get(sha256(member.certificate)) == key:
                return member
        raise Unknown(what=f"a card of key {key.hex()}")

    def by_address(self, address: Address) -> Member | None:
        """The member that has or had this attestation key."""
        return next((member for member in self.known if member.address == address), None)

    def cosigner(self, name: str) -> VerifierKey | None:
        """The key by which this member cosigns notes; None if its identity key is not of Ed25519 (SPEC §8.3)."""
        public = self.identities[name]
        if public.scheme != ED25519:
            return None
        return VerifierKey(f"{self.origin}/m/{name}", TYPE_COSIGNATURE, public.spki[-32:])

    def name_of(self, key: KeyId) -> str | None:
        """Whose identity key this is."""
        return self.keys[key][0] if key in self.keys else None


def sealing_message(log_id: LogId, sealing_key: bytes) -> bytes:
    """What the identity key signs about a sealing key."""
    return context("sealing-key") + log_id + sealing_key


def member_entry(member: Member) -> ValidatorEntry:
    """A validator's entry in the set.

    Raises:
        FieldMalformed: no validator.
    """
    if member.address is None or member.key_binding is None:
        raise FieldMalformed(field=f"members.{member.name}", rule="a validator has address and key_binding")
    return ValidatorEntry(
        address=Address(member.address),
        name_hash=name_hash(member.legal_id, member.legal_name),
        certificate_hash=sha256(member.certificate),
        key_binding_hash=SignedKeyBinding.decode(member.key_binding).binding.digest,
    )


def first_set(members: tuple[Member, ...]) -> ValidatorSet:
    """Set 1, in address order."""
    entries = [member_entry(member) for member in members if "validator" in member.roles]
    return ValidatorSet(SetId(1), tuple(sorted(entries, key=lambda entry: entry.address)))


def encode_directory(
    origin: str,
    log_key: bytes,
    members: tuple[Member, ...],
    log_mldsa_key: bytes | None = None,
    chain_id: str | None = None,
) -> bytes:
    """The text of `members.json`."""
    document = _Document(
        format=FORMAT, origin=origin, log_key=log_key, members=members, log_mldsa_key=log_mldsa_key, chain_id=chain_id
    )
    return canonical_json(_CODEC.write(document))


def ledger_of(origin: str, chain_id: str | None, members: tuple[Member, ...]) -> tuple[Engine | None, Digest]:
    """Who orders, and the ledger id that the genesis record has then (SPEC §5).

    Raises:
        FieldMalformed: with an engine every validator has a consensus key and nobody else, without one nobody has.
    """
    keys = tuple(member.consensus_key for member in members if member.consensus_key is not None)
    voting = [member for member in members if "validator" in member.roles]
    wanted = [] if chain_id is None else [member.consensus_key for member in voting]
    if list(keys) != wanted:
        raise FieldMalformed(field="members.consensus_key", rule="every validator's under an engine, and nobody else's")
    if chain_id is None:
        return None, sha256(context("ledger") + b"embedded/1\x00" + origin_hash(origin))
    first = comet.ValidatorSet(tuple(comet.Validator(comet.SECP256K1, key, 1) for key in keys))
    return Engine(chain_id, keys), ledger_id(chain_id, first)


def parse_members(data: bytes) -> tuple[Member, ...]:
    """The members of a `members.json`, of its form and no more: nothing in it is checked against anything.

    Raises:
        Malformed: not the form.
    """
    return _CODEC.parse(parse_canonical_json(data, "members", MAX_DIRECTORY), "members").members


def read_directory(folder: Path) -> Directory:
    """Directory, genesis record and authority in `folder`, each checked against the others.

    Raises:
        Malformed: a file is missing, unreadable or not of its form.
        Refuted: they contradict one another.
    """
    genesis = Genesis.decode(_read(folder / "genesis.bin"))
    document = _CODEC.parse(parse_canonical_json(_read(folder / "members.json"), "members", MAX_DIRECTORY), "members")
    roots = _read(folder / "ca.pem")
    names = [member.name for member in document.members]
    if len(set(names)) != len(names) or sum("sequencer" in m.roles for m in document.members) != 1:
        raise FieldMalformed(field="members", rule="names once, exactly one sequencer")
    if sha256(document.origin.encode("ascii")) != genesis.origin_hash:
        raise FieldMismatch(field="origin", expected=genesis.origin_hash.hex(), got=document.origin)
    addresses = {member.name: member.address for member in document.members if member.address is not None}
    votes = {member.name: member.consensus_key for member in document.members if member.consensus_key is not None}
    require_separate_public(addresses, votes)
    engine, own_id = ledger_of(document.origin, document.chain_id, document.members)
    if own_id != genesis.ledger_id:
        raise FieldMismatch(field="ledger_id", expected=genesis.ledger_id.hex(), got=own_id.hex())
    mldsa = document.log_mldsa_key
    if (ZERO if mldsa is None else sha256(mldsa)) != genesis.log_mldsa_key_hash:
        raise FieldMismatch(field="log_mldsa_key", expected=genesis.log_mldsa_key_hash.hex(), got="another or none")
    policy = _policy(folder, genesis)
    identities = {member.name: identity_in(member, roots, genesis) for member in document.members}
    validators = first_set(document.members)
    if validators.digest != genesis.set_hash:
        raise SetMismatch(expected=genesis.set_hash, calculated=validators.digest)
    return Directory(
        origin=document.origin,
        genesis=genesis,
        log_key=document.log_key,
        members=document.members,
        identities=identities,
        validators=validators,
        log_mldsa_key=mldsa,
        engine=engine,
        policy=policy,
    )


def _policy(folder: Path, genesis: Genesis) -> Policy:
    """Who may stop what: fixed by the genesis record, so nobody's own copy can say more."""
    policy = Policy.decode(_read(folder / POLICY))
    if policy.digest != genesis.policy_hash:
        raise FieldMismatch(field="policy", expected=genesis.policy_hash.hex(), got=policy.digest.hex())
    return policy


def identity_in(member: Member, roots: bytes, genesis: Genesis) -> PublicKey:
    """The member's identity key, when certificate, sealing key and key binding fit together.

    Raises:
        Malformed, Refuted: they do not, or the certificate is not of these roots (PEM).
    """
    key = identity_of(member.certificate, roots, member.name)
    key.verify(sealing_message(genesis.log_id, member.sealing_key), member.sealing_signature)
    if member.key_binding is not None:
        signed = SignedKeyBinding.decode(member.key_binding)
        signed.verify(key)
        mldsa = ZERO if member.mldsa_key is None else sha256(member.mldsa_key)
        for field, expected, got in (
            ("origin_hash", genesis.origin_hash, signed.binding.origin_hash),
            ("certificate_hash", sha256(member.certificate), signed.binding.certificate_hash),
            ("address", member.address or b"", signed.binding.address),
            ("mldsa_key", mldsa, signed.binding.mldsa_key_hash),
        ):
            if expected != got:
                raise FieldMismatch(field=f"{member.name}.{field}", expected=expected.hex(), got=got.hex())
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_DIRECTORY + 1)
    except OSError:
        raise FieldMalformed(field=path.name, rule="a readable file") from None


def _slug() -> Codec[str]:
    inner = text(32)

    def parse(value: object, field: str) -> str:
        name = inner.parse(value, field)  # type: ignore[arg-type]  # any JSON; refused if no text
        if not NAME.fullmatch(name):
            raise FieldMalformed(field=field, rule=f"like {NAME.pattern}")
        return name

    return Codec(parse, str)


def _peer() -> Codec[str]:
    inner = text(256)

    def parse(value: object, field: str) -> str:
        peer = inner.parse(value, field)  # type: ignore[arg-type]  # any JSON; refused if no text
        require_peer(peer)
        return peer

    return Codec(parse, str)


MEMBER: Final = record(
    Member,
    {
        "name": _slug(),
        "legal_name": text(256),
        "legal_id": text(64),
        "roles": array(literal(*ROLES), len(ROLES)),
        "endpoint": text(256),
        "certificate": octets(None, 8192),
        "sealing_key": octets(32),
        "sealing_signature": octets(64),
    },
    {
        "address": octets(20),
        "key_binding": octets(183),
        "mldsa_key": octets(KEY_BYTES),
        "consensus_key": octets(33),
        "consensus_proof": octets(64),
        "engine": _peer(),
    },
)
_CODEC: Final = record(
    _Document,
    {
        "format": literal(FORMAT),
        "origin": text(200),
        "log_key": octets(32),
        "members": array(MEMBER, 256),
    },
    {"log_mldsa_key": octets(KEY_BYTES), "chain_id": text(50)},
)
