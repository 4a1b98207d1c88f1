"""Lies and disorders that the table of RELAYER §7 does not list, told by one endpoint of three, and by the only one.

Each ends in a refusal, a wait or a halt, and once the truth is told there is one anchor of each size: none doubled, none
lost, none dearer than allowed.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from hybrid_bridge.errors import CodeMismatch, StoreBroken
from hybrid_bridge.testing.hostile_endpoint import HostileEndpoint, Refusal
from relayers.desk import Orders
from relayers.relay import Tick
from tests.crash.hostile_world import FINAL, Case, Make, anvil, make

__all__ = ["anvil", "make"]
pytestmark = [pytest.mark.evm, pytest.mark.engine]
Liar = Callable[[HostileEndpoint], None]

BLOCKS = ("eth_getBlockByNumber", "eth_getBlockByHash")
FAR = 2**40
MOST_TICKS = 12  # from the truth on, with a finality between each two; most lies need three


def told(methods: str | tuple[str, ...], lie: Callable[[Any], Any]) -> Liar:
    """A change of every honest answer that is not null."""

    def tell(proxy: HostileEndpoint) -> None:
        for method in (methods,) if isinstance(methods, str) else methods:
            proxy.lie(method, lambda _, honest: honest and lie(honest))

    return tell


def fields(methods: str | tuple[str, ...], **changes: Any) -> Liar:
    """Other members of an object; a callable gets the honest one."""
    return told(
        methods,
        lambda honest: honest | {name: new(honest) if callable(new) else new for name, new in changes.items()},
    )


def logs(lie: Callable[[list[Any]], Any]) -> Liar:
    return told("eth_getLogs", lie)


def each(**changes: Any) -> Liar:
    return logs(lambda honest: [log | changes for log in honest])


def replayed(methods: str | tuple[str, ...]) -> Liar:
    """The first answer to every kind of question, whatever public block a later one names."""

    def tell(proxy: HostileEndpoint) -> None:
        for method in (methods,) if isinstance(methods, str) else methods:
            said: dict[Any, Any] = {}
            proxy.lie(method, lambda params, honest, said=said: said.setdefault(str(params[0]), honest))

    return tell


def every_other(method: str, lie: Callable[[Any], Any]) -> Liar:
    """The truth and the lie in turns, to the same question."""

    def tell(proxy: HostileEndpoint) -> None:
        count = iter(range(10**9))
        proxy.lie(method, lambda _, honest: lie(honest) if next(count) % 2 else honest)

    return tell


def extra(**changes: Callable[[Any], Any]) -> Liar:
    """One event more than there are: the newest one again, with other members."""

    def forged(event: dict[str, Any]) -> dict[str, Any]:
        other = {name: change(event) for name, change in changes.items()}
        return event | {"logIndex": hex(int(event["logIndex"], 16) + 1)} | other

    return logs(lambda honest: honest and [*honest, forged(honest[-1])])


def jumping(proxy: HostileEndpoint) -> None:
    """The newest public block goes back by one or two, again and again."""
    count = iter(range(10**9))

    def tell(params: list[Any], honest: Any) -> Any:
        if params[0] != "latest":
            return honest
        return proxy.ask(BLOCKS[0], hex(max(1, int(honest["number"], 16) - next(count) % 3)), False)

    proxy.lie(BLOCKS[0], tell)


def exchanged(proxy: HostileEndpoint) -> None:
    """What is final is newer than the newest public block."""
    other = {"latest": "finalized", "finalized": "latest"}
    proxy.lie(BLOCKS[0], lambda params, honest: proxy.ask(BLOCKS[0], other.get(params[0], params[0]), False) or honest)


def premature(status: str) -> Liar:
    """A receipt in the final public block for what stands nowhere."""

    def lie(proxy: HostileEndpoint) -> None:
        def tell(params: list[Any], honest: Any) -> Any:
            block = proxy.ask(BLOCKS[0], "finalized", False)
            spent = {"status": status, "gasUsed": "0x5208", "effectiveGasPrice": "0x1", "logs": []}
            stands = {"blockHash": block["hash"], "blockNumber": block["number"], "transactionIndex": "0x0"}
            return honest or {"transactionHash": params[0], **stands, **spent}

        proxy.lie("eth_getTransactionReceipt", tell)

    return lie


def _refused(_: Any) -> Any:
    raise Refusal(message="nonce too low: next nonce 9, tx nonce 0")


def _gone(_: Any) -> Any:
    raise Refusal(message="missing trie node 0123 (path ) state is not available")


LIES: dict[str, Liar] = {
    "the right hash with another parent": fields(BLOCKS, parentHash="0x" + "66" * 32),
    "a public block one higher than asked": fields(BLOCKS, number=lambda b: hex(int(b["number"], 16) + 1)),
    "public blocks of the year 2100": fields(BLOCKS, timestamp=hex(4_102_444_800)),
    "public blocks of 1970": fields(BLOCKS, timestamp="0x0"),
    "a base fee beyond all money": fields(BLOCKS, baseFeePerGas=hex(2**62)),
    "a base fee of nothing": fields(BLOCKS, baseFeePerGas="0x0"),
    "no base fee at all": told(BLOCKS, lambda block: {k: v for k, v in block.items() if k != "baseFeePerGas"}),
    "a chain id that comes and goes": every_other("eth_chainId", lambda _: "0x1"),
    "code that comes and goes": every_other("eth_getCode", lambda _: "0x"),
    "events of another contract": each(address="0x" + "99" * 20),
    "events of a public block that is none": each(blockHash="0x" + "98" * 32),
    "events of the far future": each(blockNumber=hex(FAR)),
    "events that were taken back": each(removed=True),
    "events twice": logs(lambda honest: honest + honest),
    "events from the newest to the oldest": logs(lambda honest: honest[::-1]),
    "events of another transaction": each(transactionHash="0x" + "97" * 32),
    "events cut off after the first": logs(lambda honest: honest[:1]),
    "a receipt of another transaction": fields("eth_getTransactionReceipt", transactionHash="0x" + "96" * 32),
    "a receipt in a public block that is none": fields("eth_getTransactionReceipt", blockHash="0x" + "95" * 32),
    "a receipt in another public block": fields(
        "eth_getTransactionReceipt", blockNumber=lambda r: hex(int(r["blockNumber"], 16) - 1)
    ),
    "a receipt of a failure": fields("eth_getTransactionReceipt", status="0x0"),
    "a receipt with a price beyond all money": fields("eth_getTransactionReceipt", effectiveGasPrice=hex(2**200)),
    "a head that never moves, at the right hash": replayed("eth_call"),
    "a nonce that never moves": replayed("eth_getTransactionCount"),
    "finality at the first public block": lambda proxy: proxy.hold_final(0),
    "every state forgotten": told(("eth_call", "eth_getTransactionCount", "eth_getBalance"), _gone),
    "a simulation that costs nothing": told("eth_estimateGas", lambda _: "0x0"),
    "a simulation that costs everything": told("eth_estimateGas", lambda _: hex(2**60)),
    "a send that is refused and passed on": told("eth_sendRawTransaction", _refused),
    "a nonce far up": told("eth_getTransactionCount", lambda _: hex(FAR)),
    "a newest public block far up": told("eth_blockNumber", lambda _: hex(FAR)),
    "a newest public block that jumps back": jumping,
    "finality above the newest public block": exchanged,
    "hashes in capitals": fields(BLOCKS, hash=lambda block: "0x" + block["hash"][2:].upper()),
    "an event more, with another root": extra(data=lambda event: "0x" + "ab" * 32 + event["data"][66:]),
    "an event more, of the first size": extra(topics=lambda event: [*event["topics"][:2], "0x" + f"{1:064x}"]),
    "no events": logs(lambda _: []),
    "a receipt of what is not mined": premature("0x1"),
    "a receipt of the failure of what is not mined": premature("0x0"),
    "a nonce one too low": told("eth_getTransactionCount", lambda honest: hex(max(0, int(honest, 16) - 1))),
    "numbers in decimal": told(("eth_getTransactionCount", "eth_chainId"), lambda honest: str(int(honest, 16))),
    "no balance": told("eth_getBalance", lambda _: "0x0"),
    "a balance of all there is": told("eth_getBalance", lambda _: hex(2**256 - 1)),
}


NEEDS_A_PERSON = "a nonce far up"  # where it was told of the journal's first nonce: ADR 60
BELIEVED = {"a receipt of a failure"}  # by who has nobody else to ask; `fsck` shows it afterwards, and no more


def is_quiet(case: Case, report: Tick) -> bool:
    """All is final and written down, and nothing is begun."""
    view = case.journal.view(case.now())
    is_idle = report.reason == "nothing_due" and set(report.done) <= {"RecordHeader"}
    return is_idle and not (view.open_nonces or view.open_intents)


def judged(case: Case, sizes: int = 2, findings: int = 0) -> None:
    """The truth is told again: one anchor of each size, and nothing dearer than the operator allows."""
    for proxy in case.proxies:
        proxy.honest()
    if case.halted() is not None:
        with closing(sqlite3.connect(case.path)) as database:
            (evidence,) = database.execute("SELECT evidence FROM control").fetchone()
        with Orders(case.path, case.scope) as orders:
            orders.lift_halt(evidence, "a person", case.now())
    for _ in range(MOST_TICKS):
        if is_quiet(case, case.tick()):
            break
        case.anvil.mine(FINAL + 1)
    assert case.anchored() == list(range(2, sizes + 2))
    for attempt in case.dump().attempts:
        assert attempt.max_fee <= case.fees.max_fee
        assert attempt.gas * attempt.max_fee <= case.fees.max_cost_per_anchor
    assert len(case.fsck()) == findings


def ticked(case: Case) -> None:
    """One tick; a process that ends, since all of a quorum serve another chain, is started again by its supervisor."""
    with suppress(StoreBroken, CodeMismatch):
        case.tick()


def lied_to(case: Case, liar: Liar) -> None:
    """Before an anchor, while one is in flight, and until it should be final."""
    liar(case.proxies[-1])
    case.log.close_epoch()
    ticked(case)
    for proxy in case.proxies:
        proxy.honest()
    ticked(case)
    liar(case.proxies[-1])
    for blocks in (1, FINAL, 1):
        case.anvil.mine(blocks)
        ticked(case)
    case.log.close_epoch()
    ticked(case)
    case.anvil.mine()
    ticked(case)


@pytest.mark.parametrize("part", range(4))
def test_one_endpoint_of_three_that_lies_in_a_new_way_changes_nothing(make: Make, part: int) -> None:
    """case 18, one way after the other; between them its time on the bench is over."""
    case, liars = make(3), list(LIES.values())[part::4]
    for number, liar in enumerate(liars):
        case.proxies[number % 3].honest()
        case.seconds += 10**6
        liar(case.proxies[number % 3])
        case.log.close_epoch()
        for blocks in (0, 1, FINAL):
            if blocks:
                case.anvil.mine(blocks)
            assert case.tick().reason != "no_rpc_quorum"
        case.proxies[number % 3].honest()
        assert case.anchored()[-1] == number + 2
    assert case.halted() is None
    judged(case, len(liars))


@pytest.mark.parametrize("name", sorted(LIES.keys() - {NEEDS_A_PERSON}))
def test_the_only_endpoint_that_lies_for_a_while_doubles_loses_and_overpays_nothing(make: Make, name: str) -> None:
    """case 18, where its word is all that there is."""
    case = make()
    lied_to(case, LIES[name])
    judged(case, findings=int(name in BELIEVED))


def test_a_first_nonce_far_up_is_paid_for_by_nobody(make: Make) -> None:
    """case 18: until a person makes a new journal nothing is anchored, and no cancel fills the way up."""
    case = make()
    lied_to(case, LIES[NEEDS_A_PERSON])
    case.proxies[0].honest()
    for _ in range(3):
        case.anvil.mine()
        assert case.tick().reason == "nonce_gap"
    assert (case.anchored(), len(case.dump().slots)) == ([], 1)
    assert case.anvil.chain.nonce(case.signer.address(), case.anvil.chain.latest()) == 0
