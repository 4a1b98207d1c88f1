"""One key in two places stops a start, wherever the two places are."""

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of as compressed
from hybrid_bridge.adapters.evm.keystore import create_keystore
from hybrid_bridge.core.signing import address_of, address_of_compressed, public_key_of
from hybrid_bridge.errors import FieldMalformed, KeyUnusable
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.keys import Keys
from hybrid_bridge.node.separating import (
    engine_secrets,
    require_separate,
    require_separate_public,
    tls_secret,
)
from hybrid_bridge.node.settings import ENGINE_HOME, read_settings
from tests.unit.hybrid_bridge.node.members import Members
from tests.unit.hybrid_bridge.node.test_custody import move_key

PASSWORD = "long enough to be one"
OWN = bytes(range(1, 33))
ADDRESS = address_of(public_key_of(OWN))


def load(members: Members, name: str = "core") -> Keys:
    folder = members.folder(name)
    return Keys.load(read_settings(folder), read_directory(folder))


def secret(members: Members, which: str, name: str = "core") -> bytes:
    return bytes.fromhex((members.folder(name) / "keys" / f"{which}.key").read_text())


def engine_key(members: Members, file: str, key: bytes) -> None:
    path = members.folder("core") / ENGINE_HOME / "config" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"priv_key": {"type": "any", "value": b64encode(key).decode()}}))


def test_the_keys_of_a_founding_are_all_their_own(members: Members) -> None:
    assert load(members).attestation is not None
    assert load(members, "regulator").attestation is None


@pytest.mark.parametrize("of", ["identity", "attestation", "sealing", "party", "log"])
@pytest.mark.parametrize(
    ("file", "ending", "name"),
    [("priv_validator_key.json", b"", "consensus"), ("node_key.json", bytes(32), "engine's node")],
)
def test_an_engine_with_a_key_of_the_node_stops_the_start(
    members: Members, of: str, file: str, ending: bytes, name: str
) -> None:
    engine_key(members, file, secret(members, of) + ending)
    with pytest.raises(KeyUnusable) as refused:
        load(members)
    assert (refused.value.key, refused.value.rule) == (name, f"a key of its own; it is the {of} key")


def test_party_keys_from_the_seed_of_the_receipt_key_are_refused(members: Members) -> None:
    keys = members.folder("core") / "keys"
    (keys / "party.key").write_text((keys / "receipt.key").read_text())  # no directory says what it must be
    with pytest.raises(KeyUnusable) as refused:
        load(members)
    assert {refused.value.key} | set(refused.value.rule.split()) >= {"party", "receipt"}


def test_the_owner_s_client_has_another_tls_key_than_the_node(members: Members) -> None:
    folder = members.folder("core")
    shutil.copy(folder / "keys" / "tls.key", folder / "owner" / "tls.key")
    with pytest.raises(KeyUnusable) as refused:
        load(members)
    assert refused.value.key == "owner's tls"


def test_an_attestation_key_that_is_kept_elsewhere_is_known_by_its_address(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_bridge.adapters.evm.keystore.LEAST_WORK", 1 << 12)
    name = "bank-a"
    private = move_key(members, "keystore:keys/attestation.json?password=file:keys/passphrase", name)
    keys = members.folder(name) / "keys"
    create_keystore(keys / "attestation.json", PASSWORD, lambda _: private)
    for file, text in (("passphrase", PASSWORD), ("party.key", private.hex())):
        (keys / file).write_text(text)
        (keys / file).chmod(0o600)
    with pytest.raises(KeyUnusable) as refused:
        load(members, name)
    assert (refused.value.key, refused.value.rule) == ("party", "a key of its own; it is the attestation key")


def test_the_address_alone_tells() -> None:
    require_separate({"attestation": OWN, "identity": bytes(32)}, ADDRESS)
    with pytest.raises(KeyUnusable):
        require_separate({"identity": OWN}, ADDRESS)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"priv_key": {"value": 7}}', '{"priv_key": {"value": "*"}}'])
def test_an_engine_s_file_that_is_none_is_named(members: Members, text: str) -> None:
    engine_key(members, "node_key.json", b"")
    path: Path = members.folder("core") / ENGINE_HOME / "config" / "node_key.json"
    path.write_text(text)
    with pytest.raises(KeyUnusable):
        list(engine_secrets(members.folder("core") / ENGINE_HOME))


def test_no_member_votes_with_an_attestation_key_its_own_or_another_s() -> None:
    assert address_of_compressed(compressed(OWN)) == ADDRESS
    require_separate_public({"a": ADDRESS}, {"a": compressed(bytes(31) + b"\x01")})
    refused: list[Callable[[], None]] = [
        lambda: require_separate_public({"a": ADDRESS}, {"a": compressed(OWN)}),
        lambda: require_separate_public({"a": ADDRESS}, {"b": compressed(OWN)}),
        lambda: require_separate_public({"a": ADDRESS, "b": ADDRESS}, {}),
        lambda: require_separate_public({}, {"a": compressed(OWN), "b": compressed(OWN)}),
        lambda: require_separate_public({}, {"a": b"\x02" + b"\xff" * 32}),
    ]
    for ask in refused:
        with pytest.raises(FieldMalformed):
            ask()


def test_a_tls_key_that_is_none_is_no_key_of_ours() -> None:
    assert tls_secret(b"garbage") == b"garbage"
