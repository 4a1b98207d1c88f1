// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AnchorRegistry} from "../../src/AnchorRegistry.sol";
import {HeadWord} from "../../src/libraries/HeadWord.sol";
import {Attested, Brake, Head, Quorum, State} from "../../src/Types.sol";
import {IAnchorRegistry} from "../../src/interfaces/IAnchorRegistry.sol";

/// The cheatcodes of halmos that these lemmas use.
interface Svm {
    function createBytes32(string calldata name) external pure returns (bytes32);
    function createUint256(string calldata name) external pure returns (uint256);
    function enableSymbolicStorage(address) external;
}

interface Vm {
    function assume(bool) external pure;
    function load(address, bytes32) external view returns (bytes32);
    function etch(address, bytes calldata) external;
    function warp(uint256) external;
}

/// Lemmas for halmos: CONTRACT §7, symbolic 4 to 7, for any state of any two logs, any clock and caller. Hashes and signers are
/// uninterpreted, so also: whatever anybody signed. Sets have one member, and an anchor one hash of a path or none.
contract RegistryLemmas {
    Svm private constant svm = Svm(0xF3993A62377BCd56AE39D773740A5390411E8BC9);
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    IAnchorRegistry private constant REGISTRY = IAnchorRegistry(address(0xA2C402));

    bool private _isAnchor;

    /// Everything that is stored of one log.
    struct Words {
        Head head;
        bytes32 key;
        Brake brake;
        bytes32 successor;
    }

    function setUp() external {
        vm.etch(address(REGISTRY), type(AnchorRegistry).runtimeCode); // its constructor wants real precompiles
        svm.enableSymbolicStorage(address(REGISTRY));
    }

    function check_pauseByGuardian(bytes32 logId, uint64 until, bytes32 reason) external {
        _requireLawful(logId, abi.encodeCall(IAnchorRegistry.pauseByGuardian, (logId, until, reason)));
    }

    function check_pause(bytes32 logId, uint64 until, bytes32 reason, bytes32 setHash, uint64 signers) external {
        Quorum memory q = Quorum(setHash, signers, _seals());
        _requireLawful(logId, abi.encodeCall(IAnchorRegistry.pause, (logId, until, reason, q)));
    }

    function check_resume(bytes32 logId, bytes32 reason, bytes32 setHash, uint64 signers) external {
        Quorum memory q = Quorum(setHash, signers, _seals());
        _requireLawful(logId, abi.encodeCall(IAnchorRegistry.resume, (logId, reason, q)));
    }

    function check_reportEquivocation(bytes32 logId, Attested memory a, Attested memory b) external {
        bytes memory call = abi.encodeCall(IAnchorRegistry.reportEquivocation, (logId, a, _seals(), b, _seals()));
        _requireLawful(logId, call);
    }

    /// From a head to the next size: the path has one hash or none, as sizes will.
    function check_anchor(bytes32 logId, uint64 from, Attested memory to, bytes32 sibling, bool isEmpty) external {
        bytes32[] memory path = new bytes32[](isEmpty ? 0 : 1);
        if (!isEmpty) path[0] = sibling;
        bytes memory seals = _seals();
        bytes memory call = abi.encodeCall(IAnchorRegistry.anchor, (logId, from, to, path, seals));
        _isAnchor = true;
        _requireLawful(logId, call);
    }

    /// One member, who signs or not: 64 bytes.
    function _seals() private pure returns (bytes memory) {
        return bytes.concat(svm.createBytes32("r"), svm.createBytes32("vs"));
    }

    /// `concerned` is the log of the call; `logId` any log, the same one or another.
    function _requireLawful(bytes32 concerned, bytes memory data) private {
        uint256 time = svm.createUint256("time");
        vm.assume(time < 2 ** 40);
        vm.warp(time);
        _assumeRegistered(concerned);
        bytes32 logId = svm.createBytes32("any log");
        Words memory old = _words(logId);
        (bool success,) = address(REGISTRY).call(data);
        if (!success) return; // nothing is left of it
        Words memory later = _words(logId);

        State state = later.head.state;
        if (old.head.state == State.Frozen) assert(state == State.Frozen); // 4
        if (old.head.state == State.Retired) assert(state == State.Retired || state == State.Frozen);
        assert(later.head.treeSize >= old.head.treeSize); // 5
        if (!_isAnchor) assert(later.head.rootHash == old.head.rootHash); // 6
        if (concerned != logId) assert(_isSame(old, later)); // 7
    }

    /// What `register` lets in (CONTRACT §3.3): no cadence and no time of genesis is 0. Without it sizes had no bound.
    function _assumeRegistered(bytes32 logId) private view {
        HeadWord meta = HeadWord.wrap(uint256(vm.load(address(REGISTRY), keccak256(abi.encode(logId, 0)))));
        vm.assume(meta.cadence() != 0 && meta.genesisTime() != 0);
    }

    function _isSame(Words memory a, Words memory b) private pure returns (bool) {
        return a.key == b.key && a.successor == b.successor && a.brake.nonce == b.brake.nonce
            && a.brake.guardian == b.brake.guardian && a.brake.pauseMax == b.brake.pauseMax
            && a.head.treeSize == b.head.treeSize && a.head.rootHash == b.head.rootHash
            && a.head.anchoredAt == b.head.anchoredAt && a.head.validatorSetId == b.head.validatorSetId
            && a.head.nextFromSize == b.head.nextFromSize && a.head.pausedUntil == b.head.pausedUntil
            && a.head.state == b.head.state;
    }

    function _words(bytes32 logId) private view returns (Words memory) {
        return Words(REGISTRY.head(logId), REGISTRY.setKey(logId), REGISTRY.brake(logId), REGISTRY.successor(logId));
    }
}
