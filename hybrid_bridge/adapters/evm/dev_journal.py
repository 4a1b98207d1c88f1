"""The embedded public chain on disk: a devnet that was killed comes back with the same public blocks.

JSON lines. The first says what the chain was born with, each further one is a public block. A line is durable before
its public block is announced; a torn last line was therefore never announced, and is cut off, once the lines before
it have proved to be ours. The pool is not kept:
whoever sent a transaction that got lost sends it again.
"""

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.errors import SettingsMalformed, StoreBroken
from hybrid_bridge.units import Address, ChainId, PublicBlockHash, UnixSeconds, Wei

FAMILY: Final = "hybrid-bridge/devnet/"
FORMAT: Final = FAMILY + "v1"
STATE_FILE: Final = "devnet state file"
_START: Final = b'{"format": "' + FAMILY.encode()  # of every file of ours, as `_append` writes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What an embedded public chain begins with."""

    chain_id: ChainId
    born: UnixSeconds
    funds: Mapping[Address, Wei]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A public block: what it takes to make it again, and the hash that must come out."""

    time: UnixSeconds
    transactions: tuple[bytes, ...]
    hash: PublicBlockHash


class ChainJournal:
    """One chain's file, held by one process. `restored` comes first, and once."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            SettingsMalformed: it cannot be, or another process holds it.
        """
        try:
            self._file = path.open("a+b", buffering=0)
        except OSError:
            raise SettingsMalformed(key="--state-file", rule="a file that can be written") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise SettingsMalformed(key="--state-file", rule="a file that no other devnet uses") from None

    def restored(self, wanted: Birth) -> tuple[Birth, list[Sealed]]:
        """What the file holds; an empty one begins with `wanted`. Who names no accounts takes those of the file.

        Raises:
            SettingsMalformed: no file of ours; or its chain has another id, or other accounts than named had money.
            StoreBroken: the file is damaged, or cannot be written.
        """
        data = self._read()
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            self._file.truncate(0)
            self._append(_birth_json(wanted))
            return wanted, []
        first, *others = whole.splitlines()
        try:
            birth, sealed = _birth(first), [_sealed(line) for line in others]
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
            raise StoreBroken(store=STATE_FILE, rule="lines as this program writes them") from None
        if (birth.chain_id, birth.funds) != (wanted.chain_id, wanted.funds or birth.funds):
            raise SettingsMalformed(key="--state-file", rule="a chain with this --chain-id and these --fund")
        self._file.truncate(len(whole))
        return birth, sealed

    def append(self, sealed: Sealed) -> None:
        """Durable when it returns.

        Raises:
            StoreBroken: it cannot be written; what the file holds now is for the next start to find out.
        """
        self._append(
            {
                "time": sealed.time,
                "transactions": ["0x" + raw.hex() for raw in sealed.transactions],
                "hash": "0x" + sealed.hash.hex(),
            }
        )

    def close(self) -> None:
        """Give the file up."""
        self._file.close()

    def _read(self) -> bytes:
        """Everything. A file that does not begin as ours is somebody's, named by mistake: nothing of it is changed."""
        self._file.seek(0)
        start = self._file.read(len(_START))
        if start != _START[: len(start)]:
            raise SettingsMalformed(key="--state-file", rule="a file made by devnet, or a new one")
        return start + self._file.readall()

    def _append(self, line: Mapping[str, object]) -> None:
        data = json.dumps(line).encode() + b"\n"
        try:
            if (written := self._file.write(data)) != len(data):
                raise OSError(errno.EIO, f"{written} of {len(data)} bytes written")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreBroken(store=STATE_FILE, rule="a file that can be written") from error


def _birth_json(birth: Birth) -> Mapping[str, object]:
    funds = {"0x" + address.hex(): str(wei) for address, wei in birth.funds.items()}
    return {"format": FORMAT, "chain_id": birth.chain_id, "born": birth.born, "funds": funds}


def _birth(line: bytes) -> Birth:
    read: Any = json.loads(line)
    if read["format"] != FORMAT:
        raise ValueError
    funds = {Address(_octets(address)): Wei(int(wei)) for address, wei in read["funds"].items()}
    return Birth(chain_id=ChainId(int(read["chain_id"])), born=UnixSeconds(int(read["born"])), funds=funds)


def _sealed(line: bytes) -> Sealed:
    read: Any = json.loads(line)
    return Sealed(
        time=UnixSeconds(int(read["time"])),
        transactions=tuple(_octets(raw) for raw in read["transactions"]),
        hash=PublicBlockHash(_octets(read["hash"])),
    )


def _octets(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))
