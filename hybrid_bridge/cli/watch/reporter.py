"""The report of a contradiction, by whichever endpoint takes it: with what is kept of it, and within a budget."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.evm.abreast import LOOK_UP, Question
from hybrid_bridge.adapters.evm.bounded_http import Limit
from hybrid_bridge.cli.contract.sending import Spending
from hybrid_bridge.cli.watch.evidence import ANCHORED, ENTRIES, ONE, OTHER, SHOWN
from hybrid_bridge.cli.watch.spending import Purse
from hybrid_bridge.errors import (
    BridgeError,
    EndpointRefused,
    FieldMismatch,
    NoConflict,
    NotYet,
    SpendCapped,
    Unreachable,
)
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, ChainId

LONGEST: Final = 180.0  # seconds of one report at one endpoint: the wait for inclusion, and what is asked before it


@dataclass(frozen=True, slots=True)
class Reporter:
    """Shows the contract what was kept, by the first endpoint that takes it.

    `options`: contract, log, and who pays. `is_over`: whether the process is to end; then no answer is waited for.
    """

    endpoints: tuple[str, ...]
    options: tuple[str, ...]
    purse: Purse
    is_over: Callable[[], bool] = lambda: False

    def report(
        self,
        place: Path,
        skip: int,
        before: Callable[[], None],
        *,
        ends: bool = False,
        fresh: Path | None = None,
        chain_id: ChainId | None = None,
    ) -> str:
        """The first report that the contract takes; what it said. Empty: none of them is a contradiction for it.

        Args:
            place: a folder of evidence.
            skip: how many endpoints are asked last, after all others: earlier tries came to nothing there.
            before: called before a transaction is signed, after its price was written down.
            ends: whether it ends the log.
            fresh: tiles that reach the newest anchor; those of the evidence grow old.
            chain_id: of the public chain that is watched. For another one nothing is signed: an account has the same
                nonce on both, and would pay on both.

        Raises:
            SpendCapped: one was held back, and none was taken.
            NotYet: the process is to end.
            BridgeError: a refusal, where all were refused.
            OSError: what must be written down before cannot be.
            ClickException: a file that the options name is gone.
        """
        signed = False

        def allow(account: Address, transaction: UnsignedTransaction) -> None:
            nonlocal signed
            if chain_id is not None and transaction.chain_id != chain_id:
                raise FieldMismatch(field="chain_id", expected=str(chain_id), got=str(transaction.chain_id))
            self.purse.spend(account, transaction, ends=ends)
            before()
            signed = True

        refusal: BridgeError | None = None
        first, away = skip % len(self.endpoints), set[str]()
        for url, words in product(self.endpoints[first:] + self.endpoints[:first], list(_reports(place, fresh))):
            if url in away:
                continue
            signed = False
            try:
                return self._said([*words, "--rpc", url, *self.options], Spending(allow))
            except BridgeError as error:
                if self.is_over():
                    raise
                is_away = isinstance(error, Unreachable) and not isinstance(error, EndpointRefused)
                if is_away or signed:  # it would let each of them run out, or take money for each and send none
                    away.add(url)
                refusal = error if refusal is None or _weight(error) >= _weight(refusal) else refusal
        if refusal is not None and not isinstance(refusal, NoConflict):
            raise refusal
        return ""

    def _said(self, words: list[str], limit: Spending) -> str:
        from hybrid_bridge.cli.contract.reporting import report  # noqa: PLC0415 only who pays needs it

        said = io.StringIO()
        with redirect_stdout(said):
            if self.is_over():
                raise NotYet(what="the next start")
            main = partial(report.main, words, standalone_mode=False, obj=limit)
            question = Question("report", main, Limit(time.monotonic() + LONGEST))
            while not question.wait(LOOK_UP):
                if self.is_over():
                    raise NotYet(what="the end of a report that was on its way")
            question.answer()
        return said.getvalue()


def _weight(error: BridgeError) -> int:
    """What is told of several refusals: that money is lacking before a fault, and that before nothing to report."""
    return 2 if isinstance(error, SpendCapped) else 0 if isinstance(error, NoConflict) else 1


def _reports(place: Path, fresh: Path | None) -> Iterator[list[str]]:
    notes = [str(place / name) for name in (ONE, OTHER) if (place / name).exists()]
    if len(notes) == 2:
        yield ["equivocation", *notes, "--entries", f"{notes[0]}{ENTRIES}"]
    for note in notes:
        for tiles in (fresh, place / ANCHORED, place / SHOWN):
            if tiles is not None and tiles.is_dir():
                yield ["inconsistency", note, "--history", str(tiles), "--entries", f"{note}{ENTRIES}"]
