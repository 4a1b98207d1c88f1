"""A small timestamping authority: real keys and certificates, written with other people's ASN.1, over loopback HTTP.

Every token is right unless a test asks for a wrong one. `python -m tests.tsa FOLDER` serves one and writes its root.
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TIME_STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)
BEGIN = 1_700_000_000  # of every certificate here, unless told otherwise
YEAR = 365 * 86_400
POLICY = "1.3.6.1.4.1.99999.1"


def moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


@cache
def key_of(kind: str, name: str) -> Any:
    """One key a name: RSA takes its time."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())


def certificate(
    name: str,
    key: Any,
    issuer: "tuple[x509.Certificate, Any] | None" = None,
    *,
    begin: int = BEGIN,
    years: float = 20,
    purposes: Sequence[x509.ObjectIdentifier] = TIME_STAMPING,
    critical: bool = True,
    ca: bool | None = None,
    basic: bool = True,
    usage: bool = False,
    digest: Any = None,
    serial: int | None = None,
    more: Sequence[x509.ExtensionType] = (),
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_ca = issuer is None if ca is None else ca
    signing = key if issuer is None else issuer[1]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(moment(begin))
        .not_valid_after(moment(begin + int(years * YEAR)))
    )
    if basic:
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    if usage or is_ca:
        flags = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
             "decipher_only", "crl_sign"), False)  # fmt: skip
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **flags), critical=True
        )
    if not is_ca and purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=critical)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    algorithm = None if isinstance(signing, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return builder.sign(signing, algorithm)


def der_of(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.DER)


def _choice(cert: x509.Certificate) -> cms.CertificateChoices:
    return cms.CertificateChoices("certificate", asn1_x509.Certificate.load(der_of(cert)))


@dataclass
class Tsa:
    """One authority: root, perhaps one authority between, the stamping certificate."""

    name: str = "TEST TSA"
    kind: str = "ec"
    between: bool = True
    leaf: dict[str, Any] = field(default_factory=dict)  # of the stamping certificate
    middle: dict[str, Any] = field(default_factory=dict)  # of the authority between
    now: Callable[[], float] = lambda: 1_800_000_000.0

    def __post_init__(self) -> None:
        keys = {part: key_of("ec" if part != "leaf" else self.kind, f"{self.name} {part}") for part in
                ("root", "between", "leaf")}  # fmt: skip
        self.key = keys["leaf"]
        self.root = certificate(f"{self.name} root", keys["root"])
        issuer = (self.root, keys["root"])
        self.chain: list[x509.Certificate] = []
        if self.between:
            middle = certificate(f"{self.name} authority", keys["between"], issuer, **{"ca": True, **self.middle})
            self.chain, issuer = [middle], (middle, keys["between"])
        self.certificate = certificate(f"{self.name} 1", self.key, issuer, **self.leaf)

    @property
    def root_der(self) -> bytes:
        return der_of(self.root)

    # ── tokens ──

    def stamp(self, data: bytes, at: float | None = None, **wrong: Any) -> bytes:
        """A token over `data`; `wrong` says how it differs from a right one."""
        name = wrong.pop("hash", "sha256")
        digest = hashlib.new(name, data).digest() if name in hashlib.algorithms_available else b""
        return self.token(name, digest, at, **wrong)

    def token(
        self,
        name: str,
        digest: bytes,
        at: float | None = None,
        *,
        nonce: int | None = None,
        accuracy: Any = None,
        extensions: Any = None,
        content_type: str = "tst_info",
        attributes: Callable[[list[Any]], list[Any]] = lambda found: found,
        ess: str = "v2",
        certificates: Sequence[x509.Certificate] | None = None,
        signers: int = 1,
        content: Callable[[bytes], bytes] = lambda data: data,
        signature: Callable[[bytes], bytes] = lambda data: data,
        digest_name: str = "sha256",
        algorithm: dict[str, Any] | None = None,
        version: str = "v1",
        crls: bool = False,
    ) -> bytes:
        at = self.now() if at is None else at
        info = tsp.TSTInfo(
            {
                "version": version,
                "policy": POLICY,
                "message_imprint": {"hash_algorithm": {"algorithm": name}, "hashed_message": digest},
                "serial_number": 7,
                "gen_time": moment(at),
                **({"accuracy": accuracy} if accuracy else {}),
                **({} if nonce is None else {"nonce": nonce}),
                **({"extensions": extensions} if extensions else {}),
            }
        )
        data = content(info.dump())
        signer_info = self._signer_info(data, content_type, attributes, ess, digest_name, signature, algorithm)
        shown = [self.certificate, *self.chain] if certificates is None else certificates
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": digest_name}],
                "encap_content_info": {"content_type": content_type, "content": core.ParsableOctetString(data)},
                "certificates": [_choice(c) for c in shown],
                "signer_infos": [signer_info] * signers,
            }
        )
        if crls:
            signed["crls"] = []
        return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()

    def _signer_info(self, data, content_type, attributes, ess, digest_name, signature, algorithm) -> cms.SignerInfo:
        own = der_of(self.certificate)
        hash_v2 = {"cert_hash": hashlib.sha256(own).digest()}
        kinds = {
            "v1": ("signing_certificate", tsp.SigningCertificate({"certs": [{"cert_hash": hashlib.sha1(own).digest()}]})),
            "v2": ("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [hash_v2]})),
            "v2-512": ("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [
                {"hash_algorithm": {"algorithm": "sha512"}, "cert_hash": hashlib.sha512(own).digest()}]})),
            "other": ("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [{"cert_hash": bytes(32)}]})),
        }  # fmt: skip
        found = [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.new(digest_name, data).digest()]},
            *[{"type": kinds[k][0], "values": [kinds[k][1]]} for k in ess.split("+") if k in kinds],
        ]
        signed = cms.CMSAttributes(attributes(found))
        parsed = asn1_x509.Certificate.load(own)
        kind, made = self._sign(signed.dump(), digest_name)
        return cms.SignerInfo(
            {
                "version": "v1",
                "sid": {"issuer_and_serial_number": {"issuer": parsed.issuer, "serial_number": parsed.serial_number}},
                "digest_algorithm": {"algorithm": digest_name},
                "signed_attrs": signed,
                "signature_algorithm": algorithm or {"algorithm": kind},
                "signature": signature(made),
            }
        )

    def _sign(self, data: bytes, digest_name: str) -> tuple[str, bytes]:
        digest = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}.get(
            digest_name, hashes.SHA256()
        )
        if self.kind == "rsa":
            return "rsassa_pkcs1v15", self.key.sign(data, padding.PKCS1v15(), digest)
        if self.kind == "ed25519":
            return "ed25519", self.key.sign(data)
        return f"{digest_name}_ecdsa", self.key.sign(data, ec.ECDSA(digest))

    # ── the protocol ──

    def answer(self, request: bytes, **wrong: Any) -> bytes:
        """A TimeStampResp to a TimeStampReq."""
        asked = tsp.TimeStampReq.load(request, strict=True)
        imprint = asked["message_imprint"]
        nonce = wrong.pop("nonce", asked["nonce"].native)
        name, digest = imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
        token = self.token(name, digest, nonce=nonce, **wrong)
        response = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)})
        return response.dump()

    @staticmethod
    def refusal() -> bytes:
        status = tsp.PKIStatusInfo({"status": "rejection", "status_string": ["no"]}).dump()
        return bytes([0x30, len(status)]) + status


class Served:
    """An HTTP server on loopback; `answer` gets the request's body and gives status, headers and body."""

    def __init__(self, answer: Callable[[bytes], tuple[int, dict[str, str], bytes]], port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, payload = answer(body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(payload)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tsa"

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serving(tsa: Tsa, **wrong: Any) -> Served:
    return Served(lambda body: (200, {"Content-Type": "application/timestamp-reply"}, tsa.answer(body, **wrong)))


if __name__ == "__main__":
    import time

    folder = Path(sys.argv[1])
    authority = Tsa(now=time.time, kind="rsa")
    (folder / "tsa-root.der").write_bytes(authority.root_der)
    with Served(
        lambda body: (200, {"Content-Type": "application/timestamp-reply"}, authority.answer(body)),
        int(sys.argv[2]) if len(sys.argv) > 2 else 0,
    ) as served:
        print(served.url, flush=True)
        threading.Event().wait()
