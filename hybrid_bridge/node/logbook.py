"""The log as this member holds it: leaves, roots and paths from memory, and who signed which checkpoint.

The leaves are read from the store of epochs at each start; the registry stays in its own store. Any member that closed
an epoch can serve the quorum note once enough validators' signatures have arrived.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Final

from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch, SizedSignature, SqlEpochs
from hybrid_bridge.adapters.sqlite.witness import Evidence
from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.checkpoint import (
    Note,
    format_note,
    log_line,
    quorum_line,
    quorum_name,
    verify_log_line,
)
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.note import TYPE_ED25519, TYPE_MLDSA, NoteLine, VerifierKey, cosign, key_id, verify_line
from hybrid_bridge.core.prefix_tree import Pair, PrefixTree
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMalformed, NotYet, SignatureWrong
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.ports import RegistryStore
from hybrid_bridge.steps.attest import checkpoint_of
from hybrid_bridge.units import (
    Address,
    Commitment,
    Digest,
    EpochNumber,
    LeafIndex,
    RegistryIndex,
    TreeSize,
)

PAIR_BYTES: Final = 64
NONE: Final = TreeSize(0)
ED25519_BYTES: Final = 64
MAX_OTHERS: Final = 6  # lines of witnesses and members under a note: a bundle has 16 anchors for two, and for chains

_log = logging.getLogger(__name__)


class LogBook:
    """Leaf 0 is the genesis record; leaf e is epoch e."""

    def __init__(
        self, epochs: SqlEpochs, registry: RegistryStore, directory: Directory, progress: Progress, brake: Brake
    ) -> None:
        self._epochs, self._registry, self._directory = epochs, registry, directory
        self._progress, self._brake = progress, brake
        self._turn = threading.RLock()
        self._told: dict[str, TreeSize] = {}
        self._tree = Tree()
        self._tree.extend(leaf_hash(record) for record in epochs.all_records())
        progress.raised("size", self._tree.size)
        self._find_newest()

    # ── growing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def append(self, closed: ClosedEpoch, registry: PrefixTree) -> None:
        """Commit a closed epoch as the next leaf."""
        self._registry.keep(closed.number, registry)  # Durable, and said nowhere. Dead here? Closed again, kept again.
        self._epochs.add(closed)  # Durable: this epoch is closed like this. Dead here? Read again at the next start.
        with self._turn:
            self._tree.append(leaf_hash(closed.record))
        self._progress.raised("size", self._tree.size)
        _log.info("epoch %d closed, root %s", closed.number, self.root(self._tree.size).hex())

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def size(self) -> TreeSize:
        """Leaves."""
        return self._tree.size

    def validators(self, size: TreeSize) -> ValidatorSet:
        """The set responsible for this size: the blocks behind a closed epoch have named it."""
        return self._directory.responsible(size)

    def sizes_of(self, address: Address, after: TreeSize) -> Iterator[TreeSize]:
        """The closed sizes above `after` that this key is to attest, ascending."""
        return self._directory.roll.sizes_of(address, after, self.size)

    def newest_attested(self, address: Address) -> TreeSize:
        """The newest size that we hold a signature of this key for; zero for none."""
        return self._epochs.newest_attested(address)

    @property
    def newest(self) -> EpochRecord | None:
        """The newest epoch record; None before the first."""
        with self._turn:
            number = EpochNumber(self._tree.size - 1)
        return self.record(number) if number else None

    def record(self, epoch: EpochNumber) -> EpochRecord:
        """One epoch record.

        Raises:
            NotYet: not closed here.
        """
        return EpochRecord.decode(self.closed(epoch).record)

    def closed(self, epoch: EpochNumber) -> ClosedEpoch:
        """One closed epoch with its batch.

        Raises:
            NotYet: not closed here.
        """
        found = self._epochs.epochs(epoch, epoch)
        if not found:
            raise NotYet(what=f"epoch {epoch}")
        return found[0]

    def root(self, size: TreeSize | None = None) -> Digest:
        """Root of the first `size` leaves.

        Raises:
            NotYet: fewer are closed here.
        """
        with self._turn:
            return self._tree.root(self._require(self._tree.size if size is None else size))

    def inclusion_path(self, index: LeafIndex, size: TreeSize) -> list[Digest]:
        """RFC 6962 inclusion path of a leaf."""
        with self._turn:
            return self._tree.inclusion_path(index, self._require(size))

    def consistency_path(self, old_size: TreeSize, new_size: TreeSize) -> list[Digest]:
        """RFC 6962 consistency path."""
        with self._turn:
            return self._tree.consistency_path(old_size, self._require(new_size))

    def registry(self, epoch: EpochNumber) -> PrefixTree:
        """The registry after `epoch`.

        Raises:
            NotYet: not closed here.
        """
        with self._turn:
            self._require(TreeSize(epoch + 1))  # the store may hold one epoch more, of a close that was cut short
        return self._registry.at(epoch)

    def checkpoint(self, size: TreeSize) -> Checkpoint:
        """The checkpoint of this size as we computed it."""
        return checkpoint_of(self._directory.genesis, self.validators(size), self, size)

    def leaf(self, index: LeafIndex) -> Digest:
        """A leaf hash of the log."""
        with self._turn:
            return self._tree.leaf(index)

    # ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────

    def take_attestation(self, address: Address, signed: SizedSignature) -> None:
        """Keep a validator's signature over our checkpoint; one over another root is evidence.

        Raises:
            SignatureWrong: not made by this key.
            SignerUnknown: not the key of a validator of the set responsible for this size.
            NotYet: we have not closed this size.
        """
        ours = self.root(signed.size)
        self.validators(signed.size).index_of(address)
        theirs = self._directory.checkpoint(signed.size, signed.root)
        if recover_address(theirs.digest(), signed.signature) != address:
            raise SignatureWrong(signer=f"0x{address.hex()}")
        if signed.root != ours:
            second = signed.root + signed.signature
            self._brake.keep(Evidence(kind="checkpoint", signer=address, number=signed.size, first=ours, second=second))
            return
        self._epochs.attest(address, signed)
        if self.has_quorum(signed.size):
            self._progress.raised("quorum", signed.size)

    def sign_lines(self, key: PrivateKey, mldsa: MldsaKey | None = None) -> None:
        """Sign every note that the log's keys have not signed; each epoch is durable, so a size has one note.

        The post-quantum line has time zero: the log says that the tree is consistent, not when it was its largest.
        None is signed of a ledger that is not proven. Where an engine orders others hold these keys too, and whoever
        has halted may have lost its way: then only what a quorum has signed, so that no two roots get a line.
        """
        if self._brake.awaited:
            return
        origin, end = self._directory.origin, self.size
        if self._directory.engine is not None or self._brake.reason:
            end = min(end, self._progress.quorum)  # over our own root; the smaller ones are in it
        for number in range(max(self._epochs.newest_line(), 1) + 1, end + 1):
            size = TreeSize(number)
            body = self._body(size)
            second = b"" if mldsa is None else cosign(origin, mldsa, 0, body).signature
            self._epochs.add_line(size, log_line(origin, key, body).signature + second)
            self._progress.raised("line", size)

    @property
    def tellers(self) -> dict[str, TreeSize]:
        """Who has told us lines of the log's keys since our start, each with the newest size (ADR 61)."""
        with self._turn:
            return dict(self._told)

    def take_line(self, size: TreeSize, signature: bytes, teller: str = "") -> None:
        """Keep the log's signatures over our note: Ed25519, and ML-DSA-44 if the log has such a key.

        Of a size that several members have signed the first line stays.

        Raises:
            FieldMalformed: one is wanting, or too many.
            SignatureWrong: not over ours.
        """
        lines, mldsa = self._log_lines(signature), self._directory.log_mldsa_key
        if len(lines) != (1 if mldsa is None else 2):
            raise FieldMalformed(field="log_lines", rule="a signature by each key of the log")
        note = Note(self._directory.origin, size, self.root(size), tuple(lines))
        verify_log_line(note, self._directory.log_key)
        if mldsa is not None:
            verify_line(VerifierKey(note.origin, TYPE_MLDSA, mldsa), lines[1], note.body())
        self._epochs.add_line(size, signature)
        if teller:
            with self._turn:
                self._told[teller] = max(size, self._told.get(teller, NONE))
        self._progress.raised("line", size)

    def cosign(self, size: TreeSize, line: NoteLine) -> None:
        """Keep a verified line that counts for no quorum."""
        self._epochs.cosign(size, line)

    def has_quorum(self, size: TreeSize) -> bool:
        """Whether enough of the responsible validators have attested our checkpoint of this size."""
        return len(self._epochs.signatures(size, self.root(size))) >= self.validators(size).quorum

    def checkpoint_note(self, size: TreeSize) -> Note:
        """The note of our own checkpoint, without a line."""
        return Note(self._directory.origin, size, self.root(size))

    def note(self, size: TreeSize, *, cosigned: bool = True) -> str:
        """The note of a checkpoint with a quorum: the log's lines if they are here, the validators', then `cosigned`.

        Raises:
            NotYet: no quorum here.
        """
        checkpoint = self.checkpoint(size)
        signatures = self._epochs.signatures(size, checkpoint.root)
        if len(signatures) < self.validators(size).quorum:
            raise NotYet(what=f"a quorum for size {size}")
        lines = [
            quorum_line(self._directory.origin, address, checkpoint.timestamp, checkpoint.set_id, signature)
            for address, signature in sorted(signatures.items())
        ]
        line = self._epochs.line(size)
        first = [] if line is None else self._log_lines(line)
        names = {line.name for line in lines}
        further = self._epochs.cosignatures(size)
        second = [line for line in further if line.name in names]  # ML-DSA-44 of validators that attested
        shown = [*first, *lines, *second, *(self._others(size, further) if cosigned else ())]
        return format_note(self._directory.origin, size, checkpoint.root, shown)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _others(self, size: TreeSize, lines: Iterable[NoteLine]) -> list[NoteLine]:
        """Lines of witnesses, then of members, as many as one note holds beside its validators'."""
        origin, addresses = self._directory.origin, self.validators(size).addresses
        validators = {quorum_name(origin, address) for address in addresses}
        others = [line for line in lines if line.name not in validators]
        return sorted(others, key=lambda line: line.name.startswith(f"{origin}/m/"))[:MAX_OTHERS]

    def _require(self, size: TreeSize) -> TreeSize:
        if size > self._tree.size:
            raise NotYet(what=f"size {size}")
        return size

    def _body(self, size: TreeSize) -> bytes:
        return self.checkpoint_note(size).body()

    def _log_lines(self, signatures: bytes) -> list[NoteLine]:
        """The log's lines from what is stored: 64 bytes by Ed25519, then perhaps time and signature by ML-DSA-44."""
        origin, mldsa = self._directory.origin, self._directory.log_mldsa_key
        lines = [NoteLine(origin, key_id(origin, TYPE_ED25519, self._directory.log_key), signatures[:ED25519_BYTES])]
        if mldsa is not None and signatures[ED25519_BYTES:]:
            lines.append(NoteLine(origin, key_id(origin, TYPE_MLDSA, mldsa), signatures[ED25519_BYTES:]))
        elif signatures[ED25519_BYTES:]:
            raise FieldMalformed(field="log_lines", rule="no signature by a key that the log has not")
        return lines

    def _find_newest(self) -> None:
        """After a start: in each set's term the newest size with a quorum is at most the q-th newest attested in it."""
        roll = self._directory.roll
        for term in reversed(roll.terms):
            end = roll.end(term) or TreeSize(self.size + 1)
            known = sorted((min(self.newest_attested(a), end - 1) for a in term.validators.addresses), reverse=True)
            for number in known[term.validators.quorum - 1 :]:
                if number >= term.first_size and self.has_quorum(TreeSize(number)):
                    self._progress.raised("quorum", number)
                    return


def split_pairs(data: bytes) -> list[Pair]:
    """Registry pairs from 64 bytes each."""
    return [
        (RegistryIndex(data[at : at + 32]), Commitment(data[at + 32 : at + PAIR_BYTES]))
        for at in range(0, len(data), PAIR_BYTES)
    ]


def join_pairs(pairs: Iterable[Pair]) -> bytes:
    """The inverse of `split_pairs`."""
    return b"".join(index + commitment for index, commitment in pairs)
