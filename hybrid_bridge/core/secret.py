"""What validators derive alike and nobody else can guess: decoys, dummies, blinds, openings, salts.

One secret for each validator set, sealed to its members and committed by decoyKeyHash. Epoch e uses the secret of the
set responsible for size e + 1. Opening it later shows an auditor that decoys are decoys. Source: SPEC §10.
"""

import hmac
from dataclasses import dataclass, field

from hybrid_bridge.core.encoding import Writer, context, require_digest, sha256
from hybrid_bridge.core.entry import DecoyEntry
from hybrid_bridge.units import Commitment, Digest, EpochNumber, RecordType, RegistryIndex


def decoy_key_hash(k_set: bytes) -> Digest:
    """The commitment to K_set in genesis record and set updates: H(CTX("decoy-key") ‖ K_set).

    Raises:
        DigestLength: not 32 bytes.
    """
    return sha256(context("decoy-key") + require_digest(k_set, "k_set"))


@dataclass(frozen=True, slots=True)
class Stats:
    """What an epoch held, opened to regulators and auditors only (SPEC §7.2)."""

    records: int
    refusals: int
    labels: int
    submitters: int  # distinct

    def encode(self) -> bytes:
        """32 bytes."""
        writer = Writer().u64(self.records, "records").u64(self.refusals, "refusals")
        return writer.u64(self.labels, "labels").u64(self.submitters, "submitters").bytes()


@dataclass(frozen=True, slots=True)
class Secret:
    """K_set at work. Every output is 32 bytes and depends on the log's origin, never on its id.

    Raises:
        DigestLength: key or origin hash has not 32 bytes.
    """

    k_set: bytes = field(repr=False)
    origin_hash: Digest

    def __post_init__(self) -> None:
        require_digest(self.k_set, "k_set")
        require_digest(self.origin_hash, "origin_hash")

    def prf(self, name: str, data: bytes) -> Digest:
        """PRF(name, data) = HMAC-SHA256(K_set, CTX(name) ‖ originHash ‖ data)."""
        return Digest(hmac.digest(self.k_set, context(name) + self.origin_hash + data, "sha256"))

    def blind(self, epoch: EpochNumber) -> Digest:
        """Hides an epoch record whose other words can be guessed."""
        return self.prf("blind", _numbered(epoch))

    def stats(self, epoch: EpochNumber, counts: Stats) -> Digest:
        """The commitment to an epoch's counts: HMAC(PRF("stats", e), counts)."""
        return Digest(hmac.digest(self.stats_key(epoch), counts.encode(), "sha256"))

    def stats_key(self, epoch: EpochNumber) -> Digest:
        """What opens the stats commitment of one epoch, and of no other."""
        return self.prf("stats", _numbered(epoch))

    def decoy_entry(self, epoch: EpochNumber, i: int) -> bytes:
        """The i-th decoy of a batch, 37 bytes (SPEC §6)."""
        return DecoyEntry(self.prf("decoy-entry", _numbered(epoch, i))).encode()

    def dummy(self, epoch: EpochNumber, i: int) -> tuple[RegistryIndex, Commitment]:
        """The i-th dummy of an epoch's registry insertions (SPEC §9.5)."""
        numbered = _numbered(epoch, i)
        return RegistryIndex(self.prf("dummy-index", numbered)), Commitment(self.prf("dummy-value", numbered))

    def life_opening(self, epoch: EpochNumber, label: bytes, version: int) -> Digest:
        """The opening of a life label's commitment; `label` is encoded (SPEC §9.3)."""
        writer = Writer(_numbered(epoch)).opaque(label, 2, "label")
        return self.prf("life-opening", writer.u32(version, "version").bytes())

    def derived_salt(self, record: "DerivedRecord", name: str) -> Digest:
        """The salt of one field of a derived record."""
        return self.prf("derived-salt", Writer(record.encode()).opaque(name.encode("utf-8"), 1, "name").bytes())

    def derived_decoy(self, record: "DerivedRecord", i: int) -> Digest:
        """The i-th field decoy of a derived record."""
        return self.prf("derived-decoy", Writer(record.encode()).u32(i, "i").bytes())


@dataclass(frozen=True, slots=True)
class DerivedRecord:
    """Which record that every validator makes alike: its epoch, type and key (object id, period or locator)."""

    epoch: EpochNumber
    record_type: RecordType
    key: str

    def encode(self) -> bytes:
        """D = u64 e ‖ u16 type ‖ u16 len ‖ key."""
        writer = Writer().u64(self.epoch, "epoch").u16(self.record_type, "record_type")
        return writer.opaque(self.key.encode("utf-8"), 2, "key").bytes()


def _numbered(epoch: EpochNumber, i: int | None = None) -> bytes:
    writer = Writer().u64(epoch, "epoch")
    return (writer if i is None else writer.u32(i, "i")).bytes()
