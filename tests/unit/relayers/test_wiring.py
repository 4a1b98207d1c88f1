"""The composition root: files that contradict one another are refused before anything connects."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.adapters.pki import Holder, found_authority, issue_tls
from hybrid_bridge.errors import FieldMismatch, KeyUnusable, Malformed, SetMismatch, SettingsMalformed
from hybrid_bridge.testing.memory_members import address, key
from hybrid_bridge.testing.public_chain_behaviour import CADENCE, RegistrableLog
from hybrid_bridge.units import UnixSeconds
from relayers import wiring
from relayers.settings import Settings, parse_settings
from relayers.sql_journal import SqlJournal, create_journal

BORN = 1_700_000_000
GAS_KEY = key("operator")
PASSWORD = "a password for tests"


def write_consortium(folder: Path) -> RegistrableLog:
    """What a relayer is given: public files, TLS files, a gas key."""
    log = RegistrableLog("wiring", BORN)
    (folder / "genesis.bin").write_bytes(log.genesis)
    (folder / "entries.bin").write_bytes(log.validators.encode_entries())
    now = UnixSeconds(int(time.time()))
    authority = found_authority("example.org/log", now)
    issued = issue_tls(authority, Holder("north", "North", "LEI:1"), "relayer", (), now)
    files = {"ca.pem": authority.certificate, "tls.pem": issued.certificate, "tls.key": issued.key}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    (folder / "gas.password").write_text(PASSWORD + "\n")
    (folder / "gas.password").chmod(0o600)
    return log


def settings_text(log: RegistrableLog, url: str, **changes: str) -> str:
    values = {
        "chain_id": "31337",
        "genesis_hash": "0x" + "bb" * 32,
        "contract": "0x" + "cc" * 20,
        "signer_address": "0x" + address("operator").hex(),
        "operators": f'"0x{address("operator").hex()}"',
        "endpoint": f'"{url}"',
    } | changes
    return f"""
journal = "sqlite:///journal.db"
tick_seconds = 1
[log]
id = "0x{log.log_id.hex()}"
genesis = "genesis.bin"
anchor_every = 1
delay_seconds = 0
sets = [{{ id = 1, from_size = 1, entries = "entries.bin" }}]
tls = {{ ca = "ca.pem", certificate = "tls.pem", key = "file:tls.key" }}
[log.members]
bank-a = "127.0.0.1:1"
[[chain]]
name = "devnet"
chain_id = {values["chain_id"]}
genesis_hash = "{values["genesis_hash"]}"
contract = "{values["contract"]}"
first_block = 0
finality = "finalized"
rpc_quorum = 1
endpoints = {{ only = {values["endpoint"]} }}
signer = "keystore:gas.json?password=file:gas.password"
signer_address = "{values["signer_address"]}"
fees = {{ max_fee_gwei = 120, tip = "1 gwei", max_cost_per_anchor = "0.1 ether", daily_budget = "1 ether" }}
turns = {{ operators = [{values["operators"]}], grace_blocks = 2 }}
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Settings]:
    log = write_consortium(tmp_path)

    def read(**changes: str) -> Settings:
        return parse_settings(settings_text(log, "http://127.0.0.1:1", **changes), tmp_path)

    return read


def test_genesis_record_and_first_set_give_clock_and_validators(read: Callable[..., Settings]) -> None:
    log = wiring.load_log(read().log)
    assert (log.clock.genesis_time, log.clock.cadence, log.clock.grace) == (BORN, CADENCE, 600)
    assert log.responsible(2).digest == log.responsible(10**6).digest
    assert log.boundary(2) == BORN + CADENCE


def test_another_logs_genesis_record_is_refused(read: Callable[..., Settings]) -> None:
    with pytest.raises(FieldMismatch):
        wiring.load_log(replace(read().log, log_id=bytes(32)))


def test_validators_that_the_genesis_record_does_not_name_are_refused(
    read: Callable[..., Settings], tmp_path: Path
) -> None:
    entries = (tmp_path / "entries.bin").read_bytes()
    (tmp_path / "entries.bin").write_bytes(entries[128:])
    with pytest.raises(SetMismatch):
        wiring.load_log(read().log)
    (tmp_path / "entries.bin").write_bytes(entries[1:])
    with pytest.raises(Malformed):
        wiring.load_log(read().log)


@pytest.mark.parametrize("size", [None, wiring.MAX_PUBLIC_FILE + 1])
def test_a_missing_or_endless_file_is_refused(read: Callable[..., Settings], tmp_path: Path, size: int | None) -> None:
    (tmp_path / "genesis.bin").unlink()
    if size is not None:
        (tmp_path / "genesis.bin").write_bytes(bytes(size))
    with pytest.raises(SettingsMalformed):
        wiring.load_log(read().log)


def test_an_operator_outside_the_list_comes_after_all_in_it(read: Callable[..., Settings]) -> None:
    log = wiring.load_log(read().log)
    assert wiring.policy_of(read(), log).turns.my_index == 0
    outside = wiring.policy_of(read(operators=f'"0x{"ee" * 20}"'), log)
    assert (outside.turns.my_index, outside.turns.operators) == (1, 1)


def test_an_endpoints_url_may_lie_in_a_file_that_only_its_owner_reads(
    read: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = read(endpoint='"file:url"')
    with pytest.raises(KeyUnusable):
        wiring.observer_of(settings)
    (tmp_path / "url").write_text("http://127.0.0.1:1\n")
    (tmp_path / "url").chmod(0o644)
    with pytest.raises(KeyUnusable):
        wiring.observer_of(settings)
    (tmp_path / "url").chmod(0o600)
    observer = wiring.observer_of(settings)
    assert [type(endpoint) for endpoint in observer.endpoints] == [Web3Chain]
    assert observer.endpoints[0].name == "only"


def test_a_file_that_holds_no_text_is_no_address_and_is_not_repeated(
    read: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "a.url").write_bytes(b"https://hunter2\xff")
    (tmp_path / "a.url").chmod(0o600)
    with pytest.raises(KeyUnusable) as caught:
        wiring.observer_of(read(endpoint='"file:a.url"'))
    assert caught.value.key == "endpoints.only"
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_relayer_is_built_with_the_key_that_the_settings_name(
    read: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_bridge.adapters.evm.keystore.LEAST_WORK", 1 << 12)
    create_keystore(tmp_path / "gas.json", PASSWORD, lambda _: GAS_KEY)
    settings = read()
    create_journal(settings.journal, wiring.scope_of(settings), BORN)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "test", BORN) as journal:
        relayer = wiring.relayer_of(settings, journal)
        assert relayer.signer.address() == address("operator")
        assert [member.name for member in relayer.collector.members] == ["bank-a"]
        assert relayer.clock.now() > BORN - 10**9
        other = replace(settings, chain=replace(settings.chain, signer_address=b"\x01" * 20))
        with pytest.raises(KeyUnusable):
            wiring.relayer_of(other, journal)


def test_the_end_of_our_certificate_is_read_and_one_that_is_none_has_no_end() -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    ends = datetime.fromtimestamp(BORN, UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(ends - timedelta(days=1)).not_valid_after(ends)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    assert wiring._end_of(pem) == BORN
    assert wiring._end_of(b"-----BEGIN NOTHING-----\n") is None
