// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RecordMalformed, WordMalformed} from "../Errors.sol";
import {Epoch} from "../Types.sol";

/// Epoch records (SPEC §7.2): 20 words. Shape only; the path to a checkpoint is what makes one true.
library EpochRecord {
    uint256 private constant LENGTH = 640;
    /// SHA-256, which the compiler does not compute for constants, of:
    /// HybridBridge.Epoch.v1(bytes32 logId,uint64 epoch,uint64 firstBlock,uint64 endBlock,bytes32 lastBlockHash,
    /// uint64 batchSize,bytes32 batchRoot,bytes32 registryRoot,uint64 governanceSize,bytes32 governanceRoot,
    /// uint64 setId,bytes32 setHash,uint64 publicChainId,uint64 publicBlockNumber,bytes32 publicBlockHash,
    /// uint64 closedAt,uint64 flags,bytes32 statsCommitment,bytes32 blind)
    bytes32 private constant TYPE_HASH = 0xe4afe08de9960dcf344a9f719e43d55811e97cf77cf7d9aa1decb4cada45a294;
    /// Bit w is set where word w is a u64: epoch, the blocks, the sizes, setId, the beacon's numbers, closedAt, flags.
    uint256 private constant U64_WORDS =
        1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 13 | 1 << 14 | 1 << 16 | 1 << 17;
    uint256 private constant MAX_U64 = 2 ** 53 - 1; // JavaScript, JSON and SQL must agree on every number (SPEC §1)

    function read(bytes calldata record, bytes32 logId) internal pure returns (Epoch memory) {
        if (record.length != LENGTH) revert RecordMalformed(LENGTH, record.length);
        if (bytes32(record[:32]) != TYPE_HASH) revert WordMalformed(0);
        if (bytes32(record[32:64]) != logId) revert WordMalformed(1);
        for (uint256 index = 2; index < 20; ++index) {
            bool isNumber = U64_WORDS >> index & 1 == 1;
            if (isNumber && uint256(bytes32(record[32 * index:32 * index + 32])) > MAX_U64) {
                revert WordMalformed(index);
            }
        }
        return abi.decode(record[32:], (Epoch));
    }
}
