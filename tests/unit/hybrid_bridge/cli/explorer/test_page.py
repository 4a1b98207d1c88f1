"""The explorer's two files: values that nothing can break out of, the page's policy, and writing that never stops half."""

import json
import re
from pathlib import Path

import pytest

from hybrid_bridge.cli.explorer import page
from hybrid_bridge.cli.explorer.page import page_of, values_text, write_page
from hybrid_bridge.errors import SettingsMalformed, StoreBroken

HOSTILE = {"name": "</script><!--<script>alert(1)</script>&\u2028\u202e\u0000'\"", "一": ["\ud800"]}


def inside(text: str) -> str:
    (found,) = re.findall(r'<script type="application/json" id="values">(.*?)</script>', text, re.DOTALL)
    return str(found)


def test_no_value_ends_the_element_that_it_stands_in() -> None:
    text = page_of(HOSTILE)
    assert json.loads(inside(text)) == HOSTILE
    assert inside(text).isascii()
    assert not {"<", ">", "&", "\n"} & set(inside(text))
    assert text.count("<script") == 2
    assert text.count("</script>") == 2


def test_the_same_values_are_the_same_bytes_in_whatever_order_they_come() -> None:
    assert values_text({"a": 1, "b": [2]}) == values_text({"b": [2], "a": 1})


def test_the_policy_lets_nothing_run_but_what_is_in_the_page_and_nobody_is_asked() -> None:
    policy = page_of({}).split('Content-Security-Policy" content="')[1].split('"')[0]
    assert re.fullmatch(
        r"default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'",
        policy,
    )


def test_what_is_there_already_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert [write_page(folder, {"a": 1}), write_page(folder, {"a": 1}), write_page(folder, {"a": 2})] == [
        True,
        False,
        True,
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["explorer.json", "index.html"]
    assert json.loads((folder / "explorer.json").read_text()) == json.loads(
        inside((folder / "index.html").read_text("utf-8"))
    )


def test_a_place_that_cannot_be_written_is_a_wrong_option(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsMalformed) as caught:
        write_page(tmp_path / "file" / "out", {})
    assert caught.value.key == "--output"


def test_a_package_with_another_page_builds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "HOLE", "not in it")
    with pytest.raises(StoreBroken):
        page_of({})
