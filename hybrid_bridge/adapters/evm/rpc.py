"""One JSON-RPC endpoint of a public chain: the door to web3. No web3 type leaves it.

web3 repeats a call up to five times on its own: that is switched off, one call is one request (RELAYER §6). It does not
look either which question an answer names: that is done here, since a proxy, or a connection that is out of step, may
mix them up. Connections are kept, redirects and proxies of the environment are not followed, an answer is bounded in
bytes and in time.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as TransportError
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from hybrid_bridge.adapters.evm.bounded_http import BoundedSession
from hybrid_bridge.core.encoding import Json, members_once
from hybrid_bridge.errors import (
    AnswerAstray,
    AnswerMalformed,
    EndpointRefused,
    NotYet,
    SettingsMalformed,
    StateForgotten,
    Unreachable,
)
from hybrid_bridge.units import MAX_U64, Seconds

TIMEOUT: Final = Seconds(5)  # of one call, from connecting to the last byte (RELAYER §4.2)
_ABSENT: Final = re.compile(  # geth, anvil, reth, nethermind, besu
    r"header (for hash )?not found|(finalized |safe )?block not found|unknown block|resource ?not ?found"
    r"|not currently canonical|block .*out of range|blockoutofrange|pruned",
    re.IGNORECASE,
)
_FORGOTTEN: Final = re.compile(  # ordinary nodes keep some 128 states: geth (both schemes), reth, nethermind, besu
    r"missing ?trie ?node|historical state|state .*(unavailable|not available|pruned)|no state available|state pruning"
    r"|proof window",  # reth keeps none for proofs, unless it is told to
    re.IGNORECASE,
)
WORD: Final = 2**256 - 1  # the largest number the chain itself can hold: amounts
MAX_FEE: Final = 2**63 - 1  # wei for each gas: the journal keeps fees as integers of SQL
MAX_MESSAGE: Final = 512  # characters of an endpoint's words that are looked at: the patterns here are not linear
_REVERTED: Final = "Reverted "  # before the bytes of a revert: Parity's way, and that of nodes after it
_SECRETS: Final = re.compile(r"\w+://\S+|\b(0x)?[0-9a-fA-F]{33,}\b")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]*")  # no group: the engine keeps state for each repetition of one
_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False


class RpcError(Exception):
    """An error object of an answer, unjudged; never leaves `adapters.evm`."""

    def __init__(self, code: int, message: str, data: bytes) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class _Provider(HTTPProvider):
    """One request for a call."""

    def exchange(self, method: str, params: Sequence[Json]) -> tuple[int, Any]:
        """The question's id, and what came for it.

        Raises:
            requests.RequestException, TransportError, OSError: no answer.
            ValueError: no JSON.
        """
        asked = next(self.request_counter)
        question = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": asked}
        came = self._make_request(RPCEndpoint(method), json.dumps(question).encode())
        return asked, json.loads(str(came, "utf-8"), object_pairs_hook=members_once)


class JsonRpc:
    """Calls of one endpoint. `name` is the one of the settings; the URL may hold a key and is never shown.

    Errors: `Unreachable` and `AnswerAstray` (perhaps it happened), `EndpointRefused`, `NotYet`, `AnswerMalformed`.
    Threads: any.
    """

    def __init__(self, name: str, url: str, timeout: Seconds = TIMEOUT) -> None:
        """Connects to nothing.

        Raises:
            SettingsMalformed: another kind of address.
        """
        if not _is_http(url):
            raise SettingsMalformed(key=name, rule="an http:// or https:// address")
        self.name = name
        self._provider = _Provider(
            url,
            request_kwargs={"timeout": timeout},
            session=BoundedSession(),
            exception_retry_configuration=None,
        )

    def ask(self, method: str, *params: Json) -> Json:
        """The result of a read.

        Raises:
            Unreachable, AnswerMalformed: see the class.
            EndpointRefused: the endpoint's own error.
            NotYet: it does not have that public block, or no longer.
        """
        try:
            return self.ask_raw(method, *params)
        except RpcError as error:
            raise self.judged(method, error) from None

    def ask_raw(self, method: str, *params: Json) -> Json:
        """As `ask`, but an error object is raised as it came.

        Raises:
            Unreachable, AnswerMalformed: see the class.
            RpcError: an error object.
        """
        try:
            asked, answer = self._provider.exchange(method, params)
        except (requests.RequestException, TransportError, OSError):
            raise Unreachable(endpoint=self.name, call=method) from None
        except ValueError:
            raise self.malformed(method, "JSON") from None
        if not isinstance(answer, dict):
            raise self.malformed(method, "an object")
        if type(answer.get("id")) is not int or answer["id"] != asked:  # 1.0 and True are equal to 1
            raise AnswerAstray(endpoint=self.name, call=method)
        if answer.get("error") is not None:
            raise self._error(method, answer["error"])
        if "result" not in answer:
            raise self.malformed(method, "a result or an error")
        result: Json = answer["result"]
        return result

    def _error(self, method: str, error: object) -> Exception:
        code = error.get("code") if isinstance(error, Mapping) else None
        if not isinstance(error, Mapping) or type(code) is not int or not -(2**31) <= code < 2**31:  # True is an int
            return self.malformed(method, "an error has a code of 32 bits")
        data = error.get("data")
        data = data.get("data") if isinstance(data, Mapping) else data
        data = data.removeprefix(_REVERTED) if isinstance(data, str) else data
        message = error.get("message")
        words = message[:MAX_MESSAGE] if isinstance(message, str) else ""
        plain = "".join(sign if " " <= sign <= "~" else "?" for sign in words)  # stored and shown: no NUL, no escapes
        return RpcError(code, plain, _octets(data) or b"")

    def judged(self, call: str, error: RpcError) -> NotYet | EndpointRefused:
        """An error object as one of ours: public block or state is not there, or the endpoint will not."""
        if _FORGOTTEN.search(error.message):
            return StateForgotten(what=f"{call} at that public block", endpoint=self.name)
        if _ABSENT.search(error.message):
            return NotYet(what=f"{call} at {self.name}")
        return EndpointRefused(endpoint=self.name, call=call, code=error.code, reason=shortened(error.message))

    def malformed(self, call: str, rule: str) -> AnswerMalformed:
        """An answer that is not what the protocol says."""
        return AnswerMalformed(endpoint=self.name, call=call, rule=rule)

    # ── parts of answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def members(self, method: str, value: Json) -> Mapping[str, Json]:
        """An object."""
        if not isinstance(value, dict):
            raise self.malformed(method, "an object")
        return value

    def items(self, method: str, value: Json) -> list[Json]:
        """An array."""
        if not isinstance(value, list):
            raise self.malformed(method, "an array")
        return value

    def quantity(self, method: str, value: Json, most: int = MAX_U64) -> int:
        """An unsigned number as 0x text; a larger one than `most` would overflow what keeps it."""
        if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
            raise self.malformed(method, "a quantity")
        number = int(value, 16)
        if number > most:
            raise self.malformed(method, f"a quantity below 2^{most.bit_length()}")
        return number

    def octets(self, method: str, value: Json, width: int | None = None) -> bytes:
        """Bytes as 0x text, of exactly `width` if it is given."""
        octets = _octets(value, width)
        if octets is None:
            raise self.malformed(method, "bytes" if width is None else f"{width} bytes")
        return octets


def _octets(value: object, width: int | None = None) -> bytes | None:
    """Bytes of 0x text, of exactly `width` if it is given; None if it is none."""
    if not isinstance(value, str) or len(value) % 2 or width not in (None, len(value) // 2 - 1):
        return None
    return bytes.fromhex(value[2:]) if _HEX.fullmatch(value) else None


def data_json(value: bytes) -> str:
    """Bytes as 0x text."""
    return "0x" + bytes(value).hex()


def shortened(message: str) -> str:
    """An endpoint's words without addresses, keys and length."""
    return _SECRETS.sub("…", message)[:160]
