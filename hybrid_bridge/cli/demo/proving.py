"""Act 3: epochs close, a relayer anchors, and an outsider who knows nobody checks three bundles."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.bundle import with_anchor
from hybrid_bridge.cli.demo.cast import events
from hybrid_bridge.cli.demo.opening import Play
from hybrid_bridge.cli.demo.stage import hybrid_bridge
from hybrid_bridge.cli.demo.trading import Traded, ask_again, find_event
from hybrid_bridge.core.anchor import EvmAnchor, decode_header
from hybrid_bridge.core.bundle import SUFFIX, Bundle, decode_bundle
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.labels import life, normalised
from hybrid_bridge.core.trust import Trust, TrustedBlock, TrustedChain, TrustedLog
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.testing.datasets.play import Event
from hybrid_bridge.units import PublicBlockNumber, UnixSeconds

OUTSIDER_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Proof:
    """One bundle on disk and the question it answers."""

    name: str
    question: str
    path: Path
    bundle: Bundle


def prove(play: Play, traded: Traded) -> tuple[Proof, ...]:
    """Wait for the anchor, gather the bundles, let the outsider verify them."""
    play.narrator.chapter(3, "Epochs close, relayers anchor, an outsider checks")
    chain = Web3Chain(JsonRpc("public chain", play.url), play.contract)
    event = _anchored_beyond(play, chain, _epoch_now(play))
    _tell_anchors(play, chain)
    proofs = tuple(
        _make(play, traded, event, name, question, request)
        for name, question, request in _requests(play, traded, event.tree_size)
    )
    write_trust(play, chain, [proof.bundle for proof in proofs])
    play.narrator.say(
        "the outsider asks his own public-chain endpoint once, then works offline with the block hashes it gave"
    )
    for proof, more in zip(proofs, (("--rpc", play.url), (), ()), strict=True):
        _outsider(play, proof, more)
    return proofs


def _epoch_now(play: Play) -> int:
    return epoch_of(play.directory.genesis, UnixSeconds(int(time.time())))


def _anchored_beyond(play: Play, chain: Web3Chain, epoch: int) -> AnchoredEvent:
    """The first final anchor that covers this epoch."""

    def final() -> AnchoredEvent | None:
        found = chain.anchored(play.directory.log_id, PublicBlockNumber(0), chain.finalized().number)
        return next((e for e in found if e.tree_size > epoch), None)

    return play.stage.until(f"a final anchor of epoch {epoch}", final)


def _tell_anchors(play: Play, chain: Web3Chain) -> None:
    found = chain.anchored(play.directory.log_id, PublicBlockNumber(0), chain.finalized().number)
    sizes = ", ".join(str(event.tree_size) for event in found)
    play.narrator.good(
        f"{len(found)} checkpoints stand final on the public chain (sizes {sizes}), each extending the one before"
    )
    folder = play.out / "checkpoints"
    folder.mkdir(exist_ok=True)


# ── the bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _requests(play: Play, traded: Traded, size: int) -> list[tuple[str, str, tuple[str, pb.BundleRequest]]]:
    issue, split, finance = _chosen(play)
    confirm = find_event(play.files, "asset.confirm/1", object=_issue_of(play, finance)["fields"]["back.0.object"])
    backed = _issue_of(play, finance)
    note = finance["fields"]["note.0"]
    receivable = _request(traded, size, [(issue, ("note", "due_date"))])
    conserved = _request(
        traded,
        size,
        [
            (issue, ("note", "face")),
            (
                split,
                (
                    "note",
                    *(
                        name
                        for name in split["fields"]
                        if name.startswith("child.") and "payee" not in name and "trade" not in name
                    ),
                ),
            ),
        ],
    )
    financed = _request(
        traded,
        size,
        [(confirm, ("object",)), (backed, ("note", "face", "back.0.object", "back.0.allot")), (finance, ("note.0",))],
    )
    financed.purpose = "registry"
    financed.labels.append(
        pb.RegisteredRequest(label=normalised(confirm["labels"][0]["type"], *confirm["labels"][0]["parts"]).encode())
    )
    financed.labels.append(pb.RegisteredRequest(label=life("note", note).encode()))
    return [
        (
            "receivable",
            "A receivable exists and falls due on that day. Who owes, who is owed and how much stay undisclosed.",
            ("supplier", receivable),
        ),
        ("split", "A note was split, and the parts add up to the whole.", ("supplier", conserved)),
        (
            "financing",
            "A note backed by this very invoice is financed, at one bank and no other.",
            ("bank-a", financed),
        ),
    ]


def _chosen(play: Play) -> tuple[Event, Event, Event]:
    split = find_event(play.files, "note.split/1")
    issue = find_event(play.files, "note.issue/1", note=split["fields"]["note"])
    roots = {event["fields"]["note"] for event in events(play.files) if event["schema"] == "note.issue/1"}
    finance = next(e for e in events(play.files) if e["schema"] == "fin.finance/1" and e["fields"]["note.0"] in roots)
    return issue, split, finance


def _issue_of(play: Play, finance: Event) -> Event:
    return find_event(play.files, "note.issue/1", note=finance["fields"]["note.0"])


def _request(traded: Traded, size: int, opened: Sequence[tuple[Event, Sequence[str]]]) -> pb.BundleRequest:
    leaves = [traded.entry_leaf(event) for event, _ in opened]
    disclosed = [pb.Disclosed(entry_leaf=traded.entry_leaf(event), names=names) for event, names in opened]
    return pb.BundleRequest(purpose="record", entry_leaves=leaves, disclosed=disclosed, size=size)


def _make(
    play: Play, traded: Traded, event: AnchoredEvent, name: str, question: str, request: tuple[str, pb.BundleRequest]
) -> Proof:
    node, wanted = request
    answer = ask_again(play, f"{node}'s bundle", lambda: traded.desks[node].bundle(wanted))
    bundle = play.stage.until(
        "the anchor's evidence", lambda: with_anchor(decode_bundle(answer), play.url, play.contract)
    )
    path = play.out / "bundles" / f"{name}{SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bundle.encode())
    note = play.out / "checkpoints" / f"size-{event.tree_size}.txt"
    note.write_text(bundle.checkpoints[0].note)
    return Proof(name, question, path, bundle)


def write_trust(play: Play, chain: Web3Chain, bundles: Sequence[Bundle]) -> None:
    """The outsider's own file: the log it chose, the contract it read, the public block hashes its own node gave it."""
    headers = [
        decode_header((anchor.descendants or (anchor.header,))[-1])
        for bundle in bundles
        for anchor in bundle.anchors
        if isinstance(anchor, EvmAnchor)
    ]
    seen = {number: chain.block(PublicBlockNumber(number)).hash for number in sorted({h.number for h in headers})}
    trust = Trust(
        logs=(TrustedLog(log_id=play.directory.log_id),),
        public_chains=(
            TrustedChain(
                chain_id=chain.chain_id(),
                contracts=(play.contract,),
                block_hashes=tuple(TrustedBlock(number=number, hash=value) for number, value in seen.items()),
            ),
        ),
        member_roots=(_authority(play),),
    )
    (play.out / "trust.json").write_bytes(trust.encode())


def _authority(play: Play) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    return load_pem_x509_certificate((play.consortium / "public" / "ca.pem").read_bytes()).public_bytes(Encoding.DER)


# ── the outsider ─────────────────────────────────────────────────────────────────────────────────────────────────────


def run_verify(play: Play, path: Path, *more: str) -> tuple[int, dict[str, object]]:
    """The outsider's own process: exit code and JSON answer of `hybrid-bridge verify`."""
    command = hybrid_bridge("verify", str(path), "--trust", str(play.out / "trust.json"), "--json", *more)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=OUTSIDER_PATIENCE)  # noqa: S603
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"message": done.stderr.strip()[-500:]}
    return done.returncode, answer


def _outsider(play: Play, proof: Proof, more: Sequence[str]) -> None:
    code, answer = run_verify(play, proof.path, *more)
    if code != 0:
        raise FieldMismatch(field=f"verify {proof.name}", expected="0", got=f"{code}: {json.dumps(answer)[:800]}")
    play.narrator.good(f"{proof.question}")
    for record in _listed(answer.get("records")):
        shown = ", ".join(
            f"{f['name']} = {f['value']}" for f in _listed(record["fields"]) if not str(f["name"]).startswith("_")
        )
        play.narrator.say(f"    {record['schema']}: {shown} ({record['undisclosed']} leaves undisclosed)")
    for fact in _listed(answer.get("registry")):
        play.narrator.say(f"    registry at epoch {fact['epoch']}: {fact['label']}: {fact['statement']}")


def _listed(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []
