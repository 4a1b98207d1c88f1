"""A brake at real desks: pulled with three consents, standing, refused by, and told in every bundle that spans it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.evidence import VERIFIED, Evidence
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, RuleRejected, TooLong
from hybrid_bridge.node import governance_shown
from hybrid_bridge.node.bundling import RecordOrder
from hybrid_bridge.node.desk import DraftOrder
from hybrid_bridge.node.directory import POLICY, read_directory
from hybrid_bridge.node.founding import Foundation, found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.standing import standing
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Digest, KeyId, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, plan, randomness, started
from tests.unit.hybrid_bridge.node.test_bundling import bundle
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.trade import an_object, confirmation, desk, registration, sent, spread_new

OBJECT = an_object()
REGISTER = "TYPE:0x0101"
TRUST = ("integrity", "quorum")


def stopped(members: Members, schema: str = "brake.on/1", **fields: object) -> Digest:
    """With the consents of three validators, sent by the supplier."""
    keys = tuple(KeyId(members.key_id(name)) for name in VALIDATORS[:3])
    given = {"scope": REGISTER, "reason_code": "OTHER", "event_time": members.clock.moment, **fields}
    package = desk(members, "supplier").draft(DraftOrder(schema=schema, fields=given, others=keys))
    consents = [part for name in ("core", "bank-a") for part in desk(members, name).authorise(package, ["identity"])]
    desk(members, "supplier").send(package, consents)
    spread_new(members)
    return Digest(entry_leaf(package.opened()[2].entry))


def epoch_over(members: Members, number: int) -> None:
    members.spread(members.order(START + number * CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)


@pytest.fixture(scope="module")
def life(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Members, Digest]]:
    """Epochs: (1) an asset (2) the brake on registrations, until 3 (3) the confirmation (4, 5) nothing."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("braked") / "out"
    shutil.copytree(root, folder)
    members = started(Members(folder, foundation))
    with members.stack:
        sent(members, "supplier", registration(members, OBJECT))
        epoch_over(members, 1)
        members.clock.moment = START + CADENCE + 1
        stopped(members, until_epoch=3)
        on = standing(members.open("bank-b").view, [OBJECT])
        assert [(braked.scope, braked.until, braked.by) for braked in on.brakes] == [(REGISTER, 3, "quorum")]
        with pytest.raises(RuleRejected) as refused:
            sent(members, "supplier", registration(members, an_object()))
        assert (refused.value.rule, refused.value.subject) == ("brake", REGISTER)
        spread_new(members)
        epoch_over(members, 2)
        members.clock.moment = START + 2 * CADENCE + 1
        _, package = sent(members, "core", replaced_time(confirmation(OBJECT), members))
        for number in (3, 4, 5):
            epoch_over(members, number)
        assert standing(members.open("core").view, []).brakes == ()
        attest_all(members)
        yield members, Digest(entry_leaf(package.opened()[2].entry))


def replaced_time(order: DraftOrder, members: Members) -> DraftOrder:
    return replace(order, fields={**order.fields, "event_time": members.clock.moment})


def told(members: Members, made: bytes) -> Evidence:
    trust = Trust(logs=(TrustedLog(log_id=members.foundation.genesis.log_id),), require=TRUST)
    return verify(made, trust, UnixSeconds(START + 100))


def test_a_bundle_that_spans_a_brake_tells_of_it_unasked(life: tuple[Members, Digest]) -> None:
    members, leaf = life
    evidence = told(members, bundle(members, records=(RecordOrder(leaf, ("gross",)),)).encode())
    (fact,) = evidence.brakes
    assert (fact.what, fact.scope, fact.by, fact.reason_code) == ("brake", REGISTER, "quorum", "OTHER")
    assert (fact.since, fact.until) == (START + CADENCE + 1, START + 3 * CADENCE)
    assert f"the brake was on when epoch 3 closed: {REGISTER}" in evidence.warnings
    assert evidence.verdict("governance since").result == VERIFIED


def test_a_bundle_of_later_epochs_alone_has_no_governance_unless_it_is_asked_for(life: tuple[Members, Digest]) -> None:
    members, _ = life
    assert bundle(members, purpose="registry").governance is None
    made = bundle(members, purpose="registry", governance=True)
    assert (made.governance.from_epoch, made.governance.to_epoch, made.governance.records) == (4, 5, ())
    assert told(members, made.encode()).verdict("governance since").result == VERIFIED


def test_more_governance_than_a_bundle_holds_is_shown_as_far_as_it_goes(
    life: tuple[Members, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    members, leaf = life
    monkeypatch.setattr(governance_shown, "MAX_RECORDS", 0)
    made = bundle(members, records=(RecordOrder(leaf, ("gross",)),))
    assert made.governance is None
    evidence = told(members, made.encode())
    assert evidence.warnings[0].endswith("is not shown")


def test_a_brake_is_looked_for_no_longer_than_a_bound(
    life: tuple[Members, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    members, leaf = life
    monkeypatch.setattr(governance_shown, "MAX_BACK", 0)
    assert bundle(members, records=(RecordOrder(leaf, ("gross",)),)).governance.from_epoch == 1


def test_objects_are_asked_for_by_id_and_not_without_bound(life: tuple[Members, Digest]) -> None:
    view = life[0].open("core").view
    assert standing(view, [OBJECT]).freezes == {OBJECT: {}}
    with pytest.raises(FieldMalformed):
        standing(view, ["x"])
    with pytest.raises(TooLong):
        standing(view, [OBJECT] * 101)


# ── the policy ──


def test_a_plan_names_a_guardian_by_name_and_the_policy_has_the_key(tmp_path: Path) -> None:
    foundation = found(plan(powers={"brake_type": ("quorum", "member:core")}, alone_max=2), randomness(), START)
    lay(foundation, tmp_path / "out")
    members = started(Members(tmp_path / "out", foundation))
    with members.stack:
        key = key_id_text(members.key_id("core"))
        policy = members.open("supplier").view.directory.policy
        assert policy.powers.brake_type == ("quorum", f"key:{key}")
        assert policy.digest == foundation.genesis.policy_hash
        fields = {"scope": REGISTER, "reason_code": "OTHER", "until_epoch": 2, "event_time": START}
        sent(members, "core", DraftOrder(schema="brake.on/1", fields=fields, purposes=("identity",)))
        for name in NAMES:
            (braked,) = standing(members.open(name).view, []).brakes
            assert (braked.scope, braked.by, braked.alone) == (REGISTER, key, {key: 2})


def test_a_policy_that_is_not_the_genesis_records_is_refused(laid: tuple[Foundation, Path], tmp_path: Path) -> None:
    folder = tmp_path / "core"
    shutil.copytree(laid[1] / "nodes" / "core", folder)
    text = (folder / POLICY).read_text()
    (folder / POLICY).write_text(text.replace('"brake_all":["quorum"]', '"brake_all":["court"]'))
    with pytest.raises(FieldMismatch) as caught:
        read_directory(folder)
    assert caught.value.field == "policy"
