"""A rebuild that is killed at any write is completed by the next one; what endpoints hide or invent changes no fact."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.calls import decode_anchor
from hybrid_bridge.adapters.evm.rpc import JsonRpc, RpcError, data_json
from hybrid_bridge.adapters.evm.sent import SentTransactions
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.errors import AnswerMalformed, Unreachable
from hybrid_bridge.testing.crashing import Crashing, CrashPlan, Killed
from relayers.audits import _nothing, _runs
from relayers.desk import Desk
from relayers.rebuild import Adoption, adopt, adoption
from relayers.sql_journal import SqlJournal, create_journal
from relayers.traces import Traces, traces
from tests.crash.relay_world import BORN, DEPTH, JOURNAL_WRITES, Operator, World


class Shown:
    """What an endpoint shows of the network: everything, or less."""

    def __init__(self, operator: Operator, *, hides: frozenset[str] = frozenset()) -> None:
        self.network, self.hides = operator.world.network, hides

    def by_hash(self, tx: bytes) -> bytes | None:
        if "hashes" in self.hides:
            raise Unreachable(endpoint="it", call="by_hash")
        return next((raw for raw in self.network.received if decode_signed(raw).hash == tx), None)

    def in_block(self, number: int, sender: bytes) -> list[bytes]:
        hashes = [tx.hash for tx in self.network.blocks[number].transactions if tx.sender == sender]
        return [] if "blocks" in self.hides else [raw for tx in hashes if (raw := self.by_hash(tx)) is not None]

    def pooled(self, sender: bytes) -> list[bytes]:
        if "pool" in self.hides:
            return []
        return [raw for tx in self.network.pending if (raw := self.by_hash(tx.hash)) is not None]

    def set_updates(self, contract: bytes, log: bytes, first: int, last: int) -> list[bytes]:
        return []

    def nonce_with_pool(self, sender: bytes) -> int:
        return self.network.newest.nonces.get(sender, 0) + len(self.network.pending)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Three final anchors, one that is mined, one in the pool; then the disk is lost."""
    operator = Operator(World(), tmp_path_factory.mktemp("lost") / "journal.db")
    for size in range(2, 7):
        operator.world.consortium.close_epoch()
        operator.tick()
        if size < 6:
            operator.world.network.mine(DEPTH if size == 4 else 1)
    operator.close()
    yield operator
    operator.close()


def read(operator: Operator, dump, *views: Shown) -> tuple[Adoption, Traces]:
    observer = operator.relayer().observer
    seen = traces(observer, views or (Shown(operator),), decode_anchor, 0)
    return adoption(dump, seen, operator.world.log, decode_anchor, BORN), seen


def write(path: Path, operator: Operator, plan: CrashPlan, *views: Shown) -> None:
    with SqlJournal(path, operator.scope, "rebuild", BORN) as journal:
        found, seen = read(operator, journal.dump(), *views)
        adopt(Crashing(journal, JOURNAL_WRITES, plan), found, seen, decode_anchor, BORN)


def rows(path: Path, operator: Operator):
    """What was written, without whose lease it was."""
    with Desk(path, operator.scope) as desk:
        assert desk.audit()[1] == ()
        dump = desk.dump()
    return replace(dump, attempts=tuple(replace(attempt, epoch=0) for attempt in dump.attempts))


def test_every_crash_of_a_rebuild_leaves_what_the_next_one_completes(operator: Operator, tmp_path: Path) -> None:
    names = (tmp_path / f"journal-{number}.db" for number in count())

    def rebuilt(plan: CrashPlan):
        path = next(names)
        create_journal(path, operator.scope, BORN)
        for _ in range(3):
            try:
                write(path, operator, plan)
            except Killed:
                continue
            break
        return rows(path, operator)

    whole = CrashPlan({})
    wanted = rebuilt(whole)
    assert len(wanted.attempts) == len(wanted.slots) == 5
    assert rebuilt(CrashPlan({0: "before"})) == wanted
    for number in range(len(whole.seen)):  # before the next one is after this one
        assert rebuilt(CrashPlan({number: "after"})) == wanted, whole.seen[number]


@pytest.mark.parametrize(
    ("hides", "attempts", "foreign", "unshown"),
    [
        ((), 5, (), ()),
        (("pool",), 4, (), (4,)),
        (("blocks",), 5, (), ()),  # events show the mined one too
        (("hashes",), 0, (), (4,)),
    ],
)
def test_what_is_hidden_is_foreign_or_told_and_never_invented(
    operator: Operator, hides: tuple[str, ...], attempts: int, foreign: tuple[int, ...], unshown: tuple[int, ...]
) -> None:
    found, _ = read(operator, _nothing(operator.scope), Shown(operator, hides=frozenset(hides)))
    assert (len(found.attempts), found.foreign, found.unshown) == (attempts, foreign, unshown)
    both, _ = read(operator, _nothing(operator.scope), Shown(operator, hides=frozenset(hides)), Shown(operator))
    assert len(both.attempts) == 5  # one that shows them is enough


def test_a_checkpoint_whose_quorum_or_path_is_wrong_is_not_adopted(operator: Operator) -> None:
    _, seen = read(operator, _nothing(operator.scope))

    def sizes(change: Callable) -> list[int]:
        broken = replace(seen, calls=tuple(map(change, seen.calls)), own=())
        found = adoption(_nothing(operator.scope), broken, operator.world.log, decode_anchor, BORN)
        return [row.size for row, _ in found.checkpoints]

    assert sizes(lambda update: update) == [2, 3, 4, 5]
    assert sizes(lambda update: replace(update, log_id=bytes(32))) == []
    assert sizes(lambda update: replace(update, root=bytes(32))) == []
    assert sizes(lambda update: replace(update, seals=update.seals[:-1])) == []
    assert sizes(lambda update: replace(update, seals=update.seals + b"\0")) == []
    assert sizes(lambda update: replace(update, signers=0)) == []
    assert sizes(lambda update: replace(update, signers=update.signers | 1 << 60)) == []
    assert sizes(lambda update: replace(update, path=()) if update.tree_size == 4 else update) == [2, 3]


def test_numbers_in_a_row_are_told_by_their_ends() -> None:
    assert _runs([1, 2, 3, 5, 8, 9]) == "1-3, 5, 8-9"
    assert (_runs([7]), _runs([])) == ("7", None)


# ── an endpoint's answers ────────────────────────────────────────────────────────────────────────────────────────────


class Answering(JsonRpc):
    """An endpoint that says what a test wants."""

    def __init__(self, **answers: object) -> None:
        super().__init__("it", "http://127.0.0.1:1")
        self.answers = answers

    def ask_raw(self, method: str, *params: object):
        if method not in self.answers:
            raise RpcError(-32601, "Method not found", b"")
        return self.answers[method]


def entry_of(raw: bytes, **changes: object) -> dict[str, object]:
    signed, tail = decode_signed(raw), raw[-66:]
    tx = signed.transaction
    return {
        "type": "0x2", "accessList": [], "from": data_json(signed.sender), "hash": data_json(signed.hash),
        "chainId": hex(tx.chain_id), "nonce": hex(tx.nonce), "to": data_json(tx.to), "value": "0x0",
        "input": data_json(tx.data), "gas": hex(tx.gas), "maxFeePerGas": hex(tx.max_fee),
        "maxPriorityFeePerGas": hex(tx.tip), "r": hex(int.from_bytes(tail[1:33], "big")),
        "s": hex(int.from_bytes(tail[34:], "big")), "yParity": hex(raw[-67] if raw[-67] == 1 else 0),
    } | changes  # fmt: skip


@pytest.fixture
def raw(operator: Operator) -> bytes:
    return operator.world.network.received[0]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "0x9"}, {"value": "0x1"}, {"input": "0x"}, {"hash": "0x" + "00" * 32}, {"r": "0x1"}, {"s": "0x0"},
        {"to": "0x" + "11" * 20}, {"maxFeePerGas": "0x1"}, {"gas": None}, {"input": 7}, {"chainId": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_fields_that_are_not_those_of_the_hash_are_no_transaction(raw: bytes, change: dict[str, object]) -> None:
    signed = decode_signed(raw)
    view = SentTransactions(Answering(eth_getTransactionByHash=entry_of(raw, **change)))
    with pytest.raises(AnswerMalformed):
        view.by_hash(signed.hash)


def test_a_transaction_comes_back_by_hash_from_a_block_and_from_both_kinds_of_pool(raw: bytes) -> None:
    signed, entry = decode_signed(raw), entry_of(raw)
    assert SentTransactions(Answering(eth_getTransactionByHash=entry)).by_hash(signed.hash) == raw
    assert SentTransactions(Answering(eth_getTransactionByHash=None)).by_hash(signed.hash) is None
    assert SentTransactions(Answering(eth_getTransactionByHash=entry | {"type": "0x0"})).by_hash(signed.hash) is None
    with pytest.raises(AnswerMalformed):
        SentTransactions(Answering(eth_getTransactionByHash=entry)).by_hash(bytes(32))
    block = Answering(eth_getBlockByNumber={"transactions": [entry, entry | {"from": "0x" + "11" * 20}]})
    assert SentTransactions(block).in_block(1, signed.sender) == [raw]
    with pytest.raises(AnswerMalformed):  # it says that somebody else sent them; the signature does not
        SentTransactions(block).in_block(1, b"\x11" * 20)
    pool = Answering(txpool_contentFrom={"pending": {"0": entry}})
    assert SentTransactions(pool).pooled(signed.sender) == [raw]
    count = "0x0"
    by_nonce = Answering(eth_getTransactionCount=count, eth_getTransactionBySenderAndNonce=entry)
    assert SentTransactions(by_nonce).pooled(signed.sender) == []
    assert SentTransactions(Answering(eth_getTransactionCount=count)).pooled(signed.sender) == []


def test_set_updates_are_told_by_their_transactions_in_a_strict_and_bounded_answer() -> None:
    def told(*entries: object) -> list[bytes]:
        return SentTransactions(Answering(eth_getLogs=list(entries))).set_updates(bytes(20), bytes(32), 1, 9)

    assert told() == []
    assert told({"transactionHash": "0x" + "11" * 32}) == [b"\x11" * 32]
    for wrong in ({}, {"transactionHash": "0x11"}, {"transactionHash": None}, 7):
        with pytest.raises(AnswerMalformed):
            told(wrong)
    with pytest.raises(AnswerMalformed):
        told(*[{"transactionHash": "0x" + "11" * 32}] * 1_001)
