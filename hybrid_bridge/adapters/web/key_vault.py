"""A secp256k1 key in Azure Key Vault or a managed HSM: the digest goes there, 64 bytes r ‖ s come back.

Its SDK asks for the public key first, which nobody here believes, so only the token is the SDK's: the extra
(`hybrid-bridge[azure]`) finds out who this machine is. The request is one POST of ours, bounded as all are.
Source: Azure Key Vault REST API 7.4, Keys, Sign: `alg` ES256K, `value` base64url of the digest, answered by `kid` and
`value`; "Azure Key Vault REST API Error Codes".
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.core.encoding import b64u, parse_b64u, parse_json
from hybrid_bridge.errors import AnswerMalformed, EndpointRefused, KeyUnusable, Malformed, Unreachable
from hybrid_bridge.units import Digest, Seconds

DEADLINE: Final = Seconds(15)  # of one signature, the token included
EXCHANGE: Final = Seconds(10)  # of the request alone
MAX_ANSWER: Final = 4096  # bytes; a signature's has some 200
CALL: Final = "keys/sign"
PUBLIC: Final = "vault.azure.net"  # the token's audience where the address does not say
NO_TOOLS: Final = {  # of a developer's machine: each starts a program, and none belongs on a server
    f"exclude_{name}_credential": True
    for name in ("cli", "powershell", "developer_cli", "shared_token_cache", "visual_studio_code", "broker")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlace:
    """One version of a key by its address."""

    url: str  # https://VAULT/keys/NAME/VERSION
    audience: str = PUBLIC

    def __str__(self) -> str:
        return f"Azure Key Vault {self.url}"


class VaultKey:
    """One key version. Threads: any."""

    def __init__(self, place: VaultPlace, name: str) -> None:
        """Touches nothing yet."""
        self._place, self._name = place, name
        self._credential: Any = None
        self._was_let_in = False

    def sign(self, digest: Digest) -> bytes:
        """64 bytes r ‖ s over these 32, as the cloud gives them: s may be high, no two are alike.

        Raises:
            Unreachable: no answer, or later; what it may still make is dropped.
            KeyUnusable: it never will: no such key, no permission, no credentials, another kind of key.
            AnswerMalformed, TooLong: its answer is none of the API.
        """
        service = Service(self._name, f"{self._place.url}/sign?api-version=7.4", EXCHANGE, MAX_ANSWER)
        body = json.dumps({"alg": "ES256K", "value": b64u(digest)}).encode()
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        answer = service.post("", body, headers | {"Accept": "application/json"})
        if answer.status == 429 or answer.status >= 500 or answer.status == 408:
            raise EndpointRefused(endpoint=self._name, call=CALL, code=answer.status, reason="later")
        if answer.status != 200:
            raise KeyUnusable(key=self._name, rule=f"a key of Key Vault that may be used to sign ({answer.status})")
        try:
            found = parse_json(answer.body, "answer", MAX_ANSWER)
            value = found.get("value") if isinstance(found, dict) else None
            signature = parse_b64u(value if isinstance(value, str) else "", "value")
        except Malformed:
            signature = b""
        if len(signature) != 64:
            raise AnswerMalformed(endpoint=self._name, call=CALL, rule="a signature of 64 bytes")
        return signature

    def _token(self) -> str:
        """Who we are, for this service. Once let in, a failure is a matter of time."""
        try:
            from azure.core.exceptions import AzureError  # noqa: PLC0415 an extra
            from azure.identity import DefaultAzureCredential  # noqa: PLC0415
        except ImportError:
            raise KeyUnusable(
                key=self._name, rule="Azure Key Vault needs its extra: pip install 'hybrid-bridge[azure]'"
            ) from None
        try:
            if self._credential is None:
                self._credential = DefaultAzureCredential(retry_total=0, **NO_TOOLS)
            token: str = self._credential.get_token(f"https://{self._place.audience}/.default").token
        except (AzureError, ValueError, OSError) as error:
            if self._was_let_in:
                raise Unreachable(endpoint=self._name, call="credentials") from None
            raise KeyUnusable(key=self._name, rule=f"credentials for Azure ({type(error).__name__})") from None
        self._was_let_in = True
        return token
