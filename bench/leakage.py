"""What whoever has all public bytes can infer about volume, identity and timing, measured on the receivables set.

`python -m bench.leakage` prints the tables of docs/explanation/leakage.md (about two minutes); the tests measure the
same with the same functions. Time here is the ledger's clock; ladders are those that a founding gives by default.
"""

import hashlib
import hmac
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hybrid_bridge.core import edwards25519 as curve
from hybrid_bridge.core import vrf
from hybrid_bridge.core.attestation import Checkpoint, boundary
from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.encoding import b64u, parse_b64u, sha256
from hybrid_bridge.core.epoch import EPOCH_TYPE, closed_at
from hybrid_bridge.core.labels import Label, alpha, normalised
from hybrid_bridge.core.registry import Delta, genesis_tree
from hybrid_bridge.core.secret import Secret
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.node.founding import Plan
from hybrid_bridge.steps.batch import Closed, ClosingKeys, EpochBlocks, close_epoch
from hybrid_bridge.testing.datasets.play import read_lines
from hybrid_bridge.testing.datasets.receivables import generate
from hybrid_bridge.testing.datasets.story import CADENCE, START
from hybrid_bridge.units import EpochNumber, Height, SetId
from tests.bundles import consortium
from tests.ledger import ORIGIN, VRF_SEED, MemoryLedger, validator_entry

DEFAULTS = tuple(Plan.__dataclass_fields__[f"{tree}_ladder"].default for tree in ("batch", "registry"))
FINE = (sum(1 << k for k in range(3, 11)),) * 2  # every power of two from 8 on
LADDERS = {"as founded by default": DEFAULTS, "every power of two from 8": FINE}
K_SET = b"\x42" * 32  # of tests.ledger
E_INVOICE = 2
SLOTS = 60  # of an epoch, as a founding with a cadence of 600 s has them
CANDIDATES = 1_000_000
WORDS = [part.split()[1] for part in EPOCH_TYPE[EPOCH_TYPE.index("(") + 1 : -1].split(",")]
EVENT = ["logId", "treeSize", "root", "timestamp", "setId", "signers"]


@dataclass(frozen=True)
class Truth:
    """What really was in an epoch: what an observer would like to know."""

    records: int  # refusals included
    labels: int
    submitters: int


@dataclass
class Run:
    """One life of the ledger: what was public, and what was true."""

    ledger: MemoryLedger
    files: Any
    events: list[dict[str, Any]]
    closed: list[Closed] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    log: Tree = field(default_factory=Tree)
    deltas: list[bytes] = field(default_factory=list)

    @property
    def genesis(self):
        return self.ledger.rules.genesis

    def anchored(self) -> list[list[int]]:
        """The words of each checkpoint's event on the public chain."""
        rows = []
        for size in range(2, len(self.closed) + 2):
            shown = Checkpoint(
                log_id=self.ledger.log_id,
                tree_size=size,
                root=self.log.root(size),
                timestamp=boundary(self.genesis.genesis_time, self.genesis.cadence, size),
                set_id=SetId(1),
                set_hash=self.validators.digest,
            )
            root = int.from_bytes(shown.root, "big")
            signers = len(self.ledger.nodes)
            rows.append([int.from_bytes(shown.log_id, "big"), size, root, shown.timestamp, shown.set_id, signers])
        return rows

    def records(self) -> list[list[int]]:
        """The words of each epoch record."""
        data = [one.record.encode() for one in self.closed]
        return [[int.from_bytes(row[at : at + 32], "big") for at in range(32, len(row), 32)] for row in data]

    @property
    def validators(self) -> ValidatorSet:
        entries = sorted(map(validator_entry, self.ledger.nodes), key=lambda entry: entry.address)
        return ValidatorSet(SetId(1), tuple(entries))

    def public_bytes(self) -> bytes:
        """All that is public, and the epoch records and deltas beside it."""
        leaves = [self.log.root(size) for size in range(1, len(self.closed) + 2)]
        notes = [f"{ORIGIN}\n{size}\n{b64u(root)}\n".encode() for size, root in enumerate(leaves, 1)]
        records = [self.genesis.encode(), *(one.record.encode() for one in self.closed)]
        return b"".join([*leaves, *notes, *records, *self.deltas])

    def indices(self) -> set[bytes]:
        """Every registry index that any delta shows, dummies and all."""
        return {index for one in self.closed for index, _ in one.pairs}

    @property
    def secret(self) -> Secret:
        return Secret(K_SET, self.genesis.origin_hash)


def play(ladders: tuple[int, int] = DEFAULTS, slots: int = 0) -> Run:
    """The whole set at its own times: a block for each transaction, as a node makes them when they come one by one.

    With `slots` every epoch has so many blocks, as a sequencer makes them by the clock; a busy one must fit.
    """
    files = generate().files
    ledger = MemoryLedger.of_dataset(files, ladder=ladders[0], registry_ladder=ladders[1])
    run = Run(ledger, files, read_lines(files["events.jsonl"]))
    run.log.append(ledger.log_id)
    registry, first = genesis_tree(run.secret, run.genesis.registry_ladder), 0
    by_epoch = defaultdict(list)
    for event in run.events:
        by_epoch[(event["at"] - START) // CADENCE + 1].append(event)
    for epoch in range(1, max(by_epoch) + 1):
        for event in by_epoch[epoch]:
            ledger.play(event)
        if not by_epoch[epoch]:
            ledger.block(time=START + (epoch - 1) * CADENCE)  # one at least, empty if need be
        while len(ledger.outcomes) - first < slots:
            ledger.block(time=START + epoch * CADENCE - 1)
        outcomes, first = ledger.outcomes[first:], len(ledger.outcomes)
        registry = _close(run, outcomes, registry)
    return run


def _close(run: Run, outcomes: Sequence[Any], registry: Any) -> Any:
    before = run.closed[-1].record if run.closed else None
    senders = {sent.submitter for outcome in outcomes for sent in outcome.transactions}
    blocks = EpochBlocks(
        first_block=outcomes[0].height,
        end_block=Height(outcomes[-1].height + 1),
        last_block_hash=sha256(b"block %d" % outcomes[-1].height),
        entries=[entry for outcome in outcomes for entry in outcome.entries],
        identity_ops=[op for outcome in outcomes for op in outcome.identity_ops],
        life_events=[event for outcome in outcomes for event in outcome.life_events],
        governance_size=outcomes[-1].governance_size,
        governance_root=outcomes[-1].governance_root,
        beacon=None,
        brake_until=EpochNumber(0),
        submitters=len(senders),
    )
    keys = ClosingKeys(secret=run.secret, vrf_seed=VRF_SEED)
    closed = close_epoch(run.genesis, before, registry, blocks, keys=keys, validators=run.validators)
    labels = len(blocks.identity_ops) + len(blocks.life_events)
    run.truths.append(Truth(len(blocks.entries), labels, len(senders)))
    run.closed.append(closed)
    run.log.append(closed.record.leaf)
    roots = (registry.root, closed.registry.root)
    delta = Delta(
        log_id=run.ledger.log_id, epoch=closed.record.epoch, old_root=roots[0], new_root=roots[1], pairs=closed.pairs
    )
    run.deltas.append(delta.encode())
    return closed.registry


# ── volume ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def kind_of(column: Sequence[int]) -> str:
    """What a word is over all epochs: constant, clock (equal steps), hash (never twice, no order), or telling."""
    steps = {after - before for before, after in pairwise(column)}
    if steps == {0}:
        return "constant"
    if len(steps) == 1:
        return "clock"
    if len(set(column)) == len(column) and min(column) > 1 << 200:
        return "hash"
    return "telling"


def advantage(seen: Sequence[int], busy: Sequence[bool]) -> float:
    """How much better than blind the best guess "idle or busy" is, from 0 to 1: the distance of the distributions."""
    counts = [
        Counter(value for value, is_busy in zip(seen, busy, strict=True) if is_busy is which) for which in (False, True)
    ]
    totals = [max(sum(count.values()), 1) for count in counts]
    return sum(abs(counts[0][v] / totals[0] - counts[1][v] / totals[1]) for v in set(seen)) / 2


def growing(column: Sequence[int]) -> bool:
    return all(after >= before for before, after in pairwise(column))


@dataclass(frozen=True)
class Seen:
    """One public number over all epochs but the first (in which the members are admitted)."""

    name: str
    kind: str
    advantage: float  # telling idle from busy
    exact: float  # share of busy epochs in which it is the number of records itself


def look(names: Sequence[str], rows: Sequence[Sequence[int]], truths: Sequence[Truth]) -> list[Seen]:
    """Every word, judged. Of a number that only grows, its steps are looked at."""
    busy, found = [truth.records > 0 for truth in truths[1:]], []
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        kind = kind_of(column[1:])
        seen = [after - before for before, after in pairwise(column)] if growing(column) else list(column[1:])
        if kind != "telling":
            seen = [0] * len(busy)  # the same for idle and busy, or fresh each time
        exact = sum(value == truth.records > 0 for value, truth in zip(seen, truths[1:], strict=True)) / sum(busy)
        found.append(Seen(name, kind, advantage(seen, busy), exact))
    return found


def rungs(run: Run) -> dict[str, dict[int, list[int]]]:
    """For each rung that shows, the real counts behind it."""
    behind: dict[str, dict[int, list[int]]] = {"batch": defaultdict(list), "registry": defaultdict(list)}
    for closed, truth in zip(run.closed, run.truths, strict=True):
        behind["batch"][closed.record.batch_size].append(truth.records)
        behind["registry"][len(closed.pairs)].append(truth.labels)
    return behind


# ── identity ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def subjects(files: Any) -> dict[str, set[bytes]]:
    """Everything that names somebody or something in the set, in each spelling in which bytes could hold it."""
    found: dict[str, set[bytes]] = defaultdict(set)
    for event in read_lines(files["events.jsonl"]):
        for name, value in event["fields"].items():
            if isinstance(value, str) and len(value) >= 6:
                found["values of fields" if name != "object" else "objects"] |= spellings(value)
        for row in event.get("labels", ()):
            found["labels"] |= {part for text in row["parts"] if len(text) >= 6 for part in spellings(text)}
            found["labels"].add(normalised(row["type"], *row["parts"]).encode())
    return found


def spellings(value: str) -> set[bytes]:
    """As text, as the bytes behind hex, and hashed."""
    found = {value.encode(), sha256(value.encode())}
    if len(value) == 32 and set(value) <= set("0123456789abcdef"):
        found.add(bytes.fromhex(value))
    return found


def named(data: bytes, wanted: Iterable[bytes]) -> list[bytes]:
    return [text for text in wanted if text in data]


def opened_bytes(bundle: Bundle) -> bytes:
    """A bundle and, in the clear, whatever its disclosures hold."""
    texts = [part.value for epoch in bundle.epochs for entry in epoch.entries for part in entry.disclosures]
    return bundle.encode() + b"".join(parse_b64u(text, "disclosure") for text in texts)


def of_others() -> tuple[int, list[str], int]:
    """In a bundle that opens two fields of one record: values of other records searched for, those found; claims of it kept back."""
    world = consortium()
    shown = world.bundle(4, world.epoch_part(1, 4, entries=(world.entry(0, "ccy"),)))
    data = opened_bytes(shown)
    texts = {
        value
        for event in world.events
        for value in event["fields"].values()
        if isinstance(value, str) and len(value) >= 6
    }
    return len(texts), sorted(text for text in texts if any(form in data for form in spellings(text))), len(data)


# ── enumeration ──────────────────────────────────────────────────────────────────────────────────────────────────────


def true_labels(run: Run) -> list[Label]:
    """The e-invoices that the ledger took."""
    rows = [row for event in run.events for row in event.get("labels", ()) if row["type"] == E_INVOICE]
    return list({normalised(row["type"], *row["parts"]) for row in rows})


def candidates(run: Run, count: int) -> Iterator[str]:
    """What an attacker who knows how numbers are made would try: all true ones, and those that follow one of them."""
    true = sorted(label.parts[1] for label in true_labels(run))
    yield from true
    yield from (f"{int(true[0]) + step:020d}" for step in range(1, count - len(true) + 1))


def guesses(public_key: bytes, data: bytes) -> Iterator[bytes]:
    """Every index that public bytes alone make of a candidate: plain hashes, hashes keyed by the public key, and the
    VRF's own public steps (RFC 9381 §5.4.1.1, §5.2) as if the secret were 1.
    """
    point = hashlib.sha512(b"\x03\x01" + public_key + data + b"\x00\x00").digest()
    yield hashlib.sha256(data).digest()
    yield hashlib.sha512(data).digest()[:32]
    yield hashlib.sha256(b"\x00" + data).digest()
    yield hmac.digest(public_key, data, "sha256")
    yield point[:32]
    yield hashlib.sha512(b"\x03\x03" + point[:32] + b"\x00").digest()[:32]


def curve_guesses(public_key: bytes, data: bytes) -> Iterator[bytes]:
    """Beyond hashes: the candidate's point itself, as output, added to the key, and times eight."""
    point = vrf._to_curve(public_key, data)
    for guess in (point, curve.add(point, public_key), curve.times_cofactor(point) or b""):
        yield guess
        yield hashlib.sha512(b"\x03\x03" + guess + b"\x00").digest()[:32]


def attack(run: Run, count: int, guess: Callable[[bytes, bytes], Iterator[bytes]]) -> tuple[int, int]:
    """Candidates tried, and how many guesses are an index that the registry shows."""
    public_key, indices, hits = run.genesis.vrf_public_key, run.indices(), 0
    true = true_labels(run)[0]
    before, after = alpha(run.ledger.log_id, true, 0).split(true.parts[1].encode())  # all have one length
    for number in candidates(run, count):
        hits += sum(one in indices for one in guess(public_key, before + number.encode() + after))
    return count, hits


def holder(run: Run, count: int) -> tuple[int, int]:
    """The same by who holds the VRF key: candidates tried, and those found."""
    indices, hits = run.indices(), 0
    for number in candidates(run, count):
        label = normalised(E_INVOICE, "CN", number)
        output = vrf.proof_output(vrf.prove(VRF_SEED, alpha(run.ledger.log_id, label, 0)))
        hits += vrf.index_of(output) in indices
    return count, hits


# ── the tables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def tables() -> Iterator[str]:
    runs = {name: play(ladders) for name, ladders in LADDERS.items()}
    daily = runs["as founded by default"]
    yield from volume(daily)
    yield ""
    yield from clocked(play(slots=SLOTS))
    yield "\n| tree | ladder | rung that shows | epochs on it | real count behind it |"
    yield "|---|---|--:|--:|--:|"
    for name, run in runs.items():
        yield from behind(name, run)
    yield from identity(daily)
    yield from enumeration(daily)


def volume(run: Run) -> Iterator[str]:
    """Every word of events and epoch records."""
    idle = sum(truth.records == 0 for truth in run.truths)
    most = max(truth.records for truth in run.truths)
    yield f"{len(run.events)} events in {len(run.closed)} epochs of a day: {idle} idle, the busiest with {most} records.\n"
    yield "| who sees it | word | what it is | tells idle from busy | names the count |"
    yield "|---|---|---|--:|--:|"
    for who, names, rows in (
        ("everybody: event on the public chain", EVENT, run.anchored()),
        ("holders of the epoch record", WORDS, run.records()),
    ):
        for seen in look(names, rows, run.truths):
            told = "–" if seen.kind == "hash" else f"{seen.advantage:.2f}"
            exact = f"{seen.exact:.0%}" if seen.kind == "telling" else "–"
            yield f"| {who} | {seen.name} | {seen.kind} | {told} | {exact} |"


def clocked(run: Run) -> Iterator[str]:
    """The block range of an epoch whose blocks were made by the clock."""
    yield f"| block range, {SLOTS} slots an epoch | what it is | tells idle from busy |"
    yield "|---|---|--:|"
    for seen in look(WORDS, run.records(), run.truths):
        if seen.name.endswith("Block"):
            yield f"| {seen.name} | {seen.kind} | {seen.advantage:.2f} |"


def behind(name: str, run: Run) -> Iterator[str]:
    """Rungs, and what was behind them."""
    for tree, sizes in rungs(run).items():
        for size, real in sorted(sizes.items()):
            yield f"| {tree} | {name} | {size} | {len(real)} | {min(real)} – {max(real)} |"


def identity(run: Run) -> Iterator[str]:
    """Names, numbers and times."""
    yield "\n| looked for | how many | found in events, notes, epoch records, deltas |"
    yield "|---|--:|--:|"
    data = run.public_bytes()
    for what, texts in sorted(subjects(run.files).items()):
        yield f"| {what} | {len(texts)} | {len(named(data, texts))} |"
    searched, found, _ = of_others()
    yield f"\nIn a bundle that opens one field of one record: {searched} values searched, {len(found)} found: {', '.join(found)}."
    on_time = sum(one.record.closed_at == closed_at(run.genesis, one.record.epoch) for one in run.closed)
    yield f"\nTimes that follow from the clock alone: {on_time} of {len(run.closed)} epoch records."


def enumeration(run: Run) -> Iterator[str]:
    """Candidates against indices."""
    yield "\n| who | candidates | true ones among them | indices compared with | found | CPU per candidate |"
    yield "|---|--:|--:|--:|--:|--:|"
    true, indices = len(true_labels(run)), len(run.indices())
    for who, count, work in (
        ("no key: six hashes a candidate", CANDIDATES, lambda n: attack(run, n, guesses)),
        ("no key: six guesses with curve arithmetic", 20_000, lambda n: attack(run, n, curve_guesses)),
        ("holder of the VRF key", 20_000, lambda n: holder(run, n)),
    ):
        began = time.process_time()
        tried, hits = work(count)
        each = (time.process_time() - began) / tried * 1e6
        yield f"| {who} | {tried:,} | {true} | {indices:,} | **{hits}** | {each:.1f} µs |"


if __name__ == "__main__":
    for line in tables():
        print(line, flush=True)
    sys.exit(0)
