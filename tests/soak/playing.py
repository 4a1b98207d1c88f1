"""One soak: a consortium on CometBFT under business and faults for some minutes, then the judgement."""

import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from tests.e2e.engine_network import EngineNetwork, founded
from tests.e2e.namespaces import Lan, NotPermitted, lan
from tests.e2e.network import NAMES, running
from tests.e2e.public_chain import PublicChain, start_public_chain
from tests.soak.faults import Faults, Supervisor
from tests.soak.judging import anchors, forks, promises, settled
from tests.soak.load import Business
from tests.soak.memory import Memory, slope

CADENCE = 6  # seconds of an epoch
TRADERS = 2
LOGS = Path(__file__).parents[2] / ".venv" / "soak"  # goes with `make clean`


@dataclass
class Report:
    """What was played and what came of it; `wrong` is empty if all held."""

    seed: int
    minutes: float
    hosts: str  # "namespaces", or why not
    decided: dict[str, int] = field(default_factory=dict)
    lapsed: int = 0  # stories given up because a halt outlasted a time limit of the rules
    slowest: float = 0.0  # seconds until an event was decided, faults included
    kills: int = 0
    cuts: int = 0
    stops: int = 0
    restarts: int = 0
    blocks: int = 0
    epochs: int = 0
    anchors: int = 0
    promises: dict[str, int] = field(default_factory=dict)
    recovered: float = 0.0  # seconds from the last fault until all agree
    memory: dict[str, tuple[int, float, float]] = field(default_factory=dict)  # MiB at the end, KiB a minute, minutes
    faults: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def play(seed: int, minutes: float, long_cut_after: float = float("inf"), cadence: int = CADENCE) -> Report:
    """Everything, and what was found."""
    with ExitStack() as held:
        hosts, where = _hosts(held)
        report = Report(seed, minutes, where)
        network = held.enter_context(founded(cadence, hosts))
        held.callback(_keep_logs, network.root)
        held.enter_context(contextmanager(running)(network))
        _soak(report, network, long_cut_after)
    return report


def _keep_logs(root: Path) -> None:
    """Of the newest soak, for whoever must find out."""
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    for path in (*root.glob("*.out"), *root.glob("nodes/*/node.log")):
        shutil.copy(path, LOGS / f"{path.parent.name}-{path.name}")


def _hosts(held: ExitStack) -> tuple[Lan | None, str]:
    try:
        return held.enter_context(lan(NAMES)), "namespaces"
    except NotPermitted as error:
        return None, f"no partitions: {error}"


def _soak(report: Report, network: EngineNetwork, long_cut_after: float) -> None:
    chain = start_public_chain(network)
    command = [sys.executable, "-m", "relayers", "run", "--init", "-c", str(network.root / "relayer" / "relayer.toml")]
    supervisor = Supervisor(network, {"relayer": command})
    faults = Faults(supervisor, report.seed, long_cut_after)
    business = Business(network)
    memory = Memory(lambda: _pids(network))
    calm, closed, over = Event(), Event(), Event()  # no more faults · no more business · no more watching
    with ThreadPoolExecutor(TRADERS + 3) as pool:
        jobs = [pool.submit(supervisor.run, over), pool.submit(memory.run, over), pool.submit(faults.run, calm)]
        jobs += [pool.submit(business.carry_on, report.seed * 1000 + k, TRADERS, closed) for k in range(TRADERS)]
        try:
            _watched(jobs, report.minutes * 60)
            calm.set()
            jobs[2].result()
            closed.set()
            for job in jobs[3:]:
                job.result()
            _judge(report, network, business, chain)
        finally:
            for event in (calm, closed, over):
                event.set()
            report.kills, report.cuts, report.stops = faults.kills, faults.cuts, faults.stops
            report.faults = faults.said
            report.restarts = supervisor.restarts
    for name, samples in sorted(memory.longest().items()):
        lived = (samples[-1][0] - samples[0][0]) / 30
        report.memory[name] = samples[-1][1] >> 20, slope(samples), lived


def _watched(jobs: list, seconds: float) -> None:  # type: ignore[type-arg]
    """Wait so long; a job that failed ends it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for job in jobs:
            if job.done():
                job.result()
        time.sleep(0.5)


def _judge(report: Report, network: EngineNetwork, business: Business, chain: PublicChain) -> None:
    begin = time.monotonic()
    top = settled(network)
    report.recovered = time.monotonic() - begin
    report.blocks, report.slowest, report.decided = top, business.slowest, dict(business.decided)
    report.lapsed = business.lapsed
    report.wrong += business.wrong
    report.wrong += forks(network, top)
    counted, unproven = promises(network)
    report.promises = dict(counted)
    report.wrong += [f"{name}: a promise is broken and cannot be shown to be" for name in unproven]
    events, wrong = anchors(network, chain)
    report.anchors, report.epochs = len(events), events[-1].tree_size
    report.wrong += wrong
    report.wrong += [f"{name} has halted: {why}" for name in NAMES if (why := network.status(name).halted)]


def _pids(network: EngineNetwork) -> dict[str, int]:
    engines = {f"{name} engine": process.pid for name, process in list(network.engines.items())}
    return {**{name: process.pid for name, process in list(network.running.items())}, **engines}
