"""A folder with bundles and a trust file, and `hybrid-bridge` as a user types it, in this process."""

import json
import sys

import pytest

from hybrid_bridge.cli.main import run
from tests.bundles import consortium


class Outcome:
    """What a command left behind."""

    def __init__(self, code, captured):
        self.code, self.out, self.err = code, captured.out, captured.err

    def json(self):
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path):
    for name, bundle in consortium().all().items():
        (tmp_path / f"{name}.hb.json").write_bytes(bundle.encode())
    (tmp_path / "trust.json").write_bytes(consortium().trust().encode())
    return tmp_path


@pytest.fixture
def typed(folder, monkeypatch, capsysbinary):
    """`typed("verify", "x.hb.json", "--json")` in that folder."""
    monkeypatch.chdir(folder)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["hybrid-bridge", *arguments])
        with pytest.raises(SystemExit) as end:
            run()
        captured = capsysbinary.readouterr()
        return Outcome(end.value.code, captured._replace(out=captured.out.decode(), err=captured.err.decode()))

    return command
