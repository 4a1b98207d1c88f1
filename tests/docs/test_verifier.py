"""The independent verifier of `docs/verifier/`: the same verdicts as ours, within the limits that it names itself."""

import ast
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.steps.verify import verify
from tests.bundles import NOW, Consortium, consortium, flip
from tests.vectors.operations import bundle_bytes, bundle_trust

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "verifier" / "verify_bundle.py"
EXAMPLES = ROOT / "hybrid_bridge" / "cli" / "example_files"
VERDICTS = {"VERIFIED:": 0, "REFUTED:": 1, "malformed:": 2, "undecided:": 3}

# One process for many bundles: runs the script, compiled once, as `python verify_bundle.py` would, for each line of input.
MANY = """
import io, sys, contextlib
from pathlib import Path
script = compile(Path({script!r}).read_bytes(), {script!r}, "exec")
for line in sys.stdin:
    sys.argv[1:] = line.split()
    said, code = io.StringIO(), 0
    with contextlib.redirect_stdout(said):
        try:
            exec(script, {{"__name__": "__main__"}})
        except SystemExit as end:
            code = end.code
    print(code, said.getvalue().strip().splitlines()[-1].replace(chr(10), " "))
"""


def run(bundle: Path, trust: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(bundle), str(trust)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def run_many(folder: Path, bundles: list[bytes], trust: Path | list[bytes]) -> list[tuple[int, str]]:
    """Exit code and last line for each; all under one trust file, or each under its own."""
    lines = ""
    for number, data in enumerate(bundles):
        stated = trust if isinstance(trust, Path) else folder / f"{number}.trust.json"
        if not isinstance(trust, Path):
            stated.write_bytes(trust[number])
        (folder / f"{number}.hb.json").write_bytes(data)
        lines += f"{folder / f'{number}.hb.json'} {stated}\n"
    command = [sys.executable, "-c", MANY.format(script=str(SCRIPT))]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in done.stdout.splitlines()]


def ours(data: bytes, trust) -> tuple[int, str]:
    """Exit code as `hybrid-bridge verify` would have it, and the check that stopped."""
    try:
        return (0, "") if verify(data, trust, NOW).complete else (3, "")
    except BridgeError as error:
        return error.exit_code, error.stopped_at


# ── what it is ──


def test_it_is_one_short_file_that_shares_nothing_with_the_project():
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 150
    assert max(map(len, text.splitlines())) <= 120
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {"json", "sys", "base64", "hashlib", "pathlib", "coincurve", "sha3"}
    assert "eval" not in text
    assert "exec" not in text


# ── the examples ──


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*.hb.json")), ids=lambda path: path.name.removesuffix(".hb.json")
)
def test_the_verdict_on_each_example_is_ours(path):
    code, lines = run(path, EXAMPLES / "trust.json")
    expected, _ = ours(path.read_bytes(), parse_trust((EXAMPLES / "trust.json").read_bytes()))
    assert code == expected == VERDICTS[lines[-1].split(" ")[0]]
    assert expected == (1 if "-" in path.name else 0)


def test_it_shows_the_fields_that_we_show():
    path = EXAMPLES / "receivable.hb.json"
    shown = {tuple(line.split(" ", 3)[2:]) for line in run(path, EXAMPLES / "trust.json")[1][:-1]}
    evidence = verify(path.read_bytes(), parse_trust((EXAMPLES / "trust.json").read_bytes()), NOW)
    assert shown == {(field.name, str(field.value)) for record in evidence.records for field in record.fields}


def test_it_says_in_which_half_a_field_stands_as_it_knows_no_schema(tmp_path, trust):
    """A second due date among the private leaves is none of the claims that every member has read."""
    world = consortium()
    bundle = world.bundle(4, world.epoch_part(1, 4, entries=(world.entry(2, "note", "contract_number"),)))
    (tmp_path / "x.hb.json").write_bytes(bundle.encode())
    halves = {line.split(" ")[2]: line.split(" ")[1] for line in run(tmp_path / "x.hb.json", trust)[1][:-1]}
    (record,) = verify(bundle.encode(), consortium().trust(), NOW).records
    assert halves == {field.name: f"1/{'claim' if field.is_claim else 'private'}:" for field in record.fields}
    assert {half.split("/")[1] for half in halves.values()} == {"claim:", "private:"}


class Loud(Consortium):
    """A submitter who writes more than a number into a field that only its audience reads."""

    SAID = "1\nepoch 1/claim: due_date 2099-01-01\r\x1b[2K\u2028\u202e"

    def _live(self):
        issue = self.events[2]
        said = issue | {"fields": issue["fields"] | {"contract_number": self.SAID}}
        self.events = [*self.events[:2], said, *self.events[3:5]]
        super()._live()


def test_no_value_of_a_field_writes_a_line_of_its_own(tmp_path):
    world = Loud("loud.example/receivables")
    bundle = world.bundle(4, world.epoch_part(1, 4, entries=(world.entry(2, "contract_number"),)))
    (tmp_path / "trust.json").write_bytes(world.trust().encode())
    (tmp_path / "x.hb.json").write_bytes(bundle.encode())
    code, lines = run(tmp_path / "x.hb.json", tmp_path / "trust.json")
    assert code == 0
    assert [line.split(" ")[2] for line in lines[:-1]] == ["_schema", "_origin", "contract_number"]
    assert all(line.isprintable() for line in lines)


# ── other bundles ──


@pytest.fixture
def trust(tmp_path):
    (tmp_path / "trust.json").write_bytes(consortium().trust().encode())
    return tmp_path / "trust.json"


def test_of_what_it_does_not_know_it_says_so(tmp_path, trust):
    world = consortium()
    known = {"receivable", "split", "financing", "unregistered", "presentable"}
    bundles = world.all()
    answers = dict(zip(bundles, run_many(tmp_path, [b.encode() for b in bundles.values()], trust), strict=True))
    assert {name for name, (code, _) in answers.items() if code == 0} == known
    assert {code for name, (code, _) in answers.items() if name not in known} == {
        3
    }  # a 2nd set or checkpoint, a promise


def test_a_line_that_it_cannot_check_is_undecided_and_not_refuted(tmp_path, trust):
    """A witness's cosignature, or a validator's ML-DSA-44 line: we may verify them, this file cannot."""
    bundle = consortium().receivable()
    note, origin = bundle.checkpoints[0].note, consortium().origin
    validator = bundle.genesis.validators[0].address.hex()
    lines = (("witness.example/1", 76), (f"{origin}/v/{validator}", 2424))
    longer = [f"{note}— {name} {b64encode(bytes(size)).decode()}\n" for name, size in lines]
    shown = [replace(bundle, checkpoints=(replace(bundle.checkpoints[0], note=text),)) for text in longer]
    assert [code for code, _ in run_many(tmp_path, [one.encode() for one in shown], trust)] == [3, 3]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.update(logs=[]), 3),
        (lambda t: t["public_chains"][0].update(block_hashes=[]), 3),
        (lambda t: t["public_chains"][0].update(contracts=["AAAAAAAAAAAAAAAAAAAAAAAAAAA"]), 3),
        (lambda t: t["public_chains"][0].update(chain_id=1), 3),
        (lambda t: t["public_chains"].clear(), 3),
        (lambda t: t.pop("logs"), 2),
    ],
    ids=["no-log", "no-block", "other-contract", "other-chain", "no-chain", "no-trust-file"],
)
def test_without_trust_nothing_is_verified(tmp_path, trust, change, code):
    stated = json.loads(trust.read_bytes())
    change(stated)
    trust.write_text(json.dumps(stated))
    (tmp_path / "x.hb.json").write_bytes(consortium().receivable().encode())
    assert run(tmp_path / "x.hb.json", trust)[0] == code


# ── broken bundles ──

# What its docstring says it does not check, as places in the bundle. "unknown" is a member whose name was changed.
NOT_CHECKED = re.compile(
    r"unknown|format|purpose|genesis/validators/\d+/key_binding|certificates/\d+"
    r"|checkpoints/0/note|anchors/0/(tx_index|tree_size)"
)


def place(good, broken, path=()):
    """Where two documents differ first."""
    if isinstance(good, dict) and isinstance(broken, dict):
        if good.keys() != broken.keys():
            return "unknown"
        return next((found for key in good if (found := place(good[key], broken[key], (*path, key)))), "")
    if isinstance(good, list) and isinstance(broken, list) and len(good) == len(broken):
        pairs = enumerate(zip(good, broken, strict=True))
        return next((found for at, (one, two) in pairs if (found := place(one, two, (*path, str(at))))), "")
    return "" if good == broken else "/".join(path)


def test_no_flipped_byte_is_unseen_save_where_it_says_so(tmp_path, trust):
    """A byte in each spot of a bundle: what we refuse, it refuses, or its docstring names the place as not checked."""
    data, trusted = consortium().receivable().encode(), consortium().trust()
    positions = range(0, len(data), 11)
    broken = [data[:at] + bytes([data[at] ^ 1 << at % 7]) + data[at + 1 :] for at in positions]
    unseen = set()
    for bundle, (code, last) in zip(broken, run_many(tmp_path, broken, trust), strict=True):
        expected, _ = ours(bundle, trusted)
        if code == 0 and expected != 0:
            unseen.add(place(json.loads(data), json.loads(bundle)))
        assert code == 0 or expected != 0, last
    assert {where for where in unseen if not NOT_CHECKED.fullmatch(where)} == set()


def test_it_refuses_what_a_verifier_must_never_accept(tmp_path, trust):
    world = consortium()
    good = json.loads(world.receivable().encode())

    def changed(path, change):
        document = json.loads(json.dumps(good))
        *steps, last = path.split("/")
        inside = document
        for step in steps:
            inside = inside[int(step)] if step.isdecimal() else inside[step]
        key = int(last) if last.isdecimal() else last
        inside[key] = change(inside[key])
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    other = json.loads(consortium("other.example/log").receivable().encode())
    cases = {
        "note-below-quorum": changed("checkpoints/0/note", lambda _: world.note(4, 2)),
        "note-of-another-size": changed("checkpoints/0/note", lambda _: world.note(3)),
        "note-of-another-log": changed("checkpoints/0/note", lambda _: other["checkpoints"][0]["note"]),
        "quorum-line-doubled": changed("checkpoints/0/note", lambda n: n + n.splitlines()[-1] + "\n"),
        "genesis-of-another-log": changed("genesis", lambda _: other["genesis"]),
        "validator-removed": changed("genesis/validators", lambda v: v[1:]),
        "entry-path-short": changed("epochs/0/entries/0/path", lambda p: p[1:]),
        "entry-of-neighbour": changed("epochs/0/entries/0/index", lambda i: i ^ 1),
        "field-index-aliased": changed("epochs/0/entries/0/disclosures/0/index", lambda i: i + 32),
        "anchor-of-another-size": changed("anchors", lambda _: json.loads(world.document().encode())["anchors"]),
        "anchor-failed": changed("anchors/0", lambda _: anchor(world, status=0)),
        "anchor-of-another-contract": changed("anchors/0", lambda _: anchor(world, contract=b"\x01" * 20)),
        "no-proof": changed("anchors/0/proof", lambda _: []),
        "no-anchor": changed("anchors", lambda _: []),
        "json-spaces": world.receivable().encode().replace(b",", b", ", 1),
        "not-json": b"{",
        "empty": b"",
        "epoch-flipped": changed("epochs/0/record", lambda _: _b64(flip(world.closed[0].record.encode()))),
    }
    answers = dict(zip(cases, run_many(tmp_path, list(cases.values()), trust), strict=True))
    assert {name for name, (code, _) in answers.items() if code == 0} == set()
    for name, data in cases.items():
        assert ours(data, world.trust())[0] != 0, name


# ── the vectors of bundles ──

VECTORS = ROOT / "tests" / "vectors"
BUNDLES = ("bundle/verify", "rotation/verify", "replay/verify", "promise/verify", "registry/shown", "anchor/stamps")
# Parts that the docstring names as not checked; whatever is refuted for them alone may pass here.
UNCHECKED_PARTS = re.compile(
    r".*/(transaction|labels|key_binding)\b.*|/(certificates|public_blocks)\b.*|/genesis/validators/\d+/key_binding"
)


def vectors() -> Iterator[tuple[str, dict[str, Any], bytes, bytes]]:
    """Name, case, bundle and trust file."""
    for name in BUNDLES:
        document = json.loads((VECTORS / f"{name}.json").read_text())
        shared = {key: document[key] for key in ("bundles", "now")}
        for case in document["cases"]:
            given = {**shared, **case["input"]}
            yield f"{name} {case['name']}", case, bundle_bytes(given), bundle_trust(given)


def test_what_a_vector_refutes_it_never_verifies_save_in_parts_it_does_not_check(tmp_path):
    named = list(vectors())
    answers = run_many(tmp_path, [data for _, _, data, _ in named], [trust for *_, trust in named])
    passed = {
        name: {patch["path"] for patch in case["input"].get("patch", [])}
        for (name, case, _, _), (code, _) in zip(named, answers, strict=True)
        if code == 0 and case["class"] == "Refuted"
    }
    unexplained = {n: p for n, p in passed.items() if not p or not all(map(UNCHECKED_PARTS.fullmatch, p))}
    assert unexplained == {}


def test_what_a_vector_verifies_it_never_refutes(tmp_path):
    """Verified by both, or undecided here: a second set, a promise, a witness, a time that is no public block's."""
    good = [(name, data, trust) for name, case, data, trust in vectors() if case["class"] == "ok"]
    answers = run_many(tmp_path, [data for _, data, _ in good], [trust for *_, trust in good])
    codes = {name: code for (name, _, _), (code, _) in zip(good, answers, strict=True)}
    assert set(codes.values()) == {0, 3}
    assert codes["bundle/verify whole record"] == 0


def _b64(data):
    from hybrid_bridge.core.encoding import b64u  # noqa: PLC0415 beside its one use

    return b64u(data)


def anchor(world, **changes):
    bundle = world.bundle(4, world.epoch_part(1, 4), anchors=(world.anchor(4, **changes),))
    return json.loads(bundle.encode())["anchors"][0]
