"""Would `run` start here, and would it get an anchor through? Asked of everything, read-only, each with its cure.

The start refuses the same things (RELAYER §4.7), one at a time; this looks at all of them and goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from hybrid_bridge.adapters.web.listener import Listener
from hybrid_bridge.errors import BridgeError, ClockBehind, NotYet, SettingsMalformed, StateForgotten
from hybrid_bridge.ports import ConsortiumMember
from hybrid_bridge.units import UnixSeconds, Wei
from relayers import wiring
from relayers.answers import ether, moment
from relayers.appointing import set_after
from relayers.desk import Desk
from relayers.journal import Brake, JournalView
from relayers.log import Log
from relayers.observe import Observer
from relayers.relay import look
from relayers.settings import ChainSettings, Settings
from relayers.start import ONE_WORD, require_clock, require_hosts, require_known, require_undelegated
from relayers.views import Appointment, ChainView, QuorumView

OLD: Final = 120  # seconds after which the newest public block is worth a word

Verdict = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    verdict: Verdict
    detail: str
    cure: str = ""
    exit_code: int = 0


def checks(settings: Settings, now: UnixSeconds, *, is_first: bool = True) -> Iterator[Check]:
    """All of them, cheap before dear; what rests on one that is bad is left out.

    Args:
        settings: of one chain.
        now: the machine's clock.
        is_first: of the chains of one process; the others share its listener and its members.
    """
    yield _asked("key", lambda: _key(settings), "mend the place or the address of the gas key: `keys` tells more")
    log, found = _log(settings)
    yield found
    view, found = _journal(settings, now)
    yield found
    if is_first and settings.listen is not None:
        yield _asked("listen", lambda: _listen(settings), "another address; or a relayer runs already")
    if log is None:
        return
    if is_first:
        yield from _each("members", _members(settings, log, now), "mend the files that `log.tls` names")
    yield from _each("endpoints", _endpoints(settings), "mend the file that holds its address")
    if view is not None:
        yield from _each("observation", _observation(settings, log, view, now), "see the endpoints above")


def exit_code(found: list[Check]) -> int:
    """Of the worst."""
    return max((check.exit_code for check in found), default=0)


def _asked(name: str, ask: Callable[[], str], cure: str) -> Check:
    try:
        return Check(name, "good", ask())
    except BridgeError as error:
        return Check(name, "bad", str(error), cure, error.exit_code)


def _each(name: str, found: Iterator[Check], cure: str) -> Iterator[Check]:
    """What stops one subject stops no other: files may be missing, endpoints fall silent in between."""
    try:
        yield from found
    except BridgeError as error:
        yield Check(name, "bad", str(error), cure, error.exit_code)


# ── this machine ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _key(settings: Settings) -> str:
    held = wiring.held_key(settings.chain)
    return "; ".join((f"0x{settings.chain.signer_address.hex()} signs", *held.notes))


def _log(settings: Settings) -> tuple[Log | None, Check]:
    cure = "ask the consortium for its genesis record and its validators' entries"
    try:
        log = wiring.load_log(settings.log)
        wiring.require_gas_key(settings.chain, log)
    except BridgeError as error:
        return None, Check("log", "bad", str(error), cure, error.exit_code)
    if settings.chain.signer_address not in settings.chain.operators:
        return log, Check("log", "note", "our key is not among turns.operators: we come after all of them")
    return log, Check("log", "good", f"{len(log.periods)} validator sets, {len(settings.chain.operators)} operators")


def _journal(settings: Settings, now: UnixSeconds) -> tuple[JournalView | None, Check]:
    try:
        with Desk(settings.journal, wiring.scope_of(settings)) as desk:
            view = desk.view(now)
    except BridgeError as error:
        cure = "as it says; only a damaged one comes from the newest `backup`"
        return None, Check("journal", "bad", str(error), cure, error.exit_code)
    if view.halted is not None:
        return view, Check("journal", "bad", f"halted: {view.halted}", "read the evidence, run fsck, then resume", 4)
    if view.brake is not Brake.RUN:
        return view, Check("journal", "note", f"the brake is at {view.brake}: `resume` lets it go")
    return view, Check("journal", "good", "sound, and of this chain, contract, log and key")


def _listen(settings: Settings) -> str:
    host, port = settings.listen or ("127.0.0.1", 0)
    Listener((host, port), lambda _: None).close()
    return f"{host}:{port} is free"


# ── others ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _members(settings: Settings, log: Log, now: UnixSeconds) -> Iterator[Check]:
    answering = 0
    try:
        members = wiring.members_of(settings.log)
    except BridgeError as error:
        yield Check("members", "bad", str(error), "mend the files that `log.tls` names", error.exit_code)
        return
    for member in members:
        check = _member(member)
        answering += check.verdict == "good"
        yield check
    needed = log.responsible(max(log.size_due(now), log.periods[0].from_size)).quorum
    if answering < needed:
        detail = f"{answering} of {len(settings.log.members)} members answer, a quorum is {needed}"
        yield Check("members", "bad", detail, "list more members, or wait until they answer", NotYet.exit_code)


def _member(member: ConsortiumMember) -> Check:
    """One that is silent is no fault of ours while a quorum answers."""
    name = f"member {member.name}"
    try:
        return Check(name, "good", f"has attested size {member.newest_size()}")
    except BridgeError as error:
        return Check(name, "note", str(error), "look at its address, and at our certificate's end")


def _endpoints(settings: Settings) -> Iterator[Check]:
    observer = wiring.observer_of(settings)
    for endpoint in observer.endpoints:
        alone = replace(observer, endpoints=(endpoint,), quorum=1)
        cure = "another endpoint, or mend chain_id, genesis_hash and contract"
        yield _asked(f"endpoint {endpoint.name}", partial(_serves, alone), cure)
        if settings.chain.state_proofs:
            cure = "an endpoint that serves eth_getProof at its newest public blocks; or state_proofs = false"
            yield _asked(f"state proofs of {endpoint.name}", partial(_proves, alone), cure)
    yield _hosts(settings)


def _hosts(settings: Settings) -> Check:
    quorum, hosts = settings.chain.rpc_quorum, wiring.hosts_of(settings)
    if quorum == 1:
        return Check("endpoints", "note", ONE_WORD)
    try:
        require_hosts(hosts, quorum)
    except SettingsMalformed as error:
        return Check("endpoints", "bad", str(error), "add an endpoint of somebody else", error.exit_code)
    if len(set(hosts)) == 1:
        return Check("endpoints", "note", "all of them are reached through this machine: are there two behind it?")
    return Check("endpoints", "good", f"{len(hosts)} on {len(set(hosts))} hosts, {quorum} must agree")


def _serves(alone: Observer) -> str:
    alone.admitted()
    return "serves our chain and our contract"


def _proves(alone: Observer) -> str:
    """At the newest public block and at the final one; the latter may be forgotten for a while, if finality stalls."""
    (endpoint,) = alone.endpoints
    endpoint.head(alone.scope.log_id, endpoint.latest())
    endpoint.balance(alone.scope.signer, endpoint.latest())
    try:
        endpoint.head(alone.scope.log_id, endpoint.finalized())
    except StateForgotten:
        return "proves the newest state, not the final one: nothing is called final while that is so of a quorum"
    return "proves the newest state and the final one"


def _observation(settings: Settings, log: Log, view: JournalView, now: UnixSeconds) -> Iterator[Check]:
    nobody = QuorumView(log_id=log.log_id, checkpoints=(), paths={})
    sight = look(view, wiring.observer_of(settings), lambda _: nobody)
    if sight.chain is None:
        yield Check("observation", "bad", sight.blind, "see the endpoints above", NotYet.exit_code)
        return
    yield Check("observation", "good", "; ".join((f"agreed at public block {sight.chain.pinned.number}", *sight.notes)))
    yield from _account(settings)
    yield clock(sight.chain, now)
    yield contract(sight.chain)
    yield from rotation(log, sight.chain, wiring.appointing(settings, log)(sight.chain))
    yield balance(sight.chain, settings.chain)


def _account(settings: Settings) -> Iterator[Check]:
    """Whose the gas key's account is, and whether this journal knows all it did."""
    serving, _ = wiring.observer_of(settings).serving()
    cure = "revoke the delegation, or take another gas key"
    yield _asked("account", lambda: _undelegated(serving), cure)
    cure = "`fsck --rebuild --plan`, then `fsck --rebuild`; and one journal for one key"
    yield _asked("transactions", lambda: _known(serving, settings), cure)


def _undelegated(serving: Observer) -> str:
    require_undelegated(serving, wiring.code_at)
    return "delegated to nobody"


def _known(serving: Observer, settings: Settings) -> str:
    with Desk(settings.journal, wiring.scope_of(settings)) as desk:
        require_known(serving, desk, settings.journal.name, wiring.sender_of)
    return "the journal knows every transaction of the gas key"


def clock(chain: ChainView, now: UnixSeconds) -> Check:
    """A public block from the future is our clock's fault; an old one may be the chain's."""
    try:
        require_clock(chain.pinned, now)
    except ClockBehind as error:
        return Check("clock", "bad", str(error), "set the clock (NTP)", error.exit_code)
    age = now - chain.pinned.time
    if age > OLD:
        return Check("clock", "note", f"the pinned public block is of {moment(chain.pinned.time)}, {age} s ago")
    return Check("clock", "good", f"{age} s after the pinned public block")


def contract(chain: ChainView) -> Check:
    """Whether it takes anchors of our log."""
    head = chain.head
    if head.state != "active":
        return Check("contract", "bad", f"the log is {head.state} there", "register it, or wait for its guardian", 3)
    return Check("contract", "good", f"the log is active at size {head.tree_size}")


def rotation(log: Log, chain: ChainView, update: Appointment | None) -> Iterator[Check]:
    """The next set, if one is known: whether the contract knows it too, and if not, whether it can be told."""
    found = set_after(log, chain.head.set_id)
    if found is None:
        return
    period = found[1]
    words = f"set {period.validators.set_id} signs from size {period.from_size} on"
    if chain.head.next_from_size or update is not None:
        yield Check("rotation", "good", f"{words}; its update {'stands' if update is None else 'is complete'}")
        return
    cure = f"put the signed files of {found[0].quorum} of the old set, and of every newcomer, into `set_updates`"
    yield Check("rotation", "note", f"{words}, and its update is not signed by all who must", cure)


def balance(chain: ChainView, settings: ChainSettings) -> Check:
    """Whether one anchor can be paid above the reserve."""
    needed = Wei(settings.fees.reserve + settings.fees.max_cost_per_anchor)
    words = f"{ether(chain.balance)} ether; reserve and one anchor are {ether(needed)}"
    if chain.balance < needed:
        return Check("balance", "bad", words, f"top up 0x{settings.signer_address.hex()}", 2)
    return Check("balance", "good", words)
