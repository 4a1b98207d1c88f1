# ruff: noqa: RUF001 look-alike characters stand here on purpose
"""Outside numbers: one spelling each, published check digits, and nothing foreign."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.errors import BridgeError, FieldMalformed, TooLong

# The examples that the standards themselves, or their registries, publish.
PUBLISHED = [
    (ids.usci, "91350100M000100Y43"),
    (ids.lei, "5493001KJTIIGC8Y1R12"),
    (ids.container, "CSQU3054383"),
    (ids.gtin, "00614141123452"),
    (ids.gln, "0614141000012"),
    (ids.cn_einv, "24332000000000000123"),
    (ids.cn_decl, "223120260000000017"),
    (ids.inv_no, "INV-001/2027(A).中"),
    (ids.uuid, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    (ids.calendar_date, "2028-02-29"),
    (ids.amount, "125000000"),
    (ids.currency, "CNY"),
    (ids.party_id, "VAT:DE123456789"),
]
CODES = [(ids.usci, PUBLISHED[0][1]), (ids.lei, PUBLISHED[1][1]), (ids.container, PUBLISHED[2][1])]
DIGITS = "0123456789"
USCI_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Normaliser = Callable[[str], str]


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize(("normalise", "spelling"), PUBLISHED)
def test_a_spelling_is_its_own_spelling(normalise: Normaliser, spelling: str) -> None:
    assert normalise(spelling) == spelling


@pytest.mark.parametrize(("normalise", "spelling"), PUBLISHED)
def test_width_spaces_dashes_and_case_make_no_other_number(normalise: Normaliser, spelling: str) -> None:
    case = str.upper if normalise is ids.uuid else str.lower
    for written in (
        full_width(spelling),
        " ".join(spelling),
        "\u200b".join(spelling) + "\ufeff",
        "\t" + spelling.replace("-", "\u2014") + "\u00a0\n",
        spelling.replace("-", "\u2212"),
        case(spelling),
    ):
        assert normalise(written) == spelling


@pytest.mark.parametrize(("normalise", "spelling"), CODES)
def test_separators_mean_nothing_in_a_code(normalise: Normaliser, spelling: str) -> None:
    assert normalise(f"({spelling[:4]})-{spelling[4:8]}.{spelling[8:10]}/{spelling[10:]}") == spelling


@pytest.mark.parametrize(("normalise", "spelling"), CODES)
def test_check_digit(normalise: Normaliser, spelling: str) -> None:
    for last in DIGITS:
        if last != spelling[-1]:
            with pytest.raises(FieldMalformed):
                normalise(spelling[:-1] + last)


@pytest.mark.parametrize(("normalise", "spelling"), CODES)
def test_two_neighbours_exchanged_are_noticed(normalise: Normaliser, spelling: str) -> None:
    for at in range(len(spelling) - 1):
        exchanged = spelling[:at] + spelling[at + 1] + spelling[at] + spelling[at + 2 :]
        if exchanged != spelling:
            with pytest.raises(FieldMalformed):
                normalise(exchanged)


@given(st.text(USCI_CHARACTERS, min_size=17, max_size=17))
def test_a_made_usci_is_one(first: str) -> None:
    assert ids.usci(first + ids.usci_check_digit(first)) == first + ids.usci_check_digit(first)


@given(st.text(DIGITS + LETTERS, min_size=18, max_size=18))
def test_a_made_lei_is_one_and_its_check_digits_are_the_only_ones(first: str) -> None:
    made = first + ids.lei_check_digits(first)
    assert ids.lei(made) == made
    assert int("".join(str(int(c, 36)) for c in made)) % 97 == 1


@given(st.text(LETTERS, min_size=3, max_size=3), st.sampled_from("UJZ"), st.text(DIGITS, min_size=6, max_size=6))
def test_a_made_container_number_is_one(owner: str, category: str, serial: str) -> None:
    first = owner + category + serial
    assert ids.container(first + ids.container_check_digit(first)) == first + ids.container_check_digit(first)


@pytest.mark.parametrize("length", [7, 11, 12, 13])
def test_every_gtin_is_padded_to_fourteen(length: int) -> None:
    first = "9520000000001"[:length]
    made = first + ids.gs1_check_digit(first)
    assert ids.gtin(made) == made.zfill(14)


def test_a_serial_number_keeps_its_case() -> None:
    assert ids.sgtin("614141-12345 2", "aB-1/x") == "00614141123452aB-1/x"
    with pytest.raises(FieldMalformed):
        ids.sgtin("00614141123453", "1")
    with pytest.raises(FieldMalformed):
        ids.sgtin("00614141123452", "")


@pytest.mark.parametrize(
    ("written", "loose"),
    [
        ("INV-001", "INV1"),
        ("inv—001", "INV1"),
        ("ＩＮＶ－００１", "INV1"),
        ("INV 1", "INV1"),
        ("A/007.0(8)", "A708"),
        ("000", "0"),
        ("0-05", "5"),
        ("发票010", "发票10"),
    ],
)
def test_the_loose_form_forgets_separators_and_leading_zeros(written: str, loose: str) -> None:
    assert ids.inv_no_loose(written) == loose
    assert ids.inv_no_loose(loose) == loose


def test_the_invoice_number_of_the_specification() -> None:
    assert {ids.inv_no(written) for written in ("INV-001", "inv—001", "ＩＮＶ－００１")} == {"INV-001"}


@pytest.mark.parametrize(
    ("normalise", "written"),
    [
        (ids.inv_no, "ІNV-001"),  # a Cyrillic letter
        (ids.inv_no, "INV-00١"),  # an Arabic digit
        (ids.inv_no, "INV_001"),
        (ids.inv_no, "é"),
        (ids.inv_no, ""),
        (ids.inv_no, "\u200b"),
        (ids.inv_no, "9" * 65),
        (ids.inv_no, "\ud800"),
        (ids.inv_no, "\U0001ccd6"),  # an A of Unicode 16: newer tables would take it for a Latin one
        (ids.inv_no_loose, "---"),
        (ids.usci, "91350100M000100Y4I"),
        (ids.cn_einv, "2433200000000000012"),
        (ids.cn_decl, "223119990000000017"),
        (ids.cn_decl, "223120262000000017"),
        (ids.container, "CSQX3054383"),
        (ids.uuid, "f81d4fae7dec11d0a76500a0c91e6bf6"),
        (ids.calendar_date, "2027-02-29"),
        (ids.calendar_date, "20270228"),
        (ids.amount, "-1"),
        (ids.amount, "01"),
        (ids.amount, "1.5"),
        (ids.amount, "9" * 19),
        (ids.gtin, "123456789"),
        (ids.party_id, "DUNS:123"),
        (ids.party_id, "5493001KJTIIGC8Y1R12"),
        (ids.party_id, "VAT:D1"),
    ],
)
def test_what_has_no_spelling_is_refused(normalise: Normaliser, written: str) -> None:
    with pytest.raises(FieldMalformed):
        normalise(written)


def test_cyrillic_homoglyph() -> None:
    latin, cyrillic = "A-1", "А-1"  # a Cyrillic letter
    assert ids.inv_no(latin) == latin
    with pytest.raises(FieldMalformed):
        ids.inv_no(cyrillic)


def test_an_ideograph_that_came_after_unicode_3_is_a_plain_character() -> None:
    assert ids.inv_no("\u9fff") == "\u9fff"


def test_a_text_is_bounded_before_it_is_normalised() -> None:
    with pytest.raises(TooLong):
        ids.inv_no(" " * 257)


def test_every_ideograph_of_a_number_is_its_own_spelling_but_the_one_that_looks_like_a_dash() -> None:
    assert ids.inv_no("\u4e00") == "-"
    ideographs = "".join(map(chr, range(0x4E01, 0xA000)))
    for start in range(0, len(ideographs), 64):
        assert ids.inv_no(ideographs[start : start + 64]) == ideographs[start : start + 64]


@given(st.sampled_from(ids.FORMS), st.text(max_size=40))
@settings(max_examples=200)
def test_normalising_twice_is_normalising_once(form: ids.Form, text: str) -> None:
    try:
        spelling = form.normalise(text)
    except BridgeError:
        return
    assert form.normalise(spelling) == spelling
    assert unicodedata.normalize("NFKC", spelling) == spelling


@given(st.sampled_from([form for form in ids.FORMS if not form.check]), st.data())
@settings(max_examples=150)
def test_what_matches_a_pattern_is_its_own_spelling_but_for_the_ideograph_that_is_a_dash(
    form: ids.Form, data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(form.pattern, fullmatch=True)).replace("\u4e00", "\u4e01")
    assert form.normalise(text) == text


def test_forms_have_names_of_their_own() -> None:
    assert len({form.name for form in ids.FORMS}) == len(ids.FORMS)
    assert {form.check for form in ids.FORMS} - {""} <= set(ids._CHECKS)
    for form in ids.FORMS:
        re.compile(form.pattern)


def test_a_party_goes_by_the_first_scheme_it_has() -> None:
    usci, lei = PUBLISHED[0][1], PUBLISHED[1][1]
    assert ids.party(usci=usci, lei=lei, vat="DE123456789") == f"USCI:{usci}"
    assert ids.party(lei=lei.lower(), vat="DE123456789") == f"LEI:{lei}"
    assert ids.party(vat="de 123.456.789") == "VAT:DE123456789"
    assert ids.party_id(f"lei： {lei}") == f"LEI:{lei}"
    with pytest.raises(FieldMalformed):
        ids.party()


def test_a_transport_document_has_carrier_and_reference() -> None:
    assert ids.ebl("maeu", "mae-123 456") == ("MAEU", "MAE123456")


@pytest.mark.parametrize(
    ("make", "first"),
    [
        (ids.usci_check_digit, "9135"),
        (ids.lei_check_digits, "ä" * 18),
        (ids.gs1_check_digit, "12a"),
        (ids.container_check_digit, "CSQX305438"),
    ],
)
def test_a_check_digit_is_made_of_the_right_characters_only(make: Normaliser, first: str) -> None:
    with pytest.raises(FieldMalformed):
        make(first)
