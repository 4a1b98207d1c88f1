"""Every mutant of RELAYER §7: what is changed, and which story must notice.

A mutant named in the page twice, in words, may be two here. `SCHEDULES` plays seeds until one is not as promised.
"""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from hybrid_bridge.errors import LeaseLost
from hybrid_bridge.units import Nonce
from relayers.sql_journal import SqlJournal, create_journal
from tests.behaviours.journal_behaviour import OVERTAKE
from tests.evm import test_endpoint
from tests.journals import SCOPE
from tests.mutants.planting import Mutant
from tests.simulation import test_directed as directed
from tests.simulation.oracle import Violation
from tests.simulation.schedule import play
from tests.unit.hybrid_bridge.steps import test_attest
from tests.unit.relayers.builders import T0
from tests.vectors import test_guards

PLAN, FACTS, FEES, TURNS = "relayers.plan", "relayers.facts", "relayers.fees", "relayers.turns"
OBSERVE, PANEL, RELAY, POLICY, SQL = (
    "relayers.observe",
    "relayers.panel",
    "relayers.relay",
    "relayers.signing_policy",
    "relayers.sql_journal",
)
GUARD, SQL_GUARD, ATTEST = (
    "hybrid_bridge.core.guard",
    "hybrid_bridge.adapters.sqlite.guard",
    "hybrid_bridge.steps.attest",
)
SIGNING, RPC = "hybrid_bridge.core.signing", "hybrid_bridge.adapters.evm.rpc"
SEEDS = 400

Killer = Callable[[], object]


# ── who notices ──────────────────────────────────────────────────────────────────────────────────────────────────────


def schedules() -> None:
    """Seeded schedules, until one is not as promised."""
    for seed in range(SEEDS):
        result = play(seed)
        if result.violation:
            raise Violation(promise=f"seed {seed}", detail=result.violation)


def named(function: Callable[..., object], *arguments: object) -> Killer:
    """A test as a killer; with the arguments of one of its cases."""

    def killer() -> object:
        return function(*arguments)

    killer.name = function.__name__  # type: ignore[attr-defined]
    return killer


def guard_vectors(word: str) -> Killer:
    """The public vectors of the guard whose names say `word`, against the store that a validator has."""

    def killer() -> None:
        number = count()
        made: list[Any] = []
        everything = test_guards.CASES
        with tempfile.TemporaryDirectory() as folder:

            def make(log_id: Any, key: Any) -> Any:
                made.append(test_guards.Store(Path(folder) / f"{next(number)}.db", log_id, key))
                return made[-1]

            test_guards.CASES = [case for case in everything if word in case["name"]]
            try:
                test_guards.test_the_store_of_a_real_key_says_what_every_vector_says(make)
            finally:
                test_guards.CASES = everything
                for store in made:
                    store.guard.close()

    killer.name = f"vectors of the guard, {word!r}"  # type: ignore[attr-defined]
    return killer


def woken_holder() -> None:
    """A process whose lease another took writes nothing more into a journal on a disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        create_journal(path, SCOPE, T0)
        with SqlJournal(path, SCOPE, "first", T0) as journal:
            with closing(sqlite3.connect(path)) as stranger:
                stranger.execute(OVERTAKE)
                stranger.commit()
            try:
                journal.open_slot(Nonce(0))
            except LeaseLost:
                return
    raise Violation(promise="S6", detail="a process without the lease wrote")


def one_request() -> None:
    """A server that accepts and never answers gets one request."""
    server = test_endpoint.Hostile()
    try:
        chain = test_endpoint.Web3Chain(
            test_endpoint.JsonRpc("b", server.url, test_endpoint.Seconds(1)), test_endpoint.CONTRACT
        )
        test_endpoint.test_silence_is_unreachable_after_the_deadline_and_one_request(server, chain, "broadcast")
    finally:
        server.stop()


# ── the catalogue ────────────────────────────────────────────────────────────────────────────────────────────────────

_ADD = "        self._journal.add_attempt(row, limits(chain, relayer.policy.fees, may_use_reserve=is_rotation))"

MUTANTS = (
    Mutant(
        "bump journaled after send",
        RELAY,
        _ADD,
        f"        [_broadcast(row, endpoint) for endpoint in self._endpoints]\n{_ADD}",
        schedules,
    ),
    Mutant(
        "re-signed instead of re-sent",
        RELAY,
        "        return endpoint.broadcast(attempt.raw)",
        "        return endpoint.broadcast(endpoint._process.operator.signer.sign(\n"
        "            __import__('hybrid_bridge.core.public_transaction', fromlist=['x']).decode_signed(attempt.raw).transaction))",
        schedules,
    ),
    Mutant("one endpoint trusted", PANEL, "values.count(value) >= self.quorum", "values.count(value) >= 1", schedules),
    Mutant(
        "an endpoint that lags has a voice",
        OBSERVE,
        "        if chain.block(block.number) != block:",
        "        if False:",
        named(directed.test_an_endpoint_that_lags_is_no_second_voice_for_one_that_lies, "receipt none"),
    ),
    Mutant(
        "final after 3 public blocks",
        OBSERVE,
        'number = self.reached(lambda chain: chain.finalized().number, "finalized")',
        "number = PublicBlockNumber(max(0, pinned.number - 3))",
        schedules,
    ),
    Mutant(
        "finalized nonce = ours succeeded",
        FACTS,
        "if nonce < chain.final_nonce]",
        "if any(a.nonce == nonce and a.hash in chain.standings and chain.standings[a.hash].is_success"
        " for a in journal.attempts)]",
        named(directed.test_a_nonce_used_by_a_wallet_halts_and_the_anchor_goes_on_when_a_person_has_looked),
    ),
    Mutant(
        "holes not filled",
        PLAN,
        "    for hole in holes:",
        "    for hole in ():",
        named(directed.test_a_hole_below_an_open_slot_is_filled_from_the_lowest),
    ),
    Mutant(
        "intent owns its nonce",
        PLAN,
        "unmined = [n for n in open_nonces if n >= nonce]",
        "unmined = [n for n in open_nonces if n >= nonce and not (scene.journal.dearest(n) is not None and"
        " scene.journal.intent_for(scene.journal.dearest(n).to_size) is None)]",
        named(directed.test_a_slot_outlives_its_duty),
    ),
    Mutant(
        "slots behind bumped",
        PLAN,
        "        elif best.hash not in scene.sent:",
        "        elif is_too_cheap(best, scene.chain, scene.policy.fees) and scene.need is not None:\n"
        "            return _attempt(scene, scene.offer(nonce, raised(best, scene.chain, scene.policy, scene.gas_of(nonce))))\n"
        "        elif best.hash not in scene.sent:",
        named(directed.test_slots_behind_the_lowest_are_never_bumped),
    ),
    Mutant(
        "nonce from a counter",
        PLAN,
        "return _opened(scene, nonce) if is_begun else idle",
        "return _opened(scene, Nonce(-1 if (top := scene.journal.highest_nonce) is None else top) + 1) if is_begun else idle",
        named(directed.test_what_a_key_did_before_its_first_slot_halts_nobody),
    ),
    Mutant(
        "a nonce that was closed by a lie taken for lag",
        PLAN,
        'return Wait("nonce_behind") if closed is not None and nonce <= closed else OpenSlot(nonce)',
        'return Wait("finality_lags") if closed is not None and nonce <= closed else OpenSlot(nonce)',
        named(directed.test_nonces_that_a_quorum_called_used_for_good_are_told_and_waited_on_once_the_truth_is_told),
    ),
    Mutant(
        "a stranger's nonce skipped",
        PLAN,
        "if highest is not None and nonce > highest + 1:",
        "if False:",
        named(directed.test_above_a_nonce_that_is_not_ours_nothing_is_signed_and_once_final_it_halts),
    ),
    Mutant(
        "a nonce far above ours believed",
        PLAN,
        "if highest is not None and nonce > highest + 1:",
        "if False:",
        named(
            directed.test_a_quorum_that_says_a_nonce_far_up_has_nothing_signed_on_it_and_leaves_no_hole, "far up pinned"
        ),
    ),
    Mutant(
        "others' nonces written down without end",
        FACTS,
        "if count <= MAX_UNKNOWN else",
        "if count else",
        named(
            directed.test_a_quorum_that_says_a_nonce_far_up_has_nothing_signed_on_it_and_leaves_no_hole, "nonce far up"
        ),
    ),
    Mutant(
        "holes filled without end",
        PLAN,
        "len(unmined) > MAX_HOLES and",
        "len(unmined) > 10**9 and",
        named(directed.test_a_first_nonce_taken_far_up_costs_nothing_once_the_truth_is_told),
    ),
    Mutant(
        "a key that is elsewhere goes on",
        FACTS,
        "return replace(used[0], halt=_elsewhere(used[0].slot.nonce, chain))",
        "return used[0]",
        named(directed.test_a_nonce_used_by_a_wallet_halts_and_the_anchor_goes_on_when_a_person_has_looked),
    ),
    Mutant(
        "nonce at pending",
        OBSERVE,
        'nonce = ask_all("nonce", lambda chain: chain.nonce(signer, pinned), pinned.hash)',
        'nonce = ask_all("nonce", lambda chain: chain.nonce(signer, pinned)'
        " + sum(t.sender == signer for t in chain._endpoint.network.pending), pinned.hash)",
        schedules,
    ),
    Mutant("mined stored as fact", FACTS, "if nonce < chain.final_nonce]", "if nonce < chain.nonce]", schedules),
    Mutant(
        "revert at the head = failed",
        OBSERVE,
        "return block.number <= final.number and self._block(block.number).hash == block.hash",
        "return self._block(block.number).hash == block.hash",
        schedules,
    ),
    Mutant(
        "replace_low read as ours is in the pool",
        PLAN,
        "        or is_too_cheap(best, scene.chain, scene.policy.fees)\n",
        "        or (is_too_cheap(best, scene.chain, scene.policy.fees) and scene.chain.base_fee * 2 > best.max_fee)\n",
        named(directed.test_a_pool_that_holds_another_transaction_of_our_nonce_is_outbid),
    ),
    Mutant("fence not checked", SQL, "if current != self._epoch:", "if current < 0:", woken_holder),
    Mutant(
        "reads by number instead of hash",
        OBSERVE,
        'head=ask_all("head", lambda chain: chain.head(log_id, pinned), pinned.hash),',
        'head=ask_all("head", lambda chain: chain.head(log_id, chain.block(pinned.number)), pinned.hash),',
        named(directed.test_a_reorganisation_in_the_middle_of_an_observation_makes_none),
    ),
    Mutant(
        "doomed attempt re-sent",
        PLAN,
        "    if _is_doomed(best, scene) and not behind and not _is_stuck(scene, nonce):",
        "    if False:",
        named(directed.test_an_attempt_that_would_revert_is_not_sent_again_while_nothing_is_gained),
    ),
    Mutant(
        "turn ignored",
        PLAN,
        "if not is_late and not is_our_turn(oldest.size, oldest.held_number, chain.pinned.number, policy.turns):",
        "if False:",
        named(directed.test_nobody_anchors_before_their_turn),
    ),
    Mutant(
        "a turn that came stays",
        TURNS,
        "    return waited // turns.grace_blocks % turns.operators == own",
        "    return waited >= own * turns.grace_blocks",
        named(directed.test_after_a_spike_in_which_everybodys_turn_came_one_of_five_anchors),
    ),
    Mutant(
        "ceiling ignored",
        FEES,
        "if offer.fee.max_fee > ceiling(chain, policy, offer.gas) or offer.fee.max_fee < chain.base_fee:",
        "if offer.fee.max_fee > policy.fees.max_fee or offer.fee.max_fee < chain.base_fee:",
        named(directed.test_raises_stop_at_the_ceiling_in_a_spike_and_end_with_it, 3),
    ),
    Mutant("retries on", RPC, "            exception_retry_configuration=None,\n", "", one_request, is_slow=True),
    Mutant(
        "guard row after the signature",
        ATTEST,
        "    permit = guard.permit(size, checkpoint.root, digest, path)  # Durable: we say this, once. Dead here? Said again.\n"
        "    signature = guard.stored(size)",
        "    from hybrid_bridge.ports import SigningPermit\n"
        "    early = signer.sign(SigningPermit(digest, size))\n"
        "    permit = guard.permit(size, checkpoint.root, digest, path)\n"
        "    signature = guard.stored(size) or early",
        named(test_attest.test_the_row_is_durable_before_the_key_is_used),
    ),
    Mutant(
        "floor ignored on import",
        SQL_GUARD,
        "if added.floor.size > ours.floor.size:",
        "if added.floor.size < 0:",
        guard_vectors("minimal-then"),
    ),
    Mutant(
        "guard compares the root only, not the digest",
        SQL_GUARD,
        "            standing = connection.execute(select(_SIGNED.c.digest).where(_SIGNED.c.size == size)).scalar()\n"
        "            asked = Statement(size, root, digest)",
        "            standing = connection.execute(select(_SIGNED.c.root).where(_SIGNED.c.size == size)).scalar()\n"
        "            asked = Statement(size, root, root)",
        guard_vectors("double"),
    ),
    Mutant(
        "guard path check skipped",
        GUARD,
        "verify_consistency(highest.size, asked.size, list(path), highest.root, asked.root)",
        "highest.size",
        guard_vectors("path-"),
    ),
    Mutant(
        "low-s skipped where a key store answers",
        SIGNING,
        "low = ORDER - s if HALF_ORDER < s < ORDER else s",
        "low = s",
        named(directed.test_high_s_is_made_low_and_never_passes),
    ),
    Mutant(
        "low-s skipped where a signature is read",
        SIGNING,
        "if not 0 < s <= HALF_ORDER:",
        "if not 0 < s < ORDER:",
        named(directed.test_high_s_is_made_low_and_never_passes),
    ),
    Mutant(
        "returned transaction not compared",
        POLICY,
        "if getattr(answer.transaction, item.name) != getattr(asked, item.name):",
        "if False:",
        named(directed.test_a_signer_that_returns_something_else_halts_before_a_byte_is_kept, "other transaction"),
    ),
    Mutant(
        "sender not compared",
        POLICY,
        "if answer.sender != scope.signer:",
        "if False:",
        named(directed.test_a_signer_that_returns_something_else_halts_before_a_byte_is_kept, "stranger"),
    ),
)
