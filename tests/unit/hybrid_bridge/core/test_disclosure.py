"""One encoding for each field, and a field proves only where it stands and only in its half."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.disclosure import (
    CHAIN,
    ORIGIN,
    SCHEMA,
    Disclosure,
    FieldValue,
    Half,
    decoy_digest,
    disclosure_digest,
    disclosure_named,
    open_fields,
    parse_disclosure,
    require_name,
    verify_disclosure_at,
)
from hybrid_bridge.core.encoding import ZERO, b64u, canonical_json, context, sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.proof import leaf_hash, node_hash
from hybrid_bridge.errors import (
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    IndexBeyondSize,
    Malformed,
    NotCanonical,
    PathLength,
    RootMismatch,
    TooLong,
    Unknown,
)

SALT = bytes(range(32))
RFC_9901_SALTED = '["_26bc4LT-ac6q2KI6cBW5es","family_name","Möbius"]'  # the RFC's own style: spaces, short salts


def text_of(*parts: object, separators: tuple[str, str] = (",", ":")) -> str:
    return b64u(json.dumps(list(parts), separators=separators, ensure_ascii=False).encode("utf-8", "surrogatepass"))


GOOD = text_of(b64u(SALT), "gross", "1250000")

names = st.one_of(st.from_regex(r"[a-z][a-z0-9_]{0,9}(\.[a-z0-9_]{1,5}){0,3}", fullmatch=True), st.just("_schema"))
values = st.one_of(
    st.text(max_size=40), st.integers(-(2**53) + 1, 2**53 - 1), st.booleans(), st.none()
)  # st.text leaves lone surrogates out
disclosures = st.builds(Disclosure, st.binary(min_size=32, max_size=32), names, values)


@given(disclosures)
def test_every_field_comes_back_from_its_text(disclosure: Disclosure) -> None:
    text = disclosure.text()
    parsed = parse_disclosure(text)
    assert (parsed, type(parsed.value)) == (disclosure, type(disclosure.value))
    assert parsed.text() == text
    assert disclosure.digest == disclosure_digest(text) == sha256(text.encode("ascii"))


def test_a_field_is_found_by_its_name_alone() -> None:
    names = ("debtor", "debtor.totals", "a", "debtor_2", "z")
    fields = {name: Disclosure(bytes([at]) * 32, name, '","z",') for at, name in enumerate(names)}
    texts = [field.text() for field in fields.values()]
    assert {name: disclosure_named(texts, name) for name in names} == fields
    assert [disclosure_named(texts, name) for name in ("debt", "b", "", "z2")] == [None] * 4


def test_a_field_shows_its_name_only() -> None:
    disclosure = Disclosure(SALT, "seller", "secret name")
    assert repr(disclosure) == "Disclosure(name='seller')"


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(b64u)))
def test_arbitrary_text_leaves_no_foreign_error(text: str) -> None:
    with pytest.raises(Malformed):
        parse_disclosure(text)


@given(st.recursive(st.one_of(values, st.floats()), lambda inner: st.lists(inner, max_size=4), max_leaves=6))
def test_arbitrary_json_is_refused_or_comes_back(value: object) -> None:
    text = b64u(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8"))
    try:
        assert parse_disclosure(text).text() == text
    except Malformed:
        return


@given(disclosures, st.integers(0, 10_000), st.characters(max_codepoint=0x2FF))
@settings(max_examples=200)
def test_a_changed_character_is_refused_or_is_another_field(disclosure: Disclosure, at: int, character: str) -> None:
    text = disclosure.text()
    changed = text[: at % len(text)] + character + text[at % len(text) + 1 :]
    try:
        assert parse_disclosure(changed).text() == changed
    except Malformed:
        return


def bad_b64_tail(text: str) -> str:
    """Set a bit that belongs to no byte."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text) % 4 in {2, 3}
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(text_of(b64u(SALT), "_secret", "x"), FieldMalformed, id="reserved-name"),
        pytest.param(text_of(b64u(SALT), "...", "x"), FieldMalformed, id="reserved-name-dots"),
        pytest.param(text_of(b64u(SALT), "_sd", "x"), FieldMalformed, id="sd-name"),
        pytest.param(text_of(b64u(SALT[:16]), "gross", "1"), FieldMalformed, id="salt-16-bytes"),
        pytest.param(text_of(b64u(SALT) + "=", "gross", "1"), NotCanonical, id="salt-not-canonical"),
        pytest.param(text_of(b64u(SALT)[:-1] + "9", "gross", "1"), NotCanonical, id="salt-trailing-bits"),
        pytest.param(text_of(b64u(SALT), "gross", "1", separators=(", ", ":")), NotCanonical, id="not-jcs-whitespace"),
        pytest.param(text_of(b64u(SALT), "gross", "1", "2"), FieldMalformed, id="array-of-four"),
        pytest.param(text_of(b64u(SALT), "gross"), FieldMalformed, id="array-of-two"),
        pytest.param(b64u(b'{"a":1}'), FieldMalformed, id="object"),
        pytest.param(text_of(b64u(SALT), "gross", 1.5), FieldMalformed, id="float-value"),
        pytest.param(text_of(b64u(SALT), "gross", 2**53), FieldMalformed, id="integer-2^53"),
        pytest.param(text_of(b64u(SALT), "gross", -(2**53)), FieldMalformed, id="integer-minus-2^53"),
        pytest.param(b64u(b'["' + b64u(SALT).encode() + b'","gross","\\ud800"]'), FieldMalformed, id="lone-surrogate"),
        pytest.param(text_of(b64u(SALT), "gross", "\ud800"), FieldMalformed, id="lone-surrogate-raw"),
        pytest.param(GOOD + "=", NotCanonical, id="base64-padding"),
        pytest.param(bad_b64_tail(GOOD), NotCanonical, id="trailing-bits-set"),
        pytest.param(GOOD.replace("W", "+", 1), NotCanonical, id="standard-alphabet"),
        pytest.param("é" + GOOD, NotCanonical, id="not-ascii"),
        pytest.param(text_of(7, "gross", "1"), FieldMalformed, id="salt-no-string"),
        pytest.param(text_of(b64u(SALT), 7, "1"), FieldMalformed, id="name-no-string"),
        pytest.param(text_of(b64u(SALT), "gross", ["1"]), FieldMalformed, id="array-value"),
        pytest.param(text_of(b64u(SALT), "gross", {"a": "1"}), FieldMalformed, id="object-value"),
        pytest.param(text_of(b64u(SALT), "gross", "x" * 6200), TooLong, id="too-long"),
        pytest.param("[" * 20, Malformed, id="deep"),
        pytest.param("", FieldMalformed, id="empty"),
    ],
)
def test_no_field_comes_from(text: str, error: type[Malformed]) -> None:
    with pytest.raises(error):
        parse_disclosure(text)


@pytest.mark.parametrize(
    "name",
    ["", "A", "1a", "a-b", "a..b", "a.", ".a", "a\n", "_", "a" * 65, "а"],  # noqa: RUF001 the last one is Cyrillic
)
def test_names_that_no_field_has(name: str) -> None:
    with pytest.raises(FieldMalformed):
        require_name(name)


@pytest.mark.parametrize("name", ["a", "a1_b", "note.0.face", "a" * 64, "_schema", "_origin", "_chain", "_label"])
def test_names_that_a_field_may_have(name: str) -> None:
    assert require_name(name) == name


def test_a_field_that_no_text_could_give_cannot_be_made() -> None:
    with pytest.raises(FieldMalformed):
        Disclosure(SALT, "gross", 1.5)  # type: ignore[arg-type]
    with pytest.raises(FieldMalformed):
        Disclosure(SALT, "gross", "\ud800")
    with pytest.raises(FieldMalformed):
        Disclosure(SALT, "gross", 2**53)
    with pytest.raises(TooLong):
        Disclosure(SALT, "gross", "x" * 6200)


def test_the_longest_field_has_8192_characters() -> None:
    longest = Disclosure(SALT, "gross", "x" * (6144 - len(f'["{b64u(SALT)}","gross",""]')))
    assert len(longest.text()) == 8192
    assert parse_disclosure(longest.text()) == longest


def test_foreign_text_is_hashed_but_not_parsed() -> None:
    text = b64u(RFC_9901_SALTED.encode())
    assert disclosure_digest(text) == sha256(text.encode())
    with pytest.raises(Malformed):
        parse_disclosure(text)
    with pytest.raises(FieldMalformed):
        disclosure_digest("ö")


def test_a_decoy_hashes_its_seed_under_its_own_context() -> None:
    assert decoy_digest(SALT) == sha256(context("field-decoy") + SALT)
    with pytest.raises(FieldMalformed):
        decoy_digest(SALT[:31])


# ── what an outsider checks ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Shown:
    value: str
    index: int
    path: list[bytes]


class Record:
    """A tree of eight leaves with whatever leaf data a test puts in, honest or not."""

    def __init__(self, *leaves: bytes) -> None:
        self.levels = [[leaf_hash(leaf) for leaf in leaves]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below), 2)])
        self.entry = RecordEntry(0x0101, len(leaves), self.levels[-1][0])

    def path(self, index: int) -> list[bytes]:
        return [level[(index >> k) ^ 1] for k, level in enumerate(self.levels[:-1])]

    def show(self, disclosure: Disclosure, index: int) -> Shown:
        return Shown(disclosure.text(), index, self.path(index))


def make(name: str, value: FieldValue) -> Disclosure:
    return Disclosure(sha256(name.encode()), name, value)


SCHEMA_CLAIM, ORIGIN_CLAIM = make(SCHEMA, "asset.register/1"), make(ORIGIN, "key")
GROSS, SELLER, LOCATOR = make("gross", "1250000"), make("seller", "LEI"), make(CHAIN, "block 7")
DECOYS = [decoy_digest(bytes([i]) * 32) for i in range(2)]
RECORD = Record(
    *(claim.digest for claim in (SCHEMA_CLAIM, ORIGIN_CLAIM, GROSS)), ZERO, SELLER.digest, LOCATOR.digest, *DECOYS
)
RFC_HALVES: dict[str, Half] = {"gross": "claim", "seller": "private"}


def half_of(schema: str, name: str) -> Half:
    if schema != "asset.register/1" or name not in RFC_HALVES:
        raise Unknown(what=f"{schema} {name}")
    return RFC_HALVES[name]


def test_a_field_stands_where_it_stands_and_its_half_says_what_it_is() -> None:
    gross = verify_disclosure_at(GROSS.text(), 2, RECORD.path(2), RECORD.entry)
    assert gross == (GROSS, True)
    seller = verify_disclosure_at(SELLER.text(), 4, RECORD.path(4), RECORD.entry)
    assert seller == (SELLER, False)


def test_all_shown_fields_open_together() -> None:
    shown = [RECORD.show(SCHEMA_CLAIM, 0), RECORD.show(GROSS, 2), RECORD.show(SELLER, 4), RECORD.show(LOCATOR, 5)]
    opened = open_fields(RECORD.entry, shown, half_of)
    assert [(field.disclosure, field.is_claim) for field in opened] == [
        (SCHEMA_CLAIM, True),
        (GROSS, True),
        (SELLER, False),
        (LOCATOR, False),
    ]
    assert open_fields(RECORD.entry, [], half_of) == ()


def refused(record: Record, *shown: Shown) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        open_fields(record.entry, shown, half_of)
    return caught.value


def test_name_twice() -> None:
    second = Disclosure(bytes(32), "gross", "9999")
    record = Record(SCHEMA_CLAIM.digest, GROSS.digest, second.digest, ZERO, *DECOYS, *DECOYS)
    shown = record.show(SCHEMA_CLAIM, 0), record.show(GROSS, 1), record.show(second, 2)
    assert isinstance(refused(record, *shown), FieldMalformed)


def test_claim_shown_from_private_half() -> None:
    record = Record(SCHEMA_CLAIM.digest, ZERO, ZERO, ZERO, GROSS.digest, *DECOYS, DECOYS[0])
    error = refused(record, record.show(SCHEMA_CLAIM, 0), record.show(GROSS, 4))
    assert isinstance(error, FieldMismatch)
    assert (error.field, error.expected, error.got) == ("gross", "claim", "private")


def test_private_name_in_left_half() -> None:
    record = Record(SCHEMA_CLAIM.digest, SELLER.digest, ZERO, ZERO, *DECOYS, *DECOYS)
    error = refused(record, record.show(SCHEMA_CLAIM, 0), record.show(SELLER, 1))
    assert isinstance(error, FieldMismatch)
    assert (error.field, error.expected, error.got) == ("seller", "private", "claim")


@pytest.mark.parametrize(("disclosure", "index"), [(SCHEMA_CLAIM, 4), (ORIGIN_CLAIM, 5), (LOCATOR, 1)])
def test_a_reserved_name_in_the_wrong_half_is_refused_whatever_the_schema(disclosure: Disclosure, index: int) -> None:
    leaves = [ZERO] * 8
    leaves[index] = disclosure.digest
    record = Record(*leaves)
    with pytest.raises(FieldMismatch):
        verify_disclosure_at(disclosure.text(), index, record.path(index), record.entry)


def test_schema_not_disclosed() -> None:
    error = refused(RECORD, RECORD.show(GROSS, 2))
    assert isinstance(error, FieldMalformed)
    assert error.field == SCHEMA


def test_a_schema_that_is_no_string_is_refused() -> None:
    schema = make(SCHEMA, 7)
    record = Record(schema.digest, *[ZERO] * 7)
    assert isinstance(refused(record, record.show(schema, 0)), FieldMalformed)


def test_field_index_aliased() -> None:
    assert isinstance(refused(RECORD, Shown(GROSS.text(), 2 + 8, RECORD.path(2))), IndexBeyondSize)
    assert isinstance(refused(RECORD, Shown(GROSS.text(), 3, RECORD.path(2))), RootMismatch)
    assert isinstance(refused(RECORD, Shown(GROSS.text(), -1, RECORD.path(2))), IndexBeyondSize)
    assert isinstance(refused(RECORD, Shown(GROSS.text(), 2, RECORD.path(2)[:2])), PathLength)


def test_digest_is_decoy() -> None:
    assert isinstance(refused(RECORD, RECORD.show(GROSS, 6)), RootMismatch)
    assert isinstance(refused(RECORD, Shown(b64u(bytes(32)), 6, RECORD.path(6))), Malformed)


def test_fields_shown_out_of_order_or_twice_are_refused() -> None:
    schema, gross = RECORD.show(SCHEMA_CLAIM, 0), RECORD.show(GROSS, 2)
    assert isinstance(refused(RECORD, gross, schema), FieldMalformed)
    assert isinstance(refused(RECORD, schema, schema), FieldMalformed)


def test_a_name_its_schema_does_not_know_is_refused_by_the_schema() -> None:
    other = make("other", "x")
    record = Record(SCHEMA_CLAIM.digest, other.digest, *[ZERO] * 6)
    assert isinstance(refused(record, record.show(SCHEMA_CLAIM, 0), record.show(other, 1)), Unknown)


@given(st.integers(0, 7), st.integers(0, 2), st.integers(0, 31), st.integers(1, 255))
def test_a_changed_path_proves_nothing(index: int, level: int, at: int, flip: int) -> None:
    path = [bytearray(sibling) for sibling in RECORD.path(2)]
    path[level][at] ^= flip
    with pytest.raises((RootMismatch, Malformed)):
        verify_disclosure_at(GROSS.text(), index, [bytes(sibling) for sibling in path], RECORD.entry)


def test_the_text_is_jcs_of_salt_name_and_value() -> None:
    assert Disclosure(SALT, "gross", "1250000").text() == GOOD
    assert b64u(canonical_json([b64u(SALT), "gross", "1250000"])) == GOOD
