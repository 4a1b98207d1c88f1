"""How long a member's certificates and revocation lists last, and whom the lists name: told before it is too late.

Looked at once at each start, every minute by a running node (metrics, one line in the log a day), and by `node check`.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from hybrid_bridge.adapters.crl import Revocations, pem_of
from hybrid_bridge.adapters.pki import valid_until
from hybrid_bridge.custody.tls_files import TlsFiles
from hybrid_bridge.errors import CertificateRevoked
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.metrics import Metrics
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.ports import Clock
from hybrid_bridge.units import UnixSeconds

DAY: Final = 86_400
SOON: Final = 30 * DAY  # seconds before a certificate ends in which it is time for another
PERIOD: Final = 60.0  # seconds between two looks

State = Literal["good", "soon", "ended", "revoked"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ends."""

    what: str
    state: State
    ends: UnixSeconds


def findings(files: TlsFiles, directory: Directory, name: str, now: UnixSeconds) -> Iterator[Finding]:
    """Own certificates, the authorities, every list, and members whose identity certificate a list names."""
    tls, revocations = files.current(), files.revocations()
    own = directory.member(name).certificate
    for what, certificate in (
        ("tls.pem", tls.certificate),
        ("ca.pem", tls.roots),
        ("identity certificate", pem_of(own)),
    ):
        yield Finding(what, _state(certificate, revocations, now), valid_until(certificate))
    if revocations is None:
        return
    for found in revocations.lists.values():
        state: State = "ended" if now > found.next_update else "good"
        yield Finding(f"revocation list of {len(found.serials)}", state, found.next_update)
    for member in directory.members:
        if member.name != name and _is_revoked(pem_of(member.certificate), revocations):
            yield Finding(f"identity certificate of {member.name}", "revoked", valid_until(member.certificate))


def _state(certificate: bytes, revocations: Revocations | None, now: UnixSeconds) -> State:
    end = valid_until(certificate)
    if _is_revoked(certificate, revocations):
        return "revoked"
    return "ended" if now > end else "soon" if now + SOON > end else "good"


def _is_revoked(certificate: bytes, revocations: Revocations | None) -> bool:
    try:
        if revocations is not None:
            revocations.require_good(certificate)
    except CertificateRevoked:
        return True
    return False


class Expiry:
    """The loop of a running node."""

    def __init__(self, files: TlsFiles, directory: Directory, name: str, metrics: Metrics) -> None:
        self._files, self._directory, self._name, self._metrics = files, directory, name, metrics
        self._told = UnixSeconds(0)

    def run(self, progress: Progress, clock: Clock) -> None:
        """Look until stopped."""
        while not progress.stopping:
            self.look(clock.now())
            progress.wait(lambda: False, PERIOD)

    def look(self, now: UnixSeconds) -> None:
        """Set the gauges; a line for each that is not good, once a day."""
        found = list(findings(self._files, self._directory, self._name, now))
        lists = [one.ends for one in found if one.what.startswith("revocation list")]
        self._metrics.expiry(found[0].ends - now, min(lists) - now if lists else None)
        if now >= self._told + DAY:
            bad = [one for one in found if one.state != "good"]
            for one in bad:
                _log.warning("%s: %s, ends at %d", one.what, one.state, one.ends)
            self._told = now if bad else self._told
