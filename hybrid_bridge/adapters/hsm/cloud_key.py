"""What keys in clouds have in common whose SDK is called in a lane: the digest goes there, DER comes back."""

from abc import ABC, abstractmethod
from typing import Any, Final

from hybrid_bridge.adapters.hsm.lane import Lane
from hybrid_bridge.errors import AnswerMalformed
from hybrid_bridge.units import Digest, Seconds

DEADLINE: Final = Seconds(15)  # of one signature, credentials included
MAX_SIGNATURE: Final = 72  # bytes of DER


class CloudKey(ABC):
    """One key. Threads: any; requests wait for one another."""

    call: str  # of the cloud's API, for errors

    def __init__(self, name: str, deadline: Seconds) -> None:
        """Touches nothing yet."""
        self._name, self._deadline = name, deadline
        self._lane = Lane(name, deadline)
        self._client: Any = None  # the SDK's, once it was needed

    def sign(self, digest: Digest) -> bytes:
        """DER over these 32 bytes, as the cloud gives it: s may be high, no two are alike.

        Raises:
            Unreachable: no answer, or later; what it may still make is dropped.
            KeyUnusable: it never will: no such key, no permission, no credentials, another kind of key.
            AnswerMalformed: its answer is none of the API.
        """
        signature = self._lane.run("sign", lambda: self._sign(digest))
        if not isinstance(signature, bytes) or not 0 < len(signature) <= MAX_SIGNATURE:
            raise self._malformed()
        return signature

    @abstractmethod
    def _sign(self, digest: Digest) -> object:
        """What the SDK's answer has for a signature; any other error of the SDK is one of `sign` already."""

    def _malformed(self) -> AnswerMalformed:
        rule = f"a signature of at most {MAX_SIGNATURE} bytes"
        return AnswerMalformed(endpoint=self._name, call=self.call, rule=rule)
