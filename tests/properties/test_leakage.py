"""What is public says of volume, identity and timing what docs/explanation/leakage.md says, and no more."""

from functools import cache
from pathlib import Path

import pytest

from bench import leakage
from bench.leakage import Run, advantage, kind_of, look, named, of_others, rungs, subjects
from hybrid_bridge.core.epoch import closed_at
from hybrid_bridge.core.ladder import rung

PAGE = (Path(__file__).parents[2] / "docs/explanation/leakage.md").read_text()


@cache
def lived() -> Run:
    return leakage.play()


# ── the instruments find what is there ──


def test_a_word_that_tells_idle_from_busy_is_found():
    assert kind_of([7, 7, 7]) == "constant"
    assert kind_of([7, 9, 11]) == "clock"
    assert kind_of([1 << 250, 3 << 230, 5 << 240]) == "hash"
    assert kind_of([64, 64, 256]) == "telling"
    assert advantage([1, 1, 2, 2], [False, False, True, True]) == 1
    assert advantage([1, 2, 1, 2], [False, False, True, True]) == 0


def test_a_name_is_found_in_whatever_spelling():
    wanted = leakage.spellings("0f" * 16)
    assert named(b".." + b"\x0f" * 16, wanted)
    assert named(b"0f" * 16, wanted)
    assert not named(b"0e" * 16, wanted)


# ── volume and timing ──


def test_the_public_chain_shows_the_clock_and_nothing_of_the_volume():
    run = lived()
    seen = look(leakage.EVENT, run.anchored(), run.truths)
    assert {one.name: one.kind for one in seen} == {
        "logId": "constant",
        "treeSize": "clock",
        "root": "hash",
        "timestamp": "clock",
        "setId": "constant",
        "signers": "constant",
    }


def test_of_an_epoch_record_only_the_named_words_tell_anything():
    run = lived()
    telling = {one.name: one for one in look(leakage.WORDS, run.records(), run.truths) if one.kind == "telling"}
    assert set(telling) == {"firstBlock", "endBlock", "governanceSize", "governanceRoot"}
    assert telling["endBlock"].advantage == pytest.approx(1)  # a block for each transaction: said in the docs
    assert telling["endBlock"].exact == 1
    for name in telling:
        assert name in PAGE


@cache
def by_the_clock() -> Run:
    return leakage.play(slots=leakage.SLOTS)


def test_with_one_block_a_slot_the_block_range_tells_nothing():
    run = by_the_clock()
    seen = {one.name: one for one in look(leakage.WORDS, run.records(), run.truths)}
    assert {name for name, one in seen.items() if one.kind == "telling"} == {"governanceSize", "governanceRoot"}
    for name in ("firstBlock", "endBlock"):
        assert (seen[name].kind, seen[name].advantage) == ("clock", 0)
    assert [line for line in leakage.clocked(run) if line not in PAGE] == []
    assert run.truths == lived().truths  # the very same day


def test_an_epoch_record_is_hidden_by_its_blind_where_only_its_hash_is_public():
    """Tiles without entry bundles, notes and events show hashes of records that nobody can make again."""
    run = lived()
    assert len({one.record.blind for one in run.closed}) == len(run.closed)
    shown = run.log.root(len(run.closed) + 1)
    assert all(one.record.blind not in shown for one in run.closed)


def test_below_the_rung_idle_and_busy_epochs_have_one_size():
    run = lived()
    behind = rungs(run)
    assert {size: (min(real), max(real)) for size, real in behind["batch"].items()} == {64: (0, 30)}
    ladder = run.genesis.registry_ladder
    for size, real in behind["registry"].items():
        assert {rung(ladder, count) for count in real} == {size}
    assert 0 in behind["registry"][4]
    assert max(behind["registry"][4]) > 0


def test_times_follow_from_the_clock_alone():
    run = lived()
    assert [one.record.closed_at for one in run.closed] == [
        closed_at(run.genesis, one.record.epoch) for one in run.closed
    ]


def test_the_page_shows_what_the_run_shows():
    run = lived()
    lines = [
        *leakage.volume(run),
        *leakage.behind("as founded by default", run),
        *leakage.identity(run),
    ]
    assert [line for line in lines if line.strip() not in PAGE] == []


# ── identity ──


def test_no_name_object_number_or_label_is_in_any_public_byte():
    run = lived()
    data, wanted = run.public_bytes(), subjects(run.files)
    assert len(data) > 100_000
    assert {what: named(data, texts) for what, texts in wanted.items()} == {what: [] for what in wanted}
    assert sum(map(len, wanted.values())) > 1_000


def test_a_bundle_names_the_validators_and_nobody_elses_record():
    searched, found, _ = of_others()
    assert searched > 100
    assert len(found) == 3
    assert all(text.startswith("USCI:") for text in found)


# ── enumeration ──


def test_the_holder_of_the_vrf_key_finds_every_true_number():
    run = lived()
    true = len(leakage.true_labels(run))
    assert leakage.holder(run, 4 * true) == (4 * true, true)


def test_curve_arithmetic_without_the_key_finds_none():
    assert leakage.attack(lived(), 500, leakage.curve_guesses) == (500, 0)


def test_the_attack_would_find_an_index_that_is_a_plain_hash(monkeypatch):
    """Were the index no VRF output but a hash of public bytes, the same attacker would find it."""
    run = lived()
    data = leakage.alpha(run.ledger.log_id, leakage.true_labels(run)[0], 0)
    plain = set(leakage.guesses(run.genesis.vrf_public_key, data))
    monkeypatch.setattr(Run, "indices", lambda _: plain)
    assert leakage.attack(run, 50, leakage.guesses) == (50, 6)


@pytest.mark.slow
def test_a_million_candidates_against_every_public_index_give_no_match_without_the_key():
    """The fastest honest attacker that we know of: six hashes a candidate, about 10 s of CPU. All true numbers are tried."""
    assert leakage.attack(lived(), leakage.CANDIDATES, leakage.guesses) == (1_000_000, 0)
