"""An epoch record stands in the log, as text that tools of transparency logs read: C2SP `tlog-proof@v1`.

The leaf is the epoch record; it travels as the proof's extra data, so that the file is complete. Whoever verifies it
relies on the log key alone: the validators' lines are carried along, but the format does not say who is a validator.
Source: SPEC §14; C2SP tlog-proof.
"""

import re
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.bundle import Bundle, EpochPart
from hybrid_bridge.core.checkpoint import Note, for_other_readers, parse_note, verify_log_line
from hybrid_bridge.core.encoding import require_digest, sha256
from hybrid_bridge.core.epoch import EpochRecord, verify_epoch
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.note import MAX_NOTE, parse_b64, to_b64
from hybrid_bridge.core.proof import MAX_INCLUSION_PATH, as_octets, leaf_hash, verify_inclusion
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, NotCanonical, TooLong, Unknown
from hybrid_bridge.units import MAX_U64, Digest, EpochNumber, LeafIndex

HEADER: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
MAX_HEAD: Final = 4096  # characters before the note: a record, an index, 53 hashes
MAX_TLOG_PROOF: Final = MAX_HEAD + MAX_NOTE

_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """One epoch record under a checkpoint. `verify` says whether it stands there."""

    record: bytes
    index: LeafIndex
    path: tuple[Digest, ...]
    note: str

    def encode(self) -> bytes:
        """The file.

        Raises:
            Malformed: what `parse_tlog_proof` would refuse.
        """
        head = [HEADER, f"extra {to_b64(self.record)}", f"index {self.index}", *map(to_b64, self.path)]
        data = "".join(f"{line}\n" for line in [*head, ""]).encode("ascii") + self.note.encode("utf-8")
        if parse_tlog_proof(data) != self:
            raise NotCanonical(field="tlog-proof")
        return data

    @property
    def checkpoint(self) -> Note:
        """The note, decoded."""
        return parse_note(self.note)

    @property
    def epoch(self) -> EpochRecord:
        """The record, decoded."""
        return EpochRecord.decode(self.record)


def parse_tlog_proof(data: bytes) -> TlogProof:
    """The inverse of `TlogProof.encode`.

    Raises:
        Malformed: another format, too long, not the one text of this proof, or a record or note that is none of ours.
    """
    data = as_octets(data, "tlog-proof")
    if len(data) > MAX_TLOG_PROOF:
        raise TooLong(field="tlog-proof", limit=MAX_TLOG_PROOF, got=len(data))
    head, separator, note = data.partition(b"\n\n")
    if not separator or len(head) > MAX_HEAD or not head.isascii():
        raise FieldMalformed(field="tlog-proof", rule="lines of ASCII, an empty line, a checkpoint")
    lines = head.decode("ascii").split("\n")
    if len(lines) < 3 or lines[0] != HEADER or not lines[1].startswith("extra "):
        raise FieldMalformed(field="tlog-proof", rule=f"{HEADER}, then extra, then index")
    index = _INDEX.fullmatch(lines[2])
    if index is None or int(index[1]) > MAX_U64:
        raise FieldMalformed(field="tlog-proof.index", rule="decimal, without leading zero, at most 2^53-1")
    if len(lines) - 3 > MAX_INCLUSION_PATH:
        raise TooLong(field="tlog-proof.path", limit=MAX_INCLUSION_PATH, got=len(lines) - 3)
    record = parse_b64(lines[1].removeprefix("extra "), "tlog-proof.extra")
    EpochRecord.decode(record)
    return TlogProof(
        record=record,
        index=LeafIndex(int(index[1])),
        path=tuple(require_digest(parse_b64(line, "tlog-proof.path"), "tlog-proof.path") for line in lines[3:]),
        note=parse_note(note).text(),
    )


def verify_tlog_proof(proof: TlogProof, genesis: Genesis) -> EpochRecord:
    """The epoch record, if it stands in the log of this genesis record under a checkpoint that the log key signed.

    NOT CHECKED HERE: that validators signed. That is a bundle's to show.

    Raises:
        Malformed: the path's length.
        FieldMismatch: another log's record or note; an epoch that is not its index.
        RootMismatch: the record does not stand there.
        SignatureWrong: the log key's line does not verify.
        Missing: there is no line of the log key.
    """
    note, record = proof.checkpoint, proof.epoch
    if sha256(note.origin.encode("ascii")) != genesis.origin_hash:
        raise FieldMismatch(field="note.origin", expected=genesis.origin_hash.hex(), got=note.origin)
    verify_epoch(genesis, proof.index, record)
    verify_inclusion(leaf_hash(proof.record), proof.index, note.size, proof.path, note.root)
    verify_log_line(note, genesis.log_key)
    return record


def tlog_proof_of(bundle: Bundle, epoch: EpochNumber) -> TlogProof:
    """What a bundle says of one epoch, under its first checkpoint. Nothing is verified here.

    Raises:
        Unknown: the bundle does not show that epoch.
    """
    part = epoch_part(bundle, epoch)
    return TlogProof(
        record=part.record,
        index=LeafIndex(epoch),
        path=tuple(map(Digest, part.path)),
        note=for_other_readers(bundle.checkpoints[0].note),
    )


def epoch_part(bundle: Bundle, epoch: EpochNumber) -> EpochPart:
    """What a bundle shows of an epoch.

    Raises:
        Unknown: nothing.
    """
    for part in bundle.epochs:
        if EpochRecord.decode(part.record).epoch == epoch:
            return part
    raise Unknown(what=f"epoch {epoch} in this bundle")
