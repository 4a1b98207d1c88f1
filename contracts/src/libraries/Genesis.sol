// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RecordMalformed, SuccessorMismatch, WordMalformed} from "../Errors.sol";

/// The words of a genesis record that the registry needs.
struct Genesis {
    bytes32 originHash;
    uint40 genesisTime;
    uint24 cadence;
    uint32 grace;
    bytes32 setHash;
    address guardian;
    uint32 pauseMax;
}

/// Genesis records (SPEC §7.1): 26 words. Words the registry does not use are checked for padding alone: the log id
/// commits to them, and verifiers judge them.
library GenesisRecord {
    uint256 private constant LENGTH = 832;
    /// SHA-256, which the compiler does not compute for constants, of:
    /// HybridBridge.Genesis.v1(bytes32 originHash,uint64 specVersion,uint64 genesisTime,uint64 cadence,
    /// uint64 grace,uint64 promiseDelay,uint64 batchLadder,uint64 registryLadder,uint64 registrySuite,
    /// bytes32 vrfPublicKey,bytes32 registryRoot,bytes32 labelTableHash,bytes32 setHash,bytes32 decoyKeyHash,
    /// bytes32 logKey,bytes32 receiptKey,bytes32 logMldsaKeyHash,address guardian,uint64 pauseMax,bytes32 ledgerId,
    /// uint64 firstBlock,bytes32 policyHash,bytes32 predecessor,uint64 predecessorSize,bytes32 predecessorRoot)
    bytes32 private constant TYPE_HASH = 0xb4b988045d34a481738d12e02c58ac85053869704ad3dd7f6d2340318cc41ca0;
    uint256 private constant U64 = type(uint64).max;

    function requireLength(bytes calldata record) internal pure {
        if (record.length != LENGTH) revert RecordMalformed(LENGTH, record.length);
    }

    /// @param record of the right length.
    function read(bytes calldata record) internal pure returns (Genesis memory genesis) {
        if (bytes32(_word(record, 0)) != TYPE_HASH) revert WordMalformed(0);
        genesis.originHash = bytes32(_word(record, 1));
        _within(record, 2, 1, 1); // specVersion
        genesis.genesisTime = uint40(_within(record, 3, 1, 2 ** 40 - 1));
        genesis.cadence = uint24(_within(record, 4, 1, 1 days));
        genesis.grace = uint32(_within(record, 5, 0, 2 ** 32 - 1));
        // delay, ladders and suite: padding alone
        for (uint256 index = 6; index <= 9; ++index) {
            _within(record, index, 0, U64);
        }
        genesis.setHash = bytes32(_word(record, 13));
        genesis.guardian = address(uint160(_within(record, 18, 0, type(uint160).max)));
        genesis.pauseMax = uint32(_within(record, 19, 0, 30 days));
        _within(record, 21, 0, U64); // firstBlock
        bool isFirst = _word(record, 23) == 0;
        if ((_within(record, 24, 0, U64) == 0) != isFirst) revert WordMalformed(24); // predecessor words: all or none
        if ((_word(record, 25) == 0) != isFirst) revert WordMalformed(25);
    }

    /// Reverts unless the record continues exactly this head.
    /// @param record of the right length.
    function requirePredecessor(bytes calldata record, bytes32 logId, uint256 size, bytes32 root) internal pure {
        bytes32[3] memory expected = [logId, bytes32(size), root];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 got = bytes32(_word(record, 23 + i));
            if (got != expected[i]) revert SuccessorMismatch(expected[i], got);
        }
    }

    function _within(bytes calldata record, uint256 index, uint256 low, uint256 high)
        private
        pure
        returns (uint256 word)
    {
        word = _word(record, index);
        if (word < low || word > high) revert WordMalformed(index);
    }

    function _word(bytes calldata record, uint256 index) private pure returns (uint256) {
        return uint256(bytes32(record[32 * index:32 * index + 32]));
    }
}
