"""The door before a block turns away what no proposer takes, and nothing else, whoever is a member by then."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from hybrid_bridge.business.rulebook import ASK_FOR_DEBTOR, RULES
from hybrid_bridge.business.schema import schema_of_type
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.ledger_state import StateReader, member_key, sequence_key
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import BridgeError, RuleRejected
from hybrid_bridge.steps.commit import AT_THE_DOOR, Rules, knock, preview
from hybrid_bridge.testing.datasets.play import read_lines
from hybrid_bridge.testing.datasets.receivables import generate
from hybrid_bridge.units import UnixSeconds
from tests.ledger import MemoryLedger

EACH = 1  # events of a schema that are accepted, and as many that are refused


def member_row(key: PrivateKey) -> bytes:
    return member_key(key.public.key_id)


def left_out(state: StateReader, rules: Rules, signed: SignedTransaction, now: UnixSeconds) -> str:
    """Why no proposer takes it; empty if one does, be it refused in the block."""
    try:
        _, outcome = preview(state, rules, signed, now)
    except BridgeError as error:
        return type(error).__name__
    return outcome.rule if outcome.rule in AT_THE_DOOR else ""


def turned_away(state: StateReader, rules: Rules, signed: SignedTransaction, now: UnixSeconds) -> str:
    try:
        knock(state, rules, signed, now)
    except RuleRejected as refusal:
        return refusal.rule
    except BridgeError as error:
        return type(error).__name__
    return ""


def memberships(state: Mapping[bytes, bytes], rows: list[bytes]) -> Iterator[dict[bytes, bytes]]:
    """The state as it is, with each member gone, and with all of them gone."""
    yield dict(state)
    for row in rows:
        yield {key: value for key, value in state.items() if key != row}
    yield {key: value for key, value in state.items() if key not in rows}


@pytest.mark.parametrize("registry_ladder", [0, 1 << 1])
def test_what_no_proposer_takes_is_turned_away_and_nothing_else(registry_ladder: int) -> None:
    files = generate().files
    ledger = MemoryLedger.of_dataset(files)
    rows = [row for row in map(member_row, ledger.keys.values()) if row in ledger.state]
    rules = replace(ledger.rules, check=lambda *_: None)  # signatures are looked at once, in the block
    if registry_ladder:
        rules = replace(rules, genesis=replace(rules.genesis, registry_ladder=registry_ladder))
    seen, found = Counter[tuple[str, bool]](), set[str]()
    for event in read_lines(files["events.jsonl"]):
        before = dict(ledger.state)
        played, outcome = ledger.play(event)
        kind = (event["schema"], outcome.codes == [0])
        seen[kind] += 1
        if seen[kind] > EACH:
            continue
        number = sequence_key(played.signed.body.submitter)
        repeated = {**ledger.state, number: before.get(number, bytes(8))}
        for state in (*memberships(before, rows), repeated, ledger.state):
            why = left_out(state, rules, played.signed, outcome.time)
            assert turned_away(state, rules, played.signed, outcome.time) == why, kind
            found.add(why)
    assert {schema for schema, is_accepted in seen if is_accepted} > {
        schema_of_type(number).name for number in ASK_FOR_DEBTOR
    }
    assert found == {"", "admission", "entry", "SequenceRejected"} | ({"NotYet"} if registry_ladder else set())


def test_the_rules_that_ask_whether_somebody_is_a_member_are_known() -> None:
    assert {number for number, rule in RULES.items() if "require_member" in rule.__code__.co_names} == ASK_FOR_DEBTOR
