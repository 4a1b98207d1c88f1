"""Run the benches: `python -m bench` writes bench/RESULTS.md, `python -m bench vrf` prints one of them.

Commands of their own: `python -m bench schedules --seeds A:B` (bench/relayer_schedules.py),
`python -m bench soak --minutes N` (bench/soak.py), `python -m bench consensus` (bench/consensus.py), `python -m bench browser` (bench/browser.py).
"""

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import relayer_schedules
from bench.harness import ROUNDS, host

FILES = ("trees", "registry", "vrf", "bundle", "snapshots", "relayer")
PACKAGES = ("PyNaCl", "SQLAlchemy", "trie", "pymerkle", "sparse-merkle-tree")
HEAD = ["| what | who | times as long as ours, median (least – greatest) | median |", "|---|---|---|--:|"]


def main(chosen: list[str]) -> None:
    lines = [*HEAD]
    for name in chosen or FILES:
        for comparison in importlib.import_module(f"bench.{name}").comparisons():
            comparison.measure()
            lines += comparison.rows()
            print("\n".join(comparison.rows()), flush=True)
    if chosen:
        return
    title = [
        "# Results",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, {ROUNDS} rounds. How to read it: [README.md](README.md). Absolute figures are information; yours will differ.",
        "",
    ]
    Path(__file__).with_name("RESULTS.md").write_text("\n".join([*title, *host(PACKAGES), "", *lines]) + "\n")


if sys.argv[1:2] == ["schedules"]:
    sys.exit(relayer_schedules.main(sys.argv[2:]))
if sys.argv[1:2] == ["soak"]:
    sys.exit(importlib.import_module("bench.soak").main(sys.argv[2:]))
if sys.argv[1:2] in (["consensus"], ["browser"]):
    sys.exit(importlib.import_module(f"bench.{sys.argv[1]}").main())
main(sys.argv[1:])
