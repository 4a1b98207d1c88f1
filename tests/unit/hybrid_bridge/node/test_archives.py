"""Headers from before our own engine began."""

from collections.abc import Callable
from typing import Any

import pytest

from hybrid_bridge.errors import AnswerMalformed, Missing, Unreachable
from hybrid_bridge.node.archives import Archives
from hybrid_bridge.node.sourcing import Sourcer
from tests.unit.hybrid_bridge.node.test_sourcing import EVIDENCE, record

OLD = Missing(what="a height from before this engine began")
AWAY = Unreachable(endpoint="engine", call="commit")
BAD = AnswerMalformed(endpoint="engine", call="commit", rule="a result")


class Engine:
    """Has an answer, or an error."""

    def __init__(self, answer: object) -> None:
        self.answer, self.asked = answer, list[int]()

    def signed_header(self, height: int) -> Any:
        self.asked.append(height)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    validators = signed_header


@pytest.mark.parametrize("ask", [Archives.signed_header, Archives.validators], ids=["header", "validators"])
def test_our_own_engine_is_asked_first_and_others_for_what_is_too_old(ask: Callable[..., object]) -> None:
    archive = Engine("old")
    assert ask(Archives(Engine("new"), [archive]), 7) == "new"
    assert archive.asked == []
    assert ask(Archives(Engine(OLD), [Engine(AWAY), Engine(BAD), Engine(OLD), archive]), 7) == "old"
    assert archive.asked == [7]


def test_what_nobody_has_is_missing() -> None:
    with pytest.raises(Missing) as refused:
        Archives(Engine(OLD), [Engine(AWAY)]).signed_header(7)
    assert refused.value is OLD


def test_an_engine_that_is_away_is_asked_again_later_and_no_archive_instead() -> None:
    archive = Engine("old")
    with pytest.raises(Unreachable):
        Archives(Engine(AWAY), [archive]).signed_header(7)
    assert archive.asked == []


def test_an_epoch_from_before_our_engine_began_has_no_evidence_and_the_others_have_theirs() -> None:
    class Begun(Sourcer):
        def __init__(self) -> None:
            """Without a ledger or an engine."""

        def evidence(self, record: Any, transactions: Any) -> Any:
            if record.epoch == 1:
                raise OLD
            return EVIDENCE

    assert [part.epoch for part in Begun().parts([(record(1), [b"one"]), (record(2), [b"two"])])] == [2]
