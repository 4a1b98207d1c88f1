"""`hybrid-bridge export`, and `hybrid-bridge verify` on what it wrote."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.trust import TrustedLog
from tests.bundles import consortium, edit, flip

TRUSTED = ("--trust", "trust.json")
WORLD = consortium()


def leaf(event):
    return leaf_hash(WORLD.entry(event).entry).hex()


@pytest.fixture
def exported(typed, folder):
    """`exported("sd-jwt")` writes ./out from the receivable; more arguments go along."""
    history = WORLD.history()
    history = replace(history, checkpoints=tuple(map(WORLD.receipted, history.checkpoints)))
    (folder / "history.hb.json").write_bytes(history.encode())

    def command(name, *more, file="presentable.hb.json"):
        return typed("export", file, "--format", name, "--out", "out", *more)

    return command


# ── written and verified ──


@pytest.mark.parametrize("name", ["tlog-proof", "cose-receipt", "sd-jwt"])
def test_what_is_exported_verifies(exported, typed, name):
    outcome = exported(name)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"out: {name}, ")
    subject = ("--subject", "receivable.hb.json") if name == "cose-receipt" else ()
    verified = typed("verify", "out", *TRUSTED, *subject)
    assert verified.code == 0
    assert verified.out.startswith(f"VERIFIED: {name}\n")
    assert typed("verify", "out", *TRUSTED, *subject, "--json").json()["kind"] == name


def test_a_package_is_the_bundle_whole(exported, typed):
    outcome = exported("zip")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("out: 0 documents, ")
    verified = typed("verify", "out", *TRUSTED)
    assert verified.code == 0
    assert "Evidence package" in verified.out


@pytest.mark.parametrize(
    ("name", "more"),
    [("zip", ("--epoch", "1")), ("zip", ("--field", "gross")), ("sd-jwt", ("--artefact", "presentable.hb.json"))],
)
def test_an_option_of_another_format_is_wrong_usage(exported, name, more):
    outcome = exported(name, *more)
    assert outcome.code == 2
    assert f"{more[0]} is not for {name}" in outcome.err


def test_a_consistency_receipt_says_that_a_later_checkpoint_extends_an_earlier_one(exported, typed):
    assert exported("cose-receipt", "--from", "4", file="history.hb.json").code == 0
    verified = typed("verify", "out", *TRUSTED, "--subject", "receivable.hb.json")
    assert verified.code == 0
    assert "sizes: 4 → 6" in verified.out


def test_a_holder_may_show_fewer_fields_than_the_bundle(exported, typed):
    exported("sd-jwt", "--field", "due_date")
    fields = typed("verify", "out", *TRUSTED, "--json").json()["fields"]
    assert sorted(field["name"] for field in fields) == ["_origin", "_schema", "due_date"]


def test_the_epoch_or_the_entry_says_which_of_several(exported, typed):
    assert exported("tlog-proof", "--epoch", "3", file="history.hb.json").code == 0
    assert "epoch: 3, " in typed("verify", "out", *TRUSTED).out
    assert exported("tlog-proof", "--entry", leaf(2), file="financing.hb.json").code == 2  # it shows other records
    assert exported("tlog-proof", "--entry", leaf(14), file="financing.hb.json").code == 0
    assert exported("sd-jwt", "--epoch", "1", "--entry", leaf(2)).code == 0


# ── refused, by who must act ──


def test_several_epochs_or_entries_and_no_choice_is_wrong_usage(exported):
    outcome = exported("tlog-proof", file="history.hb.json")
    assert outcome.code == 2
    assert "--epoch: the bundle shows 1, 2, 3" in outcome.err
    outcome = exported("sd-jwt", file="split.hb.json")
    assert outcome.code == 2
    assert "--entry: the bundle shows " in outcome.err
    assert exported("sd-jwt", "--epoch", "2").code == 2


@pytest.mark.parametrize(
    "more", [("--epoch", "2"), ("--epoch", "0"), ("--entry", "00"), ("--entry", "00" * 32), ("--from", "4")], ids=str
)
def test_what_the_bundle_does_not_show_is_2(exported, more):
    assert exported("cose-receipt", *more).code == 2


def test_a_format_that_is_none_is_wrong_usage(exported):
    assert exported("pdf").code == 2


def test_a_file_that_is_no_bundle_is_malformed(exported):
    assert exported("tlog-proof", file="trust.json").code == 2


def test_a_bundle_without_receipt_or_jwt_says_how_to_get_one(exported, folder):
    plain = edit(WORLD.presentable(), "checkpoints.0.receipt", lambda _: None)
    plain = edit(plain, "epochs.0.entries.0.issuer_jwt", lambda _: None)
    (folder / "plain.hb.json").write_bytes(plain.encode())
    outcome = exported("cose-receipt", file="plain.hb.json")
    assert outcome.code == 3
    assert "member bundle --receipt" in outcome.err
    outcome = exported("sd-jwt", file="plain.hb.json")
    assert outcome.code == 3
    assert "member bundle --presentable" in outcome.err
    assert exported("tlog-proof", file="plain.hb.json").code == 0


@pytest.mark.parametrize(
    ("name", "path", "change"),
    [
        ("tlog-proof", "epochs.0.path.0", flip),
        ("cose-receipt", "checkpoints.0.receipt", lambda data: flip(data, 300)),
        ("sd-jwt", "epochs.0.entries.0.disclosures.2.value", lambda _: WORLD.entry(14, "*").disclosures[2].value),
    ],
)
def test_nothing_false_is_written(exported, folder, name, path, change):
    (folder / "forged.hb.json").write_bytes(edit(WORLD.presentable(), path, change).encode())
    assert exported(name, file="forged.hb.json").code == 1
    assert not (folder / "out").exists()


# ── the verifier's side ──


def test_a_changed_export_is_refuted_or_malformed(exported, typed, folder):
    exported("tlog-proof")
    data = (folder / "out").read_bytes()
    (folder / "out").write_bytes(data.replace(b"index 1\n", b"index 2\n"))
    assert typed("verify", "out", *TRUSTED).code == 1
    (folder / "out").write_bytes(data.replace(b"index 1\n", b"index 01\n"))
    assert typed("verify", "out", *TRUSTED).code == 2


def test_without_trust_an_export_is_incomplete(exported, typed):
    exported("tlog-proof")
    outcome = typed("verify", "out")
    assert outcome.code == 3
    assert outcome.out.startswith("INCOMPLETE: its own statement could not be verified: tlog-proof\n")


def test_the_genesis_record_may_come_from_a_file_if_its_id_is_trusted(exported, typed, folder):
    exported("tlog-proof")
    (folder / "genesis.bin").write_bytes(WORLD.genesis.encode())
    (folder / "short.json").write_bytes(WORLD.trust(logs=(TrustedLog(log_id=WORLD.genesis.log_id),)).encode())
    assert typed("verify", "out", "--trust", "short.json").code == 3
    assert typed("verify", "out", "--trust", "short.json", "--genesis", "genesis.bin").code == 0
    assert typed("verify", "out", "--log", WORLD.genesis.log_id.hex(), "--genesis", "genesis.bin").code == 0
    assert typed("verify", "out", "--log", "00" * 32, "--genesis", "genesis.bin").code == 1
    assert typed("verify", "out", "--genesis", "genesis.bin").code == 1


@pytest.mark.parametrize("option", ["--genesis", "--subject"])
def test_an_option_for_exports_is_not_for_bundles(typed, option):
    assert typed("verify", "receivable.hb.json", *TRUSTED, option, "trust.json").code == 2


def test_an_endpoint_is_not_for_exports(exported, typed):
    exported("tlog-proof")
    outcome = typed("verify", "out", *TRUSTED, "--rpc", "http://127.0.0.1:1")
    assert outcome.code == 2
    assert "--rpc is not for an export" in outcome.err


def test_a_trust_file_whose_genesis_record_is_another_is_malformed(typed, folder):
    data = (folder / "trust.json").read_text()
    other = consortium("other.example/log").trust().encode().decode()
    pick = lambda text: text.split('"genesis": "')[1].split('"')[0]  # noqa: E731
    (folder / "trust.json").write_text(data.replace(pick(data), pick(other)))
    assert typed("verify", "receivable.hb.json", *TRUSTED).code == 2
