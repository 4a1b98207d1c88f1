"""A log that signs its notes by ML-DSA-44 too: founded, signed, copied by followers, shown in bundles, verified."""

from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json, sha256
from hybrid_bridge.core.note import TYPE_MLDSA, VerifierKey
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import BridgeError, FieldMalformed, FieldMismatch, KeyUnusable, SignatureWrong
from hybrid_bridge.node.bundling import BundleOrder, Bundler
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import EpochNumber, TreeSize, UnixSeconds
from tests.bundles import flip
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, Members, plan, randomness
from tests.unit.hybrid_bridge.node.test_closing import first_epoch


@pytest.fixture
def quantum(tmp_path: Path):
    foundation = found(replace(plan(), post_quantum=True), randomness("q"), START)
    lay(foundation, tmp_path / "quantum")
    members = Members(tmp_path / "quantum", foundation)
    with members.stack:
        yield members


@pytest.fixture
def closed(quantum: Members) -> Members:
    return first_epoch(quantum)


def bundle(members: Members, name: str) -> Bundle:
    return Bundler(members.open(name).view, lambda _size: b"").bundle(
        BundleOrder(
            purpose="checkpoint",
            records=(),
            labels=(),
            size=TreeSize(0),
            label_epoch=EpochNumber(0),
        )
    )


def judged(made: Bundle, members: Members):
    log = TrustedLog(log_id=members.foundation.genesis.log_id)
    return verify(made.encode(), Trust(logs=(log,), require=("integrity", "quorum")), UnixSeconds(START + CADENCE))


def test_only_the_sequencer_holds_the_key_and_all_know_its_public_half(quantum: Members) -> None:
    held = [(quantum.folder(name) / "keys" / "log_mldsa.key").exists() for name in NAMES]
    assert held == [True] + [False] * (len(NAMES) - 1)
    public = quantum.open("core").view.directory.log_mldsa_key
    assert public is not None
    assert sha256(public) == quantum.foundation.genesis.log_mldsa_key_hash


def test_the_line_reaches_followers_and_the_bundle_verifies(closed: Members) -> None:
    made = bundle(closed, "core")
    assert made.genesis.mldsa_key is not None
    origin = made.genesis.origin
    line = parse_note(made.checkpoints[0].note).lines[1]
    assert line.key_id == VerifierKey(origin, TYPE_MLDSA, made.genesis.mldsa_key).key_id
    assert judged(made, closed).complete
    stored = closed.open("core").view.epochs.line(TreeSize(2))
    follower = closed.open("bank-a").view.logbook
    follower.take_line(TreeSize(2), stored)
    assert tuple(follower._log_lines(stored)) == parse_note(made.checkpoints[0].note).lines[:2]


def test_a_follower_refuses_what_lacks_a_signature_or_has_a_wrong_one(closed: Members) -> None:
    stored = closed.open("core").view.epochs.line(TreeSize(2))
    follower = closed.open("bank-a").view.logbook
    for wrong, error in ((stored[:64], FieldMalformed), (flip(stored), SignatureWrong), (stored + b"\0", BridgeError),
                         (stored[:-1], FieldMalformed)):  # fmt: skip
        with pytest.raises(error):
            follower.take_line(TreeSize(2), wrong)


def test_a_log_without_such_a_key_takes_no_such_line(members: Members, closed: Members) -> None:
    stored = closed.open("core").view.epochs.line(TreeSize(2))
    with pytest.raises(FieldMalformed):
        members.open("core").view.logbook._log_lines(stored)


def test_a_wrong_or_doubled_line_or_another_key_is_refused_by_the_verifier(closed: Members) -> None:
    made = bundle(closed, "core")
    note = parse_note(made.checkpoints[0].note)
    log, quantum_line, *others = note.lines

    def with_lines(*lines) -> Bundle:
        part = replace(made.checkpoints[0], note=replace(note, lines=lines).text())
        return replace(made, checkpoints=(part,))

    assert judged(with_lines(log, *others), closed).complete  # it may be left out
    altered = replace(quantum_line, signature=flip(quantum_line.signature))
    for wrong, error in (
        (with_lines(log, altered, *others), SignatureWrong),
        (with_lines(log, quantum_line, quantum_line, *others), FieldMalformed),
        (replace(made, genesis=replace(made.genesis, mldsa_key=None)), FieldMalformed),
        (replace(made, genesis=replace(made.genesis, mldsa_key=bytes(1312))), FieldMismatch),
    ):
        with pytest.raises(error):
            judged(wrong, closed)


def test_a_directory_with_another_key_and_a_lost_seed_are_refused(quantum: Members) -> None:
    folder = quantum.folder("core")
    document = parse_canonical_json((folder / "members.json").read_bytes(), "members", 1 << 20)
    del document["log_mldsa_key"]
    (folder / "members.json").write_bytes(canonical_json(document))
    with pytest.raises(FieldMismatch) as caught:
        read_directory(folder)
    assert caught.value.field == "log_mldsa_key"


def test_the_sequencer_of_such_a_log_needs_the_seed(quantum: Members) -> None:
    (quantum.folder("core") / "keys" / "log_mldsa.key").write_text("00" * 32 + "\n")
    with pytest.raises(KeyUnusable) as caught:
        quantum.open("core")
    assert caught.value.key == "log_mldsa"
