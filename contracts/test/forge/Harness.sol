// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested, Terminal} from "../../src/Types.sol";
import {Entry} from "../../src/libraries/Entry.sol";
import {EpochRecord} from "../../src/libraries/EpochRecord.sol";
import {PrefixTree} from "../../src/libraries/PrefixTree.sol";
import {Seals} from "../../src/libraries/Seals.sol";
import {Tree} from "../../src/libraries/Tree.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";

/// Internal functions of src, callable.
contract Harness {
    function leaf(bytes calldata data) external pure returns (bytes32) {
        return Tree.leaf(data);
    }

    function inclusion(bytes32 leafHash, uint64 index, uint64 size, bytes32[] calldata path, bytes32 root)
        external
        view
    {
        Tree.verifyInclusion(leafHash, index, size, path, root);
    }

    function consistency(uint256 older, uint256 newer, bytes32[] calldata path, bytes32 olderRoot, bytes32 newerRoot)
        external
        view
    {
        Tree.verifyConsistency(older, newer, path, olderRoot, newerRoot);
    }

    function entry(bytes calldata data) external pure returns (uint16 recordType, uint16 width, bytes32 fieldRoot) {
        return Entry.read(data);
    }

    function epoch(bytes calldata record, bytes32 logId) external pure returns (bytes32 read) {
        return keccak256(abi.encode(EpochRecord.read(record, logId)));
    }

    function presence(bytes32 root, bytes32 index, bytes32 commitment, bytes32[] calldata siblings) external pure {
        PrefixTree.verifyPresence(root, index, commitment, siblings);
    }

    function absence(bytes32 root, bytes32 index, Terminal calldata end, bytes32[] calldata siblings) external pure {
        PrefixTree.verifyAbsence(root, index, end, siblings);
    }

    function quorum(bytes32 digest, bytes32 setHash, bytes32 setKey, uint64 signers, bytes calldata seals)
        external
        view
        returns (bytes memory)
    {
        return Seals.requireQuorum(digest, setHash, setKey, signers, seals);
    }

    function recover(bytes32 digest, bytes calldata seal) external pure returns (bool low, address signer) {
        return Seals.recover(digest, seal);
    }

    function checkpoint(bytes32 logId, Attested calldata to, uint256 timestamp, uint256 setId)
        external
        pure
        returns (bytes32)
    {
        return TypedData.checkpoint(logId, to, timestamp, setId);
    }
}
