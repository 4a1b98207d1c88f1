// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IndexPresent, PathLength, RootMismatch, TerminalMalformed} from "../Errors.sol";
import {Terminal} from "../Types.sol";

/// The registry's prefix tree (SPEC §9.1): PLEAF = H(0x02, index, commitment), PNODE = H(0x03, left, right), an empty
/// subtree is 32 zero bytes. Bit 0 of an index is the most significant bit.
library PrefixTree {
    uint256 private constant MAX_DEPTH = 256;

    /// Reverts unless (index, commitment) stands in the tree under `root`.
    /// @param siblings lowest first, empty ones written out.
    function verifyPresence(bytes32 root, bytes32 index, bytes32 commitment, bytes32[] calldata siblings)
        internal
        pure
    {
        _requireShape(siblings);
        _requireRoot(root, index, sha256(abi.encodePacked(hex"02", index, commitment)), siblings);
    }

    /// Reverts unless the path of `index` in the tree under `root` ends in `end`, which is no place of that index.
    function verifyAbsence(bytes32 root, bytes32 index, Terminal calldata end, bytes32[] calldata siblings)
        internal
        pure
    {
        _requireShape(siblings);
        if (end.hole) {
            if (end.index != 0 || end.commitment != 0) revert TerminalMalformed(); // one encoding
            return _requireRoot(root, index, 0, siblings);
        }
        if (end.index == index) revert IndexPresent(index);
        uint256 beyond = MAX_DEPTH - siblings.length; // low bits in which the two may differ
        // At depth 256 no bit is left to differ in, so the pair found would be that of `index`.
        if (beyond == 0 || uint256(end.index ^ index) >> beyond != 0) revert TerminalMalformed();
        _requireRoot(root, index, sha256(abi.encodePacked(hex"02", end.index, end.commitment)), siblings);
    }

    /// A deepest sibling that is empty would be a tree not in its least shape.
    function _requireShape(bytes32[] calldata siblings) private pure {
        if (siblings.length > MAX_DEPTH) revert PathLength(MAX_DEPTH, siblings.length);
        if (siblings.length != 0 && siblings[0] == 0) revert TerminalMalformed();
    }

    function _requireRoot(bytes32 root, bytes32 index, bytes32 hash, bytes32[] calldata siblings) private pure {
        uint256 sides = uint256(index) >> MAX_DEPTH - siblings.length; // lowest bit first; set: a left sibling
        for (uint256 k = 0; k < siblings.length; ++k) {
            hash = sides >> k & 1 == 1
                ? sha256(abi.encodePacked(hex"03", siblings[k], hash))
                : sha256(abi.encodePacked(hex"03", hash, siblings[k]));
        }
        if (hash != root) revert RootMismatch(root, hash);
    }
}
