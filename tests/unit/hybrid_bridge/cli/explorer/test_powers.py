"""What became of pauses, who signed what, whom a report names: out of events and calldata alone."""

from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.adapters.evm import history
from hybrid_bridge.adapters.evm.events import Place
from hybrid_bridge.adapters.evm.history import Happening, History
from hybrid_bridge.adapters.evm.keepers import Kept
from hybrid_bridge.cli.explorer.powers import Spoken, ends_json, pauses_json, reports_json
from hybrid_bridge.core.attestation import retire_digest
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import Missing
from hybrid_bridge.ports import Head, PublicBlock
from tests.unit.hybrid_bridge.core.consortium import GENESIS

NOW = 1_000_000
CONTRACT = b"\x0c" * 20
KEYS = sorted((bytes([n]) * 32 for n in (1, 2, 3, 4)), key=lambda key: address_of(public_key_of(key)))
ADDRESSES = [address_of(public_key_of(key)) for key in KEYS]
SET: Any = ValidatorSet(1, tuple(ValidatorEntry(address, b"n" * 32, b"c" * 32, b"b" * 32) for address in ADDRESSES))  # type: ignore[arg-type]
HEAD: Any = Head(
    tree_size=9, root=b"r" * 32, timestamp=1, anchored_at=1, set_id=1, next_from_size=0, paused_until=0, state="active"
)  # type: ignore[arg-type]
KEPT: Any = Kept(
    chain_id=1,  # type: ignore[arg-type]
    contract=CONTRACT,  # type: ignore[arg-type]
    basis="",
    at=PublicBlock(9, b"h" * 32, b"p" * 32, NOW),  # type: ignore[arg-type]
    head=HEAD,
    origin="",
    genesis=b"",
    sets=(),
    anchors=(),
    calldata={},
)


def event(kind: str, time: int, *values: Any) -> Any:
    return Happening(kind, values, Place(time, bytes([time % 251]) * 32, 0), time)  # type: ignore[arg-type]


def spoken(*events: Any, calldata: Any = None) -> Spoken:
    return Spoken(KEPT, History(happenings=events, costs={}, calldata=calldata or {}), GENESIS, [SET])


def paused(time: int, until: int, *, alone: bool = False) -> Any:
    return event("Paused", time, 0, until, b"w" * 32, alone)


def outcomes(*events: Any) -> list[tuple[str, int | None]]:
    return [(one["outcome"]["value"], one["ended_at"]["value"]) for one in pauses_json(spoken(*events))]  # type: ignore[call-overload,index]


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([paused(100, 200)], [("ran out", 200)]),
        ([paused(100, NOW + 1)], [("in force", None)]),
        ([paused(100, NOW)], [("ran out", NOW)]),
        ([paused(100, 200), event("Resumed", 150, 1, b"w" * 32)], [("lifted", 150)]),
        ([paused(100, 200), paused(150, 300)], [("renewed", 150), ("ran out", 300)]),
        ([paused(100, 200), paused(250, 300)], [("ran out", 200), ("ran out", 300)]),
        ([paused(100, 200), event("Frozen", 150, 9, b"r" * 32)], [("frozen", 150)]),
        ([paused(100, 200), event("Retired", 150, b"s" * 32, 9, b"r" * 32)], [("retired", 150)]),
    ],
)
def test_a_pause_ends_by_its_time_or_by_what_comes_before(events: Any, found: Any) -> None:
    assert outcomes(*events) == found


def test_a_guardian_stands_alone_and_a_quorum_without_calldata_is_nobody() -> None:
    alone, quorum = pauses_json(spoken(paused(100, 200, alone=True), paused(300, 400)))
    assert alone["guardian"]["value"] == "0x" + GENESIS.guardian.hex()  # type: ignore[call-overload,index]
    assert (quorum["guardian"]["value"], quorum["signers"]["value"]) == (None, [])  # type: ignore[call-overload,index]


def test_who_ended_a_log_is_recovered_from_the_calldata_and_strangers_are_not_shown() -> None:
    one = event("Retired", 150, b"s" * 32, 9, b"r" * 32)
    digest = retire_digest(1, CONTRACT, GENESIS.log_id, b"s" * 32, 9, b"r" * 32)  # type: ignore[arg-type]
    packed = b"".join(to_compact(sign_digest(key, digest)) for key in (KEYS[0], KEYS[2], b"\x63" * 32))
    (end,) = ends_json(spoken(one, calldata={one.place.tx_hash: b"\x00" * 4 + packed}))
    assert end["signers"]["value"] == ["0x" + ADDRESSES[place].hex() for place in (0, 2)]  # type: ignore[call-overload,index]
    assert (end["how"]["value"], end["successor"]["value"]) == ("retired", "0x" + (b"s" * 32).hex())  # type: ignore[call-overload,index]
    (other,) = ends_json(spoken(replace(one, time=151), calldata={one.place.tx_hash: b""}))
    assert other["signers"]["value"] == []  # type: ignore[call-overload,index]


def test_a_retired_log_that_was_frozen_shows_both() -> None:
    both = ends_json(spoken(event("Retired", 150, b"s" * 32, 9, b"r" * 32), event("Frozen", 160, 9, b"r" * 32)))
    assert [one["how"]["value"] for one in both] == ["retired", "frozen"]  # type: ignore[call-overload,index]


def test_a_report_names_the_members_by_their_bits_and_a_set_that_nobody_knows_is_missing() -> None:
    report = event("Inconsistent", 150, 7, b"a" * 32, b"b" * 32, 1, 0b1010)
    (shown,) = reports_json(spoken(report, event("Frozen", 150, 9, b"r" * 32)))
    assert shown["members"]["value"] == ["0x" + ADDRESSES[place].hex() for place in (1, 3)]  # type: ignore[call-overload,index]
    assert (shown["kind"]["value"], shown["froze"]["value"]) == ("inconsistency", True)  # type: ignore[call-overload,index]
    for unknown in (0, 2):
        with pytest.raises(Missing):
            reports_json(spoken(event("Equivocated", 150, 7, b"a" * 32, b"b" * 32, unknown, 1)))


def placed(one: Any, index: int, tx: int = 9) -> Any:
    return replace(one, place=Place(9, bytes([tx]) * 32, index))  # type: ignore[arg-type]


def test_only_the_report_right_before_the_freeze_froze_the_log() -> None:
    report = event("Equivocated", 150, 7, b"a" * 32, b"b" * 32, 1, 0b1111)
    frozen = event("Frozen", 150, 9, b"r" * 32)
    events = [placed(report, 0), placed(report, 1), placed(frozen, 2), placed(report, 3), placed(report, 0, tx=8)]
    assert [one["froze"]["value"] for one in reports_json(spoken(*events))] == [False, True, False, False]  # type: ignore[call-overload,index]


def test_beyond_the_first_reports_whoever_was_not_accused_before_and_what_froze_the_log_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "MAX_DISTINCT", 2)

    def report(size: int, bits: int, tx: int = 0) -> Any:
        return "Equivocated", (size, b"a" * 32, b"b" * 32, 1, bits), Place(size, bytes([tx]) * 32, 0)  # type: ignore[arg-type]

    found = [*(report(size, 1) for size in range(5)), report(6, 2), report(7, 2), report(8, 1, tx=9)]
    frozen = "Frozen", (9, b"r" * 32), found[-1][2]
    kept, left_out = history._bounded([*found, frozen])
    assert [one[1][0] for one in kept] == [0, 1, 6, 8, 9]
    assert left_out == 4
    monkeypatch.setattr(history, "MAX_EVENTS", 2)
    assert [one[1][0] for one in history._bounded([*found, frozen])[0]] == [0, 1, 8, 9]
