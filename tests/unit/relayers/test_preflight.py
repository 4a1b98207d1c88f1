"""What a look before the start says of clock, contract and balance; the worst decides the exit code."""

import pytest

from hybrid_bridge.errors import ClockBehind
from relayers.preflight import OLD, Check, balance, clock, contract, exit_code, rotation
from relayers.settings import parse_settings
from relayers.start import SKEW, require_clock
from tests.crash.relay_world import World
from tests.unit.relayers.builders import ETHER, appointment, chain, head
from tests.unit.relayers.test_settings import FOLDER, SAMPLE

CHAIN = parse_settings(SAMPLE, FOLDER).chain


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [(SKEW + 1, "bad"), (SKEW, "good"), (0, "good"), (-OLD, "good"), (-OLD - 1, "note")],
)
def test_a_public_block_from_the_future_is_our_clocks_fault(ahead: int, verdict: str) -> None:
    seen = chain()
    found = clock(seen, seen.pinned.time - ahead)
    assert (found.verdict, found.exit_code, found.cure != "") == (verdict, 3 * (verdict == "bad"), verdict == "bad")


@pytest.mark.parametrize("behind", [SKEW + 1, SKEW + 86_400])
def test_a_clock_that_is_behind_the_public_chain_refuses_a_start(behind: int) -> None:
    pinned = chain().pinned
    with pytest.raises(ClockBehind) as refused:
        require_clock(pinned, pinned.time - behind)
    assert (refused.value.seconds, refused.value.public_block) == (behind, pinned.number)
    assert "set it (NTP)" in str(refused.value)


@pytest.mark.parametrize("ahead", [-SKEW, 0, 86_400])
def test_an_old_public_block_is_no_proof_against_our_clock(ahead: int) -> None:
    pinned = chain().pinned
    require_clock(pinned, pinned.time + ahead)


@pytest.mark.parametrize(
    ("state", "verdict"), [("active", "good"), ("paused", "bad"), ("frozen", "bad"), ("unknown", "bad")]
)
def test_a_contract_that_takes_no_anchors_is_said(state: str, verdict: str) -> None:
    found = contract(chain(head=head(state=state)))
    assert found.verdict == verdict
    assert state in found.detail
    assert (found.exit_code == 3) == (verdict == "bad")


def test_a_balance_that_pays_no_anchor_above_the_reserve_is_bad() -> None:
    needed = CHAIN.fees.reserve + CHAIN.fees.max_cost_per_anchor
    assert needed == 12 * ETHER // 100
    assert balance(chain(balance=needed), CHAIN).verdict == "good"
    poor = balance(chain(balance=needed - 1), CHAIN)
    assert (poor.verdict, poor.exit_code) == ("bad", 2)
    assert CHAIN.signer_address.hex() in poor.cure


def test_the_worst_decides() -> None:
    assert exit_code([]) == 0
    assert exit_code([Check("a", "good", ""), Check("b", "note", "")]) == 0
    assert exit_code([Check("a", "bad", "", "", 2), Check("b", "bad", "", "", 4), Check("c", "bad", "", "", 3)]) == 4


def test_a_next_set_that_the_contract_cannot_be_told_of_is_said_with_its_cure() -> None:
    world = World()
    assert list(rotation(world.log, chain(), None)) == []
    world.appoint(in_sizes=7)
    (waiting,) = rotation(world.log, chain(), None)
    assert (waiting.verdict, waiting.exit_code) == ("note", 0)
    assert "3 of the old set" in waiting.cure
    for seen, update in ((chain(), appointment()), (chain(head=head(next_from_size=8)), None)):
        (told,) = rotation(world.log, seen, update)
        assert told.verdict == "good"
