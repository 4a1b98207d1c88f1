// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";

/// Random histories of two logs. The numbers are those of CONTRACT §7; what concerns a single call (1, 5, 6, 7, 9, 10, 11,
/// 14, 15, 17) is asked after each call, in `World`.
contract InvariantsTest {
    Handler private _handler = new Handler();

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// One function: each would be a campaign of its own.
    function invariant_whatThePagePromises() external view {
        _handler.requireHeads();
        _handler.requireHistory();
        _handler.requireSetsAndFlags();
        _handler.requireGuardian();
    }
}
