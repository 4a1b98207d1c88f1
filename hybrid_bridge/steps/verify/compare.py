"""Two bundles of one log: were their holders shown the same history? Offline, from what stands in the two files.

Each checkpoint commits to all leaves below its size. Two that commit to different leaves at one place cannot both be
of one log, whatever their sizes; who signed both is accused by his own signatures, and needs no server to be so.
Source: design §2 (split view); RFC 9162 §11.3; SPEC §2, §8.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hybrid_bridge.core.bundle import Bundle, WitnessAnchor, decode_bundle
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import utc
from hybrid_bridge.core.shown_tree import ShownTree, Stretch, first_difference
from hybrid_bridge.core.split_view import Between, SplitView
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BridgeError, FieldMismatch, Malformed, Missing, RootMismatch
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.decoded import Decoded, decode
from hybrid_bridge.steps.verify.names import Name, Names, verify_names
from hybrid_bridge.steps.verify.paths import Consistency, Inclusion, consistencies, inclusions
from hybrid_bridge.steps.verify.signers import KnownSets, verify_note, verify_notes, verify_sets
from hybrid_bridge.units import Address, Digest, LogId, SetId, TreeSize, UnixSeconds

SAME: Final = "same"
SPLIT: Final = "split"
UNDECIDED: Final = "undecided"
_OF_THE_LOG: Final = ("genesis", "rotation epoch", "epoch", "rotation note", "checkpoint")  # not of a tree within it


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """A member that signed checkpoints of both histories, under the name that its set commits to."""

    address: Address
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where two histories part: hashes over one stretch of leaves, and the smallest checkpoints that commit to them."""

    stretch: Stretch  # leaves [begin, end); leaf e is the record of epoch e
    hashes: tuple[Digest, Digest]
    sizes: tuple[TreeSize, TreeSize]  # of the checkpoints, of one bundle and of the other
    sets: tuple[SetId, SetId]  # responsible for them, by what each bundle shows
    common: TreeSize | None  # a size at which both have a checkpoint of their own, with two roots
    accused: tuple[Accused, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two bundles say of one another."""

    log_id: LogId
    origin: str
    newest: tuple[TreeSize, TreeSize]
    agreed: TreeSize  # both hold the same leaves below it; 1: the genesis record alone
    agreed_time: UnixSeconds
    difference: Difference | None
    between: Between | None  # what had to be brought beside the two

    @property
    def result(self) -> str:
        """`same`: one holder's history begins with all of the other's; `split`; or `undecided` from these two files."""
        if self.difference is not None:
            return SPLIT
        return SAME if self.agreed == min(self.newest) else UNDECIDED

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        found: dict[str, Json] = {
            "result": self.result,
            "log_id": self.log_id.hex(),
            "origin": self.origin,
            "newest_sizes": [int(size) for size in self.newest],
            "agreed_size": int(self.agreed),
            "agreed_until": utc(self.agreed_time),
        }
        if (split := self.difference) is not None:
            found["difference"] = {
                "first_leaf": split.stretch[0],
                "last_leaf": split.stretch[1] - 1,
                "hashes": [digest.hex() for digest in split.hashes],
                "checkpoint_sizes": [int(size) for size in split.sizes],
                "sets": [int(one) for one in split.sets],
                "signed_both": [
                    {
                        "address": one.address.hex(),
                        "name": one.name.name,
                        "legal_id": one.name.legal_id,
                        "basis": one.name.basis,
                    }
                    for one in split.accused
                ],
            }
        return found


@dataclass(frozen=True, slots=True)
class _Side:
    """One bundle, verified, and what it shows of the log's tree."""

    decoded: Decoded
    sets: KnownSets
    names: Names
    tree: ShownTree
    signed: tuple[tuple[TreeSize, frozenset[Address]], ...]  # sizes ascending, and who signed a note of that size

    @property
    def newest(self) -> TreeSize:
        return self.signed[-1][0]

    def committed(self, end: int) -> tuple[TreeSize, frozenset[Address]]:
        """The smallest checkpoint that commits to these leaves, and everybody who signed one that does."""
        found = [(size, signers) for size, signers in self.signed if size >= end]
        return found[0][0], frozenset().union(*(signers for _, signers in found))


Finding: TypeAlias = Callable[[TreeSize, TreeSize], Between]  # what ties two sizes


def compare(one: bytes, other: bytes, trust: Trust, now: UnixSeconds, find: Finding | None = None) -> Comparison:
    """Compare what two bundles show of one log. What each says of the log must hold by itself first.

    Anchors, fields and promises are left aside: two histories are two, whichever of them stands on a public chain.

    NOT CHECKED HERE: that the log is the one that is meant; THE CALLER'S `trust` SAYS SO, or nobody.

    Args:
        one: a bundle's bytes, at most 1 MiB.
        other: another's.
        trust: the verifier's own file.
        now: whole Unix seconds.
        find: asked for the path between both newest checkpoints, if the bundles alone do not decide; from anywhere.

    Raises:
        Malformed, Refuted, Undecided: one of them does not hold, a note says which; see `verify`.
        FieldMismatch: they are of two logs.
        Missing: what `find` brought does not lead to the larger one's root, or it has nothing.
    """
    ours, theirs = (_side(data, which, trust, now) for data, which in ((one, "first"), (other, "second")))
    if ours.decoded.log_id != theirs.decoded.log_id:
        raise FieldMismatch(field="log_id", expected=ours.decoded.log_id.hex(), got=theirs.decoded.log_id.hex())
    agreed, older, between = _agreed(ours, theirs), min(ours.newest, theirs.newest), None
    if find is not None and agreed < older and first_difference(ours.tree, theirs.tree) is None:
        larger = max(ours, theirs, key=lambda side: side.newest)
        between = find(older, larger.newest)
        _tie(larger, older, between)
        agreed = _agreed(ours, theirs)
    return Comparison(
        log_id=ours.decoded.log_id,
        origin=ours.decoded.bundle.genesis.origin,
        newest=(ours.newest, theirs.newest),
        agreed=agreed,
        agreed_time=ours.decoded.genesis.checkpoint_timestamp(agreed),
        difference=_difference(ours, theirs),
        between=between,
    )


def _tie(larger: _Side, older: TreeSize, between: Between) -> None:
    newest, path = larger.newest, [Digest(item) for item in between.path]
    try:
        larger.tree.take_consistency(older, newest, path, Digest(between.root), larger.tree.hashes[0, newest])
    except (RootMismatch, Malformed):
        raise Missing(what=f"a path from size {older} that leads to the root of size {newest}") from None


def split_view(one: bytes, other: bytes, between: Between | None = None) -> SplitView:
    """Two bundles that contradict one another (perhaps by what ties them), without what is private and not needed."""
    return SplitView(_bare(decode_bundle(one)), _bare(decode_bundle(other)), between)


def _bare(bundle: Bundle) -> Bundle:
    """The log's own hashes, signatures and certificates. Witnesses' lines need their anchors; other anchors go."""
    return replace(
        bundle,
        purpose="checkpoint",
        epochs=tuple(replace(epoch, entries=(), absences=(), labels=()) for epoch in bundle.epochs),
        checkpoints=tuple(replace(part, receipt=None) for part in bundle.checkpoints),
        governance=None,
        promise=None,
        source_evidence=(),
        anchors=tuple(anchor for anchor in bundle.anchors if isinstance(anchor, WitnessAnchor)),
        public_blocks=(),
        artefacts=(),
        provenance=None,
        renewals=(),
        extensions=bundle.extensions if bundle.critical else {},  # `verify` says which one it does not know
    )


# ── what one bundle shows ────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def telling(which: str) -> Iterator[None]:
    """An error in here says of which of the two it is."""
    try:
        yield
    except BridgeError as error:
        error.add_note(f"in the {which} of the two")
        raise


def _side(data: bytes, which: str, trust: Trust, now: UnixSeconds) -> _Side:
    with telling(which):
        bundle = _bare(decode_bundle(data))
        verify(bundle.encode(), trust, now)
    d = decode(bundle, len(trust.member_roots))
    tree = ShownTree()
    for shown in _of_the_log(d):
        if isinstance(shown, Inclusion):
            tree.take_inclusion(shown.leaf(), shown.index, shown.size, shown.path, shown.root)
        else:
            tree.take_consistency(shown.old_size, shown.new_size, shown.path, shown.old_root, shown.new_root)
    sets = verify_sets(d)
    notes = [*verify_notes(d, sets, trust)]
    notes += [verify_note(d, r.note, sets.responsible(r.note.size), frozenset()) for r in d.rotations]
    signed = [(note.note.size, frozenset(note.signers)) for note in notes]
    return _Side(d, sets, verify_names(d, sets, trust), tree, tuple(sorted(signed, key=lambda pair: pair[0])))


def _of_the_log(d: Decoded) -> Iterator[Inclusion | Consistency]:
    yield from (shown for shown in inclusions(d) if shown.what in _OF_THE_LOG)
    yield from (shown for shown in consistencies(d) if shown.what in _OF_THE_LOG)


# ── what two show ────────────────────────────────────────────────────────────────────────────────────────────────────


def _agreed(ours: _Side, theirs: _Side) -> TreeSize:
    """The largest size whose root follows from both, and is the same."""
    sizes = {end for side in (ours, theirs) for begin, end in side.tree.hashes if begin == 0}
    roots = {size: (ours.tree.root(TreeSize(size)), theirs.tree.root(TreeSize(size))) for size in sizes}
    return TreeSize(max(size for size, (one, other) in roots.items() if one is not None and one == other))


def _difference(ours: _Side, theirs: _Side) -> Difference | None:
    stretch = first_difference(ours.tree, theirs.tree)
    if stretch is None:
        return None
    (our_size, our_signers), (their_size, their_signers) = (side.committed(stretch[1]) for side in (ours, theirs))
    hashes = ours.tree.hash_of(stretch), theirs.tree.hash_of(stretch)
    return Difference(
        stretch=stretch,
        hashes=(Digest(hashes[0] or b""), Digest(hashes[1] or b"")),
        sizes=(our_size, their_size),
        sets=(ours.sets.responsible(our_size).set_id, theirs.sets.responsible(their_size).set_id),
        common=_common(ours.decoded, theirs.decoded),
        accused=_accused(our_signers & their_signers, (ours.names, theirs.names)),
    )


def _common(ours: Decoded, theirs: Decoded) -> TreeSize | None:
    roots = {note.size: note.root for note in ours.notes}
    return next((note.size for note in theirs.notes if roots.get(note.size, note.root) != note.root), None)


def _accused(addresses: frozenset[Address], sides: Sequence[Names]) -> tuple[Accused, ...]:
    """Under the name that somebody vouches for, where one of the two bundles shows such a one."""
    named = [(address, name) for names in sides for (_, address), name in names.items()]
    best = dict(sorted(named, key=lambda pair: pair[1].is_certified))  # the last one counts
    return tuple(Accused(address=address, name=best[address]) for address in sorted(addresses))
