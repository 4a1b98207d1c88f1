"""A secp256k1 key in Google Cloud KMS: the digest goes there, DER comes back, and the caller judges it.

The SDK is an extra (`hybrid-bridge[gcp]`), used over REST; it finds its credentials by itself (Application Default
Credentials). It tries once; who asks tries again. The CRC32C fields of the API stay unused: a digest or a signature
that changed on its way recovers to another address.
Source: Cloud KMS REST reference, cryptoKeyVersions.asymmetricSign; algorithm EC_SIGN_SECP256K1_SHA256, whose digest
field `sha256` takes any 32 bytes; error codes of google.rpc.Code.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hybrid_bridge.adapters.hsm.cloud_key import DEADLINE, CloudKey
from hybrid_bridge.errors import BridgeError, EndpointRefused, KeyUnusable, Unreachable
from hybrid_bridge.units import Digest, Seconds

CALL: Final = "asymmetricSign"
HOST: Final = "cloudkms.googleapis.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class GcpPlace:
    """One version of a key by its resource name."""

    version: str
    endpoint: str | None = None  # of a private network

    def __str__(self) -> str:
        return f"Google Cloud KMS {self.version}" + (f" at {self.endpoint}" if self.endpoint else "")


class GcpKey(CloudKey):
    """One key version. Threads: any; requests wait for one another."""

    call = CALL

    def __init__(self, place: GcpPlace, name: str, deadline: Seconds = DEADLINE) -> None:
        """Touches nothing yet."""
        super().__init__(name, deadline)
        self._place = place

    def _sign(self, digest: Digest) -> object:
        try:
            from google.api_core.exceptions import GoogleAPICallError  # noqa: PLC0415 an extra
            from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
            from requests import RequestException  # noqa: PLC0415
        except ImportError:
            raise KeyUnusable(
                key=self._name, rule="Google Cloud KMS needs its extra: pip install 'hybrid-bridge[gcp]'"
            ) from None
        request = {"name": self._place.version, "digest": {"sha256": bytes(digest)}}
        try:
            answer = self._opened().asymmetric_sign(request=request, retry=None, timeout=self._deadline)
        except GoogleAPICallError as error:
            raise self._refused(error.code, type(error).__name__) from None
        except GoogleAuthError as error:
            raise self._not_let_in(error) from None
        except (RequestException, OSError):
            raise Unreachable(endpoint=self._name, call=CALL) from None
        except Exception:  # noqa: BLE001 the SDK's parser, at an answer of another form
            raise self._malformed() from None
        return bytes(answer.signature)

    def _opened(self) -> Any:  # noqa: ANN401 the SDK's client wraps its methods while it is made
        """The client, made once: to make it looks for credentials."""
        if self._client is None:
            from google.cloud import kms_v1  # noqa: PLC0415 an extra
            from google.cloud.kms_v1.services.key_management_service import transports  # noqa: PLC0415

            parts = urlsplit(self._place.endpoint or f"https://{HOST}")
            rest = transports.KeyManagementServiceRestTransport(host=parts.netloc, url_scheme=parts.scheme)
            self._client = kms_v1.KeyManagementServiceClient(transport=rest)
        return self._client

    def _refused(self, code: int | None, kind: str) -> BridgeError:
        """An error of the service, by its HTTP status; its words name projects and are dropped."""
        if code is None or code >= 500 or code in (408, 429, 499):
            return EndpointRefused(endpoint=self._name, call=CALL, code=int(code or 0), reason=kind)
        return KeyUnusable(key=self._name, rule=f"a key of Cloud KMS that may be used to sign ({kind})")

    def _not_let_in(self, error: Exception) -> BridgeError:
        """Credentials: none, refused, or not to be had just now."""
        if getattr(error, "retryable", False) or type(error).__name__ == "TransportError":
            return Unreachable(endpoint=self._name, call="credentials")
        return KeyUnusable(key=self._name, rule=f"credentials for Google Cloud ({type(error).__name__})")
