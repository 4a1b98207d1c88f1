"""One member's process: starts its loops, listens, and ends them all in order.

The one place where a node is put together. A loop that fails for a reason of ours ends the whole process with exit code
4: a node that half works is worse than one that a supervisor starts again.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from traceback import format_tb
from types import FrameType
from typing import Final

from hybrid_bridge.adapters.cometbft.abci import AbciServer
from hybrid_bridge.adapters.cometbft.rpc import EngineRpc
from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.pki import caller_of
from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.adapters.web.listener import Listener
from hybrid_bridge.core.encoding import Reader
from hybrid_bridge.core.transaction import MAX_SIGNED, SignedTransaction
from hybrid_bridge.errors import BridgeError, Broken, KeyUnusable, SettingsMalformed, StoreAway, StoreBroken
from hybrid_bridge.node.archives import Archives
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.audit_service import AuditService
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.closing import Closer, run_closing
from hybrid_bridge.node.copying import Copier
from hybrid_bridge.node.cosigning import Cosigner, witnesses_of
from hybrid_bridge.node.delivering import Deliverer, Receiver
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.desk_service import DeskService
from hybrid_bridge.node.endorsing import Endorser
from hybrid_bridge.node.engine import EngineApplication
from hybrid_bridge.node.engine_homes import keep_peers
from hybrid_bridge.node.enrolling import OWN_CARD, run_enrolling
from hybrid_bridge.node.expiring import Expiry
from hybrid_bridge.node.following import Follower
from hybrid_bridge.node.founding import FOUNDING
from hybrid_bridge.node.governing import Governing
from hybrid_bridge.node.hearing import Hearing
from hybrid_bridge.node.ledger_service import LedgerService
from hybrid_bridge.node.log_service import LogService
from hybrid_bridge.node.metrics import Metrics, listening
from hybrid_bridge.node.noticing import Noticer
from hybrid_bridge.node.opening import open_folder, server_tls, tls_files
from hybrid_bridge.node.ordering import Orderer
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.proposing import Proposer
from hybrid_bridge.node.proving import ProvenFirst, prove
from hybrid_bridge.node.public_hearing import PublicHearing, public_record
from hybrid_bridge.node.receipts import receipt_of
from hybrid_bridge.node.regulating import Copies, ReadLog, Regulator
from hybrid_bridge.node.reviving import Reviver
from hybrid_bridge.node.settings import ENGINE_HOME, ENGINE_SOCKET, FOLLOW, read_settings
from hybrid_bridge.node.snapshots import Shelf
from hybrid_bridge.node.sourcing import Sourcer
from hybrid_bridge.node.stores import run_holding
from hybrid_bridge.node.submitting import AtEngine, AtSequencer, OrOthers, Submitter, ToOthers
from hybrid_bridge.node.syncing import taken_height
from hybrid_bridge.node.taking import take_snapshot
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.server import MemberServer
from hybrid_bridge.rpc.service import Caller
from hybrid_bridge.steps.batch import ClosingKeys
from hybrid_bridge.units import TreeSize, UnixSeconds

GRACE: Final = 2.0  # seconds that running calls get to end
JOIN: Final = 8.0  # seconds that loops get to end
PAUSE: Final = 1.0  # seconds before a loop whose database was away begins again

_log = logging.getLogger(__name__)


class SystemClock:
    """The machine's clock."""

    def now(self) -> UnixSeconds:
        """Whole seconds."""
        return UnixSeconds(int(time.time()))


class Node:
    """One member's node. `start`, then `wait`, then `stop`."""

    def __init__(self, folder: Path) -> None:
        """Read everything, refuse what does not fit, start nothing.

        Raises:
            Malformed, Refuted, Broken: settings, keys, directory or stores are not what they must be.
        """
        self._settings = read_settings(folder)
        self._opened = open_folder(self._settings, SystemClock())
        self._view = view = self._opened.view
        self._tls = tls_files(self._settings)
        self._peers: dict[str, GrpcPeer] = {}  # by name; follows the directory
        self._endpoints: dict[str, str] = {}
        self._meet()
        orders = view.directory.engine is None and view.directory.sequencer.name == view.name
        self._orderer = Orderer(view, time.time, self._settings.block_every) if orders else None
        every = self._settings.snapshot_every
        self._shelf = Shelf(view.ledger, view.directory.log_id, view.directory.genesis.first_block, every)
        self._engine = None if view.directory.engine is None else self._make_engine()
        file = self._settings.witnesses
        self._witnesses = witnesses_of(view, _public_bytes(self._settings.path(file)), file) if file else []
        self._metrics = Metrics(view.directory, view.name)
        self._listener: Listener | None = None
        self._threads: list[threading.Thread] = []
        self._failed = False
        self._server = self._make_server()

    def start(self) -> int:
        """Start all loops and listen; the port that was bound."""
        self._listener = listening(self._metrics, self._settings.metrics)
        self._view.brake.when_kept(self._metrics.kept)
        self._view.brake.when_pulled(self._metrics.halted)
        port = self._server.start(self._settings.listen)
        if self._engine is not None:
            self._engine.start()
        for name, loop in self._loops():
            self._start_loop(name, loop)
        self._opened.holding.end()  # the loops keep the leases now
        self._server.serving(yes=True)
        self._view.brake.when_pulled(lambda _reason: self._server.serving(yes=False))
        _log.info("%s listens on port %d, block %d", self._view.name, port, self._view.progress.tip)
        return port

    def wait(self) -> None:
        """Until somebody stops the node.

        Raises:
            Broken: a loop failed.
            LeaseLost, StoreAway: a store in a database is lost to this process; another one may go on.
        """
        while not self._view.progress.stopping:
            self._view.progress.wait(lambda: False, 60.0)
        for store in self._opened.leased:
            if store.lost is not None:
                raise store.lost
        if self._failed:
            raise Broken

    def stop(self) -> None:
        """End calls, loops and stores, in that order. Again is no change."""
        self._view.progress.stop()
        if self._orderer is not None:
            self._orderer.stop()
        if self._engine is not None:
            self._engine.stop()
        self._server.stop(GRACE)
        if self._listener is not None:
            self._listener.close()
        for peer in list(self._peers.values()):
            peer.close()
        for thread in self._threads:
            thread.join(JOIN)
        self._opened.close()
        _log.info("%s stopped", self._view.name)

    def stop_soon(self) -> None:
        """Ask `wait` to return; safe in a signal handler's thread."""
        threading.Thread(target=self._view.progress.stop, daemon=True).start()

    def _start_loop(self, name: str, loop: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._guarded, args=(name, loop), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _meet(self) -> list[GrpcPeer]:
        """The peers that have come or moved since we looked last; those that left are let go."""
        view, new = self._view, []
        here = {member.name: member.endpoint for member in view.directory.members if member.name != view.name}
        for name in list(self._peers):
            if here.get(name) != self._endpoints.get(name):
                self._peers.pop(name).close()
        for name, endpoint in here.items():
            if name not in self._peers:
                self._peers[name] = GrpcPeer.at(name, endpoint, self._tls)
                self._endpoints[name] = endpoint
                new.append(self._peers[name])
        if view.directory.engine is not None:
            others = (member for member in (*view.directory.members, *view.directory.expected) if member.name in here)
            keep_peers(self._settings.folder, [member.engine for member in others if member.engine is not None])
        return new

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_server(self) -> MemberServer:
        view = self._view
        submitter: Submitter
        if self._engine is not None and view.address is not None:
            submitter = AtEngine(view, self._engine_rpc())
            if taken_height(self._settings.folder):
                submitter = ProvenFirst(submitter, self._to_others(), self._settings.folder)
        elif self._orderer is not None:
            submitter = AtSequencer(self._orderer, view.directory.log_id, self._settings.pool_limit)
        else:
            submitter = self._to_others()
        engine = view.directory.engine
        sourcer = None if engine is None else Sourcer(view, engine, self._archives())
        bundler, desk = Bundler(view, self._receipt_of, sourcer), Desk(view, self._of_our_own(submitter))
        enrolment, endorser = self._opened.enrolment, Endorser(view, self._opened.guards, self._opened.enrolment.store)
        proposer = Proposer(view, desk, enrolment, endorser, self._tls.judge)
        governing = Governing(view, proposer, enrolment, endorser)
        self._noticer = Noticer(view, desk, follows=self._settings.erasure_notices == FOLLOW)
        readings = self._opened.readings
        read_log = None if readings is None else ReadLog(view, readings)
        self._copies = None if readings is None else Copies(view)
        regulator = None if read_log is None or self._copies is None else Regulator(read_log, self._copies)
        services = [
            LogService(view).service(),
            AuditService(view, bundler).service(),
            LedgerService(view, submitter, bundler).service(),
            PeerService(view, Receiver(view), proposals=enrolment.store, read_log=read_log).service(),
            DeskService(view, desk, bundler, self._noticer, governing=governing, regulator=regulator).service(),
        ]
        return MemberServer(
            lambda: server_tls(self._tls),
            self._authenticate,
            services,
            reflect=self._settings.reflection,
            limits=self._settings.limits,
            throttled=self._metrics.throttled,
            free=Caller(view.name, "owner"),
        )

    def _of_our_own(self, submitter: Submitter) -> Submitter:
        """With an engine a member may come to order, or order no more, while its node runs."""
        may_change = self._engine is not None and not isinstance(submitter, ToOthers)
        return OrOthers(submitter, self._to_others()) if may_change else submitter

    def _to_others(self) -> ToOthers:
        view = self._view

        def orderers() -> list[GrpcPeer]:
            epoch = 0 if view.chain.tip is None else view.chain.tip.epoch
            return self._present(member.name for member in view.directory.orderers(epoch))

        return ToOthers(orderers)

    def _present(self, names: Iterable[str]) -> list[GrpcPeer]:
        """Those of these members that are our peers now: one that moved has another peer object than before."""
        return [peer for peer in map(self._peers.get, names) if peer is not None]

    def _sources(self) -> list[GrpcPeer]:
        """Whom blocks are pulled from: the sequencer first."""
        first = self._view.directory.sequencer.name
        return self._present([first, *(name for name in list(self._peers) if name != first)])

    def _make_engine(self) -> AbciServer:
        """Where our consensus engine asks us."""
        home = self._settings.path(ENGINE_HOME)
        is_founder = not self._settings.path(OWN_CARD).exists()
        first = read_founding(self._settings.path(FOUNDING)) if is_founder and self._view.chain.tip is None else []
        founding = [signed.encode() for signed in first]
        application = EngineApplication(self._view, founding, self._shelf, self._waits)
        return AbciServer(home / ENGINE_SOCKET, application, self._broken)

    def _engine_rpc(self) -> EngineRpc:
        if not self._settings.engine_rpc:
            raise SettingsMalformed(key="engine_rpc", rule="host:port of this member's consensus engine")
        return _rpc_at(self._settings.engine_rpc)

    def _archives(self) -> Archives:
        return Archives(self._engine_rpc(), [_rpc_at(endpoint) for endpoint in self._settings.engine_archives])

    def _waits(self, error: StoreAway) -> bool:
        """Wait a little for our own database; False when we stop, or have lost the store to another process."""
        _log.warning("the engine waits for an answer: %s", error)
        self._view.progress.wait(lambda: False, PAUSE)
        return not self._view.progress.stopping and all(store.lost is None for store in self._opened.leased)

    def _broken(self, error: Exception) -> None:
        """The engine is told next and stops; a supervisor starts both again, and a person looks."""
        if self._view.progress.stopping:
            return
        _log.critical("the engine's question could not be answered: %s", _told(error))
        self._failed = True
        self.stop_soon()

    def _receipt_of(self, size: TreeSize) -> bytes:
        return receipt_of(self._view, dict(self._peers), size)

    def _authenticate(self, certificate: bytes) -> Caller:
        caller = caller_of(certificate, self._view.clock.now())
        self._tls.judge(certificate)
        return caller

    def _loops(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Every loop of this node with its name."""
        view, peers = self._view, list(self._peers.values())
        if self._orderer is not None:
            yield "order", self._order
        elif self._engine is not None:
            yield "revive", Reviver(view.progress, self._engine.hang_up).run
        else:
            signer = view.keys.identity if view.addresses else None
            yield "follow", Follower(view.chain, self._sources, signer, view.progress).run
        for store in self._opened.leased:
            yield f"hold-{store.name}", lambda store=store: run_holding(store, view.progress)  # type: ignore[misc]
        public = self._settings.public if self._opened.guard is not None else None
        following = [(key.address(), guard) for key, guard in self._opened.guards[1:]]
        watch = Watch(view, since=taken_height(self._settings.folder))
        hearing = Hearing(view, self._opened.guard, *following, asks_public=public is not None)
        view.chain.ask_before(hearing.permits)
        if public is not None:
            yield "public", PublicHearing(view, hearing, lambda: public_record(public, self._settings.folder)).run
        yield "hear", lambda: hearing.run(watch.judge) if prove(view, self._settings.folder) else None
        for peer in peers:
            yield f"watch-{peer.name}", self._watching(peer, hearing, watch)
        yield (
            "enrol",
            lambda: run_enrolling(self._opened.enrolment, lambda: self._greeted(hearing, watch), view.progress),
        )
        yield "close", lambda: run_closing(self._closing(), view.progress)
        for number, (key, guard) in enumerate(self._opened.guards):
            attester = Attester(
                view.logbook, guard, key, view.brake, view.keys.mldsa, counts=self._metrics, permits=hearing.permits
            )
            yield f"attest-{number}", lambda attester=attester: attester.run(view.progress)  # type: ignore[misc]
        if self._engine is not None:
            yield "snapshots", lambda: self._shelf.run(view.progress)
        yield "cosign", Cosigner(view).run
        for number, witness in enumerate(self._witnesses):
            yield f"witness-{number}", witness.run
        yield (
            "expire",
            lambda: Expiry(self._tls, view.directory, view.name, self._metrics).run(view.progress, view.clock),
        )
        copies = self._copies
        if copies is not None:
            yield "copies", lambda: copies.run(self._metrics)
        yield "deliver", Deliverer(view, self._peers).run
        yield "notice", self._noticer.run

    def _greeted(self, hearing: Hearing, watch: Watch) -> list[GrpcPeer]:
        """All peers; whoever is new among them is watched from now on."""
        for peer in self._meet():
            self._start_loop(f"watch-{peer.name}", self._watching(peer, hearing, watch))
        return list(self._peers.values())

    def _watching(self, peer: GrpcPeer, hearing: Hearing, watch: Watch) -> Callable[[], None]:
        """First what a peer has heard of us, then all that it says, as long as it is our peer."""

        def is_here() -> bool:
            return self._peers.get(peer.name) is peer

        def attend() -> None:
            hearing.listen(peer, is_here)
            watch.run(peer, is_here)

        return attend

    def _closing(self) -> Callable[[], object]:
        """How this member closes an epoch: computes it with its set's secret, or copies it from a validator."""
        view, keys = self._view, self._view.keys
        closer = Closer(view.ledger, view.logbook, view.directory, view.progress)
        copier = Copier(closer, view.logbook, view.directory, self._validators)

        def sign_lines() -> None:
            if keys.log is not None and view.progress.heard:
                view.logbook.sign_lines(keys.log, keys.log_mldsa)

        def close() -> None:
            sign_lines()  # also of what was closed before we last stopped, or before we had heard the others
            secret = keys.secret_of(closer.next_term().validators.set_id)
            if secret is None:
                copier.copy_next()
            else:
                closer.close_next(ClosingKeys(secret=secret, vrf_seed=keys.vrf))
            sign_lines()

        return close

    def _validators(self) -> list[GrpcPeer]:
        """Those of our peers that attest, or did."""
        return [peer for name, peer in list(self._peers.items()) if self._view.directory.addresses(name)]

    def _order(self) -> None:
        """The sequencer's loop: when enough members have told that they know no more than we do, make blocks."""
        if self._orderer is None:
            raise KeyUnusable(key="identity", rule="the sequencer's")
        if self._view.progress.await_heard() and self._view.chain.tip is None:
            for signed in read_founding(self._settings.path(FOUNDING)):
                self._orderer.submit(signed, self._settings.pool_limit)
        self._orderer.run(self._settings.block_interval_ms / 1000)

    def _guarded(self, name: str, loop: Callable[[], None]) -> None:
        try:
            while not self._ended(name, loop):
                self._view.progress.wait(lambda: False, PAUSE)
        except BaseException as error:  # noqa: BLE001 whatever ends a loop ends the process; nothing is swallowed
            if not self._view.progress.stopping:
                self._failed = True
                _log.critical("loop %s failed: %s", name, _told(error))
                self._view.progress.stop()

    def _ended(self, name: str, loop: Callable[[], None]) -> bool:
        """Run it. False if our own database did not answer meanwhile: then all it knows is read anew from there."""
        try:
            loop()
        except StoreAway as error:
            if self._view.progress.stopping or any(store.lost is not None for store in self._opened.leased):
                raise
            _log.warning("loop %s: %s", name, error)
            return False
        return True


def _rpc_at(endpoint: str) -> EngineRpc:
    return EngineRpc(Service("engine", f"http://{endpoint}").post)


def _told(error: BaseException) -> str:
    """Where it happened, and what: errors of ours hold nothing private, of others only the name is told."""
    said = str(error) if isinstance(error, BridgeError) else type(error).__name__
    return f"{said}\n{''.join(format_tb(error.__traceback__))}"


def _public_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise SettingsMalformed(key=path.name, rule="a readable file") from None


def read_founding(path: Path) -> list[SignedTransaction]:
    """The first transactions, as the founders signed them.

    Raises:
        StoreBroken: the file is missing.
        Malformed: it is no list of transactions.
    """
    try:
        reader = Reader(path.read_bytes())
    except OSError:
        raise StoreBroken(store=path.name, rule="there until the first block is made") from None
    count = reader.u16("founding")
    found = [SignedTransaction.decode(reader.opaque(4, "founding", MAX_SIGNED)) for _ in range(count)]
    reader.end("founding")
    return found


def run_node(folder: Path, ready: Callable[[int], None]) -> None:
    """Run a member's node until SIGTERM or SIGINT. `ready` hears the port when it listens.

    Raises:
        BridgeError: it cannot start, or a loop failed.
    """
    stopped = threading.Event()
    stops: list[Callable[[], object]] = [stopped.set]  # what a signal calls

    def ended(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=lambda: [stop() for stop in stops], daemon=True).start()

    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, ended)
    if not take_snapshot(read_settings(folder), stops):
        return
    node = Node(folder)
    stops.append(node.stop_soon)
    if stopped.is_set():
        node.stop_soon()
    try:
        ready(node.start())
        node.wait()
    finally:
        node.stop()
