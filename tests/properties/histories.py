"""A log that lives by whatever a property test thinks of, over the real steps, beside a model of dictionaries.

Real: batches, registry, records, governance tree, checkpoints, guards, signatures. The model knows what was entered in
which epoch, and nothing of trees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from hybrid_bridge.business.ruling import LifeEvent
from hybrid_bridge.core import vrf
from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry, RefusalEntry, entry_leaf
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.governance import SetUpdate
from hybrid_bridge.core.guard import Highest, Statement, is_repeat
from hybrid_bridge.core.label_table import label_table_hash
from hybrid_bridge.core.labels import Label, life
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.registry import Delta, genesis_tree
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet, name_hash
from hybrid_bridge.ports import SigningPermit
from hybrid_bridge.steps.attest import attest, checkpoint_of
from hybrid_bridge.steps.batch import Closed, ClosingKeys, EpochBlocks, close_epoch, label_index
from hybrid_bridge.units import (
    Address,
    Commitment,
    Digest,
    EcdsaSignature,
    EpochNumber,
    Height,
    LogId,
    RecordType,
    RegistryIndex,
    Seconds,
    SetId,
    TransactionId,
    TreeSize,
    UnixSeconds,
)

ORIGIN = "histories.example/log"
VRF_SEED = sha256(b"vrf of histories")
LADDER = 1 << 3 | 1 << 5
CODE = "0x0102"


def number(text: str) -> Digest:
    return sha256(text.encode())


@dataclass(frozen=True)
class Key:
    """An attestation key."""

    secret: bytes

    def address(self) -> Address:
        return address_of(public_key_of(self.secret))

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        return sign_digest(self.secret, permit.digest)


class MemoryGuard:
    """The guard's rules over a dictionary."""

    def __init__(self, log_id: LogId) -> None:
        self._highest = Highest(TreeSize(1), Digest(log_id))
        self._digests: dict[TreeSize, Digest] = {}
        self._signatures: dict[TreeSize, EcdsaSignature] = {}

    def highest(self) -> tuple[TreeSize, Digest]:
        return self._highest.size, self._highest.root

    def permit(self, size: TreeSize, root: Digest, digest: Digest, path: Sequence[Digest]) -> SigningPermit:
        if not is_repeat(Statement(size, root, digest), self._digests.get(size), self._highest, path):
            self._digests[size], self._highest = digest, Highest(size, root)
        return SigningPermit(digest, size)

    def signed(self, permit: SigningPermit, signature: EcdsaSignature) -> None:
        self._signatures[permit.size] = signature

    def stored(self, size: TreeSize) -> EcdsaSignature | None:
        return self._signatures.get(size)


@cache
def keys_of(set_number: int, count: int) -> tuple[Key, ...]:
    """Keys in address order. Two sets may share some: a member stays."""
    made = [Key(number(f"key {(set_number + k) % 6}")) for k in range(count)]
    return tuple(sorted(made, key=lambda key: key.address()))


def set_of(set_id: int, keys: Sequence[Key]) -> ValidatorSet:
    entries = tuple(
        ValidatorEntry(
            key.address(), name_hash(f"LEI:{k}", f"Member {k}"), number(f"certificate {k}"), number("binding")
        )
        for k, key in enumerate(keys)
    )
    return ValidatorSet(SetId(set_id), entries)


@dataclass(frozen=True)
class Term:
    """A set, the first size it is responsible for, and its secrets."""

    first_size: int
    validators: ValidatorSet
    keys: tuple[Key, ...]
    secret: Secret


@cache
def registered(genesis: Genesis, asset: int) -> RegistryIndex:
    """The index of an asset's identity label."""
    return label_index(genesis, VRF_SEED, Label(12, ("ZDW", str(asset))), 0)[0]


@cache
def lived(genesis: Genesis, asset: int, version: int) -> RegistryIndex:
    return label_index(genesis, VRF_SEED, life("asset", f"{asset:032x}"), version)[0]


@dataclass
class Epoch:
    """What goes into the next epoch."""

    entries: list[bytes] = field(default_factory=list)
    ops: list[tuple[RegistryIndex, Commitment]] = field(default_factory=list)
    events: list[LifeEvent] = field(default_factory=list)


class History:
    """The log, and the model: by epoch, what was entered and which indices stand since."""

    def __init__(self, count: int) -> None:
        keys = keys_of(0, count)
        first, secret = set_of(1, keys), Secret(number("K_1"), origin_hash(ORIGIN))
        self.genesis = genesis_of(first, secret)
        self.terms = [Term(1, first, keys, secret)]
        self.governance = [self.genesis.encode()]
        self.updates: list[tuple[SetUpdate, int]] = []  # and the epoch in which it was committed
        self.closed: list[Closed] = []
        self.log = Tree()
        self.log.append(Digest(self.genesis.log_id))
        self.guards: dict[Address, MemoryGuard] = {}
        self.checkpoints: list[tuple[Checkpoint, tuple[EcdsaSignature, ...]]] = []
        self.next = Epoch()
        self.written = 0
        # the model
        self.leaves: dict[int, set[Digest]] = {}  # epoch → leaves entered
        self.standing: dict[RegistryIndex, int] = {}  # index → epoch since when it stands
        self.commitments: dict[RegistryIndex, Commitment] = {}  # of identity labels
        self.versions: dict[int, int] = {}  # asset → life events so far

    @property
    def epoch(self) -> int:
        """The one that runs."""
        return len(self.closed) + 1

    def term_of(self, size: int) -> Term:
        return [term for term in self.terms if term.first_size <= size][-1]

    # ── what members do ──

    def _entry(self) -> bytes:
        self.written += 1
        entry = RecordEntry(RecordType(0x0102), 8, number(f"record {self.written}")).encode()
        self.next.entries.append(entry)
        return entry

    def insert(self, asset: int) -> None:
        """Bring an asset: its label and its first life event. Once brought, it is a second pledge."""
        index = registered(self.genesis, asset)
        pair = index, Commitment(number(f"commitment {asset} {self.written}"))
        self.next.ops.append(pair)  # a validator cannot see what the index is; the registry keeps the first
        if index in self.standing:
            self.written += 1
            self.next.entries.append(RefusalEntry(TransactionId(number(f"refused {self.written}"))).encode())
            return
        self.standing[index], self.commitments[index] = self.epoch, pair[1]
        self.live(asset)

    def live(self, asset: int) -> None:
        """One more event: confirmed, pledged, released; of what was never brought too."""
        version = self.versions.get(asset, 0)
        leaf = entry_leaf(self._entry())
        event = LifeEvent(
            object_type="asset", object_id=f"{asset:032x}", version=version, code=CODE, entry_leaf=leaf,
            state={"state": f"S{version}"},
        )  # fmt: skip
        self.next.events.append(event)
        self.versions[asset] = version + 1
        self.standing[lived(self.genesis, asset, version)] = self.epoch

    def rotate(self, count: int) -> None:
        """Commit a set update, once an epoch and only when the one before has taken effect."""
        if self.terms[-1].first_size > self.epoch or (self.updates and self.updates[-1][1] == self.epoch):
            return
        set_id, keys = len(self.terms) + 1, keys_of(len(self.terms), count)
        new, secret = set_of(set_id, keys), Secret(number(f"K_{set_id}"), origin_hash(ORIGIN))
        size = TreeSize(self.epoch + 2)
        update = SetUpdate(
            log_id=self.genesis.log_id,
            previous_set_hash=self.terms[-1].validators.digest,
            set_hash=new.digest,
            effective_from_size=size,
            decoy_key_hash=decoy_key_hash(secret.k_set),
            validators=new,
        )
        self.governance.append(update.encode())
        self.updates.append((update, self.epoch))
        self.terms.append(Term(size, new, keys, secret))

    # ── what validators do ──

    def close(self) -> None:
        """End the epoch: batch, then attest by every member of the responsible set."""
        epoch, size = self.epoch, TreeSize(self.epoch + 1)
        before = self.closed[-1] if self.closed else None
        term, tree = self.term_of(size), self.governance_tree()
        first = Height(1 if before is None else before.record.end_block)
        has_block = bool(
            self.next.entries or len(self.governance) > (1 if before is None else before.record.governance_size)
        )
        blocks = EpochBlocks(
            first_block=first,
            end_block=Height(first + has_block),
            last_block_hash=number(f"block {first}") if has_block else None,
            entries=self.next.entries,
            identity_ops=self.next.ops,
            life_events=self.next.events,
            governance_size=tree.size,
            governance_root=tree.root(),
            beacon=None,
            brake_until=EpochNumber(0),
            submitters=1,
        )
        start = genesis_tree(self.terms[0].secret, LADDER) if before is None else before.registry
        keys = ClosingKeys(secret=term.secret, vrf_seed=VRF_SEED)
        previous = None if before is None else before.record
        closed = close_epoch(self.genesis, previous, start, blocks, keys=keys, validators=term.validators)
        self.closed.append(closed)
        self.log.append(closed.record.leaf)
        self.leaves[epoch] = {entry_leaf(entry) for entry in self.next.entries}
        self.next = Epoch()
        checkpoint = checkpoint_of(self.genesis, term.validators, self.log, size)
        signatures = tuple(self.attest(checkpoint, term, key) for key in term.keys)
        self.checkpoints.append((checkpoint, signatures))

    def attest(self, checkpoint: Checkpoint, term: Term, key: Key) -> EcdsaSignature:
        guard = self.guards.setdefault(key.address(), MemoryGuard(self.genesis.log_id))
        return attest(checkpoint, term.validators, self.log, guard, key)

    def governance_tree(self, count: int | None = None) -> Tree:
        tree = Tree()
        tree.extend([leaf_hash(record) for record in self.governance[:count]])
        return tree

    # ── what auditors read ──

    def deltas(self) -> list[tuple[bytes, Delta]]:
        """Each epoch's record and what it inserted, from the founding on."""
        start = genesis_tree(self.terms[0].secret, LADDER)
        found = [
            self._delta(
                0,
                Digest(bytes(32)),
                start.root,
                tuple(sorted(self.terms[0].secret.dummy(EpochNumber(0), i) for i in range(8))),
            )
        ]
        records, old = [self.genesis.encode()], start.root
        for e, closed in enumerate(self.closed, 1):
            found.append(self._delta(e, old, closed.registry.root, closed.pairs))
            records.append(closed.record.encode())
            old = closed.registry.root
        return list(zip(records, found, strict=True))

    def _delta(self, e: int, old: Digest, new: Digest, pairs: Sequence[tuple[RegistryIndex, Commitment]]) -> Delta:
        return Delta(log_id=self.genesis.log_id, epoch=EpochNumber(e), old_root=old, new_root=new, pairs=tuple(pairs))


def genesis_of(first: ValidatorSet, secret: Secret) -> Genesis:
    return Genesis(
        origin_hash=origin_hash(ORIGIN),
        genesis_time=UnixSeconds(1_800_000_000),
        cadence=Seconds(600),
        grace=Seconds(1_800),
        promise_delay=6,
        batch_ladder=LADDER,
        registry_ladder=LADDER,
        vrf_public_key=vrf.public_key(VRF_SEED),
        registry_root=genesis_tree(secret, LADDER).root,
        label_table_hash=label_table_hash(),
        set_hash=first.digest,
        decoy_key_hash=decoy_key_hash(secret.k_set),
        log_key=vrf.public_key(number("log key")),
        guardian=Address(bytes(20)),
        pause_max=Seconds(86_400),
        ledger_id=number("ledger"),
        first_block=Height(1),
        policy_hash=number("policy"),
    )
