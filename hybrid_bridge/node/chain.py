"""The chain of blocks as this member executed it: the one place where a block becomes ours.

A block of the sequencer is checked (who ordered it, header, transactions), executed again, compared with what its
header claims, and committed together with our countersignature. What our own rules refuse is never countersigned.
Nothing here trusts the sequencer with more than order and time.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from hybrid_bridge.adapters.sqlite.ledger import DecidedBlock, SqlLedger, StoredBlock
from hybrid_bridge.adapters.sqlite.witness import Evidence, SqlWitness
from hybrid_bridge.core.block import (
    AUTHORITY_WRONG,
    BRAKE_ON,
    ENTRY_REPEATED,
    LABEL_TAKEN,
    RULE_BROKEN,
    Block,
    BlockHeader,
    Countersignature,
    tx_root,
)
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.ledger_state import StateReader
from hybrid_bridge.core.position import Position
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import (
    BlockInvalid,
    BridgeError,
    Broken,
    Equivocation,
    FieldMismatch,
    NotYet,
    RuleRejected,
    StoreBroken,
)
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.executing import executed, rules_of
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.stores import OUR_OWN
from hybrid_bridge.ports import Clock
from hybrid_bridge.steps.commit import BlockOutcome, execute_block
from hybrid_bridge.units import Digest, Height, TransactionId, UnixSeconds

MAX_AHEAD: Final = 30  # seconds that a block may be ahead of our clock before it is taken

MAX_REFUSED: Final = 1024
RULES: Final = {
    LABEL_TAKEN: "label taken",
    AUTHORITY_WRONG: "authority",
    RULE_BROKEN: "business rule",
    BRAKE_ON: "brake",
    ENTRY_REPEATED: "entry",
}  # what a block tells of a refusal

_log = logging.getLogger(__name__)


class Chain:
    """Executes and commits, one block at a time."""

    def __init__(self, ledger: SqlLedger, directory: Directory, clock: Clock, progress: Progress, brake: Brake) -> None:
        self._ledger, self._directory = ledger, directory
        self._clock, self._progress, self._brake = clock, progress, brake
        self._turn = threading.Lock()
        self._sequencer = directory.identities[directory.sequencer.name]
        self._tip = ledger.newest()
        self._witness = SqlWitness(ledger.file)
        self._speaks = False
        self._refused: dict[TransactionId, RuleRejected] = {}  # the newest refusals of an engine's blocks
        self._heard = Height(0)  # others hold a word of ours for this height: what we said up to it is said
        self._permits: Callable[[ValidatorSet], bool] = lambda _validators: True
        self._governed: Callable[[], None] = lambda: None
        self._is_pending = False  # a block may have changed members or validators, and `_governed` has not looked yet
        self.rules: Final = rules_of(directory)
        progress.raised("tip", 0 if self._tip is None else self._tip.height)
        if directory.engine is not None:  # what it decided is final, whoever else is there
            progress.raised("final", progress.tip)

    @property
    def tip(self) -> BlockHeader | None:
        """Header of the newest block; None before the first."""
        return self._tip

    @property
    def next_height(self) -> Height:
        """The height of the block that we lack."""
        return self._directory.genesis.first_block if self._tip is None else Height(self._tip.height + 1)

    def heard(self, height: Height) -> None:
        """Others hold a word of ours for this height; we countersign nothing at or below it any more."""
        with self._turn:
            self._heard = max(self._heard, height)

    def follow(self, governed: Callable[[], None]) -> None:
        """Call `governed` whenever a block may have changed who is a member or a validator."""
        self._governed = governed

    def ask_before(self, permits: Callable[[ValidatorSet], bool]) -> None:
        """Countersign a block only if `permits` says so of the set responsible for it (`node.hearing`)."""
        self._permits = permits

    def speak(self, signer: PrivateKey | None) -> None:
        """From now on blocks are signed; the newest one now, by `signer`, if it has no word of ours yet.

        Before, blocks are executed and none is ordered or countersigned (`node.hearing`).
        """
        with self._turn:
            self._speaks = True
            own = None if self._tip is None else self._word(self._tip, signer)
            if own is not None and own.height > self._witness.newest_of(own.signer):
                self._witness.add(own)
                self._progress.raised("spoken", own.height)

    def accept(self, stored: StoredBlock, signer: PrivateKey | None) -> None:
        """Take the next block of the sequencer; of one that we have, see that it is the same.

        Args:
            stored: the block and the sequencer's countersignature.
            signer: our identity key; None for a member that is no validator.

        Raises:
            Malformed, Refuted: no block of the sequencer's: the messenger's fault.
            Equivocation, BlockInvalid: the sequencer's fault; evidence is kept and we sign no more.
            NotYet: it lies beyond the next height, or ahead of our clock.
        """
        block, sealed = Block.decode(stored.data), Countersignature.decode(stored.sealed)
        self._require_sealed(block.header, sealed)
        block.verify_tx_root()  # other transactions than those it sealed are the messenger's
        with self._turn:
            self._look_again()
            if block.header.height < self.next_height:
                self._require_same(sealed)
                return
            if block.header.height > self.next_height:
                raise NotYet(what=f"block {self.next_height}")
            if block.header.time > self._clock.now() + MAX_AHEAD:
                raise NotYet(what=f"time {block.header.time}")
            outcome = self._execute_ordered(block, sealed)
            self._commit(block, sealed, outcome, self._word(block.header, signer))

    def order(
        self, time: UnixSeconds, transactions: Sequence[SignedTransaction], sequencer: PrivateKey
    ) -> tuple[BlockHeader, BlockOutcome]:
        """Make the next block and commit it before anybody sees it. Only the sequencer's node calls this.

        Raises:
            BridgeError: a transaction can never stand in a block; nothing was done.
            NotYet: too few members have told what they heard of us.
            Broken: we sign no more.
        """
        with self._turn:
            if self._brake.reason:
                raise Broken
            self._brake.require_free()
            if not self._speaks:
                raise NotYet(what="word from enough members after a start")
            self._look_again()
            with self._state() as state:
                outcome = execute_block(state, self.rules, self.next_height, time, transactions)
            block = self._block(outcome, transactions)
            sealed = Countersignature.over(block.header, sequencer)
            self._commit(block, sealed, outcome, None)
            return block.header, outcome

    # ── behind a consensus engine ────────────────────────────────────────────────────────────────────────────────────

    def tried(self, height: Height, time: UnixSeconds, transactions: Sequence[SignedTransaction]) -> BlockOutcome:
        """What would follow from a block on what is committed. Nothing is written.

        Raises:
            BridgeError: it is no valid block.
        """
        with self._state() as state:
            return execute_block(state, self.rules, height, time, transactions)

    def take(
        self,
        decided: DecidedBlock,
        transactions: Sequence[SignedTransaction],
        outcome: BlockOutcome,
        signer: PrivateKey | None,
    ) -> None:
        """Commit a block that the engine decided, and so is final, with our word for it; again is no change."""
        with self._turn:
            self._look_again()
            if self._tip is not None and self._tip.height >= outcome.height:  # durable, and then our database was away
                self._progress.raised("final", outcome.height)
                return
            block = self._block(outcome, transactions)
            self._refused |= {
                t.transaction_id: RuleRejected(rule=t.rule, subject=t.subject) for t in outcome.transactions if t.code
            }
            for transaction_id in list(self._refused)[:-MAX_REFUSED]:
                del self._refused[transaction_id]
            self._commit(block, decided, outcome, self._word(block.header, signer))
            self._progress.raised("final", outcome.height)

    def refusal(self, transaction_id: TransactionId, code: int) -> RuleRejected:
        """Why a transaction stands refused: the rule as it was found lately, else what its code tells."""
        return self._refused.get(transaction_id) or RuleRejected(rule=RULES[code], subject="")

    def _block(self, outcome: BlockOutcome, transactions: Sequence[SignedTransaction]) -> Block:
        """The block in our own form: which every member makes alike, whoever ordered it."""
        items = tuple((t.code, s.encode()) for t, s in zip(outcome.transactions, transactions, strict=True))
        header = BlockHeader(
            log_id=self._directory.log_id,
            height=outcome.height,
            previous_hash=Digest(self._directory.log_id) if self._tip is None else self._tip.block_hash,
            time=outcome.time,
            epoch=outcome.epoch,
            tx_count=len(items),
            tx_root=tx_root(items),
            state=outcome.state_hash,
        )
        return Block(header, items)

    def _word(self, header: BlockHeader, signer: PrivateKey | None) -> Countersignature | None:
        """Our word for a block, if we may give it."""
        if signer is None or not self._speaks or self._brake.stops or header.height <= self._heard:
            return None
        validators = self._directory.responsible(header.epoch + 1)
        if signer.public.key_id not in self._directory.roll.signers(validators) or not self._permits(validators):
            return None
        return Countersignature.over(header, signer)

    def _require_sealed(self, header: BlockHeader, sealed: Countersignature) -> None:
        sealed.verify(self._sequencer)
        for field, expected, got in (
            ("log_id", self._directory.log_id, sealed.log_id),
            ("block_hash", sealed.block_hash, header.block_hash),
        ):
            if expected != got:
                raise FieldMismatch(field=field, expected=expected.hex(), got=got.hex())

    def _require_same(self, sealed: Countersignature) -> None:
        """One key, one height, two blocks: keep both words."""
        ours = self._ledger.blocks(sealed.height)[0].sealed
        first = Countersignature.decode(ours).block_hash
        if first == sealed.block_hash:
            return
        evidence = Evidence(
            kind="block", signer=sealed.signer, number=sealed.height, first=ours, second=sealed.encode()
        )
        name = self._directory.sequencer.name
        self._brake.pull(f"{name} ordered two blocks at height {sealed.height}", evidence)
        raise Equivocation(signer=name, number=sealed.height, first=first, second=sealed.block_hash)

    def _execute_ordered(self, block: Block, sealed: Countersignature) -> BlockOutcome:
        """Execute what the sequencer signed; if our rules refuse it, keep it and sign no more."""
        try:
            return self._executed(block)
        except OUR_OWN:
            raise  # our own store, not the sequencer's fault
        except BridgeError as error:
            height, reason = block.header.height, type(error).__name__
            evidence = Evidence(
                kind="invalid",
                signer=sealed.signer,
                number=height,
                first=block.header.encode(),
                second=sealed.encode(),
            )
            self._brake.pull(f"block {height} breaks our rules: {reason}", evidence)
            raise BlockInvalid(height=height, reason=reason) from error

    def _executed(self, block: Block) -> BlockOutcome:
        with self._state() as state:
            return executed(state, self.rules, self._tip, block)

    @contextmanager
    def _state(self) -> Iterator[StateReader]:
        """What is committed, as of our newest block.

        A database's standby that was behind and took its place holds less. No block is judged on that: it would look
        as if its proposer were to blame.

        Raises:
            StoreBroken: it is of another block.
        """
        with self._ledger.state() as state:
            follows = Position.load(state).next_height
            if follows != self.next_height:
                rule = f"block {self.next_height - 1} the newest, not {follows - 1}: its server lost some"
                raise StoreBroken(store="ledger", rule=rule)
            yield state

    def _commit(
        self,
        block: Block,
        order: Countersignature | DecidedBlock,
        outcome: BlockOutcome,
        own: Countersignature | None,
    ) -> None:
        self._ledger.append(block, order, outcome, own)  # Durable: block and our word. Dead here? Asked for again.
        is_new_epoch = self._tip is None or self._tip.epoch != block.header.epoch
        self._tip = block.header
        self._is_pending |= bool(outcome.governance) or is_new_epoch
        self._progress.raised("tip", block.header.height)
        _log.info("block %d of epoch %d: %d transactions", block.header.height, block.header.epoch, len(block.items))
        self._look_again()

    def _look_again(self) -> None:
        """Who is a member or a validator now, until it succeeded: no block is judged under those of before."""
        if self._is_pending:
            self._governed()
            self._is_pending = False
