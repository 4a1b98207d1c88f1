"""Tokens of another authority's making: `openssl ts`, asked with our request, read and believed by our code."""

import shutil
import subprocess

import pytest

from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.timestamp import decode_response, digest_by, encode_request
from hybrid_bridge.core.timestamp_trust import trusted_path, verify_token

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command"),
]
SETTINGS = """
[tsa]
default_tsa = it
[it]
dir = .
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = {ess}
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


@pytest.mark.parametrize("ess", ["sha1", "sha256"])
@pytest.mark.parametrize("name", ["sha-256", "sha-512"])
def test_a_token_of_openssl_is_believed_by_whoever_trusts_its_root(tmp_path, ess, name):
    def openssl(*arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    (tmp_path / "ts.cnf").write_text(SETTINGS.format(ess=ess))
    (tmp_path / "serial").write_text("01\n")
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    openssl(*new, "-x509", "-days", "30", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.pem")
    openssl(*new, "-subj", "/CN=stamp", "-keyout", "tsa.key", "-out", "tsa.csr")
    openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "9",
            "-extfile", "ts.cnf", "-extensions", "leaf", "-out", "tsa.pem")  # fmt: skip
    openssl("x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der")
    (tmp_path / "ask.tsq").write_bytes(encode_request(name, digest_by(name, b"body"), 2**62 + 1))
    openssl("ts", "-reply", "-config", "ts.cnf", "-queryfile", "ask.tsq", "-signer", "tsa.pem", "-inkey", "tsa.key",
            "-out", "answer.tsr")  # fmt: skip
    token = decode_response((tmp_path / "answer.tsr").read_bytes(), "openssl")
    assert (token.hash, token.nonce, token.accuracy) == (name, 2**62 + 1, 10**9)
    authority = verify_token(token, b"body")
    root = read_certificate((tmp_path / "root.der").read_bytes())
    assert [c.subject.rfc4514_string() for c in trusted_path(token, authority.certificate, [root])] == [
        "CN=stamp",
        "CN=root",
    ]
