"""A timestamping authority over HTTP (RFC 3161 §3.4). Whatever it answers is checked before anybody keeps it."""

from typing import Final

from hybrid_bridge.adapters.web.exchange import TIMEOUT, Service
from hybrid_bridge.core.timestamp import Token, decode_response, digest_by, encode_request
from hybrid_bridge.core.timestamp_trust import verify_token
from hybrid_bridge.errors import AnswerMalformed, EndpointRefused, FieldMismatch
from hybrid_bridge.units import Seconds

NAME: Final = "tsa"
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_MAX_ANSWER: Final = 1 << 17


def ask_timestamp(url: str, data: bytes, name: str, nonce: int, timeout: Seconds = TIMEOUT) -> Token:
    """A token over `data` by the hash of this name, with this nonce, signed by its own certificate.

    Whether that certificate leads to a root is the verifier's to say.

    Raises:
        Unreachable, EndpointRefused: no answer, or none that grants.
        Malformed: no timestamp reply.
        FieldMismatch, SignatureWrong: a token over something else, or one that does not hold.
    """
    service = Service(NAME, url, timeout, _MAX_ANSWER)
    request = encode_request(name, digest_by(name, data), nonce)
    answer = service.post("", request, {"Content-Type": _QUERY, "Accept": _REPLY})
    if answer.status != 200:
        raise EndpointRefused(endpoint=NAME, call="timestamp", code=answer.status, reason="HTTP status")
    if answer.media_type != _REPLY:
        raise AnswerMalformed(endpoint=NAME, call="timestamp", rule=_REPLY)
    token = decode_response(answer.body, NAME)
    if token.nonce != nonce:  # an old answer, or another's
        raise FieldMismatch(field="token.nonce", expected=str(nonce), got=str(token.nonce))
    if token.hash != name:
        raise FieldMismatch(field="token.hash", expected=name, got=token.hash)
    verify_token(token, data)
    return token
