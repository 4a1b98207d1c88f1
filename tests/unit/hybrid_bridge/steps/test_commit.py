from dataclasses import replace

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.business.membership import newest_update, responsible_set, roles_of
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.block import chain_step, state_hash
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import ZERO, canonical_json, sha256
from hybrid_bridge.core.entry import RecordEntry, RefusalEntry
from hybrid_bridge.core.field_tree import build_fields
from hybrid_bridge.core.governance import (
    ADD,
    MEMBER,
    NODE,
    REINSTATE,
    REMOVE,
    SUSPEND,
    MemberUpdate,
    Notice,
    SetUpdate,
    decode_governance,
)
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.core.ledger_state import BRAKE, GOVERNANCE, Overlay, index_key, put_number, sequence_key
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import BeaconPayload, RecordPayload, SignaturePart, SignedTransaction, claims_of
from hybrid_bridge.core.tree import batch_root
from hybrid_bridge.core.validators import ValidatorSet, name_hash
from hybrid_bridge.errors import (
    Expired,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    NotYet,
    RuleRejected,
    SequenceRejected,
    SetMismatch,
    SignatureWrong,
    StoreBroken,
    TooLong,
)
from hybrid_bridge.steps.commit import (
    FIRST_SET,
    MemberInfo,
    Rules,
    admit,
    execute_block,
    genesis_state,
    knock,
    never_stands,
    preview,
    stateless_check,
)
from hybrid_bridge.testing.datasets.story import CADENCE, START
from hybrid_bridge.units import EpochNumber, Height, SetId, TreeSize, UnixSeconds
from tests.ledger import MemoryLedger, counted, genesis_of, validator_entry

NODES = ("n1", "n2", "n3", "n4")
NAMES = (*NODES, "n5", "core", "operator", "stranger", "seller", "holder")
KEYS = {name: PrivateKey.from_seed(sha256(f"TEST {name}".encode())) for name in NAMES}
OBJECT = "00112233445566778899aabbccddeeff"
EPOCH_1 = EpochNumber(1)


def update(ledger, name, roles=MEMBER, from_epoch=EPOCH_1):
    return MemberUpdate(
        log_id=ledger.log_id,
        action=ADD,
        name_hash=name_hash(f"LEI:{name}", name),
        certificate_hash=validator_entry(name).certificate_hash,
        key_id=KEYS[name].public.key_id,
        roles=roles,
        from_epoch=from_epoch,
    )


def decided(ledger, record):
    """What is decided of a key stands on what stands of it."""
    return replace(record, replaces=newest_update(ledger.state, record.key_id)).encode()


def begun(pack=None):
    """Core and operator are members."""
    ledger = MemoryLedger(KEYS, NODES, pack)
    ledger.block(*(ledger.governance(update(ledger, name).encode()) for name in ("core", "operator")))
    return ledger


@pytest.fixture
def ledger():
    return begun()


def register(object_id=OBJECT, *, submitter="operator", at=START, **more):
    return {
        "at": at,
        "schema": "asset.register/1",
        "submitter": submitter,
        "authorisers": ["seller"],
        "fields": {
            "object": object_id,
            "debtor": "@core",
            "ccy": "CNY",
            "gross": "1000",
            "creditor_key": "@seller",
            "event_time": at,
            **more,
        },
    }


def confirm(object_id=OBJECT, number=1, at=START, schema="asset.confirm/1"):
    return {
        "at": at,
        "schema": schema,
        "submitter": "core",
        "authorisers": ["core"],
        "fields": {"object": object_id, "gross": "1000", "ccy": "CNY", "distinct": False, "event_time": at},
        "labels": [{"type": 2, "parts": ["CN", f"26{number:018d}"]}],
        "object": object_id,
    }


def cancel(object_id=OBJECT, at=START):
    return {
        "at": at,
        "schema": "asset.cancel/1",
        "submitter": "core",
        "authorisers": ["core", "seller"],
        "fields": {"object": object_id, "event_time": at},
        "object": object_id,
    }


def send(ledger, event, expires=9):
    return ledger.player.play(event, EpochNumber(expires)).signed


# ── the state before the first block ──


def test_the_genesis_state_knows_the_validators_and_no_member():
    ledger = MemoryLedger(KEYS, NODES)
    assert set(responsible_set(ledger.state, EPOCH_1).keys) == {KEYS[name].public.key_id for name in NODES}
    assert all(roles_of(ledger.state, KEYS[name].public.key_id, EPOCH_1) == 0 for name in NAMES)
    assert sorted(writes := genesis_state(ledger.rules.genesis, [ledger.member(n) for n in NODES])) == writes


def test_the_genesis_state_takes_only_the_validators_of_the_genesis_record():
    genesis = genesis_of(NODES)
    with pytest.raises(SetMismatch):
        genesis_state(genesis, [MemberInfo(validator_entry(n), KEYS[n].public.key_id) for n in NODES[:3]])


# ── one block ──


def test_an_empty_block_changes_nothing_but_the_position(ledger):
    chain = ledger.outcomes[-1].chain
    outcome = ledger.block()
    assert (outcome.codes, outcome.entries, outcome.chain, outcome.beacon) == ([], [], chain, None)
    assert outcome.state_hash == state_hash(Height(2), chain, TreeSize(3), outcome.governance_root)


def test_an_accepted_record_yields_its_entry_and_a_refused_one_the_refusal(ledger):
    good, bad = send(ledger, register()), send(ledger, register())
    outcome = ledger.block(good, bad)
    assert outcome.codes == [0, 3]
    assert outcome.entries == [
        good.body.payload.entry,
        RefusalEntry(bad.body.transaction_id).encode(),
    ]
    assert (outcome.transactions[1].rule, outcome.transactions[1].subject) == ("exists", OBJECT)
    chain = ledger.outcomes[0].chain
    for signed, code in ((good, 0), (bad, 3)):
        chain = chain_step(chain, code, signed.body.transaction_id)
    assert outcome.chain == chain


def test_the_chain_begins_at_zero():
    ledger = MemoryLedger(KEYS, NODES)
    signed = ledger.governance(update(ledger, "core").encode())
    outcome = ledger.block(signed)
    assert outcome.chain == chain_step(ZERO, 0, signed.body.transaction_id)


def test_execution_is_a_function_of_state_and_block(ledger):
    block = [send(ledger, register()), send(ledger, confirm())]
    before = dict(ledger.state)
    assert ledger.execute(*block) == ledger.execute(*block)
    assert ledger.state == before
    stored = execute_block(dict(ledger.state), ledger.rules, Height(2), UnixSeconds(START), block)
    assert stored == ledger.block(*block)


def test_a_block_is_the_next_one_and_its_time_never_falls(ledger):
    for height, time in ((3, START), (1, START), (2, START - 1)):
        with pytest.raises(FieldMalformed):
            execute_block(ledger.state, ledger.rules, Height(height), UnixSeconds(time), [])


def test_without_a_genesis_state_nothing_is_executed(ledger):
    with pytest.raises(StoreBroken):
        execute_block({}, ledger.rules, Height(1), UnixSeconds(START), [])
    del ledger.state[GOVERNANCE]
    with pytest.raises(StoreBroken):
        ledger.execute()


# ── what never stands ──


def test_a_sequence_number_is_the_next_one_exactly(ledger):
    first, second = send(ledger, register()), send(ledger, register("f" * 32))
    with pytest.raises(SequenceRejected) as caught:
        ledger.execute(second)
    assert (caught.value.expected, caught.value.got) == (0, 1)
    ledger.block(first)
    with pytest.raises(SequenceRejected) as caught:
        ledger.execute(first)
    assert (caught.value.expected, caught.value.got) == (1, 0)
    ledger.block(second)


def test_a_refused_transaction_uses_up_its_number(ledger):
    ledger.block(send(ledger, register()))
    assert ledger.block(send(ledger, register())).codes == [3]
    assert ledger.block(send(ledger, register("f" * 32))).codes == [0]


def test_after_its_last_epoch_a_transaction_never_stands(ledger):
    signed = send(ledger, register(), expires=1)
    ledger.execute(signed, time=START + CADENCE - 1)
    with pytest.raises(Expired):
        ledger.execute(signed, time=START + CADENCE)


def test_another_consortium_and_a_forged_signature_never_stand(ledger):
    signed = send(ledger, register())
    other = MemoryLedger(KEYS, NODES[:3])
    with pytest.raises(FieldMismatch):
        never_stands(Overlay({}), other.rules, signed, EPOCH_1)
    forged = SignaturePart.over(signed.body.consent, KEYS["operator"])
    with pytest.raises(SignatureWrong):
        ledger.execute(SignedTransaction(signed.body, (forged, *signed.signatures[1:])))


def with_claims(ledger, schema, values, record_type=0x0101, submitter="operator"):
    """A record whose claims no honest builder would make."""
    random = counted("cheat")
    values = {"_schema": schema, "_origin": key_id_text(KEYS[submitter].public.key_id), **values}
    claims = [Disclosure(random(32), name, value) for name, value in values.items()]
    tree = build_fields(claims, [], [random(32) for _ in range(16)], 32)
    entry = RecordEntry(record_type, tree.width, tree.field_root).encode()
    payload = RecordPayload(entry, tree.private_root, tuple(claim.text() for claim in tree.claims))
    return ledger.sign(payload, submitter, ("seller",))


def typed_register(ledger):
    claims = send(ledger, register()).body
    ledger.player.sequences["operator"] = 0
    return {n: c.value for n, c in claims_of(claims).items() if not n.startswith("_")}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"gross": "01"}, "gross"),
        ({"gross": None}, "gross"),
        ({"face": "1"}, "face"),
        ({"seller": "USCI:1"}, "seller"),
        ({"event_time": "now"}, "event_time"),
    ],
)
def test_claims_that_break_their_schema_never_stand(ledger, change, field):
    signed = with_claims(ledger, "asset.register/1", typed_register(ledger) | change)
    with pytest.raises(FieldMalformed) as caught:
        ledger.execute(signed)
    assert caught.value.field == field


def test_an_unknown_record_type_or_a_foreign_schema_never_stands(ledger):
    values = typed_register(ledger)
    for schema, record_type, field in (
        ("asset.register/1", 0x7FFF, "record_type"),
        ("asset.register/2", 0x0101, "_schema"),
        ("asset.cancel/1", 0x0101, "_schema"),
    ):
        ledger.player.sequences["operator"] = 0
        with pytest.raises(FieldMalformed) as caught:
            ledger.execute(with_claims(ledger, schema, values, record_type))
        assert caught.value.field == field


def test_a_governance_record_that_is_none_never_stands(ledger):
    notice = Notice(
        log_id=ledger.log_id,
        notice_type=5,
        source=1,
        time=UnixSeconds(START),
        until=UnixSeconds(0),
        entry_leaf=ZERO,
        subject_hash=ZERO,
    )
    foreign = replace(update(ledger, "n1"), log_id=sha256(b"other"))
    for record, error in ((b"", Malformed), (notice.encode(), FieldMalformed), (foreign.encode(), FieldMismatch)):
        ledger.player.sequences["n1"] = 2
        with pytest.raises(error):
            ledger.execute(ledger.governance(record))


@pytest.mark.parametrize("zero", ["chain_id", "number", "hash"])
def test_a_beacon_with_a_zero_in_it_never_stands(ledger, zero):
    parts = {"chain_id": 1, "number": 2, "hash": sha256(b"3")} | {zero: bytes(32) if zero == "hash" else 0}
    with pytest.raises(FieldMalformed):
        stateless_check(ledger.sign(BeaconPayload(**parts), "n1"), ledger.log_id)


# ── refusals, by code ──


def test_an_entry_is_committed_once(ledger):
    signed = send(ledger, register())
    ledger.block(signed)
    again = ledger.sign(signed.body.payload, "operator", ("seller",))
    outcome = ledger.block(again)
    assert (outcome.codes, outcome.transactions[0].rule) == ([5], "entry")


def test_only_an_admitted_member_submits_records(ledger):
    for stranger in ("stranger", "n1"):
        outcome = ledger.block(send(ledger, register(submitter=stranger)))
        assert (outcome.codes, outcome.transactions[0].rule) == ([2], "admission")


def test_an_identity_index_is_inserted_once(ledger):
    other = "f" * 32
    ledger.block(send(ledger, register()), send(ledger, register(other)))
    outcome = ledger.block(send(ledger, confirm(number=7)), send(ledger, confirm(other, number=7)))
    assert (outcome.codes, outcome.transactions[1].rule) == ([0, 1], "L-hard")
    ((index, commitment),) = outcome.identity_ops
    assert ledger.state[index_key(index)] == commitment
    assert ledger.block(send(ledger, confirm(other, number=8))).codes == [0]


def test_one_label_that_is_taken_refuses_the_whole_transaction(ledger):
    other = "f" * 32
    ledger.block(send(ledger, register()), send(ledger, register(other)), send(ledger, confirm(number=7)))
    both = confirm(other, number=7)
    both["labels"].insert(0, {"type": 3, "parts": ["LEI:5493001KJTIIGC8Y1R12", "INV-9"]})
    outcome = ledger.block(send(ledger, both))
    assert (outcome.codes, outcome.identity_ops, outcome.life_events) == ([1], (), ())
    assert ledger.block(send(ledger, {**both, "labels": both["labels"][:1]})).codes == [0]


def test_labels_stand_only_beside_a_confirmation(ledger):
    signed = send(ledger, register())
    ledger.block(signed)
    confirmed = send(ledger, confirm()).body.payload
    ledger.player.sequences["core"] = 0
    other = send(ledger, register("f" * 32)).body.payload
    ledger.player.sequences["operator"] = 1
    outcome = ledger.block(ledger.sign(replace(other, ops=confirmed.ops), "operator", ("seller",)))
    assert (outcome.codes, outcome.transactions[0].rule) == ([3], "labels")


def test_life_events_count_up_in_block_order(ledger):
    outcome = ledger.block(send(ledger, register()), send(ledger, confirm()))
    assert [(e.object_type, e.object_id, e.version, e.code) for e in outcome.life_events] == [
        ("asset", OBJECT, 0, "0x0101"),
        ("asset", OBJECT, 1, "0x0102"),
    ]
    assert outcome.life_events[1].entry_leaf == leaf_hash(outcome.entries[1])
    assert sum(one.pairs for one in outcome.transactions) == len(outcome.life_events) + len(outcome.identity_ops)


# ── governance and beacons ──


def test_members_are_added_by_a_quorum(ledger):
    record = update(ledger, "seller").encode()
    outcome = ledger.block(
        ledger.governance(record, quorum=NODES[:2]),
        ledger.governance(record, quorum=(*NODES, "core")),
        ledger.governance(record, submitter="stranger"),
        ledger.governance(record, quorum=NODES[1:], submitter="core"),
        ledger.governance(record),
    )
    assert outcome.codes == [2, 2, 2, 0, 5]
    assert [t.rule for t in outcome.transactions] == ["authority", "authority", "admission", "", "entry"]
    assert outcome.governance == (record,)
    assert [t.entry is None for t in outcome.transactions] == [False, False, False, True, False]
    assert roles_of(ledger.state, KEYS["seller"].public.key_id, EPOCH_1) == MEMBER


def test_a_quorums_old_word_is_not_said_again_after_it_has_changed_its_mind(ledger):
    added = update(ledger, "seller")
    removed = replace(added, action=REMOVE, roles=0, replaces=leaf_hash(added.encode()))
    again = replace(added, reason_hash=sha256(b"again"), replaces=leaf_hash(removed.encode()))
    words = [ledger.governance(record.encode()) for record in (added, removed, again, added, removed, again)]
    outcome = ledger.block(*words)
    assert [t.rule for t in outcome.transactions] == ["", "", "", "entry", "entry", "entry"]


def test_a_decision_of_two_records_stands_whole_and_in_order(ledger):
    records = tuple(update(ledger, name).encode() for name in ("seller", "holder"))
    before = ledger.outcomes[-1]
    outcome = ledger.block(ledger.governance(*records))
    assert (outcome.codes, outcome.governance, outcome.entries) == ([0], records, [])
    assert outcome.governance_size == before.governance_size + 2


def test_nobody_enacts_a_part_of_what_was_consented_to(ledger):
    """Whoever holds every consent of a proposal has them for all of its records in their order, and for nothing else."""
    seller, holder = (update(ledger, name).encode() for name in ("seller", "holder"))
    whole = ledger.governance(seller, holder)
    ledger.player.sequences["n1"] -= 1
    for records in ((seller,), (holder,), (holder, seller), (seller, holder, update(ledger, "n5").encode())):
        part = ledger.governance(*records)
        ledger.player.sequences["n1"] -= 1
        with pytest.raises(SignatureWrong):
            ledger.execute(replace(part, signatures=(part.signatures[0], *whole.signatures[1:])))
    assert ledger.execute(whole).codes == [0]


def test_a_decision_of_which_one_record_is_refused_leaves_nothing(ledger):
    good, bad = update(ledger, "seller").encode(), update(ledger, "core").encode()  # core is there already
    before = dict(ledger.state)
    for records in ((good, bad), (bad, good), (good, good)):
        outcome = ledger.block(ledger.governance(*records))
        assert (outcome.codes[0] in (3, 5), outcome.governance) == (True, ())
        changed = {key for key in ledger.state.keys() | before if ledger.state.get(key) != before.get(key)}
        assert not {key for key in changed if key.startswith((b"member", b"certificate", b"entry"))}
    assert roles_of(ledger.state, KEYS["seller"].public.key_id, EPOCH_1) == 0
    assert ledger.block(ledger.governance(good)).codes == [0]  # by itself, with consents to it alone


def test_the_governance_tree_holds_genesis_and_every_record_in_order(ledger):
    records = [ledger.rules.genesis.encode()] + [r for outcome in ledger.outcomes for r in outcome.governance]
    assert ledger.outcomes[-1].governance_size == len(records) == 3
    assert ledger.outcomes[-1].governance_root == batch_root([leaf_hash(record) for record in records])


def next_set(ledger, nodes):
    """The record that hands over to `nodes`, who all are members."""
    ledger.block(*(ledger.governance(update(ledger, name, MEMBER | NODE).encode()) for name in (*NODES, "n5")))
    entries = tuple(sorted(map(validator_entry, nodes), key=lambda entry: entry.address))
    validators = ValidatorSet(SetId(2), entries)
    return SetUpdate(
        log_id=ledger.log_id,
        previous_set_hash=ledger.rules.genesis.set_hash,
        set_hash=validators.digest,
        effective_from_size=TreeSize(3),
        decoy_key_hash=sha256(b"K_2"),
        validators=validators,
    ).encode()


def test_the_next_set_takes_over_and_the_old_one_no_longer_decides():
    ledger, nodes = begun(), ("n2", "n3", "n4", "n5")
    record = next_set(ledger, nodes)
    assert FIRST_SET == 1
    assert ledger.block(ledger.governance(record)).codes == [0]
    assert isinstance(decode_governance(record), SetUpdate)
    again = update(ledger, "seller", from_epoch=EpochNumber(2)).encode()
    outcome = ledger.block(
        ledger.governance(again, submitter="n2"), ledger.governance(again, quorum=nodes), time=START + CADENCE
    )
    assert outcome.codes == [2, 0]


def test_what_a_rule_pack_does_not_take_up_every_member_refuses_on_the_record():
    ledger = begun(RulePack(rotation=False))
    record = next_set(ledger, ("n2", "n3", "n4", "n5"))
    before = ledger.outcomes[-1].governance_root
    outcome = ledger.block(ledger.governance(record), ledger.beacon(5, "n2"))
    assert [(t.code, t.rule) for t in outcome.transactions] == [(3, "rotation"), (3, "beacons")]
    assert (outcome.governance, outcome.governance_root, outcome.beacon) == ((), before, None)
    assert [RefusalEntry(t.transaction_id).encode() for t in outcome.transactions] == outcome.entries
    strangers = ledger.block(ledger.governance(record, submitter="stranger"), ledger.beacon(6, "core"))
    assert [t.rule for t in strangers.transactions] == ["admission", "authority"]  # who may ask is judged first
    added = update(ledger, "seller", from_epoch=EpochNumber(1)).encode()
    assert ledger.block(ledger.governance(added)).codes == [0]  # the first set goes on deciding


def bound(ledger, name, seed):
    vote = sha256(seed)
    return ConsensusKey.signed(vote, public_key_of(vote), ledger.log_id, KEYS[name].public.key_id)


def test_the_engine_is_told_of_another_set_in_the_first_block_of_its_epoch():
    old = [public_key_of(sha256(name.encode())) for name in NODES]
    ledger, nodes = MemoryLedger(KEYS, NODES, RulePack(), engine=old), ("n2", "n3", "n4", "n5")
    record = next_set(ledger, nodes)
    assert ledger.block(ledger.governance(record)).transactions[0].rule == "consensus-missing"
    keys = [bound(ledger, name, name.encode()).encode() for name in (*NODES, "n5")]
    assert ledger.block(*map(ledger.governance, keys)).codes == [0] * 5
    again = replace(SetUpdate.decode(record), reason_hash=sha256(b"again")).encode()
    taken = ledger.block(ledger.governance(again))
    assert (taken.codes, taken.votes, taken.governance) == ([0], (), (again,))
    first, second = (ledger.block(time=START + CADENCE + k) for k in (0, 1))
    gone, new = (public_key_of(sha256(name)) for name in (b"n1", b"n5"))
    assert set(first.votes) == {(gone, 0), (new, 1)}
    assert second.votes == ()


def test_a_consensus_key_that_did_not_sign_for_its_holder_never_stands(ledger):
    stolen = replace(bound(ledger, "n1", b"n1"), key_id=KEYS["n2"].public.key_id)
    with pytest.raises(SignatureWrong):
        ledger.execute(ledger.governance(stolen.encode()))


def test_a_ledger_without_an_engine_refuses_consensus_keys_on_the_record(ledger):
    outcome = ledger.block(ledger.governance(bound(ledger, "n1", b"n1").encode()))
    assert [(t.code, t.rule) for t in outcome.transactions] == [(3, "consensus-ledger")]


def test_who_is_suspended_submits_no_record_and_a_validator_its_governance(ledger):
    roles = MEMBER | NODE
    ledger.block(*(ledger.governance(update(ledger, name, roles).encode()) for name in NODES))
    paused = [replace(update(ledger, name, roles), action=SUSPEND) for name in ("n1",)]
    paused.append(replace(update(ledger, "operator"), action=SUSPEND))
    assert ledger.block(*(ledger.governance(decided(ledger, record)) for record in paused)).codes == [0, 0]
    back = decided(ledger, replace(update(ledger, "operator"), action=REINSTATE))
    outcome = ledger.block(
        send(ledger, register()),
        ledger.governance(back, submitter="operator"),
        ledger.governance(back, submitter="n1"),
        send(ledger, register()),
    )
    assert [t.rule for t in outcome.transactions] == ["admission", "admission", "", ""]


def test_beacons_come_from_validators_and_the_last_one_counts():
    ledger = begun(RulePack(beacons=True))
    outcome = ledger.block(ledger.beacon(5, "n1"), ledger.beacon(6, "n2"), ledger.beacon(7, "core"))
    assert outcome.codes == [0, 0, 2]
    assert outcome.beacon.number == 6
    assert len(outcome.entries) == 1
    with_consent = ledger.sign(BeaconPayload(1, 8, sha256(b"8")), "n1", ("n2",))
    assert ledger.block(with_consent).codes == [2]


def test_a_freeze_leaves_a_notice_in_the_governance_tree():
    ledger = MemoryLedger(KEYS, NODES)
    roles = {"core": MEMBER, "operator": MEMBER, "stranger": MEMBER | 8}
    ledger.block(*(ledger.governance(update(ledger, name, r).encode()) for name, r in roles.items()))
    ledger.block(send(ledger, register()))
    freeze = {
        "at": START,
        "schema": "freeze.order/1",
        "submitter": "stranger",
        "authorisers": ["stranger"],
        "fields": {
            "order": "a" * 32,
            "object.0": OBJECT,
            "reason_code": "COURT_ORDER",
            "escrow": False,
            "until_epoch": 3,
            "event_time": START,
        },
    }
    outcome = ledger.block(send(ledger, freeze))
    (record,) = outcome.governance
    notice = decode_governance(record)
    assert (notice.notice_type, notice.entry_leaf) == (5, leaf_hash(outcome.entries[0]))
    assert notice.until == START + 3 * CADENCE, "in seconds, as the epochs of this log end"
    assert outcome.governance_size == 5


def test_a_brake_on_one_member_refuses_what_it_submits_with_code_four_and_nobody_else(ledger):
    scope = f"MEMBER:{key_id_text(KEYS['operator'].public.key_id)}"
    fields = {"scope": scope, "reason_code": "KEY_COMPROMISE", "until_epoch": 1, "event_time": START}
    pulled = {"at": START, "schema": "brake.on/1", "submitter": "core", "authorisers": list(NODES), "fields": fields}
    assert ledger.block(send(ledger, pulled)).codes == [0]
    outcome = ledger.block(send(ledger, register()), send(ledger, register(submitter="core")))
    assert outcome.codes == [4, 0]
    assert (outcome.transactions[0].rule, outcome.transactions[0].subject) == ("brake", scope)
    later = register("5" * 32, at=START + CADENCE)
    assert ledger.block(send(ledger, later), time=START + CADENCE).codes == [0]


def test_a_brake_that_somebody_toggles_in_silence_is_another_state_from_the_next_block_on(ledger):
    """Whoever executes again refuses what the toggled ledger made: the codes, and so the state, are others."""
    sent_alike, honest = send(ledger, register()), dict(ledger.state)
    silent = dict(honest)
    silent[BRAKE] = canonical_json({"ALL": {"until": 5, "by": "quorum", "alone": 0}})
    made = [
        execute_block(state, ledger.rules, Height(ledger.height), UnixSeconds(START), [sent_alike])
        for state in (honest, silent)
    ]
    assert [outcome.codes for outcome in made] == [[0], [4]]
    assert made[0].state_hash != made[1].state_hash
    assert made[0].governance == made[1].governance == ()


# ── an epoch has an end ──


def small_ledger():
    ledger = MemoryLedger(KEYS, NODES, ladder=1 << 3)
    ledger.block(*(ledger.governance(update(ledger, name).encode()) for name in ("core", "operator")))
    return ledger


def test_a_block_beyond_the_highest_rung_is_invalid():
    ledger = small_ledger()
    block = [send(ledger, register(f"{k:032x}")) for k in range(9)]
    with pytest.raises(TooLong) as caught:
        ledger.execute(*block)
    assert caught.value.field == "epoch.entries"
    ledger.block(*block[:8])
    with pytest.raises(TooLong):
        ledger.execute(block[8])
    ledger.block(block[8], time=START + CADENCE)


def test_the_door_of_a_full_epoch_says_not_yet():
    ledger = small_ledger()
    ledger.block(*(send(ledger, register(f"{k:032x}")) for k in range(8)))
    late = send(ledger, register("f" * 32))
    with pytest.raises(NotYet):
        admit(ledger.state, ledger.rules, late, UnixSeconds(START))
    admit(ledger.state, ledger.rules, late, UnixSeconds(START + CADENCE))


# ── the door ──


def test_the_door_tries_pending_transactions_one_on_another(ledger):
    pending = ledger.state
    for event in (register(), confirm(), register("f" * 32)):
        pending = admit(pending, ledger.rules, send(ledger, event), UnixSeconds(START))
    assert ledger.height == 2
    with pytest.raises(RuleRejected) as caught:
        admit(pending, ledger.rules, send(ledger, register("f" * 32)), UnixSeconds(START))
    assert caught.value.rule == "exists"


def test_whoever_makes_a_block_knows_it_before(ledger):
    """Refused transactions stand too, use up their number and take room."""
    events = [register(), register(), confirm(), confirm(), register("f" * 32)]
    pending, block, known = ledger.state, [], []
    for event in events:
        block.append(send(ledger, event))
        pending, outcome = preview(pending, ledger.rules, block[-1], UnixSeconds(START))
        known.append(outcome)
    assert ledger.block(*block).transactions == tuple(known)
    assert [outcome.code for outcome in known] == [0, 3, 0, 3, 0]


def test_refusals_fill_an_epoch_too():
    ledger = small_ledger()
    pending = ledger.state
    for _ in range(8):
        pending, _ = preview(pending, ledger.rules, send(ledger, register()), UnixSeconds(START))
    with pytest.raises(NotYet):
        preview(pending, ledger.rules, send(ledger, register()), UnixSeconds(START))


def test_a_door_before_a_block_leaves_the_rules_of_business_to_it(ledger):
    record = decided(ledger, update(ledger, "seller"))
    waiting = [(register(), 0), (register(), 3), (confirm(), 0)]
    for signed, code in [
        *((send(ledger, event), code) for event, code in waiting),
        (ledger.governance(record, quorum=NODES[:2]), 2),
        (ledger.governance(record), 0),
    ]:
        knock(ledger.state, ledger.rules, signed, UnixSeconds(START))
        assert ledger.block(signed).codes == [code]


def test_a_door_before_a_block_turns_away_strangers_and_what_stands(ledger):
    record = decided(ledger, update(ledger, "seller"))
    first = send(ledger, register())
    ledger.block(first, ledger.governance(record))
    for signed, rule in [
        (ledger.sign(first.body.payload, "operator", ("seller",)), "entry"),
        (send(ledger, register("f" * 32, submitter="stranger")), "admission"),
        (ledger.governance(record), "entry"),
        (ledger.governance(record, submitter="holder"), "admission"),
    ]:
        with pytest.raises(RuleRejected) as caught:
            knock(ledger.state, ledger.rules, signed, UnixSeconds(START))
        assert caught.value.rule == rule


def test_a_door_before_a_block_closes_when_the_epoch_is_full():
    ledger = small_ledger()
    ledger.block(*(send(ledger, register(f"{k:032x}")) for k in range(8)))
    late = send(ledger, register("f" * 32))
    with pytest.raises(NotYet):
        knock(ledger.state, ledger.rules, late, UnixSeconds(START))
    knock(ledger.state, ledger.rules, late, UnixSeconds(START + CADENCE))


def test_a_door_before_a_block_tries_what_may_not_fit_into_the_registry_any_more():
    """A record without a label of its own takes room too, by what happens to its objects: where none is left it waits
    outside, or an engine would make blocks without it until the epoch ends."""
    ledger = MemoryLedger(KEYS, NODES, registry_ladder=1 << 3)
    ledger.block(*(ledger.governance(update(ledger, name).encode()) for name in ("core", "operator")))
    ledger.block(*(send(ledger, register(f"{k:032x}")) for k in range(8)))
    known, unknown = (send(ledger, cancel(name)) for name in (f"{0:032x}", "f" * 32))
    assert known.body.payload.ops == ()
    with pytest.raises(NotYet):
        knock(ledger.state, ledger.rules, known, UnixSeconds(START))
    knock(ledger.state, ledger.rules, known, UnixSeconds(START + CADENCE))
    ahead = Overlay(ledger.state)
    put_number(ahead, sequence_key(unknown.body.submitter), unknown.body.sequence)
    knock(ahead, ledger.rules, unknown, UnixSeconds(START))  # it will be refused: it takes none


def test_the_door_before_a_block_refuses_what_never_stands(ledger):
    signed = send(ledger, register())
    with pytest.raises(Expired):
        knock(ledger.state, ledger.rules, signed, UnixSeconds(START + 9 * CADENCE))
    with pytest.raises(SequenceRejected):
        knock(ledger.state, ledger.rules, send(ledger, register("f" * 32)), UnixSeconds(START))


def test_the_door_refuses_what_never_stands(ledger):
    signed = send(ledger, register())
    with pytest.raises(Expired):
        admit(ledger.state, ledger.rules, signed, UnixSeconds(START + 9 * CADENCE))
    send_next = send(ledger, register("f" * 32))
    with pytest.raises(SequenceRejected):
        admit(ledger.state, ledger.rules, send_next, UnixSeconds(START))


def test_a_slow_clock_at_the_door_reads_the_last_blocks_time(ledger):
    ledger.block(time=START + 100)
    admit(ledger.state, ledger.rules, send(ledger, register()), UnixSeconds(START - 50))


def test_rules_carry_the_log_id_of_their_genesis(ledger):
    assert Rules(ledger.rules.genesis).log_id == ledger.log_id
