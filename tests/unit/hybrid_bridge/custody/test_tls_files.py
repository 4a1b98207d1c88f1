"""The files behind a connection are read again when they change, and what cannot be read changes nothing."""

import os
from pathlib import Path

import pytest

from hybrid_bridge.adapters.crl import issue_revocations
from hybrid_bridge.adapters.pki import Authority, Holder, Issued, found_authority, issue_tls
from hybrid_bridge.custody.tls_files import REFUSE, TlsFiles, TlsPaths
from hybrid_bridge.errors import CertificateMalformed, CertificateRevoked, KeyUnusable, RevocationsStale
from hybrid_bridge.units import UnixSeconds

NOW = UnixSeconds(1_800_000_000)
OURS = found_authority("ours", NOW)


def issued() -> Issued:
    return issue_tls(OURS, Holder("bank-a", "Bank A Ltd", "LEI:BANKA"), "member", (), NOW)


class Folder:
    """A folder of TLS files, and a clock."""

    def __init__(self, path: Path) -> None:
        self.path, self.now, self.written = path, NOW, 0
        self.shown = issued()
        self.write("ca.pem", OURS.certificate)
        self.rotate(self.shown)

    def write(self, name: str, data: bytes) -> None:
        """Each time at another moment: a file system's clock may stand still for a test."""
        self.written += 1
        (self.path / name).write_bytes(data)
        os.utime(self.path / name, (self.written, self.written))

    def rotate(self, to: Issued) -> None:
        self.shown = to
        self.write("tls.pem", to.certificate)
        self.write("tls.key", to.key)

    def revoke(self, *certificates: bytes, by: Authority = OURS, age: int = 0, name: str = "crl.pem") -> None:
        issue = UnixSeconds(self.now - age)
        data = issue_revocations(by.certificate, by.key, certificates, issue, UnixSeconds(issue + 100))
        self.write(name, data)

    def files(self, *crls: str, stale: str = "serve") -> TlsFiles:
        paths = [self.path / name for name in ("ca.pem", "tls.pem", "tls.key")]
        found = TlsPaths(*paths, tuple(self.path / name for name in crls), stale)
        return TlsFiles(found, (self.path / "tls.key").read_bytes, lambda: self.now)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_same_files_are_the_same_object_and_new_ones_another(folder: Folder) -> None:
    files = folder.files()
    before = files.current()
    assert files.current() is before
    folder.rotate(issued())
    assert files.current() is not before
    assert files.current().certificate == folder.shown.certificate


def test_a_certificate_without_its_key_waits_for_it(folder: Folder) -> None:
    files, new = folder.files(), issued()
    before = files.current()
    folder.write("tls.pem", new.certificate)
    assert files.current() is before
    folder.write("tls.key", new.key)
    assert files.current().certificate == new.certificate


def test_a_folder_without_a_list_revokes_nobody_until_there_is_one(folder: Folder) -> None:
    files, other = folder.files(), issued().certificate
    files.judge(other)
    assert not files.judges
    folder.revoke(other)
    with pytest.raises(CertificateRevoked):
        files.judge(other)
    assert files.judges


def test_no_older_list_no_empty_file_and_no_missing_one_makes_a_certificate_good_again(folder: Folder) -> None:
    other = issued().certificate
    folder.revoke(other)
    files = folder.files()
    for change in (
        lambda: folder.revoke(age=10),
        lambda: folder.write("crl.pem", b""),
        lambda: folder.revoke(by=found_authority("theirs", NOW)),
        (folder.path / "crl.pem").unlink,
    ):
        change()
        with pytest.raises(CertificateRevoked):
            files.judge(other)
    folder.now = UnixSeconds(NOW + 1)
    folder.revoke()
    files.judge(other)


def test_a_list_that_has_ended_goes_on_to_count_and_stops_calls_only_where_the_settings_say_so(folder: Folder) -> None:
    bad, good = issued().certificate, issued().certificate
    folder.revoke(bad)
    serving, refusing = folder.files(), folder.files(stale=REFUSE)
    for files in (serving, refusing):
        files.judge(good)
    folder.now = UnixSeconds(NOW + 101)
    serving.judge(good)
    with pytest.raises(RevocationsStale):
        refusing.judge(good)
    for files in (serving, refusing):
        with pytest.raises(CertificateRevoked):
            files.judge(bad)
    folder.revoke(bad)
    refusing.judge(good)


def test_a_list_that_is_named_must_be_there_at_a_start(folder: Folder) -> None:
    with pytest.raises(CertificateMalformed) as refused:
        folder.files("other.pem")
    assert "other.pem" in refused.value.rule
    folder.revoke(issued().certificate, name="other.pem")
    assert folder.files("other.pem").judges


def test_what_cannot_be_read_at_a_start_is_an_error(folder: Folder) -> None:
    folder.write("crl.pem", b"garbage")
    with pytest.raises(CertificateMalformed):
        folder.files()
    (folder.path / "crl.pem").unlink()
    (folder.path / "tls.pem").unlink()
    with pytest.raises(KeyUnusable):
        folder.files()


def test_an_authority_that_has_left_owes_no_list(folder: Folder) -> None:
    theirs, bad = found_authority("theirs", NOW), issued().certificate
    folder.write("ca.pem", OURS.certificate + theirs.certificate)
    folder.revoke(name="a.pem")
    folder.revoke(by=theirs, name="b.pem")
    files = folder.files("a.pem", "b.pem")
    folder.now = UnixSeconds(NOW + 1)
    folder.revoke(bad, name="a.pem")
    folder.write("b.pem", (folder.path / "a.pem").read_bytes())
    files.judge(bad)  # while theirs is an authority its list may not be missing
    folder.write("ca.pem", OURS.certificate)
    with pytest.raises(CertificateRevoked):
        files.judge(bad)


def test_a_renewed_authority_s_list_does_not_stand_for_the_one_before(folder: Folder) -> None:
    renewed, bad = found_authority("ours", NOW), issued().certificate
    folder.write("ca.pem", OURS.certificate + renewed.certificate)
    folder.revoke(bad)
    files = folder.files()
    folder.now = UnixSeconds(NOW + 1)
    folder.revoke(by=renewed)
    with pytest.raises(CertificateRevoked):
        files.judge(bad)
