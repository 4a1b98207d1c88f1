"""What a folder must hold before its member listens or calls."""

import pytest

from hybrid_bridge.errors import BridgeError, CertificateMalformed, KeyUnusable
from hybrid_bridge.node.opening import client_tls, owner_tls, tls_files
from hybrid_bridge.node.settings import read_settings
from tests.unit.hybrid_bridge.node.members import Members


@pytest.mark.parametrize(
    ("file", "error"),
    [("tls.pem", CertificateMalformed), ("ca.pem", CertificateMalformed), ("keys/tls.key", KeyUnusable)],
)
def test_a_broken_tls_file_is_named_before_anybody_listens(
    members: Members, file: str, error: type[BridgeError]
) -> None:
    folder = members.folder("core")
    settings = read_settings(folder)
    files = tls_files(settings)
    good = files.current()
    path = folder / file
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(error) as caught:
        client_tls(settings)
    assert file.removeprefix("keys/") in str(caught.value)
    assert files.current() is good  # a node that runs goes on with the last good files


def test_a_key_that_does_not_fit_the_certificate_is_named(members: Members) -> None:
    folder = members.folder("core")
    (folder / "tls.pem").write_bytes((members.folder("bank-a") / "tls.pem").read_bytes())
    with pytest.raises(KeyUnusable) as caught:
        client_tls(read_settings(folder))
    assert caught.value.rule == "the key of the first certificate in tls.pem"
    (folder / "owner" / "ca.pem").write_bytes(b"")
    with pytest.raises(CertificateMalformed):
        owner_tls(folder / "owner")
