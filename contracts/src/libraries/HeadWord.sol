// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PauseOutOfRange, RotationOutOfRange} from "../Errors.sol";
import {State} from "../Types.sol";

/// The word `meta` of a log. No shift of it stands anywhere else.
///
///   bit   0 treeSize u40 · 40 anchoredAt u40 · 80 genesisTime u40 · 120 pausedUntil u40
///       160 nextFromSize u40 · 200 cadence u24 · 224 setId u24 · 248 flags u8 (0 frozen, 1 retired)
type HeadWord is uint256;

using HeadWords for HeadWord global;

library HeadWords {
    /// A far-away handover would block every later one.
    uint256 private constant ROTATION_HORIZON = 90 days;
    uint256 private constant LOW_80 = type(uint80).max; // treeSize and anchoredAt
    uint256 private constant NEXT_FROM_SIZE = uint256(type(uint40).max) << 160;
    uint256 private constant PAUSED_UNTIL = uint256(type(uint40).max) << 120;
    uint256 private constant FROZEN = 1 << 248;
    uint256 private constant RETIRED = 1 << 249;
    uint256 private constant SET_ID = uint256(type(uint24).max) << 224;

    /// The word of a log just registered: size 1, set 1, nothing pending, never paused.
    function registered(uint40 time, uint40 genesisTime_, uint24 cadence_) internal pure returns (HeadWord) {
        return HeadWord.wrap(
            1 | uint256(time) << 40 | uint256(genesisTime_) << 80 | uint256(cadence_) << 200 | uint256(1) << 224
        );
    }

    function treeSize(HeadWord word) internal pure returns (uint40) {
        return uint40(HeadWord.unwrap(word));
    }

    function anchoredAt(HeadWord word) internal pure returns (uint40) {
        return uint40(HeadWord.unwrap(word) >> 40);
    }

    function genesisTime(HeadWord word) internal pure returns (uint40) {
        return uint40(HeadWord.unwrap(word) >> 80);
    }

    function pausedUntil(HeadWord word) internal pure returns (uint40) {
        return uint40(HeadWord.unwrap(word) >> 120);
    }

    function nextFromSize(HeadWord word) internal pure returns (uint40) {
        return uint40(HeadWord.unwrap(word) >> 160);
    }

    function cadence(HeadWord word) internal pure returns (uint24) {
        return uint24(HeadWord.unwrap(word) >> 200);
    }

    function setId(HeadWord word) internal pure returns (uint24) {
        return uint24(HeadWord.unwrap(word) >> 224);
    }

    function isFrozen(HeadWord word) internal pure returns (bool) {
        return HeadWord.unwrap(word) & FROZEN != 0;
    }

    function isRetired(HeadWord word) internal pure returns (bool) {
        return HeadWord.unwrap(word) & RETIRED != 0;
    }

    /// genesisTime is at least 1, so no registered log has the zero word.
    function isRegistered(HeadWord word) internal pure returns (bool) {
        return HeadWord.unwrap(word) != 0;
    }

    /// The epoch boundary at which a tree of `size` leaves is complete (SPEC §8.2); size >= 1.
    function timestampOf(HeadWord word, uint64 size) internal pure returns (uint256) {
        return word.genesisTime() + uint256(size - 1) * word.cadence();
    }

    /// Does the pending set answer for `size`?
    function isHandover(HeadWord word, uint64 size) internal pure returns (bool) {
        return word.nextFromSize() != 0 && size >= word.nextFromSize();
    }

    function state(HeadWord word, uint40 time) internal pure returns (State) {
        if (!word.isRegistered()) return State.Unknown;
        if (word.isFrozen()) return State.Frozen;
        if (word.isRetired()) return State.Retired;
        return time < word.pausedUntil() ? State.Paused : State.Active;
    }

    /// A handover lies beyond the head, and its boundary at most ROTATION_HORIZON ahead.
    function requireHandover(HeadWord word, uint64 fromSize, uint40 time) internal pure {
        uint256 low = uint256(word.treeSize()) + 1;
        uint256 latest = time + ROTATION_HORIZON;
        uint256 high = latest < word.genesisTime() ? 0 : (latest - word.genesisTime()) / word.cadence() + 1;
        if (high > type(uint40).max) high = type(uint40).max;
        if (fromSize < low || fromSize > high) revert RotationOutOfRange(fromSize, low, high);
    }

    /// A pause ends later than now, and at most pauseMax later.
    function requirePause(uint64 until, uint32 pauseMax, uint40 time) internal pure {
        uint256 high = uint256(time) + pauseMax;
        if (until <= time || until > high) revert PauseOutOfRange(until, uint256(time) + 1, high);
    }

    function withHead(HeadWord word, uint40 size, uint40 time) internal pure returns (HeadWord) {
        return HeadWord.wrap(HeadWord.unwrap(word) & ~LOW_80 | uint256(time) << 40 | size);
    }

    function withPending(HeadWord word, uint40 fromSize) internal pure returns (HeadWord) {
        return HeadWord.wrap(HeadWord.unwrap(word) & ~NEXT_FROM_SIZE | uint256(fromSize) << 160);
    }

    function withPause(HeadWord word, uint40 until) internal pure returns (HeadWord) {
        return HeadWord.wrap(HeadWord.unwrap(word) & ~PAUSED_UNTIL | uint256(until) << 120);
    }

    function frozen(HeadWord word) internal pure returns (HeadWord) {
        return HeadWord.wrap(HeadWord.unwrap(word) | FROZEN);
    }

    function retired(HeadWord word) internal pure returns (HeadWord) {
        return HeadWord.wrap(HeadWord.unwrap(word) | RETIRED);
    }

    /// The pending set takes over: nothing pending, the next set id.
    function withNextSet(HeadWord word) internal pure returns (HeadWord) {
        uint24 next = word.setId() + 1;
        return HeadWord.wrap(HeadWord.unwrap(word) & ~(NEXT_FROM_SIZE | SET_ID) | uint256(next) << 224);
    }
}
