"""The table of record types: for each name what it holds, who reads it, who must authorise it.

One table for validators (claims), submitters (both halves) and verifiers (which half a name stands in).
Source: SCENARIOS S1, S5, §2.0 "Common record types", §2.1; SPEC §3.
"""

from collections.abc import Mapping
from typing import Final

from hybrid_bridge.business.fields import (
    AMOUNT,
    BPS,
    CCY,
    COUNT,
    DATE,
    DIGEST,
    FLAG,
    ID16,
    KEY,
    SCOPE,
    TEXT,
    TIME,
    FieldType,
    Schema,
)
from hybrid_bridge.business.record_types import (
    ASSET_AMEND,
    ASSET_CANCEL,
    ASSET_CONFIRM,
    ASSET_REGISTER,
    BRAKE_OFF,
    BRAKE_ON,
    DEBTOR_TOTALS,
    ERASURE_NOTICE,
    FIN_FINANCE,
    FIN_REFINANCE,
    FIN_RELEASE,
    FIN_RESERVE,
    FREEZE_LIFT,
    FREEZE_ORDER,
    NOTE_ACCEPT,
    NOTE_DECLINE,
    NOTE_DEFAULT,
    NOTE_ISSUE,
    NOTE_PAY,
    NOTE_PAY_ACK,
    NOTE_RECOURSE,
    NOTE_SPLIT,
    NOTE_WRITEOFF,
)
from hybrid_bridge.core.disclosure import CHAIN, ORIGIN, SCHEMA, Half
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import RecordType

EVENT_TIME: Final = "event_time"
MAX_NOTICED: Final = 50  # entries of one erasure notice
_RESERVED: Final[Mapping[str, Half]] = {SCHEMA: "claim", ORIGIN: "claim", CHAIN: "private"}

ASSET_LABELS: Final = frozenset(
    {2, 3, 4, 5}
)  # e-invoice · creditor's invoice, hard and soft · invoice terms (SPEC §9.2)

_DOCUMENT: Final[Mapping[str, FieldType]] = {
    "doc.k.name": TEXT,
    "doc.k.media": TEXT,
    "doc.k.size": COUNT,
    "doc.k.sha256": DIGEST,
    "doc.k.sm3": DIGEST,
}
_ALWAYS_PRIVATE: Final[Mapping[str, FieldType]] = {"party_cert": TEXT, **_DOCUMENT}
_FINANCING: Final[Mapping[str, FieldType]] = {
    "bank": TEXT,
    "advance": AMOUNT,
    "rate": BPS,
    "advance_rate": BPS,
    "registry_number": TEXT,
    "registry_time": TIME,
    "account": TEXT,
    "payment_reference": TEXT,
}
_RELEASE_CODES: Final = FieldType("code", ("REPAID", "WITHDRAWN", "RESERVATION_DROPPED", "OTHER"))
FREEZE_REASONS: Final = FieldType("code", ("COURT_ORDER", "REGULATOR_ORDER", "INVESTIGATION", "OTHER"))
FREEZE_RELEASES: Final = FieldType("code", ("ORDER_EXPIRED", "ORDER_REVOKED", "SETTLED", "OTHER"))
BRAKE_REASONS: Final = FieldType("code", ("KEY_COMPROMISE", "SOFTWARE_FAULT", "LEGAL_ORDER", "OTHER"))
ERASURE_CODES: Final = ("REQUEST", "RETENTION", "LEGAL_ORDER", "OTHER")
BRAKE_RELEASES: Final = FieldType("code", ("RESOLVED", "ORDER_REVOKED", "MISTAKE", "OTHER"))


def _schema(
    record_type: RecordType,
    name: str,
    authorised_by: str,
    claims: Mapping[str, FieldType],
    private: Mapping[str, FieldType] | None = None,
    *,
    repeats: Mapping[str, int] | None = None,
    apart: tuple[str, ...] = (),
    label_types: frozenset[int] = frozenset(),
) -> Schema:
    return Schema(
        name=f"{name}/1",
        record_type=record_type,
        authorised_by=authorised_by,
        claims={**claims, EVENT_TIME: TIME},
        private={**(private or {}), **_ALWAYS_PRIVATE},
        repeats=repeats or {},
        apart=apart,
        label_types=label_types,
    )


_COMMON: Final = (
    _schema(
        FREEZE_ORDER,
        "freeze.order",
        "whom the policy names: court or regulator",
        {"order": ID16, "object.k": ID16, "reason_code": FREEZE_REASONS, "escrow": FLAG, "until_epoch": COUNT},
        {"authority": TEXT, "case_number": TEXT},
        repeats={"object": 50},
    ),
    _schema(
        FREEZE_LIFT,
        "freeze.lift",
        "whom the policy names: court or regulator",
        {"order": ID16, "object.k": ID16, "reason_code": FREEZE_RELEASES, "escrow": FLAG},
        {"authority": TEXT, "case_number": TEXT},
        repeats={"object": 50},
    ),
    _schema(
        BRAKE_ON,
        "brake.on",
        "whom the policy names: a quorum, or one alone",
        {"scope": SCOPE, "reason_code": BRAKE_REASONS, "until_epoch": COUNT},
        {"reason": TEXT},
    ),
    _schema(
        BRAKE_OFF,
        "brake.off",
        "a quorum, or who pulled it alone",
        {"scope": SCOPE, "reason_code": BRAKE_RELEASES},
        {"reason": TEXT},
    ),
    _schema(
        ERASURE_NOTICE,
        "erasure.notice",
        "a member's identity key",
        {"entry.k": DIGEST, "reason_code": FieldType("code", ERASURE_CODES)},
        repeats={"entry": MAX_NOTICED},
    ),
)

_ASSETS: Final = (
    _schema(
        ASSET_REGISTER,
        "asset.register",
        "creditor key",
        {"object": ID16, "debtor": KEY, "ccy": CCY, "gross": AMOUNT, "creditor_key": KEY},
        {
            "seller": TEXT,
            "buyer": TEXT,
            "cn_einv": TEXT,
            "einv_uuid": TEXT,
            "jurisdiction": TEXT,
            "inv_no": TEXT,
            "issue_date": DATE,
            "net": AMOUNT,
            "tax": AMOUNT,
        },
        apart=("cn_einv", "einv_uuid"),  # whoever opens one of two could keep the other back (I12)
    ),
    _schema(
        ASSET_CONFIRM,
        "asset.confirm",
        "debtor",
        {"object": ID16, "gross": AMOUNT, "ccy": CCY, "distinct": FLAG},
        {"order_number": TEXT, "receipt_number": TEXT, "contract_number": TEXT, "acceptance_date": DATE},
        label_types=ASSET_LABELS,
    ),
    _schema(ASSET_AMEND, "asset.amend", "creditor and debtor", {"object": ID16, "gross": AMOUNT}, {"reason": TEXT}),
    _schema(ASSET_CANCEL, "asset.cancel", "creditor and debtor", {"object": ID16}, {"reason": TEXT}),
)

_NOTES: Final = (
    _schema(
        NOTE_ISSUE,
        "note.issue",
        "debtor",
        {
            "note": ID16,
            "debtor": KEY,
            "ccy": CCY,
            "face": AMOUNT,
            "issue_date": DATE,
            "due_date": DATE,
            "payee_key": KEY,
            "back.k.object": ID16,
            "back.k.allot": AMOUNT,
        },
        {"payee": TEXT, "contract_number": TEXT, "account": TEXT},
        repeats={"back": 16},
    ),
    _schema(NOTE_ACCEPT, "note.accept", "payee key", {"note": ID16}),
    _schema(NOTE_DECLINE, "note.decline", "payee key", {"note": ID16}, {"reason": TEXT}),
    _schema(
        NOTE_SPLIT,
        "note.split",
        "holder key",
        {"note": ID16, "child.k.note": ID16, "child.k.face": AMOUNT, "child.k.payee_key": KEY},
        {"child.k.payee": TEXT, "child.k.trade_document": TEXT},
        repeats={"child": 100},
    ),
    _schema(NOTE_PAY, "note.pay", "debtor", {"note": ID16, "paid": AMOUNT}, {"payment_reference": TEXT}),
    _schema(
        NOTE_PAY_ACK,
        "note.pay_ack",
        "the one who is owed",
        {"note": ID16, "paid": AMOUNT},
        {"payment_reference": TEXT},
    ),
    *(
        _schema(kind, name, "the one who is owed", {"note": ID16, "amount": AMOUNT}, {"reason": TEXT})
        for kind, name in (
            (NOTE_DEFAULT, "note.default"),
            (NOTE_RECOURSE, "note.recourse"),
            (NOTE_WRITEOFF, "note.writeoff"),
        )
    ),
    _schema(
        DEBTOR_TOTALS,
        "debtor.totals",
        "computed by every validator",
        {
            "debtor": KEY,
            "period": COUNT,
            "ccy": CCY,
            **dict.fromkeys(("issued", "open", "paid", "written_off", "cancelled"), AMOUNT),
        },
    ),
)

_FINANCINGS: Final = (
    _schema(
        FIN_RESERVE,
        "fin.reserve",
        "holder and fin key",
        {"note.k": ID16, "fin_key": KEY, "ttl_epochs": COUNT},
        {"bank": TEXT, "application": TEXT},
        repeats={"note": 200},
    ),
    _schema(
        FIN_FINANCE,
        "fin.finance",
        "fin key",
        {"note.k": ID16, "fin_key": KEY, "check_epoch": COUNT},
        _FINANCING,
        repeats={"note": 200},
    ),
    _schema(
        FIN_RELEASE,
        "fin.release",
        "fin key",
        {"note.k": ID16, "reason_code": _RELEASE_CODES},
        _FINANCING,
        repeats={"note": 200},
    ),
    _schema(
        FIN_REFINANCE,
        "fin.refinance",
        "old and new fin key",
        {"note.k": ID16, "new_fin_key": KEY, "check_epoch": COUNT},
        _FINANCING,
        repeats={"note": 200},
    ),
)

SCHEMAS: Final[Mapping[str, Schema]] = {s.name: s for s in (*_COMMON, *_ASSETS, *_NOTES, *_FINANCINGS)}
_BY_TYPE: Final = {s.record_type: s for s in SCHEMAS.values()}
RECORD_TYPES: Final = frozenset(_BY_TYPE)


def schema_of_type(record_type: RecordType) -> Schema:
    """The schema of a record type.

    Raises:
        FieldMalformed: there is none.
    """
    if record_type not in _BY_TYPE:
        raise FieldMalformed(field="record_type", rule="a record type of the schema table")
    return _BY_TYPE[record_type]


def schema_of_name(name: str) -> Schema:
    """The schema that a `_schema` claim names.

    Raises:
        FieldMalformed: there is none.
    """
    if name not in SCHEMAS:
        raise FieldMalformed(field=SCHEMA, rule="a name of the schema table")
    return SCHEMAS[name]


def claim_or_private(schema_name: str, field: str) -> Half:
    """The half of the field tree in which `field` must stand (SPEC §3).

    Raises:
        FieldMalformed: no such schema, or the schema has no such field.
    """
    schema = schema_of_name(schema_name)
    return _RESERVED[field] if field in _RESERVED else schema.find(field)[0]


def require_half(schema_name: str, field: str, *, is_claim: bool) -> None:
    """What a verifier asks of each disclosed field: a second `face` among the private ones is malformed.

    Raises:
        FieldMalformed: unknown, or in the wrong half.
    """
    if is_claim != (claim_or_private(schema_name, field) == "claim"):
        raise FieldMalformed(field=field, rule=f"in the half that {schema_name} gives it")
