"""Before a validator signs, and whenever the answer comes: what has the public contract taken of our key?

Anchors carry the signatures of their quorum. One of ours that the guard lacks means that another process has our key,
or that the guard is of yesterday, just as when a peer shows it (`hearing`). The endpoint is believed nothing: it counts
what recovers to our address, and what it only claims is told to a person. So it can hide, and cannot halt us; nor is
anything waited for but a moment, for what was hidden the peers tell too.
Looked at are the newest anchors, back to one that our key has signed: a guard that knows that one is of today.
Source: RELAYER §5.4.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from hybrid_bridge.core.attestation import signature_within
from hybrid_bridge.errors import BridgeError, Broken, NotYet, SettingsMalformed
from hybrid_bridge.node.hearing import PUBLIC, Hearing
from hybrid_bridge.node.settings import PublicSettings
from hybrid_bridge.node.view import View
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Address, LogId, TxHash

PAUSE: Final = 30.0  # seconds before an endpoint that did not answer is asked again

_log = logging.getLogger(__name__)


class Record(Protocol):
    """The public contract as one endpoint shows it: `adapters.evm.record.PublicRecord`."""

    def anchors(self, log: LogId) -> Iterator[AnchoredEvent]:
        """Newest first."""

    def calldata(self, tx: TxHash) -> bytes:
        """Of the transaction that anchored."""


class PublicHearing:
    """The thread that asks the public chain, once for each start."""

    def __init__(self, view: View, hearing: Hearing, connect: Callable[[], Record]) -> None:
        self._view, self._hearing, self._connect = view, hearing, connect

    def run(self) -> None:
        """Ask until there was an answer."""
        progress = self._view.progress
        record = self._connect()
        while not progress.stopping:
            try:
                self.hear(record)
            except Broken:
                raise
            except BridgeError as error:
                _log.warning("the public chain says nothing about our key: %s", error)
                progress.wait(lambda: False, PAUSE)
            else:
                return

    def hear(self, record: Record) -> None:
        """One look, judged.

        Raises:
            BridgeError: no answer, or no such log there.
            NotYet: anchors of a set that our blocks have not told us of; what older ones say is judged.
        """
        directory, unknown = self._view.directory, None
        for event in record.anchors(directory.log_id):
            term = directory.roll.term_of(event.set_id)
            if term is None:
                unknown = unknown or event
                continue
            places = enumerate(term.validators.addresses)
            ours = [a for place, a in places if event.signers >> place & 1 and a in self._view.addresses]
            if ours:
                digest = directory.checkpoint(event.tree_size, event.root).digest()
                signature = signature_within(record.calldata(event.tx_hash), digest, ours[0])
                if signature is not None:
                    self._hearing.judge_attestation(PUBLIC, event.tree_size, event.root, signature)
                    break
                _log.error("an endpoint claims that our key signed size %d, and shows no signature", event.tree_size)
        if unknown is not None:
            raise NotYet(what=f"set {unknown.set_id} in the blocks here")
        self._hearing.answered(PUBLIC)


def public_record(settings: PublicSettings, folder: Path) -> Record:
    """The endpoint that the settings name.

    Raises:
        SettingsMalformed: the file with its URL cannot be read, or holds none.
    """
    from hybrid_bridge.adapters.evm.record import PublicRecord  # noqa: PLC0415 web3 is dear, and few nodes ask

    url = settings.rpc
    if url.startswith("file:"):
        try:
            url = (folder / url.removeprefix("file:")).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise SettingsMalformed(key="public.rpc", rule="a file with one URL") from None
    contract = None if settings.contract is None else Address(bytes.fromhex(settings.contract[2:]))
    return PublicRecord(url, contract)
