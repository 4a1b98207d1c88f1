"""The engine's own JSON-RPC, which this member alone may reach: offer a transaction, read headers with their votes.

What is read is decoded strictly and believed by nobody: a verifier checks it. Source: CometBFT v0.38, rpc/openapi.
"""

import json
import re
from base64 import b64decode, b64encode
from calendar import timegm
from collections.abc import Callable, Mapping
from time import strptime
from typing import Any, Final, Protocol, TypeVar

from hybrid_bridge.core.cometbft import (
    ABSENT,
    ED25519,
    SECP256K1,
    BlockId,
    Commit,
    Header,
    SignedHeader,
    Timestamp,
    Validator,
    ValidatorSet,
    Vote,
)
from hybrid_bridge.core.encoding import parse_json
from hybrid_bridge.errors import AnswerAstray, AnswerMalformed, BridgeError, Missing, NotYet
from hybrid_bridge.units import Height

T = TypeVar("T")
PAGE: Final = 100  # validators in one answer, at most
_NAME: Final = "engine"
_ID: Final = 1  # of every question: each has a connection of its own
_IN_CACHE: Final = "tx already exists in cache"
_FULL: Final = "mempool is full"
_OLDER: Final = "is not available, lowest height is"
_MOMENT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z", re.ASCII)
_KINDS: Final = {"tendermint/PubKeySecp256k1": SECP256K1, "tendermint/PubKeyEd25519": ED25519}


class Answer(Protocol):
    """What `Post` returns."""

    @property
    def body(self) -> bytes:
        """All of it."""


Post = Callable[[str, bytes, Mapping[str, str]], Answer]  # path, body, headers; one bounded exchange, no second try


class EngineRpc:
    """Errors: `Unreachable`; `AnswerMalformed` for what is no answer of this API; `Missing` for what is too old."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def broadcast(self, transaction: bytes) -> int:
        """Offer it to the pool; the code of our own `check_tx`, zero if it waits now or did already.

        Raises:
            NotYet: the pool is full.
        """
        result = self._call("broadcast_tx_sync", tx=b64encode(transaction).decode())
        if isinstance(result, str):
            if _IN_CACHE in result:
                return 0
            if _FULL in result:
                raise NotYet(what="room in the engine's pool")
            raise AnswerMalformed(endpoint=_NAME, call="broadcast_tx_sync", rule="a code")
        return _read("broadcast_tx_sync", lambda: _integer(result["code"]))

    def signed_header(self, height: Height) -> SignedHeader:
        """A header with the votes for it."""
        result = self._result("commit", height=str(height))
        return _read("commit", lambda: _signed(result["signed_header"]))

    def validators(self, height: Height) -> ValidatorSet:
        """The set in charge at a height, in its own order."""
        found: list[Validator] = []
        for page in range(1, 1000):
            result = self._result("validators", height=str(height), page=str(page), per_page=str(PAGE))
            found += _read("validators", lambda r=result: [_validator(row) for row in r["validators"]])  # type: ignore[misc]
            if len(found) >= _read("validators", lambda r=result: _integer(r["total"])):  # type: ignore[misc]
                break
        return _read("validators", lambda: ValidatorSet(tuple(found)))

    def _result(self, method: str, **params: str) -> Any:  # noqa: ANN401 JSON
        result = self._call(method, **params)
        if isinstance(result, str) and _OLDER in result:
            raise Missing(what=f"{method} at a height from before this engine began")
        if not isinstance(result, dict):
            raise AnswerMalformed(endpoint=_NAME, call=method, rule="a result")
        return result

    def _call(self, method: str, **params: str) -> Any:  # noqa: ANN401 JSON; text: what the engine says against it
        body = json.dumps({"jsonrpc": "2.0", "id": _ID, "method": method, "params": params}).encode()
        data = self._post("", body, {"Content-Type": "application/json"}).body
        answer: Any = _read(method, lambda: parse_json(data, "answer", len(data)))
        named = answer.get("id") if isinstance(answer, dict) else _ID
        if type(named) is not int or named != _ID:
            raise AnswerAstray(endpoint=_NAME, call=method)
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            error = answer["error"]
            return f"{error.get('message')}: {error.get('data')}"
        return _read(method, lambda: answer["result"])


def _read(call: str, parse: Callable[[], T]) -> T:
    """What `parse` makes of an answer, if it has the form."""
    try:
        return parse()
    except (KeyError, TypeError, ValueError, BridgeError) as error:
        raise AnswerMalformed(endpoint=_NAME, call=call, rule=f"the documented form: {type(error).__name__}") from None


def _integer(value: object) -> int:
    """64-bit integers travel as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.removeprefix("-").isdecimal() else _fail()


def _fail() -> int:
    raise ValueError


def _octets(text: str) -> bytes:
    return b64decode(text or "", validate=True)


def _time(text: str) -> Timestamp:
    """RFC 3339 with up to nine digits: Python's own parser would cut them to six."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError
    seconds = timegm(strptime(found[1], "%Y-%m-%dT%H:%M:%S"))
    return Timestamp(seconds, int((found[2] or "").ljust(9, "0")))


def _block_id(row: Any) -> BlockId:  # noqa: ANN401 JSON, as below
    parts = row["parts"]
    return BlockId(bytes.fromhex(row["hash"]), parts["total"], bytes.fromhex(parts["hash"]))


def _signed(row: Any) -> SignedHeader:  # noqa: ANN401
    header, commit = row["header"], row["commit"]
    votes = tuple(_vote(vote) for vote in commit["signatures"])
    return SignedHeader(_header(header), Commit(commit["round"], _block_id(commit["block_id"]), votes))


def _vote(row: Any) -> Vote:  # noqa: ANN401
    flag = row["block_id_flag"]
    return Vote(flag, _time(row["timestamp"]), b"" if flag == ABSENT else _octets(row["signature"]))


def _header(row: Any) -> Header:  # noqa: ANN401
    return Header(
        block_version=_integer(row["version"]["block"]),
        app_version=_integer(row["version"].get("app", 0)),
        chain_id=row["chain_id"],
        height=Height(_integer(row["height"])),
        time=_time(row["time"]),
        last_block_id=_block_id(row["last_block_id"]),
        **{name: bytes.fromhex(row[name]) for name in _HASHES},
    )


_HASHES: Final = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
)


def _validator(row: Any) -> Validator:  # noqa: ANN401
    key = row["pub_key"]
    return Validator(_KINDS[key["type"]], _octets(key["value"]), _integer(row["voting_power"]))
