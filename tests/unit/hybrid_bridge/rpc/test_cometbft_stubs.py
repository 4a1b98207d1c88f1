"""The committed classes are what the pinned generator makes of the pinned engine's .proto files."""

import shutil
import subprocess
from pathlib import Path

from tests.engines import ROOT, absent

FOLDER = ROOT / "hybrid_bridge" / "rpc" / "cometbft"


def test_generated_classes_of_the_engine_are_up_to_date(tmp_path: Path) -> None:
    if shutil.which("go") is None or not (ROOT / ".venv" / "bin" / "python").exists():
        absent("cometbft", "with go")
    subprocess.run([ROOT / "infra" / "cometbft" / "stubs.sh", tmp_path], check=True, timeout=300, capture_output=True)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*_pb2.py*")}
    kept = {path.relative_to(FOLDER): path.read_text() for path in FOLDER.rglob("*_pb2.py*")}
    assert made == kept, "stale: run ./infra/cometbft/stubs.sh"
