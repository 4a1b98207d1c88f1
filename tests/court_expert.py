"""A court's expert: takes a report's commands to a plain shell, in a folder with the file and the trust file alone."""

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.cli.report import shell
from tests.web.node import absent

END: Final = "\x1e"


def steps(report: Any) -> list[Any]:
    """Every command of a report in JSON, with the value beside it."""
    return [
        step
        for section in report["report"]["sections"]
        for block in section["blocks"]
        for step in block.get("steps", [])
    ]


def printed(where: Path, commands: list[str]) -> list[str]:
    """What each command prints, one after the other in one plain `sh`."""
    for tool in ("xxd", "openssl", "sha256sum"):
        if shutil.which(tool) is None:
            absent(f"{tool} is not there: a plain shell has it (on Debian: apt-get install xxd openssl coreutils)")
    script = "".join(f"{command}\nprintf '{END}'\n" for command in commands)
    done = subprocess.run(["sh"], input=script, cwd=where, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [answer.strip("\n") for answer in done.stdout.split(END)[:-1]]


def bench(where: Path, folder: Path, name: str) -> Path:
    """A folder as a court's expert would have it: the file under the name that the commands use."""
    where.mkdir()
    (where / shell.BUNDLE).write_bytes((folder / f"{name}.hb.json").read_bytes())
    (where / "trust.json").write_bytes((folder / "trust.json").read_bytes())
    return where
