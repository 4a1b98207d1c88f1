"""Foundry's own judgement of the contracts: vectors, fuzzing, random histories; layout and lint of the sources."""

import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.engines import engine

COMMAND = Path(__file__).parents[2] / "infra" / "contracts" / "forge.sh"


def forge(*arguments: str) -> "subprocess.CompletedProcess[str]":
    engine("forge")
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=1200, check=False)


@pytest.mark.engine
def test_every_test_of_forge_passes(build: ModuleType) -> None:
    """Vectors, fuzzed trees and quorums, invariants over random histories (CONTRACT §7)."""
    done = forge("test")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    last = re.findall(r"(\d+) tests passed, 0 failed, 0 skipped", done.stdout)
    assert last
    assert int(last[-1]) >= 22


@pytest.mark.engine
def test_sources_are_laid_out_and_linted() -> None:
    assert forge("fmt", "--check").returncode == 0
    done = forge("lint")
    assert done.returncode == 0
    assert "warning[" not in done.stderr + done.stdout
