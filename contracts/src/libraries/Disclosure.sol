// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisclosureMalformed} from "../Errors.sol";
import {FieldProof} from "../Types.sol";
import {Tree} from "./Tree.sol";

/// Opened fields (SPEC §3): the bytes shipped are the bytes hashed.
library Disclosure {
    uint256 private constant MAX_LENGTH = 8192;

    /// Reverts unless the disclosure is a leaf of the field tree. The string is not parsed.
    /// @param width leaves of the field tree, a power of two.
    /// @return isClaim it stands in the left half, which every member reads; else it is a private field.
    function verify(bytes32 fieldRoot, uint16 width, FieldProof calldata field) internal view returns (bool isClaim) {
        bytes calldata text = field.disclosure;
        if (text.length == 0 || text.length > MAX_LENGTH) revert DisclosureMalformed(text.length);
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] >= 0x80) revert DisclosureMalformed(i);
        }
        verifyDigest(fieldRoot, width, sha256(text), field.index, field.path);
        return field.index < width / 2;
    }

    /// Reverts unless a disclosure of this SHA-256 stands at `index`.
    function verifyDigest(bytes32 fieldRoot, uint16 width, bytes32 digest, uint64 index, bytes32[] calldata path)
        internal
        view
    {
        Tree.verifyInclusion(sha256(abi.encodePacked(hex"00", digest)), index, width, path, fieldRoot);
    }
}
