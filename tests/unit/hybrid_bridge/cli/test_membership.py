"""What is typed to admit, suspend and remove members: shown before it is signed, and never signed unasked."""

import json
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hybrid_bridge.cli.consortium import command as consortium
from hybrid_bridge.cli.contract import command as contract
from hybrid_bridge.cli.main import main
from hybrid_bridge.cli.member import command
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.power import SetUpdate, SignedPower
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node import opening
from hybrid_bridge.node.proposals import Proposal, ProposalStore
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, ChainId, LogId, SetId, TreeSize

GUIDE = (Path(__file__).parents[4] / "docs" / "guides" / "membership.md").read_text()
CHANGES = ["admit bank-c: a fifth bank", "from epoch 9 bank-c (Bank C\x1b[2J, LEI:C) becomes a member"]


class Desk:
    """Answers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def propose(self, request: pb.ProposeRequest) -> pb.ProposeResponse:
        self.asked.append(request)
        return pb.ProposeResponse(proposal=b"PROPOSAL", changes=CHANGES)

    def approve(self, proposal: bytes, *, confirmed: bool) -> pb.ApproveResponse:
        self.asked.append((proposal, confirmed))
        return pb.ApproveResponse(changes=CHANGES, consents=b"CONSENT" if confirmed else b"")

    def enact(self, proposal: bytes, consents: list[bytes], *, confirmed: bool) -> pb.EnactResponse:
        self.asked.append((proposal, tuple(consents), confirmed))
        return pb.EnactResponse(changes=CHANGES, heights=[7, 8] if confirmed else [])

    def endorse(self, draft: bytes, *, confirmed: bool) -> pb.EndorseResponse:
        self.asked.append((draft, confirmed))
        return pb.EndorseResponse(changes=["set 2 from size 9 on"], signed=[SIGNED.encode()] if confirmed else [])

    def members(self) -> pb.MembersResponse:
        rows = [
            pb.MemberSummary(name="core", legal_name="Core", legal_id="LEI:A", address=b"\x01" * 20, standing="member"),
            pb.MemberSummary(name="bank", legal_name="Bank", legal_id="LEI:B", standing="suspended"),
        ]
        one = pb.SetSummary(set_id=2, set_hash=b"\x02" * 32, first_size=9, entries=bytes(128), names=["core", ""])
        return pb.MembersResponse(members=rows, sets=[one], lacking=[b"\x03" * 32])


UPDATE = SetUpdate(
    chain_id=ChainId(1),
    contract=Address(b"\xcc" * 20),
    log_id=LogId(ZERO),
    set_id=SetId(2),
    set_hash=ZERO,
    effective_from_size=TreeSize(9),
)
KEY = b"\x07" * 32
SIGNED = SignedPower(statement=UPDATE, signature=sign_digest(KEY, UPDATE.digest()))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    fake = Desk()

    @contextmanager
    def desk_of(_folder: Path) -> Iterator[Desk]:
        yield fake

    monkeypatch.setattr(opening, "desk_of", desk_of)
    monkeypatch.chdir(tmp_path)
    for name in ("card", "p", "c1", "c2"):
        (tmp_path / name).write_bytes(name.encode())
    return fake


def typed(*arguments: str, answer: str = "") -> click.testing.Result:
    return CliRunner().invoke(command, arguments, input=answer)


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        ("admit", "card", {"card": b"card"}),
        ("rotate-key", "card", {"card": b"card"}),
        ("suspend", "bank", {"name": "bank"}),
        ("reinstate", "bank", {"name": "bank"}),
        ("remove", "bank", {"name": "bank"}),
    ],
)
def test_a_proposal_is_written_for_its_readers_alone_and_told(desk: Desk, kind: str, subject: str, expected) -> None:
    options = ("--dir", ".", "--reason", "why", "--from-epoch", "9", "--approver", "a", "--approver", "b")
    done = typed(kind, subject, *options, "--out", "out.json")
    assert done.exit_code == 0, done.output
    wanted = pb.ProposeRequest(kind=kind, reason="why", from_epoch=9, approvers=["a", "b"], **expected)
    assert desk.asked == [wanted]
    assert Path("out.json").read_bytes() == b"PROPOSAL"
    assert stat.S_IMODE(Path("out.json").stat().st_mode) == 0o600
    assert "admit bank-c" in done.output
    assert "\x1b" not in done.output


def test_nothing_is_approved_or_enacted_before_it_was_shown_and_confirmed(desk: Desk) -> None:
    for arguments in (("approve", "p", "--out", "c"), ("enact", "p", "c1", "c2")):
        done = typed(*arguments, "--dir", ".", answer="n\n")
        assert done.exit_code == 1
        assert "becomes a member" in done.output
    assert desk.asked == [(b"p", False), (b"p", (b"c1", b"c2"), False)]
    assert not Path("c").exists()


def test_what_is_confirmed_is_approved_and_enacted(desk: Desk) -> None:
    assert typed("approve", "p", "--out", "c", "--dir", ".", answer="y\n").exit_code == 0
    assert Path("c").read_bytes() == b"CONSENT"
    done = typed("enact", "p", "c1", "c2", "--dir", ".", "--yes", "--json")
    assert json.loads(done.output) == {"changes": CHANGES, "heights": [7, 8]}
    assert desk.asked[-1] == (b"p", (b"c1", b"c2"), True)


def test_members_sets_and_what_is_lacking_are_listed(desk: Desk) -> None:
    done = typed("list", "--dir", ".")
    assert "suspended  bank" in done.output
    assert "attests nothing" in done.output
    assert "set 2 from size 9: core, ?" in done.output
    assert f"governance record {'03' * 32}" in done.output
    found = json.loads(typed("list", "--dir", ".", "--json").output)
    assert [(one["name"], one["standing"]) for one in found["members"]] == [("core", "member"), ("bank", "suspended")]
    assert found["sets"] == [{"id": 2, "first_size": 9, "hash": "0x" + "02" * 32, "validators": ["core", None]}]
    assert found["lacking"] == ["03" * 32]


def test_the_proposals_that_a_member_keeps_are_listed(desk: Desk, tmp_path: Path) -> None:
    kept = Proposal(
        log_id=ZERO, kind="remove", name="bank-b", reason="merged", records=(b"r",), authorisers=(), expires_epoch=9
    )
    assert typed("proposals", "--dir", ".").output == ""
    ProposalStore(tmp_path).keep(kept)
    assert "remove bank-b, in a block by epoch 9: merged" in typed("proposals", "--dir", ".").output
    (found,) = json.loads(typed("proposals", "--dir", ".", "--json").output)
    assert (found["proposal"], found["kind"], found["records"]) == (kept.digest.hex(), "remove", 1)


def test_a_sets_entries_and_its_signatures_are_written_for_the_public_chain(desk: Desk) -> None:
    assert typed("set-entries", "2", "--dir", ".", "--out", "set.bin").exit_code == 0
    assert Path("set.bin").read_bytes() == bytes(128)
    with pytest.raises(SettingsMalformed):
        CliRunner().invoke(command, ("set-entries", "3", "--dir", ".", "--out", "x"), catch_exceptions=False)
    done = typed("sign-set", "p", "--dir", ".", "--out", "rotations", "--yes", "--json")
    (name,) = json.loads(done.output)["signed"]
    assert name == f"rotations/set-2-{address_of(public_key_of(KEY)).hex()}.json"
    assert Path(name).read_bytes() == SIGNED.encode()
    assert typed("sign-set", "p", "--dir", ".", "--out", "none", answer="n\n").exit_code == 1
    assert not Path("none").exists()


def test_every_command_and_option_of_the_guide_exists() -> None:
    lines = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()]
    text = "\n".join(lines).replace("\\\n", " ")
    asked = re.findall(r"^hybrid-bridge (\S+) (\S+)(.*)$", text, re.MULTILINE)
    groups = {"member": command, "consortium": consortium, "contract": contract, "node": main}
    named = {name for _, name, _ in asked}
    assert {
        "apply",
        "card",
        "admit",
        "approve",
        "enact",
        "join",
        "suspend",
        "reinstate",
        "remove",
        "rotate-key",
    } <= named
    for group, name, rest in asked:
        if group == "node":
            continue
        words = [name, *re.findall(r"^ (set)\b", rest)]
        found: click.Command = groups[group]
        for word in words:
            assert isinstance(found, click.Group)
            found = found.commands[word]
        known = {option for parameter in found.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z][a-z-]+", rest)) <= known, (group, name)
