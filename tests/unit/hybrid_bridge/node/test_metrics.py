"""What a validator shows to whoever watches it: the guard's answers, contradictions, and whether it still signs."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from hybrid_bridge.adapters.sqlite.witness import Evidence
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.guard_events import RULES
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.metrics import MAX_COUNTED, PREFIX, TABLE, Metrics, listening
from hybrid_bridge.rpc.service import Caller
from hybrid_bridge.units import TreeSize
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, started

SAMPLE = re.compile(rf"^{PREFIX}(\w+)\{{(.*)\}} (\S+)$", re.MULTILINE)


@pytest.fixture
def metrics(members: Members) -> Metrics:
    return Metrics(members.open("core").view.directory, "bank-a")


def value(metrics: Metrics, name: str, *labels: str) -> float | None:
    page = metrics.page("/metrics")
    assert page is not None
    for found, given, number in SAMPLE.findall(page.body.decode()):
        if found == name and set(labels) <= set(re.findall(r'"([^"]*)"', given)):
            return float(number)
    return None


def evidence(members: Members, name: str, number: int = 5, kind: str = "checkpoint") -> Evidence:
    signer = members.open("core").view.directory.member(name).address if kind == "checkpoint" else members.key_id(name)
    return Evidence(kind=kind, signer=bytes(signer or b""), number=number, first=b"a", second=b"b")


def test_everything_stands_at_zero_from_the_start_so_that_the_first_step_is_seen(metrics: Metrics) -> None:
    assert value(metrics, "guard_signed_total") == 0
    assert [value(metrics, "guard_refused_total", rule) for rule in RULES] == [0] * len(RULES)
    assert [value(metrics, "equivocations_total", name) for name in NAMES] == [0] * len(NAMES)
    assert value(metrics, "halted") == 0
    names = {name for name, *_ in SAMPLE.findall((metrics.page("/metrics") or _none()).body.decode())}
    later = {"certificate_expiry_seconds", "crl_expiry_seconds", "missing_copies"}  # once the files have been looked at
    assert {name for name in names if not name.endswith("_created")} == {metric.name for metric in TABLE} - later
    metrics.expiry(5, None)
    assert value(metrics, "certificate_expiry_seconds") == 5
    assert value(metrics, "crl_expiry_seconds") is None
    metrics.expiry(4, 3)
    assert value(metrics, "crl_expiry_seconds") == 3


def _none():
    raise AssertionError


def test_another_path_shows_nothing(metrics: Metrics) -> None:
    assert metrics.page("/") is None


def test_what_the_guard_permits_and_refuses_is_counted_by_its_rule(members: Members, metrics: Metrics) -> None:
    started(members).spread(members.order(START + CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
    opened = members.open("bank-a")
    view, guard = opened.view, opened.guard
    assert guard is not None
    assert view.keys.attestation is not None
    attester = Attester(view.logbook, guard, view.keys.attestation, view.brake, counts=metrics)
    attester.sign_all(view.progress)
    assert (value(metrics, "guard_signed_total"), value(metrics, "guard_refused_total", "double")) == (1, 0)
    members.spread(members.order(START + 2 * CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
    with guard._file.write() as connection:
        connection.exec_driver_sql("INSERT INTO guardsigned VALUES (3, ?, ?)", (ZERO, ZERO))
    view.brake.when_pulled(metrics.halted)
    view.progress.raised("heard", 1)
    attester.run(view.progress)
    assert value(metrics, "guard_refused_total", "double") == 1
    assert value(metrics, "guard_signed_total") == 1
    assert value(metrics, "halted") == 1
    assert guard.said(TreeSize(3)) == ZERO


def test_a_contradiction_is_counted_once_by_the_members_name_however_often_it_is_seen(
    members: Members, metrics: Metrics
) -> None:
    for _ in range(3):
        metrics.kept(evidence(members, "supplier"))
        metrics.kept(evidence(members, "supplier", kind="block"))
    metrics.kept(evidence(members, "supplier", number=6))
    metrics.kept(evidence(members, "bank-b", kind="stray"))
    assert value(metrics, "equivocations_total", "supplier") == 3
    assert value(metrics, "equivocations_total", "bank-b") == 0
    metrics.kept(Evidence(kind="block", signer=b"somebody", number=1, first=b"", second=b""))
    assert value(metrics, "equivocations_total", "unknown") == 1


def test_no_flood_of_evidence_makes_the_process_grow(members: Members, metrics: Metrics) -> None:
    for number in range(MAX_COUNTED + 5):
        metrics.kept(evidence(members, "supplier", number=number))
    assert value(metrics, "equivocations_total", "supplier") == MAX_COUNTED == len(metrics._known)


def test_evidence_that_was_kept_before_the_start_is_told_first_and_what_comes_then(
    members: Members, metrics: Metrics
) -> None:
    brake = members.open("bank-a").view.brake
    brake.keep(evidence(members, "supplier"))
    brake.when_kept(metrics.kept)
    brake.keep(evidence(members, "bank-b"))
    assert [value(metrics, "equivocations_total", name) for name in ("supplier", "bank-b")] == [1, 1]


@pytest.fixture
def port(metrics: Metrics) -> Iterator[int]:
    listener = listening(metrics, "127.0.0.1:0")
    assert listener is not None
    with closing(listener):
        yield listener.port


def test_it_is_listened_at_loopback_where_the_settings_say_so_and_nowhere_else(metrics: Metrics, port: int) -> None:
    assert listening(metrics, "") is None
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"hybrid_validator_halted{" in said


def test_a_refused_call_is_counted_by_its_member_and_class_and_no_certificate_makes_a_new_series(
    metrics: Metrics,
) -> None:
    metrics.throttled(Caller("bank-b", "member"), "reads")
    for number in range(20):
        metrics.throttled(Caller(f"r{number}", "relayer"), "reads")
        metrics.throttled(Caller(f"m{number}", "member"), "submit")
    assert value(metrics, "throttled_total", "bank-b", "reads") == 1
    page = metrics.page("/metrics")
    assert page is not None
    assert b'member="(relayer)"' in page.body
    assert b'member="r1"' not in page.body
    assert b'member="m1"' not in page.body
