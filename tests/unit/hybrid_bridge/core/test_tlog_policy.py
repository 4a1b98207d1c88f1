"""The text of C2SP tlog-policy: who counts, how many, and everything that is no policy."""

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.note import TYPE_COSIGNATURE, TYPE_ED25519, TYPE_MLDSA, VerifierKey
from hybrid_bridge.core.tlog_policy import MAX_NAMES, MAX_POLICY, parse_policy
from hybrid_bridge.core.trust import Trust, parse_trust
from hybrid_bridge.errors import Malformed, TooLong


def witness_key(number: int, kind: bytes = TYPE_COSIGNATURE) -> str:
    return VerifierKey(f"w{number}", kind, PrivateKey.from_seed(bytes([number]) * 32).public.spki[-32:]).text()


LOG = witness_key(99, TYPE_ED25519)
THREE = "".join(f"witness {name} {witness_key(number)}\n" for number, name in enumerate("abc", start=1))
TWO_LEVELS = (
    f"log {LOG} https://log.example\n{THREE}group abc 2 a b c\n"
    f"witness x {witness_key(4)} https://w.example\nwitness y {witness_key(5)}\ngroup xy any x y\n"
    "group all all abc xy\nquorum all\n"
)


@pytest.mark.parametrize(
    ("cosigned", "met"),
    [("abx", True), ("acy", True), ("abcxy", True), ("ax", False), ("abc", False), ("xy", False), ("", False)],
)
def test_two_levels_of_groups(cosigned, met):
    assert parse_policy(TWO_LEVELS).is_met(set(cosigned)) is met


def test_names_outside_the_policy_count_for_nothing():
    assert not parse_policy(TWO_LEVELS).is_met({"all", "abc", "xy", "none", "z"})


@pytest.mark.parametrize(
    ("text", "needed"),
    [(f"{THREE}quorum b\n", {"b"}), ("quorum none\n", set()), (f"{THREE}group g all a b c\nquorum g\n", set("abc")),
     (f"{THREE}group g 1 a b\nquorum g\n", {"b"})],
)  # fmt: skip
def test_one_witness_none_and_all(text, needed):
    policy = parse_policy(text)
    assert policy.is_met(needed)
    assert policy.is_met(set()) is (not needed)


def test_white_space_and_comments_are_free():
    text = f"# a policy\n\n \t\n\twitness  a\t{witness_key(1)} \n  # more \u00e9\nquorum a\n"
    assert list(parse_policy(text).witnesses) == ["a"]


def test_post_quantum_keys_of_logs_and_witnesses_are_known():
    key = MldsaKey(bytes(32)).public
    text = f"log {VerifierKey('o', TYPE_MLDSA, key).text()}\nwitness a {VerifierKey('w', TYPE_MLDSA, key).text()}\nquorum a\n"
    policy = parse_policy(text)
    assert policy.logs[0].key == policy.witnesses["a"].key == key


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", THREE, "quorum a\n", f"{THREE}quorum a", f"{THREE}quorum a\nquorum b\n", f"quorum a\n{THREE}",
        f"{THREE}quorum a b\n", f"{THREE}quorum\n", f"{THREE}quorum z\n", f"{THREE}quorum a\r\n", f"{THREE}quorum\va\n",
        f"{THREE}group g 0 a b\nquorum g\n", f"{THREE}group g 4 a b c\nquorum g\n", f"{THREE}group g 02 a b\nquorum g\n",
        f"{THREE}group g +1 a\nquorum g\n", f"{THREE}group g some a b\nquorum g\n", f"{THREE}group g 1\nquorum g\n",
        f"{THREE}group g any a a\nquorum g\n", f"{THREE}group g any a\ngroup h any a\nquorum h\n",
        f"{THREE}group g any none\nquorum g\n", f"{THREE}group g any g\nquorum g\n", f"{THREE}group g any z\nquorum g\n",
        f"{THREE}group a any b\nquorum a\n", f"{THREE}group none any b\nquorum a\n",
        f"{THREE}witness a {witness_key(7)}\nquorum a\n", f"{THREE}witness d {witness_key(1)}\nquorum a\n",
        f"{THREE}witness none {witness_key(7)}\nquorum a\n", f"witness a {LOG}\nquorum a\n", "witness a x\nquorum a\n",
        f"witness a {witness_key(1)} u v\nquorum a\n", f"log {witness_key(1)}\nquorum none\n",
        f"log {LOG}\nlog {LOG}\nquorum none\n", f"log {LOG} u v\nquorum none\n", "log\nquorum none\n",
        "Quorum none\n", "quorum none\x00\n", "quorum\u00a0none\n", "trust everybody\nquorum none\n",
    ],
    ids=lambda text: f"{sha256(text.encode()).hex()[:8]}",
)  # fmt: skip
def test_what_is_no_policy_is_malformed(text):
    with pytest.raises(Malformed):
        parse_policy(text)


def test_a_text_too_long_and_names_too_many_are_refused():
    with pytest.raises(TooLong):
        parse_policy("#" * MAX_POLICY + "\n")
    lines = [f"witness w0 {witness_key(1)}\n", *(f"group w{n + 1} any w{n}\n" for n in range(MAX_NAMES))]
    assert parse_policy("".join(lines[:MAX_NAMES]) + "quorum w255\n").is_met({"w0"})  # deep, and no recursion
    with pytest.raises(TooLong):
        parse_policy("".join(lines) + "quorum w255\n")


def test_a_trust_file_with_a_policy_that_is_none_is_malformed():
    assert parse_trust(Trust(tlog_policy="quorum none\n").encode()).tlog_policy == "quorum none\n"
    with pytest.raises(Malformed):
        parse_trust(Trust(tlog_policy="quorum all\n").encode())


def test_where_a_witness_is_asked_is_kept_beside_its_name():
    assert parse_policy(TWO_LEVELS).urls == {"x": "https://w.example"}
