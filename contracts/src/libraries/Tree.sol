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

    /// NODE(l, r) = H(0x01, l, r); plain twin: sha256(abi.encodePacked(hex"01", left, right))
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

    function verifyInclusion(bytes32 leafHash, uint64 index, uint64 size, bytes32[] calldata path, bytes32 root)
        internal
        view
    {
        if (size == 0 || size > MAX_SIZE) revert SizeOrder(size, size);
        if (index >= size) revert IndexBeyondSize(index, size);
        uint256 inner = bitLength(index ^ (size - 1));
        _requireLength(inner + popcount(index >> inner), path.length);
        bytes32 hash = leafHash;
        for (uint256 k = 0; k < path.length; ++k) {
            bool siblingIsLeft = k >= inner || index >> k & 1 == 1;
            hash = siblingIsLeft ? node(path[k], hash) : node(hash, path[k]);
        }
        _requireRoot(root, hash);
    }

    function verifyConsistency(
        uint64 older,
        uint64 newer,
        bytes32[] calldata path,
        bytes32 olderRoot,
        bytes32 newerRoot
    ) internal view {
        if (older == 0 || older > newer || newer > MAX_SIZE) revert SizeOrder(older, newer);
        if (older == newer) {
            _requireLength(0, path.length);
            return _requireRoot(newerRoot, olderRoot);
        }
        uint256 lowest = bitLength(older & (~older + 1)) - 1; // trailing zeros of older
        uint256 inner = bitLength((older - 1) ^ (newer - 1)) - lowest; // >= 1, since older < newer
        uint256 start = older == 1 << lowest ? 0 : 1; // a whole tree is its own seed
        _requireLength(start + inner + popcount((older - 1) >> (inner + lowest)), path.length);
        bytes32 a = start == 0 ? olderRoot : path[0]; // grows to the older root
        bytes32 b = a; // grows to the newer root
        for (uint256 k = start; k < path.length; ++k) {
            bytes32 sibling = path[k];
            if (k - start >= inner || older - 1 >> lowest + k - start & 1 == 1) {
                a = node(sibling, a);
                b = node(sibling, b);
            } else {
                b = node(b, sibling);
            }
        }
        _requireRoot(olderRoot, a);
        _requireRoot(newerRoot, b);
    }

    /// Position of the highest set bit, counted from 1; 0 for 0.
    function bitLength(uint64 x) internal pure returns (uint256 bits) {
        if (x >> 32 != 0) (x, bits) = (x >> 32, 32);
        if (x >> 16 != 0) (x, bits) = (x >> 16, bits + 16);
        if (x >> 8 != 0) (x, bits) = (x >> 8, bits + 8);
        if (x >> 4 != 0) (x, bits) = (x >> 4, bits + 4);
        if (x >> 2 != 0) (x, bits) = (x >> 2, bits + 2);
        if (x >> 1 != 0) (x, bits) = (x >> 1, bits + 1);
        if (x != 0) bits += 1;
    }

    /// Number of set bits.
    function popcount(uint64 x) internal pure returns (uint256 bits) {
        for (; x != 0; x &= x - 1) ++bits;
    }

    function _requireLength(uint256 expected, uint256 got) private pure {
        if (expected != got) revert PathLength(expected, got);
    }

    function _requireRoot(bytes32 expected, bytes32 calculated) private pure {
        if (expected != calculated) revert RootMismatch(expected, calculated);
    }
}
