"""`hybrid-bridge audit registry`: a folder of deltas, honest or tampered with, against a verified checkpoint."""

import json
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybrid_bridge.cli import audit
from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.registry import Delta
from tests.bundles import EPOCHS, NOW, consortium, flip
from tests.unit.hybrid_bridge.core.test_audit import steps


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW + 0.7)


@pytest.fixture
def deltas(folder):
    """What `audit fetch` leaves."""
    target = folder / "deltas"
    target.mkdir()
    (target / "checkpoint.hb.json").write_bytes(checkpoint().encode())
    for epoch, (record, delta) in enumerate(steps()):
        (target / f"{epoch:08}.record").write_bytes(record)
        (target / f"{epoch:08}.delta").write_bytes(delta.encode())
    return target


def checkpoint(size=EPOCHS + 1, **parts):
    return consortium().bundle(size, purpose="checkpoint", **parts)


@pytest.fixture
def audited(typed, deltas):
    return lambda *arguments: typed("audit", "registry", "deltas", "--trust", "trust.json", *arguments)


def test_a_registry_that_only_grew_is_0_with_its_numbers(audited, deltas):
    done = audited("--json")
    found = done.json()
    assert done.code == 0
    assert (found["registry"], found["epochs"], found["resumed_at"]) == ("only grew", EPOCHS + 1, 0)
    assert found["insertions"] == sum(len(delta.pairs) for _, delta in steps())
    assert found["registry_root"] == consortium().closed[-1].record.registry_root.hex()
    assert "in public block 600 of chain 31337" in found["public_anchor"]
    assert "only grew" in audited().out


def test_an_audit_goes_on_where_the_last_one_stopped(audited, deltas):
    (deltas / "checkpoint.hb.json").write_bytes(checkpoint(4).encode())
    assert audited().code == 0
    (deltas / "checkpoint.hb.json").write_bytes(checkpoint().encode())
    assert audited("--json").json()["resumed_at"] == 4
    assert audited("--json").json()["resumed_at"] == EPOCHS + 1
    assert audited("--json", "--from-start").json()["resumed_at"] == 0


def test_what_was_not_replayed_is_told_as_the_marks_word(audited, deltas):
    """A folder from others brings its own mark: a middle that was tampered with hides behind it, as a set the same."""
    assert audited().code == 0
    (_, two), (_, three) = steps()[2:4]
    moved = tuple(sorted([*three.pairs, two.pairs[0]]))
    (deltas / "00000002.delta").write_bytes(replace(two, pairs=two.pairs[1:]).encode())
    (deltas / "00000003.delta").write_bytes(replace(three, pairs=moved).encode())
    said = audited("--json").json()["registry"]
    assert (
        said == f"only grew after epoch {EPOCHS}; up to it by the word of audit.json in FOLDER (--from-start replays)"
    )
    assert audited("--from-start").code in {1, 2}


def test_an_interrupted_audit_keeps_its_mark(audited, deltas):
    """The last delta is not there yet: what was replayed before it need not be replayed again."""
    late = (deltas / "00000005.delta").read_bytes()
    (deltas / "00000005.delta").unlink()
    done = audited("--json")
    assert (done.code, json.loads(done.out)["fields"]["what"]) == (3, "the delta of epoch 5")
    (deltas / "00000005.delta").write_bytes(late)
    assert audited("--json").json()["resumed_at"] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"[]", b'{"epoch": 1}', b'{"epoch":"x","registry_root":"00","log_root":"00"}', b"[" * 4000,
        b'{"epoch":1e999,"registry_root":"00","log_root":"00","insertions":1}',
    ],
    ids=["open", "array", "short", "text", "deep", "endless"],
)  # fmt: skip
def test_a_mark_that_no_audit_wrote_is_2(audited, deltas, content):
    (deltas / "audit.json").write_bytes(content)
    assert audited().code == 2
    assert audited("--from-start").code == 0


def rewrite(deltas, epoch, **changes):
    path = deltas / f"{epoch:08}.delta"
    path.write_bytes(replace(Delta.decode(path.read_bytes()), **changes).encode())


def test_a_tampered_middle_is_1_and_names_the_epoch(audited, deltas):
    index, value = steps()[2][1].pairs[0]
    rewrite(deltas, 2, pairs=tuple(sorted([(index, flip(value)), *steps()[2][1].pairs[1:]])))
    done = audited()
    assert done.code == 1
    assert "RootMismatch" in done.err
    assert "epoch 2 of the registry" in done.err
    told = json.loads(audited("--json").out)
    assert (told["branch"], told["exit_code"], told["notes"]) == ("refuted", 1, ["epoch 2 of the registry"])


def test_what_was_tampered_with_behind_the_mark_is_1_too(audited, deltas):
    assert audited().code == 0
    index, value = steps()[2][1].pairs[0]
    rewrite(deltas, 2, pairs=tuple(sorted([(index, flip(value)), *steps()[2][1].pairs[1:]])))
    assert audited().code == 1


def test_a_record_that_is_no_leaf_of_the_checkpoint_is_1(audited, deltas):
    liar = consortium().variant(5, stats_commitment=bytes(32))
    (deltas / "00000005.record").write_bytes(liar.closed[4].record.encode())
    done = audited()
    assert (done.code, "RootMismatch" in done.err) == (1, True)


def test_a_second_delta_for_an_epoch_is_2(audited, deltas):
    (deltas / "00000003-b.delta").write_bytes((deltas / "00000003.delta").read_bytes())
    assert audited().code == 2
    (deltas / "00000003-b.delta").replace(deltas / "00000003.delta")
    assert audited().code == 0


@pytest.mark.parametrize("name", ["00000000.delta", "00000003.record"])
def test_a_missing_file_is_3_and_a_start_from_the_middle_is_none(audited, deltas, name):
    (deltas / name).unlink()
    done = audited()
    assert (done.code, "Missing" in done.err) == (3, True)


def test_a_checkpoint_that_nobody_anchored_is_3(audited, deltas):
    (deltas / "checkpoint.hb.json").write_bytes(checkpoint(anchors=()).encode())
    done = audited()
    assert (done.code, "public anchor" in done.err) == (3, True)


def test_a_checkpoint_of_somebody_else_is_3(audited, deltas):
    other = consortium("other.example/receivables")
    (deltas / "checkpoint.hb.json").write_bytes(other.bundle(4, purpose="checkpoint", anchors=()).encode())
    assert audited().code == 3


def test_a_checkpoint_without_its_quorum_is_1(audited, deltas):
    forged = consortium().note(4, 2)
    made = checkpoint(4, checkpoints=(replace(checkpoint(4).checkpoints[0], note=forged),))
    (deltas / "checkpoint.hb.json").write_bytes(made.encode())
    assert audited().code == 1


# ── fetching ──


class Member:
    """Serves two epochs a call, and perhaps not all of them."""

    def __init__(self, until=EPOCHS + 1) -> None:
        self.until, self.calls = until, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def checkpoint(self, size):
        return checkpoint(size or EPOCHS + 1, anchors=()).encode()

    def deltas(self, first, last):
        self.calls.append(first)
        for record, delta in steps()[first : min(first + 2, last + 1, self.until)]:
            yield SimpleNamespace(record=record, delta=delta.encode())


def fetched(typed, monkeypatch, member):
    monkeypatch.setattr(audit, "_source", lambda *_: member)
    return typed("audit", "fetch", "new", "--dir", ".")


def test_what_was_fetched_is_audited_and_not_fetched_again(typed, folder, monkeypatch):
    member = Member()
    assert fetched(typed, monkeypatch, member).code == 0
    assert member.calls == [0, 2, 4]
    (folder / "own.json").write_bytes(consortium().trust(require=("integrity", "quorum")).encode())
    assert typed("audit", "registry", "new", "--trust", "own.json").code == 0
    (folder / "new/00000003.record").unlink()
    assert fetched(typed, monkeypatch, member).code == 0
    assert member.calls == [0, 2, 4, 3]


class Liar(Member):
    """Says what it likes of its log's size."""

    def __init__(self, shown: bytes) -> None:
        super().__init__()
        self.shown = shown

    def checkpoint(self, size):
        return self.shown


def sized(size: int, signers: int = 4) -> bytes:
    """A checkpoint that nobody made, of any size, perhaps with a few true signatures under it."""
    world = consortium()
    made = world.signed(Checkpoint(
        log_id=world.genesis.log_id, tree_size=size, root=bytes(32),
        timestamp=world.genesis.checkpoint_timestamp(size), set_id=1, set_hash=world.checkpoint(4).set_hash,
    ), world.first[:signers])  # fmt: skip
    honest = checkpoint(4, anchors=())
    return replace(honest, checkpoints=(replace(honest.checkpoints[0], note=made),)).encode()


@pytest.mark.parametrize(
    "shown",
    [sized(1 << 30, signers=2), sized(1 << 30), checkpoint(4).encode()[:-9]],
    ids=["signed by two", "another root", "cut off"],
)
def test_no_size_is_believed_before_a_quorum_is_seen_under_it(typed, folder, monkeypatch, shown):
    liar = Liar(shown)
    assert fetched(typed, monkeypatch, liar).code in {1, 2}
    assert liar.calls == []
    assert not (folder / "new").exists()


def test_a_size_beyond_all_measure_costs_no_memory_but_an_answer(typed, folder, monkeypatch):
    """Whoever keeps a log of its own may sign any size: what it does not serve is missing at once."""
    monkeypatch.setattr(audit, "checkpoint_of", lambda *_: (checkpoint(4), replace(noted(4), size=1 << 30)))
    done = fetched(typed, monkeypatch, Member(until=3))
    assert (done.code, "epoch 3 at this node" in done.err) == (3, True)


def noted(size):
    return parse_note(consortium().note(size))


def test_one_folder_holds_one_log_and_never_an_older_checkpoint(typed, folder, monkeypatch):
    assert fetched(typed, monkeypatch, Member()).code == 0
    kept = (folder / "new/checkpoint.hb.json").read_bytes()
    other = consortium("other.example/receivables").bundle(6, purpose="checkpoint", anchors=()).encode()
    assert fetched(typed, monkeypatch, Liar(other)).code == 1
    assert fetched(typed, monkeypatch, Liar(checkpoint(4, anchors=()).encode())).code == 3
    assert (folder / "new/checkpoint.hb.json").read_bytes() == kept
    log = consortium().genesis.log_id.hex()
    monkeypatch.setattr(audit, "_source", lambda *_: Liar(other))
    assert typed("audit", "fetch", "elsewhere", "--dir", ".", "--log", log).code == 1
    assert typed("audit", "fetch", "new", "--dir", ".", "--log", "00" * 32).code == 1
    assert not (folder / "elsewhere").exists()


@pytest.mark.parametrize("changes", [{"record": bytes(833)}, {"delta": bytes(audit.MAX_DELTA_FILE + 1)}])
def test_a_message_that_is_longer_than_any_can_be_is_not_kept(typed, folder, monkeypatch, changes):
    class Long(Member):
        def deltas(self, first, last):
            for message in super().deltas(first, last):
                yield SimpleNamespace(**{**vars(message), **changes})

    assert fetched(typed, monkeypatch, Long()).code == 2
    assert not list((folder / "new").glob("*.delta"))


def test_more_messages_than_were_asked_for_are_not_taken(typed, folder, monkeypatch):
    class Endless(Member):
        def deltas(self, first, last):
            yield from (SimpleNamespace(record=record, delta=delta.encode()) for record, delta in steps()[first:])
            yield SimpleNamespace(record=b"", delta=b"")
            raise AssertionError

    assert fetched(typed, monkeypatch, Endless()).code == 0
    assert len(list((folder / "new").glob("*.record"))) == EPOCHS + 1


def test_an_epoch_that_the_node_does_not_serve_is_missing(typed, folder, monkeypatch):
    assert fetched(typed, monkeypatch, Member(until=3)).code == 3
    assert sorted(path.name for path in (folder / "new").glob("*.delta")) == [f"{n:08}.delta" for n in range(3)]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--node", "core=127.0.0.1:1"), ("--node", "core", "--as", "."), ("--as", "."), ("--dir", ".", "--as", ".")],
)
def test_one_source_is_named(typed, arguments):
    assert typed("audit", "fetch", "new", *arguments).code == 2
