"""Rules on a bench: claims in, state changed or refused; no signatures, no blocks."""

from dataclasses import replace
from datetime import date, timedelta

from hybrid_bridge.business.membership import apply_member_update, newest_update, put_member, put_set
from hybrid_bridge.business.rulebook import apply_record
from hybrid_bridge.business.ruling import Act, Moment, RulePack
from hybrid_bridge.business.schema import schema_of_name
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.governance import COURT, MEMBER, REGULATOR
from hybrid_bridge.core.ledger_state import Overlay
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import RuleRejected
from hybrid_bridge.units import Address, EpochNumber, KeyId, LogId, SetId, TreeSize, UnixSeconds

DAY = 86_400
START = 1_767_571_200  # 2026-01-05T00:00:00Z
VALIDATORS = ("v1", "v2", "v3", "v4")


def raw_key(name):
    return KeyId(sha256(name.encode()))


def key(name):
    return b64u(raw_key(name))


def oid(name):
    return sha256(name.encode()).hex()[:32]


def entry_of(name):
    word = sha256(name.encode())
    return ValidatorEntry(Address(word[:20]), word, sha256(b"certificate of " + name.encode()), word)


def decide(view, record, epoch):
    """A quorum decides on what stands of this key now."""
    apply_member_update(view, replace(record, replaces=newest_update(view, record.key_id)), epoch)


class Bench:
    def __init__(self, pack=None):
        self.state = {}
        self.pack = pack or RulePack()
        self.now = START + 3_600
        setup = Overlay(self.state)
        for name, roles in (("core", MEMBER), ("court", MEMBER | COURT), ("regulator", REGULATOR), ("bank", MEMBER)):
            put_member(setup, raw_key(name), roles, EpochNumber(1), 0)
        entries = sorted((entry_of(name) for name in VALIDATORS), key=lambda entry: entry.address)
        names = sorted(VALIDATORS, key=lambda name: entry_of(name).address)
        put_set(setup, ValidatorSet(SetId(1), tuple(entries)), TreeSize(1), [raw_key(name) for name in names])
        self.take(setup)

    def take(self, overlay):
        for name, value in overlay.writes():
            if value is None:
                self.state.pop(name, None)
            else:
                self.state[name] = value

    @property
    def epoch(self):
        return EpochNumber((self.now - START) // DAY + 1)

    def today(self, after=0):
        return (date(1970, 1, 1) + timedelta(days=(self.now + self.pack.zone) // DAY + after)).isoformat()

    def days(self, count):
        self.now += count * DAY

    def do(self, schema_name, *authorisers, submitter="core", **fields):
        """Carry out one record; names in `authorisers` are key names. Raises what the rules raise."""
        schema = schema_of_name(f"{schema_name}/1")
        values = {name.replace("__", "."): value for name, value in fields.items()}
        values.setdefault("event_time", self.now)
        overlay = Overlay(self.state)
        act = Act(
            claims=schema.parse_claims(values),
            view=overlay,
            moment=Moment(UnixSeconds(self.now), self.epoch),
            pack=self.pack,
            log_id=LogId(bytes(32)),
            record_type=schema.record_type,
            entry_leaf=sha256(f"{len(self.state)}{schema_name}{sorted(values.items())}".encode()),
            submitter=key(submitter),
            closes=lambda epoch: UnixSeconds(START + epoch * DAY),
            authorisers=frozenset(map(key, authorisers)),
        )
        apply_record(act)
        self.take(overlay)
        return act

    def refused(self, schema_name, *authorisers, **fields):
        """The rule that refuses; nothing may have changed."""
        before = dict(self.state)
        try:
            self.do(schema_name, *authorisers, **fields)
        except RuleRejected as refusal:
            assert self.state == before
            return refusal.rule
        return None

    # ── shortcuts ──

    def asset(self, name="invoice", gross=1_000, creditor="seller", *, confirm=True, debtor="core"):
        fields = {"object": oid(name), "debtor": key(debtor), "ccy": "CNY", "gross": str(gross)}
        self.do("asset.register", creditor, creditor_key=key(creditor), **fields)
        if confirm:
            self.do("asset.confirm", debtor, object=oid(name), gross=str(gross), ccy="CNY", distinct=False)
        return oid(name)

    def issue_fields(self, name="note", face=1_000, payee="holder", back=None, due=90, issued=0):
        fields = {
            "note": oid(name),
            "debtor": key("core"),
            "ccy": "CNY",
            "face": str(face),
            "issue_date": self.today(issued),
            "due_date": self.today(due),
            "payee_key": key(payee),
        }
        for k, (asset, allot) in enumerate(back or [("invoice", face)]):
            fields |= {f"back__{k}__object": oid(asset), f"back__{k}__allot": str(allot)}
        return fields

    def note(self, name="note", face=1_000, payee="holder", *, accept=True, **more):
        self.do("note.issue", "core", **self.issue_fields(name, face, payee, **more))
        if accept:
            self.do("note.accept", payee, note=oid(name))
        return oid(name)

    @staticmethod
    def split_fields(name, *children):
        fields = {"note": oid(name)}
        for k, (child, face, payee) in enumerate(children):
            fields |= {
                f"child__{k}__note": oid(child),
                f"child__{k}__face": str(face),
                f"child__{k}__payee_key": key(payee),
            }
        return fields

    def reserve(self, *notes, fin="fin", holder="holder", ttl=5):
        listed = {f"note__{k}": oid(note) for k, note in enumerate(notes)}
        return self.do("fin.reserve", holder, fin, fin_key=key(fin), ttl_epochs=ttl, **listed)

    def finance(self, *notes, fin="fin"):
        listed = {f"note__{k}": oid(note) for k, note in enumerate(notes)}
        return self.do("fin.finance", fin, fin_key=key(fin), check_epoch=int(self.epoch), **listed)

    def settle(self, note, amount, owed="holder"):
        self.do("note.pay", "core", note=oid(note), paid=str(amount))
        return self.do("note.pay_ack", owed, note=oid(note), paid=str(amount))
