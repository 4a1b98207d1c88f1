"""Carry a validator set that the ledger has appointed to a public contract: sign for it what the contract asks.

The contract takes a set on the word of the set before it and of everybody new (CONTRACT §3.4, ADR 18). A running node
signs no other set than the one in its own ledger, with each key of its own that is asked, and its guard stands before.

A contract cancels nothing, the ledger may replace a set that waits. So nobody signs both: who has signed a set for a
contract consents to no decision that replaces it, and the other way round. Both want a quorum of one set, and any two
quorums have an honest member in common (ADR 53).
"""

import threading
from collections.abc import Sequence
from typing import Final

from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core import governance
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.power import SetUpdate, SignedPower, decode_draft
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.errors import AdmissionRejected, Broken, FieldMalformed, FieldMismatch, KeyUnusable, NotYet
from hybrid_bridge.node.proposals import Proposal, ProposalStore
from hybrid_bridge.node.view import View
from hybrid_bridge.ports import AttestationSigner
from hybrid_bridge.units import Address, SetId


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
        names = ", ".join(holder.name for holder in map(directory.holder, term.validators.entries))
        where = f"contract 0x{statement.contract.hex()} on chain {statement.chain_id}"
        return statement, [f"set {statement.set_id} from size {term.first_size} on, in {where}: {names}"]

    def endorse(self, data: bytes) -> list[SignedPower]:
        """Our signatures: of a key of the set before, and of one that is new. Durable in the guard before each.

        Raises:
            AdmissionRejected: no key of ours is asked, or we have consented to replace this set.
            NotYet: our own ledger is not proven.
            GuardRefused: the key has said another one under this number.
        """
        statement, _ = self.judged(data)
        if self._view.brake.reason:
            raise Broken
        self._view.brake.require_free()
        asked = self._asked(statement.set_id)
        with self.turn:
            self._require_standing(statement.set_id)
            signed = [self._signed(statement, key, guard) for key, guard in self._guards if key.address() in asked]
        if not signed:
            raise AdmissionRejected(rule="a validator of the set before, or a new one")
        return signed

    def require_uncarried(self, proposal: Proposal) -> None:
        """Return if no key of ours has signed, for any contract, a set that this proposal replaces. In our `turn`.

        Raises:
            AdmissionRejected: one has: that set takes charge, and another one follows it.
        """
        for record in proposal.decoded():
            if isinstance(record, governance.SetUpdate) and record.replaces != ZERO:
                powers = [power for _, guard in self._guards for power in guard.history().power]
                if any((power.kind, power.number) == (SetUpdate.type, record.set_id) for power in powers):
                    raise AdmissionRejected(rule="a set that we have signed for a public contract takes charge there")

    def _require_standing(self, set_id: SetId) -> None:
        """We have not consented to a decision that replaces this set."""
        term, own = self._view.directory.roll.term_of(set_id), self._view.keys.identity.public.key_id
        for proposal in self._proposals.all():
            for record in proposal.decoded() if own in proposal.authorisers else ():
                if isinstance(record, governance.SetUpdate) and term is not None and record.replaces == term.leaf:
                    raise AdmissionRejected(rule="a set that we have not consented to replace")

    def _asked(self, set_id: SetId) -> set[Address]:
        terms: list[Term | None] = [self._view.directory.roll.term_of(SetId(number)) for number in (set_id - 1, set_id)]
        return {address for term in terms if term is not None for address in term.validators.addresses}

    @staticmethod
    def _signed(statement: SetUpdate, key: AttestationSigner, guard: SqlGuard) -> SignedPower:
        place = statement.chain_id, statement.contract, statement.type, statement.number
        permit = guard.permit_power(*place, statement.digest())  # Durable. Dead here? Asked again, the same is signed.
        signature = key.sign(permit)
        if recover_address(permit.digest, signature) != key.address():
            raise KeyUnusable(key="attestation", rule="signs what it is asked to")
        return SignedPower(statement=statement, signature=signature)
