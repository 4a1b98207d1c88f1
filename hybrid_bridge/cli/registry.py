"""`hybrid-bridge registry`: is this invoice, declaration or bill of lading registered? With proof, either way."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.business.paper import WITH_ORDINAL, Reading, read
from hybrid_bridge.business.ubl import Paper
from hybrid_bridge.cli.answers import json_of, line_of, table_of
from hybrid_bridge.cli.asking import best, log_id_of, node_option, others
from hybrid_bridge.cli.bundle import anchored_size, with_anchor
from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.cli.standing import (
    Moment,
    Row,
    answer_of,
    further_labels,
    moment_of,
    with_twins,
)
from hybrid_bridge.cli.verify import hex_option, read_bounded, sights_of
from hybrid_bridge.core.bundle import MAX_BUNDLE, SUFFIX, Bundle, decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.encoding import MAX_JSON_DEPTH, Json, members_once, nesting
from hybrid_bridge.core.evidence import Evidence, RegistryFact
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.trust import MAX_TRUST, Trust, TrustedLog, parse_trust
from hybrid_bridge.errors import FieldMalformed, Missing
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.registry import NOT_REGISTERED
from hybrid_bridge.units import Address, EpochNumber, LogId, Seconds, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk

MAX_PAPER: Final = 1 << 20
MAX_ROUNDS: Final = 3  # labels and twins, then the lives of what they open; an answer that leads on and on is cut
INPUT: Final = click.Path(path_type=Path, exists=True, dir_okay=False)

folder_option = click.option(
    "--dir", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Ask this member's node."
)
paper_option = click.option(
    "--label-file",
    "paper",
    type=INPUT,
    required=True,
    help="The paper as JSON: a UBL invoice, fields as in asset.register/1, or {type, parts}.",
)
rpc_option = click.option("--rpc", "urls", metavar="URL", multiple=True, help="Public-chain endpoint; repeatable.")
contract_option = click.option("--contract", "contract_hex", metavar="ADDRESS", help="The anchor contract.")
json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group()
def command() -> None:
    """Ask the registry about a paper, with a proof that a third party checks offline."""


@command.command()
@folder_option
@click.option("--bundle", "shown", type=INPUT, help="Judge this bundle of somebody else instead, offline.")
@click.option("--trust", "trust_file", type=INPUT, help="Your trust file, with --bundle.")
@paper_option
@node_option
@rpc_option
@contract_option
@click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="Older is not called free. Without it: max_age of your trust file, else three epochs and at least an hour.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help=f"Keep the proof: NAME{SUFFIX}")
@json_option
def check(
    folder: Path | None,
    shown: Path | None,
    trust_file: Path | None,
    paper: Path,
    nodes: tuple[str, ...],
    urls: tuple[str, ...],
    contract_hex: str | None,
    max_age: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Say whether a paper is registered: every label that follows from it, present or absent at an epoch.

    A name that no such paper has is refused; labels that the paper's data do not allow are listed as not asked.

    With --rpc and --contract the epoch is the newest that is anchored for good; without, the newest with a quorum, and
    `bundle upgrade` adds the anchor later. The node's answer is verified here as any outsider would verify it. How old
    the answer is gets told; an old one is not called free.
    With --node other members are asked as well, by index and not by label; the newest answer that holds is taken.

    \b
    Exit code 0: free. No label is registered at that epoch.
    Exit code 1: taken. A hard label is registered: "not financed before" is refuted.
    Exit code 2: the paper has a number that cannot be one, or a field that is none; or wrong usage.
    Exit code 3: similar (only a soft label is registered), something is missing, or the answer is too old.
    """  # noqa: D301 click reads the escape
    if (folder is None) == (shown is None) or (shown is None) != (trust_file is None) or (nodes and shown):
        raise click.UsageError("name --dir, or --bundle and --trust")  # noqa: EM101, TRY003 click's own
    asked = read(read_paper(paper))
    labels, place = asked.labels, _Place(urls, contract_hex)
    if folder is not None:
        bundle, evidence, limit = *_asked(folder, labels, place, nodes), max_age
    else:
        bundle = decode_bundle(read_bounded(shown or paper, MAX_BUNDLE))
        trust = parse_trust(read_bounded(trust_file or paper, MAX_TRUST))
        evidence, limit = place.judged(bundle, trust), trust.max_age if max_age is None else max_age
    if out is not None:
        with writing("--out"):
            out.write_bytes(bundle.encode())
    moment = _moment(bundle, limit)
    answer = answer_of(labels, evidence, moment)
    _tell(json_of(answer, evidence, moment), table_of(answer, evidence, moment), asked, as_json=as_json)
    return answer.exit_code


def _moment(bundle: Bundle, limit: int | None) -> Moment:
    """Of which epoch the bundle is, on this machine's clock."""
    size, now = parse_note(bundle.checkpoints[-1].note).size, UnixSeconds(int(time.time()))
    return moment_of(Genesis.decode(bundle.genesis.record), size, now, None if limit is None else Seconds(limit))


@command.command()
@folder_option
@paper_option
@click.option("--ordinal", default=1, type=click.IntRange(1, 9999), help="Of the soft labels, if it is a true twin.")
@rpc_option
@contract_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help=f"NAME{SUFFIX}")
@json_option
def receipt(
    folder: Path | None,
    paper: Path,
    ordinal: int,
    urls: tuple[str, ...],
    contract_hex: str | None,
    out: Path,
    as_json: bool,
) -> int:
    """Keep the proof that a paper was not registered before, and is now: insert-if-absent, in one bundle.

    Every label that follows from the paper is shown absent at the last epoch before, and present at the epoch that
    inserted it. Exit code 3: it is not registered in an epoch with a quorum (with --rpc: an anchored one) yet.
    """
    if folder is None:
        raise click.UsageError("name --dir")  # noqa: EM101, TRY003 click's own
    asked = read(read_paper(paper))
    labels = [_of_ordinal(label, ordinal) for label in asked.labels]
    place = _Place(urls, contract_hex)
    with _desk(folder) as desk:
        log_id = LogId(desk.status().log_id)
        bundle = place.anchored(_ask(desk, labels, place.size(log_id), receipts=True))
    evidence = place.judged(bundle, place.trust(log_id))
    with writing("--out"):
        out.write_bytes(bundle.encode())
    rows = [Row(label=label, fact=fact, state="", is_asked=True) for label, fact in _facts(labels, evidence)]
    found: dict[str, Json] = {"file": str(out), "labels": [row.to_json() for row in rows]}
    _tell(found, [f"{out}", *map(line_of, rows)], asked, as_json=as_json)
    is_whole = all(_came(label, evidence) for label in labels)
    return 0 if evidence.complete and is_whole else Missing.exit_code


def _tell(found: dict[str, Json], lines: Sequence[str], asked: Reading, *, as_json: bool) -> None:
    """The answer, and after it the labels that were not asked for, with the reason."""
    if as_json:
        left_out: list[Json] = list(asked.left_out)
        click.echo(json.dumps({**found, "not_asked": left_out}, indent=2))
    else:
        click.echo("\n".join((*lines, *(f"  not asked  {what}" for what in asked.left_out))))


def _came(label: Label, evidence: Evidence) -> bool:
    """Shown absent at one epoch, and registered at the next."""
    facts = {fact.epoch: fact.statement for fact in evidence.registry if fact.label == label.describe()}
    return any(
        said == NOT_REGISTERED and facts.get(EpochNumber(epoch + 1), NOT_REGISTERED) != NOT_REGISTERED
        for epoch, said in facts.items()
    )


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Place:
    """The public chain as the caller names it; perhaps not at all."""

    def __init__(self, urls: Sequence[str], contract_hex: str | None) -> None:
        if bool(urls) != (contract_hex is not None):
            raise click.UsageError("--rpc and --contract go together")  # noqa: EM101, TRY003 click's own
        self._urls, self._hex = tuple(urls), contract_hex
        self._contract = Address(bytes(20) if contract_hex is None else hex_option(contract_hex, 20, "--contract"))

    def size(self, log_id: LogId) -> int:
        """The newest size that is anchored for good; 0, the newest with a quorum, without a chain."""
        return anchored_size(log_id, self._urls[0], self._contract) if self._urls else 0

    def anchored(self, bundle: Bundle) -> Bundle:
        """With the chain's evidence, if there is a chain."""
        return with_anchor(bundle, self._urls[0], self._contract) if self._urls else bundle

    def trust(self, log_id: LogId) -> Trust:
        """What a member relies on: its own log, and the chain's anchor if it named a chain."""
        required = ("integrity", "quorum", *["public anchor"] * bool(self._urls))
        return Trust(logs=(TrustedLog(log_id=log_id),), require=required)

    def judged(self, bundle: Bundle, trust: Trust) -> Evidence:
        """The evidence, as any outsider gets it."""
        data, now = bundle.encode(), UnixSeconds(int(time.time()))
        evidence = verify(data, trust, now)  # nobody is asked about a bundle that does not hold by itself
        if not self._urls:
            return evidence
        return verify(data, trust, now, sights_of(bundle, trust, self._urls, self._hex))


def _asked(folder: Path, labels: Sequence[Label], place: _Place, nodes: Sequence[str]) -> tuple[Bundle, Evidence]:
    """What one's own node and the others named can show; the newest answer that holds."""
    log_id = log_id_of(folder)
    size = place.size(log_id)

    def own() -> tuple[Bundle, Evidence]:
        with _desk(folder) as desk:
            return _followed(lambda wanted, at: _ask(desk, wanted, at), labels, size, place.trust(log_id))

    with others(folder, nodes) as found:
        asks = [lambda one=one: _followed(one.labels, labels, size, place.trust(log_id)) for one in found]
        bundle, _ = best([own, *asks], lambda answer: answer[1].tree_size)
    bundle = place.anchored(bundle)
    return bundle, place.judged(bundle, place.trust(log_id))


def _followed(
    ask: Callable[[Sequence[Label], int], Bundle], labels: Sequence[Label], size: int, trust: Trust
) -> tuple[Bundle, Evidence]:
    """Ask one node until nothing further follows from its answers; each is verified."""
    asked, now, rounds = list(with_twins(labels)), UnixSeconds(int(time.time())), 0
    while True:
        bundle, rounds = ask(asked, size), rounds + 1
        evidence = verify(bundle.encode(), trust, now)
        size = evidence.tree_size  # every round speaks of the same epoch
        more = [label for label in further_labels(labels, evidence) if label not in asked]
        if not more or rounds == MAX_ROUNDS:
            return bundle, evidence
        asked += more


def _ask(desk: "GrpcDesk", labels: Sequence[Label], size: int, *, receipts: bool = False) -> Bundle:
    from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415 gRPC is dear; help must not pay

    wanted = [pb.RegisteredRequest(label=label.encode()) for label in labels]
    request = pb.BundleRequest(purpose="registry", labels=wanted, size=size, receipts=receipts)
    return decode_bundle(desk.bundle(request))


def _desk(folder: Path) -> "GrpcDesk":
    from hybrid_bridge.node.opening import desk_of  # noqa: PLC0415 gRPC is dear; help must not pay

    return desk_of(folder)


def read_paper(path: Path) -> Paper:
    """The paper's JSON; numbers with a point are decimal, never floats.

    Raises:
        FieldMalformed, TooLong: no JSON, doubled members, or more than 1 MiB.
    """
    data = read_bounded(path, MAX_PAPER)
    try:
        if nesting(data) > 2 * MAX_JSON_DEPTH:  # a UBL invoice is deeper than what we sign
            raise ValueError
        read: Paper = json.loads(data.decode("utf-8"), parse_float=Decimal, object_pairs_hook=members_once)
    except (ValueError, RecursionError):
        raise FieldMalformed(field=path.name, rule="JSON in UTF-8, each member once") from None
    return read


def _of_ordinal(label: Label, ordinal: int) -> Label:
    return Label(label.type, (*label.parts[:-1], str(ordinal))) if label.type in WITH_ORDINAL else label


def _facts(labels: Sequence[Label], evidence: Evidence) -> Iterator[tuple[Label, RegistryFact]]:
    for label in labels:
        for fact in evidence.registry:
            if fact.label == label.describe():
                yield label, fact
