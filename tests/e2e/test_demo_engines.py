"""The same demo on the public chains that others build: anvil and geth."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import engines
from tests.e2e.demo_run import Demo

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.mark.parametrize(
    "start",
    [lambda folder: engines.start_anvil(folder, "--block-time", "1"), engines.start_geth],
    ids=["anvil", "geth"],
)
def test_the_demo_plays_on_a_chain_of_others(
    tmp_path: Path, start: Callable[[Path], tuple[engines.Child, str]]
) -> None:
    child, url = start(tmp_path)
    demo = Demo(tmp_path / "demo", ("--json", "--rpc", url))
    try:
        report = demo.report()
        demo.require_gone()
    finally:
        demo.end()
        child.stop()
    assert (report["transactions"], report["refused"], len(report["frauds"])) == (48, 2, 5)
    assert [row["evidence"]["complete"] for row in report["bundles"]] == [True] * 3
    assert not (demo.out / "public-chain" / "chain.jsonl").exists()
