"""`hybrid-bridge` itself: commands are listed without being loaded."""

import subprocess
import sys

import pytest

from hybrid_bridge.cli.main import COMMANDS
from tests.bundles import consortium, edit

OUTSIDE = {"web3", "grpc", "sqlmodel", "eth_account", "rich", "requests", "cryptography.x509"}


def test_help_lists_the_commands_and_the_exit_codes(typed):
    outcome = typed("--help")
    assert outcome.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in outcome.out
    assert "0 verified or done · 1 refuted · 2 usage, malformed or rejected" in outcome.out


def test_the_version_is_the_packages(typed):
    assert typed("--version").out.startswith("hybrid-bridge, version ")


def test_an_unknown_command_is_wrong_usage(typed):
    outcome = typed("luck")
    assert outcome.code == 2
    assert "No such command 'luck'" in outcome.err


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["verify", "{}/receivable.hb.json"]], ids=str)
def test_help_and_verify_load_no_outside_package(folder, arguments):
    """The receivable's certificates are taken out: X.509 is loaded only when one is shown."""
    bare = edit(consortium().receivable(), "certificates", lambda _: ())
    (folder / "receivable.hb.json").write_bytes(bare.encode())
    code = (
        f"import sys; sys.argv = ['hybrid-bridge', *{[a.format(folder) for a in arguments]!r}]\n"
        "from hybrid_bridge.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit as end:\n    assert end.code in (0, 3, None), end.code\n"
        f"loaded = {OUTSIDE!r} & set(sys.modules); assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_verifying_reaches_no_code_that_builds_a_tree():
    code = (
        "import sys, hybrid_bridge.steps.verify\n"
        "built = {'hybrid_bridge.core.tree', 'hybrid_bridge.core.prefix_tree'} & set(sys.modules); assert not built, built"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_interruption_while_modules_are_imported_is_one_word():
    code = (
        "import sys, runpy\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "runpy.run_module('hybrid_bridge', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
