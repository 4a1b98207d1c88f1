"""Which endpoints serve our chain and our contract. Asked at the start and again in every tick.

An endpoint may come up late, be replaced by another program, or begin to serve another chain behind the same address.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import BridgeError, Broken, CodeMismatch, NotYet, StoreBroken, Undecided
from hybrid_bridge.ports import PublicBlock, PublicChain
from hybrid_bridge.units import ChainId, Digest, PublicBlockNumber
from relayers.hearing import Hearing
from relayers.journal import Scope

T = TypeVar("T")
Read: TypeAlias = Callable[[PublicChain], T]

EMPTY_CODE: Final = keccak256(b"")
FIRST: Final = PublicBlockNumber(0)
ADMISSION: Final = "admission"  # the method of evidence that an endpoint serves something else


@dataclass(frozen=True, slots=True)
class Compared:
    """The endpoints by what they serve; those that do not serve us with name and reason."""

    same: list[PublicChain] = field(default_factory=list)
    strangers: list[tuple[str, Broken]] = field(default_factory=list)  # another chain, or other code
    silent: list[tuple[str, Undecided]] = field(default_factory=list)  # cannot say now

    @property
    def notes(self) -> tuple[str, ...]:
        """Who is left out, and why."""
        return tuple(f"{name} is left out: {error}" for name, error in (*self.strangers, *self.silent))


def compared(
    endpoints: Iterable[PublicChain],
    scope: Scope,
    code_hash: Digest | None,
    known: set[PublicChain],
    hearing: Hearing,
) -> Compared:
    """Ask each endpoint what it serves.

    Args:
        endpoints: all of the settings.
        scope: the journal's chain.
        code_hash: of the contract we know; None: any code will do.
        known: those whose code was compared, and that did not fail since. Brought up to date here.
        hearing: of this tick.
    """
    present = list(endpoints)
    refused: dict[PublicChain, BridgeError] = {}

    def ask(
        chains: Sequence[PublicChain], method: str, read: Read[T], require: Callable[[PublicChain, T], None]
    ) -> None:
        """Side by side; who failed before is asked nothing more."""
        for heard in hearing.hear([chain for chain in chains if chain not in refused], method, read):
            try:
                require(heard.chain, heard.get())
            except BridgeError as error:
                refused[heard.chain] = error

    ask(present, "chain_id", lambda one: one.chain_id(), lambda chain, got: _require_id(chain, got, scope))
    ask(present, "block", lambda one: one.block(FIRST), lambda chain, got: _require_first(chain, got, scope))
    new = [chain for chain in present if chain not in known]  # the code, which is long, first and after any failure
    ask(new, "code_hash", lambda one: one.code_hash(), lambda _, got: _require_code(got, code_hash))
    known.update(chain for chain in present if chain not in refused)
    known.difference_update(refused)
    return _told(present, refused)


def _told(present: Iterable[PublicChain], refused: Mapping[PublicChain, BridgeError]) -> Compared:
    found = Compared()
    for chain in present:
        error = refused.get(chain)
        if error is None:
            found.same.append(chain)
        elif isinstance(error, Broken):
            found.strangers.append((chain.name, error))
        else:
            found.silent.append((chain.name, undecided(error)))
    return found


def _require_id(chain: PublicChain, got: ChainId, scope: Scope) -> None:
    if got != scope.chain_id:
        raise StoreBroken(store=chain.name, rule="its chain id is not the journal's")


def _require_first(chain: PublicChain, got: PublicBlock, scope: Scope) -> None:
    if got.hash != scope.genesis_hash:
        raise StoreBroken(store=chain.name, rule="its first public block is not the journal's")


def _require_code(code: Digest, code_hash: Digest | None) -> None:
    if code == EMPTY_CODE or code != (code_hash or code):
        raise CodeMismatch(expected=code_hash or Digest(bytes(32)), got=code)


def undecided(error: BridgeError) -> Undecided:
    """An endpoint's nonsense is no verdict of ours: another endpoint, or another moment, may do better."""
    return error if isinstance(error, Undecided) else NotYet(what=f"a sound answer, instead of {error}")
