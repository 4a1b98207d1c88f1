"""Whatever stands in a file or an answer that others wrote: only our errors leave, and memory stays bounded."""

import contextlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deployments import read_deployments
from hybrid_bridge.adapters.evm.dev_journal import FAMILY, Birth, ChainJournal
from hybrid_bridge.adapters.evm.keystore import open_keystore
from hybrid_bridge.adapters.evm.rpc import JsonRpc, RpcError
from hybrid_bridge.cli.consortium import _founder, _read_plan
from hybrid_bridge.core import vrf
from hybrid_bridge.core.bundle import MAX_BUNDLE, decode_bundle
from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.encoding import parse_b64u, parse_json
from hybrid_bridge.core.exports.cose_receipt import parse_receipt
from hybrid_bridge.core.exports.sd_jwt import parse_jwt, parse_presentation
from hybrid_bridge.core.exports.tlog_proof import parse_tlog_proof
from hybrid_bridge.core.keys import decode_spki
from hybrid_bridge.core.note import parse_line, parse_signed_note
from hybrid_bridge.core.timestamp import decode_token
from hybrid_bridge.core.tlog_policy import parse_policy
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.errors import BridgeError, Malformed
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import Address, ChainId, LogId, PublicBlockNumber, TxHash, UnixSeconds

quickly = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

HEX = st.one_of(
    st.integers(0, 1 << 70).map(hex),
    st.binary(max_size=70).map(lambda data: "0x" + data.hex()),
    st.sampled_from(["0x", "0x0", "0x00", "0X1", "0x" + "ab" * 32, "0x" + "00" * 128, "", "latest"]),
)
SCALAR = HEX | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
NAMES = (
    "number", "hash", "parentHash", "timestamp", "baseFeePerGas", "transactionHash", "blockHash", "blockNumber", "status",
    "logs", "logIndex", "topics", "data", "address", "gasUsed", "transactionIndex",
)  # fmt: skip
ANSWER = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=24,
)


class Answering(JsonRpc):
    """An endpoint that answers what it is told to, one answer after the other."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__("foreign", "http://127.0.0.1:1")
        self.answers = answers

    def ask_raw(self, method: str, *params: Any) -> Any:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, RpcError):
            raise answer
        return answer


BLOCK = PublicBlock(PublicBlockNumber(5), bytes(32), bytes(32), UnixSeconds(0))
ASKED = {
    "chain_id": lambda chain: chain.chain_id(),
    "code_hash": lambda chain: chain.code_hash(),
    "latest": lambda chain: chain.latest(),
    "finalized": lambda chain: chain.finalized(),
    "block": lambda chain: chain.block(PublicBlockNumber(5)),
    "base_fee": lambda chain: chain.base_fee(BLOCK),
    "head": lambda chain: chain.head(LogId(bytes(32)), BLOCK),
    "nonce": lambda chain: chain.nonce(Address(bytes(20)), BLOCK),
    "balance": lambda chain: chain.balance(Address(bytes(20)), BLOCK),
    "anchored": lambda chain: chain.anchored(LogId(bytes(32)), PublicBlockNumber(0), PublicBlockNumber(9)),
    "simulate": lambda chain: chain.simulate(Address(bytes(20)), b"x", BLOCK),
    "broadcast": lambda chain: chain.broadcast(b"x"),
    "receipt_status": lambda chain: chain.receipt_status(TxHash(bytes(32))),
}
REFUSAL = st.builds(RpcError, st.integers(-40_000, 5), st.text(max_size=40), st.binary(max_size=100))


@pytest.mark.parametrize("call", ASKED)
@given(answers=st.lists(ANSWER | REFUSAL, min_size=1, max_size=4))
@quickly
def test_only_our_errors_leave_an_endpoint(call: str, answers: list[Any]) -> None:
    with contextlib.suppress(BridgeError):
        ASKED[call](Web3Chain(Answering(answers), Address(bytes(20))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
BYTES = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())


def written(path: Path, data: bytes) -> Path:
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


KDF = {"n": 1 << 17, "r": 8, "p": 1, "dklen": 32, "salt": "00" * 16}
CRYPTO = {
    "kdf": "scrypt", "kdfparams": KDF, "cipher": "aes-128-ctr", "cipherparams": {"iv": "00" * 16},
    "ciphertext": "00" * 32, "mac": "00" * 32,
}  # fmt: skip
KEYSTORE = {"version": 3, "address": "00" * 20, "crypto": CRYPTO}


@given(data=BYTES)
@quickly
def test_only_our_errors_leave_a_keystore(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BridgeError):
        open_keystore(written(tmp_path / "key.json", data), lambda: "password")


WRONG = (None, "zz", -1, 0, 1 << 70, 1.5, [], 1 << 31)
BEFORE = [
    ("version",),
    ("crypto",),
    ("crypto", "kdf"),
    *(("crypto", "kdfparams", name) for name in KDF if name != "salt"),
]
AFTER = [("crypto", name) for name in ("cipher", "cipherparams", "ciphertext", "mac")]  # scrypt has run: half a second
CASES = [(place, wrong) for place in BEFORE for wrong in WRONG] + [(place, 1 << 31) for place in AFTER]


@pytest.mark.parametrize(("place", "wrong"), CASES, ids=str)
def test_only_our_errors_leave_a_keystore_with_one_wrong_value(
    tmp_path: Path, place: tuple[str, ...], wrong: object
) -> None:
    document: Any = json.loads(json.dumps(KEYSTORE))
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = wrong
    with pytest.raises(BridgeError):
        open_keystore(written(tmp_path / "key.json", json.dumps(document).encode()), lambda: "password")


ENTRY = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("contract", "address", "chain_id", "code_hash", "block", "tx", "version"), SCALAR)
)


@given(data=BYTES | st.lists(ENTRY, max_size=3).map(lambda value: json.dumps({"deployments": value}).encode()))
@quickly
def test_only_our_errors_leave_a_file_of_deployments(tmp_path: Path, data: bytes) -> None:
    with contextlib.suppress(BridgeError):
        read_deployments(written(tmp_path / "deployments.json", data))


START = b'{"format": "' + FAMILY.encode()


@given(data=st.tuples(st.sampled_from([b"", START, START + b'v1", "chain_id": 1, "born": 0, "funds": {}}\n']), BYTES))
@quickly
def test_only_our_errors_leave_a_devnet_file(tmp_path: Path, data: tuple[bytes, bytes]) -> None:
    journal = ChainJournal(written(tmp_path / "chain.jsonl", b"".join(data)))
    with contextlib.suppress(BridgeError), contextlib.closing(journal):
        journal.restored(Birth(chain_id=ChainId(1), born=UnixSeconds(0), funds={}))


TOML = st.sampled_from(
    ['origin = "x"', "origin = 1", "cadence = 600", "cadence = -1", "cadence = 1e9", "grace = true", "relayers = [1]",
     'relayers = ["a"]', "members = 3", "[[members]]", 'name = "a"', 'legal_name = "A"', 'legal_id = "LEI:1"',
     'roles = ["validator"]', "roles = [[]]", 'endpoint = "127.0.0.1:1"', 'endpoint = "x:99999"',
     'attestation = "0x"', "= 1", "[a.b]", "\x00"]
)  # fmt: skip


@given(lines=st.lists(TOML, max_size=9), noise=st.binary(max_size=9))
@quickly
def test_only_our_errors_leave_a_plan(tmp_path: Path, lines: list[str], noise: bytes) -> None:
    with contextlib.suppress(BridgeError):
        found = _read_plan(written(tmp_path / "plan.toml", "\n".join(lines).encode() + noise))
        for row in found.get("members", []):
            _founder(row)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * MAX_BUNDLE,
        b'"' + b"\\u0041" * (MAX_BUNDLE // 6 - 1) + b'"',
        b"[" + b"1," * (MAX_BUNDLE // 2 - 2) + b"1]",
        b"[" + b"{}," * (MAX_BUNDLE // 3 - 2) + b"{}]",
        b"9" * MAX_BUNDLE,
        b"{" + b",".join(b'"%d":[]' % n for n in range(90_000)) + b"}",
    ],
    ids=["brackets", "escapes", "numbers", "objects", "digits", "members"],
)
def test_the_largest_file_costs_bounded_memory(data: bytes) -> None:
    """One MiB in; the dearest, an object for every three bytes, takes some hundred times as much."""
    assert len(data) <= MAX_BUNDLE
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            decode_bundle(data)
        assert tracemalloc.get_traced_memory()[1] < 100 * MAX_BUNDLE
    finally:
        tracemalloc.stop()


# ── what is neither text nor bytes ──

PARSERS = (
    decode_bundle, parse_trust, parse_receipt, parse_presentation, parse_jwt, parse_tlog_proof, parse_policy,
    parse_signed_note, parse_line, parse_disclosure, decode_spki, decode_token, vrf.proof_output,
    lambda value: parse_b64u(value, "x"), lambda value: parse_json(value, "x", 99), read_certificate,
)  # fmt: skip


@pytest.mark.parametrize(
    "garbage",
    [None, 0, True, 1.5, [], [b""], {}, object(), "x", b"x", "\ud800", b"\xff"],
    ids=lambda value: "an object" if type(value) is object else repr(value),  # the same words on every worker
)
@pytest.mark.parametrize("parse", PARSERS, ids=[f"parser {k}" for k in range(len(PARSERS))])
def test_whatever_a_parser_is_given_only_our_errors_leave(parse: Any, garbage: Any) -> None:
    """A caller in Python may hand over what it has; a wrong type is malformed and no crash."""
    with pytest.raises(BridgeError):
        parse(garbage)


def test_any_string_of_bytes_is_read_as_what_it_holds() -> None:
    for kind in (bytes, bytearray, memoryview):
        assert parse_json(kind(b'{"a":1}'), "x", 99) == {"a": 1}
