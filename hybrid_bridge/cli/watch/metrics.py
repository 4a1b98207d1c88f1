"""What a monitoring server sees of a watcher."""

from http import HTTPStatus
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from hybrid_bridge.adapters.web.listener import METRICS_TYPE, Page
from hybrid_bridge.cli.watch.findings import CHAIN, FEW, KINDS, Finding
from hybrid_bridge.cli.watch.memory import State
from hybrid_bridge.cli.watch.spending import GWEI
from hybrid_bridge.units import LogId, Wei

PREFIX: Final = "hybrid_watch_"


class Metrics:
    """Fed by the watcher after each look, read by the listener's thread."""

    def __init__(self, log_id: LogId) -> None:
        self._registry = CollectorRegistry()
        self._log = f"0x{log_id.hex()}"
        self._looked = self._gauge("last_look_timestamp_seconds", "when the last look ended")
        self._findings = self._gauge("findings", "what is so now", "kind", "severity")
        self._sizes = self._gauge("signed_size", "the newest checkpoint of each source", "source")
        self._spent = self._gauge("report_spent_gwei", "what reports of the last day cost at most")
        self._untold = self._gauge("untold_notices", "notices that a target has not taken yet")

    def show(self, state: State, findings: list[Finding], spent: Wei, now: int) -> None:
        """After a look."""
        self._spent.labels(self._log).set(spent // GWEI)
        self._looked.labels(self._log).set(now)
        self._untold.labels(self._log).set(len(state.untold))
        for kind, (severity, _) in KINDS.items():
            self._findings.labels(self._log, kind, severity).set(sum(finding.kind == kind for finding in findings))
        for source, those in state.remembered.signed.items():
            if source.startswith(FEW):
                continue
            size = max(one.size for one in those)
            self._sizes.labels(self._log, "chain" if source == CHAIN else source).set(size)

    def page(self, path: str) -> Page | None:
        """`/metrics`, and `/livez` for whoever restarts processes."""
        if path == "/livez":
            return Page(HTTPStatus.OK, "text/plain; charset=utf-8", b"alive\n")
        return Page(HTTPStatus.OK, METRICS_TYPE, generate_latest(self._registry)) if path == "/metrics" else None

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}{name}", meaning, ("log", *labels), registry=self._registry)
