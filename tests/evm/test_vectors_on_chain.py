"""The vectors of tests/vectors, judged by the deployed code: the same verdict class and the same error, by its name.

Two kinds of bytes never reach the contract. What the converter refuses (a strict signature, a disclosure that is one) is
refused there, with the error of the vector. A set that is malformed cannot be registered. Where the contract says something
else than the vector, the table DIFFERS says why; every row of it is needed.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.genesis import Genesis
from tests.evm import vector_judges as judges
from tests.evm.escrow import DEPOSIT, Escrow, call_of
from tests.evm.vector_judges import LEAF_1, OURS, addresses, to_seals
from tests.web.test_vectors_in_javascript import NOT_PORTED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evm.conftest import World

OK = "ok"
NOT_AN_ARGUMENT = "wrong in a part of the bundle that is no argument: the facts are those of the whole bundle"
ONE_ALONE = "the contract is shown one record: that it follows the one before is what its quorum signed"
A_LIST = "signatures are not named: with recovered addresses in their places the list is another"
NO_NEIGHBOURS = "what the genesis record and the clock fix, a reader compares first; here the path finds it"
ABOUT_AN_INDEX = "the contract answers about an index: whose label it is, and what it opens to, is the reader's"
TRUST = "what the verifier relies on is not in a trust file here: the caller pins registry and log"

# By operation: what the vectors say, what the contract or the converter before it says, and why that is right.
DIFFERS: dict[str, dict[tuple[str, str], str]] = {
    "entry/decode": dict.fromkeys(
        [("Truncated", "RecordMalformed"), ("TrailingBytes", "RecordMalformed")],
        "one error for both: expected and got tell which",
    ),
    "disclosure/shown": {
        ("FieldMismatch", OK): "the answer says in which half a field stands; requireClaim refuses a private one",
        ("FieldMalformed", OK): "rules of what is shown together, and of a schema: fields are asked for one by one",
    },
    "epoch/next": {
        ("FieldMismatch", OK): ONE_ALONE,
        ("FieldMismatch", "WordMalformed"): "the log id is a word that must be the pinned one",
        ("FieldMalformed", OK): "the ladder of batches stands in the genesis record, which is not kept on chain",
        ("WordMalformed", OK): "the contract judges words that it uses; the others are as the quorum signed them",
        ("WordMalformed", "RootMismatch"): "leaf 0 is the genesis record, so epoch 0 has no path",
    },
    "quorum/checkpoint": {
        ("SignerUnknown", "SetMismatch"): A_LIST,
        ("SignatureWrong", "SetMismatch"): A_LIST,
        ("FieldMismatch", "SetMismatch"): "time and set id are computed and not sent: other ones were signed",
        ("WordMalformed", "EntriesMalformed"): "entries are no record here: one error, with the index",
        ("RecordMalformed", "EntriesMalformed"): "entries are no record here: one error, with the index",
    },
    "note/quorum": dict.fromkeys(
        [("SignatureWrong", OK), ("FieldMalformed", OK)],
        "the log's own line is for readers of notes: a relayer takes the validators' lines alone",
    ),
    "quorum/power": {("SignerUnknown", "SetMismatch"): A_LIST},
    "quorum/sweep 0": {("FieldMalformed", "EntriesMalformed"): "entries are no record here: one error, with the index"},
    "quorum/sweep 1": {
        ("RecordMalformed", "EntriesMalformed"): "entries are no record here: one error, with the index"
    },
    "bundle/facts": {
        ("Missing", "RootMismatch"): "the contract is shown a claim, and finds it to be another than the agreed one",
        ("FieldMismatch", "RootMismatch"): NO_NEIGHBOURS,
        ("FieldMismatch", "WordMalformed"): "the log id is a word that must be the pinned one",
        ("RootMismatch", OK): "no text of a claim is an argument: requireClaim makes it of what was agreed",
        ("RootMismatch", "Missing"): "under another type the bundle does not show the record that is asked for",
        ("PathLength", "RootMismatch"): "the entry is proven before its fields",
        **dict.fromkeys(
            [("FieldMalformed", "Missing"), ("FieldMismatch", "Missing")],
            "rules of what is shown together: here each claim is looked for by its name",
        ),
    },
    "bundle/verify": {
        **dict.fromkeys(
            [
                *[("RootMismatch", OK), ("PathLength", OK), ("FieldMismatch", OK), ("BelowQuorum", OK)],
                *[("SignatureWrong", OK), ("IndexBeyondSize", OK), ("Truncated", OK), ("SetMismatch", OK)],
                *[("EntriesMalformed", OK), ("NotCanonical", OK), ("CertificateMalformed", OK), ("TrailingBytes", OK)],
                ("FieldMalformed", OK),
            ],
            NOT_AN_ARGUMENT,
        ),
        ("Missing", OK): TRUST,
        (
            "FieldMalformed",
            "PathLength",
        ): "the rule that size 1 proves nothing is that of bundles; the tree of size 1 is no head here",
        ("FieldMismatch", "RootMismatch"): NO_NEIGHBOURS,
        ("FieldMismatch", "IndexBeyondSize"): "an epoch beyond the checkpoint; a reader compares with the clock first",
        ("FieldMismatch", "WordMalformed"): "the log id is a word that must be the pinned one",
    },
    "replay/verify": {
        ("FieldMismatch", "RootMismatch"): "the head of the pinned log is another one",
        ("FieldMismatch", "WordMalformed"): "the log id is a word that must be the pinned one",
        **dict.fromkeys([("FieldMismatch", OK), ("SetMismatch", OK), ("SignatureWrong", OK)], NOT_AN_ARGUMENT),
        ("Missing", "RootMismatch"): "the head of the pinned log is another one",
    },
    "registry/shown": {
        **dict.fromkeys([("FieldMalformed", OK), ("FieldMismatch", OK), ("NotCanonical", OK)], ABOUT_AN_INDEX),
        **dict.fromkeys([("SignatureWrong", OK), ("Missing", OK)], ABOUT_AN_INDEX),
        ("FieldMismatch", "RootMismatch"): "a pair that another epoch lost or changed: each epoch is asked alone",
    },
}


ON_CHAIN = {
    *("tree/inclusion", "cross/inclusion", "tree/consistency", "entry/decode", "disclosure/shown", "epoch/next"),
    *("registry/proof", "quorum/checkpoint", "quorum/sweep", "quorum/power", "note/quorum", "bundle/facts"),
    *("bundle/verify", "replay/verify", "registry/shown"),
}


def test_the_table_of_implementations_says_who_answers_what(root: "Path") -> None:
    rows = re.findall(
        r"^\| `([a-z/-]+)` \| (✓|–)[^|]* \| (✓|–)[^|]* \| (✓|–)[^|]* \|$", text_of_table(root), re.MULTILINE
    )
    table = {name: tuple(mark == "✓" for mark in marks) for name, *marks in rows}
    files = {f"{path.parent.name}/{path.stem}" for path in (root / "tests" / "vectors").glob("*/*.json")}
    unported = {name.removesuffix(".json") for name in NOT_PORTED}
    assert table == {name: (True, name not in unported, name in ON_CHAIN) for name in files}
    assert {name.split(" ")[0] for name in DIFFERS} <= ON_CHAIN


def text_of_table(root: "Path") -> str:
    return (root / "tests" / "vectors" / "README.md").read_text()


def vectors(root: "Path", name: str) -> list[dict[str, Any]]:
    document = unhex(json.loads((root / "tests" / "vectors" / f"{name}.json").read_text()))
    shared = {key: value for key, value in document.items() if key not in {"operation", "count", "cases"}}
    return [{**case, "input": {**shared, **case["input"]}} for case in document["cases"]]


def unhex(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if isinstance(value, list):
        return [unhex(item) for item in value]
    if isinstance(value, dict):
        return {key: unhex(item) for key, item in value.items()}
    return value


def answer(call: Callable[[], Any]) -> tuple[str, Any]:
    """OK and the value; or the error's name, and whether the contract itself refused."""
    try:
        return OK, call()
    except errors.BridgeError as refusal:
        return type(refusal).__name__, False
    except Exception as refusal:  # noqa: BLE001 Refused is a class of the conftest, which no test can import
        return refusal.name, True  # type: ignore[attr-defined]


def require_agreement(
    operation: str, cases: list[dict[str, Any]], judge: Callable[[dict[str, Any]], Any], least: int
) -> None:
    """Every case: the vector's error or value, or a row of DIFFERS, each of which is met. `least` were refused on chain."""
    assert operation.split(" ", maxsplit=1)[0] in ON_CHAIN
    differing: dict[tuple[str, str], str] = {}
    wrong, refused = [], Counter[bool]()
    for case in cases:
        name, value = answer(partial(judge, case["input"]))
        expected = OK if case["class"] == OK else case["expected"]
        if name != OK:
            refused[value] += 1
        if name != expected:
            differing.setdefault((expected, name), case["name"])
        elif name == OK and value != case["expected"]:
            wrong.append((case["name"], case["expected"], value))
    allowed = DIFFERS.get(operation, {})
    unforeseen = {pair: case for pair, case in differing.items() if pair not in allowed}
    assert (unforeseen, wrong) == ({}, [])
    assert [pair for pair in allowed if pair not in differing] == [], "a row that nothing needs"
    assert refused[True] >= least, refused


def test_of_trees_the_contract_says_what_the_vectors_say(world: "World", root: "Path") -> None:
    inclusion = partial(judges.inclusion, world)
    require_agreement("tree/inclusion", vectors(root, "tree/inclusion"), inclusion, 700)
    require_agreement("cross/inclusion", vectors(root, "cross/inclusion"), inclusion, 15)
    require_agreement("tree/consistency", vectors(root, "tree/consistency"), partial(judges.consistency, world), 450)


def test_of_entries_fields_and_epochs_it_does(world: "World", root: "Path") -> None:
    require_agreement("entry/decode", vectors(root, "entry/decode"), partial(judges.entry, world), 15)
    require_agreement("disclosure/shown", vectors(root, "disclosure/shown"), partial(judges.shown, world), 5)
    require_agreement("epoch/next", vectors(root, "epoch/next"), partial(judges.epochs, world), 10)


def test_of_registry_paths_it_does(world: "World", root: "Path") -> None:
    cases = [case for case in vectors(root, "registry/proof") if case["input"]["rules"][0] == OURS]
    require_agreement("registry/proof", cases, partial(judges.registry_proof, world), 200)


def test_of_quorums_and_notes_it_does(world: "World", root: "Path") -> None:
    checkpoint = partial(judges.checkpoint, world)
    require_agreement("quorum/checkpoint", named(vectors(root, "quorum/checkpoint")), checkpoint, 18)
    require_agreement("note/quorum", named(vectors(root, "note/quorum")), partial(judges.note, world), 5)


def named(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the vectors' values: the contract's answer names no signers, and is no text of evidence."""
    return [case | {"expected": None} if case["class"] == OK else case for case in cases]


@pytest.mark.parametrize("half", [0, 1])
def test_of_the_quorum_sweep_it_does(world: "World", root: "Path", half: int) -> None:
    cases = vectors(root, "quorum/sweep")
    chosen = named([case for case in cases if case["input"]["members"] % 2 == half])
    require_agreement(f"quorum/sweep {half}", chosen, partial(judges.checkpoint, world), 30)


def test_of_appointments_it_does(world: "World", root: "Path") -> None:
    rotation = next(c for c in vectors(root, "quorum/checkpoint") if c["name"] == "new-set-at-handover")
    judge = partial(judges.power, world, new=rotation["input"]["sets"][1]["entries"])
    require_agreement("quorum/power", named(vectors(root, "quorum/power")), judge, 8)


@pytest.mark.parametrize("name", ["bundle/verify", "replay/verify", "registry/shown"])
def test_of_whole_bundles_it_states_what_the_whole_one_states_or_refuses(
    world: "World", root: "Path", name: str
) -> None:
    """Whatever is wrong in a bundle: no fact comes out of it that the log did not hold."""
    cases = [case for case in vectors(root, name) if "text" not in case["input"]]
    said = set[str]()
    bundles = cases[0]["input"]["bundles"]
    whole = [{"bundles": bundles, "bundle": base} for base in bundles]
    whole += [case["input"] for case in cases if case["class"] == OK]
    true = {fact for given in whole for fact in judges.facts(world, given)}

    def judge(given: dict[str, Any]) -> None:
        said.update(judges.facts(world, given))

    require_agreement(name, named(cases), judge, 10)
    assert true
    assert said == true


def test_of_a_receivable_that_an_escrow_waits_for_it_does(
    world: "World", root: "Path", compiled: dict[str, Any]
) -> None:
    """The fact proven from a bundle: Python and JavaScript verify it, and the money moves, for the same bytes only."""

    def judge(given: dict[str, Any]) -> None:
        told = judges.pinned(world, {**given, "bundle": "confirmed"})
        log_id = bytes.fromhex(told["logId"][2:])
        escrow = Escrow(world, compiled["ReceivableEscrow"], log_id, receivable(given["wants"]))
        try:
            escrow.release(call_of(told))
        finally:
            assert escrow.balances()[0] in (0, DEPOSIT)
        assert escrow.balances()[0] == 0

    require_agreement("bundle/facts", vectors(root, "bundle/facts"), judge, 50)


def receivable(wants: dict[str, Any]) -> tuple[str, ...]:
    """What is wanted, as the parties would have agreed on it. No escrow is about two receivables."""
    registered, confirmed = wants["0x0101"], wants["0x0102"]
    about = min(registered["object"], confirmed["object"])
    values = about, registered["debtor"], registered["creditor_key"], confirmed["ccy"], confirmed["gross"]
    return tuple(json.dumps(value) for value in values)


# ── known answers ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_of_the_specification_registers_and_anchors_its_second_size(world: "World", root: Any) -> None:
    """SPEC §17: genesis record, logId, root of size 2, signatures by the keys 1 … 4."""
    good = next(c["input"] for c in vectors(root, "quorum/checkpoint") if c["name"] == "quorum-good three of four")
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    genesis = Genesis(
        origin_hash=sha256(b"example.org/receivables"),
        spec_version=1,
        genesis_time=1_800_000_000,
        cadence=600,
        grace=1800,
        promise_delay=6,
        batch_ladder=0x440,
        registry_ladder=0x14,
        registry_suite=1,
        vrf_public_key=key,
        registry_root=bytes.fromhex("c40cacfb08a7fff466a9e3cf144b471e451a5928705e1b9d0e12e225a4b2734e"),
        label_table_hash=sha256(b"label table"),
        set_hash=good["set_hash"],
        decoy_key_hash=bytes.fromhex("880a9f1dc9e486eb8a390b81eb6ed59ef1e8147dd96accd9a5a797312332b394"),
        log_key=key,
        receipt_key=bytes(32),
        log_mldsa_key_hash=bytes(32),
        guardian=bytes(20),
        pause_max=86_400,
        ledger_id=sha256(b"ledger"),
        first_block=1,
        policy_hash=sha256(b"policy"),
    )
    entries = good["sets"][0]["entries"]
    log_id = world.registry.call("register", genesis.encode(), "example.org/receivables", entries)
    assert log_id.hex() == "2723b7869e5eafec1e8a2c0f79c66dab9f0d693a03ceb1602ec9df710a6a905a"
    digest = bytes.fromhex("71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746")
    signers, packed = to_seals(digest, addresses(entries), good["signatures"])
    assert world.registry.call("anchor", log_id, 1, (2, good["root"], good["set_hash"], signers), [LEAF_1], packed)
    assert world.head(log_id)[:3] == (2, good["root"], 1_800_000_600)
