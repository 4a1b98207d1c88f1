import json

import pytest

from hybrid_bridge.business.policy import MAX_EPOCHS, Policy, Powers
from hybrid_bridge.core.encoding import b64u, canonical_json, sha256
from hybrid_bridge.errors import Malformed

KEY = f"key:{b64u(bytes(32))}"
POLICY = Policy(regulators=("regulator",), powers=Powers(brake_type=("quorum", "court", KEY)))


def test_a_policy_is_read_as_it_was_written_and_its_hash_is_that_of_its_bytes():
    assert Policy.decode(POLICY.encode()) == POLICY
    assert POLICY.digest == sha256(POLICY.encode())


def test_the_usual_powers_are_those_of_the_scenarios():
    usual = Powers()
    assert usual.brake_all == usual.brake_type == usual.brake_member == ("quorum",)
    assert set(usual.freeze) == {"court", "regulator"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("brake_all", ["everybody"]),
        ("brake_all", ["quorum", "quorum"]),
        ("brake_all", "quorum"),
        ("brake_all", [1]),
        ("freeze", ["key:"]),
        ("freeze", [f"key:{b64u(bytes(31))}"]),
        ("freeze", [f"{KEY}="]),
        ("freeze", ["member:core"]),
        ("alone_max", -1),
        ("alone_max", MAX_EPOCHS + 1),
        ("alone_max", True),
    ],
)
def test_a_holder_or_a_bound_that_no_rule_knows_is_malformed(name, value):
    given = json.loads(POLICY.encode())
    given["powers"][name] = value
    with pytest.raises(Malformed):
        Policy.decode(canonical_json(given))


def test_nothing_is_left_out_and_nothing_is_added():
    given = json.loads(POLICY.encode())
    for change in ({"other": 1}, {"powers": {}}):
        with pytest.raises(Malformed):
            Policy.decode(canonical_json(given | change))
    with pytest.raises(Malformed):
        Policy.decode(POLICY.encode() + b" ")
