"""A strict reader of TOML tables: every key is taken exactly once, with its type and range, or refused by name."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import Wei

UNITS: Final = {"wei": 1, "gwei": 10**9, "ether": 10**18}
_AMOUNT: Final = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,18}))? (wei|gwei|ether)")


class Table:
    """A TOML table of which every key is taken exactly once; `end` refuses what is left."""

    def __init__(self, values: Mapping[str, Any], name: str, folder: Path) -> None:
        self._values, self.name, self.folder = dict(values), name, folder

    def peek(self, key: str) -> object:
        """The value of `key`, not taken."""
        return self._values.get(key)

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """An integer in this range."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(key, f"an integer from {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when it is left out."""
        value = self._take(key, default=False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "a text")
        return value

    def path(self, key: str) -> Path:
        """A path, relative to the folder."""
        return self.folder / self.text(key)

    def uri(self, key: str, scheme: str) -> str:
        """What follows `scheme` in a text."""
        text = self.text(key)
        if not text.startswith(scheme) or text == scheme:
            raise self._wrong(key, f"{scheme}…")
        return text.removeprefix(scheme)

    def secret(self, key: str) -> Path:
        """The path in a `file:` URI."""
        return self.folder / self.uri(key, "file:")

    def url(self, key: str, text: str) -> str | Path:
        """An HTTP URL as it is, or the path of the file that holds one."""
        if text.startswith("file:"):
            return self.folder / text.removeprefix("file:")
        if not text.startswith(("http://", "https://")):
            where = f"endpoints.{key}"
            raise self._wrong(where, "http://…, https://… or file:PATH")
        return text

    def octets(self, key: str, width: int) -> bytes:
        """`0x` and so many bytes in hex."""
        return self._octets(key, self._take(key), width)

    def list_of_octets(self, key: str, width: int) -> list[bytes]:
        """A list of such."""
        values = self._take(key)
        if not isinstance(values, list):
            raise self._wrong(key, "a list")
        return [self._octets(key, value, width) for value in values]

    def amount(self, key: str, limit: int) -> Wei:
        """An amount of money in wei."""
        match = _AMOUNT.fullmatch(self.text(key))
        if match is None:
            raise self._wrong(key, 'like "0.03 ether", "2 gwei", "5 wei"')
        whole, fraction, unit = match[1], match[2] or "", UNITS[match[3]]
        value, rest = divmod(int(whole + fraction) * unit, 10 ** len(fraction))
        if rest or not 0 < value <= limit:
            raise self._wrong(key, f"whole wei, more than none, at most {limit} wei")
        return Wei(value)

    def table(self, key: str) -> "Table":
        """A table below this one."""
        value = self._take(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table")
        return Table(value, self._full(key), self.folder)

    def tables(self, key: str) -> list["Table"]:
        """An array of tables; from the second on, an entry's name says which one is meant."""
        values = self._take(key)
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self._wrong(key, "an array of tables")
        name = self._full(key)
        return [Table(value, f"{name}[{n}]" if n > 1 else name, self.folder) for n, value in enumerate(values, 1)]

    def all_texts(self) -> dict[str, str]:
        """Every key of this table with its text."""
        return {key: self.text(key) for key in list(self._values)}

    def end(self) -> None:
        """Nothing may be left."""
        for key in self._values:
            raise self._wrong(key, "no such entry")

    def _octets(self, key: str, value: object, width: int) -> bytes:
        if isinstance(value, str) and re.fullmatch(f"0x[0-9a-fA-F]{{{2 * width}}}", value):
            return bytes.fromhex(value[2:])
        raise self._wrong(key, f"0x and {2 * width} hex digits")

    def _take(self, key: str, default: object = None) -> object:
        if key in self._values:
            return self._values.pop(key)
        if default is None:
            raise self._wrong(key, "present: it has no default")
        return default

    def _full(self, key: str) -> str:
        return f"{self.name}.{key[:64]}" if self.name else key[:64]

    def _wrong(self, key: str, rule: str) -> SettingsMalformed:
        return SettingsMalformed(key=self._full(key), rule=rule)
