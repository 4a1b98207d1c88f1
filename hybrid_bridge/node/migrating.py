"""A member's stores of an older release become this one's, while no node runs: ledger and records, each whole or not.

Dead between the two? Again: what is at the present schema stays as it is. The guard brings itself forward when it is
opened; the registry is derived, and made anew.
"""

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.adapters.sqlite.revisions import Moved
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.settings import NodeSettings
from hybrid_bridge.node.stores import LEDGER, RECORDS, stores_of


def migrate(settings: NodeSettings) -> dict[str, Moved]:
    """Which schema each store had, and has.

    Raises:
        StoreInUse: another program has one.
        StoreBroken: missing, of another log or member, or no way leads from its schema.
        SchemaNewer: a newer release's.
        NotYet, StoreAway, KeyUnusable: as `PostgresStore.open`.
    """
    log_id, (ledger, records) = read_directory(settings.folder).log_id, stores_of(settings)
    return {
        LEDGER: SqlLedger(ledger).migrate(log_id, settings.name),
        RECORDS: SqlRecords(records).migrate(log_id, settings.name),
    }
