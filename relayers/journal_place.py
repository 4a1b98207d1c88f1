"""Where a journal is, as one line of the settings: a file, or a database of a server. Strict, and without secrets.

::

    sqlite:///PATH
    postgresql://USER@HOST:PORT/DATABASE?password=file:PATH[&ca=PATH]

Relative paths start in the settings' folder. The second form is `custody.databases`.
"""

from pathlib import Path
from typing import Final

from hybrid_bridge.custody.databases import FORM, PostgresPlace, parse_database
from hybrid_bridge.errors import SettingsMalformed

__all__ = ("KEY", "JournalPlace", "PostgresPlace", "beside", "dump_command", "parse_journal")

KEY: Final = "journal"
_SQLITE: Final = "sqlite:///"

JournalPlace = Path | PostgresPlace


def parse_journal(text: str, folder: Path) -> JournalPlace:
    """Where the journal is.

    Raises:
        SettingsMalformed: neither of the forms, or a secret in it.
    """
    if text.startswith(_SQLITE) and text != _SQLITE:
        return folder / text.removeprefix(_SQLITE)
    if not text.startswith("postgresql://"):
        raise SettingsMalformed(key=KEY, rule=f"{_SQLITE}PATH or {FORM}")
    return parse_database(text, folder, KEY)


def beside(place: JournalPlace, ending: str) -> Path:
    """A file that belongs to this journal."""
    if isinstance(place, PostgresPlace):
        return place.folder / (place.name + ending)
    return place.with_name(place.name + ending)


def dump_command(place: PostgresPlace) -> str:
    """What makes a consistent copy of it, also while a relayer writes."""
    return f"pg_dump --format=custom --host={place.host} --port={place.port} --username={place.user} {place.name}"
