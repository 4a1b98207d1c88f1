"""Mixed business of one supplier, its debtor and two banks, story after story, each with things of its own.

Told by the generators of the data sets: invoices, confirmations, notes, splits, financings, releases, payments, and
what the rules must refuse. Every event says what must become of it.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from types import SimpleNamespace
from typing import Any, TypeVar

from hybrid_bridge.cli.demo.cast import events, expectations, place_of
from hybrid_bridge.cli.demo.trading import Traded, decide
from hybrid_bridge.errors import FieldMismatch, Undecided
from hybrid_bridge.testing.datasets import receivables
from hybrid_bridge.testing.datasets.story import Story
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.trade import Trade
from tests.e2e.engine_network import EngineNetwork

T = TypeVar("T")

ROOTS = 3
TOTAL = 60_000_000  # fen
LEAST = 10_000_000
TTL = 24  # epochs of a reservation, as long as the rules let it be
KEYS = 1_000  # of a story
PATIENCE = 400.0  # seconds until an event must be decided, faults included


def story(seed: int) -> dict[str, bytes]:
    """The files of one: some thirty events in order, three of them refused."""
    told = Story(seed=f"TEST soak {seed}")
    receivables._cast(told, 1, 2)
    trade = Trade(told, next_party_key=seed * KEYS, next_invoice=seed * KEYS)
    supplier, bank, other = (told.firms[role] for role in ("supplier-1", "bank-1", "bank-2"))
    faces = Stream(told.seed, "faces").parts(TOTAL, ROOTS, LEAST)
    notes = []
    for number, face in enumerate(faces):
        asset, ordinal = trade.invoice(supplier, face), 1 + faces[:number].count(face)  # equal deliveries of one day
        trade.register(asset)
        trade.confirm(asset, ordinal=ordinal)
        note = trade.note(supplier, face, 90)
        trade.issue(note, [(asset, face)])
        trade.accept(note)
        notes.append(note)
    again = trade.invoice(supplier, asset.gross)
    trade.register(again)
    at = trade.confirm(again, labels=trade.labels(asset, ordinal))
    told.expect("F-R04", "fraud", "submit", at, "rejected:L-hard", [again.object_id], "one invoice, two assets")
    first, second, third = notes
    half = first.face // 2
    at, _ = trade.split(first, [(supplier, half), (supplier, first.face - half + 1)])
    told.expect("F-R02", "fraud", "submit", at, "rejected:I2", [first.note_id], "children exceed by one fen")
    _, children = trade.split(first, [(supplier, half), (supplier, first.face - half)])
    for child in children:
        trade.accept(child)
    _, key = trade.reserve(bank, [second], TTL)
    at, _ = trade.reserve(other, [second], TTL)
    told.expect("F-R05", "fraud", "submit", at, "rejected:I5", [second.note_id], "two banks, one note")
    trade.finance(bank, key, [second])
    trade.settle(second, second.face, key)
    _, key = trade.reserve(other, [children[0]], TTL)
    trade.finance(other, key, [children[0]])
    trade.release(other, key, [children[0]])
    trade.settle(third, third.face // 3)
    trade.settle(third, third.face - third.face // 3)
    return told.files()


@dataclass
class Business:
    """What was carried out, and what came out otherwise than told."""

    network: EngineNetwork
    decided: Counter[str] = field(default_factory=Counter)  # accepted, refused
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    stories: int = 0
    lapsed: int = 0  # stories whose reservations or offers a halt outlasted

    def carry_on(self, first: int, step: int, enough: Event) -> None:
        """Stories `first`, `first + step`, … until it is enough; the last is left where it stands."""
        number = first
        while not enough.is_set():
            self._play(story(number), enough)
            self.stories += 1
            number += step

    def _play(self, files: dict[str, bytes], enough: Event) -> None:
        traded = Traded({name: self.network.desk(name) for name in ("core", "supplier", "bank-a", "bank-b")})
        stage = SimpleNamespace(until=self._until)
        play: Any = SimpleNamespace(files=files, directory=self.network.directory, stage=stage)
        expected = expectations(files)
        told = time.monotonic()
        for event in events(files):
            if enough.is_set():
                return
            verdict, _ = expected.get(event["event"], ("accepted", ""))
            begin = time.monotonic()
            try:
                decide(play, traded, event, verdict)
            except FieldMismatch as error:
                if time.monotonic() - told > (TTL - 2) * self.network.directory.genesis.cadence:
                    self.lapsed += 1
                else:
                    self.wrong.append(f"{event['schema']} of {place_of(event['submitter']).node}: {error}")
                return  # what follows builds on it
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.decided[verdict.partition(":")[0]] += 1

    @staticmethod
    def _until(what: str, ask: Callable[[], T | None]) -> T:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if (answer := ask()) is not None:
                    return answer
            except Undecided:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)
