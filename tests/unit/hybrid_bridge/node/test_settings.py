from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.errors import KeyUnusable, SettingsMalformed
from hybrid_bridge.node.settings import (
    FILE,
    NodeSettings,
    PublicSettings,
    read_secret,
    read_settings,
    require_endpoint,
    write_settings,
)
from hybrid_bridge.rpc.limits import Limits

GOOD = """name = "bank-a"
listen = "127.0.0.1:7001"
log_level = "info"
reflection = false
block_interval_ms = 200
pool_limit = 10
[secrets]
identity = "file:keys/identity.key"
"""


def written(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text)
    return folder


def test_a_good_file_is_read(tmp_path: Path) -> None:
    found = read_settings(written(tmp_path, GOOD))
    assert (found.name, found.listen, found.pool_limit) == ("bank-a", "127.0.0.1:7001", 10)
    assert found.secrets == {"identity": tmp_path / "keys/identity.key"}


DATABASE = "postgresql://bank@db.example:5433/bank_a?password=command:/usr/bin/pass bank&ca=ca.pem"
OPTIONAL = {
    "witnesses": "w.policy",
    "erasure_notices": "follow",
    "block_every": 10,
    "metrics": "127.0.0.1:9465",
    "snapshot_every": 0,
    "database": DATABASE,
}


def test_what_may_be_left_out_is_quiet_and_what_is_said_comes_back(tmp_path: Path) -> None:
    plain = read_settings(written(tmp_path, GOOD))
    assert (plain.witnesses, plain.erasure_notices, plain.block_every) == ("", "list", 0)
    said = read_settings(written(tmp_path, "".join(f"{k} = {v!r}\n" for k, v in OPTIONAL.items()) + GOOD))
    assert {name: getattr(said, name) for name in OPTIONAL} == OPTIONAL
    assert read_settings(written(tmp_path, write_settings(said))) == said


def test_engines_with_older_blocks_are_named_by_their_addresses(tmp_path: Path) -> None:
    plain = read_settings(written(tmp_path, GOOD))
    assert (plain.engine_archives, plain.snapshot_every) == ((), 1000)
    said = read_settings(written(tmp_path, 'engine_archives = ["127.0.0.1:1", "127.0.0.1:2"]\n' + GOOD))
    assert said.engine_archives == ("127.0.0.1:1", "127.0.0.1:2")
    assert read_settings(written(tmp_path, write_settings(said))) == said


@pytest.mark.parametrize("contract", [None, "0x" + "aB" * 20])
def test_a_public_chain_is_named_by_an_endpoint_and_perhaps_a_contract(tmp_path: Path, contract: str | None) -> None:
    assert read_settings(written(tmp_path, GOOD)).public is None
    more = "" if contract is None else f', contract = "{contract}"'
    said = read_settings(written(tmp_path, f'public = {{ rpc = "file:rpc.url"{more} }}\n' + GOOD))
    assert said.public == PublicSettings("file:rpc.url", contract)
    assert read_settings(written(tmp_path, write_settings(said))) == said


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('database = ""', "database"),
        ('database = "sqlite:///ledger.db"', "database"),
        ('database = "postgresql://bank@db.example/bank_a"', "database"),
        ('database = "postgresql://bank:secret@db.example/bank_a?password=file:pw"', "database"),
        ('database = "postgresql://bank@db.example/bank_a?password=secret"', "database"),
        ("database = { }", "database"),
        ("witnesses = 1", "witnesses"),
        ('erasure_notices = "ask"', "erasure_notices"),
        ("block_every = -1", "block_every"),
        ("block_every = 3601", "block_every"),
        ('block_every = "10"', "block_every"),
        ('metrics = "0.0.0.0:9465"', "metrics"),
        ('metrics = "10.0.0.1:9465"', "metrics"),
        ('metrics = "9465"', "metrics"),
        ('engine_rpc = "10.0.0.1:26657"', "engine_rpc"),
        ('engine_rpc = "0.0.0.0:26657"', "engine_rpc"),
        ('engine_rpc = ""', "engine_rpc"),
        ('engine_archives = "127.0.0.1:1"', "engine_archives"),
        ('engine_archives = ["somewhere"]', "engine_archives"),
        ("engine_archives = [1]", "engine_archives"),
        ("snapshot_every = -1", "snapshot_every"),
        ("snapshot_every = 1000001", "snapshot_every"),
        ('snapshot_every = "10"', "snapshot_every"),
        ('public = "http://127.0.0.1:8545"', "public"),
        ("public = {}", "public"),
        ('public = { contract = "0x00" }', "public"),
        ('public = { rpc = "http://h", chain_id = "1" }', "public"),
        ("public = { rpc = 1 }", "public"),
        ('public = { rpc = "ftp://h" }', "public.rpc"),
        ('public = { rpc = "file:" }', "public.rpc"),
        ('public = { rpc = "http://h", contract = "0x00" }', "public.contract"),
    ],
)
def test_an_optional_entry_out_of_range_is_named(tmp_path: Path, line: str, key: str) -> None:
    with pytest.raises(SettingsMalformed) as refused:
        read_settings(written(tmp_path, f"{line}\n{GOOD}"))
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('name = "Bank A"', "name"),
        ("name = 5", "name"),
        ('log_level = "loud"', "log_level"),
        ("reflection = 1", "reflection"),
        ("block_interval_ms = true", "block_interval_ms"),
        ("block_interval_ms = 0", "block_interval_ms"),
        ("pool_limit = 0", "pool_limit"),
        ('listen = "7001"', "listen"),
        ('listen = "127.0.0.1:70010"', "listen"),
        ('listen = "127.0.0.1:\uff17"', "listen"),
    ],
)
def test_an_entry_out_of_range_is_named(tmp_path: Path, line: str, key: str) -> None:
    name = line.split(" = ", maxsplit=1)[0]
    text = "\n".join(line if row.startswith(name) else row for row in GOOD.splitlines())
    with pytest.raises(SettingsMalformed) as refused:
        read_settings(written(tmp_path, text))
    assert refused.value.key == key


@pytest.mark.parametrize("row", [row for row in GOOD.splitlines() if "=" in row and "file:" not in row])
def test_a_missing_entry_is_named_not_guessed(tmp_path: Path, row: str) -> None:
    with pytest.raises(SettingsMalformed) as refused:
        read_settings(written(tmp_path, GOOD.replace(row + "\n", "")))
    assert refused.value.key == row.split(" = ", maxsplit=1)[0]


@pytest.mark.parametrize("extra", ['colour = "blue"\n', "[other]\nx = 1\n", 'nmae = "bank-a"\n'])
def test_an_unknown_entry_is_refused(tmp_path: Path, extra: str) -> None:
    with pytest.raises(SettingsMalformed):
        read_settings(written(tmp_path, extra + GOOD if "=" in extra.splitlines()[0] else GOOD + extra))


@pytest.mark.parametrize("line", ['identity = "keys/identity.key"', 'password = "file:x"', "identity = 5"])
def test_a_secret_is_a_known_name_and_a_file_uri(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsMalformed) as refused:
        read_settings(written(tmp_path, GOOD.replace('identity = "file:keys/identity.key"', line)))
    assert refused.value.key.startswith("secrets.")


def test_no_file_and_no_toml_are_settings_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsMalformed):
        read_settings(tmp_path)
    for content in (b"\xff\xfe", b"a=" + b"[" * 5000, b"a=" + b"9" * 5000):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(SettingsMalformed):
            read_settings(tmp_path)


@given(st.binary(max_size=100))
@settings(max_examples=60)
def test_noise_is_refused_as_settings(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / FILE).write_bytes(noise)
    with pytest.raises(SettingsMalformed):
        read_settings(folder)


@given(st.text(max_size=30))
def test_an_endpoint_is_host_and_port_or_refused(text: str) -> None:
    try:
        host, port = require_endpoint(text, "listen")
    except SettingsMalformed:
        return
    assert host
    assert 0 <= port <= 65_535
    assert text.startswith(host + ":")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = NodeSettings(
        folder=tmp_path,
        name="bank-a",
        listen="127.0.0.1:1",
        log_level="error",
        reflection=True,
        block_interval_ms=10,
        pool_limit=7,
        limits=Limits(submit=1, reads=2, delivery=3, streams=4),
        secrets={"tls": tmp_path / "keys" / "tls.key"},
    )
    assert read_settings(written(tmp_path, write_settings(made))) == made


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_secret_that_others_may_touch_is_unusable(tmp_path: Path, mode: int) -> None:
    found = read_settings(written(tmp_path, GOOD))
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys/identity.key"
    key.write_text("00" * 32 + "\n")
    key.chmod(0o600)
    assert read_secret(found, "identity") == bytes(32)
    key.chmod(mode)
    with pytest.raises(KeyUnusable) as refused:
        read_secret(found, "identity")
    assert refused.value.rule == "mode 0600"


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"zz" * 32, b"\xff" * 64, b"00" * 33])
def test_a_secret_of_another_form_is_unusable_and_not_shown(tmp_path: Path, content: bytes) -> None:
    found = read_settings(written(tmp_path, GOOD))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/identity.key").touch(0o600)
    (tmp_path / "keys/identity.key").write_bytes(content)
    with pytest.raises(KeyUnusable) as refused:
        read_secret(found, "identity")
    assert "zz" not in str(refused.value)


def test_a_secret_that_is_not_named_or_not_there_is_unusable(tmp_path: Path) -> None:
    found = read_settings(written(tmp_path, GOOD))
    for name in ("vrf", "identity"):
        with pytest.raises(KeyUnusable):
            read_secret(found, name)


def test_limits_are_given_one_by_one_and_are_rates(tmp_path: Path) -> None:
    found = read_settings(written(tmp_path, GOOD.replace("[secrets]", "limits = { reads = 7 }\n[secrets]"))).limits
    assert found == Limits(reads=7)
    for wrong in ("reads = 0", "reads = true", "reads = 1000001", "wishes = 1", 'reads = "1"'):
        text = GOOD.replace("[secrets]", f"limits = {{ {wrong} }}\n[secrets]")
        with pytest.raises(SettingsMalformed):
            read_settings(written(tmp_path, text))
