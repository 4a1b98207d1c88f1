"""`hybrid-bridge guard`: what a validator's attestation key has said; out to a file, in from a file or the network.

`export` and `import` take the guard's lock, so the node rests meanwhile: an export made while the key still signs would
lack what it signs next. `status` and `check` look at what is committed, also beside a running node (RELAYER §5.4).
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.event_chain import Head
from hybrid_bridge.core.guard import Highest, History, additions
from hybrid_bridge.core.interchange import MAX_FILE, Interchange, KeyHistory, decode_interchange
from hybrid_bridge.errors import KeyUnusable, SchemaOlder, SettingsMalformed
from hybrid_bridge.units import Address, Digest, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.sqlite.guard import GuardView, SqlGuard
    from hybrid_bridge.node.cards import Card
    from hybrid_bridge.node.directory import Directory, Member
    from hybrid_bridge.node.restoring import Told

FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
OUT: Final = click.Path(path_type=Path, dir_okay=False)
GUARDS: Final = "guard*.db"  # of every key of a member (ADR 35)

folder_option = click.option(
    "--dir", "folder", type=FOLDER, required=True, help="The validator's folder; its node does not run meanwhile."
)
looked_option = click.option("--dir", "folder", type=FOLDER, required=True, help="The validator's folder.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group()
def command() -> None:
    """What a validator's key has signed: look, export, import, check. Read the guide before you restore a backup."""


@command.command()
@looked_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """The floor, the highest statement, how many the guard knows, and the head of its events: note that elsewhere."""
    place = Place.of(folder)
    with place.view() as view:
        history, head = view.seen()
    told = {"log_id": _hex(place.directory.log_id), "attestation_key": _hex(place.address), **_summary(history)}
    lines = [f"log       {told['log_id']}", *_table(place.address, history), f"events    {_headed(head)}"]
    others = sorted(path.name for path in folder.glob(GUARDS) if path != place.path)
    lines += [f"also here {name}, the guard of another key of this member" for name in others]
    _say({**told, "events": _headed(head), "also_here": list[Json](others)}, lines, as_json=as_json)


@command.command()
@folder_option
@click.option("--out", type=OUT, required=True, help="The new file; one that is there is never touched.")
@click.option("--minimal", is_flag=True, help="The floor alone, raised to the highest statement; and powers.")
@json_option
def export(folder: Path, out: Path, minimal: bool, as_json: bool) -> None:
    """Write all that the guard knows of its key. Whoever imports it signs; here nobody signs any more."""
    place = Place.of(folder)
    with place.guard() as guard:
        history = guard.history()
    history = history.minimal() if minimal else history.complete()
    data = Interchange(place.directory.log_id, (KeyHistory(place.address, history),)).encode()
    with writing("--out"), out.open("xb") as file:
        file.write(data)
    _say({"file": str(out), **_summary(history)}, [*_table(place.address, history), f"→ {out}"], as_json=as_json)


@command.command()
@click.argument("file", type=FILE, required=False)
@click.option("--dir", "folder", type=FOLDER, help="The validator's folder; nothing is changed there.")
@click.option("--head", "noted", metavar="N:0x…", help="A head that `guard status` showed earlier.")
@json_option
def check(file: Path | None, folder: Path | None, noted: str | None, as_json: bool) -> None:
    """Read FILE strictly, and whether it contradicts the guard in --dir; without FILE, that guard's own events."""
    if file is not None and noted is None:
        _check_file(file, folder, as_json=as_json)
    elif file is None and folder is not None:
        _check_events(Place.of(folder), None if noted is None else _parsed_head(noted), as_json=as_json)
    else:
        raise SettingsMalformed(key="--dir", rule="with a FILE, or alone; --head without a FILE")


def _check_events(place: "Place", noted: Head | None, *, as_json: bool) -> None:
    """Whether the guard's rows are those that its chain of events tells."""
    with place.view() as view:
        head, told = view.verify(noted)
    shown: dict[str, Json] = {"attestation_key": _hex(place.address), **_summary(told.history)}
    shown |= {"refusals": told.refusals, "events": _headed(head)}
    lines = [*_table(place.address, told.history), f"refused   {told.refusals}", f"events    {_headed(head)}"]
    _say(shown, [*lines, "Every row is told by an unbroken chain of events."], as_json=as_json)


def _check_file(file: Path, folder: Path | None, *, as_json: bool) -> None:
    """Whose keys and which sizes a file has; what a guard would take of it."""
    read = decode_interchange(read_bounded(file, MAX_FILE))
    keys: list[Json] = [{"attestation_key": _hex(key.address), **_summary(key.history)} for key in read.keys]
    told: dict[str, Json] = {"log_id": _hex(read.log_id), "keys": keys}
    lines = [f"log       {_hex(read.log_id)}"]
    for key in read.keys:
        lines += _table(key.address, key.history)
    if folder is not None:
        place = Place.of(folder)
        theirs = place.read(file)
        with place.view() as view:
            ours = view.history()
        plan = Plan(ours, additions(place.address, ours, theirs))
        told["plan"], lines = plan.to_json(), [*lines, *plan.lines()]
    _say(told, lines, as_json=as_json)


@command.command("import")
@click.argument("file", type=FILE, required=False)
@folder_option
@click.option("--floor-from-network", "network", is_flag=True, help="Ask the other members instead of reading a FILE.")
@click.option("--rpc", "url", metavar="URL", help="Ask a public chain too: JSON-RPC endpoint, or file:PATH with it.")
@click.option("--contract", "contract", metavar="ADDRESS", help="The registry's address there, if not the usual one.")
@click.option("--new", "is_new", is_flag=True, help="Make the guard: there is none, for instance on a new machine.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def import_(
    file: Path | None,
    folder: Path,
    network: bool,
    url: str | None,
    contract: str | None,
    is_new: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Merge what others know of this key: floors by maximum, rows by union, in whole or not at all. Lowers nothing."""
    if (file is None) is not network:
        raise SettingsMalformed(key="FILE", rule="a file, or --floor-from-network; one of the two")
    if not network and (url or contract):
        raise SettingsMalformed(key="--rpc", rule="for --floor-from-network")
    place = Place.of(folder)
    with ExitStack() as stack:
        guard = None if is_new else stack.enter_context(place.guard())
        ours = place.empty() if guard is None else guard.history()
        source = place.ask(ours.highest, url, contract) if file is None else place.read(file)
        theirs, told = (source, None) if isinstance(source, History) else (source.history, source)
        plan = Plan(ours, additions(place.address, ours, theirs), told)
        if plan.is_nothing and guard is not None:
            _say({"done": False, **plan.to_json()}, [*plan.lines(), "Nothing is new."], as_json=as_json)
            return
        if not yes:
            click.confirm("\n".join([*plan.lines(), "Import this?"]), abort=True, err=True)
        place.make(theirs) if guard is None else guard.absorb(place.address, theirs)
    _say({"done": True, **plan.to_json()}, [*(plan.lines() if yes else []), "Imported."], as_json=as_json)


# ── a validator's guard, and whom it asks ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Place:
    """A validator's folder, of which nothing secret is read but for calls to others."""

    folder: Path
    name: str
    directory: "Directory"
    address: Address

    @classmethod
    def of(cls, folder: Path) -> "Place":
        """The folder of a validator.

        Raises:
            KeyUnusable: of a member that attests nothing.
        """
        from hybrid_bridge.node.enrolling import directory_of  # noqa: PLC0415 help must not pay
        from hybrid_bridge.node.laying import guard_path  # noqa: PLC0415
        from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

        settings = read_settings(folder)
        directory = directory_of(folder, settings.name)
        addresses = directory.addresses(settings.name)
        if not addresses:
            raise KeyUnusable(key="attestation", rule="a validator's; this member attests nothing")
        later = [address for address in addresses if address.hex() in guard_path(folder, address).name]
        return cls(folder, settings.name, directory, [addresses[0], *later][-1])

    @property
    def path(self) -> Path:
        """Of the guard's file."""
        from hybrid_bridge.node.laying import guard_path  # noqa: PLC0415

        return guard_path(self.folder, self.address)

    @contextmanager
    def guard(self) -> "Iterator[SqlGuard]":
        """The guard, for this process alone.

        Raises:
            StoreInUse: the node runs.
            StoreBroken: the file is missing, damaged or another key's.
        """
        from hybrid_bridge.adapters.sqlite.guard import SqlGuard  # noqa: PLC0415 SQL is dear; help must not pay

        guard = SqlGuard(self.path)
        guard.open(self.directory.log_id, self.address)
        try:
            yield guard
        finally:
            guard.close()

    @contextmanager
    def view(self) -> "Iterator[GuardView]":
        """What the guard has committed, also while the node has it. One of the first schema gets its events first.

        Raises:
            StoreBroken: the file is missing, damaged or another key's.
        """
        from hybrid_bridge.adapters.sqlite.guard import GuardView  # noqa: PLC0415 SQL is dear; help must not pay

        view = GuardView(self.path)
        try:
            view.look(self.directory.log_id, self.address)
        except SchemaOlder:
            with self.guard():
                pass
            view.look(self.directory.log_id, self.address)
        try:
            yield view
        finally:
            view.close()

    def empty(self) -> History:
        """What a guard knows that was just made."""
        return History(Highest(TreeSize(1), Digest(self.directory.log_id)))

    def read(self, file: Path) -> History:
        """What a file says of this key.

        Raises:
            Malformed, Unknown: it is none, or of another log or key.
        """
        return decode_interchange(read_bounded(file, MAX_FILE)).of(self.directory.log_id, self.address)

    def make(self, theirs: History) -> None:
        """A guard where there is none."""
        from hybrid_bridge.node.restoring import make_guard  # noqa: PLC0415

        make_guard(self.path, self.directory, self.address, theirs)

    def ask(self, ours: Highest, url: str | None, contract: str | None) -> "Told":
        """The other members, and the public chain if one is named."""
        from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer  # noqa: PLC0415 gRPC is dear; help must not pay
        from hybrid_bridge.node.opening import tls_files  # noqa: PLC0415
        from hybrid_bridge.node.restoring import Network  # noqa: PLC0415
        from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

        public = None if url is None else self._head(url, contract)
        tls, others = tls_files(read_settings(self.folder)), [m for m in self.directory.members if m.name != self.name]
        roots, now = (self.folder / "ca.pem").read_bytes(), UnixSeconds(int(time.time()))
        with ExitStack() as stack:

            def peer(member: "Member") -> GrpcPeer:
                return stack.enter_context(GrpcPeer.at(member.name, member.endpoint, tls))

            def meet(card: "Card") -> GrpcPeer:
                card.identity(roots, self.directory.genesis)
                return peer(card.member)

            network = Network(self.directory, self.name, [*map(peer, others)], now, self.address, meet)
            return network.told(ours, public)

    def _head(self, url: str, contract: str | None) -> Highest:
        """The log's head in the public contract; the endpoint may lie, so it proves nothing and only asks for more."""
        from hybrid_bridge.cli.contract.sending import Where, registered  # noqa: PLC0415 web3 is dear

        chain = Where(url=url, contract_hex=contract, deployments=None).chain()
        head = registered(chain, self.directory.log_id, chain.latest())
        return Highest(head.tree_size, head.root)


# ── for people and machines ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would change."""

    ours: History
    added: History
    told: "Told | None" = None

    @property
    def is_nothing(self) -> bool:
        """Whether the guard knows it all."""
        return not (self.added.signed or self.added.power) and self.added.floor == self.ours.floor

    def lines(self) -> list[str]:
        """For people."""
        floor, raised = self.ours.floor, self.added.floor
        stays = floor == raised
        lines = [f"floor     {_sized(floor)}{' stays' if stays else ''}"]
        if not stays:
            lines.append(f"      →   {_sized(raised)}: nothing at or below is signed any more, but what was")
        lines.append(f"new rows  {_count(self.added)}")
        if self.told is not None:
            lines.append(f"told by   {', '.join(self.told.answered) or 'nobody'}")
            lines += [f"not by    {name}: {plain(why)}" for name, why in self.told.silent.items()]
        return lines

    def to_json(self) -> dict[str, Json]:
        """For machines."""
        told: dict[str, Json] = {}
        if self.told is not None:
            told = {"answered": list(self.told.answered), "silent": dict(self.told.silent)}
        return {
            "floor_before": _sized_json(self.ours.floor),
            "floor": _sized_json(self.added.floor),
            "new_signed": len(self.added.signed),
            "new_power": len(self.added.power),
            **told,
        }


def _summary(history: History) -> dict[str, Json]:
    return {
        "floor": _sized_json(history.floor),
        "highest": _sized_json(history.highest),
        "signed": len(history.signed),
        "power": len(history.power),
    }


def _table(address: Address, history: History) -> list[str]:
    return [
        f"key       {_hex(address)}",
        f"floor     {_sized(history.floor)}",
        f"highest   {_sized(history.highest)}",
        f"knows     {_count(history)}",
    ]


def _count(history: History) -> str:
    sizes = [row.size for row in history.signed]
    span = f" ({sizes[0]} … {sizes[-1]})" if sizes else ""
    return f"checkpoints: {len(sizes)}{span}, set updates, pauses, retirements: {len(history.power)}"


def _sized(at: Highest) -> str:
    return f"size {at.size}, root {_hex(at.root)}"


def _sized_json(at: Highest) -> Json:
    return {"size": at.size, "root": _hex(at.root)}


def _headed(head: Head) -> str:
    return f"{head.seq}:0x{head.digest.hex()}"


def _parsed_head(text: str) -> Head:
    """The inverse of `_headed`."""
    found = re.fullmatch(r"(0|[1-9][0-9]{0,15}):0x([0-9a-f]{64})", text)
    if found is None:
        raise SettingsMalformed(key="--head", rule="N:0x and 64 hex digits, as `guard status` shows it")
    return Head(int(found[1]), Digest(bytes.fromhex(found[2])))


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"


def _say(told: dict[str, Json], lines: Sequence[str], *, as_json: bool) -> None:
    click.echo(json.dumps(told, indent=2) if as_json else "\n".join(lines))
