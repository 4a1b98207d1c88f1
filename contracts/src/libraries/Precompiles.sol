// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PrecompileMissing} from "../Errors.sol";

/// Self-tests for constructors: a call to an absent precompile *succeeds* with empty output, so absence must be looked for.
library Precompiles {
    /// Address 2; FIPS 180-4, the message "abc".
    function requireSha256() internal pure {
        bool right = sha256("abc") == 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad;
        if (!right) revert PrecompileMissing(2);
    }

    /// Address 1; the checkpoint of size 2 signed by key 1 (SPEC §17).
    function requireEcrecover() internal pure {
        address signer = ecrecover(
            0x71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746,
            28,
            0x126203ff77f73755ac541ad9131e79c72d3acb99b24cd4fc061cd9a3a6d4812d,
            0x0fcdb252e62c171f96677405c6d57293deee11c6f27bbbaf8f82b25ae71095b7
        );
        if (signer != 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf) revert PrecompileMissing(1);
    }
}
