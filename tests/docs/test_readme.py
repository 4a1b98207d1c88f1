"""Every command of the README runs as written, in an empty folder; what it shows is what comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
SHOWN = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
MODULES = {"hybrid-bridge": "hybrid_bridge", "hybrid-relayer": "relayers"}
EXIT_CODES = {"hybrid-bridge verify receivable-changed-digit.hb.json --trust trust.json": 1}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    name, *arguments = command.split()
    return subprocess.run(
        [sys.executable, "-m", MODULES[name], *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )


def steady(text: str) -> list[str]:
    """All lines, but of the verdict on freshness its result alone: the age grows."""
    kept, ages = [], False
    for line in text.strip().splitlines():
        ages = " freshness " in line or (ages and line.startswith("     "))
        if not ages:
            kept.append(line.rstrip())
        elif " freshness " in line:
            kept.append(" ".join(line.split()[:3]))
    return kept


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    ours = [command for command in COMMANDS if command.split()[0] in MODULES]
    return {command: run(command, folder) for command in ours}


def test_the_first_command_stands_within_25_lines():
    first = next(number for number, line in enumerate(README.splitlines(), 1) if line.startswith("$ "))
    assert first <= 25


def test_every_command_ends_as_the_readme_says(outputs):
    for command, done in outputs.items():
        assert done.returncode == EXIT_CODES.get(command, 0), (command, done.stdout[-800:], done.stderr[-800:])


def test_what_is_shown_is_what_comes_out(outputs):
    verifications = [done for command, done in outputs.items() if command.startswith("hybrid-bridge verify")]
    assert len(SHOWN) == len(verifications) == 2
    for shown, done in zip(SHOWN, verifications, strict=True):
        assert steady(shown) == steady(done.stdout or done.stderr)


def test_the_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for command in COMMANDS:
        if command.startswith("make "):
            assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE), command


def test_the_library_example_runs_on_the_example_bundles(tmp_path):
    assert run("hybrid-bridge examples .", tmp_path).returncode == 0
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("True [('integrity', 'verified')"), done.stdout + done.stderr


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target
