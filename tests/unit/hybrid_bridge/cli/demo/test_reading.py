"""How the demo shows what `verify` answered."""

from typing import Any

from hybrid_bridge.cli.demo.reading import currency, opened_fields, reading_order, verdict_line


def field(name: str, value: object) -> dict[str, Any]:
    return {"name": name, "value": value, "is_claim": True}


def test_parts_come_in_the_order_of_their_numbers() -> None:
    names = ["note", "child.10.note", "child.2.note", "child.2.face", "ccy"]
    assert sorted(names, key=reading_order) == ["ccy", "child.2.face", "child.2.note", "child.10.note", "note"]


def test_amounts_are_yuan_only_where_the_currency_is_disclosed() -> None:
    fields = [field("_schema", "note.issue/1"), field("note", "00"), field("face", "27604298"), field("size", "100")]
    assert opened_fields(fields, "CNY")[0] == ("face", "27604298 fen = ¥276,042.98")
    assert opened_fields(fields, "") == [("face", "27604298"), ("note", "00"), ("size", "100")]


def test_a_currency_is_told_when_the_records_agree() -> None:
    def evidence(*values: str) -> dict[str, Any]:
        return {"records": [{"fields": [field("ccy", value)]} for value in values]}

    assert [currency(evidence(*v)) for v in (("CNY", "CNY"), ("CNY", "EUR"), ())] == ["CNY", "", ""]


def test_the_line_of_verdicts_leaves_out_what_says_nothing() -> None:
    verdicts = [("quorum", "verified"), ("witnesses", "not shown"), ("level", "A1"), ("not before", "undecided")]
    evidence = {"verdicts": [{"name": name, "result": result} for name, result in verdicts]}
    assert verdict_line(evidence) == "quorum: verified · level: A1"
