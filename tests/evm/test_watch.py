"""`hybrid-bridge watch` against a real EVM and copies served over HTTP: honest, late, silent, broken, lying."""

import fcntl
import json
import shutil
import signal
import socketserver
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm import abreast, history
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.adapters.web.serving import Reply, WebServer
from hybrid_bridge.cli.compare import command as compare
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.cli.histories import read_tree
from hybrid_bridge.cli.tiles import reply_to
from hybrid_bridge.cli.watch import asking, command, filing
from hybrid_bridge.cli.watch.copies import Copy
from hybrid_bridge.cli.watch.findings import ChainSight, CopySight, Remembered, judge
from hybrid_bridge.cli.watch.memory import FILE
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import (
    BridgeError,
    FieldMismatch,
    Missing,
    SettingsMalformed,
    StoreBroken,
    StoreInUse,
    UnknownLog,
)
from hybrid_bridge.ports import Head
from hybrid_bridge.testing.hostile_endpoint import Fault, HostileEndpoint
from hybrid_bridge.units import TreeSize
from tests.evm.terminal import Terminal
from tests.evm.town import Town, founded, opened

FORK = b"another history"
SLOW = 4000  # seconds an epoch: the ninth is the newest that can be anchored
AWAY = "http://127.0.0.1:9/"


class Hall(Town):
    """A town with anchors at 5 and 9, in time, whose members serve what a test tells them to."""

    def live(self) -> None:
        self.anchor(5)
        self.anchor(9)
        self.settle()


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with opened(tmp_path_factory.mktemp("watch")) as made:
        yield made


@pytest.fixture(scope="module")
def hall(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Hall:
    hall = Hall(terminal, tmp_path_factory.mktemp("hall") / "town", founded(bytes(20), "watched", SLOW))
    hall.live()
    return hall


@contextmanager
def serving(**folders: Path) -> Iterator[dict[str, str]]:
    """Members' copies by name, at their URLs."""

    def server(folder: Path) -> WebServer:
        made = WebServer("127.0.0.1", 0, lambda method, path, _: reply_to(folder, method, path, hashes_only=True), 0)
        made.start()
        return made

    servers = {name: server(folder) for name, folder in folders.items()}
    try:
        yield {name: f"http://127.0.0.1:{one.port}/" for name, one in servers.items()}
    finally:
        for one in servers.values():
            one.close()


def few_signed(hall: Town, size: int, salt: bytes, count: int, skip: int = 0) -> Path:
    """A copy whose checkpoint only some members signed."""
    out = hall.new().with_suffix("")
    shutil.copytree(hall.tiles(size, salt), out)
    (out / "checkpoint").write_bytes(hall.note(size, salt, count=count, skip=skip).read_bytes())
    return out


class Post:
    """A watcher's post, with what it remembers."""

    def __init__(self, hall: Town, folder: Path) -> None:
        self.hall, self.folder, self.state = hall, folder, folder / "state"
        url = hall.terminal.devnet.url
        self.urls = [url, url.replace("127.0.0.1", "localhost")]

    def file(self, copies: dict[str, str], **more: object) -> Path:
        lines = {"log": self.hall.log_id.hex(), "rpc": self.urls, "contract": self.hall.chain.contract.hex()} | more
        text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
        text += "\n[copies]\n" + "\n".join(f"{name} = {json.dumps(url)}" for name, url in copies.items())
        (out := self.folder / "consortium.toml").write_text(text)
        return out

    def look(self, copies: dict[str, str], *more: object, code: int | None = None, **settings: object) -> list[Any]:
        given = ["--consortium", self.file(copies, **settings), "--state", self.state, "--once", "--json", *more]
        done = CliRunner().invoke(command, [str(part) for part in given], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        if code is not None:
            assert done.return_value == code, done.output
        self.said = done.stderr
        return list(json.loads(done.stdout)["findings"])

    def evidence(self) -> list[Path]:
        """The folders of findings; beside them stand the trees."""
        return sorted(place for place in (self.state / "evidence").iterdir() if place.name != "trees")

    def kinds(self, copies: dict[str, str], more: tuple[object, ...] = (), **how: Any) -> list[tuple[str, str]]:
        return [(one["kind"], one["about"]) for one in self.look(copies, *more, **how)]


@pytest.fixture
def post(hall: Hall, tmp_path: Path) -> Post:
    return Post(hall, tmp_path)


# ── late ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_in_time_whose_copies_agree_is_nothing_to_tell(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(9), b=hall.tiles(10)) as copies:
        assert post.look(copies, code=0) == []
        given = ["--consortium", post.file(copies), "--state", post.state, "--once"]
        assert "nothing to tell" in CliRunner().invoke(command, list(map(str, given))).output
    seen = json.loads((post.state / FILE).read_text())["seen"]
    assert {one["source"]: one["signed"]["size"] for one in seen} == {"a": 9, "b": 10, "the public chain": 9}


def test_what_is_late_is_not_called_a_lie(hall: Hall, post: Post) -> None:
    with serving(behind=hall.tiles(4)) as copies:
        found = post.look({**copies, "silent": AWAY}, code=3)
    assert [(one["kind"], one["about"], one["severity"]) for one in found] == [
        ("copy_behind", "behind", "late"),
        ("copy_silent", "silent", "late"),
    ]


def test_an_anchor_that_does_not_come_is_overdue(terminal: Terminal, tmp_path: Path) -> None:
    late = Hall(terminal, tmp_path / "late", founded(bytes(20), "late"))
    late.live()
    (found,) = Post(late, tmp_path).look({}, code=3)
    assert (found["kind"], found["severity"]) == ("overdue", "late")
    assert "the next is late by" in found["detail"]


def test_the_brake_is_an_event_and_no_delay(terminal: Terminal, tmp_path: Path) -> None:
    stopped = Hall(terminal, tmp_path / "stopped", founded(bytes(20), "stopped"))
    stopped.live()
    stopped.paused()
    stopped.settle()
    (found,) = Post(stopped, tmp_path).look({}, code=0)
    assert (found["kind"], found["severity"]) == ("paused", "event")


# ── unclear ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_no_quorum_signed_and_tiles_of_another_root_accuse_nobody(hall: Hall, post: Post, tmp_path: Path) -> None:
    few, broken, stranger = few_signed(hall, 10, b"", 2), hall.tiles(10, b"broken"), hall.tiles(8, b"stranger")
    (broken / "checkpoint").write_bytes(hall.note(10).read_bytes())
    (stranger / "checkpoint").write_bytes(hall.note(8).read_bytes().replace(b"watched", b"unknown"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with serving(few=few, broken=broken, stranger=stranger, empty=empty) as copies:
        found = {one["about"]: one["kind"] for one in post.look(copies, code=3)}
    assert found == {
        "few": "copy_unsigned", "broken": "copy_untrue", "stranger": "copy_unsigned", "empty": "copy_silent",
    }  # fmt: skip
    assert not (post.state / "evidence").exists()


def test_an_endpoint_that_answers_otherwise_is_named_and_too_few_decide_nothing(
    hall: Hall, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = hall.terminal.devnet.url
    post.urls = [url, url.replace("127.0.0.1", "localhost"), url.rstrip("/") + "/third"]
    honest = Web3Chain.head

    def head(chain: Web3Chain, *rest: Any) -> Head:
        answer = honest(chain, *rest)
        return replace(answer, root=bytes(32)) if chain.rpc.name == "endpoint 2" else answer

    monkeypatch.setattr(Web3Chain, "head", head)
    (found,) = post.look({}, code=3)
    assert (found["kind"], found["about"]) == ("endpoint_disagrees", "endpoint 2")
    post.urls = post.urls[:2]
    found = post.look({}, code=3)
    assert ("chain_unclear", "unclear") in [(one["kind"], one["severity"]) for one in found]
    monkeypatch.undo()
    post.urls = post.urls[:1]
    assert ("chain_unclear", "the public chain") in post.kinds({}, threshold=2)


def test_the_word_of_one_endpoint_proves_no_lie_and_is_not_held_against_anybody_later(
    hall: Hall, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Web3Chain.head
    one, post.urls = post.urls, post.urls[:1]
    with serving(a=hall.tiles(10)) as copies:
        monkeypatch.setattr(Web3Chain, "head", lambda *given: replace(honest(*given), root=bytes(32)))
        assert post.kinds(copies, code=3) == [("anchored_otherwise", "a / the public chain")]
        monkeypatch.undo()
        assert ("chain_went_back", "the public chain") in post.kinds(copies)
        post.urls = one
        assert post.look(copies, code=0) == []


def test_an_endpoint_that_says_nothing_and_a_chain_that_stands_still_are_named(hall: Hall, post: Post) -> None:
    post.urls = [*post.urls, "http://127.0.0.1:9"]
    assert post.kinds({}, code=3) == [("endpoint_silent", "endpoint 3")]
    at, head = hall.chain.latest(), hall.head
    sight = ChainSight(at=at, head=head)
    found, _ = judge(sight, {}, Remembered(signed={}), hall.genesis, at.time + 3601)
    assert [one.kind for one in found] == ["chain_stale"]


# ── lying ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_of_another_history_than_the_anchored_one_is_a_split_view_with_evidence(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(10), b=hall.tiles(10, FORK)) as copies:
        found = post.look(copies, code=1)
        again = post.look(copies, code=1)
    assert {(one["kind"], one["about"]) for one in found} == {
        ("split_view", "a / b"),
        ("split_view", "b / the public chain"),
    }
    assert found == again
    places = post.evidence()
    assert len(places) == 2
    assert all((place / "finding.json").exists() and (place / "tiles" / "checkpoint").exists() for place in places)


def test_who_hides_the_tiles_has_still_signed_and_a_proven_lie_stays_one(
    hall: Hall, post: Post, tmp_path: Path
) -> None:
    (hidden := tmp_path / "hidden").mkdir()
    (hidden / "checkpoint").write_bytes(hall.note(9, FORK).read_bytes())
    lie = ("split_view", "b / the public chain")
    with serving(b=hidden) as copies:
        assert post.kinds(copies, code=1) == [lie, ("copy_silent", "b")]
    assert lie in post.kinds({"b": AWAY}, code=1)
    with serving(b=hall.tiles(9)) as copies:
        assert ("split_view", "b / b") in post.kinds(copies, code=1)  # its first word was kept
    post.urls = ["http://127.0.0.1:9"]
    assert lie in post.kinds({}, code=1)


def test_one_contradiction_is_one_folder_however_the_log_grows(hall: Hall, post: Post) -> None:
    for size in (9, 10):
        with serving(a=hall.tiles(size), b=hall.tiles(size, FORK)) as copies:
            post.look(copies, code=1)
    assert [place.name for place in post.evidence()] == ["a~b", "b~chain"]


def test_a_tree_is_kept_once_whomever_it_contradicts(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(10), b=hall.tiles(10, FORK), c=hall.tiles(9), d=hall.tiles(10)) as copies:
        post.look(copies, code=1)
    places = post.evidence()
    assert [place.name for place in places] == ["a~b", "b~c", "b~chain", "b~d"]
    names = [f"10-{hall.tree(10, salt).root().hex()}" for salt in (b"", FORK)]
    assert sorted(place.name for place in (post.state / "evidence" / "trees").iterdir()) == sorted(names)
    for place in places:
        named = json.loads((place / "finding.json").read_text())["trees"]
        for link, name in named.items():
            assert read_tree(place / link).root(TreeSize(10)).hex() == name.removeprefix("10-")
        assert set(named) == {"tiles", "anchored-tiles"}


def test_who_shows_a_smaller_fork_is_found_out_by_a_copy_of_the_whole(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(10), b=hall.tiles(7, FORK)) as copies:
        assert ("split_view", "a / b") in post.kinds(copies, code=1)


def test_what_a_member_signed_once_is_held_against_it_after_a_restart(terminal: Terminal, tmp_path: Path) -> None:
    turning = Hall(terminal, tmp_path / "turning", founded(bytes(20), "turning", SLOW))
    turning.anchor(5)  # the fork begins behind it
    turning.settle()
    watcher = Post(turning, tmp_path)
    with serving(b=turning.tiles(10, FORK)) as copies:
        assert ("split_view", "b / the public chain") not in watcher.kinds(copies)
    with serving(b=turning.tiles(10)) as copies:
        assert ("split_view", "b / b") in watcher.kinds(copies, code=1)
    (place,) = watcher.evidence()
    ones, others = ((place / name).read_text() for name in ("one.note", "other.note"))
    assert ones.splitlines()[1] == others.splitlines()[1] == "10"
    assert ones != others


def test_evidence_that_could_not_be_written_is_written_later_whatever_is_shown_then(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(9), b=hall.tiles(9)) as copies:
        post.look(copies, code=0)
    (way := post.state / "evidence").write_text("a file where the folder should be")
    with serving(a=hall.tiles(10), b=hall.tiles(10, FORK)) as copies:
        post.look(copies, code=1)
    assert "evidence could not be written" in post.said
    way.unlink()
    with serving(a=hall.tiles(10), b=hall.tiles(10)) as copies:
        post.look(copies, code=1)
    forged = hall.checkpoint(10, FORK).root
    notes = [parse_note((way / "a~b" / name).read_bytes()).root for name in ("one.note", "other.note")]
    assert forged in notes
    assert len(set(notes)) == 2


def test_the_contract_takes_what_was_kept_and_the_log_is_frozen(terminal: Terminal, tmp_path: Path) -> None:
    liar = Hall(terminal, tmp_path / "liar", founded(bytes(20), "liar", SLOW))
    liar.live()
    watcher = Post(liar, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    watcher.urls = ["http://127.0.0.1:9", *watcher.urls]  # who is away keeps nothing from being reported
    with serving(a=liar.tiles(10), b=liar.tiles(10, FORK)) as copies:
        watcher.look(copies, *paying, code=1)
        assert watcher.said.count("report sent") == 1  # of two contradictions that end one log
        liar.settle()
        found = [(one["kind"], one["about"]) for one in watcher.look(copies, *paying, code=1)]
        assert watcher.said.count("reported:") == 2
    assert ("frozen", "the public chain") in found
    assert liar.head.state == "frozen"


def test_what_the_contract_does_not_take_yet_is_shown_again_after_the_next_anchor(
    terminal: Terminal, tmp_path: Path
) -> None:
    liar = Hall(terminal, tmp_path / "later", founded(bytes(20), "later", SLOW))
    liar.anchor(5)  # both histories continue it
    liar.settle()
    watcher = Post(liar, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    with serving(a=liar.tiles(9), b=liar.tiles(8, FORK)) as copies:
        watcher.look(copies, *paying, code=1)
    assert "nothing that the contract takes" in watcher.said
    liar.anchor(8)
    liar.settle()
    with serving(a=liar.tiles(9)) as copies:
        watcher.look({**copies, "b": AWAY}, *paying, code=1)
    liar.settle()
    assert liar.head.state == "frozen"


# ── fewer than a quorum ──────────────────────────────────────────────────────────────────────────────────────────────


def test_two_of_four_who_signed_another_history_too_are_named_with_evidence(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(10), b=few_signed(hall, 10, FORK, 2)) as copies:
        found = {(one["kind"], one["about"]): one for one in post.look(copies, code=1)}
        again = {(one["kind"], one["about"]): one for one in post.look(copies, code=1)}
    assert set(found) == {
        ("copy_unsigned", "b"),
        ("equivocation", "a / few@b"),
        ("few_contradict", "few@b / the public chain"),
    }
    assert found == again
    lie = found["equivocation", "a / few@b"]
    both, honest = hall.validators.addresses[:2], hall.validators.addresses[2:]
    assert lie["severity"] == "lying"
    assert all(f"0x{one.hex()}" in lie["detail"] for one in both)
    assert not any(f"0x{one.hex()}" in lie["detail"] for one in honest)
    place = post.state / "evidence" / "a~few@b"
    said = hall.report("equivocation", place / "one.note", place / "other.note", "--dry-run")
    assert said["dry_run"]
    assert hall.head.state == "active"


class Outsider:
    """Somebody with a folder of evidence, and no chain."""

    def __init__(self, hall: Town, place: Path) -> None:
        self.hall, self.place = hall, place

    def judge(self, *more: object, code: int) -> Any:
        given = [str(part) for part in (self.place, "--log", self.hall.log_id.hex(), "--json", *more)]
        done = CliRunner().invoke(compare, given, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        assert done.return_value == code, done.output
        return json.loads(done.stdout)


@pytest.fixture
def evidence(hall: Hall, post: Post) -> Path:
    """Copies of what a watcher kept, with what the links lead to."""
    lone = few_signed(hall, 10, FORK, 1, skip=3)
    with serving(a=hall.tiles(9), b=few_signed(hall, 10, FORK, 2), c=lone, d=hall.tiles(10, FORK)) as copies:
        post.look(copies, code=1)
    shutil.copytree(post.state / "evidence", (out := post.folder / "copy"))
    return out


def test_evidence_below_a_quorum_is_judged_offline_by_the_set_that_the_genesis_record_names(
    hall: Hall, evidence: Path
) -> None:
    found = Outsider(hall, evidence / "a~few@b").judge(code=1)
    assert found["two_histories"]
    assert not found["by_quorums"]
    assert found["signed_both"] == [one.hex() for one in hall.validators.addresses[:2]]
    assert [one["size"] for one in found["checkpoints"]] == [9, 10]
    assert Outsider(hall, evidence / "a~d").judge(code=1)["by_quorums"]
    assert Outsider(hall, evidence / "a~few@c~unclear").judge(code=3)["signed_both"] == []


def test_evidence_that_was_tampered_with_accuses_nobody(hall: Hall, evidence: Path) -> None:
    place = evidence / "a~few@b"
    shutil.copy(place / "one.note", place / "other.note")
    assert not Outsider(hall, place).judge(code=0)["two_histories"]
    place = evidence / "a~d"
    other = (place / "other.note").read_text()
    (place / "other.note").write_text(other.replace("\n10\n", "\n9\n"))
    with pytest.raises(Missing, match="signatures of a proven set"):
        Outsider(hall, place).judge(code=1)
    (place / "other.note").write_text(other)
    shutil.rmtree(place / "tiles")
    shutil.copytree(hall.tiles(10), place / "tiles")
    with pytest.raises(Missing, match="these lead to another root"):
        Outsider(hall, place).judge(code=1)
    shutil.rmtree(place / "tiles")
    with pytest.raises(Missing, match="the tree under the larger"):
        Outsider(hall, place).judge(code=1)


def test_a_set_that_the_genesis_record_does_not_name_needs_a_bundle_that_proves_it(hall: Hall, evidence: Path) -> None:
    place = evidence / "a~few@b"
    for name in ("one.note", "other.note"):
        entries = place / f"{name}.entries.bin"
        entries.write_bytes(entries.read_bytes()[:-1] + b"\x01")
    with pytest.raises(Missing, match="a bundle of the log"):
        Outsider(hall, place).judge(code=1)


def test_evidence_of_a_log_that_was_not_named_or_without_a_note_decides_nothing(hall: Hall, evidence: Path) -> None:
    place = evidence / "a~few@b"
    with pytest.raises(click.UsageError, match="did not name"):
        Outsider(hall, place).judge("--log", "11" * 32, code=1)
    with pytest.raises(click.UsageError, match="neither --out nor --log-copy"):
        Outsider(hall, place).judge("--out", place / "x", code=1)
    with pytest.raises(Missing, match=r"one\.note"):
        Outsider(hall, evidence / "chain~few@b~unclear").judge(code=1)
    (place / "origin.txt").write_text("test.example/other\n")
    with pytest.raises(FieldMismatch):
        Outsider(hall, place).judge(code=1)


def test_a_judgement_is_told_to_people(hall: Hall, evidence: Path) -> None:
    said = CliRunner().invoke(compare, [str(evidence / "a~few@b"), "--log", hall.log_id.hex()]).output
    assert said.startswith("TWO HISTORIES OF ONE LOG\n")
    liars, honest = hall.validators.addresses[:2], hall.validators.addresses[2]
    both = said[said.index("Signed both:") :]
    assert all(f"0x{one.hex()}" in both for one in liars)
    assert f"0x{honest.hex()}" not in both
    assert f"0x{honest.hex()}" in said
    assert "Fewer than a quorum signed one of them." in said


def test_what_few_signed_once_is_held_against_them_when_another_history_comes(hall: Hall, post: Post) -> None:
    shutil.rmtree((hidden := few_signed(hall, 12, FORK, 1)) / "tile")
    with serving(b=hidden) as copies:  # larger than all that is known
        assert post.kinds(copies) == [("copy_unsigned", "b")]
    with serving(a=hall.tiles(12), b=hall.tiles(12)) as copies:
        kinds = post.kinds(copies, code=1)
    assert ("equivocation", "a / few@b") in kinds
    assert ("equivocation", "b / few@b") in kinds


def test_no_tree_is_fetched_that_one_member_signed_for_times_to_come(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(10), b=few_signed(hall, 40, FORK, 1)) as copies:
        assert post.kinds(copies, code=3) == [("copy_unsigned", "b")]
    assert not (post.state / "evidence").exists()


def test_who_signed_another_history_alone_is_no_proven_liar(hall: Hall, post: Post) -> None:
    with serving(a=hall.tiles(10), b=few_signed(hall, 10, FORK, 1, skip=3)) as copies:
        found = post.look(copies, code=3)
    assert {(one["kind"], one["severity"]) for one in found} == {
        ("copy_unsigned", "unclear"),
        ("few_contradict", "unclear"),
    }
    assert (post.state / "evidence" / "a~few@b~unclear" / "finding.json").exists()


def test_a_signature_that_is_none_accuses_nobody(hall: Hall, post: Post) -> None:
    note = (shown := few_signed(hall, 10, FORK, 1)) / "checkpoint"
    foreign = hall.note(10, b"a third", count=1).read_bytes().split(b"\n\n")[1]
    note.write_bytes(note.read_bytes().split(b"\n\n")[0] + b"\n\n" + foreign)
    with serving(a=hall.tiles(10), b=shown) as copies:
        assert post.kinds(copies, code=3) == [("copy_unsigned", "b")]


def test_a_report_counts_once_the_contract_shows_it_and_a_forged_receipt_is_none(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = Hall(terminal, tmp_path / "forged", founded(bytes(20), "forged", SLOW))
    liar.live()
    watcher = Post(liar, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    with HostileEndpoint(terminal.devnet.url) as forger, serving(a=liar.tiles(10), b=liar.tiles(10, FORK)) as copies:
        forger.disturb("eth_sendRawTransaction", Fault(asks=0))
        forger.lie("eth_sendRawTransaction", lambda params, _: f"0x{keccak256(bytes.fromhex(params[0][2:])).hex()}")
        forger.lie("eth_getTransactionReceipt", lambda params, _: receipt(params[0]))
        watcher.urls = [forger.url, *watcher.urls]
        watcher.look(copies, *paying, code=1)
        assert "report sent" in watcher.said
        watcher.look(copies, *paying, code=1)
        assert "report" not in watcher.said.replace(str(tmp_path), "")  # it may be on its way yet
        assert liar.head.state == "active"
        monkeypatch.setattr(filing, "SETTLED", -1_000_000)  # it would be final now
        watcher.look(copies, *paying, code=1)
        assert liar.head.state == "frozen"
        assert not list((watcher.state / "evidence").glob("*/reported.txt"))
        liar.settle()
        watcher.look(copies, *paying, code=1)
        assert len(list((watcher.state / "evidence").glob("*/reported.txt"))) == 2


def receipt(tx: str) -> dict[str, Any]:
    """What an endpoint may say of a transaction that nobody has seen."""
    return {
        "transactionHash": tx, "transactionIndex": "0x0", "status": "0x1", "blockNumber": "0x1", "blockHash": "0x" + "11" * 32, "gasUsed": "0x5208",
        "effectiveGasPrice": "0x1", "contractAddress": None, "logs": [],
    }  # fmt: skip


def test_the_contract_names_two_of_four_and_is_told_once(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liars = Hall(terminal, tmp_path / "two", founded(bytes(20), "two", SLOW))
    liars.live()
    watcher = Post(liars, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    shown = few_signed(liars, 10, FORK, 2)
    liars.report("equivocation", liars.note(10), liars.note(10, FORK, count=1))  # an accomplice names one, first
    liars.settle()
    monkeypatch.setattr(filing, "SETTLED", -1_000_000)
    with serving(a=liars.tiles(10), b=shown) as copies:
        watcher.look(copies, *paying, code=1)
        assert watcher.said.count("report sent") == 1
        liars.settle()
        for reported in (2, 0):
            watcher.look(copies, *paying, code=1)
            assert watcher.said.count("reported:") == reported
            assert "report sent" not in watcher.said
    assert liars.head.state == "active"


def test_a_fork_that_the_log_has_outgrown_is_shown_by_the_tiles_of_today(terminal: Terminal, tmp_path: Path) -> None:
    """The evidence is older than the anchor that the contract compares with."""
    liar = Hall(terminal, tmp_path / "outgrown", founded(bytes(20), "outgrown", SLOW))
    liar.anchor(5)
    liar.settle()
    watcher = Post(liar, tmp_path)
    with serving(a=liar.tiles(7), b=liar.tiles(6, FORK)) as copies:
        watcher.look(copies, code=1)
    liar.anchor(9)
    liar.settle()
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    with serving(a=liar.tiles(7)) as copies:  # nobody has tiles up to the anchor
        watcher.look({**copies, "b": AWAY}, *paying, code=1)
    assert "a history up to size 9; this one ends at 7" in watcher.said
    assert liar.head.state == "active"
    with serving(a=liar.tiles(10)) as copies:
        watcher.look({**copies, "b": AWAY}, *paying, code=1)
    assert liar.head.state == "frozen"


def test_a_flood_of_reports_hides_none(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may have the contract name a member as often as he pays for it."""
    liars = Hall(terminal, tmp_path / "flood", founded(bytes(20), "flood", SLOW))
    liars.live()
    watcher = Post(liars, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    monkeypatch.setattr(history, "MAX_DISTINCT", 2)
    for salt in (b"one", b"two", b"three", b"four"):  # by the same two members, at the size of what we shall report
        liars.report("equivocation", liars.note(10, count=2), liars.note(10, salt, count=2))
    shown = few_signed(liars, 10, FORK, 2)
    with serving(a=liars.tiles(10), b=shown) as copies:
        watcher.look(copies, *paying, code=1)
        assert watcher.said.count("report sent") == 1
        liars.settle()
        watcher.look(copies, *paying, code=1)
        assert watcher.said.count("reported:") == 2


def test_the_budget_holds_small_reports_back_and_tells_and_files_later(terminal: Terminal, tmp_path: Path) -> None:
    liars = Hall(terminal, tmp_path / "poor", founded(bytes(20), "poor", SLOW))
    liars.live()
    watcher = Post(liars, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    heard: list[tuple[str, str, str]] = []

    def handle(_method: str, _path: str, body: bytes) -> Reply:
        said = json.loads(body)
        heard.append((said["what"], said["kind"], said["about"]))
        return Reply(204, b"")

    hook = WebServer("127.0.0.1", 0, handle, 1 << 16)
    hook.start()
    telling = ("--notify", f"webhook:http://127.0.0.1:{hook.port}/")
    held = ("report_held", f"two histories, one of size 10, root {liars.checkpoint(10, FORK).root.hex()[:16]}…")
    try:
        with serving(a=liars.tiles(10), b=few_signed(liars, 10, FORK, 2)) as copies:
            for _ in range(2):
                assert held in watcher.kinds(copies, more=(*paying, *telling, "--report-budget", "0"))
                assert not list((watcher.state / "evidence").glob("*/asked.txt"))
            watcher.kinds(copies, more=(*paying, *telling))
            assert watcher.said.count("report sent") == 1
            spent = json.loads((watcher.state / "spent.json").read_text())["spent"]
            assert [one["report"] for one in spent] == ["naming"]
            assert held not in watcher.kinds(copies, more=(*paying, *telling))
    finally:
        hook.close()
    assert [one for one in heard if one[1] == "report_held"] == [("raised", *held), ("cleared", *held)]


def test_a_price_out_of_all_proportion_is_not_paid_and_another_endpoint_is_asked(
    terminal: Terminal, tmp_path: Path
) -> None:
    liar = Hall(terminal, tmp_path / "dear", founded(bytes(20), "dear", SLOW))
    liar.live()
    watcher = Post(liar, tmp_path)
    paying = ("--report", "--key", terminal.key, "--password-file", terminal.password)
    with HostileEndpoint(terminal.devnet.url) as dear, serving(a=liar.tiles(10), b=liar.tiles(10, FORK)) as copies:
        dear.lie("eth_maxPriorityFeePerGas", lambda *_: hex(10**12))
        watcher.urls = [dear.url, *watcher.urls]
        watcher.look(copies, *paying, code=1)
        assert dear.asked("eth_sendRawTransaction") == 0
    assert liar.head.state == "frozen"
    (spent,) = json.loads((watcher.state / "spent.json").read_text())["spent"]
    assert spent["report"] == "ending"


@pytest.mark.parametrize("nth", range(12))
def test_a_death_at_any_write_of_evidence_leaves_what_the_next_look_makes_whole(
    hall: Hall, post: Post, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    class Killed(BaseException):
        """As SIGKILL: nothing behind it runs."""

    left = [nth]
    honest = {name: getattr(Path, name) for name in ("write_text", "write_bytes", "replace")}

    def dying(name: str) -> Any:
        def write(path: Path, *given: Any, **more: Any) -> Any:
            if "evidence" in path.parts:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
            return honest[name](path, *given, **more)

        return write

    with serving(a=hall.tiles(10), b=few_signed(hall, 10, FORK, 2)) as copies:
        for name in honest:
            monkeypatch.setattr(Path, name, dying(name))
        with pytest.raises(Killed):
            post.look(copies)
        monkeypatch.undo()
        post.look(copies, code=1)
    place = post.state / "evidence" / "a~few@b"
    assert (place / "finding.json").exists()
    hall.report("equivocation", place / "one.note", place / "other.note", "--dry-run")


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_program_and_a_webhook_are_told_what_came_and_what_went_and_again_if_they_were_away(
    hall: Hall, post: Post, tmp_path: Path
) -> None:
    program, heard = tmp_path / "hear", tmp_path / "heard"
    program.write_text(f'#!/bin/sh\necho "$1 $2 $3" >> {heard}\ncat >> {heard}\necho >> {heard}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    posted: list[Any] = []
    status = [503]

    def handle(method: str, _path: str, body: bytes) -> Reply:
        posted.append((method, json.loads(body)))
        return Reply(status[0], b"")

    hook = WebServer("127.0.0.1", 0, handle, 1 << 16)
    hook.start()
    (secret := tmp_path / "url").write_text(f"http://127.0.0.1:{hook.port}/?key=s3cret\n")
    targets = ("--notify", f"command:{program}", "--notify", f"webhook:file:{secret}")
    try:
        post.look({"b": AWAY}, *targets, code=3)
        assert "webhook" in post.said
        assert "s3cret" not in post.said + (post.state / FILE).read_text()
        status[0] = 204
        post.look({"b": AWAY}, *targets, code=3)
        with serving(b=hall.tiles(9)) as copies:
            post.look(copies, *targets, code=0)
    finally:
        hook.close()
    assert [body["what"] for _, body in posted] == ["raised", "raised", "cleared"]
    assert posted[1][1]["log_id"] == hall.log_id.hex()
    words = heard.read_text().splitlines()
    assert words[0::2] == ["raised late copy_silent", "cleared late copy_silent"]
    assert json.loads(words[1])["about"] == "b"


def test_a_fault_of_ours_ends_it_after_everything_else_was_told(
    hall: Hall, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Copy.look

    def failing(copy: Copy, *given: Any) -> CopySight:
        return look(copy, *given) if copy.name != "c" else CopySight(detail=str(1 // 0))

    monkeypatch.setattr(Copy, "look", failing)
    with serving(a=hall.tiles(10), b=hall.tiles(10, FORK), c=hall.tiles(10)) as copies:
        with pytest.raises(ZeroDivisionError) as caught:
            post.look(copies)
        monkeypatch.undo()
        active = [one["finding"]["about"] for one in json.loads((post.state / FILE).read_text())["active"]]
        assert active == ["a / b", "b / the public chain"]
    assert caught.value.__notes__ == ["while the copy c was looked at"]
    assert [place.name for place in post.evidence()] == ["a~b", "b~chain"]


def test_two_webhooks_are_two_targets_and_one_that_hangs_is_tried_once_a_look(hall: Hall, post: Post) -> None:
    del hall
    heard: dict[int, list[str]] = {1: [], 2: []}

    def hook(number: int, status: int) -> WebServer:
        def handle(_method: str, _path: str, body: bytes) -> Reply:
            heard[number].append(json.loads(body)["about"])
            return Reply(status, b"")

        made = WebServer("127.0.0.1", 0, handle, 1 << 16)
        made.start()
        return made

    hooks = hook(1, 500), hook(2, 200)
    targets = [word for one in hooks for word in ("--notify", f"webhook:http://127.0.0.1:{one.port}/")]
    try:
        post.look({"b": AWAY, "c": AWAY}, *targets, code=3)
        with pytest.raises(click.UsageError):
            post.look({}, *targets[:2], *targets[:2])
    finally:
        for one in hooks:
            one.close()
    assert heard == {1: ["b"], 2: ["b", "c"]}
    assert len(json.loads((post.state / FILE).read_text())["untold"]) == 2


class _Mail(socketserver.StreamRequestHandler):
    """As much SMTP as one mail needs (RFC 5321)."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        mail = b""
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    mail += line
                self.server.mails.append(mail.decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


def test_a_mail_is_sent(hall: Hall, post: Post) -> None:
    del hall
    with socketserver.TCPServer(("127.0.0.1", 0), _Mail) as server:
        server.mails = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        smtp = f"127.0.0.1:{server.server_address[1]}"
        post.look({"b": AWAY}, "--notify", "email:ops@example.org", "--smtp", smtp, code=3)
        server.shutdown()
        (mail,) = server.mails  # type: ignore[attr-defined]
    assert "Subject: [hybrid-bridge] raised: late, copy_silent (b)" in mail
    assert "To: ops@example.org" in mail


# ── the program ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_runs_until_it_is_told_to_stop_and_shows_its_metrics(hall: Hall, post: Post) -> None:
    (port,) = free_ports(1)
    words = ["--consortium", post.file({"b": AWAY}), "--state", post.state, "--every", "1"]
    given = [sys.executable, "-m", "hybrid_bridge", "watch", *map(str, words), "--metrics", f"127.0.0.1:{port}"]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "raised late: copy_silent (b)" in process.stdout.readline()
            page = Service("watcher", f"http://127.0.0.1:{port}").get("/metrics").body.decode()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert f'hybrid_watch_findings{{kind="copy_silent",log="0x{hall.log_id.hex()}",severity="late"}} 1.0' in page
    assert 'source="chain"} 9.0' in page


class _Stuck(socketserver.BaseRequestHandler):
    """Sends the head of an answer, then a byte now and then, or nothing any more."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        self.server.reached.release()  # type: ignore[attr-defined]
        while not self.server.free.wait(0.2):  # type: ignore[attr-defined]
            if self.server.drips:  # type: ignore[attr-defined]
                self.request.sendall(b"x")


class _Full(socketserver.ThreadingTCPServer):
    request_queue_size = 64  # a shorter queue drops callers who come at once, and they try again a second later
    daemon_threads = True


@contextmanager
def stuck(*, drips: bool) -> Iterator[Any]:
    with _Full(("127.0.0.1", 0), _Stuck) as server:
        server.free, server.reached, server.drips = threading.Event(), threading.Semaphore(0), drips  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.free.set()  # type: ignore[attr-defined]
            server.shutdown()


@pytest.mark.parametrize("drips", [False, True])
def test_a_split_is_found_while_ten_copies_hang_or_drip(
    hall: Hall, post: Post, monkeypatch: pytest.MonkeyPatch, drips: bool
) -> None:
    monkeypatch.setattr(asking, "BUDGET", 5.0)
    with stuck(drips=drips) as server, serving(a=hall.tiles(10), b=hall.tiles(10, FORK)) as copies:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        kinds = post.kinds({**{f"dead-{n}": url for n in range(10)}, **copies}, code=1)
        for _ in range(10):
            assert server.reached.acquire(timeout=0)
    assert ("split_view", "a / b") in kinds
    assert [about for kind, about in kinds if kind == "copy_silent"] == [f"dead-{n}" for n in range(10)]


@pytest.mark.parametrize("drips", [False, True])
def test_an_endpoint_that_hangs_or_drips_is_named_and_costs_each_look_one_call(
    hall: Hall, post: Post, monkeypatch: pytest.MonkeyPatch, drips: bool
) -> None:
    monkeypatch.setattr(JsonRpc.__init__, "__defaults__", (4,))  # seconds of a call
    monkeypatch.setattr(abreast, "TIMEOUT", 4)
    url = post.urls[0].rstrip("/")
    with stuck(drips=drips) as server:
        dead = f"http://127.0.0.1:{server.server_address[1]}/"
        post.urls = [dead, *post.urls, f"{dead}2", f"{url}/third"]
        with serving(a=hall.tiles(10), b=hall.tiles(10, FORK)) as copies:
            for _ in range(2):
                kinds = post.kinds(copies, code=1)
                assert ("split_view", "b / the public chain") in kinds
                assert [about for kind, about in kinds if kind == "endpoint_silent"] == ["endpoint 1", "endpoint 4"]
                assert [server.reached.acquire(timeout=0) for _ in range(3)] == [True, True, False]


def test_it_ends_while_endpoints_hang(hall: Hall, post: Post) -> None:
    with stuck(drips=True) as server:
        post.urls = [f"http://127.0.0.1:{server.server_address[1]}/"]
        words = ["--consortium", post.file({}), "--state", post.state]
        given = [sys.executable, "-m", "hybrid_bridge", "watch", *map(str, words)]
        with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert server.reached.acquire(timeout=60)
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
                assert process.stdout is not None
                assert process.stdout.read() == ""
            finally:
                process.kill()
    assert not (post.state / FILE).exists()
    assert hall.head.state == "active"


def test_it_ends_while_copies_hang_and_holds_nothing_against_them(hall: Hall, post: Post) -> None:
    with stuck(drips=True) as server:
        words = ["--consortium", post.file({"b": f"http://127.0.0.1:{server.server_address[1]}/"})]
        given = [sys.executable, "-m", "hybrid_bridge", "watch", *map(str, words), "--state", str(post.state)]
        with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert server.reached.acquire(timeout=60)
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0  # an exchange may take 20
                assert process.stdout is not None
                assert process.stdout.read() == ""
            finally:
                process.kill()
    assert not (post.state / FILE).exists()
    assert hall.head.state == "active"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("log = 7", "log"),
        ('log = "12"', "log"),
        ("rpc = []", "rpc"),
        ("rpc = [7]", "rpc"),
        ("unknown = 1", "unknown"),
        ("threshold = -1", "threshold"),
        ("threshold = true", "threshold"),
        ('contract = "0x12"', "contract"),
        ("copies = {a = 1}", "copies"),
        ('copies = {"../a" = "http://x"}', "copies"),
        ('copies = {chain = "http://x"}', "copies"),
        ('rpc = ["file:/nowhere/at/all"]', "rpc"),
        ("= =", "--consortium"),
    ],
)
def test_a_file_that_does_not_say_what_is_watched_is_refused(tmp_path: Path, line: str, key: str) -> None:
    good = {"log": f'"{"11" * 32}"', "rpc": '["http://127.0.0.1:9"]'}
    good.pop(line.split(" ", maxsplit=1)[0], None)
    (tmp_path / "c.toml").write_text("\n".join([*(f"{k} = {v}" for k, v in good.items()), line]))
    with pytest.raises(SettingsMalformed) as caught:
        refused(tmp_path)
    assert caught.value.key == key


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('rpc = ["http://127.0.0.1:9"]')
    with pytest.raises(SettingsMalformed) as caught:
        refused(tmp_path)
    assert caught.value.key == "log"


def refused(folder: Path, *more: str) -> None:
    given = ["--consortium", str(folder / "c.toml"), "--state", str(folder / "s"), "--once", *more]
    done = CliRunner().invoke(command, given, standalone_mode=False)
    assert isinstance(done.exception, BridgeError), done.output
    raise done.exception


@pytest.mark.parametrize(
    "target",
    ["pigeon:home", "webhook:", "command:/nowhere", "email:nobody", "email:a@b.example", "email:a@", "command:/tmp"],
)
def test_a_target_that_cannot_be_told_is_refused(post: Post, target: str) -> None:
    with pytest.raises(SettingsMalformed):
        post.look({}, "--notify", target)


def test_what_was_remembered_is_of_one_log_and_whole(hall: Hall, post: Post) -> None:
    post.look({}, code=0)
    path = post.state / FILE
    good = path.read_text()
    for bad in (good[:-5], good.replace("watcher/v1", "watcher/v2"), good.replace('"set_id": 1', '"set_id": -1')):
        path.write_text(bad)
        with pytest.raises(StoreBroken):
            post.look({})
    path.write_text(good.replace(json.loads(good)["log_id"], "A" * 43))
    with pytest.raises(StoreBroken):
        post.look({})


def test_what_was_remembered_must_be_a_file(post: Post) -> None:
    (post.state / FILE).mkdir(parents=True)
    with pytest.raises(StoreBroken):
        post.look({})


def test_a_folder_that_cannot_be_written_is_a_wrong_option(post: Post) -> None:
    (post.state / "lock").mkdir(parents=True)
    with pytest.raises(SettingsMalformed):
        post.look({})


def test_a_folder_is_one_watchers(post: Post) -> None:
    post.state.mkdir()
    with (post.state / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StoreInUse):
            post.look({})


def test_a_log_that_the_contract_does_not_know_is_a_mistake(post: Post) -> None:
    with pytest.raises(UnknownLog):
        post.look({}, log="11" * 32)


def test_an_address_without_a_contract_is_a_mistake(post: Post) -> None:
    with pytest.raises(SettingsMalformed):
        post.look({}, contract="0x" + "12" * 20)
