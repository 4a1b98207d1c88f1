"""Carry a validator set that the ledger has appointed to a public contract: sign for it what the contract asks.

The contract takes a set on the word of the set before it and of everybody new (CONTRACT §3.4, ADR 18). A running node
signs no other set than the one in its own ledger, with each key of its own that is asked, and its guard stands before.

A contract cancels nothing, the ledger may replace a set that waits. So nobody signs both: who has signed a set for a
contract consents to no decision that replaces it, and the other way round. Both want a quorum of one set, and any two
quorums have an honest member in common (ADR 53).
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core import governance
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.governance import decode_governance
from hybrid_bridge.core.guard import PowerStatement, kinds_of
from hybrid_bridge.core.power import SetUpdate, SignedPower, decode_draft
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.errors import AdmissionRejected, Broken, FieldMalformed, FieldMismatch, KeyUnusable, NotYet
from hybrid_bridge.node.proposals import Proposal, ProposalStore
from hybrid_bridge.node.view import View
from hybrid_bridge.ports import AttestationSigner
from hybrid_bridge.units import Address, Digest, SetId, TreeSize


class Endorser:
    """One validator's keys, asked for set updates alone."""

    def __init__(
        self, view: View, guards: Sequence[tuple[AttestationSigner, SqlGuard]], proposals: ProposalStore
    ) -> None:
        self._view, self._guards, self._proposals = view, guards, proposals
        self.turn: Final = threading.Lock()  # held from the look at what was signed or consented to until it is written

    def judged(self, data: bytes) -> tuple[SetUpdate, list[str]]:
        """A draft of the set that the ledger has appointed, and what it says.

        Raises:
            Malformed: no draft of a set update.
            FieldMismatch: of another log, or of another set than the ledger's.
            NotYet: our blocks know of no such set.
        """
        statement, term = self._judged(data)
        names = ", ".join(holder.name for holder in map(self._view.directory.holder, term.validators.entries))
        where = f"contract 0x{statement.contract.hex()} on chain {statement.chain_id}"
        return statement, [f"set {statement.set_id} from size {term.first_size} on, in {where}: {names}"]

    def _judged(self, data: bytes) -> tuple[SetUpdate, Term]:
        statement = decode_draft(data).statement
        if not isinstance(statement, SetUpdate):
            raise FieldMalformed(field="draft", rule="a set update")
        directory = self._view.directory
        term = directory.roll.term_of(statement.set_id)
        if term is None:
            raise NotYet(what=f"set {statement.set_id} in the blocks here")
        for field, expected, got in (
            ("log_id", directory.log_id.hex(), statement.log_id.hex()),
            ("set_hash", term.validators.digest.hex(), statement.set_hash.hex()),
            ("effective_from_size", str(term.first_size), str(statement.effective_from_size)),
        ):
            if expected != got:
                raise FieldMismatch(field=field, expected=expected, got=got)
        return statement, term

    def endorse(self, data: bytes) -> list[SignedPower]:
        """Our signatures: of a key of the set before, and of one that is new. Durable in the guard before each.

        Raises:
            AdmissionRejected: no key of ours is asked, or we have consented to replace this set.
            NotYet: our own ledger is not proven.
            GuardRefused: the key has said another one under this number.
        """
        if self._view.brake.reason:
            raise Broken
        self._view.brake.require_free()
        with self.turn:  # judged in it too: a replacement may come to stand meanwhile
            statement, term = self._judged(data)
            self._require_standing(term)
            asked, void = self._asked(statement.set_id), self._void(statement)
            ours = [(key, guard) for key, guard in self._guards if key.address() in asked]
            signed = [self._signed(statement, key, guard, void) for key, guard in ours]
        if not signed:
            raise AdmissionRejected(rule="a validator of the set before, or a new one")
        return signed

    def require_uncarried(self, proposal: Proposal) -> None:
        """Return if no key of ours has signed, for any contract, a set that this proposal replaces. In our `turn`.

        Raises:
            AdmissionRejected: one has: that set takes charge, and another one follows it.
        """
        terms = {term.leaf: term for term in self._view.directory.roll.terms}
        for record in proposal.decoded():
            if not isinstance(record, governance.SetUpdate) or record.replaces == ZERO:
                continue
            term = terms.get(record.replaces)  # what stands no more is replaced by nothing: the ledger refuses it
            if term is not None and any(self._is_for(power, term) for power in self._powers()):
                raise AdmissionRejected(rule="a set that we have signed for a public contract takes charge there")

    def _powers(self) -> Iterator[PowerStatement]:
        for _, guard in self._guards:
            yield from guard.history().power

    def _is_for(self, power: PowerStatement, term: Term) -> bool:
        """Whether a signature of ours was for this very set."""
        if power.kind not in kinds_of(SetUpdate.type) or power.number != term.validators.set_id:
            return False
        return power.digest == self._stated(power, term.validators.digest, term.first_size).digest()

    def _stated(self, at: PowerStatement | SetUpdate, set_hash: Digest, first_size: TreeSize) -> SetUpdate:
        """What is signed of a set with this number for this contract."""
        return SetUpdate(
            chain_id=at.chain_id,
            contract=at.contract,
            log_id=self._view.directory.log_id,
            set_id=SetId(at.number),
            set_hash=set_hash,
            effective_from_size=first_size,
        )

    def _void(self, statement: SetUpdate) -> set[Digest]:
        """What was signed for this contract of sets of this number that final blocks have replaced.

        None of them can have a quorum there: one has consented to the replacement, and its honest ones never sign the
        set that they replace (ADR 53).
        """
        final = self._view.progress.final
        rows = [decode_governance(data) for _, height, data in self._view.ledger.governance() if height <= final]
        sets = [one for one in rows if isinstance(one, governance.SetUpdate) and one.set_id == statement.set_id]
        replaced = {one.replaces for one in sets}
        gone = [one for one in sets if leaf_hash(one.encode()) in replaced]
        return {self._stated(statement, one.set_hash, one.effective_from_size).digest() for one in gone}

    def _require_standing(self, term: Term) -> None:
        """We have not consented to a decision that replaces this set, or it is in charge and none can any more."""
        tip = self._view.chain.tip
        if tip is not None and term.first_size <= tip.epoch + 1:
            return
        own = set(self._view.directory.key_ids(self._view.name))
        for proposal in self._proposals.all():
            for record in proposal.decoded() if not own.isdisjoint(proposal.authorisers) else ():
                if isinstance(record, governance.SetUpdate) and record.replaces == term.leaf:
                    raise AdmissionRejected(rule="a set that we have not consented to replace")

    def _asked(self, set_id: SetId) -> set[Address]:
        terms: list[Term | None] = [self._view.directory.roll.term_of(SetId(number)) for number in (set_id - 1, set_id)]
        return {address for term in terms if term is not None for address in term.validators.addresses}

    @staticmethod
    def _signed(statement: SetUpdate, key: AttestationSigner, guard: SqlGuard, void: Collection[Digest]) -> SignedPower:
        place = statement.chain_id, statement.contract, statement.type, statement.number
        permit = guard.permit_power(*place, statement.digest(), void=void)  # Durable. Dead here? Asked again, the same.
        signature = key.sign(permit)
        if recover_address(permit.digest, signature) != key.address():
            raise KeyUnusable(key="attestation", rule="signs what it is asked to")
        return SignedPower(statement=statement, signature=signature)
