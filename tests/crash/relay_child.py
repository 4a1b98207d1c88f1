"""A relayer in a process of its own, for tests that kill it. The public chain stays with the parent.

Before and after each effect it says so and waits for leave to go on: the parent kills it there, or lets it live.
"""

from multiprocessing.connection import Connection
from typing import Any

from relayers.journal_place import JournalPlace
from relayers.relay import tick
from relayers.sql_journal import SqlJournal
from tests.crash.relay_world import (
    CHAIN_EFFECTS,
    JOURNAL_WRITES,
    SIGNER_EFFECTS,
    World,
    relayer_for,
    scope_for,
)


class Announcing:
    """Any port, with words to the parent around its effects."""

    def __init__(self, target: object, effects: frozenset[str], parent: Connection) -> None:
        self._target, self._effects, self._parent = target, effects, parent

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if name not in self._effects:
            return member

        def around(*args: object, **kwargs: object) -> Any:
            ask(self._parent, "effect", name, "before")
            result = member(*args, **kwargs)
            ask(self._parent, "effect", name, "after")
            return result

        return around


class ParentsChain:
    """The endpoint, at the other end of the line."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    @property
    def name(self) -> str:
        return "parent"

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: ask(self._parent, "chain", name, args, kwargs)


class ParentsClock:
    def __init__(self, chain: Any) -> None:
        self._chain = chain

    def now(self) -> Any:
        return self._chain.latest().time


def ask(parent: Connection, *message: object) -> Any:
    parent.send(message)
    return parent.recv()


def main(parent: Connection, place: JournalPlace, epochs: int) -> None:
    """Tick until told to stop."""
    world = World()
    for _ in range(epochs):
        world.consortium.close_epoch()
    chain: Any = ParentsChain(parent)
    clock = ParentsClock(chain)
    with SqlJournal(place, scope_for(world, "operator 0"), "child", clock.now()) as journal:
        relayer = relayer_for(
            world,
            journal=Announcing(journal, JOURNAL_WRITES, parent),
            chain=Announcing(chain, CHAIN_EFFECTS, parent),
            signer=Announcing(world.signer("operator 0"), SIGNER_EFFECTS, parent),
            clock=clock,
        )
        while ask(parent, "ticked", tick(relayer).done) == "go":
            pass
