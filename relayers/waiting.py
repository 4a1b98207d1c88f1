"""Before the first tick: a process that waits for a journal's database says so to whoever looks.

It listens only while it waits, since who stands by on the same machine as the relayer that runs would find the address
taken; then it waits without a listener, and the one that runs is looked at.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from hybrid_bridge.adapters.web.listener import Listener
from hybrid_bridge.errors import SettingsMalformed
from relayers.daemon import Board
from relayers.health import STARTING
from relayers.metrics import Instruments
from relayers.settings import Settings
from relayers.watchdog import LEAST_PATIENCE, Watchdog

AWAY: Final = replace(STARTING, reasons=("the journal's database does not answer",))


class Waiting:
    """The pages of a process that has not begun to tick: alive, not ready, and why."""

    def __init__(self, chains: Sequence[Settings], instruments: Instruments) -> None:
        self._listen, self._instruments = chains[0].listen, instruments
        no_hurry = Watchdog(LEAST_PATIENCE, lambda: 0.0)  # nothing hangs: it waits, and would after a restart
        self._board = Board({settings.chain.name: None for settings in chains}, instruments, no_hurry)
        self._listener: Listener | None = None

    @property
    def port(self) -> int | None:
        """Where it listens; None while it does not."""
        return None if self._listener is None else self._listener.port

    def tell(self, settings: Settings, *, is_there: bool) -> None:
        """Whether the database of this chain's journal answers."""
        chain = settings.chain.name
        self._instruments.journal(chain, settings.log.log_id, is_there=is_there)
        self._board.post(chain, STARTING if is_there else AWAY)
        if self._listener is None and self._listen is not None and not is_there:
            with suppress(SettingsMalformed):  # taken; the first tick of this process would refuse it
                self._listener = Listener(self._listen, self._board.page)

    def close(self) -> None:
        """Free the address for who ticks."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
