"""`contract report` of bundles: what outsiders hold is note and history at once."""

from collections.abc import Sequence

import pytest

from hybrid_bridge.errors import (
    Malformed,
    Missing,
    NoConflict,
)
from tests.evm.town import Town, founded

pytestmark = pytest.mark.evm


def path(town: Town, older: int, newer: int, salt: bytes = b"") -> Sequence[bytes]:
    return town.tree(newer, salt).consistency_path(older, newer)


def test_two_bundles_in_which_a_quorum_signed_two_roots_end_the_log(town: Town) -> None:
    """Their common size stands at another place in each."""
    town.anchor(7)
    honest = town.bundle((town.note(7), ()), (town.note(9), path(town, 7, 9)))
    forged = town.bundle((town.note(9, b"forged"), ()))
    town.report("equivocation", honest, honest, refused=NoConflict)
    assert "REPORT two roots at size 9" in town.report("equivocation", honest, forged, answer="").output
    assert town.head.state == "frozen"


def test_a_bundle_is_note_and_history_at_once(town: Town) -> None:
    """A whole bundle of a forged log: its own path leads from its root at the head's size to what was signed later."""
    town.anchor(7)
    honest = town.bundle((town.note(7), ()), (town.note(9), path(town, 7, 9)))
    forged = town.bundle((town.note(7, b"forged"), ()), (town.note(9, b"forged"), path(town, 7, 9, b"forged")))
    town.report("inconsistency", honest, "--history", honest, refused=NoConflict)
    newer = town.note(9, b"forged")
    result = town.report("inconsistency", newer, "--history", forged, answer="")
    assert "REPORT two roots at size 7, one signed at size 9" in result.output
    assert town.head.state == "frozen"


def test_an_older_note_is_denied_by_a_bundle_that_reaches_the_head(town: Town) -> None:
    town.anchor(9)
    honest = town.bundle((town.note(7), ()), (town.note(9), path(town, 7, 9)))
    result = town.report("inconsistency", town.note(7, b"forged", count=2), "--history", honest, answer="")
    assert "REPORT two roots at size 7, one signed at size 7" in result.output
    assert "stays as it is" in result.output
    assert town.head.state == "active"


def test_a_note_of_the_head_s_own_size_needs_no_path(town: Town) -> None:
    """The other history's root at that size is the head's: the chain has it, whatever the bundle has."""
    town.anchor(7)
    somewhere = town.bundle((town.note(3), ()))
    town.report("inconsistency", town.note(7), "--history", somewhere, refused=NoConflict)
    result = town.report("inconsistency", town.note(7, b"forged"), "--history", somewhere, answer="")
    assert "REPORT two roots at size 7, one signed at size 7" in result.output
    assert town.head.state == "frozen"


def test_a_checkpoint_without_a_path_does_not_hide_the_next_one(town: Town) -> None:
    """A bundle's first checkpoint has no path to the head here, its second one has."""
    town.anchor(7)
    several = town.bundle((town.note(6), ()), (town.note(9, b"forged"), path(town, 6, 9, b"forged")))
    history = town.bundle((town.note(7, b"forged"), ()), (town.note(9, b"forged"), path(town, 7, 9, b"forged")))
    town.report("inconsistency", town.note(6), "--history", history, refused=Missing)
    assert "one signed at size 9" in town.report("inconsistency", several, "--history", history, answer="").output


def test_a_checkpoint_of_strangers_does_not_hide_the_next_one(town: Town) -> None:
    """A bundle may begin with checkpoints of earlier sets, whose lines accuse nobody who answers now."""
    town.anchor(7)
    other = Town(town.terminal, town.folder / "elsewhere", founded(bytes(20), "strangers"))
    strange = other.note(6, b"forged")
    several = town.bundle((strange, ()), (town.note(9, b"forged"), path(town, 6, 9, b"forged")))
    honest = town.bundle((town.note(6), ()), (town.note(9), path(town, 6, 9)))
    assert "REPORT two roots at size 9" in town.report("equivocation", several, honest, "--dry-run", answer="").output
    town.report("equivocation", strange, honest, refused=Missing)
    history = town.tiles(9, b"forged")
    assert "one signed at size 9" in town.report("inconsistency", several, "--history", history, answer="").output


@pytest.mark.parametrize("spoilt", [b"{}", b"{", b'{"format":"x"}'])
def test_what_is_no_bundle_is_no_note_and_no_history(town: Town, spoilt: bytes) -> None:
    town.anchor(7)
    (bad := town.new()).write_bytes(spoilt)
    town.report("equivocation", bad, town.note(9), refused=Malformed)
    town.report("inconsistency", bad, "--history", town.tiles(8), refused=Malformed)
    town.report("inconsistency", town.note(6), "--history", bad, refused=Malformed)
