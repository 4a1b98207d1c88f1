"""The member's registry store: opened in its own database, and brought to where the ledger is.

It is derived, in a database of its own, so it may be deleted: the next start makes it again from what every closed
epoch inserted. Otherwise a start reads one root, however large the registry is.
"""

import logging
from typing import Final

from hybrid_bridge.adapters.postgresql.database import PostgresDatabase
from hybrid_bridge.adapters.sql_registry import SCHEMA, TABLES, SqlRegistry
from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch, SqlEpochs
from hybrid_bridge.adapters.sqlite.file import SqliteFile
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.prefix_tree import PrefixTree
from hybrid_bridge.errors import KeyUnusable, StoreBroken
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.logbook import split_pairs
from hybrid_bridge.node.settings import REGISTRY, NodeSettings, private_bytes
from hybrid_bridge.ports import RegistryStore
from hybrid_bridge.units import Digest, EpochNumber

FILE: Final = "registry.db"

_log = logging.getLogger(__name__)


def open_registry(settings: NodeSettings, directory: Directory) -> SqlRegistry:
    """The store: in PostgreSQL if the settings name a secret file with its URL, else in a file of the folder.

    Raises:
        StoreInUse: another program has it.
        StoreBroken: damaged, or made for something else.
        KeyUnusable, SettingsMalformed: the URL is not readable or not one.
        Unreachable: no answer from the server.
    """
    facts = {"kind": "registry", "schema": SCHEMA, "log_id": directory.log_id.hex(), "owner": settings.name}
    secret = settings.secrets.get(REGISTRY)
    if secret is not None:
        server = PostgresDatabase(_url(private_bytes(secret, REGISTRY)), "registry")
        server.open(TABLES, facts)
        return SqlRegistry(server)
    path = settings.path(FILE)
    file = SqliteFile(path, "registry")
    if not path.exists():
        file.create(TABLES, (), facts)
    file.open(facts, is_read_whole=False)  # it may be large, and `PrefixTree` hashes what it loads
    return SqlRegistry(file)


def catch_up(store: RegistryStore, epochs: SqlEpochs, genesis: Genesis) -> None:
    """Keep what closed epochs inserted and the store has not yet; see that it says what the newest record says.

    Raises:
        StoreBroken: an epoch's registry has another root than its record. Delete the store and start again.
    """
    newest, kept = epochs.newest(), store.newest()
    first = 0 if kept is None else min(kept, newest) + 1
    if first <= newest:
        _log.info("registry: making epochs %d to %d", first, newest)
    tree = store.at(EpochNumber(first - 1)) if first else PrefixTree()
    for number in range(first, newest + 1):
        epoch = _epoch(epochs, EpochNumber(number))
        store.keep(epoch.number, tree.insert(split_pairs(epoch.pairs)))
        tree = store.at(epoch.number)
        _require_root(epoch, tree.root, genesis)
    if first > newest:
        _require_root(_epoch(epochs, newest), store.at(newest).root, genesis)


def _epoch(epochs: SqlEpochs, number: EpochNumber) -> ClosedEpoch:
    (found,) = epochs.epochs(number, number)
    return found


def _require_root(epoch: ClosedEpoch, root: Digest, genesis: Genesis) -> None:
    expected = EpochRecord.decode(epoch.record).registry_root if epoch.number else genesis.registry_root
    if root != expected:
        raise StoreBroken(store="registry", rule=f"root {expected.hex()} after epoch {epoch.number}")


def _url(data: bytes) -> str:
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise KeyUnusable(key=REGISTRY, rule="a URL in ASCII") from None
