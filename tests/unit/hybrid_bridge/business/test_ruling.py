import pytest

from hybrid_bridge.business.ruling import RulePack, refusal_code, refuse
from hybrid_bridge.core.block import CODES
from hybrid_bridge.errors import RuleRejected


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("L-hard", 1),
        ("I1", 2),
        ("I3", 2),
        ("authority", 2),
        ("admission", 2),
        ("I2", 3),
        ("lifecycle", 3),
        ("brake", 4),
        ("entry", 5),
    ],
)
def test_the_rules_name_fixes_the_code_in_the_block(rule, code):
    assert refusal_code(rule) == code in CODES
    with pytest.raises(RuleRejected) as caught:
        refuse(rule, "subject")
    assert (caught.value.rule, caught.value.subject) == (rule, "subject")


def test_the_defaults_are_those_of_the_scenarios():
    pack = RulePack()
    assert (pack.tenor_max, pack.tenor_warn, pack.split_children, pack.split_depth, pack.reserve_ttl) == (
        12,
        6,
        50,
        16,
        24,
    )
    assert (pack.backdate_max, pack.future_max, pack.pay_grace, pack.advance_rate, pack.peer_max_age) == (
        86_400,
        120,
        3 * 86_400,
        9_000,
        2,
    )
