"""Commands about the registry: what an epoch's tree of labels holds at an index, and what a label opens to.

Whose index it is a VRF proof says; that is arithmetic on a curve, and no command here does it (SPEC §9.1, §9.3).
"""

import hmac
from collections.abc import Iterator
from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import Bench
from hybrid_bridge.cli.report.history import EPOCH_WORD, word
from hybrid_bridge.cli.report.model import shown as as_shown
from hybrid_bridge.cli.report.strangers import word as as_word
from hybrid_bridge.core.bundle import Bundle, EpochPart, LabelPart, TerminalPart
from hybrid_bridge.core.encoding import ZERO, Writer
from hybrid_bridge.core.labels import COMMITMENT_KEY, Label
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry_proof import OURS
from hybrid_bridge.errors import Malformed
from hybrid_bridge.units import Digest

REGISTRY_WORD: Final = 8  # of an epoch record (SPEC §7.2)
NEAR: Final = 16  # hex digits by which a title names an index


def registry(bench: Bench, bundle: Bundle) -> None:
    """Each index that is shown, present or absent, up to the registry root in its epoch's record."""
    log_id = leaf_hash(bundle.genesis.record)
    for part in bundle.epochs:
        for label in part.labels:
            _label(bench, part, label, log_id)


def _label(bench: Bench, part: EpochPart, label: LabelPart, log_id: Digest) -> None:
    t, number, end = bench.t, int.from_bytes(word(part.record, EPOCH_WORD)), label.terminal
    epoch, root = f"epoch-{number}.bin", word(part.record, REGISTRY_WORD)
    bench.add(t("step.registry_root", name=epoch), shell.word_of_file(epoch, REGISTRY_WORD), root.hex())
    name = t("step.index", index=label.index.hex()[:NEAR], epoch=number)
    value = ZERO
    if end is not None:
        _opened(bench, label, end, log_id, name)
        value = OURS.leaf(end.index, end.commitment)
        command = shell.sha256_of_hex(OURS.leaf_tag.hex(), end.index.hex(), end.commitment.hex())
        bench.add(t("step.pair", name=name), command, value.hex())
    _whose(bench, label, name)
    _ascend(bench, label, value, name, (root, t("where.registry", name=epoch)))


def _whose(bench: Bench, label: LabelPart, name: str) -> None:
    """Whether the pair at the end of the way is the one asked for, and the bits that lead there."""
    t, end, depth = bench.t, label.terminal, len(label.path)
    if end is not None:
        command = shell.wrapped(f"[ {label.index.hex()} = {end.index.hex()} ] && echo present || echo absent")
        bench.add(t("step.whose", name=name), command, "present" if end.index == label.index else "absent")
    if depth:
        asked, found = (_bits(index, depth) for index in (label.index, label.index if end is None else end.index))
        title = t("step.way" if end is not None else "step.hole", name=name, depth=depth)
        source = label.index if end is None else end.index
        bench.add(title, shell.bits_of_hex(source.hex(), depth), found, asked, t("where.index"))


def _ascend(bench: Bench, label: LabelPart, value: bytes, name: str, root: tuple[bytes, str]) -> None:
    """Every node up to the root; bit `level` from the end of the way says on which side the sibling stands."""
    t, depth = bench.t, len(label.path)
    if not depth:  # the pair, or the hole, is the whole tree
        bench.add(t("step.root", name=name, level=0), f"echo {value.hex()}", value.hex(), root[0].hex(), root[1])
    for level, (left, right, node) in enumerate(_nodes(label, value), start=1):
        is_top = level == depth
        command = shell.sha256_of_hex(OURS.inner_tag.hex(), left.hex(), right.hex())
        title = t("step.root" if is_top else "step.node", name=name, level=level)
        bench.add(title, command, node.hex(), root[0].hex() if is_top else "", root[1] if is_top else "")


def _nodes(label: LabelPart, value: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Left, right and what they give, lowest first (SPEC §9.1)."""
    way = _bits(label.index, len(label.path))
    for bit, sibling in zip(reversed(way), label.path, strict=True):
        left, right = (sibling, value) if bit == "1" else (value, sibling)
        value = OURS.node(left, right)
        yield left, right, value


def _bits(index: bytes, count: int) -> str:
    return f"{int.from_bytes(index):0{8 * len(index)}b}"[:count]


def _opened(bench: Bench, label: LabelPart, end: TerminalPart, log_id: Digest, name: str) -> None:
    """What the commitment opens to: HMAC-SHA256 under a fixed key, so that nobody finds another opening."""
    if label.label is None or label.version is None or label.value is None or label.opening is None:
        return
    t, data = bench.t, label.value.encode("utf-8", "surrogatepass")
    writer = Writer().b32(label.opening, "opening").b32(log_id, "log_id").opaque(label.label, 2, "label")
    message = writer.u32(label.version, "version").opaque(data, 2, "value").bytes()
    if bench.is_opening and as_shown(label.value) == label.value:  # else its digest says enough, as of a field
        command = shell.wrapped(f"printf {data.hex()} | xxd -r -p; echo")
        bench.add(t("step.label_value", name=name, label=_named(label.label)), command, label.value)
    command = shell.hmac_of_hex(COMMITMENT_KEY.decode(), message.hex())
    value = hmac.digest(COMMITMENT_KEY, message, "sha256").hex()
    title = t("step.commitment", name=name, version=label.version)
    bench.add(title, command, value, end.commitment.hex(), t("where.pair"))


def _named(data: bytes) -> str:
    """The label for people; what cannot be read has no name."""
    try:
        return as_word(Label.decode(data).describe())
    except Malformed:
        return "?"
