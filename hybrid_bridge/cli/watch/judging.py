"""A watcher's folder of evidence, judged offline: whose signatures stand under which of two histories.

Believed is nothing but the log's id: the genesis record that it is the hash of names the first set of validators, and a
bundle of the log proves who came after. What only the contract says, a side without a note, is not judged here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.cli.histories import read_tree
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.cli.watch.copies import Responsible, responsible, signers_of
from hybrid_bridge.cli.watch.evidence import ENTRIES, GENESIS, ONE, ORIGIN, OTHER, SHOWN
from hybrid_bridge.core.bundle import MAX_NOTE, decode_bundle
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.decoded import decode
from hybrid_bridge.steps.verify.signers import verify_sets
from hybrid_bridge.units import Address, LogId, SetId, TreeSize, UnixSeconds

MAX_RECORD: Final = 1 << 16  # bytes of a genesis record or of validator entries
FIRST: Final = SetId(1)


@dataclass(frozen=True, slots=True)
class Log:
    """A log, and its sets as far as they are proven."""

    genesis: Genesis
    origin: str
    sets: tuple[Responsible, ...]

    @property
    def log_id(self) -> LogId:
        """Its name."""
        return self.genesis.log_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Two notes of one log: what they commit to, and whose signatures hold."""

    log: Log
    notes: tuple[Note, Note]
    signers: tuple[frozenset[Address], frozenset[Address]]
    quorums: tuple[int, int]  # how many a quorum is, of each one's set
    is_split: bool  # no history leads from the one to the other

    @property
    def both(self) -> frozenset[Address]:
        """Who signed both."""
        return self.signers[0] & self.signers[1]

    @property
    def is_quorums(self) -> bool:
        """Whether a quorum signed each."""
        return all(len(who) >= needed for who, needed in zip(self.signers, self.quorums, strict=True))

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "log_id": self.log.log_id.hex(),
            "origin": self.log.origin,
            "two_histories": self.is_split,
            "signed_both": _hex(self.both),
            "by_quorums": self.is_quorums,
            "sets_known": len(self.log.sets),
            "checkpoints": [
                {"size": note.size, "root": note.root.hex(), "signed_by": _hex(who)}
                for note, who in zip(self.notes, self.signers, strict=True)
            ],
        }


def log_of(folder: Path, bundle: bytes | None, trust: Trust, now: UnixSeconds) -> Log:
    """The log that evidence is of.

    Raises:
        Missing: neither the folder nor a bundle shows the genesis record, or the set that signed.
        FieldMalformed: the bundle is of another log than the folder.
        FieldMismatch: the folder's origin is not the one of its genesis record.
        Malformed, Refuted: what `verify` says of the bundle.
    """
    if bundle is None:
        genesis = Genesis.decode(_read(folder / GENESIS, MAX_RECORD))
        return Log(genesis, _origin(folder, genesis), (Responsible(TreeSize(1), _first(folder, genesis)),))
    verify(bundle, trust, now)
    shown = decode_bundle(bundle)
    d = decode(shown, len(trust.member_roots))
    sets = tuple(Responsible(known.first_size, known.validators) for known in verify_sets(d).sets)
    if (folder / GENESIS).is_file() and _read(folder / GENESIS, MAX_RECORD) != d.genesis.encode():
        raise FieldMalformed(field="bundle", rule="of the log whose genesis record lies beside the evidence")
    return Log(d.genesis, shown.genesis.origin, sets)


def judged(folder: Path, log: Log) -> Judged:
    """What the evidence shows.

    Raises:
        Missing: a side without a note, a note that nobody known signed, no tiles that lead from one to the other.
        Malformed: a file that is none.
    """
    texts = [_read(folder / name, MAX_NOTE).decode("utf-8", "replace") for name in (ONE, OTHER)]
    one, other = (parse_note(text) for text in texts)
    signers = [signers_of(text, log.genesis, log.origin, log.sets) for text in texts]
    if not all(signers):
        raise Missing(what="signatures of a proven set under each note; a bundle of the log may prove later sets")
    quorums = [known.quorum for note in (one, other) if (known := responsible(log.sets, note.size)) is not None]
    return Judged(
        log=log,
        notes=(one, other),
        signers=(signers[0], signers[1]),
        quorums=(quorums[0], quorums[1]),
        is_split=_is_split(folder, one, other),
    )


def _hex(addresses: frozenset[Address]) -> list[Json]:
    return [one.hex() for one in sorted(addresses)]


def _is_split(folder: Path, one: Note, other: Note) -> bool:
    small, large = sorted((one, other), key=lambda note: note.size)
    if small.size == large.size:
        return small.root != large.root
    if not (folder / SHOWN).is_dir():
        raise Missing(what=f"{SHOWN}, with the tree under the larger checkpoint")
    tree = read_tree(folder / SHOWN)
    if tree.size < large.size or tree.root(large.size) != large.root:
        raise Missing(what=f"{SHOWN} of the tree under the larger checkpoint; these lead to another root")
    return tree.root(small.size) != small.root


def _first(folder: Path, genesis: Genesis) -> ValidatorSet:
    """The set that the genesis record names, if its entries are there."""
    for name in (ONE, OTHER):
        path = folder / f"{name}{ENTRIES}"
        if path.is_file():
            validators = ValidatorSet.decode_entries(FIRST, _read(path, MAX_RECORD))
            if validators.digest == genesis.set_hash:
                return validators
    raise Missing(what="a bundle of the log: a later set signed, and the genesis record names the first alone")


def _origin(folder: Path, genesis: Genesis) -> str:
    origin = _read(folder / ORIGIN, MAX_RECORD).decode("ascii", "replace").strip()
    if origin_hash(origin) != genesis.origin_hash:
        raise FieldMismatch(field="origin", expected=genesis.origin_hash.hex(), got=origin[:200])
    return origin


def _read(path: Path, limit: int) -> bytes:
    if not path.is_file():
        raise Missing(what=f"{path.name} in the folder of evidence")
    return read_bounded(path, limit)
