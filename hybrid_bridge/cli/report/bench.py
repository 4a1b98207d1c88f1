"""Where commands are gathered: each once, in order, and a leaf's whole way up a tree of RFC 6962."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.model import Step
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.proof import node_hash

MAX_STEPS: Final = 600  # commands in a report; a reader of more needs the script


@dataclass(slots=True)
class Bench:
    """Steps in order, each command once: two fields of one record share the nodes above them."""

    t: Words
    steps: list[Step] = field(default_factory=list)
    left_out: int = 0
    is_opening: bool = True  # of a file that did not hold, nothing is opened
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, title: str, command: str | None, value: str, stated: str = "", where: str = "") -> None:
        """One more, unless it stands there already, cannot be said in plain shell, or the report is full."""
        if command is None or (command, stated) in self._seen:
            return
        if len(self.steps) >= MAX_STEPS:
            self.left_out += 1
            return
        self._seen.add((command, stated))
        self.steps.append(Step(title=title, command=command, value=value, stated=stated, where=where))


@dataclass(frozen=True, slots=True)
class Climb:
    """A leaf's way up: what it is called, its hash, where it stands, the siblings, and the root it must reach."""

    name: str
    leaf: bytes
    index: int
    size: int
    path: Sequence[bytes]
    root: bytes
    where: str


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def climb(bench: Bench, way: Climb) -> None:
    """Every node from the leaf to the root, and there the value that is stated elsewhere."""
    nodes = list(_nodes(way))
    if not nodes:  # a tree of one
        title = bench.t("step.root", name=way.name, level=0)
        bench.add(title, f"echo {way.leaf.hex()}", way.leaf.hex(), way.root.hex(), way.where)
    for level, (left, right, value) in enumerate(nodes, start=1):
        is_top = level == len(nodes)
        title = bench.t("step.root" if is_top else "step.node", name=way.name, level=level)
        command = shell.sha256_of_hex("01", left.hex(), right.hex())
        bench.add(title, command, value.hex(), way.root.hex() if is_top else "", way.where if is_top else "")


def _nodes(way: Climb) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Left, right and what they give, level by level (RFC 9162 §2.1.3.2); lengths are checked by `verify`."""
    inner = (way.index ^ (way.size - 1)).bit_length() if way.size else 0
    value: bytes = way.leaf
    for level, sibling in enumerate(way.path):
        is_right = level >= inner or bool(way.index >> level & 1)
        left, right = (sibling, value) if is_right else (value, sibling)
        value = node_hash(left, right)
        yield left, right, value
