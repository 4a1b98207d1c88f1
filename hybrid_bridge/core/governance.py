"""Governance records: who keeps the accounts, who is a member, and what happened that an outsider must know.

They are the leaves of one append-only tree behind the genesis record; every epoch record holds its size and root.
Source: SPEC §7.3.
"""

from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from hybrid_bridge.core.consensus_key import CONSENSUS_KEY, ConsensusKey
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.proof import as_octets, leaf_hash
from hybrid_bridge.core.validators import ENTRY_WIDTH, ValidatorSet
from hybrid_bridge.core.words import WordRecord
from hybrid_bridge.errors import FieldMismatch, RecordMalformed, SetMismatch, WordMalformed
from hybrid_bridge.units import Digest, EpochNumber, KeyId, LogId, SetId, TreeSize, UnixSeconds

SET_UPDATE_TYPE: Final = (
    "HybridBridge.SetUpdate.v1(bytes32 logId,uint64 setId,bytes32 previousSetHash,bytes32 setHash,"
    "uint64 effectiveFromSize,bytes32 decoyKeyHash,bytes32 replaces,bytes32 reasonHash,uint64 n)"
)
MEMBER_UPDATE_TYPE: Final = (
    "HybridBridge.MemberUpdate.v1(bytes32 logId,uint64 action,bytes32 nameHash,bytes32 certificateHash,bytes32 keyId,"
    "uint64 roles,uint64 fromEpoch,bytes32 cardHash,bytes32 replaces,bytes32 reasonHash)"
)
NOTICE_TYPE: Final = (
    "HybridBridge.Notice.v1(bytes32 logId,uint64 noticeType,uint64 source,uint64 time,uint64 until,bytes32 entryLeaf,"
    "bytes32 subjectHash,bytes32 detailHash)"
)
SET_UPDATE: Final = WordRecord(SET_UPDATE_TYPE)
MEMBER_UPDATE: Final = WordRecord(MEMBER_UPDATE_TYPE)
NOTICE: Final = WordRecord(NOTICE_TYPE)

ADD, REMOVE, REPLACE_CERTIFICATE, SUSPEND, REINSTATE = 1, 2, 3, 4, 5  # MemberUpdate.action
MEMBER, NODE, REGULATOR, COURT, AUDITOR = 1, 2, 4, 8, 16  # bits of MemberUpdate.roles
OWN_RECORD, PLATFORM = 1, 2  # Notice.source
NOTICE_NAMES: Final = (
    "brake on",
    "brake off",
    "code or contract upgrade",
    "administrator change",
    "freeze",
    "lift",
    "erasure",
    "redaction observed",
    "trust root change",
    "algorithm change",
    "archive or prune",
    "outage",
    "fork or rollback observed",
    "other power used",
    "policy or rule pack",
    "label table",
    "object reassigned",
    "succeeded by another log",
)  # Notice.notice_type, from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpdate:
    """The next validator set, (10 + 4n)·32 bytes. Takes effect at a size that the old set has still to reach.

    Raises:
        WordMalformed: a word outside its range.
        SetMismatch: set_hash is not that of the entries.
    """

    log_id: LogId
    previous_set_hash: Digest
    set_hash: Digest
    effective_from_size: TreeSize
    decoy_key_hash: Digest
    replaces: Digest = ZERO  # LEAF of the SetUpdate whose set never takes charge, because this one does; or zero
    reason_hash: Digest = ZERO
    validators: ValidatorSet

    def __post_init__(self) -> None:
        SET_UPDATE.require(holds=self.set_id >= 2, name="set_id")
        SET_UPDATE.require(holds=self.effective_from_size >= 3, name="effective_from_size")
        if self.set_hash != self.validators.digest:
            raise SetMismatch(expected=self.set_hash, calculated=self.validators.digest)

    @property
    def set_id(self) -> SetId:
        """The number of the new set."""
        return self.validators.set_id

    @property
    def n(self) -> int:
        """How many validators the new set has."""
        return len(self.validators.entries)

    def encode(self) -> bytes:
        """(10 + 4n)·32 bytes.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        return SET_UPDATE.encode(self) + self.validators.encode_entries()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            RecordMalformed: a length that its own n does not give.
            WordMalformed, SetMismatch: as the class; index 0 for a record of another type.
            FieldMalformed, EntriesMalformed: the entries are no set.
        """
        data = as_octets(data, "set_update")
        if len(data) < SET_UPDATE.width:
            raise RecordMalformed(expected=SET_UPDATE.width, got=len(data))
        words = SET_UPDATE.decode(data[: SET_UPDATE.width])
        n, set_id = words.pop("n"), words.pop("set_id")
        if len(data) != SET_UPDATE.width + n * ENTRY_WIDTH:
            raise RecordMalformed(expected=SET_UPDATE.width + n * ENTRY_WIDTH, got=len(data))
        SET_UPDATE.require(holds=set_id >= 2, name="set_id")
        return cls(**words, validators=ValidatorSet.decode_entries(set_id, data[SET_UPDATE.width :]))


def verify_succession(update: SetUpdate, current: ValidatorSet, epoch: EpochNumber) -> None:
    """Return if `update`, committed in `epoch`, may follow the `current` set (SPEC §8.1).

    Raises:
        FieldMismatch: a set id is skipped, another set is replaced, or no checkpoint of the old set could cover it.
    """
    if update.set_id != current.set_id + 1:
        raise FieldMismatch(field="set_update.set_id", expected=str(current.set_id + 1), got=str(update.set_id))
    if update.previous_set_hash != current.digest:
        raise FieldMismatch(
            field="set_update.previous_set_hash", expected=current.digest.hex(), got=update.previous_set_hash.hex()
        )
    if update.effective_from_size < epoch + 2:
        raise FieldMismatch(
            field="set_update.effective_from_size", expected=f">= {epoch + 2}", got=str(update.effective_from_size)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUpdate:
    """A member comes, goes, has another certificate or card, is suspended or reinstated: 352 bytes.

    Raises:
        WordMalformed: a word outside its range.
    """

    log_id: LogId
    action: int
    name_hash: Digest
    certificate_hash: Digest
    key_id: KeyId
    roles: int
    from_epoch: EpochNumber
    card_hash: Digest = ZERO  # of the card that counts from then on; zero leaves it as it is
    replaces: Digest = ZERO  # LEAF of the record that stood last of this key when it was decided, or zero
    reason_hash: Digest = ZERO

    def __post_init__(self) -> None:
        MEMBER_UPDATE.require(holds=ADD <= self.action <= REINSTATE, name="action")
        MEMBER_UPDATE.require(holds=0 <= self.roles < 2 * AUDITOR, name="roles")

    def encode(self) -> bytes:
        """352 bytes.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        return MEMBER_UPDATE.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            RecordMalformed: not 352 bytes.
            WordMalformed: as the class; index 0 for a record of another type.
        """
        return cls(**MEMBER_UPDATE.decode(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something an outsider must know, derived by every validator from an accepted record: 288 bytes.

    Raises:
        WordMalformed: a word outside its range.
    """

    log_id: LogId
    notice_type: int
    source: int
    time: UnixSeconds  # of the block
    until: UnixSeconds  # or zero
    entry_leaf: Digest
    subject_hash: Digest
    detail_hash: Digest = ZERO

    def __post_init__(self) -> None:
        NOTICE.require(holds=1 <= self.notice_type <= len(NOTICE_NAMES), name="notice_type")
        NOTICE.require(holds=OWN_RECORD <= self.source <= PLATFORM, name="source")

    def encode(self) -> bytes:
        """288 bytes.

        Raises:
            WordMalformed: an attribute does not fit its word.
        """
        return NOTICE.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            RecordMalformed: not 288 bytes.
            WordMalformed: as the class; index 0 for a record of another type.
        """
        return cls(**NOTICE.decode(data))


GovernanceRecord: TypeAlias = SetUpdate | MemberUpdate | Notice | ConsensusKey
_KINDS: Final[dict[bytes, type[GovernanceRecord]]] = {
    SET_UPDATE.hash: SetUpdate,
    MEMBER_UPDATE.hash: MemberUpdate,
    NOTICE.hash: Notice,
    CONSENSUS_KEY.hash: ConsensusKey,
}


def decode_governance(data: bytes) -> GovernanceRecord:
    """Any record behind the genesis record, told apart by word 0.

    Raises:
        WordMalformed: index 0 for a record of no such type; else as that type.
        RecordMalformed, FieldMalformed, EntriesMalformed, SetMismatch: as that type.
    """
    data = as_octets(data, "governance")
    kind = _KINDS.get(data[:32])
    if kind is None:
        raise WordMalformed(index=0)
    return kind.decode(data)


def governance_leaf(data: bytes) -> Digest:
    """LEAF(record): the leaf hash in the governance tree.

    Raises:
        Malformed, SetMismatch: as `decode_governance`.
    """
    decode_governance(data)
    return leaf_hash(data)
