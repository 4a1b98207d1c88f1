"""Checks 8 and 9 through whole bundles, for what a bundle carries so that it can be exported."""

import json
from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.encoding import ZERO, b64u, canonical_json, parse_b64u
from hybrid_bridge.core.exports.sd_jwt import parse_jwt
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, NotCanonical, RootMismatch, SignatureWrong, TooLong
from hybrid_bridge.steps.verify import decoded
from tests.bundles import Consortium, consortium, edit, flip
from tests.unit.hybrid_bridge.steps.verify.judging import changed, judged, stopped, world

QUORUMS, TRANSACTIONS = "8 quorums", "9 transactions"
RECEIPT, JWT = "checkpoints.0.receipt", "epochs.0.entries.0.issuer_jwt"


def restated(text, member, change):
    """The JWT with a member of its statement changed, and signed anew by the submitter."""
    head, payload, _ = text.split(".")
    stated = json.loads(parse_b64u(payload, "x"))
    stated["hb"][member] = change(stated["hb"][member])
    body = b64u(canonical_json(stated))
    key = world().keys[world().events[2]["submitter"]]
    return f"{head}.{body}.{b64u(key.sign(f'{head}.{body}'.encode()))}"


def test_receipts_and_jwts_are_part_of_what_is_verified():
    bundle = world().presentable()
    assert bundle.checkpoints[0].receipt is not None
    assert bundle.epochs[0].entries[0].issuer_jwt is not None
    assert judged(bundle).complete
    assert decode_bundle(bundle.encode()) == bundle


def test_a_receipt_over_another_root_is_refuted():
    stopped(changed("presentable", RECEIPT, lambda _: world().receipt(6)), SignatureWrong, QUORUMS)


def test_a_receipt_changed_by_a_bit_is_refused():
    stopped(changed("presentable", RECEIPT, lambda data: flip(data, 300)), SignatureWrong, QUORUMS)


class WithoutReceipts(Consortium):
    """A log whose genesis record names no receipt key."""

    def _genesis(self):
        return replace(super()._genesis(), receipt_key=ZERO)


def test_a_receipt_of_a_log_without_a_receipt_key_is_malformed():
    stopped(WithoutReceipts("none.example/log").presentable(), FieldMalformed, QUORUMS)


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("log", lambda _: b64u(bytes(32))),
        ("epoch", lambda number: number + 1),
        ("entry", lambda text: b64u(world().entry(0).entry)),
    ],
)
def test_a_jwt_of_another_log_epoch_or_entry_is_refuted(member, change):
    bundle = changed("presentable", JWT, lambda text: restated(text, member, change))
    assert stopped(bundle, FieldMismatch, TRANSACTIONS).field == f"issuer_jwt.{member}"


def test_a_jwt_by_a_key_that_is_not_the_records_origin_is_refuted():
    other = next(name for name in world().keys if name != world().events[2]["submitter"])
    key, stated = world().keys[other], parse_jwt(world().jwt(2))
    made = replace(stated, certificate=world().certificate_of(other, "TEST", "LEI:TEST"))
    text = replace(made, signature=key.sign(made.signing_input())).text()
    assert stopped(changed("presentable", JWT, lambda _: text), FieldMismatch, TRANSACTIONS).field == "issuer_jwt.key"


def test_a_jwt_without_the_origin_disclosed_is_refuted():
    """Nobody could say whose word it is."""
    bundle = edit(
        world().presentable(),
        "epochs.0.entries.0.disclosures",
        lambda parts: tuple(part for part in parts if "_origin" not in parse_b64u(part.value, "x").decode()),
    )
    assert stopped(bundle, FieldMismatch, TRANSACTIONS).field == "issuer_jwt.key"


def test_a_jwt_whose_digests_are_not_the_records_is_refuted():
    stated = parse_jwt(world().jwt(2))
    made = replace(stated, digests=(*stated.digests[:-1], b"\xff" * 32))
    key = world().keys[world().events[2]["submitter"]]
    text = replace(made, signature=key.sign(made.signing_input())).text()
    stopped(changed("presentable", JWT, lambda _: text), RootMismatch, TRANSACTIONS)


def test_a_jwt_that_is_none_is_malformed():
    stopped(changed("presentable", JWT, lambda text: text[:-1]), NotCanonical, "3 structs")


def test_receipts_and_jwts_count_among_the_signatures(monkeypatch):
    bundle = replace(consortium().presentable(), certificates=())
    lines = 1 + 3  # the log's and three validators'
    monkeypatch.setattr(decoded, "MAX_SIGNATURES", lines + 2)
    assert judged(bundle) is not None
    monkeypatch.setattr(decoded, "MAX_SIGNATURES", lines + 1)
    stopped(bundle, TooLong, "3 structs")
