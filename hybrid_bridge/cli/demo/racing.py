"""The relayers' race: who anchored which size, and who paid for coming second."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc, data_json
from hybrid_bridge.cli.demo.founding import Play
from hybrid_bridge.cli.demo.telling import counted
from hybrid_bridge.cli.demo.trading import ask_again
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.units import Address, PublicBlockNumber, TreeSize


@dataclass(frozen=True, slots=True)
class Race:
    """What the public chain knows of it, up to its newest final public block."""

    anchored: tuple[tuple[TreeSize, str], ...]  # in order; by whom
    late: Mapping[str, int]  # transactions in public blocks that changed nothing, since the other was first

    def told(self) -> str:
        """In words."""
        by = ", ".join(f"size {size} by {name}" for size, name in self.anchored)
        late = ", ".join(f"{name} {counted(count, 'time')}" for name, count in self.late.items() if count)
        return f"Anchored so far: {by}. " + (
            f"Came second and changed nothing: {late}." if late else "Nobody was late."
        )

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        anchored: list[Json] = [{"size": size, "by": name} for size, name in self.anchored]
        return {"anchored": anchored, "late": dict(self.late)}


def race_of(anchored: Sequence[tuple[TreeSize, str]], sent: Mapping[str, int]) -> Race:
    """`sent`: how many transactions of each relayer stand in public blocks; each either anchored or came late."""
    won = Counter(name for _, name in anchored)
    return Race(tuple(anchored), {name: count - won[name] for name, count in sent.items()})


def tell_race(play: Play) -> Race:
    """Look, and say it."""
    race = ask_again(play, "the relayers' transactions", lambda: _look(play))
    play.narrator.say(race.told())
    return race


def _look(play: Play) -> Race:
    chain = Web3Chain(JsonRpc("public chain", play.url), play.contract)
    final = chain.finalized()
    events = chain.anchored(play.directory.log_id, PublicBlockNumber(0), final.number)
    anchored = [(event.tree_size, play.relayers[_sender(chain.rpc, event.tx_hash)]) for event in events]
    return race_of(anchored, {name: chain.nonce(address, final) for address, name in play.relayers.items()})


def _sender(rpc: JsonRpc, tx: bytes) -> Address:
    method = "eth_getTransactionByHash"
    found = rpc.members(method, rpc.ask(method, data_json(tx)))
    return Address(rpc.octets(method, found.get("from"), 20))
