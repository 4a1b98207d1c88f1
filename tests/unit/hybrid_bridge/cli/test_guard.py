"""`hybrid-bridge guard`: what it shows, what it asks before a change, and what it leaves alone. The network is faked."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.cli import guard as module
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.event_chain import Head
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.core.interchange import Interchange, KeyHistory, decode_interchange
from hybrid_bridge.errors import Missing
from hybrid_bridge.node import restoring
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.restoring import Told
from hybrid_bridge.units import Address, ChainId, Digest, LogId, TreeSize
from tests.unit.hybrid_bridge.node.members import START, plan, randomness

POWER = PowerStatement(ChainId(1), Address(b"\x01" * 20), "pause", 2, ZERO)


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("laid") / "out"
    lay(found(plan(), randomness(), START), root)
    return root


class Validator:
    """bank-a's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "guard.db"
        directory = read_directory(folder)
        self.log_id = directory.log_id
        self.address = Address(directory.member("bank-a").address or b"")

    @contextmanager
    def guard(self) -> Iterator[SqlGuard]:
        guard = SqlGuard(self.path)
        guard.open(self.log_id, self.address)
        try:
            yield guard
        finally:
            guard.close()

    @property
    def history(self) -> History:
        with self.guard() as guard:
            return guard.history()

    @property
    def head(self) -> Head:
        with self.guard() as guard:
            return guard.head()

    def file(self, history: History, log_id: LogId | None = None, address: Address | None = None) -> str:
        path = self.folder / "in.json"
        whole = Interchange(log_id or self.log_id, (KeyHistory(address or self.address, history),))
        path.write_bytes(whole.encode())
        return str(path)


def row(size: int, word: str = "") -> Statement:
    return Statement(TreeSize(size), sha256(b"root %d" % size), sha256(f"{size}{word}".encode()))


def floor(size: int) -> Highest:
    return Highest(TreeSize(size), row(size).root)


@pytest.fixture
def bank(laid: Path, tmp_path: Path) -> Validator:
    """It has signed sizes 4 and 9, and a pause."""
    shutil.copytree(laid / "nodes" / "bank-a", tmp_path / "bank-a")
    made = Validator(tmp_path / "bank-a")
    with made.guard() as guard:
        guard.absorb(made.address, History(Highest(TreeSize(1), Digest(made.log_id)), (row(4), row(9)), (POWER,)))
    return made


def test_status_shows_floor_and_highest(typed, bank):
    outcome = typed("guard", "status", "--dir", str(bank.folder))
    assert outcome.out.splitlines() == [
        f"log       0x{bank.log_id.hex()}",
        f"key       0x{bank.address.hex()}",
        f"floor     size 1, root 0x{bank.log_id.hex()}",
        f"highest   size 9, root 0x{row(9).root.hex()}",
        "knows     checkpoints: 2 (4 … 9), set updates, pauses, retirements: 1",
        f"events    4:0x{bank.head.digest.hex()}",
    ]
    told = typed("guard", "status", "--dir", str(bank.folder), "--json").json()
    assert (told["attestation_key"], told["signed"], told["power"]) == (f"0x{bank.address.hex()}", 2, 1)
    assert told["highest"] == {"size": 9, "root": f"0x{row(9).root.hex()}"}


def test_a_guards_own_events_are_checked_and_a_noted_head_must_be_among_them(typed, bank):
    noted = typed("guard", "status", "--dir", str(bank.folder), "--json").json()["events"]
    with bank.guard() as guard:
        guard.absorb(bank.address, History(Highest(TreeSize(1), Digest(bank.log_id)), (row(12),)))
    outcome = typed("guard", "check", "--dir", str(bank.folder), "--head", noted)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-2:] == [
        f"events    5:0x{bank.head.digest.hex()}",
        "Every row is told by an unbroken chain of events.",
    ]
    told = typed("guard", "check", "--dir", str(bank.folder), "--json").json()
    assert (told["signed"], told["refusals"], told["events"]) == (3, 0, f"5:0x{bank.head.digest.hex()}")
    lost = typed("guard", "check", "--dir", str(bank.folder), "--head", f"9:{noted.partition(':')[2]}")
    assert lost.code == 4
    assert "noted head" in lost.err


def test_a_check_is_of_a_file_or_of_a_guard(typed, bank):
    file = bank.file(History(floor(20)))
    for arguments in ((), (file, "--head", "1:0x" + "00" * 32), ("--head", "1:0x" + "00" * 32)):
        assert typed("guard", "check", *arguments).code == 2
    for noted in ("1", "01:0x" + "00" * 32, "1:0x00", "-1:0x" + "00" * 32):
        assert typed("guard", "check", "--dir", str(bank.folder), "--head", noted).code == 2


def test_while_the_node_runs_nothing_is_written_or_taken_and_whoever_asks_is_told_what_to_do(typed, bank, tmp_path):
    """An export made beside a signer would lack what it signs next, and a second guard would sign it again."""
    file = bank.file(History(floor(20)))
    with bank.guard():
        for command in (
            ("export", "--out", str(tmp_path / "out.json")),
            ("import", file, "--yes"),
            ("import", "--floor-from-network", "--yes"),
        ):
            outcome = typed("guard", *command, "--dir", str(bank.folder))
            assert outcome.code == 3
            assert "used by one program at a time" in outcome.err
            assert "→ stop the program that has it" in outcome.err
    assert not (tmp_path / "out.json").exists()
    assert bank.history.floor.size == 1


def test_beside_a_running_node_the_guard_is_looked_at_and_the_node_goes_on_signing(typed, bank):
    file = bank.file(History(floor(20)))
    with bank.guard() as guard:
        guard.absorb(bank.address, History(Highest(TreeSize(1), Digest(bank.log_id)), (row(12),)))
        told = typed("guard", "status", "--dir", str(bank.folder), "--json").json()
        assert (told["highest"]["size"], told["events"]) == (12, f"5:0x{guard.head().digest.hex()}")
        for command in (("status",), ("check",), ("check", file), ("check", "--head", told["events"])):
            assert typed("guard", *command, "--dir", str(bank.folder)).code == 0
        guard.absorb(bank.address, History(Highest(TreeSize(1), Digest(bank.log_id)), (row(15),)))
    assert [statement.size for statement in bank.history.signed] == [4, 9, 12, 15]


def test_the_guards_of_other_keys_in_the_folder_are_named(typed, bank):
    """Whoever looks beside a running node may see an older key's guard: its ledger says which key is the newest."""
    (bank.folder / "guard-00ff.db").touch()
    outcome = typed("guard", "status", "--dir", str(bank.folder))
    assert outcome.out.splitlines()[-1] == "also here guard-00ff.db, the guard of another key of this member"
    assert typed("guard", "status", "--dir", str(bank.folder), "--json").json()["also_here"] == ["guard-00ff.db"]


def test_a_member_that_attests_nothing_has_no_guard(typed, laid):
    outcome = typed("guard", "status", "--dir", str(laid / "nodes" / "regulator"))
    assert outcome.code == 4
    assert "attests nothing" in outcome.err


def test_an_export_is_complete_and_a_minimal_one_the_floor_alone(typed, bank, tmp_path):
    for flags, history in (
        ((), bank.history),
        (("--minimal",), History(floor(9), (), (POWER,))),
    ):
        out = tmp_path / f"out{len(flags)}.json"
        outcome = typed("guard", "export", "--dir", str(bank.folder), "--out", str(out), *flags)
        assert outcome.code == 0
        assert outcome.out.splitlines()[-1] == f"→ {out}"
        assert decode_interchange(out.read_bytes()).of(bank.log_id, bank.address) == history
    before = out.read_bytes()
    assert typed("guard", "export", "--dir", str(bank.folder), "--out", str(out)).code == 2
    assert out.read_bytes() == before


def test_an_import_shows_its_plan_and_without_a_yes_changes_nothing(typed, bank, monkeypatch):
    file, before = bank.file(History(floor(4), (row(9), row(20)))), bank.history
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    outcome = typed("guard", "import", file, "--dir", str(bank.folder))
    assert outcome.code == 130
    assert f"      →   size 4, root 0x{row(4).root.hex()}" in outcome.err
    assert "new rows  checkpoints: 1 (20 … 20)" in outcome.err
    assert "Import this?" in outcome.err
    assert bank.history == before


def test_an_import_merges_and_twice_is_once(typed, bank):
    file = bank.file(History(floor(4), (row(9), row(20))))
    told = typed("guard", "import", file, "--dir", str(bank.folder), "--yes", "--json").json()
    assert (told["done"], told["floor"]["size"], told["new_signed"], told["new_power"]) == (True, 4, 1, 0)
    assert bank.history == History(floor(4), (row(4), row(9), row(20)), (POWER,))
    outcome = typed("guard", "import", file, "--dir", str(bank.folder))  # nothing to ask for
    assert outcome.out.splitlines()[-1] == "Nothing is new."
    assert "stays" in outcome.out


@pytest.mark.parametrize(
    ("history", "code", "word"),
    [
        (History(floor(1), (row(9, "other"), row(20))), 1, "Equivocation"),
        (History(Highest(TreeSize(9), ZERO)), 1, "Equivocation"),
    ],
)
def test_a_conflict_is_refuted_and_nothing_is_imported(typed, bank, history, code, word):
    if history.floor.size == 1:
        history = History(Highest(TreeSize(1), bank.log_id), history.signed)
    before = bank.history
    for command in (("import", "--yes"), ("check",)):
        outcome = typed("guard", *command, bank.file(history), "--dir", str(bank.folder), "--json")
        assert (outcome.code, outcome.json()["error"]) == (code, word)
    assert bank.history == before


def test_files_of_others_are_refused(typed, bank):
    before, other = bank.history, Address(b"\x0f" * 20)
    for changes, code, error in (({"log_id": LogId(ZERO)}, 2, "FieldMalformed"), ({"address": other}, 2, "Unknown")):
        file = bank.file(before.complete(), **changes)
        outcome = typed("guard", "import", file, "--dir", str(bank.folder), "--yes", "--json")
        assert (outcome.code, outcome.json()["error"]) == (code, error)
    with Path(file).open("ab") as spoilt:
        spoilt.write(b"\n")
    assert typed("guard", "check", file, "--json").json()["error"] == "NotCanonical"
    assert bank.history == before


def test_check_reads_a_file_alone_or_beside_a_guard_and_changes_nothing(typed, bank):
    file, before = bank.file(History(floor(4), (row(9), row(20)))), bank.history
    alone = typed("guard", "check", file)
    assert alone.out.splitlines()[1:] == [
        f"key       0x{bank.address.hex()}",
        f"floor     size 4, root 0x{row(4).root.hex()}",
        f"highest   size 20, root 0x{row(20).root.hex()}",
        "knows     checkpoints: 2 (9 … 20), set updates, pauses, retirements: 0",
    ]
    told = typed("guard", "check", file, "--dir", str(bank.folder), "--json").json()
    assert (told["plan"]["floor"]["size"], told["plan"]["new_signed"]) == (4, 1)
    assert bank.history == before


# ── from the network ─────────────────────────────────────────────────────────────────────────────────────────────────


class Others:
    """Stands where the members are asked; what they say is `restoring`'s to judge, and tested there."""

    def __init__(self, monkeypatch, told: Told | Exception) -> None:
        self.asked: list[tuple[list[str], Highest, Highest | None]] = []

        def answer(network: restoring.Network, ours: Highest, public: Highest | None = None) -> Told:
            assert all(isinstance(peer, GrpcPeer) for peer in network.peers)
            self.asked.append(([peer.name for peer in network.peers], ours, public))
            if isinstance(told, Exception):
                raise told
            return told

        monkeypatch.setattr(restoring.Network, "told", answer)


TOLD = Told(History(floor(20), (row(21),)), ("core", "bank-b"), {"supplier": "Unreachable: \x1b[2J"})


def test_the_floor_comes_from_all_other_members(typed, bank, monkeypatch):
    others = Others(monkeypatch, TOLD)
    outcome = typed("guard", "import", "--floor-from-network", "--dir", str(bank.folder), "--yes")
    assert outcome.code == 0
    assert others.asked == [(["core", "supplier", "bank-b", "regulator"], floor(9), None)]
    assert "told by   core, bank-b" in outcome.out
    assert "not by    supplier: Unreachable: \\u001b[2J" in outcome.out
    assert outcome.out.splitlines()[-1] == "Imported."
    assert bank.history == History(floor(20), (row(4), row(9), row(21)), (POWER,))


def test_the_public_chain_is_asked_first_if_it_is_named(typed, bank, monkeypatch):
    others, asked = Others(monkeypatch, TOLD), []

    def head(_place, url, contract):
        asked.append((url, contract))
        return floor(12)

    monkeypatch.setattr(module.Place, "_head", head)
    arguments = ("--dir", str(bank.folder), "--rpc", "http://127.0.0.1:1", "--contract", "0x00", "--yes", "--json")
    told = typed("guard", "import", "--floor-from-network", *arguments).json()
    assert asked == [("http://127.0.0.1:1", "0x00")]
    assert others.asked[0][2] == floor(12)
    assert told["answered"] == ["core", "bank-b"]


def test_too_few_answers_set_no_floor(typed, bank, monkeypatch):
    Others(monkeypatch, Missing(what="answers"))
    before = bank.history
    assert typed("guard", "import", "--floor-from-network", "--dir", str(bank.folder), "--yes").code == 3
    assert bank.history == before


def test_a_file_or_the_network_is_named_and_not_both(typed, bank):
    file = bank.file(History(floor(20)))
    for wrong in (
        (),
        (file, "--floor-from-network"),
        (file, "--rpc", "http://127.0.0.1:1"),
        (file, "--contract", "0x"),
    ):
        assert typed("guard", "import", *wrong, "--dir", str(bank.folder), "--yes").code == 2
    assert bank.history.floor.size == 1


# ── on a new machine ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_guard_that_is_lost_is_made_anew_of_what_others_know(typed, bank, monkeypatch):
    others = Others(monkeypatch, TOLD)
    bank.path.unlink()
    arguments = ("import", "--floor-from-network", "--dir", str(bank.folder), "--yes")
    assert typed("guard", *arguments).code == 4
    assert not bank.path.exists()
    assert typed("guard", *arguments, "--new").code == 0
    assert others.asked[-1][1] == Highest(TreeSize(1), bank.log_id)
    assert bank.history == TOLD.history


def test_a_guard_is_never_made_over_another(typed, bank, monkeypatch):
    Others(monkeypatch, TOLD)
    before = bank.history
    assert typed("guard", "import", "--floor-from-network", "--dir", str(bank.folder), "--yes", "--new").code == 4
    assert bank.history == before


def test_a_new_guard_may_know_nothing_new(typed, bank):
    bank.path.unlink()
    file = bank.file(History(Highest(TreeSize(1), bank.log_id)))
    told = json.loads(typed("guard", "import", file, "--dir", str(bank.folder), "--new", "--yes", "--json").out)
    assert (told["done"], told["floor"]["size"]) == (True, 1)
    assert bank.history.floor == Highest(TreeSize(1), bank.log_id)
