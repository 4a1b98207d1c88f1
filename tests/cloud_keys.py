"""Strict servers of clouds' key services on loopback: what `tests/recorded` does not allow fails the test.

Honest unless a test gives them another `answer`. Requests are checked in whole: path, headers, body, and the proof of
who asks (SigV4 computed anew, a JWT verified), as the services do.
"""

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hybrid_bridge.core.signing import ORDER, sign_digest

RECORDED = Path(__file__).parent / "recorded"
ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VERSION = "projects/acme/locations/europe-west3/keyRings/relayer/cryptoKeys/gas/cryptoKeyVersions/1"
AWS_ID, AWS_SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # the reference's own example
VAULT_KEY = "keys/gas/9885aa558e8d448789683188f8c194b0"
AZURE_TOKEN, AZURE_SECRET = "a-token-for-the-vault", "the-machine's-own"
Reply = tuple[int, str, bytes]  # status, media type, body
Answer = Callable[[bytes], Reply]  # of a digest


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def der(private: bytes, digest: bytes, *, high: bool = False) -> bytes:
    made = sign_digest(private, digest)
    r, s = int.from_bytes(made[:32], "big"), int.from_bytes(made[32:64], "big")
    return encode_dss_signature(r, ORDER - s if high else s)


class CloudKeys:
    """A server with one key; a subclass knows the protocol."""

    name = ""

    def __init__(self, private: bytes) -> None:
        self.recorded = recorded(self.name)
        self.answer: Answer = lambda digest: self.signature(der(private, digest))
        self.asked: list[bytes] = []
        self.complaints: list[str] = []
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, media_type, payload = cloud.judged(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def do_GET(self) -> None:
                status, media_type, payload = cloud.token(self.path, dict(self.headers.items()))
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: Any) -> None:
                pass  # a client that hangs up is the client's business

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def judged(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """The answer to one request, after a look at its form."""
        try:
            given = {name.lower(): value for name, value in headers.items()}
            for name, value in self.recorded["request"]["headers"].items():
                if given.get(name.lower()) != value:
                    raise ValueError(name, given.get(name.lower()))
            self.asked.append(self.digest_of(path, given, body))
        except (ValueError, TypeError, KeyError) as error:
            self.complaints.append(repr(error))
            return 400, "text/plain", b""
        return self.answer(self.asked[-1])

    def digest_of(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        raise NotImplementedError

    def token(self, path: str, headers: dict[str, str]) -> Reply:
        """Who asks, where the service gives tokens."""
        self.complaints.append(path)
        return 404, "text/plain", b""

    def signature(self, made: bytes) -> Reply:
        raise NotImplementedError

    def error(self, status: int, kind: str) -> Reply:
        raise NotImplementedError

    def signed(self, body: dict[str, Any]) -> Reply:
        answer = self.recorded["answer"]
        if set(body) != set(answer["body"]):
            raise ValueError(body)
        return answer["status"], answer["content_type"], json.dumps(body).encode()

    def __enter__(self) -> "CloudKeys":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class AwsKeys(CloudKeys):
    """AWS KMS, JSON 1.1 with Signature Version 4."""

    name = "aws_kms"

    def digest_of(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        given, wanted = json.loads(body), self.recorded["request"]["body"]
        digest = base64.b64decode(given["Message"], validate=True)
        if path != "/" or given != wanted | {"KeyId": ARN, "Message": given["Message"]} or len(digest) != 32:
            raise ValueError(given)
        self._require_signed(headers, body)
        return digest

    def _require_signed(self, headers: dict[str, str], body: bytes) -> None:
        """Signature Version 4, as the service computes it anew (AWS General Reference)."""
        form = r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/kms/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
        found = re.fullmatch(form, headers["authorization"])
        if found is None or found[1] != AWS_ID or found[3] != "eu-central-1":
            raise ValueError(headers["authorization"])
        if not {"host", "x-amz-date", "x-amz-target"} <= set(found[4].split(";")):
            raise ValueError(found[4])
        lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in found[4].split(";"))
        request = "\n".join(["POST", "/", "", lines, found[4], hashlib.sha256(body).hexdigest()])
        scope = f"{found[2]}/{found[3]}/kms/aws4_request"
        hashed = hashlib.sha256(request.encode()).hexdigest()
        words = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashed])
        key = f"AWS4{AWS_SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        if hmac.new(key, words.encode(), "sha256").hexdigest() != found[5]:
            raise ValueError(words)

    def signature(self, made: bytes) -> Reply:
        encoded = base64.b64encode(made).decode()
        return self.signed({"KeyId": ARN, "Signature": encoded, "SigningAlgorithm": "ECDSA_SHA_256"})

    def error(self, status: int, kind: str) -> Reply:
        body = {"__type": kind, "message": f"hunter2 at {self.url}"}
        return status, "application/x-amz-json-1.1", json.dumps(body).encode()


class GcpKeys(CloudKeys):
    """Google Cloud KMS over REST, asked by a service account whose JWT is its own."""

    name = "gcp_kms"

    def __init__(self, private: bytes, account: RSAPrivateKey) -> None:
        super().__init__(private)
        self._account = account

    def digest_of(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        given = json.loads(body)
        digest = base64.b64decode(given["digest"]["sha256"], validate=True)
        if (
            path.split("?", maxsplit=1)[0] != f"/v1/{VERSION}:asymmetricSign"
            or set(given) != {"digest"}
            or len(digest) != 32
        ):
            raise ValueError(path, given)
        if set(given["digest"]) != {"sha256"}:
            raise ValueError(given)
        scheme, _, token = headers["authorization"].partition(" ")
        signed, _, signature = token.rpartition(".")
        padded = (text + "=" * (-len(text) % 4) for text in (signed.split(".")[1], signature))
        claims, proof = (base64.urlsafe_b64decode(text) for text in padded)
        self._account.public_key().verify(proof, signed.encode(), PKCS1v15(), SHA256())
        if scheme != "Bearer" or json.loads(claims)["aud"] != "https://cloudkms.googleapis.com/":
            raise ValueError(claims)
        return digest

    def signature(self, made: bytes) -> Reply:
        more = {"signatureCrc32c": "0", "verifiedDigestCrc32c": False, "protectionLevel": "HSM"}
        return self.signed({"signature": base64.b64encode(made).decode(), "name": VERSION, **more})

    def error(self, status: int, kind: str) -> Reply:
        body = {"error": {"code": status, "message": f"hunter2 at {self.url}", "status": kind}}
        return status, "application/json; charset=UTF-8", json.dumps(body).encode()


class AzureKeys(CloudKeys):
    """Azure Key Vault, and the machine's identity beside it."""

    name = "azure_kms"

    def __init__(self, private: bytes) -> None:
        super().__init__(private)
        self.is_away = False  # the identity, not the vault

    def token(self, path: str, headers: dict[str, str]) -> Reply:
        wanted = self.recorded["token_request"]
        parts = urlsplit(path)
        if (parts.path, dict(parse_qsl(parts.query))) != (wanted["path"], wanted["query"]):
            return super().token(path, headers)
        if self.is_away or headers.get("X-IDENTITY-HEADER") != AZURE_SECRET:
            return 503, "text/plain", b""
        return 200, "application/json", json.dumps(self.recorded["token"] | {"access_token": AZURE_TOKEN}).encode()

    def digest_of(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        given = json.loads(body)
        digest = base64.urlsafe_b64decode(given["value"] + "=")
        if path != f"/{VAULT_KEY}/sign?api-version=7.4" or headers["authorization"] != f"Bearer {AZURE_TOKEN}":
            raise ValueError(path, headers)
        if given != self.recorded["request"]["body"] | {"value": given["value"]} or len(digest) != 32:
            raise ValueError(given)
        return digest

    def signature(self, made: bytes) -> Reply:
        value = base64.urlsafe_b64encode(_raw(made)).decode().rstrip("=")
        return self.signed({"kid": f"{self.url}/{VAULT_KEY}", "value": value})

    def error(self, status: int, kind: str) -> Reply:
        body = {"error": {"code": kind, "message": f"hunter2 at {self.url}"}}
        return status, "application/json; charset=utf-8", json.dumps(body).encode()


def _raw(made: bytes) -> bytes:
    """r ‖ s of DER; bytes that are none stay as they are, for tests of lies."""
    try:
        return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(made))
    except ValueError:
        return made
