// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested, Quorum} from "../../src/Types.sol";
import {IAnchorRegistry} from "../../src/interfaces/IAnchorRegistry.sol";
import {Vm} from "./Base.sol";
import {Members} from "./Members.sol";
import {ReferenceTree} from "./Reference.sol";

/// Two logs on one registry, and what must be true of them after every call, whoever made it and however it ended. The words
/// are read from storage by the offsets of CONTRACT §2, not through src.
abstract contract World is Members {
    struct Ghost {
        bytes32 id;
        ReferenceTree tree;
        uint256[] sizes; // of all heads, in order
        uint256 setId;
        uint256 firstKey;
        uint256 keys;
        uint256 nextFrom; // 0: nothing pending
        uint256 nextFirstKey;
        uint256 nextKeys;
        uint256 nonce;
        bool frozen;
        bool retired;
        uint256 guardianFrom; // of the guardian's pause that runs or was the last
        uint256 guardianTo;
        uint256 guardianSeconds; // of those before
    }

    uint256 internal constant GENESIS_TIME = 1_800_000_000;
    uint256 internal constant CADENCE = 600;
    uint256 internal constant PAUSE_MAX = 1 days;
    address internal constant GUARDIAN = address(0x6A5D1A);
    uint256 internal immutable STARTED;
    IAnchorRegistry public immutable registry = IAnchorRegistry(committed("AnchorRegistry"));
    Ghost[2] internal _logs;
    bytes32 private constant ANCHORED = keccak256("Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)");
    string private constant ORIGIN = "example.org/receivables";

    constructor() {
        STARTED = GENESIS_TIME + 50 * CADENCE;
        vm.warp(STARTED);
        for (uint256 x = 0; x < 2; ++x) {
            Ghost storage log = _logs[x];
            (log.setId, log.firstKey, log.keys) = (1, 1 + 3 * x, 4 - x);
            log.id = registered(setOf(1, log.firstKey, log.keys), bytes32(x), [bytes32(0), 0, 0]);
            log.tree = new ReferenceTree();
            log.tree.append(log.id);
            log.sizes.push(1);
        }
    }

    function registered(Set memory set, bytes32 policy, bytes32[3] memory predecessor) internal returns (bytes32) {
        return registry.register(genesisOf(set, policy, predecessor), ORIGIN, set.entries);
    }

    function genesisOf(Set memory set, bytes32 policy, bytes32[3] memory predecessor)
        internal
        pure
        returns (bytes memory)
    {
        bytes32[26] memory words;
        words[0] = sha256(
            "HybridBridge.Genesis.v1(bytes32 originHash,uint64 specVersion,uint64 genesisTime,uint64 cadence,uint64 grace,uint64 promiseDelay,uint64 batchLadder,uint64 registryLadder,uint64 registrySuite,bytes32 vrfPublicKey,bytes32 registryRoot,bytes32 labelTableHash,bytes32 setHash,bytes32 decoyKeyHash,bytes32 logKey,bytes32 receiptKey,bytes32 logMldsaKeyHash,address guardian,uint64 pauseMax,bytes32 ledgerId,uint64 firstBlock,bytes32 policyHash,bytes32 predecessor,uint64 predecessorSize,bytes32 predecessorRoot)"
        );
        words[1] = sha256(bytes(ORIGIN));
        (words[2], words[3], words[4]) = (bytes32(uint256(1)), bytes32(GENESIS_TIME), bytes32(CADENCE));
        words[13] = set.hash;
        words[18] = bytes32(uint256(uint160(GUARDIAN)));
        words[19] = bytes32(PAUSE_MAX);
        words[22] = policy;
        (words[23], words[24], words[25]) = (predecessor[0], predecessor[1], predecessor[2]);
        return abi.encode(words);
    }

    // ── who, what, when ──────────────────────────────────────────────────────────────────────────────────────────────

    function headOf(uint256 x) internal view returns (uint256) {
        return _logs[x].sizes[_logs[x].sizes.length - 1];
    }

    function boundaryOf(uint256 size) internal pure returns (uint256) {
        return GENESIS_TIME + (size - 1) * CADENCE;
    }

    function currentSet(uint256 x) internal view returns (Set memory) {
        return setOf(_logs[x].setId, _logs[x].firstKey, _logs[x].keys);
    }

    function nextSet(uint256 x) internal view returns (Set memory) {
        return setOf(_logs[x].setId + 1, _logs[x].nextFirstKey, _logs[x].nextKeys);
    }

    function setFor(uint256 x, uint256 size) internal view returns (Set memory) {
        uint256 from = _logs[x].nextFrom;
        return from != 0 && size >= from ? nextSet(x) : currentSet(x);
    }

    /// Of brake and end: the pending set's, once its boundary is past.
    function powerSet(uint256 x) internal view returns (Set memory) {
        uint256 from = _logs[x].nextFrom;
        return from != 0 && block.timestamp >= boundaryOf(from) ? nextSet(x) : currentSet(x);
    }

    function grownTo(uint256 x, uint256 size) internal {
        ReferenceTree tree = _logs[x].tree;
        for (uint256 epoch = tree.size(); epoch < size; ++epoch) {
            tree.append(keccak256(abi.encode(x, epoch)));
        }
    }

    function powerQuorum(uint256 x, bytes memory words, uint64 signers) internal view returns (Quorum memory) {
        Set memory set = powerSet(x);
        bytes32 digest = powerOf(address(registry), _logs[x].id, words);
        return Quorum(set.hash, signers, sealsOf(set, digest, signers));
    }

    function attested(uint256 x, uint256 size, bytes32 root, Set memory set, uint64 signers)
        internal
        view
        returns (Attested memory to, bytes memory seals)
    {
        to = Attested(uint64(size), root, set.hash, signers);
        seals = sealsOf(set, checkpointOf(_logs[x].id, size, root, boundaryOf(size), set), signers);
    }

    function isOpen(uint256 x) internal view returns (bool) {
        return !_logs[x].frozen && !_logs[x].retired;
    }

    // ── what no call may do ──────────────────────────────────────────────────────────────────────────────────────────

    function wordsOf(uint256 x) internal view returns (uint256[6] memory words) {
        uint256 slot = uint256(keccak256(abi.encode(_logs[x].id, uint256(0))));
        for (uint256 i = 0; i < 6; ++i) {
            words[i] = uint256(vm.load(address(registry), bytes32(slot + i)));
        }
    }

    /// One call that concerns log x, by `caller`.
    function called(uint256 x, address caller, bytes memory data) internal returns (bool success, bytes memory answer) {
        uint256[6] memory before = wordsOf(x);
        uint256[6] memory other = wordsOf(1 - x);
        vm.recordLogs();
        vm.prank(caller);
        (success, answer) = address(registry).call(data);
        _requireSame(other, wordsOf(1 - x), "9: a word of another log changed");
        if (!success) _requireSame(before, wordsOf(x), "a refused call changed a word");
        _requireLawful(x, before, wordsOf(x), vm.getRecordedLogs());
        require(address(registry).balance == 0, "15: ether");
    }

    function _requireSame(uint256[6] memory a, uint256[6] memory b, string memory what) private pure {
        require(keccak256(abi.encode(a)) == keccak256(abi.encode(b)), what);
    }

    function _requireLawful(uint256 x, uint256[6] memory a, uint256[6] memory b, Vm.Log[] memory events) private view {
        bool moved = a[1] != b[1];
        require(part(b[0], 0, 40) >= part(a[0], 0, 40), "1: the size fell");
        require(moved == (part(b[0], 0, 40) > part(a[0], 0, 40)), "1: root without size, or size without root");
        require(part(a[0], 248, 8) & ~part(b[0], 248, 8) == 0, "6: a flag was cleared");
        require(!moved || part(a[0], 248, 8) == 0, "6: the head of an ended log moved");
        require(!moved || block.timestamp >= part(a[0], 120, 40), "7: the head of a paused log moved");
        bool paused = part(a[0], 120, 40) != part(b[0], 120, 40);
        require(!paused || part(b[0], 120, 40) <= block.timestamp + PAUSE_MAX, "7: too long a pause");
        require(part(b[3], 224, 32) == part(a[3], 224, 32) + (paused ? 1 : 0), "17: the nonce");
        uint256 from = part(a[0], 160, 40);
        bool handover = moved && from != 0 && part(b[0], 0, 40) >= from;
        require(part(b[0], 224, 24) == part(a[0], 224, 24) + (handover ? 1 : 0), "5: the set id");
        require((a[2] != b[2]) == (handover && a[2] != a[4]) && (!handover || b[2] == a[4]), "5: the set");
        require(a[0] != 0 && a[1] != 0 && a[2] != 0 && a[3] != 0, "14: a new slot");
        require(a[5] == b[5] || part(b[0], 249, 1) == 1, "6: a successor of a log that has not ended");
        _requireAnnounced(x, b, moved, events);
    }

    /// An `Anchored` event of this log, if and only if its head moved, with what is stored now.
    function _requireAnnounced(uint256 x, uint256[6] memory b, bool moved, Vm.Log[] memory events) private view {
        uint256 anchored;
        for (uint256 i = 0; i < events.length; ++i) {
            if (events[i].topics[0] != ANCHORED) continue;
            ++anchored;
            require(
                events[i].topics[1] == _logs[x].id && uint256(events[i].topics[2]) == part(b[0], 0, 40), "10: which"
            );
            (bytes32 root, uint256 time, uint256 setId, uint256 signers) =
                abi.decode(events[i].data, (bytes32, uint256, uint256, uint256));
            require(uint256(root) == b[1] && time == boundaryOf(part(b[0], 0, 40)), "10: what");
            require(setId == part(b[0], 224, 24), "10: by which set");
            uint256 signed;
            for (; signers != 0; signers >>= 1) {
                signed += signers & 1;
            }
            require(signed >= quorumOf(setFor(x, part(b[0], 0, 40)).keys.length), "4: no quorum");
        }
        require(anchored == (moved ? 1 : 0), "10: how many");
    }

    function part(uint256 word, uint256 from, uint256 bits) internal pure returns (uint256) {
        return word >> from & ((1 << bits) - 1);
    }
}
