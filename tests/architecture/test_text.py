"""Text files are UTF-8 wherever they are read or written, whatever the locale of the machine says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_text_file_is_opened_with_its_encoding() -> None:
    rule = ["--isolated", "--preview", "--select", "PLW1514"]
    command = [sys.executable, "-m", "ruff", "check", *rule, "hybrid_bridge", "relayers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
