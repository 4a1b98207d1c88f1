"""Where a command writes: a place that cannot be written is a wrong option, not a fault of the program."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybrid_bridge.errors import SettingsMalformed


@contextmanager
def writing(option: str) -> Iterator[None]:
    """Around whatever makes files at the place that `option` names.

    Raises:
        SettingsMalformed: the place cannot be made or written.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingsMalformed(key=option, rule=f"a place that can be made and written ({why})") from None


def write_private(path: Path, data: bytes) -> None:
    """For the owner's eyes: the mode before the content."""
    path.touch(mode=0o600)
    path.write_bytes(data)


def close_output() -> None:
    """Throw away what standard output does not take any more.

    Python flushes once more as it ends, and would answer with a status and words of its own.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
