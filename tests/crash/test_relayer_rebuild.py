"""A journal that is lost, or of yesterday: from the real contract's chain comes back what the key sent, and nothing twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.calls import anchor_calldata, decode_anchor, rotate_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.sent import SentTransactions
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.errors import FieldMalformed, NotYet, StoreBroken
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, Nonce, PublicBlockNumber, TreeSize, UnixSeconds, Wei
from relayers.appointing import update_by
from relayers.audits import _nothing
from relayers.desk import Orders
from relayers.fsck import fsck
from relayers.journal import AttemptFinalRow, IntentKind, IntentState, Outcome, SlotRow, WishKind
from relayers.rebuild import MAX_ADOPTED, Adoption, adopt, adoption
from relayers.relay import tick
from relayers.sql_journal import SqlJournal, create_journal
from relayers.start import require_known
from relayers.traces import MAX_POOLED, Traces, traces
from relayers.wiring import decode_call
from tests.crash.relay_world import DEPTH, ETHER, fees
from tests.crash.test_relayer_on_devnet import BORN, BY_OTHERS, SIGNER, World
from tests.engines import rpc_of

pytestmark = pytest.mark.evm


@pytest.fixture
def world() -> Iterator[World]:
    funds = ((SIGNER.address(), Wei(10 * ETHER)), (BY_OTHERS.address(), Wei(10 * ETHER)))
    clock = iter(range(BORN, BORN + 10**6))
    settings = DevnetSettings(period=0, finality_depth=DEPTH, funds=funds)
    with Devnet(settings, lambda: UnixSeconds(next(clock))) as devnet:
        yield World(rpc_of(devnet.url))


def opened(path: Path, world: World) -> SqlJournal:
    return SqlJournal(path, world.scope, "test", world.now())


def look(path: Path, world: World) -> tuple[Adoption, Traces]:
    """As `fsck --rebuild --plan`."""
    observer = world.relayer(None).observer
    if path.exists():
        with opened(path, world) as journal:
            dump = journal.dump()
    else:
        dump = _nothing(world.scope)
    since = dump.headers[-1].number + 1 if dump.headers else 0
    seen = traces(observer, [SentTransactions(world.rpc)], decode_anchor, PublicBlockNumber(since))
    return adoption(dump, seen, world.served(), decode_call, world.now()), seen


def rebuild(path: Path, world: World) -> Adoption:
    found, seen = look(path, world)
    if not path.exists():
        create_journal(path, world.scope, world.now())
    with opened(path, world) as journal:
        adopt(journal, found, seen, decode_call, world.now())
        assert fsck(journal.dump(), world.served(), world.chain) == []
    again, _ = look(path, world)
    assert again.is_empty  # twice is once
    return found


def one_tick(path: Path, world: World):
    with opened(path, world) as journal:
        return tick(world.relayer(journal))


def anchor(path: Path, world: World, *, mined: bool) -> None:
    world.log.close_epoch()
    assert one_tick(path, world).done[-1] == "Send"
    if mined:
        world.mine()


def settle(path: Path, world: World, last: int):
    """Until all is final; then nothing is doubled, and everything agrees."""
    for _ in range(2 * DEPTH):
        one_tick(path, world)
        world.mine()
    one_tick(path, world)
    with opened(path, world) as journal:
        dump = journal.dump()
    assert [
        event.tree_size for event in world.chain.anchored(world.log.log_id, 0, world.chain.latest().number)
    ] == list(range(2, last + 1))
    assert fsck(dump, world.served(), world.chain, fees()) == []
    assert all(intent.state is IntentState.FINALIZED for intent in dump.intents)
    return dump


def lied_to(path: Path, world: World, first: int) -> None:
    """Three nonces from this one on were called used for good; what was in flight on the first one counts as lost."""
    at = world.chain.latest().hash
    with opened(path, world) as journal:
        lost = [a for a in journal.view(world.now()).attempts if a.nonce == first]
        for nonce in range(first, first + 3):
            if nonce > first:
                journal.open_slot(Nonce(nonce))
            finals = [AttemptFinalRow(a.hash, Outcome.LOST, "", PublicBlockNumber(1), at) for a in lost]
            journal.close_slot(SlotRow(Nonce(nonce), at, is_foreign=True), finals if nonce == first else ())


@pytest.mark.parametrize("mined", [True, False])
def test_after_a_small_lie_of_the_only_endpoint_a_journal_from_the_chain_is_the_way_out(
    world: World, tmp_path: Path, mined: bool
) -> None:
    """Runbook, NonceUnexplained: the old one is moved away, and whatever was in flight is anchored once all the same."""
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    anchor(path, world, mined=True)
    anchor(path, world, mined=mined)
    lied_to(path, world, 1)
    world.log.close_epoch()
    world.mine(DEPTH + 1)
    assert one_tick(path, world).reason == "nonce_behind"
    with opened(path, world) as journal:
        assert {one.promise for one in fsck(journal.dump(), world.served(), world.chain)} >= {"S4"}
    path.rename(tmp_path / "kept.db")
    rebuild(path, world)
    dump = settle(path, world, 4)
    assert [slot.nonce for slot in dump.slots] == [0, 1, 2]


def sent_by_hand(world: World, nonce: int, **changes: int) -> None:
    """By another program with our key."""
    values = {"value": Wei(5), "gas": 21_000, "max_fee": Wei(50 * 10**9), "tip": Wei(10**9)} | changes
    raw = SIGNER.sign(
        UnsignedTransaction(chain_id=world.scope.chain_id, nonce=nonce, to=BY_OTHERS.address(), data=b"", **values)
    )
    assert world.chain.broadcast(raw).tx_hash is not None


def test_a_lost_journal_comes_back_with_one_anchor_in_flight(world: World, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    for _ in range(3):
        anchor(path, world, mined=True)
    world.mine(DEPTH)
    anchor(path, world, mined=True)  # mined, not final
    anchor(path, world, mined=False)  # in the pool
    with opened(path, world) as journal:
        before = journal.dump()
    path.unlink()
    found = rebuild(path, world)
    assert [row.size for row, _ in found.checkpoints] == [2, 3, 4, 5, 6]
    assert (found.slots, found.foreign, found.unshown) == ((0, 1, 2, 3, 4), (), ())
    done = one_tick(path, world)
    assert "MakeAttempt" not in done.done  # the bytes in flight are known: they are sent again, no others
    dump = settle(path, world, 6)
    assert {a.hash for a in dump.attempts} == {a.hash for a in before.attempts}
    assert [a.raw for a in dump.attempts] == [a.raw for a in before.attempts]
    assert {f.outcome for f in dump.finals} == {Outcome.OK}
    assert {a.epoch for a in dump.attempts} == {1}


def test_a_copy_of_yesterday_learns_what_happened_since(world: World, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    anchor(path, world, mined=True)
    world.mine(DEPTH)
    world.log.close_epoch()
    one_tick(path, world)  # in flight when the copy is taken
    yesterday = path.read_bytes()
    world.mine()
    anchor(path, world, mined=True)
    world.mine(DEPTH)
    one_tick(path, world)
    anchor(path, world, mined=False)
    path.write_bytes(yesterday)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    with opened(path, world) as journal, pytest.raises(StoreBroken, match="fsck --rebuild"):
        require_known(world.relayer(journal).observer, journal, "journal.db", lambda *_: None)
    found = rebuild(path, world)
    assert found.slots == (2, 3)
    dump = settle(path, world, 5)
    assert [slot.is_foreign for slot in dump.slots] == [False] * 4


@pytest.mark.parametrize("blocks", [0, 1, DEPTH + 2], ids=["in the pool", "mined and not final", "final"])
def test_a_rotation_comes_back_with_its_duty(world: World, tmp_path: Path, blocks: int) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    anchor(path, world, mined=True)
    world.mine(DEPTH)
    world.log.exchange("newcomer", TreeSize(4))
    world.updates += world.log.appointed(world.scope.chain_id, world.scope.contract, (0, 1, 2, 4))
    assert one_tick(path, world).done[-4:] == ("OpenRotation", "OpenSlot", "MakeAttempt", "Send")
    with opened(path, world) as journal:
        before = journal.dump().attempts
    if blocks:
        world.mine(blocks)
    path.unlink()
    found = rebuild(path, world)
    assert (found.slots, found.foreign, found.unshown) == ((0, 1), (), ())
    assert "MakeAttempt" not in one_tick(path, world).done
    dump = settle(path, world, 2)
    assert [attempt.raw for attempt in dump.attempts] == [attempt.raw for attempt in before]
    assert [(intent.kind, intent.set_id) for intent in dump.intents if intent.set_id] == [(IntentKind.ROTATE, 2)]


def test_a_rotation_that_the_settings_do_not_know_is_not_adopted(world: World, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    old = world.served()
    world.log.exchange("newcomer", TreeSize(4))
    world.updates += world.log.appointed(world.scope.chain_id, world.scope.contract, (0, 1, 2, 4))
    one_tick(path, world)
    path.unlink()
    _, seen = look(path, world)
    (own,) = seen.own
    call = decode_call(own.signed.transaction.data)
    assert rotate_calldata(call) == own.signed.transaction.data
    assert update_by(call, world.served(), world.scope).set_id == 2
    assert update_by(call, old, world.scope) is None
    for wrong in ({"entries": b""}, {"effective_from_size": 5}, {"set_hash": bytes(32)}, {"log_id": bytes(32)}):
        assert update_by(replace(call, **wrong), world.served(), world.scope) is None
    assert adoption(_nothing(world.scope), seen, old, decode_call, world.now()).attempts == ()
    for data in (b"", own.signed.transaction.data + bytes(32), own.signed.transaction.data[:-1]):
        with pytest.raises(FieldMalformed):
            decode_call(data)


def test_what_another_program_sent_with_our_key_is_foreign(world: World, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    anchor(path, world, mined=True)
    sent_by_hand(world, 1)
    world.mine()
    world.mine(DEPTH)
    sent_by_hand(world, 2)
    path.unlink()
    found = rebuild(path, world)
    assert (found.slots, found.foreign) == ((0, 1), (1,))
    assert found.unshown == ()
    world.mine(DEPTH + 1)
    with opened(path, world) as journal, pytest.raises(StoreBroken):
        require_known(world.relayer(journal).observer, journal, "journal.db", lambda *_: None)
    assert rebuild(path, world).foreign == (2,)


def test_an_empty_journal_is_refused_while_the_key_has_anchored_and_taken_while_it_has_not(
    world: World, tmp_path: Path
) -> None:
    """Case 26: one key, two databases."""

    def sender(chain: Web3Chain, tx: bytes) -> bytes:
        return decode_signed(SentTransactions(chain.rpc).by_hash(tx)).sender

    path, lost = tmp_path / "journal.db", tmp_path / "lost.db"
    create_journal(path, world.scope, world.now())
    sent_by_hand(world, 0)  # another life of this key
    world.mine()
    with opened(path, world) as journal:
        require_known(world.relayer(journal).observer, journal, "journal.db", sender)
    anchor(path, world, mined=True)
    create_journal(lost, world.scope, world.now())
    with opened(lost, world) as journal, pytest.raises(StoreBroken, match="anchored size 2"):
        require_known(world.relayer(journal).observer, journal, "lost.db", sender)


def test_calldata_comes_back_or_is_refused(world: World, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    anchor(path, world, mined=True)
    with opened(path, world) as journal:
        (attempt,) = journal.dump().attempts
    data = decode_signed(attempt.raw).transaction.data
    update = decode_anchor(data)
    assert anchor_calldata(update) == data
    for wrong in (b"", data[:-1], data + bytes(32), b"\0" + data[1:], data[:4], data[:36] + bytes([1]) + data[37:]):
        with pytest.raises(FieldMalformed):
            decode_anchor(wrong)
    view = SentTransactions(world.rpc)
    assert view.by_hash(attempt.hash) == attempt.raw
    assert view.by_hash(bytes(32)) is None
    block = world.chain.latest().number
    assert (view.in_block(block, SIGNER.address()), view.in_block(block, BY_OTHERS.address())) == ([attempt.raw], [])
    assert replace(update, seals=b"") != update


@pytest.mark.parametrize("kind", list(WishKind))
def test_a_wish_is_fulfilled_on_a_real_chain_and_the_raise_is_taken_by_its_pool(
    world: World, tmp_path: Path, kind: WishKind
) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    anchor(path, world, mined=False)
    with Orders(path, world.scope) as orders:
        (first,) = orders.dump().attempts
        orders.wish(0, kind, first.hash, "a person", world.now())
    assert one_tick(path, world).done == ("MakeAttempt", "Send")
    world.mine()
    dump = settle(path, world, 2)
    stands = [f.hash for f in dump.finals if f.outcome is not Outcome.LOST]
    assert len(stands) == (1 if kind is WishKind.BUMP else 2)  # the duty that was cancelled went with the next nonce
    assert first.hash not in stands


def test_endpoints_that_name_a_nonce_far_up_make_no_rows_of_it(world: World, tmp_path: Path) -> None:
    """Each nonce below would get a slot for ever; and a hint of one endpoint fills no memory."""
    _, seen = look(tmp_path / "none.db", world)
    dump = _nothing(world.scope)
    known = replace(dump, slots=(SlotRow(Nonce(0), None, is_foreign=False),))
    for used in (MAX_ADOPTED + 2, 2**53):
        with pytest.raises(NotYet, match=f"used nonce {used - 1}"):
            adoption(known, replace(seen, used=Nonce(used)), world.served(), decode_call, world.now())
    adopted = adoption(known, replace(seen, used=Nonce(MAX_ADOPTED)), world.served(), decode_call, world.now())
    assert len(adopted.slots) == MAX_ADOPTED - 1

    class Hinting(SentTransactions):
        def nonce_with_pool(self, sender: Address) -> Nonce:
            return Nonce(2**53)

    seen = traces(world.relayer(None).observer, [Hinting(world.rpc)], decode_anchor, PublicBlockNumber(0))
    assert seen.hidden == seen.used + MAX_POOLED
