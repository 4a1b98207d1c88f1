"""What is watched: one TOML file. Unknown keys are refused, and what is missing is named."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.cli.options import url_of
from hybrid_bridge.cli.verify import hex_option, read_bounded
from hybrid_bridge.errors import FieldMalformed, SettingsMalformed
from hybrid_bridge.units import Address, LogId, PublicBlockNumber

MAX_FILE: Final = 1 << 16  # bytes
MAX_COPIES: Final = 64
_KEYS: Final[Mapping[str, type]] = {"log": str, "rpc": list}
_OPTIONAL: Final[Mapping[str, type]] = {"contract": str, "threshold": int, "from_block": int, "copies": dict}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One log on one public chain, and where members publish it."""

    log_id: LogId
    urls: tuple[str, ...]  # URLs, or file:PATH with one: it may hold a key
    contract: Address | None = None
    threshold: int = 0
    since: PublicBlockNumber
    copies: Mapping[str, str]


def read_watched(path: Path) -> Watched:
    """The file of `--consortium`.

    Raises:
        SettingsMalformed: no TOML, a key that is unknown, missing, or not what it must be.
        TooLong: larger than 64 KiB.
    """
    try:
        given = tomllib.loads(read_bounded(path, MAX_FILE).decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsMalformed(key="--consortium", rule=f"TOML: {str(error)[:200]}") from None
    known = {**_KEYS, **_OPTIONAL}
    for key, value in given.items():
        if key not in known:
            raise SettingsMalformed(key=key[:64], rule=f"one of {', '.join(known)}")
        if type(value) is not known[key]:
            raise SettingsMalformed(key=key, rule=f"of type {known[key].__name__}")
    for key in _KEYS:
        if key not in given:
            raise SettingsMalformed(key=key, rule="there")
    copies = given.get("copies", {})
    _require_texts("rpc", given["rpc"])
    _require_texts("copies", list(copies.values()))
    if len(copies) > MAX_COPIES or any(_NAME.fullmatch(name) is None or name == "chain" for name in copies):
        raise SettingsMalformed(
            key="copies", rule=f"at most {MAX_COPIES}, named by letters, digits, . _ -, none of them chain"
        )
    return Watched(
        log_id=LogId(_hex("log", given["log"], 32)),
        urls=tuple(url_of(url, "rpc") for url in given["rpc"]),
        contract=None if "contract" not in given else Address(_hex("contract", given["contract"], 20)),
        threshold=_count("threshold", given),
        since=PublicBlockNumber(_count("from_block", given)),
        copies={name: url_of(url, "copies") for name, url in copies.items()},
    )


def _require_texts(key: str, values: list[Any]) -> None:
    if (key == "rpc" and not values) or any(not isinstance(value, str) for value in values):
        raise SettingsMalformed(key=key, rule="URLs in quotation marks, at least one" if key == "rpc" else "URLs")


def _hex(key: str, text: str, width: int) -> bytes:
    try:
        return hex_option(text, width, key)
    except FieldMalformed as error:
        raise SettingsMalformed(key=key, rule=error.rule) from None


def _count(key: str, given: Mapping[str, Any]) -> int:
    value: int = given.get(key, 0)
    if not 0 <= value < 1 << 53:
        raise SettingsMalformed(key=key, rule="a whole number, not below 0")
    return value
