"""What the commands share: endpoint and contract, who pays, asking before sending, money in words."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.deployments import deployed
from hybrid_bridge.adapters.evm.keystore import password_from_file
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreTransactionSigner
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Included, Patience, cost, likely_cost, price, send
from hybrid_bridge.cli.options import url_of
from hybrid_bridge.cli.verify import hex_option
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import CodeMismatch, SettingsMalformed, Unknown, UnknownLog
from hybrid_bridge.ports import Head, PublicBlock, UnsignedTransaction
from hybrid_bridge.units import Address, Digest, LogId, Wei

EVERY: Final = 0.25  # seconds between two looks for a public block
ETHER: Final = 10**18
MAX_RECORD: Final = 1 << 16  # bytes of a genesis record or of validator entries
_MONEY: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Z]{3})")
Sent: TypeAlias = tuple[UnsignedTransaction, Included | None]  # None: a dry run
Function = Callable[..., None]
Options = Callable[[Function], Function]
PATH: Final = click.Path(path_type=Path, dir_okay=False)
FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)


def options(*chosen: Options) -> Options:
    """Several options as one decorator, in reading order."""

    def decorate(function: Function) -> Function:
        for option in reversed(chosen):
            function = option(function)
        return function

    return decorate


def held(cls: type[Any], name: str, *chosen: Options) -> Options:
    """Options whose values reach the command as one frozen value of `cls`, in its argument `name`."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def gathered(**given: Any) -> None:  # noqa: ANN401 click's values
            values = {field.name: given.pop(field.name) for field in fields(cls)}
            function(**given, **{name: cls(**values)})

        return options(*chosen)(gathered)

    return decorate


ENDPOINT = click.option("--rpc", "url", required=True, metavar="URL", help="JSON-RPC endpoint, or file:PATH with it.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
LOG = click.option("--log", "log_hex", required=True, metavar="HEX", help="The log id.")
OUT = click.option("--out", required=True, type=PATH, help="The new file; one that is there is never touched.")
ENTRIES = click.option(
    "--entries", required=True, type=FILE, help="The validator entries of the set in force, 128 bytes each."
)
CONTRACT = options(
    click.option("--contract", "contract_hex", metavar="ADDRESS", help="The registry's address."),
    click.option(
        "--deployments", type=FILE, help="Take the address from this file. Without either: the usual address."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """An endpoint, and how the contract behind it is named."""

    url: str
    contract_hex: str | None
    deployments: Path | None

    def chain(self) -> Web3Chain:
        """The registry behind the endpoint, if its code is the committed one.

        Raises:
            CodeMismatch: other code stands there.
            Unknown: none does.
            Unknown, SettingsMalformed: the address cannot be told.
        """
        rpc, ours = endpoint(self.url), artefact(REGISTRY)
        if self.contract_hex is not None:
            contract = Address(hex_option(self.contract_hex, 20, "--contract"))
        elif self.deployments is not None:
            contract = deployed(self.deployments, Web3Chain(rpc, Address(bytes(20))).chain_id(), REGISTRY).address
        else:
            contract = deterministic_address(ours.creation_code)
        return ours_at(rpc, contract)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """Who pays, how long we wait, whether anything is sent at all."""

    key: Path
    password_file: Path
    dry_run: bool
    yes: bool
    wait: int
    ether_price: str | None

    def __post_init__(self) -> None:
        parse_money(self.ether_price)  # before anything is asked or sent

    def signer(self) -> KeystoreTransactionSigner:
        """The gas key."""
        return KeystoreTransactionSigner.open(self.key, lambda: password_from_file(self.password_file))

    def patience(self) -> Patience:
        """For one transaction."""
        return Patience(polls=int(self.wait / EVERY), every=EVERY, sleep=time.sleep)

    def money(self, transaction: UnsignedTransaction) -> str:
        """What a transaction costs, likely and at most, for people."""
        least, most = likely_cost(transaction), cost(transaction)
        return f"{transaction.gas} gas, about {self._words(least)}, at most {self._words(most)}"

    def _words(self, wei: Wei) -> str:
        shown = f"{wei / ETHER:.6f} ether"
        if (price_ := parse_money(self.ether_price)) is None:
            return shown
        return f"{shown} = {price_[0] * wei / ETHER:.2f} {price_[1]}"

    def agree(self, lines: list[str]) -> None:
        """Show what will be done; without a yes nothing is."""
        if lines and not self.yes:
            click.confirm("\n".join([*lines, "Go on?"]), abort=True, err=True)


@dataclass(frozen=True, slots=True)
class Spending:
    """A limit of whoever runs a command (as click's object): asked about each transaction before it is signed."""

    allow: Callable[[Address, UnsignedTransaction], None]  # whose account, and what; raises to hold it back


WHERE = held(Where, "where", ENDPOINT, CONTRACT)
PAYING = held(
    Paying,
    "paying",
    click.option("--key", required=True, type=FILE, help="Keystore file of the account that pays the gas."),
    click.option("--password-file", required=True, type=FILE, help="File with the keystore's password."),
    click.option("--dry-run", is_flag=True, help="Show what would be sent and what it may cost."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--ether-price", metavar="AMOUNT", help='Show costs in money too, e.g. "2500 EUR" for one ether.'),
    click.option(
        "--wait", default=120, show_default=True, type=click.IntRange(1), help="Seconds to wait for inclusion."
    ),
)


# ── from options to values ───────────────────────────────────────────────────────────────────────────────────────────


def endpoint(url: str) -> JsonRpc:
    """The endpoint of `--rpc`.

    Raises:
        SettingsMalformed: neither a URL nor a file with one.
    """
    url = url_of(url, "--rpc")
    if not url.startswith(("http://", "https://")):
        raise SettingsMalformed(key="--rpc", rule="an http or https URL, or file:PATH")
    return JsonRpc("rpc", url)


def ours_at(rpc: JsonRpc, contract: Address) -> Web3Chain:
    """The registry at this address, if its code is the committed one.

    Raises:
        Unknown: none stands there.
        CodeMismatch: other code.
    """
    chain = Web3Chain(rpc, contract)
    require_ours(REGISTRY, contract, chain.code(contract))
    return chain


def require_ours(name: str, address: Address, code: bytes) -> Digest:
    """The hash of this code, if it is the committed one.

    Raises:
        Unknown: no code at all.
        CodeMismatch: other code.
    """
    where, expected = f"{name} at 0x{address.hex()}", artefact(name).runtime_code_hash
    if not code:
        raise Unknown(what=f"{where}: no code stands there")
    if (got := keccak256(code)) != expected:
        raise CodeMismatch(expected=expected, got=got, where=where)
    return got


def registered(chain: Web3Chain, log_id: LogId, at: PublicBlock) -> Head:
    """The head of a log that the contract knows.

    Raises:
        UnknownLog: it does not.
    """
    head = chain.head(log_id, at)
    if head.state == "unknown":
        raise UnknownLog(log_id=Digest(log_id))
    return head


def log_option(text: str) -> LogId:
    """The log id of `--log`.

    Raises:
        FieldMalformed: not 32 bytes in hex.
    """
    return LogId(hex_option(text, 32, "--log"))


def parse_money(text: str | None) -> tuple[Decimal, str] | None:
    """Amount and currency of `--ether-price`.

    Raises:
        SettingsMalformed: not like `2500 EUR`.
    """
    if text is None:
        return None
    found = _MONEY.fullmatch(text)
    if found is None:
        raise SettingsMalformed(key="--ether-price", rule='an amount and a currency, like "2500 EUR"')
    return Decimal(found[1]), found[2]


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def act(chain: Web3Chain, paying: Paying, data: bytes, lines: list[str]) -> Sent:
    """Price a call of the contract, show `lines` and the cost, and send it; in a dry run nothing is sent.

    Raises:
        BridgeError: the contract's own error, before anything is sent.
        TransactionRefused, NotYet: see `send`.
        SpendCapped: a limit does not allow it.
    """
    signer = paying.signer()
    transaction = price(chain, signer.address(), chain.contract, data)
    if paying.dry_run:
        return transaction, None
    paying.agree([*lines, paying.money(transaction)])
    if (limit := click.get_current_context().find_object(Spending)) is not None:
        limit.allow(signer.address(), transaction)
    return transaction, send(chain, signer.sign(transaction), paying.patience())


def sent_json(transaction: UnsignedTransaction, included: Included | None) -> dict[str, Json]:
    """What was sent, or would be."""
    return {
        "dry_run": included is None,
        "gas": transaction.gas,
        "max_cost_wei": str(cost(transaction)),
        "transaction": None if included is None else hex_(included.tx_hash),
        "gas_used": None if included is None else included.receipt.gas_used,
    }


# ── from values to output ────────────────────────────────────────────────────────────────────────────────────────────


def say(answer: dict[str, Any], text: str, as_json: bool) -> None:
    """The one output of a command."""
    click.echo(json.dumps(answer, indent=2) if as_json else text)


def hex_(value: bytes) -> str:
    """With 0x."""
    return "0x" + value.hex()


def head_at(chain: Web3Chain, log_id: LogId, at: PublicBlock) -> Head | None:
    """None where the contract was not there yet."""
    return chain.head(log_id, at) if chain.code(chain.contract, at.hash) else None


def head_json(head: Head) -> dict[str, Json]:
    """A head for machines."""
    return {
        "tree_size": head.tree_size,
        "root": hex_(head.root),
        "timestamp": head.timestamp,
        "anchored_at": head.anchored_at,
        "set_id": head.set_id,
        "next_from_size": head.next_from_size,
        "paused_until": head.paused_until,
        "state": head.state,
    }


def head_text(head: Head | None) -> str:
    """A head for people."""
    if head is None:
        return "the contract was not there yet"
    if head.tree_size == 0:
        return "not registered"
    return f"size {head.tree_size}, root {hex_(head.root)}, {head.state}, set {head.set_id}"


def tell(chain: Web3Chain, log_id: LogId, sent: Sent, lines: list[str], *, as_json: bool) -> None:
    """What was sent, or would be, and where the log stands now."""
    transaction, included = sent
    head = chain.head(log_id, chain.latest())
    answer = {"done_before": False, **sent_json(transaction, included), "head": head_json(head)}
    how = "nothing sent" if included is None else f"in public block {included.receipt.block_number}"
    say(answer, "\n".join([*lines, f"{how}; now {head_text(head)}"]), as_json)
