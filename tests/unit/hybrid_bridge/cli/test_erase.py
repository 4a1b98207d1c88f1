"""`hybrid-bridge erase`: shown first, done only when confirmed, and then exactly what was shown."""

import json
from contextlib import nullcontext

import pytest

from hybrid_bridge.core.delivery import DeliveryPlaintext
from hybrid_bridge.core.entry import RecordEntry, entry_leaf
from hybrid_bridge.errors import NotYet, Unknown
from hybrid_bridge.node import opening
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb

LEAF, OTHER = b"\x11" * 32, b"\x22" * 32
ENTRY = RecordEntry(0x0101, 8, b"\x33" * 32).encode()


class Desk:
    """A node that holds two documents, one of them erased before."""

    def __init__(self) -> None:
        self.asked: list[pb.EraseRequest] = []
        self.failure = None

    def erase(self, request):
        self.asked.append(request)
        if self.failure is not None and request.confirmed:
            raise self.failure
        when = 1_800_000_000 if request.confirmed else 0
        here = pb.ErasedRecord(
            entry_leaf=LEAF, schema="asset.register/1", source="own", disclosures=8, decoys=3, openings=2,
            owed=["bank-b"], signed=["core"], erased_at=when, reason=request.reason if when else "",
        )  # fmt: skip
        before = pb.ErasedRecord(
            entry_leaf=OTHER, schema="s/1", source="bank\x1b[2J", erased_at=1_700_000_000, reason="x"
        )
        return [here, before]


@pytest.fixture
def desk(monkeypatch):
    made = Desk()
    monkeypatch.setattr(opening, "desk_of", lambda folder: nullcontext(made))
    return made


def test_without_yes_it_only_tells(typed, desk, tmp_path):
    outcome = typed("erase", "--dir", str(tmp_path), "--match", "seller=A=B", "--object", "o1")
    assert outcome.code == 3
    assert [request.confirmed for request in desk.asked] == [False]
    (match,) = desk.asked[0].matches
    assert (match.name, match.value, list(desk.asked[0].objects)) == ("seller", "A=B", ["o1"])
    assert f"{LEAF.hex()}  asset.register/1  from own" in outcome.out
    assert "8 fields with salts, 3 decoy seeds, 2 openings" in outcome.out
    assert "on its way to bank-b" in outcome.out
    assert "signed for, and held, by core" in outcome.out
    assert "erased before, at 1700000000, reason x" in outcome.out
    assert "\x1b" not in outcome.out
    assert "Nothing is erased yet" in outcome.err


def test_with_yes_what_was_shown_is_erased_and_nothing_else(typed, desk, tmp_path):
    outcome = typed("erase", "--dir", str(tmp_path), "--match", "seller=A", "--reason", "gdpr.art17", "--yes")
    assert outcome.code == 0
    shown, done = desk.asked
    assert (shown.confirmed, done.confirmed, done.reason) == (False, True, "gdpr.art17")
    assert list(done.entry_leaves) == [LEAF, OTHER]
    assert not done.matches
    assert "erased: 2" in outcome.out
    assert "backups" in outcome.out


def test_machines_get_one_object(typed, desk, tmp_path):
    told = json.loads(typed("erase", "--dir", str(tmp_path), "--leaf", LEAF.hex(), "--yes", "--json").out)
    assert told["erased"] is True
    assert told["records"][0]["entry_leaf"] == LEAF.hex()
    assert (told["records"][0]["erased_at"], told["records"][0]["reason"]) == (1_800_000_000, "request")
    outcome = typed("erase", "--dir", str(tmp_path), "--leaf", LEAF.hex(), "--json")
    told = json.loads(outcome.out)
    assert (outcome.code, told["erased"], told["records"][0]["erased_at"]) == (3, False, None)


@pytest.fixture
def draft(tmp_path):
    path = tmp_path / "draft.json"
    document = DeliveryPlaintext(entry=ENTRY, disclosures=()).encode()
    path.write_bytes(DraftPackage(body=b"body", document=document, audience=()).encode())
    return path


def test_a_draft_names_its_record_and_its_file_goes_too(typed, desk, draft, tmp_path):
    typed("erase", "--dir", str(tmp_path), "--draft", str(draft))
    assert list(desk.asked[0].entry_leaves) == [entry_leaf(ENTRY)]
    assert draft.exists()
    assert typed("erase", "--dir", str(tmp_path), "--draft", str(draft), "--yes").code == 0
    assert not draft.exists()


@pytest.mark.parametrize(("failure", "code"), [(NotYet(what="bytes"), 3), (Unknown(what="document"), 2)])
def test_a_draft_stays_when_the_node_did_not_erase(typed, desk, draft, tmp_path, failure, code):
    desk.failure = failure
    assert typed("erase", "--dir", str(tmp_path), "--draft", str(draft), "--yes").code == code
    assert draft.exists()


@pytest.mark.parametrize("wrong", [("--match", "seller"), ("--match", "=x"), ("--leaf", "zz"), ("--draft", "nowhere")])
def test_wrong_usage_asks_no_node(typed, desk, tmp_path, wrong):
    assert typed("erase", "--dir", str(tmp_path), *wrong, "--yes").code == 2
    assert desk.asked == []


def test_help_speaks_of_backups(typed):
    told = " ".join(typed("erase", "--help").out.split())
    assert "backups and snapshots" in told
    assert "tombstone" in told
