"""Move a member's ledger and records out of the files of its folder into a database of its own.

The node rests meanwhile: the files' locks are taken. The settings are what switches: before they name the database the
files are the member's stores, whatever stands in it, and a move that ended in between is made again.
"""

import json
from contextlib import ExitStack
from typing import Final

from hybrid_bridge.adapters.postgresql.server import KEY
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.custody.databases import parse_database
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.settings import FILE, NodeSettings
from hybrid_bridge.node.stores import LEDGER, RECORDS, files_of, schemas_of

MOVED: Final = ".moved"  # suffix of the files that are no stores any more


def move(settings: NodeSettings, text: str) -> dict[str, int]:
    """Into the database that `text` names, as `database` of the settings does; how many rows of each store.

    Raises:
        SettingsMalformed: it has a database already, or `text` is no place.
        StoreInUse: a node runs.
        StoreBroken: a store is there already and in use.
        StoreAway, KeyUnusable: the server does not answer, or does not know us.
    """
    if settings.database:
        raise SettingsMalformed(key=KEY, rule="not there before a move: this member has its stores there already")
    place = parse_database(text, settings.folder, KEY)
    log_id, count = read_directory(settings.folder).log_id, dict[str, int]()
    with ExitStack() as held:
        files, schemas = files_of(settings), schemas_of(settings, place)
        ledger, records = SqlLedger(files[0]), SqlRecords(files[1])
        for store in (ledger, records):
            held.callback(store.close)
            store.open(log_id, settings.name)
        for schema in schemas:
            held.callback(schema.close)
        count[LEDGER] = ledger.copy_to(schemas[0], log_id, settings.name)
        count[RECORDS] = records.copy_to(schemas[1], log_id, settings.name)
        _switch(settings, text)  # Durable: from here on the database has the stores. Dead before? Move again.
    for name in (LEDGER, RECORDS):
        path = settings.path(f"{name}.db")
        path.rename(path.with_name(path.name + MOVED))
    return count


def _switch(settings: NodeSettings, text: str) -> None:
    path = settings.path(FILE)
    lines = f"{KEY} = {json.dumps(text)}\n" + path.read_text("utf-8")
    write_whole(path, lines.encode(), path.stat().st_mode)
