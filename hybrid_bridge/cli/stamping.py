"""`hybrid-bridge bundle timestamp` and `renew`: an authority's word on when a bundle existed."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.bundle import MAX_BUNDLE, Bundle, RenewalPart, TokenAnchor, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.evidence import utc
from hybrid_bridge.core.timestamp import SECOND, Token, decode_token
from hybrid_bridge.core.trust import MAX_TRUST, Trust, parse_trust
from hybrid_bridge.errors import NotYet
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds

FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
HASHES = ("sha-256", "sha-512", "sha3-256", "sha3-512")

_URL = click.option("--tsa", "url", required=True, metavar="URL", help="The timestamping authority (RFC 3161).")
_OUTPUT = click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write; default: FILE itself."
)
_TRUST = click.option(
    "--trust",
    "trust_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your trust file: then only a token that leads to its tsa_roots is kept.",
)
_HASH = click.option(
    "--hash", "name", type=click.Choice(HASHES), default="sha-256", show_default=True, help="Hash that is stamped."
)


def _stamping(command: Callable[..., None]) -> click.Command:
    """What both commands take: the bundle, whom to ask, for which hash, what to keep, where."""
    for option in (_OUTPUT, _TRUST, _HASH, _URL, click.argument("file", type=FILE)):
        command = option(command)
    return click.command()(command)


@_stamping
def timestamp(file: Path, url: str, name: str, trust_file: Path | None, output: Path | None) -> None:
    """Have an authority stamp FILE's newest checkpoint, and put the token into FILE as an anchor.

    The answer is checked before it is kept: imprint, nonce, signature, a certificate for time stamping alone.
    """
    target, bundle = opened(file, output)
    require_unrenewed(bundle)
    note = parse_note(bundle.checkpoints[-1].note)
    token = ask_authority(url, note.body(), name)
    stamped = replace(bundle, anchors=(*bundle.anchors, TokenAnchor(tree_size=note.size, token=token.der)))
    _keep(target, stamped, trust_file)
    click.echo(f"{target}: size {note.size} existed by {utc(token.by)}")


@_stamping
def renew(file: Path, url: str, name: str, trust_file: Path | None, output: Path | None) -> None:
    """Have an authority stamp the whole of FILE, earlier renewals included, and put the token after them.

    Do it before the certificate or the hash of the newest token loses its worth, if need be with another --hash.
    Afterwards nothing else can be put into FILE: the renewals cover every byte of it.
    """
    target, bundle = opened(file, output)
    data = bundle.covered(len(bundle.renewals))
    token = ask_authority(url, data, name)
    _require_later(bundle, token)
    renewed = replace(bundle, renewals=(*bundle.renewals, RenewalPart(hash=name, token=token.der)))
    _keep(target, renewed, trust_file)
    click.echo(f"{target}: renewal {len(bundle.renewals)}: all of it existed by {utc(token.by)}")


def opened(file: Path, output: Path | None) -> tuple[Path, Bundle]:
    """Where to write, and the bundle to be completed."""
    target = file if output is None else output
    if str(target) == "-":
        raise click.UsageError("--output is needed when FILE is standard input")  # noqa: EM101, TRY003 click's own
    return target, decode_bundle(read_bounded(file, MAX_BUNDLE))


def require_unrenewed(bundle: Bundle) -> None:
    """Nothing is put into a bundle that renewals cover: they would cover other bytes then."""
    if bundle.renewals:
        raise click.UsageError("FILE was renewed: its renewals cover every byte of it")  # noqa: EM101, TRY003


def write_bundle(target: Path, bundle: Bundle) -> None:
    """A bundle is evidence: the old one or the new one, never half of one."""
    beside = target.with_name(target.name + ".new")
    with writing("--output"):
        beside.write_bytes(bundle.encode())
        beside.replace(target)


def ask_authority(url: str, data: bytes, name: str) -> Token:
    """A fresh token over `data`; its number is drawn here."""
    from hybrid_bridge.adapters.web.timestamping import ask_timestamp  # noqa: PLC0415 HTTP only when asked for

    return ask_timestamp(url, data, name, secrets.randbits(63) | 1 << 62)


def _require_later(bundle: Bundle, token: Token) -> None:
    """A renewal is later than all it covers; two authorities may differ by a moment."""
    tokens = [part.token for part in (*bundle.anchors, *bundle.renewals) if isinstance(part, TokenAnchor | RenewalPart)]
    newest = max((decode_token(data).generated for data in tokens), default=-1)
    if token.generated <= newest:
        raise NotYet(what=f"a time of this authority after {utc(newest // SECOND)}, when the newest token was made")


def _keep(target: Path, bundle: Bundle, trust_file: Path | None) -> None:
    """Write it if `verify` has nothing against it; with a trust file, only if the token counts there."""
    trust = Trust() if trust_file is None else parse_trust(read_bounded(trust_file, MAX_TRUST))
    evidence = verify(bundle.encode(), trust, UnixSeconds(int(time.time())))
    fact = evidence.tokens[-1]
    if trust_file is not None and not fact.basis:
        raise NotYet(what=f"{fact.missing}: {fact.authority} is not trusted by it; nothing was written")
    write_bundle(target, bundle)
