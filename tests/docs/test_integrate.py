"""The page on integration runs as written, on the package's own examples. Its contract runs in tests/evm/test_gate.py."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hybrid_bridge.cli.contract import command as contract
from hybrid_bridge.cli.examples import command as examples
from tests.web.node import ROOT, WEB, absent

GUIDE = (ROOT / "docs" / "guides" / "integrate.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert CliRunner().invoke(examples, [str(tmp_path)]).exit_code == 0
    shutil.copy(WEB / "verifier.js", tmp_path / "verifier.mjs")
    return tmp_path


def said(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_five_lines_of_python_verify_a_bundle(folder: Path) -> None:
    code = blocks("python")[0]
    assert len([line for line in code.splitlines() if line]) == 5
    assert said(folder, sys.executable, "-c", code).startswith("True {'")


def test_five_lines_of_python_refuse_a_broken_one(folder: Path) -> None:
    code = blocks("python")[0].replace("receivable.hb.json", "receivable-changed-digit.hb.json")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "RootMismatch" in done.stderr


def test_five_lines_of_javascript_do_the_same(folder: Path) -> None:
    node = shutil.which("node")
    if node is None:
        absent("node is not there. Install Node.js 18 or newer")
    [code] = blocks("js")
    assert len(code.splitlines()) == 5
    code = code.replace("./verifier.js", "./verifier.mjs")
    (folder / "five.mjs").write_text(code)
    assert said(folder, str(node), "five.mjs").startswith("true [")
    (folder / "five.mjs").write_text(code.replace("receivable.hb.json", "receivable-changed-digit.hb.json"))
    done = subprocess.run([str(node), "five.mjs"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "RootMismatch" in done.stderr


def test_the_command_and_the_lines_after_it_make_the_arguments(folder: Path) -> None:
    [line] = blocks("console")
    result = CliRunner().invoke(contract, ["proof", str(folder / line.split()[-1])])
    assert result.exit_code == 0
    (folder / "proof.json").write_text(result.output)
    code = blocks("python")[1] + "print(json.dumps(arguments))"
    told = json.loads(said(folder, sys.executable, "-c", code))
    assert [set(one) for one in told] == [
        {"treeSize", "rootHash", "path"},
        {"record", "path"},
        {"entry", "index", "path"},
        {"salt", "index", "path"},
    ]


def test_the_readme_names_the_page() -> None:
    assert "docs/guides/integrate.md" in (ROOT / "README.md").read_text()
