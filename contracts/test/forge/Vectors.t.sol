// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested, Terminal} from "../../src/Types.sol";
import {Base} from "./Base.sol";
import {Harness} from "./Harness.sol";

/// The vectors of tests/vectors, judged by forge's machine: the same JSON that Python reads, the same error by name.
contract VectorsTest is Base {
    Harness private _code = new Harness();

    function _read(string memory name) private view returns (string memory) {
        return vm.readFile(string.concat("../tests/vectors/", name, ".json"));
    }

    /// Each case as a document of its own: parsing the whole file for every field would take minutes.
    function _cases(string memory json, uint256 least) private pure returns (string[] memory cases) {
        string memory list = vm.split(json, '"cases": [\n  {\n')[1];
        cases = vm.split(vm.split(list, "\n  }\n ]\n}")[0], "\n  },\n  {\n");
        for (uint256 i = 0; i < cases.length; ++i) {
            cases[i] = string.concat("{", cases[i], "}");
        }
        require(cases.length >= least && cases.length == vm.parseJsonUint(json, ".count"), "all cases");
    }

    /// The verdict of the vector and ours.
    function _agree(string memory one, bool success, bytes memory answer) private view {
        string memory wanted = _wanted(one);
        string memory got = errorName(success, answer);
        require(same(wanted, got), string.concat(_name(one), ": ", wanted, ", not ", got));
    }

    function _wanted(string memory one) private pure returns (string memory) {
        return same(vm.parseJsonString(one, ".class"), "ok") ? "ok" : vm.parseJsonString(one, ".expected");
    }

    function _name(string memory one) private pure returns (string memory) {
        return vm.parseJsonString(one, ".name");
    }

    // ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_inclusion() external view {
        string[] memory cases = _cases(_read("tree/inclusion"), 806);
        for (uint256 i = 0; i < cases.length; ++i) {
            _inclusion(cases[i], vm.parseJsonBytes32(cases[i], ".input.leaf"));
        }
    }

    function test_leavesAndNodesOfOtherTrees() external view {
        string[] memory cases = _cases(_read("cross/inclusion"), 21);
        for (uint256 i = 0; i < cases.length; ++i) {
            _inclusion(cases[i], _code.leaf(vm.parseJsonBytes(cases[i], ".input.data")));
        }
    }

    function _inclusion(string memory one, bytes32 leaf) private view {
        uint64 index = uint64(vm.parseJsonUint(one, ".input.index"));
        uint64 size = uint64(vm.parseJsonUint(one, ".input.size"));
        bytes32[] memory path = vm.parseJsonBytes32Array(one, ".input.path");
        bytes32 root = vm.parseJsonBytes32(one, ".input.root");
        bytes memory call = abi.encodeCall(Harness.inclusion, (leaf, index, size, path, root));
        (bool success, bytes memory answer) = address(_code).staticcall(call);
        _agree(one, success, answer);
    }

    function test_consistency() external view {
        string[] memory cases = _cases(_read("tree/consistency"), 523);
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 older = vm.parseJsonUint(cases[i], ".input.old_size");
            uint256 newer = vm.parseJsonUint(cases[i], ".input.new_size");
            bytes32[] memory path = vm.parseJsonBytes32Array(cases[i], ".input.path");
            bytes32 oldRoot = vm.parseJsonBytes32(cases[i], ".input.old_root");
            bytes32 newRoot = vm.parseJsonBytes32(cases[i], ".input.new_root");
            bytes memory call = abi.encodeCall(Harness.consistency, (older, newer, path, oldRoot, newRoot));
            (bool success, bytes memory answer) = address(_code).staticcall(call);
            _agree(cases[i], success, answer);
        }
    }

    // ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Refusals and decoys are entries and no facts. The contract has one error for a wrong length.
    function test_entries() external view {
        string[] memory cases = _cases(_read("entry/decode"), 23);
        for (uint256 i = 0; i < cases.length; ++i) {
            bytes memory data = vm.parseJsonBytes(cases[i], ".input.data");
            (bool success, bytes memory answer) = address(_code).staticcall(abi.encodeCall(Harness.entry, (data)));
            if (data.length != 37) {
                require(same(errorName(success, answer), "RecordMalformed"), _name(cases[i]));
                continue;
            }
            _agree(cases[i], success, answer);
            if (!success) continue;
            (uint16 recordType, uint16 width, bytes32 body) = abi.decode(answer, (uint16, uint16, bytes32));
            require(recordType == vm.parseJsonUint(cases[i], ".expected.record_type"), "type");
            require(width == vm.parseJsonUint(cases[i], ".expected.width"), "width");
            require(body == vm.parseJsonBytes32(cases[i], ".expected.body"), "body");
        }
    }

    /// The contract reads shapes; what a record says beside its neighbour (FieldMismatch), and which values make sense
    /// together, is the verifier's to judge. Lengths, padding, widths and the type are refused by both.
    function test_epochRecords() external view {
        string[] memory cases = _cases(_read("epoch/next"), 47);
        uint256 refused;
        for (uint256 i = 0; i < cases.length; ++i) {
            bytes memory record = vm.parseJsonBytes(cases[i], ".input.newer");
            bytes32 logId = _code.leaf(vm.parseJsonBytes(cases[i], ".input.genesis"));
            (bool success, bytes memory answer) =
                address(_code).staticcall(abi.encodeCall(Harness.epoch, (record, logId)));
            string memory name = _name(cases[i]);
            if (same(name, "epoch-of-other-log")) require(same(errorName(success, answer), "WordMalformed"), name);
            else if (_isShape(name)) _agree(cases[i], success, answer);
            else require(success, name);
            refused += success ? 0 : 1;
        }
        require(refused >= 17, "cases");
    }

    function _isShape(string memory name) private pure returns (bool) {
        bytes8 start = bytes8(bytes(name));
        return start == "pad-byte" || start == "u64-over" || start == "639-byte" || start == "641-byte"
            || start == "empty" || start == "type-of-";
    }

    // ── registry ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Of our own hashing rules; other trees' are there for Python's generic one. A digest of another length is no bytes32:
    /// the encoder refuses it.
    function test_registryProofs() external view {
        string[] memory cases = _cases(_read("registry/proof"), 813);
        uint256 judged;
        for (uint256 i = 0; i < cases.length; ++i) {
            if (vm.parseJsonBytes(cases[i], ".input.rules[0]")[0] != 0x02) continue;
            if (same(_wanted(cases[i]), "DigestLength")) continue;
            (bool success, bytes memory answer) = address(_code).staticcall(_registryCall(cases[i]));
            _agree(cases[i], success, answer);
            ++judged;
        }
        require(judged >= 230, "cases");
    }

    /// With the pair of the key itself at its end it is a proof of presence, else of absence.
    function _registryCall(string memory one) private pure returns (bytes memory) {
        bytes32 root = vm.parseJsonBytes32(one, ".input.root");
        bytes32 key = vm.parseJsonBytes32(one, ".input.key");
        bytes32[] memory path = vm.parseJsonBytes32Array(one, ".input.path");
        if (vm.contains(one, '"terminal": null')) {
            return abi.encodeCall(Harness.absence, (root, key, Terminal(true, 0, 0), path));
        }
        bytes32[] memory pair = vm.parseJsonBytes32Array(one, ".input.terminal");
        if (pair[0] == key) return abi.encodeCall(Harness.presence, (root, key, pair[1], path));
        return abi.encodeCall(Harness.absence, (root, key, Terminal(false, pair[0], pair[1]), path));
    }

    // ── quorums ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// n = 1 … 64, exactly a quorum and one less. Sets of no and of 65 members cannot be registered.
    function test_quorumSweep() external view {
        string memory json = _read("quorum/sweep");
        bytes memory entries = vm.parseJsonBytes(json, ".entries");
        bytes32 root = vm.parseJsonBytes32(json, ".root");
        string[] memory cases = _cases(json, 130);
        uint256 judged;
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 members = vm.parseJsonUint(cases[i], ".input.members");
            if (members == 0 || members > 64) continue;
            bytes32 setHash = vm.parseJsonBytes32(cases[i], ".input.set_hash");
            bytes32 digest = _code.checkpoint(
                vm.parseJsonBytes32(json, ".log_id"),
                Attested(uint64(vm.parseJsonUint(json, ".tree_size")), root, setHash, 0),
                vm.parseJsonUint(json, ".timestamp"),
                vm.parseJsonUint(json, ".set_id")
            );
            bytes[] memory signatures = vm.parseJsonBytesArray(cases[i], ".input.signatures");
            (bytes32 setKey, uint64 signers, bytes memory seals) = _seals(digest, setHash, entries, members, signatures);
            bytes memory call = abi.encodeCall(Harness.quorum, (digest, setHash, setKey, signers, seals));
            (bool success, bytes memory answer) = address(_code).staticcall(call);
            _agree(cases[i], success, answer);
            ++judged;
        }
        require(judged == 128, "cases");
    }

    /// r, s, v of members in their order become r, vs in the places of the members.
    function _seals(bytes32 digest, bytes32 setHash, bytes memory entries, uint256 count, bytes[] memory signatures)
        private
        pure
        returns (bytes32 setKey, uint64 signers, bytes memory seals)
    {
        bytes memory list = abi.encodePacked(setHash);
        uint256 next;
        for (uint256 i = 0; i < count; ++i) {
            address member;
            assembly ("memory-safe") {
                member := mload(add(add(entries, 32), mul(128, i)))
            }
            list = bytes.concat(list, bytes20(member));
            if (next < signatures.length && _signer(digest, signatures[next]) == member) {
                seals = bytes.concat(seals, _compact(signatures[next++]));
                signers |= uint64(1 << i);
            } else {
                seals = bytes.concat(seals, bytes20(member));
            }
        }
        require(next == signatures.length, "a signature of no member");
        setKey = keccak256(list);
    }

    function _parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        require(signature.length == 65, "65 bytes");
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
    }

    function _signer(bytes32 digest, bytes memory signature) private pure returns (address) {
        (bytes32 r, bytes32 s, uint8 v) = _parts(signature);
        return ecrecover(digest, v, r, s);
    }

    function _compact(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = _parts(signature);
        return abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
    }
}
