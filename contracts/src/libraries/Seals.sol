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
        view
        returns (bytes memory list)
    {
        uint256 needed;
        uint256 signed;
        (list, needed, signed) = count(digest, setHash, setKey, signers, seals);
        if (signed < needed) revert BelowQuorum(needed, signed);
    }

    /// Reverts unless `seals` are those of members of the set behind `setKey`, however few.
    /// @return list setHash, then the packed addresses of all members, ascending.
    /// @return needed signatures for a quorum.
    /// @return signed signatures over `digest`.
    function count(bytes32 digest, bytes32 setHash, bytes32 setKey, uint64 signers, bytes calldata seals)
        internal
        view
        returns (bytes memory list, uint256 needed, uint256 signed)
    {
        uint256 members;
        (list, members, signed) = _recoverAll(digest, setHash, signers, seals);
        bytes32 key = keccak256(list);
        if (key != setKey) revert SetMismatch(setKey, key);
        needed = 2 * members / 3 + 1;
    }

    /// Plain twin: contracts/test/Twins.sol.
    function _recoverAll(bytes32 digest, bytes32 setHash, uint64 signers, bytes calldata seals)
        private
        view
        returns (bytes memory list, uint256 members, uint256 signed)
    {
        bool isWhole;
        assembly ("memory-safe") {
            let input := mload(0x40) // of ecrecover: digest, v, r, s
            list := add(input, 0x80)
            mstore(input, digest)
            mstore(add(list, 32), setHash)
            let next := add(list, 64)
            let place := seals.offset
            let end := add(place, seals.length)
            for {} lt(place, end) { members := add(members, 1) } {
                switch and(shr(members, signers), 1)
                case 0 {
                    mstore(next, calldataload(place)) // the 12 bytes after the address are overwritten or cut off
                    place := add(place, 20)
                }
                default {
                    let vs := calldataload(add(place, 32))
                    let s := and(vs, sub(shl(255, 1), 1))
                    if gt(s, MAX_S) { break }
                    mstore(add(input, 0x20), add(27, shr(255, vs)))
                    mstore(add(input, 0x40), calldataload(place))
                    mstore(add(input, 0x60), s)
                    mstore(0, 0) // a failed recovery answers nothing
                    pop(staticcall(gas(), 1, input, 0x80, 0, 32))
                    mstore(next, shl(96, mload(0)))
                    signed := add(signed, 1)
                    place := add(place, 64)
                }
                if gt(place, end) { break }
                next := add(next, 20)
            }
            isWhole := eq(place, end)
            mstore(list, sub(next, add(list, 32)))
            mstore(0x40, and(add(next, 31), not(31)))
        }
        if (!isWhole || signers >> members != 0) revert SealsMalformed(members);
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
