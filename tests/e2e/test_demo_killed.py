"""The demo under an axe: any process killed at any moment changes nothing; the demo's own end leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybrid_bridge.cli.demo.stage import Stage, free_ports
from hybrid_bridge.errors import NotYet, StoreBroken
from tests.e2e.demo_run import GONE, PATIENCE, Demo, command, environment

pytestmark = [pytest.mark.evm, pytest.mark.slow]

INTERRUPTED = (130, -signal.SIGINT)  # CPython says the latter if it was just executing a source text


def playing(folder: Path, until: str, *options: str) -> Demo:
    """A demo that has told that much of its story."""
    demo = Demo(folder, options)
    deadline = time.monotonic() + 120
    while until not in demo.stdout:
        if demo.process.poll() is not None or time.monotonic() > deadline:
            demo.end()
            pytest.fail(f"{until!r} not told\n{demo.stdout}\n{demo.stderr}")
        time.sleep(0.05)
    return demo


def test_with_processes_killed_at_random_all_comes_out_the_same_in_the_folder_of_a_killed_demo(tmp_path: Path) -> None:
    first = playing(tmp_path, "AnchorRegistry stands")
    first.process.kill()  # no chance to tidy up
    first.process.wait()
    first.require_gone()

    demo = Demo(tmp_path, ("--json",))
    try:
        demo.kill_at_random(seed=7, every=3.0, times=16)
        report = demo.report()
        demo.require_gone()
    finally:
        demo.end()
    assert len(demo.kills) >= 8
    assert (report["transactions"], report["refused"], sum(report["restarts"].values()) > 0) == (48, 2, True)
    assert [row["evidence"]["complete"] for row in report["bundles"]] == [True] * 3
    assert [row["error"] for row in report["frauds"]] == [
        "RootMismatch", "Rejected", "RootMismatch", "BelowQuorum", "BelowQuorum",
    ]  # fmt: skip
    for name in ("relayer-north", "relayer-south"):
        line = [command()[0], "-m", "relayers", "fsck", "--offline", "--json", "-c", f"relayers/{name}/relayer.toml"]
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=demo.out, env=environment())
        assert (done.returncode, json.loads(done.stdout)) == (0, {"findings": []})


@pytest.mark.parametrize("whom", ["the demo", "its whole process group, twice"])
def test_ctrl_c_ends_everything_it_started(tmp_path: Path, whom: str) -> None:
    demo = playing(tmp_path, "3. The supplier's receivables")
    assert len(demo.children()) >= 8
    try:
        if whom == "the demo":
            demo.process.send_signal(signal.SIGINT)
        else:
            os.killpg(demo.process.pid, signal.SIGINT)
            time.sleep(0.3)
            os.killpg(demo.process.pid, signal.SIGINT)
        assert demo.process.wait(PATIENCE) in INTERRUPTED
        demo.require_gone()
    finally:
        demo.end()
    assert "interrupted" in demo.stderr
    assert str(demo.out / "logs") in demo.stderr


def test_a_second_demo_in_the_same_folder_is_refused_while_one_plays(tmp_path: Path) -> None:
    demo = playing(tmp_path, "1. A consortium is founded")
    try:
        second = subprocess.run(
            command("demo", "--out", demo.out), capture_output=True, text=True, check=False, env=environment()
        )
        assert (second.returncode, "no other demo" in second.stderr) == (2, True)
        demo.process.terminate()
        assert demo.process.wait(PATIENCE) in INTERRUPTED
        demo.require_gone()
    finally:
        demo.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_that_python_drops_within_a_callback_is_not_lost(number: int) -> None:
    source = f"""
import os, time, weakref
from hybrid_bridge.cli.demo import hear_the_end

class Thing: ...

hear_the_end()
thing = Thing()
reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), {int(number)}))
try:
    del thing
    time.sleep({GONE})
except KeyboardInterrupt:
    raise SystemExit(7) from None
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, env=environment()
    )
    assert (done.returncode, done.stderr) == (7, "")


# ── the stage alone ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_fails_by_himself_too_often_ends_the_play_with_the_end_of_his_log(tmp_path: Path) -> None:
    told: list[str] = []
    with Stage(tmp_path, lambda name, how: told.append(f"{name} {how}")) as stage:
        stage.start("actor", ["/bin/sh", "-c", "echo forgot the words; exit 4"])
        with pytest.raises(StoreBroken) as caught:
            stage.until("the monologue", lambda: None)
    assert caught.value.store == "actor"
    assert "forgot the words" in caught.value.rule
    assert set(told) == {"actor ended with exit code 4"}


def test_who_does_not_answer_in_time_is_named(tmp_path: Path) -> None:
    with Stage(tmp_path, lambda *_: None) as stage, pytest.raises(NotYet) as caught:
        stage.until("an answer", lambda: None, patience=0.3)
    assert caught.value.what.startswith("an answer")


def test_a_child_that_ignores_term_is_killed(tmp_path: Path) -> None:
    with Stage(tmp_path, lambda *_: None) as stage:
        child = stage.start("deaf", ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"])
        stage.until("deaf", lambda: "up" in child.tail() or None)
        started = time.monotonic()
    assert child.process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 60


def test_a_question_is_asked_again_when_the_one_asked_was_killed(tmp_path: Path) -> None:
    mark = tmp_path / "asked"
    script = f"test -e {mark} && exit 1; touch {mark}; kill -9 $$"
    with Stage(tmp_path / "logs", lambda *_: None) as stage:
        assert stage.answer_of("the question", ["/bin/sh", "-c", script]).returncode == 1


def test_ports_are_different_and_below_those_of_outgoing_calls() -> None:
    ports = free_ports(40)
    assert len(set(ports)) == 40
    assert all(15_000 <= port < 32_000 for port in ports)
