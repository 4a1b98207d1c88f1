"""A key held by a server that speaks web3signer's eth1 API: bytes in, a signature over their keccak-256 out.

Source: Web3Signer, ETH1 API 23.11: POST /api/v1/eth1/sign/{identifier}, {"data": "0x…"}, answered by 65 bytes r ‖ s ‖ v
in hex, as text. What it signs is for the caller to judge.
"""

import json
import re
import ssl
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.errors import AnswerMalformed, EndpointRefused
from hybrid_bridge.units import Seconds

DEADLINE: Final = Seconds(10)  # of one signature; there may be a cloud's HSM behind the server
MAX_ANSWER: Final = 256  # bytes; a signature has 132
NO_SUCH_KEY: Final = 404
_CALL: Final = "eth1/sign"
_REASONS: Final = {400: "bad request", 401: "not authorised", 403: "forbidden", NO_SUCH_KEY: "no such key"}
_SIGNATURE: Final = re.compile(rb"0x[0-9a-fA-F]{130}")


@dataclass(frozen=True, slots=True)
class Web3Signer:
    """One key of one server. Nothing is kept between two requests. Threads: any."""

    name: str  # the key's in the settings, for errors
    url: str
    public_key: bytes  # 64 bytes x ‖ y: the server's identifier of the key
    context: ssl.SSLContext | None = None
    deadline: Seconds = DEADLINE

    def sign(self, message: bytes) -> bytes:
        """64 bytes r ‖ s that claim to be over keccak-256 of `message`.

        Raises:
            Unreachable: no answer in time, whatever it may have signed.
            EndpointRefused: it said no; `code` is its HTTP status.
            AnswerMalformed, TooLong: its answer is none of the API.
        """
        service = Service(self.name, self.url, self.deadline, MAX_ANSWER, self.context)
        path = f"/api/v1/eth1/sign/0x{self.public_key.hex()}"
        body = json.dumps({"data": f"0x{message.hex()}"}).encode()
        answer = service.post(path, body, {"Content-Type": "application/json", "Accept": "text/plain"})
        if answer.status != 200:
            reason = _REASONS.get(answer.status, "an error of its own")
            raise EndpointRefused(endpoint=self.name, call=_CALL, code=answer.status, reason=reason)
        if answer.media_type != "text/plain" or not _SIGNATURE.fullmatch(answer.body):
            raise AnswerMalformed(endpoint=self.name, call=_CALL, rule="0x and 130 hex digits, as text/plain")
        return bytes.fromhex(answer.body[2:130].decode("ascii"))
