from functools import cache

import pytest

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import MEMBER, NODE
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.testing.datasets.play import document_of, member_updates, private_keys, read_lines, rebase
from hybrid_bridge.testing.datasets.receivables import generate
from hybrid_bridge.testing.datasets.story import START, ZONE
from hybrid_bridge.units import EpochNumber, LogId, UnixSeconds
from tests.ledger import MemoryLedger


@cache
def one_day():
    return generate(suppliers=1, banks=2).files


def events():
    return read_lines(one_day()["events.jsonl"])


def first(schema):
    return next(event for event in events() if event["schema"] == schema)


def test_names_of_keys_become_key_ids_and_outside_numbers_labels():
    keys = private_keys(one_day())
    document = document_of(first("asset.register/1"), keys)
    assert document.fields["debtor"] == key_id_text(keys["core"].public.key_id)
    assert document.labels == ()
    confirmed = document_of(first("asset.confirm/1"), keys)
    assert [label.type for label in confirmed.labels] == [2, 3, 4, 5]
    assert confirmed.object_id == confirmed.fields["object"]


def test_members_may_bring_their_own_keys():
    own = PrivateKey.from_seed(sha256(b"own"))
    document = document_of(first("asset.register/1"), {**private_keys(one_day()), "core": own})
    assert document.fields["debtor"] == key_id_text(own.public.key_id)


def test_updates_admit_every_member_with_its_roles():
    keys = private_keys(one_day())
    certificate = sha256(b"certificate")
    updates = dict(member_updates(one_day(), LogId(ZERO), keys, {"core": certificate}))
    assert list(updates) == ["core", "operator", "bank-1", "bank-2", "regulator", "court"]
    assert (updates["core"].roles, updates["core"].certificate_hash) == (MEMBER | NODE, certificate)
    assert updates["court"].certificate_hash == ZERO


def test_an_event_is_moved_to_another_day_with_its_claims():
    issue = first("note.issue/1")
    later = UnixSeconds(issue["at"] + 40 * 86_400)
    moved = rebase(issue, later, EpochNumber(9), ZONE)
    assert moved["fields"]["event_time"] == later
    assert (moved["fields"]["issue_date"], moved["fields"]["due_date"]) == ("2026-02-14", "2026-05-15")
    assert issue["fields"]["issue_date"] == "2026-01-05"
    financed = rebase(first("fin.finance/1"), later, EpochNumber(9), ZONE)
    assert financed["fields"]["check_epoch"] == 9
    register = first("asset.register/1")
    assert rebase(register, later, EpochNumber(9), ZONE)["fields"]["issue_date"] == register["fields"]["issue_date"]


@pytest.mark.parametrize(("cadence", "step"), [(5, 1), (3_600, 300)])
def test_the_slice_is_played_on_another_day_in_short_epochs(cadence, step):
    """As a demonstration does: minutes for the whole story, epochs of seconds."""
    files = one_day()
    ledger = MemoryLedger.of_dataset(files, cadence=cadence)
    expected = {row["at_event"]: row["expect"] for row in read_lines(files["expected.jsonl"])}
    now = START + 100 * 86_400 + 7_200
    for event in events():
        now += step
        epoch = EpochNumber((now - START) // cadence + 1)
        _, outcome = ledger.play(rebase(event, UnixSeconds(now), epoch, ZONE))
        (result,) = outcome.transactions
        verdict = "accepted" if result.code == 0 else f"rejected:{result.rule}"
        assert verdict == expected.get(event["event"], "accepted"), event["event"]
