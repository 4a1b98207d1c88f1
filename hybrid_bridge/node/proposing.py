"""Members decide on members: write a proposal, judge one and consent, submit one with its consents.

Whoever consents has seen everything that the records have only the hash of: cards, the secret of the new set. What is
printed for people is said from the records themselves, not from what the proposal calls itself. Source: ADR 35.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.business.membership import newest_update, standing_of
from hybrid_bridge.core.encoding import ZERO, Writer, sha256
from hybrid_bridge.core.governance import (
    ADD,
    REINSTATE,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    MemberUpdate,
    SetUpdate,
)
from hybrid_bridge.core.keys import PublicKey
from hybrid_bridge.core.ledger_state import entry_key
from hybrid_bridge.core.secret import decoy_key_hash
from hybrid_bridge.core.transaction import SignaturePart
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet, name_hash
from hybrid_bridge.errors import AdmissionRejected, FieldMalformed, FieldMismatch, Missing, NotYet, TooLong
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.directory import Member, member_entry
from hybrid_bridge.node.enrolling import Enrolment
from hybrid_bridge.node.proposals import (
    ADMIT,
    MAX_REGISTRY,
    ROTATE,
    SET,
    VRF,
    Consents,
    Handed,
    Proposal,
    handed,
)
from hybrid_bridge.node.proposals import REINSTATE as REINSTATING
from hybrid_bridge.node.proposals import REMOVE as REMOVING
from hybrid_bridge.node.proposals import SUSPEND as SUSPENDING
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, EpochNumber, Height, KeyId, SetId, TreeSize

DAY: Final = 86_400
LEAST: Final = 2  # epochs from now to the one in which a proposal takes effect
_NO_KEY: Final = KeyId(bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants. `card` for admit and rotate-key, `name` for the others."""

    kind: str
    name: str = ""
    card: Card | None = None
    reason: str = ""
    from_epoch: int = 0  # 0: in a day, or in so many epochs as it takes
    approvers: tuple[str, ...] = ()  # nobody named: every validator, but the one that goes


class Proposer:
    """One member's part in the consortium's decisions."""

    def __init__(self, view: View, desk: Desk, enrolment: Enrolment) -> None:
        self._view, self._desk, self._enrolment = view, desk, enrolment

    # ── write ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def propose(self, wish: Wish) -> Proposal:
        """The proposal, with what this node alone can add: the sealed secrets, the registry of epoch 0.

        Raises:
            NotYet: another set has not taken charge yet.
            AdmissionRejected: it cannot be, as this consortium is.
            Malformed, Refuted, CertificateRefused: the card.
        """
        view, directory = self._view, self._view.directory
        view.brake.require_free()  # a set's secret and the VRF key are sealed to whom our ledger names
        member = self._subject(wish)
        start = self._start(wish)
        updates = self._member_updates(wish, member, start)  # which come first: whom the set names is a member then
        records = [replace(update, reason_hash=_reason(wish.reason)).encode() for update in updates]
        successor = self._successor(wish, member)
        handing: list[Handed] = []
        if successor is not None:
            secret = secrets.token_bytes(32)
            update = self._set_update(successor, start, decoy_key_hash(secret), wish.reason)
            records.append(update.encode())
            holders = [self._holder(entry, wish.card) for entry in successor.entries]
            handing = [handed(directory.log_id, h, SET, secret, update.decoy_key_hash) for h in holders]
        if not records:
            raise AdmissionRejected(rule="something changes by it")
        is_new = wish.kind == ADMIT and not directory.is_member(member.name)
        if is_new:
            vrf = directory.genesis.vrf_public_key
            handing.append(handed(directory.log_id, member, VRF, view.keys.vrf, vrf))
        return Proposal(
            log_id=directory.log_id,
            kind=wish.kind,
            name=member.name,
            reason=wish.reason,
            records=tuple(records),
            authorisers=tuple(sorted(self._approvers(wish, member))),
            expires_epoch=start - 1,
            cards=() if wish.card is None else (wish.card,),
            secrets=tuple(handing),
            registry=self._registry() if is_new else None,
        )

    def _subject(self, wish: Wish) -> Member:
        """Whom it is about, once it can be."""
        directory, card = self._view.directory, wish.card
        if (card is not None) != (wish.kind in (ADMIT, ROTATE)):
            raise FieldMalformed(field="card", rule="one for admit and rotate-key, none for the others")
        member = directory.member(wish.name) if card is None else card.member
        if card is not None:
            self._judge_card(card, is_known=wish.kind == ROTATE)
        elif not directory.is_member(member.name):
            raise AdmissionRejected(rule="a member of today")
        if member.name == directory.sequencer.name and wish.kind in (REMOVING, SUSPENDING):
            raise AdmissionRejected(rule="not the member that holds the log's keys")
        return member

    def _judge_card(self, card: Card, *, is_known: bool) -> PublicKey:
        """The card of a newcomer, or another one of somebody who is here."""
        directory, member = self._view.directory, card.member
        key = card.verify(self._enrolment.roots, directory.genesis, self._view.clock.now())
        if ("sequencer" in member.roles) != (member.name == directory.sequencer.name):
            raise AdmissionRejected(rule="the sequencer's role stays with its holder")
        if (member.consensus_key is not None) != (directory.engine is not None and member.address is not None):
            raise AdmissionRejected(rule="a consensus key of each validator, under a consensus engine alone")
        # A card proves its identity key alone: whoever states another's address would be taken for it.
        if member.address is not None and self._is_anothers(member):
            raise AdmissionRejected(rule="an attestation key that no other member has or had")
        if not directory.is_member(member.name):
            if is_known:
                raise AdmissionRejected(rule="a member of today")
            return key
        here = directory.member(member.name)
        if (here.legal_name, here.legal_id) != (member.legal_name, member.legal_id):
            raise AdmissionRejected(rule="a name that no other member has")
        if is_known and member.name == directory.sequencer.name and directory.name_of(key.key_id) is None:
            raise AdmissionRejected(rule="the identity key of the member that holds the log's keys stays")
        return key

    def _is_anothers(self, member: Member) -> bool:
        """Whether another member has or ever had its attestation key."""
        known = self._view.directory.known
        return any(other.address == member.address and other.name != member.name for other in known)

    def _start(self, wish: Wish) -> EpochNumber:
        genesis, now = self._view.directory.genesis, self._desk.epoch()
        default = now + max(LEAST + 1, -(-DAY // genesis.cadence))
        start = wish.from_epoch or default
        if start < now + LEAST:
            raise FieldMalformed(field="from_epoch", rule=f"{now + LEAST} or later")
        return EpochNumber(start)

    def _member_updates(self, wish: Wish, member: Member, start: EpochNumber) -> Iterator[MemberUpdate]:
        """What changes in the list of members."""
        directory, card = self._view.directory, wish.card
        current = directory.identities[member.name].key_id if directory.is_member(member.name) else _NO_KEY
        if card is not None:
            key = self._judge_card(card, is_known=wish.kind == ROTATE).key_id
            if current == _NO_KEY:
                yield self._update(ADD, member, key, card.roles, start)
            elif key != current:
                yield self._update(ADD, member, key, card.roles, start)
                yield self._update(REMOVE, directory.member(member.name), current, 0, start)
            elif directory.roll.certificates.get(key) != card.certificate_hash:
                yield self._update(REPLACE_CERTIFICATE, member, key, card.roles, start)
            return
        with self._view.ledger.state() as state:
            standing = standing_of(state, current, self._desk.epoch())
        action, roles = {
            REMOVING: (REMOVE, 0),
            SUSPENDING: (SUSPEND, standing.roles),
            REINSTATING: (REINSTATE, standing.suspended),
        }[wish.kind]
        if wish.kind != REMOVING and not roles:
            raise AdmissionRejected(
                rule="a member in good standing" if wish.kind == SUSPENDING else "a suspended member"
            )
        yield self._update(action, member, current, roles, start)

    def _update(self, action: int, member: Member, key: KeyId, roles: int, start: EpochNumber) -> MemberUpdate:
        with self._view.ledger.state() as state:
            replaces = newest_update(state, key)
        return MemberUpdate(
            log_id=self._view.directory.log_id,
            action=action,
            name_hash=name_hash(member.legal_id, member.legal_name),
            certificate_hash=sha256(member.certificate),
            key_id=key,
            roles=roles,
            from_epoch=start,
            replaces=replaces,
        )

    def _successor(self, wish: Wish, member: Member) -> ValidatorSet | None:
        """The next set, if it is another one."""
        directory = self._view.directory
        newest = directory.roll.terms[-1]
        entries = {directory.holder(entry).name: entry for entry in newest.validators.entries}
        if wish.kind in (REMOVING, SUSPENDING):
            entries.pop(member.name, None)
        elif member.address is not None and (wish.kind != ROTATE or member.name in entries):
            entries[member.name] = member_entry(member)
        ordered = tuple(sorted(entries.values(), key=lambda entry: entry.address))
        if ordered == newest.validators.entries:
            return None
        if newest.first_size > self._desk.epoch() + 1:
            raise NotYet(what=f"size {newest.first_size}, from which set {newest.validators.set_id} is in charge")
        return ValidatorSet(SetId(newest.validators.set_id + 1), ordered)

    def _set_update(self, successor: ValidatorSet, start: EpochNumber, decoy: Digest, reason: str) -> SetUpdate:
        return SetUpdate(
            log_id=self._view.directory.log_id,
            previous_set_hash=self._view.directory.roll.terms[-1].validators.digest,
            set_hash=successor.digest,
            effective_from_size=TreeSize(start + 1),
            decoy_key_hash=decoy,
            reason_hash=_reason(reason),
            validators=successor,
        )

    def _holder(self, entry: ValidatorEntry, card: Card | None) -> Member:
        if card is not None and card.member.address == entry.address:
            return card.member
        return self._view.directory.holder(entry)

    def _approvers(self, wish: Wish, member: Member) -> list[KeyId]:
        """Identity keys of a quorum of the set in charge: all of it, but for the member that goes, or those named."""
        directory = self._view.directory
        validators = directory.responsible(self._desk.epoch() + 1)
        known = {directory.name_of(key): key for key in directory.roll.signers(validators)}
        goes = {member.name} if wish.kind in (REMOVING, SUSPENDING) else set()
        names = wish.approvers or tuple(name for name in known if name is not None and name not in goes)
        if strangers := [name for name in names if name not in known]:
            raise AdmissionRejected(rule=f"approved by validators: {strangers[0][:32]} is none")
        if len(set(names)) < validators.quorum:
            raise Missing(what=f"approval of {validators.quorum} validators")
        return [known[name] for name in set(names)]

    def _registry(self) -> bytes:
        """The pairs of epoch 0, which a newcomer cannot compute.

        Raises:
            TooLong: more than a proposal holds.
        """
        pairs = self._view.logbook.closed(EpochNumber(0)).pairs
        if len(pairs) > MAX_REGISTRY:
            raise TooLong(field="registry", limit=MAX_REGISTRY, got=len(pairs))
        return pairs

    # ── consent ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def judge(self, proposal: Proposal) -> list[str]:
        """What it changes, in words, once everything behind its records fits and may be taken now.

        Raises:
            Malformed, Refuted, CertificateRefused, AdmissionRejected: it does not.
            NotYet: our blocks are not so far, or another set is pending.
        """
        directory = self._view.directory
        if proposal.log_id != directory.log_id:
            raise FieldMismatch(field="proposal.log_id", expected=directory.log_id.hex(), got=proposal.log_id.hex())
        if self._stands(proposal):
            return [f"{proposal.kind} {proposal.name}: stands already, nothing changes by it"]
        if proposal.expires_epoch < self._desk.epoch():
            raise AdmissionRejected(rule=f"enacted by epoch {proposal.expires_epoch}")
        for card in proposal.cards:
            self._judge_card(card, is_known=proposal.kind == ROTATE)
        said = [f"{proposal.kind} {proposal.name}: {proposal.reason or 'no reason given'}"]
        for record in proposal.decoded():
            if record.log_id != directory.log_id:
                raise FieldMismatch(field="record.log_id", expected=directory.log_id.hex(), got=record.log_id.hex())
            if isinstance(record, MemberUpdate):
                said.append(self._judge_update(record, proposal))
            elif isinstance(record, SetUpdate):
                said += self._judge_set(record, proposal)
            else:
                raise FieldMalformed(field="proposal.records", rule="of members and sets")
        names = sorted(directory.name_of(KeyId(key)) or key.hex() for key in proposal.authorisers)
        said.append(f"approved by {', '.join(names)}; in a block by epoch {proposal.expires_epoch}, or never")
        return said

    def _judge_update(self, record: MemberUpdate, proposal: Proposal) -> str:
        """Whom it names must be known: by the card that comes with it, or by what we know."""
        member = self._named(record, proposal)
        if record.name_hash != name_hash(member.legal_id, member.legal_name):
            raise FieldMismatch(field="record.name_hash", expected=member.legal_name, got=record.name_hash.hex())
        if record.reason_hash != _reason(proposal.reason):
            raise FieldMismatch(field="record.reason_hash", expected="of the reason given", got="of another")
        self._require_newest(record)
        words = {
            ADD: "becomes a member",
            REMOVE: "is no member any more",
            REPLACE_CERTIFICATE: "has another certificate",
            SUSPEND: "is suspended",
            REINSTATE: "is reinstated",
        }[record.action]
        who = f"{member.name} ({member.legal_name}, {member.legal_id})"
        return f"from epoch {record.from_epoch} {who} {words}, roles {record.roles}, key {record.key_id.hex()[:16]}"

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
            if card.certificate_hash == record.certificate_hash:
                key = card.identity(self._enrolment.roots, directory.genesis)
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

    def _judge_set(self, record: SetUpdate, proposal: Proposal) -> list[str]:
        """Each validator is known, and ours among them opens what the set shares."""
        directory = self._view.directory
        newest = directory.roll.terms[-1]
        if record.previous_set_hash != newest.validators.digest:
            raise FieldMismatch(
                field="record.previous_set_hash", expected=newest.validators.digest.hex(), got="of another set"
            )
        card = proposal.cards[0] if proposal.cards else None
        holders = [self._holder(entry, card) for entry in record.validators.entries]
        if card is not None and card.member in holders and member_entry(card.member) not in record.validators.entries:
            raise FieldMismatch(field="record.entries", expected="that of the card", got="another")
        self._require_secrets(record, proposal, holders)
        before = {directory.holder(entry).name for entry in newest.validators.entries}
        after = {member.name for member in holders}
        moved = [f"+{name}" for name in sorted(after - before)] + [f"-{name}" for name in sorted(before - after)]
        first = f"from size {record.effective_from_size} set {record.set_id} attests: {', '.join(sorted(after))}"
        kept = [m.name for m in holders if m.name in before and m.address not in newest.validators.addresses]
        changed = ", ".join(moved + [f"{name} with another key" for name in kept]) or "the same members"
        return [first, f"  {changed}; {record.validators.quorum} of {record.n} are a quorum"]

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

    def approve(self, proposal: Proposal) -> Consents:
        """Consent to all of its records together, as the validator that we are. The proposal is kept.

        Raises:
            AdmissionRejected: our consent is not asked for.
            BridgeError: as `judge`.
        """
        self._view.brake.require_free()
        self.judge(proposal)
        identity = self._view.keys.identity
        if identity.public.key_id not in proposal.authorisers:
            raise AdmissionRejected(rule="named as authoriser in the proposal")
        self._enrolment.store.keep(proposal)  # Durable before our word leaves: whoever asks us for it later gets it.
        part = SignaturePart.over(proposal.body().consent, identity)
        return Consents(proposal=proposal.digest, signature=part.write(Writer()).bytes())

    # ── enact ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def enact(self, proposal: Proposal, consents: Sequence[Consents]) -> list[Height]:
        """Submit all of its records with the consents, in one transaction; again is no change.

        Raises:
            Missing: a consent is not there.
            Rejected, Undecided: what the ledger says; after an Undecided ask again.
        """
        self._view.brake.require_free()
        parts, body, identity = [one.part(proposal) for one in consents], proposal.body(), self._view.keys.identity
        is_ours = identity.public.key_id in proposal.authorisers
        if is_ours and not any(part.spki == identity.public.spki for part in parts):
            parts.append(SignaturePart.over(body.consent, identity))
        self._enrolment.store.keep(proposal)
        return [] if self._stands(proposal) else [self._desk.govern(body, parts)]

    def _stands(self, proposal: Proposal) -> bool:
        """Whether the ledger has its records: all of them, or none."""
        with self._view.ledger.state() as state:
            return all(state.get(entry_key(leaf)) is not None for leaf in proposal.leaves)


def _reason(text: str) -> Digest:
    return sha256(text.encode("utf-8")) if text else ZERO
