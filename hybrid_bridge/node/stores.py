"""Where a member's ledger and private records are: files of its folder, or schemas of a database of its own.

The attestation guard is a file in either case: it belongs to the host that signs (ADR 37).
"""

import logging
import socket
import threading
from collections.abc import Iterable
from typing import Final

from hybrid_bridge.adapters.postgresql.server import KEY
from hybrid_bridge.adapters.postgresql.store import RENEW_EVERY, PostgresStore
from hybrid_bridge.adapters.sqlite.file import SqliteFile
from hybrid_bridge.adapters.sqlite.store import Store
from hybrid_bridge.custody.databases import PostgresPlace, parse_database
from hybrid_bridge.custody.servers import server_of
from hybrid_bridge.errors import BridgeError, Broken, LeaseLost, StoreAway
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.settings import NodeSettings

LEDGER, RECORDS = "ledger", "records"
OUR_OWN: Final = (Broken, LeaseLost, StoreAway)  # troubles of our own store: no peer, block or caller is to blame

_log: Final = logging.getLogger(__name__)


def stores_of(settings: NodeSettings) -> tuple[Store, Store]:
    """The ledger's and the records', as the settings say. Nothing is opened yet.

    Raises:
        SettingsMalformed: the driver is not installed, or no certificates can be read.
    """
    if not settings.database:
        return files_of(settings)
    return schemas_of(settings, parse_database(settings.database, settings.folder, KEY))


def files_of(settings: NodeSettings) -> tuple[SqliteFile, SqliteFile]:
    """Those in the folder."""
    return SqliteFile(settings.path(f"{LEDGER}.db"), LEDGER), SqliteFile(settings.path(f"{RECORDS}.db"), RECORDS)


def schemas_of(settings: NodeSettings, place: PostgresPlace) -> tuple[PostgresStore, PostgresStore]:
    """Those in a database. To others we are this host and folder."""
    server = server_of(place, KEY, "hybrid-bridge")
    holder = f"{socket.gethostname()}:{settings.folder.resolve()}"
    ledger, records = (PostgresStore(server, name, holder, settings.path(f"{name}.lock")) for name in (LEDGER, RECORDS))
    return ledger, records


class Holding:
    """Keeps leases while stores are opened and read, which may take longer than a lease lasts.

    From the moment one is taken until `end`, when a node's own loops keep it (`run_holding`). A loss is not raised
    here: whoever uses the store next is told.
    """

    def __init__(self, stores: Iterable[PostgresStore]) -> None:
        """Begins at once; a store that holds no lease yet is left alone."""
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._hold, args=(store,), daemon=True) for store in stores]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Renew no more; nothing is under way when this returns. Again is no change."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _hold(self, store: PostgresStore) -> None:
        while not self._ended.wait(RENEW_EVERY) and store.lost is None:
            if store.is_held:
                try:
                    store.renew()
                except BridgeError as error:
                    _log.warning("lease not renewed: %s", error)


def run_holding(store: PostgresStore, progress: Progress) -> None:
    """Keep a store's lease until stopped.

    Raises:
        BridgeError: it is lost to this process.
    """
    store.when_lost = progress.nudge
    while not progress.stopping:
        try:
            store.renew()
        except StoreAway as error:
            if store.lost is not None:
                raise
            _log.warning("lease not renewed: %s", error)
        progress.wait(lambda: store.lost is not None, RENEW_EVERY)
