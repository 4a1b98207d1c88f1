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

    /// Plain twin: contracts/test/Twins.sol.
    function checkpoint(bytes32 logId, Attested calldata to, uint256 time, uint256 setId)
        internal
        pure
        returns (bytes32)
    {
        (bytes32 domainType, bytes32 name, bytes32 version, bytes32 structType) =
            (LOG_DOMAIN, NAME, VERSION, CHECKPOINT);
        uint256 size = to.treeSize; // read by the compiler, which refuses dirty bits
        bytes32 domain;
        bytes32 structHash;
        assembly ("memory-safe") {
            let free := mload(0x40) // written beyond, not moved: nothing here outlives the call
            mstore(free, domainType)
            mstore(add(free, 0x20), name)
            mstore(add(free, 0x40), version)
            mstore(add(free, 0x60), logId)
            domain := keccak256(free, 0x80)
            mstore(free, structType)
            mstore(add(free, 0x20), logId)
            mstore(add(free, 0x40), size)
            mstore(add(free, 0x60), calldataload(add(to, 0x20))) // rootHash
            mstore(add(free, 0x80), time)
            mstore(add(free, 0xa0), setId)
            mstore(add(free, 0xc0), calldataload(add(to, 0x40))) // setHash
            structHash := keccak256(free, 0xe0)
        }
        return _digest(domain, structHash);
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

    /// keccak256(0x19, 0x01, domain, structHash)
    function _digest(bytes32 domain, bytes32 structHash) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 0x1901)
            mstore(add(free, 0x20), domain)
            mstore(add(free, 0x40), structHash)
            digest := keccak256(add(free, 0x1e), 66)
        }
    }
}
