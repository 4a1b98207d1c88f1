"""The settings to begin with hold every key there is; what is shown of settings holds no secret; errors name lines."""

import re
from pathlib import Path

import pytest

from hybrid_bridge.errors import SettingsMalformed
from relayers.sample import SAMPLE
from relayers.settings import Endpoint, parse_settings
from relayers.shown import address_shown, settings_shown
from relayers.toml_lines import line_of
from relayers.toml_table import Table


def test_the_sample_is_parsed_and_holds_every_key_that_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: set[str] = set()
    take, peek = Table._take, Table.peek

    def taking(self: Table, key: str, default: object = None) -> object:
        asked.add(self._full(key))
        return take(self, key, default)

    def peeking(self: Table, key: str) -> object:
        asked.add(self._full(key))
        return peek(self, key)

    monkeypatch.setattr(Table, "_take", taking)
    monkeypatch.setattr(Table, "peek", peeking)
    settings = parse_settings(SAMPLE, tmp_path)
    assert settings.listen == ("127.0.0.1", 9464)
    written = set(re.findall(r"([a-z_-]+) = ", re.sub(r"(?m)^#.*$", "", SAMPLE))) | {
        "log",
        "chain",
        "fees",
        "turns",
        "members",
    }
    assert {key.rpartition(".")[2] for key in asked} <= written


def test_every_key_of_the_sample_has_a_word_above_it() -> None:
    block: list[str] = []
    for line in SAMPLE.splitlines():
        if line.startswith("#") or not line.strip():
            block = [line] if line.startswith("#") else []
        elif re.match(r"[a-z_-]+ = |\[", line) and not line.startswith(
            ("genesis =", "first_block", "signer_address", "usual_gas")
        ):
            assert block or line.startswith(("[", "chain_id", "member-")), line


def test_the_defaults_of_the_sample_are_the_defaults(tmp_path: Path) -> None:
    keys = ("delay_seconds", "max_gas", "usual_gas", "bump_blocks", "grace_blocks")
    without = "\n".join(line for line in SAMPLE.splitlines() if not line.startswith(keys))
    assert parse_settings(without, tmp_path) == parse_settings(SAMPLE, tmp_path)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://b.example/", "https://b.example"),
        ("https://b.example/v3/secret", "https://b.example/…"),
        ("https://b.example?key=secret", "https://b.example/…"),
        ("https://user:secret@b.example:1", "https://b.example:1"),
        (Path("/etc/url"), "file:/etc/url"),
    ],
)
def test_an_address_is_shown_up_to_its_host(url: str | Path, shown: str) -> None:
    assert address_shown(Endpoint("a", url)) == shown


def test_what_is_shown_holds_every_money_and_no_secret(tmp_path: Path) -> None:
    text = SAMPLE.replace("https://b.example/", "https://user:hunter2@b.example/hunter2?k=hunter2")
    shown = str(settings_shown(parse_settings(text, tmp_path)))
    assert "hunter2" not in shown
    assert "'fees.max_cost_per_anchor_wei': 30000000000000000" in shown


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("tick_seconds = 6", "tick_seconds = 0", "tick_seconds"),
        ("rpc_quorum = 2", "rpc_quorum = 9", "chain.rpc_quorum"),
        ('tip = "1 gwei"', 'tip = "1 shilling"', "chain.fees.tip"),
        ("grace_blocks = 6", "grace_blockz = 6", "chain.turns.grace_blockz"),
        ('b = "https://b.example/"', 'b = "ftp://b.example/"', "chain.endpoints.b"),
        ("id = 1, from_size", "id = 7, from_size", "log.sets"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = SAMPLE.replace(old, new)
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings(text, tmp_path)
    assert caught.value.key == key
    line = next(n for n, line in enumerate(text.splitlines(), 1) if new in line)
    assert caught.value.__notes__ == [f"line {line}"]


def test_a_missing_setting_is_named_with_the_line_of_its_table(tmp_path: Path) -> None:
    text = SAMPLE.replace('daily_budget = "0.3 ether"\n', "")
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings(text, tmp_path)
    assert caught.value.__notes__ == [f"line {text.splitlines().index('[chain.fees]') + 1}"]


def test_what_is_no_toml_says_where_by_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsMalformed, match="line 2, column 5"):
        parse_settings("a = 1\nb = = 2\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("", "a", None),
        ("# a = 1\n", "a", None),
        ("b = 1\na = 2\n", "a", 2),
        ("[t]\na = 1\n", "a", None),
        ("a = 1\n[t]\na = 1\n", "t.a", 3),
        ("[t]\nu = { a = 1 }\n", "t.u.a", 2),
        ("t.u.a = 1\n", "t.u.a", 1),
        ('[t."u"] # here\n"a" = 1\n', "t.u.a", 2),
        ("[[t]]\nb = 1\n", "t.a", 1),
    ],
)
def test_a_key_is_found_where_people_write_it(text: str, key: str, line: int | None) -> None:
    assert line_of(text, key) == line


def test_the_settings_in_the_relayers_page_are_settings() -> None:
    page = (Path(__file__).parents[3] / "docs" / "spec" / "RELAYER.md").read_text("utf-8")
    text = page[page.index("journal = ") :]
    text = text[: text.index("```")]
    for size, key in ((32, "id"), (32, "genesis_hash"), (20, "contract"), (20, "signer_address")):
        text = text.replace(f'{key} = "0x…"', f'{key} = "0x{"11" * size}"')
    operators = ", ".join(f'"0x{digit * 20}"' for digit in ("11", "22", "33"))
    text = text.replace('"0x…", "0x…", "0x…"', operators)
    assert parse_settings(text, Path()).chain.name == "mainnet"
