"""Pledge, release, second pledge: one identity label for ever, and a life that says which of them came last (S4)."""

from functools import cache

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.labels import alpha, life
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.testing.datasets.play import member_updates
from tests.bundles import CADENCE, START, Consortium
from tests.unit.hybrid_bridge.steps.verify.judging import NOW, verify


class Repledged(Consortium):
    """Epoch 1: a bank finances a note. 2: it is repaid and releases. 3: another bank finances the same note."""

    def _live(self):
        certificates = {v.name: sha256(v.certificate) for v in self.first}
        updates = member_updates(self.files, self.ledger.log_id, self.keys, certificates)
        self.ledger.block(*(self.ledger.governance(update.encode()) for _, update in updates))
        self.played = [self.ledger.play(event)[0] for event in self.events]
        self._close()
        fin, other = "bank-1/fin-0028", "bank-2/fin-0027"
        holder = self.events[47]["authorisers"][0]
        self.play(2, "fin.release/1", fin, reason_code="REPAID")
        self._close()
        self.play(3, "fin.reserve/1", holder, other, fin_key=f"@{other}", ttl_epochs=24)
        self.play(3, "fin.finance/1", other, fin_key=f"@{other}", check_epoch=2)
        self._close()

    def play(self, epoch, schema, *keys, **fields):
        at = START + (epoch - 1) * CADENCE + 3_600
        event = {
            "at": at,
            "schema": schema,
            "submitter": keys[-1].partition("/")[0],
            "authorisers": list(keys),
            "fields": {"note.0": self.pledged, "event_time": at, **fields},
        }
        _, outcome = self.ledger.play(event)
        assert [one.code for one in outcome.transactions] == [0]

    @property
    def pledged(self):
        return self.events[48]["fields"]["note.0"]


@cache
def world():
    return Repledged("life.example/receivables")


def trust(*required):
    return Trust(logs=(TrustedLog(log_id=world().genesis.log_id),), require=required)


def facts(*epochs, **parts):
    shown = [world().epoch_part(epoch, 4, labels=world().life_of("note", world().pledged, epoch)) for epoch in epochs]
    bundle = world().bundle(4, *shown, anchors=(), **parts)
    return verify(bundle.encode(), trust("integrity", "registry"), NOW).registry


def test_each_pledge_and_release_is_one_more_event_of_the_same_object():
    told = [(fact.epoch, fact.statement) for fact in facts(1, 2, 3)]
    assert told == [
        (1, "state FINANCED after event 3"),
        (2, "state HELD after event 4"),
        (3, "state FINANCED after event 6"),
    ]


@pytest.mark.parametrize(("kept", "statement"), [(5, "no statement"), (7, "no statement")])
def test_a_release_cannot_be_shown_as_the_last_word_after_a_second_pledge(kept, statement):
    """Versions 0 … 4 end in HELD; that nothing followed would need the absence of 5, which stands there."""
    labels = world().life_of("note", world().pledged, 3)[:kept]
    bundle = world().bundle(4, world().epoch_part(3, 4, labels=labels), anchors=())
    (fact,) = verify(bundle.encode(), trust("integrity"), NOW).registry
    assert fact.statement == statement


def test_a_second_pledge_needs_no_second_identity_label():
    """The invoice behind the note keeps its one label; of an identity label there is no version 1 to skip to."""
    invoice = world().played[13].draft.openings[0].label
    shown = [world().epoch_part(epoch, 4, labels=(world().label(invoice, 0, epoch),)) for epoch in (1, 3)]
    evidence = verify(world().bundle(4, *shown, anchors=()).encode(), trust("integrity"), NOW)
    assert len({fact.statement for fact in evidence.registry}) == 1
    with pytest.raises(FieldMalformed):
        alpha(world().genesis.log_id, invoice, 1)
    assert alpha(world().genesis.log_id, life("note", world().pledged), 6)
