"""The committed code is what the pinned generator makes of the .proto file."""

import subprocess
import sys
from pathlib import Path

from hybrid_bridge.rpc.v1 import bridge_pb2 as pb

ROOT = Path(__file__).parents[4]
FOLDER = Path("hybrid_bridge/rpc/v1")


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, str(FOLDER / "bridge.proto")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    for name in ("bridge_pb2.py", "bridge_pb2.pyi", "bridge_pb2_grpc.py"):
        made, kept = (tmp_path / FOLDER / name).read_text(), (ROOT / FOLDER / name).read_text()
        assert made == kept, f"{name} is stale: run `make proto`"


def test_no_field_number_is_used_twice_or_skipped() -> None:
    for name, message in pb.DESCRIPTOR.message_types_by_name.items():
        numbers = sorted(field.number for field in message.fields)
        assert numbers == list(range(1, len(numbers) + 1)), name
