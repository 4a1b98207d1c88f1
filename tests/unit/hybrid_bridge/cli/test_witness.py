"""`hybrid-bridge witness` as a user types it: make one, ask it, verify by a policy."""

import json
import subprocess
import sys

import pytest

from hybrid_bridge.core.note import TYPE_ED25519, VerifierKey
from tests.bundles import consortium


@pytest.fixture
def witness(typed, folder):
    """A witness in a process of its own: its URL and verifier keys."""
    made = typed("witness", "init", "--dir", "w", "--name", "w.example/1")
    assert (made.code, made.err) == (0, "")
    log = VerifierKey(consortium().origin, TYPE_ED25519, consortium().genesis.log_key).text()
    command = [sys.executable, "-m", "hybrid_bridge", "witness", "run", "--dir", "w", "--log", log]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["vkeys"] == made.out.split()
    yield ready
    process.terminate()
    assert process.wait(30) == 0
    process.stdout.close()


def keys(witness):
    return [part for vkey in witness["vkeys"] for part in ("--vkey", vkey)]


def test_a_bundle_is_cosigned_and_verifies_by_a_policy(typed, folder, witness):
    lines = "".join(f"witness {name} {vkey}\n" for name, vkey in zip("ab", witness["vkeys"], strict=True))
    trust = consortium().trust(tlog_policy=f"{lines}group both all a b\nquorum both\n")
    (folder / "policy.json").write_bytes(trust.encode())
    assert typed("verify", "receivable.hb.json", "--trust", "policy.json").code == 3
    for _ in range(2):  # asked again, the lines are made anew and stand once
        done = typed("witness", "ask", "receivable.hb.json", "--url", witness["url"], *keys(witness))
        assert (done.err, done.out) == ("", "receivable.hb.json: cosigned by w.example/1\n")
    done = typed("verify", "receivable.hb.json", "--trust", "policy.json", "--json")
    assert done.code == 0
    found = {verdict["name"]: verdict for verdict in done.json()["verdicts"]}["witnesses"]
    assert found["detail"].startswith("policy met by size 4: a at ")
    done = typed("witness", "ask", "history.hb.json", "--url", witness["url"], *keys(witness))
    assert (done.code, done.out) == (0, "history.hb.json: cosigned by w.example/1\n")  # from size 4, which it has seen
    done = typed("witness", "ask", "receivable.hb.json", "--url", witness["url"], *keys(witness))
    assert done.code == 3
    assert "a checkpoint as new as that of size 6" in done.err
    done = typed("witness", "ask", "document.hb.json", "--url", witness["url"], *keys(witness))
    assert done.code == 0  # the very checkpoint it has seen


def test_a_path_that_the_bundle_does_not_have_is_missing(typed, folder, witness):
    assert typed("witness", "ask", "receivable.hb.json", "--url", witness["url"], *keys(witness)).err == ""
    done = typed("witness", "ask", "document.hb.json", "--url", witness["url"], *keys(witness))
    assert done.code == 3
    assert "the path from size 4 to 6" in done.err


def test_a_key_file_that_others_may_read_or_that_is_none_is_refused(typed, folder):
    typed("witness", "init", "--dir", "w", "--name", "w.example/1")
    run = ("witness", "run", "--dir", "w", "--log", VerifierKey("o", TYPE_ED25519, bytes(31) + b"\x05").text())
    (folder / "w" / "witness.key").chmod(0o644)
    assert typed(*run).code == 4
    (folder / "w" / "witness.key").chmod(0o600)
    (folder / "w" / "witness.key").write_text("{}")
    assert typed(*run).code == 4
    assert typed("witness", "init", "--dir", "x", "--name", "a name").code == 2
