"""One look at a log: the contract at several endpoints, the members' public copies, and what follows from both."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.adapters.evm.abreast import Circle
from hybrid_bridge.adapters.evm.agreement import Agreement
from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.history import stand_at
from hybrid_bridge.adapters.evm.keepers import founded_at
from hybrid_bridge.adapters.evm.sight import chain_id_of, endpoints_at
from hybrid_bridge.adapters.evm.watching import look_at
from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.cli.keepers import decode_sets
from hybrid_bridge.cli.watch.asking import Round
from hybrid_bridge.cli.watch.copies import Copy, Responsible, signers_of
from hybrid_bridge.cli.watch.evidence import anchored, keep
from hybrid_bridge.cli.watch.filing import Accusation, Filing, Told, Turn
from hybrid_bridge.cli.watch.findings import (
    CHAIN,
    HELD,
    ChainSight,
    Contradiction,
    CopySight,
    Finding,
    judge,
    remember,
    still,
    with_few,
)
from hybrid_bridge.cli.watch.memory import Notice, State
from hybrid_bridge.cli.watch.notices import Target, told
from hybrid_bridge.cli.watch.reporter import Reporter
from hybrid_bridge.cli.watch.settings import Watched
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.errors import BridgeError, FieldMismatch, Missing
from hybrid_bridge.ports import Head
from hybrid_bridge.units import ChainId, Digest, Wei

EVIDENCE: Final = "evidence"
BUDGET: Final = 30.0  # seconds in which the endpoints of the public chain answer what each look asks
TELLING: Final = 60.0  # seconds of one target in a look; what it has not taken by then waits for the next one
SCAN: Final = 600.0  # seconds for events: some providers give them in small ranges alone


@dataclass(frozen=True, slots=True)
class Known:
    """What the contract says of a log once and for long: its genesis record, origin, and sets of validators."""

    genesis: Genesis
    origin: str
    sets: tuple[Responsible, ...]
    head: Head  # when it was read
    chain_id: ChainId


@dataclass(slots=True)
class Watcher:
    """One log. `look` never raises what endpoints, members or targets can do."""

    watched: Watched
    folder: Path
    targets: list[Target]
    reporter: Reporter | None = None
    is_over: Callable[[], bool] = lambda: False  # whether the process is to end
    round: Round = field(init=False)
    circle: Circle | None = None  # the endpoints of the public chain
    known: Known | None = None
    asked: Agreement | None = None  # of the last look
    filing: Callable[[], Turn] | None = None  # what the last look would report
    fruitless: Counter[Path] = field(default_factory=Counter)  # see `Filing`

    def __post_init__(self) -> None:
        self.round = Round([Copy(name, Service(name, url)) for name, url in self.watched.copies.items()])

    def look(self, state: State, now: int) -> tuple[State, list[Finding], list[Notice], list[str]] | None:
        """One look: the state after it, what is so, what came and went, and what could not be done.

        None if the process is to end before all have answered: what they have not said by then is not held against
        them, and what they have said is said again.
        """
        chain, why = self._chain()
        if self.is_over():
            return None
        before = [one.finding for one in state.active]
        if self.known is None:
            findings = [Finding(kind="chain_unclear", about=CHAIN, detail=why)]
            findings = still(findings, before, {one.about for one in before})
            after, notices = state.turned(state.remembered, findings, {}, now)
            return after, findings, notices, []
        known = self.known
        clock = now if chain is None else max(now, chain.at.time)
        about = known.genesis, known.origin, known.sets, clock
        copies = self.round.look(lambda copy, end: copy.look(*about, end), self.is_over)
        if copies is None:
            return None
        signers = partial(signers_of, genesis=known.genesis, origin=known.origin, sets=known.sets)
        findings, contradictions = judge(chain, copies, state.remembered, known.genesis, now, why, signers)
        unseen = {name for name, sight in copies.items() if sight == CopySight()}  # by our own fault
        findings = still(findings, before, unseen | ({CHAIN} if chain is None else set()))
        if self.reporter is not None:
            findings += [one for one in before if one.kind == HELD]  # until `file` has seen again
        places, lines = self._kept(contradictions, copies, chain, known)
        remembered = remember(chain, copies, state.remembered, contradictions)
        after, notices = state.turned(remembered, findings, places, now)
        if chain is not None and self.reporter is not None:
            wanted = [(one, Path(places[one.finding.name])) for one in contradictions if one.finding.name in places]
            filing = Filing(self.reporter, signers, self._told, self.fruitless, known.chain_id)
            self.filing = partial(filing.turn, wanted, chain, anchored(with_few(copies), chain.head))
        return after, findings, notices, lines

    def file(
        self, state: State, findings: list[Finding], now: int
    ) -> tuple[State, list[Finding], list[Notice], list[str]]:
        """Send the reports that the last look wants: after everybody was told, for a transaction may take long.

        As of a look: what waits for the budget is a finding, too.
        """
        filing, self.filing = self.filing, None
        if filing is None:
            return state, findings, [], []
        turn = filing()
        if self.is_over():
            return state, findings, [], turn.lines  # broken off: what was held back may be so still
        findings = [*(one for one in findings if one.kind != HELD), *turn.held.values()]
        state, notices = state.turned(state.remembered, findings, {}, now)
        return state, findings, notices, turn.lines

    def _kept(
        self,
        contradictions: list[Contradiction],
        copies: dict[str, CopySight],
        chain: ChainSight | None,
        known: Known,
    ) -> tuple[dict[str, str], list[str]]:
        """Folders of evidence by finding. A disk that takes none keeps nobody from being told."""
        places, lines, sights = {}, [], with_few(copies)
        log = known.genesis.encode(), known.origin
        for one in contradictions:
            try:
                place = keep(self.folder / EVIDENCE, one, sights, chain, known.sets, log=log)
            except OSError as error:
                lines.append(f"evidence could not be written: {error.strerror}")
            else:
                places[one.finding.name] = str(place)
                lines.append(f"evidence: {place}")
        return places, lines

    @property
    def spent(self) -> Wei:
        """What reports of the last day cost at most."""
        return Wei(0) if self.reporter is None else self.reporter.purse.spent(int(time.time()))

    def tell(self, state: State) -> tuple[State, list[str]]:
        """Tell what is untold; who cannot be told now is told at the next look."""
        about = {"log_id": state.log_id.hex(), "origin": "" if self.known is None else self.known.origin}
        targets = {target.label: target for target in self.targets}
        kept, troubles, took = [], dict[str, str](), defaultdict[str, float](float)
        for one in state.untold:
            if one.target not in targets:
                continue  # nobody asks for it any more
            if one.target in troubles or took[one.target] > TELLING or self.is_over():
                kept.append(one)
                continue
            begun = time.monotonic()
            if trouble := told(targets[one.target], one.notice, about):
                troubles[one.target] = trouble  # once a look: who is away holds up nobody
                kept.append(one)
            took[one.target] += time.monotonic() - begun
        return replace(state, untold=tuple(kept)), list(troubles.values())

    def _chain(self) -> tuple[ChainSight | None, str]:
        """What enough endpoints agree on, and who says otherwise; or what was missing.

        Raises:
            SettingsMalformed: there is no contract.
            UnknownLog, FieldMismatch: the contract does not know the log, or has another one's genesis record.
        """
        try:
            circle = self.circle = self.circle or self._endpoints()
            needed = max(len(circle.chains) // 2 + 1, self.watched.threshold)
            if len(circle.chains) < needed:
                raise Missing(what=f"{needed} endpoints, as the threshold asks")
            circle.begin(BUDGET)
            answers = look_at(circle, self.watched.log_id, needed)
            if answers.head.tree_size < 1:
                raise Missing(what="a head that a contract can have")
            chain_id = chain_id_of(circle, needed) if self.known is None else self.known.chain_id
            asked = Agreement(circle=circle, needed=needed, chain_id=chain_id, at=answers.at)
            if self.known is None or _set_of(answers.head) != _set_of(self.known.head):
                circle.go_on(SCAN)
                self.known = self._learned(answers.head, asked)
            self.asked = asked
        except Missing as error:
            return None, error.what
        except BridgeError as error:
            if self.known is None:  # at the first look it is a mistake of the settings, and whoever made it is there
                raise
            return None, str(error)
        names = {number: f"endpoint {number}" for number in range(1, len(circle.chains) + 1)}
        sight = ChainSight(
            at=answers.at,
            head=answers.head,
            voices=needed,
            disagreeing=tuple((names[number], _words(head)) for number, head in answers.others),
            silent=tuple(names[number] for number in answers.silent),
        )
        return sight, ""

    def _endpoints(self) -> Circle:
        address = self.watched.contract or deterministic_address(artefact(REGISTRY).creation_code)
        return Circle([Web3Chain(endpoint, address) for endpoint in endpoints_at(self.watched.urls)], self.is_over)

    def _learned(self, head: Head, asked: Agreement) -> Known:
        kept = founded_at(asked, self.watched.log_id, self.watched.since)
        genesis = Genesis.decode(kept.genesis)
        if genesis.log_id != self.watched.log_id:
            raise FieldMismatch(field="log_id", expected=self.watched.log_id.hex(), got=genesis.log_id.hex())
        if origin_hash(kept.origin) != genesis.origin_hash:
            raise FieldMismatch(field="origin", expected=genesis.origin_hash.hex(), got=kept.origin[:200])
        sets = decode_sets(genesis, kept.sets)
        responsible = tuple(Responsible(e.from_size, s) for e, s in zip(kept.sets, sets, strict=True))
        return Known(genesis, kept.origin, responsible, head, asked.chain_id)

    def _told(self, wanted: Sequence[Accusation]) -> tuple[bool, ...]:
        """Of each accusation whether a report that makes it stands in the contract.

        Raises:
            Missing: too few endpoints agree on them.
        """
        if self.known is None or self.asked is None:
            raise Missing(what="endpoints that agree")
        self.asked.circle.begin(SCAN)
        members = {known.validators.set_id: known.validators.addresses for known in self.known.sets}

        def says(accusation: Accusation, kind: str, values: tuple[Any, ...]) -> bool:
            size, root, other, set_id, bits = values
            named = frozenset(one for n, one in enumerate(members.get(set_id, ())) if bits >> n & 1)
            report = Told(kind=kind, size=size, root=Digest(root), other=Digest(other), members=named)
            return report.tells(accusation.few, accusation.members)

        sought = [(accusation.few.size, partial(says, accusation)) for accusation in wanted]
        return stand_at(self.asked, self.watched.log_id, self.watched.since, sought)


def _set_of(head: Head) -> tuple[int, int]:
    return head.set_id, head.next_from_size


def _words(head: Head) -> str:
    more = f"set {head.set_id}, next set from size {head.next_from_size}, paused until {head.paused_until}"
    return f"size {head.tree_size}, root {head.root.hex()}, {head.state}, {more}"
