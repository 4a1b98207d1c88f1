"""The file an outsider holds: one strict shape, read and written here, believed nowhere.

Nothing in a bundle is a trust input: no key, address, endpoint or link in it is believed or opened because it is there.
This module gives bytes their shape; whether they are true is `steps.verify`'s to say. Source: SPEC §11.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, TypeAlias

from hybrid_bridge.core.anchor import EvmAnchor
from hybrid_bridge.core.encoding import Json, canonical_json, parse_canonical_json
from hybrid_bridge.core.shape import Codec, array, literal, nullable, octets, record, tagged, text, uint
from hybrid_bridge.errors import FieldMalformed

MEDIA_TYPE: Final = "application/vnd.hybrid-bridge.proof+json"
SUFFIX: Final = ".hb.json"
FORMAT: Final = "hybrid-bridge/bundle/v1"
MAX_BUNDLE: Final = 1 << 20  # bytes; a court's reader must be able to bound it
MAX_NOTE: Final = 1 << 18  # SPEC §8.3
MAX_PATH: Final = 54  # a consistency path between sizes up to 2^53-1
MAX_REGISTRY_PATH: Final = 256  # bits of an index

Path: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorPart:
    """One validator as the bundle shows it; `name` is the JCS text behind its nameHash."""

    address: bytes
    name: str
    certificate_hash: bytes
    key_binding: bytes
    mldsa_key: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisPart:
    """The genesis record with its path at index 0 of the first checkpoint, and the first set in address order."""

    origin: str
    record: bytes
    path: Path
    validators: tuple[ValidatorPart, ...]
    mldsa_key: bytes | None = None  # of the log, behind logMldsaKeyHash


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRecord:
    """An epoch record and its path in a checkpoint's tree; its index is its epoch."""

    record: bytes
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPart:
    """One change of the validator set: the record, the epoch that covers it, the old set's note over that epoch."""

    update: bytes
    index: int
    path: Path
    epoch: ProvenRecord
    note: str
    consistency: Path
    validators: tuple[ValidatorPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPart:
    """A note, the consistency path from the one before it (empty for the first), perhaps the receipt key's word."""

    note: str
    consistency: Path
    receipt: bytes | None = None  # over the root, for COSE receipts (SPEC §14)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePart:
    """One opened field: the disclosure string, its leaf index and path in the field tree."""

    value: str
    index: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPart:
    """One entry of an epoch's batch, what is opened of it, perhaps its signed transaction and its submitter's JWT."""

    entry: bytes
    index: int
    path: Path
    disclosures: tuple[DisclosurePart, ...]
    transaction: bytes | None = None
    issuer_jwt: str | None = None  # over all field digests, for SD-JWT presentations (SPEC §14)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourPart:
    """A leaf beside an absent one."""

    leaf: bytes
    index: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsencePart:
    """A leaf that the sorted batch does not hold, between its neighbours."""

    leaf: bytes
    left: NeighbourPart | None = None
    right: NeighbourPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPart:
    """The pair a registry path ends in; null stands for a hole."""

    index: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPart:
    """A registry index, present or absent, and perhaps whose label it is and what it opens to."""

    index: bytes
    terminal: TerminalPart | None
    path: Path
    label: bytes | None = None
    version: int | None = None
    proof: bytes | None = None
    value: str | None = None
    opening: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochPart:
    """An epoch record with its path in the first checkpoint, and what is shown of its batch and registry."""

    record: bytes
    path: Path
    entries: tuple[EntryPart, ...] = ()
    absences: tuple[AbsencePart, ...] = ()
    labels: tuple[LabelPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernanceRecordPart:
    """One governance record and its path in the governance tree of the later epoch."""

    index: int
    record: bytes
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernancePart:
    """All governance records between two epochs, each once."""

    from_epoch: int
    to_epoch: int
    consistency: Path
    records: tuple[GovernanceRecordPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvidence:
    """Consensus evidence of the private chain, for the adapter named by `type`."""

    type: str
    epoch: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnchor:
    """An RFC 3161 token over the note body of one checkpoint."""

    type: ClassVar[str] = "rfc3161"
    tree_size: int
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAnchor:
    """A cosignature line of this name stands in the note."""

    type: ClassVar[str] = "witness"
    tree_size: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampsAnchor:
    """An OpenTimestamps file over H(note body); kept, additive."""

    type: ClassVar[str] = "ots"
    tree_size: int
    proof: bytes


AnchorPart: TypeAlias = EvmAnchor | TokenAnchor | WitnessAnchor | TimestampsAnchor


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicBlockPart:
    """A public block's header as RLP, for a beacon's time."""

    chain_id: int
    header: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactPart:
    """A document outside the bundle; `field` names the disclosed field that holds its SHA-256."""

    name: str
    media_type: str
    size: int
    sha256: bytes
    field: str
    sha512: bytes | None = None
    sm3: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalPart:
    """A token over this bundle with the renewals before it (SPEC §14)."""

    hash: str
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything a verifier needs but his trust. Sizes and counts are bounded by the codec below."""

    purpose: str
    genesis: GenesisPart
    checkpoints: tuple[CheckpointPart, ...]
    epochs: tuple[EpochPart, ...]
    rotations: tuple[RotationPart, ...] = ()
    governance: GovernancePart | None = None
    promise: bytes | None = None
    source_evidence: tuple[SourceEvidence, ...] = ()
    certificates: tuple[bytes, ...] = ()
    anchors: tuple[AnchorPart, ...] = ()
    public_blocks: tuple[PublicBlockPart, ...] = ()
    artefacts: tuple[ArtefactPart, ...] = ()
    provenance: str | None = None
    renewals: tuple[RenewalPart, ...] = ()
    critical: tuple[str, ...] = ()
    extensions: dict[str, Json] = field(default_factory=dict)
    format: str = FORMAT

    def encode(self) -> bytes:
        """The one JCS encoding of this bundle, without a final newline.

        Raises:
            Malformed: a part does not fit its shape or the whole exceeds 1 MiB.
        """
        data = canonical_json(_BUNDLE.write(self))
        decode_bundle(data)  # what we write must be what we read: a bundle is kept for decades
        return data

    def covered(self, renewals: int) -> bytes:
        """The JCS bytes of this bundle with its renewals cut to the first so many: what the next one stamps."""
        shown = replace(self, renewals=self.renewals[:renewals])
        return canonical_json(_BUNDLE.write(shown))


def decode_bundle(data: bytes) -> Bundle:
    """Parse a bundle: steps 1 and 2 of SPEC §12, except that an unknown critical extension is the verifier's to judge.

    Raises:
        Malformed: too long, not canonical JSON, or not the shape of SPEC §11.
    """
    bundle = _BUNDLE.parse(parse_canonical_json(data, "bundle", MAX_BUNDLE), "bundle")
    if list(bundle.critical) != sorted(set(bundle.critical)) or not set(bundle.critical) <= bundle.extensions.keys():
        raise FieldMalformed(field="bundle.critical", rule="sorted, unique, each a key of extensions")
    return bundle


def _json_object(limit: int) -> Codec[dict[str, Json]]:
    def parse(value: Json, name: str) -> dict[str, Json]:
        if not isinstance(value, dict) or len(value) > limit:
            raise FieldMalformed(field=name, rule=f"an object of at most {limit} members")
        return value

    return Codec(parse, dict)


def _at_least_one(codec: Codec[tuple[CheckpointPart, ...]]) -> Codec[tuple[CheckpointPart, ...]]:
    def parse(value: Json, name: str) -> tuple[CheckpointPart, ...]:
        parts = codec.parse(value, name)
        if not parts:
            raise FieldMalformed(field=name, rule="at least one")
        return parts

    return Codec(parse, codec.write)


_B32 = octets(32)
_PATH: Codec[Path] = array(_B32, MAX_PATH)
_REGISTRY_PATH: Codec[Path] = array(_B32, MAX_REGISTRY_PATH)
_U = uint()
_NOTE = text(MAX_NOTE)
_VALIDATORS = array(
    record(
        ValidatorPart,
        {"address": octets(20), "name": text(1024), "certificate_hash": _B32, "key_binding": octets(183)},
        {"mldsa_key": octets(1312)},
    ),
    64,
)
_PROVEN = record(ProvenRecord, {"record": octets(640), "path": _PATH})
_NEIGHBOUR = record(NeighbourPart, {"leaf": _B32, "index": _U, "path": _PATH})
_LABEL = record(
    LabelPart,
    {
        "index": _B32,
        "terminal": nullable(record(TerminalPart, {"index": _B32, "commitment": _B32})),
        "path": _REGISTRY_PATH,
    },
    {
        "label": octets(None, 4096),
        "version": uint(2**32 - 1),
        "proof": octets(80),
        "value": text(8192),
        "opening": _B32,
    },
)
_ENTRY = record(
    EntryPart,
    {
        "entry": octets(37),
        "index": _U,
        "path": _PATH,
        "disclosures": array(record(DisclosurePart, {"value": text(8192), "index": _U, "path": _PATH}), 256),
    },
    {"transaction": octets(None, 1 << 17), "issuer_jwt": text(1 << 17)},
)
_EPOCH = record(
    EpochPart,
    {
        "record": octets(640),
        "path": _PATH,
        "entries": array(_ENTRY, 64),
        "absences": array(record(AbsencePart, {"leaf": _B32}, {"left": _NEIGHBOUR, "right": _NEIGHBOUR}), 64),
        "labels": array(_LABEL, 256),
    },
)
_ANCHOR = tagged(
    {
        "evm": record(
            EvmAnchor,
            {
                "tree_size": _U,
                "chain_id": _U,
                "contract": octets(20),
                "header": octets(None, 4096),
                "tx_index": _U,
                "receipt": octets(None, 1 << 17),
                "proof": array(octets(None, 4096), 64),
                "log_index": _U,
                "descendants": array(octets(None, 4096), 256),
            },
        ),
        "rfc3161": record(TokenAnchor, {"tree_size": _U, "token": octets(None, 1 << 16)}),
        "witness": record(WitnessAnchor, {"tree_size": _U, "name": text(256)}),
        "ots": record(TimestampsAnchor, {"tree_size": _U, "proof": octets(None, 1 << 16)}),
    }
)
_CHECKPOINT = record(CheckpointPart, {"note": _NOTE, "consistency": _PATH}, {"receipt": octets(64)})
_ROTATION = record(
    RotationPart,
    {
        "update": octets(None, (10 + 4 * 64) * 32),
        "index": _U,
        "path": _PATH,
        "epoch": _PROVEN,
        "note": _NOTE,
        "consistency": _PATH,
        "validators": _VALIDATORS,
    },
)
_GOVERNANCE = record(
    GovernancePart,
    {
        "from_epoch": _U,
        "to_epoch": _U,
        "consistency": _PATH,
        "records": array(record(GovernanceRecordPart, {"index": _U, "record": octets(None, 8512), "path": _PATH}), 256),
    },
)
_BUNDLE: Codec[Bundle] = record(
    Bundle,
    {
        "format": literal(FORMAT),
        "purpose": literal("record", "registry", "omission", "governance", "checkpoint"),
        "critical": array(text(64), 64),
        "extensions": _json_object(64),
        "genesis": record(
            GenesisPart,
            {"origin": text(200), "record": octets(832), "path": _PATH, "validators": _VALIDATORS},
            {"mldsa_key": octets(1312)},
        ),
        "rotations": array(_ROTATION, 64),
        "checkpoints": _at_least_one(array(_CHECKPOINT, 16)),
        "epochs": array(_EPOCH, 64),
        "source_evidence": array(
            record(SourceEvidence, {"type": text(64), "epoch": _U, "data": octets(None, MAX_BUNDLE)}), 64
        ),
        "certificates": array(octets(None, 1 << 14), 64),
        "anchors": array(_ANCHOR, 16),
        "public_blocks": array(record(PublicBlockPart, {"chain_id": _U, "header": octets(None, 4096)}), 64),
        "artefacts": array(
            record(
                ArtefactPart,
                {"name": text(255), "media_type": text(127), "size": _U, "sha256": _B32, "field": text(64)},
                {"sha512": octets(64), "sm3": _B32},
            ),
            256,
        ),
        "renewals": array(
            record(
                RenewalPart,
                {"hash": literal("sha-256", "sha-512", "sha3-256", "sha3-512"), "token": octets(None, 1 << 16)},
            ),
            64,
        ),
    },
    {"governance": _GOVERNANCE, "promise": octets(219), "provenance": text(1 << 16)},
)
