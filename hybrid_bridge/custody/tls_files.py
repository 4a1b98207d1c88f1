"""The files behind a member's or a client's TLS, read again when they change: authorities, certificate, key, lists.

While it runs, what cannot be read changes nothing: the last good files stay in force and the log says why, once for
each state of the files. At a start it is an error. A revocation list is never replaced by an older one.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.crl import MAX_BYTES, Revocations, Signer, read_revocations, signers_of
from hybrid_bridge.adapters.pki import require_tls
from hybrid_bridge.errors import BridgeError, CertificateMalformed, KeyUnusable
from hybrid_bridge.rpc.channel import ClientTls
from hybrid_bridge.units import UnixSeconds

CRL: Final = "crl.pem"  # beside `ca.pem`: used when it is there
SERVE, REFUSE = "serve", "refuse"  # what is done when a list has ended

_log = logging.getLogger(__name__)

_State = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class TlsPaths:
    """Where the files are. `crls`: that must be there; without any `CRL` counts if it is there."""

    authorities: Path
    certificate: Path
    key: Path
    crls: tuple[Path, ...] = ()
    stale: str = SERVE

    @property
    def lists(self) -> tuple[Path, ...]:
        """Of the revocation lists."""
        usual = self.authorities.with_name(CRL)
        return self.crls or ((usual,) if usual.exists() else ())


class TlsFiles:
    """What is in force. Asked on each call, by any thread."""

    def __init__(self, paths: TlsPaths, read_key: Callable[[], bytes], now: Callable[[], UnixSeconds]) -> None:
        """Read all of them.

        Raises:
            KeyUnusable: a file is missing, or its key open to others or another's.
            CertificateMalformed: a certificate or a list cannot be read, or is not an authority's of ours.
        """
        self._paths, self._read_key, self._now = paths, read_key, now
        self._turn = threading.Lock()
        self._tls_state, self._crl_state = self._states()
        self._tls = read_tls(paths, read_key)
        self._revocations = _read_lists(paths, self._tls.roots, now())

    @property
    def paths(self) -> TlsPaths:
        """Where the files are."""
        return self._paths

    def current(self) -> ClientTls:
        """What to show now."""
        self._look()
        return self._tls

    @property
    def judges(self) -> bool:
        """Whether there is a list."""
        return self.revocations() is not None

    def revocations(self) -> Revocations | None:
        """The lists in force; None: there are none."""
        self._look()
        return self._revocations

    def judge(self, certificate: bytes) -> None:
        """Return if this certificate (PEM) is not revoked, by lists that are current enough for our settings.

        Raises:
            CertificateRevoked: it is.
            RevocationsStale: a list has ended, and the settings refuse then.
        """
        revocations = self.revocations()
        if revocations is not None:
            revocations.require_good(certificate)
            if self._paths.stale == REFUSE:
                revocations.require_current(self._now())

    def _look(self) -> None:
        states = self._states()
        if states == (self._tls_state, self._crl_state):
            return
        with self._turn:
            if states[0] != self._tls_state:
                self._tls_state = states[0]
                self._renew_tls()
            if states[1] != self._crl_state:
                self._crl_state = states[1]
                self._renew_lists()

    def _renew_tls(self) -> None:
        try:
            self._tls = read_tls(self._paths, self._read_key)
        except BridgeError as error:
            _log.warning("TLS files not taken, the last good ones stay: %s", error)
        else:
            _log.info("TLS files read again")

    def _renew_lists(self) -> None:
        try:
            found = _read_lists(self._paths, self._tls.roots, self._now())
            _require_newer(self._revocations, found, signers_of(self._tls.roots))
        except BridgeError as error:
            _log.error("revocation lists not taken, the last good ones stay: %s", error)
        else:
            self._revocations = found
            _log.info("revocation lists read again")

    def _states(self) -> tuple[_State, _State]:
        paths = self._paths
        tls = tuple(map(_state, (paths.authorities, paths.certificate, paths.key)))
        return tls, (*map(_state, paths.lists), tls[0])


def read_tls(paths: TlsPaths, read_key: Callable[[], bytes]) -> ClientTls:
    """Authorities, certificate and key, each fitting the others.

    Raises:
        KeyUnusable: a file is missing, or its key open to others or another's.
        CertificateMalformed: a certificate cannot be read.
    """
    try:
        roots, certificate = paths.authorities.read_bytes(), paths.certificate.read_bytes()
    except OSError:
        rule = f"a readable file, as is {paths.authorities.name}"
        raise KeyUnusable(key=paths.certificate.name, rule=rule) from None
    key = read_key()
    require_tls(certificate, key, roots)
    return ClientTls(roots, certificate, key)


def _read_lists(paths: TlsPaths, roots: bytes, now: UnixSeconds) -> Revocations | None:
    files = {path.name: _bounded(path) for path in paths.lists}
    return read_revocations(files, roots, now) if files else None


def _bounded(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        raise CertificateMalformed(rule=f"{path.name}: a readable file") from None


def _require_newer(before: Revocations | None, found: Revocations | None, signers: frozenset[Signer]) -> None:
    """A list that is gone, or older than ours, would make what was revoked good again.

    Not of an authority that has left `ca.pem`: nothing of it is believed, and no list of it could be read.
    """
    for signer, old in ({} if before is None else before.lists).items():
        if signer not in signers:
            continue
        new = None if found is None else found.lists.get(signer)
        if new is None or new.issued < old.issued:
            raise CertificateMalformed(rule="no older revocation lists than those in force, and none missing")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
