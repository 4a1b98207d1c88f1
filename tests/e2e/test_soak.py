"""Half a minute of the soak: business, kills and partitions at once; the long one is `python -m bench soak`."""

import os
import secrets
from collections import Counter

import pytest

from hybrid_bridge.cli.demo.cast import events, expectations
from hybrid_bridge.core.labels import normalised
from tests.soak.load import story
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


@pytest.mark.parametrize("seed", [1, 2, 63_257_001])  # in the last two deliveries are equal
def test_a_story_of_the_soak_repeats_no_label_but_where_the_rules_must_refuse_it(seed: int) -> None:
    files = story(seed)
    labels = Counter(
        normalised(row["type"], *row["parts"]).encode()
        for event in events(files)
        if event["event"] not in expectations(files)
        for row in event.get("labels", ())
    )
    assert set(labels.values()) == {1}
