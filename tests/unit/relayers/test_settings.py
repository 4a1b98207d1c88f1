"""The settings: what is read, and that everything else is refused by name."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.custody.passphrases import FromFile
from hybrid_bridge.custody.places import Keystore
from hybrid_bridge.errors import SettingsMalformed
from relayers.settings import parse_settings, parse_settings_file, read_settings
from relayers.toml_table import Table

FOLDER = Path("/etc/hybrid-relayer")
SAMPLE = f"""
journal = "sqlite:///journal.db"
tick_seconds = 6

[log]
id = "0x{"aa" * 32}"
genesis = "genesis.bin"
anchor_every = 1
delay_seconds = 0
sets = [{{ id = 1, from_size = 1, entries = "set-1.bin" }}, {{ id = 2, from_size = 40, entries = "set-2.bin" }}]
tls = {{ ca = "ca.pem", certificate = "tls.pem", key = "file:tls.key" }}

[log.members]
bank-a = "127.0.0.1:7443"
bank-b = "127.0.0.1:7444"

[[chain]]
name = "devnet"
chain_id = 31337
genesis_hash = "0x{"bb" * 32}"
contract = "0x{"cc" * 20}"
first_block = 0
finality = "finalized"
rpc_quorum = 2
endpoints = {{ own = "http://127.0.0.1:8545", b = "file:b.url", c = "https://rpc.example" }}
signer = "keystore:gas.json?password=file:gas.password"
signer_address = "0x{"dd" * 20}"
fees = {{ max_fee_gwei = 120, tip = "0.5 gwei", max_cost_per_anchor = "0.03 ether", daily_budget = "0.3 ether" }}
turns = {{ operators = ["0x{"dd" * 20}", "0x{"ee" * 20}"], grace_blocks = 3 }}
"""


def changed(old: str, new: str) -> str:
    assert old in SAMPLE
    return SAMPLE.replace(old, new, 1)


def test_the_sample_is_read() -> None:
    settings = parse_settings(SAMPLE, FOLDER)
    assert settings.journal == FOLDER / "journal.db"
    assert settings.log.members == (("bank-a", "127.0.0.1:7443"), ("bank-b", "127.0.0.1:7444"))
    assert [(item.set_id, item.from_size) for item in settings.log.sets] == [(1, 1), (2, 40)]
    chain = settings.chain
    assert (chain.chain_id, chain.depth, chain.rpc_quorum, chain.grace_blocks) == (31337, None, 2, 3)
    assert [endpoint.url for endpoint in chain.endpoints] == [
        "http://127.0.0.1:8545",
        FOLDER / "b.url",
        "https://rpc.example",
    ]
    assert chain.signer == Keystore(FOLDER / "gas.json", FromFile(FOLDER / "gas.password"))
    assert (chain.fees.max_fee, chain.fees.tip) == (120 * 10**9, 5 * 10**8)
    assert chain.fees.max_cost_per_anchor == 3 * 10**16
    assert (chain.fees.max_gas, chain.fees.usual_gas, chain.fees.bump_blocks) == (1_500_000, 300_000, 10)


def test_an_absolute_path_stays_absolute() -> None:
    text = changed("sqlite:///journal.db", "sqlite:////var/lib/journal.db")
    assert parse_settings(text, FOLDER).journal == Path("/var/lib/journal.db")


def test_finality_may_be_a_depth() -> None:
    assert parse_settings(changed('"finalized"', "{ depth = 64 }"), FOLDER).chain.depth == 64


def test_defaults_are_few_and_never_money() -> None:
    text = changed("delay_seconds = 0\n", "").replace(", grace_blocks = 3", "")
    settings = parse_settings(text, FOLDER)
    assert (settings.log.delay, settings.chain.grace_blocks) == (30, 6)


def test_nothing_listens_unless_an_address_is_given() -> None:
    assert parse_settings(SAMPLE, FOLDER).listen is None
    text = changed("tick_seconds = 6", 'tick_seconds = 6\nlisten = "127.0.0.1:9464"')
    assert parse_settings(text, FOLDER).listen == ("127.0.0.1", 9464)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:9464",
        "192.168.0.1:1",
        "localhost:1",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:0001000",
        "127.0.0.1:-1",
        "127.0.0.1:٣",
        "[::1]:1",
        ":1",
        "127.0.0.1:1:1",
    ],
)
def test_only_loopback_is_listened_at(address: str) -> None:
    with pytest.raises(SettingsMalformed) as refused:
        parse_settings(changed("tick_seconds = 6", f'tick_seconds = 6\nlisten = "{address}"'), FOLDER)
    assert refused.value.key == "listen"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("tick_seconds = 6", "tick_seconds = 0", "tick_seconds"),
        ("tick_seconds = 6", "tick_seconds = true", "tick_seconds"),
        ("tick_seconds = 6", "tick_seconds = 6\nlisten = 'x'", "listen"),
        ("tick_seconds = 6", "", "tick_seconds"),
        ('"sqlite:///journal.db"', '"postgresql://db"', "journal"),
        ('"sqlite:///journal.db"', '"sqlite:///"', "journal"),
        ('id = "0xaa', 'id = "aa', "log.id"),
        ('id = "0xaa', 'id = "0xa', "log.id"),
        ("genesis =", "genesys =", "log.genesis"),
        ('genesis = "genesis.bin"', "genesis = 1", "log.genesis"),
        ("anchor_every = 1", "anchor_every = 0", "log.anchor_every"),
        ("id = 2, from", "id = 3, from", "log.sets"),
        ("from_size = 40", "from_size = 1", "log.sets"),
        ("from_size = 1,", "from_size = 2,", "log.sets"),
        ('entries = "set-1.bin"', 'entries = "set-1.bin", extra = 1', "log.sets.extra"),
        ('key = "file:tls.key"', 'key = "tls.key"', "log.tls.key"),
        ('key = "file:tls.key"', 'key = "file:tls.key", pin = 1', "log.tls.pin"),
        ('bank-a = "127.0.0.1:7443"', "bank-a = 7443", "log.members.bank-a"),
        ('bank-a = "127.0.0.1:7443"\nbank-b = "127.0.0.1:7444"', "", "log.members"),
        ("[[chain]]", "[chain]", "chain"),
        ("chain_id = 31337", "chain_id = 0", "chain.chain_id"),
        ('finality = "finalized"', 'finality = "latest"', "chain.finality"),
        ('finality = "finalized"', "finality = { depth = 0 }", "chain.finality.depth"),
        ('finality = "finalized"', "finality = { depth = 4, x = 1 }", "chain.finality.x"),
        ("rpc_quorum = 2", "rpc_quorum = 1", "chain.rpc_quorum"),
        ("rpc_quorum = 2", "rpc_quorum = 4", "chain.rpc_quorum"),
        ("rpc_quorum = 2", "rpc_quorum = 2\nstate_proofs = 1", "chain.state_proofs"),
        ("rpc_quorum = 2", 'rpc_quorum = 2\nstate_proofs = "true"', "chain.state_proofs"),
        ('"http://127.0.0.1:8545"', '"ws://127.0.0.1"', "chain.endpoints.own"),
        ('"keystore:gas.json?password=file:gas.password"', '"0x1234"', "chain.signer"),
        ('"keystore:gas.json?password=file:gas.password"', '"keystore:gas.json"', "chain.signer"),
        ("max_fee_gwei = 120, ", "", "chain.fees.max_fee_gwei"),
        ('tip = "0.5 gwei", ', "", "chain.fees.tip"),
        ('max_cost_per_anchor = "0.03 ether", ', "", "chain.fees.max_cost_per_anchor"),
        (', daily_budget = "0.3 ether"', "", "chain.fees.daily_budget"),
        ('"0.3 ether"', "0.3", "chain.fees.daily_budget"),
        ('"0.3 ether"', '"0 ether"', "chain.fees.daily_budget"),
        ('"0.3 ether"', '"-1 ether"', "chain.fees.daily_budget"),
        ('"0.5 gwei"', '"0.5 wei"', "chain.fees.tip"),
        ('"0.5 gwei"', '"121 gwei"', "chain.fees.tip"),
        ("grace_blocks = 3", "grace_blocks = -1", "chain.turns.grace_blocks"),
        ("grace_blocks = 3", "grace_blocks = 3, x = 1", "chain.turns.x"),
        ('operators = ["0xdd', 'operators = ["dd', "chain.turns.operators"),
        ('turns = { operators = ["0x', 'turns = { operators = "0x" } #', "chain.turns.operators"),
    ],
)
def test_what_is_wrong_missing_or_unknown_is_refused_by_name(old: str, new: str, key: str) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings(changed(old, new), FOLDER)
    assert caught.value.key == key


def test_states_are_proven_only_if_it_is_said() -> None:
    assert parse_settings(SAMPLE, FOLDER).chain.state_proofs is False
    for word, wanted in (("true", True), ("false", False)):
        text = changed("rpc_quorum = 2", f"rpc_quorum = 2\nstate_proofs = {word}")
        assert parse_settings(text, FOLDER).chain.state_proofs is wanted


SECOND = SAMPLE[SAMPLE.index("[[chain]]") :].replace("devnet", "side chain").replace("chain_id = 31337", "chain_id = 5")
SEVERAL = changed("journal.db", "{chain}.db") + SECOND


def test_several_chains_share_a_log_and_nothing_else() -> None:
    file = parse_settings_file(SEVERAL, FOLDER)
    first, second = file.relayers
    assert file.names == ("devnet", "side chain")
    assert (first.journal, second.journal) == (FOLDER / "devnet.db", FOLDER / "side chain.db")
    assert (first.log, first.tick_seconds, first.listen) == (second.log, second.tick_seconds, second.listen)
    assert (first.chain.chain_id, second.chain.chain_id) == (31337, 5)
    assert first.chain.signer_address == second.chain.signer_address  # one key may pay on two chains
    assert first.log.anchored_when == 2  # all of them, unless the operator says less


def test_signed_set_updates_lie_in_a_folder_of_the_chain() -> None:
    assert parse_settings(SAMPLE, FOLDER).chain.set_updates is None
    text = changed("grace_blocks = 3 }", 'grace_blocks = 3 }\nset_updates = "rotations"')
    assert parse_settings(text, FOLDER).chain.set_updates == FOLDER / "rotations"


def test_one_of_several_chains_is_meant_by_its_name() -> None:
    file = parse_settings_file(SEVERAL, FOLDER)
    assert file.one("side chain").chain.chain_id == 5
    assert (file.of(None), file.of("devnet")) == (file.relayers, file.relayers[:1])
    for name in (None, "main"):
        with pytest.raises(SettingsMalformed) as caught:
            file.one(name)
        assert (caught.value.key, caught.value.rule) == ("--chain", "one of: devnet, side chain")


OLD_KEY = (
    SAMPLE[SAMPLE.index("[[chain]]") :].replace("devnet", "old").replace("dd" * 20, "99" * 20) + "retiring = true\n"
)


def test_a_key_that_retires_pays_at_the_contract_of_the_one_that_follows_and_counts_for_nothing() -> None:
    both = parse_settings_file(changed("journal.db", "{chain}.db") + OLD_KEY, FOLDER)
    assert [settings.chain.is_retiring for settings in both.relayers] == [False, True]
    assert both.one("old").log.anchored_when == 1


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("retiring = true", "", "chain.contract"),
        ("retiring = true", "retiring = 1", "chain[2].retiring"),
        ("99" * 20, "dd" * 20, "chain.contract"),  # one key, two journals
    ],
)
def test_a_contract_has_one_relayer_that_goes_on(old: str, new: str, key: str) -> None:
    assert old in OLD_KEY
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings_file(changed("journal.db", "{chain}.db") + OLD_KEY.replace(old, new), FOLDER)
    assert caught.value.key == key


@pytest.mark.parametrize("place", ["db.example:5432/journal", "{chain}.example:5432/journal"])
def test_the_databases_of_two_chains_have_two_names(place: str) -> None:
    """What is written beside a journal, evidence and copies, is called after its database."""
    server = f"postgresql://relayer@{place}?password=file:pw"
    text = SEVERAL.replace("sqlite:///{chain}.db", server).replace('"side chain"', '"side"')
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings_file(text, FOLDER)
    assert caught.value.key == "journal"
    apart = text.replace("/journal?", "/journal_{chain}?")
    assert len(parse_settings_file(apart, FOLDER).relayers) == 2


def test_two_contracts_on_one_chain_have_two_keys() -> None:
    """Each journal deals out the nonces of its key: two of them would deal out the same."""
    other = SECOND.replace("chain_id = 5", "chain_id = 31337").replace("cc" * 20, "ee" * 20)
    two = changed("journal.db", "{chain}.db") + other
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings_file(two, FOLDER)
    assert caught.value.key == "chain.signer_address"
    apart = changed("journal.db", "{chain}.db") + other.replace("dd" * 20, "99" * 20)
    assert len(parse_settings_file(apart, FOLDER).relayers) == 2


def test_where_all_keys_retire_nobody_relays() -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings_file(SAMPLE + "retiring = true\n", FOLDER)
    assert caught.value.key == "chain.retiring"


def test_how_many_chains_make_an_epoch_anchored_is_the_operators_word() -> None:
    few = parse_settings_file(SEVERAL.replace("anchor_every = 1", "anchor_every = 1\nanchored_when = 1"), FOLDER)
    assert few.one("devnet").log.anchored_when == 1


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("{chain}.db", "journal.db", "journal"),
        ('"side chain"', '"Devnet"', "chain.name"),
        ('"side chain"', '"all"', "chain.name"),
        ('"side chain"', '"../x"', "chain.name"),
        ('"side chain"', '"x "', "chain.name"),
        ("chain_id = 5", "chain_id = 31337", "chain.contract"),
        ("chain_id = 5", "chain_id = 0", "chain[2].chain_id"),
        ("anchor_every = 1", "anchor_every = 1\nanchored_when = 3", "log.anchored_when"),
        ("anchor_every = 1", "anchor_every = 1\nanchored_when = 0", "log.anchored_when"),
    ],
)
def test_chains_that_are_not_apart_are_refused(old: str, new: str, key: str) -> None:
    assert old in SEVERAL
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings_file(SEVERAL.replace(old, new), FOLDER)
    assert caught.value.key == key


def test_without_a_chain_there_is_nothing_to_do() -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse_settings_file("chain = []\n" + SAMPLE[: SAMPLE.index("[[chain]]")], FOLDER)
    assert caught.value.key == "chain.name"


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"= no toml", b"a=" + b"[" * 5000, b"a=" + b"9" * 5000, None],
    ids=["noise", "no toml", "deep", "huge", "missing"],
)
def test_a_file_that_is_not_there_or_no_toml_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "relayer.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsMalformed):
        read_settings(path)


def test_a_file_is_read_with_paths_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "relayer.toml").write_text(SAMPLE)
    assert read_settings(tmp_path / "relayer.toml").journal == tmp_path / "journal.db"


@given(st.integers(1, 10**24), st.sampled_from(["wei", "gwei", "ether"]))
def test_an_amount_in_any_unit_is_exact(wei: int, unit: str) -> None:
    scale = {"wei": 0, "gwei": 9, "ether": 18}[unit]
    digits = str(wei).rjust(scale + 1, "0")
    text = f"{digits[: len(digits) - scale]}.{digits[len(digits) - scale :]} {unit}" if scale else f"{wei} wei"
    assert Table({"x": text}, "", FOLDER).amount("x", 10**24) == wei


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.lists(st.integers()))))
def test_arbitrary_tables_leave_only_our_errors(values: dict[str, Any]) -> None:
    table = Table(values, "top", FOLDER)
    with pytest.raises(SettingsMalformed):
        table.integer("missing", 0, 1)
    if values:
        with pytest.raises(SettingsMalformed):
            table.end()
