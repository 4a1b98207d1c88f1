"""`hybrid-bridge compare` as two outsiders type it."""

import json
from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import CheckpointPart
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.trust import Trust, TrustedLog
from tests.bundles import consortium


@pytest.fixture
def pairs(folder):
    """Bundles of two sizes of one history, and of another history."""
    made = consortium()
    forked = made.variant(3, batch_root=sha256(b"another batch"))
    newer = CheckpointPart(note=made.note(4), consistency=tuple(made.log.consistency_path(3, 4)))
    for name, bundle in {
        "three": made.bundle(3),
        "four": made.bundle(4),
        "four-with-2": made.bundle(4, made.epoch_part(2, 4)),
        "forked": forked.bundle(4),
        "both": replace(made.bundle(3), checkpoints=(*made.bundle(3).checkpoints, newer), anchors=()),
        "stranger": consortium("example.org/other").bundle(4),
    }.items():
        (folder / f"{name}.hb.json").write_bytes(bundle.encode())


def compared(typed, one, other, *options):
    return typed("compare", f"{one}.hb.json", f"{other}.hb.json", *options)


@pytest.mark.usefixtures("pairs")
def test_one_history_is_told_with_how_far_it_goes(typed):
    done = compared(typed, "three", "four-with-2")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ONE HISTORY\n")
    assert "3  leaves that both show alike, until 20" in done.out
    assert compared(typed, "three", "four-with-2", "--json", "--trust", "trust.json").json()["result"] == "same"


@pytest.mark.usefixtures("pairs")
def test_two_histories_end_with_a_file_for_anybody_that_is_judged_alike(typed, folder):
    done = compared(typed, "four", "forked", "--out", "fraud.hb-split.json")
    assert done.code == 1
    assert done.out.startswith("TWO HISTORIES OF ONE LOG\n")
    assert done.out.count("self-stated") == 3
    assert "contract report equivocation four.hb.json forked.hb.json" in done.out
    again = typed("compare", "fraud.hb-split.json", "--json")
    first = compared(typed, "four", "forked", "--json")
    assert (again.code, again.json()) == (1, first.json())
    assert first.json()["difference"]["checkpoint_sizes"] == [4, 4]
    assert (folder / "fraud.hb-split.json").stat().st_size < 100_000


@pytest.mark.usefixtures("pairs")
def test_evidence_is_written_of_a_contradiction_alone(typed, folder):
    done = compared(typed, "three", "four", "--out", "none.hb-split.json")
    assert (done.code, (folder / "none.hb-split.json").exists()) == (3, False)
    assert done.out.startswith("NOT DECIDED by these two files\n")
    assert "--log-copy" in done.out


@pytest.mark.usefixtures("pairs")
def test_a_copy_of_the_log_decides_or_says_what_it_lacks(typed):
    assert compared(typed, "three", "four", "--log-copy", "both.hb.json").code == 0
    assert compared(typed, "three", "four", "--log-copy", "four-with-2.hb.json").code == 3  # it has one checkpoint
    assert compared(typed, "three", "forked", "--log-copy", "both.hb.json").code == 3  # not the larger one's history
    assert compared(typed, "four", "forked", "--log-copy", "trust.json").code == 1  # it is not looked at


@pytest.mark.usefixtures("pairs")
def test_what_a_copy_showed_is_in_the_evidence(typed, folder):
    made = consortium().variant(2, batch_root=sha256(b"another batch"))
    newer = CheckpointPart(note=made.note(4), consistency=tuple(made.log.consistency_path(3, 4)))
    tie = replace(made.bundle(3), checkpoints=(*made.bundle(3).checkpoints, newer), anchors=())
    (folder / "tie.hb.json").write_bytes(tie.encode())
    (folder / "other.hb.json").write_bytes(made.bundle(4).encode())
    assert compared(typed, "three", "other").code == 3
    done = compared(typed, "three", "other", "--log-copy", "tie.hb.json", "--out", "s.hb-split.json")
    assert done.code == 1
    assert typed("compare", "s.hb-split.json").code == 1
    assert "contract report" not in done.out  # they share no size


@pytest.mark.usefixtures("pairs")
def test_bundles_of_two_logs_and_of_one_that_is_not_meant_are_refused(typed, folder):
    assert compared(typed, "four", "stranger").code == 2
    other = Trust(logs=(TrustedLog(log_id=sha256(b"another log")),))
    (folder / "other.json").write_bytes(other.encode())
    done = compared(typed, "three", "four-with-2", "--trust", "other.json")
    assert (done.code, "did not name" in done.err) == (2, True)
    assert compared(typed, "three", "four-with-2", "--log", sha256(b"another log").hex()).code == 2
    assert compared(typed, "three", "four-with-2", "--log", "12").code == 2


@pytest.mark.usefixtures("pairs")
def test_garbage_is_malformed(typed, folder):
    (folder / "garbage.hb.json").write_bytes(b"{}")
    for which, pair in {"second": ("four", "garbage"), "first": ("garbage", "four")}.items():
        done = compared(typed, *pair)
        assert done.code == 2
        assert f"in the {which} of the two" in done.err
    assert typed("compare", "four.hb.json").code == 2
    (folder / "long.hb.json").write_bytes(json.dumps("x" * (5 << 20)).encode())
    assert compared(typed, "four", "long").code == 2
    assert typed("compare", "long.hb.json").code == 2
