"""The engine's evidence in a bundle: never more than an outsider takes."""

from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_bridge.core.cometbft_evidence import MAX_EXECUTIONS, CometbftEvidence
from hybrid_bridge.errors import TooLong
from hybrid_bridge.node import sourcing
from hybrid_bridge.node.sourcing import Sourcer
from tests import comet_chain

EVIDENCE = comet_chain.evidence()


def record(epoch: int) -> Any:
    return SimpleNamespace(epoch=epoch)


class Asked(Sourcer):
    """Makes the same evidence of every epoch."""

    def __init__(self) -> None:
        """Without a ledger or an engine."""

    def evidence(self, record: Any, transactions: Any) -> CometbftEvidence:
        if len(transactions) > MAX_EXECUTIONS:
            return super().evidence(record, transactions)
        return EVIDENCE


def test_evidence_of_more_transactions_than_an_outsider_takes_is_not_begun() -> None:
    with pytest.raises(TooLong):
        Asked().evidence(record(1), [b""] * (MAX_EXECUTIONS + 1))


def test_an_epoch_with_too_much_to_show_leaves_the_others_theirs() -> None:
    shown = [(record(1), [b"one"]), (record(2), [b""] * (MAX_EXECUTIONS + 1)), (record(3), [b"one"])]
    parts = list(Asked().parts(iter(shown)))
    assert [(part.type, part.epoch) for part in parts] == [("cometbft/1", 1), ("cometbft/1", 3)]
    assert parts[0].data == EVIDENCE.encode()


def test_evidence_leaves_room_for_the_other_signatures_of_a_bundle() -> None:
    shown = [(record(number), [b"one"]) for number in range(1, 5)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sourcing, "MAX_SIGNATURES", 3 * EVIDENCE.signatures - 1)
        assert [part.epoch for part in Asked().parts(shown)] == [1, 2]


def test_evidence_leaves_room_for_the_rest_of_a_bundle() -> None:
    shown = [(record(number), [b"one"]) for number in range(1, 5)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sourcing, "MAX_BYTES", 3 * len(EVIDENCE.encode()) - 1)
        assert [part.epoch for part in Asked().parts(shown)] == [1, 2]
