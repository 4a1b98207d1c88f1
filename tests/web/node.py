"""node, for tests of the JavaScript verifier: skipped by name where it is absent, failed where engines are required."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "hybrid_bridge" / "web"


def run(
    script: str, *arguments: str, text: str | None = None, patience: float = 300, inside: Sequence[str] = ()
) -> Any:
    """What a script beside this file prints, read as JSON. `inside`: words before the command, as of `ip netns exec`."""
    node = shutil.which("node")
    if node is None:
        absent("node is not there. Install Node.js 18 or newer")
    command = [*inside, str(node), str(Path(__file__).parent / script), *arguments]
    done = subprocess.run(
        command, input=text, capture_output=True, encoding="utf-8", cwd=ROOT, timeout=patience, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def tools() -> Path:
    """Where the pinned packages are, or would be."""
    where = [ROOT / "infra" / "web" / "install.sh", "--where"]
    return Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())


def build(folder: Path) -> None:
    """Build the verifier into a folder with the pinned tools."""
    if shutil.which("node") is None or not tools().is_dir():
        absent("the tools that build the verifier are not there. Run: ./infra/web/install.sh")
    subprocess.run([ROOT / "infra" / "web" / "build.sh", folder], check=True, capture_output=True, timeout=120)


def chromium_place() -> str:
    """Where the browser is; empty where it is not."""
    where = [ROOT / "infra" / "install.sh", "--where", "chromium"]
    return subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()


def chromium() -> str:
    """The browser."""
    return chromium_place() or absent("chromium is not there. Run: ./infra/install.sh chromium")


def axe() -> str:
    """The script of axe-core."""
    script = tools() / "node_modules" / "axe-core" / "axe.min.js"
    return str(script) if script.is_file() else absent("axe-core is not there. Run: ./infra/web/install.sh")


def absent(words: str) -> NoReturn:
    """Skip the calling test, or fail it where engines are required."""
    if os.environ.get("HYBRID_BRIDGE_REQUIRE_ENGINES") == "1":
        pytest.fail(words, pytrace=False)
    pytest.skip(words)
