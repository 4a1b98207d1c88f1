"""All that the explorer shows, put together: each value with its source. Pure.

Judging is that of `members` (sets, names, signatures, independence); what is new here is the course of time: anchors,
delays, brakes, changes of the set, costs, reports, the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hybrid_bridge.cli.explorer.epochs import Told
from hybrid_bridge.cli.explorer.keepers import keepers_json
from hybrid_bridge.cli.explorer.lateness import Stood, late_periods
from hybrid_bridge.cli.explorer.marks import (
    BUILDER,
    CHAIN,
    CLAIMED,
    COPY,
    LOG_ID,
    SIGNATURE,
    SOURCES,
    Value,
    addresses,
    mark,
    mark_if,
    marked,
)
from hybrid_bridge.cli.explorer.powers import Spoken, ends_json, pauses_json, reports_json
from hybrid_bridge.cli.keepers import Report, SignedSize
from hybrid_bridge.cli.keeping import LATER, LeftOut
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import EpochNumber, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.history import History
    from hybrid_bridge.adapters.evm.keepers import Kept

FORMAT: Final = "hybrid-bridge/explorer/v1"


@dataclass(frozen=True)
class Facts:
    """What was read, and what `members` makes of it."""

    kept: "Kept"
    history: "History"
    genesis: Genesis
    sets: Sequence[ValidatorSet]
    report: Report
    told: Told  # what the records of log copies say
    left_out: tuple[LeftOut, ...]  # checkpoints of log copies of which nothing is said
    names_from_files: bool
    is_all: bool  # whether these are all anchors that there are

    def to_json(self) -> dict[str, Json]:
        """For machines, and for the page."""
        spoken = Spoken(self.kept, self.history, self.genesis, self.sets)
        return {
            "format": FORMAT,
            "sources": {name: text.format(basis=self.kept.basis) for name, text in SOURCES.items()},
            "log": self._log(),
            "as_of": marked(CHAIN, number=self.kept.at.number, hash=self.kept.at.hash, time=self.kept.at.time),
            "freshness": self._freshness(),
            "sets": keepers_json(self.report, spoken, self.kept.anchors, is_all=self.is_all),
            "anchors": [self._anchor(event) for event in self.kept.anchors],
            "anchors_read": marked(CHAIN, first_size=self._first_size, all=self.is_all),
            "costs": self._costs(),
            "pauses": pauses_json(spoken),
            "brakes": self._brakes(),
            "reports": reports_json(spoken),
            "reports_left_out": mark(CHAIN, self.history.left_out),
            "ends": ends_json(spoken),
            "silent": self._silent(),
            "names_from_files": mark(BUILDER, self.names_from_files),
            "notes_left_out": [_left_out(one) for one in self.left_out],
            "notes": [_note(one) for one in self.report.signed if one.source not in self._transactions],
        }

    def _log(self) -> dict[str, Json]:
        genesis, head = self.genesis, self.kept.head
        of_record: dict[str, Value] = {
            "origin": self.kept.origin,
            "genesis_time": genesis.genesis_time,
            "cadence": genesis.cadence,
            "grace": genesis.grace,
            "guardian": genesis.guardian if any(genesis.guardian) else None,
            "pause_max": genesis.pause_max,
            "predecessor": genesis.predecessor if any(genesis.predecessor) else None,
        }
        return {
            **marked(BUILDER, log_id=genesis.log_id, contract=self.kept.contract),
            **marked(LOG_ID, **of_record),
            **marked(CHAIN, chain_id=self.kept.chain_id, state=head.state, head_size=head.tree_size),
            **marked(CHAIN, head_root=head.root, head_at=self.report.head_at, anchored_at=head.anchored_at),
            **marked(CHAIN, paused_until=head.paused_until if head.state == "paused" else None),
        }

    # ── time ──

    @cached_property
    def _registered_at(self) -> UnixSeconds:
        return self.history.of("Registered")[0].time

    @property
    def _first_size(self) -> TreeSize:
        return TreeSize(1) if self.is_all or not self.kept.anchors else self.kept.anchors[0].tree_size

    def _freshness(self) -> dict[str, Json]:
        heads = [Stood(event.tree_size, event.block.time) for event in self.kept.anchors]
        if self.is_all:
            heads.insert(0, Stood(TreeSize(1), self._registered_at))
        ended = self.history.of("Retired", "Frozen")
        until = ended[0].time if ended else self.kept.at.time
        late = late_periods(self.genesis, heads, until, has_ended=bool(ended))
        due = self.genesis.due_after(self.kept.head.tree_size)
        now = 0 if ended else max(0, self.kept.at.time - due)
        return {
            **marked(CHAIN, overdue=now, due=None if ended else due, looked_from_size=self._first_size),
            "periods": [
                marked(CHAIN, begins=one.begins, ends=one.ends, seconds=(one.ends or until) - one.begins, size=one.size)
                for one in late
            ],
        }

    def _brakes(self) -> dict[str, Json]:
        """Inside the ledger, which the contract knows nothing of: as far as records were shown."""
        when = self.genesis.checkpoint_timestamp
        return {
            "epochs_read": mark_if(COPY, len(self.told.closed) or None),
            "periods": [
                {
                    **marked(COPY, first_epoch=first, last_epoch=last),
                    **marked(LOG_ID, begins=when(TreeSize(first)), ends=when(TreeSize(last + 1))),
                }
                for first, last in self.told.brakes
            ],
        }

    # ── anchors ──

    @cached_property
    def _signed(self) -> Mapping[tuple[TreeSize, str], SignedSize]:
        return {(one.size, one.source): one for one in self.report.signed}

    @cached_property
    def _transactions(self) -> set[str]:
        return {f"0x{event.tx_hash.hex()}" for event in self.kept.anchors}

    def _anchor(self, event: AnchoredEvent) -> dict[str, Json]:
        signed = self._signed[event.tree_size, f"0x{event.tx_hash.hex()}"]
        cost = self.history.costs.get(event.tx_hash)
        gas, price = (None, None) if cost is None else (cost.gas_used, cost.price)
        block = event.block
        return {
            **marked(CHAIN, size=event.tree_size, root=event.root, set_id=event.set_id),
            **marked(LOG_ID, boundary=signed.at),
            "epoch_closed_at": mark_if(COPY, self.told.closed.get(EpochNumber(event.tree_size - 1))),
            **marked(CHAIN, anchored_at=block.time, delay=block.time - signed.at, block=block.number),
            **marked(CHAIN, block_hash=block.hash, transaction=event.tx_hash, log_index=event.log_index),
            "signers": mark(SIGNATURE, addresses(signed.signers)),
            "named_only": mark(CHAIN, addresses(signed.unseen)),
            "gas": mark_if(CHAIN, gas),
            "price_wei": mark_if(CHAIN, None if price is None else str(price)),
            "cost_wei": mark_if(CHAIN, None if gas is None or price is None else str(gas * price)),
        }

    def _costs(self) -> dict[str, Json]:
        """Of transactions, each once: one may carry anchors of several logs."""
        sent = {event.tx_hash for event in self.kept.anchors}
        known = [cost for tx in sorted(sent) if (cost := self.history.costs.get(tx)) is not None]
        wei = sum(cost.gas_used * cost.price for cost in known)
        is_known = bool(known) or not sent
        return {
            **marked(CHAIN, transactions=len(sent), without_receipt=len(sent) - len(known)),
            "gas": mark_if(CHAIN, sum(cost.gas_used for cost in known) if is_known else None),
            "wei": mark_if(CHAIN, str(wei) if is_known else None),
            "mean_wei": mark_if(CHAIN, str(wei // len(known)) if known else None),
        }

    def _silent(self) -> list[Json]:
        return [
            {
                "address": mark(CHAIN, one.address),
                **marked(
                    CHAIN if one.is_told else SIGNATURE, last_size=one.last_size, last_at=one.last_at, missed=one.missed
                ),
            }
            for one in self.report.silent
        ]


def _note(signed: SignedSize) -> dict[str, Json]:
    """A checkpoint of a copy, which shows signatures beyond those that an anchor needed."""
    return {
        **marked(SIGNATURE, size=signed.size, set_id=signed.set_id, signers=addresses(signed.signers)),
        "boundary": mark(LOG_ID, signed.at),
        "file": mark(BUILDER, signed.source),
        "cosigned": mark(CLAIMED, list(signed.cosigned)),
    }


def _left_out(one: LeftOut) -> dict[str, Json]:
    """A checkpoint of a copy that shows nothing."""
    reason = mark(CLAIMED if one.reason == LATER else SIGNATURE, one.reason)
    return {"size": mark(CLAIMED, one.size), "file": mark(BUILDER, one.source), "reason": reason}
