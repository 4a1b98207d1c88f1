"""The client of a timestamping authority: what it asks, and everything wrong it may be told."""

import pytest

from hybrid_bridge.adapters.web.timestamping import ask_timestamp
from hybrid_bridge.core.timestamp import encode_request
from hybrid_bridge.errors import AnswerMalformed, EndpointRefused, FieldMismatch, Malformed, SignatureWrong
from tests.tsa import Served, Tsa, serving

TSA = Tsa()
NONCE = 2**62 + 9
REPLY = {"Content-Type": "application/timestamp-reply"}


def ask(served: Served, name: str = "sha-256"):
    return ask_timestamp(served.url, b"data", name, NONCE)


@pytest.mark.parametrize("name", ["sha-256", "sha-512", "sha3-256", "sha3-512"])
def test_a_token_over_the_data_comes_back(name):
    with serving(TSA) as served:
        token = ask(served, name)
    assert (token.hash, token.nonce, token.by) == (name, NONCE, 1_800_000_000)


@pytest.mark.parametrize("nonce", [None, 1])
def test_an_old_answer_is_seen_by_its_nonce(nonce):
    with serving(TSA, nonce=nonce) as served, pytest.raises(FieldMismatch) as caught:
        ask(served)
    assert caught.value.field == "token.nonce"


@pytest.mark.parametrize(("name", "digest", "field"), [("sha-256", bytes(32), "token.imprint"),
                                                        ("sha-512", bytes(64), "token.hash")])  # fmt: skip
def test_a_token_over_something_else_or_by_another_hash_is_refused(name, digest, field):
    answer = TSA.answer(encode_request(name, digest, NONCE))
    with Served(lambda _: (200, REPLY, answer)) as served, pytest.raises(FieldMismatch) as caught:
        ask(served)
    assert caught.value.field == field


def test_a_token_that_does_not_hold_is_refused():
    with serving(TSA, signature=lambda made: made[:-1]) as served, pytest.raises(SignatureWrong):
        ask(served)
    with serving(Tsa(name="N", leaf={"purposes": ()})) as served, pytest.raises(FieldMismatch):
        ask(served)


def test_a_refusal_is_the_authority_s():
    with Served(lambda _: (200, REPLY, Tsa.refusal())) as served, pytest.raises(EndpointRefused) as caught:
        ask(served)
    assert caught.value.code == 2
    with Served(lambda _: (503, REPLY, b"busy")) as served, pytest.raises(EndpointRefused) as caught:
        ask(served)
    assert caught.value.code == 503


def test_another_media_type_or_other_bytes_are_malformed():
    html = {"Content-Type": "text/html"}
    with Served(lambda body: (200, html, TSA.answer(body))) as served, pytest.raises(AnswerMalformed):
        ask(served)
    for answer in (b"", b"<html>", b"\x30\x80"):
        with Served(lambda _, answer=answer: (200, REPLY, answer)) as served, pytest.raises(Malformed):
            ask(served)
