"""The operator's decisions: one TOML file, read once, frozen. Unknown keys are refused, money has no defaults.

Secrets are named by URI (`file:`, `keystore:`, `pkcs11:` …), never written here; paths start in the file's folder.
"""

import tomllib
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from hybrid_bridge.custody.places import Place, parse_place
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import (
    Address,
    ChainId,
    Gas,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    Seconds,
    SetId,
    TreeSize,
    Wei,
)
from relayers.journal_place import JournalPlace, parse_journal
from relayers.toml_table import UNITS, Table
from relayers.views import FeePolicy

MAX_PORT: Final = 65_535
MAX_FEE: Final = 10**9 * UNITS["gwei"]  # for each gas; the journal's integers end at 2^63


@dataclass(frozen=True, slots=True)
class SetFile:
    """A validator set and from which size on it is responsible."""

    set_id: SetId
    from_size: TreeSize
    entries: Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What the members' servers ask for."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Which log, and where its members are."""

    log_id: LogId
    genesis: Path
    sets: tuple[SetFile, ...]
    members: tuple[tuple[str, str], ...]  # name, host:port
    tls: TlsFiles
    anchor_every: int  # epochs that wait for one anchor, at most
    delay: Seconds


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One JSON-RPC server: its name here, and its URL or the file that holds it."""

    name: str
    url: str | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """One contract on one public chain, one gas key, and what it may spend."""

    name: str
    chain_id: ChainId
    genesis_hash: PublicBlockHash
    contract: Address
    first_number: PublicBlockNumber
    depth: int | None
    rpc_quorum: int
    endpoints: tuple[Endpoint, ...]
    signer: Place
    signer_address: Address
    fees: FeePolicy
    operators: tuple[Address, ...]
    grace_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything."""

    journal: JournalPlace
    tick_seconds: Seconds
    listen: tuple[str, int] | None  # metrics and health; None: nobody asks
    log: LogSettings
    chain: ChainSettings


def read_settings(path: Path) -> Settings:
    """The settings in this file.

    Raises:
        SettingsMalformed: missing, not TOML, or an entry is wrong, missing or unknown; `key` names it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsMalformed(key=path.name, rule="a readable file in UTF-8") from None
    return parse_settings(text, path.parent)


def parse_settings(text: str, folder: Path) -> Settings:
    """The settings in this text; relative paths start in `folder`.

    Raises:
        SettingsMalformed: as `read_settings`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsMalformed(key="the file", rule=f"TOML: {error}") from None
    except (ValueError, RecursionError):  # integers of thousands of digits, arrays a thousand deep
        raise SettingsMalformed(key="the file", rule="TOML of a sane size") from None
    top = Table(document, "", folder)
    chains = top.tables("chain")
    if len(chains) != 1:
        raise SettingsMalformed(key="chain", rule="exactly one [[chain]]: run one relayer for each")
    settings = Settings(
        journal=parse_journal(top.text("journal"), folder),
        tick_seconds=Seconds(top.integer("tick_seconds", 1, 3600)),
        listen=_listen(top),
        log=_log(top.table("log")),
        chain=_chain(chains[0]),
    )
    top.end()
    return settings


def _listen(table: Table) -> tuple[str, int] | None:
    """`listen = "127.0.0.1:9464"`: a loopback address, since what stands there asks nobody who they are."""
    if table.peek("listen") is None:
        return None
    host, _, port = table.text("listen").rpartition(":")
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= MAX_PORT
    if not (is_loopback and is_port):
        raise SettingsMalformed(key="listen", rule="a loopback address and a port, like 127.0.0.1:9464")
    return host, int(port)


def _log(table: Table) -> LogSettings:
    tls = table.table("tls")
    log = LogSettings(
        log_id=LogId(table.octets("id", 32)),
        genesis=table.path("genesis"),
        sets=tuple(_set_file(item) for item in table.tables("sets")),
        members=tuple(table.table("members").all_texts().items()),
        tls=TlsFiles(tls.path("ca"), tls.path("certificate"), tls.secret("key")),
        anchor_every=table.integer("anchor_every", 1, 1_000_000),
        delay=Seconds(table.integer("delay_seconds", 0, 86_400, default=30)),
    )
    tls.end()
    table.end()
    if not log.members:
        raise SettingsMalformed(key="log.members", rule="at least a quorum of the members, name = host:port")
    ids = [item.set_id for item in log.sets]
    starts = [item.from_size for item in log.sets]
    if ids != list(range(1, len(ids) + 1)) or starts[:1] != [1] or starts != sorted(set(starts)):
        raise SettingsMalformed(key="log.sets", rule="ids 1, 2, …; from_size ascending, the first is 1")
    return log


def _set_file(table: Table) -> SetFile:
    found = SetFile(
        SetId(table.integer("id", 1, 1 << 24)),
        TreeSize(table.integer("from_size", 1, 1 << 40)),
        table.path("entries"),
    )
    table.end()
    return found


def _chain(table: Table) -> ChainSettings:
    turns = table.table("turns")
    endpoints = table.table("endpoints").all_texts()
    chain = ChainSettings(
        name=table.text("name"),
        chain_id=ChainId(table.integer("chain_id", 1, (1 << 53) - 1)),
        genesis_hash=PublicBlockHash(table.octets("genesis_hash", 32)),
        contract=Address(table.octets("contract", 20)),
        first_number=PublicBlockNumber(table.integer("first_block", 0, (1 << 53) - 1)),
        depth=_depth(table),
        rpc_quorum=table.integer("rpc_quorum", 1, 99),
        endpoints=tuple(Endpoint(name, table.url(name, url)) for name, url in endpoints.items()),
        signer=parse_place(table.text("signer"), table.folder, f"{table.name}.signer"),
        signer_address=Address(table.octets("signer_address", 20)),
        fees=_fees(table.table("fees")),
        operators=tuple(Address(octets) for octets in turns.list_of_octets("operators", 20)),
        grace_blocks=turns.integer("grace_blocks", 0, 100_000, default=6),
    )
    turns.end()
    table.end()
    if not len(chain.endpoints) // 2 < chain.rpc_quorum <= len(chain.endpoints):
        raise SettingsMalformed(key="chain.rpc_quorum", rule="more than half of the endpoints, at most all")
    return chain


def _depth(table: Table) -> int | None:
    """`finality = "finalized"`, or `finality = { depth = 64 }` on chains without the tag."""
    if table.peek("finality") == "finalized":
        table.text("finality")
        return None
    inner = table.table("finality")
    depth = inner.integer("depth", 1, 100_000)
    inner.end()
    return depth


def _fees(table: Table) -> FeePolicy:
    fees = FeePolicy(
        max_fee=Wei(table.integer("max_fee_gwei", 1, MAX_FEE // UNITS["gwei"]) * UNITS["gwei"]),
        tip=table.amount("tip", MAX_FEE),
        max_cost_per_anchor=table.amount("max_cost_per_anchor", 10**24),
        daily_budget=table.amount("daily_budget", 10**24),
        max_gas=Gas(table.integer("max_gas", 21_000, 1 << 24, default=1_500_000)),
        usual_gas=Gas(table.integer("usual_gas", 21_000, 1 << 24, default=300_000)),
        bump_blocks=table.integer("bump_blocks", 2, 100_000, default=10),
    )
    table.end()
    if fees.tip > fees.max_fee:
        raise SettingsMalformed(key=f"{table.name}.tip", rule="at most max_fee_gwei")
    return fees
