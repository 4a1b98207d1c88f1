// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Twins} from "../Twins.sol";
import {Harness} from "./Harness.sol";
import {Members} from "./Members.sol";

/// The quorum check: every n, every length, every bit, and the plain twin beside the assembly.
contract QuorumsTest is Members {
    Twins private _twins = new Twins();
    bytes32 private constant DIGEST = keccak256("a statement");
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function _twinsOf(Set memory set, uint64 signers, bytes memory seals)
        private
        view
        returns (bool success, bytes memory answer)
    {
        bytes memory call = abi.encodeCall(Twins.quorum, (DIGEST, set.hash, set.key, signers, seals));
        bytes memory plain = abi.encodeCall(Twins.plainQuorum, (DIGEST, set.hash, set.key, signers, seals));
        bool plainSuccess;
        bytes memory plainAnswer;
        (success, answer) = address(_twins).staticcall(call);
        (plainSuccess, plainAnswer) = address(_twins).staticcall(plain);
        require(success == plainSuccess && keccak256(answer) == keccak256(plainAnswer), "the plain twin differs");
    }

    function _refused(Set memory set, uint64 signers, bytes memory seals) private view {
        (bool success,) = _twinsOf(set, signers, seals);
        require(!success, "taken");
    }

    function test_everySetTakesMoreThanTwoThirdsAndNoLess() external view {
        for (uint256 n = 1; n <= 64; ++n) {
            Set memory set = setOf(1, 1, n);
            uint256 k = quorumOf(n);
            require(k == 2 * n / 3 + 1 && k <= n && 2 * k - n >= (n - 1) / 3 + 1, "two quorums share an honest member");
            (bool success, bytes memory answer) = _twinsOf(set, firstOnes(k), sealsOf(set, DIGEST, firstOnes(k)));
            require(success, "a quorum is refused");
            (bytes memory list,) = abi.decode(answer, (bytes, bytes));
            require(keccak256(list) == set.key, "the list");
            (success, answer) = _twinsOf(set, firstOnes(k - 1), sealsOf(set, DIGEST, firstOnes(k - 1)));
            bytes memory wanted = abi.encodeWithSignature("BelowQuorum(uint256,uint256)", k, k - 1);
            require(!success && keccak256(answer) == keccak256(wanted), "one less");
        }
    }

    function test_everyChoiceOfSignersCountsItsOwn() external view {
        Set memory set = setOf(1, 1, 7);
        for (uint256 signers = 0; signers < 128; ++signers) {
            uint256 k;
            for (uint256 i = 0; i < 7; ++i) {
                k += signers >> i & 1;
            }
            (bool success,) = _twinsOf(set, uint64(signers), sealsOf(set, DIGEST, uint64(signers)));
            require(success == (k >= 5), "count");
        }
    }

    function test_sealsCutAtEveryLengthAreRefused() external view {
        Set memory set = setOf(1, 1, 4);
        bytes memory seals = sealsOf(set, DIGEST, 7);
        for (uint256 length = 0; length < seals.length; ++length) {
            _refused(set, 7, cut(seals, length));
        }
        for (uint256 more = 1; more <= 65; ++more) {
            _refused(set, 7, bytes.concat(seals, new bytes(more)));
        }
    }

    function testFuzz_everyFlippedBitIsRefused(uint256 bit, uint8 count) external view {
        Set memory set = setOf(1, 1, within(count, 1, 9));
        uint64 signers = quorumBits(set);
        _refused(set, signers, flipped(sealsOf(set, DIGEST, signers), bit));
    }

    /// Bits beyond the set, or another choice than the bytes were made for.
    function testFuzz_otherBitsAreRefused(uint64 other, uint8 count) external view {
        Set memory set = setOf(1, 1, within(count, 1, 9));
        uint64 signers = quorumBits(set);
        vm.assume(other != signers);
        _refused(set, other, sealsOf(set, DIGEST, signers));
    }

    /// The twin (order - s) of a signature has its top bit set as a rule, where v stands: it cannot even be written. What can
    /// be written above half of the order is refused before anything is recovered.
    function test_aTwinOfASignatureIsRefused() external view {
        Set memory set = setOf(1, 1, 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(set.keys[0], DIGEST);
        uint256 twin = ORDER - uint256(s);
        require(ecrecover(DIGEST, 55 - v, r, bytes32(twin)) == vm.addr(set.keys[0]), "or it is no twin");
        _refused(set, 1, abi.encodePacked(r, twin));
        _refused(set, 1, abi.encodePacked(r, twin | uint256(28 - v) << 255));
        (, bytes memory answer) = _twinsOf(set, 1, abi.encodePacked(r, ORDER / 2 + 1));
        require(bytes4(answer) == selector("SealsMalformed(uint256)"), "high s");
        (, answer) = _twinsOf(set, 1, abi.encodePacked(r, ORDER / 2));
        require(bytes4(answer) == selector("SetMismatch(bytes32,bytes32)"), "the highest s");
    }

    /// The signature of a newcomer, under the same bound.
    function testFuzz_oneSignatureIsRecoveredAsInTheList(bytes32 r, uint256 vs) external {
        Harness code = new Harness();
        (bool low, address signer) = code.recover(DIGEST, abi.encodePacked(r, vs));
        uint256 s = vs % 2 ** 255;
        require(low == (s <= ORDER / 2), "low");
        require(signer == (low ? ecrecover(DIGEST, vs >> 255 == 0 ? 27 : 28, r, bytes32(s)) : address(0)), "signer");
    }

    function test_theHighestSOfANewcomer() external {
        Harness code = new Harness();
        bytes32 r = bytes32(uint256(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)); // of the generator
        (bool low, address signer) = code.recover(DIGEST, abi.encodePacked(r, ORDER / 2));
        require(low && signer != address(0), "the highest");
        (low, signer) = code.recover(DIGEST, abi.encodePacked(r, ORDER / 2 + 1));
        require(!low && signer == address(0), "the next");
        require(ecrecover(DIGEST, 27, r, bytes32(ORDER / 2 + 1)) != address(0), "or it were no check");
    }

    function test_duplicatedAndReorderedSignaturesMakeAnotherList() external view {
        Set memory set = setOf(1, 1, 4);
        bytes[4] memory seal;
        for (uint256 i = 0; i < 4; ++i) {
            seal[i] = compact(set.keys[i], DIGEST);
        }
        bytes memory last = abi.encodePacked(vm.addr(set.keys[3]));
        _refused(set, 7, bytes.concat(seal[0], seal[0], seal[1], last));
        _refused(set, 7, bytes.concat(seal[0], seal[0], seal[0], last));
        _refused(set, 7, bytes.concat(seal[1], seal[0], seal[2], last));
        _refused(set, 15, bytes.concat(seal[0], seal[1], seal[2], seal[2]));
        _refused(set, 31, bytes.concat(seal[0], seal[1], seal[2], seal[3], seal[3]));
        _refused(set, 7, bytes.concat(seal[0], seal[1], seal[3], abi.encodePacked(vm.addr(set.keys[2]))));
    }

    /// A set whose first address is zero cannot be registered; with it a failed recovery would count.
    function test_aFailedRecoveryIsNobody() external view {
        Set memory set = setOf(1, 1, 1);
        bytes memory nobody = abi.encodePacked(uint256(5), uint256(1));
        require(ecrecover(DIGEST, 27, bytes32(uint256(5)), bytes32(uint256(1))) == address(0), "recovers");
        _refused(set, 1, nobody);
        bytes memory call = abi.encodeCall(
            Twins.quorum, (DIGEST, set.hash, keccak256(abi.encodePacked(set.hash, address(0))), 1, nobody)
        );
        (bool success,) = address(_twins).staticcall(call);
        require(success, "only because of the list");
    }
}
