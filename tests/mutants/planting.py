"""Plant a mutant: the functions of one module run the code of a changed copy of its source, for a while.

Nothing in the product knows of this. The source text is replaced in one place, compiled, and each function's code
object exchanged for its namesake's; so whoever imported the function before runs the mutant too.
"""

import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.errors import BridgeError
from tests.simulation import fast


class NoLongerApplies(AssertionError):
    """The text that a mutant replaces does not stand there, just once: the catalogue must follow the product."""

    def __init__(self, *, mutant: str, rule: str) -> None:
        super().__init__(f"{mutant}: {rule}")


@dataclass(frozen=True)
class Mutant:
    """One fault, planted by one replacement in one function, and who must notice."""

    name: str
    module: str
    old: str
    new: str
    killer: Callable[[], object]  # raises where the mutant lives
    is_slow: bool = False  # played by the command only; the standing suite sees that it still applies

    @property
    def killed_by(self) -> str:
        return getattr(self.killer, "name", self.killer.__name__)


def killing(mutant: Mutant) -> str:
    """How its killer noticed it; empty if it lives. A mutant that cannot run at all is no mutant, and raises."""
    with planted(mutant):
        try:
            mutant.killer()
        except (AssertionError, BridgeError, pytest.fail.Exception) as noticed:
            told = str(noticed).strip() or traceback.extract_tb(noticed.__traceback__)[-1].line or "refused"
            return told.splitlines()[0][:100]
    return ""


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Raises NoLongerApplies if the replacement does not fit, or changes no function."""
    module = import_module(mutant.module)
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        rule = f"{mutant.old!r} stands {source.count(mutant.old)} times in {mutant.module}"
        raise NoLongerApplies(mutant=mutant.name, rule=rule)
    before = dict(_codes(compile(source, mutant.module, "exec")))
    after = dict(_codes(compile(source.replace(mutant.old, mutant.new), mutant.module, "exec")))
    changed = {name for name, code in after.items() if name in before and not _same(code, before[name])}
    exchanged: list[tuple[Any, types.CodeType]] = []
    for function in functions_of(module):
        name = function.__code__.co_qualname
        if name in changed:
            exchanged.append((function, function.__code__))
            function.__code__ = after[name]
    if not exchanged:
        raise NoLongerApplies(mutant=mutant.name, rule=f"no function of {mutant.module} differs")
    fast.forget()
    try:
        yield
    finally:
        for function, code in reversed(exchanged):  # a class with two names is met twice
            function.__code__ = code
        fast.forget()


def _codes(code: types.CodeType) -> Iterator[tuple[str, types.CodeType]]:
    """The functions defined in a module or in its classes, by their qualified names."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _same(one: types.CodeType, other: types.CodeType) -> bool:
    return one.replace(co_firstlineno=1, co_linetable=b"", co_exceptiontable=b"") == other.replace(
        co_firstlineno=1, co_linetable=b"", co_exceptiontable=b""
    )


def functions_of(module: types.ModuleType) -> Iterator[types.FunctionType]:
    for member in vars(module).values():
        if isinstance(member, type) and member.__module__ == module.__name__:
            for inner in vars(member).values():
                yield from _function(inner)
        else:
            yield from _function(member)


def _function(member: Any) -> Iterator[types.FunctionType]:
    member = getattr(member, "fget", None) or getattr(member, "__func__", member)
    while hasattr(member, "__wrapped__"):
        member = member.__wrapped__
    if isinstance(member, types.FunctionType):
        yield member
