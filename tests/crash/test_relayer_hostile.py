"""Faults of RELAYER §7 on a real engine: anvil behind hostile endpoints, geth's pool beside. Each docstring names its case."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
import rlp

from hybrid_bridge.core.anchor import ANCHORED
from hybrid_bridge.errors import AnswerMalformed, CodeMismatch, FieldMismatch, Missing, StoreBroken
from hybrid_bridge.testing.hostile_endpoint import (
    ANY,
    BATCHED,
    LOST_REPLY,
    LOST_REQUEST,
    NEXT_ID,
    NO_ID,
    SEND,
    STATE_READS,
    TEXT_ID,
    TOO_MANY,
    HostileEndpoint,
    Refusal,
)
from hybrid_bridge.testing.memory_chain import GWEI
from hybrid_bridge.units import PublicBlockNumber, TreeSize, UnixSeconds
from relayers.desk import Desk
from relayers.journal import IntentState, Outcome
from relayers.preflight import _proves
from tests.crash.hostile_world import FINAL, Case, Make, anvil, make
from tests.crash.relay_world import ETHER

__all__ = ["anvil", "make"]
pytestmark = [pytest.mark.evm, pytest.mark.engine]


# ── sends ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [LOST_REPLY, LOST_REQUEST], ids=["reply", "request"])
def test_a_lost_answer_to_a_send_is_one_request_and_no_state_of_error(make: Make, fault: Any) -> None:
    """case 7: no client repeats it; the receipt tells, or the next tick sends the same bytes again."""
    case = make()
    (proxy,) = case.proxies
    proxy.disturb(SEND, fault, times=1)
    report = case.epoch()
    assert proxy.asked(SEND) == 1
    assert [(send.code, send.returned_hash, send.message) for send in report.sends] == [(None, None, "Unreachable")]
    case.settle()
    assert (case.halted(), case.anchored()) == (None, [2])
    sent = [params[0] for method, params in proxy.requests if method == SEND]
    assert len(set(sent)) == 1
    assert [intent.state for intent in case.dump().intents] == [IntentState.FINALIZED]
    assert case.fsck() == []


@pytest.mark.parametrize("fault", [NEXT_ID, TEXT_ID, NO_ID, BATCHED], ids=["next", "text", "none", "batch"])
def test_answers_to_other_questions_are_none_and_a_send_that_got_one_is_not_made_anew(make: Make, fault: Any) -> None:
    """case 7: what came for a send was another question's, so it is perhaps sent; then nothing is looked at by it."""
    case = make()
    (proxy,) = case.proxies
    proxy.disturb(SEND, fault, times=1)
    report = case.epoch()
    assert [(send.code, send.returned_hash) for send in report.sends] == [(None, None)]
    proxy.disturb(ANY, fault)
    before = case.dump()
    case.anvil.mine()
    assert case.tick().reason == "no_rpc_quorum"
    assert (case.dump().slots, case.dump().attempts) == (before.slots, before.attempts)
    proxy.honest()
    case.settle()
    assert (case.halted(), case.anchored()) == (None, [2])
    assert len({params[0] for method, params in proxy.requests if method == SEND}) == 1
    assert case.fsck() == []


def test_every_raise_is_one_that_geth_would_take(make: Make) -> None:
    """case 9: behind geth's rule none of our replacements is refused, since ours are 12.5 % dearer on both fields."""
    case = make(strict=True, bump_blocks=2)
    case.epoch()
    for _ in range(6):
        case.anvil.next_base_fee(max(a.max_fee for a in case.dump().attempts) + 1)
        case.anvil.mine()
        report = case.tick()
        assert [send.code for send in report.sends] == [None], report.sends
    attempts = sorted(case.dump().attempts, key=lambda attempt: attempt.max_fee)
    assert len(attempts) == 4  # each waits for two public blocks
    for old, new in itertools.pairwise(attempts):
        assert 8 * new.max_fee >= 9 * old.max_fee
        assert 8 * new.tip >= 9 * old.tip
    case.anvil.next_base_fee(GWEI)
    case.settle()
    assert case.anchored() == [2]
    assert case.fsck() == []


def test_another_hash_for_a_send_is_evidence_and_our_own_is_kept(make: Make) -> None:
    """case 21: what a server says of our bytes changes nothing we know about them."""
    case = make()
    (proxy,) = case.proxies
    proxy.lie(SEND, lambda *_: "0x" + "77" * 32)
    report = case.epoch()
    (attempt,) = case.dump().attempts
    assert [send.returned_hash for send in report.sends] == [b"\x77" * 32]
    assert [(d.endpoint, d.method, d.wanted, d.got) for d in report.dissents] == [
        ("endpoint 0", "broadcast", attempt.hash.hex(), "77" * 32)
    ]
    assert case.evidence() == [("endpoint 0", "broadcast")]
    case.tick()
    assert case.evidence() == [("endpoint 0", "broadcast")]  # sent again, answered alike: no news
    case.settle()
    assert [final.hash for final in case.dump().finals] == [attempt.hash]
    assert case.anchored() == [2]
    assert case.fsck() == []


def test_a_balance_too_low_for_a_raise_makes_none_and_a_top_up_lets_it_go_on(make: Make) -> None:
    """case 23: the old bytes stay alive; nothing is signed that the balance does not cover beside the reserve."""
    case = make(bump_blocks=2)
    case.epoch()
    (attempt,) = case.dump().attempts
    case.anvil.fund(case.signer, case.fees.reserve + attempt.cost)
    for _ in range(4):
        case.anvil.next_base_fee(90 * GWEI)
        case.anvil.mine()
        report = case.tick()
    assert (report.done[-1], report.reason) == ("Send", "low_balance")
    assert case.dump().attempts == (attempt,)
    case.anvil.fund(case.signer, 10 * ETHER)
    assert case.tick().done == ("MakeAttempt", "Send")
    case.anvil.next_base_fee(GWEI)
    case.settle()
    assert case.anchored() == [2]
    assert case.fsck() == []


@pytest.mark.parametrize("told", ["0x0", "0x8000000000000000", "0x" + "f" * 64])
def test_a_nonce_that_goes_back_or_that_no_journal_holds_plans_nothing_and_passes(make: Make, told: str) -> None:
    """One endpoint's word is taken (q = 1); but not against what is final, and no number breaks the journal."""
    case = make()
    (proxy,) = case.proxies
    case.epoch()
    case.settle()
    case.log.close_epoch()
    before = case.dump().slots
    proxy.lie("eth_getTransactionCount", lambda *_: told)
    assert case.tick().reason == ("nonce_behind" if told == "0x0" else "no_rpc_quorum")
    assert case.dump().slots == before
    proxy.honest()
    assert case.tick().done[-1] == "Send"
    case.settle()
    assert (case.halted(), case.anchored()) == (None, [2, 3])
    assert case.fsck() == []


# ── reorganisations ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("depth", [1, 4, FINAL - 1])
def test_a_reorganisation_below_finality_is_a_resend_from_the_lowest(make: Make, depth: int) -> None:
    """case 13: anvil forgets the transactions; the lowest nonce is sent first, and every size ends on the chain."""
    case = make()
    (proxy,) = case.proxies
    for _ in range(3):
        case.epoch()
        case.anvil.mine(2)
    before, lost = proxy.asked(SEND), set(case.anchored())
    case.anvil.reorganise(depth)
    lost -= set(case.anchored())
    report = case.tick()
    if lost:
        assert [send.hash for send in report.sends][:1] == [lowest_open(case).hash]
        assert proxy.asked(SEND) > before
    case.settle()
    assert case.anchored()[-1] == 4
    assert case.anchored() == sorted(set(case.anchored()))
    assert case.halted() is None
    assert case.fsck() == []


def lowest_open(case: Case) -> Any:
    """The newest attempt of the lowest nonce that stands nowhere."""
    used = case.anvil.chain.nonce(case.signer.address(), case.anvil.chain.latest())
    return max((a for a in case.dump().attempts if a.nonce == used), key=lambda a: a.max_fee)


@pytest.mark.parametrize("depth", [1, FINAL - 1])
def test_a_reorganisation_that_gives_transactions_back_doubles_nothing(make: Make, depth: int) -> None:
    """case 14: the pool has them again, as geth's would; ours sends the same bytes and anchors each size once."""
    case = make(strict=True)
    (proxy,) = case.proxies
    case.epoch()
    case.anvil.mine()
    case.epoch()
    case.anvil.mine()
    first = [attempt.hash for attempt in case.dump().attempts]
    JsonRpcThrough(proxy).ask("anvil_reorg", depth, [])
    case.settle()
    assert case.anchored() == [2, 3]
    assert [attempt.hash for attempt in case.dump().attempts] == first
    assert [final.outcome for final in case.dump().finals] == [Outcome.OK, Outcome.OK]
    assert case.fsck() == []


class JsonRpcThrough:
    """What the node is told through the proxy, so that it can be strict about it."""

    def __init__(self, proxy: HostileEndpoint) -> None:
        self._proxy = proxy

    def ask(self, method: str, *params: Any) -> None:
        self._proxy.answer({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})


def test_a_reorganisation_that_puts_the_same_anchor_of_another_first_makes_ours_a_no_op(make: Make) -> None:
    """case 15: both stand; the second moves nothing."""
    case = make()
    case.epoch()
    case.anvil.mine()
    case.anvil.reorganise(1)
    case.tick()  # the same bytes again: behind the other's
    case.anvil.anchor(case.log, 1, 2)
    case.settle()
    assert case.anchored() == [2]
    assert [final.outcome for final in case.dump().finals] == [Outcome.NOOP]
    assert [intent.state for intent in case.dump().intents] == [IntentState.FINALIZED]
    assert case.fsck() == []


def test_a_reorganisation_that_puts_a_larger_anchor_of_another_first_dooms_ours_which_is_replaced(make: Make) -> None:
    """case 15: the bytes that would revert are not sent again; the nonce carries the next size."""
    case = make()
    case.epoch()
    case.anvil.mine()
    case.anvil.reorganise(1)
    case.anvil.anchor(case.log, 1, 3)
    case.log.close_epoch()
    report = case.tick()
    assert report.done[-2:] == ("MakeAttempt", "Send"), report
    case.settle()
    assert case.anchored() == [3, 4]
    assert sorted(final.outcome for final in case.dump().finals) == [Outcome.LOST, Outcome.OK]
    assert [intent.state for intent in case.dump().intents] == [IntentState.SUPERSEDED, IntentState.FINALIZED]
    assert case.fsck() == []


def test_a_reorganisation_beyond_finality_halts_and_overwrites_nothing(make: Make) -> None:
    """case 16: a chain that breaks its promise is a person's to judge."""
    case = make()
    case.epoch()
    case.settle()
    before = case.dump()
    case.anvil.reorganise(FINAL + 3)  # down to the anchor: empty public blocks may come back as they were
    report = case.tick()
    assert (report.done, case.halted()) == (("Halt",), "finality_violation"), (report.reason, report.blind)
    assert case.dump().headers == before.headers
    assert case.dump().anchors == before.anchors
    assert case.tick().reason == "halted"
    assert {finding.promise for finding in case.fsck()} >= {"S3"}


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_finality_that_stalls_for_a_hundred_public_blocks_stops_no_anchor(make: Make) -> None:
    """case 17: mined stays mined, the lag is told, new anchors go on, and all settle once finality moves."""
    case = make()
    (proxy,) = case.proxies
    proxy.hold_final(case.anvil.chain.finalized().number)
    case.epoch()
    case.anvil.mine()
    case.epoch()
    case.anvil.mine(100)
    report = case.tick()
    assert report.sight is not None
    assert report.sight.chain is not None
    assert report.sight.chain.pinned.number - report.sight.chain.final.number > 100
    assert {intent.state for intent in case.dump().intents} == {IntentState.OPEN}
    assert case.dump().finals == ()
    assert case.anchored() == [2, 3]
    proxy.honest()
    case.tick()
    assert {intent.state for intent in case.dump().intents} == {IntentState.FINALIZED}
    assert case.fsck() == []


def test_one_endpoint_of_three_that_forges_changes_nothing_and_is_benched_with_evidence(make: Make) -> None:
    """case 18: head, nonce, balance and receipts forged by one."""
    case = make(3)
    forger = case.proxies[2]
    case.epoch()
    (attempt,) = case.dump().attempts
    forger.lie("eth_getTransactionCount", lambda *_: "0x63")
    forger.lie("eth_getBalance", lambda *_: "0x0")
    forger.lie("eth_call", lambda _, honest: "0x" + "00" * 31 + "63" + honest[66:])
    forger.lie("eth_getTransactionReceipt", lambda _, honest: honest and {**honest, "status": "0x0"})
    report = case.tick()
    assert [(d.endpoint, d.method) for d in report.dissents] == [("endpoint 2", "head")]
    assert case.evidence() == [("endpoint 2", "head")]
    with Desk(case.path, case.scope) as desk:
        (row,) = desk.contradictions(UnixSeconds(0))
        assert (row.endpoint, row.method, row.block_hash) == ("endpoint 2", "head", report.dissents[0].block_hash)
        assert desk.contradictions(UnixSeconds(case.now() + 1)) == ()
    assert report.sight is not None
    assert [endpoint.name for endpoint in report.sight.endpoints] == ["endpoint 0", "endpoint 1"]
    asked = len(forger.requests)
    case.settle()
    assert {method for method, _ in forger.requests[asked:]} <= {SEND}
    assert case.evidence() == [("endpoint 2", "head")]  # S9: benched, it adds none
    assert [(final.hash, final.outcome) for final in case.dump().finals] == [(attempt.hash, Outcome.OK)]
    assert case.fsck() == []


@pytest.mark.parametrize("method", ["eth_getTransactionCount", "eth_getBalance", "eth_getTransactionReceipt"])
def test_each_forged_answer_of_one_endpoint_is_evidence(make: Make, method: str) -> None:
    """case 18: one lie at a time."""
    case = make(3)
    case.epoch()
    case.anvil.mine(FINAL + 1)
    lie = (lambda _, honest: honest and {**honest, "status": "0x0"}) if "Receipt" in method else (lambda *_: "0x63")
    case.proxies[1].lie(method, lie)
    report = case.tick()
    assert {d.endpoint for d in report.dissents} == {"endpoint 1"}
    assert report.sight is not None
    assert report.sight.chain is not None
    case.settle()
    assert [final.outcome for final in case.dump().finals] == [Outcome.OK]


def test_where_no_two_endpoints_agree_nothing_is_signed_and_old_bytes_stay_alive(make: Make) -> None:
    """case 19: blind, not wrong."""
    case = make(3)
    case.epoch()
    (attempt,) = case.dump().attempts
    for number, proxy in enumerate(case.proxies):
        proxy.lie("eth_getTransactionCount", lambda *_, number=number: hex(90 + number))
    case.log.close_epoch()
    report = case.tick()
    assert (report.done, report.reason) == (("Send",), "no_rpc_quorum")
    assert report.blind
    assert report.dissents == ()  # who lies is not known
    assert case.dump().attempts == (attempt,)
    for proxy in case.proxies:
        proxy.honest()
    case.settle()
    assert case.anchored() == [2, 3]
    assert case.fsck() == []


@pytest.mark.parametrize("place", [0, 2], ids=["first", "last"])
def test_an_endpoint_that_serves_an_old_state_holds_nothing_up_and_finality_never_goes_back(
    make: Make, place: int
) -> None:
    """case 20: pinned reads name a hash it does not have; it lags and does not lie."""
    case = make(3)
    case.epoch()
    case.anvil.mine(FINAL + 1)
    lagging = case.proxies[place]
    lagging.freeze(case.anvil.chain.latest().number - FINAL - 1)
    finals = []
    for _ in range(3):
        report = case.tick()
        assert report.sight is not None
        assert report.sight.chain is not None
        finals.append(report.sight.chain.final.number)
        assert report.dissents == ()
        assert report.sight.lags[f"endpoint {place}"] >= FINAL
        case.anvil.mine()
    assert finals == sorted(finals)
    assert [header.number for header in case.dump().headers] == sorted(h.number for h in case.dump().headers)
    assert [intent.state for intent in case.dump().intents] == [IntentState.FINALIZED]
    assert case.fsck() == []


def test_two_lagging_endpoints_of_three_are_waited_for(make: Make) -> None:
    """case 20: what is final does not go back, and nothing is signed on an old state."""
    case = make(3)
    case.epoch()
    case.settle()
    stood = case.dump().headers[-1].number
    for proxy in case.proxies[:2]:
        proxy.freeze(PublicBlockNumber(stood - 2))
    case.log.close_epoch()
    report = case.tick()
    assert (report.done, report.reason) in {((), "no_rpc_quorum"), ((), "finality_lags")}
    assert case.dump().headers[-1].number == stood
    for proxy in case.proxies:
        proxy.honest()
    case.settle()
    assert case.anchored() == [2, 3]


@pytest.mark.parametrize(
    ("method", "lie"), [("eth_chainId", "0x1"), ("eth_getCode", "0x6000")], ids=["chain id", "code"]
)
def test_an_endpoint_that_changes_what_it_serves_is_left_out_until_it_serves_ours(
    make: Make, method: str, lie: str
) -> None:
    """case 22: one of three; nothing is simulated there, and what changed is evidence."""
    case = make(3)
    case.epoch()
    changed = case.proxies[0]
    changed.disturb("eth_chainId", TOO_MANY, times=1)  # it was away for a moment, and shows its code again
    assert case.tick().notes[0].startswith("endpoint 0 is left out: Unreachable")
    changed.lie(method, lambda *_: lie)
    case.anvil.mine()
    case.log.close_epoch()
    report = case.tick()
    assert report.notes[0].startswith("endpoint 0 is left out")
    assert report.done[-1] == "Send"
    assert changed.asked("eth_estimateGas") == 1
    assert case.evidence() == [("endpoint 0", "admission")]
    changed.honest()
    assert case.tick().notes == ()
    case.settle()
    assert case.anchored() == [2, 3]
    assert case.fsck() == []


@pytest.mark.parametrize(
    ("method", "lie", "error"),
    [("eth_chainId", "0x1", StoreBroken), ("eth_getCode", "0x6000", CodeMismatch)],
    ids=["chain id", "code"],
)
def test_a_quorum_that_changes_what_it_serves_ends_the_run_and_nothing_is_signed(
    make: Make, method: str, lie: str, error: type[Exception]
) -> None:
    """case 22: two of three."""
    case = make(3)
    case.log.close_epoch()
    for proxy in case.proxies[:2]:
        proxy.lie(method, lambda *_: lie)
    with pytest.raises(error):
        case.tick()
    assert case.dump().attempts == ()
    assert [proxy.asked(SEND) for proxy in case.proxies] == [0, 0, 0]


def test_a_delegation_put_on_our_key_while_we_run_halts(make: Make) -> None:
    """case 35: a set-code transaction by whoever has the key; nothing more is signed or sent."""
    case = make()
    (proxy,) = case.proxies
    case.epoch()
    case.anvil.mine()
    case.anvil.delegate(case.name)
    sent = proxy.asked(SEND)
    case.log.close_epoch()
    report = case.tick()
    assert (report.done, case.halted()) == (("Halt",), "delegated_signer")
    evidence = json.loads(case.journal.halt_evidence() or "")
    assert evidence["code"] == "ef0100" + "de" * 20
    assert case.tick().reason == "halted"
    assert proxy.asked(SEND) == sent


# ── states that are proven ───────────────────────────────────────────────────────────────────────────────────────────


def forged_leaf(nodes: list[str], field: int, value: int) -> list[str]:
    """The proof as a liar gives it who has no other account: the last node with another field."""
    path, account = rlp.decode(bytes.fromhex(nodes[-1][2:]))
    fields = rlp.decode(account)
    inner = [*fields[:field], rlp.sedes.big_endian_int.serialize(value), *fields[field + 1 :]]
    return [*nodes[:-1], "0x" + rlp.encode([path, rlp.encode(inner)]).hex()]


def forged_nonce(_: Any, honest: Any) -> Any:
    return honest | {"nonce": "0x63", "accountProof": forged_leaf(honest["accountProof"], 0, 99)}


def forged_balance(_: Any, honest: Any) -> Any:
    return honest | {"balance": "0x1", "accountProof": forged_leaf(honest["accountProof"], 1, 1)}


def forged_head(_: Any, honest: Any) -> Any:
    for one in honest["storageProof"]:
        path, word = rlp.decode(bytes.fromhex(one["proof"][-1][2:]))
        word = rlp.encode(rlp.decode(word)[:-1] + b"\x63")
        one["proof"][-1] = "0x" + rlp.encode([path, word]).hex()
    return honest


def forged_header(_: Any, honest: Any) -> Any:
    return honest and honest | {"stateRoot": "0x" + "11" * 32}


FORGERIES = {
    "nonce": ("eth_getProof", forged_nonce),
    "balance": ("eth_getProof", forged_balance),
    "head": ("eth_getProof", forged_head),
    "header": ("eth_getBlockByHash", forged_header),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_two_colluding_endpoints_of_three_are_caught_where_states_are_proven(make: Make, what: str) -> None:
    """case 18, with `state_proofs`: the tick is blind, the evidence is kept, the liars are benched."""
    case = make(3, proofs=True)
    case.epoch()
    case.anvil.mine()
    attempts = case.dump().attempts
    method, lie = FORGERIES[what]
    for proxy in case.proxies[:2]:
        proxy.lie(method, lie)
    case.log.close_epoch()
    report = case.tick()
    assert (report.sight and report.sight.chain, report.reason) == (None, "no_rpc_quorum")
    assert {endpoint for endpoint, _ in case.evidence()} == {"endpoint 0", "endpoint 1"}
    assert len(case.evidence()) == len(report.dissents)
    assert all("FieldMismatch" in dissent.got for dissent in report.dissents)
    assert case.dump().attempts == attempts
    for proxy in case.proxies:
        proxy.honest()
    assert case.tick().reason == "no_rpc_quorum"
    case.seconds += 601
    case.settle()
    assert case.anchored() == [2, 3]
    assert case.fsck() == []


def test_two_colluding_endpoints_that_feign_to_have_forgotten_and_forge_an_event_settle_nothing_where_states_are_proven(
    make: Make,
) -> None:
    """case 18: the event of an anchor that was never mined. Where it is believed, it settles the duty."""
    case = make(3, proofs=True)
    case.epoch()
    (attempt,) = case.dump().attempts
    case.anvil.rpc.ask("anvil_dropTransaction", "0x" + attempt.hash.hex())
    case.anvil.mine(2)
    final = case.anvil.chain.finalized()
    checkpoint = case.log.checkpoint(TreeSize(2))
    log = {
        "address": "0x" + case.anvil.chain.contract.hex(),
        "topics": ["0x" + ANCHORED.hex(), "0x" + case.log.log_id.hex(), f"0x{2:064x}"],
        "data": "0x" + checkpoint.root.hex() + f"{checkpoint.timestamp:064x}{1:064x}{7:064x}",
        "blockHash": "0x" + final.hash.hex(),
        "blockNumber": hex(final.number),
        "transactionHash": "0x" + attempt.hash.hex(),
        "logIndex": "0x0",
    }

    def forgotten(params: list[Any], honest: Any) -> Any:
        if isinstance(params[-1], dict) and params[-1]["blockHash"] == "0x" + final.hash.hex():
            raise Refusal(message="missing trie node")
        return honest

    for proxy in case.proxies[:2]:
        proxy.lie("eth_getLogs", lambda *_: [log])
        for method in STATE_READS:
            proxy.lie(method, forgotten)
    report = case.tick()
    assert [intent.state for intent in case.dump().intents] == [IntentState.OPEN]
    assert report.sight is not None
    assert report.sight.chain is not None
    assert [event.tree_size for event in report.sight.chain.new_anchors] == [2]
    assert "StateForgotten" in " ".join(report.notes)


def test_the_same_two_are_believed_where_nothing_is_proven(make: Make) -> None:
    """case 18: what `state_proofs` is for."""
    case = make(3)
    for proxy in case.proxies[:2]:
        proxy.lie("eth_getTransactionCount", lambda *_: "0x63")
    report = case.tick()
    assert report.sight is not None
    assert report.sight.chain is not None
    assert report.sight.chain.nonce == 0x63
    assert {endpoint for endpoint, _ in case.evidence()} == {"endpoint 2"}


def test_anchors_become_final_on_proven_states_alone(make: Make) -> None:
    """The unproven reads of head, nonce and balance are never asked."""
    case = make(3, proofs=True)
    for _ in range(2):
        case.epoch()
        case.anvil.mine()
    case.settle()
    assert case.anchored() == [2, 3]
    assert {intent.state for intent in case.dump().intents} == {IntentState.FINALIZED}
    asked = {method for proxy in case.proxies for method, _ in proxy.requests}
    assert asked.isdisjoint({"eth_call", "eth_getTransactionCount", "eth_getBalance"})
    require_pinned(case)
    assert case.evidence() == []
    assert case.fsck() == []


def require_pinned(case: Case) -> None:
    """Every state was asked for by hash, on the canonical chain; only at its admission an endpoint's newest code."""
    for method, params in (request for proxy in case.proxies for request in proxy.requests):
        assert "pending" not in params, (method, params)
        if method in {*STATE_READS, "eth_estimateGas"} and params[-1] != "latest":
            assert params[-1]["requireCanonical"] is True
        assert params[-1:] != ["latest"] or method == "eth_getCode"


def test_no_state_is_asked_for_by_number_or_as_pending(make: Make) -> None:
    """Two reads at different moments made real batches revert (RELAYER §4.2, §6)."""
    case = make(2)
    case.epoch()
    case.settle()
    require_pinned(case)
    assert any(method == "eth_call" for proxy in case.proxies for method, _ in proxy.requests)


def test_a_proven_head_is_the_one_that_the_contract_answers(make: Make) -> None:
    case = make(1, proofs=True)
    proven, plain = case.observer.endpoints[0], case.anvil.chain
    case.anvil.anchor(case.log, 1, 5)
    newest = plain.latest()
    for at in (newest, plain.block(PublicBlockNumber(newest.number - 1))):
        assert proven.head(case.log.log_id, at) == plain.head(case.log.log_id, at)
        for address in (case.signer.address(), case.anvil.chain.contract, b"\x99" * 20):
            assert proven.nonce(address, at) == plain.nonce(address, at)
            assert proven.balance(address, at) == plain.balance(address, at)
            assert proven.account_code(address, at) == plain.account_code(address, at)
    assert proven.head(bytes(32), newest).state == "unknown"


def test_check_says_which_states_an_endpoint_proves(make: Make) -> None:
    case = make(1, proofs=True)
    assert _proves(case.observer) == "proves the newest state and the final one"
    newest = case.anvil.chain.latest()

    def forgetful(params: list[Any], honest: Any) -> Any:
        if params[-1]["blockHash"] != "0x" + newest.hash.hex():
            raise Refusal(message="distance to target block exceeds maximum proof window")
        return honest

    case.proxies[0].lie("eth_getProof", forgetful)
    assert _proves(case.observer).startswith("proves the newest state, not the final one")


def test_code_that_is_not_the_accounts_is_refuted(make: Make) -> None:
    case = make(1, proofs=True)
    case.proxies[0].lie("eth_getCode", lambda *_: "0xef0100" + "de" * 20)
    with pytest.raises(FieldMismatch) as caught:
        case.observer.endpoints[0].account_code(case.signer.address(), case.anvil.chain.latest())
    assert caught.value.field == "account.codeHash"


def test_coordinates_that_are_not_the_headers_are_refuted(make: Make) -> None:
    case = make(1, proofs=True)
    at = replace(case.anvil.chain.latest(), time=1)
    with pytest.raises(FieldMismatch) as caught:
        case.observer.endpoints[0].nonce(case.signer.address(), at)
    assert caught.value.field == "header"


@pytest.mark.parametrize(
    "lie",
    [
        lambda _, honest: honest | {"accountProof": []},
        lambda _, honest: honest | {"accountProof": honest["accountProof"] * 40},
        lambda _, honest: honest | {"accountProof": "0x"},
        lambda _, honest: honest | {"storageProof": [{"proof": []}]},
        lambda _, honest: honest | {"storageProof": None},
        lambda *_: None,
    ],
    ids=["no nodes", "too many", "no list", "a slot too many", "no slots", "nothing"],
)
def test_what_is_no_proof_is_malformed_and_no_lie(make: Make, lie: Any) -> None:
    case = make(3, proofs=True)
    case.proxies[2].lie("eth_getProof", lie)
    assert case.tick().dissents == ()
    with pytest.raises(AnswerMalformed):
        case.observer.endpoints[2].balance(case.signer.address(), case.anvil.chain.latest())


def test_a_header_with_an_unknown_item_is_missing_and_no_lie(make: Make) -> None:
    case = make(3, proofs=True)
    unknown = {"stateRoot": "0x" + "11" * 32, "slotNumber": "0x1"}
    case.proxies[2].lie("eth_getBlockByHash", lambda _, honest: honest and honest | unknown)
    with pytest.raises(Missing):
        case.observer.endpoints[2].balance(case.signer.address(), case.anvil.chain.latest())
    assert case.tick().dissents == ()


def test_endpoints_that_are_all_gone_leave_the_relayer_blind_and_it_goes_on_afterwards(make: Make) -> None:
    """case 19: silence is no disagreement either."""
    case = make(3)
    for proxy in case.proxies:
        proxy.disturb(ANY, TOO_MANY)
    case.log.close_epoch()
    report = case.tick()
    assert (report.done, report.reason, report.dissents) == ((), "no_rpc_quorum", ())
    for proxy in case.proxies:
        proxy.honest()
    case.settle()
    assert case.anchored() == [2]
