"""`hybrid-bridge consortium`: found a consortium on this machine."""

import json
import re
import secrets
import socket
import time
import tomllib
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hybrid_bridge.business.policy import MAX_EPOCHS, Powers
from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.units import Address, Seconds, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.node.engine_homes import EngineAddress
    from hybrid_bridge.node.founding import Foundation, Founder

PLAN_KEYS: Final = {
    "origin": str,
    "cadence": int,
    "grace": int,
    "receipts": bool,
    "relayers": list,
    "auditors": list,
    "members": list,
    "powers": dict,
}
USUAL: Final = 10  # seconds
BLOCKS: Final = "Seconds with exactly one block each: then blocks tell no volume. 0: on demand. Default: 10 if it fits."
LEDGERS: Final = ("embedded", "cometbft")
LEDGER: Final = "Who orders: one sequencer, or a CometBFT engine beside each member's node."
DATABASE: Final = "This member's stores are in PostgreSQL, as by `node move --to`; repeatable."
ENGINE_PORTS: Final = (26_656, 26_657)  # the engine's own usual ones, for peers and for its member alone
ALONE: Final = Powers().alone_max
LOOPBACK: Final = ("127.0.0.1", "localhost")
ANYWHERE: Final = "127.0.0.1:0"  # loopback, any free port


@click.group()
def command() -> None:
    """Found a consortium: authority, keys, genesis record, one folder for each member."""


@command.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new or empty folder.")
@click.option("--members", "plan", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Plan as TOML.")
@click.option("--member", "named", multiple=True, metavar="NAME,ID,ROLE+ROLE", help="Instead of a plan; repeatable.")
@click.option("--relayer", "relayers", multiple=True, help="Also make a TLS certificate for this relayer; repeatable.")
@click.option("--auditor", "auditors", multiple=True, help="Also make a TLS certificate for this auditor; repeatable.")
@click.option("--origin", default="example.org/receivables", show_default=True, help="The log's name, for ever.")
@click.option("--cadence", default=600, show_default=True, type=click.IntRange(1, 86_400), help="Seconds per epoch.")
@click.option("--block-every", type=click.IntRange(0, 3600), help=BLOCKS)
@click.option("--starts-in", default=5, show_default=True, type=click.IntRange(0, 86_400), help="Seconds to epoch 1.")
@click.option("--ledger", type=click.Choice(LEDGERS), default=LEDGERS[0], show_default=True, help=LEDGER)
@click.option("--receipts/--no-receipts", default=True, show_default=True, help="A key for COSE receipts, for ever.")
@click.option("--post-quantum", is_flag=True, help="Log and validators sign notes by ML-DSA-44 too.")
@click.option("--database", "databases", multiple=True, metavar="NAME=postgresql://…", help=DATABASE)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def init(
    out: Path,
    plan: Path | None,
    named: tuple[str, ...],
    relayers: tuple[str, ...],
    auditors: tuple[str, ...],
    origin: str,
    cadence: int,
    block_every: int | None,
    starts_in: int,
    ledger: str,
    receipts: bool,
    post_quantum: bool,
    databases: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a consortium: its authority, every member's keys and stores, the genesis record.

    The plan is TOML: origin, cadence, grace, receipts, relayers, auditors, and a [[members]] table with name,
    legal_name, legal_id, roles (member, validator, regulator, sequencer, court, auditor) and endpoint; port 0 lets the
    kernel choose. A validator that keeps its attestation key in an HSM gives its address there: attestation = "0x…".
    With --ledger cometbft a member may say where its engine listens, engine = "host:port" for the others and
    engine_rpc = "127.0.0.1:port" for itself; else free ports on loopback, and 26656 and 26657 on other hosts.
    A [powers] table names who may stop what, for ever: brake_all, brake_type, brake_member, freeze, each a list of
    quorum, court, regulator, member:NAME (its identity key) or key:ID; alone_max bounds who acts alone, in epochs.
    Options fill what it lacks.
    """
    from hybrid_bridge.node.founding import Plan, found  # noqa: PLC0415 gRPC and SQL are dear; help must not pay
    from hybrid_bridge.node.laying import lay  # noqa: PLC0415
    from hybrid_bridge.node.moving import move  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    stated = _read_plan(plan) if plan is not None else {}
    clients = {"relayers": list(relayers), "auditors": list(auditors)}
    options = {"origin": origin, "cadence": cadence, "receipts": receipts}
    given: dict[str, Any] = options | clients | stated
    founders = [_founder(row) for row in given.get("members", [])] + [_named(text) for text in named]
    founders = _ordered(founders, ledger)
    agreed = Plan(
        origin=given["origin"],
        genesis_time=UnixSeconds(int(time.time()) + starts_in),
        cadence=Seconds(given["cadence"]),
        grace=Seconds(given.get("grace", 3 * given["cadence"])),
        founders=tuple(founders),
        relayers=tuple(given["relayers"]),
        receipts=given["receipts"],
        auditors=tuple(given["auditors"]),
        post_quantum=post_quantum,
        powers=_powers(given.get("powers", {})),
        alone_max=_alone(given.get("powers", {})),
        block_every=_slot(given["cadence"], block_every, ledger),
    )
    places = _places(databases, founders)
    foundation = found(agreed, secrets.token_bytes, UnixSeconds(int(time.time())))
    with writing("--out"):
        lay(foundation, out)
        for name, place in places.items():
            move(read_settings(out / "nodes" / name), place)
    _tell(foundation, out, as_json=as_json)


def _ordered(founders: list["Founder"], ledger: str) -> list["Founder"]:
    """With an engine beside each member's node, if engines order."""
    if ledger == LEDGERS[1]:
        return _with_engines(founders)
    if any(founder.engine is not None for founder in founders):
        raise SettingsMalformed(key="members.engine", rule="for --ledger cometbft alone")
    return founders


def _places(databases: tuple[str, ...], founders: list["Founder"]) -> dict[str, str]:
    """Of each of these members, where its stores go."""
    from hybrid_bridge.custody.databases import parse_database  # noqa: PLC0415

    places = {name: place for name, _, place in (text.partition("=") for text in databases)}
    if len(places) < len(databases) or not places.keys() <= {founder.name for founder in founders}:
        raise SettingsMalformed(key="--database", rule="NAME=postgresql://…, once for a member of the plan")
    for place in places.values():
        parse_database(place, Path(), "--database")
    return places


def _slot(cadence: int, asked: int | None, ledger: str) -> Seconds:
    """As asked, else ten seconds where they fill an epoch of a minute or more. An engine keeps its own time."""
    if ledger == LEDGERS[1]:
        if asked:
            raise SettingsMalformed(key="--block-every", rule="0 with --ledger cometbft: the engine makes the blocks")
        return Seconds(0)
    usual = USUAL if cadence >= 60 and cadence % USUAL == 0 else 0
    slot = usual if asked is None else asked
    if slot and cadence % slot:
        raise SettingsMalformed(key="--block-every", rule=f"a divisor of the cadence {cadence}, or 0")
    return Seconds(slot)


def _tell(foundation: "Foundation", out: Path, *, as_json: bool) -> None:
    genesis = foundation.genesis
    if as_json:
        members = {member.name: member.endpoint for member in foundation.members}
        told = {"log_id": genesis.log_id.hex(), "genesis_time": genesis.genesis_time, "members": members}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"log id {genesis.log_id.hex()}")
    for member in foundation.members:
        click.echo(f"  {member.name:<20} {member.endpoint:<22} {', '.join(member.roles)}")
    click.echo(f"Next: hybrid-bridge node run --dir {out}/nodes/NAME, one for each member. Keep {out}/ca apart.")
    if any(member.consensus_key is not None for member in foundation.members):
        click.echo(f"Then beside each: hybrid-bridge node engine --dir {out}/nodes/NAME (docs/guides/cometbft.md).")


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        raise SettingsMalformed(key=path.name, rule="TOML in UTF-8") from None
    for key, value in given.items():
        kind = PLAN_KEYS.get(key)
        if kind is None:
            raise SettingsMalformed(key=key[:64], rule="no such entry")
        if type(value) is not kind:
            raise SettingsMalformed(key=key, rule=f"of type {kind.__name__}")
    return given


def _powers(table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Who may stop what; `found` knows the names."""
    lists = {name: holders for name, holders in table.items() if name != "alone_max"}
    for name, holders in lists.items():
        if not isinstance(holders, list) or not all(isinstance(holder, str) for holder in holders):
            raise SettingsMalformed(key=f"powers.{name[:64]}", rule="a list of texts")
    return {name: tuple(holders) for name, holders in lists.items()}


def _alone(table: dict[str, Any]) -> int:
    alone = table.get("alone_max", ALONE)
    if type(alone) is not int or not 0 <= alone <= MAX_EPOCHS:
        raise SettingsMalformed(key="powers.alone_max", rule=f"epochs, 0 to {MAX_EPOCHS}")
    return alone


def _founder(row: object) -> "Founder":
    from hybrid_bridge.node.founding import Founder  # noqa: PLC0415

    asked, may = {"name", "legal_name", "legal_id", "roles"}, {"endpoint", "attestation", "engine", "engine_rpc"}
    if not isinstance(row, dict) or row.keys() - may != asked:
        rule = "tables of name, legal_name, legal_id, roles and perhaps endpoint, attestation, engine, engine_rpc"
        raise SettingsMalformed(key="members", rule=rule)
    roles, texts = row["roles"], {key: value for key, value in row.items() if key != "roles"}
    if not isinstance(roles, list) or not all(isinstance(text, str) for text in [*texts.values(), *roles]):
        raise SettingsMalformed(key="members", rule="texts, and a list of texts for roles")
    kept = _address(texts.pop("attestation")) if "attestation" in texts else None
    engine = _engine(texts)
    return _listening(Founder(**({"endpoint": ANYWHERE} | texts), roles=tuple(roles), attestation=kept, engine=engine))


@command.command()
@click.argument("request", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--ca", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True, help="Its folder.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The certificate.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def certify(request: Path, ca: Path, out: Path, yes: bool) -> None:
    """Certify a REQUEST as the consortium's authority, after showing for whom. DER of an identity key, else PEM."""
    from hybrid_bridge.adapters.pki import Authority, requested_by  # noqa: PLC0415 help must not pay
    from hybrid_bridge.adapters.pki import certify as issue  # noqa: PLC0415
    from hybrid_bridge.node.settings import private_bytes  # noqa: PLC0415

    data = request.read_bytes()
    role, holder = requested_by(data)
    told = plain(f"{role} certificate for {holder.name}: {holder.legal_name}, {holder.legal_id}")
    if not yes:
        click.confirm(f"{told}\nCertify this?", abort=True, err=True)
    authority = Authority((ca / "ca.pem").read_bytes(), private_bytes(ca / "ca.key", "ca.key"))
    certificate = issue(authority, data, UnixSeconds(int(time.time())))
    with writing("--out"):
        out.write_bytes(certificate)
    click.echo(f"{told} → {out}")


def _address(text: str) -> Address:
    """Of an attestation key that its owner keeps in an HSM of its own."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text) or int(text, 16) == 0:
        raise SettingsMalformed(key="members.attestation", rule="0x and 40 hex digits, not all zero")
    return Address(bytes.fromhex(text[2:]))


def _named(text: str) -> "Founder":
    from hybrid_bridge.node.founding import Founder  # noqa: PLC0415

    parts = text.split(",")
    if len(parts) != 3:
        raise SettingsMalformed(key="--member", rule="NAME,ID,ROLE+ROLE")
    name, legal_id, roles = parts
    founder = Founder(name=name, legal_name=name, legal_id=legal_id, roles=tuple(roles.split("+")), endpoint=ANYWHERE)
    return _listening(founder)


def _with_engines(founders: list["Founder"]) -> list["Founder"]:
    """With addresses for their engines, where the plan has none: on the host of the node, and for itself on loopback.

    On this machine's loopback the ports are free ones, all held until the last is known; elsewhere the engine's usual.
    """
    from hybrid_bridge.node.engine_homes import EngineAddress  # noqa: PLC0415
    from hybrid_bridge.node.settings import require_endpoint  # noqa: PLC0415

    with ExitStack() as held:

        def free() -> str:
            host, port = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()
            return f"{host}:{port}"

        found = []
        for founder in founders:
            host, _ = require_endpoint(founder.endpoint, f"members.{founder.name}.endpoint")
            usual = EngineAddress(f"{host}:{ENGINE_PORTS[0]}", f"127.0.0.1:{ENGINE_PORTS[1]}")
            at = EngineAddress(free(), free()) if host in LOOPBACK else usual
            found.append(founder if founder.engine is not None else replace(founder, engine=at))
    return found


def _engine(texts: dict[str, str]) -> "EngineAddress | None":
    """What a plan says of a member's engine; both or neither."""
    from hybrid_bridge.node.engine_homes import EngineAddress  # noqa: PLC0415

    given = [texts.pop(key) for key in ("engine", "engine_rpc") if key in texts]
    if len(given) == 1:
        raise SettingsMalformed(key="members.engine", rule="engine and engine_rpc, or neither")
    return EngineAddress(*given) if given else None


def _listening(founder: "Founder") -> "Founder":
    """Port 0 becomes one that is free now: the directory must name it before the node runs."""
    from hybrid_bridge.node.settings import require_endpoint  # noqa: PLC0415

    host, port = require_endpoint(founder.endpoint, f"members.{founder.name}.endpoint")
    if port:
        return founder
    try:
        with socket.create_server((host, 0)) as server:
            return replace(founder, endpoint=f"{host}:{server.getsockname()[1]}")
    except (OSError, UnicodeError):  # a host that is no name is refused by its codec
        rule = "an address of this machine, or a port other than 0"
        raise SettingsMalformed(key=f"members.{founder.name}.endpoint", rule=rule) from None
