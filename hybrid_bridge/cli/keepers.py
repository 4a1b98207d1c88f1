"""Who keeps a log's accounts, put together: sets, names that were opened, signatures, silence, independence. Pure.

Everything here is either computed (hashes, signatures) or has a mark that says whose word it is. `members` prints it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from hybrid_bridge.cli.openings import Keeper, Openings, keeper_of
from hybrid_bridge.core.attestation import checkpoint_of, signers_within
from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.independence import Independence, independence
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import Missing, SetMismatch
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Address, Digest, LogId, SetId, TreeSize, TxHash, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.keepers import Kept, SetEvent
BY_ROOTS: Final = "names certified by your roots"  # whose word a count of entities rests on


# ── sets and anchors ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSet:
    """One validator set of the log."""

    set_id: SetId
    from_size: TreeSize
    to_size: TreeSize | None  # None: no later set is known
    state: str  # "past", "in force" or "pending"
    transaction: TxHash
    keepers: tuple[Keeper, ...]
    independence: Independence
    counted: str  # whose word the entities rest on


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSize:
    """One checkpoint and whose signatures were seen; `unseen` are named by the contract's event alone."""

    size: TreeSize
    at: UnixSeconds  # the boundary of the clock that it is of
    set_id: SetId
    source: str  # a transaction, or the file of a note
    signers: tuple[Address, ...]
    unseen: tuple[Address, ...] = ()
    cosigned: tuple[str, ...] = ()  # names of other lines under a note, which nobody here judges
    is_whole: bool = True  # whether not to stand here says anything: no quorum, or no calldata, shows only some


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A key of the set in force that is not among the signers of the newest checkpoints looked at.

    Whom the contract names has signed, even where nobody shows the signature.
    """

    address: Address
    last_size: TreeSize | None  # the last one with its signature; None: in none of them
    last_at: UnixSeconds | None
    missed: int  # checkpoints looked at after that one
    is_told: bool  # whether any of this rests on whom the contract names, and not on signatures alone


def decode_sets(genesis: Genesis, events: Sequence["SetEvent"]) -> list[ValidatorSet]:
    """The sets of the events, each against its hash, the first against the genesis record.

    Raises:
        SetMismatch: entries that do not give the set's hash.
        Missing: events that cannot be those of one contract.
    """
    sets = []
    for number, event in enumerate(events, start=1):
        if event.set_id != number or (number == 1 and event.from_size != 1):
            raise Missing(what=f"the event of validator set {number} (--from-block later than the registration?)")
        validators = ValidatorSet.decode_entries(event.set_id, event.entries)
        expected = genesis.set_hash if number == 1 else event.set_hash
        if validators.digest != expected:
            raise SetMismatch(expected=expected, calculated=validators.digest)
        sets.append(validators)
    if not sets:
        raise Missing(what="the event of validator set 1 (--from-block later than the registration?)")
    return sets


def signed_sizes(genesis: Genesis, sets: Sequence[ValidatorSet], kept: "Kept") -> list[SignedSize]:
    """The anchors, and whose signatures stand in what made them.

    Raises:
        Missing: an event of a set that no event took up, or of a boundary that the log's clock does not have.
    """
    found = []
    for event in kept.anchors:
        if not 1 <= event.set_id <= len(sets):
            raise Missing(what=f"the event of validator set {event.set_id}")
        validators = sets[event.set_id - 1]
        checkpoint = checkpoint_of(genesis, validators, event.tree_size, event.root)
        if event.timestamp != checkpoint.timestamp:
            raise Missing(what=f"an event of size {event.tree_size} with the boundary that the genesis record gives it")
        calldata = kept.calldata.get(event.tx_hash)
        signers = signers_within(calldata or b"", checkpoint.digest(), validators.addresses)
        found.append(replace(_anchored(event, validators, signers), is_whole=calldata is not None))
    return found


def _anchored(event: AnchoredEvent, validators: ValidatorSet, signers: Collection[Address]) -> SignedSize:
    named = [address for i, address in enumerate(validators.addresses) if event.signers >> i & 1]
    return SignedSize(
        size=event.tree_size,
        at=event.timestamp,
        set_id=event.set_id,
        source=f"0x{event.tx_hash.hex()}",
        signers=tuple(address for address in validators.addresses if address in signers),
        unseen=tuple(address for address in named if address not in signers),
    )


def silences(validators: ValidatorSet, signed: Sequence[SignedSize]) -> Iterator[Silence]:
    """Who of the set is not among the signers of the newest checkpoint of its time, and since when."""
    of_set = [one for one in signed if one.set_id == validators.set_id and (one.is_whole or one.unseen)]
    looked = sorted(of_set, key=lambda one: one.size)
    for address in validators.addresses:
        mine = [one for one in looked if address in (*one.signers, *one.unseen)]
        last = mine[-1] if mine else None
        missed = [one for one in looked if one.is_whole and (last is None or one.size > last.size)]
        if missed:
            yield Silence(
                address=address,
                last_size=None if last is None else last.size,
                last_at=None if last is None else last.at,
                missed=len(missed),
                is_told=any(one.unseen for one in (*missed, *mine[-1:])),
            )


# ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is known of who keeps the accounts."""

    log_id: LogId
    origin: str
    basis: str  # of every statement about the contract
    contract: Address
    chain_id: int
    head_size: TreeSize
    head_at: UnixSeconds
    state: str
    overdue: int  # seconds, or 0
    sets: tuple[KeptSet, ...]
    signed: tuple[SignedSize, ...]  # ascending by size
    without_anchor: tuple[tuple[TreeSize, TreeSize], ...]  # sizes between those anchored, first and last
    silent: tuple[Silence, ...]

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        found = _json(asdict(self))
        return {"format": "hybrid-bridge/keepers/v1", **(found if isinstance(found, dict) else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the report is made of, beside the public chain: files, roots, the time."""

    openings: Openings
    roots: tuple[bytes, ...]
    notes: tuple[SignedSize, ...]
    now: UnixSeconds


def report_of(kept: "Kept", genesis: Genesis, sets: Sequence[ValidatorSet], sight: Sight) -> Report:
    """Put together.

    Raises:
        Malformed, Refuted: an opening that is none; as `Openings.names` and `signed_sizes`.
    """
    names = sight.openings.names(sets)
    roots = [read_certificate(root) for root in sight.roots]
    certificates = sight.openings.certificates
    keepers = [[keeper_of(e, names, certificates, roots, sight.now) for e in s.entries] for s in sets]
    past = _histories(sets)
    shown = tuple(
        _kept_set(number, kept, sets, [_with(keeper, past) for keeper in row], certified=bool(roots))
        for number, row in enumerate(keepers)
    )
    anchors = signed_sizes(genesis, sets, kept)
    signed = tuple(sorted([*anchors, *sight.notes], key=lambda one: one.size))
    sizes = sorted({one.size for one in anchors})
    if not 1 <= kept.head.set_id <= len(sets):
        raise Missing(what=f"the event of validator set {kept.head.set_id}")
    in_force = next(validators for validators, one in zip(sets, shown, strict=True) if one.state == "in force")
    head = kept.head
    overdue = sight.now - genesis.due_after(head.tree_size)
    return Report(
        log_id=genesis.log_id,
        origin=kept.origin,
        basis=kept.basis,
        contract=kept.contract,
        chain_id=kept.chain_id,
        head_size=head.tree_size,
        head_at=genesis.checkpoint_timestamp(head.tree_size),
        state=head.state,
        overdue=max(0, overdue),
        sets=shown,
        signed=signed,
        without_anchor=tuple(
            (TreeSize(older + 1), TreeSize(newer - 1)) for older, newer in pairwise(sizes) if newer > older + 1
        ),
        silent=tuple(silences(in_force, signed)),
    )


def _kept_set(
    number: int, kept: "Kept", sets: Sequence[ValidatorSet], keepers: Sequence[Keeper], *, certified: bool
) -> KeptSet:
    events = kept.sets
    following = events[number + 1].from_size if number + 1 < len(events) else None
    taken_up = kept.head.set_id >= sets[number].set_id
    is_past = kept.head.set_id > sets[number].set_id
    return KeptSet(
        set_id=sets[number].set_id,
        from_size=events[number].from_size,
        to_size=None if following is None else TreeSize(following - 1),
        state="past" if is_past else "in force" if taken_up else "pending",
        transaction=events[number].tx_hash,
        keepers=tuple(keepers),
        independence=independence([keeper.marks(certified=certified) for keeper in keepers]),
        counted=BY_ROOTS if certified else "the members' own word for their names",
    )


def _histories(sets: Sequence[ValidatorSet]) -> dict[Digest, list[tuple[SetId, Address]]]:
    found: dict[Digest, list[tuple[SetId, Address]]] = {}
    for validators in sets:
        for entry in validators.entries:
            found.setdefault(entry.name_hash, []).append((validators.set_id, entry.address))
    return found


def _with(keeper: Keeper, past: Mapping[Digest, list[tuple[SetId, Address]]]) -> Keeper:
    return replace(keeper, history=tuple(past[keeper.name_hash]))


def day(moment: UnixSeconds | None) -> str:
    """A date for people."""
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _json(value: object) -> Json:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, dict):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    return value  # type: ignore[return-value]  # texts, numbers, booleans and None
