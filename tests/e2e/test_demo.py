"""The demo once from beginning to end, and an outside check of everything it leaves: bundles, frauds, notes, secrets."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.business.schema import claim_or_private
from hybrid_bridge.cli.demo.asking import INVOICE
from hybrid_bridge.cli.demo.cast import NODES, REGULATOR, audience_of, events, expectations, place_of
from hybrid_bridge.core.attestation import Checkpoint, boundary, verify_quorum
from hybrid_bridge.core.checkpoint import parse_note, quorum_signatures
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.testing.datasets.receivables import generate
from hybrid_bridge.units import SetId
from tests import engines
from tests.e2e.demo_run import ROOT, Demo, command, environment
from tests.e2e.outsider import Outsider, outsider

pytestmark = [pytest.mark.evm, pytest.mark.slow]

Needles = dict[bytes, set[str]]  # what is sought, and the nodes that may hold it

GOOD = {"bundles/receivable.hb.json", "bundles/split.hb.json", "bundles/financing.hb.json"}
BAD = {
    "fraud/receivable-changed-digit.hb.json": ("RootMismatch", "6 hash paths"),
    "fraud/receivable-signed-by-too-few.hb.json": ("BelowQuorum", "8 quorums"),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), ("--json",))
    try:
        assert demo.wait() == 0, demo.stdout[-3000:] + demo.stderr[-3000:]
        yield demo
    finally:
        demo.end()


@pytest.fixture(scope="module")
def report(demo: Demo) -> dict[str, Any]:
    return demo.report()


def hybrid_bridge(*arguments: str | Path, cwd: Path = ROOT) -> tuple[int, str]:
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=60, cwd=cwd, env=environment()
    )
    return done.returncode, done.stdout + done.stderr


# ── the outcome ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_report_tells_the_whole_outcome(demo: Demo, report: dict[str, Any]) -> None:
    told = json.loads((demo.out / "report.json").read_text())
    assert told == report
    assert report["format"] == "hybrid-bridge/demo-report/v1"
    accepted = [event for event in events(files()) if event["event"] not in expectations(files())]
    assert (report["transactions"], report["refused"]) == (len(accepted), 2)
    assert {row["file"] for row in report["bundles"]} == GOOD
    assert [row["error"] for row in report["frauds"]] == [
        "RootMismatch", "Rejected", "RootMismatch", "BelowQuorum", "BelowQuorum",
    ]  # fmt: skip
    for row in report["bundles"]:
        assert row["evidence"]["complete"]
        assert {v["name"]: v["result"] for v in row["evidence"]["verdicts"]}["level"] == "A1"


def test_nothing_runs_on(demo: Demo) -> None:
    demo.require_gone()


def test_all_bundles_are_where_an_outside_check_looks(demo: Demo) -> None:
    found = {str(path.relative_to(demo.out)) for path in demo.out.rglob("*.hb.json")}
    assert found == GOOD | set(BAD)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_bundle_verifies_offline_with_the_trust_file(demo: Demo, name: str) -> None:
    code, said = hybrid_bridge("verify", demo.out / name, "--trust", demo.out / "trust.json")
    assert (code, said.splitlines()[0]) == (0, "VERIFIED")
    written = (demo.out / "report.txt").read_text()
    assert [line for line in said.splitlines() if line not in written and "freshness" not in line] == []


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_fraud_is_refuted_offline_and_the_check_is_named(demo: Demo, name: str) -> None:
    code, said = hybrid_bridge("verify", demo.out / name, "--trust", demo.out / "trust.json", "--json")
    answer = json.loads(said)
    assert (code, answer["branch"], answer["error"], answer["stopped_at"]) == (1, "refuted", *BAD[name])


def test_without_trust_nothing_is_believed(demo: Demo) -> None:
    code, _ = hybrid_bridge("verify", demo.out / "bundles" / "receivable.hb.json")
    assert code == 3


def test_every_note_parses_and_a_quorum_signed_it(demo: Demo, report: dict[str, Any]) -> None:
    public = demo.out / "consortium" / "public"
    genesis = Genesis.decode((public / "genesis.bin").read_bytes())
    validators = ValidatorSet.decode_entries(SetId(1), (public / "entries.bin").read_bytes())
    notes = sorted((demo.out / "checkpoints").glob("*.txt"))
    assert [f"checkpoints/{path.name}" for path in notes] == report["checkpoints"]
    assert notes
    for path in notes:
        note = parse_note(path.read_text(), origin="demo.example/receivables")
        assert note.text() == path.read_text()
        time = boundary(genesis.genesis_time, genesis.cadence, note.size)
        signatures = quorum_signatures(note, validators, genesis.log_id, time)
        checkpoint = Checkpoint(log_id=genesis.log_id, tree_size=note.size, root=note.root, timestamp=time,
                                set_id=validators.set_id, set_hash=validators.digest)  # fmt: skip
        verify_quorum(checkpoint, validators, signatures)


def test_the_three_bundles_disclose_what_they_were_asked_and_nothing_else(report: dict[str, Any]) -> None:
    shown = {
        Path(row["file"]).name.removesuffix(".hb.json"): {
            record["schema"]: {f["name"] for f in record["fields"] if not f["name"].startswith("_")}
            for record in row["evidence"]["records"]
        }
        for row in report["bundles"]
    }
    assert shown["receivable"] == {"note.issue/1": {"note", "due_date"}}
    parts = {f"child.{k}.{name}" for k in range(3) for name in ("note", "face")}
    assert shown["split"] == {"note.issue/1": {"note", "ccy", "face"}, "note.split/1": {"note", *parts}}
    assert shown["financing"] == {
        "asset.register/1": set(INVOICE),
        "asset.confirm/1": {"object"},
        "note.issue/1": {"note", "ccy", "face", "back.0.object", "back.0.allot"},
        "fin.finance/1": {"note.0"},
    }


def test_of_the_financing_only_it_and_the_confirmation_show_their_transactions(report: dict[str, Any]) -> None:
    (evidence,) = [row["evidence"] for row in report["bundles"] if row["file"] == "bundles/financing.hb.json"]
    signed = {record["schema"] for record in evidence["records"] if record["transaction"] is not None}
    assert signed == {"asset.confirm/1", "fin.finance/1"}  # every label, and every note
    assert [fact["label"].split(" ")[0] for fact in evidence["registry"]] == [
        "e-invoice", "creditor's", "creditor's", "invoice", "life",
    ]  # fmt: skip


def test_the_journals_hold_their_promises(demo: Demo) -> None:
    for name in ("relayer-north", "relayer-south"):
        line = [command()[0], "-m", "relayers", "fsck", "--offline", "--json", "-c", f"relayers/{name}/relayer.toml"]
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=demo.out, env=environment())
        assert (done.returncode, json.loads(done.stdout)) == (0, {"findings": []})


def test_the_public_chain_comes_back_from_its_file_and_is_asked(demo: Demo, tmp_path: Path) -> None:
    state = demo.out / "public-chain" / "chain.jsonl"
    child, url = engines.start_devnet(tmp_path, "--state-file", str(state), "--period", "1")
    try:
        bundle, trust = demo.out / "bundles" / "receivable.hb.json", demo.out / "trust.json"
        code, said = hybrid_bridge("verify", bundle, "--trust", trust, "--rpc", url)
    finally:
        child.stop()
    assert (code, said.splitlines()[0]) == (0, "VERIFIED")


# ── an outsider alone ───────────────────────────────────────────────────────────────────────────────────────────────
# What follows runs where nothing but the public chain can be reached: the consortium and its relayers have ended.


@pytest.fixture(scope="module")
def alone(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    with outsider(tmp_path_factory.mktemp("outsider"), demo.out / "public-chain" / "chain.jsonl") as desk:
        yield desk


@pytest.fixture(scope="module")
def asked(demo: Demo, alone: Outsider) -> tuple[str, ...]:
    """The options that name the log and where it is anchored."""
    trust = json.loads((demo.out / "trust.json").read_text())
    [log], [chain] = trust["logs"], trust["public_chains"]
    as_hex = [base64.urlsafe_b64decode(value + "==").hex() for value in (log["log_id"], chain["contracts"][0])]
    return "--rpc", alone.url, "--log", as_hex[0], "--contract", "0x" + as_hex[1]


def test_nothing_but_the_public_chain_is_in_reach(alone: Outsider) -> None:
    assert (alone.listeners(), alone.routes()) == ([int(alone.url.rpartition(":")[2])], "")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_outsider_alone_verifies_from_a_bundle_and_a_public_chain(
    demo: Demo, alone: Outsider, asked: tuple[str, ...], name: str
) -> None:
    code, said, _ = alone.types("verify", demo.out / name, *asked, "--json")
    told = json.loads(said)
    assert (code, told["complete"]) == (0, True)
    assert {v["name"]: v["result"] for v in told["verdicts"]}["public anchor"] == "verified"


@pytest.mark.parametrize("name", sorted(BAD))
def test_an_outsider_alone_is_not_deceived(demo: Demo, alone: Outsider, asked: tuple[str, ...], name: str) -> None:
    code, said, _ = alone.types("verify", demo.out / name, *asked, "--json")
    assert (code, json.loads(said)["error"]) == (1, BAD[name][0])


def test_an_outsider_alone_lists_who_keeps_the_accounts(demo: Demo, alone: Outsider, asked: tuple[str, ...]) -> None:
    names = ("--names", demo.out / "bundles" / "receivable.hb.json", "--json")
    code, said, _ = alone.types("members", *asked, *names)
    [accounts] = json.loads(said)["sets"]
    assert (code, len(accounts["keepers"])) == (0, 4)


def test_an_outsider_alone_compares_what_two_holders_were_shown(demo: Demo, alone: Outsider) -> None:
    held = [demo.out / "bundles" / name for name in ("receivable.hb.json", "financing.hb.json")]
    assert alone.types("compare", *held)[0] == 0


def test_an_outsider_alone_watches_a_consortium_that_is_off(
    alone: Outsider, asked: tuple[str, ...], tmp_path: Path
) -> None:
    _, url, _, log, _, contract = asked
    settings = {"log": log, "rpc": [url], "contract": contract}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    (tmp_path / "watched.toml").write_text(text + '[copies]\nbank-a = "http://127.0.0.1:9"\n')
    watching = ("watch", "--consortium", tmp_path / "watched.toml", "--state", tmp_path / "state", "--once", "--json")
    code, said, _ = alone.types(*watching)
    found = {one["kind"]: one["severity"] for one in json.loads(said)["findings"]}
    assert (code, found["copy_silent"]) == (3, "late")
    assert set(found) <= {"copy_silent", "overdue"}


@pytest.mark.parametrize("form", ["pdf", "html", "md", "json"])
def test_an_outsider_alone_writes_a_report_for_a_court(
    demo: Demo, alone: Outsider, asked: tuple[str, ...], tmp_path: Path, form: str
) -> None:
    bundle, page = demo.out / "bundles" / "financing.hb.json", tmp_path / f"report.{form}"
    code, _, said = alone.types("report", bundle, *asked, "--format", form, "--lang", "zh", "--output", page)
    assert (code, page.stat().st_size > 20_000) == (0, True), said


def test_an_outsider_alone_builds_the_consortiums_public_face(
    demo: Demo, alone: Outsider, asked: tuple[str, ...], tmp_path: Path
) -> None:
    names = ("--names", demo.out / "bundles" / "receivable.hb.json")
    code, _, said = alone.types("explorer", "build", *asked, *names, "--output", tmp_path / "face")
    assert (code, sorted(path.name for path in (tmp_path / "face").iterdir())) == (
        0,
        ["explorer.json", "index.html"],
    ), said


def test_the_page_alone_asks_the_public_chain_and_nobody_else(demo: Demo, alone: Outsider, tmp_path: Path) -> None:
    trust = json.loads((demo.out / "trust.json").read_text())
    trust["public_chains"][0]["block_hashes"] = []
    (tmp_path / "trust.json").write_text(json.dumps(trust))
    bundle = demo.out / "bundles" / "financing.hb.json"
    seen = alone.opens_page(bundle, tmp_path / "trust.json", rpc=alone.url, needed="1")
    assert dict(seen["verdicts"])["public anchor"] == "verified"
    assert seen["headClass"] == "head green"
    assert {url for url in seen["asked"] if url.startswith("http")} == {alone.url + "/"}


# ── private values ───────────────────────────────────────────────────────────────────────────────────────────────────
# A private value is the value of a field that its schema keeps among the private ones, of any event of the demo. Left
# out: values shorter than 8 characters (they occur everywhere), values that a claim holds too, and what the members'
# certificates say of themselves in public. What is sought: text, hex, base64 at every offset; of a digest its bytes too.


@cache
def files() -> dict[str, bytes]:
    return dict(generate(suppliers=1, banks=2).files)


def readers_of(event: dict[str, Any]) -> set[str]:
    """The nodes that may hold its private fields: submitter, authorisers, audience, regulator."""
    places = [place_of(name).node for name in (event["submitter"], *event["authorisers"])]
    return {*places, *audience_of(files(), event), REGULATOR}


@cache
def private_values() -> dict[str, set[str]]:
    """Each private value and the nodes that may hold it."""
    found: dict[str, set[str]] = {}
    public: set[str] = set()
    for event in events(files()):
        for name, value in event["fields"].items():
            if name == "party_cert":
                continue  # of the data set's own keys; the demo leaves it out
            if claim_or_private(event["schema"], name) == "claim":
                public.add(str(value))
            else:
                found.setdefault(str(value), set()).update(readers_of(event))
    return {value: nodes for value, nodes in found.items() if len(value) >= 8 and value not in public}


def in_base64(value: bytes) -> Iterator[bytes]:
    """The characters that are the same in whatever longer text the value is encoded, at each of three offsets."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + value + bytes(3))
        inner = encoded[-(-offset * 8 // 6) : (offset + len(value)) * 8 // 6]
        yield from {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}


@pytest.fixture(scope="module")
def needles(demo: Demo) -> Needles:
    """Every spelling of every private value."""
    members = (demo.out / "consortium" / "public" / "members.json").read_text()
    found: Needles = {}
    for value, nodes in private_values().items():
        if value in members:
            continue
        spellings = [value.encode()]
        if re.fullmatch(r"[A-Za-z0-9_-]{43}", value):
            spellings.append(base64.urlsafe_b64decode(value + "="))
        for spelling in spellings:
            for needle in (spelling, spelling.hex().encode(), *in_base64(spelling)):
                found.setdefault(needle, set()).update(nodes)
    return found


def hits(needle: bytes, data: bytes) -> bool:
    """Eight decimal digits within a longer hex number are chance, not a value."""
    if not re.fullmatch(rb"[0-9a-f]+", needle):
        return needle in data
    return re.search(rb"(?<![0-9a-fA-F])" + needle + rb"(?![0-9a-fA-F])", data) is not None


def on_public_chain(demo: Demo) -> bytes:
    """Every byte that reached the public chain: the file with its blocks, and each transaction in clear."""
    text = (demo.out / "public-chain" / "chain.jsonl").read_bytes()
    blocks = [json.loads(line) for line in text.splitlines()[1:]]
    return text + b"".join(bytes.fromhex(raw[2:]) for block in blocks for raw in block["transactions"])


def in_folder(folder: Path) -> bytes:
    """Every file of a folder: databases with their write-ahead logs, journals, logs, keys, settings."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_there_are_private_values_to_look_for(needles: Needles) -> None:
    assert len(private_values()) > 60
    for value in (b"INV-2026/0001", b"26990244992876916438", b"E2E544999851460", b"APP-416682", b"PO-0001"):
        assert (value in needles) == (len(value) >= 8)
    disclosure = base64.urlsafe_b64encode(b'["salt","inv_no","INV-2026/0001"]')
    assert any(hits(needle, disclosure) for needle in needles)
    for node in ("core", "supplier", "bank-a", "bank-b"):
        assert any(node not in nodes for nodes in needles.values()), "something is secret even from this one"


def test_no_private_value_reached_the_public_chain(demo: Demo, needles: Needles) -> None:
    data = on_public_chain(demo)
    assert len(data) > 50_000
    assert [needle for needle in needles if hits(needle, data)] == []


@pytest.mark.parametrize("folder", ["relayers", "logs", "checkpoints", "consortium/public", "consortium/clients"])
def test_no_private_value_reached_relayers_logs_or_what_is_public(demo: Demo, needles: Needles, folder: str) -> None:
    data = in_folder(demo.out / folder)
    assert data
    assert [needle for needle in needles if hits(needle, data)] == []


@pytest.mark.parametrize("node", NODES)
def test_a_node_holds_the_private_values_of_its_own_affairs_only(demo: Demo, needles: Needles, node: str) -> None:
    folder = demo.out / "consortium" / "nodes" / node
    data, log = in_folder(folder), (folder / "node.log").read_bytes()
    held = {needle for needle in needles if hits(needle, data)}
    assert [needle for needle in held if node not in needles[needle]] == []
    assert [needle for needle in held if hits(needle, log)] == []
    assert held, "the search finds what is there"


@pytest.mark.parametrize("node", NODES)
def test_no_ledger_holds_a_private_value_not_even_its_owner_s(demo: Demo, needles: Needles, node: str) -> None:
    ledger = b"".join(path.read_bytes() for path in (demo.out / "consortium" / "nodes" / node).glob("ledger.db*"))
    assert len(ledger) > 50_000
    assert [needle for needle in needles if hits(needle, ledger)] == []


@pytest.mark.parametrize("name", ["bundles/receivable.hb.json", "bundles/split.hb.json"])
def test_a_bundle_holds_no_private_value(demo: Demo, needles: Needles, name: str) -> None:
    data = (demo.out / name).read_bytes()
    assert [needle for needle in needles if hits(needle, data)] == []


# ── the folder ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_of_somebody_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    code, said = hybrid_bridge("demo", "--out", tmp_path)
    assert (code, [path.name for path in tmp_path.iterdir()]) == (2, ["thesis.txt"])
    assert "--out" in said


def test_a_place_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert hybrid_bridge("demo", "--out", tmp_path / "file" / "below")[0] == 2


def test_an_endpoint_that_is_not_there_is_said_before_anything_begins(tmp_path: Path) -> None:
    demo = Demo(tmp_path, ("--rpc", "http://127.0.0.1:1"))
    try:
        assert demo.wait() == 3
        demo.require_gone()
    finally:
        demo.end()
    assert "Unreachable(endpoint='public chain'" in demo.stderr
    assert "in the act" not in demo.stderr, "no act had begun, no process was started"
    assert not (demo.out / "consortium").exists()
