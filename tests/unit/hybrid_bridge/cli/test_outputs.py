"""Where commands write: a wrong place is the caller's to mend, and an answer that cannot be written is no verdict."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hybrid_bridge.adapters.evm.deployments import write_deployments
from hybrid_bridge.cli import bundle as bundles
from hybrid_bridge.cli import member
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.errors import SettingsMalformed

ROOT = Path(__file__).parents[4]
MEMBERS = ("--member", "core,LEI:1,sequencer+validator")


class Desk:
    """Answers whatever is asked."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def draft(self, _request):
        return SimpleNamespace(draft=b"draft")

    def authorise(self, _draft, _purposes):
        return SimpleNamespace(signatures=[b"s"])

    def bundle(self, _request):
        return b"bundle"


@pytest.fixture
def _elsewhere(monkeypatch, folder):
    monkeypatch.setattr(member, "_desk", lambda _folder: Desk())
    monkeypatch.setattr(bundles, "with_anchor", lambda bundle, *_: bundle)
    (folder / "file").write_bytes(b"{}")


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize("place", ["file/x", "no/such/folder/x"])
@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        ("--out", ("member", "draft", "--dir", ".", "asset.register/1", "file", "--out")),
        ("--out", ("member", "authorise", "--dir", ".", "file", "--with", "identity", "--out")),
        ("--out", ("member", "bundle", "--dir", ".", "--out")),
        ("--output", ("bundle", "upgrade", "receivable.hb.json", "--rpc", "http://x", "--contract", "11" * 20, "-o")),
        ("--ready-file", ("devnet", "--ready-file")),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else None,
)
def test_a_file_that_cannot_be_made_is_a_wrong_option(typed, option, arguments, place):
    outcome = typed(*arguments, place)
    assert outcome.code == 2
    assert f"malformed: SettingsMalformed(key='{option}', rule='a place that can be made and written (" in outcome.err
    assert outcome.err.splitlines()[-1] == "  → mend this setting or option, and call again"


@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        ("FOLDER", ("examples", "receivable.hb.json/x")),
        ("FOLDER", ("examples", "/proc/x")),
        ("--out", ("consortium", "init", *MEMBERS, "--out", "receivable.hb.json/x")),
        ("--out", ("consortium", "init", *MEMBERS, "--out", "/proc/cc")),
        ("--out", ("demo", "--out", "/proc/cc")),
    ],
    ids=str,
)
def test_a_folder_that_cannot_be_made_is_a_wrong_option(typed, option, arguments):
    outcome = typed(*arguments)
    assert outcome.code == 2
    assert f"SettingsMalformed(key='{option}', rule='a place that can be made and written (" in outcome.err
    assert "Traceback" not in outcome.err


def test_deployments_are_written_where_files_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsMalformed) as caught, writing("--out"):
        write_deployments(tmp_path / "file" / "x", [])
    assert caught.value.key == "--out"


def test_a_second_set_of_examples_writes_nothing_and_says_why(typed, folder):
    assert typed("examples", "here").code == 0
    (folder / "here" / "split.hb.json").unlink()
    outcome = typed("examples", "here")
    assert outcome.code == 2
    assert "key='FOLDER', rule='one without financing.hb.json: nothing is written over'" in outcome.err
    assert not (folder / "here" / "split.hb.json").exists()


def test_a_host_that_is_not_this_machine_s_needs_a_port(typed, folder):
    row = 'name = "core"\nlegal_name = "C"\nlegal_id = "LEI:1"\nroles = ["sequencer", "validator"]\n'
    for host in ("203.0.113.7", "no such host", "x" * 70):
        (folder / "plan.toml").write_text(f'[[members]]\n{row}endpoint = "{host}:0"\n')
        outcome = typed("consortium", "init", "--members", "plan.toml", "--out", "new")
        assert outcome.code == 2
        assert "key='members.core.endpoint'" in outcome.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "more", [("--help",), ("receivable.hb.json", "--trust", "trust.json")], ids=["help", "verdict"]
)
def test_an_answer_that_cannot_be_written_is_no_verdict(folder, more):
    command = [sys.executable, "-m", "hybrid_bridge", "verify", *more]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == "nothing more can be written (No space left on device): no verdict. Exit code 4.\n"


def test_a_reader_who_left_gets_no_words_and_no_refutation(folder):
    command = [sys.executable, "-m", "hybrid_bridge", "verify", "receivable.hb.json", "--trust", "trust.json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 4


def test_a_demo_whose_chain_does_not_answer_has_started_nothing(typed, folder):
    outcome = typed("demo", "--rpc", "http://127.0.0.1:1")
    assert outcome.code == 3
    assert "Unreachable(endpoint='public chain', call='web3_clientVersion')" in outcome.err
    assert "every process was ended" not in outcome.err
    assert [path.name for path in (folder / "demo-out").iterdir()] == [".hybrid-bridge-demo"]


def test_a_demo_in_a_locale_that_cannot_read_its_path_ends_before_it_begins(folder):
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "hybrid_bridge", "demo", "--out", "é".encode()]
    done = subprocess.run(
        command, cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"SettingsMalformed(key='--out', rule='a path that this locale can read: set LC_ALL=C.UTF-8')" in done.stderr
    assert not (folder / "é").exists()
