"""The built verifier is what its sources give, byte by byte, and the committed digests say so."""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.web.node import ROOT, WEB, build

PAGES = ("explorer.html", "index.html", "verifier.js")
BUILT = ("src/vendor/noble.js", *PAGES, "SHA256SUMS")


def test_the_committed_digests_are_those_of_the_committed_files() -> None:
    lines = [f"{hashlib.sha256((WEB / name).read_bytes()).hexdigest()}  {name}\n" for name in PAGES]
    assert (WEB / "SHA256SUMS").read_text() == "".join(lines)


def test_a_build_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    build(tmp_path)
    changed = [name for name in BUILT if (tmp_path / name).read_bytes() != (WEB / name).read_bytes()]
    assert changed == [], "run ./infra/web/build.sh and commit"


def test_the_table_of_old_characters_is_what_its_generator_writes() -> None:
    command = [sys.executable, ROOT / "infra" / "web" / "unicode.py"]
    made = subprocess.run(command, check=True, capture_output=True).stdout
    assert made == (WEB / "src" / "unicode32.js").read_bytes()


def test_the_module_needs_nothing_and_has_the_version_of_the_package() -> None:
    package = json.loads((WEB / "package.json").read_text())
    assert "dependencies" not in package
    assert package["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {package["exports"]["."].removeprefix("./"), *package["files"]} == {"verifier.js", "NOTICE"}
    pinned = json.loads((ROOT / "infra" / "web" / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "infra" / "web" / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in pinned} == pinned
