"""The operator's decisions: one TOML file, read once, frozen. Unknown keys are refused, money has no defaults.

A file has one log and one or several public chains; each chain gets a relayer of its own, with its own journal, and
`Settings` is what that one needs. Secrets are named by URI (`file:`, `keystore:`, `pkcs11:` …), never written here;
paths start in the file's folder.
"""

import re
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
from relayers.journal_place import JournalPlace, beside, parse_journal
from relayers.toml_lines import line_of
from relayers.toml_table import UNITS, Table
from relayers.views import FeePolicy

MAX_PORT: Final = 65_535
MAX_FEE: Final = 10**9 * UNITS["gwei"]  # for each gas; the journal's integers end at 2^63
EVERY_CHAIN: Final = "all"  # the label of what holds over all chains: no chain may have that name
CHAIN_IN_PATH: Final = "{chain}"
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _-]{0,38}[A-Za-z0-9])?")  # a label, and part of a file's name


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
    anchored_when: int  # so many chains must have an epoch final before it counts as anchored
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
    state_proofs: bool  # head, nonce, balance and code are proven against the quorum's header
    endpoints: tuple[Endpoint, ...]
    signer: Place
    signer_address: Address
    fees: FeePolicy
    operators: tuple[Address, ...]
    grace_blocks: int
    is_retiring: bool  # its gas key begins nothing new: what it began is finished beside another key's relayer
    set_updates: Path | None  # the folder of signed set updates for this contract; None: nobody rotates by this relayer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the relayer of one public chain needs."""

    journal: JournalPlace
    tick_seconds: Seconds
    listen: tuple[str, int] | None  # metrics and health of the whole process; None: nobody asks
    log: LogSettings
    chain: ChainSettings


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A whole file: one relayer for each of its public chains, in its order; never none."""

    relayers: tuple[Settings, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the chains."""
        return tuple(settings.chain.name for settings in self.relayers)

    def of(self, chain: str | None) -> tuple[Settings, ...]:
        """Those that an order without a name means, or the one named.

        Raises:
            SettingsMalformed: no chain has this name.
        """
        return self.relayers if chain is None else (self.one(chain),)

    def one(self, chain: str | None = None) -> Settings:
        """The one with this name, which may be left out where there is but one.

        Raises:
            SettingsMalformed: no chain has this name, or none was named and there are several.
        """
        found = [settings for settings in self.relayers if chain in {None, settings.chain.name}]
        if len(found) != 1:
            raise SettingsMalformed(key="--chain", rule=f"one of: {', '.join(self.names)}")
        return found[0]


def read_settings(path: Path, chain: str | None = None) -> Settings:
    """The settings of one chain of this file.

    Raises:
        SettingsMalformed: as `read_settings_file`, and as `SettingsFile.one`.
    """
    return read_settings_file(path).one(chain)


def read_settings_file(path: Path) -> SettingsFile:
    """The settings in this file.

    Raises:
        SettingsMalformed: missing, not TOML, or an entry is wrong, missing or unknown; `key` names it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsMalformed(key=path.name, rule="a readable file in UTF-8") from None
    return parse_settings_file(text, path.parent)


def parse_settings(text: str, folder: Path) -> Settings:
    """The settings in a text with one chain.

    Raises:
        SettingsMalformed: as `parse_settings_file`, and as `SettingsFile.one`.
    """
    return parse_settings_file(text, folder).one()


def parse_settings_file(text: str, folder: Path) -> SettingsFile:
    """The settings in this text; relative paths start in `folder`.

    Raises:
        SettingsMalformed: as `read_settings_file`.
    """
    try:
        return _parsed(text, folder)
    except SettingsMalformed as error:
        line = line_of(text, error.key)
        if line is not None:
            error.add_note(f"line {line}")
        raise


def _parsed(text: str, folder: Path) -> SettingsFile:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsMalformed(key="the file", rule=f"TOML: {error}") from None
    except (ValueError, RecursionError):  # integers of thousands of digits, arrays a thousand deep
        raise SettingsMalformed(key="the file", rule="TOML of a sane size") from None
    top = Table(document, "", folder)
    chains = tuple(_chain(table) for table in top.tables("chain"))
    _require_apart(chains)
    places = _journals(top, chains)
    tick_seconds, listen = top.integer("tick_seconds", 1, 3600), _listen(top)
    log = _log(top.table("log"), sum(not chain.is_retiring for chain in chains))
    top.end()
    return SettingsFile(
        tuple(
            Settings(
                journal=place,
                tick_seconds=Seconds(tick_seconds),
                listen=listen,
                log=log,
                chain=chain,
            )
            for chain, place in zip(chains, places, strict=True)
        )
    )


def _require_apart(chains: tuple[ChainSettings, ...]) -> None:
    """Each has a name of its own, and no contract is served twice: two journals would fight over it, or over a nonce.

    But for a key that retires: it and the one that follows pay at one contract, from different accounts.
    """
    names = [chain.name.lower() for chain in chains]  # file names: some disks make no difference
    if not chains or EVERY_CHAIN in names or len(set(names)) < len(names):
        raise SettingsMalformed(
            key="chain.name", rule=f"one [[chain]] at least, each with a name, none {EVERY_CHAIN!r}"
        )
    serving = [(chain.chain_id, chain.contract) for chain in chains if not chain.is_retiring]
    if not serving:
        raise SettingsMalformed(key="chain.retiring", rule="one [[chain]] at least that goes on")
    keys = {(chain.chain_id, chain.contract, chain.signer_address) for chain in chains}
    if len(set(serving)) < len(serving) or len(keys) < len(chains):
        raise SettingsMalformed(key="chain.contract", rule="one [[chain]] for each contract on a chain")
    accounts = {(chain.chain_id, chain.genesis_hash, chain.signer_address) for chain in chains}
    if len(accounts) < len(chains):
        raise SettingsMalformed(key="chain.signer_address", rule="one [[chain]] for each key on a chain")


def _journals(top: Table, chains: tuple[ChainSettings, ...]) -> list[JournalPlace]:
    """Each chain has a journal of its own: `{chain}` in its place stands for the chain's name."""
    text = top.text("journal")
    places = [parse_journal(text.replace(CHAIN_IN_PATH, chain.name), top.folder) for chain in chains]
    files = {str(place) if isinstance(place, Path) else str(beside(place, "")) for place in places}
    if len(files) < len(places):  # of two databases of one name too: their evidence would be one file
        raise SettingsMalformed(key="journal", rule=f"{CHAIN_IN_PATH} in it: each chain has a journal of its own")
    return places


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


def _log(table: Table, chains: int) -> LogSettings:
    tls = table.table("tls")
    log = LogSettings(
        log_id=LogId(table.octets("id", 32)),
        genesis=table.path("genesis"),
        sets=tuple(_set_file(item) for item in table.tables("sets")),
        members=tuple(table.table("members").all_texts().items()),
        tls=TlsFiles(tls.path("ca"), tls.path("certificate"), tls.secret("key")),
        anchor_every=table.integer("anchor_every", 1, 1_000_000),
        anchored_when=table.integer("anchored_when", 1, chains, default=chains),
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
        state_proofs=table.flag("state_proofs"),
        endpoints=tuple(Endpoint(name, table.url(name, url)) for name, url in endpoints.items()),
        signer=parse_place(table.text("signer"), table.folder, f"{table.name}.signer"),
        signer_address=Address(table.octets("signer_address", 20)),
        fees=_fees(table.table("fees")),
        operators=tuple(Address(octets) for octets in turns.list_of_octets("operators", 20)),
        grace_blocks=turns.integer("grace_blocks", 0, 100_000, default=6),
        is_retiring=table.flag("retiring"),
        set_updates=None if table.peek("set_updates") is None else table.path("set_updates"),
    )
    turns.end()
    table.end()
    if not _NAME.fullmatch(chain.name):
        raise SettingsMalformed(key="chain.name", rule="1 to 40 letters, digits, spaces, - and _ from A to z")
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
