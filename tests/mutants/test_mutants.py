"""No mutant of RELAYER §7 lives: the command's work, in the standing suite. One that is slow is only seen to apply."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS, guard_vectors, woken_holder
from tests.mutants.planting import Mutant, NoLongerApplies, functions_of, killing, planted

PAGE = Path(__file__).parents[2] / "docs" / "spec" / "RELAYER.md"


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if not m.is_slow], ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed(mutant: Mutant) -> None:
    assert killing(mutant), f"{mutant.name} lives: {mutant.killed_by} saw nothing"


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.is_slow], ids=lambda mutant: mutant.name)
def test_a_slow_mutant_still_applies(mutant: Mutant) -> None:
    with planted(mutant):
        pass


def test_who_notices_lets_the_product_live() -> None:
    """Those that are tests or schedules are played without mutants elsewhere."""
    woken_holder()
    for word in ("minimal-then", "double", "path-"):
        guard_vectors(word)()


def test_a_replacement_that_fits_nowhere_or_twice_or_changes_nothing_is_no_mutant() -> None:
    for old, new in (("no such text", ""), ("return", "return"), ("MAX_REVERTS: Final = 3", "MAX_REVERTS: Final = 4")):
        with pytest.raises(NoLongerApplies), planted(Mutant("none", "relayers.facts", old, new, woken_holder)):
            pass


def test_after_a_mutant_the_product_is_itself() -> None:
    for mutant in MUTANTS:
        functions = list(functions_of(import_module(mutant.module)))
        before = [function.__code__ for function in functions]
        with planted(mutant):
            assert [function.__code__ for function in functions] != before
        assert [function.__code__ for function in functions] == before


def test_every_mutant_that_the_page_names_is_in_the_catalogue() -> None:
    paragraph = re.search(r"\*\*Mutants\.\*\*.*?(?=\n\n)", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert paragraph is not None
    words = " ".join(paragraph[0].split())
    names = {re.sub(r" where .*", "", mutant.name) for mutant in MUTANTS}
    assert [name for name in sorted(names) if name not in words] == []
    listed = re.search(r"Named here: (.*?)\.", words)
    assert listed is not None
    assert {name.strip() for name in listed[1].split(" · ")} == names
