"""What a call of the contract says and what gas it uses, before a key is asked: the tick's and a rehearsal's alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hybrid_bridge.core.attestation import seals
from hybrid_bridge.errors import AnswerMalformed, BridgeError, NotYet
from hybrid_bridge.ports import PublicChain, Rotation, Update
from hybrid_bridge.units import Gas, TreeSize
from relayers.fees import CANCEL_GAS, gas_limit
from relayers.hearing import Hearing
from relayers.journal import AttestationRow, CheckpointRow, Scope
from relayers.log import Log
from relayers.views import ChainView, FeePolicy, MakeAttempt


class Attested(Protocol):
    """What holds the signatures on a checkpoint."""

    def attestations(self, size: TreeSize) -> Sequence[AttestationRow]:
        """The verified ones of this size."""


@dataclass(frozen=True, slots=True)
class Calls:
    """One account's calls of one contract for one log."""

    scope: Scope
    log: Log
    fees: FeePolicy
    quorum: int  # endpoints that must simulate
    encode_anchor: Callable[[Update], bytes]  # the contract's calldata
    encode_rotation: Callable[[Rotation], bytes]

    def of(
        self, action: MakeAttempt, journal: Attested, endpoints: Sequence[PublicChain], hearing: Hearing
    ) -> tuple[bytes, Gas]:
        """Calldata and gas limit of an attempt; a cancel has no data.

        Raises:
            BridgeError: the contract's own error, if it would revert; Undecided, if too few endpoints simulate it.
        """
        if action.appointment is not None:
            data = self.encode_rotation(action.appointment.call)
        elif action.checkpoint is not None:
            data = self.encode_anchor(self._update(action, action.checkpoint, journal))
        else:
            return b"", CANCEL_GAS
        return data, gas_limit(self._simulated(data, action.seen, endpoints, hearing), self.fees)

    def _update(self, action: MakeAttempt, checkpoint: CheckpointRow, journal: Attested) -> Update:
        validators = self.log.responsible(checkpoint.size)
        signatures = {row.member: row.signature for row in journal.attestations(checkpoint.size)}
        signers, packed = seals(validators, signatures)
        return Update(
            log_id=self.log.log_id,
            from_size=action.from_size,
            tree_size=checkpoint.size,
            root=checkpoint.root,
            set_hash=validators.digest,
            signers=signers,
            path=action.path,
            seals=packed,
        )

    def _simulated(self, data: bytes, chain: ChainView, endpoints: Sequence[PublicChain], hearing: Hearing) -> Gas:
        """Simulated at the pinned public block: what would revert is not signed.

        The middle of what a quorum of endpoints says, so that one of them can neither starve the transaction of gas
        nor price it out.
        """

        def ask(endpoint: PublicChain) -> Gas:
            gas = endpoint.simulate(self.scope.signer, data, chain.pinned)
            if gas < CANCEL_GAS:
                raise AnswerMalformed(
                    endpoint=endpoint.name, call="simulate", rule="what any transaction uses, at least"
                )
            return gas

        failure: BridgeError = NotYet(what="endpoints that simulate")
        estimates: list[Gas] = []
        for heard in hearing.hear(endpoints, "simulate", ask):
            if heard.error is None:
                estimates.append(heard.get())
            else:
                failure = heard.error
        if len(estimates) < self.quorum:
            raise failure
        return sorted(estimates)[len(estimates) // 2]
