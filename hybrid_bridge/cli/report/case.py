"""What a report is about: the file, what its maker relied on, the moment, and what `verify` said."""

from dataclasses import dataclass
from functools import cached_property

from hybrid_bridge.cli.report.strangers import tamed
from hybrid_bridge.core.bundle import Bundle, decode_bundle
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BridgeError, Malformed, Refuted
from hybrid_bridge.steps.verify.package import PackageEvidence
from hybrid_bridge.units import Digest, UnixSeconds

VERIFIED, INCOMPLETE, REFUTED, UNDECIDED, MALFORMED = "verified", "incomplete", "refuted", "undecided", "malformed"
OUTCOME_TONES = {VERIFIED: "good", INCOMPLETE: "open", UNDECIDED: "open", REFUTED: "bad", MALFORMED: "bad"}


@dataclass(frozen=True, slots=True)
class Page:
    """The verifier's page: where it is, or the digest of the one that this program brings."""

    url: str  # "" for none
    sha256: str  # hex, of the file in this installation


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that goes into a report. The same case gives the same report."""

    data: bytes
    file_name: str
    trust: Trust
    trust_data: bytes | None  # the trust file as it is
    endpoints: int  # how many were asked; their addresses may hold keys and are not told
    contract: str  # of --contract, as hex; "" for none
    at: UnixSeconds
    judged: Evidence | BridgeError
    page: Page
    program: str  # name and version
    package: PackageEvidence | None = None

    @cached_property
    def digest(self) -> Digest:
        """SHA-256 of the bundle."""
        return sha256(self.data)

    @cached_property
    def bundle(self) -> Bundle | None:
        """The bundle, if its bytes have the shape of one."""
        try:
            return decode_bundle(self.data)
        except Malformed:
            return None

    @cached_property
    def genesis(self) -> Genesis | None:
        """The genesis record, if it can be read."""
        try:
            return None if self.bundle is None else Genesis.decode(self.bundle.genesis.record)
        except Malformed:
            return None

    @cached_property
    def evidence(self) -> Evidence | None:
        """What `verify` returned, with the names of strangers bounded in each sentence; None if it stopped."""
        return tamed(self.judged) if isinstance(self.judged, Evidence) else None

    @property
    def error(self) -> BridgeError | None:
        """What stopped `verify`."""
        return self.judged if isinstance(self.judged, BridgeError) else None

    @property
    def outcome(self) -> str:
        """In one word."""
        if isinstance(self.judged, Evidence):
            return VERIFIED if self.judged.complete else INCOMPLETE
        if isinstance(self.judged, Refuted):
            return REFUTED
        return MALFORMED if isinstance(self.judged, Malformed) else UNDECIDED

    @cached_property
    def report_id(self) -> str:
        """Names the report: it follows from bundle, trust, outcome and moment, and is the same in every language."""
        trust = b"" if self.trust_data is None else self.trust_data
        asked = f"{self.endpoints} {self.contract} {self.outcome}".encode()
        parts = self.digest, sha256(trust), sha256(self.trust.encode()), sha256(asked), self.at.to_bytes(8, "big")
        return f"HB-{sha256(b''.join(parts)).hex()[:16].upper()}"
