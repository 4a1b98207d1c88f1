"""What `brake` and `freeze` share: who authorises, the draft, and what is to be done with it next."""

import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.business.policy import KEY, QUORUM, Policy, Powers
from hybrid_bridge.cli.member import KEY_PREFIX
from hybrid_bridge.cli.options import OUTPUT
from hybrid_bridge.cli.outputs import write_private, writing
from hybrid_bridge.core.encoding import Json, canonical_json, parse_b64u
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.validators import quorum
from hybrid_bridge.errors import FieldMalformed, Unknown
from hybrid_bridge.units import KeyId

if TYPE_CHECKING:
    from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
    from hybrid_bridge.node.directory import Directory

BY: Final = "Whose identity key authorises, or a guardian's key:ID; repeatable. Default: whom it takes, we first."
by_option = click.option("--by", "holders", multiple=True, metavar="NAME|key:ID", help=BY)
out_option = click.option("--out", type=OUTPUT, help="The draft, where others must consent; private.")


@dataclass(frozen=True, slots=True)
class Place:
    """One's own node, and who is who."""

    folder: Path
    name: str
    desk: "GrpcDesk"
    directory: "Directory"

    @property
    def own(self) -> str:
        """The id of our identity key."""
        return key_id_text(self.directory.identities[self.name].key_id)

    def who(self, key: str) -> str:
        """A key id as people say it."""
        names = {key_id_text(public.key_id): name for name, public in self.directory.identities.items()}
        return names.get(key, key)

    def key_of(self, text: str) -> str:
        """The id of a member's identity key, or one that is given as such.

        Raises:
            Unknown: nobody of that name.
            Malformed: no key id.
        """
        if text.startswith(KEY_PREFIX):
            return key_id_text(parse_key(text.removeprefix(KEY_PREFIX)))
        if text not in self.directory.identities:
            raise Unknown(what=f"member {text[:64]}")
        return key_id_text(self.directory.identities[text].key_id)


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Open one's own node."""
    from hybrid_bridge.node.directory import read_directory  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_settings  # noqa: PLC0415

    with desk_of(folder) as desk:
        yield Place(folder, read_settings(folder).name, desk, read_directory(folder))


def parse_key(text: str) -> KeyId:
    """A key id.

    Raises:
        FieldMalformed: not 32 bytes.
    """
    found = parse_b64u(text, "key")
    if len(found) != 32:
        raise FieldMalformed(field="key", rule="base64url of 32 bytes")
    return KeyId(found)


def authorisers(at: Place, power: str, policy: bytes, asked: Sequence[str]) -> list[str]:
    """Whose keys authorise, as ids: those asked for, else ours alone if the policy lets it, else a quorum with us."""
    if asked:
        return [at.key_of(text) for text in asked]
    holders: tuple[str, ...] = getattr(Policy.decode(policy).powers, power)
    roles = set(at.directory.member(at.name).roles)
    if f"{KEY}{at.own}" in holders or roles & set(holders):
        return [at.own]
    validators = [member.name for member in at.directory.members if member.address is not None]
    if QUORUM not in holders:
        raise FieldMalformed(field="--by", rule=f"given: {at.name} holds no power of {power}")
    others = [name for name in validators if name != at.name]
    chosen = ([at.name] if at.name in validators else []) + others
    return [at.key_of(name) for name in chosen[: quorum(len(validators))]]


def record(
    at: Place, schema: str, fields: Mapping[str, Json], keys: Sequence[str], out: Path | None
) -> dict[str, Json]:
    """Draft the record; send it at once if our key is all it takes, else leave it for the others' consents."""
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415 gRPC is dear; help must not pay

    alone = list(keys) == [at.own]
    if not alone and out is None:
        raise FieldMalformed(field="--out", rule="given: the draft goes to the others who must consent")
    request = pb.DraftRequest(
        schema=schema,
        fields=canonical_json({**fields, "event_time": int(time.time())}),
        authorisers=[pb.Authoriser(key_id=parse_key(key)) for key in keys],
        audience=[member.name for member in at.directory.members if member.name != at.name],
    )
    draft = at.desk.draft(request).draft
    if out is not None:
        with writing("--out"):
            write_private(out, draft)
    found: dict[str, Json] = {"authorisers": [at.who(key) for key in keys], "draft": None if out is None else str(out)}
    if not alone:
        return {**found, "sent": False, "next": list(_next(at, keys, out))}
    sent = at.desk.send(draft)
    return {
        **found,
        "sent": True,
        "transaction": sent.transaction_id.hex(),
        "entry_leaf": sent.entry_leaf.hex(),
        "height": sent.height,
    }


def _next(at: Place, keys: Sequence[str], out: Path | None) -> Iterator[str]:
    """The commands that make a draft a record: consents of the others, then our submission."""
    draft = shlex.quote(str(out))
    consents = []
    for key in keys:
        who = at.who(key)
        if key != at.own:
            consents.append(f"{who}.consent")
            own = f"hybrid-bridge member authorise --dir THEIR-FOLDER {draft} --with identity --out {who}.consent"
            yield f"at {who}: {own}"
    given = "".join(f" --consent {consent}" for consent in consents)
    yield f"here: hybrid-bridge member submit --dir {shlex.quote(str(at.folder))} {draft}{given}"


def told(found: dict[str, Json], *, as_json: bool) -> int:
    """What was done; the exit code is 3 while nothing is on the record yet."""
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            if name != "next" and value is not None:
                text = ", ".join(map(str, value)) if isinstance(value, list) else value
                click.echo(f"{name:>12}  {text}")
    following = found.get("next")
    for line in following if isinstance(following, list) else []:
        click.echo(f"Next, {line}", err=True)
    return 0 if found["sent"] else 3


def powers_told(at: Place, policy: bytes) -> dict[str, Json]:
    """Who holds which power, by name where one is known."""
    powers: Powers = Policy.decode(policy).powers

    def named(holders: tuple[str, ...]) -> list[Json]:
        return [at.who(holder.removeprefix(KEY)) if holder.startswith(KEY) else holder for holder in holders]

    names = ("brake_all", "brake_type", "brake_member", "freeze")
    return {**{name: named(getattr(powers, name)) for name in names}, "alone_max": powers.alone_max}
