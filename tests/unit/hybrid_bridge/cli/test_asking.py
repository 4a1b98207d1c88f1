"""Other members asked for a proof: what holds is taken, and the answer of one's own node is worth no more than theirs."""

import pytest

from hybrid_bridge.cli.asking import best, others, read_promise
from hybrid_bridge.errors import Broken, Malformed, Missing, NotOmitted, StoreBroken, Unreachable


def answering(value: int):
    return lambda: value


def failing(error: Exception):
    def ask() -> int:
        raise error

    return ask


AWAY = Unreachable(endpoint="own", call="Bundle")


def test_the_answer_of_most_worth_is_taken_the_first_among_equals():
    assert best([answering(3), answering(8), answering(5)], worth=int) == 8
    assert best([answering(13), answering(3)], worth=lambda value: value % 10) == 13


def test_a_node_that_is_away_or_denies_stops_nothing():
    denial = NotOmitted(epoch=3, what="entry", leaf=bytes(32))
    for error in (AWAY, denial):
        assert best([failing(error), answering(1)], worth=int) == 1
        assert best([answering(1), failing(error)], worth=int) == 1


def test_if_nobody_has_an_answer_it_is_the_error_of_one_s_own_node():
    denial = NotOmitted(epoch=3, what="entry", leaf=bytes(32))
    for errors in ((AWAY, denial), (denial, AWAY)):
        with pytest.raises(type(errors[0])):
            best([failing(error) for error in errors], worth=int)
    with pytest.raises(Missing):
        best([], worth=int)


def test_what_is_broken_here_is_told_and_not_passed_over():
    with pytest.raises(Broken):
        best([failing(StoreBroken(store="x", rule="y")), answering(1)], worth=int)


@pytest.mark.parametrize("content", [b"", b"AAAA", b"!!!!", b"A" * 291, b"A" * 292, b"\xff" * 292, bytes(219)])
def test_a_file_that_is_no_promise_is_malformed(tmp_path, content):
    (tmp_path / "promise").write_bytes(content)
    with pytest.raises(Malformed):
        read_promise(tmp_path / "promise")


def test_without_names_nobody_is_asked_and_no_key_is_read(tmp_path):
    with others(tmp_path, ()) as found:
        assert found == []


def test_who_shows_a_bundle_asks_nobody(typed):
    shown = ("--bundle", "receivable.hb.json", "--trust", "trust.json", "--label-file", "receivable.hb.json")
    done = typed("registry", "check", *shown, "--node", "bank=localhost:1")
    assert (done.code, "name --dir" in done.err) == (2, True)
