"""What reports may cost in a day: written down before a transaction leaves, and kept to across restarts.

An account pays for a nonce once, however many transactions it signs for it: the dearest of them counts. It counts as
it may cost at most, for what a receipt says is one endpoint's word. So is a price: no transaction may take more than a
part of the day's budget, or one endpoint that names a high one would have spent it.
"""

import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.evm.transact import cost
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import parse_json
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, uint
from hybrid_bridge.errors import Malformed, SettingsMalformed, SpendCapped, StoreBroken
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, Wei

FORMAT: Final = "hybrid-bridge/watcher-spent/v1"
FILE: Final = "spent.json"
DAY: Final = 86_400  # seconds
PARTS: Final = 4  # of a day's budget; one transaction may cost one of them
SMALL_PARTS: Final = 2  # what reports that end no log may cost together: the rest is for those that do
MAX_A_DAY: Final = 64  # transactions; where they cost next to nothing
MAX_FILE: Final = 1 << 20  # bytes
ENDING, NAMING = "ending", "naming"  # a log; members
GWEI: Final = 10**9  # wei
ETHER: Final = 10**18  # wei
_ETHER: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one nonce of an account may have cost."""

    at: int  # Unix seconds
    account: Address
    nonce: int
    gwei: int
    report: str  # ENDING or NAMING


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All of it that counts."""

    spent: tuple[Spent, ...] = ()
    format: str = FORMAT


class Purse:
    """One day's budget, in `folder`. For one thread at a time."""

    def __init__(self, folder: Path, budget: Wei) -> None:
        """With what was spent before.

        Raises:
            StoreBroken: what is there cannot be read.
        """
        self._path, self.budget = folder / FILE, budget
        self._ledger = _read(self._path)

    def spent(self, now: int) -> Wei:
        """In the day before now, at most."""
        return _sum(self._of_day(now))

    def spend(self, account: Address, transaction: UnsignedTransaction, *, ends: bool) -> None:
        """Durable when it returns; before it does nothing may be signed.

        Raises:
            SpendCapped: the budget does not allow it now; nothing was written.
            OSError: it cannot be written down.
        """
        now = int(time.time())
        self._set_right(now)
        gwei = -(-cost(transaction) // GWEI)
        self._require("one transaction of a day's budget", self.budget // PARTS, gwei * GWEI)
        before = self._of_day(now)
        same = [one for one in before if (one.account, one.nonce) == (account, transaction.nonce)]
        new = Spent(
            at=now,
            account=account,
            nonce=transaction.nonce,
            gwei=max([gwei, *(one.gwei for one in same)]),
            report=ENDING if ends or any(one.report == ENDING for one in same) else NAMING,
        )
        after = [*(one for one in before if one not in same), new]
        self._require("a day's budget", self.budget, _sum(after))
        self._require("transactions a day", MAX_A_DAY, len(after))
        if not ends:
            small = [one for one in after if one.report == NAMING]
            limit = self.budget * SMALL_PARTS // PARTS
            self._require("reports that end no log of a day's budget", limit, _sum(small))
            self._require("transactions a day that end no log", MAX_A_DAY * SMALL_PARTS // PARTS, len(small))
        self._write(after)

    def _set_right(self, now: int) -> None:
        """Moments that have not come are of a clock that went wrong: they count for a day from now.

        Written down before anything is held back, else each look would begin that day anew.
        """
        if any(one.at > now for one in self._ledger.spent):
            self._write(self._of_day(now))

    def _write(self, spent: list[Spent]) -> None:
        ledger = Ledger(spent=tuple(spent))
        write_whole(self._path, json.dumps(_LEDGER.write(ledger), indent=1).encode("utf-8"), 0o600)
        self._ledger = ledger

    def _of_day(self, now: int) -> list[Spent]:
        recent = (replace(one, at=min(one.at, now)) for one in self._ledger.spent)
        return [one for one in recent if one.at > now - DAY]

    @staticmethod
    def _require(rule: str, limit: int, needed: int) -> None:
        if needed > limit:
            raise SpendCapped(rule=rule, limit=limit, needed=needed)


def parse_ether(text: str, option: str) -> Wei:
    """An amount of the chain's currency.

    Raises:
        SettingsMalformed: none.
    """
    found = _ETHER.fullmatch(text)
    if found is None:
        raise SettingsMalformed(key=option, rule="an amount of the chain's currency, like 0.2; nine decimals at most")
    return Wei(int(found[1]) * ETHER + int((found[2] or "0").ljust(9, "0")) * GWEI)


def _sum(spent: list[Spent]) -> Wei:
    return Wei(sum(one.gwei for one in spent) * GWEI)


def _read(path: Path) -> Ledger:
    if not path.exists():
        return Ledger()
    try:
        return _LEDGER.parse(parse_json(read_bounded(path, MAX_FILE), "spent", MAX_FILE), "spent")
    except OSError as error:
        raise StoreBroken(store=str(path), rule=f"a file that can be read ({error.strerror})") from None
    except Malformed as error:
        raise StoreBroken(store=str(path), rule=f"as it was written ({error})") from None


_SPENT: Final = record(
    Spent,
    {"at": uint(), "account": octets(20), "nonce": uint(), "gwei": uint(), "report": literal(ENDING, NAMING)},
)
_LEDGER: Final[Codec[Ledger]] = record(Ledger, {"format": literal(FORMAT), "spent": array(_SPENT, MAX_A_DAY)})
