"""Half a minute of the soak: business, kills and partitions at once; the long one is `python -m bench soak`."""

import os
import secrets

from tests.soak.playing import play

MINUTES = 0.6
CADENCE = 3


def test_half_a_minute_of_business_kills_and_partitions_leaves_one_history_and_every_promise_decided() -> None:
    seed = int(os.environ.get("HYBRID_BRIDGE_SEED", secrets.randbelow(1 << 16)))
    report = play(seed, MINUTES, cadence=CADENCE)
    print(f"HYBRID_BRIDGE_SEED={seed}", report)
    assert report.wrong == []
    assert report.decided.get("accepted", 0) > 0
    assert report.promises.keys() <= {"kept", "refused"}
    assert report.epochs > report.minutes * 60 / CADENCE / 2
