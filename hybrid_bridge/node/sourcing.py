"""The engine's own evidence for an epoch of ours: its last block, and for each transaction its place and its outcome.

Everything is asked of our engine and checked before anybody gets it, by the code that an outsider checks it with.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core.bundle import SourceEvidence
from hybrid_bridge.core.cometbft import SignedHeader
from hybrid_bridge.core.cometbft_evidence import MAX_EXECUTIONS, TYPE, CometbftEvidence, Execution, LedgerState, Outcome
from hybrid_bridge.core.cometbft_history import Result
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import Missing, NotYet, TooLong
from hybrid_bridge.node.archives import Headers
from hybrid_bridge.node.directory import Engine
from hybrid_bridge.node.view import View
from hybrid_bridge.node.votes import Votes
from hybrid_bridge.units import Height, LeafIndex

MAX_SIGNATURES: Final = 640  # of the 1024 that a bundle may have; notes, names and transactions have the rest
MAX_BYTES: Final = 384 << 10  # half of a bundle's 1 MiB, in which they stand as base64url

_log = logging.getLogger(__name__)


class Sourcer:
    """Makes source evidence out of our ledger and our engine."""

    def __init__(self, view: View, engine: Engine, rpc: Headers) -> None:
        self._view, self._engine, self._rpc = view, engine, rpc

    @cached_property
    def _votes(self) -> Votes:
        return Votes(self._view.ledger, self._view.directory.genesis, self._rpc)

    def parts(self, shown: Iterable[tuple[EpochRecord, list[bytes]]]) -> Iterator[SourceEvidence]:
        """Of each epoch, for the transactions shown of it, as far as an outsider takes it (SPEC §15).

        What is beyond is left out: the level is lower then, where a bundle that nobody may judge would have none.
        """
        room, left = MAX_SIGNATURES, MAX_BYTES
        for record, transactions in shown:
            try:
                evidence = self.evidence(record, transactions)
            except (TooLong, Missing) as error:  # too much, or from before our engine began, and nobody has it
                _log.info("no source evidence of epoch %d: %s", record.epoch, error)
                continue
            data = evidence.encode()
            room, left = room - evidence.signatures, left - len(data)
            if room < 0 or left < 0:
                _log.info("no source evidence from epoch %d on: too many signatures, or too long", record.epoch)
                return
            yield SourceEvidence(type=TYPE, epoch=record.epoch, data=data)

    def evidence(self, record: EpochRecord, transactions: Sequence[bytes]) -> CometbftEvidence:
        """Of one epoch, for these of its transactions.

        Raises:
            TooLong: more of them than an outsider takes, or more changes of the engine's set.
            NotYet: the block after one of them is not decided.
            Missing: our engine began later.
            Unreachable, AnswerMalformed: our engine.
            Refuted: our engine and our ledger tell different stories.
        """
        if len(transactions) > MAX_EXECUTIONS:
            raise TooLong(field="executions", limit=MAX_EXECUTIONS, got=len(transactions))
        genesis, headers, blocks = self._view.directory.genesis, _Headers(self._rpc), _Blocks(self._view.ledger)
        evidence = CometbftEvidence(
            chain_id=self._engine.chain_id,
            first=self._votes.first,
            handovers=self._votes.handovers(Height(record.end_block)),
            last=headers.of(Height(record.end_block - 1)),
            executions=tuple(self._execution(headers, blocks, transaction) for transaction in transactions),
        )
        evidence = replace(evidence, bindings=self._votes.bindings(evidence, record))
        evidence.verify(genesis, record, transactions)
        return evidence

    def _execution(self, headers: "_Headers", blocks: "_Blocks", transaction: bytes) -> Execution:
        ledger = self._view.ledger
        standing = ledger.standing(SignedTransaction.decode(transaction).body.transaction_id)
        decided = None if standing is None else ledger.decided(standing.height)
        if standing is None or decided is None:
            raise NotYet(what="the transaction in a decided block here")
        places, results = blocks.of(standing.height)
        index, count = LeafIndex(standing.position), places.size
        return Execution(
            block=headers.of(standing.height),
            index=index,
            count=count,
            path=tuple(places.inclusion_path(index, count)),
            outcome=Outcome(
                following=headers.of(Height(standing.height + 1)),
                code=standing.code,
                path=tuple(results.inclusion_path(index, count)),
                state=LedgerState(decided.chain, decided.governance_size, decided.governance_root, decided.writes),
            ),
        )


class _Headers:
    """Each asked once."""

    def __init__(self, rpc: Headers) -> None:
        self._rpc = rpc
        self._known: dict[Height, SignedHeader] = {}

    def of(self, height: Height) -> SignedHeader:
        if height not in self._known:
            self._known[height] = self._rpc.signed_header(height)
        return self._known[height]


class _Blocks:
    """The trees of transactions and of results of each block, built once however many of its transactions are shown."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._known: dict[Height, tuple[Tree, Tree]] = {}

    def of(self, height: Height) -> tuple[Tree, Tree]:
        if height not in self._known:
            items = self._ledger.transactions_of(height)
            places, results = Tree(), Tree()
            places.extend(leaf_hash(sha256(data)) for _, data in items)
            results.extend(leaf_hash(Result(code).encode()) for code, _ in items)
            self._known[height] = places, results
        return self._known[height]
