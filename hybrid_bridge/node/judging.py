"""A proposal as a member judges it before it consents: what it changes, in words, or why it cannot be.

Everything that its records have only the hash of is looked at: cards, the secret of the new set. What is told to people
is said from the records themselves, not from what the proposal calls itself. Source: SPEC §7.3; ADR 35, 42, 43.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from hybrid_bridge.adapters.cometbft.home import require_peer
from hybrid_bridge.adapters.crl import pem_of
from hybrid_bridge.business.execution import apply_decision
from hybrid_bridge.business.membership import newest_update
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.epoch import closed_at
from hybrid_bridge.core.evidence import utc
from hybrid_bridge.core.governance import (
    ADD,
    REINSTATE,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    GovernanceRecord,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.keys import PublicKey
from hybrid_bridge.core.ledger_state import Overlay, consensus_key, consensus_owner_key, entry_key
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.secret import decoy_key_hash
from hybrid_bridge.core.signing import address_of_compressed
from hybrid_bridge.core.validators import ValidatorEntry, name_hash
from hybrid_bridge.errors import AdmissionRejected, FieldMalformed, FieldMismatch, Missing, NotYet
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.directory import Member, member_entry
from hybrid_bridge.node.enrolling import Enrolment
from hybrid_bridge.node.log_keys import require_kept, told_of
from hybrid_bridge.node.naming import require_none_left, require_one_key, require_own_key, require_own_names
from hybrid_bridge.node.proposals import ROTATE, SET, Proposal
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, EpochNumber, KeyId, SetId

_READABLE: Final = ("endpoint", "engine", "roles")
_UNREADABLE: Final = ("certificate", "sealing_key", "address", "mldsa_key", "consensus_key")


class Judge:
    """One member's eye on the consortium's decisions."""

    def __init__(self, view: View, desk: Desk, enrolment: Enrolment, unrevoked: Callable[[bytes], None]) -> None:
        """`unrevoked`: returns if no list in force names this certificate (PEM)."""
        self._view, self._desk, self._roots, self._unrevoked = view, desk, enrolment.roots, unrevoked
        self._store = enrolment.store

    def card(self, card: Card, *, is_known: bool) -> PublicKey:
        """Return the identity key of a newcomer's card, or of another one of somebody who is here, if it may be taken.

        Raises:
            Malformed, Refuted, CertificateRefused, CertificateRevoked, AdmissionRejected: it may not.
        """
        directory, member = self._view.directory, card.member
        key = card.verify(self._roots, directory.genesis, self._view.clock.now())
        self._unrevoked(pem_of(member.certificate))
        says, holds = "sequencer" in member.roles, member.name == directory.sequencer.name
        if says != holds and (says or directory.engine is None):  # with an engine it has no meaning any more
            raise AdmissionRejected(rule="the sequencer's role stays with its holder")
        self._judge_engine(member, key.key_id)
        # A card proves its identity key alone: whoever states another's address would be taken for it, and whoever
        # states another's ML-DSA key could show its line as a second one.
        if member.address is not None and self._is_anothers(member):
            raise AdmissionRejected(rule="an attestation key that no other member has or had")
        require_own_names(directory, member, self._coming())
        require_own_key(directory, member, key.key_id)
        if not directory.is_member(member.name):
            if is_known:
                raise AdmissionRejected(rule="a member of today")
            return key
        here = directory.member(member.name)
        if (here.legal_name, here.legal_id) != (member.legal_name, member.legal_id):
            raise AdmissionRejected(rule="the legal name and id that this member has")
        if is_known and holds and directory.engine is None and directory.name_of(key.key_id) is None:
            raise AdmissionRejected(rule="the identity key of the member that orders stays")
        return key

    def _coming(self) -> Iterator[Member]:
        """On the cards of decisions that we have consented to, stand in no block yet, and still may."""
        own, now = self._view.keys.identity.public.key_id, self._desk.epoch()
        for proposal in self._store.all():
            is_open = own in proposal.authorisers and proposal.expires_epoch >= now
            if proposal.cards and is_open and not self.stands(proposal):
                yield from (card.member for card in proposal.cards)

    def _is_anothers(self, member: Member) -> bool:
        """Whether another member has or ever had one of the keys by which it attests."""
        others = [other for other in self._view.directory.known if other.name != member.name]
        return any(
            other.address == member.address or (other.mldsa_key is not None and other.mldsa_key == member.mldsa_key)
            for other in others
        )

    def _judge_engine(self, member: Member, key_id: KeyId) -> None:
        """A name, and of a validator a key, that nobody else's engine has or had."""
        directory = self._view.directory
        if (member.consensus_key is not None) != (directory.engine is not None and member.address is not None):
            raise AdmissionRejected(rule="a consensus key of each validator, under a consensus engine alone")
        if (member.engine is not None) != (directory.engine is not None):
            raise AdmissionRejected(rule="an engine of each member, under a consensus engine alone")
        if member.engine is None:
            return
        others = [other.engine for other in directory.known if other.name != member.name and other.engine is not None]
        if require_peer(member.engine) in map(require_peer, others):
            raise AdmissionRejected(rule="an engine that no other member has or had")
        if member.consensus_key is not None and self._owner_of(member.consensus_key) not in (None, key_id):
            raise AdmissionRejected(rule="a consensus key that no other identity key has or had")

    def _owner_of(self, consensus: bytes) -> bytes | None:
        with self._view.ledger.state() as state:
            return state.get(consensus_owner_key(address_of_compressed(consensus)))

    def bound_key(self, key_id: KeyId) -> bytes | None:
        """The consensus key of an identity key, as the ledger has it now."""
        with self._view.ledger.state() as state:
            return state.get(consensus_key(key_id))

    def holder(self, entry: ValidatorEntry, card: Card | None) -> Member:
        """The member behind an entry of the next set: by the card that comes with it, or as we know it."""
        if card is not None and card.member.address == entry.address:
            return card.member
        return self._view.directory.holder(entry)

    def judge(self, proposal: Proposal) -> list[str]:
        """What it changes, in words, once everything behind its records fits and may be taken now.

        Raises:
            Malformed, Refuted, CertificateRefused, AdmissionRejected: it does not.
            RuleRejected: the ledger would refuse it.
            NotYet: our blocks are not so far, or another set is pending.
        """
        directory = self._view.directory
        if proposal.log_id != directory.log_id:
            raise FieldMismatch(field="proposal.log_id", expected=directory.log_id.hex(), got=proposal.log_id.hex())
        if self.stands(proposal):
            return [f"{proposal.kind} {proposal.name}: stands already, nothing changes by it"]
        if proposal.expires_epoch < self._desk.epoch():
            raise AdmissionRejected(rule=f"enacted by epoch {proposal.expires_epoch}")
        for card in proposal.cards:
            self.card(card, is_known=proposal.kind == ROTATE)
        said = [f"{proposal.kind} {proposal.name}: {proposal.reason or 'no reason given'}"]
        records = proposal.decoded()
        for record in records:
            said += self._judge_record(record, proposal)
        self._require_bounded(proposal, records)
        named = {record.card_hash for record in records if isinstance(record, MemberUpdate)}
        if not {card.digest for card in proposal.cards} <= named:
            raise FieldMalformed(field="proposal.cards", rule="each named by a record")
        self.require_accepted(proposal)
        said += told_of(proposal)
        names = sorted(directory.name_of(KeyId(key)) or key.hex() for key in proposal.authorisers)
        said += self._when(records)
        said.append(f"approved by {', '.join(names)}; in a block by epoch {proposal.expires_epoch}, or never")
        return said

    def _when(self, records: Sequence[GovernanceRecord]) -> list[str]:
        """By the calendar: nobody sees that an epoch is years away."""
        starts = [int(record.from_epoch) for record in records if isinstance(record, MemberUpdate)]
        starts += [record.effective_from_size - 1 for record in records if isinstance(record, SetUpdate)]
        genesis = self._view.directory.genesis
        dates = sorted({closed_at(genesis, EpochNumber(start - 1)) for start in starts if start})
        return [f"it counts from {' and '.join(map(utc, dates))} on"] if dates else []

    def _require_bounded(self, proposal: Proposal, records: Sequence[GovernanceRecord]) -> None:
        """It can stand in no block of its own date or later, nor once the set that it replaces is in charge."""
        last = [record.from_epoch - 1 for record in records if isinstance(record, MemberUpdate)]
        for record in records:
            if isinstance(record, SetUpdate):
                last.append(record.effective_from_size - 2)
                last += [self._view.directory.roll.terms[-1].first_size - 2] if record.replaces != ZERO else []
        if last and proposal.expires_epoch > min(last):
            raise FieldMalformed(field="proposal.expires_epoch", rule=f"at most {min(last)}")

    def require_accepted(self, proposal: Proposal) -> None:
        """The ledger would take all of it, as it stands: nobody consents to what is refused on the record later.

        Raises:
            RuleRejected: it would not.
        """
        with self._view.ledger.state() as state:
            apply_decision(Overlay(state), self._view.chain.rules, proposal.records, self._desk.epoch())

    def _judge_record(self, record: GovernanceRecord, proposal: Proposal) -> list[str]:
        log_id = self._view.directory.log_id
        if record.log_id != log_id:
            raise FieldMismatch(field="record.log_id", expected=log_id.hex(), got=record.log_id.hex())
        if isinstance(record, MemberUpdate):
            return [self._judge_update(record, proposal)]
        if isinstance(record, SetUpdate):
            return self._judge_set(record, proposal)
        if isinstance(record, ConsensusKey):
            return [self._judge_consensus(record, proposal)]
        raise FieldMalformed(field="proposal.records", rule="of members, sets and consensus keys")

    def _judge_update(self, record: MemberUpdate, proposal: Proposal) -> str:
        """Whom it names must be known: by the card that comes with it, or by what we know."""
        member = self._named(record, proposal)
        if record.name_hash != name_hash(member.legal_id, member.legal_name):
            raise FieldMismatch(field="record.name_hash", expected=member.legal_name, got=record.name_hash.hex())
        if record.reason_hash != hashed_reason(proposal.reason):
            raise FieldMismatch(field="record.reason_hash", expected="of the reason given", got="of another")
        if record.action in (REMOVE, SUSPEND) and not self._goes_on(member.name, record, proposal):
            newest = self._view.directory.roll.terms[-1].validators
            require_kept(self._view, {member.name}, self._view.directory.names_of(newest))
        self._require_newest(record)
        if record.action == ADD:
            require_one_key(self._view.directory, member.name, record, proposal)
        if record.action in (REMOVE, SUSPEND):
            with self._view.ledger.state() as state:
                require_none_left(self._view.directory, member.name, proposal, state)
        words = {
            ADD: "becomes a member",
            REMOVE: "is no member any more",
            REPLACE_CERTIFICATE: "has another card",
            SUSPEND: "is suspended",
            REINSTATE: "is reinstated",
        }[record.action]
        who = f"{member.name} ({member.legal_name}, {member.legal_id})"
        said = f"from epoch {record.from_epoch} {who} {words}, roles {record.roles}, key {record.key_id.hex()[:16]}"
        return said + (self._other_on(member) if record.action == REPLACE_CERTIFICATE else "")

    def _goes_on(self, name: str, removed: MemberUpdate, proposal: Proposal) -> bool:
        """Whether a member goes on, under an engine, by a key that this proposal adds, and is never none between."""
        cards = {card.digest for card in proposal.cards if card.member.name == name}
        added = (one for one in proposal.decoded() if isinstance(one, MemberUpdate) and one.action == ADD)
        counts = any(one.card_hash in cards and one.from_epoch <= removed.from_epoch for one in added)
        return self._view.directory.engine is not None and counts

    def _other_on(self, member: Member) -> str:
        """What a card says otherwise than the one of today."""
        here = self._view.directory.member(member.name)
        other = [
            f"{name} {getattr(member, name)}" for name in ("endpoint", "engine", "roles") if differ(here, member, name)
        ]
        other += [f"another {name}" for name in _UNREADABLE if differ(here, member, name)]
        return ": " + ", ".join(other)

    def _require_newest(self, record: MemberUpdate) -> None:
        """It decides on what stands today of this key, not on what stood when somebody wrote it."""
        with self._view.ledger.state() as state:
            if record.replaces == newest_update(state, record.key_id):
                return
            if record.replaces != ZERO and state.get(entry_key(record.replaces)) is None:
                raise NotYet(what=f"the block with governance record {record.replaces.hex()}")
        raise AdmissionRejected(rule="decided on what stands today; write another proposal")

    def _named(self, record: MemberUpdate, proposal: Proposal) -> Member:
        directory = self._view.directory
        for card in proposal.cards:
            if (card.digest, card.certificate_hash) == (record.card_hash, record.certificate_hash):
                key = card.identity(self._roots, directory.genesis)
                if key.key_id != record.key_id or record.roles != card.roles:
                    raise FieldMismatch(field="record", expected="key and roles of the card", got="others")
                return card.member
        for member in directory.known:
            if sha256(member.certificate) == record.certificate_hash and record.action not in (
                ADD,
                REPLACE_CERTIFICATE,
            ):
                return member
        raise Missing(what=f"the card of certificate {record.certificate_hash.hex()}")

    def _judge_consensus(self, record: ConsensusKey, proposal: Proposal) -> str:
        """It binds the key of the card that comes with it, in place of the one that is bound now."""
        for card in proposal.cards:
            key_id = card.identity(self._roots, self._view.directory.genesis).key_id
            if record != card.consensus(key_id, record.replaces, hashed_reason(proposal.reason)):
                break
            present = self.bound_key(key_id)
            if record.replaces != (ZERO if present is None else sha256(present)):
                raise AdmissionRejected(rule="decided on what stands today; write another proposal")
            return f"{card.member.name} votes in the engine by key {record.key.hex()}, once it sits in the set"
        raise FieldMismatch(field="record.consensus_key", expected="of the card, for its identity key", got="another")

    def _judge_set(self, record: SetUpdate, proposal: Proposal) -> list[str]:
        """Each validator is known, and ours among them opens what the set shares."""
        directory = self._view.directory
        newest = self._require_next(record)
        card = proposal.cards[0] if proposal.cards else None
        holders = [self.holder(entry, card) for entry in record.validators.entries]
        if card is not None and card.member in holders and member_entry(card.member) not in record.validators.entries:
            raise FieldMismatch(field="record.entries", expected="that of the card", got="another")
        self._require_secrets(record, proposal, holders)
        before = {directory.holder(entry).name for entry in newest.validators.entries}
        after = {member.name for member in holders}
        require_kept(self._view, before - after, after)
        moved = [f"+{name}" for name in sorted(after - before)] + [f"-{name}" for name in sorted(before - after)]
        first = f"from size {record.effective_from_size} set {record.set_id} attests: {', '.join(sorted(after))}"
        kept = [m.name for m in holders if m.name in before and m.address not in newest.validators.addresses]
        changed = ", ".join(moved + [f"{name} with another key" for name in kept]) or "the same members"
        said = [first, f"  {changed}; {record.validators.quorum} of {record.n} are a quorum"]
        if record.replaces != ZERO:
            said.append(f"  the set that was to attest from size {newest.first_size} never does")
            said += self._against_present(record, newest, after)
        return said

    def _against_present(self, record: SetUpdate, waited: Term, after: set[str]) -> list[str]:
        """What a set in the place of one that waits does to the one in charge, and who sits longer by it."""
        directory = self._view.directory
        now = directory.names_of(directory.responsible(self._desk.epoch() + 1))
        moved = [f"+{name}" for name in sorted(after - now)] + [f"-{name}" for name in sorted(now - after)]
        said = [f"  against the set in charge: {', '.join(moved) or 'the same members'}"]
        longer = sorted(now - directory.names_of(waited.validators))
        if longer and record.effective_from_size > waited.first_size:
            said.append(f"  {', '.join(longer)} sits on until size {record.effective_from_size - 1}")
        return said

    def _require_next(self, record: SetUpdate) -> Term:
        """The set that it follows or, if one waits, takes the place of.

        Raises:
            FieldMismatch, AdmissionRejected: it does neither, as things stand today.
        """
        roll = self._view.directory.roll
        before, newest = roll.term_of(SetId(record.set_id - 1)), roll.terms[-1]
        if before is None or record.previous_set_hash != before.validators.digest:
            expected = (newest if before is None else before).validators.digest.hex()
            raise FieldMismatch(field="record.previous_set_hash", expected=expected, got="of another set")
        waits = newest.first_size > self._desk.epoch() + 1
        if (before is newest, record.replaces) != ((False, newest.leaf) if waits else (True, ZERO)):
            raise AdmissionRejected(rule="decided on what stands today; write another proposal")
        return newest

    def _require_secrets(self, record: SetUpdate, proposal: Proposal, holders: Sequence[Member]) -> None:
        given = {one.name for one in proposal.secrets if one.kind == SET}
        if lacking := [member.name for member in holders if member.name not in given]:
            raise Missing(what=f"the new set's secret, sealed to {lacking[0]}")
        ours = next((member for member in holders if member.name == self._view.name), None)
        if ours is None:
            return
        secret = proposal.secret_for(ours, self._view.keys.sealing, SET, record.decoy_key_hash)
        if secret is None or decoy_key_hash(secret) != record.decoy_key_hash:
            raise FieldMismatch(field="secrets.set", expected=record.decoy_key_hash.hex(), got="another secret")

    def stands(self, proposal: Proposal) -> bool:
        """Whether the ledger has its records: all of them, or none."""
        with self._view.ledger.state() as state:
            return bool(proposal.leaves) and all(state.get(entry_key(leaf)) is not None for leaf in proposal.leaves)


def differ(one: Member, other: Member, name: str) -> bool:
    """Whether two cards do, in this part."""
    return bool(getattr(one, name) != getattr(other, name))


def hashed_reason(text: str) -> Digest:
    """As records have it; zero for none."""
    return sha256(text.encode("utf-8")) if text else ZERO
