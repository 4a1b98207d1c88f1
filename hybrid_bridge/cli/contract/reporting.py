"""`contract report`: contradictions that members signed, shown to the contract by anybody. A quorum's end the log."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Self

import click

from hybrid_bridge.adapters.evm.calls import Attested, Sealed, equivocation_calldata, inconsistent_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.cli.contract.sending import (
    AS_JSON,
    ENTRIES,
    FILE,
    LOG,
    MAX_RECORD,
    PAYING,
    WHERE,
    Paying,
    Where,
    act,
    log_option,
    options,
    registered,
    tell,
)
from hybrid_bridge.cli.histories import History, Stretch, read_history, read_notes
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.attestation import Checkpoint, all_seals
from hybrid_bridge.core.checkpoint import Note, quorum_signatures, stated_time
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.core.validators import ValidatorSet, quorum
from hybrid_bridge.errors import BridgeError, NoConflict
from hybrid_bridge.ports import Head
from hybrid_bridge.units import Digest, LogId, SetId

SAME = "the log stays as it is: fewer than a quorum on a side are named in an event"
FREEZES = "a quorum signed: this FREEZES the log for good"


@click.group()
def report() -> None:
    """Show the contract what members contradicted themselves in. Anybody may; fewer than a quorum are only named."""


@report.command("equivocation")
@click.argument("one", type=FILE)
@click.argument("other", type=FILE)
@options(WHERE, LOG, ENTRIES, PAYING, AS_JSON)
def equivocation(
    one: Path, other: Path, where: Where, log_hex: str, entries: Path, paying: Paying, as_json: bool
) -> None:
    """Two notes or bundles, ONE and OTHER, in which the same members signed two roots of one size."""
    case = _Case.read(where, log_hex, entries)
    a, b = _contradiction(case, read_notes(one), read_notes(other))
    both = a.sealed.signers & b.sealed.signers
    lines = [f"REPORT two roots at size {a.tree_size}:", f"  0x{a.root.hex()}", f"  0x{b.root.hex()}"]
    lines += [f"signed, both, by {case.names(both)}", FREEZES if case.is_quorum(a) and case.is_quorum(b) else SAME]
    data = equivocation_calldata(case.log_id, a, b)
    tell(case.chain, case.log_id, act(case.chain, paying, data, lines), lines, as_json=as_json)


@report.command("inconsistency")
@click.argument("note", type=FILE)
@options(WHERE, LOG, ENTRIES, PAYING, AS_JSON)
@click.option(
    "--history",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="The other history: a folder of the log's tiles, or a bundle with the path between note and head.",
)
def inconsistency(
    note: Path, where: Where, log_hex: str, entries: Path, paying: Paying, as_json: bool, history: Path
) -> None:
    """A NOTE (or bundle) signed by members, against the head on the chain: one does not continue the other."""
    case = _Case.read(where, log_hex, entries)
    signed, other_root, path = _break(case, read_notes(note), read_history(history))
    at = min(signed.tree_size, case.head.tree_size)
    ours = signed.root if signed.tree_size <= case.head.tree_size else case.head.root
    lines = [f"REPORT two roots at size {at}, one signed at size {signed.tree_size}, one under the head:"]
    lines += [f"  0x{ours.hex()}", f"  0x{other_root.hex()}"]
    lines += [f"signed by {case.names(signed.sealed.signers)}", FREEZES if case.is_quorum(signed) else SAME]
    data = inconsistent_calldata(case.log_id, signed, other_root, path)
    tell(case.chain, case.log_id, act(case.chain, paying, data, lines), lines, as_json=as_json)


# ── finding the contradiction ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The log on the chain, and the members whose signatures are counted."""

    chain: Web3Chain
    log_id: LogId
    head: Head
    entries: bytes

    @classmethod
    def read(cls, where: Where, log_hex: str, entries: Path) -> Self:
        """At the newest public block."""
        chain, log_id = where.chain(), log_option(log_hex)
        head = registered(chain, log_id, chain.latest())
        return cls(chain=chain, log_id=log_id, head=head, entries=read_bounded(entries, MAX_RECORD))

    def validators(self, size: int) -> ValidatorSet:
        """The entries as the set that answers for this size now (CONTRACT §3.6)."""
        is_next = 0 < self.head.next_from_size <= size
        return ValidatorSet.decode_entries(SetId(self.head.set_id + is_next), self.entries)

    def attested(self, note: Note) -> Attested:
        """A note as the contract takes it, each member's line verified."""
        validators = self.validators(note.size)
        time = stated_time(note, validators)
        checkpoint = Checkpoint(
            log_id=self.log_id,
            tree_size=note.size,
            root=note.root,
            timestamp=time,
            set_id=validators.set_id,
            set_hash=validators.digest,
        )
        signatures = quorum_signatures(note, validators, self.log_id, time)
        signers, packed = all_seals(validators, {recover_address(checkpoint.digest(), s): s for s in signatures})
        return Attested(note.size, note.root, Sealed(validators.digest, signers, packed))

    def is_quorum(self, attested: Attested) -> bool:
        """Whether so many signed that the contract ends the log."""
        return attested.sealed.signers.bit_count() >= quorum(len(self.validators(attested.tree_size).entries))

    def names(self, signers: int) -> str:
        """The members behind these bits."""
        addresses = self.validators(2).addresses
        return ", ".join(f"0x{address.hex()}" for i, address in enumerate(addresses) if signers >> i & 1)


def _contradiction(case: _Case, ones: list[Note], others: list[Note]) -> tuple[Attested, Attested]:
    """The first pair of one size, two roots, and a common signer. A pair that cannot be used hides no later one.

    Raises:
        NoConflict: there is none.
        BridgeError: why the first of the pairs that looked like one is none.
    """
    refusals: list[BridgeError] = []
    for one, other in product(ones, others):
        if not (one.size == other.size >= 2 and one.root != other.root):
            continue
        try:
            a, b = case.attested(one), case.attested(other)
        except BridgeError as refusal:  # a bundle may begin under sets that answer no more
            refusals.append(refusal)
            continue
        if a.sealed.signers & b.sealed.signers:
            return a, b
    raise (refusals or [NoConflict()])[0]


def _break(case: _Case, notes: list[Note], history: History) -> tuple[Attested, Digest, list[Digest]]:
    """The first signed checkpoint that another history contradicts, with that history's root and path.

    Raises:
        NoConflict: none is contradicted.
        Missing: the history has not the path between note and head.
        BridgeError: why the first that is contradicted accuses nobody.
    """
    refusals: list[BridgeError] = []
    for note in notes:
        try:
            if found := _contradicted(case, note, history):
                return found
        except BridgeError as refusal:
            refusals.append(refusal)
    raise (refusals or [NoConflict()])[0]


def _contradicted(case: _Case, note: Note, history: History) -> tuple[Attested, Digest, list[Digest]] | None:
    """See `_break`; of the head's own size the chain itself has the other root, and there is no path."""
    if note.size < 2:
        return None
    older, newer = sorted((note.size, case.head.tree_size))
    stretch = Stretch(case.head.root, ()) if older == newer else history.between(older, newer)
    if stretch.older_root == (note.root if note.size <= case.head.tree_size else case.head.root):
        return None
    return case.attested(note), stretch.older_root, list(stretch.path)
