"""A sequencer built of the real parts that drops what it accepts: it promises, and orders without the transaction.

While a file `drop` lies in its folder every record of other members is answered as if it stood, and stands nowhere.
It then leaves a file `hold` there, and makes no block until that is taken away: no epoch ends meanwhile.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.transaction import RecordPayload
from hybrid_bridge.node import ordering, running
from hybrid_bridge.node.promises import promised
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Seconds, UnixSeconds

FLAG, HOLD = Path(sys.argv[1]) / "drop", Path(sys.argv[1]) / "hold"


class Dropping(ordering.Orderer):
    """Everything real but what is left out."""

    def __init__(self, view: View, precise_now, slot: Seconds) -> None:  # type: ignore[no-untyped-def]
        super().__init__(view, precise_now, slot)
        self._own = view.keys.identity.public.key_id

    def _admitted(self, taken: Sequence[ordering._Waiting], time: UnixSeconds) -> list[ordering._Waiting]:
        admitted = super()._admitted(taken, time)
        if not FLAG.exists():
            return admitted
        kept = []
        for waiting in admitted:
            body = waiting.signed.body
            if body.submitter == self._own or not isinstance(body.payload, RecordPayload):
                kept.append(waiting)
                continue
            promise = promised(self._view, waiting.signed, time, epoch_of(self._genesis, time))
            waiting.result.set_result(ordering.Ordered(self._chain.next_height, 0, promise, None))
        if len(kept) < len(admitted):
            HOLD.touch()
        return kept

    def make_block(self) -> None:
        if not HOLD.exists():
            super().make_block()


if __name__ == "__main__":
    running.Orderer = Dropping  # type: ignore[misc]
    running.run_node(Path(sys.argv[1]), lambda _port: None)
