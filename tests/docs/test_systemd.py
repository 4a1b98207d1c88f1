"""The units of infra/systemd: systemd reads them, finds little to attack, and every command in them is one of ours."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.commands import parsed
from tests.engines import PINS, ROOT, absent

UNITS = sorted((ROOT / "infra" / "systemd").glob("*.service"))
EXPOSURE = 20  # of 100, by `systemd-analyze security`; what has a network cannot have much less


def values(unit: Path, key: str) -> list[str]:
    lines = unit.read_text("utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as systemd would find them, with programs that are there."""
    if shutil.which("systemd-analyze") is None:
        absent("systemd", PINS["SYSTEMD"])
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/hybrid-bridge/bin/", f"{Path(sys.executable).parent}/")
        (folder / unit.name).write_text(text, "utf-8")
    return folder


def analysed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    names = [str(folder / unit.name.replace("@.", "@bank-a.")) for unit in UNITS]
    for name in names:
        if not Path(name).exists():
            Path(name).symlink_to(folder / Path(name).name.replace("@bank-a.", "@."))
    command = ["systemd-analyze", *words, *names]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=120)


def test_there_is_a_unit_for_each_program_that_runs_for_ever() -> None:
    assert [unit.name for unit in UNITS] == [
        "hybrid-bridge-engine@.service",
        "hybrid-bridge-node@.service",
        "hybrid-bridge-tiles@.service",
        "hybrid-bridge-watch@.service",
        "hybrid-relayer@.service",
    ]


@pytest.mark.engine
def test_systemd_understands_every_line(installed: Path) -> None:
    done = analysed(installed, "verify")
    complaints = [line for line in done.stderr.splitlines() if "hybrid-" in line]
    assert (done.returncode, complaints) == (0, []), done.stderr


@pytest.mark.engine
def test_little_is_left_to_attack(installed: Path) -> None:
    done = analysed(installed, "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager")
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_command_is_one_that_our_own_programs_take(unit: Path) -> None:
    (line,) = values(unit, "ExecStart")
    program, *words = shlex.split(line.replace("${TILES_PORT}", "8480").replace("%i", "bank-a"))
    folder, _, name = program.rpartition("/")
    assert folder == "/opt/hybrid-bridge/bin"
    assert "--init" not in words, "a journal that must be there is never made in passing"
    parsed(name, words)


def test_a_word_that_no_program_knows_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        parsed("hybrid-bridge", ["node", "run", "--folder", "x"])
    with pytest.raises(click.UsageError):
        parsed("hybrid-relayer", ["watch"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_unit_runs_as_root_or_holds_a_secret_or_waits_for_ever(unit: Path) -> None:
    (user,) = values(unit, "User")
    users = (ROOT / "infra" / "systemd" / "hybrid-bridge.sysusers").read_text("utf-8")
    assert f"\nu {user} " in users
    assert set(values(unit, "Environment")) <= {"PYTHONUNBUFFERED=1", "TILES_PORT=8480"}
    assert len(values(unit, "TimeoutStopSec")) == len(values(unit, "StateDirectory")) == 1


def test_what_ends_is_started_again_unless_a_person_is_needed_first() -> None:
    """RELAYER §9; a refused PIN ends with 4, a hung tick with 3 (tests/unit/relayers/test_watchdog.py)."""
    rules = {
        unit.name.split("@")[0]: (*values(unit, "Restart"), *values(unit, "RestartPreventExitStatus")) for unit in UNITS
    }
    assert rules == {
        "hybrid-bridge-engine": ("always",),
        "hybrid-bridge-node": ("always",),
        "hybrid-bridge-tiles": ("always", "1 2"),
        "hybrid-bridge-watch": ("always", "2"),
        "hybrid-relayer": ("on-failure", "2 4"),
    }
    assert all(values(unit, "StartLimitIntervalSec") == ["0"] for unit in UNITS)
