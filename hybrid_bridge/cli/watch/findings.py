"""What a watcher makes of what it saw: late is not lying, and what cannot be told is neither. Pure.

A signature over a checkpoint binds whoever gave it to all leaves below its size. So a checkpoint that a quorum signed,
and a tree under another one that does not lead to its root, are a contradiction of people, not a fault of a network.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.evidence import span, utc
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import Address, Digest, SetId, TreeSize

LYING: Final = "lying"
LATE: Final = "late"
EVENT: Final = "event"
UNCLEAR: Final = "unclear"
CHAIN: Final = "the public chain"
FEW: Final = "few@"  # before a copy's name: what it shows that fewer than a quorum signed. No name has a @
STALE: Final = 3600  # seconds; public chains of today are final within a quarter of that
AHEAD: Final = 300  # seconds by which two clocks may differ
KEPT: Final = 8  # signed checkpoints of one source that nothing ties to one another: the first ones, and the newest

HELD: Final = "report_held"
NEVER: Final = SetId(0)  # before the first look

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "split_view": (LYING, "two signed histories of one log: keep the evidence, show it to the contract"),
    "equivocation": (
        LYING,
        "members signed two histories, too few to end the log: keep the evidence, the contract names them",
    ),
    "frozen": (LYING, "the contract holds proof that a quorum contradicted itself: trust no checkpoint after it"),
    "overdue": (LATE, "no anchor in time: ask the members and their relayers; what is anchored stays true"),
    "copy_behind": (LATE, "a member publishes less than is anchored, or than it did before: ask that member"),
    "copy_silent": (LATE, "a member's copy of the log does not answer: ask that member"),
    "paused": (EVENT, "the brake is on: ask the members for the reason; it ends by itself"),
    "retired": (EVENT, "the log has ended by a decision of its members"),
    "rotation_pending": (EVENT, "another set of validators will be responsible: see `hybrid-bridge members`"),
    "rotated": (EVENT, "another set of validators is responsible: see `hybrid-bridge members`"),
    "anchored_otherwise": (
        UNCLEAR,
        "a copy and the only endpoint that was asked contradict one another: bring more endpoints",
    ),
    "said_frozen": (UNCLEAR, "the only endpoint that was asked calls the log frozen: bring more endpoints"),
    "copy_early": (UNCLEAR, "a quorum signed for a time that has not come: look at your clock, then ask the members"),
    "copy_unsigned": (UNCLEAR, "a copy shows a checkpoint that no quorum signed: believe nothing of it"),
    "few_contradict": (
        UNCLEAR,
        "fewer than a quorum signed another history, and nobody is seen to have signed both: ask these members",
    ),
    "copy_untrue": (UNCLEAR, "a copy's tiles do not give the root under its own checkpoint: its server is broken"),
    "endpoint_disagrees": (UNCLEAR, "an endpoint answers otherwise than the others at one public block: replace it"),
    "endpoint_silent": (UNCLEAR, "an endpoint has no answer at that public block: replace it if it stays so"),
    "chain_stale": (UNCLEAR, "what the endpoints call final is old: they, or the public chain, stand still"),
    "chain_unclear": (UNCLEAR, "too few endpoints agree: bring more, or wait"),
    HELD: (
        UNCLEAR,
        "a report waits for the day's budget: raise --report-budget, or send it by `hybrid-bridge contract report`",
    ),
    "chain_went_back": (
        UNCLEAR,
        "what the endpoints call final was otherwise before, or they lag: replace them if it stays so",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is so now. `about` is whom it concerns; kind and about together are its name."""

    kind: str
    about: str
    detail: str

    @property
    def name(self) -> str:
        """The same for the same trouble, look after look."""
        return f"{self.kind}:{self.about}"

    @property
    def severity(self) -> str:
        """`lying`, `late`, `event` or `unclear`."""
        return KINDS[self.kind][0]

    @property
    def next_step(self) -> str:
        """What to do."""
        return KINDS[self.kind][1]

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "kind": self.kind,
            "about": self.about,
            "severity": self.severity,
            "detail": self.detail,
            "next_step": self.next_step,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint that a quorum signed. `note` is empty where the contract is the one that says so."""

    size: TreeSize
    root: Digest
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSight:
    """What enough endpoints agree on at one final public block, and who of them said otherwise."""

    at: PublicBlock
    head: Head
    voices: int = 2  # how many endpoints must agree
    disagreeing: tuple[tuple[str, str], ...] = ()  # endpoint, and what it says
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySight:
    """A member's public copy of the log. `trouble` is a kind above, or empty; then checkpoint and tree are there.

    A checkpoint that a quorum signed counts whatever became of the tiles: who hides those has still signed.
    """

    trouble: str = ""
    detail: str = ""
    signed: Signed | None = None
    tree: Tree | None = None
    few: Signed | None = None  # instead of `signed`: at least one member signed it, no quorum; the tree is under it


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A copy's tree, and a signed checkpoint of another source that it does not lead to."""

    copy: str
    source: str
    signed: Signed
    ours: Signed  # the copy's own
    is_proven: bool = True  # False: the other side is the word of one endpoint
    both: frozenset[Address] = frozenset()  # who signed both, where fewer than a quorum signed one

    @property
    def few(self) -> tuple[Signed, ...]:
        """The checkpoints of the two that fewer than a quorum signed."""
        pairs = zip(self.sides, (self.signed, self.ours), strict=True)
        return tuple(signed for name, signed in pairs if name.startswith(FEW))

    @property
    def sides(self) -> tuple[str, str]:
        """Whose the two are: the other source's, the copy's own."""
        return self.source, self.copy

    @property
    def kind(self) -> str:
        """Of the finding."""
        if self.few:
            return "equivocation" if self.both else "few_contradict"
        return "split_view" if self.is_proven else "anchored_otherwise"

    @property
    def finding(self) -> Finding:
        """As a finding."""
        detail = (
            f"at size {self.signed.size} {self.source} has root {self.signed.root.hex()}; "
            f"the history that {self.copy} shows under its checkpoint of size {self.ours.size} has another"
        )
        if self.both:
            detail += f"; both are signed by {', '.join(f'0x{one.hex()}' for one in sorted(self.both))}"
        return Finding(kind=self.kind, about=" / ".join(sorted((self.copy, self.source))), detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What was seen before, by source: the newest of the chain; of a copy each that no tree of its own leads to."""

    signed: Mapping[str, tuple[Signed, ...]]
    set_id: SetId = NEVER


Signers = Callable[[str], frozenset[Address]]


def with_few(copies: Mapping[str, CopySight]) -> dict[str, CopySight]:
    """What fewer than a quorum signed as sights of their own: they bind whoever signed, and nobody else."""
    few = {f"{FEW}{name}": CopySight(signed=s.few, tree=s.tree) for name, s in copies.items() if s.few is not None}
    return {**copies, **few}


def judge(
    chain: ChainSight | None,
    copies: Mapping[str, CopySight],
    before: Remembered,
    genesis: Genesis,
    now: int,
    why: str = "",
    signers: Signers = lambda _: frozenset(),
) -> tuple[list[Finding], list[Contradiction]]:
    """All that is so now.

    Args:
        chain: None if the endpoints did not agree; `why` says what was missing.
        copies: by name.
        before: what was remembered.
        genesis: of the log.
        now: Unix seconds.
        why: see `chain`.
        signers: of a note of this log.
    """
    findings = [Finding(kind="chain_unclear", about=CHAIN, detail=why)] if chain is None else []
    if chain is not None:
        findings += [*_of_endpoints(chain, before, now), *_of_log(chain, before, genesis)]
    head = None if chain is None else chain.head
    clock = now if chain is None else max(now, chain.at.time)
    for name, sight in copies.items():
        findings += _of_copy(name, sight, head, before.signed.get(name, ()), genesis, clock)
    contradictions = list(_contradictions(chain, with_few(copies), before, signers))
    return [*findings, *(one.finding for one in contradictions)], contradictions


def _of_copy(
    name: str, sight: CopySight, head: Head | None, known: Sequence[Signed], genesis: Genesis, clock: int
) -> Iterator[Finding]:
    """What one copy shows by itself. One that is behind its own word may be a cache's, until an anchor would be due."""
    signed = sight.signed
    if sight.trouble:
        yield Finding(kind=sight.trouble, about=name, detail=sight.detail)
    elif signed is not None and head is not None and signed.size < head.tree_size:
        detail = f"it ends at size {signed.size}; anchored is {head.tree_size}"
        yield Finding(kind="copy_behind", about=name, detail=detail)
    elif signed is not None and genesis.due_after(signed.size) < clock:
        shown = max((one.size for one in known), default=signed.size)
        if signed.size < shown:
            detail = f"it ends at size {signed.size}; it has shown {shown}"
            yield Finding(kind="copy_behind", about=name, detail=detail)
    if signed is not None and (ahead := genesis.checkpoint_timestamp(signed.size) - clock) > AHEAD:
        yield Finding(kind="copy_early", about=name, detail=f"size {signed.size} is reached in {span(ahead)}")


def _of_endpoints(chain: ChainSight, before: Remembered, now: int) -> Iterator[Finding]:
    head, at = chain.head, chain.at
    for endpoint, said in chain.disagreeing:
        yield Finding(kind="endpoint_disagrees", about=endpoint, detail=f"at public block {at.number} it says {said}")
    for endpoint in chain.silent:
        yield Finding(kind="endpoint_silent", about=endpoint, detail=f"it has no answer at public block {at.number}")
    if now - at.time > STALE:
        detail = f"public block {at.number} is of {utc(at.time)}, {span(now - at.time)} ago"
        yield Finding(kind="chain_stale", about=CHAIN, detail=detail)
    for known in before.signed.get(CHAIN, ()):
        if head.tree_size > known.size or (head.tree_size == known.size and head.root == known.root):
            continue
        detail = f"final was size {known.size}, root {known.root.hex()}; now size {head.tree_size}, {head.root.hex()}"
        yield Finding(kind="chain_went_back", about=CHAIN, detail=detail)


def _of_log(chain: ChainSight, before: Remembered, genesis: Genesis) -> Iterator[Finding]:
    head, at = chain.head, chain.at
    if head.state in ("paused", "frozen", "retired"):
        until = f" until {utc(head.paused_until)}" if head.state == "paused" else ""
        kind = "said_frozen" if head.state == "frozen" and chain.voices == 1 else head.state
        yield Finding(kind=kind, about=CHAIN, detail=f"the log is {head.state} at size {head.tree_size}{until}")
    if head.next_from_size:
        detail = f"from size {head.next_from_size} on, set {head.set_id + 1} is responsible"
        yield Finding(kind="rotation_pending", about=CHAIN, detail=detail)
    if before.set_id and head.set_id > before.set_id:
        yield Finding(kind="rotated", about=CHAIN, detail=f"set {head.set_id} follows set {before.set_id}")
    overdue = at.time - genesis.due_after(head.tree_size)
    if head.state == "active" and overdue > 0:
        detail = f"anchored up to size {head.tree_size}, {utc(head.timestamp)}; the next is late by {span(overdue)}"
        yield Finding(kind="overdue", about=CHAIN, detail=detail)


def _contradictions(
    chain: ChainSight | None, copies: Mapping[str, CopySight], before: Remembered, signers: Signers
) -> Iterator[Contradiction]:
    """Every signed checkpoint, seen now or before, against every copy that commits to leaves at its size; a pair once.

    The chain's word counts as it is now: what endpoints said once carries no signature.
    """
    known = [(source, one, True) for source, those in before.signed.items() if source != CHAIN for one in those]
    if chain is not None and chain.head.tree_size > 1:
        known.append((CHAIN, Signed(size=chain.head.tree_size, root=chain.head.root, note=""), chain.voices > 1))
    known += [(name, sight.signed, True) for name, sight in copies.items() if sight.signed is not None]
    found: dict[tuple[str, str], list[Contradiction]] = {}
    for name, sight in copies.items():
        if sight.signed is None:
            continue
        for source, signed, is_proven in known:
            if _root_at(sight, signed.size) in (None, signed.root):
                continue
            one = Contradiction(copy=name, source=source, signed=signed, ours=sight.signed, is_proven=is_proven)
            found.setdefault((min(name, source), max(name, source)), []).append(one)
    return (_telling([_named(one, signers) for one in those]) for those in found.values())


def _named(one: Contradiction, signers: Signers) -> Contradiction:
    """With those who signed both, where it is no quorum that accuses itself."""
    if not one.few or not one.signed.note:
        return one
    return replace(one, both=signers(one.signed.note) & signers(one.ours.note))


def _telling(those: Sequence[Contradiction]) -> Contradiction:
    """Of one pair the first that names somebody, best by two roots of one size: the contract takes those at once."""
    return max(those, key=lambda one: (bool(one.both), bool(one.both) and one.signed.size == one.ours.size))


def _root_at(sight: CopySight, size: TreeSize) -> Digest | None:
    """The root that a copy commits to; None if it does not, or hides it.

    Leaves beyond its checkpoint are of an earlier look, perhaps of one that broke off before any root was compared.
    """
    if sight.signed is None or size > sight.signed.size:
        return None
    if sight.signed.size == size:
        return sight.signed.root
    return None if sight.tree is None else sight.tree.root(size)


def remember(
    chain: ChainSight | None,
    copies: Mapping[str, CopySight],
    before: Remembered,
    contradictions: list[Contradiction],
) -> Remembered:
    """All that binds each source. Who once signed another history stays bound to it, whatever is shown later.

    Of sources that are watched no more only those that contradict are kept.
    """
    accused = {one.copy for one in contradictions} | {one.source for one in contradictions}
    watched = {CHAIN, *copies, *(f"{FEW}{name}" for name in copies)}
    signed = {name: those for name, those in before.signed.items() if name in watched | accused}
    for name, sight in with_few(copies).items():
        if sight.signed is not None:
            signed[name] = _bound(signed.get(name, ()), sight.signed, sight.tree)
    if chain is None or chain.head.tree_size < 2:
        return Remembered(signed=signed, set_id=before.set_id)
    signed[CHAIN] = (Signed(size=chain.head.tree_size, root=chain.head.root, note=""),)
    return Remembered(signed=signed, set_id=max(before.set_id, chain.head.set_id))


def _bound(known: tuple[Signed, ...], new: Signed, tree: Tree | None) -> tuple[Signed, ...]:
    """With a new one. A tree that leads to several replaces them by the largest, which commits to all of them.

    Who hides the tiles is believed nothing: neither that the new one continues the others, nor that it does not.
    """
    is_known = any((one.size, one.root) == (new.size, new.root) for one in known)
    every = known if is_known else (*known, new)
    led = [one for one in every if tree is not None and one.size <= tree.size and tree.root(one.size) == one.root]
    largest = max(led, key=lambda one: one.size, default=None)
    kept = tuple(one for one in every if one not in led or one is largest)
    return kept if len(kept) <= KEPT else (*kept[: KEPT - 1], kept[-1])


def still(findings: list[Finding], before: list[Finding], unseen: Collection[str]) -> list[Finding]:
    """With what was so before and cannot have ended: a proven lie, and what concerns somebody who was not seen now."""
    names = {finding.name for finding in findings}
    kept = [one for one in before if one.name not in names and (one.severity == LYING or one.about in unseen)]
    return [*findings, *kept]


def exit_code(findings: list[Finding]) -> int:
    """Of one look: 1 somebody lies, 3 late or unclear, 0 neither (events are no trouble)."""
    severities = {finding.severity for finding in findings}
    return 1 if LYING in severities else 3 if severities & {LATE, UNCLEAR} else 0


def worst_first(findings: list[Finding]) -> list[Finding]:
    """For people: lies before delays before what is unclear before events."""
    order = (LYING, LATE, UNCLEAR, EVENT)
    return sorted(findings, key=lambda finding: (order.index(finding.severity), finding.name))
