from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.pki import caller_of
from hybrid_bridge.core.encoding import canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.governance import MemberUpdate
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.payload import GovernancePayload
from hybrid_bridge.errors import (
    BridgeError,
    CertificateMalformed,
    FieldMismatch,
    KeyUnusable,
    SetMismatch,
    SettingsMalformed,
    SignatureWrong,
    StoreBroken,
    Unknown,
)
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.founding import FOUNDING, found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.running import read_founding
from hybrid_bridge.rpc.service import Caller
from hybrid_bridge.units import Address, KeyId
from tests.unit.hybrid_bridge.node.members import NAMES, START, VALIDATORS, Members, founder, plan, randomness


def test_every_folder_of_a_new_consortium_opens(members: Members) -> None:
    for name in NAMES:
        view = members.open(name).view
        assert view.directory.log_id == members.foundation.genesis.log_id
        assert view.progress.size == 1
        assert view.logbook.registry(0).root == members.foundation.genesis.registry_root


def test_all_members_hold_the_same_public_files(members: Members) -> None:
    for file in ("genesis.bin", "origin.txt", "entries.bin", "members.json", "ca.pem"):
        assert len({(members.folder(name) / file).read_bytes() for name in NAMES}) == 1


def test_secrets_are_private_and_each_is_its_own(members: Members) -> None:
    held: list[bytes] = []
    for name in NAMES:
        keys = members.folder(name) / "keys"
        for path in keys.iterdir():
            assert path.stat().st_mode & 0o077 == 0
        held += [(keys / f"{secret}.key").read_bytes() for secret in ("identity", "sealing", "party")]
    assert len(set(held)) == len(held)


def test_all_share_the_registry_s_key_and_validators_alone_their_secret(members: Members) -> None:
    for secret, holders in (("set", VALIDATORS), ("vrf", NAMES)):
        assert len({(members.folder(name) / "keys" / f"{secret}.key").read_bytes() for name in holders}) == 1
    assert not (members.folder("regulator") / "keys" / "set.key").exists()
    assert [(members.folder(name) / "keys" / "log.key").exists() for name in NAMES] == [True] + [False] * 4


def test_no_secret_stands_in_a_public_file(members: Members) -> None:
    public = b"".join(file.read_bytes() for file in (members.root / "public").iterdir())
    for name in NAMES:
        for path in (members.folder(name) / "keys").iterdir():
            secret = path.read_bytes().strip()
            assert secret not in public
            assert bytes.fromhex(secret.decode()) not in public if path.name != "tls.key" else True


def test_the_first_transactions_admit_every_member(members: Members) -> None:
    keys = {members.key_id(name) for name in NAMES}
    assert {signed.body.submitter for signed in members.founding()} == {members.key_id("core")}
    for signed in members.founding():
        signed.verify_stateless(members.foundation.genesis.log_id)
    assert len(members.founding()) == len(keys)


def test_every_founder_s_first_record_states_its_roles(tmp_path: Path) -> None:
    more = [("regulator", 7), ("court", 11), ("auditor", 19), ("member", 3)]
    founders = (founder("core"), *(founder(f"a-{role}", roles=(role,)) for role, _ in more))
    path = tmp_path / FOUNDING
    path.write_bytes(found(plan(founders=founders), randomness(), START).files["nodes/core/" + FOUNDING].data)
    payloads = [signed.body.payload for signed in read_founding(path)]
    records = [
        MemberUpdate.decode(payload.records[0]) for payload in payloads if isinstance(payload, GovernancePayload)
    ]
    assert [record.roles for record in records] == [3, *(bits for _, bits in more)]


def test_the_same_randomness_gives_the_same_log(tmp_path: Path) -> None:
    first, second = (found(plan(), randomness("a"), START) for _ in range(2))
    assert first.genesis.vrf_public_key == second.genesis.vrf_public_key
    assert found(plan(), randomness("b"), START).genesis.log_id != first.genesis.log_id


def test_the_ledger_id_is_that_of_an_embedded_ledger(members: Members) -> None:
    directory = members.open("core").view.directory
    assert directory.engine is None
    origin = sha256(b"test.example/receivables")
    assert directory.genesis.ledger_id == sha256(context("ledger") + b"embedded/1\x00" + origin)


@pytest.mark.parametrize(
    ("founders", "key"),
    [
        ((founder("core"), founder("core")), "members.name"),
        ((founder("supplier"),), "members.roles"),
        ((founder("core"), founder("b", roles=("validator", "sequencer"))), "members.roles"),
        ((founder("core", roles=("sequencer",)),), "members.core.roles"),
        ((founder("core"), founder("b", roles=("king",))), "members.b.roles"),
        ((founder("core"), founder("b", roles=())), "members.b.roles"),
        ((founder("core", endpoint="nowhere"),), "members.core.endpoint"),
        ((founder("north"), founder("core")), "members.name"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(founders: tuple[object, ...], key: str) -> None:
    with pytest.raises(SettingsMalformed) as refused:
        found(plan(founders=founders), randomness(), START)
    assert refused.value.key == key


@pytest.mark.parametrize("changes", [{"origin": "no such origin"}, {"cadence": 0}, {"batch_ladder": 0}])
def test_a_genesis_out_of_range_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BridgeError):
        found(plan(**changes), randomness(), START)


def test_nothing_is_written_over_another_consortium(members: Members) -> None:
    with pytest.raises(SettingsMalformed):
        lay(members.foundation, members.root)


# ── what a start refuses ─────────────────────────────────────────────────────────────────────────────────────────────


def changed_member(members: Members, whose: str, **changes: object) -> None:
    path = members.folder("core") / "members.json"
    document = parse_canonical_json(path.read_bytes(), "members", 1 << 20)
    assert isinstance(document, dict)
    rows = document["members"]
    assert isinstance(rows, list)
    for row in rows:
        assert isinstance(row, dict)
        if row["name"] == whose:
            row.update(changes)
    path.write_bytes(canonical_json(document))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"legal_name": "Somebody else"}, SetMismatch),
        ({"sealing_key": "A" * 43}, SignatureWrong),
        ({"address": "A" * 27}, FieldMismatch),
        ({"certificate": "AAAA"}, CertificateMalformed),
        ({"roles": ["regulator"]}, SetMismatch),
        ({"name": "core"}, BridgeError),
        ({"colour": "blue"}, BridgeError),
        ({"name": "Bank A"}, BridgeError),
    ],
)
def test_a_directory_that_was_changed_is_refused(
    members: Members, changes: dict[str, object], error: type[BridgeError]
) -> None:
    changed_member(members, "bank-a", **changes)
    with pytest.raises(error):
        read_directory(members.folder("core"))


def test_the_genesis_record_of_another_log_is_refused(members: Members, tmp_path: Path) -> None:
    other = found(plan(), randomness("other"), START)
    (members.folder("core") / "genesis.bin").write_bytes(other.genesis.encode())
    with pytest.raises(BridgeError):
        members.open("core")


@pytest.mark.parametrize("name", ["identity", "sealing", "attestation", "set", "vrf", "log"])
def test_a_key_that_is_somebody_elses_is_unusable(members: Members, name: str) -> None:
    (members.folder("core") / "keys" / f"{name}.key").write_text("07" * 32 + "\n")
    with pytest.raises(KeyUnusable) as refused:
        members.open("core")
    assert refused.value.key == name


@pytest.mark.parametrize("store", ["ledger.db", "guard.db", "records.db"])
def test_a_store_of_another_member_is_refused(members: Members, store: str) -> None:
    data = (members.folder("bank-a") / store).read_bytes()
    (members.folder("core") / store).write_bytes(data)
    with pytest.raises(StoreBroken):
        members.open("core")


def test_a_missing_store_is_refused(members: Members) -> None:
    (members.folder("core") / "guard.db").unlink()
    with pytest.raises(StoreBroken):
        members.open("core")


# ── asking the directory ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_directory_knows_its_members(members: Members) -> None:
    directory: Directory = members.open("core").view.directory
    assert directory.sequencer.name == "core"
    bank = directory.member("bank-a")
    assert directory.by_address(Address(bank.address or b"")) == bank
    assert directory.by_address(Address(bytes(20))) is None
    assert directory.name_of(members.key_id("bank-a")) == "bank-a"
    assert directory.name_of(KeyId(bytes(32))) is None
    with pytest.raises(Unknown):
        directory.member("nobody")
    assert PrivateKey.from_seed(bytes(32)).public not in directory.identities.values()
    assert replace(bank) == bank


def test_an_auditor_gets_a_certificate_of_its_own_role() -> None:
    foundation = found(replace(plan(), auditors=("audit",)), randomness(), START)
    certificate = foundation.files["clients/audit/tls.pem"].data
    assert caller_of(certificate, START) == Caller("audit", "auditor")
    with pytest.raises(SettingsMalformed):
        found(replace(plan(), auditors=(plan().relayers or NAMES)[:1]), randomness(), START)
