// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BelowQuorum, SealsMalformed, SetMismatch} from "../Errors.sol";

/// The quorum check. `seals` has, for each member of the set in address order, its 64-byte signature r, vs (EIP-2098) if
/// its bit in `signers` is set, else its 20-byte address. Recovered and given addresses together must hash to the stored
/// setKey. Sound because the committed list ascends strictly and has no zero address: a duplicate, a stranger, a failed
/// recovery (address zero) and a wrong order each make another list.
library Seals {
    /// (order of secp256k1 - 1) / 2
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// Reverts unless more than two thirds of the set behind `setKey` signed `digest`.
    /// @return list setHash, then the packed addresses of all members, ascending.
    function requireQuorum(bytes32 digest, bytes32 setHash, bytes32 setKey, uint64 signers, bytes calldata seals)
        internal
        pure
        returns (bytes memory list)
    {
        uint256 members;
        uint256 signed;
        (list, members, signed) = _recoverAll(digest, setHash, signers, seals);
        bytes32 key = keccak256(list);
        if (key != setKey) revert SetMismatch(setKey, key);
        uint256 needed = 2 * members / 3 + 1;
        if (signed < needed) revert BelowQuorum(needed, signed);
    }

    function _recoverAll(bytes32 digest, bytes32 setHash, uint64 signers, bytes calldata seals)
        private
        pure
        returns (bytes memory list, uint256 members, uint256 signed)
    {
        list = new bytes(32 + seals.length); // never too short: a member takes at least the 20 bytes it adds
        assembly ("memory-safe") {
            mstore(add(list, 32), setHash)
        }
        uint256 end = 32;
        for (uint256 offset = 0; offset < seals.length; ++members) {
            bool hasSigned = signers >> members & 1 == 1;
            uint256 width = hasSigned ? 64 : 20;
            if (seals.length - offset < width) revert SealsMalformed(members);
            address member;
            if (hasSigned) {
                (bool low, address signer) = recover(digest, seals[offset:offset + 64]);
                if (!low) revert SealsMalformed(members);
                member = signer;
                ++signed;
            } else {
                member = address(bytes20(seals[offset:offset + 20]));
            }
            assembly ("memory-safe") {
                mstore(add(add(list, 32), end), shl(96, member))
            }
            offset += width;
            end += 20;
        }
        if (signers >> members != 0) revert SealsMalformed(members);
        assembly ("memory-safe") {
            mstore(list, end)
        }
    }

    /// The signer of `digest`, zero if there is none; `low` is false for a high s, which has a twin and is refused.
    /// @param seal exactly 64 bytes: r, then s with v - 27 in its top bit, so v has no third value.
    function recover(bytes32 digest, bytes calldata seal) internal pure returns (bool low, address signer) {
        bytes32 r = bytes32(seal[:32]);
        uint256 vs = uint256(bytes32(seal[32:64]));
        uint256 s = vs & type(uint256).max >> 1;
        if (s > MAX_S) return (false, address(0));
        return (true, ecrecover(digest, uint8(27 + (vs >> 255)), r, bytes32(s)));
    }
}
