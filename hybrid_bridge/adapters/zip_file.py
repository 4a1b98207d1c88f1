"""A package onto disk, by the standard library's `zipfile`: the same files give the same bytes, everywhere.

Nothing is deflated, for two versions of zlib may deflate otherwise; no date is written but the format's first. What is
written is read back by `core.package` before anybody keeps it: whatever `zipfile` does one day, no other file stays.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from hybrid_bridge.core.zip_container import CHUNK

Source = bytes | Path

_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_REGULAR: Final = 0o100644 << 16


def write_stored(target: Path, files: Mapping[str, Source]) -> None:
    """The files in this order."""
    with ZipFile(target, "w", ZIP_STORED) as package:
        for name, source in files.items():
            info = ZipInfo(name, _FIRST_DAY)
            info.create_system, info.external_attr = _UNIX, _REGULAR
            info.file_size = len(source) if isinstance(source, bytes) else source.stat().st_size
            with package.open(info, "w") as entry:
                for piece in pieces_of(source):
                    entry.write(piece)


def pieces_of(source: Source) -> Iterable[bytes]:
    """The bytes, never more than a piece of a file at a time."""
    return (source,) if isinstance(source, bytes) else _read(source)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            yield piece
