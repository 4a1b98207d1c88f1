"""Act 4: epochs close, a relayer anchors, and an outsider who knows nobody checks bundles."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.bundle import with_anchor
from hybrid_bridge.cli.demo.asking import Request, requests
from hybrid_bridge.cli.demo.founding import Play
from hybrid_bridge.cli.demo.reading import currency, opened_fields, verdict_line
from hybrid_bridge.cli.demo.stage import hybrid_bridge
from hybrid_bridge.cli.demo.telling import Narrator, counted, number_word
from hybrid_bridge.cli.demo.trading import Traded, ask_again
from hybrid_bridge.core.anchor import EvmAnchor, decode_header
from hybrid_bridge.core.bundle import SUFFIX, Bundle, decode_bundle
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.trust import Trust, TrustedBlock, TrustedChain, TrustedLog
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import PublicBlockNumber, TreeSize, UnixSeconds

ANCHOR_PATIENCE: Final = 240.0  # seconds; some test chains call a public block final after 64 others
UNDECIDED: Final = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """One bundle on disk, the question it answers, and what the outsider's own program said of it."""

    name: str
    question: str
    path: Path
    bundle: Bundle
    evidence: dict[str, Any]


def prove(play: Play, traded: Traded) -> tuple[Proof, ...]:
    """Wait for the anchor, gather the bundles, let the outsider verify them."""
    narrator = play.narrator
    narrator.chapter("Epochs close, a relayer anchors, an outsider checks the bundles")
    chain = Web3Chain(JsonRpc("public chain", play.url), play.contract)
    size = _anchored_beyond(play, chain, _epoch_now(play))
    _keep_notes(play, traded, chain)
    wanted = requests(play, traded, size)
    gathered = [(request, _gather(play, traded, request)) for request in wanted]
    write_trust(play, chain, [bundle for _, (_, bundle) in gathered])
    narrator.say(
        "The outsider writes trust.json: the log and the contract he relies on, the hash of a public block that his "
        "own endpoint gave him, the authority that certified the members. Then he asks "
        f"{number_word(len(wanted))} questions; the answer to each is a bundle, judged by a program of his own."
    )
    with ThreadPoolExecutor(2) as pool:
        asked: list[tuple[str, ...]] = [("--rpc", play.url), *[()] * (len(wanted) - 1)]
        answers = pool.map(partial(_verified, play), [path for _, (path, _) in gathered], asked)
        evidences = list(answers)
    proofs = [
        Proof(request.name, request.question, path, bundle, evidence)
        for (request, (path, bundle)), evidence in zip(gathered, evidences, strict=True)
    ]
    for proof, more in zip(proofs, asked, strict=True):
        _tell(narrator, proof, "with his public-chain endpoint" if more else "offline")
    return tuple(proofs)


def _epoch_now(play: Play) -> int:
    return epoch_of(play.directory.genesis, UnixSeconds(int(time.time())))


def _anchored_beyond(play: Play, chain: Web3Chain, epoch: int) -> TreeSize:
    """Size of the first final anchor that covers this epoch."""

    def final() -> TreeSize | None:
        return next((event.tree_size for event in _final_anchors(play, chain) if event.tree_size > epoch), None)

    with play.narrator.waiting(f"until epoch {epoch} is closed, attested, anchored and final"):
        return play.stage.until(f"a final anchor of epoch {epoch}", final, ANCHOR_PATIENCE)


def _final_anchors(play: Play, chain: Web3Chain) -> Sequence[AnchoredEvent]:
    return chain.anchored(play.directory.log_id, PublicBlockNumber(0), chain.finalized().number)


def _keep_notes(play: Play, traded: Traded, chain: Web3Chain) -> None:
    """The note of every checkpoint that stands final on the public chain."""
    found = ask_again(play, "the anchors", lambda: _final_anchors(play, chain))
    folder = play.out / "checkpoints"
    folder.mkdir()
    for event in found:
        noted = ask_again(play, "the note", partial(traded.desks["core"].log.checkpoint, event.tree_size))
        (folder / f"size-{event.tree_size:04}.txt").write_text(noted.note, "utf-8")
    sizes = ", ".join(str(event.tree_size) for event in found)
    stand, of, each = ("stand", "sizes", "each extends") if len(found) > 1 else ("stands", "size", "it extends")
    play.narrator.good(
        f"{counted(len(found), 'checkpoint')} {stand} final on the public chain, of {of} {sizes}; "
        f"{each} what stood before, checked by the contract"
    )


# ── the bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _gather(play: Play, traded: Traded, request: Request) -> tuple[Path, Bundle]:
    """The member's bundle, with the public chain's evidence added."""
    desk = traded.desks[request.node]
    answer = ask_again(play, f"{request.node}'s bundle", lambda: desk.bundle(request.order))
    bundle = ask_again(
        play, "the anchor's evidence", lambda: with_anchor(decode_bundle(answer), play.url, play.contract)
    )
    path = play.out / "bundles" / f"{request.name}{SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bundle.encode())
    return path, bundle


def write_trust(play: Play, chain: Web3Chain, bundles: Sequence[Bundle]) -> None:
    """The outsider's own file: the log it chose, the contract it read, the public block hashes its own node gave it."""
    headers = [
        decode_header((anchor.descendants or (anchor.header,))[-1])
        for bundle in bundles
        for anchor in bundle.anchors
        if isinstance(anchor, EvmAnchor)
    ]
    numbers = sorted({header.number for header in headers})

    def chosen() -> TrustedChain:
        seen = {number: chain.block(PublicBlockNumber(number)).hash for number in numbers}
        return TrustedChain(
            chain_id=chain.chain_id(),
            contracts=(play.contract,),
            block_hashes=tuple(TrustedBlock(number=number, hash=value) for number, value in seen.items()),
        )

    trust = Trust(
        logs=(TrustedLog(log_id=play.directory.log_id, genesis=play.directory.genesis.encode()),),
        public_chains=(ask_again(play, "the public blocks", chosen),),
        member_roots=(_authority(play),),
    )
    (play.out / "trust.json").write_bytes(trust.encode())


def _authority(play: Play) -> bytes:
    pem = (play.consortium / "public" / "ca.pem").read_bytes()
    return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


# ── the outsider ─────────────────────────────────────────────────────────────────────────────────────────────────────


def run_verify(play: Play, path: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """The outsider's own process: exit code and JSON answer of `hybrid-bridge verify`."""
    command = hybrid_bridge("verify", str(path), "--trust", str(play.out / "trust.json"), "--json", *more)
    done = play.stage.answer_of(f"the outsider on {path.name}", command)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"message": done.stderr.strip()[-500:]}
    return done.returncode, answer


def _verified(play: Play, path: Path, more: Sequence[str]) -> dict[str, Any]:
    """What is verified; asked again while an endpoint is away.

    Raises:
        FieldMismatch: it is not.
    """

    def decided() -> tuple[int, dict[str, Any]] | None:
        code, answer = run_verify(play, path, *more)
        return None if more and code == UNDECIDED else (code, answer)

    code, answer = ask_again(play, f"the outsider's endpoint for {path.name}", decided)
    if code != 0:
        got = answer.get("missing", answer.get("message", answer))
        raise FieldMismatch(field=f"verify {path.name}", expected="exit code 0", got=f"{code}: {got}")
    return answer


def _tell(narrator: Narrator, proof: Proof, how: str) -> None:
    narrator.say("")
    narrator.good(f"{proof.question}")
    narrator.table([(proof.path.name, f"VERIFIED {how}, exit code 0")])
    narrator.say(verdict_line(proof.evidence), depth=2)
    ccy = currency(proof.evidence)
    for record in proof.evidence["records"]:
        narrator.say(
            f"{record['schema']} in epoch {record['epoch']}, {record['undisclosed']} leaves undisclosed:", depth=2
        )
        narrator.table(opened_fields(record["fields"], ccy), depth=3)
    for fact in proof.evidence["registry"]:
        narrator.say(f"registry after epoch {fact['epoch']}: {fact['label']}: {fact['statement']}", depth=2)
