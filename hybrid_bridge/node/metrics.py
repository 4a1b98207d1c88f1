"""What a monitoring server sees of a validator: how often its guard said yes and no, and who contradicted himself.

Only where `metrics` in `node.toml` names an address of this machine's loopback; the listener is bounded and asks no
store. Counters count from the start of the process. Nothing here names a key or a document.
Source: RELAYER §5.4, §9.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from hybrid_bridge.adapters.sqlite.witness import Evidence
from hybrid_bridge.adapters.web.listener import METRICS_TYPE, Listener, Page
from hybrid_bridge.core.guard_events import RULES
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.settings import require_endpoint
from hybrid_bridge.rpc.limits import KINDS
from hybrid_bridge.rpc.service import Caller

PREFIX: Final = "hybrid_validator_"
ALWAYS: Final = ("log", "validator")
CONTRADICTIONS: Final = ("block", "checkpoint")  # kinds of evidence that are two words of one key
MAX_COUNTED: Final = 10_000  # pieces of evidence told apart: more say no more


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: its name without the prefix, and its labels beside `log` and `validator`."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    meaning: str


TABLE: Final = (
    Metric("guard_signed_total", "counter", (), "checkpoints that the guard permitted and the key signed"),
    Metric("guard_refused_total", "counter", ("reason",), "signatures that the guard refused; the first one halts"),
    Metric("equivocations_total", "counter", ("member",), "evidence kept of two words of one key"),
    Metric("throttled_total", "counter", ("member", "limit"), "calls refused: their caller has used its part"),
    Metric("certificate_expiry_seconds", "gauge", (), "until the certificate ends that we show"),
    Metric("crl_expiry_seconds", "gauge", (), "until the first revocation list ends; nothing without a list"),
    Metric("missing_copies", "gauge", (), "a regulator's: accepted records without a copy after an hour, 256 at most"),
    Metric("halted", "gauge", (), "1: this member signs nothing more until a person decides"),
)


class Metrics:
    """The instruments of one validator. Fed by any thread, read by any."""

    def __init__(self, directory: Directory, name: str) -> None:
        self._registry = CollectorRegistry()
        self._always = (f"0x{directory.log_id.hex()}", name)
        self._counters = {m.name: Counter(*_definition(m), registry=self._registry) for m in TABLE if m.kind[0] == "c"}
        self._gauges = {m.name: Gauge(*_definition(m), registry=self._registry) for m in TABLE if m.kind[0] == "g"}
        self._halted = self._gauges["halted"].labels(*self._always)
        self._directory = directory
        self._known: set[tuple[str, bytes, int]] = set()
        self._turn = threading.Lock()
        self._count("guard_signed_total", 0)
        for reason in RULES:
            self._count("guard_refused_total", 0, reason)
        self._named = frozenset(member.name for member in directory.members)
        for member in directory.members:
            self._count("equivocations_total", 0, member.name)
            for kind in KINDS:
                self._count("throttled_total", 0, member.name, kind)

    def signed(self) -> None:
        """The guard permitted, and the key signed."""
        self._count("guard_signed_total", 1)

    def refused(self, rule: str) -> None:
        """The guard did not."""
        self._count("guard_refused_total", 1, rule)

    def kept(self, evidence: Evidence) -> None:
        """Evidence was kept; seen again, it is not counted again."""
        key = evidence.kind, evidence.signer, evidence.number
        with self._turn:
            is_new = key not in self._known and len(self._known) < MAX_COUNTED
            if is_new:
                self._known.add(key)
        if is_new and evidence.kind in CONTRADICTIONS:
            self._count("equivocations_total", 1, _names_by_key(self._directory).get(evidence.signer, "unknown"))

    def throttled(self, caller: Caller, kind: str) -> None:
        """A call was one too many of its class; who is no member is counted by its role."""
        is_member = caller.role == "member" and caller.name in self._named
        self._count("throttled_total", 1, caller.name if is_member else f"({caller.role})", kind)

    def expiry(self, certificate: int, lists: int | None) -> None:
        """Seconds that our certificate and the revocation lists still last."""
        self._gauges["certificate_expiry_seconds"].labels(*self._always).set(certificate)
        if lists is not None:
            self._gauges["crl_expiry_seconds"].labels(*self._always).set(lists)

    def missing(self, count: int) -> None:
        """Copies that a regulator should have by now."""
        self._gauges["missing_copies"].labels(*self._always).set(count)

    def halted(self, _reason: str) -> None:
        """The brake was pulled."""
        self._halted.set(1)

    def page(self, path: str) -> Page | None:
        """What a path shows."""
        if path != "/metrics":
            return None
        return Page(HTTPStatus.OK, METRICS_TYPE, generate_latest(self._registry))

    def _count(self, name: str, by: int, *labels: str) -> None:
        self._counters[name].labels(*self._always, *labels).inc(by)


def listening(metrics: Metrics, listen: str) -> Listener | None:
    """Listen, if an address is given.

    Raises:
        SettingsMalformed: the address is taken.
    """
    return Listener(require_endpoint(listen, "metrics"), metrics.page) if listen else None


def _names_by_key(directory: Directory) -> Mapping[bytes, str]:
    """Members by their attestation address and by their identity's key id."""
    names: dict[bytes, str] = {bytes(key_id): name for key_id, (name, _) in directory.keys.items()}
    return names | {bytes(m.address): m.name for m in directory.known if m.address is not None}


def _definition(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return PREFIX + metric.name, metric.meaning, (*ALWAYS, *metric.labels)
