"""A node of the real parts that dies, as by kill -9, the second time it comes to a chosen point: FOLDER POINT.

Points: `finalized`, the block is executed and its answer not sent · `within`, rows are written and not committed ·
`durable`, all is committed and nobody was told.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hybrid_bridge.adapters.sqlite import ledger
from hybrid_bridge.node import engine, running

ANSWERS = {
    "finalized": "finalize_block",
    "durable": "commit",
}
POINTS = (*ANSWERS, "within")
SECOND = 2
seen = 0


def dying_after(call: Callable[..., Any], counts: Callable[..., bool]) -> Callable[..., Any]:
    """Makes the call; does not live to answer the second that counts."""

    def around(*arguments: Any) -> Any:
        global seen  # noqa: PLW0603 one process, one death
        result = call(*arguments)
        seen += counts(*arguments)
        if seen == SECOND:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return around


if __name__ == "__main__":
    folder, point = Path(sys.argv[1]), sys.argv[2]
    if point == "within":
        ledger._insert = dying_after(ledger._insert, lambda _, table, __: table is ledger._DECIDED)
    else:
        name, application = ANSWERS[point], engine.EngineApplication
        setattr(application, name, dying_after(getattr(application, name), lambda *_: True))
    running.run_node(folder, lambda _port: None)
