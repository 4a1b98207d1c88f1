"""Which endpoints serve our chain and our contract. Asked at the start and again in every tick.

An endpoint may come up late, be replaced by another program, or begin to serve another chain behind the same address.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import BridgeError, Broken, CodeMismatch, NotYet, StoreBroken, Undecided
from hybrid_bridge.ports import PublicChain
from hybrid_bridge.units import Digest, PublicBlockNumber
from relayers.hearing import Hearing
from relayers.journal import Scope

EMPTY_CODE: Final = keccak256(b"")
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
    found = Compared()
    for chain in endpoints:
        try:
            _require_same(chain, scope, hearing)
            if chain not in known:
                _require_code(chain, code_hash, hearing)
        except BridgeError as error:
            known.discard(chain)
            if isinstance(error, Broken):
                found.strangers.append((chain.name, error))
            else:
                found.silent.append((chain.name, undecided(error)))
        else:
            known.add(chain)
            found.same.append(chain)
    return found


def _require_same(chain: PublicChain, scope: Scope, hearing: Hearing) -> None:
    """Chain id and first public block, each time."""
    if hearing.hear(chain, "chain_id", lambda one: one.chain_id()) != scope.chain_id:
        raise StoreBroken(store=chain.name, rule="its chain id is not the journal's")
    if hearing.hear(chain, "block", lambda one: one.block(PublicBlockNumber(0))).hash != scope.genesis_hash:
        raise StoreBroken(store=chain.name, rule="its first public block is not the journal's")


def _require_code(chain: PublicChain, code_hash: Digest | None, hearing: Hearing) -> None:
    """The code, which is long, first and after any failure."""
    code = hearing.hear(chain, "code_hash", lambda one: one.code_hash())
    if code == EMPTY_CODE or code != (code_hash or code):
        raise CodeMismatch(expected=code_hash or Digest(bytes(32)), got=code)


def undecided(error: BridgeError) -> Undecided:
    """An endpoint's nonsense is no verdict of ours: another endpoint, or another moment, may do better."""
    return error if isinstance(error, Undecided) else NotYet(what=f"a sound answer, instead of {error}")
