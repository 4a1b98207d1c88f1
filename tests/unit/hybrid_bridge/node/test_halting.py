"""A member whose ledger is taken and not proven signs nothing whatever: every use of a key of its, one by one."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

import hybrid_bridge.node
import hybrid_bridge.steps
from hybrid_bridge.adapters.sqlite.readings import SqlReadings
from hybrid_bridge.adapters.sqlite.witness import SqlWitness
from hybrid_bridge.cli.contract.drafting import sign as sign_offline
from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.errors import BridgeError, NotYet
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.cosigning import Cosigner
from hybrid_bridge.node.delivering import Receiver
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.opening import Opened
from hybrid_bridge.node.presenting import issuer_jwt
from hybrid_bridge.node.promises import promised
from hybrid_bridge.node.proposals import Proposal
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.node.proving import Proving, prove
from hybrid_bridge.node.receipts import sign_receipt
from hybrid_bridge.node.regulating import ReadLog
from hybrid_bridge.node.syncing import UNPROVEN, Mark, remove_mark, write_mark
from hybrid_bridge.node.view import View
from hybrid_bridge.steps.attest import attest
from hybrid_bridge.units import EpochNumber, Height, TreeSize
from tests.unit.hybrid_bridge.node.coming import agreed, close, endorser, newcomer, pass_epoch, proposer, spread
from tests.unit.hybrid_bridge.node.members import CADENCE, START, FixedClock, Members, started
from tests.unit.hybrid_bridge.node.test_enrolling import draft_of
from tests.unit.hybrid_bridge.node.trade import desk, registration

Uses = dict[str, Callable[[], object]]


class Town:
    """Core, with every key that a member may hold, over a ledger that it took: closed, and signed by nobody here."""

    def __init__(self, members: Members, proposal: Proposal, draft: DraftPackage) -> None:
        self.members, self.proposal, self.draft = members, proposal, draft
        for name in ("core", "bank-a"):
            members.opened.pop(name).close()
            write_mark(members.folder(name), Mark(Height(1)))
        self.opened: Opened = members.open("core")
        view = self.opened.view
        keys = replace(view.keys, receipt=view.keys.log, mldsa=MldsaKey(bytes(32)))
        self.view: View = replace(view, keys=keys)

    def attest(self) -> object:
        """With both keys, the guard first."""
        (key, guard), view = self.opened.guards[0], self.view
        return Attester(view.logbook, guard, key, view.brake, view.keys.mldsa).sign_all(view.progress)

    def wish(self) -> object:
        return proposer(self.members, "core").propose(Wish(kind="suspend", name="bank-a", from_epoch=9))

    def uses(self, tmp_path: Path) -> Uses:
        """Every call that ends in a signature of this member's, or hands its secrets to whom the ledger names."""
        view, members = self.view, self.members
        document = parse_delivery(self.draft.document)
        body, _, _ = self.draft.opened()
        accepted: Any = SimpleNamespace(body=body)
        (tmp_path / "draft").write_bytes(draft_of(members, 2))
        command = ["--dir", str(members.folder("core")), "--out", str(tmp_path / "signed"), "--yes"]

        def offline() -> object:
            return CliRunner().invoke(sign_offline, [str(tmp_path / "draft"), *command], catch_exceptions=False)

        return {
            "a block, ordered": lambda: view.chain.order(START + 9 * CADENCE, [], view.keys.identity),
            "an attestation": self.attest,
            "a set update for a contract": lambda: endorser(members, "core").endorse(draft_of(members, 2)),
            "a power for a contract, offline": offline,
            "a receipt": lambda: sign_receipt(view, TreeSize(2)),
            "a promise": lambda: promised(view, accepted, START, EpochNumber(1)),
            "a consent to a record": lambda: desk(members, "core").authorise(self.draft, ["identity"]),
            "a record": lambda: desk(members, "core").send(self.draft, []),
            "a governance transaction": lambda: desk(members, "core").govern(self.proposal.body(), []),
            "secrets for a next set": self.wish,
            "a consent to a proposal": lambda: proposer(members, "core").approve(self.proposal),
            "a proposal, enacted": lambda: proposer(members, "core").enact(self.proposal, []),
            "an acknowledgement": lambda: Receiver(view, lag=0).receive("supplier", ZERO, b"envelope"),
            "readings": lambda: ReadLog(view, SqlReadings(tmp_path / "readings.db")).shown("bank-a", 0),
            "a presentable record": lambda: issuer_jwt(view, document, EpochNumber(1)),
        }


@pytest.fixture(scope="module")
def town(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    foundation, root = laid
    folder = tmp_path_factory.mktemp("town") / "out"
    shutil.copytree(root, folder)
    members = started(Members(folder, foundation))
    with members.stack:
        pass_epoch(members, 1)
        _, card = newcomer(members)
        proposal = agreed(members, Wish(kind="admit", card=card, from_epoch=4))
        draft = desk(members, "core").draft(registration(members, "ab" * 16, audience=("regulator",)))
        members.order(START + 2 * CADENCE)  # bank-a has not executed it, and nobody has signed what epoch 2 added
        spread(members, ("core", "supplier", "bank-b"))
        close(members, "core", EpochNumber(2))
        yield Town(members, proposal, draft)


USES = (
    "a block, ordered",
    "an attestation",
    "a set update for a contract",
    "a power for a contract, offline",
    "a receipt",
    "a promise",
    "a consent to a record",
    "a record",
    "a governance transaction",
    "secrets for a next set",
    "a consent to a proposal",
    "a proposal, enacted",
    "an acknowledgement",
    "readings",
    "a presentable record",
)


@pytest.mark.parametrize("use", USES)
def test_nothing_is_signed_over_a_ledger_that_others_have_not_signed(town: Town, tmp_path: Path, use: str) -> None:
    before = town.opened.guards[0][1].history()
    with pytest.raises(NotYet) as refused:
        town.uses(tmp_path)[use]()
    assert refused.value.what == UNPROVEN
    assert town.opened.guards[0][1].history() == before  # a guard that had said it would refuse the true one later


def test_every_use_is_in_the_list(town: Town, tmp_path: Path) -> None:
    assert tuple(town.uses(tmp_path)) == USES


def test_what_is_signed_without_being_asked_waits(town: Town) -> None:
    """Countersignatures, lines of the log, cosignatures of members."""
    view = town.view
    follower = town.members.open("bank-a").view
    said = follower.witness.newest_of(follower.keys.identity.public.key_id)
    for block in view.ledger.blocks(follower.chain.next_height):
        follower.chain.accept(block, follower.keys.identity)
    assert follower.progress.tip == view.progress.tip > said
    assert follower.witness.newest_of(follower.keys.identity.public.key_id) == said
    assert view.keys.log is not None
    lines = view.epochs.newest_line()
    assert lines < view.logbook.size
    view.logbook.sign_lines(view.keys.log, view.keys.log_mldsa)
    cosigner = Cosigner(view)
    cosigner.cosign_newest()
    assert view.epochs.newest_line() == lines
    assert cosigner.key is not None
    assert view.epochs.newest_cosigned(cosigner.key) == 0


def test_once_it_is_proven_all_is_signed_as_ever(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proving, "is_proven", lambda _: True)
    folder, view, awaited = town.members.folder("core"), town.view, list[str]()
    try:
        assert prove(view, folder)
        for use in town.uses(tmp_path).values():
            try:
                use()
            except BridgeError as error:  # refused for what it is: no such envelope, no quorum yet
                awaited.append(getattr(error, "what", ""))
        assert UNPROVEN not in awaited
    finally:
        remove_mark(folder)


def test_a_member_that_was_halted_for_good_is_not_released_by_a_proof(tmp_path: Path) -> None:
    class Halted(SqlWitness):
        def __init__(self) -> None:
            pass

        def halted(self) -> str:
            return "a person looks"

    brake = Brake(Halted(), FixedClock())
    brake.hold(UNPROVEN)
    brake.release()
    assert (brake.stops, brake.awaited, brake.reason) == (True, "", "a person looks")


# ── no other place signs ─────────────────────────────────────────────────────────────────────────────────────────────

SIGNS = re.compile(
    r"\.over\(|\.sign\(|\bsign_root\(|\bsign_digest\(|(?<![.\w])cosign\(|\bmldsa_line\(|\blog_line\(|\bissue\(|\bhanded\("
    r"|\battest\(|ConsensusKey\.signed\("
)
GATED = {  # file: how many signatures are made in it, each behind `Brake`
    "attesting.py": 2,
    "chain.py": 2,
    "cosigning.py": 2,
    "delivering.py": 1,
    "desk.py": 3,
    "endorsing.py": 1,
    "log_keys.py": 1,
    "logbook.py": 3,
    "presenting.py": 1,
    "promises.py": 1,
    "proposing.py": 3,
    "receipts.py": 1,
    "regulating.py": 1,
}
APART = {  # what says nothing of any ledger: founding, a member's own card, the bottom layer that is called by those
    "applying.py",
    "cards.py",
    "founding.py",
    "keys.py",
    "proposals.py",
}


def test_no_other_place_of_a_node_signs() -> None:
    """Whoever adds a signature asks the brake before it, adds its use above, and counts it here."""
    folder = Path(str(hybrid_bridge.node.__file__)).parent
    found: Counter[str] = Counter()
    for path in folder.glob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            if not line.lstrip().startswith(("def ", "from ", "import ", "class ", '"""')):
                found[path.name] += len(SIGNS.findall(line))
    assert {name: count for name, count in found.items() if count and name not in APART} == GATED
    assert attest.__module__.startswith(hybrid_bridge.steps.__name__)
