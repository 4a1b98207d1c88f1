"""`python -m bench browser`: from a bundle in hand to the verdict on the screen, four ways; writes bench/BROWSER.md.

By the clock on the wall, since that is what a person waits. The ways take turns in every round, and must agree first.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.harness import ROOT, host
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds
from tests.web.node import WEB, chromium_place, run

FOLDER = ROOT / "hybrid_bridge" / "cli" / "example_files"
NAMES = ("receivable", "split", "financing")
ROUNDS, GOAL = 9, 2.0  # seconds
TABLE = Path(__file__).with_name("BROWSER.md")
Way = Callable[[Path], float]  # seconds
WAYS = ("the page, in Chromium", "verifier.js, in Node.js", "`hybrid-bridge verify`", "`verify` of the library")


def page(chromium: str) -> Way:
    """Files dropped until the verdict stands; the browser and the page are open already."""

    def seconds(bundle: Path) -> float:
        visit = {"files": [str(bundle), str(FOLDER / "trust.json")]}
        asked = {"page": (WEB / "index.html").as_uri(), "visits": [visit]}
        [seen] = run("browse.mjs", chromium, text=json.dumps(asked))
        require(seen["headClass"] == "head green")
        return float(seen["ms"]) / 1000

    return seconds


def in_node(bundle: Path) -> float:
    trust = (FOLDER / "trust.json").read_bytes()
    asked = {"bundle": bundle.read_bytes().hex(), "trust": trust.hex(), "now": now()}
    [answer] = run("verify_bundles.mjs", text=json.dumps(asked))
    require(answer["whole"].get("complete"))
    return float(answer["ms"]) / 1000


def typed(bundle: Path) -> float:
    command = [sys.executable, "-m", "hybrid_bridge", "verify", str(bundle), "--trust", str(FOLDER / "trust.json")]
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    seconds = time.perf_counter() - begin
    require(done.returncode == 0)
    return seconds


def called(bundle: Path) -> float:
    data, trust = bundle.read_bytes(), parse_trust((FOLDER / "trust.json").read_bytes())
    begin = time.perf_counter()
    evidence = verify(data, trust, UnixSeconds(now()))
    seconds = time.perf_counter() - begin
    require(evidence.complete)
    return seconds


def now() -> int:
    return int(time.time())


def require(agrees: object) -> None:
    if not agrees:
        sys.exit("a way to verify does not say what the others say")


def main() -> int:
    """Measure and write."""
    chromium = chromium_place()
    if not chromium:
        sys.exit("chromium is not there. Run: ./infra/install.sh chromium")
    ways: list[Way] = [page(chromium), in_node, typed, called]
    rows = []
    for name in NAMES:
        bundle = FOLDER / f"{name}.hb.json"
        samples: list[list[float]] = [[] for _ in ways]
        for number in range(ROUNDS + 1):
            for way in range(number, number + len(ways)):
                taken = ways[way % len(ways)](bundle)
                if number:
                    samples[way % len(ways)].append(taken)
        for words, found in zip(WAYS, samples, strict=True):
            ratios = sorted(GOAL / one for one in found)
            shares = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} – {ratios[-1]:.1f})"
            size = f"{bundle.stat().st_size / 1024:.0f} KiB"
            rows.append(f"| `{name}`, {size} | {words} | {shares} | {statistics.median(found) * 1000:.0f} ms |")
            print(rows[-1], flush=True)
    title = f"Written by `python -m bench browser` on {datetime.now(UTC):%Y-%m-%d}, {ROUNDS} rounds. {LEGEND}"
    head = ["| bundle | verified by | the goal of 2 s is so many times as long | median |", "|---|---|---|--:|"]
    TABLE.write_text(
        "\n".join(["# From a bundle to its verdict", "", title, "", *host(("cryptography",)), "", *head, *rows]) + "\n"
    )
    return 0


LEGEND = (
    "By the clock on the wall. The page: from files dropped to the verdict shown, in a headless browser that is open; "
    "Node.js: the call alone, the first of a process; the library: the call alone, in a process that has verified before; the command: a whole process."
)
