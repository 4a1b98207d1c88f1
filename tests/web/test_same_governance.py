"""Of governance records and brakes Python and JavaScript say the same: whole, word by word changed, and told otherwise."""

import random
from dataclasses import replace

from hybrid_bridge.business.policy import Powers
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.governance import REINSTATE, REPLACE_CERTIFICATE, MemberUpdate, decode_governance
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import GovernancePayload
from tests.bundles import NOW, Consortium, consortium, edit, flip
from tests.unit.hybrid_bridge.steps.verify.test_brakes import LATE, REGISTER, Life, life, toggled, told_otherwise
from tests.unit.hybrid_bridge.steps.verify.test_signers import replaced
from tests.web.test_same_verdict import CHANGES, Asked, compare

LAST = 3  # the epoch whose governance is shown
BEFORE = 7  # records until epoch 1
ONES = b"\xff" * 32


def member() -> MemberUpdate:
    """A record in which every word says something."""
    first = next(data for data in consortium().governance if len(data) == 352)
    newer = {"action": REPLACE_CERTIFICATE, "card_hash": leaf_hash(b"card"), "reason_hash": leaf_hash(b"reason")}
    return replace(MemberUpdate.decode(first), replaces=leaf_hash(first), **newer)  # type: ignore[arg-type]


def showing(*records: bytes) -> Bundle:
    """Had the log's validators agreed on these bytes, all in epoch 2."""
    liar = consortium().variant(1)
    liar.governance = [*consortium().governance[:BEFORE], *records]
    tree, after = liar._governance_tree(), BEFORE + len(records)
    for epoch, size in ((1, BEFORE), (2, after), (LAST, after)):
        liar = liar.variant(epoch, governance_root=tree.root(size), governance_size=size)
    epochs = liar.epoch_part(1, 4), liar.epoch_part(LAST, 4)
    return liar.bundle(4, *epochs, purpose="governance", governance=liar.governance_part(1, LAST), anchors=())


def asked(name: str, bundle: Bundle, of: Consortium | None = None) -> Asked:
    trust = (of or consortium()).trust(require=()).encode()
    return Asked(name, bundle.encode(), trust, NOW if of is None else LATE)


def test_of_every_record_of_members_they_say_the_same() -> None:
    own = member()
    records = [replace(own, action=action).encode() for action in range(1, REINSTATE + 1)]
    (whole,) = compare([asked("members", showing(*records))])
    assert [fact["what"].partition(",")[0] for fact in whole["governance"]] == [
        "member added",
        "member removed",
        "certificate or card replaced",
        "member suspended",
        "member reinstated",
    ]


def test_of_a_record_with_one_word_changed_they_say_the_same_though_the_log_commits_to_it() -> None:
    data = member().encode()
    words = [data[at : at + 32] for at in range(0, len(data), 32)]
    assert len(words) == 11
    others = {
        f"word {k}, {what}": b"".join([*words[:k], other, *words[k + 1 :]])
        for k, word in enumerate(words)
        for what, other in (("one bit", flip(word)), ("ones", ONES), ("zero", bytes(32)))
    }
    others |= {"short": data[:-32], "long": data + bytes(32), "as before": data[:224] + data[288:], "a byte": data[:-1]}
    said = compare([asked(name, showing(other)) for name, other in others.items()])
    read = {name for name, one in zip(others, said, strict=True) if "error" not in one}
    assert {f"word {k}, {what}" for k in (8, 9, 10) for what in ("one bit", "ones", "zero")} <= read
    assert {"short", "long", "as before", "a byte", "word 0, one bit"}.isdisjoint(read)


def test_of_a_set_that_was_replaced_before_it_took_charge_they_say_the_same() -> None:
    (said,) = compare([asked("replaced", replaced().history())])
    assert (said["error"], said["stopped_at"]) == ("FieldMismatch", "7 validator sets")


def test_of_bundles_with_one_bit_of_a_record_changed_they_say_the_same() -> None:
    bundle = showing(member().encode())
    data = bundle.encode()
    begin = data.index(b'"records":[')
    draw = random.Random("a record of a member, one bit")
    flip_at = tuple((begin + draw.randrange(600), draw.randrange(7)) for _ in range(CHANGES))
    compare([replace(asked("member", bundle), flip=flip_at)])


def test_of_decisions_in_the_place_of_a_records_transaction_they_say_the_same() -> None:
    ledger, bundle = consortium().ledger, consortium().split()
    place = next(k for k, entry in enumerate(bundle.epochs[0].entries) if entry.transaction is not None)
    record = member().encode()
    one, two = (ledger.sign(GovernancePayload((record,) * n), "core", ledger.nodes).encode() for n in (1, 2))
    count = one.index(record) - 3  # u8 count, u16 length
    counted = [one[:count] + bytes([n]) + one[count + 1 :] for n in (0, 2, 8, 9, 255)]
    before = one[:count] + one[count + 1 :]  # as it was with one record and no count
    told = [one, two, *counted, before]
    bundles = [edit(bundle, f"epochs.0.entries.{place}.transaction", lambda _, data=data: data) for data in told]
    said = compare([asked(str(k), other) for k, other in enumerate(bundles)])
    assert [answer["error"] for answer in said[:3]] == ["FieldMismatch", "FieldMismatch", "FieldMalformed"]
    assert said[5]["error"] == said[6]["error"] == "TooLong"


class Alone(Life):
    """Two who may stop a type alone do so one after the other."""

    def _live(self) -> None:
        powers = Powers(brake_type=("quorum", "regulator", "court"))
        self.ledger.rules = replace(self.ledger.rules, pack=RulePack(powers=powers))
        super()._live()

    def pull(self, name: str, epoch: int, **fields: object) -> None:
        holder, until = ("court", 3) if name == "all" else ("regulator", 2)
        told = {"reason_code": "SOFTWARE_FAULT", "scope": REGISTER, "until_epoch": until}
        self.do(name, epoch, "brake.on/1", holder, [holder], told)
        if name == "all":
            super().pull("really all", epoch, **fields)


def test_of_brakes_and_of_who_pulled_them_they_say_the_same() -> None:
    w, alone = life(), Alone()
    names = ("typed", "all", "off", "freeze", "confirm")
    told = {
        "all of it": (w, w.spanning(1, 2, 3, 4, 5, 6, records=names)),
        "notices alone": (w, w.spanning(1, 6)),
        "from the middle on": (w, w.spanning(4, 5, 6)),
        "a flag alone": (w, w.spanning(3, since=0)),
        "records without transactions": (w, w.spanning(1, 4, 6, records=("freeze",), opened=False)),
        "two alone": (alone, alone.spanning(1, 2, 3, 6)),
        "two alone, by their records": (alone, alone.spanning(1, 2, 3, 6, records=("typed", "all", "really all"))),
        "a notice without its flag": (liar := toggled(2, 0), liar.spanning(1, 2, 6)),
        "a flag without a notice": (liar := toggled(5, 1), liar.spanning(1, 5, 6)),
        "another record": (liar := told_otherwise(2, decode_governance(w.governance[1]), flags=0), liar.spanning(1, 2)),
    }
    said = compare([asked(name, bundle, of) for name, (of, bundle) in told.items()])
    holders = {fact["by"] for one in said[5:7] for fact in one["brakes"] if fact["what"] == "brake"}
    court, regulator = (key_id_text(alone.keys[name].public.key_id) for name in ("court", "regulator"))
    assert holders >= {"quorum", court, regulator}
    assert [one.get("error") for one in said] == [None] * 7 + ["FieldMismatch"] * 2 + [None]
