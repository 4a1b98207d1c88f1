"""Carry a validator set that the ledger has appointed to a public contract: sign for it what the contract asks.

The contract takes a set on the word of the set before it and of everybody new (CONTRACT §3.4, ADR 18). A running node
signs no other set than the one in its own ledger, with each key of its own that is asked, and its guard stands before.
"""

from collections.abc import Sequence

from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.power import SetUpdate, SignedPower, decode_draft
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.errors import AdmissionRejected, Broken, FieldMalformed, FieldMismatch, KeyUnusable, NotYet
from hybrid_bridge.node.view import View
from hybrid_bridge.ports import AttestationSigner
from hybrid_bridge.units import Address, SetId


class Endorser:
    """One validator's keys, asked for set updates alone."""

    def __init__(self, view: View, guards: Sequence[tuple[AttestationSigner, SqlGuard]]) -> None:
        self._view, self._guards = view, guards

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
            AdmissionRejected: no key of ours is asked.
            NotYet: our own ledger is not proven.
            GuardRefused: the key has said another one under this number.
        """
        statement, _ = self.judged(data)
        if self._view.brake.reason:
            raise Broken
        self._view.brake.require_free()
        asked = self._asked(statement.set_id)
        signed = [self._signed(statement, key, guard) for key, guard in self._guards if key.address() in asked]
        if not signed:
            raise AdmissionRejected(rule="a validator of the set before, or a new one")
        return signed

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
