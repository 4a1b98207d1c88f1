"""`hybrid-bridge export`: what a bundle proves, in a format that other people's tools read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.packing import pack
from hybrid_bridge.cli.verify import hex_option, read_bounded, require_none
from hybrid_bridge.core.bundle import MAX_BUNDLE, Bundle, CheckpointPart, EntryPart, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.exports.cose_receipt import (
    Consistency,
    Inclusion,
    Proof,
    Receipt,
    verify_consistency_receipt,
    verify_inclusion_receipt,
)
from hybrid_bridge.core.exports.sd_jwt import choose, parse_jwt, verify_presentation
from hybrid_bridge.core.exports.tlog_proof import epoch_part, tlog_proof_of, verify_tlog_proof
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import Missing, Unknown
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to export of which bundle. Each format uses what it needs."""

    bundle: Bundle
    epoch: int | None
    entry: bytes | None  # LEAF(entry)
    names: tuple[str, ...]
    from_size: int | None

    @property
    def genesis(self) -> Genesis:
        """Of the bundle: what we write must hold under it, or it would be refused everywhere."""
        return Genesis.decode(self.bundle.genesis.record)

    @property
    def chosen_epoch(self) -> EpochNumber:
        """The epoch asked for, that of the entry asked for, or the only one.

        Raises:
            UsageError: the bundle shows several.
        """
        if self.epoch is not None:
            return EpochNumber(self.epoch)
        if self.entry is not None:
            return self.chosen_entry[0]
        shown = [EpochRecord.decode(part.record).epoch for part in self.bundle.epochs]
        if len(shown) != 1:
            raise click.UsageError(f"--epoch: the bundle shows {', '.join(map(str, shown)) or 'none'}")  # noqa: EM102, TRY003 click's own
        return shown[0]

    @property
    def chosen_entry(self) -> tuple[EpochNumber, EntryPart]:
        """The entry asked for, or the only one of the epochs that may be meant, with its epoch.

        Raises:
            Unknown: the bundle does not show it.
            UsageError: the bundle shows several.
        """
        shown = [
            (EpochRecord.decode(part.record).epoch, entry) for part in self.bundle.epochs for entry in part.entries
        ]
        if self.entry is not None:
            found = [(epoch, entry) for epoch, entry in shown if leaf_hash(entry.entry) == self.entry]
            if not found:
                raise Unknown(what=f"entry {self.entry.hex()} in this bundle")
            return found[0]
        shown = [(epoch, entry) for epoch, entry in shown if self.epoch in {None, epoch}]
        if len(shown) != 1:
            leaves = ", ".join(leaf_hash(entry.entry).hex() for _, entry in shown)
            raise click.UsageError(f"--entry: the bundle shows {leaves or 'none'}")  # noqa: EM102, TRY003 click's own
        return shown[0]


def tlog_proof(order: Order) -> bytes:
    """An epoch record under the bundle's first checkpoint."""
    proof = tlog_proof_of(order.bundle, order.chosen_epoch)
    verify_tlog_proof(proof, order.genesis)
    return proof.encode()


def cose_receipt(order: Order) -> bytes:
    """An epoch record under the bundle's first checkpoint, or a later checkpoint that extends an earlier one."""
    first = order.bundle.checkpoints[0]
    if order.from_size is not None:
        return _consistency_receipt(order, order.from_size)
    part, epoch = epoch_part(order.bundle, order.chosen_epoch), order.chosen_epoch
    proof = Inclusion(parse_note(first.note).size, LeafIndex(epoch), tuple(map(Digest, part.path)))
    receipt = _receipt(order, first, proof)
    verify_inclusion_receipt(receipt, part.record, order.genesis)
    return receipt.encode()


def _consistency_receipt(order: Order, from_size: int) -> bytes:
    notes = [parse_note(part.note) for part in order.bundle.checkpoints]
    for older, newer, part in zip(notes, notes[1:], order.bundle.checkpoints[1:], strict=False):
        if older.size == from_size:
            receipt = _receipt(order, part, Consistency(older.size, newer.size, tuple(map(Digest, part.consistency))))
            verify_consistency_receipt(receipt, older.root, order.genesis)
            return receipt.encode()
    raise Unknown(what=f"a checkpoint after size {from_size} in this bundle")


def _receipt(order: Order, part: CheckpointPart, proof: Proof) -> Receipt:
    note = parse_note(part.note)
    if part.receipt is None:
        how = "`hybrid-bridge member bundle --receipt` asks for it"
        raise Missing(what=f"the receipt key's word over the checkpoint of size {note.size}; {how}")
    key_hash = sha256(order.genesis.receipt_key)
    return Receipt(origin=note.origin, key_hash=key_hash, proof=proof, signature=part.receipt)


def sd_jwt(order: Order) -> bytes:
    """A record's fields as its submitter signed them: those named, or all that the bundle discloses."""
    signed = [entry for part in order.bundle.epochs for entry in part.entries if entry.issuer_jwt is not None]
    chosen = order.entry is not None or order.epoch is not None or len(signed) != 1
    entry = order.chosen_entry[1] if chosen else signed[0]
    if entry.issuer_jwt is None:
        how = "`hybrid-bridge member bundle --presentable` at the submitter's node adds it"
        raise Missing(what=f"the submitter's JWT over this record; {how}")
    presentation = choose(parse_jwt(entry.issuer_jwt), [part.value for part in entry.disclosures], order.names)
    verify_presentation(presentation)
    return presentation.encode()


ZIP: Final = "zip"  # a package holds the bundle whole
THERE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
FORMATS: Final[dict[str, Callable[[Order], bytes]]] = {
    "tlog-proof": tlog_proof,
    "cose-receipt": cose_receipt,
    "sd-jwt": sd_jwt,
}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--format", "name", type=click.Choice([*FORMATS, ZIP]), required=True, help="What the others read.")
@click.option("--epoch", type=click.IntRange(1), help="Which epoch record; not needed if the bundle shows one.")
@click.option("--entry", "entry_hex", metavar="HEX", help="LEAF(entry) of a record; not needed if there is one.")
@click.option("--field", "names", multiple=True, help="sd-jwt: disclose this field only; repeatable.")
@click.option("--from", "from_size", type=click.IntRange(2), help="cose-receipt: consistency from this size on.")
@click.option("--artefact", "artefacts", type=THERE, multiple=True, help="zip: a document to pack; repeatable.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to write.")
def command(
    file: Path,
    name: str,
    epoch: int | None,
    entry_hex: str | None,
    names: tuple[str, ...],
    from_size: int | None,
    artefacts: tuple[Path, ...],
    out: Path,
) -> None:
    """Write what a bundle proves in a format that other people's tools read. `hybrid-bridge verify` reads it too.

    \b
    tlog-proof    C2SP tlog-proof@v1: an epoch record under the log's signed checkpoint
    cose-receipt  RFC 9942: the same as a COSE receipt of the log; with --from, of consistency
    sd-jwt        RFC 9901: fields of a record, as its submitter signed them
    zip           the evidence package of `hybrid-bridge bundle zip`

    An export says less than the bundle it is made of. Nothing is written that would not verify.
    """  # noqa: D301 click reads the escape
    if name == ZIP:
        require_none({"--epoch": epoch, "--entry": entry_hex, "--field": names, "--from": from_size}, name)
        return pack(file, artefacts, out)
    require_none({"--artefact": artefacts}, name)
    order = Order(
        bundle=decode_bundle(read_bounded(file, MAX_BUNDLE)),
        epoch=epoch,
        entry=None if entry_hex is None else hex_option(entry_hex, 32, "--entry"),
        names=names,
        from_size=from_size,
    )
    data = FORMATS[name](order)
    with writing("--out"):
        out.write_bytes(data)
    click.echo(f"{out}: {name}, {len(data)} bytes")
    return None
