"""Check 13 of `verify`: the private chain's own consensus, where the bundle shows it. It raises A1 to A2 or A3."""

from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEpoch

A2, A3 = "A2", "A3"


def verify_source(d: Decoded) -> str:
    """How far consensus is shown for every record of the bundle: A3, A2, or "" for one that lacks it.

    A record counts with its transaction in a block that more than two thirds of the validators signed, the set walked
    from the one that the ledger id names; A3 with its result and the state after it too.

    Raises:
        Refuted: evidence that contradicts the bundle or itself.
    """
    reached = {epoch.record.epoch: _level(d, epoch) for epoch in d.epochs if epoch.record.epoch in d.sources}
    needed = [epoch for epoch in d.epochs if epoch.entries]
    bare = any(entry.transaction is None for epoch in needed for entry in epoch.entries)
    levels = {reached.get(epoch.record.epoch, "") for epoch in needed}
    return "" if bare or not levels else min(levels)


def _level(d: Decoded, epoch: DecodedEpoch) -> str:
    transactions = [entry.part.transaction for entry in epoch.entries if entry.part.transaction is not None]
    has_outcomes = d.sources[epoch.record.epoch].verify(d.genesis, epoch.record, transactions)
    return A3 if has_outcomes else A2
