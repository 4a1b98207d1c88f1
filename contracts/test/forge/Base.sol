// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The cheatcodes of forge that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 key) external pure returns (address);
    function assume(bool) external pure;
    function contains(string calldata text, string calldata part) external pure returns (bool);
    function chainId(uint256) external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address, bytes32 slot) external view returns (bytes32);
    function parseJsonBytes(string calldata, string calldata) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata, string calldata) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata, string calldata) external pure returns (bytes32[] memory);
    function parseJsonBytesArray(string calldata, string calldata) external pure returns (bytes[] memory);
    function parseJsonString(string calldata, string calldata) external pure returns (string memory);
    function parseJsonUint(string calldata, string calldata) external pure returns (uint256);
    function prank(address) external;
    function readFile(string calldata) external view returns (string memory);
    function recordLogs() external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function split(string calldata text, string calldata by) external pure returns (string[] memory);
    function store(address, bytes32 slot, bytes32 value) external;
    function toString(uint256) external pure returns (string memory);
    function warp(uint256) external;
}

/// A test that reverts has failed.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    /// Names of errors in the vectors and in the contracts, with their fields.
    string[11] private _errors = [
        "PathLength(uint256,uint256)",
        "SizeOrder(uint256,uint256)",
        "IndexBeyondSize(uint256,uint256)",
        "RecordMalformed(uint256,uint256)",
        "WordMalformed(uint256)",
        "EntriesMalformed(uint256)",
        "SealsMalformed(uint256)",
        "EntryMalformed(uint256)",
        "TerminalMalformed()",
        "RootMismatch(bytes32,bytes32)",
        "BelowQuorum(uint256,uint256)"
    ];

    /// A contract from the committed artefact: the very bytes that the product deploys.
    function committed(string memory name) internal returns (address deployed) {
        string memory json = vm.readFile(string.concat("../hybrid_bridge/adapters/abi/", name, ".json"));
        bytes memory code = vm.parseJsonBytes(json, ".bytecode");
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), "not deployed");
    }

    function same(string memory a, string memory b) internal pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    function selector(string memory signature) internal pure returns (bytes4) {
        return bytes4(keccak256(bytes(signature)));
    }

    /// The name of the error that a call answered; "ok" if it did not revert.
    function errorName(bool success, bytes memory answer) internal view returns (string memory) {
        if (success) return "ok";
        for (uint256 i = 0; i < _errors.length; ++i) {
            bytes memory signature = bytes(_errors[i]);
            if (bytes4(answer) == bytes4(keccak256(signature))) return _untilBracket(signature);
        }
        return "another error";
    }

    function _untilBracket(bytes memory signature) private pure returns (string memory) {
        uint256 length = 0;
        while (signature[length] != "(") ++length;
        bytes memory name = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            name[i] = signature[i];
        }
        return string(name);
    }

    /// `data` with one bit changed.
    function flipped(bytes memory data, uint256 bit) internal pure returns (bytes memory copy) {
        copy = bytes.concat(data);
        bit %= 8 * data.length;
        copy[bit / 8] ^= bytes1(uint8(1 << bit % 8));
    }

    function cut(bytes memory data, uint256 length) internal pure returns (bytes memory copy) {
        copy = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            copy[i] = data[i];
        }
    }

    /// A number from low to high.
    function within(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + seed % (high - low + 1);
    }
}
