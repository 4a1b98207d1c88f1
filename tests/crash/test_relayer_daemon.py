"""What hangs on the ticks of a daemon: evidence kept at a halt, pages that follow each tick, an end when drained."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.errors import BridgeError, LeaseLost, NotYet, StoreBroken, Unreachable
from hybrid_bridge.testing.memory_chain import MemoryNetwork
from hybrid_bridge.units import ChainId, UnixSeconds
from relayers import wiring
from relayers.daemon import Board, Daemon, Served
from relayers.desk import Orders
from relayers.health import State, health_of
from relayers.journal import Brake
from relayers.relay import Relayer
from relayers.start import SKEW, require_clock
from relayers.watchdog import Watchdog
from tests.crash.relay_world import BORN, CONTRACT, DEPTH, Operator, World
from tests.crash.test_relayer_metrics import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    operator = Operator(World(), tmp_path / "journal.db")
    yield Watched(operator)
    operator.close()


@pytest.fixture
def halts() -> list[int]:
    return []


@pytest.fixture
def daemon(watched: Watched, halts: list[int]) -> Daemon:
    return daemon_of(watched, watched.operator.relayer(), halts)


def daemon_of(
    watched: Watched, relayer: Relayer, halts: list[int], unasked: Callable[[], object] | None = None
) -> Daemon:
    served = Served("memory", relayer, watched.metrics, lambda: halts.append(1), unasked=unasked)
    return Daemon([served], 3600)


def turn(daemon: Daemon) -> None:
    daemon.ticker._ticks["memory"]()


def shown(daemon: Daemon, path: str) -> tuple[int, str]:
    page = daemon._board.page(path)
    assert page is not None
    return page.status.value, page.body.decode()


def test_before_the_first_tick_it_is_live_and_not_ready(daemon: Daemon) -> None:
    assert shown(daemon, "/livez") == (200, "live\n")
    assert shown(daemon, "/readyz") == (503, "memory: no tick has finished yet\n")
    assert json.loads(shown(daemon, "/healthz")[1])["chains"]["memory"]["state"] == "STARTING"


def test_a_halt_keeps_the_evidence_and_is_live_and_not_ready(
    watched: Watched, daemon: Daemon, halts: list[int]
) -> None:
    network, log_id = watched.operator.world.network, watched.operator.world.consortium.log_id
    watched.operator.world.consortium.close_epoch()
    network.put_log(log_id, replace(network.newest.logs[log_id], size=2, root=bytes(32)))
    network.mine(DEPTH + 1)
    for _ in range(2):
        turn(daemon)
    assert halts == [1]
    assert shown(daemon, "/livez")[0] == 200
    assert shown(daemon, "/readyz") == (503, "memory: halted: conflict\n")
    assert json.loads(shown(daemon, "/healthz")[1])["chains"]["memory"]["reasons"] == ["halted: conflict"]


def test_what_is_undecided_is_tried_again_by_the_next_tick(
    watched: Watched, halts: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = daemon_of(watched, watched.operator.relayer(), halts)
    assert watched.operator.journal is not None

    def locked(_: object) -> None:
        raise NotYet(what="the journal's write lock")

    with monkeypatch.context() as patch:
        patch.setattr(watched.operator.journal, "renew", locked)
        turn(daemon)
        assert "write lock" in shown(daemon, "/readyz")[1]
    turn(daemon)
    assert shown(daemon, "/readyz") == (200, "ready\n")
    lines = [json.loads(line)["reason"] for line in capsys.readouterr().err.splitlines()]
    assert "write lock" in lines[0]
    assert lines[1:] == ["nothing_due"]


def test_a_database_that_goes_away_shows_until_it_is_back(
    watched: Watched, halts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = daemon_of(watched, wiring.timed(watched.operator.relayer(), watched.metrics), halts)
    turn(daemon)
    assert watched.value("journal_up") == 1
    for call in ("renew", "view"):

        def away(*_: object) -> None:
            raise Unreachable(endpoint="journal", call="postgresql")

        with monkeypatch.context() as patch:
            patch.setattr(watched.operator.journal, call, away)
            turn(daemon)
            assert watched.value("journal_up") == 0
            assert "Unreachable" in shown(daemon, "/readyz")[1]
        turn(daemon)
        assert watched.value("journal_up") == 1


def test_a_chain_from_our_future_signs_nothing_beside_others_until_the_clock_is_set(
    watched: Watched, halts: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    world, relayer = watched.operator.world, watched.operator.relayer()
    world.consortium.close_epoch()
    world.network.mine(DEPTH + 1)
    clock = [world.now() - SKEW - 1]
    daemon = daemon_of(watched, relayer, halts, lambda: require_clock(relayer.observer.pin(), UnixSeconds(clock[0])))
    turn(daemon)
    turn(daemon)
    assert not world.network.received
    told = [line for line in map(json.loads, capsys.readouterr().err.splitlines()) if line["event"] == "not_started"]
    assert ["ClockBehind" in line["error"] for line in told] == [True]  # once
    clock[0] += 1
    turn(daemon)
    assert world.network.received


def test_a_lost_lease_ends_the_daemon(watched: Watched, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched.operator.journal is not None

    def lost(_: object) -> None:
        raise LeaseLost(held=1, current=2)

    monkeypatch.setattr(watched.operator.journal, "renew", lost)
    with pytest.raises(LeaseLost):
        daemon.run(None)


def test_a_drained_daemon_ends_by_itself(watched: Watched, daemon: Daemon) -> None:
    with Orders(watched.operator.path, watched.operator.scope) as orders:
        orders.set_brake(Brake.DRAIN, "test", watched.operator.world.now())
    daemon.run(("127.0.0.1", 0))
    assert shown(daemon, "/readyz") == (503, "memory: brake: drain\n")
    assert json.loads(shown(daemon, "/healthz")[1])["chains"]["memory"]["state"] == "DRAINED"


def test_a_late_tick_is_neither_live_nor_ready_though_the_last_one_was_good(watched: Watched) -> None:
    now = [0.0]
    board = Board({"memory": None}, watched.metrics.instruments, Watchdog(120.0, lambda: now[0]))
    board.post("memory", health_of(watched.tick(), watched.operator.world.now()))
    pages = {path: board.page(path) for path in ("/livez", "/readyz", "/healthz")}
    assert {page.status.value for page in pages.values() if page is not None} == {200}
    now[0] = 121.0
    late = {path: board.page(path) for path in pages}
    assert {page.status.value for page in late.values() if page is not None} == {503}
    assert board.page("/nothing") is None


# ── several chains ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Watched, Watched]]:
    """Two public chains of one log, one gas key on both."""
    main = World()
    side = World(MemoryNetwork(ChainId(5), CONTRACT, BORN), main.consortium)
    first, second = (Operator(world, tmp_path / f"{name}.db") for name, world in (("main", main), ("side", side)))
    watched = Watched(first)
    yield watched, Watched(second, "side", watched.metrics.instruments)
    first.close()
    second.close()


def serving(*chains: Watched, when: int = 2) -> Daemon:
    return Daemon(
        [Served(one.name, one.operator.relayer(), one.metrics, lambda: None) for one in chains],
        3600,
        anchored_when=when,
    )


def turns(daemon: Daemon, *chains: Watched, count: int = DEPTH + 3) -> None:
    for _ in range(count):
        for name in sorted(daemon.ticker.here):
            daemon.ticker._ticks[name]()
        for chain in chains:
            chain.operator.world.network.mine()


def test_an_epoch_is_anchored_once_so_many_chains_have_it_final(pair: tuple[Watched, Watched]) -> None:
    main, side = pair
    daemon = serving(*pair)
    main.operator.world.consortium.close_epoch()
    side.operator.endpoint.is_down = True
    turns(daemon, *pair)
    assert (daemon._board.verdict(1).size, daemon._board.verdict(2).size) == (2, 1)
    assert main.value("anchored_size", "all", "k_of_m") == 1
    assert shown(daemon, "/readyz")[1].startswith("side: no quorum of endpoints")
    side.operator.endpoint.is_down = False
    turns(daemon, *pair)
    assert daemon._board.verdict(2).size == 2
    assert main.value("anchored_size", "all", "k_of_m") == 2
    assert shown(daemon, "/readyz") == (200, "ready\n")
    assert [one.operator.fsck() for one in pair] == [[], []]


def test_what_breaks_one_chain_leaves_the_other_at_work_and_is_raised_at_the_end(
    pair: tuple[Watched, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    main, side = pair
    daemon = serving(*pair)
    turns(daemon, *pair, count=1)
    monkeypatch.setattr(side.operator.endpoint.network, "chain_id", ChainId(6))  # its endpoint serves another chain now
    main.operator.world.consortium.close_epoch()
    turns(daemon, *pair)
    assert main.operator.world.network.newest.logs[main.operator.scope.log_id].size == 2
    assert shown(daemon, "/readyz")[1].startswith("side: ended: StoreBroken")
    daemon.ticker.stop()
    with pytest.raises(StoreBroken):
        daemon.run(None)


def test_a_drained_chain_stops_no_other(pair: tuple[Watched, Watched]) -> None:
    main, side = pair
    daemon = serving(*pair)
    with Orders(side.operator.path, side.operator.scope) as orders:
        orders.set_brake(Brake.DRAIN, "test", BORN)
    turns(daemon, *pair)
    assert daemon._board._health["side"].state is State.DRAINED
    assert not daemon.ticker._stopping.is_set()
    main.operator.world.consortium.close_epoch()
    turns(daemon, main)
    assert main.operator.world.network.newest.logs[main.operator.scope.log_id].size == 2
    with Orders(main.operator.path, main.operator.scope) as orders:
        orders.set_brake(Brake.DRAIN, "test", BORN)
    daemon.run(None)  # the last one is drained: it ends by itself, in order


def test_a_lease_lost_on_one_chain_ends_all(pair: tuple[Watched, Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = serving(*pair)

    def lost(_: object) -> None:
        raise LeaseLost(held=1, current=2)

    monkeypatch.setattr(pair[1].operator.journal, "renew", lost)
    with pytest.raises(LeaseLost):
        daemon.run(None)


def test_a_chain_whose_start_was_refused_is_told_and_never_ready(watched: Watched, daemon: Daemon) -> None:
    daemon.leave_out("side", StoreBroken(store="side.db", rule="a test"))
    turn(daemon)
    assert shown(daemon, "/readyz")[1].startswith("side: ended: StoreBroken")
    assert json.loads(shown(daemon, "/healthz")[1])["chains"]["side"]["state"] == "HALTED"
    daemon.ticker.stop()
    with pytest.raises(StoreBroken):
        daemon.run(None)


def test_a_chain_that_nobody_answered_for_signs_nothing_before_its_start_is_asked(
    watched: Watched, halts: list[int]
) -> None:
    """Its endpoints come up later: a key with unknown transactions is refused then too."""
    answers: list[BridgeError] = [NotYet(what="endpoints"), NotYet(what="endpoints that agree")]

    def ask() -> None:
        if answers:
            raise answers.pop(0)

    world = watched.operator.world
    world.consortium.close_epoch()
    daemon = daemon_of(watched, watched.operator.relayer(), halts, ask)
    for _ in range(2):
        turn(daemon)
        assert world.network.pending == ()
        assert shown(daemon, "/readyz")[1].startswith("memory: no quorum of endpoints")
    turn(daemon)
    assert len(world.network.pending) == 1
    answers.append(StoreBroken(store="journal.db", rule="never asked again"))
    turn(daemon)
    assert shown(daemon, "/readyz") == (200, "ready\n")


def test_a_chain_whose_start_is_refused_once_its_endpoints_answer_is_left_out(
    watched: Watched, halts: list[int]
) -> None:
    def ask() -> None:
        raise StoreBroken(store="journal.db", rule="the newest journal of its key")

    watched.operator.world.consortium.close_epoch()
    daemon = daemon_of(watched, watched.operator.relayer(), halts, ask)
    turn(daemon)
    assert watched.operator.world.network.pending == ()
    assert shown(daemon, "/readyz")[1].startswith("memory: ended: StoreBroken")


def test_evidence_that_cannot_be_written_stops_nothing_and_is_tried_again(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    network, log_id = watched.operator.world.network, watched.operator.world.consortium.log_id
    watched.operator.world.consortium.close_epoch()
    network.put_log(log_id, replace(network.newest.logs[log_id], size=2, root=bytes(32)))
    network.mine(DEPTH + 1)
    failures: list[BridgeError] = [StoreBroken(store="evidence", rule="room")] * 2
    kept: list[int] = []

    def keep() -> None:
        if failures:
            raise failures.pop()
        kept.append(1)

    daemon = Daemon([Served("memory", watched.operator.relayer(), watched.metrics, keep)], 3600)
    for _ in range(4):
        turn(daemon)
    assert kept == [1]
    assert shown(daemon, "/readyz") == (503, "memory: halted: conflict\n")
    lines = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert lines.count("evidence_not_written") == 1


def test_the_head_of_the_events_is_told_at_the_start_and_once_a_day(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[str | BridgeError] = ["1:aa", "2:bb", Unreachable(endpoint="journal", call="read"), "3:cc"][::-1]

    def head() -> str:
        answer = answers.pop()
        if isinstance(answer, BridgeError):
            raise answer
        return answer

    network = watched.operator.world.network
    served = Served("memory", watched.operator.relayer(), watched.metrics, lambda: None, event_head=head)
    daemon = Daemon([served], 3600)
    for _ in range(2):
        for _ in range(3):
            turn(daemon)
        network.interval = 86_400
        network.mine()
    turn(daemon)
    turn(daemon)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["head"] for line in lines if line["event"] == "event_head"] == ["1:aa", "2:bb", "3:cc"]


def test_an_old_key_finishes_what_it_began_while_the_new_one_anchors(tmp_path: Path) -> None:
    world = World()
    old, new = Operator(world, tmp_path / "old.db", "the old key"), Operator(world, tmp_path / "new.db", "the new key")
    world.consortium.close_epoch()
    old.tick()  # an anchor is in flight when the key is exchanged
    with Orders(old.path, old.scope) as orders:
        orders.set_brake(Brake.DRAIN, "settings: retiring", BORN)
    retiring = Watched(old, "old")
    daemon = Daemon(
        [
            Served(one.name, one.operator.relayer(), one.metrics, lambda: None, is_retiring=one is retiring)
            for one in (retiring, Watched(new, "new", retiring.metrics.instruments))
        ],
        3600,
    )
    turns(daemon, retiring, count=1)
    world.consortium.close_epoch()
    turns(daemon, retiring)
    assert daemon._board.verdict(1).finals == {"new": 3}
    assert daemon._board._health["old"].state is State.DRAINED
    assert [event.tree_size for event in world.network.events()] == [2, 3]
    used = {one.name: len(world.network.transactions_of(one.signer.address())) for one in (old, new)}
    assert used["the old key"] == 1
    assert (old.fsck(), new.fsck()) == ([], [])
    old.close()
    new.close()
