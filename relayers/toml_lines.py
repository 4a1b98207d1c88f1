"""On which line of a TOML text a key stands, for whoever has to mend it. `tomllib` keeps no lines of what it read.

A guess that is good for settings as people write them: headers and keys at the beginning of a line, dotted or not.
Where a table stands inside another's braces, its line is theirs.
"""

import re
from typing import Final

_HEADER: Final = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_.\"'\- ]+?)\s*\]{1,2}\s*(?:#.*)?")
_ENTRY: Final = re.compile(r"\s*([A-Za-z0-9_\-\"'][A-Za-z0-9_.\"'\- ]*?)\s*=")


def line_of(text: str, key: str) -> int | None:
    """The line, counted from 1, of `key` or of the nearest table around it that has one; None if there is none."""
    wanted, found, best = key.split("."), None, 0
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        header, entry = _HEADER.fullmatch(line), _ENTRY.match(line)
        if header is not None:
            table = here = _parts(header[1])
        elif entry is not None:
            here = [*table, *_parts(entry[1])]
        else:
            continue
        if len(here) > best and wanted[: len(here)] == here:
            found, best = number, len(here)
    return found


def _parts(name: str) -> list[str]:
    return [part.strip().strip("\"'") for part in name.split(".")]
