"""`hybrid-bridge member admit|suspend|reinstate|remove|rotate-key`, and what a newcomer does to become a member.

A proposal is written at one desk, approved at others and enacted at any: files between people, each shown in words
before anything is signed or sent (ADR 35).
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.options import FOLDER, INPUT, OUTPUT, folder_option, json_option
from hybrid_bridge.cli.outputs import write_private, writing
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import SettingsMalformed

if TYPE_CHECKING:
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb

NEW_FOLDER: Final = click.Path(path_type=Path, file_okay=False)
MAX_INPUT: Final = 1 << 21
ENGINE_RPC: Final = "127.0.0.1:26657"  # the engine's own usual one
APPLICANTS: Final = ("member", "validator", "regulator", "court", "auditor")

_Command = Callable[..., None]
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def _proposing(command: _Command) -> _Command:
    """The options of whatever writes a proposal."""
    for option in (
        json_option,
        click.option("--out", type=OUTPUT, required=True, help="The proposal, for those who approve it; private."),
        click.option("--approver", "approvers", multiple=True, help="Validator who will approve; repeatable."),
        click.option(
            "--from-epoch",
            type=click.IntRange(0),
            default=0,
            show_default="in a day, or when the set begins that it replaces",
            help="When it applies.",
        ),
        click.option("--reason", default="", help="For the members; its hash goes on the record."),
        folder_option,
    ):
        command = option(command)
    return command


# ── write a proposal ─────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("card", type=INPUT)
@_proposing
def admit(card: Path, **given: Any) -> None:  # noqa: ANN401 click's own
    """Propose a newcomer by its CARD; a card with the role validator joins the validators too."""
    _propose("admit", card=_bounded(card), **given)


@click.command("rotate-key")
@click.argument("card", type=INPUT)
@_proposing
def rotate_key(card: Path, **given: Any) -> None:  # noqa: ANN401 click's own
    """Propose a member's new CARD: another attestation key, certificate, identity key, or endpoint."""
    _propose("rotate-key", card=_bounded(card), **given)


@click.command()
@click.argument("name")
@_proposing
def suspend(name: str, **given: Any) -> None:  # noqa: ANN401 click's own
    """Propose that NAME may do nothing for the time being, and attests no more. It goes on reading."""
    _propose("suspend", name=name, **given)


@click.command()
@click.argument("name")
@_proposing
def reinstate(name: str, **given: Any) -> None:  # noqa: ANN401 click's own
    """Propose that NAME, which is suspended, has its roles again."""
    _propose("reinstate", name=name, **given)


@click.command()
@click.argument("name")
@_proposing
def remove(name: str, **given: Any) -> None:  # noqa: ANN401 click's own
    """Propose that NAME is no member and no validator any more."""
    _propose("remove", name=name, **given)


def _propose(kind: str, *, folder: Path, out: Path, as_json: bool, **given: Any) -> None:  # noqa: ANN401 click's own
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415

    with desk_of(folder) as desk:
        answer = desk.propose(pb.ProposeRequest(kind=kind, **given))
    with writing("--out"):
        write_private(out, answer.proposal)
    _say(answer.changes, {"proposal": str(out)}, as_json=as_json)


# ── decide on one ────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("proposal", type=INPUT)
@click.option("--out", type=OUTPUT, required=True, help="The consent, for whoever enacts the proposal.")
@folder_option
@yes_option
@json_option
def approve(proposal: Path, out: Path, folder: Path, yes: bool, as_json: bool) -> None:
    """Consent to a PROPOSAL as a validator, after seeing what it changes."""
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    data = _bounded(proposal)
    with desk_of(folder) as desk:
        told = desk.approve(data, confirmed=False).changes
        _confirm(told, "Approve this?", yes=yes)
        consents = desk.approve(data, confirmed=True).consents
    with writing("--out"):
        out.write_bytes(consents)
    _say(told, {"consent": str(out)}, as_json=as_json)


@click.command()
@click.argument("proposal", type=INPUT)
@click.argument("consents", type=INPUT, nargs=-1)
@folder_option
@yes_option
@json_option
def enact(proposal: Path, consents: Sequence[Path], folder: Path, yes: bool, as_json: bool) -> None:
    """Submit a PROPOSAL with its CONSENTS, after showing what it changes; the same again is no change."""
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    data, given = _bounded(proposal), [_bounded(path) for path in consents]
    with desk_of(folder) as desk:
        told = desk.enact(data, given, confirmed=False).changes
        _confirm(told, "Enact this?", yes=yes)
        heights: list[Json] = list(desk.enact(data, given, confirmed=True).heights)
    _say(told, {"heights": heights}, as_json=as_json)


@click.command("sign-set")
@click.argument("draft", type=INPUT)
@click.option(
    "--out", type=NEW_FOLDER, required=True, help="A folder: one file for each key, as relayers look for them."
)
@folder_option
@yes_option
@json_option
def sign_set(draft: Path, out: Path, folder: Path, yes: bool, as_json: bool) -> None:
    """Sign, for a public contract, the validator set that the ledger has appointed; DRAFT by `contract draft set`."""
    from hybrid_bridge.core.power import decode_signed  # noqa: PLC0415 help must not pay
    from hybrid_bridge.core.signing import recover_address  # noqa: PLC0415
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415

    data, files = _bounded(draft), []
    with desk_of(folder) as desk:
        told = desk.endorse(data, confirmed=False).changes
        _confirm(told, "Sign this?", yes=yes)
        signed = desk.endorse(data, confirmed=True).signed
    with writing("--out"):
        out.mkdir(parents=True, exist_ok=True)
        for one in signed:
            power = decode_signed(one)
            signer = recover_address(power.statement.digest(), power.signature)
            files.append(out / f"set-{power.statement.number}-{signer.hex()}.json")
            files[-1].write_bytes(one)
    names: list[Json] = [str(file) for file in files]
    _say(told, {"signed": names}, as_json=as_json)


@click.command("list")
@folder_option
@json_option
def members(folder: Path, as_json: bool) -> None:
    """Who is a member today, every validator set, and whose card this node still lacks."""
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    with desk_of(folder) as desk:
        answer = desk.members()
    if as_json:
        click.echo(json.dumps(_members(answer), indent=2))
        return
    for member in answer.members:
        key = f"0x{member.address.hex()}" if member.address else "attests nothing"
        click.echo(plain(f"{member.standing:<10} {member.name:<20} {member.legal_id:<26} {key}  {member.legal_name}"))
    for one in answer.sets:
        names = ", ".join(name or "?" for name in one.names)
        click.echo(plain(f"set {one.set_id} from size {one.first_size}: {names}"))
    for leaf in answer.lacking:
        click.echo(f"lacking: the proposal of governance record {leaf.hex()}", err=True)


@click.command()
@folder_option
@json_option
def proposals(folder: Path, as_json: bool) -> None:
    """The proposals that this member approved, enacted, or was handed for a record of its ledger."""
    from hybrid_bridge.node.proposals import ProposalStore  # noqa: PLC0415 help must not pay

    rows: list[Json] = []
    for one in ProposalStore(folder).all():
        rows.append(
            {
                "proposal": one.digest.hex(),
                "kind": one.kind,
                "name": one.name,
                "reason": one.reason,
                "records": len(one.records),
                "expires_epoch": one.expires_epoch,
            }
        )
        if not as_json:
            until = f"in a block by epoch {one.expires_epoch}"
            click.echo(
                plain(f"{one.digest.hex()[:16]}  {one.kind} {one.name}, {until}: {one.reason or 'no reason given'}")
            )
    if as_json:
        click.echo(json.dumps(rows, indent=2))


@click.command("set-entries")
@click.argument("set_id", type=click.IntRange(1))
@click.option("--out", type=OUTPUT, required=True, help="128 bytes for each validator.")
@folder_option
def set_entries(set_id: int, out: Path, folder: Path) -> None:
    """Write the entries of validator set SET_ID, for `contract draft set` and for relayers' settings."""
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    with desk_of(folder) as desk:
        found = next((one for one in desk.members().sets if one.set_id == set_id), None)
    if found is None:
        raise SettingsMalformed(key="SET_ID", rule="a set that the ledger has appointed")
    with writing("--out"):
        out.write_bytes(found.entries)
    click.echo(f"set {set_id}, from size {found.first_size} on, hash 0x{found.set_hash.hex()} → {out}")


# ── become a member ──────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.option("--public", type=FOLDER, required=True, help="genesis.bin, members.json, policy.json, ca.pem.")
@click.option("--name", required=True, help="Within the consortium: a-z, 0-9, -.")
@click.option("--legal-name", required=True)
@click.option("--legal-id", required=True, metavar="LEI:…|USCI:…")
@click.option("--role", "roles", type=click.Choice(APPLICANTS), multiple=True, help="Repeatable.")
@click.option("--listen", "endpoint", required=True, metavar="HOST:PORT", help="Where the node will listen.")
@click.option("--engine", metavar="HOST:PORT", help="Where its CometBFT engine will listen, if engines order.")
@click.option(
    "--engine-rpc", metavar="HOST:PORT", default=ENGINE_RPC, show_default=True, help="And for this member alone."
)
@click.option("--out", type=NEW_FOLDER, required=True, help="The new member's folder.")
def apply(public: Path, out: Path, engine: str | None, engine_rpc: str, **given: Any) -> None:  # noqa: ANN401 click's own
    """Make a newcomer's folder with its own keys, and the certificate requests for the consortium's authority."""
    import secrets  # noqa: PLC0415 help must not pay

    from hybrid_bridge.node.applying import Application  # noqa: PLC0415
    from hybrid_bridge.node.applying import apply as make  # noqa: PLC0415
    from hybrid_bridge.node.engine_homes import EngineAddress  # noqa: PLC0415

    given["roles"] = tuple(given["roles"]) or ("member",)
    given["engine"] = None if engine is None else EngineAddress(engine, engine_rpc)
    with writing("--out"):
        requests = make(public, out, Application(**given), secrets.token_bytes)
    for request in requests:
        click.echo(f"certify {request}")
    click.echo(f"Next: hybrid-bridge member card --dir {out} --certificate … --tls … --owner-tls … --out CARD")


@click.command()
@folder_option
@click.option("--certificate", type=INPUT, help="Of the identity key, DER or PEM, if it is a new one.")
@click.option("--tls", type=INPUT, help="A newcomer's TLS certificate, PEM.")
@click.option("--owner-tls", type=INPUT, help="The TLS certificate of a newcomer's own people, PEM.")
@click.option("--listen", "endpoint", metavar="HOST:PORT", help="Where others will reach the node, if it moves.")
@click.option("--engine", metavar="HOST:PORT", help="Where others will reach the CometBFT engine, if it moves.")
@click.option("--out", type=OUTPUT, required=True, help="The card, for the members.")
def card(
    folder: Path, certificate: Path | None, tls: Path | None, owner_tls: Path | None, out: Path, **moved: str | None
) -> None:
    """Make this member's card: as a newcomer, or with the next key or certificate, or another endpoint."""
    from hybrid_bridge.node.applying import APPLICATION, install_tls, keep_card, make_card  # noqa: PLC0415

    if (tls is None) != (owner_tls is None):
        raise SettingsMalformed(key="--tls", rule="with --owner-tls, or neither")
    made = make_card(folder, None if certificate is None else _der(_bounded(certificate)), **moved)
    if tls is not None and owner_tls is not None:
        install_tls(folder, _bounded(tls), _bounded(owner_tls))
    if (folder / APPLICATION).exists():
        keep_card(folder, made)
    with writing("--out"):
        out.write_bytes(made.encode())
    click.echo(plain(f"{made.member.name} ({made.member.legal_name}, {made.member.legal_id}) → {out}"))


@click.command()
@click.argument("proposal", type=INPUT)
@folder_option
def join(proposal: Path, folder: Path) -> None:
    """Take the PROPOSAL that admits this folder's card: the log's secrets come with it, and the stores are made."""
    from hybrid_bridge.node.joining import join as take  # noqa: PLC0415
    from hybrid_bridge.node.proposals import parse_proposal  # noqa: PLC0415

    take(folder, parse_proposal(_bounded(proposal)))
    click.echo(f"Next: hybrid-bridge node run --dir {folder}")
    if (folder / "engine").exists():
        click.echo(f"And beside it: hybrid-bridge node engine --dir {folder}")


@click.command("new-key")
@click.argument("which", type=click.Choice(["attestation", "identity", "consensus"]))
@folder_option
def new_key(which: str, folder: Path) -> None:
    """Make the key that follows the one in use. A new attestation key has a guard of its own; restart the node."""
    import secrets  # noqa: PLC0415 help must not pay

    from hybrid_bridge.node.rekeying import next_attestation, next_consensus, next_identity  # noqa: PLC0415

    if which == "consensus":
        click.echo(f"consensus key {next_consensus(folder, secrets.token_bytes).hex()}")
    elif which == "attestation":
        click.echo(f"attestation key 0x{next_attestation(folder, secrets.token_bytes).hex()}")
    else:
        click.echo(f"certify {next_identity(folder, secrets.token_bytes)}")
    click.echo("Next: hybrid-bridge member card")


@click.command("use-key")
@click.argument("which", type=click.Choice(["attestation", "identity", "consensus"]))
@folder_option
def use_key(which: str, folder: Path) -> None:
    """Put the next key in the place of the one in use, once its epoch has come; then restart node and engine."""
    from hybrid_bridge.node.rekeying import use_next  # noqa: PLC0415

    use_next(folder, which)


COMMANDS: Final = (
    apply,
    card,
    join,
    admit,
    suspend,
    reinstate,
    remove,
    new_key,
    rotate_key,
    use_key,
    approve,
    enact,
    members,
    proposals,
    set_entries,
    sign_set,
)


# ── words and files ──────────────────────────────────────────────────────────────────────────────────────────────────


def _confirm(told: Sequence[str], question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm("\n".join([*map(plain, told), question]), abort=True, err=True)


def _say(told: Sequence[str], found: dict[str, Json], *, as_json: bool) -> None:
    if as_json:
        changes: list[Json] = list(told)
        click.echo(json.dumps({"changes": changes, **found}, indent=2))
        return
    for line in told:
        click.echo(plain(line))
    for name, value in found.items():
        click.echo(f"{name}: {value}")


def _members(answer: "pb.MembersResponse") -> dict[str, Json]:
    rows: list[Json] = [
        {
            "name": member.name,
            "legal_name": member.legal_name,
            "legal_id": member.legal_id,
            "standing": member.standing,
            "key_id": member.key_id.hex(),
            "address": f"0x{member.address.hex()}" if member.address else None,
            "endpoint": member.endpoint,
        }
        for member in answer.members
    ]
    sets: list[Json] = [
        {
            "id": one.set_id,
            "first_size": one.first_size,
            "hash": f"0x{one.set_hash.hex()}",
            "validators": [name or None for name in one.names],
        }
        for one in answer.sets
    ]
    return {"members": rows, "sets": sets, "lacking": [leaf.hex() for leaf in answer.lacking]}


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_INPUT + 1)


def _der(data: bytes) -> bytes:
    """A certificate as governance records hash it."""
    from hybrid_bridge.adapters.pki import der_of  # noqa: PLC0415 help must not pay

    return der_of(data) if data.startswith(b"-----BEGIN") else data
