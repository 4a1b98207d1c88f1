"""What a court's own expert can compute again: each hash between an opened field and what the validators signed.

Values are computed here from the bundle's bytes, whatever they are; where the bundle states another value, both are
shown. SPEC §2 (trees), §3 (fields, entries), §7 (records), §8.3 (the note), §13 (timestamps).
"""

from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import Bench, Climb, climb
from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.history import (
    BATCH_ROOT_WORD,
    BATCH_SIZE_WORD,
    EPOCH_WORD,
    absences,
    consistencies,
    governance,
    word,
)
from hybrid_bridge.cli.report.keepers import certificates, log_line
from hybrid_bridge.cli.report.model import shown as as_shown
from hybrid_bridge.cli.report.registry import registry
from hybrid_bridge.cli.report.sets import first_set, later_sets
from hybrid_bridge.cli.report.strangers import word as as_word
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.bundle import Bundle, EntryPart, EpochPart
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.encoding import parse_b64u, sha256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import Malformed

NOTE: Final = "checkpoint.txt"
ORIGIN_WORD: Final = 1  # of a genesis record (SPEC §7.1)


def recomputed(case: Case, t: Words) -> Bench:
    """All steps of one bundle; of one that cannot be read, its own digest alone."""
    bench = Bench(t, is_opening=case.error is None)
    file = f"sha256sum {shell.BUNDLE} | cut -c1-64"
    bench.add(t("step.file"), file, case.digest.hex())
    bundle = case.bundle
    if bundle is None:
        return bench
    note = _note(bundle)
    for part in bundle.epochs:
        _epoch(bench, case.data, part, note)
        absences(bench, part)
    _genesis(bench, case, bundle, note)
    certificates(bench, case.data, bundle)
    first_set(bench, bundle)
    if note is not None:
        _checkpoint(bench, case.data, note)
        log_line(bench, bundle, note)
    consistencies(bench, bundle)
    governance(bench, case.data, bundle)
    later_sets(bench, case.data, bundle, note)
    registry(bench, bundle)
    return bench


def _note(bundle: Bundle) -> Note | None:
    try:
        note = parse_note(bundle.checkpoints[0].note)
    except Malformed:
        return None
    return note if shell.safe(note.origin.replace("/", "")) else None


# ── log, checkpoint, epoch ───────────────────────────────────────────────────────────────────────────────────────────


def _checkpoint(bench: Bench, data: bytes, note: Note) -> None:
    """Its text as it stands in the file, and the root in that text."""
    t = bench.t
    taken = shell.lines_of(data, note.body().decode(), shell.BUNDLE, NOTE)
    bench.add(t("step.note", size=note.size), taken, sha256(note.body()).hex())
    if taken is not None:
        bench.add(t("step.note_root"), shell.root_of_note(NOTE), note.root.hex())


def _genesis(bench: Bench, case: Case, bundle: Bundle, note: Note | None) -> None:
    t, part = bench.t, bundle.genesis
    name = "genesis.bin"
    taken = shell.extract(case.data, part.record, shell.BUNDLE, name)
    bench.add(t("step.extract", name=name), taken, _hex(part.record))
    log_id, relied = leaf_hash(part.record).hex(), [log.log_id.hex() for log in case.trust.logs]
    stated = log_id if log_id in relied else next(iter(relied), "")
    bench.add(t("step.log_id"), shell.leaf_of_file(name), log_id, stated, t("where.relied"))
    if shell.safe(part.origin.replace("/", "")):
        stated = part.record[32 * ORIGIN_WORD : 32 * ORIGIN_WORD + 32].hex()
        bench.add(t("step.origin_word"), shell.word_of_file(name, ORIGIN_WORD), stated)
        command = shell.sha256_of_text(part.origin)
        bench.add(t("step.origin"), command, _hex(part.origin.encode()), stated, t("where.genesis"))
    if note is not None:
        root = note.root
        way = Climb(
            t("step.genesis_leaf"), leaf_hash(part.record), 0, note.size, part.path, root, t("where.checkpoint")
        )
        climb(bench, way)


def _epoch(bench: Bench, data: bytes, part: EpochPart, note: Note | None) -> None:
    t = bench.t
    number = int.from_bytes(word(part.record, EPOCH_WORD))
    name, label = f"epoch-{number}.bin", t("step.epoch", number=number)
    bench.add(t("step.extract", name=name), shell.extract(data, part.record, shell.BUNDLE, name), _hex(part.record))
    batch_root = word(part.record, BATCH_ROOT_WORD)
    bench.add(t("step.batch_root", name=name), shell.word_of_file(name, BATCH_ROOT_WORD), batch_root.hex())
    size = int.from_bytes(word(part.record, BATCH_SIZE_WORD))
    for position, entry in enumerate(part.entries):
        title = t("step.entry", number=position + 1, epoch=number)
        _entry(bench, entry, title)
        where = t("where.batch", name=name)
        climb(bench, Climb(title, leaf_hash(entry.entry), entry.index, size, entry.path, batch_root, where))
    leaf = leaf_hash(part.record)
    bench.add(t("step.leaf", name=label), shell.leaf_of_file(name), leaf.hex())
    if note is not None:
        climb(bench, Climb(label, leaf, number, note.size, part.path, note.root, t("where.checkpoint")))


# ── records and fields ───────────────────────────────────────────────────────────────────────────────────────────────


def _entry(bench: Bench, part: EntryPart, title: str) -> None:
    t, entry = bench.t, part.entry
    kind, record_type, width, root = entry[0], entry[1:3], entry[3:5], entry[5:]
    for shown in part.disclosures:
        if shell.safe(shown.value):
            _disclosure(bench, shown.value)
            digest = sha256(shown.value.encode())
            name = t("step.field", name=_name(shown.value))
            leaf = leaf_hash(digest)
            bench.add(t("step.leaf", name=name), shell.sha256_of_hex("00", digest.hex()), leaf.hex())
            where = t("where.entry")
            climb(bench, Climb(name, leaf, shown.index, int.from_bytes(width), shown.path, root, where))
    numbers = f"{kind} {int.from_bytes(record_type)} {int.from_bytes(width)}"
    composed = shell.wrapped(f"printf '%02x%04x%04x%s\\n' {numbers} {root.hex()}")
    bench.add(t("step.compose", name=title), composed, entry.hex())
    bench.add(t("step.leaf", name=title), shell.sha256_of_hex("00", entry.hex()), leaf_hash(entry).hex())


def _disclosure(bench: Bench, value: str) -> None:
    t, name, decoded = bench.t, _name(value), _decoded(value)
    if (
        bench.is_opening and as_shown(decoded) == decoded
    ):  # else the page shows it otherwise than a terminal would; its digest says enough
        bench.add(t("step.decode", name=name), shell.decode_text(value), decoded)
    bench.add(t("step.disclosure", name=name), shell.sha256_of_text(value), _hex(value.encode()))


def _name(disclosure: str) -> str:
    """The field's name, for people; what cannot be read has none."""
    parts = _decoded(disclosure).split('"')
    return as_word(parts[3]) if len(parts) > 3 else "?"


def _decoded(disclosure: str) -> str:
    try:
        return parse_b64u(disclosure, "disclosure").decode("utf-8", "replace")
    except Malformed:
        return "?"


def _hex(data: bytes) -> str:
    return sha256(data).hex()
