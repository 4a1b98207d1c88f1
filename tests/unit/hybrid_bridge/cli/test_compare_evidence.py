"""`hybrid-bridge compare` on a watcher's folder of evidence: sets of validators as a bundle of the log proves them."""

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.tiles import hash_tiles
from tests.bundles import HANDOVER, consortium, set_of

LOG = ("--log", consortium().genesis.log_id.hex())


def forked():
    return consortium().variant(3, batch_root=sha256(b"another batch"))


@pytest.fixture
def evidence(folder):
    """`evidence(one, other)`: the folder; set 2 signs from size 5 on."""

    def written(one, other, *, shown=None):
        made = consortium()
        (place := folder / "a~b").mkdir()
        for name, note in (("one.note", one), ("other.note", other)):
            (place / name).write_text(note)
            size = int(note.splitlines()[1])
            signing = set_of(2, made.second) if size >= HANDOVER else set_of(1, made.first)
            (place / f"{name}.entries.bin").write_bytes(signing.encode_entries())
        (place / "genesis.bin").write_bytes(made.genesis.encode())
        (place / "origin.txt").write_text(f"{made.origin}\n")
        if shown is not None:
            tree, size = shown
            for path, data in hash_tiles([tree.leaf(n) for n in range(size)]):
                (place / "tiles" / path).parent.mkdir(parents=True, exist_ok=True)
                (place / "tiles" / path).write_bytes(data)
            (place / "tiles" / "checkpoint").write_text(other)
        return place

    (folder / "made.hb.json").write_bytes(consortium().bundle(6).encode())
    (folder / "stranger.hb.json").write_bytes(consortium("example.org/other").bundle(6).encode())
    return written


def test_what_a_later_set_signed_is_judged_by_a_bundle_that_proves_it(typed, evidence):
    evidence(consortium().note(6), forked().note(6))
    done = typed("compare", "a~b", *LOG)
    assert (done.code, "a bundle of the log: a later set signed" in done.err) == (3, True)
    done = typed("compare", "a~b", "made.hb.json", *LOG, "--json")
    assert done.code == 1
    assert done.json()["by_quorums"]
    assert done.json()["sets_known"] == 2
    assert len(done.json()["signed_both"]) == 3


def test_across_a_change_of_sets_the_keys_that_signed_both_are_named(typed, evidence):
    evidence(consortium().note(4), forked().note(6), shown=(forked().log, 6))
    found = typed("compare", "a~b", "made.hb.json", *LOG, "--json").json()
    assert found["two_histories"]
    stayed = set(set_of(1, consortium().first).addresses) & set(set_of(2, consortium().second).addresses)
    assert {*found["signed_both"]} <= {one.hex() for one in stayed}


def test_fewer_than_a_quorum_are_named_and_the_reader_told_what_is_known(typed, evidence):
    evidence(consortium().note(4), forked().note(4, 1))
    done = typed("compare", "a~b", "--trust", "trust.json")
    assert done.code == 1
    assert done.out.startswith("TWO HISTORIES OF ONE LOG\n")
    assert done.out.count(f"0x{consortium().first[0].part.address.hex()}") == 3  # under each, and as one of both
    assert "Fewer than a quorum signed one of them." in done.out
    assert "Known is the first set of validators" in done.out


def test_one_history_accuses_nobody(typed, evidence):
    evidence(consortium().note(3), consortium().note(4), shown=(consortium().log, 4))
    done = typed("compare", "a~b", *LOG)
    assert done.code == 0
    assert done.out.startswith("ONE HISTORY\n")
    assert "accuses nobody" in done.out


def test_a_bundle_of_another_log_proves_nothing_of_this_one(typed, evidence):
    evidence(consortium().note(6), forked().note(6))
    done = typed("compare", "a~b", "stranger.hb.json")
    assert (done.code, "of the log whose genesis record" in done.err) == (2, True)


def test_a_bundle_that_does_not_hold_is_refuted_first(typed, evidence, folder):
    evidence(consortium().note(6), forked().note(6))
    text = (folder / "made.hb.json").read_text()
    note = consortium().note(6)
    (folder / "bad.hb.json").write_text(text.replace(note.splitlines()[2], forked().note(6).splitlines()[2]))
    assert typed("compare", "a~b", "bad.hb.json").code == 1


@pytest.mark.parametrize("name", ["genesis.bin", "origin.txt", "one.note", "other.note"])
def test_what_is_missing_is_named(typed, evidence, name):
    (evidence(consortium().note(4), forked().note(4)) / name).unlink()
    done = typed("compare", "a~b", *LOG)
    assert (done.code, name in done.err) == (3, True)


def test_tiles_whose_links_lead_round_in_circles_come_to_an_end(typed, evidence):
    """A folder of a few hundred links holds a path for each tile of a log without end."""
    shown = forked().note(4)
    place = evidence(consortium().note(3), shown, shown=(forked().log, 4))
    lines = shown.splitlines()
    (place / "tiles" / "checkpoint").write_text("\n".join([lines[0], str(2**52), *lines[2:], ""]))
    (level := place / "tiles" / "tile" / "0").mkdir(parents=True, exist_ok=True)
    (place / "one.tile").write_bytes(bytes(256 * 32))
    for number in range(1000):
        (level / f"{number:03}").unlink(missing_ok=True)
        (level / f"{number:03}").symlink_to(place / "one.tile")
        (level / f"x{number:03}").symlink_to(".")
    done = typed("compare", "a~b", *LOG)
    assert (done.code, "size of the tiles" in done.err) == (2, True)
