"""The owner's commands against real nodes: key, draft, authorise, submit, status, records, show, bundle."""

import json
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.cli.main import main
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.note import TYPE_ED25519, VerifierKey
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import Expired, RuleRejected
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import TreeSize, UnixSeconds
from tests.e2e.network import NAMES, Network, confirm, found_network, free_endpoint, plan, register, running, until
from tests.tile_reader import leaves_under, root_under


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Five members with post-quantum keys; the supplier asks a witness that runs later, core follows erasures."""
    root = tmp_path_factory.mktemp("commands") / "out"
    network = found_network(root, replace(plan(), post_quantum=True))
    policy = witness_policy(root)
    (network.folder("supplier") / "witnesses.policy").write_text(policy)
    shown = f'metrics = "{METRICS}"\npublic = {{ rpc = "http://{free_endpoint()}" }}'  # a public chain that is away
    for name, line in (
        ("supplier", 'witnesses = "witnesses.policy"'),
        ("core", 'erasure_notices = "follow"'),
        ("bank-a", shown),
    ):
        settings = network.folder(name) / "node.toml"
        settings.write_text(f"{line}\n{settings.read_text()}")
    yield from running(network)


WITNESS = "w.example"
METRICS = free_endpoint()


def witness_policy(root: Path) -> str:
    """A witness that is founded and does not run yet; where it will be, and its key, as tlog-policy text."""
    (vkey, _) = run("witness", "init", "--dir", str(root / "w"), "--name", WITNESS).split()
    return f"witness outside {vkey} http://{free_endpoint()}\nquorum outside\n"


def run(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hybrid_bridge", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def answer(*arguments: str) -> dict[str, Json]:
    found = json.loads(run(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def test_a_record_goes_from_a_file_of_fields_to_a_bundle(network: Network, tmp_path: Path) -> None:
    supplier, core = str(network.folder("supplier")), str(network.folder("core"))
    object_id = secrets.token_hex(16)
    fields: dict[str, Json] = {
        "object": object_id,
        "debtor": answer("member", "key", "--dir", core, "identity")["key"],
        "ccy": "CNY",
        "gross": "100",
        "creditor_key": answer("member", "key", "--dir", supplier, f"creditor/{object_id}")["key"],
        "seller": "A seller",
        "event_time": int(time.time()),
    }
    written, draft = tmp_path / "fields.json", tmp_path / "draft.json"
    written.write_text(json.dumps(fields))
    run(
        *("member", "draft", "--dir", supplier, "asset.register/1", str(written)),
        *("--authoriser", f"creditor/{object_id}", "--audience", "core", "--out", str(draft)),
    )
    assert draft.stat().st_mode & 0o077 == 0
    sent = answer("member", "submit", "--dir", supplier, str(draft))
    leaf, transaction = str(sent["entry_leaf"]), str(sent["transaction"])
    until("it stands", lambda: network.status("supplier").height >= int(str(sent["height"])))
    found = answer("member", "status", "--dir", supplier, transaction)
    assert found["code"] == 0
    rows = json.loads(run("member", "records", "--dir", supplier, "--json"))
    assert [row["entry_leaf"] for row in rows] == [leaf]
    assert "A seller" not in run("member", "records", "--dir", supplier)
    assert json.loads(run("member", "show", "--dir", supplier, leaf))["entry"]
    network.await_status("supplier", "public", lambda status: status.quorum_size > int(str(found["epoch"])) + 1)
    bundle = tmp_path / "one.hb.json"
    run("member", "bundle", "--dir", supplier, "--record", leaf, "--field", "gross", "--out", str(bundle))
    (entry,) = (entry for epoch in decode_bundle(bundle.read_bytes()).epochs for entry in epoch.entries)
    assert len(entry.disclosures) == 3
    exported_and_accepted(network, bundle, leaf)


def exported_and_accepted(network: Network, bundle: Path, leaf: str) -> None:
    """The supplier asks core's node for the log's receipt, adds its own word, and every export verifies."""
    public, folder = network.folder("supplier"), bundle.parent
    genesis = (public / "genesis.bin").read_bytes()
    authority = load_pem_x509_certificate((public / "ca.pem").read_bytes()).public_bytes(Encoding.DER)
    log = TrustedLog(log_id=Genesis.decode(genesis).log_id, genesis=genesis)
    (folder / "trust.json").write_bytes(Trust(logs=(log,), member_roots=(authority,)).encode())
    for_export = ("--receipt", "--presentable", "--field", "gross", "--record", leaf, "--out", str(bundle))
    run("member", "bundle", "--dir", str(public), *for_export)
    for name in ("tlog-proof", "cose-receipt", "sd-jwt"):
        out = str(folder / name)
        run("export", str(bundle), "--format", name, "--out", out)
        subject = ("--subject", str(bundle)) if name == "cose-receipt" else ()
        assert "VERIFIED" in run("verify", out, "--trust", str(folder / "trust.json"), *subject)


def test_an_erased_record_is_gone_from_a_running_node(network: Network, tmp_path: Path) -> None:
    supplier, object_id, name = str(network.folder("supplier")), secrets.token_hex(16), "A name to be forgotten"
    fields: dict[str, Json] = {
        "object": object_id,
        "debtor": answer("member", "key", "--dir", str(network.folder("core")), "identity")["key"],
        "ccy": "CNY",
        "gross": "100",
        "creditor_key": answer("member", "key", "--dir", supplier, f"creditor/{object_id}")["key"],
        "seller": name,
        "event_time": int(time.time()),
    }
    written, draft = tmp_path / "fields.json", tmp_path / "draft.json"
    written.write_text(json.dumps(fields))
    creditor = ("--authoriser", f"creditor/{object_id}", "--audience", "core")
    run("member", "draft", "--dir", supplier, "asset.register/1", str(written), *creditor, "--out", str(draft))
    sent = answer("member", "submit", "--dir", supplier, str(draft))
    leaf, chosen = str(sent["entry_leaf"]), ("erase", "--dir", supplier, "--match", f"seller={name}")
    until("it stands", lambda: network.status("supplier").height >= int(str(sent["height"])))
    other = register(network, secrets.token_hex(16))
    network.await_status("supplier", "delivered", lambda status: status.undelivered == 0)
    salted = {
        part["value"][:64].encode()
        for part in json.loads(run("member", "show", "--dir", supplier, leaf))["disclosures"]
    }
    records = [path for path in network.folder("supplier").iterdir() if path.name.startswith("records.db")]
    assert any(text in path.read_bytes() for path in records for text in salted)
    assert "--yes" in run(*chosen, code=3)
    found = answer(*chosen, "--draft", str(draft), "--reason", "gdpr.art17", "--yes")
    assert [row["entry_leaf"] for row in found["records"]] == [leaf]
    assert not draft.exists()
    assert not any(text in path.read_bytes() for path in records if path.exists() for text in salted)
    assert "Erased" in run("member", "show", "--dir", supplier, leaf, code=2)
    assert "Erased" in run(
        "member", "bundle", "--dir", supplier, "--record", leaf, "--out", str(tmp_path / "x"), code=2
    )
    rows = json.loads(run("member", "records", "--dir", supplier, "--json"))
    assert [row["standing"] for row in rows if row["entry_leaf"] == leaf] == ["erased"]
    again = answer("erase", "--dir", supplier, "--leaf", leaf, "--yes")
    assert [row["erased_at"] for row in again["records"]] == [row["erased_at"] for row in found["records"]]
    core, regulator = network.desk("core"), network.desk("regulator")
    until("core has followed", lambda: standing(core, leaf) == "erased")
    meant = pb.EraseRequest(entry_leaves=[bytes.fromhex(leaf)])
    for name in ("supplier", "regulator"):
        until("core has said so", lambda name=name: "core" in network.desk(name).erase(meant)[0].acknowledged)
    assert standing(regulator, leaf) == "accepted"  # it keeps what it was sent: its own policy
    shown = answer("erase", "--dir", str(network.folder("regulator")), "--noticed", "--yes")
    assert [row["acknowledged"] for row in shown["records"]] == [["core", "supplier"]]
    assert standing(regulator, leaf) == "erased"
    assert_proven(network, other.entry_leaf)


def standing(desk: GrpcDesk, leaf: str) -> str:
    return next(row.standing for row in desk.records() if row.entry_leaf.hex() == leaf)


def assert_proven(network: Network, leaf: bytes) -> None:
    """A record that nobody erased is proven as before."""
    chosen = [pb.Disclosed(entry_leaf=leaf, names=["seller"])]
    request = pb.BundleRequest(purpose="record", entry_leaves=[leaf], disclosed=chosen)
    made = until("a bundle", lambda: network.desk("core").bundle(request))
    trust = Trust(logs=(TrustedLog(log_id=network.directory.log_id),), require=("integrity", "quorum"))
    assert len(verify(made, trust, UnixSeconds(2**33)).records) == 1


def test_a_consent_travels_as_a_file(network: Network, tmp_path: Path) -> None:
    supplier, bank = str(network.folder("supplier")), str(network.folder("bank-a"))
    object_id = secrets.token_hex(16)
    creditor = str(answer("member", "key", "--dir", bank, f"creditor/{object_id}")["key"])
    fields: dict[str, Json] = {
        "object": object_id,
        "debtor": answer("member", "key", "--dir", str(network.folder("core")), "identity")["key"],
        "ccy": "CNY",
        "gross": "100",
        "creditor_key": creditor,
        "event_time": int(time.time()),
    }
    written, draft, consent = tmp_path / "fields.json", tmp_path / "draft.json", tmp_path / "consent.json"
    written.write_text(json.dumps(fields))
    run(
        *("member", "draft", "--dir", supplier, "asset.register/1", str(written)),
        *("--authoriser", f"key:{creditor}", "--audience", "bank-a", "--out", str(draft)),
    )
    assert "undecided" in run("member", "submit", "--dir", supplier, str(draft), code=3)
    run("member", "authorise", "--dir", bank, str(draft), "--with", f"creditor/{object_id}", "--out", str(consent))
    sent = answer("member", "submit", "--dir", supplier, str(draft), "--consent", str(consent))
    assert sent["code"] == 0


def here(*arguments: str) -> tuple[int, str]:
    """A command in this process: what must be done within an epoch cannot wait for interpreters to start."""
    done = CliRunner().invoke(main, arguments, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return int(done.return_value or 0), done.stdout


def test_a_quorum_stops_one_record_type_and_the_others_go_on(network: Network, tmp_path: Path) -> None:
    """Pulled by three members' consents, refused, ended by itself, and told by a bundle for ever."""
    folders = {name: str(network.folder(name)) for name in NAMES}
    asset, scope = register(network, secrets.token_hex(16)), "TYPE:0x0101"
    pull = ("brake", "on", "--dir", folders["supplier"], "--scope", "type:asset.register", "--reason", "SOFTWARE_FAULT")

    def pulled(epochs: int) -> bool:
        """Whether it was in time: on a loaded machine the epochs may have gone by before it stood."""
        draft = tmp_path / secrets.token_hex(4)
        code, told = here(*pull, "--why", "TEST", "--epochs", str(epochs), "--out", str(draft), "--json")
        assert (code, json.loads(told)["authorisers"]) == (3, ["supplier", "core", "bank-a"])
        consents = []
        for name in ("core", "bank-a"):
            consents += ["--consent", str(draft.with_suffix(f".{name}"))]
            here("member", "authorise", "--dir", folders[name], str(draft), "--with", "identity", "--out", consents[-1])
        try:
            submit = ("member", "submit", "--dir", folders["supplier"], str(draft), *consents)
            until("it stands, or does not", lambda: here(*submit))
        except (RuleRejected, Expired):
            return False
        return True

    def standing() -> set[tuple[str, str]]:
        rows = json.loads(here("brake", "status", "--dir", folders["supplier"], "--json")[1])["brakes"]
        return {(row["scope"], row["by"]) for row in rows}

    def refused() -> RuleRejected | None:
        """By a brake that is on: a loaded machine may see its end first, and then it is pulled again."""
        if pulled(24):
            try:
                register(network, secrets.token_hex(16))
            except RuleRejected as refusal:
                return refusal
        return None

    refusal = until("a refusal", refused)
    assert (refusal.rule, refusal.subject) == ("brake", scope)
    leaf = confirm(network, asset).entry_leaf
    assert standing() <= {(scope, "quorum")}
    pulled(2)
    until("its own end", lambda: not standing())
    register(network, secrets.token_hex(16))
    last = network.status("core").epoch
    network.await_status("core", "the end in a checkpoint", lambda status: status.quorum_size > last + 1)
    bundle = tmp_path / "braked.hb.json"
    run("member", "bundle", "--dir", folders["core"], "--record", leaf.hex(), "--field", "gross", "--out", str(bundle))
    trust = Trust(logs=(TrustedLog(log_id=network.directory.log_id),), require=("integrity", "quorum"))
    brakes = verify(bundle.read_bytes(), trust, UnixSeconds(2**33)).brakes
    told = {(fact.what, fact.scope, fact.by, fact.reason_code) for fact in brakes}
    assert told == {("brake", scope, "quorum", "SOFTWARE_FAULT")}
    assert all(fact.until for fact in brakes)


def list_of(found: dict[str, Json], name: str) -> list[dict[str, Json]]:
    rows = found[name]
    assert isinstance(rows, list)
    return [row for row in rows if isinstance(row, dict)]


def test_the_regulator_alone_freezes_one_object_and_lifts_it(network: Network) -> None:
    asset, regulator = register(network, secrets.token_hex(16)), str(network.folder("regulator"))
    chosen = ("--dir", regulator, "--object", asset.object_id)
    until("the asset here", lambda: network.status("regulator").height >= asset.sent.height)
    ordered = answer("freeze", "order", *chosen, "--reason", "INVESTIGATION", "--authority", "TEST authority")
    assert ordered["sent"] is True

    def frozen() -> list[dict[str, Json]]:
        return list_of(answer("freeze", "status", *chosen), "freezes")

    until("it is here", lambda: [row["order"] for row in frozen()] == [ordered["order"]])
    with pytest.raises(RuleRejected) as refused:
        confirm(network, asset)
    assert refused.value.rule == "I8"
    lift = ("freeze", "lift", *chosen, "--order", str(ordered["order"]), "--reason", "SETTLED")
    assert answer(*lift)["sent"] is True
    until("it is lifted", lambda: not frozen())
    others = ("freeze", "order", "--dir", str(network.folder("supplier")), "--object", asset.object_id)
    assert "holds no power" in run(*others, "--reason", "OTHER", code=2)
    assert "authority" in run(*others, "--reason", "OTHER", "--by", "supplier", code=2)


def test_the_status_of_a_node_is_told_to_its_owner(network: Network) -> None:
    found = answer("node", "status", "--dir", str(network.folder("regulator")))
    assert found["name"] == "regulator"
    assert found["halted"] == ""


def test_a_validator_shows_its_guard_on_loopback_and_signs_while_its_public_chain_is_away(network: Network) -> None:
    def signed() -> bool:
        host, _, port = METRICS.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            said = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        found = re.search(r"^hybrid_validator_guard_signed_total\{.*\} (\S+)$", said, re.MULTILINE)
        assert found is not None
        assert re.search(r"^hybrid_validator_halted\{.*\} 0\.0$", said, re.MULTILINE)
        return float(found[1]) > 0

    until("a signature by bank-a", signed)


def test_a_regulator_sees_whose_copy_is_missing_and_a_member_who_read_its_entry(network: Network) -> None:
    """The regulator is away when a record is made, its submitter when the regulator is back: both are restarted."""
    folders = {name: str(network.folder(name)) for name in ("supplier", "bank-a", "regulator")}
    network.stop("regulator")
    asset = register(network, secrets.token_hex(16))
    leaf = asset.entry_leaf.hex()
    network.await_status("bank-a", "has it", lambda status: status.height >= asset.sent.height)
    network.stop("supplier")
    network.start("regulator")
    network.await_status("regulator", "is back", lambda status: status.height >= asset.sent.height)
    (missing,) = json.loads(run("member", "missing", "--dir", folders["regulator"], "--json"))
    assert (missing["entry_leaf"], missing["submitter"]) == (leaf, "supplier")
    assert leaf in run("member", "missing", "--dir", folders["regulator"])
    network.start("supplier")
    until("the copy", lambda: run("member", "missing", "--dir", folders["regulator"], "--json").strip() == "[]")
    run("member", "show", "--dir", folders["regulator"], leaf)
    seen = answer("member", "readings", "--dir", folders["supplier"])
    rows = seen["readings"]
    assert isinstance(rows, list)
    assert [row for row in rows if isinstance(row, dict) and row["entry_leaf"] == leaf] == [rows[-1]]
    assert isinstance(rows[-1], dict)
    assert (rows[-1]["regulator"], rows[-1]["reader"], rows[-1]["what"]) == ("regulator", "owner:regulator", "record")
    others = answer("member", "readings", "--dir", folders["bank-a"])
    assert (others["heads"], others["readings"]) == (seen["heads"], [])
    assert leaf in run("member", "readings", "--dir", folders["supplier"])
    assert "no regulator" in run("member", "missing", "--dir", folders["bank-a"], code=2)


def test_bad_input_ends_with_two_and_says_what_to_mend(network: Network, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[1")
    supplier = str(network.folder("supplier"))
    told = run("member", "draft", "--dir", supplier, "asset.register/1", str(bad), "--out", str(tmp_path / "x"), code=2)
    assert "bad.json" in told
    assert "64 hex digits" in run("member", "status", "--dir", supplier, "zz", code=2)
    assert "node.toml" in run("node", "status", "--dir", str(tmp_path), code=2)
    plan = tmp_path / "plan.toml"
    plan.write_text('colour = "blue"\n')
    told = run("consortium", "init", "--out", str(tmp_path / "new"), "--members", str(plan), code=2)
    assert "colour" in told


@contextmanager
def witness(folder: Path, log: str, port: int = 0) -> Iterator[str]:
    """A witness of this log in a process of its own; its URL."""
    command = ["witness", "run", "--dir", str(folder), "--log", log, "--port", str(port)]
    process = subprocess.Popen([sys.executable, "-m", "hybrid_bridge", *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        code = process.wait(30)
        process.stdout.close()
    assert code == 0


def test_members_and_a_configured_witness_cosign_and_the_bundle_has_their_lines(
    network: Network, tmp_path: Path
) -> None:
    folder, made, directory = network.folder("supplier"), tmp_path / "cosigned.hb.json", network.directory
    policy, origin = (folder / "witnesses.policy").read_text(), directory.origin
    log = VerifierKey(origin, TYPE_ED25519, directory.log_key).text()
    wanted, seen = {WITNESS, *(f"{origin}/m/{name}" for name in NAMES)}, {}

    def all_seen() -> bool:
        """A member that is behind cosigns its newest note alone: so not every note has every line."""
        note = parse_note(network.relayed("supplier").checkpoint(TreeSize(0)).note)
        for size in range(max(note.size - 3, 2), note.size + 1):
            lines = parse_note(network.relayed("supplier").checkpoint(TreeSize(size)).note).lines
            seen.update({line.name: size for line in lines if line.name in wanted})
        return seen.keys() == wanted

    with witness(network.root / "w", log, int(policy.split()[3].rpartition(":")[2])):
        until("lines of all", all_seen, 120)
    size = str(seen[WITNESS])
    run("member", "bundle", "--dir", str(folder), "--cosignatures", "--size", size, "--out", str(made))
    assert {len(part.mldsa_key or b"") for part in decode_bundle(made.read_bytes()).genesis.validators} == {1312}
    trust = Trust(
        logs=(TrustedLog(log_id=directory.log_id),), tlog_policy=policy, require=("integrity", "quorum", "witnesses")
    )
    evidence = verify(made.read_bytes(), trust, UnixSeconds(2**33))
    assert evidence.complete
    assert evidence.verdict("witnesses").detail.startswith(f"policy met by size {size}: outside at ")


def test_the_log_becomes_tiles_and_a_witness_is_led_from_what_it_has_seen(network: Network, tmp_path: Path) -> None:
    supplier, tiles = str(network.folder("supplier")), tmp_path / "tiles"
    network.await_status("supplier", "quorum", lambda status: status.quorum_size > 1)
    run("tiles", "build", str(tiles), "--member", supplier)
    note = parse_note((tiles / "checkpoint").read_bytes())
    assert root_under(lambda path: (tiles / path).read_bytes(), note.size) == note.root
    assert len(leaves_under(lambda path: (tiles / path).read_bytes(), note.size)) == note.size
    log = VerifierKey(note.origin, TYPE_ED25519, read_directory(network.folder("supplier")).log_key).text()
    vkey = run("witness", "init", "--dir", str(tmp_path / "w"), "--name", "w.example").split()[0]
    with witness(tmp_path / "w", log) as url:
        bundle, sizes = tmp_path / "b.hb.json", []
        for _ in range(2):
            size = network.status("supplier").quorum_size
            network.await_status("supplier", "more", lambda status, size=size: status.quorum_size > size)
            run("member", "bundle", "--dir", supplier, "--out", str(bundle))
            run("witness", "ask", str(bundle), "--url", url, "--vkey", vkey, "--member", supplier)
            sizes.append(parse_note(decode_bundle(bundle.read_bytes()).checkpoints[-1].note).size)
    assert sizes[0] < sizes[1]
