"""`report` as a user types it: what it says, and that its commands, run in a plain shell, print what it says."""

import base64
import hashlib
import io
import json
import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2
import pytest
import segno

from hybrid_bridge.cli import packing
from hybrid_bridge.cli.report import bench as gathering
from hybrid_bridge.cli.report import recompute, shell, times
from hybrid_bridge.cli.report.checks import COURSE
from hybrid_bridge.cli.report.code import QUIET, side, squares
from hybrid_bridge.cli.report.model import MAX_SHOWN, shown
from hybrid_bridge.cli.report.registry import registry
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.bundle import EpochPart, LabelPart, RenewalPart, TerminalPart, TokenAnchor
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import canonical_json
from hybrid_bridge.core.registry_proof import registry_root
from hybrid_bridge.core.timestamp import digest_by
from hybrid_bridge.core.trust import Trust, TrustedBlock, TrustedLog
from tests.bundles import BEACON_TIME, NOW, as_json, consortium, edit, flip
from tests.court_expert import bench, printed, steps
from tests.tsa import Tsa

ALLOWED = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "scope", "span", "width", "data-head",
           "role", "aria-label", "viewbox", "shape-rendering", "d", "fill", "download", "href"}  # fmt: skip


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW + 0.7)


@pytest.fixture
def made(typed, folder):
    """The report of a bundle as JSON, and the command's outcome."""

    def command(name, *options, trust="trust.json"):
        relying = ("--trust", trust) if trust else ()
        done = typed("report", f"{name}.hb.json", "--format", "json", "-o", "report.json", *relying, *options)
        return json.loads((folder / "report.json").read_text("utf-8")), done

    return command


def rows_of(report, key):
    return [
        row for s in report["report"]["sections"] if s["key"] == key for b in s["blocks"] for row in b.get("rows", [])
    ]


def section(report, key):
    return next(json.dumps(s, ensure_ascii=False) for s in report["report"]["sections"] if s["key"] == key)


# ── the commands ──


@pytest.mark.parametrize("name", ["receivable", "split", "financing", "unregistered", "history", "omission"])
def test_every_command_of_a_good_bundle_prints_the_value_beside_it_and_no_value_differs(made, folder, tmp_path, name):
    report, done = made(name)
    assert done.code == 0
    listed = steps(report)
    assert len(listed) > 10
    assert all(step.get("holds", True) for step in listed)
    where = bench(tmp_path / "expert", folder, name)
    assert printed(where, [step["command"] for step in listed]) == [step["value"] for step in listed]


def test_the_commands_lead_from_an_opened_field_to_the_root_that_was_signed(made):
    report, _ = made("receivable")
    note = parse_note(consortium().note(4))
    values = {step["title"].split(". ", 1)[1]: step for step in steps(report)}
    due = consortium().events[2]["fields"]["due_date"]
    assert f'"due_date","{due}"]' in values["what the disclosure of due_date says"]["value"]
    assert values["root in that text"]["value"] == note.root.hex()
    assert values["log id: leaf of the genesis record"]["value"] == consortium().genesis.log_id.hex()
    tops = [step for step in steps(report) if step["title"].endswith("the root")]
    assert {step["where"] for step in tops} == {
        "the field root in the entry",
        "the batch root in epoch-1.bin",
        "the checkpoint",
    }


def test_the_commands_that_stand_in_the_markdown_page_are_the_same(typed, folder, tmp_path):
    typed("report", "receivable.hb.json", "--trust", "trust.json", "--format", "md", "-o", "r.md")
    page = (folder / "r.md").read_text("utf-8")
    found = re.findall(r"```sh\n([^`]*)\n```\n\nprints `([^`]*)`", page)
    assert len(found) > 30
    where = bench(tmp_path / "expert", folder, "receivable")
    assert printed(where, [command for command, _ in found]) == [value for _, value in found]


def test_no_line_of_a_command_is_wider_than_a_sheet(made):
    for name in ("receivable", "financing", "history"):
        lines = [line for step in steps(made(name)[0]) for line in step["command"].splitlines()]
        assert max(map(len, lines)) <= shell.WIDTH + 1


def titled(report, words):
    return [step for step in steps(report) if words in step["title"]]


def test_the_commands_lead_from_a_label_to_the_registry_root_of_its_epoch_present_or_absent(made):
    record = consortium().closed[2].record
    financed, _ = made("financing")
    own = [step["value"] for step in titled(financed, "whether that pair is its own")]
    labels = [label for epoch in consortium().financing().epochs for label in epoch.labels]
    assert own.count("present") == sum(label.opening is not None for label in labels) > 3
    opened = titled(financed, ": commitment of version")
    assert len(opened) == own.count("present")
    assert all(step["where"] == "that pair" and step["holds"] for step in opened)
    assert any(f'"object":"{consortium().events[14]["fields"]["back.0.object"]}"' in step["value"]
               for step in titled(financed, "is opened to"))  # fmt: skip
    strange, _ = made("unregistered")
    assert {step["value"] for step in titled(strange, "whether that pair is its own")} <= {"absent"}
    for report in (financed, strange):
        tops = [step for step in steps(report) if step.get("where") == "the registry root in epoch-3.bin"]
        assert tops
        assert {step["stated"] for step in tops} == {record.registry_root.hex()}
        ways = [step for step in steps(report) if step.get("where") == "the index that is asked for"]
        assert ways
        assert all(set(step["value"]) <= {"0", "1"} for step in ways)
        assert "RFC 9381" in section(report, "commands")
    assert "RFC 9381" not in section(made("receivable")[0], "commands")


def test_the_commands_lead_from_the_first_validator_set_to_a_later_one_by_a_record_that_the_first_signed(made):
    report, _ = made("history")
    update = consortium().set_update
    later = [step for step in steps(report) if step.get("stated") == update.set_hash.hex()]
    assert {step["title"].split(". ", 1)[1] for step in later} >= {
        "set 2: type, number, count, the entries of the record",
        f"set 2: type, number, {update.n} times address, name hash, certificate hash, key binding hash",
    }
    (before,) = titled(report, "set 2: hash of the set before it")
    assert (before["stated"], before["where"]) == (update.previous_set_hash.hex(), "the genesis record")
    (leaf,) = titled(report, "record of set 2: leaf")
    assert "set-2.bin" in leaf["command"]
    assert any(step.get("where") == "the governance root in set-2-epoch.bin" for step in steps(report))
    assert titled(report, "root in set-2-checkpoint.txt")[0]["value"] == parse_note(consortium().note(4)).root.hex()
    assert "keccak-256" in section(report, "commands")


def renewed(tsa):
    """A bundle with a timestamp and three renewals, by three hashes."""
    note = parse_note(consortium().note(4))
    token = TokenAnchor(tree_size=4, token=tsa.stamp(note.body(), NOW - 100))
    bundle = replace(consortium().receivable(), anchors=(token,))
    for number, name in enumerate(("sha-256", "sha3-512", "sha-512")):
        stamp = tsa.stamp(bundle.covered(number), NOW - 90 + number, hash=name.replace("-", "_").replace("sha_", "sha"))
        bundle = replace(bundle, renewals=(*bundle.renewals, RenewalPart(hash=name, token=stamp)))
    return bundle


def test_renewals_are_computed_over_the_file_as_it_was_before_each_and_verified_by_openssl(
    made, typed, folder, tmp_path
):
    tsa = Tsa()
    bundle = renewed(tsa)
    (folder / "renewed.hb.json").write_bytes(bundle.encode())
    (folder / "trust.json").write_bytes(consortium().trust(tsa_roots=(tsa.root_der,), require=("not after",)).encode())
    report, done = made("renewed")
    assert done.code == 0
    listed = steps(report)
    assert [step["value"] for step in titled(report, "what renewal ")] == [
        digest_by(name, bundle.covered(number)).hex() for number, name in enumerate(("sha-256", "sha3-512", "sha-512"))
    ]
    assert [step["holds"] for step in titled(report, "that the timestamp over the file")] == [True] * 3
    assert [step["value"] for step in titled(report, ": verify")] == ["Verification: OK"] * 4
    assert len(titled(report, "take authority 0 out of")) == 2  # once for checkpoints, once for renewals
    where = bench(tmp_path / "expert", folder, "renewed")
    assert printed(where, [step["command"] for step in listed]) == [step["value"] for step in listed]
    href = Reading(page_of(typed, folder, "renewed")).links["commands.sh"]
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" 0 differ, 0 not compared\n")
    changed = edit(bundle, "epochs.0.record", lambda record: flip(record, 8 * 10))
    (where / shell.BUNDLE).write_bytes(changed.encode())
    answers = printed(where, [step["command"] for step in listed])
    wrong = {step["title"].split(". ", 1)[1] for step, got in zip(listed, answers, strict=True) if got != step["value"]}
    assert {
        f"what renewal {n} covers: its digest by {name}" for n, name in enumerate(("sha-256", "sha3-512", "sha-512"))
    } <= wrong


def test_a_renewal_over_another_file_is_seen_in_the_report_and_by_its_script(made, typed, folder, tmp_path):
    tsa = Tsa()
    bundle = renewed(tsa)
    stamp = RenewalPart(hash="sha-256", token=tsa.stamp(b"another file", NOW - 90))
    bundle = replace(bundle, renewals=(stamp, *bundle.renewals[1:]))
    (folder / "other.hb.json").write_bytes(bundle.encode())
    report, done = made("other")
    assert done.code == 1
    assert [step["holds"] for step in titled(report, "that the timestamp over the file")] == [False] * 3
    where = bench(tmp_path / "expert", folder, "other")
    href = Reading(page_of(typed, folder, "other")).links["commands.sh"]
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("DIFFERS")) == (1, 3)


@pytest.mark.parametrize(
    ("depth", "end"), [(0, "own"), (0, "hole"), (3, "own"), (3, "other"), (3, "hole"), (256, "own")]
)
def test_a_way_of_the_registry_of_any_length_ends_in_a_pair_in_another_pair_or_in_a_hole(tmp_path, depth, end):
    index, commitment = bytes(range(100, 132)), b"c" * 32
    key = index[:-1] + b"\xff" if end == "other" else index
    terminal = None if end == "hole" else TerminalPart(index=key, commitment=commitment)
    label = LabelPart(index=index, terminal=terminal, path=tuple(bytes([n % 251 + 1]) * 32 for n in range(depth)))
    root = registry_root(index, terminal and (key, commitment), label.path)
    record = bytes(256) + root + bytes(352)
    epoch = EpochPart(record=record, path=(), labels=(label,))
    told = gathering.Bench(Words("en"))
    registry(told, replace(consortium().receivable(), epochs=(epoch,)))
    (tmp_path / "epoch-0.bin").write_bytes(record)
    assert printed(tmp_path, [step.command for step in told.steps]) == [step.value for step in told.steps]
    (top,) = [step for step in told.steps if step.where == "the registry root in epoch-0.bin"]
    assert top.value == top.stated == root.hex()
    own = [step.value for step in told.steps if step.title.endswith("whether that pair is its own")]
    assert own == {"own": ["present"], "other": ["absent"], "hole": []}[end]
    ways = [step for step in told.steps if step.where == "the index that is asked for"]
    assert [(len(step.value), step.holds) for step in ways] == [(depth, True)] * (depth > 0)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("financing", "epochs.1.labels.0.path.0"),
        ("financing", "epochs.1.labels.0.terminal.commitment"),
        ("financing", "epochs.1.labels.0.opening"),
        ("unregistered", "epochs.0.labels.0.path.0"),
        ("history", "rotations.0.path.0"),
        ("history", "rotations.0.epoch.path.0"),
        ("history", "rotations.0.validators.0.certificate_hash"),
    ],
)
def test_one_changed_hash_of_registry_or_sets_is_seen_in_the_report_and_by_its_script(
    made, typed, folder, tmp_path, name, path
):
    changed = edit(consortium().all()[name], path, flip)
    (folder / "bad.hb.json").write_bytes(changed.encode())
    report, done = made("bad")
    assert done.code == 1
    listed = steps(report)
    differing = [step for step in listed if not step.get("holds", True)]
    assert 1 <= len(differing) <= 2
    where = bench(tmp_path / "expert", folder, "bad")
    assert printed(where, [step["command"] for step in listed]) == [step["value"] for step in listed]
    href = Reading(page_of(typed, folder, "bad")).links["commands.sh"]
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("DIFFERS")) == (1, len(differing))


@pytest.mark.parametrize(
    "path",
    ["epochs.0.path.0", "epochs.0.entries.0.path.1", "epochs.0.entries.0.disclosures.1.path.0", "genesis.path.1"],
)
def test_one_changed_hash_is_seen_where_the_value_differs_from_what_is_stated(made, folder, tmp_path, path):
    (folder / "bad.hb.json").write_bytes(edit(consortium().receivable(), path, flip).encode())
    report, done = made("bad")
    assert done.code == 1
    listed = steps(report)
    differing = [step for step in listed if not step.get("holds", True)]
    assert len(differing) == 1
    where = bench(tmp_path / "expert", folder, "bad")
    assert printed(where, [step["command"] for step in listed]) == [step["value"] for step in listed]
    assert differing[0]["value"] != differing[0]["stated"]


def test_the_commands_of_a_good_report_see_that_another_file_was_put_in_its_place(made, folder, tmp_path):
    listed = steps(made("receivable")[0])
    changed = edit(consortium().receivable(), "epochs.0.record", lambda record: flip(record, 8 * 10))
    (folder / "other.hb.json").write_bytes(changed.encode())
    where = bench(tmp_path / "expert", folder, "other")
    answers = printed(where, [step["command"] for step in listed])
    wrong = {step["title"].split(". ", 1)[1] for step, got in zip(listed, answers, strict=True) if got != step["value"]}
    assert wrong == {"the file", "take epoch-1.bin out of the file", "record of epoch 1: leaf"}


def test_a_timestamp_is_verified_by_openssl_under_the_authority_of_the_trust_file(typed, folder, tmp_path, made):
    tsa = Tsa()
    note = parse_note(consortium().note(4))
    token = TokenAnchor(tree_size=4, token=tsa.stamp(note.body(), NOW))
    (folder / "stamped.hb.json").write_bytes(replace(consortium().receivable(), anchors=(token,)).encode())
    trust = consortium().trust(tsa_roots=(tsa.root_der,), require=("integrity", "quorum", "not after"))
    (folder / "trust.json").write_bytes(trust.encode())
    report, done = made("stamped")
    assert done.code == 0
    listed = steps(report)
    assert listed[-1]["value"] == "Verification: OK"
    where = bench(tmp_path / "expert", folder, "stamped")
    assert printed(where, [step["command"] for step in listed]) == [step["value"] for step in listed]
    (folder / "trust.json").write_bytes(consortium().trust(require=("integrity",)).encode())
    bare, _ = made("stamped")
    assert "openssl ts" not in json.dumps(steps(bare))
    assert "names no authority" in section(bare, "commands")


def test_a_document_is_hashed_under_a_name_of_ours_whatever_it_is_called(made, folder, tmp_path):
    report, _ = made("document")
    step = steps(report)[-1]
    where = bench(tmp_path / "expert", folder, "document")
    (where / "document-0").write_bytes(consortium().document_bytes())
    assert printed(where, [step["command"]]) == [step["value"]] == [step["stated"]]


def test_a_report_holds_so_many_commands_and_says_how_many_it_left_out(made, monkeypatch):
    monkeypatch.setattr(gathering, "MAX_STEPS", 12)
    report, _ = made("receivable")
    assert len(steps(report)) == 12
    assert "further commands of the same kinds are left out" in section(report, "commands")


# ── what it says ──


def test_the_first_words_are_the_verdict_and_nothing_is_said_to_be_proven_that_is_not(made):
    report, done = made("receivable")
    assert (done.code, report["report"]["outcome"]) == (0, "verified")
    assert done.out.startswith(f"report.json: Verified, {report['report']['id']}, ")
    first = report["report"]["sections"][0]
    assert first["key"] == "findings"
    assert first["blocks"][0]["text"].startswith(
        "Verified. All that whoever made this report required was verified: integrity, quorum, public anchor. "
    )
    assert "unchanged since 2026-01-" in first["blocks"][2]["text"]
    assert "legal effect" in section(report, "not_proven")
    assert report["evidence"]["complete"] is True


def test_the_bundle_goes_with_its_report(made, folder):
    report, _ = made("receivable")
    data = base64.b64decode(report["bundle"]["base64"])
    assert data == (folder / "receivable.hb.json").read_bytes()
    assert report["bundle"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert report["report"]["code"] == f"sha256:{report['bundle']['sha256']}"


def test_the_checks_are_those_of_verify(made):
    report, _ = made("financing")
    names = [f"{check['number']} {check['name']}" for check in report["evidence"]["checks"]]
    assert [*names, "14 freshness"] == list(COURSE)


def test_what_the_maker_relied_on_is_named_in_full(typed, made, folder):
    trust = consortium().trust(max_age=10**9, minimum_level="A1")
    (folder / "trust.json").write_bytes(trust.encode())
    report, done = made("receivable")
    assert done.code == 0
    told = section(report, "trust")
    for value in (trust.encode(), *trust.member_roots):
        assert hashlib.sha256(value).hexdigest() in told
    assert '["greatest age allowed, in seconds", "1000000000"]' in told
    assert '["least level required", "A1"]' in told
    assert "0xc0c0c0" in told
    assert "3 public block hashes" in told
    for block in trust.public_chains[0].block_hashes:
        assert block.hash.hex() in told
    assert '["authority for members\' certificates", "“' in told
    assert [row for row in rows_of(report, "trust") if row[1].startswith("“CN=")]


def test_of_many_trusted_blocks_the_report_lists_some_and_says_how_many_more(made, folder):
    chain = consortium().trust().public_chains[0]
    blocks = tuple(TrustedBlock(number=number, hash=bytes(32)) for number in range(1000, 1060))
    trust = consortium().trust(public_chains=(replace(chain, block_hashes=chain.block_hashes + blocks),))
    (folder / "trust.json").write_bytes(trust.encode())
    report, _ = made("receivable")
    assert "13 further block hashes, in the trust file" in section(report, "trust")
    assert sum(row[0].startswith("block ") for row in rows_of(report, "trust")) == 50


def test_the_findings_say_on_what_else_a_reader_would_have_to_rely(made, folder):
    c = consortium()
    report, _ = made("receivable")
    told = report["report"]["sections"][0]["blocks"][1]["text"]
    assert told.startswith("It holds for you only if you rely yourself on: log id " + c.genesis.log_id.hex())
    assert hashlib.sha256(c.root).hexdigest() in told
    anchor = report["evidence"]["anchors"][0]
    assert f"block {anchor['last_number']} has the hash 0x" in told
    assert "timestamps" not in told
    (folder / "trust.json").write_bytes(c.trust(public_chains=(), member_roots=(), require=("integrity",)).encode())
    report, done = made("receivable")
    assert done.code == 0
    told = report["report"]["sections"][0]["blocks"][1]["text"]
    assert told == (
        f"It holds for you only if you rely yourself on: log id {c.genesis.log_id.hex()}. "
        "Compare them with a source of your own."
    )
    assert "was verified: integrity. " in section(report, "findings")
    assert "public block" not in report["report"]["sections"][0]["blocks"][0]["text"]
    trust = section(report, "trust")
    assert "The contract at the address" not in trust
    assert "revocation" not in trust
    assert "keccak-256" in trust


def test_without_trust_nothing_is_said_to_hold(made):
    report, _ = made("receivable", trust=None)
    assert "It holds for you" not in section(report, "findings")
    first = report["report"]["sections"][0]["blocks"][0]["text"]
    open_ones = sum(v["result"] in ("undecided", "not shown") for v in report["evidence"]["verdicts"])
    assert report["evidence"]["verdicts"][3]["result"] == "A0"
    assert f"{12 - open_ones - 1} of 12 verdicts could be given" in first
    assert "secp256k1" not in section(report, "trust")


def test_a_check_that_had_nothing_to_look_at_was_not_passed(made):
    report, _ = made("receivable")
    rows = {row[2]: row for row in rows_of(report, "checks")}
    assert rows["shape"][1] == "passed"
    assert rows["promise"][1] == rows["renewals"][1] == "nothing to check"
    assert rows["freshness"][1] == "see its verdict"
    looked = sum(row[1] == "passed" for row in rows.values())
    assert f"{looked} numbered checks had something to look at; none failed" in section(report, "findings")
    assert "Passed means that nothing contradicts" in section(report, "checks")


def test_without_trust_the_report_is_incomplete_and_says_what_to_bring(made):
    report, done = made("receivable", trust=None)
    assert (done.code, report["report"]["outcome"]) == (3, "incomplete")
    assert "trust in log" in section(report, "findings")
    assert "no trust file was given" in section(report, "trust")
    assert "cannot be said of any moment" in section(report, "findings")


@pytest.mark.parametrize("form", ["pdf", "html", "md", "json"])
@pytest.mark.parametrize(("lang", "words"), [("en", "verdicts that hold"), ("zh", "可作出的结论")])
def test_no_headline_says_that_something_holds_where_nothing_does(typed, folder, lang, words, form):
    (folder / "bad.hb.json").write_bytes(edit(consortium().receivable(), "genesis.path.1", flip).encode())
    said = []
    for name, trust in (
        ("receivable", ("--trust", "trust.json")),
        ("receivable", ()),
        ("bad", ("--trust", "trust.json")),
    ):
        typed("report", f"{name}.hb.json", *trust, "--format", form, "--lang", lang, "-o", "r")
        data = (folder / "r").read_bytes()
        if form == "pdf":
            pages = pypdfium2.PdfDocument(io.BytesIO(data))
            data = "".join(page.get_textpage().get_text_bounded() for page in pages).encode()
        text = json.dumps(json.loads(data)["report"], ensure_ascii=False) if form == "json" else data.decode()
        said.append(words in " ".join(text.split()))
    assert said == [True, False, False]


def test_a_refuted_bundle_gets_a_report_with_the_reason_and_the_exit_code_of_verify(made, typed, folder):
    few = consortium().bundle(4, consortium().epoch_part(1, 4))
    few = edit(few, "checkpoints.0.note", lambda _: consortium().note(4, 2))
    (folder / "few.hb.json").write_bytes(few.encode())
    report, done = made("few")
    verified = typed("verify", "few.hb.json", "--trust", "trust.json")
    assert (done.code, done.err) == (verified.code, verified.err)
    assert done.code == 1
    found = section(report, "findings")
    assert "BelowQuorum" in found
    assert "contradicts" not in found
    assert "The file does not hold. Fewer validators signed than the quorum rule asks for. " in found
    assert not any("what the disclosure" in step["title"] for step in steps(report))
    assert "validators signed." not in section(report, "commands")
    assert '["stopped at", "8 quorums"]' in found
    assert "1 shape, 2 format" in found
    assert "FAILED" in section(report, "checks")
    assert report["error"]["error"] == "BelowQuorum"


def test_the_independent_script_says_the_same_of_the_examples(typed, folder):
    typed("examples", "examples")
    script = Path(__file__).parents[4] / "docs" / "verifier" / "verify_bundle.py"
    for name in ("receivable", "receivable-changed-digit", "receivable-signed-by-too-few"):
        files = [f"examples/{name}.hb.json", "examples/trust.json"]
        done = subprocess.run([sys.executable, script, *files], cwd=folder, capture_output=True, check=False)
        options = ("--trust", files[1], "--format", "json", "-o", "r.json")
        assert typed("report", files[0], *options).code == done.returncode


def test_malformed_and_undecided_files_get_a_report_too(made, folder):
    (folder / "cut.hb.json").write_bytes((folder / "receivable.hb.json").read_bytes()[:-1])
    report, done = made("cut")
    assert (done.code, report["report"]["outcome"]) == (2, "malformed")
    assert [step["title"] for step in steps(report)] == ["1. the file"]
    unknown = replace(consortium().receivable(), critical=("x.example",), extensions={"x.example": 1})
    (folder / "unknown.hb.json").write_bytes(unknown.encode())
    report, done = made("unknown")
    assert (done.code, report["report"]["outcome"]) == (3, "undecided")
    assert "a verifier that understands the extension x.example" in section(report, "findings")


def test_a_broken_promise_stands_in_the_head(made):
    report, _ = made("omission")
    assert "A BROKEN PROMISE" in section(report, "findings")
    assert "owed by the end of epoch 3" in section(report, "registry")


def window():
    """Seconds from the beacon's public block to that of the anchor, 90 s after its checkpoint."""
    return consortium().genesis.checkpoint_timestamp(6) + 90 - BEACON_TIME


def test_what_happened_since_and_every_gap_in_seconds(made):
    report, _ = made("history")
    since = section(report, "since")
    assert "7: validator set 2 of 4, responsible from size 5 on" in since
    assert "rotation: validator set 2, of 4, responsible from size 5 (epoch 4) on" in since
    assert "freeze on" in since
    assert "size 6" in since
    gaps = next(s for s in report["report"]["sections"] if s["key"] == "times")["blocks"][2]["rows"]
    assert all(re.fullmatch("[0-9]+", row[2]) for row in gaps)
    assert any("not before: public block 60" in row[0] for row in gaps)
    assert gaps[-2] == ["not before", "not after", str(window())]
    age = NOW - consortium().genesis.checkpoint_timestamp(6)
    assert gaps[-1] == ["checkpoint of size 6", "this report", str(age)]


def test_a_package_is_reported_with_its_documents(typed, folder):
    (folder / "invoice.xml").write_bytes(consortium().document_bytes())
    typed("bundle", "zip", "document.hb.json", "--artefact", "invoice.xml", "-o", "d.hb.zip")
    done = typed("report", "d.hb.zip", "--trust", "trust.json", "--format", "json", "-o", "report.json")
    assert done.code == 0
    report = json.loads((folder / "report.json").read_text("utf-8"))
    digest = hashlib.sha256(consortium().document_bytes()).hexdigest()
    assert f"{digest}, equal to field doc.0.sha256 of epoch 1" in section(report, "subject")
    assert base64.b64decode(report["bundle"]["base64"]) == (folder / "document.hb.json").read_bytes()


def test_a_package_with_a_document_that_does_not_fit_is_refuted_after_all_checks(typed, folder, monkeypatch):
    (folder / "invoice.xml").write_bytes(consortium().document_bytes())
    c = consortium()
    artefact = replace(c.document().artefacts[0], size=1)
    bundle = c.bundle(6, c.epoch_part(1, 6, entries=(c.entry(0, "doc.0.sha256"),)), artefacts=(artefact,))
    (folder / "odd.hb.json").write_bytes(bundle.encode())
    monkeypatch.setattr(packing, "judge_package", lambda *_: None)
    assert typed("bundle", "zip", "odd.hb.json", "--artefact", "invoice.xml", "-o", "d.hb.zip").code == 0
    done = typed("report", "d.hb.zip", "--trust", "trust.json", "--format", "json", "-o", "report.json")
    assert (done.code, typed("verify", "d.hb.zip", "--trust", "trust.json").code) == (1, 1)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["report"]["outcome"] == "refuted"
    assert "stopped at check the package's documents" in section(report, "findings")
    assert "FAILED" not in section(report, "checks")
    assert "not reached" not in section(report, "checks")


def test_an_endpoint_that_does_not_answer_is_missing_and_its_address_stands_nowhere(made, folder):
    url = ("--rpc", "http://127.0.0.1:1/secret", "--contract", "c0" * 20)
    report, done = made("receivable", *url, "--lang", "zh")
    assert (done.code, report["report"]["outcome"]) == (3, "incomplete")
    assert "--rpc 所应示者" in section(report, "findings")
    assert '["询问的公共链节点数", "1"]' in section(report, "trust")
    assert "secret" not in (folder / "report.json").read_text("utf-8")


def test_the_same_file_trust_and_moment_give_the_same_report(made, folder):
    first, _ = made("receivable")
    again, _ = made("receivable")
    chinese, _ = made("receivable", "--lang", "zh")
    assert first == again
    assert chinese["report"]["id"] == first["report"]["id"]
    log = consortium().genesis.log_id.hex()
    others = [made("receivable", *options, trust=None)[0]["report"]["id"] for options in ((), ("--log", log))]
    assert len({first["report"]["id"], *others}) == 3


def test_a_report_says_how_many_moments_it_left_out(made, monkeypatch):
    monkeypatch.setattr(times, "MAX_MOMENTS", 3)
    told = section(made("history")[0], "times")
    assert re.search("[0-9]+ later moments are left out: a report holds 3", told)


def test_the_page_of_a_reader_is_in_the_code_and_a_wrong_address_is_refused(made, typed):
    report, _ = made("receivable", "--page", "https://verify.example/")
    assert report["report"]["code"] == f"https://verify.example/#sha256={report['bundle']['sha256']}"
    for url in ("javascript:alert(1)", "https://x.example/#y", "https://x.example/ y", "https://" + "x" * 500, "x"):
        done = typed("report", "receivable.hb.json", "--page", url, "--format", "md", "-o", "r.md")
        assert (done.code, "--page" in done.err) == (2, True)


def test_the_annex_names_the_verdicts_and_shows_nothing_of_what_did_not_hold(made, folder):
    report, _ = made("receivable")
    rows = {row[0].partition(":")[0]: row for row in rows_of(report, "law")}
    assert "[integrity: verified; quorum: verified; public anchor: verified; not after: verified]" in rows["art 16"][1]
    assert "may find" in rows["art 16"][0]
    assert "the contract refuses" in rows["art 17, second factor"][1]
    assert ("its signatures hold" in rows["art 18"][1]) == any(r["transaction"] for r in report["evidence"]["records"])
    bare, _ = made("receivable", trust=None)
    rows = {row[0].partition(":")[0]: row for row in rows_of(bare, "law")}
    assert "the contract refuses" not in rows["art 17, second factor"][1]
    assert "[level: A0; public anchor: undecided]" in rows["art 17, second factor"][1]
    (folder / "bad.hb.json").write_bytes(edit(consortium().receivable(), "genesis.path.1", flip).encode())
    told = section(made("bad", "--lang", "zh")[0], "law")
    assert "核验中止" in told
    assert "本报告所示" not in told
    assert "人民法院可以认定该电子数据上链后未经篡改，但有相反证据足以推翻的除外" in told
    assert "《最高人民法院关于互联网法院审理案件若干问题的规定》" in told


def test_a_transaction_that_is_shown_is_named_in_the_annex_by_its_signatures_only(made):
    for name in consortium().all():
        report, _ = made(name)
        row = next(row for row in rows_of(report, "law") if row[0].startswith("art 18"))
        assert ("its signatures hold" in row[1]) == any(r["transaction"] for r in report["evidence"]["records"])


def test_wrong_options_make_no_report(typed, folder):
    assert typed("report", "receivable.hb.json", "--log", "00", "--format", "md", "-o", "r.md").code == 2
    assert typed("report", "receivable.hb.json", "--contract", "0x00", "--format", "md", "-o", "r.md").code == 2
    assert typed("report", "receivable.hb.json", "--format", "md", "-o", "absent/r.md").code == 2
    (folder / "x.tlog-proof").write_bytes(b"c2sp.org/tlog-proof@v1\n")
    assert typed("report", "x.tlog-proof", "--format", "md", "-o", "r.md").code == 2
    assert not (folder / "r.md").exists()


# ── the page ──


class Reading(HTMLParser):
    """What a browser would make of a page: elements, attributes, text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self.links = set(), set(), [], {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        found = dict(attrs)
        if tag == "a":
            self.links[found["download"]] = found["href"]

    def handle_data(self, data):
        self.texts.append(data)


def page_of(typed, folder, name, *options):
    typed("report", f"{name}.hb.json", "--trust", "trust.json", "--format", "html", "-o", "r.html", *options)
    return (folder / "r.html").read_text("utf-8")


def test_the_page_is_one_file_that_runs_nothing_fetches_nothing_and_holds_the_bundle(typed, folder, made):
    text = page_of(typed, folder, "receivable")
    read = Reading(text)
    assert not read.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert read.attributes <= ALLOWED
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert "url(" not in style
    kept = {name: base64.b64decode(href.partition(";base64,")[2]) for name, href in read.links.items()}
    assert kept.keys() == {"bundle.hb.json", "commands.sh"}
    assert kept["bundle.hb.json"] == (folder / "receivable.hb.json").read_bytes()
    report, _ = made("receivable")
    assert all(step["command"] in kept["commands.sh"].decode() for step in steps(report))
    assert all(step["command"] in "".join(read.texts) for step in steps(report))


def test_the_script_of_all_commands_runs_as_a_whole(typed, folder, tmp_path, made):
    href = Reading(page_of(typed, folder, "receivable")).links["commands.sh"]
    where = bench(tmp_path / "expert", folder, "receivable")
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=True)
    count = len(steps(made("receivable")[0]))
    told = [f"{number} ok" for number in range(1, count + 1)]
    assert done.stdout.splitlines() == [*told, f"{count} compared, 0 differ, 0 not compared"]


@pytest.mark.parametrize("path", ["epochs.0.record", "genesis.path.1"])
def test_the_script_ends_with_another_code_when_an_answer_differs(typed, folder, tmp_path, path):
    href = Reading(page_of(typed, folder, "receivable")).links["commands.sh"]
    changed = edit(consortium().receivable(), path, flip)
    (folder / "other.hb.json").write_bytes(changed.encode())
    where = bench(tmp_path / "expert", folder, "other")
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "1 DIFFERS: " in done.stdout.splitlines()[0]
    refuted = Reading(page_of(typed, folder, "other")).links["commands.sh"]
    (where / "commands.sh").write_bytes(base64.b64decode(refuted.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("DIFFERS")) == (1, 1)


def test_without_the_file_or_a_tool_the_script_accuses_nobody(typed, folder, tmp_path):
    href = Reading(page_of(typed, folder, "receivable")).links["commands.sh"]
    where = bench(tmp_path / "expert", folder, "receivable")
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    sh = shutil.which("sh")
    (poor := tmp_path / "poor").mkdir()
    for tool in shell.TOOLS:
        if tool != "xxd":
            (poor / tool).symlink_to(shutil.which(tool))
    (old := tmp_path / "old").mkdir()
    for tool in shell.TOOLS:
        (old / tool).write_text("#!/bin/sh\necho OpenSSL 1.1.1w\n")
        (old / tool).chmod(0o755)
    words = []
    for path in (poor, old):
        done = subprocess.run(
            [sh, "commands.sh"], cwd=where, capture_output=True, text=True, env={"PATH": str(path)}, check=False
        )
        words.append((done.returncode, done.stdout, done.stderr))
    (where / shell.BUNDLE).unlink()
    done = subprocess.run([sh, "commands.sh"], cwd=where, capture_output=True, text=True, check=False)
    words.append((done.returncode, done.stdout, done.stderr))
    assert words == [
        (2, "nothing compared: xxd is not installed\n", ""),
        (2, "nothing compared: OpenSSL 3 or newer is needed\n", ""),
        (2, "nothing compared: bundle.hb.json is not here\n", ""),
    ]


def test_every_program_in_a_command_is_looked_for_first(made):
    told = "\n".join(
        step["command"].replace("\\\n", "") for name in consortium().all() for step in steps(made(name)[0])
    )
    words = set(re.findall(r"(?:^|[|;{(&\n])\s*([a-z0-9]+)", told))
    assert words - {"printf", "echo"} <= set(shell.TOOLS)


def test_the_script_says_which_document_is_not_there(typed, folder, tmp_path):
    href = Reading(page_of(typed, folder, "document")).links["commands.sh"]
    where = bench(tmp_path / "expert", folder, "document")
    (where / "commands.sh").write_bytes(base64.b64decode(href.partition(";base64,")[2]))
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=True)
    assert "not compared: document-0 is not here" in done.stdout
    assert done.stdout.endswith(" 0 differ, 1 not compared\n")
    (where / "document-0").write_bytes(b"other")
    done = subprocess.run(["sh", "commands.sh"], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 1


def test_a_log_on_which_nobody_relied_differs_where_its_id_is_computed(made, folder):
    (folder / "trust.json").write_bytes(Trust(logs=(TrustedLog(log_id=bytes(32)),)).encode())
    named = {step["title"].split(". ", 1)[1]: step for step in steps(made("receivable")[0])}
    assert named["log id: leaf of the genesis record"]["holds"] is False
    bare = {step["title"].split(". ", 1)[1]: step for step in steps(made("receivable", trust=None)[0])}
    assert "holds" not in bare["log id: leaf of the genesis record"]


def test_in_a_tree_of_one_the_leaf_is_compared_with_the_root():
    told = gathering.Bench(Words("en"))
    gathering.climb(told, gathering.Climb("x", bytes(32), 0, 1, (), b"1" * 32, "there"))
    assert [(step.value, step.stated) for step in told.steps] == [("00" * 32, (b"1" * 32).hex())]


def test_the_code_on_the_page_holds_what_the_report_says():
    for text in ("sha256:" + "ab" * 32, "https://verify.example/#sha256=" + "0f" * 32):
        matrix = segno.make_qr(text, error="m").matrix
        dark = {(row, column + k) for row, column, length in squares(text) for k in range(length)}
        assert dark == {(r + QUIET, c + QUIET) for r, line in enumerate(matrix) for c, bit in enumerate(line) if bit}
        assert side(text) == len(matrix) + 2 * QUIET


# ── strangers' text ──


def hostile(*names):
    """A bundle whose free texts would like to be commands, markup, verdicts, or the other way round."""
    c = consortium()
    name = "`$(touch pwned)`'\"<script>alert(1)</script>|**x**\u202eDEIFIREV\n\x07\x1b[31m" + "長" * 100
    artefact = replace(c.document().artefacts[0], name=name, media_type="<b>\u2066")
    entry = c.entry(0, "doc.0.sha256", *names)
    return c.bundle(6, c.epoch_part(1, 6, entries=(entry,)), artefacts=(artefact,))


@pytest.mark.parametrize(("names", "code"), [((), 0), (("doc.0.name",), 1)])
def test_texts_of_strangers_stay_texts_on_one_line(made, typed, folder, names, code):
    (folder / "odd.hb.json").write_bytes(hostile(*names).encode())
    report, done = made("odd")
    assert done.code == code
    texts = json.dumps(report["report"], ensure_ascii=False)
    assert "\\\\u202eDEIFIREV" in texts
    assert not any(c in texts for c in "\u202e\u2066\x07\x1b")
    assert "touch" not in "".join(step["command"] for step in steps(report))
    typed("report", "odd.hb.json", "--trust", "trust.json", "--format", "md", "-o", "r.md")
    text = (folder / "r.md").read_text("utf-8")
    assert "<script>" not in text
    assert "\\<script\\>" in text
    read = Reading(page_of(typed, folder, "odd"))
    assert not read.tags & {"script", "b"}
    assert read.attributes <= ALLOWED
    assert any("<script>alert(1)</script>" in text for text in read.texts)


def test_what_is_quoted_keeps_its_direction_of_writing_to_itself(typed, folder):
    c = consortium()
    artefact = replace(c.document().artefacts[0], name="عربي")
    bundle = c.bundle(6, c.epoch_part(1, 6, entries=(c.entry(0, "doc.0.sha256"),)), artefacts=(artefact,))
    (folder / "odd.hb.json").write_bytes(bundle.encode())
    assert "<bdi>“عربي”</bdi>" in page_of(typed, folder, "odd")


def test_a_very_long_text_is_cut_and_named_by_its_digest():
    assert shown("x" * MAX_SHOWN) == "x" * MAX_SHOWN
    digest = hashlib.sha256(b"x" * 9_000).hexdigest()
    assert shown("x" * 9_000) == "x" * MAX_SHOWN + f"… [9000; SHA-256 {digest}]"
    assert shown("a\nb\ud800") == "a b\\ud800"


def places(value, at=()):
    """Every list and every leaf of a document."""
    if isinstance(value, dict | list):
        if isinstance(value, list):
            yield at
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*at, key))
    else:
        yield at


def broken(document, draw):
    """The document with one part that says something else."""
    *way, last = draw.choice(list(places(document)))
    holder = document
    for key in way:
        holder = holder[key]
    value = holder[last]
    if isinstance(value, list):
        holder[last] = draw.choice([[], value[1:], value + value[:1], value[::-1]])
    elif isinstance(value, int):
        holder[last] = draw.choice([0, value + 1, 2**40, 2**53 - 1])
    else:
        holder[last] = draw.choice(["", value[:-1], value[::-1], "A" * len(value), "x y;$(id)\n`id`"])
    return canonical_json(document)


@pytest.mark.parametrize("kind", ["financing", "history"])
def test_whatever_one_part_of_a_bundle_says_a_report_is_made_and_no_command_has_a_strangers_words(made, folder, kind):
    draw = random.Random(kind)
    for _ in range(15):
        (folder / "x.hb.json").write_bytes(broken(as_json(consortium().all()[kind]), draw))
        report, done = made("x")
        assert done.code in {0, 1, 2, 3}
        assert not any(word in step["command"] for step in steps(report) for word in ("$(", "`", "x y"))


@pytest.mark.parametrize("value", ["short", "x" * 900, "turned \u202e around"])
def test_a_disclosure_is_decoded_by_a_command_only_if_the_page_shows_it_as_a_terminal_does(value):
    told = gathering.Bench(Words("en"))
    text = Disclosure(bytes(32), "name", value).text()
    recompute._disclosure(told, text)
    assert [step.command.split()[0] for step in told.steps] == ["printf"] * len(told.steps)
    assert len(told.steps) == (2 if value == "short" else 1)
    assert told.steps[-1].value == hashlib.sha256(text.encode()).hexdigest()
