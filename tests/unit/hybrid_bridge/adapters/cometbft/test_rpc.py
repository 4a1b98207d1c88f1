"""The engine's answers, decoded strictly: what CometBFT v0.38.26 sent, and what it never would."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from hybrid_bridge.adapters.cometbft.rpc import EngineRpc
from hybrid_bridge.core.cometbft import Timestamp
from hybrid_bridge.errors import AnswerAstray, AnswerMalformed, Missing, NotYet
from hybrid_bridge.units import Height
from tests import comet_chain as made

FOUR = made.keys(1, 2, 3, 4)
SIGNED = made.signed(made.header(FOUR), FOUR, absent=1)


@dataclass
class Reply:
    body: bytes


class Canned:
    """An engine that gives one answer, and keeps what it was asked."""

    def __init__(self, answer: Any, *, raw: bytes | None = None) -> None:
        self.answer, self.raw, self.asked = answer, raw, list[Any]()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        assert (path, headers["Content-Type"]) == ("", "application/json")
        self.asked.append(json.loads(body))
        return Reply(json.dumps(self.answer).encode() if self.raw is None else self.raw)


def result(value: Any) -> Canned:
    return Canned({"jsonrpc": "2.0", "id": 1, "result": value})


def refused(message: str, data: str = "") -> Canned:
    return Canned({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": message, "data": data}})


def hex_of(data: bytes) -> str:
    return data.hex().upper()


def block_id(block: Any) -> dict[str, Any]:
    return {"hash": hex_of(block.hash), "parts": {"total": block.parts, "hash": hex_of(block.parts_hash)}}


def as_engine_says() -> dict[str, Any]:
    """The signed header in the JSON of the engine's RPC."""
    header, commit = SIGNED.header, SIGNED.commit
    named = {
        name: hex_of(getattr(header, name)) for name in header.__slots__ if isinstance(getattr(header, name), bytes)
    }
    votes = [
        {
            "block_id_flag": vote.flag,
            "validator_address": "",
            "timestamp": "0001-01-01T00:00:00Z" if vote.flag == 1 else f"2027-01-15T08:00:00.{vote.time.nanos:09}Z",
            "signature": b64encode(vote.signature).decode() or None,
        }
        for vote in commit.votes
    ]
    return {
        "signed_header": {
            "header": {
                "version": {"block": "11", "app": "1"},
                "chain_id": header.chain_id,
                "height": str(header.height),
                "time": "2027-01-15T08:00:00.123456789Z",
                "last_block_id": block_id(header.last_block_id),
                **named,
            },
            "commit": {
                "height": str(header.height),
                "round": commit.round,
                "block_id": block_id(commit.block_id),
                "signatures": votes,
            },
        },
        "canonical": True,
    }


@pytest.mark.parametrize("told", [{}, {"id": 2}, {"id": "1"}, {"id": True}, {"id": None}])
@pytest.mark.parametrize(
    "word", [{"result": {"code": 0}}, {"error": {"code": -32603, "message": "tx already exists in cache"}}]
)
def test_an_answer_to_another_question_is_none(told: dict[str, Any], word: dict[str, Any]) -> None:
    with pytest.raises(AnswerAstray):
        EngineRpc(Canned({"jsonrpc": "2.0", **told, **word}).post).broadcast(b"bytes")


def test_a_signed_header_is_read_to_the_nanosecond_and_verifies() -> None:
    engine = result(as_engine_says())
    signed = EngineRpc(engine.post).signed_header(Height(7))
    assert signed == SIGNED
    assert signed.header.time == Timestamp(1_800_000_000, 123_456_789)
    signed.verify(made.set_of(FOUR))
    assert engine.asked == [{"jsonrpc": "2.0", "id": 1, "method": "commit", "params": {"height": "7"}}]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("signed_header", None),
        ("signed_header.header.height", "7.5"),
        ("signed_header.header.height", "²"),
        ("signed_header.header.height", True),
        ("signed_header.header.time", "2027-01-15T08:00:00+00:00"),
        ("signed_header.header.time", "2027-01-15T08:00:00.1234567891Z"),
        ("signed_header.header.time", "2027-13-15T08:00:00Z"),
        ("signed_header.header.app_hash", "xyz"),
        ("signed_header.header.data_hash", "AB"),
        ("signed_header.header.version", {}),
        ("signed_header.commit.round", "0"),
        ("signed_header.commit.round", -1),
        ("signed_header.commit.block_id.parts", None),
        ("signed_header.commit.signatures", 5),
        ("signed_header.commit.signatures.0.block_id_flag", 9),
        ("signed_header.commit.signatures.0.signature", "%%"),
        ("signed_header.commit.signatures.0.signature", None),
        ("signed_header.commit.signatures.0.timestamp", ""),
    ],
)
def test_a_header_of_another_form_is_no_answer(place: str, value: Any) -> None:
    answer = json.loads(json.dumps(as_engine_says()))
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    inner = answer
    for step in steps:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(AnswerMalformed):
        EngineRpc(result(answer).post).signed_header(Height(7))


def test_a_set_is_read_page_by_page() -> None:
    keys = made.keys(*range(1, 6))
    rows = [
        {
            "pub_key": {"type": "tendermint/PubKeySecp256k1", "value": b64encode(key.validator.key).decode()},
            "voting_power": "1",
        }
        for key in keys
    ]

    def post(_path: str, body: bytes, _headers: Mapping[str, str]) -> Reply:
        page = int(json.loads(body)["params"]["page"])
        shown = rows[2 * (page - 1) : 2 * page]
        return Reply(json.dumps({"id": 1, "result": {"validators": shown, "total": str(len(rows))}}).encode())

    assert EngineRpc(post).validators(Height(1)) == made.set_of(keys)


@pytest.mark.parametrize(
    "rows", [[], [{"pub_key": {"type": "tendermint/PubKeySr25519", "value": "AA=="}, "voting_power": "1"}]]
)
def test_a_set_of_none_or_of_foreign_keys_is_no_answer(rows: Any) -> None:
    with pytest.raises(AnswerMalformed):
        EngineRpc(result({"validators": rows, "total": "0"}).post).validators(Height(1))


def test_a_transaction_is_offered_as_base64_and_its_code_told() -> None:
    engine = result({"code": 3, "data": "", "log": "", "hash": ""})
    assert EngineRpc(engine.post).broadcast(b"\x00\xff") == 3
    assert engine.asked[0]["params"] == {"tx": "AP8="}


def test_what_waits_already_is_no_error_and_a_full_pool_is_to_be_tried_again() -> None:
    assert EngineRpc(refused("Internal error", "tx already exists in cache").post).broadcast(b"x") == 0
    with pytest.raises(NotYet):
        EngineRpc(refused("Internal error", "mempool is full: number of txs 5000 (max: 5000)").post).broadcast(b"x")
    with pytest.raises(AnswerMalformed):
        EngineRpc(refused("Internal error", "something else").post).broadcast(b"x")


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b'{"id": 1}', b"\xff", b'{"id": 1, "result": 5}', b'{"id": 1, "result": null}']
)
def test_what_is_no_json_rpc_is_no_answer(raw: bytes) -> None:
    engine = EngineRpc(Canned(None, raw=raw).post)
    for ask in (lambda: engine.signed_header(Height(1)), lambda: engine.validators(Height(1))):
        with pytest.raises(AnswerMalformed):
            ask()
    with pytest.raises(AnswerMalformed):
        engine.broadcast(b"x")


def test_an_error_where_a_result_is_needed_is_no_answer() -> None:
    with pytest.raises(AnswerMalformed):
        EngineRpc(refused("height must be less than or equal to the current blockchain height").post).signed_header(
            Height(9)
        )


@pytest.mark.parametrize("ask", [EngineRpc.signed_header, EngineRpc.validators], ids=["header", "validators"])
def test_what_lies_before_the_engine_began_is_missing_there(ask: Any) -> None:
    began = refused("Internal error", "height 3 is not available, lowest height is 12")
    with pytest.raises(Missing):
        ask(EngineRpc(began.post), Height(3))
