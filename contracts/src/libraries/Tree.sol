// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IndexBeyondSize, PathLength, RootMismatch, SizeOrder} from "../Errors.sol";

/// Merkle trees of RFC 6962 over SHA-256 (SPEC §2). The length of a path is fixed by index and sizes and checked before
/// the first hash: that stops one leaf from standing at several indices.
library Tree {
    uint64 internal constant MAX_SIZE = 2 ** 53 - 1;

    /// LEAF(d) = H(0x00, d)
    function leaf(bytes calldata data) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", data));
    }

    function verifyInclusion(bytes32 leafHash, uint64 index, uint64 size, bytes32[] calldata path, bytes32 root)
        internal
        view
    {
        if (size == 0 || size > MAX_SIZE) revert SizeOrder(size, size);
        if (index >= size) revert IndexBeyondSize(index, size);
        unchecked { // index < size < 2^53
            uint256 inner = bitLength(index ^ (size - 1)); // below, the sides are the bits of index; above, always left
            _requireLength(inner + popcount(uint256(index) >> inner), path.length);
            uint256 sides = index | type(uint256).max << inner; // lowest bit first; set: a left sibling
            bytes32 hash = leafHash;
            for (uint256 k = 0; k < path.length; ++k) {
                hash = sides >> k & 1 == 1 ? node(path[k], hash) : node(hash, path[k]);
            }
            _requireRoot(root, hash);
        }
    }

    function verifyConsistency(
        uint256 older,
        uint256 newer,
        bytes32[] calldata path,
        bytes32 olderRoot,
        bytes32 newerRoot
    ) internal view {
        if (older == 0 || older > newer || newer > MAX_SIZE) revert SizeOrder(older, newer);
        if (older == newer) {
            _requireLength(0, path.length);
            return _requireRoot(newerRoot, olderRoot);
        }
        unchecked { // 1 <= older < newer < 2^53, and no shift below is longer than that
            uint256 last = older - 1;
            uint256 lowest = popcount((older & ~last) - 1); // trailing zeros of older
            uint256 inner = bitLength(last ^ newer - 1) - lowest; // >= 1
            uint256 own = older == 1 << lowest ? 0 : 1; // a tree of 2^lowest leaves is its own seed
            _requireLength(own + inner + popcount(last >> inner + lowest), path.length);
            uint256 sides = last >> lowest | type(uint256).max << inner; // lowest bit first; set: left, and of both trees
            bytes32 seed = own == 0 ? olderRoot : path[0];
            (bytes32 a, bytes32 b) = climb(seed, sides, path, own);
            _requireRoot(olderRoot, a);
            _requireRoot(newerRoot, b);
        }
    }

    /// From a seed that both trees have, along `path` after its first `own`, to the older root `a` and the newer root `b`. `sides`, lowest bit
    /// first: set if the sibling stands left, and then it is in both trees. Plain twin: contracts/test/Twins.sol.
    function climb(bytes32 seed, uint256 sides, bytes32[] calldata path, uint256 own)
        internal
        view
        returns (bytes32 a, bytes32 b)
    {
        assembly ("memory-safe") {
            let left := add(mload(0x40), 0x20) // written beyond, not moved: nothing here outlives the call
            let right := add(left, 0x20)
            let input := sub(left, 1) // of NODE: the tag is the last byte of the word before
            mstore(sub(left, 0x20), 1)
            a := seed
            b := seed
            let done := 1 // looked at once: a failed call stays failed
            let end := add(path.offset, shl(5, path.length))
            for { let place := add(path.offset, shl(5, own)) } lt(place, end) { place := add(place, 0x20) } {
                switch and(sides, 1)
                case 0 {
                    mstore(left, b)
                    mstore(right, calldataload(place))
                    done := and(done, staticcall(gas(), 2, input, 65, 0, 32))
                    b := mload(0)
                }
                default {
                    let parted := xor(a, b) // until then one hash does for both
                    mstore(left, calldataload(place))
                    mstore(right, b)
                    done := and(done, staticcall(gas(), 2, input, 65, 0, 32))
                    b := mload(0)
                    switch parted
                    case 0 { a := b }
                    default {
                        mstore(right, a)
                        done := and(done, staticcall(gas(), 2, input, 65, 0, 32))
                        a := mload(0)
                    }
                }
                sides := shr(1, sides)
            }
            if iszero(done) { revert(0, 0) }
        }
    }

    /// NODE(l, r) = H(0x01, l, r). Plain twin: contracts/test/Twins.sol.
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 digest) {
        assembly ("memory-safe") {
            let free := mload(0x40) // written beyond, not moved: nothing here outlives the call
            mstore(free, 1) // the tag is the last byte of this word
            mstore(add(free, 0x20), left)
            mstore(add(free, 0x40), right)
            if iszero(staticcall(gas(), 2, add(free, 0x1f), 65, 0, 32)) { revert(0, 0) }
            digest := mload(0)
        }
    }

    /// Position of the highest set bit, counted from 1; 0 for 0. x < 2^64. No branch: the bit is smeared down to bit 0.
    function bitLength(uint256 x) internal pure returns (uint256) {
        x |= x >> 1;
        x |= x >> 2;
        x |= x >> 4;
        x |= x >> 8;
        x |= x >> 16;
        x |= x >> 32;
        return popcount(x);
    }

    /// Number of set bits; x < 2^64. Sums of neighbours, in fields that double.
    function popcount(uint256 x) internal pure returns (uint256) {
        unchecked {
            x -= x >> 1 & 0x5555555555555555;
            x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
            x = x + (x >> 4) & 0x0f0f0f0f0f0f0f0f;
            return x * 0x0101010101010101 >> 56 & 0xff;
        }
    }

    function _requireLength(uint256 expected, uint256 got) private pure {
        if (expected != got) revert PathLength(expected, got);
    }

    function _requireRoot(bytes32 expected, bytes32 calculated) private pure {
        if (expected != calculated) revert RootMismatch(expected, calculated);
    }
}
