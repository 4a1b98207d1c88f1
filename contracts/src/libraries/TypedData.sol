// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested} from "../Types.sol";

/// Every EIP-712 digest that members sign (SPEC §8.2). The log domain holds `Checkpoint` alone and names no chain: one
/// signature is good everywhere. The power domain names chain and contract, read at the call and never cached.
library TypedData {
    bytes32 private constant LOG_DOMAIN = keccak256("EIP712Domain(string name,string version,bytes32 salt)");
    bytes32 private constant POWER_DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)");
    bytes32 private constant NAME = keccak256("HybridBridge");
    bytes32 private constant VERSION = keccak256("1");
    bytes32 private constant CHECKPOINT = keccak256(
        "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,uint64 validatorSetId,bytes32 validatorSetHash)"
    );
    bytes32 private constant VALIDATOR_SET_UPDATE =
        keccak256("ValidatorSetUpdate(bytes32 logId,uint64 setId,bytes32 newSetHash,uint64 effectiveFromSize)");
    bytes32 private constant PAUSE = keccak256("Pause(bytes32 logId,uint64 nonce,uint64 until,bytes32 reasonHash)");
    bytes32 private constant RESUME = keccak256("Resume(bytes32 logId,uint64 nonce,bytes32 reasonHash)");
    bytes32 private constant RETIRE =
        keccak256("Retire(bytes32 logId,bytes32 successor,uint64 treeSize,bytes32 rootHash)");

    function checkpoint(bytes32 logId, Attested calldata to, uint256 timestamp, uint256 setId)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(abi.encode(LOG_DOMAIN, NAME, VERSION, logId));
        return _digest(
            domain, keccak256(abi.encode(CHECKPOINT, logId, to.treeSize, to.rootHash, timestamp, setId, to.setHash))
        );
    }

    function validatorSetUpdate(bytes32 logId, uint256 setId, bytes32 newSetHash, uint256 fromSize)
        internal
        view
        returns (bytes32)
    {
        return _digest(
            _powerDomain(logId), keccak256(abi.encode(VALIDATOR_SET_UPDATE, logId, setId, newSetHash, fromSize))
        );
    }

    function pause(bytes32 logId, uint256 nonce, uint256 until, bytes32 reasonHash) internal view returns (bytes32) {
        return _digest(_powerDomain(logId), keccak256(abi.encode(PAUSE, logId, nonce, until, reasonHash)));
    }

    function resume(bytes32 logId, uint256 nonce, bytes32 reasonHash) internal view returns (bytes32) {
        return _digest(_powerDomain(logId), keccak256(abi.encode(RESUME, logId, nonce, reasonHash)));
    }

    function retire(bytes32 logId, bytes32 successor, uint256 size, bytes32 root) internal view returns (bytes32) {
        return _digest(_powerDomain(logId), keccak256(abi.encode(RETIRE, logId, successor, size, root)));
    }

    function _powerDomain(bytes32 logId) private view returns (bytes32) {
        return keccak256(abi.encode(POWER_DOMAIN, NAME, VERSION, block.chainid, address(this), logId));
    }

    function _digest(bytes32 domain, bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
