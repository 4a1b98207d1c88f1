"""`brake` and `freeze` without a node: how a scope is written, and whose consents are asked for."""

from types import SimpleNamespace

import pytest

from hybrid_bridge.business.policy import Policy, Powers
from hybrid_bridge.cli.brake import _scope
from hybrid_bridge.cli.stopping import Place, authorisers, record, told
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.errors import BridgeError, FieldMalformed, Unknown

NAMES = ("core", "supplier", "bank-a", "bank-b", "court")
KEYS = {name: PrivateKey.from_seed(sha256(name.encode())).public for name in NAMES}
IDS = {name: key_id_text(key.key_id) for name, key in KEYS.items()}


class StubDirectory:
    identities = KEYS
    members = tuple(
        SimpleNamespace(
            name=name,
            roles=("court",) if name == "court" else ("validator",),
            address=None if name == "court" else b"a",
        )
        for name in NAMES
    )

    def member(self, name):
        return next(member for member in self.members if member.name == name)


class StubDesk:
    """Writes down what it is asked for."""

    def __init__(self):
        self.sent = []

    def draft(self, request):
        self.request = request
        return SimpleNamespace(draft=b"draft")

    def send(self, draft):
        self.sent.append(draft)
        return SimpleNamespace(transaction_id=b"\x01" * 32, entry_leaf=b"\x02" * 32, height=7)


def at(name="core", folder="nodes/core"):
    return Place(folder, name, StubDesk(), StubDirectory())


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("all", "ALL"),
        ("type:note.issue", "TYPE:0x0105"),
        ("type:note.issue/1", "TYPE:0x0105"),
        ("TYPE:0x8001", "TYPE:0x8001"),
        ("member:bank-a", f"MEMBER:{IDS['bank-a']}"),
        (f"member:key:{IDS['court']}", f"MEMBER:{IDS['court']}"),
    ],
)
def test_a_scope_is_written_as_people_say_it(text, scope):
    assert _scope(at(), text) == scope


@pytest.mark.parametrize("text", ["", "all:1", "type:note", "type:0x01", "member:nobody", "member:key:AA", "object:1"])
def test_a_scope_that_is_none_says_what_to_mend(text):
    with pytest.raises(BridgeError) as caught:
        _scope(at(), text)
    assert isinstance(caught.value, FieldMalformed | Unknown)


def asked(name, power, asked=(), **powers):
    who = authorisers(at(name), power, Policy(regulators=(), powers=Powers(**powers)).encode(), asked)
    return [at().who(key) for key in who]


def test_whom_it_takes_is_asked_and_we_are_the_first():
    assert asked("supplier", "brake_all") == ["supplier", "core", "bank-a"]
    assert asked("court", "brake_all") == ["core", "supplier", "bank-a"], "no validator: three others"
    assert asked("court", "freeze") == ["court"]
    assert asked("core", "brake_type", brake_type=("quorum", f"key:{IDS['core']}")) == ["core"]
    assert asked("core", "brake_all", ["bank-b", f"key:{IDS['court']}"]) == ["bank-b", "court"]


def test_who_holds_no_power_is_told_so_before_anything_is_drafted():
    with pytest.raises(FieldMalformed) as caught:
        asked("core", "freeze")
    assert caught.value.field == "--by"


def test_our_key_alone_is_sent_at_once(capsys):
    place = at()
    found = record(place, "brake.on/1", {"scope": "ALL"}, [IDS["core"]], None)
    assert place.desk.sent == [b"draft"]
    assert told(found, as_json=False) == 0
    assert "height  7" in capsys.readouterr().out


def test_a_draft_for_others_waits_for_their_consents_and_ends_with_three(tmp_path, capsys):
    place, out = at(folder="my nodes/core"), tmp_path / "stop.draft"
    found = record(place, "brake.on/1", {"scope": "ALL"}, [IDS["core"], IDS["bank-a"]], out)
    assert place.desk.sent == []
    assert (out.read_bytes(), out.stat().st_mode & 0o077) == (b"draft", 0)
    assert sorted(place.desk.request.audience) == sorted(set(NAMES) - {"core"})
    assert told(found, as_json=True) == 3
    said = capsys.readouterr()
    assert '"sent": false' in said.out
    assert f"at bank-a: hybrid-bridge member authorise --dir THEIR-FOLDER {out} --with identity" in said.err
    assert f"member submit --dir 'my nodes/core' {out} --consent bank-a.consent" in said.err


def test_a_draft_for_others_needs_a_place():
    with pytest.raises(FieldMalformed) as caught:
        record(at(), "brake.on/1", {}, [IDS["core"], IDS["bank-a"]], None)
    assert caught.value.field == "--out"
