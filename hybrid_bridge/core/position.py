"""Where the private ledger stands: last height and time, the chain value, and what the running epoch holds already.

An epoch's batch and its part of the registry have a highest rung; a ledger stops taking transactions there (SPEC §6).
"""

from dataclasses import dataclass, replace
from typing import Self

from hybrid_bridge.core.encoding import ZERO, b64u, parse_b64u
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.ledger_state import POSITION, Overlay, StateReader, get_json, put_json
from hybrid_bridge.errors import FieldMalformed, StoreBroken, TooLong
from hybrid_bridge.units import Digest, EpochNumber, Height, UnixSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Between two blocks. `chain` is the chain value of SPEC §5; `epoch` that of the last block, zero before one."""

    next_height: Height
    time: UnixSeconds
    chain: Digest
    epoch: EpochNumber
    entries: int
    labels: int

    @classmethod
    def before(cls, genesis: Genesis) -> Self:
        """Before the first block."""
        return cls(
            next_height=genesis.first_block,
            time=genesis.genesis_time,
            chain=ZERO,
            epoch=EpochNumber(0),
            entries=0,
            labels=0,
        )

    @classmethod
    def load(cls, state: StateReader) -> Self:
        """As stored.

        Raises:
            StoreBroken: nothing is; the genesis state was never written.
        """
        row = get_json(state, POSITION)
        if row is None:
            raise StoreBroken(store="state", rule="the genesis state is there")
        return cls(
            next_height=Height(int(str(row["next_height"]))),
            time=UnixSeconds(int(str(row["time"]))),
            chain=Digest(parse_b64u(str(row["chain"]), "chain")),
            epoch=EpochNumber(int(str(row["epoch"]))),
            entries=int(str(row["entries"])),
            labels=int(str(row["labels"])),
        )

    def store(self, state: Overlay) -> None:
        """Write."""
        put_json(
            state,
            POSITION,
            {
                "next_height": self.next_height,
                "time": self.time,
                "chain": b64u(self.chain),
                "epoch": self.epoch,
                "entries": self.entries,
                "labels": self.labels,
            },
        )

    def advance(self, genesis: Genesis, height: Height, time: UnixSeconds) -> Self:
        """The position of a block at `height` and `time`; a new epoch is empty.

        Raises:
            FieldMalformed: not the next height, or a time that falls (SPEC §5).
        """
        if height != self.next_height:
            raise FieldMalformed(field="height", rule=f"{self.next_height}")
        if time < self.time:
            raise FieldMalformed(field="time", rule=f"at least {self.time}")
        epoch = epoch_of(genesis, time)
        here = replace(self, next_height=Height(height + 1), time=time, epoch=epoch)
        return here if epoch == self.epoch else replace(here, entries=0, labels=0)

    def hold(self, genesis: Genesis, entries: int, labels: int) -> Self:
        """Count so many entries and registry pairs more in this epoch.

        Raises:
            TooLong: beyond the highest rung of a ladder.
        """
        held = replace(self, entries=self.entries + entries, labels=self.labels + labels)
        for name, count, ladder in (
            ("epoch.entries", held.entries, genesis.batch_ladder),
            ("epoch.labels", held.labels, genesis.registry_ladder),
        ):
            limit = 1 << ladder.bit_length() - 1
            if count > limit:
                raise TooLong(field=name, limit=limit, got=count)
        return held
