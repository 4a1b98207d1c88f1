// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EntriesMalformed, NewcomerUnproven, RootMismatch} from "../Errors.sol";
import {Seals} from "./Seals.sol";

/// Validator entries (SPEC §8.1): 128 bytes each, an address word and three hashes, strictly ascending by address.
library ValidatorSets {
    /// SHA-256, which the compiler does not compute for constants, of:
    /// HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)
    bytes32 private constant TYPE_HASH = 0x6e87e25102f736f98f729108d5f951d38fcf55272a1142e71025e0ff9f4094b8;
    uint256 private constant WIDTH = 128;
    uint256 private constant MAX_MEMBERS = 64;

    /// Checks the entries. keccak256 of the list is the setKey.
    /// @return setHash what members sign (SPEC §8.1).
    /// @return list setHash, then the packed addresses, ascending.
    function read(uint256 setId, bytes calldata entries) internal pure returns (bytes32 setHash, bytes memory list) {
        uint256 count = entries.length / WIDTH;
        if (count > MAX_MEMBERS) revert EntriesMalformed(MAX_MEMBERS);
        if (count == 0 || entries.length % WIDTH != 0) revert EntriesMalformed(count);
        setHash = sha256(abi.encodePacked(TYPE_HASH, setId, count, entries));
        list = new bytes(32 + 20 * count + 12); // 12: the last address is written as a word
        assembly ("memory-safe") {
            mstore(list, add(32, mul(20, count)))
            mstore(add(list, 32), setHash)
        }
        uint256 last = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = uint256(bytes32(entries[i * WIDTH:i * WIDTH + 32]));
            if (word <= last || word > type(uint160).max) revert EntriesMalformed(i);
            last = word;
            assembly ("memory-safe") {
                mstore(add(add(list, 64), mul(20, i)), shl(96, word))
            }
        }
    }

    /// The setKey of these entries under this set id.
    function key(uint256 setId, bytes calldata entries) internal pure returns (bytes32) {
        (, bytes memory list) = read(setId, entries);
        return keccak256(list);
    }

    function requireCount(bytes calldata entries, uint256 count) internal pure {
        if (count * WIDTH != entries.length) revert EntriesMalformed(count);
    }

    /// Reverts unless `name` is the text behind the name hash of the entry at `index`; of entries that were read.
    function requireName(bytes calldata entries, uint256 index, string calldata name)
        internal
        pure
        returns (address validator)
    {
        bytes calldata entry = entries[index * WIDTH:];
        bytes32 nameHash = bytes32(entry[32:64]);
        bytes32 hash = sha256(bytes(name));
        if (hash != nameHash) revert RootMismatch(nameHash, hash);
        return address(bytes20(entry[12:32]));
    }

    /// Every address of the new list that is not in the old one must have signed `digest`, so nobody is appointed to a key
    /// that nobody holds. Members who stay need not sign, so a dead one cannot block his own removal.
    /// @param newcomers their 64-byte signatures in address order, no byte more.
    function requirePossession(bytes32 digest, bytes memory oldList, bytes memory newList, bytes calldata newcomers)
        internal
        pure
    {
        uint256 old = 32; // place in oldList; both lists ascend, so one walk is enough
        uint256 proven = 0; // bytes of newcomers that are used up
        for (uint256 i = 32; i < newList.length; i += 20) {
            address member = _addressAt(newList, i);
            while (old < oldList.length && _addressAt(oldList, old) < member) old += 20;
            if (old < oldList.length && _addressAt(oldList, old) == member) continue;
            if (newcomers.length - proven < 64) revert NewcomerUnproven(member);
            (, address signer) = Seals.recover(digest, newcomers[proven:proven + 64]);
            if (signer != member) revert NewcomerUnproven(member); // a high s recovers nobody
            proven += 64;
        }
        if (proven != newcomers.length) revert NewcomerUnproven(address(0));
    }

    function _addressAt(bytes memory list, uint256 offset) private pure returns (address member) {
        assembly ("memory-safe") {
            member := shr(96, mload(add(add(list, 32), offset)))
        }
    }
}
