"""One observation: agreed by a quorum of endpoints, pinned, or none at all."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_bridge.errors import (
    AnswerMalformed,
    CodeMismatch,
    EndpointRefused,
    NotYet,
    StateForgotten,
    StoreBroken,
    Undecided,
    Unreachable,
)
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.testing.memory_chain import GWEI, MemoryChain
from relayers.admission import EMPTY_CODE
from relayers.journal import HeaderRow
from relayers.observe import Observer
from relayers.views import Standing
from tests.crash.relay_world import DEPTH, World, scope_for
from tests.unit.relayers.builders import attempt, event, journal

NOTHING = journal(final_header=None)


class Liar(MemoryChain):
    """An endpoint with its own answers."""

    def __init__(self, world: World, **lies: Any) -> None:
        super().__init__(world.network, final_depth=DEPTH)
        self.lies = lies

    def __getattribute__(self, name: str) -> Any:
        lies = object.__getattribute__(self, "__dict__").get("lies", {})
        return lies[name] if name in lies else object.__getattribute__(self, name)


def raising(error: Exception) -> Any:
    def answer(*_: object) -> Any:
        raise error

    return answer


@pytest.fixture
def world() -> World:
    world = World()
    world.network.mine(10)
    return world


def observer(world: World, *liars: MemoryChain, honest: int = 1, quorum: int = 1, depth: int | None = None) -> Observer:
    chains = [MemoryChain(world.network, f"honest {i}", DEPTH) for i in range(honest)]
    return Observer(scope_for(world, "operator 0"), (*liars, *chains), quorum, depth, 0)


def test_everything_is_read_at_one_pinned_public_block(world: World) -> None:
    view = observer(world).observe(NOTHING)
    blocks = world.network.blocks
    assert (view.pinned, view.final) == (blocks[10].block, blocks[10 - DEPTH].block)
    assert (view.head.tree_size, view.nonce, view.base_fee) == (1, 0, GWEI)
    assert view.known_final_hash is None


def test_a_chain_without_the_tag_is_final_by_depth(world: World) -> None:
    assert observer(world, depth=7).observe(NOTHING).final.number == 3
    assert observer(world, depth=99).observe(NOTHING).final.number == 0


def test_one_liar_of_three_is_outvoted(world: World) -> None:
    head = MemoryChain(world.network).head(world.consortium.log_id, world.network.newest.block)
    forged = Liar(world, head=lambda *_: replace(head, tree_size=99), nonce=lambda *_: 7, balance=lambda *_: 0)
    view = observer(world, forged, honest=2, quorum=2).observe(NOTHING)
    assert (view.head.tree_size, view.nonce) == (1, 0)


def test_a_liar_ahead_of_the_others_does_not_move_the_pin(world: World) -> None:
    ahead = Liar(world, latest=lambda: PublicBlock(10**6, bytes(32), bytes(32), 0))
    assert observer(world, ahead, honest=2, quorum=2).observe(NOTHING).pinned.number == 10


def test_endpoints_that_do_not_agree_give_no_observation(world: World) -> None:
    liars = [Liar(world, nonce=lambda *_, n=n: n) for n in (1, 2)]
    with pytest.raises(Undecided):
        observer(world, *liars, honest=1, quorum=2).observe(NOTHING)


@pytest.mark.parametrize(
    "error",
    [Unreachable(endpoint="x", call="latest"), AnswerMalformed(endpoint="x", call="latest", rule="a number")],
)
def test_a_silent_or_broken_single_endpoint_gives_no_observation_and_says_why(world: World, error: Any) -> None:
    for call in ("latest", "nonce", "finalized"):
        with pytest.raises(Undecided, match="x"):
            observer(world, Liar(world, **{call: raising(error)}), honest=0).observe(NOTHING)


def test_a_pin_that_is_reorganised_away_meanwhile_gives_no_observation(world: World) -> None:
    chain = Liar(world, balance=lambda *_: world.network.reorganise(1, forget=True) or 0)
    with pytest.raises(NotYet):
        observer(world, chain, honest=0).observe(NOTHING)


def test_the_hash_at_the_last_final_number_is_looked_up(world: World) -> None:
    known = journal(final_header=HeaderRow(3, bytes(32), bytes(32)))
    assert observer(world).observe(known).known_final_hash == world.network.blocks[3].block.hash
    beyond = journal(final_header=HeaderRow(99, bytes(32), bytes(32)))
    assert observer(world).observe(beyond).known_final_hash is None


def test_a_receipt_of_a_used_nonce_must_stand_in_a_final_public_block(world: World) -> None:
    ours = attempt(0)
    waiting = journal(final_header=None, open_nonces=(0,), attempts=(ours, attempt(3)))
    newest, old = world.network.newest.block, world.network.blocks[2].block
    final_nonce = {"nonce": lambda *_: 1}
    assert observer(world, Liar(world, **final_nonce), honest=0).observe(waiting).standings == {}
    found = Liar(world, **final_nonce, receipt_status=lambda _: (old, True))
    assert observer(world, found, honest=0).observe(waiting).standings[ours.hash].block == old
    for block in (newest, PublicBlock(2, bytes(32), bytes(32), 0)):
        early = Liar(world, **final_nonce, receipt_status=lambda _, block=block: (block, True))
        with pytest.raises(NotYet):
            observer(world, early, honest=0).observe(waiting)


def test_what_is_mined_and_not_final_is_seen_where_a_quorum_says_so_and_decides_nothing(world: World) -> None:
    waiting = journal(final_header=None, open_nonces=(0, 1), attempts=(attempt(0), attempt(1)))
    newest = world.network.newest.block
    used = {"nonce": lambda _, at: int(at == newest)}
    says = Liar(world, **used, receipt_status=lambda _: (newest, False))
    for others, mined in (
        ((says,), {attempt(0).hash: Standing(newest, is_success=False)}),
        ((Liar(world, **used),), {}),  # it stands nowhere, they say
        ((Liar(world, **used, receipt_status=raising(NotYet(what="a receipt"))),), {}),
    ):
        view = observer(world, says, *others, honest=0, quorum=2).observe(waiting)
        assert (view.mined, view.standings, view.final_nonce) == (mined, {}, 0)


def test_of_a_revert_the_logs_state_is_asked_and_of_a_success_nothing(world: World) -> None:
    ours, old = attempt(0), world.network.blocks[4].block
    log_id = world.consortium.log_id
    paused = replace(world.network.blocks[4].logs[log_id], paused_until=old.time + 1)
    world.network.blocks[4] = replace(world.network.blocks[4], logs={log_id: paused})
    waiting = journal(final_header=None, open_nonces=(0,), attempts=(ours,))
    for is_success, keeps, state in ((False, 128, "paused"), (True, 128, None), (False, DEPTH + 1, None)):
        lies = {"nonce": lambda *_: 1, "receipt_status": lambda _, good=is_success: (old, good)}
        seen = Liar(world, **lies)
        seen.keeps = keeps
        assert observer(world, seen, honest=0).observe(waiting).standings[ours.hash].log_state == state


def test_a_contract_too_young_to_be_final_is_an_unknown_log(world: World) -> None:
    final = world.network.blocks[10 - DEPTH].block

    def head(log: Any, at: PublicBlock) -> Any:
        if at == final:
            raise AnswerMalformed(endpoint="x", call="head", rule="eight words")
        return MemoryChain(world.network).head(log, at)

    young = Liar(world, head=head, code_hash=lambda _: EMPTY_CODE)
    assert observer(world, young, honest=0).observe(NOTHING).final_head.state == "unknown"
    with pytest.raises(Undecided):
        observer(world, Liar(world, head=head), honest=0).observe(NOTHING)


def test_events_are_asked_for_in_ranges_that_servers_take(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relayers.observe.EVENT_RANGE", 3)
    asked: list[tuple[int, int]] = []
    chain = Liar(world, anchored=lambda _, first, last: asked.append((first, last)) or [])
    observer(world, chain, honest=0).observe(NOTHING)
    assert asked == [(0, 2), (3, 5), (6, 6)]


# ── ordinary nodes, and a chain far ahead ────────────────────────────────────────────────────────────────────────────


def forgetful(world: World, keeps: int = DEPTH, **lies: Any) -> Liar:
    """An ordinary node that keeps no state as old as the final public block."""
    chain = Liar(world, **lies)
    chain.keeps = keeps
    return chain


def test_a_forgotten_final_state_blinds_nobody_and_the_endpoint_is_named(world: World) -> None:
    view = observer(world, forgetful(world), honest=0).observe(NOTHING)
    assert (view.head.tree_size, view.final.number) == (1, 10 - DEPTH)
    assert (view.final_head.tree_size, view.final_nonce, dict(view.standings)) == (0, 0, {})
    (note,) = view.notes
    assert ("StateForgotten" in note, "memory" in note) == (True, True)


def test_without_the_final_state_the_newest_final_event_is_the_head(world: World) -> None:
    for newest, read in ((event(7), ()), (event(5), (event(6), event(7)))):
        chain = forgetful(world, anchored=lambda *_, read=read: read)
        head = observer(world, chain, honest=0).observe(journal(final_header=None, newest_anchor=newest)).final_head
        assert (head.tree_size, head.root) == (7, event(7).root)


def test_without_the_final_state_receipts_prove_which_nonces_are_used(world: World) -> None:
    waiting = journal(final_header=None, open_nonces=(4, 5, 6, 7), attempts=tuple(map(attempt, (4, 5, 6, 7))))
    old, newest = world.network.blocks[2].block, world.network.newest.block
    elsewhere = PublicBlock(2, bytes(32), bytes(32), 0)
    stands = {attempt(5).hash: (old, True), attempt(6).hash: (newest, True), attempt(7).hash: (elsewhere, True)}
    view = observer(world, forgetful(world, receipt_status=stands.get), honest=0).observe(waiting)
    assert view.final_nonce == 6  # also the one below: nonces are used in order
    assert view.standings == {attempt(5).hash: Standing(old, is_success=True)}


def test_where_states_are_proven_no_event_and_no_receipt_stands_for_one_that_is_forgotten(world: World) -> None:
    old = world.network.blocks[2].block
    waiting = journal(final_header=None, open_nonces=(4,), attempts=(attempt(4),), newest_anchor=event(7, 1))
    lies = {"receipt_status": lambda _: (old, True), "anchored": lambda *_: [event(9, 3)]}
    chains = observer(world, forgetful(world, **lies), honest=0)
    plain, proven = chains.observe(waiting), replace(chains, is_proven=True).observe(waiting)
    assert (plain.final_head.tree_size, plain.final_nonce, len(plain.standings)) == (9, 5, 1)
    assert (proven.final_head.tree_size, proven.final_nonce, proven.standings) == (0, 0, {})
    assert (proven.final, proven.new_anchors) == (plain.final, plain.new_anchors)
    assert "StateForgotten" in proven.notes[0]


def test_an_endpoint_that_refuses_in_words_of_its_own_is_worked_around_too(world: World) -> None:
    final = world.network.blocks[10 - DEPTH].block

    def nonce(signer: Any, at: PublicBlock) -> int:
        if at == final:
            raise EndpointRefused(endpoint="x", call="nonce", code=-32000, reason="no such luck")
        return MemoryChain(world.network).nonce(signer, at)

    assert observer(world, Liar(world, nonce=nonce), honest=0).observe(NOTHING).final_nonce == 0


def test_no_state_at_the_pin_is_no_observation(world: World) -> None:
    with pytest.raises(StateForgotten) as caught:
        observer(world, forgetful(world, keeps=0), honest=0).observe(NOTHING)
    assert caught.value.endpoint == "memory"


def test_a_tick_reads_a_bounded_stretch_of_events_and_the_next_goes_on_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relayers.observe.EVENT_RANGE", 3)
    monkeypatch.setattr("relayers.observe.MAX_RANGES", 2)
    world.network.mine(10)
    asked: list[tuple[int, int]] = []
    chain = Liar(world, anchored=lambda _, first, last: asked.append((first, last)) or [])
    known, numbers = NOTHING, []
    for _ in range(3):
        view = observer(world, chain, honest=0).observe(known)
        numbers.append(view.final.number)
        known = journal(final_header=HeaderRow(view.final.number, view.final.hash, view.final.parent))
    assert asked == [(0, 2), (3, 5), (6, 8), (9, 11), (12, 14), (15, 16)]
    assert numbers == [5, 11, 16]
    assert view.notes == ()
    assert "final is 16" in observer(world, chain, honest=0).observe(NOTHING).notes[0]


def test_a_stretch_full_of_events_ends_the_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relayers.observe.EVENT_RANGE", 1)
    monkeypatch.setattr("relayers.observe.MAX_EVENTS", 2)
    chain = Liar(world, anchored=lambda _, first, last: [event(first + 2, first)])
    view = observer(world, chain, honest=0).observe(NOTHING)
    assert (view.final.number, [anchor.tree_size for anchor in view.new_anchors]) == (1, [2, 3])


def test_events_that_fail_half_way_are_kept_so_far(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relayers.observe.EVENT_RANGE", 2)

    def anchored(_: Any, first: int, last: int) -> list[Any]:
        if first >= failing:
            raise Unreachable(endpoint="x", call="anchored")
        return []

    failing = 4
    assert observer(world, Liar(world, anchored=anchored), honest=0).observe(NOTHING).final.number == 3
    failing = 0
    with pytest.raises(Unreachable):
        observer(world, Liar(world, anchored=anchored), honest=0).observe(NOTHING)


@pytest.mark.parametrize("sizes", [(7,), (1,), (2, 2), (3, 2)], ids=str)
def test_events_that_do_not_lead_to_the_final_head_are_not_written_down(world: World, sizes: tuple[int, ...]) -> None:
    told = tuple(event(size) for size in sizes)
    with pytest.raises(Undecided):
        observer(world, Liar(world, anchored=lambda *_: told), honest=0).observe(NOTHING)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2)], ids=str)
def test_sizes_of_events_rise_where_nobody_knows_the_final_head_too(world: World, sizes: tuple[int, ...]) -> None:
    told = tuple(event(size) for size in sizes)
    with pytest.raises(Undecided):
        observer(world, forgetful(world, anchored=lambda *_: told), honest=0).observe(NOTHING)


def headed(world: World, **at: int | None) -> Liar:
    """An endpoint that shows no events, and these sizes of the head at public blocks 2 and 6; None: forgotten."""

    def head(log: Any, block: PublicBlock) -> Any:
        size = at.get(f"at_{block.number}", at["at_6"])
        if size is None:
            raise StateForgotten(what="the head", endpoint="x")
        return replace(MemoryChain(world.network).head(log, block), tree_size=size, root=event(size).root)

    return Liar(world, head=head, anchored=lambda *_: ())


def test_an_event_that_must_be_among_those_read_is_waited_for(world: World) -> None:
    """What moved the head since the last final header is not there: a lie, or an index that lags behind its chain."""
    second = world.network.blocks[2].block
    known = journal(final_header=HeaderRow(2, second.hash, second.parent), newest_anchor=event(5))
    with pytest.raises(Undecided):
        observer(world, headed(world, at_2=5, at_6=7), honest=0).observe(known)


@pytest.mark.parametrize("before", [7, None])
def test_an_event_that_was_missed_long_ago_blinds_nobody(world: World, before: int | None) -> None:
    second = world.network.blocks[2].block
    known = journal(final_header=HeaderRow(2, second.hash, second.parent), newest_anchor=event(5))
    for asked, chain in ((known, headed(world, at_2=before, at_6=7)), (NOTHING, headed(world, at_6=7))):
        assert observer(world, chain, honest=0).observe(asked).final_head.tree_size == 7


def test_of_a_long_life_only_the_last_base_fees_are_remembered(world: World) -> None:
    chain = observer(world)
    for _ in range(4):
        world.network.mine(1_000)
        chain.observe(NOTHING)
    assert len(chain._base_fees) == 10


@pytest.mark.parametrize("silence", [{"receipt_status": lambda _: None}, {"anchored": lambda *_: []}])
def test_an_endpoint_that_lags_does_not_agree_with_one_that_hides_what_happened(
    world: World, silence: dict[str, Any]
) -> None:
    """Events and receipts are not asked by hash: who has not seen the final public block says "nothing", and no lie."""
    lagging = MemoryChain(replaced(world, blocks=world.network.blocks[:3]), "lagging", DEPTH)
    chain = observer(world, Liar(world, **silence), lagging, honest=1, quorum=2)
    ours = attempt(0)
    asked = journal(final_header=None, open_nonces=(0,), attempts=(ours,))
    anchor = replace(event(2), log_id=world.consortium.log_id)
    world.network.blocks[5] = replace(
        world.network.blocks[5], statuses={ours.hash: True}, paid={ours.hash: (21_000, GWEI)}, events=(anchor,)
    )
    address = scope_for(world, "operator 0").signer
    for number in range(5, len(world.network.blocks)):
        world.network.blocks[number] = replace(world.network.blocks[number], nonces={address: 1})
    with pytest.raises(Undecided):
        chain.observe(asked)


def replaced(world: World, **changes: Any) -> Any:
    """The network as an endpoint sees it that is behind."""
    return SimpleNamespace(**{"newest": changes["blocks"][-1], "chain_id": world.network.chain_id} | changes)


def test_the_usual_base_fee_is_the_median_of_the_last_thousand_public_blocks(world: World) -> None:
    world.network.mine(395)
    world.network.base_fee = 50 * GWEI
    world.network.mine(5)
    chain = observer(world)
    assert chain.observe(NOTHING).base_fee == 50 * GWEI
    assert chain.observe(NOTHING).usual_base_fee == GWEI


def test_endpoints_of_another_chain_or_contract_are_refused(world: World) -> None:
    observer(world).admitted()
    for refused, error in (
        ({"chain_id": lambda: 1}, StoreBroken),
        ({"block": lambda _: PublicBlock(0, bytes(32), bytes(32), 0)}, StoreBroken),
        ({"code_hash": lambda: EMPTY_CODE}, CodeMismatch),
    ):
        with pytest.raises(error):
            observer(world, Liar(world, **refused)).admitted()
    with pytest.raises(CodeMismatch):
        replace(observer(world), code_hash=bytes(32)).admitted()


def test_a_start_leaves_a_stranger_out_while_a_quorum_of_the_others_can_answer(world: World) -> None:
    stranger = Liar(world, chain_id=lambda: 1)
    silent = Liar(world, chain_id=raising(Unreachable(endpoint="x", call="eth_chainId")))
    assert names(observer(world, stranger, honest=2, quorum=2).admitted()) == ["honest 0", "honest 1"]
    with pytest.raises(Unreachable):  # perhaps a moment later
        observer(world, stranger, silent, honest=1, quorum=2).admitted()
    for others in ((stranger,), (stranger, Liar(world, code_hash=lambda: EMPTY_CODE), silent)):
        with pytest.raises(StoreBroken):
            observer(world, *others, honest=1, quorum=2).admitted()


# ── while it runs ────────────────────────────────────────────────────────────────────────────────────────────────────


def three(world: World, third: MemoryChain) -> Observer:
    return observer(world, third, honest=2, quorum=2)


def names(observer: Observer) -> list[str]:
    return [chain.name for chain in observer.endpoints]


def test_an_endpoint_that_comes_up_late_joins_in_the_next_tick(world: World) -> None:
    third = MemoryChain(world.network, "third", DEPTH)
    chains = three(world, third)
    third.is_down = True
    assert names(chains.admitted()) == ["honest 0", "honest 1"]
    serving, notes = chains.serving()
    assert names(serving) == ["honest 0", "honest 1"]
    assert notes[0].startswith("third is left out: Unreachable")
    third.is_down = False
    serving, notes = chains.serving()
    assert (names(serving), notes) == (["third", "honest 0", "honest 1"], ())


@pytest.mark.parametrize("lie", ["chain_id", "block"])
def test_an_endpoint_that_serves_another_chain_from_now_on_is_asked_nothing_more(world: World, lie: str) -> None:
    third = Liar(world)
    chains = three(world, third)
    assert len(chains.serving()[0].endpoints) == 3
    third.lies = {lie: lambda *_: PublicBlock(0, bytes(32), bytes(32), 0) if lie == "block" else 1}
    serving, notes = chains.serving()
    assert (names(serving), len(notes)) == (["honest 0", "honest 1"], 1)
    assert "memory is left out: StoreBroken" in notes[0]
    third.lies = {}
    assert len(chains.serving()[0].endpoints) == 3


def test_an_endpoint_that_is_replaced_while_it_is_away_shows_its_code_again(world: World) -> None:
    third = Liar(world)
    chains = three(world, third)
    chains.serving()
    third.lies = {"code_hash": raising(AssertionError("its code was compared before"))}
    chains.serving()
    third.lies = {"chain_id": raising(Unreachable(endpoint="x", call="eth_chainId"))}
    chains.serving()
    third.lies = {"code_hash": lambda: EMPTY_CODE}
    serving, notes = chains.serving()
    assert (names(serving), "CodeMismatch" in notes[0]) == (["honest 0", "honest 1"], True)


def test_an_endpoint_that_fails_in_an_observation_shows_its_code_again(world: World) -> None:
    third = Liar(world)
    chains = three(world, third)
    chains.serving()[0].observe(NOTHING)
    third.lies = {
        "balance": raising(AnswerMalformed(endpoint="x", call="balance", rule="a number")),
        "code_hash": lambda: EMPTY_CODE,
    }
    chains.serving()[0].observe(NOTHING)
    assert "CodeMismatch" in chains.serving()[1][0]


def test_a_quorum_of_endpoints_of_another_chain_ends_the_run(world: World) -> None:
    liars = [Liar(world, chain_id=lambda: 1), Liar(world, code_hash=lambda: EMPTY_CODE)]
    with pytest.raises(StoreBroken):
        observer(world, *liars, honest=1, quorum=2).serving()
    with pytest.raises(Undecided):
        observer(world, liars[0], honest=1, quorum=2).serving()


def test_endpoints_that_are_silent_at_the_start_are_left_out_while_a_quorum_answers(world: World) -> None:
    silent = Liar(world, chain_id=raising(Unreachable(endpoint="x", call="eth_chainId")))
    both = observer(world, silent, honest=2, quorum=2).admitted()
    assert [chain.name for chain in both.endpoints] == ["honest 0", "honest 1"]
    with pytest.raises(Unreachable):
        observer(world, silent, honest=1, quorum=2).admitted()
