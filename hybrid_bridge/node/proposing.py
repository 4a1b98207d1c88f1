"""Members decide on members: write a proposal, consent to one, submit one with its consents. Source: ADR 35, 42."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.business.membership import (
    EVER,
    MAX_AHEAD,
    STRANGER,
    may_sit,
    newest_update,
    responsible_set,
    standing_of,
)
from hybrid_bridge.core.consensus_key import ConsensusKey
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
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.secret import decoy_key_hash
from hybrid_bridge.core.transaction import SignaturePart
from hybrid_bridge.core.validators import ValidatorSet, name_hash
from hybrid_bridge.errors import (
    AdmissionRejected,
    Expired,
    FieldMalformed,
    Missing,
    NotYet,
    StoreBroken,
    TooLong,
)
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.directory import Member, member_entry
from hybrid_bridge.node.endorsing import Endorser
from hybrid_bridge.node.enrolling import Enrolment
from hybrid_bridge.node.judging import Judge, hashed_reason
from hybrid_bridge.node.log_keys import handed_to, require_kept
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

    def __init__(
        self,
        view: View,
        desk: Desk,
        enrolment: Enrolment,
        endorser: Endorser,
        unrevoked: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        """`unrevoked`: returns if no list in force names this certificate (PEM); without lists none is."""
        self._view, self._desk, self._enrolment, self._endorser = view, desk, enrolment, endorser
        self._judge = Judge(view, desk, enrolment, unrevoked)
        self.judge: Final = self._judge.judge

    # ── write ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def propose(self, wish: Wish) -> Proposal:
        """The proposal, with what this node alone can add: the sealed secrets, the registry of epoch 0.

        Raises:
            NotYet: another set has not taken charge yet; who is removed or suspended is taken out of it.
            AdmissionRejected: it cannot be, as this consortium is.
            SequencerStays: nobody who stays is known to hold the log's keys.
            RuleRejected: the ledger would refuse it.
            Malformed, Refuted, CertificateRefused: the card.
        """
        view, directory = self._view, self._view.directory
        view.brake.require_free()  # a set's secret and the VRF key are sealed to whom our ledger names
        member = self._subject(wish)
        waiting, successor = self._waiting, self._successor(wish, member)
        start = self._start(wish, replaces=successor is not None)
        successor = self._fitting(successor, start)
        updates = self._member_updates(wish, member, start)  # which come first: whom the set names is a member then
        records = [replace(update, reason_hash=hashed_reason(wish.reason)).encode() for update in updates]
        records += [bound.encode() for bound in self._bound(wish)]
        handing: list[Handed] = []
        if successor is not None:
            secret = secrets.token_bytes(32)
            update = self._set_update(successor, start, decoy_key_hash(secret), wish.reason)
            records.append(update.encode())
            holders = [self._judge.holder(entry, wish.card) for entry in successor.entries]
            handing = [handed(directory.log_id, h, SET, secret, update.decoy_key_hash) for h in holders]
        if not records:
            raise AdmissionRejected(rule="something changes by it")
        is_new = wish.kind == ADMIT and not directory.is_member(member.name)
        if is_new:
            vrf = directory.genesis.vrf_public_key
            handing.append(handed(directory.log_id, member, VRF, view.keys.vrf, vrf))
            handing += handed_to(view, member)
        proposal = Proposal(
            log_id=directory.log_id,
            kind=wish.kind,
            name=member.name,
            reason=wish.reason,
            records=tuple(records),
            authorisers=tuple(sorted(self._approvers(wish, member))),
            expires_epoch=start - 1 if waiting is None else min(start - 1, waiting.first_size - 2),
            cards=() if wish.card is None else (wish.card,),
            secrets=tuple(handing),
            registry=self._registry() if is_new else None,
        )
        self._judge.require_accepted(proposal)
        return proposal

    def _subject(self, wish: Wish) -> Member:
        """Whom it is about, once it can be."""
        directory, card = self._view.directory, wish.card
        if (card is not None) != (wish.kind in (ADMIT, ROTATE)):
            raise FieldMalformed(field="card", rule="one for admit and rotate-key, none for the others")
        member = directory.member(wish.name) if card is None else card.member
        if card is not None:
            self._judge.card(card, is_known=wish.kind == ROTATE)
        elif not (directory.is_member(member.name) or (wish.kind == REMOVING and directory.lets_in(member.name))):
            raise AdmissionRejected(rule="a member of today")
        if wish.kind in (REMOVING, SUSPENDING):
            require_kept(self._view, {member.name}, directory.names_of(directory.roll.terms[-1].validators))
        return member

    def _start(self, wish: Wish, *, replaces: bool) -> EpochNumber:
        """From when on: as wished, or in a day; what is put in the place of a set that waits, when that was to.

        So whoever that set leaves out sits no longer.
        """
        genesis, now, waiting = self._view.directory.genesis, self._desk.epoch(), self._waiting
        default = now + max(LEAST + 1, -(-DAY // genesis.cadence))
        if replaces and waiting is not None:
            default = max(now + LEAST, waiting.first_size - 1)
        elif waiting is not None:
            default = max(default, waiting.first_size - 1)
        start = wish.from_epoch or default
        if not now + LEAST <= start <= now + MAX_AHEAD - LEAST:
            raise FieldMalformed(field="from_epoch", rule=f"an epoch from {now + LEAST} to {now + MAX_AHEAD - LEAST}")
        return EpochNumber(start)

    def _member_updates(self, wish: Wish, member: Member, start: EpochNumber) -> Iterator[MemberUpdate]:
        """What changes in the list of members."""
        directory, card = self._view.directory, wish.card
        present = self._present(member.name)
        if card is not None:
            key = self._judge.card(card, is_known=wish.kind == ROTATE).key_id
            if not directory.is_member(member.name) or key != directory.identities[member.name].key_id:
                yield self._update(ADD, member, key, card.roles, start, card_hash=card.digest)
                yield from self._removals(present, start, kept=key)
            elif card.member != directory.member(member.name):
                yield self._update(REPLACE_CERTIFICATE, member, key, card.roles, start, card_hash=card.digest)
            return
        if wish.kind == REMOVING:
            yield from self._removals(present, start)
            return
        current = directory.identities[member.name].key_id
        with self._view.ledger.state() as state:
            standing = standing_of(state, current, self._desk.epoch())
        action, roles = {SUSPENDING: (SUSPEND, standing.roles), REINSTATING: (REINSTATE, standing.suspended)}[wish.kind]
        if not roles:
            raise AdmissionRejected(
                rule="a member in good standing" if wish.kind == SUSPENDING else "a suspended member"
            )
        yield self._update(action, member, current, roles, start)
        yield from self._removals(present, start, kept=current)

    def _present(self, name: str) -> dict[KeyId, Member]:
        """Every identity key by which a member is one, or comes to be, with the card that goes with it."""
        directory, epoch = self._view.directory, self._desk.epoch()
        with self._view.ledger.state() as state:
            return {
                key: directory.member_by(key)
                for key in directory.key_ids(name)
                if standing_of(state, key, epoch) != STRANGER or standing_of(state, key, EVER) != STRANGER
            }

    def _removals(
        self, keys: Mapping[KeyId, Member], start: EpochNumber, *, kept: KeyId | None = None
    ) -> Iterator[MemberUpdate]:
        for key, member in keys.items():
            if key != kept:
                yield self._update(REMOVE, member, key, 0, start)

    def _bound(self, wish: Wish) -> Iterator[ConsensusKey]:
        """The card's consensus key, if it is another than the one that is bound."""
        if wish.card is None:
            return
        key_id = self._judge.card(wish.card, is_known=wish.kind == ROTATE).key_id
        present = self._judge.bound_key(key_id)
        replaces = ZERO if present is None else sha256(present)
        bound = wish.card.consensus(key_id, replaces, hashed_reason(wish.reason))
        if bound is not None and bound.key != present:
            yield bound

    def _update(
        self, action: int, member: Member, key: KeyId, roles: int, start: EpochNumber, *, card_hash: Digest = ZERO
    ) -> MemberUpdate:
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
            card_hash=card_hash,
            replaces=replaces,
        )

    def _successor(self, wish: Wish, member: Member) -> ValidatorSet | None:
        """The next set, if it is another one. It has the number of the one that it replaces."""
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
        if self._waiting is None:
            return ValidatorSet(SetId(newest.validators.set_id + 1), ordered)
        if wish.kind not in (REMOVING, SUSPENDING):
            raise NotYet(what=f"size {newest.first_size}, from which set {newest.validators.set_id} is in charge")
        return ValidatorSet(newest.validators.set_id, ordered)

    def _fitting(self, successor: ValidatorSet | None, start: EpochNumber) -> ValidatorSet | None:
        """In the place of a set that waits, from an earlier date: without those who come only by that set's."""
        if successor is None or self._waiting is None:
            return successor
        owners, present = self._view.directory.roll.owners, self._desk.epoch()
        with self._view.ledger.state() as state:
            sitting = responsible_set(state, present).keys
            entries = [one for one in successor.entries if may_sit(state, owners[one.certificate_hash], start, sitting)]
        return ValidatorSet(successor.set_id, tuple(entries))

    @property
    def _waiting(self) -> Term | None:
        """The set that was appointed and is not in charge yet."""
        newest = self._view.directory.roll.terms[-1]
        return newest if newest.first_size > self._desk.epoch() + 1 else None

    def _set_update(self, successor: ValidatorSet, start: EpochNumber, decoy: Digest, reason: str) -> SetUpdate:
        before, waiting = self._view.directory.roll.term_of(SetId(successor.set_id - 1)), self._waiting
        if before is None:
            raise StoreBroken(store="ledger", rule="every validator set is there")
        return SetUpdate(
            log_id=self._view.directory.log_id,
            previous_set_hash=before.validators.digest,
            set_hash=successor.digest,
            effective_from_size=TreeSize(start + 1),
            decoy_key_hash=decoy,
            replaces=ZERO if waiting is None or waiting.leaf is None else waiting.leaf,
            reason_hash=hashed_reason(reason),
            validators=successor,
        )

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

    def approve(self, proposal: Proposal) -> Consents:
        """Consent to all of its records together, as the validator that we are. The proposal is kept.

        Raises:
            AdmissionRejected: our consent is not asked for, or it replaces a set that we have signed for a contract.
            BridgeError: as `judge`.
        """
        self._view.brake.require_free()
        part = self._consent(proposal)
        return Consents(proposal=proposal.digest, signature=part.write(Writer()).bytes())

    def _consent(self, proposal: Proposal) -> SignaturePart:
        """Our word for it, judged in the moment in which it is given: what was told before may not be so any more."""
        identity = self._view.keys.identity
        with self._endorser.turn:
            self._judge.judge(proposal)
            if identity.public.key_id not in proposal.authorisers:
                raise AdmissionRejected(rule="named as authoriser in the proposal")
            self._endorser.require_uncarried(proposal)
            self._enrolment.store.keep(proposal)  # Durable before our word leaves: who asks us for it later gets it.
        return SignaturePart.over(proposal.body().consent, identity)

    # ── enact ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def enact(self, proposal: Proposal, consents: Sequence[Consents]) -> list[Height]:
        """Submit all of its records with the consents, in one transaction; again is no change.

        Raises:
            Missing: a consent is not there.
            Rejected, Undecided: what the ledger says; after an Undecided ask again.
            BridgeError: as `approve`, where our consent is asked for and not among them.
        """
        self._view.brake.require_free()
        parts, identity = [one.part(proposal) for one in consents], self._view.keys.identity
        if self._judge.stands(proposal):
            self._enrolment.store.keep(proposal)
            return []
        is_ours = identity.public.key_id in proposal.authorisers
        if is_ours and not any(part.spki == identity.public.spki for part in parts):
            parts.append(self._consent(proposal))
        self._enrolment.store.keep(proposal)
        try:
            return [self._desk.govern(proposal.body(), parts)]
        except Expired:
            if self._judge.stands(proposal):  # sent before, and its block came only now
                return []
            raise
