"""The world of one schedule: a public chain, a consortium, operators, and one source of chance."""

from collections.abc import Callable
from random import Random

from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Wei
from relayers.journal import Brake
from tests.simulation.consortium import SharedConsortium
from tests.simulation.memory_journal import order
from tests.simulation.network import Network
from tests.simulation.operator import ETHER, GWEI, Operator
from tests.simulation.signer import Signer

AGE = 100  # epochs that closed before the public chain of a schedule began


class World:
    """Moved by hand or by a schedule; time moves with public blocks."""

    def __init__(self, seed: int = 0, age: int = AGE, *, rotates: bool = False) -> None:
        self.random = Random(seed)
        self.network = Network(age)
        self.consortium = SharedConsortium(rotates=rotates)
        self.operators: list[Operator] = []

    def operator(self, *arguments: object, **keywords: object) -> Operator:
        """One operator more."""
        made = Operator(self, len(self.operators), *arguments, **keywords)  # type: ignore[arg-type]
        self.operators.append(made)
        return made

    def use_nonce(self, operator: Operator) -> None:
        """A wallet sends with the operator's key."""
        answer = Signer(operator.name, self.random).sign(
            UnsignedTransaction(
                chain_id=self.network.chain_id,
                nonce=self.network.nonce_of(operator.scope.signer),
                to=operator.scope.signer,
                value=0,
                data=b"",
                gas=21_000,
                max_fee=90 * GWEI,
                tip=5 * GWEI,
            )
        )
        sent = self.network.offer(answer)
        if sent.tx_hash is not None:
            self.network.wallets.add(sent.tx_hash)
        operator.wallet_used = True

    def heal(self) -> None:
        """The faults stop; people let go of the brakes and sign what is due; accounts are full, a new day has begun."""
        network = self.network
        network.base_fee = Wei(GWEI)
        if network.log.paused_until:
            network.brake(0)
        self.consortium.offer(1, self.random)
        for member in self.consortium.members:
            member.is_silent, member.is_false, member.behind = False, False, 0
        for operator in self.operators:
            for endpoint in operator.endpoints:
                endpoint.become("honest")
            operator.signer.state, operator.skew = "prompt", 0
            order(operator.store, Brake.RUN, operator.now())
            operator.read_evidence()
            network.fund(operator.scope.signer, Wei(50 * ETHER))

    def round(self, before: Callable[[Operator], object] = lambda _: None) -> None:
        """Each operator ticks once, then a public block takes all it can."""
        for operator in self.operators:
            before(operator)
            operator.tick()
        self.network.mine()
