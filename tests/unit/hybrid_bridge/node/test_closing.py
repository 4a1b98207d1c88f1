"""Epochs: validators compute the same record alone; a member without the secret copies it and is not fooled."""

from collections.abc import Callable, Iterator

import pytest

from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.entry import RecordEntry, entry_leaf
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import BelowQuorum, BridgeError, FieldMismatch, NotYet, SignatureWrong, SignerUnknown
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.closing import Closer, run_closing
from hybrid_bridge.node.copying import Copier
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, EpochNumber, LeafIndex, TreeSize
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started


def with_epochs(members: Members, count: int = 2) -> Members:
    """`count` epochs closed by every validator."""
    started(members)
    for number in range(1, count + 1):
        members.spread(members.order(START + number * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
    return members


def first_epoch(members: Members) -> Members:
    """Founded, and epoch 1 closed and attested by every validator."""
    members = started(members)
    members.spread(members.order(START + CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
    attest_all(members)
    return members


def attest_all(members: Members) -> None:
    """Every validator signs what it closed, and every word reaches core."""
    for name in VALIDATORS:
        opened = members.open(name)
        view = opened.view
        assert opened.guard is not None
        assert view.keys.attestation is not None
        Attester(view.logbook, opened.guard, view.keys.attestation, view.brake).sign_all(view.progress)
        for signed in view.epochs.attested(view.keys.attestation.address(), TreeSize(0)):
            members.open("core").view.logbook.take_attestation(view.keys.attestation.address(), signed)
    core = members.open("core").view
    assert core.keys.log is not None
    core.logbook.sign_lines(core.keys.log, core.keys.log_mldsa)


def test_validators_compute_the_same_log_alone(members: Members) -> None:
    with_epochs(members)
    roots = {members.open(name).view.logbook.root() for name in VALIDATORS}
    assert len(roots) == 1
    assert members.open("core").view.logbook.size == 3


def test_an_epoch_is_not_closed_before_its_end_is_final(members: Members) -> None:
    started(members)
    with pytest.raises(NotYet):
        members.close_epoch("core")
    members.order(START + CADENCE)  # the end exists, and only core has it
    with pytest.raises(NotYet):
        members.close_epoch("core")


def test_epochs_without_blocks_are_written_later_one_leaf_each(members: Members) -> None:
    started(members)
    members.spread(members.order(START + 5 * CADENCE))
    for _ in range(5):
        members.close_epoch("core")
    view = members.open("core").view
    assert view.logbook.size == 6
    assert view.logbook.record(EpochNumber(3)).first_block == view.logbook.record(EpochNumber(3)).end_block == 2
    with pytest.raises(NotYet):
        members.close_epoch("core")


def test_the_log_is_the_same_after_a_restart(members: Members) -> None:
    with_epochs(members, 3)
    attest_all(members)
    before = members.open("core").view
    size, root, note = before.logbook.size, before.logbook.root(), before.logbook.note(TreeSize(4))
    registry = before.logbook.registry(EpochNumber(2)).root
    after = members.reopen("core").view
    assert (after.logbook.size, after.logbook.root(), after.logbook.note(TreeSize(4))) == (size, root, note)
    assert after.logbook.registry(EpochNumber(2)).root == registry
    assert (after.progress.quorum, after.progress.line, after.progress.attested) == (4, 4, 4)


def test_two_signatures_are_no_quorum(members: Members) -> None:
    with_epochs(members, 1)
    core = members.open("core").view
    for name in VALIDATORS[:2]:
        key = members.open(name).view.keys.attestation
        assert key is not None
        checkpoint = core.logbook.checkpoint(TreeSize(2))
        signature = sign_digest(key._private_key, checkpoint.digest())
        core.logbook.take_attestation(key.address(), SizedSignature(TreeSize(2), checkpoint.root, signature))
    assert core.progress.quorum == 0
    with pytest.raises(NotYet):
        core.logbook.note(TreeSize(2))


def test_a_signature_that_is_not_the_validators_is_refused(members: Members) -> None:
    with_epochs(members, 1)
    core = members.open("core").view
    checkpoint = core.logbook.checkpoint(TreeSize(2))
    signature = sign_digest(b"\x09" * 32, checkpoint.digest())
    signed = SizedSignature(TreeSize(2), checkpoint.root, signature)
    with pytest.raises(SignatureWrong):
        core.logbook.take_attestation(core.directory.validators.addresses[0], signed)
    with pytest.raises(SignerUnknown):
        core.logbook.take_attestation(Address(bytes(20)), signed)


def test_a_validator_that_signed_another_root_leaves_evidence_and_does_not_count(members: Members) -> None:
    with_epochs(members, 1)
    core, liar = members.open("core").view, members.open("bank-a").view.keys.attestation
    assert liar is not None
    other = core.directory.checkpoint(TreeSize(2), Digest(b"\x07" * 32))
    signature = sign_digest(liar._private_key, other.digest())
    core.logbook.take_attestation(liar.address(), SizedSignature(TreeSize(2), other.root, signature))
    (evidence,) = core.witness.kept()
    assert (evidence.kind, evidence.signer, evidence.number) == ("checkpoint", liar.address(), 2)
    assert core.epochs.signatures(TreeSize(2), core.logbook.root()) == {}
    assert core.brake.reason == ""  # one liar stops nobody


def test_a_line_of_another_log_key_is_refused(members: Members) -> None:
    with_epochs(members, 1)
    with pytest.raises(BridgeError):
        members.open("bank-a").view.logbook.take_line(TreeSize(2), bytes(64))


def test_what_was_signed_before_a_crash_is_found_again(members: Members) -> None:
    with_epochs(members, 2)
    attest_all(members)
    before = members.open("bank-a").view.epochs.attested(address_of(members, "bank-a"), TreeSize(0))
    members.reopen("bank-a")
    attest_all(members)
    assert members.open("bank-a").view.epochs.attested(address_of(members, "bank-a"), TreeSize(0)) == before


def address_of(members: Members, name: str) -> Address:
    return Address(members.open("core").view.directory.member(name).address or b"")


# ── copying ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Source:
    """A validator as the regulator asks it; `change` lies about what it sends."""

    def __init__(self, members: Members, **change: bytes) -> None:
        self._view, self._change = members.open("core").view, change
        self.name, self.log = "core", self

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        note = self._change.get("note", b"").decode() or self._view.logbook.note(size)
        return NotedCheckpoint(size, note, ())

    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        for row in self._view.epochs.epochs(first, last):
            fields = {"record": row.record, "entries": row.entries, "pairs": row.pairs}
            yield pb.EpochMessage(**(fields | {k: v for k, v in self._change.items() if k in fields}))


def copier(members: Members, source: Source) -> Copier:
    view = members.open("regulator").view
    closer = Closer(view.ledger, view.logbook, view.directory, view.progress)
    return Copier(closer, view.logbook, view.directory, lambda: [source])


def test_a_regulator_copies_the_log_that_validators_signed(members: Members) -> None:
    with_epochs(members, 2)
    attest_all(members)
    copying = copier(members, Source(members))
    copying.copy_next()
    copying.copy_next()
    assert members.open("regulator").view.logbook.root() == members.open("core").view.logbook.root()
    with pytest.raises(NotYet):
        copying.copy_next()


def test_nothing_is_copied_without_a_quorum(members: Members) -> None:
    with_epochs(members, 1)
    with pytest.raises(NotYet):
        copier(members, Source(members)).copy_next()
    attest_all(members)
    note = members.open("core").view.logbook.note(TreeSize(2))
    lines = note.splitlines(keepends=True)
    alone = "".join(lines[:4] + lines[4:7])  # the log's line and two validators
    with pytest.raises(BelowQuorum):
        copier(members, Source(members, note=alone.encode())).copy_next()


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_source_that_changes_anything_is_found_out(members: Members) -> None:
    with_epochs(members, 1)
    attest_all(members)
    row = members.open("core").view.logbook.closed(EpochNumber(1))
    swapped = row.pairs[64:128] + row.pairs[:64] + row.pairs[128:]
    for change in (
        {"record": flipped(row.record)},
        {"record": b"short"},
        {"entries": row.entries[:-37]},
        {"entries": row.entries[37:74] + row.entries[:37] + row.entries[74:]},
        {"entries": row.entries[:-1]},
        {"pairs": row.pairs[:-64]},
        {"pairs": swapped[:-1]},
        {"pairs": flipped(row.pairs)},
    ):
        with pytest.raises(BridgeError):
            copier(members, Source(members, **change)).copy_next()
    assert members.open("regulator").view.logbook.size == 1


def test_a_batch_that_hides_a_record_among_decoys_is_found_out(members: Members) -> None:
    with_epochs(members, 1)
    attest_all(members)
    core = members.open("core").view
    row = core.logbook.closed(EpochNumber(1))
    entries = [row.entries[at : at + 37] for at in range(0, len(row.entries), 37)]
    forged = RecordEntry(0x0101, 8, Digest(b"\x05" * 32)).encode()
    batch = Batch(sorted([forged, *entries[1:]], key=entry_leaf))
    record = core.logbook.record(EpochNumber(1))
    data = bytearray(record.encode())
    data[224:256] = batch.root  # word 7, batchRoot
    with pytest.raises(FieldMismatch):
        copier(members, Source(members, record=bytes(data), entries=b"".join(batch.entries))).copy_next()


def test_what_a_bundle_needs_of_the_log_is_there(members: Members) -> None:
    with_epochs(members, 2)
    logbook = members.open("core").view.logbook
    assert logbook.leaf(LeafIndex(0)) == members.foundation.genesis.log_id
    assert logbook.inclusion_path(LeafIndex(1), TreeSize(3))
    with pytest.raises(NotYet):
        logbook.inclusion_path(LeafIndex(1), TreeSize(9))
    with pytest.raises(NotYet):
        logbook.record(EpochNumber(9))
    with pytest.raises(NotYet):
        logbook.registry(EpochNumber(9))


@pytest.mark.parametrize("what", ["final", "quorum"])
def test_who_has_closed_all_looks_again_when_a_block_is_final_or_a_quorum_has_signed(what: str) -> None:
    """By the quorum, for a line of the log's keys may wait for it (ADR 61)."""

    class Woken(Progress):
        def wait(self, until: Callable[[], bool], seconds: float) -> bool:
            asked = until()
            self.raised(what, 7)
            woken.append((asked, until()))
            self.stop()
            return True

    def close() -> None:
        raise NotYet(what="epoch 7")

    woken: list[tuple[bool, bool]] = []
    run_closing(close, Woken())
    assert woken == [(False, True)]
