from typing import Any

import pytest
from eth_abi.abi import encode

from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact, selector, signature_of, type_of
from hybrid_bridge.adapters.evm.reverts import missing_classes, revert_error, snake_case
from hybrid_bridge.errors import NewcomerUnproven, StaleHead, TimestampAhead, TransactionRefused, UnknownLog

ERRORS = {**artefact(REGISTRY).of_type("error"), **artefact(VERIFIER).of_type("error")}
SAMPLE = {"uint256": 7, "bytes32": b"\x11" * 32, "address": "0x" + "22" * 20}


def test_every_error_of_the_contract_is_one_of_ours_with_the_same_fields() -> None:
    assert missing_classes() == []


@pytest.mark.parametrize("item", ERRORS.values(), ids=list(ERRORS))
def test_every_error_is_decoded_to_its_class_and_fields(item: dict[str, Any]) -> None:
    types = [type_of(part) for part in item["inputs"]]
    error = revert_error("a", selector(signature_of(item)) + encode(types, [SAMPLE[t] for t in types]))
    assert type(error).__name__ == item["name"]
    for part in item["inputs"]:
        got = getattr(error, snake_case(part["name"]))
        assert got == (b"\x22" * 20 if part["type"] == "address" else SAMPLE[part["type"]])


def test_numbers_hashes_and_addresses_arrive_as_ours() -> None:
    stale = revert_error("a", selector("StaleHead(uint256,uint256)") + encode(["uint256"] * 2, [9, 5]))
    assert isinstance(stale, StaleHead)
    assert (stale.head_size, stale.from_size) == (9, 5)
    ahead = revert_error("a", selector("TimestampAhead(uint256,uint256)") + encode(["uint256"] * 2, [9, 5]))
    assert isinstance(ahead, TimestampAhead)
    assert ahead.public_time == 5
    newcomer = revert_error("a", selector("NewcomerUnproven(address)") + encode(["address"], ["0x" + "22" * 20]))
    assert isinstance(newcomer, NewcomerUnproven)
    assert newcomer.validator == b"\x22" * 20
    assert isinstance(revert_error("a", selector("UnknownLog(bytes32)") + bytes(32)), UnknownLog)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "reverted"),
        (b"\x01", "reverted 01"),
        (b"\x08\xc3\x79\xa0" + bytes(64), "reverted 08c379a0"),
        (selector("StaleHead(uint256,uint256)"), "reverted StaleHead, fields unreadable"),
        (selector("StaleHead(uint256,uint256)") + bytes(63), "reverted StaleHead, fields unreadable"),
    ],
)
def test_other_reverts_are_refusals_with_what_can_be_said(data: bytes, reason: str) -> None:
    error = revert_error("a", data)
    assert isinstance(error, TransactionRefused)
    assert (error.endpoint, error.reason) == ("a", reason)
