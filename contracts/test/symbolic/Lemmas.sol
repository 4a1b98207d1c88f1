// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HeadWord, HeadWords} from "../../src/libraries/HeadWord.sol";
import {Tree} from "../../src/libraries/Tree.sol";

/// Lemmas for halmos, for every value of the arguments: CONTRACT §7, symbolic 1, 2, 3, and the parts of 4 and 5 that lie in
/// the word `meta`. `forge test` does not run them.
contract Lemmas {
    uint256 private constant U24 = type(uint24).max;
    uint256 private constant U40 = type(uint40).max;

    // ── 1: getters and setters are inverse and touch no neighbour ────────────────────────────────────────────────────

    function check_gettersReadTheirBits(uint256 word) external pure {
        HeadWord meta = HeadWord.wrap(word);
        assert(meta.treeSize() == (word & U40));
        assert(meta.anchoredAt() == (word >> 40 & U40));
        assert(meta.genesisTime() == (word >> 80 & U40));
        assert(meta.pausedUntil() == (word >> 120 & U40));
        assert(meta.nextFromSize() == (word >> 160 & U40));
        assert(meta.cadence() == (word >> 200 & U24));
        assert(meta.setId() == (word >> 224 & U24));
        assert(meta.isFrozen() == (word >> 248 & 1 == 1));
        assert(meta.isRetired() == (word >> 249 & 1 == 1));
    }

    function check_registered(uint40 time, uint40 genesisTime, uint24 cadence) external pure {
        HeadWord meta = HeadWords.registered(time, genesisTime, cadence);
        assert(meta.treeSize() == 1 && meta.setId() == 1 && meta.isRegistered());
        assert(meta.anchoredAt() == time && meta.genesisTime() == genesisTime && meta.cadence() == cadence);
        assert(meta.pausedUntil() == 0 && meta.nextFromSize() == 0 && HeadWord.unwrap(meta) >> 248 == 0);
    }

    function check_withHead(uint256 word, uint40 size, uint40 time) external pure {
        HeadWord meta = HeadWord.wrap(word).withHead(size, time);
        assert(meta.treeSize() == size && meta.anchoredAt() == time);
        _untouched(word, meta, U40 | U40 << 40);
    }

    function check_withPending(uint256 word, uint40 fromSize) external pure {
        HeadWord meta = HeadWord.wrap(word).withPending(fromSize);
        assert(meta.nextFromSize() == fromSize);
        _untouched(word, meta, U40 << 160);
    }

    function check_withPause(uint256 word, uint40 until) external pure {
        HeadWord meta = HeadWord.wrap(word).withPause(until);
        assert(meta.pausedUntil() == until);
        _untouched(word, meta, U40 << 120);
    }

    function check_withNextSet(uint256 word) external pure {
        HeadWord old = HeadWord.wrap(word);
        if (old.setId() == type(uint24).max) return; // the addition reverts
        HeadWord meta = old.withNextSet();
        assert(meta.setId() == old.setId() + 1 && meta.nextFromSize() == 0);
        _untouched(word, meta, U40 << 160 | U24 << 224);
    }

    // ── 4: no setter clears a flag ───────────────────────────────────────────────────────────────────────────────────

    function check_flagsAreForEver(uint256 word) external pure {
        HeadWord meta = HeadWord.wrap(word);
        assert(meta.frozen().isFrozen() && meta.retired().isRetired());
        _untouched(word, meta.frozen(), 1 << 248);
        _untouched(word, meta.retired(), 1 << 249);
    }

    function _untouched(uint256 word, HeadWord meta, uint256 mask) private pure {
        assert((word ^ HeadWord.unwrap(meta)) & ~mask == 0);
    }

    // ── 2: the quorum ────────────────────────────────────────────────────────────────────────────────────────────────

    function check_theQuorumIsTheLeastMoreThanTwoThirds(uint8 n, uint8 k) external pure {
        if (n == 0 || n > 64) return;
        uint256 needed = 2 * uint256(n) / 3 + 1;
        assert(needed <= n);
        assert((3 * uint256(k) > 2 * uint256(n)) == (k >= needed));
    }

    function check_twoQuorumsShareMoreThanTheFaulty(uint8 n) external pure {
        if (n == 0 || n > 64) return;
        uint256 needed = 2 * uint256(n) / 3 + 1;
        assert(2 * needed >= n + (uint256(n) - 1) / 3 + 1);
    }

    // ── 3: bits ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function check_bitLength(uint64 x) external pure {
        uint256 length = Tree.bitLength(x);
        assert(length <= 64);
        assert(x == 0 ? length == 0 : uint256(x) >> length - 1 == 1);
    }

    function check_popcount(uint64 x) external pure {
        uint256 count = 0;
        for (uint256 i = 0; i < 64; ++i) {
            count += x >> i & 1;
        }
        assert(Tree.popcount(x) == count);
    }
}
