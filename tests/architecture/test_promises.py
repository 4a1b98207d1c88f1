"""What CONTRIBUTING and CHANGELOG promise is so."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_neither_steps_nor_adapters_import_one_another() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    independent = {module for one in contracts if one["type"] == "independence" for module in one["modules"]}
    assert independent >= {"hybrid_bridge.steps.*", "hybrid_bridge.adapters.*"}


def test_every_path_that_contributing_names_is_there() -> None:
    named = re.findall(r"`([\w./-]+(?:\.py|\.toml|/run|/))`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert len(named) >= 8
    missing = [name for name in named if not (ROOT / name).exists() and not (ROOT / "hybrid_bridge" / name).exists()]
    assert not missing, missing


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == PROJECT["project"]["version"]


def test_nothing_waits_replaces_or_listens_the_way_web3_would() -> None:
    """RELAYER §6: its helpers wait for one public block, not for finality, and replace on their own."""
    never = re.compile(r"wait_for_transaction|replace_transaction|modify_transaction|WebSocketProvider|\"pending\"")
    sources = [*(ROOT / "relayers").rglob("*.py"), *(ROOT / "hybrid_bridge" / "adapters" / "evm").glob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sources
        if not path.name.startswith("dev_")  # the devnet answers such questions, it asks none
        and path.name != "sent.py"  # a rebuild looks into pools for bytes of ours; nothing is decided by it
        for match in never.finditer(path.read_text("utf-8"))
    ]
    assert not found, found
