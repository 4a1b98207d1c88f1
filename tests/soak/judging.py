"""What must hold when all is over: one history, one state, every promise decided, every epoch anchored once."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from hybrid_bridge.adapters.cometbft.rpc import EngineRpc
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Height, PublicBlockNumber
from tests.e2e.engine_network import EngineNetwork
from tests.e2e.network import NAMES, until
from tests.e2e.public_chain import PublicChain, typed

PATIENCE = 300.0
STATE = ("hash", "app_hash", "chain", "governance_size", "governance_root", "writes")


def settled(network: EngineNetwork) -> int:
    """Wait until everybody is up and beyond what anybody has; that height."""
    top = max(network.await_status(name, "up", lambda _: True).height for name in NAMES)
    for name in NAMES:
        network.await_status(name, f"block {top + 1}", lambda status: status.final_height > top)
    return top


def forks(network: EngineNetwork, top: int) -> Iterator[str]:
    """Heights at which two members, or a member and its engine, tell different stories."""
    stories = {name: blocks(network.folder(name) / "ledger.db", top) for name in NAMES}
    for height in range(1, top + 1):
        if len({story[height] for story in stories.values()}) > 1:
            yield f"height {height}: members' states differ"
    for name in NAMES:
        wrong = [h for h, found in engine_hashes(network, name, top).items() if found != stories[name][h][0]]
        if wrong:
            yield f"{name}: its engine has other blocks at {wrong[:3]}"


def blocks(path: Path, top: int) -> dict[int, tuple[object, ...]]:
    """What a member's node answered its engine at each height."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        rows = connection.execute(f"SELECT height, {', '.join(STATE)} FROM decided WHERE height <= ?", (top,))
        return {row[0]: tuple(row[1:]) for row in rows}


def engine_hashes(network: EngineNetwork, name: str, top: int) -> dict[int, bytes]:
    """Header hashes as a member's engine has them."""
    rpc = EngineRpc(Service("engine", f"http://{read_settings(network.folder(name)).engine_rpc}").post)

    def ask() -> dict[int, bytes]:
        return {height: bytes(rpc.signed_header(Height(height)).header.hash) for height in range(1, top + 1)}

    return ask() if network.lan is None else network.lan.on(name, ask)


def promises(network: EngineNetwork) -> tuple[Counter[str], list[str]]:
    """What became of every promise that any member holds; and those that are broken and cannot be shown to be."""

    def found() -> list[tuple[str, str, bytes]] | None:
        rows = []
        for name in NAMES:
            after = 0
            while page := network.desk(name).promises(after):
                after = page[-1].number
                rows += [(name, row.standing, row.promise) for row in page]
        return None if any(standing == "due" for _, standing, _ in rows) else rows

    rows = until("every promise decided", found, PATIENCE)
    unproven = [who for who, standing, data in rows if standing == "broken" and not shown_broken(network, who, data)]
    return Counter(standing for _, standing, _ in rows), unproven


def shown_broken(network: EngineNetwork, name: str, promise: bytes) -> bool:
    """Whether the member gets evidence of the omission."""
    transaction = SignedPromise.decode(promise).promise.transaction_id.hex()
    out = network.root / f"{transaction[:16]}.bundle"
    folder = str(network.folder(name))
    return (
        typed("evidence", "omission", "--dir", folder, "--transaction", transaction, "--out", str(out)).returncode == 0
    )


def anchors(network: EngineNetwork, chain: PublicChain) -> tuple[Sequence[AnchoredEvent], list[str]]:
    """All anchors once the epochs until now are covered, and what is wrong with them."""
    contract = Web3Chain(JsonRpc("public chain", chain.url), chain.contract)
    log_id = network.directory.log_id
    wanted = max(network.status(name).size for name in NAMES)

    def covered() -> Sequence[AnchoredEvent] | None:
        events = contract.anchored(log_id, PublicBlockNumber(0), contract.finalized().number)
        return events if events and events[-1].tree_size >= wanted else None

    events = until(f"an anchor of size {wanted}", covered, PATIENCE)
    times = Counter[int]()  # how often each epoch was anchored: by each anchor those that its predecessor had not
    previous, wrong = 0, []
    for event in events:
        if event.tree_size <= previous:
            wrong.append(f"size {event.tree_size} after {previous}")
        times.update(range(previous, event.tree_size))
        previous = event.tree_size
        if network.relayed("bank-b").attestation(event.tree_size)[0] != event.root:
            wrong.append(f"size {event.tree_size}: another root than bank-b attested")
    wrong += [f"epoch {epoch + 1}: {times[epoch]} times" for epoch in range(wanted) if times[epoch] != 1]
    return events, wrong
