"""Commands about what came before and after: checkpoints that extend one another, governance records, absences."""

from collections.abc import Sequence
from itertools import pairwise

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import Bench, Climb, climb
from hybrid_bridge.core.bundle import Bundle, EpochPart
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.proof import consistency_length, leaf_hash, node_hash
from hybrid_bridge.errors import Malformed

EPOCH_WORD, BATCH_SIZE_WORD, BATCH_ROOT_WORD = 2, 6, 7  # of an epoch record (SPEC §7.2)
GOVERNANCE_SIZE_WORD, GOVERNANCE_ROOT_WORD = 9, 10


def word(record: bytes, index: int) -> bytes:
    """A word of a record."""
    return record[32 * index : 32 * index + 32]


def absences(bench: Bench, part: EpochPart) -> None:
    """The leaves on both sides of one that is absent: they stand side by side, and it would stand between them."""
    number, size = int.from_bytes(word(part.record, EPOCH_WORD)), int.from_bytes(word(part.record, BATCH_SIZE_WORD))
    root, where = word(part.record, BATCH_ROOT_WORD), bench.t("where.batch", name=f"epoch-{number}.bin")
    for absent in part.absences:
        for side in filter(None, (absent.left, absent.right)):
            name = bench.t("step.neighbour", index=side.index, leaf=absent.leaf.hex()[:16])
            climb(bench, Climb(name, side.leaf, side.index, size, side.path, root, where))


def consistencies(bench: Bench, bundle: Bundle) -> None:
    """From each checkpoint to the next: both roots out of one path."""
    try:
        notes = [parse_note(part.note) for part in bundle.checkpoints]
    except Malformed:
        return
    for (older, newer), part in zip(pairwise(notes), bundle.checkpoints[1:], strict=True):
        extend(bench, (older, newer), part.consistency)


def extend(bench: Bench, notes: tuple[Note, Note], path: Sequence[bytes]) -> None:
    """From one checkpoint to a larger one; nothing if the path has not the length that the two sizes give."""
    older, newer = notes
    try:
        if consistency_length(older.size, newer.size) != len(path) or older.size == newer.size:
            return
    except Malformed:
        return
    _extend(bench, (older.size, newer.size), path, (older.root, newer.root))


def _extend(bench: Bench, sizes: tuple[int, int], path: Sequence[bytes], roots: tuple[bytes, bytes]) -> None:
    """RFC 9162 §2.1.4.2: `old` and `new` grow along one path until they are the two roots."""
    t, (older, newer) = bench.t, sizes
    siblings = list(path)
    shift = (older & -older).bit_length() - 1
    old = new = roots[0] if older == 1 << shift else siblings.pop(0)
    inner = (older - 1 ^ newer - 1).bit_length() - shift
    position = older - 1 >> shift
    grown: list[tuple[str, bytes, bytes, bytes]] = []
    for level, sibling in enumerate(siblings):
        if level >= inner or position >> level & 1:
            grown += [("old", sibling, old, node_hash(sibling, old)), ("new", sibling, new, node_hash(sibling, new))]
            old, new = grown[-2][3], grown[-1][3]
        else:
            new_value = node_hash(new, sibling)
            grown.append(("new", new, sibling, new_value))
            new = new_value
    last = {kind: place for place, (kind, *_) in enumerate(grown)}
    for place, (kind, left, right, value) in enumerate(grown):
        size, root = (older, roots[0]) if kind == "old" else (newer, roots[1])
        stated = root.hex() if last[kind] == place else ""
        where = t("where.checkpoint_of", size=size) if stated else ""
        title = t("step.extends", older=older, newer=newer, size=size)
        bench.add(title, shell.sha256_of_hex("01", left.hex(), right.hex()), value.hex(), stated, where)


def governance(bench: Bench, data: bytes, bundle: Bundle) -> None:
    """Each governance record that is shown, up to the root in the later epoch's record."""
    part, t = bundle.governance, bench.t
    later = [e.record for e in bundle.epochs if part and int.from_bytes(word(e.record, EPOCH_WORD)) == part.to_epoch]
    if part is None or not later:
        return
    size, root = int.from_bytes(word(later[0], GOVERNANCE_SIZE_WORD)), word(later[0], GOVERNANCE_ROOT_WORD)
    epoch = f"epoch-{part.to_epoch}.bin"
    bench.add(t("step.governance_root", name=epoch), shell.word_of_file(epoch, GOVERNANCE_ROOT_WORD), root.hex())
    for shown in part.records:
        name = f"governance-{shown.index}.bin"
        taken = shell.extract(data, shown.record, shell.BUNDLE, name)
        bench.add(t("step.extract", name=name), taken, sha256(shown.record).hex())
        label, leaf = t("step.governance", index=shown.index), leaf_hash(shown.record)
        bench.add(t("step.leaf", name=label), shell.leaf_of_file(name), leaf.hex())
        climb(bench, Climb(label, leaf, shown.index, size, shown.path, root, t("where.governance", name=epoch)))
