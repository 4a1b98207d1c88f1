"""At each start a validator looks at what the public contract has taken of its key; whoever shows it is not believed."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.core.attestation import seals
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import BridgeError, NotYet, SettingsMalformed, Unreachable
from hybrid_bridge.node import hearing as hearing_module
from hybrid_bridge.node import public_hearing as module
from hybrid_bridge.node.hearing import Hearing
from hybrid_bridge.node.public_hearing import PublicHearing, public_record
from hybrid_bridge.node.settings import PublicSettings
from hybrid_bridge.ports import AnchoredEvent, PublicBlock, Update
from hybrid_bridge.units import (
    Digest,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    SetId,
    TreeSize,
    TxHash,
    UnixSeconds,
)
from tests.unit.hybrid_bridge.node.members import VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_hearing import honest

BLOCK = PublicBlock(PublicBlockNumber(9), PublicBlockHash(ZERO), PublicBlockHash(ZERO), UnixSeconds(0))


def key(members: Members, name: str) -> bytes:
    held = members.open(name).view.keys.attestation
    assert held is not None
    return held._private_key


class Shown:
    """What an endpoint shows: anchors of these sizes and roots, signed by a quorum that has bank-a in it."""

    def __init__(
        self, members: Members, *sized: tuple[int, Digest], name: str = "bank-a", forged: bool = False
    ) -> None:
        self.asked: list[TxHash] = []
        self._calldata: dict[TxHash, bytes] = {}
        self.events: list[AnchoredEvent] = []
        directory = members.open("core").view.directory
        others = [other for other in VALIDATORS if other != name][: directory.validators.quorum - 1]
        for size, root in sized:
            checkpoint = directory.checkpoint(TreeSize(size), root)
            digest = ZERO if forged else checkpoint.digest()
            made = {directory.member(n).address: sign_digest(key(members, n), digest) for n in (name, *others)}
            signers, packed = seals(directory.validators, made)
            values = {"log_id": directory.log_id, "from_size": TreeSize(1), "tree_size": TreeSize(size), "root": root}
            update = Update(**values, set_hash=checkpoint.set_hash, signers=signers, path=(), seals=packed)
            tx = TxHash(sha256(b"%d" % len(self.events)))
            self._calldata[tx] = anchor_calldata(update)
            names = {name: values[name] for name in ("log_id", "tree_size", "root")}
            place = {"timestamp": UnixSeconds(0), "set_id": SetId(1), "block": BLOCK, "log_index": 0}
            self.events.append(AnchoredEvent(**names, **place, signers=signers, tx_hash=tx))

    def anchors(self, _log: LogId) -> Iterator[AnchoredEvent]:
        yield from self.events

    def calldata(self, tx: TxHash) -> bytes:
        self.asked.append(tx)
        return self._calldata[tx]


def looked(members: Members, shown: Shown, name: str = "bank-a") -> str:
    """Why `name` signs no more after it has looked; empty while it does."""
    opened = members.open(name)
    hearing = Hearing(opened.view, opened.guard, asks_public=True)
    PublicHearing(opened.view, hearing, lambda: shown).hear(shown)
    assert "the public chain" in hearing._heard
    return opened.view.brake.reason


def said(members: Members, *sizes: int) -> list[tuple[int, Digest]]:
    """bank-a's guard has permitted these."""
    guard = members.open("bank-a").guard
    assert guard is not None
    directory = members.open("bank-a").view.directory
    rows = [(size, sha256(b"root %d" % size)) for size in sizes]
    with guard._file.write() as connection:
        for size, root in rows:
            digest = directory.checkpoint(TreeSize(size), root).digest()
            connection.exec_driver_sql("INSERT INTO guardsigned VALUES (?, ?, ?)", (size, root, digest))
    return rows


def test_what_the_guard_has_said_is_no_news_and_older_anchors_are_not_asked_for(members: Members) -> None:
    started(members)
    rows = said(members, 5, 9)
    shown = Shown(members, *reversed(rows))
    assert looked(members, shown) == ""
    assert shown.asked == [shown.events[0].tx_hash]


def test_a_size_that_the_guard_lacks_halts_the_validator(members: Members) -> None:
    started(members)
    (known,) = said(members, 5)
    reason = looked(members, Shown(members, (9, sha256(b"root 9")), known))
    assert reason == "our key signed size 9 in another process (seen by the public chain)"


def test_another_root_of_a_size_that_the_guard_has_said_is_kept_as_evidence(members: Members) -> None:
    started(members)
    said(members, 5)
    assert "two roots of size 5" in looked(members, Shown(members, (5, sha256(b"another"))))
    view = members.open("bank-a").view
    (evidence,) = view.witness.kept()
    assert (evidence.number, evidence.first) == (5, sha256(b"root 5"))
    assert evidence.second.startswith(sha256(b"another"))


def test_anchors_that_our_key_did_not_sign_say_nothing(members: Members) -> None:
    started(members)
    shown = Shown(members, (9, sha256(b"root 9")))
    directory = members.open("core").view.directory
    bit = 1 << directory.validators.addresses.index(members.open("bank-a").view.address)
    shown.events = [replace(event, signers=event.signers & ~bit) for event in shown.events]
    assert (looked(members, shown), shown.asked) == ("", [])


def test_an_endpoint_that_claims_what_it_cannot_show_halts_nobody_and_hides_nothing_older(
    members: Members, caplog: pytest.LogCaptureFixture
) -> None:
    started(members)
    forged = Shown(members, (12, sha256(b"root 12")), forged=True)
    assert looked(members, forged) == ""
    assert "claims that our key signed size 12" in caplog.text
    true = Shown(members, (9, sha256(b"root 9")))
    claim = replace(forged.events[0], tx_hash=TxHash(sha256(b"claimed")))
    true.events.insert(0, claim)
    true._calldata[claim.tx_hash] = forged._calldata[forged.events[0].tx_hash]
    assert "size 9" in looked(members, true)


def test_anchors_of_a_set_that_our_blocks_have_not_told_of_are_asked_about_again(members: Members) -> None:
    """A ledger of yesterday: the newest anchors are of a later set. What older ones say is judged meanwhile."""
    started(members)
    shown = Shown(members, (12, sha256(b"root 12")), (9, sha256(b"root 9")))
    shown.events[0] = replace(shown.events[0], set_id=SetId(2))
    with pytest.raises(NotYet, match="set 2"):
        looked(members, shown)
    assert shown.asked == [shown.events[1].tx_hash]
    assert "size 9" in members.open("bank-a").view.brake.reason


def test_it_is_asked_until_it_answers_and_nobody_waits_for_it_longer_than_for_a_member(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(hearing_module, "GRACE", 0.0)
    started(members)
    members.silent = True
    members.reopen("bank-a")
    opened = members.open("bank-a")

    class Away(Shown):
        tries = 0

        def anchors(self, log: LogId) -> Iterator[AnchoredEvent]:
            self.tries += 1
            if self.tries < 4:
                raise Unreachable(endpoint="public", call="eth_getLogs")
            return super().anchors(log)

    hearing = Hearing(opened.view, opened.guard, asks_public=True)
    speaks = threading.Event()
    for peer in honest(members, "core", "bank-b"):
        hearing.hear(peer)  # type: ignore[arg-type]
    hearing.run(speaks.set)
    assert speaks.is_set()  # with two validators, and without the public chain
    away = Away(members)
    PublicHearing(opened.view, hearing, lambda: away).run()
    assert away.tries == 4


def test_the_url_may_be_in_a_file_and_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "rpc.url").write_text("http://127.0.0.1:1/v3/hunter2\n")
    record = public_record(PublicSettings("file:rpc.url", "0x" + "11" * 20), tmp_path)
    with pytest.raises(BridgeError) as caught:
        list(record.anchors(LogId(ZERO)))
    assert "hunter2" not in str(caught.value)
    public_record(PublicSettings("http://127.0.0.1:1"), tmp_path)
    with pytest.raises(SettingsMalformed):
        public_record(PublicSettings("file:none"), tmp_path)
