"""`hybrid-bridge explorer build` against a real EVM: a log that anchored, rotated, paused, was late and was reported."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from hybrid_bridge.adapters.evm import history, keepers
from hybrid_bridge.adapters.evm.calls import names_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.web.serving import WebServer
from hybrid_bridge.cli.explorer import command
from hybrid_bridge.cli.explorer.marks import SOURCES
from hybrid_bridge.cli.explorer.page import page_of
from hybrid_bridge.cli.explorer.serving import reply_to as page_reply
from hybrid_bridge.cli.tiles import reply_to
from hybrid_bridge.core.checkpoint import format_note
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.epoch import BRAKE_ON, EpochRecord
from hybrid_bridge.core.note import NoteLine
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tiles import CHECKPOINT, entry_bundles, hash_tiles
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.core.validators import name_text
from hybrid_bridge.errors import BridgeError, FieldMismatch, Missing, RootMismatch, Unreachable
from hybrid_bridge.units import LeafIndex, TreeSize
from tests.evm.chains import NOW
from tests.evm.town import NAMES, REASON, Town, founded, opened
from tests.web.browsing import explore

CADENCE, GRACE = 4000, 600
GENESIS = NOW - 36_000
FORK = b"another history"


class Eventful(Town):
    """Size 10 has its boundary at NOW. Set 2 is responsible from 12 on. After 11 nobody anchors until much too late."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.records = [self.genesis.encode(), *(self.record(n) for n in range(1, 20))]
        self.leaves = [leaf_hash(record) for record in self.records]

    def record(self, epoch: int) -> bytes:
        """Closed seven seconds late, with the brake on in three of them."""
        digest, hashes = sha256(b"%d" % epoch), ("last_block_hash", "batch_root", "registry_root", "governance_root")
        return EpochRecord(
            log_id=self.log_id,
            epoch=epoch,
            first_block=epoch,
            end_block=epoch + 1,
            batch_size=8,
            governance_size=1,
            set_id=1,
            set_hash=self.genesis.set_hash,
            closed_at=GENESIS + epoch * CADENCE + 7,
            flags=BRAKE_ON if epoch in (4, 5, 7) else 0,
            stats_commitment=digest,
            blind=digest,
            **dict.fromkeys(hashes, digest),
        ).encode()

    def live(self) -> None:
        self.anchor(9)
        self.later(500)
        self.anchor(10)
        alone = ("pause-alone", "--log", self.log_id.hex(), "--reason", REASON, "--for", 1000, *self.sending)
        self.terminal.json(*alone)
        self.report("equivocation", self.note(12), self.note(12, FORK, count=2))
        self.report("equivocation", self.note(12), self.note(12, FORK, count=2))  # anybody may, again and again
        self.later(1600)
        self.paused(900)
        self.later(1900)
        self.send("resume", self.signed(self.draft("resume")))
        self.publish()
        self.later(4100)
        self.first = self.validators
        self.second = self.rotate(12)
        self.anchor(11)
        self.later(20_000)
        self.validators = self.second
        self.anchor(14)
        self.later(26_000)
        self.settle()

    def later(self, seconds: int) -> None:
        self.terminal.now = NOW + seconds
        self.chain.rpc.ask("evm_mine")

    def signs(self, address: bytes, names: str) -> bool:
        keys = {n: bytes.fromhex((self.folder / "nodes" / n / "keys" / "attestation.key").read_text()) for n in names}
        return self.keys[address] in keys.values()

    def size_of(self, tiles: Path) -> int:
        return int((tiles / "checkpoint").read_text().splitlines()[1])

    def publish(self) -> None:
        """Two names, by somebody."""
        texts = {sha256(text.encode()): text for text in (name_text(f"LEI:{n.upper()}", n) for n in NAMES[:2])}
        names = [texts.get(entry.name_hash, "") for entry in self.validators.entries]
        self.sent(names_calldata(self.log_id, self.validators.encode_entries(), names))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eventful]:
    folder = tmp_path_factory.mktemp("explorer")
    with opened(folder) as terminal:
        town = Eventful(terminal, folder / "town", founded(terminal.address, "explorer", CADENCE))
        town.live()
        yield town


def built(town: Town, folder: Path, *more: object, refused: type[BridgeError] | None = None, **how: Any) -> Any:
    urls = how.get("urls") or [town.terminal.devnet.url]
    given = [word for url in urls for word in ("--rpc", url)]
    given += ["--contract", "0x" + town.chain.contract.hex(), "--log", town.log_id.hex(), "--output", folder, *more]
    done = CliRunner().invoke(command, ["build", *(str(part) for part in given)])
    if refused is not None:
        assert isinstance(done.exception, refused), (done.output, done.exception)
        return done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads((folder / "explorer.json").read_text())


@pytest.fixture(scope="module")
def shown(town: Eventful, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return built(town, tmp_path_factory.mktemp("built"))


def bare(value: Any) -> Any:
    """Without the sources."""
    if isinstance(value, dict):
        return value["value"] if set(value) == {"value", "source"} else {k: bare(v) for k, v in value.items()}
    return [bare(one) for one in value] if isinstance(value, list) else value


def hexed(value: bytes) -> str:
    return f"0x{value.hex()}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that has no mark above it."""
    if isinstance(value, Mapping):
        if set(value) == {"value", "source"}:
            assert value["source"] in SOURCES, path
            return
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def test_every_value_says_whose_word_it_is(shown: Any) -> None:
    unmarked = [path for path, value in leaves(shown) if not path.startswith(".sources.")]
    assert unmarked == [".format"]
    assert set(shown["sources"]) == set(SOURCES)
    assert "one endpoint that calls public block" in shown["sources"]["chain"]


def test_names_are_the_consortiums_word_unless_your_own_root_certifies_them(town: Eventful, tmp_path: Path) -> None:
    def names(shown: Any) -> set[tuple[str | None, str]]:
        return {(k["name"]["value"], k["name"]["source"]) for k in shown["sets"][1]["keepers"]}

    assert names(built(town, tmp_path)) == {("a", "word"), ("b", "word"), (None, "nobody")}  # a and b were published
    files = ("--names", town.folder / "public" / "members.json")
    shown = built(town, tmp_path, *files)
    assert names(shown) == {(name, "word") for name in NAMES}
    assert {shown["sets"][1][number]["source"] for number in ("entities", "to_sign", "to_block")} == {"word"}
    pem = load_pem_x509_certificate((town.folder / "public" / "ca.pem").read_bytes())
    (trust := tmp_path / "trust.json").write_bytes(Trust(member_roots=(pem.public_bytes(Encoding.DER),)).encode())
    shown = built(town, tmp_path, *files, "--trust", trust)
    assert names(shown) == {(name, "certified") for name in NAMES}
    assert (shown["sets"][1]["to_sign"], shown["sets"][1]["entities"]) == (
        {"value": 3, "source": "certified"},
        {"value": 4, "source": "certified"},
    )


def test_each_anchor_has_its_signers_its_delay_its_cost_and_its_place(town: Eventful, shown: Any) -> None:
    anchors = bare(shown["anchors"])
    assert [(one["size"], one["set_id"], one["boundary"] - NOW) for one in anchors] == [
        (9, 1, -4000),
        (10, 1, 0),
        (11, 1, 4000),
        (14, 2, 16_000),
    ]
    assert anchors[3]["signers"] == [hexed(address) for address in town.second.addresses[:3]]
    assert shown["anchors"][3]["signers"]["source"] == "signature"
    assert [one["named_only"] for one in anchors] == [[]] * 4
    assert all(one["delay"] == one["anchored_at"] - one["boundary"] > 0 for one in anchors)
    for one in anchors:
        receipt = town.chain.receipt(bytes.fromhex(one["transaction"][2:]))
        assert receipt is not None
        assert (one["gas"], one["price_wei"], one["block"]) == (
            receipt.gas_used,
            str(receipt.price),
            receipt.block_number,
        )
        assert int(one["cost_wei"]) == one["gas"] * int(one["price_wei"])
    costs = bare(shown["costs"])
    assert (costs["transactions"], costs["without_receipt"]) == (4, 0)
    assert int(costs["wei"]) == sum(int(one["cost_wei"]) for one in anchors)
    assert int(costs["mean_wei"]) == int(costs["wei"]) // 4
    assert costs["gas"] == sum(one["gas"] for one in anchors)


def test_every_period_without_a_checkpoint_in_time_is_told_and_the_present_one_goes_on(shown: Any) -> None:
    found = bare(shown["freshness"])
    registered, gap, now = found["periods"]
    assert (registered["size"], registered["ends"]) == (1, bare(shown["anchors"])[0]["anchored_at"])
    due = NOW + 4000 + CADENCE + GRACE
    assert (gap["size"], gap["begins"], gap["ends"]) == (11, due, bare(shown["anchors"])[3]["anchored_at"])
    assert (now["size"], now["ends"], now["seconds"]) == (14, None, found["overdue"])
    assert found["due"] == NOW + 16_000 + CADENCE + GRACE
    assert found["overdue"] == bare(shown["as_of"])["time"] - found["due"] > 0


def test_a_pause_says_who_made_it_until_when_and_who_lifted_it(town: Eventful, shown: Any) -> None:
    guardians, quorums = bare(shown["pauses"])
    assert (guardians["by"], guardians["guardian"], guardians["signers"]) == (
        "guardian",
        hexed(town.genesis.guardian),
        [],
    )
    assert (guardians["outcome"], guardians["ended_at"]) == ("ran out", guardians["until"])
    three = [hexed(a) for a in town.first.addresses if town.signs(a, "abc")]
    assert (quorums["by"], quorums["guardian"], quorums["signers"], quorums["lifted_by"]) == (
        "quorum",
        None,
        three,
        three,
    )
    assert (quorums["outcome"], quorums["ended_at"] < quorums["until"]) == ("lifted", True)
    assert quorums["reason_hash"] == hexed(sha256(REASON.encode()))


def test_a_rotation_shows_who_appointed_whom_and_when_the_new_set_took_over(town: Eventful, shown: Any) -> None:
    first, second = bare(shown["sets"])
    assert (first["state"], first["to_size"], first["appointed_by"], first["first_anchor"]) == ("past", 11, [], 9)
    assert (second["state"], second["from_size"], second["first_anchor"]) == ("in force", 12, 14)
    assert second["appointed_by"] == [hexed(address) for address in town.first.addresses[:3]]
    assert second["announced_at"] < second["first_anchored_at"]
    (changed,) = [k for k in second["keepers"] if k["address"] not in {o["address"] for o in first["keepers"]}]
    assert [key["set_id"] for key in changed["keys"]] == [1, 2]
    assert changed["keys"][1]["address"] == changed["address"]
    assert all([key["set_id"] for key in k["keys"]] == [1] for k in second["keepers"] if k is not changed)
    assert (shown["sets"][0]["q"]["source"], shown["sets"][1]["q"]["source"]) == ("log_id", "chain")


def test_who_signed_two_roots_is_named_once_however_often_it_is_reported(town: Eventful, shown: Any) -> None:
    (report,) = bare(shown["reports"])
    assert (report["kind"], report["size"], report["set_id"], report["froze"]) == ("equivocation", 12, 1, False)
    assert report["members"] == [hexed(address) for address in town.first.addresses[:2]]
    roots = {hexed(town.checkpoint(12).root), hexed(town.checkpoint(12, FORK).root)}
    assert {report["root"], report["other_root"]} == roots
    assert shown["ends"] == []


def test_a_quorum_that_contradicts_itself_ends_the_log_and_its_delays_and_no_endpoint_can_hide_it(
    town: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Town(town.terminal, tmp_path / "other", founded(bytes(20), "ended", CADENCE))
    other.anchor(15)
    other.report("equivocation", other.note(16), other.note(16, FORK))
    other.settle()
    shown = built(other, tmp_path / "out")
    assert (shown["log"]["state"]["value"], bare(shown["ends"])[0]["how"]) == ("frozen", "frozen")
    assert bare(shown["reports"])[0]["froze"]
    assert bare(shown["freshness"])["overdue"] == 0
    assert bare(shown["freshness"])["due"] is None
    assert all(period["ends"] is not None for period in bare(shown["freshness"])["periods"])
    honest = history._events

    def withheld(*given: Any) -> Any:
        found, left_out = honest(*given)
        return tuple(one for one in found if one[0] not in ("Frozen", "Equivocated")), left_out

    monkeypatch.setattr(history, "_events", withheld)
    assert "the events that left the log frozen" in built(other, tmp_path / "out", refused=Missing).what


def test_a_log_that_never_anchored_has_a_page_too_and_it_is_served(town: Eventful, tmp_path: Path) -> None:
    other = Town(town.terminal, tmp_path / "other", founded(bytes(20), "silent", CADENCE))
    other.settle()
    other.settle()
    shown = built(other, tmp_path / "out")
    assert (shown["anchors"], bare(shown["anchors_read"])) == ([], {"all": True, "first_size": 1})
    assert (bare(shown["costs"])["wei"], bare(shown["costs"])["mean_wei"]) == ("0", None)
    assert [(period["size"], period["ends"]) for period in bare(shown["freshness"])["periods"]] == [(1, None)]
    assert bare(shown["log"])["guardian"] is None
    server = WebServer("127.0.0.1", 0, lambda method, path, _: page_reply(tmp_path / "out", method, path), 0)
    server.start()
    try:
        url = f"http://127.0.0.1:{server.port}/"
        (one,) = explore({"page": url, "look": LOOK, "fill": {"find": "1"}, "click": [".finder button"]})
    finally:
        server.close()
    assert (one["looked"]["state"], one["looked"]["rows"], one["looked"]["drawn"]) == ("overdue", [], [0, 0, 0, 0])
    assert one["looked"]["detail"] == "No anchor that was looked at covers that size."


def test_what_anybody_may_send_is_bounded_and_no_error(
    town: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_DISTINCT", 1)
    shown = built(town, tmp_path)
    assert len({one["name"]["value"] for one in shown["sets"][0]["keepers"]} - {None}) == 2  # the sets bound names
    assert (len(shown["reports"]), shown["reports_left_out"]) == (1, {"value": 0, "source": "chain"})
    monkeypatch.setattr(history, "MAX_EVENTS", 1)
    assert "the log's events" in built(town, tmp_path, refused=Missing).what


# ── copies of the log ────────────────────────────────────────────────────────────────────────────────────────────────


def with_records(town: Eventful, folder: Path) -> Path:
    for path, data in entry_bundles(town.records[: town.size_of(folder)]):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def closed(shown: Any) -> list[tuple[int | None, str]]:
    return [(one["epoch_closed_at"]["value"], one["epoch_closed_at"]["source"]) for one in shown["anchors"]]


def test_a_copy_with_records_tells_when_epochs_closed_and_one_of_hashes_does_not(
    town: Eventful, tmp_path: Path
) -> None:
    copy = town.tiles(14)
    shown = built(town, tmp_path, "--log-copy", copy)
    assert closed(shown) == [(None, "nobody")] * 4
    assert (shown["brakes"]["epochs_read"], shown["brakes"]["periods"]) == ({"value": None, "source": "nobody"}, [])
    with_records(town, copy)
    known = [(GENESIS + (size - 1) * CADENCE + 7, "copy") for size in (9, 10, 11, 14)]
    shown = built(town, tmp_path, "--log-copy", copy)
    assert closed(shown) == known
    assert [one["size"]["value"] for one in shown["notes"]] == [14]
    assert shown["brakes"]["epochs_read"] == {"value": 13, "source": "copy"}
    start = [GENESIS + (epoch - 1) * CADENCE for epoch in (4, 6, 7, 8)]
    assert [tuple(one.values()) for one in bare(shown["brakes"]["periods"])] == [
        (start[0], start[1], 4, 5),
        (start[2], start[3], 7, 7),
    ]
    server = WebServer("127.0.0.1", 0, lambda method, path, _: reply_to(copy, method, path, hashes_only=False), 0)
    server.start()
    try:
        served = built(town, tmp_path, "--log-copy", f"http://127.0.0.1:{server.port}/")
    finally:
        server.close()
    assert closed(served) == known
    assert served["notes"][0]["file"] == {"value": "copy 1", "source": "builder"}


def test_a_record_that_is_not_the_leaf_and_a_copy_of_another_history_are_refuted(
    town: Eventful, tmp_path: Path
) -> None:
    copy = with_records(town, town.tiles(15))
    (bundle,) = (path for path in (copy / "tile" / "entries").rglob("*") if path.is_file())
    changed = bytearray(bundle.read_bytes())
    changed[-643] ^= 1  # the last byte of the record before the last
    bundle.write_bytes(changed)
    assert built(town, tmp_path, "--log-copy", copy, refused=FieldMismatch).field == "leaf 13"
    built(town, tmp_path, "--log-copy", town.tiles(16, FORK), refused=RootMismatch)
    assert not (tmp_path / "index.html").exists()


def made_up(town: Eventful, folder: Path, size: int, honest: int) -> Path:
    """A copy that leaves the log after so many leaves: later epochs closed when it pleases, all with the brake on."""
    records = town.records[:honest]
    records += [replace(EpochRecord.decode(r), flags=BRAKE_ON, closed_at=1).encode() for r in town.records[honest:size]]  # type: ignore[arg-type]
    tree = Tree()
    tree.extend([leaf_hash(record) for record in records])
    for path, data in [*hash_tiles([tree.leaf(LeafIndex(n)) for n in range(size)]), *entry_bundles(records)]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    line = NoteLine("central-bank.example", b"\1\2\3\4", bytes(72))
    (folder / CHECKPOINT).write_text(format_note(town.origin, TreeSize(size), tree.root(), [line]))
    return folder


def test_what_a_copy_says_beyond_the_largest_anchored_size_is_not_proven_and_not_shown(
    town: Eventful, tmp_path: Path
) -> None:
    shown = built(town, tmp_path, "--log-copy", made_up(town, tmp_path / "one", 13, honest=11))
    assert shown["brakes"]["epochs_read"] == {"value": 10, "source": "copy"}
    assert [bare(one)["last_epoch"] for one in shown["brakes"]["periods"]] == [5, 7]
    assert (shown["notes"], bare(shown["notes_left_out"])) == (
        [],
        [{"size": 13, "file": "one", "reason": "signed by nobody of the set"}],
    )
    assert shown["notes_left_out"][0]["size"]["source"] == "claimed"
    wholly = made_up(town, tmp_path / "two", 13, honest=1)
    shown = built(town, tmp_path, "--anchors", 1, "--log-copy", wholly)  # 14 alone is read, and it ends before
    assert (shown["brakes"]["epochs_read"]["source"], shown["brakes"]["periods"]) == ("nobody", [])


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────


def three(town: Town) -> list[str]:
    url = town.terminal.devnet.url
    return [url, url.replace("127.0.0.1", "localhost"), url.rstrip("/") + "/third"]


def test_the_same_public_block_gives_the_same_bytes_whoever_is_asked_first(town: Eventful, tmp_path: Path) -> None:
    made = []
    first, second, third = three(town)
    (tmp_path / "url").write_text(f"{second}\n")
    for number, urls in enumerate(([first, second, third], [third, f"file:{tmp_path / 'url'}", first])):
        built(town, tmp_path / str(number), urls=urls)
        made.append([(tmp_path / str(number) / name).read_bytes() for name in ("index.html", "explorer.json")])
    assert made[0] == made[1]
    assert "2 of 3 endpoints that call public block" in made[0][1].decode()


def test_what_one_endpoint_of_three_makes_up_is_outvoted_and_of_two_is_nobodys(
    town: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Web3Chain.receipt

    def cheap(chain: Web3Chain, tx: Any) -> Any:
        answer = honest(chain, tx)
        return replace(answer, gas_used=1) if answer and chain.name == "endpoint 2" else answer

    monkeypatch.setattr(Web3Chain, "receipt", cheap)
    assert bare(built(town, tmp_path, urls=three(town))["anchors"])[0]["gas"] > 1
    shown = built(town, tmp_path, urls=three(town)[:2])
    assert {one["gas"]["source"] for one in shown["anchors"]} == {"nobody"}
    costs = bare(shown["costs"])
    assert (costs["without_receipt"], costs["mean_wei"], costs["wei"], costs["gas"]) == (4, None, None, None)
    assert {shown["costs"][name]["source"] for name in ("wei", "gas")} == {"nobody"}


@pytest.mark.parametrize("liars", [("endpoint 1",), ("endpoint 1", "endpoint 2")], ids=["one", "two"])
def test_an_endpoint_that_changes_what_was_sent_hides_no_signature_that_another_one_shows(
    town: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Any, liars: tuple[str, ...]
) -> None:
    honest = keepers._input

    def cut(chain: Web3Chain, tx: Any) -> Any:
        """The first half, or nothing of it."""
        data = honest(chain, tx) or b""
        halves = {"endpoint 1": data[: len(data) // 2], "endpoint 2": b"\x01\x02\x03"}
        return halves[chain.name] if chain.name in liars else data

    monkeypatch.setattr(keepers, "_input", cut)
    found = built(town, tmp_path, urls=three(town))
    for part in ("anchors", "pauses", "silent"):
        assert bare(found[part]) == bare(shown[part]), part
    assert bare(found["sets"][1]["appointed_by"]) == bare(shown["sets"][1]["appointed_by"]) != []


def test_endpoints_that_keep_no_events_do_not_make_a_log_look_as_if_it_never_anchored(
    town: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Web3Chain.anchored
    for kept in (lambda *given: [], lambda *given: honest(*given)[:-1]):
        monkeypatch.setattr(Web3Chain, "anchored", kept)
        assert built(town, tmp_path, refused=Missing).what.startswith("the event that anchored size 14")


def test_endpoints_that_are_away_leave_what_stood_there(town: Eventful, tmp_path: Path) -> None:
    built(town, tmp_path)
    before = (tmp_path / "index.html").read_bytes()
    built(town, tmp_path, urls=[town.terminal.devnet.url, "http://127.0.0.1:9"], refused=Missing)
    assert (tmp_path / "index.html").read_bytes() == before


def test_a_look_at_the_newest_anchors_says_from_where_it_looks(town: Eventful, tmp_path: Path) -> None:
    shown = built(town, tmp_path, "--anchors", 2)
    assert [one["size"]["value"] for one in shown["anchors"]] == [11, 14]
    assert bare(shown["anchors_read"]) == {"all": False, "first_size": 11}
    assert bare(shown["freshness"])["looked_from_size"] == 11
    assert [period["size"] for period in bare(shown["freshness"])["periods"]] == [11, 14]
    assert bare(built(town, tmp_path, "--anchors", 4)["anchors_read"])["all"]
    first, second = ((one["first_anchor"], one["first_anchored_at"]["source"]) for one in shown["sets"])
    assert first == ({"value": None, "source": "nobody"}, "nobody")  # 9 was not read
    assert second == ({"value": 14, "source": "chain"}, "chain")


def test_it_builds_anew_until_it_is_told_to_end_and_neither_an_endpoint_nor_a_copy_at_fault_ends_it(
    town: Eventful, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [False, False, False, True]

    class Ending:
        def wait(self, seconds: float) -> bool:
            assert seconds == 30
            if len(turns) == 4:
                monkeypatch.setattr(Web3Chain, "receipt", asked_again)
            note.write_text(whole if len(turns) != 3 else town.note(14, FORK).read_text())
            if len(turns) == 2:
                monkeypatch.setattr(Web3Chain, "finalized", away)
            return turns.pop(0)

    def asked_again(*_: Any) -> Any:
        pytest.fail("what is final was asked for again")

    def away(_: Web3Chain) -> Any:
        raise Unreachable(endpoint="endpoint 1", call="eth_getBlockByNumber")

    note = town.note(15)
    whole = note.read_text()
    monkeypatch.setattr("hybrid_bridge.cli.explorer.Ending", Ending)
    given = ["--rpc", town.terminal.devnet.url, "--contract", town.chain.contract.hex(), "--log", town.log_id.hex()]
    done = CliRunner().invoke(
        command, ["build", *given, "--output", str(tmp_path), "--every", "30", "--log-copy", str(note)]
    )
    assert done.exit_code == 0, done.exception
    assert "nothing changed" in done.stdout
    assert done.stderr == "not built anew: RootMismatch\nnot built anew: Missing\n"


def test_the_values_stand_in_the_page_as_data_that_no_browser_runs(town: Eventful, tmp_path: Path) -> None:
    shown = built(town, tmp_path)
    page = (tmp_path / "index.html").read_text("utf-8")
    (inside,) = re.findall(r'<script type="application/json" id="values">(.*?)</script>', page)
    assert json.loads(inside) == shown
    assert not {"<", ">", "&"} & set(inside)
    assert inside.isascii()


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────────────────────────

LOOK = """({
  sections: [...document.querySelectorAll("h2")].map((one) => one.textContent),
  state: document.querySelector("#head")?.dataset.state,
  age: document.querySelector("#age")?.textContent,
  rows: [...document.querySelectorAll("#anchors tbody tr")].map((tr) => [...tr.cells].map((cell) => cell.textContent)),
  delays: document.querySelectorAll("#delays tbody tr").length,
  pauses: document.querySelector("#pauses")?.textContent,
  reports: document.querySelector("#reports")?.textContent,
  keepers: document.querySelector("#keepers")?.textContent,
  drawn: ["#picture .picture > svg > .dot", "#picture .picture > svg > .band.late",
    "#picture .picture > svg > .band.paused", "#picture .picture > svg > .handover"]
    .map((one) => document.querySelectorAll(one).length),
  unmarked: [...document.querySelectorAll(".value")].filter((one) => !one.querySelector(".mark")).length,
  legend: [...document.querySelectorAll(".sources .mark")].map((one) => one.dataset.source),
  marks: [...new Set([...document.querySelectorAll("#anchors .mark, #keepers .mark")].map((one) => one.dataset.source))],
  detail: document.querySelector("#detail")?.textContent,
  focused: document.activeElement.id,
})"""


def seen(page: Path, **visit: Any) -> dict[str, Any]:
    return {"page": page.as_uri(), "look": LOOK, **visit}


def test_the_page_shows_it_in_both_languages_on_desk_and_phone_by_day_and_night(town: Eventful, tmp_path: Path) -> None:
    built(town, tmp_path, "--names", town.folder / "public" / "members.json")
    page = tmp_path / "index.html"
    first = [".scroll td button"]
    desk, chinese, night = explore(
        seen(page, click=first),
        seen(page, width=390, click=["#zh"]),
        seen(page, width=390, scheme="dark", click=first),
    )
    for one in (desk, chinese, night):
        looked = one["looked"]
        assert (looked["state"], looked["delays"], looked["drawn"]) == ("overdue", 3, [4, 3, 2, 1])
        assert looked["unmarked"] == 0
        assert sorted(looked["legend"]) == sorted(SOURCES)
        assert [re.match(r"\d+", row[0]).group() for row in looked["rows"]] == ["14", "11", "10", "9"]  # type: ignore[union-attr]
        assert set(looked["marks"]) == {"chain", "log_id", "signature", "word", "certificate", "nobody"} - (
            {"nobody"} if one is chinese else set()
        )
    assert desk["back"] != night["back"]
    assert (desk["lang"], chinese["lang"], night["lang"]) == ("en", "zh-CN", "en")
    assert "个确认公共链区块" in chinese["text"] or "一个节点确认公共链区块" in chinese["text"]
    assert "final" not in chinese["text"]
    assert "late by 1 h 30 min" in desk["head"]
    assert "1 小时 30 分" in chinese["head"]
    assert "test.example/explorer" in desk["title"]
    assert "two roots signed for one size" in desk["looked"]["reports"]
    assert "guardian" in desk["looked"]["pauses"]
    assert "lifted" in desk["looked"]["pauses"]
    assert "Checkpoint of size 14" in desk["looked"]["detail"]
    assert town.checkpoint(14).root.hex() in desk["looked"]["detail"]
    assert (desk["looked"]["focused"], json.loads(desk["raw"])["size"]) == (
        "h-detail",
        {"value": 14, "source": "chain"},
    )
    assert all(any("一" <= letter <= "鿿" for letter in heading) for heading in chinese["looked"]["sections"])


@pytest.fixture(scope="module")
def values(town: Eventful, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("values")
    built(town, folder, "--names", town.folder / "public" / "members.json", "--log-copy", town.note(15, count=4))
    return (folder / "explorer.json").read_text()


MARKUP = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1><!--"
BIDI = "\u202ekcab\u2066\u200b\u0000 Bank"


def spoilt(value: Any, change: Any) -> Any:
    """Every value, changed."""
    if isinstance(value, dict) and set(value) == {"value", "source"}:
        return {**value, "value": change(value["value"])}
    if isinstance(value, dict):
        return {name: spoilt(inner, change) for name, inner in value.items()}
    return [spoilt(one, change) for one in value] if isinstance(value, list) else value


def test_hostile_values_neither_run_nor_break_the_page(values: str, tmp_path: Path) -> None:
    named = json.loads(values)
    for keeper, name in zip(named["sets"][1]["keepers"], (MARKUP, BIDI, "W" * 10_000, "一" * 10_000), strict=True):
        keeper["name"]["value"] = keeper["legal_id"]["value"] = keeper["issuer"]["value"] = name
    texts = spoilt(json.loads(values), lambda old: MARKUP + BIDI + "x" * 10_000 if isinstance(old, str) else old)
    numbers = spoilt(json.loads(values), lambda old: 2**80 if isinstance(old, int) else old)
    nothing = spoilt(json.loads(values), lambda old: None)
    pages = []
    for number, one in enumerate((named, texts, numbers, nothing, {"format": "another"})):
        (page := tmp_path / f"{number}.html").write_text(page_of(one), "utf-8")
        pages.append(seen(page, width=390 if number % 2 else 1200, click=["#zh", "#en"]))
    shown = explore(*pages)
    assert "<img src=x" in shown[0]["text"]  # shown as what it is: text
    assert "\\u202ekcab\\u2066\\u200b\\u0000 Bank" in shown[0]["text"]
    assert "\u202e" not in shown[0]["text"] + shown[1]["text"]
    assert "W" * 121 not in shown[0]["text"]
    assert [one["looked"]["delays"] for one in shown[:3]] == [3, 3, 3]
    assert shown[3]["head"].startswith("These values cannot be shown")
    assert "holds no values" in shown[4]["text"]


def test_a_name_is_that_of_a_key_in_a_set_and_two_that_look_alike_show_their_keys(values: str, tmp_path: Path) -> None:
    def page(number: int, *names: str) -> dict[str, Any]:
        """All keys of a set have one name."""
        one = json.loads(values)
        for kept, name in zip(one["sets"], names, strict=True):
            for keeper in kept["keepers"]:
                keeper["name"]["value"], keeper["legal_id"]["value"] = name, f"LEI:{name}"
        (path := tmp_path / f"{number}.html").write_text(page_of(one), "utf-8")
        return seen(path)

    longer = "Industrial and Commercial Bank of China"
    moved, alike, filled = explore(
        page(0, "Old Bank", "New Bank"), page(1, longer, f"{longer}town"), page(2, "Bank A", "Bank\u3164\u2800\ufe0fA")
    )
    newest, older = moved["looked"]["rows"][0][4], moved["looked"]["rows"][1][4]
    assert ("New Bank" in newest, "Old Bank" in newest, "0x" in newest) == (True, False, False)
    assert ("New Bank" in older, "Old Bank" in older) == (False, True)
    assert "Industrial and Commercial Ba… 0x" in alike["looked"]["rows"][0][4]
    assert "Bank\\u3164\\u2800\\ufe0fA" in filled["looked"]["rows"][0][4]


def test_a_coin_is_called_ether_only_where_it_is_known_and_a_sum_says_what_it_lacks(
    values: str, tmp_path: Path
) -> None:
    def page(chain: int, lacking: int, wei: str | None) -> dict[str, Any]:
        one = json.loads(values)
        one["log"]["chain_id"]["value"] = chain
        one["costs"]["without_receipt"]["value"], one["costs"]["wei"]["value"] = lacking, wei
        one["names_from_files"]["value"] = lacking > 0
        (path := tmp_path / f"{chain}.html").write_text(page_of(one), "utf-8")
        return {"page": path.as_uri(), "look": 'document.querySelector("#costs").textContent'}

    ether, coins, unknown = explore(page(1, 0, "10" + "0" * 18), page(137, 1, "10" + "0" * 18), page(56, 4, None))
    assert "10.0 ETH" in ether["looked"]
    assert "at least" not in ether["looked"]
    assert "at least 10.0 native coins" in coins["looked"].replace("\u00a0", " ")
    assert ("ETH" in coins["looked"], "Sum—" in unknown["looked"]) == (False, True)
    assert "anchors of other logs" in ether["looked"]
    assert "names out of files" in coins["text"]
    assert "names out of files" not in ether["text"]


def test_what_is_left_out_is_said_on_the_page(values: str, tmp_path: Path) -> None:
    one = json.loads(values)
    one["reports_left_out"]["value"] = 7
    reason = "not judged yet: signed by a set that is not final"
    told = {"size": (30, "claimed"), "file": ("tiles", "builder"), "reason": (reason, "claimed")}
    one["notes_left_out"] = [{name: {"value": value, "source": source} for name, (value, source) in told.items()}]
    (page := tmp_path / "index.html").write_text(page_of(one), "utf-8")
    parts = '["#reports", "#left-out"].map((one) => document.querySelector(one).textContent)'
    english, chinese = explore(
        {"page": page.as_uri(), "look": parts}, {"page": page.as_uri(), "look": parts, "click": ["#zh"]}
    )
    assert "named here already, not shown: 7" in english["looked"][0]
    assert reason in english["looked"][1]
    assert "暂不评判" in chinese["looked"][1]


def test_a_log_in_time_says_when_your_clock_is_past_its_next_checkpoint(values: str, tmp_path: Path) -> None:
    def page(name: str, shift: int, **state: Any) -> dict[str, Any]:
        """As of `shift` seconds before now, and due a day after that."""
        one = json.loads(values)
        now = int(time.time()) - shift
        one["as_of"]["time"]["value"], one["freshness"]["due"]["value"] = now, now + 86_400
        one["freshness"]["overdue"]["value"] = 0
        for key, value in state.items():
            one["log"][key]["value"] = value
        (path := tmp_path / f"{name}.html").write_text(page_of(one), "utf-8")
        return seen(path)

    fresh, old, paused, frozen = explore(
        page("fresh", 3600),
        page("old", 90_000),
        page("paused", 60, state="paused", paused_until=NOW),
        page("frozen", 60, state="frozen"),
    )
    assert [one["looked"]["state"] for one in (fresh, old, paused, frozen)] == ["inTime", "unknown", "paused", "frozen"]
    assert "1 h" in fresh["looked"]["age"]
    assert "1 d 1 h" in old["looked"]["age"]
    assert "was due in the meantime" in old["head"]
    assert (old["headClass"], "Not known" in old["head"]) == ("head amber", True)
    assert "was due in the meantime" not in fresh["text"]
    assert "no new anchors until 2027-01-15" in paused["head"]
    assert (paused["headClass"], frozen["headClass"]) == ("head amber", "head red")


def test_many_anchors_stand_page_by_page_and_any_size_leads_to_the_one_that_covers_it(
    values: str, tmp_path: Path
) -> None:
    many = json.loads(values)
    many["anchors"] = [spoilt(many["anchors"][-1], lambda old: old) for _ in range(45)]
    for number, one in enumerate(many["anchors"]):
        one["size"]["value"], one["anchored_at"]["value"] = 100 + 2 * number, NOW + 60 * number
    (page := tmp_path / "index.html").write_text(page_of(many), "utf-8")
    older, show = ".steppers button:last-child", ".finder button"
    newest, last = explore(
        seen(page, fill={"find": "121"}, click=[show]),
        seen(page, fill={"find": "189"}, click=[older, older, show], width=390),
    )
    first = [[int(re.match(r"\d+", row[0]).group()) for row in one["looked"]["rows"]] for one in (newest, last)]  # type: ignore[union-attr]
    assert first == [[*range(188, 148, -2)], [*range(108, 98, -2)]]
    assert "Checkpoint of size 122" in newest["looked"]["detail"]
    assert last["looked"]["detail"] == "No anchor that was looked at covers that size."
