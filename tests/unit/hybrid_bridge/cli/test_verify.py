"""`hybrid-bridge verify`: exit codes, JSON, standard input, endpoints."""

import io
import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from eth_utils import keccak

from hybrid_bridge.adapters.evm import sight as sights
from hybrid_bridge.core.anchor import decode_header
from hybrid_bridge.core.bundle import MAX_BUNDLE
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.ports import Head
from hybrid_bridge.steps.verify import PublicSight, verify
from tests.bundles import CHAIN, CONTRACT, NOW, consortium, edit, flip

TRUSTED = ("--trust", "trust.json")


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW + 0.7)


def forged(folder, path="epochs.0.entries.0.entry", change=flip):
    (folder / "forged.hb.json").write_bytes(edit(consortium().receivable(), path, change).encode())


# ── exit codes ──


@pytest.mark.parametrize("name", ["receivable", "split", "financing", "unregistered", "history", "document"])
def test_verified_is_0(typed, name):
    outcome = typed("verify", f"{name}.hb.json", *TRUSTED)
    assert outcome.code == 0
    assert outcome.out.startswith("VERIFIED\n")
    assert outcome.err == ""


def test_refuted_is_1_and_says_at_which_check_and_who_must_act(typed, folder):
    forged(folder)
    outcome = typed("verify", "forged.hb.json", *TRUSTED)
    assert (outcome.code, outcome.out) == (1, "")
    lines = outcome.err.splitlines()
    assert lines[0].startswith("REFUTED: RootMismatch(expected=")
    assert "  failed at check 6: hash paths" in lines
    assert "  passed before it: 1 shape, 2 format, 3 structs, 4 arithmetic, 5 identity" in lines
    assert lines[-1] == "  → keep the file: it is evidence"


def test_malformed_is_2(typed, folder):
    (folder / "x.hb.json").write_bytes(b"{}")
    outcome = typed("verify", "x.hb.json", *TRUSTED)
    assert outcome.code == 2
    assert outcome.err.startswith("malformed: FieldMalformed(field='bundle.")
    assert "failed at check 1: shape" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("absent.hb.json",),
        ("receivable.hb.json", "--colour"),
        ("receivable.hb.json", "--trust", "absent.json"),
        (".",),
    ],
    ids=str,
)
def test_wrong_usage_is_2(typed, arguments):
    outcome = typed("verify", *arguments)
    assert outcome.code == 2
    assert "Error: " in outcome.err


@pytest.mark.parametrize("value", ["", "zz", "0x", "00" * 31, "00" * 33])
def test_a_log_id_has_64_hex_digits(typed, value):
    outcome = typed("verify", "receivable.hb.json", "--log", value)
    assert outcome.code == 2
    assert "32 bytes in hex" in outcome.err


def test_incomplete_is_3_and_names_what_is_missing(typed):
    outcome = typed("verify", "receivable.hb.json")
    assert outcome.code == 3
    assert outcome.out.startswith("INCOMPLETE: something that you require could not be verified\n")
    log = consortium().genesis.log_id.hex()
    assert f"  integrity, quorum: trust in log {log} (trust file or --log)\n" in outcome.out


def test_a_critical_extension_that_is_unknown_is_3(typed, folder):
    bundle = edit(edit(consortium().receivable(), "extensions", lambda _: {"x": 1}), "critical", lambda _: ("x",))
    (folder / "critical.hb.json").write_bytes(bundle.encode())
    outcome = typed("verify", "critical.hb.json", *TRUSTED)
    assert outcome.code == 3
    assert outcome.err.startswith("undecided: Missing(")


def test_a_fault_of_the_program_is_4_and_no_verdict(typed, monkeypatch):
    monkeypatch.setattr("hybrid_bridge.cli.verify.verify", lambda *_: 1 / 0)
    outcome = typed("verify", "receivable.hb.json", *TRUSTED)
    assert outcome.code == 4
    assert "ZeroDivisionError" in outcome.err
    assert outcome.err.endswith("This is a fault of the program, not a verdict. Exit code 4.\n")


# ── what the verifier trusts ──


def test_a_log_may_be_trusted_without_a_file(typed):
    log = consortium().genesis.log_id.hex()
    for text in (log, "0x" + log):
        outcome = typed("verify", "receivable.hb.json", "--log", text, "--json")
        evidence = outcome.json()
        assert outcome.code == 3  # the public anchor is missing still
        assert [v["result"] for v in evidence["verdicts"][:2]] == ["verified", "verified"]
        assert [what.split(":")[0] for what in evidence["missing"]] == ["public anchor"]


def test_offline_a_contract_is_relied_on_and_what_is_missing_is_its_public_block(typed):
    log = consortium().genesis.log_id.hex()
    for arguments in (("--contract", CONTRACT.hex()), ("--contract", "0x" + CONTRACT.hex())):
        evidence = typed("verify", "receivable.hb.json", "--log", log, *arguments, "--json").json()
        (missing,) = evidence["missing"]
        assert missing.startswith(f"public anchor: that public block 401 of chain {CHAIN} has the hash 0x")
        assert missing.endswith("(trust file or --rpc)")


def test_offline_a_bundle_is_judged_once_and_broken_bytes_by_the_same_course(typed, folder, monkeypatch):
    judged = []
    monkeypatch.setattr("hybrid_bridge.cli.verify.verify", lambda *given: judged.append(given) or verify(*given))
    log = consortium().genesis.log_id.hex()
    typed("verify", "receivable.hb.json", "--log", log, "--contract", CONTRACT.hex())
    assert len(judged) == 1
    (folder / "broken.hb.json").write_bytes(b"{}")
    outcome = typed("verify", "broken.hb.json", "--log", log, "--contract", CONTRACT.hex())
    assert (outcome.code, "failed at check 1: shape" in outcome.err) == (2, True)


def test_offline_another_contract_than_the_bundle_s_leaves_the_anchor_open(typed):
    log = consortium().genesis.log_id.hex()
    evidence = typed("verify", "receivable.hb.json", "--log", log, "--contract", "22" * 20, "--json").json()
    assert f"trust in contract 0x{CONTRACT.hex()}" in evidence["missing"][0]


def test_offline_a_contract_and_hashes_of_the_trust_file_make_the_anchor(typed, folder):
    chain = replace(consortium().trust().public_chains[0], contracts=())
    (folder / "bare.json").write_bytes(replace(consortium().trust(), public_chains=(chain,)).encode())
    assert typed("verify", "receivable.hb.json", "--trust", "bare.json").code == 3
    assert typed("verify", "receivable.hb.json", "--trust", "bare.json", "--contract", CONTRACT.hex()).code == 0


@pytest.mark.parametrize("value", ["", "zz", "0x", "00" * 19, "00" * 21, "0x" + "é" * 20])
@pytest.mark.parametrize("more", [(), TRUSTED])
def test_a_contract_has_40_hex_digits_offline_too(typed, value, more):
    outcome = typed("verify", "receivable.hb.json", *more, "--contract", value)
    assert (outcome.code, outcome.out) == (2, "")
    assert "FieldMalformed(field='--contract', rule='20 bytes in hex')" in outcome.err


def test_a_trust_file_that_is_none_is_2(typed, folder):
    (folder / "trust.json").write_text('{"logs": []}')
    assert typed("verify", "receivable.hb.json", *TRUSTED).code == 2


# ── machines ──


def test_json_has_all_of_the_evidence(typed):
    outcome = typed("verify", "financing.hb.json", *TRUSTED, "--json")
    evidence = outcome.json()
    assert outcome.code == 0
    assert evidence["complete"] is True
    assert evidence["log_id"] == b64u(consortium().genesis.log_id)
    assert evidence["registry"][-1]["statement"] == "state FINANCED after event 3"
    assert outcome.out.isascii()


def test_json_of_an_error_says_class_branch_fields_and_check(typed, folder):
    forged(folder, "checkpoints.0.note", lambda _: consortium().note(4, 2))
    outcome = typed("verify", "forged.hb.json", *TRUSTED, "--json")
    error = outcome.json()
    assert outcome.code == error["exit_code"] == 1
    assert (error["error"], error["branch"]) == ("BelowQuorum", "refuted")
    assert error["fields"] == {"needed": 3, "got": 2}
    assert error["stopped_at"] == "8 quorums"
    assert error["reached"][-1] == "7 validator sets"
    assert any("failed at check 8" in note for note in error["notes"])


# ── where the bytes come from ──


def test_standard_input_is_a_dash(typed, folder, monkeypatch):
    data = (folder / "receivable.hb.json").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert typed("verify", "-", *TRUSTED).code == 0


def test_no_more_is_read_than_a_bundle_may_have(typed, folder):
    (folder / "big.hb.json").write_bytes(b" " * (MAX_BUNDLE + 5))
    outcome = typed("verify", "big.hb.json", *TRUSTED)
    assert outcome.code == 2
    assert f"TooLong(field='big.hb.json', limit={MAX_BUNDLE}, got={MAX_BUNDLE + 1})" in outcome.err


# ── endpoints ──


def test_endpoints_are_asked_about_the_last_headers_and_beacons(typed, monkeypatch):
    asked = []
    history = consortium().history()
    last = history.anchors[0].descendants[-1]

    def look_all(urls, wanted):
        asked.append((urls, wanted))
        return (
            PublicSight(
                chain_id=CHAIN,
                contract=CONTRACT,
                basis="one endpoint that calls it final",
                finalized_number=10**6,
                finalized_hashes={decode_header(h).number: keccak(h) for h in (last, consortium().beacon_header)},
                head=HEAD,
            ),
        )

    monkeypatch.setattr(sights, "look_all", look_all)
    log = consortium().genesis.log_id.hex()
    arguments = ("--log", log, "--rpc", "http://127.0.0.1:1", "--contract", "0x" + CONTRACT.hex())
    outcome = typed("verify", "history.hb.json", *arguments)
    assert outcome.code == 0
    ((urls, wanted),) = asked
    assert urls == ("http://127.0.0.1:1",)
    assert (wanted.log_id, wanted.contract) == (consortium().genesis.log_id, CONTRACT)
    assert wanted.numbers == (60, 601)
    assert typed("verify", "history.hb.json", *TRUSTED, "--rpc", "http://127.0.0.1:1").code == 0
    assert asked[1][1].contracts == {CHAIN: (CONTRACT,)}
    assert asked[1][1].thresholds == {CHAIN: 0}


HEAD = Head(
    tree_size=5, root=bytes(32), timestamp=0, anchored_at=0, set_id=1, next_from_size=0, paused_until=0, state="active"
)


@pytest.mark.parametrize("more", [TRUSTED, ("--log", consortium().genesis.log_id.hex(), "--contract", CONTRACT.hex())])
def test_what_holds_offline_is_told_when_no_endpoint_answers(typed, more):
    outcome = typed("verify", "receivable.hb.json", *more, "--rpc", "http://127.0.0.1:1")
    assert (outcome.code, outcome.err) == (3, "")
    assert outcome.out.startswith("INCOMPLETE")
    assert (
        "what --rpc was to show: an endpoint that tells the chain id; no such answer from endpoint 1\n" in outcome.out
    )
    assert "✓ integrity" in outcome.out
    evidence = typed("verify", "receivable.hb.json", *more, "--rpc", "http://127.0.0.1:1", "--json").json()
    assert evidence["complete"] is False


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "notaurl", "", "http://", "file:///etc/passwd", "http://a:b", "://"]
)
@pytest.mark.parametrize("command", [("verify", "receivable.hb.json", *TRUSTED), ("demo",)], ids=["verify", "demo"])
def test_an_endpoint_is_a_web_address(typed, folder, url, command):
    outcome = typed(*command, "--rpc", url)
    assert outcome.code == 2
    assert "rule='an http:// or https:// address'" in outcome.err


def test_nobody_is_asked_about_a_bundle_that_does_not_hold_by_itself(typed, folder, monkeypatch):
    monkeypatch.setattr(sights, "look_all", lambda *_: pytest.fail("an endpoint was asked"))
    forged(folder)
    assert typed("verify", "forged.hb.json", *TRUSTED, "--rpc", "http://127.0.0.1:1").code == 1


# ── as a process ──


def test_the_process_ends_with_the_verdict(folder):
    command = [sys.executable, "-m", "hybrid_bridge", "verify", str(folder / "receivable.hb.json"), "--json"]
    done = subprocess.run([*command, "--trust", str(folder / "trust.json")], capture_output=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["complete"] is True
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 3
    done = subprocess.run([*command[:4], "-"], input=b"[]", capture_output=True, check=False)
    assert done.returncode == 2
