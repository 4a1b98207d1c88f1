"""What every `PublicChain` must do, whoever implements it. One suite, run on the fake and on each real system.

Subclass `PublicChainBehaviour` and give a fixture `world`; a module-scoped one is enough, each test has its own log.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

import pytest

from hybrid_bridge.core.attestation import seals
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.power import appoint
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import (
    BelowQuorum,
    NewcomerUnproven,
    NotYet,
    RootMismatch,
    RotationOutOfRange,
    RotationPending,
    SetMismatch,
    StaleHead,
    Undecided,
    UnknownLog,
)
from hybrid_bridge.ports import PublicBlock, PublicChain, Rotation, TransactionSigner, UnsignedTransaction, Update
from hybrid_bridge.testing.memory_members import MemoryConsortium
from hybrid_bridge.units import (
    Address,
    Digest,
    Gas,
    Height,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    RawTransaction,
    Seconds,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)

CADENCE: Final = Seconds(60)
_BASE_POINT: Final = bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666")  # RFC 8032


class RegistrableLog(MemoryConsortium):
    """Four validators and a log whose leaf 0 is a real genesis record, so that the contract takes it."""

    def __init__(self, name: str, genesis_time: UnixSeconds) -> None:
        super().__init__(4, genesis_time, CADENCE)
        self.origin = f"behaviour.example/{name}"
        self.genesis = Genesis(
            origin_hash=origin_hash(self.origin),
            genesis_time=genesis_time,
            cadence=CADENCE,
            grace=Seconds(600),
            promise_delay=6,
            batch_ladder=0x440,
            registry_ladder=0x14,
            vrf_public_key=_BASE_POINT,
            registry_root=sha256(b"registry"),
            label_table_hash=sha256(b"labels"),
            set_hash=self.validators.digest,
            decoy_key_hash=sha256(b"decoys"),
            log_key=_BASE_POINT,
            guardian=Address(bytes(20)),
            pause_max=Seconds(86_400),
            ledger_id=sha256(b"ledger"),
            first_block=Height(1),
            policy_hash=sha256(b"policy"),
        ).encode()
        self.log_id = Genesis.decode(self.genesis).log_id
        self.tree = Tree()
        self.tree.append(Digest(self.log_id))

    def update(self, from_size: int, to_size: int, signers: Sequence[int] = (0, 1, 2)) -> Update:
        """The honest update between two sizes, or one signed by fewer."""
        while self.size < to_size:
            self.close_epoch()
        checkpoint = self.checkpoint(TreeSize(to_size))
        signed = {self.validators.addresses[i]: self.sign(i, checkpoint) for i in range(4)}
        bits, packed = seals(self.validators, signed)
        if tuple(signers) != (0, 1, 2):
            bits = sum(1 << i for i in signers)
            packed = b"".join(
                packed[64 * i : 64 * i + 64] if i in signers else self.validators.addresses[i] for i in range(3)
            )
            packed += self.validators.addresses[3]
        return Update(
            log_id=self.log_id,
            from_size=TreeSize(from_size),
            tree_size=TreeSize(to_size),
            root=checkpoint.root,
            set_hash=checkpoint.set_hash,
            signers=bits,
            path=tuple(self.tree.consistency_path(TreeSize(from_size), TreeSize(to_size))),
            seals=packed,
        )

    def rotation(self, chain: PublicChain, contract: Address, from_size: int) -> Rotation:
        """The update to a set with one newcomer, signed by the three who stay and by him."""
        newest = self.exchange("a newcomer", TreeSize(from_size))
        signed = self.appointed(chain.chain_id(), contract, (1, 2, 3, 4))
        signers, packed, newcomers = appoint(newest, self.validators, {one.signer: one.signature for one in signed})
        return Rotation(
            log_id=self.log_id,
            effective_from_size=TreeSize(from_size),
            set_hash=self.validators.digest,
            signers=signers,
            seals=packed,
            entries=newest.encode_entries(),
            newcomers=newcomers,
        )


class PublicChainWorld(Protocol):
    """A system under test: an endpoint with the registry deployed, a funded gas key, a way to let time pass."""

    chain: PublicChain
    contract: Address
    signer: TransactionSigner

    def calldata(self, update: Update | Rotation) -> bytes:
        """A call of `anchor`, or of `rotateValidators`."""

    def register(self, log: RegistrableLog) -> None:
        """Returns when the registration stands at the newest public block."""

    def wait(self) -> None:
        """Let at least one public block be made."""


class PublicChainBehaviour:
    """The suite."""

    @pytest.fixture
    def log(self, world: PublicChainWorld, request: pytest.FixtureRequest) -> RegistrableLog:
        """A log of this test's own, registered, an hour old. Two classes may share a public chain, and a second of it."""
        name = sha256(request.node.nodeid.encode()).hex()
        log = RegistrableLog(name, UnixSeconds(world.chain.latest().time - 3600))
        world.register(log)
        return log

    def test_public_blocks_are_linked_by_their_parents(self, world: PublicChainWorld) -> None:
        world.wait()
        newest = world.chain.latest()
        assert world.chain.block(newest.number) == newest
        parent = world.chain.block(PublicBlockNumber(newest.number - 1))
        assert (newest.parent, parent.time <= newest.time) == (parent.hash, True)
        assert world.chain.base_fee(newest) >= 0

    def test_a_public_block_beyond_the_newest_is_not_yet_there(self, world: PublicChainWorld) -> None:
        with pytest.raises(NotYet):
            world.chain.block(PublicBlockNumber(world.chain.latest().number + 1000))

    def test_the_finalized_public_block_is_canonical_and_not_newer_than_the_newest(
        self, world: PublicChainWorld
    ) -> None:
        final = world.chain.finalized()
        assert final.number <= world.chain.latest().number
        assert world.chain.block(final.number) == final

    def test_the_code_is_the_same_at_every_named_public_block(self, world: PublicChainWorld) -> None:
        assert world.chain.code_hash() == world.chain.code_hash(world.chain.latest().hash)

    def test_a_keys_own_address_has_no_code(self, world: PublicChainWorld) -> None:
        assert world.chain.account_code(world.signer.address(), world.chain.latest()) == b""

    def test_a_public_block_hash_that_is_not_canonical_is_undecided(self, world: PublicChainWorld) -> None:
        newest = world.chain.latest()
        stranger = PublicBlock(newest.number, PublicBlockHash(b"\xab" * 32), newest.parent, newest.time)
        for read in (
            lambda: world.chain.nonce(world.signer.address(), stranger),
            lambda: world.chain.balance(world.signer.address(), stranger),
            lambda: world.chain.account_code(world.signer.address(), stranger),
            lambda: world.chain.head(LogId(bytes(32)), stranger),
        ):
            with pytest.raises(Undecided):
                read()

    def test_a_log_that_nobody_registered_is_unknown(self, world: PublicChainWorld) -> None:
        head = world.chain.head(LogId(b"\x0f" * 32), world.chain.latest())
        assert (head.tree_size, head.state) == (0, "unknown")

    def test_a_registered_log_stands_at_size_1(self, world: PublicChainWorld, log: RegistrableLog) -> None:
        head = world.chain.head(log.log_id, world.chain.latest())
        assert (head.tree_size, bytes(head.root), head.set_id, head.state) == (1, bytes(log.log_id), 1, "active")

    def test_an_anchor_moves_the_head_and_leaves_an_event(self, world: PublicChainWorld, log: RegistrableLog) -> None:
        before = world.chain.latest()
        tx_hash, raw = self.signed(world, log.update(1, 7))
        answer = world.chain.broadcast(raw)
        assert (answer.tx_hash, answer.code) == (tx_hash, None)
        block, is_success = self.included(world, tx_hash)
        assert (is_success, block == world.chain.block(block.number)) == (True, True)

        head = world.chain.head(log.log_id, block)
        checkpoint = log.checkpoint(TreeSize(7))
        assert (head.tree_size, head.root, head.timestamp) == (7, checkpoint.root, checkpoint.timestamp)
        assert (head.anchored_at, head.next_from_size, head.paused_until) == (block.time, 0, 0)
        assert world.chain.head(log.log_id, before).tree_size == 1

        (event,) = world.chain.anchored(log.log_id, PublicBlockNumber(before.number), block.number)
        assert (event.log_id, event.tree_size, event.root) == (log.log_id, 7, checkpoint.root)
        assert (event.timestamp, event.set_id, event.signers) == (checkpoint.timestamp, 1, 0b0111)
        assert (event.block, event.tx_hash) == (block, tx_hash)
        assert not world.chain.anchored(log.log_id, PublicBlockNumber(0), before.number)
        assert not world.chain.anchored(LogId(b"\x0e" * 32), PublicBlockNumber(0), block.number)

    def test_events_come_in_the_order_of_the_chain(self, world: PublicChainWorld, log: RegistrableLog) -> None:
        for older, newer in ((1, 2), (2, 5), (5, 6)):
            self.anchored(world, log.update(older, newer))
        events = world.chain.anchored(log.log_id, PublicBlockNumber(0), world.chain.latest().number)
        assert [event.tree_size for event in events] == [2, 5, 6]

    def test_the_same_bytes_twice_are_one_transaction(self, world: PublicChainWorld, log: RegistrableLog) -> None:
        before = world.chain.nonce(world.signer.address(), world.chain.latest())
        tx_hash, raw = self.signed(world, log.update(1, 2))
        world.chain.broadcast(raw)
        again = world.chain.broadcast(raw)
        assert again.tx_hash in (None, tx_hash)
        block, _ = self.included(world, tx_hash)
        late = world.chain.broadcast(raw)
        assert (late.tx_hash, late.code is None) == (None, False)
        world.wait()
        assert world.chain.nonce(world.signer.address(), world.chain.latest()) == before + 1
        found = world.chain.receipt_status(tx_hash)
        assert found is not None
        assert found[:2] == (block, True)
        assert (found.gas_used or 0) >= 21_000
        assert (found.price or 0) >= world.chain.base_fee(block)

    def test_anchoring_the_head_again_succeeds_and_leaves_no_event(
        self, world: PublicChainWorld, log: RegistrableLog
    ) -> None:
        self.anchored(world, log.update(1, 3))
        block = self.anchored(world, log.update(1, 3))
        assert world.chain.head(log.log_id, block).tree_size == 3
        assert len(world.chain.anchored(log.log_id, PublicBlockNumber(0), block.number)) == 1

    def test_nonce_and_balance_are_those_of_the_named_public_block(
        self, world: PublicChainWorld, log: RegistrableLog
    ) -> None:
        before, sender = world.chain.latest(), world.signer.address()
        block = self.anchored(world, log.update(1, 2))
        assert world.chain.nonce(sender, block) == world.chain.nonce(sender, before) + 1
        assert world.chain.balance(sender, block) < world.chain.balance(sender, before)

    def test_simulating_changes_nothing_and_says_what_it_costs(
        self, world: PublicChainWorld, log: RegistrableLog
    ) -> None:
        at = world.chain.latest()
        gas = world.chain.simulate(world.signer.address(), world.calldata(log.update(1, 2)), at)
        assert 21_000 < gas < 1_000_000
        assert world.chain.head(log.log_id, world.chain.latest()).tree_size == 1

    def test_what_the_contract_would_refuse_raises_its_own_error(
        self, world: PublicChainWorld, log: RegistrableLog
    ) -> None:
        self.anchored(world, log.update(1, 4))
        with pytest.raises(StaleHead) as stale:
            self.simulated(world, log.update(2, 6))
        assert (stale.value.head_size, stale.value.from_size) == (4, 2)
        with pytest.raises(BelowQuorum) as few:
            self.simulated(world, log.update(4, 6, signers=(0, 1)))
        assert (few.value.needed, few.value.got) == (3, 2)
        stranger = RegistrableLog("nobody-knows-this-one", UnixSeconds(1_700_000_000))
        with pytest.raises(UnknownLog) as unknown:
            self.simulated(world, stranger.update(1, 2))
        assert bytes(unknown.value.log_id) == stranger.log_id

    def test_another_history_raises_a_root_mismatch(self, world: PublicChainWorld, log: RegistrableLog) -> None:
        self.anchored(world, log.update(1, 4))
        other = RegistrableLog("x", log.genesis_time)
        other.log_id, other.genesis, other.tree = log.log_id, log.genesis, Tree()
        other.tree.append(log.tree.root(TreeSize(1)))
        while other.size < 6:
            other.close_epoch(b"another history")
        with pytest.raises(RootMismatch):
            self.simulated(world, other.update(4, 6))

    def test_a_rotation_is_taken_once_and_stands_in_the_head(
        self, world: PublicChainWorld, log: RegistrableLog
    ) -> None:
        self.anchored(world, log.update(1, 4))
        rotation = log.rotation(world.chain, world.contract, 9)
        newcomer = next(a for a in log.sets[-1][1].addresses if a not in log.validators.addresses)
        for proofs, accused in (
            (rotation.seals[20:84], newcomer),  # of one who stays
            (b"", newcomer),
            (rotation.newcomers[:63], newcomer),
            (rotation.newcomers + bytes(1), bytes(20)),
        ):
            with pytest.raises(NewcomerUnproven) as unproven:
                self.simulated(world, replace(rotation, newcomers=proofs))
            assert unproven.value.validator == accused
        with pytest.raises(SetMismatch):  # what was signed is another size
            self.simulated(world, replace(rotation, effective_from_size=TreeSize(8)))
        with pytest.raises(RotationOutOfRange) as range_:
            self.simulated(world, replace(rotation, effective_from_size=TreeSize(4)))
        assert (range_.value.from_size, range_.value.low) == (4, 5)
        block = self.anchored(world, rotation)
        head = world.chain.head(log.log_id, block)
        assert (head.tree_size, head.set_id, head.next_from_size) == (4, 1, 9)
        assert len(world.chain.anchored(log.log_id, PublicBlockNumber(0), block.number)) == 1
        with pytest.raises(RotationPending) as pending:
            self.simulated(world, rotation)
        assert pending.value.from_size == 9
        stranger = RegistrableLog("nobody-knows-this-one", UnixSeconds(1_700_000_000))
        with pytest.raises(UnknownLog):
            self.simulated(world, stranger.rotation(world.chain, world.contract, 9))

    def test_a_transaction_that_nobody_sent_stands_nowhere(self, world: PublicChainWorld) -> None:
        assert world.chain.receipt_status(TxHash(b"\xcd" * 32)) is None

    def test_bytes_that_are_no_transaction_are_answered_not_raised(self, world: PublicChainWorld) -> None:
        answer = world.chain.broadcast(RawTransaction(b"\x02\xc0"))
        assert (answer.tx_hash, answer.code is None) == (None, False)

    # ── what the tests do ────────────────────────────────────────────────────────────────────────────────────────────

    def simulated(self, world: PublicChainWorld, update: Update | Rotation) -> Gas:
        """Gas of an update on top of the newest public block."""
        return world.chain.simulate(world.signer.address(), world.calldata(update), world.chain.latest())

    def signed(self, world: PublicChainWorld, update: Update | Rotation) -> tuple[TxHash, RawTransaction]:
        """Hash and bytes of a well-priced transaction."""
        at, tip = world.chain.latest(), Wei(10**9)
        transaction = UnsignedTransaction(
            chain_id=world.chain.chain_id(),
            nonce=world.chain.nonce(world.signer.address(), at),
            to=world.contract,
            value=Wei(0),
            data=world.calldata(update),
            gas=Gas(400_000),
            max_fee=Wei(4 * world.chain.base_fee(at) + tip),
            tip=tip,
        )
        raw = world.signer.sign(transaction)
        return TxHash(keccak256(raw)), raw

    def included(self, world: PublicChainWorld, tx_hash: TxHash) -> tuple[PublicBlock, bool]:
        """Where a sent transaction stands, after as many public blocks as it takes."""
        for _ in range(20):
            if status := world.chain.receipt_status(tx_hash):
                return status.block, status.is_success
            world.wait()
        return pytest.fail("not included in 20 public blocks")

    def anchored(self, world: PublicChainWorld, update: Update | Rotation) -> PublicBlock:
        """Anchor and wait."""
        tx_hash, raw = self.signed(world, update)
        world.chain.broadcast(raw)
        block, is_success = self.included(world, tx_hash)
        assert is_success
        return block
