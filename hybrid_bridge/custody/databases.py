"""Where a server's database is, as one line of the settings. Strict, and without secrets.

::

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

FORM: Final = "postgresql://USER@HOST:PORT/DATABASE?password=file:PATH"
MAX_PLACE: Final = 2048  # characters
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPlace:
    """A database, who asks, and what proves it. `name` is how it is called in errors and lines."""

    host: str
    port: int
    user: str
    name: str
    password: Passphrase
    ca: Path | None
    folder: Path  # of the settings

    def __str__(self) -> str:
        return f"postgresql database {self.name} at {self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """On this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_database(text: str, folder: Path, key: str) -> PostgresPlace:
    """Where a database is.

    Raises:
        SettingsMalformed: not of this form, or a secret in it; `key` is the setting's name.
    """
    if not text.startswith("postgresql://") or len(text) > MAX_PLACE:
        raise SettingsMalformed(key=key, rule=FORM)
    try:
        parts = urlsplit(text)
        port = parts.port or 5432
    except ValueError:
        raise SettingsMalformed(key=key, rule=FORM) from None
    if parts.password is not None:
        raise SettingsMalformed(key=key, rule="no password in the settings: ?password=file:PATH names where it is")
    asked = [item.partition("=") for item in parts.query.split("&")]
    named = {name: value for name, _, value in asked if value}
    user, host, name = parts.username or "", parts.hostname or "", parts.path.removeprefix("/")
    if len(named) != len(asked) or not {"password"} <= set(named) <= {"password", "ca"} or parts.fragment:
        raise SettingsMalformed(key=key, rule=FORM)
    if not host or not _WORD.fullmatch(user) or not _WORD.fullmatch(name):
        raise SettingsMalformed(key=key, rule=FORM)
    return PostgresPlace(
        host=host,
        port=port,
        user=user,
        name=name,
        password=parse_passphrase(named["password"], folder, key),
        ca=folder / named["ca"] if "ca" in named else None,
        folder=folder,
    )
