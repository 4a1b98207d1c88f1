"""An event that waited for members that were restarting."""

from functools import cache
from types import SimpleNamespace

import pytest

from hybrid_bridge.business.ruling import refusal_code
from hybrid_bridge.cli.demo import trading
from hybrid_bridge.cli.demo.trading import TRIES, Traded, decide, find_event
from hybrid_bridge.errors import Expired, FieldMismatch, RuleRejected
from hybrid_bridge.testing.datasets.receivables import generate

CADENCE = 4
ENTRY = bytes(range(32))
REFUSED = refusal_code("I5")
FINANCE, REGISTER = "fin.finance/1", "asset.register/1"


@cache
def files():
    return dict(generate(suppliers=1, banks=2).files)


class Desk:
    """Of every member. Each send takes its time; sends are answered one after the other, the last answer for ever."""

    def __init__(self, takes, answers):
        self.now, self.takes, self.answers = 1_800_000_000.0, takes, list(answers)
        self.sent = []

    def time(self):
        return self.now

    monotonic = time

    def key(self, purpose):
        return SimpleNamespace(key_id=purpose.encode())

    def draft(self, request):
        return SimpleNamespace(draft=request.fields)

    def authorise(self, _draft, purposes):
        return SimpleNamespace(signatures=list(purposes))

    def send(self, draft, _signatures):
        self.now += self.takes
        self.sent.append(draft)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(code=answer, entry_leaf=ENTRY)


@pytest.fixture
def deciding(monkeypatch):
    def start(schema, takes, answers, verdict="accepted"):
        desk = Desk(takes, answers)
        monkeypatch.setattr(trading, "time", desk)
        genesis = SimpleNamespace(genesis_time=int(desk.now) - 100, cadence=CADENCE)
        play = SimpleNamespace(
            files=files(),
            directory=SimpleNamespace(genesis=genesis),
            stage=SimpleNamespace(until=lambda _what, ask: ask()),
        )
        traded = Traded(dict.fromkeys(("core", "supplier", "bank-a", "bank-b"), desk))
        event = find_event(files(), schema)
        return desk, traded, event, lambda: decide(play, traded, event, verdict)

    return start


@pytest.mark.parametrize(
    "late", [REFUSED, RuleRejected(rule="I5", subject="a note"), Expired(expires_epoch=7, epoch=9)]
)
def test_what_got_too_old_on_the_way_is_drafted_again(deciding, late):
    desk, traded, event, decide_it = deciding(FINANCE, 3 * CADENCE, [late, late, 0])
    decide_it()
    assert (len(desk.sent), len(set(desk.sent))) == (3, 3)  # each names the epoch in which the labels were read
    assert traded.entry_leaves == {event["event"]: ENTRY}


def test_it_is_not_tried_for_ever(deciding):
    desk, traded, _, decide_it = deciding(FINANCE, 3 * CADENCE, [REFUSED])
    with pytest.raises(FieldMismatch):
        decide_it()
    assert (len(desk.sent), traded.entry_leaves) == (TRIES, {})
    desk, _, _, decide_it = deciding(REGISTER, 3 * CADENCE, [Expired(expires_epoch=7, epoch=9)])
    with pytest.raises(Expired):
        decide_it()
    assert len(desk.sent) == TRIES


@pytest.mark.parametrize(("schema", "takes"), [(FINANCE, 1), (REGISTER, 3 * CADENCE)])
def test_a_refusal_that_no_wait_explains_is_told_at_once(deciding, schema, takes):
    desk, _, _, decide_it = deciding(schema, takes, [REFUSED])
    with pytest.raises(FieldMismatch):
        decide_it()
    assert len(desk.sent) == 1


def test_a_fraud_that_is_refused_as_told_is_sent_once(deciding):
    desk, _, _, decide_it = deciding(FINANCE, 3 * CADENCE, [REFUSED], "rejected:I5")
    decide_it()
    assert len(desk.sent) == 1
