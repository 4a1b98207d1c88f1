"""Step 2 behind a consensus engine: CometBFT asks, this answers out of the one state machine (`steps.commit`).

The engine decides the order; what follows from it is executed here, on every node alike: no clock, no randomness, no
order of a dict. Nothing is written before `commit`, and `commit` answers when it is durable. What consensus needs of a
transaction is its code, so a refusal stands on the record too.
Source: SPEC §5; CometBFT v0.38, spec/abci/abci++_methods.md.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Final, TypeVar

from hybrid_bridge.adapters.sqlite.ledger import DecidedBlock
from hybrid_bridge.business.ruling import refusal_code
from hybrid_bridge.core.block import ACCEPTED
from hybrid_bridge.core.cometbft_evidence import LedgerState
from hybrid_bridge.core.encoding import ZERO, parse_json
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.frontier import Frontier
from hybrid_bridge.core.ledger_state import (
    GOVERNANCE,
    Overlay,
)
from hybrid_bridge.core.snapshot import FORMAT
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import (
    BlockInvalid,
    BridgeError,
    Expired,
    FieldMismatch,
    Malformed,
    NotYet,
    Refuted,
    RuleRejected,
    SequenceRejected,
    StoreAway,
    TooLong,
)
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.engine_homes import admitted
from hybrid_bridge.node.executing import decided_block
from hybrid_bridge.node.ordering import MAX_TRANSACTIONS
from hybrid_bridge.node.sharing import shares_of, spent
from hybrid_bridge.node.snapshots import Shelf
from hybrid_bridge.node.stores import OUR_OWN
from hybrid_bridge.node.view import View
from hybrid_bridge.node.waiting import Door, Line, Proposal, Remembered, by_turns, require_waits
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from hybrid_bridge.rpc.cometbft.tendermint.crypto.keys_pb2 import PublicKey
from hybrid_bridge.steps.commit import BlockOutcome
from hybrid_bridge.units import Digest, Height, UnixSeconds

APP_VERSION: Final = 1
MALFORMED, WRONG_SIGNATURE, SEQUENCE, EXPIRED, NOT_NOW = range(100, 105)  # why it may not wait; no code of a block
NO_MEMBER: Final = 105  # why a peer may not stay
QUIET: Final = 60.0  # seconds between two lines of the log about strangers
_CODES: Final = ((Malformed, MALFORMED), (Refuted, WRONG_SIGNATURE), (SequenceRejected, SEQUENCE), (Expired, EXPIRED))

Q = TypeVar("Q")  # question
A = TypeVar("A")  # answer

_log = logging.getLogger(__name__)


def info_of(durable: DecidedBlock | None) -> pb.ResponseInfo:
    """Who answers an engine, and the newest block that it need not tell again; None before the first."""
    return pb.ResponseInfo(
        data="hybrid-bridge",
        version="1",
        app_version=APP_VERSION,
        last_block_height=0 if durable is None else durable.height,
        last_block_app_hash=b"" if durable is None else durable.app_hash,
    )


class Doorkeeper:
    """Whether the engine may keep a peer. Any thread.

    Strangers cost nothing and the log is a disk: it has a line for the first of a minute and their number since.
    """

    def __init__(self, directory: Directory, now: Callable[[], float] = time.monotonic) -> None:
        self._directory, self._now = directory, now
        self._turn = threading.Lock()
        self._told, self._since = -QUIET, 0

    def answer(self, request: pb.RequestQuery) -> pb.ResponseQuery:
        """Another code than zero turns the peer away."""
        if admitted(self._directory, request.path):
            return pb.ResponseQuery()
        with self._turn:
            self._since += 1
            if self._now() - self._told >= QUIET:
                path = request.path[:128]
                _log.warning("a peer that is no member's engine is turned away (%d since told): %s", self._since, path)
                self._told, self._since = self._now(), 0
        return pb.ResponseQuery(code=NO_MEMBER)


@dataclass(frozen=True, slots=True)
class _Executed:
    """A decided block that is not durable yet."""

    decided: DecidedBlock
    time: UnixSeconds
    transactions: tuple[SignedTransaction, ...]
    outcome: BlockOutcome


@dataclass(frozen=True, slots=True)
class _Question:
    """All that execution depends on: the block before binds the state (its header has the hash), the rest is here."""

    before: Digest
    height: int
    seconds: int
    transactions: tuple[bytes, ...]


def _patient(ask: Callable[["EngineApplication", Q], A]) -> Callable[["EngineApplication", Q], A]:
    """Asked again while our own database is away: there is no other answer, and an exception would end the engine."""

    @wraps(ask)
    def asked(application: "EngineApplication", request: Q) -> A:
        while True:
            try:
                return ask(application, request)
            except StoreAway as error:
                if not application.waits(error):
                    raise

    return asked


class EngineApplication:
    """Answers the engine. One question at a time; `AbciServer` sees to that."""

    def __init__(
        self,
        view: View,
        founding: Sequence[bytes],
        shelf: Shelf | None = None,
        waits: Callable[[StoreAway], bool] = lambda _: False,
    ) -> None:
        """Answer out of this member's stores.

        Args:
            view: they.
            founding: the founders' first transactions, which stand in the first block whoever proposes it.
            shelf: the snapshots that we offer; None for none.
            waits: called when our own database is away; False: it is not waited for.
        """
        self._shelf, self.waits = shelf, waits
        self._founding = tuple(founding)
        self._view, self._chain, self._ledger = view, view.chain, view.ledger
        self._genesis = view.directory.genesis
        self._doorkeeper = Doorkeeper(view.directory)
        self._executed: _Executed | None = None
        self._door, self._line, self._shares = Door(), Line(), shares_of(view)
        self._remembered = Remembered(view.ledger)
        self._tried: tuple[_Question, tuple[SignedTransaction, ...], BlockOutcome] | None = None  # the newest

    # ── who we are ───────────────────────────────────────────────────────────────────────────────────────────────────

    @_patient
    def info(self, _: pb.RequestInfo) -> pb.ResponseInfo:
        """What is durable; the engine plays every block above it again."""
        return info_of(self._ledger.decided())

    @_patient
    def init_chain(self, request: pb.RequestInitChain) -> pb.ResponseInitChain:
        """Compare the engine's genesis with ours. Nothing is written: it comes again until the first block is durable.

        Raises:
            FieldMismatch: another chain, log, time, first height or set of validators.
        """
        engine = self._view.directory.engine
        if engine is None:
            raise FieldMismatch(field="engine", expected="none: the embedded ledger", got=request.chain_id)
        keys = sorted(f"{update.pub_key.secp256k1.hex()}:{update.power}" for update in request.validators)
        stated = parse_json(request.app_state_bytes, "app_state", 1 << 16)
        for name, expected, got in (
            ("chain_id", engine.chain_id, request.chain_id),
            ("app_state", {"log_id": self._genesis.log_id.hex()}, stated),
            ("genesis_time", self._genesis.genesis_time, request.time.seconds),
            ("initial_height", self._genesis.first_block, request.initial_height),
            ("validators", sorted(f"{key.hex()}:1" for key in engine.validators), keys),
        ):
            if expected != got:
                raise FieldMismatch(field=name, expected=str(expected), got=str(got))
        return pb.ResponseInitChain(app_hash=self._state_before().hash)

    def query(self, request: pb.RequestQuery) -> pb.ResponseQuery:
        """Whom the engine lets in: the engines of members alone. Members ask for all else by gRPC."""
        return self._doorkeeper.answer(request)

    # ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def check_tx(self, request: pb.RequestCheckTx) -> pb.ResponseCheckTx:
        """At first, and again after each block: what no honest proposer takes goes, or it waits until it expires."""
        is_inside = request.type == pb.CheckTxType.RECHECK
        try:
            signed = SignedTransaction.decode(request.tx)
            self._require_waits(signed, is_inside=is_inside)
            self._door.enter(signed, again=is_inside)
        except StoreAway:
            return pb.ResponseCheckTx(code=NOT_NOW, log=StoreAway.__name__)  # sent again later; nothing of ours ends
        except OUR_OWN:
            raise
        except BridgeError as error:
            return _refusal(error)
        self._line.join(signed)
        return pb.ResponseCheckTx(code=ACCEPTED)

    def _require_waits(self, signed: SignedTransaction, *, is_inside: bool) -> None:
        """Where the epoch has no room left the door closes, and who is inside stays."""
        try:
            require_waits(self._view, self._remembered, signed, self._line)
        except NotYet:
            if not is_inside:
                raise

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @_patient
    def prepare_proposal(self, request: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
        """One of each submitter in turn, its numbers ascending without a gap, as many as fit; refusals stay in."""
        with self._ledger.state() as state:
            at = UnixSeconds(request.time.seconds)
            shares = self._shares.copy()
            shares.begin(epoch_of(self._genesis, at))
            proposal = Proposal(Overlay(state), self._chain.rules, at, request.max_tx_bytes, shares)
            first = self._founding if request.height == self._genesis.first_block else ()
            for transaction in (*first, *by_turns(request.txs)):
                try:
                    proposal.offer(transaction)
                except OUR_OWN:
                    raise
                except BridgeError as error:  # what can never stand in a block, or not in this one
                    _log.info("left out of a proposal: %s", type(error).__name__)
        return pb.ResponsePrepareProposal(txs=proposal.chosen)

    @_patient
    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """Refuse what no honest proposer makes: what never stands in a block, more than an epoch holds.

        And what is turned away at every door: strangers, whose keys cost nothing, could fill each epoch for everybody.
        And a first block without the founders' transactions: they can stand in no other.
        """
        status = pb.ResponseProcessProposal.ACCEPT
        if request.height == self._genesis.first_block and tuple(request.txs[: len(self._founding)]) != self._founding:
            _log.warning("first block refused: the founders' transactions do not stand first")
            return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.REJECT)
        try:
            if len(request.txs) > MAX_TRANSACTIONS:
                raise TooLong(field="transactions", limit=MAX_TRANSACTIONS, got=len(request.txs))
            _require_let_in(self._execute(request.height, request.time.seconds, request.txs)[1])
        except OUR_OWN:
            raise
        except BridgeError as error:
            _log.warning("proposal for height %d refused: %s", request.height, type(error).__name__)
            status = pb.ResponseProcessProposal.REJECT
        return pb.ResponseProcessProposal(status=status)

    @_patient
    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Decided and final: execute on the committed state, write nothing. It may come again.

        What two thirds decided stands, strangers too. Of evidence against a vote nothing follows but a word to people.

        Raises:
            BlockInvalid: two thirds decided what our rules refuse; we go no further.
        """
        try:
            transactions, outcome = self._execute(request.height, request.time.seconds, request.txs)
        except OUR_OWN:
            raise
        except BridgeError as error:
            raise BlockInvalid(height=request.height, reason=type(error).__name__) from error
        for found in request.misbehavior:
            _log.critical(
                "the engine has proof of %s at height %d by the validator that it calls %s: look for its key elsewhere",
                pb.MisbehaviorType.Name(found.type).lower(),
                found.height,
                found.validator.address.hex(),
            )
        decided = decided_block(outcome, self._writes(), Digest(request.hash))
        self._executed = _Executed(decided, outcome.time, transactions, outcome)
        results = [pb.ExecTxResult(code=code) for code in outcome.codes]
        updates = [_update(key, power) for key, power in outcome.votes]
        return pb.ResponseFinalizeBlock(tx_results=results, app_hash=decided.app_hash, validator_updates=updates)

    @_patient
    def commit(self, _: pb.RequestCommit) -> pb.ResponseCommit:
        """One commit of everything; answered when it is durable.

        Raises:
            FieldMismatch: nothing was decided.
        """
        executed = self._executed
        if executed is None:
            raise FieldMismatch(field="commit", expected="a decided block", got="none")
        signer = self._view.keys.identity if self._view.address is not None else None
        self._chain.take(executed.decided, executed.transactions, executed.outcome, signer)
        # Durable. Dead before? The engine plays the block again. Dead after? It sees our height and goes on.
        self._executed = None
        self._remembered.follow(executed.outcome.writes)
        self._door.renew()
        self._shares.begin(executed.outcome.epoch)
        self._shares.use(spent(executed.outcome.transactions))
        self._line.clear()  # next the engine asks about all that still waits, before anything new (`recheck`)
        return pb.ResponseCommit(retain_height=0)  # every block is kept: we are an archive

    def _execute(
        self, height: int, seconds: int, transactions: Sequence[bytes]
    ) -> tuple[tuple[SignedTransaction, ...], BlockOutcome]:
        """What follows from a block; one that was judged and is then decided is executed once.

        Execution is a function of state and block alone: the same question has the same answer, whoever asked first.
        """
        before = Digest(ZERO) if self._chain.tip is None else self._chain.tip.block_hash
        question = _Question(before, height, seconds, tuple(transactions))
        if self._tried is None or self._tried[0] != question:
            decoded = tuple(SignedTransaction.decode(transaction) for transaction in transactions)
            self._tried = question, decoded, self._chain.tried(Height(height), UnixSeconds(seconds), decoded)
        return self._tried[1:]

    # ── where we stand ───────────────────────────────────────────────────────────────────────────────────────────────

    def _writes(self) -> Digest:
        decided = self._ledger.decided()
        return ZERO if decided is None else decided.writes

    def _state_before(self) -> LedgerState:
        """Of a ledger without a block."""
        with self._ledger.state() as state:
            frontier = Frontier.decode(state.get(GOVERNANCE) or b"")
        return LedgerState(ZERO, frontier.size, frontier.root, ZERO)

    # ── snapshots: for others; none is taken, since our ledger stands (until it does, `node.taking` is asked) ─────────

    def list_snapshots(self, _: pb.RequestListSnapshots) -> pb.ResponseListSnapshots:
        """What peers may have; nothing while the store is away."""
        try:
            offered = self._shelf.offered() if self._shelf is not None else []
        except StoreAway:
            offered = []
        return pb.ResponseListSnapshots(
            snapshots=[
                pb.Snapshot(
                    height=snapshot.height,
                    format=FORMAT,
                    chunks=len(snapshot.chunks),
                    hash=snapshot.hash,
                    metadata=snapshot.metadata,
                )
                for snapshot in offered
            ]
        )

    def load_snapshot_chunk(self, request: pb.RequestLoadSnapshotChunk) -> pb.ResponseLoadSnapshotChunk:
        """A part of what we offer; empty for what we do not, and while the store is away."""
        if self._shelf is None or request.format != FORMAT:
            return pb.ResponseLoadSnapshotChunk()
        try:
            return pb.ResponseLoadSnapshotChunk(chunk=self._shelf.chunk(request.height, request.chunk))
        except StoreAway:
            return pb.ResponseLoadSnapshotChunk()

    def offer_snapshot(self, _: pb.RequestOfferSnapshot) -> pb.ResponseOfferSnapshot:
        """The engine has lost what it knew, and our ledger stands: nothing is taken over it."""
        _log.critical("the engine begins anew beside a ledger that stands: see the guide, `node sync`")
        return pb.ResponseOfferSnapshot(result=pb.ResponseOfferSnapshot.ABORT)

    def apply_snapshot_chunk(self, _: pb.RequestApplySnapshotChunk) -> pb.ResponseApplySnapshotChunk:
        """As `offer_snapshot`."""
        return pb.ResponseApplySnapshotChunk(result=pb.ResponseApplySnapshotChunk.ABORT)


def _update(key: bytes, power: int) -> pb.ValidatorUpdate:
    """A vote that comes, with power 1, or goes, with none: from the second block after this one on."""
    return pb.ValidatorUpdate(pub_key=PublicKey(secp256k1=key), power=power)


def _require_let_in(outcome: BlockOutcome) -> None:
    """Return if each transaction is of somebody, and with an entry, that the doors let in.

    Raises:
        RuleRejected: one is not.
    """
    for one in outcome.transactions:
        if one.is_turned_away:
            raise RuleRejected(rule=one.rule, subject=one.subject)


def _refusal(error: BridgeError) -> pb.ResponseCheckTx:
    """Why a transaction may not wait. The words are for people and under no hash."""
    if isinstance(error, RuleRejected):
        return pb.ResponseCheckTx(code=refusal_code(error.rule), log=error.rule)
    code = next((code for kind, code in _CODES if isinstance(error, kind)), NOT_NOW)
    return pb.ResponseCheckTx(code=code, log=type(error).__name__)
