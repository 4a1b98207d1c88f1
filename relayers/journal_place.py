"""Where a journal is, as one line of the settings: a file, or a database of a server. Strict, and without secrets.

::

    sqlite:///PATH
    postgresql://USER@HOST:PORT/DATABASE?password=file:PATH[&ca=PATH]

Relative paths start in the settings' folder. `ca` names the authorities that vouch for the server; without it those of
the system do. This machine's own server (loopback) is asked without TLS.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hybrid_bridge.custody.passphrases import Passphrase, parse_passphrase
from hybrid_bridge.errors import SettingsMalformed

KEY: Final = "journal"
_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://USER@HOST:PORT/DATABASE?password=file:PATH"
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,63}")
MAX_PLACE: Final = 2048  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPlace:
    """A database, who asks, and what proves it. `name` is how it is called in errors and lines."""

    host: str
    port: int
    user: str
    name: str
    password: Passphrase
    ca: Path | None
    folder: Path  # of the settings: what is written beside a journal in a file is written there

    def __str__(self) -> str:
        return f"postgresql database {self.name} at {self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """On this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


JournalPlace = Path | PostgresPlace


def parse_journal(text: str, folder: Path) -> JournalPlace:
    """Where the journal is.

    Raises:
        SettingsMalformed: neither of the forms, or a secret in it.
    """
    if text.startswith(_SQLITE) and text != _SQLITE:
        return folder / text.removeprefix(_SQLITE)
    if not text.startswith("postgresql://") or len(text) > MAX_PLACE:
        raise SettingsMalformed(key=KEY, rule=f"{_SQLITE}PATH or {_POSTGRESQL}")
    return _database(text, folder)


def beside(place: JournalPlace, ending: str) -> Path:
    """A file that belongs to this journal."""
    if isinstance(place, PostgresPlace):
        return place.folder / (place.name + ending)
    return place.with_name(place.name + ending)


def dump_command(place: PostgresPlace) -> str:
    """What makes a consistent copy of it, also while a relayer writes."""
    return f"pg_dump --format=custom --host={place.host} --port={place.port} --username={place.user} {place.name}"


def _database(text: str, folder: Path) -> PostgresPlace:
    try:
        parts = urlsplit(text)
        port = parts.port or 5432
    except ValueError:
        raise SettingsMalformed(key=KEY, rule=_POSTGRESQL) from None
    if parts.password is not None:
        raise SettingsMalformed(key=KEY, rule="no password in the settings: ?password=file:PATH names where it is")
    asked = [item.partition("=") for item in parts.query.split("&")]
    named = {name: value for name, _, value in asked if value}
    user, host, name = parts.username or "", parts.hostname or "", parts.path.removeprefix("/")
    if len(named) != len(asked) or not {"password"} <= set(named) <= {"password", "ca"} or parts.fragment:
        raise SettingsMalformed(key=KEY, rule=_POSTGRESQL)
    if not host or not _WORD.fullmatch(user) or not _WORD.fullmatch(name):
        raise SettingsMalformed(key=KEY, rule=_POSTGRESQL)
    return PostgresPlace(
        host=host,
        port=port,
        user=user,
        name=name,
        password=parse_passphrase(named["password"], folder, KEY),
        ca=folder / named["ca"] if "ca" in named else None,
        folder=folder,
    )
