"""A secp256k1 key in AWS KMS: the digest goes there, DER comes back, and the caller judges it.

The SDK is an extra (`hybrid-bridge[aws]`). It signs its requests (SigV4) with the credentials that its own chain finds:
environment, profile, role of the machine. It tries once; who asks tries again, and then perhaps the cloud has signed
twice, which harms nobody: what was not journaled, or permitted, is not used.
Source: AWS KMS API Reference, Sign: `MessageType` DIGEST, `SigningAlgorithm` ECDSA_SHA_256, the one of key spec
ECC_SECG_P256K1; errors as listed there and under Common Errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hybrid_bridge.adapters.hsm.cloud_key import DEADLINE, CloudKey
from hybrid_bridge.errors import EndpointRefused, KeyUnusable, Unreachable
from hybrid_bridge.units import Digest, Seconds

CONNECT: Final = Seconds(5)
CALL: Final = "kms:Sign"
_LATER: Final = (  # 400 as the refusals are, but a matter of time
    "ThrottlingException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "DependencyTimeoutException",
    "KeyUnavailableException",
    "KMSInternalException",
    "RequestTimeoutException",
    "RequestAbortedException",
    "ExpiredTokenException",  # a role's session ends; the chain fetches the next
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsPlace:
    """A key by its ARN: no alias, which somebody may point elsewhere."""

    arn: str
    region: str
    endpoint: str | None = None  # of a private network; the region's own without it

    def __str__(self) -> str:
        return f"AWS KMS {self.arn}" + (f" at {self.endpoint}" if self.endpoint else "")


class AwsKey(CloudKey):
    """One key. Threads: any; requests wait for one another."""

    call = CALL

    def __init__(self, place: AwsPlace, name: str, deadline: Seconds = DEADLINE) -> None:
        """Touches nothing yet."""
        super().__init__(name, deadline)
        self._place = place

    def _sign(self, digest: Digest) -> object:
        try:
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 an extra
        except ImportError:
            raise KeyUnusable(
                key=self._name, rule="AWS KMS needs its extra: pip install 'hybrid-bridge[aws]'"
            ) from None
        try:
            answer = self._opened().sign(
                KeyId=self._place.arn, Message=bytes(digest), MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        except ClientError as error:
            raise self._refused(error.response) from None
        except (BotoCoreError, RuntimeError, ValueError, OSError) as error:
            raise self._failed(type(error).__name__) from None
        except Exception:  # noqa: BLE001 the SDK's parser, at an answer of another form
            raise self._malformed() from None
        return answer.get("Signature")

    def _opened(self) -> Any:  # noqa: ANN401 the SDK makes its classes while it runs
        """The client, made once: to make it reads the SDK's own tables."""
        if self._client is None:
            import boto3  # noqa: PLC0415 an extra
            from botocore.config import Config  # noqa: PLC0415

            once = Config(
                connect_timeout=min(CONNECT, self._deadline),
                read_timeout=self._deadline,
                retries={"total_max_attempts": 1, "mode": "standard"},
            )
            self._client = boto3.session.Session().client(
                "kms", region_name=self._place.region, endpoint_url=self._place.endpoint, config=once
            )
        return self._client

    def _refused(self, response: Mapping[str, Any]) -> EndpointRefused | KeyUnusable:
        """An error of the service, by its code; its words may name accounts and are dropped."""
        code = _word(response.get("Error", {}).get("Code"))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _LATER or status >= 500 or status == 429:
            return EndpointRefused(endpoint=self._name, call=CALL, code=status, reason=code)
        return KeyUnusable(key=self._name, rule=f"a key of AWS KMS that may be used to sign ({code})")

    def _failed(self, kind: str) -> Unreachable | KeyUnusable:
        """What the SDK says without an answer: most of it is a matter of time."""
        if kind in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "InvalidConfigError"):
            return KeyUnusable(key=self._name, rule=f"credentials for AWS ({kind})")
        return Unreachable(endpoint=self._name, call=CALL)


def _word(code: object) -> str:
    """An error's code, if it is one word: an answer may hold anything."""
    return code if isinstance(code, str) and code.isascii() and code.isalnum() and len(code) <= 64 else "no code"
