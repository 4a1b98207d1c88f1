// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";

/// Validators with keys, and what they sign; written from SPEC §8, not from src.
abstract contract Members is Base {
    struct Set {
        uint256 id;
        uint256[] keys; // in the order of their addresses
        bytes entries;
        bytes32 hash;
        bytes32 key; // the setKey
        bytes list; // setHash, then the addresses
    }

    bytes32 private constant NAME = keccak256("HybridBridge");
    bytes32 private constant VERSION = keccak256("1");

    /// The set of `count` keys from `first` on.
    function setOf(uint256 id, uint256 first, uint256 count) internal pure returns (Set memory set) {
        set.id = id;
        set.keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = first + i;
            uint256 place = i;
            for (; place > 0 && vm.addr(set.keys[place - 1]) > vm.addr(key); --place) {
                set.keys[place] = set.keys[place - 1];
            }
            set.keys[place] = key;
        }
        for (uint256 i = 0; i < count; ++i) {
            bytes32 member = bytes32(uint256(uint160(vm.addr(set.keys[i]))));
            set.entries = bytes.concat(set.entries, member, sha256("name"), sha256("certificate"), member);
        }
        bytes32 typeHash = sha256("HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)");
        set.hash = sha256(abi.encodePacked(typeHash, id, count, set.entries));
        set.list = abi.encodePacked(set.hash);
        for (uint256 i = 0; i < count; ++i) {
            set.list = bytes.concat(set.list, bytes20(vm.addr(set.keys[i])));
        }
        set.key = keccak256(set.list);
    }

    /// More than two thirds, found by counting.
    function quorumOf(uint256 count) internal pure returns (uint256 k) {
        while (3 * k <= 2 * count) ++k;
    }

    function firstOnes(uint256 k) internal pure returns (uint64) {
        return uint64((uint256(1) << k) - 1);
    }

    function quorumBits(Set memory set) internal pure returns (uint64) {
        return firstOnes(quorumOf(set.keys.length));
    }

    function compact(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
    }

    function sealsOf(Set memory set, bytes32 digest, uint64 signers) internal pure returns (bytes memory seals) {
        for (uint256 i = 0; i < set.keys.length; ++i) {
            bool signs = signers >> i & 1 == 1;
            seals = bytes.concat(seals, signs ? compact(set.keys[i], digest) : abi.encodePacked(vm.addr(set.keys[i])));
        }
    }

    // ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────

    function checkpointOf(bytes32 logId, uint256 size, bytes32 root, uint256 timestamp, Set memory set)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,uint64 validatorSetId,bytes32 validatorSetHash)"
        );
        bytes32 domain = keccak256("EIP712Domain(string name,string version,bytes32 salt)");
        bytes32 words = keccak256(abi.encode(typeHash, logId, size, root, timestamp, set.id, set.hash));
        return keccak256(abi.encodePacked(hex"1901", keccak256(abi.encode(domain, NAME, VERSION, logId)), words));
    }

    /// Of the power domain; `words` are the type's hash and its values.
    function powerOf(address registry, bytes32 logId, bytes memory words) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
        );
        bytes32 separator = keccak256(abi.encode(domain, NAME, VERSION, block.chainid, registry, logId));
        return keccak256(abi.encodePacked(hex"1901", separator, keccak256(words)));
    }
}
