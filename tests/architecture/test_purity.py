"""The verifier reaches no network, no store, no clock: importing it with those packages blocked must work."""

import subprocess
import sys

import pytest

OUTSIDE = (
    "web3", "eth_account", "grpc", "sqlmodel", "sqlalchemy", "pydantic", "apscheduler", "requests", "aiohttp", "rlp",
    "eth_utils", "eth_tester", "trie", "rich",
)  # fmt: skip
PURE = ("hybrid_bridge", "hybrid_bridge.steps.verify", "hybrid_bridge.steps.commit", "hybrid_bridge.steps.batch",
        "hybrid_bridge.steps.attest", "hybrid_bridge.steps.submit", "hybrid_bridge.core.bundle", "relayers.plan",
        "relayers.fees", "relayers.turns")  # fmt: skip

BLOCKED = """
import sys, importlib
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {outside!r}:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Refuse())
importlib.import_module({module!r})
"""


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_import_with_every_outside_package_blocked(module: str) -> None:
    code = BLOCKED.format(outside=set(OUTSIDE), module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{module} reaches an outside package:\n{done.stderr[-1500:]}"


def test_a_key_in_a_file_needs_no_clouds_sdk_and_no_driver() -> None:
    """The extras are extras: node, relayer and custody import, and read their places, without any of them."""
    code = BLOCKED.format(outside={"boto3", "botocore", "azure", "msal", "pkcs11"}, module="relayers.wiring") + (
        "import hybrid_bridge.node.running, hybrid_bridge.custody.signers\n"
        "from pathlib import Path\n"
        "from hybrid_bridge.custody.places import parse_place\n"
        "parse_place('keystore:a?password=fd:3', Path(), 'k')\n"
        "assert not {n for n in sys.modules if n.startswith(('google.auth', 'google.cloud', 'google.api_core'))}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_verify_help_pays_for_no_outside_package() -> None:
    code = (
        "import sys; sys.argv = ['hybrid-bridge', 'verify', '--help']\n"
        "from hybrid_bridge.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit as end:\n    assert end.code in (0, None), end.code\n"
        f"loaded = sorted(set({OUTSIDE!r}) & set(sys.modules)); assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    assert "Exit code 0" in done.stdout
