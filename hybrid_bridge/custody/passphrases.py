"""What opens a key: a passphrase or PIN from a file, an open descriptor or a command, never written in the settings.

Bounded in bytes and in time. It stands in no error, log or `repr`, and is never an argument of a process we start.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.errors import KeyUnusable, SettingsMalformed
from hybrid_bridge.units import Seconds

MAX_PASSPHRASE: Final = 4096  # bytes
PATIENCE: Final = Seconds(10)  # for a command to end, or a descriptor to be closed at the other end
MAX_DESCRIPTOR: Final = 1023
_SCHEMES: Final = "file:PATH, fd:N or command:/ABSOLUTE/PROGRAM WORD …"


@dataclass(frozen=True, slots=True)
class FromFile:
    """The content of a file that only its owner can read."""

    path: Path


@dataclass(frozen=True, slots=True)
class FromDescriptor:
    """What can be read from a descriptor that was open when the process started; read once."""

    number: int


@dataclass(frozen=True, slots=True)
class FromCommand:
    """What a program prints. No shell: the first word is its absolute path, the others its arguments as they are."""

    words: tuple[str, ...]


Passphrase = FromFile | FromDescriptor | FromCommand


def parse_passphrase(text: str, folder: Path, key: str) -> Passphrase:
    """Where a passphrase comes from.

    Args:
        text: `file:PATH`, relative to `folder`; `fd:N`; or `command:/PROGRAM WORD …`, words parted by one space,
            without quotes: an argument that holds a space needs a script.
        folder: of the settings.
        key: the setting's name, for errors.

    Raises:
        SettingsMalformed: anything else.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "file" and rest:
        return FromFile(folder / rest)
    if scheme == "fd" and rest.isascii() and rest.isdecimal() and len(rest) <= 4 and str(int(rest)) == rest:
        if int(rest) in (1, 2) or int(rest) > MAX_DESCRIPTOR:
            raise SettingsMalformed(key=key, rule="a descriptor to read from: 0, or 3 to 1023")
        return FromDescriptor(int(rest))
    words = tuple(rest.split(" "))
    if scheme == "command" and all(words) and rest.isprintable() and words[0].startswith("/"):
        return FromCommand(words)
    raise SettingsMalformed(key=key, rule=_SCHEMES)


def reader(source: Passphrase, key: str, patience: Seconds = PATIENCE) -> Callable[[], str]:
    """Asks for the passphrase each time it is called; a descriptor, which can be read but once, is remembered.

    The function raises `KeyUnusable`: not there, open to others, too long, too late, empty or no text.
    """
    match source:
        case FromFile(path):
            return lambda: _kept(path, key)
        case FromCommand(words):
            return lambda: _text(_printed(words, key, patience), key)
        case FromDescriptor(number):
            return _Once(lambda: _text(_received(number, key, patience), key))


def _kept(path: Path, key: str) -> str:
    from hybrid_bridge.adapters.evm.keystore import password_from_file  # noqa: PLC0415 dear, and settings import us

    return _some(password_from_file(path), key)


class _Once:
    """A value that is fetched when it is first wanted, and kept: an HSM that was away asks for its PIN again."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._value: str | None = None

    def __call__(self) -> str:
        if self._value is None:
            self._value = self._fetch()
        return self._value


def _text(data: bytes, key: str) -> str:
    """Without one final newline."""
    try:
        return _some(data.decode("utf-8").removesuffix("\n"), key)
    except UnicodeDecodeError:
        raise KeyUnusable(key=key, rule="a passphrase of UTF-8 text") from None


def _some(text: str, key: str) -> str:
    if not text:
        raise KeyUnusable(key=key, rule="a passphrase that is not empty")
    return text


def _received(number: int, key: str, patience: Seconds) -> bytes:
    try:
        return _drained(number, key, time.monotonic() + patience)
    except OSError:
        raise KeyUnusable(key=key, rule="a passphrase on a descriptor that is open for reading") from None
    finally:
        with suppress(OSError):  # was never open
            os.close(number)


def _printed(words: tuple[str, ...], key: str, patience: Seconds) -> bytes:
    """What the command prints. Its complaints are dropped: they may hold what it was to print."""
    end = time.monotonic() + patience
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 the owner's own program, by absolute path, no shell
            words, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, start_new_session=True
        )
    except OSError:
        raise KeyUnusable(key=key, rule="a command that can be run") from None
    try:
        data = _drained(process.stdout.fileno(), key, end) if process.stdout else b""
        code = process.wait(max(end - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        raise KeyUnusable(key=key, rule=f"a passphrase within {patience} seconds") from None
    finally:
        _end(process)
    if code != 0:
        raise KeyUnusable(key=key, rule="a command that ends with exit code 0")
    return data


def _end(process: "subprocess.Popen[bytes]") -> None:
    """With all that it started. One that has become another user's is left to itself: nobody waits for it."""
    if process.stdout:
        process.stdout.close()
    if process.returncode is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)


def _drained(number: int, key: str, end: float) -> bytes:
    """All bytes up to the end of the stream."""
    data = b""
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(number, selectors.EVENT_READ)
        except PermissionError:  # a plain file is always ready, and cannot be waited for
            data = os.read(number, MAX_PASSPHRASE + 1)
            return _bounded(data, key)
        while selector.select(max(end - time.monotonic(), 0)):
            piece = os.read(number, MAX_PASSPHRASE + 1 - len(data))
            if not piece:
                return data
            data = _bounded(data + piece, key)
    raise KeyUnusable(key=key, rule="a passphrase that comes, and ends, in time")


def _bounded(data: bytes, key: str) -> bytes:
    if len(data) > MAX_PASSPHRASE:
        raise KeyUnusable(key=key, rule=f"a passphrase of at most {MAX_PASSPHRASE} bytes")
    return data
