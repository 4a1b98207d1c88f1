"""Act 4: four frauds, by people who hold real keys, and who catches each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.cli.demo.cast import MEMBERS, events, expectations
from hybrid_bridge.cli.demo.opening import Play
from hybrid_bridge.cli.demo.proving import Proof, run_verify
from hybrid_bridge.cli.demo.trading import SECOND_BANK, Traded, carry_out
from hybrid_bridge.core.attestation import Checkpoint, boundary
from hybrid_bridge.core.bundle import SUFFIX, Bundle, DisclosurePart
from hybrid_bridge.core.checkpoint import format_note, parse_note
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import BelowQuorum, BridgeError, FieldMismatch, NotYet, Refuted, Undecided
from hybrid_bridge.node.directory import first_set
from hybrid_bridge.ports import Head, Update
from hybrid_bridge.units import Address, Digest, EcdsaSignature, EpochNumber, TreeSize

TOO_FEW = 2  # of four; three are needed


@dataclass(frozen=True, slots=True)
class Catch:
    """One fraud: what was tried, by which error it was caught, and by whom."""

    fraud: str
    caught_by: str
    error: str


def cheat(play: Play, traded: Traded, proofs: Sequence[Proof]) -> tuple[Catch, ...]:
    """Each fraud is tried for real and must be caught.

    Raises:
        FieldMismatch: one was not.
    """
    play.narrator.chapter(4, "Four frauds, tried with real keys")
    receivable = next(proof for proof in proofs if proof.name == "receivable")
    catches = (
        _changed_digit(play, receivable),
        _second_bank(play, traded),
        _rewritten(play, traded),
        _too_few_on_chain(play, traded),
        _too_few_in_bundle(play, receivable),
    )
    for catch in catches:
        play.narrator.caught(f"{catch.fraud}: {catch.caught_by}")
        play.narrator.say(f"    {catch.error[:150]}")
    return catches


def _refuted_offline(play: Play, name: str, bundle: Bundle) -> tuple[Path, dict[str, object]]:
    path = play.out / "fraud" / f"{name}{SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bundle.encode())
    code, answer = run_verify(play, path)
    if code != Refuted.exit_code:
        raise FieldMismatch(field=f"verify {name}", expected="1", got=f"{code}: {json.dumps(answer)[:500]}")
    return path, answer


def _where(answer: dict[str, object]) -> str:
    notes = answer.get("notes")
    return ", ".join(str(note) for note in notes) if isinstance(notes, list) else ""


# ── a bundle with one changed digit ──────────────────────────────────────────────────────────────────────────────────


def _changed_digit(play: Play, proof: Proof) -> Catch:
    epoch = proof.bundle.epochs[0]
    entry = epoch.entries[0]
    parts = tuple(_later(part) for part in entry.disclosures)
    forged = replace(
        proof.bundle, epochs=(replace(epoch, entries=(replace(entry, disclosures=parts),)), *proof.bundle.epochs[1:])
    )
    _, answer = _refuted_offline(play, "receivable-changed-digit", forged)
    return Catch(
        fraud="one digit of the due date changed in the bundle",
        caught_by=f"the outsider, offline ({answer['error']})",
        error=_where(answer),
    )


def _later(part: DisclosurePart) -> DisclosurePart:
    """The same field with the last digit of the due date one higher (9 becomes 0)."""
    disclosure = parse_disclosure(part.value)
    if disclosure.name != "due_date":
        return part
    text = str(disclosure.value)
    return replace(part, value=replace(disclosure, value=text[:-1] + str((int(text[-1]) + 1) % 10)).text())


# ── the same receivable at a second bank ─────────────────────────────────────────────────────────────────────────────


def _second_bank(play: Play, traded: Traded) -> Catch:
    numbers = [number for number, (verdict, _) in expectations(play.files).items() if verdict == SECOND_BANK]
    event = next(event for event in events(play.files) if event["event"] == numbers[0])
    verdict = carry_out(play, traded, event)
    if verdict != SECOND_BANK:
        raise FieldMismatch(field="second financing", expected=SECOND_BANK, got=verdict)
    return Catch(
        fraud="the financed note offered to the other bank",
        caught_by="every member's ledger, rule I5: at most one open reservation or financing for each note",
        error=f"{verdict}: {event['fields']['note.0']}",
    )


# ── all members together rewrite an anchored epoch ───────────────────────────────────────────────────────────────────


def _rewritten(play: Play, traded: Traded) -> Catch:
    def attempt() -> BridgeError | None:
        chain, head = _chain(play), _head(play)
        leaves = _leaves(play, traded, head.tree_size)
        forged = [*leaves]
        record = EpochRecord.decode(_records(traded, head.tree_size)[0])
        forged[1] = replace(record, batch_root=Digest(bytes(reversed(record.batch_root)))).leaf
        return _refused(chain, _update(play, head, forged, len(MEMBERS)))

    error = play.stage.until("the forged checkpoint's turn", attempt)
    return Catch(
        fraud="all four members sign a history in which epoch 1 is another",
        caught_by=f"the public contract refuses the checkpoint ({type(error).__name__})",
        error=str(error),
    )


def _too_few_on_chain(play: Play, traded: Traded) -> Catch:
    def attempt() -> BridgeError | None:
        chain, head = _chain(play), _head(play)
        return _refused(chain, _update(play, head, _leaves(play, traded, head.tree_size), TOO_FEW))

    error = play.stage.until("the thin checkpoint's turn", attempt)
    if not isinstance(error, BelowQuorum):
        raise FieldMismatch(field="thin checkpoint", expected="BelowQuorum", got=str(error))
    return Catch(
        fraud=f"an honest checkpoint signed by {TOO_FEW} of 4",
        caught_by=f"the public contract refuses it ({type(error).__name__})",
        error=str(error),
    )


def _chain(play: Play) -> Web3Chain:
    return Web3Chain(JsonRpc("public chain", play.url), play.contract)


def _head(play: Play) -> Head:
    chain = _chain(play)
    return chain.head(play.directory.log_id, chain.latest())


def _records(traded: Traded, count: int) -> list[bytes]:
    """Epoch records 1 … count, so that the tree has one leaf more than `count`.

    Raises:
        NotYet: the last of them is not closed.
    """
    found = [message.record for message in traded.desks["core"].epochs(EpochNumber(1), EpochNumber(count))]
    if len(found) < count:
        raise NotYet(what=f"epoch {count}")
    return found


def _leaves(play: Play, traded: Traded, count: int) -> list[Digest]:
    records = _records(traded, count)
    return [Digest(play.directory.log_id), *(EpochRecord.decode(record).leaf for record in records)]


def _update(play: Play, head: Head, leaves: Sequence[Digest], signers: int) -> Update:
    """A checkpoint over these leaves, signed by the first `signers` validators with the keys from their own folders."""
    genesis, validators = play.directory.genesis, first_set(play.directory.members)
    tree = Tree()
    tree.extend(leaves)
    size = TreeSize(tree.size)
    checkpoint = Checkpoint(
        log_id=play.directory.log_id,
        tree_size=size,
        root=tree.root(),
        timestamp=boundary(genesis.genesis_time, genesis.cadence, size),
        set_id=validators.set_id,
        set_hash=validators.digest,
    )
    keys = [_attestation_key(play, name) for name in MEMBERS[:signers]]
    signatures = {Address(address_of(public_key_of(key))): sign_digest(key, checkpoint.digest()) for key in keys}
    bits, packed = _seals(validators, signatures)
    return Update(
        log_id=play.directory.log_id,
        from_size=head.tree_size,
        tree_size=size,
        root=checkpoint.root,
        set_hash=validators.digest,
        signers=bits,
        path=tuple(tree.consistency_path(head.tree_size, size)),
        seals=packed,
    )


def _seals(validators: ValidatorSet, signatures: Mapping[Address, EcdsaSignature]) -> tuple[int, bytes]:
    """As `attestation.seals`, but with whatever signatures there are: the contract must find out by itself."""
    addresses = validators.addresses
    bits = sum(1 << i for i, address in enumerate(addresses) if address in signatures)
    return bits, b"".join(to_compact(signatures[a]) if a in signatures else a for a in addresses)


def _attestation_key(play: Play, name: str) -> bytes:
    return bytes.fromhex((play.consortium / "nodes" / name / "keys" / "attestation.key").read_text().strip())


def _refused(chain: Web3Chain, update: Update) -> BridgeError | None:
    """The contract's own error.

    Raises:
        Undecided: not its turn yet: the clock, or a head that moved.
        FieldMismatch: the contract would accept.
    """
    try:
        chain.simulate(Address(bytes(19) + b"\x01"), anchor_calldata(update), chain.latest())
    except Undecided:
        raise
    except BridgeError as error:
        return error
    raise FieldMismatch(field="forged checkpoint", expected="a revert", got="acceptance")


# ── a checkpoint signed by too few, in a bundle ──────────────────────────────────────────────────────────────────────


def _too_few_in_bundle(play: Play, proof: Proof) -> Catch:
    first = proof.bundle.checkpoints[0]
    note = parse_note(first.note)
    log_line, *quorum = sorted(note.lines, key=lambda line: line.name)
    thin = format_note(note.origin, note.size, note.root, [log_line, *quorum[:TOO_FEW]])
    forged = replace(proof.bundle, checkpoints=(replace(first, note=thin), *proof.bundle.checkpoints[1:]))
    _, answer = _refuted_offline(play, "receivable-signed-by-too-few", forged)
    return Catch(
        fraud=f"a bundle whose checkpoint only {TOO_FEW} of 4 signed",
        caught_by=f"the outsider, offline ({answer['error']})",
        error=_where(answer),
    )
