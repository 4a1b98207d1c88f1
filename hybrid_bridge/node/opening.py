"""Open a member's folder: settings, directory, keys, stores, each compared with the others before anything starts."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.adapters.grpc_member.log import GrpcMember
from hybrid_bridge.adapters.pki import require_tls
from hybrid_bridge.adapters.postgresql.store import PostgresStore
from hybrid_bridge.adapters.sql_registry import SqlRegistry
from hybrid_bridge.adapters.sqlite.epochs import SqlEpochs
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.adapters.sqlite.witness import SqlWitness
from hybrid_bridge.errors import BridgeError, KeyUnusable
from hybrid_bridge.node.chain import Chain
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.keys import Keys
from hybrid_bridge.node.laying import GUARD
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.registry import catch_up, open_registry
from hybrid_bridge.node.settings import NodeSettings, private_bytes, read_secret, read_settings
from hybrid_bridge.node.stores import stores_of
from hybrid_bridge.node.view import View
from hybrid_bridge.ports import Clock
from hybrid_bridge.rpc.channel import ClientTls
from hybrid_bridge.rpc.server import ServerTls

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A member's folder, open. `guard` is None for a member that signs no checkpoints."""

    settings: NodeSettings
    view: View
    guard: SqlGuard | None
    registry: SqlRegistry

    @property
    def leased(self) -> list[PostgresStore]:
        """The stores that others could take from us."""
        return [store for store in (self.view.ledger.file, self.view.records.file) if isinstance(store, PostgresStore)]

    def close(self) -> None:
        """Give the stores up."""
        if self.guard is not None:
            self.guard.close()
        self.registry.close()
        self.view.records.close()
        self.view.ledger.close()


def open_folder(settings: NodeSettings, clock: Clock) -> Opened:
    """Everything in the folder, checked.

    Raises:
        Malformed, Refuted, Broken: a file, key or store is not what the others say.
    """
    directory = read_directory(settings.folder)
    keys = Keys.load(settings, directory)
    with ExitStack() as undo:  # what is open already is given up if the rest does not fit
        ledger, records, guard = _open_stores(settings, directory, keys, undo)
        progress, witness, epochs = Progress(), SqlWitness(ledger.file), SqlEpochs(ledger.file)
        registry = open_registry(settings, directory)
        undo.callback(registry.close)
        catch_up(registry, epochs, directory.genesis)
        brake = Brake(witness, clock)
        view = View(
            name=settings.name,
            directory=directory,
            keys=keys,
            ledger=ledger,
            epochs=epochs,
            witness=witness,
            records=records,
            logbook=LogBook(epochs, registry, directory, progress, brake),
            chain=Chain(ledger, directory, clock, progress, brake),
            progress=progress,
            brake=brake,
            clock=clock,
        )
        progress.raised("line", epochs.newest_line())
        if view.address is not None:
            progress.raised("attested", view.logbook.newest_attested(view.address))
        undo.pop_all()
    return Opened(settings, view, guard, registry)


def _open_stores(
    settings: NodeSettings, directory: Directory, keys: Keys, undo: ExitStack
) -> tuple[SqlLedger, SqlRecords, SqlGuard | None]:
    stores = stores_of(settings)
    ledger, records = SqlLedger(stores[0]), SqlRecords(stores[1])
    ledger.open(directory.log_id, settings.name)
    undo.callback(ledger.close)
    records.open(directory.log_id, settings.name)
    undo.callback(records.close)
    if keys.attestation is None:
        return ledger, records, None
    guard = SqlGuard(settings.path(GUARD))
    guard.open(directory.log_id, keys.attestation.address())
    undo.callback(guard.close)
    return ledger, records, guard


def client_tls(settings: NodeSettings) -> ClientTls:
    """What this member shows when it calls others."""
    tls = read_server_tls(settings)
    return ClientTls(tls.roots, tls.certificate, tls.key)


def read_server_tls(settings: NodeSettings) -> ServerTls:
    """What this member shows to callers.

    Raises:
        KeyUnusable: a file is missing, or its key open to others or another's.
        CertificateMalformed: a certificate cannot be read.
    """
    try:
        roots, certificate = settings.path("ca.pem").read_bytes(), settings.path("tls.pem").read_bytes()
    except OSError:
        raise KeyUnusable(key="tls.pem", rule="a readable file, as is ca.pem") from None
    key = read_secret(settings, "tls")
    require_tls(certificate, key, roots)
    return ServerTls(roots, certificate, key)


def owner_tls(folder: Path) -> ClientTls:
    """What the owner of a node, or a relayer, shows: `tls.pem`, `tls.key` and `ca.pem` of a folder.

    Raises:
        KeyUnusable: a file is missing, or the key open to others or another's.
        CertificateMalformed: a certificate cannot be read.
    """
    try:
        roots, certificate = (folder / "ca.pem").read_bytes(), (folder / "tls.pem").read_bytes()
    except OSError:
        raise KeyUnusable(key=folder.name, rule="a folder with ca.pem, tls.pem, tls.key") from None
    key = private_bytes(folder / "tls.key", "tls.key")
    require_tls(certificate, key, roots)
    return ClientTls(roots, certificate, key)


def desk_of(folder: Path) -> GrpcDesk:
    """The owner's client of the node in `folder`."""
    settings = read_settings(folder)
    return GrpcDesk.at(settings.name, settings.listen, owner_tls(folder / "owner"))


def log_of(folder: Path) -> GrpcMember:
    """The owner's client of the log that the node in `folder` serves."""
    settings = read_settings(folder)
    return GrpcMember.at(settings.name, settings.listen, owner_tls(folder / "owner"))


class RotatingTls:
    """Reads the files anew for each handshake; keeps the last good ones, for a fetcher must not raise."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self._last = read_server_tls(settings)

    def __call__(self) -> ServerTls:
        """What to show now."""
        try:
            self._last = read_server_tls(self._settings)
        except BridgeError as error:
            _log.warning("TLS files not read again: %s", error)
        return self._last
