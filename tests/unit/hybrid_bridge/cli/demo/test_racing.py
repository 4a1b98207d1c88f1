"""Who anchored which size, and who came second."""

from hybrid_bridge.cli.demo.racing import race_of

ANCHORED = [(3, "north"), (4, "south"), (5, "north")]


def test_every_transaction_that_did_not_anchor_came_late() -> None:
    race = race_of(ANCHORED, {"north": 3, "south": 2})
    assert race.to_json() == {
        "anchored": [{"size": 3, "by": "north"}, {"size": 4, "by": "south"}, {"size": 5, "by": "north"}],
        "late": {"north": 1, "south": 1},
    }
    assert race.told() == (
        "Anchored so far: size 3 by north, size 4 by south, size 5 by north. "
        "Came second and changed nothing: north 1 time, south 1 time."
    )


def test_a_relayer_that_never_sent_anything_was_not_late() -> None:
    race = race_of([(3, "north")], {"north": 1, "south": 0})
    assert race.late == {"north": 0, "south": 0}
    assert race.told() == "Anchored so far: size 3 by north. Nobody was late."
