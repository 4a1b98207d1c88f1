// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EntryMalformed, RecordMalformed} from "../Errors.sol";

/// Batch entries (SPEC §3): 0x01, u16 record type, u16 width of the field tree, field root. Refusals and decoys, which
/// begin with other bytes, are no facts.
library Entry {
    uint256 private constant LENGTH = 37;

    function read(bytes calldata entry) internal pure returns (uint16 recordType, uint16 width, bytes32 fieldRoot) {
        if (entry.length != LENGTH) revert RecordMalformed(LENGTH, entry.length);
        if (entry[0] != 0x01) revert EntryMalformed(0);
        recordType = uint16(bytes2(entry[1:3]));
        if (recordType == 0 || recordType == type(uint16).max) revert EntryMalformed(1);
        width = uint16(bytes2(entry[3:5]));
        if (width < 8 || width > 1024 || width & width - 1 != 0) revert EntryMalformed(3);
        fieldRoot = bytes32(entry[5:37]);
    }
}
