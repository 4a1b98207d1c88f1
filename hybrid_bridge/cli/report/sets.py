"""Commands about who keeps the log from when on: the first validator set, and each later one by its record.

A set is its hash: SHA-256(type ‖ number ‖ n ‖ entries). The record of a later set stands in the governance tree of an
epoch that the set before it signed (SPEC §7.3, §8.1); those signatures no command here verifies.
"""

from collections.abc import Sequence
from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import Bench, Climb, climb
from hybrid_bridge.cli.report.history import EPOCH_WORD, GOVERNANCE_ROOT_WORD, GOVERNANCE_SIZE_WORD, extend, word
from hybrid_bridge.core.bundle import Bundle, RotationPart, ValidatorPart
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.encoding import pack_words, sha256, type_hash
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.validators import VALIDATOR_SET_TYPE, SignedKeyBinding, ValidatorEntry
from hybrid_bridge.errors import Malformed
from hybrid_bridge.units import Address, Digest

FIRST_SET_WORD: Final = 13  # of a genesis record (SPEC §7.1)
ID_WORD, PREVIOUS_WORD, HASH_WORD, FROM_WORD, COUNT_WORD = 2, 3, 4, 5, 9  # of a SetUpdate; its entries follow (§7.3)
ENTRIES: Final = 32 * (COUNT_WORD + 1)  # where they begin
EPOCH_SET_WORD: Final = 12  # of an epoch record: the hash of the set responsible for the next size (§7.2)


def first_set(bench: Bench, bundle: Bundle) -> None:
    """The hash of set 1, out of addresses, hashes of names, certificates and bindings; the genesis record has it."""
    stated = word(bundle.genesis.record, FIRST_SET_WORD).hex()
    text = _set(1, bundle.genesis.validators)
    if text is None:
        return
    bench.add(bench.t("step.set_word"), shell.word_of_file("genesis.bin", FIRST_SET_WORD), stated)
    value, title = sha256(text).hex(), bench.t("step.set", n=len(bundle.genesis.validators))
    bench.add(title, shell.sha256_of_hex("", text.hex()), value, stated, bench.t("where.genesis"))


def later_sets(bench: Bench, data: bytes, bundle: Bundle, newest: Note | None) -> None:
    """Each change of the set, and the set that every epoch's record names."""
    t, before, where = bench.t, word(bundle.genesis.record, FIRST_SET_WORD), bench.t("where.genesis")
    known = {before.hex(): where}
    for number, part in enumerate(bundle.rotations, start=2):  # by place: what a record says of itself may be wrong
        name = f"set-{number}.bin"
        taken = shell.extract(data, part.update, shell.BUNDLE, name)
        bench.add(t("step.extract", name=name), taken, sha256(part.update).hex())
        previous, told = word(part.update, PREVIOUS_WORD).hex(), t("step.previous_set", number=number)
        bench.add(told, shell.word_of_file(name, PREVIOUS_WORD), previous, before.hex(), where)
        before, where = word(part.update, HASH_WORD), t("where.update", name=name)
        known[before.hex()] = where
        _later(bench, part, number, where)
        _covered(bench, data, part, number)
        _signed(bench, data, part, (number, newest))
    for record in (epoch.record for epoch in bundle.epochs if bundle.rotations):
        epoch, value = f"epoch-{int.from_bytes(word(record, EPOCH_WORD))}.bin", word(record, EPOCH_SET_WORD).hex()
        stated = value if value in known else before.hex()
        title, told = t("step.epoch_set", name=epoch), known.get(value, where)
        bench.add(title, shell.word_of_file(epoch, EPOCH_SET_WORD), value, stated, told)


def _later(bench: Bench, part: RotationPart, number: int, where: str) -> None:
    """The hash in the record, twice: out of the record's own entries, and out of the validators beside it."""
    t, name, update = bench.t, f"set-{number}.bin", part.update
    wanted = word(update, HASH_WORD).hex()
    bench.add(t("step.update_set", number=number), shell.word_of_file(name, HASH_WORD), wanted)
    since = word(update, FROM_WORD).hex()
    bench.add(t("step.update_from", number=number), shell.word_of_file(name, FROM_WORD), since)
    head = (type_hash(VALIDATOR_SET_TYPE) + word(update, ID_WORD) + word(update, COUNT_WORD)).hex()
    value = sha256(bytes.fromhex(head) + update[ENTRIES:]).hex()
    command = shell.set_hash_of_file(head, name, ENTRIES)
    bench.add(t("step.set_of_record", number=number), command, value, wanted, where)
    text = _set(number, part.validators)
    if text is not None:
        title = t("step.set_later", number=number, n=len(part.validators))
        bench.add(title, shell.sha256_of_hex("", text.hex()), sha256(text).hex(), wanted, where)


def _covered(bench: Bench, data: bytes, part: RotationPart, number: int) -> None:
    """The record's way to the governance root in the record of an epoch."""
    t, record, epoch = bench.t, part.epoch.record, f"set-{number}-epoch.bin"
    bench.add(t("step.extract", name=epoch), shell.extract(data, record, shell.BUNDLE, epoch), sha256(record).hex())
    size, root = int.from_bytes(word(record, GOVERNANCE_SIZE_WORD)), word(record, GOVERNANCE_ROOT_WORD)
    command = shell.word_of_file(epoch, GOVERNANCE_ROOT_WORD)
    bench.add(t("step.governance_root", name=epoch), command, root.hex())
    label, leaf = t("step.update", number=number), leaf_hash(part.update)
    bench.add(t("step.leaf", name=label), shell.leaf_of_file(f"set-{number}.bin"), leaf.hex())
    climb(bench, Climb(label, leaf, part.index, size, part.path, root, t("where.governance", name=epoch)))


def _signed(bench: Bench, data: bytes, part: RotationPart, after: tuple[int, Note | None]) -> None:
    """That epoch's way to the root that the old set signed, and from there to the first checkpoint of the file."""
    try:
        note = parse_note(part.note)
    except Malformed:
        return
    t, record, size, (number, newest) = bench.t, part.epoch.record, note.size, after
    name, place = f"set-{number}-checkpoint.txt", int.from_bytes(word(record, EPOCH_WORD))
    taken = shell.lines_of(data, note.body().decode(), shell.BUNDLE, name)
    if taken is not None and shell.safe(note.origin.replace("/", "")):
        bench.add(t("step.note", size=size), taken, sha256(note.body()).hex())
        bench.add(t("step.note_root_of", name=name), shell.root_of_note(name), note.root.hex())
    label, leaf = t("step.epoch", number=place), leaf_hash(record)
    bench.add(t("step.leaf", name=label), shell.leaf_of_file(f"set-{number}-epoch.bin"), leaf.hex())
    where = t("where.checkpoint_of", size=size)
    climb(bench, Climb(label, leaf, place, size, part.epoch.path, note.root, where))
    if newest is not None:
        extend(bench, (note, newest), part.consistency)


def _set(number: int, parts: Sequence[ValidatorPart]) -> bytes | None:
    """The bytes whose hash a set is, in the order shown, whatever that is; None if a binding cannot be read."""
    try:
        entries = [
            ValidatorEntry(
                address=Address(part.address),
                name_hash=sha256(part.name.encode("utf-8", "surrogatepass")),
                certificate_hash=Digest(part.certificate_hash),
                key_binding_hash=SignedKeyBinding.decode(part.key_binding).binding.digest,
            ).encode()
            for part in parts
        ]
        return pack_words("buu", (type_hash(VALIDATOR_SET_TYPE), number, len(entries))) + b"".join(entries)
    except Malformed:
        return None
