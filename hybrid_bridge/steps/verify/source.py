"""Check 13 of `verify`: the private chain's own consensus, where the bundle shows it. It raises A1 to A2 or A3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.cometbft_evidence import CometbftEvidence, Consensus
from hybrid_bridge.core.cometbft_seats import Before, Seats, Term, is_own, is_tied
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.evidence import BlockFact
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEpoch
from hybrid_bridge.steps.verify.names import Names
from hybrid_bridge.steps.verify.signers import FIRST_SET, KnownSet, KnownSets
from hybrid_bridge.units import EpochNumber, KeyId, UnixSeconds

A2, A3 = "A2", "A3"
RESULTS: Final = "their results are not shown"
TIES: Final = "it is not shown whose the keys of each later set are"
RETIRED: Final = "older keys signed a first block of an epoch, and it is not shown that they still could"


@dataclass(frozen=True, slots=True)
class Source:
    """How far consensus is shown for every record of the bundle: A3, A2, or "" for one that lacks it."""

    level: str
    wanting: str = ""  # of A2: what A3 needs
    blocks: tuple[BlockFact, ...] = ()  # where it is shown whose the votes are


def verify_source(d: Decoded, sets: KnownSets, names: Names) -> Source:
    """How far consensus is shown, and who signed.

    A record counts with its transaction in a block that more than two thirds of the validators signed, the engine's
    sets walked from the one that the ledger id names. A3 with its result and the state after it too, and with every
    later set of the engine read off a set of the log: members' identity keys, by governance records that bind them.

    Raises:
        Refuted: evidence that contradicts the bundle or itself.
    """
    wanting: dict[EpochNumber, str] = {}
    blocks = []
    for epoch in (epoch for epoch in d.epochs if epoch.record.epoch in d.sources):
        number = epoch.record.epoch
        consensus = d.sources[number].verify(d.genesis, epoch.record, _transactions(epoch))
        ties = _ties(d, epoch, consensus, sets, names)
        wanting[number] = ties if consensus.has_outcomes else RESULTS
        if consensus.signers:
            known = _names(sets, names)
            told = tuple(known.get(key, f"key {key.hex()}") for key in consensus.signers)
            blocks.append(BlockFact(epoch=number, height=d.sources[number].last.header.height, signers=told))
    needed = [epoch for epoch in d.epochs if epoch.entries]
    bare = any(entry.transaction is None for epoch in needed for entry in epoch.entries)
    if bare or not needed or any(epoch.record.epoch not in wanting for epoch in needed):
        return Source("", blocks=tuple(blocks))
    found = [wanting[epoch.record.epoch] for epoch in needed if wanting[epoch.record.epoch]]
    return Source(A2 if found else A3, found[0] if found else "", tuple(blocks))


def _transactions(epoch: DecodedEpoch) -> list[bytes]:
    return [entry.part.transaction for entry in epoch.entries if entry.part.transaction is not None]


def _ties(d: Decoded, epoch: DecodedEpoch, consensus: Consensus, sets: KnownSets, names: Names) -> str:
    """What is wanting to see that every set of the engine is one of the log, and each height's the one then."""
    evidence: CometbftEvidence = d.sources[epoch.record.epoch]
    terms = [Term(known.first_size, _seats(known, names)) for known in sets.sets]
    times = [UnixSeconds(handover.signed.header.time.seconds) for handover in evidence.handovers]
    sizes = [epoch_of(d.genesis, time) + 1 for time in times]
    tied = is_tied(consensus.history, consensus.holders, sizes, terms)
    own = terms[epoch.record.set_id - FIRST_SET].seats
    before = _before(d, epoch.record.epoch, sets, terms)
    heights = evidence.heights
    exact = own is None or is_own(consensus.history, consensus.holders, heights, epoch.record, own, before=before)
    if not evidence.handovers and epoch.record.set_id == FIRST_SET:
        return ""  # the ledger id names these keys, and the log has no other set yet
    if not tied or own is None:
        return TIES
    return "" if exact else RETIRED


def _before(d: Decoded, number: EpochNumber, sets: KnownSets, terms: Sequence[Term]) -> Before:
    """The epoch before: its set is responsible for the checkpoint of as many leaves as this one's number."""
    responsible = terms[sets.responsible(number).set_id - FIRST_SET]
    shown = [epoch.record for epoch in d.epochs if epoch.record.epoch == number - 1]
    return Before(responsible.seats, shown[0].end_block - shown[0].first_block if shown else None)


def _seats(known: KnownSet, names: Names) -> Seats | None:
    keys = [names[known.validators.set_id, address].key for address in known.validators.addresses]
    seats = frozenset(KeyId(key) for key in keys if key is not None)
    return None if None in keys else seats


def _names(sets: KnownSets, names: Names) -> dict[KeyId, str]:
    """By identity key, as the newest set that is shown has them."""
    ordered = [names[known.validators.set_id, a] for known in sets.sets for a in known.validators.addresses]
    return {KeyId(name.key): name.text for name in ordered if name.key is not None}
