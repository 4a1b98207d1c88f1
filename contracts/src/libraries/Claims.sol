// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IndexBeyondSize} from "../Errors.sol";
import {Opened} from "../Types.sol";
import {Disclosure} from "./Disclosure.sol";

/// For consumers: rebuilds a disclosure string from salt, name and value, so that nothing has to be parsed and no quote can
/// be smuggled in.
library Claims {
    bytes private constant ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// Reverts unless the record has a claim of this name and value. `name` and `json` MUST be the consumer's constants or
    /// parameters fixed beforehand, never calldata of whoever profits.
    /// @param fieldRoot and @param width of a `Fact`.
    /// @param json the value as JSON text, quotes included; canonical (RFC 8785).
    function requireClaim(
        bytes32 fieldRoot,
        uint16 width,
        Opened calldata opened,
        string memory name,
        string memory json
    ) internal view {
        if (opened.index >= width / 2) revert IndexBeyondSize(opened.index, width / 2); // a private field
        bytes memory text = abi.encodePacked('["', base64url(abi.encode(opened.salt)), '","', name, '",', json, "]");
        Disclosure.verifyDigest(fieldRoot, width, sha256(base64url(text)), opened.index, opened.path);
    }

    /// RFC 4648 §5 without padding.
    function base64url(bytes memory data) internal pure returns (bytes memory text) {
        text = new bytes((data.length * 8 + 5) / 6);
        uint256 waiting = 0; // the low `bits` bits are not written yet
        uint256 bits = 0;
        uint256 place = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            waiting = waiting << 8 | uint8(data[i]);
            bits += 8;
            while (bits >= 6) {
                bits -= 6;
                text[place++] = ALPHABET[waiting >> bits & 63];
            }
            waiting &= 63; // fewer than six bits wait
        }
        if (bits != 0) text[place] = ALPHABET[waiting << 6 - bits & 63];
    }
}
