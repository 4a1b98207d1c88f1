"""Where a new member's engine begins to believe: shown by anybody, believed of a quorum alone."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.core.bundle import Bundle, RotationPart, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.governance import SetUpdate
from hybrid_bridge.core.roll import Roll
from hybrid_bridge.errors import Equivocation, Missing, SettingsMalformed, StoreBroken, Unreachable
from hybrid_bridge.node import trusting
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.node.syncing import Mark, read_mark, write_mark
from hybrid_bridge.node.trusting import TRUSTED_FOR, TrustedBlock, order_sync, trusted_block
from hybrid_bridge.node.walking import require_one_history
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Digest, EpochNumber, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_engine import laid_with_engines  # noqa: F401 a fixture
from tests.unit.hybrid_bridge.node.test_enrolling import grown
from tests.unit.hybrid_bridge.node.test_restoring import Peer as Restored
from tests.unit.hybrid_bridge.node.test_restoring import sign

__all__ = ["grown"]

EPOCHS = 6
NOW = UnixSeconds(START + (EPOCHS + 2) * CADENCE)


class Peer(Restored):
    """Another member's answers from its own stores; a liar's subclass changes some."""

    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        for epoch in self._view.epochs.epochs(first, last):
            yield pb.EpochMessage(record=self.record(epoch.record))

    def record(self, data: bytes) -> bytes:
        return data

    @property
    def log(self) -> "Peer":
        return self


class UpTo(Peer):
    """Knows no newer checkpoint."""

    def __init__(self, members: Members, name: str, size: int) -> None:
        super().__init__(members, name)
        self.size = size

    def newest_quorum_size(self) -> TreeSize:
        return TreeSize(self.size)


class Away(Peer):
    def newest_quorum_size(self) -> TreeSize:
        raise Unreachable(endpoint=self.name, call="Newest")


class AnotherBlock(Peer):
    """Its own block under the height that all others know."""

    def record(self, data: bytes) -> bytes:
        return replace(EpochRecord.decode(data), last_block_hash=bytes(31) + b"\x01").encode()


class AnotherEpoch(Peer):
    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        return super().epochs(EpochNumber(first - 1), EpochNumber(last - 1))


class NoRecord(Peer):
    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        return iter(())


class AnotherSize(Peer):
    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        return super().checkpoint(TreeSize(size - 1))


class NoQuorum(Peer):
    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        shown = super().checkpoint(size)
        head, lines = shown.note.split("\n\n")
        return replace(shown, note="\n\n".join((head, "".join(lines.splitlines(keepends=True)[:2]))))


class WrongPath(Peer):
    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        return list(super().consistency_path(old, new))[::-1]


class ShortPath(Peer):
    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        return []


@pytest.fixture(scope="module")
def members(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """Seven leaves that all validators signed; the last epoch but one has no block."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("trusting") / "out"
    shutil.copytree(root, folder)
    members = started(Members(folder, foundation))
    with members.stack:
        for number in (1, 2, 3, 4, EPOCHS):
            members.spread(members.order(START + number * CADENCE))
        members.spread(members.order(START + (EPOCHS + 1) * CADENCE))
        for name in VALIDATORS:
            for _ in range(EPOCHS):
                members.close_epoch(name)
        sign(members, *VALIDATORS)
        core = members.open("core").view
        assert core.keys.log is not None
        core.logbook.sign_lines(core.keys.log, core.keys.log_mldsa)
        for name in VALIDATORS[1:]:
            for size, line in core.epochs.lines(TreeSize(0)):
                members.open(name).view.logbook.take_line(size, line)
        yield members


def believed(members: Members, *peers: Peer, now: UnixSeconds = NOW) -> TrustedBlock:
    return trusted_block(members.open("bank-b").view.directory, peers, now)


@pytest.mark.parametrize("size", range(2, EPOCHS + 1))
def test_the_last_block_of_the_newest_epoch_with_one_is_believed(members: Members, size: int) -> None:
    """Trees of every shape: with one leaf before the last, two, three, four, five."""
    found = believed(members, UpTo(members, "core", size))
    record = members.open("core").view.logbook.record(EpochNumber(size - 1))
    assert (found.height, found.hash, found.size) == (record.end_block - 1, record.last_block_hash, size)


def test_an_epoch_without_a_block_is_passed_over(members: Members) -> None:
    record = members.open("core").view.logbook.record(EpochNumber(EPOCHS))
    assert record.first_block == record.end_block
    assert believed(members, Peer(members, "core")).size == EPOCHS


@pytest.mark.parametrize(
    "liar", [Away, AnotherBlock, AnotherEpoch, NoRecord, AnotherSize, NoQuorum, WrongPath, ShortPath]
)
def test_whoever_is_silent_or_lies_is_believed_nothing(members: Members, liar: type[Peer]) -> None:
    with pytest.raises(Missing) as refused:
        believed(members, liar(members, "supplier"))
    assert refused.value.__notes__[0].startswith("supplier: ")
    assert believed(members, liar(members, "supplier"), Peer(members, "core")).told_by == "core"


def test_what_is_broken_on_our_side_is_told_and_no_members_fault(members: Members) -> None:
    class Broken(Peer):
        def newest_quorum_size(self) -> TreeSize:
            raise StoreBroken(store="ledger", rule="readable")

    with pytest.raises(StoreBroken):
        believed(members, Broken(members, "supplier"), Peer(members, "core"))


def test_of_several_the_newest_is_believed(members: Members) -> None:
    found = believed(members, UpTo(members, "core", 3), UpTo(members, "supplier", 5), UpTo(members, "bank-a", 4))
    assert (found.told_by, found.size) == ("supplier", 5)


def test_before_the_first_checkpoint_and_after_a_week_nothing_is_believed(members: Members) -> None:
    with pytest.raises(Missing):
        believed(members, UpTo(members, "core", 1))
    with pytest.raises(Missing):
        believed(members, Peer(members, "core"), now=UnixSeconds(NOW + TRUSTED_FOR))


# ── after the set has changed ────────────────────────────────────────────────────────────────────────────────────────


class Showing(Peer):
    """Changes the bundle that shows which sets there were."""

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        return self.changed(decode_bundle(super().proven_checkpoint(size))).encode()

    def changed(self, bundle: Bundle) -> Bundle:
        return replace(bundle, rotations=tuple(self.rotated(list(bundle.rotations))))

    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        return rotations


class NoRotation(Showing):
    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        return []


class NotTheLast(Showing):
    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        return rotations[:-1]


class NotTheFirst(Showing):
    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        return rotations[1:]


class Backwards(Showing):
    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        return rotations[::-1]


class AnotherSuccessor(Showing):
    """A set that no governance record of this log named."""

    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        update = SetUpdate.decode(rotations[-1].update)
        return [*rotations[:-1], replace(rotations[-1], update=replace(update, reason_hash=sha256(b"no")).encode())]


class UnsignedHandover(Showing):
    """The note of a change without its last validator's line: below the quorum of the set that hands over."""

    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        note = parse_note(rotations[-1].note)
        voters = [line for line in note.lines if "/v/" in line.name]
        lines = tuple(line for line in note.lines if line not in voters[2:])
        return [*rotations[:-1], replace(rotations[-1], note=replace(note, lines=lines).text())]


class SignedBySuccessors(Showing):
    """A change under a note of the new set's own: whoever has gone could bring anybody so."""

    def rotated(self, rotations: list[RotationPart]) -> list[RotationPart]:
        return [*rotations[:-1], replace(rotations[-1], note=self._view.logbook.note(TreeSize(8), cosigned=False))]


class OlderBundle(Peer):
    def proven_checkpoint(self, size: TreeSize) -> bytes:
        return super().proven_checkpoint(TreeSize(size - 1))


class NoBundle(Peer):
    def proven_checkpoint(self, size: TreeSize) -> bytes:
        return b"{}"


def believed_by_a_founder(members: Members, *peers: Peer) -> TrustedBlock:
    """Who knows the founders' files and nothing else, as a member with an empty ledger."""
    now = UnixSeconds(members.clock.now() + CADENCE)
    return trusted_block(read_directory(members.folder("bank-b")), peers, now)


@pytest.mark.parametrize("size", range(2, 10))
def test_after_any_number_of_changes_the_set_in_charge_is_believed(grown: Members, size: int) -> None:
    """Set 1 up to size 4, set 2 up to size 7, set 3 behind it."""
    found = believed_by_a_founder(grown, UpTo(grown, "core", size))
    record = grown.open("core").view.logbook.record(EpochNumber(size - 1))
    assert (found.height, found.hash, found.size) == (record.end_block - 1, record.last_block_hash, size)


@pytest.mark.parametrize(
    "liar",
    [
        NoRotation,
        NotTheLast,
        NotTheFirst,
        Backwards,
        AnotherSuccessor,
        UnsignedHandover,
        SignedBySuccessors,
        OlderBundle,
        NoBundle,
        AnotherBlock,
        NoQuorum,
    ],
)
def test_a_change_that_the_set_before_it_did_not_sign_is_believed_of_nobody(
    grown: Members,
    liar: type[Peer],
) -> None:
    with pytest.raises(Missing) as refused:
        believed_by_a_founder(grown, liar(grown, "supplier"))
    assert refused.value.__notes__[0].startswith("supplier: ")
    assert believed_by_a_founder(grown, liar(grown, "supplier"), Peer(grown, "core")).told_by == "core"


def test_a_bundle_of_another_log_shows_no_sets(grown: Members, members: Members) -> None:
    class Elsewhere(Peer):
        def proven_checkpoint(self, size: TreeSize) -> bytes:
            return Peer(members, "core").proven_checkpoint(TreeSize(5))

    with pytest.raises(Missing):
        believed_by_a_founder(grown, Elsewhere(grown, "supplier"))


def test_where_two_quorums_made_two_histories_nobody_is_believed(grown: Members) -> None:
    """Keys that left long ago may sign another successor; both are shown, and a person looks."""
    roll = grown.open("core").view.directory.roll
    newest = replace(roll.terms[-1], leaf=sha256(b"another record"))
    other = Roll(terms=(*roll.terms[:-1], newest))
    require_one_history([roll, replace(roll, terms=roll.terms[:2])])
    with pytest.raises(Equivocation) as refused:
        require_one_history([roll, other])
    assert (refused.value.number, refused.value.second) == (3, newest.leaf)


# ── the order ────────────────────────────────────────────────────────────────────────────────────────────────────────

AT = ["127.0.0.1:7001", "127.0.0.1:7002"]


@pytest.fixture
def folder(laid_with_engines: Path, tmp_path: Path) -> Path:  # noqa: F811
    shutil.copytree(laid_with_engines / "nodes" / "bank-b", tmp_path / "bank-b")
    return tmp_path / "bank-b"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> TrustedBlock:
    found = TrustedBlock(12, bytes(range(32)), 5, "core")
    monkeypatch.setattr(trusting, "trusted_block", lambda *_: found)
    return found


def test_an_order_is_written_for_engine_and_node_and_may_come_again(folder: Path, trusted: TrustedBlock) -> None:
    write_mark(folder, Mark(rejected=(bytes(32),)))
    for _ in range(2):
        assert order_sync(read_settings(folder), AT, NOW) == trusted
    config = (folder / "engine/config/config.toml").read_text()
    assert config.count("[statesync]") == 1
    assert f'trust_height = 12\ntrust_hash = "{trusted.hash.hex().upper()}"' in config
    assert read_mark(folder) == Mark(rejected=(bytes(32),))


@pytest.mark.parametrize("servers", [[], AT[:1], [AT[0], AT[0]], ["somewhere", AT[0]]], ids=str)
def test_two_other_engines_are_wanted(folder: Path, trusted: TrustedBlock, servers: list[str]) -> None:
    with pytest.raises(SettingsMalformed):
        order_sync(read_settings(folder), servers, NOW)
    assert read_mark(folder) is None


def test_without_engines_there_are_no_snapshots(laid: tuple[Foundation, Path], trusted: TrustedBlock) -> None:
    with pytest.raises(SettingsMalformed):
        order_sync(read_settings(laid[1] / "nodes" / "bank-b"), AT, NOW)


def test_a_ledger_with_blocks_is_not_thrown_away(
    folder: Path, trusted: TrustedBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trusting, "newest_height", lambda *_: 7)
    with pytest.raises(StoreBroken):
        order_sync(read_settings(folder), AT, NOW)
    assert read_mark(folder) is None
