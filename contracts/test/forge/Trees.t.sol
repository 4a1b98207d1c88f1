// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HeadWord, HeadWords} from "../../src/libraries/HeadWord.sol";
import {Twins} from "../Twins.sol";
import {Base} from "./Base.sol";
import {Harness} from "./Harness.sol";
import {ReferenceTree} from "./Reference.sol";

/// Proofs in random trees, and assembly beside its plain twin.
contract TreesTest is Base {
    Harness private _code = new Harness();
    Twins private _twins = new Twins();
    ReferenceTree private _tree = new ReferenceTree();
    uint256 private constant LARGEST = 300;

    function setUp() external {
        for (uint256 i = 0; i < LARGEST; ++i) {
            _tree.append(keccak256(abi.encode(i)));
        }
    }

    function testFuzz_everyLeafIsProvenAndNothingElse(uint256 m, uint256 n, uint256 bit) external view {
        n = within(n, 1, LARGEST);
        m = within(m, 0, n - 1);
        bytes32[] memory path = _tree.inclusion(m, n);
        bytes32 leaf = _tree.leaves(m);
        bytes32 root = _tree.root(n);
        _code.inclusion(leaf, uint64(m), uint64(n), path, root);
        require(!_includes(leaf ^ bytes32(1 << bit % 256), m, n, path, root), "another leaf");
        require(!_includes(leaf, m, n, path, root ^ bytes32(1 << bit % 256)), "another root");
        if (n > 1) require(!_includes(leaf, (m + 1 + bit % (n - 1)) % n, n, path, root), "another index");
        require(!_includes(leaf, m, n, _resized(path, path.length + 1), root), "longer");
        if (path.length == 0) return;
        require(!_includes(leaf, m, n, _resized(path, path.length - 1), root), "shorter");
        path[bit % path.length] ^= bytes32(1 << bit / path.length % 256);
        require(!_includes(leaf, m, n, path, root), "another sibling");
    }

    function testFuzz_everyPrefixIsProvenAndNothingElse(uint256 m, uint256 n, uint256 bit) external view {
        n = within(n, 1, LARGEST);
        m = within(m, 1, n);
        bytes32[] memory path = _tree.consistency(m, n);
        bytes32 older = _tree.root(m);
        bytes32 newer = _tree.root(n);
        _code.consistency(m, n, path, older, newer);
        require(!_extends(m, n, path, older ^ bytes32(1 << bit % 256), newer), "another older root");
        require(!_extends(m, n, path, older, newer ^ bytes32(1 << bit % 256)), "another newer root");
        require(!_extends(m, n, _resized(path, path.length + 1), older, newer), "longer");
        require(!_extends(n + 1, n, path, older, newer) && !_extends(0, n, path, older, newer), "no prefix");
        if (path.length == 0) return;
        require(!_extends(m, n, _resized(path, path.length - 1), older, newer), "shorter");
        path[bit % path.length] ^= bytes32(1 << bit / path.length % 256);
        require(!_extends(m, n, path, older, newer), "another node");
    }

    /// §7, lemma 8: the lengths by formula are those of the recursion, whatever the hashes.
    function test_everyPathOfSmallTreesHasTheLengthOfTheRecursion() external view {
        for (uint256 n = 1; n <= 64; ++n) {
            for (uint256 m = 0; m < n; ++m) {
                _code.inclusion(_tree.leaves(m), uint64(m), uint64(n), _tree.inclusion(m, n), _tree.root(n));
                _code.consistency(m + 1, n, _tree.consistency(m + 1, n), _tree.root(m + 1), _tree.root(n));
            }
        }
    }

    function testFuzz_nodes(bytes32 left, bytes32 right) external view {
        require(_twins.node(left, right) == _twins.plainNode(left, right), "node");
    }

    function testFuzz_bits(uint64 x) external view {
        (uint256 length, uint256 count) = _twins.bits(x);
        (uint256 plainLength, uint256 plainCount) = _twins.plainBits(x);
        require(length == plainLength && count == plainCount, "bits");
    }

    function testFuzz_headWord(uint256 word, uint40 a, uint40 b, uint24 c) external pure {
        HeadWord fresh = HeadWords.registered(a, b, c);
        require(fresh.treeSize() == 1 && fresh.anchoredAt() == a && fresh.genesisTime() == b, "registered");
        require(fresh.cadence() == c && fresh.setId() == 1 && fresh.nextFromSize() == 0, "registered");
        require(fresh.pausedUntil() == 0 && !fresh.isFrozen() && !fresh.isRetired() && fresh.isRegistered(), "fresh");

        HeadWord old = HeadWord.wrap(word);
        HeadWord one = old.withHead(a, b);
        require(one.treeSize() == a && one.anchoredAt() == b, "head");
        _untouched(old, one, type(uint80).max);
        one = old.withPending(a);
        require(one.nextFromSize() == a, "pending");
        _untouched(old, one, uint256(type(uint40).max) << 160);
        one = old.withPause(a);
        require(one.pausedUntil() == a, "pause");
        _untouched(old, one, uint256(type(uint40).max) << 120);
        require(old.frozen().isFrozen() && old.frozen().isRetired() == old.isRetired(), "frozen");
        _untouched(old, old.frozen(), 1 << 248);
        require(old.retired().isRetired() && old.retired().isFrozen() == old.isFrozen(), "retired");
        _untouched(old, old.retired(), 1 << 249);
        if (old.setId() == type(uint24).max) return;
        one = old.withNextSet();
        require(one.setId() == old.setId() + 1 && one.nextFromSize() == 0, "next set");
        _untouched(old, one, uint256(type(uint40).max) << 160 | uint256(type(uint24).max) << 224);
    }

    function _untouched(HeadWord a, HeadWord b, uint256 mask) private pure {
        require((HeadWord.unwrap(a) ^ HeadWord.unwrap(b)) & ~mask == 0, "a neighbour changed");
    }

    function _includes(bytes32 leaf, uint256 m, uint256 n, bytes32[] memory path, bytes32 root)
        private
        view
        returns (bool ok)
    {
        bytes memory call = abi.encodeCall(Harness.inclusion, (leaf, uint64(m), uint64(n), path, root));
        (ok,) = address(_code).staticcall(call);
    }

    function _extends(uint256 m, uint256 n, bytes32[] memory path, bytes32 older, bytes32 newer)
        private
        view
        returns (bool ok)
    {
        (ok,) = address(_code).staticcall(abi.encodeCall(Harness.consistency, (m, n, path, older, newer)));
    }

    function _resized(bytes32[] memory path, uint256 length) private pure returns (bytes32[] memory copy) {
        copy = new bytes32[](length);
        for (uint256 i = 0; i < length && i < path.length; ++i) {
            copy[i] = path[i];
        }
    }
}
