"""Open a member's folder: settings, directory, keys, stores, each compared with the others before anything starts."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.adapters.grpc_member.log import GrpcMember
from hybrid_bridge.adapters.postgresql.store import PostgresStore
from hybrid_bridge.adapters.sql_registry import SqlRegistry
from hybrid_bridge.adapters.sqlite.epochs import SqlEpochs
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.readings import SqlReadings
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.adapters.sqlite.witness import SqlWitness
from hybrid_bridge.custody.tls_files import TlsFiles, TlsPaths, read_tls
from hybrid_bridge.errors import KeyUnusable
from hybrid_bridge.node.chain import Chain
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.enrolling import Enrolment
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.keys import Keys
from hybrid_bridge.node.laying import READINGS, guard_path
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.node.registry import catch_up, open_registry
from hybrid_bridge.node.regulating import REGULATOR
from hybrid_bridge.node.settings import NodeSettings, private_bytes, read_secret, read_settings
from hybrid_bridge.node.stores import Holding, stores_of
from hybrid_bridge.node.syncing import UNPROVEN, taken_height
from hybrid_bridge.node.view import View
from hybrid_bridge.ports import AttestationSigner, Clock
from hybrid_bridge.rpc.channel import ClientTls
from hybrid_bridge.rpc.server import ServerTls
from hybrid_bridge.units import UnixSeconds


@dataclass(frozen=True, slots=True)
class Opened:
    """A member's folder, open. `guard` is None for a member that signs no checkpoints."""

    settings: NodeSettings
    view: View
    guard: SqlGuard | None
    registry: SqlRegistry
    enrolment: Enrolment
    holding: Holding
    guard_next: SqlGuard | None = None  # of the key that follows ours, if we hold one already
    readings: SqlReadings | None = None  # a regulator's

    @property
    def guards(self) -> list[tuple[AttestationSigner, SqlGuard]]:
        """Each attestation key with its own guard."""
        keys = self.view.keys.attestation, self.view.keys.attestation_next
        pairs = zip(keys, (self.guard, self.guard_next), strict=True)
        return [(key, guard) for key, guard in pairs if key is not None and guard is not None]

    @property
    def leased(self) -> list[PostgresStore]:
        """The stores that others could take from us."""
        return [store for store in (self.view.ledger.file, self.view.records.file) if isinstance(store, PostgresStore)]

    def close(self) -> None:
        """Give the stores up."""
        self.holding.end()
        for _, guard in self.guards:
            guard.close()
        if self.readings is not None:
            self.readings.close()
        self.registry.close()
        self.view.records.close()
        self.view.ledger.close()


def open_folder(settings: NodeSettings, clock: Clock) -> Opened:
    """Everything in the folder, checked.

    Raises:
        Malformed, Refuted, Broken: a file, key or store is not what the others say.
    """
    directory = read_directory(settings.folder)
    with ExitStack() as undo:  # what is open already is given up if the rest does not fit
        ledger, records, holding = _open_stores(settings, directory, undo)
        enrolment = Enrolment(directory, ledger, settings.folder, settings.name)
        keys = Keys.load(settings, directory)
        enrolment.hold(keys)
        guard, guard_next = (
            _guard(settings, directory, key, undo) for key in (keys.attestation, keys.attestation_next)
        )
        progress, witness, epochs = Progress(), SqlWitness(ledger.file), SqlEpochs(ledger.file)
        registry = open_registry(settings, directory)
        undo.callback(registry.close)
        readings = _open_readings(settings, directory, undo)
        catch_up(registry, epochs, directory.genesis)
        brake = Brake(witness, clock)
        if taken_height(settings.folder):
            brake.hold(UNPROVEN)
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
        view.chain.follow(enrolment.renew)
        undo.pop_all()
    return Opened(settings, view, guard, registry, enrolment, holding, guard_next, readings)


def _open_stores(
    settings: NodeSettings, directory: Directory, undo: ExitStack
) -> tuple[SqlLedger, SqlRecords, Holding]:
    stores = stores_of(settings)
    ledger, records = SqlLedger(stores[0]), SqlRecords(stores[1])
    holding = Holding(store for store in stores if isinstance(store, PostgresStore))
    with ExitStack() as failed:
        failed.callback(holding.end)
        ledger.open(directory.log_id, settings.name)
        undo.callback(ledger.close)
        records.open(directory.log_id, settings.name)
        undo.callback(records.close)
        failed.pop_all()
    undo.callback(holding.end)  # before the stores, which give their leases back
    return ledger, records, holding


def _guard(
    settings: NodeSettings, directory: Directory, key: AttestationSigner | None, undo: ExitStack
) -> SqlGuard | None:
    if key is None:
        return None
    guard = SqlGuard(guard_path(settings.folder, key.address()))
    guard.open(directory.log_id, key.address())
    undo.callback(guard.close)
    return guard


def _open_readings(settings: NodeSettings, directory: Directory, undo: ExitStack) -> SqlReadings | None:
    if REGULATOR not in directory.member(settings.name).roles:
        return None
    readings = SqlReadings(settings.path(READINGS))
    readings.open(directory.log_id, settings.name)
    undo.callback(readings.close)
    return readings


def tls_files(settings: NodeSettings) -> TlsFiles:
    """The files behind this member's connections, in both directions.

    Raises:
        KeyUnusable, CertificateMalformed: as `TlsFiles`.
    """
    return TlsFiles(_tls_paths(settings), lambda: read_secret(settings, "tls"), _now)


def client_tls(settings: NodeSettings) -> ClientTls:
    """What this member shows when it calls others, or is called.

    Raises:
        KeyUnusable: a file is missing, or its key open to others or another's.
        CertificateMalformed: a certificate cannot be read.
    """
    return read_tls(_tls_paths(settings), lambda: read_secret(settings, "tls"))


def server_tls(files: TlsFiles) -> ServerTls:
    """What this member shows to callers now."""
    tls = files.current()
    return ServerTls(tls.roots, tls.certificate, tls.key)


def owner_files(folder: Path) -> TlsFiles:
    """The files behind the owner of a node, a relayer or an auditor: `tls.pem`, `tls.key` and `ca.pem` of a folder.

    Raises:
        KeyUnusable, CertificateMalformed: as `TlsFiles`.
    """
    return TlsFiles(_owner_paths(folder), lambda: private_bytes(folder / "tls.key", "tls.key"), _now)


def owner_tls(folder: Path) -> ClientTls:
    """What they show.

    Raises:
        KeyUnusable, CertificateMalformed: as `client_tls`.
    """
    return read_tls(_owner_paths(folder), lambda: private_bytes(folder / "tls.key", "tls.key"))


def desk_of(folder: Path) -> GrpcDesk:
    """The owner's client of the node in `folder`."""
    settings = read_settings(folder)
    return GrpcDesk.at(settings.name, settings.listen, owner_files(folder / "owner"))


def log_of(folder: Path) -> GrpcMember:
    """The owner's client of the log that the node in `folder` serves."""
    settings = read_settings(folder)
    return GrpcMember.at(settings.name, settings.listen, owner_files(folder / "owner"))


def _tls_paths(settings: NodeSettings) -> TlsPaths:
    key = settings.secrets.get("tls")
    if key is None:
        raise KeyUnusable(key="tls", rule="named in [secrets]")
    crls = tuple(map(settings.path, settings.crl.files))
    return TlsPaths(settings.path("ca.pem"), settings.path("tls.pem"), key, crls, settings.crl.stale)


def _owner_paths(folder: Path) -> TlsPaths:
    return TlsPaths(folder / "ca.pem", folder / "tls.pem", folder / "tls.key")


def _now() -> UnixSeconds:
    return UnixSeconds(int(time.time()))
