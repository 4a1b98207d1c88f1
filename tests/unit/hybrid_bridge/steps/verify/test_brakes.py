"""A life with two brakes and a freeze; what a bundle of it shows, and every way in which somebody could keep silent.

Epochs: (1) members, an invoice (2) the brake on registrations, until 3 (3) a confirmation; the brake on everything,
until 6 (4) a payment is acknowledged, an order freezes the invoice (5) off again (6) nothing.
"""

from dataclasses import replace
from functools import cache

import pytest

from hybrid_bridge.business.scopes import ON_NOTICE
from hybrid_bridge.core.bundle import DisclosurePart, EntryPart
from hybrid_bridge.core.encoding import canonical_json, sha256
from hybrid_bridge.core.governance import Notice, decode_governance
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ledger_state import BRAKE
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.testing.datasets.play import member_updates
from hybrid_bridge.units import UnixSeconds
from tests.bundles import CADENCE, START, Consortium, _name

LATE = UnixSeconds(START + 9 * CADENCE)
AT = "13 brakes"
REGISTER = "TYPE:0x0101"
SHORT = 6  # epochs


class Life(Consortium):
    """No validator changes; every record's epoch is remembered."""

    def set_id(self, size):
        return 1

    def validators_of(self, size):
        return self.first

    def rotation(self, *_size):
        return None

    def _live(self):
        self.stood = {}
        certificates = {v.name: sha256(v.certificate) for v in self.first}
        updates = member_updates(self.files, self.ledger.log_id, self.keys, certificates)
        self.ledger.block(*(self.ledger.governance(update.encode()) for _, update in updates))
        register, confirm = self.events[0], self.events[1]
        assert (register["schema"], confirm["schema"]) == ("asset.register/1", "asset.confirm/1")
        self.do("register", 1, **register)
        self._close()
        self.pull("typed", 2, scope=REGISTER, until_epoch=3)
        self._close()
        self.do("confirm", 3, **confirm)
        self.pull("all", 3, scope="ALL", until_epoch=6)
        self._close()
        asset = register["fields"]["object"]
        order = {"order": "0f" * 16, "object.0": asset, "reason_code": "COURT_ORDER", "escrow": False}
        self.do("freeze", 4, "freeze.order/1", "court", ["court"], order | {"until_epoch": 5})
        self._close()
        self.do("off", 5, "brake.off/1", "core", self.nodes_of(), {"scope": "ALL", "reason_code": "MISTAKE"})
        self._close()
        self.ledger.block(time=START + 5 * CADENCE + 60)
        self._close()

    def nodes_of(self):
        return list(self.ledger.nodes)

    def pull(self, name, epoch, **fields):
        self.do(name, epoch, "brake.on/1", "core", self.nodes_of(), {"reason_code": "SOFTWARE_FAULT", **fields})

    def do(self, name, epoch, schema, submitter, authorisers, fields, **more):
        at = START + (epoch - 1) * CADENCE + 60 * (len(self.stood) + 1)
        more.pop("at", None)
        event = {"schema": schema, "submitter": submitter, "authorisers": authorisers, **more}
        played, outcome = self.ledger.play({**event, "at": at, "fields": {**fields, "event_time": at}})
        assert outcome.codes == [0], (name, outcome.transactions)
        self.stood[name] = (epoch, played)

    def shown(self, name, *fields, transaction=True):
        epoch, played = self.stood[name]
        batch = self.closed[epoch - 1].batch
        index = batch.index_of(played.draft.entry_leaf)
        parts = [
            DisclosurePart(value=part.value, index=part.index, path=tuple(part.path))
            for part in played.draft.delivered().disclosures
            if fields and _name(part.value) in {*fields, "_schema", "_origin"}
        ]
        signed = played.signed.encode() if transaction else None
        path, entry = batch.path(index), played.draft.entry
        return EntryPart(entry=entry, index=index, path=path, disclosures=tuple(parts), transaction=signed)

    def spanning(self, *epochs, records=(), since=None, opened=True, **fields):
        """Epochs with the records named, and all governance from the first of them, or from `since`, to the last."""
        by_epoch = {epoch: [] for epoch in epochs}
        for name in records:
            by_epoch[self.stood[name][0]].append(self.shown(name, *fields.get("fields", ()), transaction=opened))
        size = SHORT + 1
        parts = [
            self.epoch_part(e, size, entries=tuple(sorted(found, key=lambda part: part.index)))
            for e, found in by_epoch.items()
        ]
        governed = self.governance_part(since or epochs[0], epochs[-1]) if since != 0 else None
        return self.bundle(size, *parts, governance=governed, rotations=(), anchors=())


@cache
def life():
    return Life()


def judged(bundle, **trust):
    return verify(bundle.encode(), life().trust(**{"require": (), **trust}), LATE)


def leaf(name):
    return life().stood[name][1].draft.entry_leaf


def facts(*epochs, **more):
    return {f.what + " " + f.scope: f for f in judged(life().spanning(*epochs, **more)).brakes}


# ── what is shown ──


def test_a_brake_is_shown_with_scope_times_holder_reason_and_record():
    found = facts(1, 6)
    typed, everything = found[f"brake {REGISTER}"], found["brake ALL"]
    genesis = life().genesis
    assert (typed.until, typed.ended) == (genesis.genesis_time + 3 * CADENCE, None)
    assert (typed.by, typed.reason_code, typed.record) == ("quorum", "SOFTWARE_FAULT", leaf("typed"))
    assert typed.since // CADENCE == (START + CADENCE) // CADENCE
    assert (everything.record, everything.ended_by) == (leaf("all"), leaf("off"))
    assert everything.since < everything.ended < everything.until
    assert typed.scope_hash == sha256(canonical_json(REGISTER))


def test_the_flags_of_epochs_are_told_with_the_brakes_that_explain_them():
    assert judged(life().spanning(1, 2, 3, 4, 5, 6)).warnings == (
        f"the brake was on when epoch 2 closed: {REGISTER}",
        f"the brake was on when epoch 3 closed: {REGISTER}, ALL",
        "the brake was on when epoch 4 closed: ALL",
    )


def test_a_freeze_is_shown_with_its_end_and_opened_by_its_record_alone():
    (frozen,) = [fact for fact in judged(life().spanning(3, 6)).brakes if fact.what == "freeze"]
    court = key_id_text(life().keys["court"].public.key_id)
    assert (frozen.scope, frozen.until) == ("", START + 5 * CADENCE)
    assert (frozen.by, frozen.reason_code) == ("", "")
    (frozen,) = [fact for fact in judged(life().spanning(3, 4, 6, records=("freeze",))).brakes if fact.what == "freeze"]
    asset = life().events[0]["fields"]["object"]
    assert frozen.scope == f"order {'0f' * 16} on {asset}"
    assert (frozen.by, frozen.reason_code) == (court, "COURT_ORDER")


def test_the_life_label_of_a_frozen_object_says_until_when_and_what_is_beneath():
    w, asset = life(), life().events[0]["fields"]["object"]
    labels = w.life_of("asset", asset, 4)
    bundle = w.bundle(SHORT + 1, w.epoch_part(4, SHORT + 1, labels=labels), rotations=(), anchors=())
    (fact,) = judged(bundle).registry
    assert fact.statement == "state FROZEN, until the end of epoch 5, beneath it CONFIRMED after event 2"


def test_a_brake_whose_beginning_is_before_the_governance_shown_is_a_flag_and_no_more():
    evidence = judged(life().spanning(4, 5, 6))
    assert evidence.warnings == ("the brake was on when epoch 4 closed: of what, by whom and why is not shown",)
    assert [(fact.what, fact.scope) for fact in evidence.brakes] == [("brake off", "ALL")]


def test_a_flag_alone_is_told_where_no_governance_is_shown():
    evidence = judged(life().spanning(3, since=0))
    assert evidence.warnings == ("the brake was on when epoch 3 closed: of what, by whom and why is not shown",)
    assert evidence.brakes == ()


def test_a_scope_and_a_reason_that_nothing_in_the_bundle_opens_stay_hashes():
    w, at = life(), START + CADENCE + 60
    strange = Notice(
        log_id=w.genesis.log_id,
        notice_type=ON_NOTICE,
        source=1,
        time=UnixSeconds(at),
        until=UnixSeconds(START + 2 * CADENCE),
        entry_leaf=b"\x02" * 32,
        subject_hash=sha256(b"a member whom nobody shows"),
        detail_hash=sha256(b"a reason that no list has"),
    )
    liar = told_otherwise(2, strange, flags=1)
    evidence = verify(liar.spanning(1, 2).encode(), liar.trust(require=()), LATE)
    (fact,) = evidence.brakes
    assert (fact.scope, fact.by, fact.reason_code) == ("", "", "")
    assert evidence.warnings == (f"the brake was on when epoch 2 closed: scope with hash {strange.subject_hash.hex()}",)


# ── records under a brake ──


def test_a_record_of_another_type_stands_while_one_type_is_braked():
    evidence = judged(life().spanning(1, 3, 6, records=("confirm",)))
    (warning,) = [text for text in evidence.warnings if text.startswith("record")]
    assert warning == f"record {leaf('confirm').hex()} stands in epoch 3, in which the brake on ALL was pulled"


def test_what_no_brake_stops_is_told_as_the_exception_it_is():
    evidence = judged(life().spanning(1, 4, 6, records=("freeze",), opened=False))
    exception = f"record {leaf('freeze').hex()} of type 0x0011 stands in epoch 4: no brake stops this type"
    assert exception in evidence.warnings


def test_in_the_epoch_of_its_end_a_record_may_stand_after_the_brake():
    evidence = judged(told_in("later", 5).spanning(1, 5, 6, records=("later",)))
    assert any(text.endswith("in which the brake on ALL was taken off") for text in evidence.warnings)


def told_in(name, epoch):
    """The same life, in which validators let a registration through in an epoch, whatever the brake says."""
    life_of = _Careless
    life_of.careless = (name, epoch)
    return life_of()


class _Careless(Life):
    careless = ("", 0)

    def _close(self):
        name, epoch = self.careless
        if len(self.closed) + 1 == epoch:
            kept = self.ledger.state.pop(BRAKE, None)
            other = next(e for e in self.events[2:] if e["schema"] == "asset.register/1")
            self.do(name, epoch, **other)
            if kept is not None:
                self.ledger.state[BRAKE] = kept
        super()._close()


@pytest.mark.parametrize(("epoch", "scope"), [(3, REGISTER), (4, "ALL")])
def test_a_record_that_a_brake_must_have_refused_is_refuted(epoch, scope):
    liar = told_in("later", epoch)
    found = refuted(liar, liar.spanning(1, epoch, 6, records=("later",), opened=False))
    assert (found.field, found.expected) == ("brake", f"nothing of {scope} in epoch {epoch}: the brake was on")


def test_a_brake_that_was_pulled_again_before_it_ended_left_no_gap():
    class Again(_Careless):
        careless = ("later", 4)

        def pull(self, name, epoch, **fields):
            super().pull(name, epoch, **{**fields, "scope": REGISTER})

        def do(self, name, epoch, schema, submitter, authorisers, fields, **more):
            scope = {"scope": REGISTER} if name == "off" else {}
            super().do(name, epoch, schema, submitter, authorisers, {**fields, **scope}, **more)

    liar = Again()
    found = refuted(liar, liar.spanning(1, 4, 6, records=("later",), opened=False))
    assert found.expected == f"nothing of {REGISTER} in epoch 4: the brake was on"


@pytest.mark.parametrize("opened", [True, False])
def test_a_brake_on_a_member_is_opened_by_what_the_bundle_says_of_it(opened):
    class One(_Careless):
        careless = ("later", 4)

        def pull(self, name, epoch, **fields):
            submitter = next(e for e in self.events[2:] if e["schema"] == "asset.register/1")["submitter"]
            scope = f"MEMBER:{key_id_text(self.keys[submitter].public.key_id)}"
            super().pull(name, epoch, **{**fields, "scope": scope if name == "all" else REGISTER})
            self.scope = scope

        def do(self, name, epoch, schema, submitter, authorisers, fields, **more):
            scope = {"scope": self.scope} if name == "off" else {}
            super().do(name, epoch, schema, submitter, authorisers, {**fields, **scope}, **more)

    liar = One()
    bundle = liar.spanning(1, 4, 6, records=("later",), opened=opened, fields=("gross",))
    assert refuted(liar, bundle).expected == f"nothing of {liar.scope} in epoch 4: the brake was on"


def test_other_governance_between_is_no_brake():
    update = decode_governance(life().governance[1])
    quiet = told_otherwise(2, update, flags=0)
    evidence = verify(quiet.spanning(1, 2).encode(), quiet.trust(require=()), LATE)
    assert (evidence.brakes, evidence.warnings, len(evidence.governance)) == ((), (), 1)


# ── silence ──


def refuted(liar, bundle):
    with pytest.raises(FieldMismatch) as caught:
        verify(bundle.encode(), liar.trust(require=()), LATE)
    assert caught.value.stopped_at == AT
    return caught.value


def toggled(epoch, flags):
    return life().variant(epoch, flags=flags)


def told_otherwise(epoch, notice, **changes):
    """The same life, had the governance records of this epoch been this one, and none come after it."""
    liar = life().variant(1)
    size = life().closed[epoch - 2].record.governance_size
    liar.governance = [*life().governance[:size], notice.encode()]
    tree = liar._governance_tree()
    for later in range(epoch, SHORT + 1):
        words = {"governance_size": size + 1, "governance_root": tree.root(size + 1)}
        liar = liar.variant(later, **words, **(changes if later == epoch else {"flags": 0}))
    return liar


def test_a_notice_without_its_flag_is_refuted():
    liar = toggled(2, 0)
    found = refuted(liar, liar.spanning(1, 2, 6))
    assert (found.field, found.expected, found.got) == (
        "flags of epoch 2",
        "1: a notice says that a brake was on",
        "0",
    )


def test_a_flag_without_a_notice_is_refuted():
    liar = toggled(5, 1)
    found = refuted(liar, liar.spanning(1, 5, 6))
    assert (found.field, found.expected, found.got) == (
        "flags of epoch 5",
        "0: no notice of a brake since epoch 1",
        "1",
    )


def test_a_flag_that_rises_while_no_governance_record_came_is_refuted_without_any_record():
    liar = toggled(6, 1)
    found = refuted(liar, liar.spanning(5, 6, since=0))
    assert found.expected == "0: no notice since a record without it"


def test_a_flag_that_falls_without_a_notice_is_the_end_that_the_brake_named():
    quiet = told_otherwise(2, decode_governance(life().governance[-4]), flags=1)
    assert quiet.closed[2].record.flags == 0
    verify(quiet.spanning(2, 3, since=0).encode(), quiet.trust(require=()), LATE)


def test_a_flag_of_before_the_governance_shown_may_be_of_a_brake_that_is_not_shown():
    liar = toggled(5, 1)
    assert (
        judged(liar.spanning(4, 5, 6), logs=liar.trust().logs).warnings[-1].startswith("the brake was on when epoch 5")
    )


def test_a_notice_of_another_time_than_its_place_is_refuted():
    honest = next(record for record in map(decode_governance, life().governance[1:]) if isinstance(record, Notice))
    early, late = replace(honest, time=UnixSeconds(START + 60)), replace(honest, time=UnixSeconds(START + 2 * CADENCE))
    for notice, place in ((early, "after the end of epoch 1"), (late, "before the end of epoch 2")):
        liar = told_otherwise(2, notice, flags=1)
        found = refuted(liar, liar.spanning(1, 2))
        assert found.field == "notice.time"
        assert found.expected.startswith(place)


@pytest.mark.parametrize("name", ["typed", "freeze"])
def test_a_notice_that_says_something_else_than_its_record_is_refuted(name):
    epoch, played = life().stood[name]
    notice = next(
        record
        for record in map(decode_governance, life().governance[1:])
        if isinstance(record, Notice) and record.entry_leaf == played.draft.entry_leaf
    )
    flag = life().closed[epoch - 1].record.flags
    liar = told_otherwise(epoch, replace(notice, subject_hash=sha256(b"something else")), flags=flag)
    found = refuted(liar, liar.spanning(epoch - 1, epoch, records=(name,)))
    assert (found.field, found.got) == ("notice.subject_hash", sha256(b"something else").hex())


def test_a_notice_of_another_end_than_its_records_is_refuted():
    notice = notice_of("typed")
    liar = told_otherwise(2, replace(notice, until=UnixSeconds(START + 9 * CADENCE)), flags=1)
    found = refuted(liar, liar.spanning(1, 2, records=("typed",)))
    assert (found.field, found.expected) == ("notice.until", str(START + 3 * CADENCE))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (lambda notice: decode_governance(life().governance[1]), "type none"),
        (lambda notice: replace(notice, notice_type=2, until=UnixSeconds(0)), "type 2"),
    ],
    ids=["no notice", "a notice of the contrary"],
)
def test_a_brake_that_is_a_record_and_no_notice_is_refuted(other, told):
    liar = told_otherwise(2, other(notice_of("typed")), flags=0)
    found = refuted(liar, liar.spanning(1, 2, records=("typed",), opened=False))
    assert (found.field, found.expected, found.got) == (f"notice of record {leaf('typed').hex()}", "type 1", told)


def test_a_brake_that_is_a_record_in_an_epoch_without_any_notice_is_refuted_by_equal_sizes():
    before = life().closed[0].record
    same = {"governance_size": before.governance_size, "governance_root": before.governance_root}
    quiet = life().variant(2, **same, flags=0)
    found = refuted(quiet, quiet.spanning(1, 2, records=("typed",), since=0, opened=False))
    assert found.got == "type none"


def test_a_brake_of_an_epoch_whose_notices_are_not_all_shown_may_have_its_own():
    judged(life().spanning(2, 3, records=("typed",)))


def notice_of(name):
    wanted = leaf_hash(life().stood[name][1].draft.entry)
    records = map(decode_governance, life().governance[1:])
    return next(record for record in records if isinstance(record, Notice) and record.entry_leaf == wanted)
