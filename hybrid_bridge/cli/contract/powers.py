"""`contract pause`, `resume`, `retire` by a quorum's signed files, and `pause-alone` by a log's guardian."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import click

from hybrid_bridge.adapters.evm.calls import (
    Sealed,
    pause_alone_calldata,
    pause_calldata,
    resume_calldata,
    retire_calldata,
)
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.cli.contract.drafting import REASON, SECONDS, described, moment, pause_end, successor_of
from hybrid_bridge.cli.contract.sending import (
    AS_JSON,
    ENDPOINT,
    ENTRIES,
    FILE,
    LOG,
    MAX_RECORD,
    PAYING,
    WHERE,
    Paying,
    Where,
    act,
    endpoint,
    head_json,
    head_text,
    log_option,
    options,
    ours_at,
    registered,
    say,
    tell,
)
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.power import MAX_FILE, Pause, Power, Resume, Retire, SignedPower, decode_signed, gather
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import FieldMismatch, LogFrozen, NotGuardian, PowerStale, SetMismatch, WrongChain
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import Digest, SetId

SIGNED = click.argument("files", nargs=-1, required=True, type=FILE)
P = TypeVar("P", Pause, Resume, Retire)


@click.command()
@options(SIGNED, ENDPOINT, ENTRIES, PAYING, AS_JSON)
def pause(files: tuple[Path, ...], url: str, entries: Path, paying: Paying, as_json: bool) -> None:
    """Stop new anchors, by the signed files of a quorum. Anybody may send it. Twice is once."""
    asked = _Asked.read(files, url, entries)
    statement = asked.of(Pause)
    is_done = asked.is_used and asked.head.paused_until == statement.until
    asked.carry_out(lambda quorum: pause_calldata(statement, quorum), paying, is_done=is_done, as_json=as_json)


@click.command()
@options(SIGNED, ENDPOINT, ENTRIES, PAYING, AS_JSON)
def resume(files: tuple[Path, ...], url: str, entries: Path, paying: Paying, as_json: bool) -> None:
    """End the pause that stands, by the signed files of a quorum. Anybody may send it. Twice is once."""
    asked = _Asked.read(files, url, entries)
    statement = asked.of(Resume)
    is_done = asked.is_used and asked.head.state != "paused"
    asked.carry_out(lambda quorum: resume_calldata(statement, quorum), paying, is_done=is_done, as_json=as_json)


@click.command()
@options(SIGNED, ENDPOINT, ENTRIES, PAYING, AS_JSON)
@click.option("--successor", required=True, type=FILE, help="The genesis record of the log that goes on; registered.")
def retire(files: tuple[Path, ...], url: str, entries: Path, paying: Paying, as_json: bool, successor: Path) -> None:
    """End a log for good in favour of its successor, by the signed files of a quorum. Twice is once."""
    asked = _Asked.read(files, url, entries)
    statement, record = asked.of(Retire), read_bounded(successor, MAX_RECORD)
    after = successor_of(record, statement.log_id, asked.head)
    if after != statement.successor:
        raise FieldMismatch(field="successor", expected=statement.successor.hex(), got=after.hex())
    is_done = asked.head.state == "retired" and asked.chain.successor(statement.log_id, asked.at) == after
    asked.carry_out(lambda quorum: retire_calldata(statement, record, quorum), paying, is_done=is_done, as_json=as_json)


@click.command("pause-alone")
@options(WHERE, LOG, REASON, SECONDS, PAYING, AS_JSON)
def pause_alone(where: Where, log_hex: str, reason: str, seconds: int, paying: Paying, as_json: bool) -> None:
    """Stop new anchors as the log's guardian, whose key this is and pays; at most half of the time."""
    chain, log_id = where.chain(), log_option(log_hex)
    at, me = chain.latest(), paying.signer().address()
    registered(chain, log_id, at)
    if chain.brake(log_id, at).guardian != me:
        raise NotGuardian(caller=me)
    until = pause_end(chain, log_id, at, seconds)
    lines = [f"PAUSE until {moment(until)} the log 0x{log_id.hex()}", f"reason: {reason}", f"alone, by 0x{me.hex()}"]
    tell(chain, log_id, act(chain, paying, pause_alone_calldata(log_id, until, reason), lines), lines, as_json=as_json)


# ── a quorum's files ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Signed files, the set they are counted in, and the chain they are for."""

    chain: Web3Chain
    at: PublicBlock
    head: Head
    signed: Sequence[SignedPower]
    entries: bytes

    @classmethod
    def read(cls, files: Sequence[Path], url: str, entries: Path) -> Self:
        """All that is needed, the chain and the log being those that the files name."""
        signed = [decode_signed(read_bounded(file, MAX_FILE)) for file in files]
        statement = signed[0].statement
        chain = ours_at(endpoint(url), statement.contract)
        if (got := chain.chain_id()) != statement.chain_id:
            raise WrongChain(expected=statement.chain_id, got=got)
        at = chain.latest()
        head = registered(chain, statement.log_id, at)
        return cls(chain=chain, at=at, head=head, signed=signed, entries=read_bounded(entries, MAX_RECORD))

    def of(self, kind: type[P]) -> P:
        """The statement, if it is of this kind."""
        if not isinstance(self.statement, kind):
            raise FieldMismatch(field="statement.type", expected=kind.type, got=self.statement.type)
        return self.statement

    @property
    def statement(self) -> Power:
        """That of the first file; `gather` compares the others."""
        return self.signed[0].statement

    @property
    def is_used(self) -> bool:
        """Whether a statement of this very number was the last that the contract took."""
        return self.chain.brake(self.statement.log_id, self.at).nonce == self.statement.number + 1

    def carry_out(self, calldata: Callable[[Sealed], bytes], paying: Paying, *, is_done: bool, as_json: bool) -> None:
        """Count, show, send; once it has been done, say so.

        Raises:
            PowerStale: the contract waits for another number or size.
            SignerUnknown, BelowQuorum, SetMismatch: not a quorum of the set in force.
            BridgeError: the contract's own error.
        """
        lines = described(self.statement)
        if is_done:
            head = self.head
            say({"done_before": True, "head": head_json(head)}, f"done before: {head_text(head)}", as_json)
            return
        self._require_open()
        data = self._counted(calldata, paying)
        tell(self.chain, self.statement.log_id, act(self.chain, paying, data, lines), lines, as_json=as_json)

    def _require_open(self) -> None:
        if self.head.state == "frozen":
            raise LogFrozen(log_id=Digest(self.statement.log_id))
        retiring = isinstance(self.statement, Retire)
        waits_for = self.head.tree_size if retiring else self.chain.brake(self.statement.log_id, self.at).nonce
        if waits_for != self.statement.number:
            raise PowerStale(expected=waits_for, got=self.statement.number)

    def _counted(self, calldata: Callable[[Sealed], bytes], paying: Paying) -> bytes:
        """The call under the set in force: while a handover waits, the clock decides which that is, so both are tried.

        Raises:
            SetMismatch: neither; with the entries of another set.
        """
        sender, refusals = paying.signer().address(), []
        for number in (self.head.set_id, self.head.set_id + 1)[: 1 + (self.head.next_from_size > 0)]:
            validators = ValidatorSet.decode_entries(SetId(number), self.entries)
            signers, seals = gather(self.signed, validators)
            data = calldata(Sealed(validators.digest, signers, seals))
            try:
                self.chain.simulate(sender, data, self.at)
            except SetMismatch as refusal:
                refusals.append(refusal)
            else:
                return data
        raise refusals[0]
