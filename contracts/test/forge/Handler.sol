// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested, Quorum} from "../../src/Types.sol";
import {IAnchorRegistry} from "../../src/interfaces/IAnchorRegistry.sol";
import {World} from "./World.sol";

/// The actors. Honest calls must succeed exactly when the page says so; everybody else's must not.
contract Handler is World {
    bytes32 private constant WHY = keccak256("why");
    address private constant ANYBODY = address(0xA11);
    bytes private _lastAnchor; // the last calldata that went through
    bytes[2] private _lastPower; // of pause or resume, per log

    // ── honest ───────────────────────────────────────────────────────────────────────────────────────────────────────

    function passTime(uint256 seed) external {
        vm.warp(block.timestamp + within(seed, 1, 30 hours));
    }

    function anchor(uint256 who, uint256 ahead) external {
        uint256 x = who % 2;
        uint256 size = headOf(x) + within(ahead, 1, 6);
        (bool success,) = _anchored(x, headOf(x), size);
        require(success == (isOpen(x) && !_isPaused(x)), "an honest anchor");
        if (!success) return;
        _headMoved(x, size);
        uint256[6] memory before = wordsOf(x);
        (, bytes memory answer) = called(x, ANYBODY, _lastAnchor);
        require(!abi.decode(answer, (bool)), "11: the head again");
        require(keccak256(abi.encode(before)) == keccak256(abi.encode(wordsOf(x))), "11: changed a word");
    }

    function register(uint256 who) external {
        uint256 x = who % 2;
        Set memory first = setOf(1, 1 + 3 * x, 4 - x);
        bytes memory genesis = genesisOf(first, bytes32(x), [bytes32(0), 0, 0]);
        (bool success, bytes memory answer) = called(
            x, ANYBODY, abi.encodeCall(IAnchorRegistry.register, (genesis, "example.org/receivables", first.entries))
        );
        require(success && abi.decode(answer, (bytes32)) == _logs[x].id, "registering again");
    }

    function rotate(uint256 who, uint256 ahead, uint256 first, uint256 count, bool enough) external {
        uint256 x = who % 2;
        Ghost storage log = _logs[x];
        uint256 from = headOf(x) + within(ahead, 1, 8);
        (first, count) = (within(first, 1, 8), within(count, 1, 5));
        (bool success,) = called(x, ANYBODY, _rotation(x, from, setOf(log.setId + 1, first, count), enough));
        require(success == (isOpen(x) && enough && log.nextFrom == 0), "a rotation");
        if (success) (log.nextFrom, log.nextFirstKey, log.nextKeys) = (from, first, count);
    }

    function _rotation(uint256 x, uint256 from, Set memory fresh, bool enough) private view returns (bytes memory) {
        bytes32 typeHash =
            keccak256("ValidatorSetUpdate(bytes32 logId,uint64 setId,bytes32 newSetHash,uint64 effectiveFromSize)");
        bytes memory words = abi.encode(typeHash, _logs[x].id, fresh.id, fresh.hash, from);
        bytes32 digest = powerOf(address(registry), _logs[x].id, words);
        Set memory set = currentSet(x);
        uint64 signers = enough ? quorumBits(set) : firstOnes(quorumOf(set.keys.length) - 1);
        Quorum memory q = Quorum(set.hash, signers, sealsOf(set, digest, signers));
        bytes memory newcomers = _possession(set, fresh, digest);
        return
            abi.encodeCall(IAnchorRegistry.rotateValidators, (_logs[x].id, uint64(from), q, fresh.entries, newcomers));
    }

    function pause(uint256 who, uint256 length, bool enough) external {
        uint256 x = who % 2;
        uint64 until = uint64(block.timestamp + within(length, 0, PAUSE_MAX + 2));
        bytes32 typeHash = keccak256("Pause(bytes32 logId,uint64 nonce,uint64 until,bytes32 reasonHash)");
        Quorum memory q =
            powerQuorum(x, abi.encode(typeHash, _logs[x].id, _logs[x].nonce, until, WHY), _bits(x, enough));
        bytes memory call = abi.encodeCall(IAnchorRegistry.pause, (_logs[x].id, until, WHY, q));
        (bool success,) = called(x, ANYBODY, call);
        require(success == (isOpen(x) && enough && _isPause(until)), "a pause");
        if (success) _braked(x, call);
    }

    function pauseByGuardian(uint256 who, uint256 length, bool guardian) external {
        uint256 x = who % 2;
        uint256 last = part(wordsOf(x)[0], 120, 40);
        uint64 until = uint64(block.timestamp + within(length, 0, PAUSE_MAX + 2));
        bytes memory call = abi.encodeCall(IAnchorRegistry.pauseByGuardian, (_logs[x].id, until, WHY));
        (bool success,) = called(x, guardian ? GUARDIAN : ANYBODY, call);
        bool isDue = block.timestamp >= last + PAUSE_MAX;
        require(success == (isOpen(x) && guardian && isDue && _isPause(until)), "a guardian's pause");
        if (!success) return;
        _braked(x, "");
        (_logs[x].guardianFrom, _logs[x].guardianTo) = (block.timestamp, until);
    }

    function resume(uint256 who, bool enough) external {
        uint256 x = who % 2;
        bytes32 typeHash = keccak256("Resume(bytes32 logId,uint64 nonce,bytes32 reasonHash)");
        Quorum memory q = powerQuorum(x, abi.encode(typeHash, _logs[x].id, _logs[x].nonce, WHY), _bits(x, enough));
        bytes memory call = abi.encodeCall(IAnchorRegistry.resume, (_logs[x].id, WHY, q));
        bool paused = _isPaused(x);
        (bool success,) = called(x, ANYBODY, call);
        require(success == (isOpen(x) && enough && paused), "a resumption");
        if (success) _braked(x, call);
    }

    /// Rarely: an ended log is of little use to the others.
    function retire(uint256 who, uint256 luck, bool enough) external {
        uint256 x = who % 2;
        if (luck % 6 != 0) return;
        bytes32[3] memory words = [_logs[x].id, bytes32(headOf(x)), bytes32(wordsOf(x)[1])];
        Set memory set = setOf(1, 9, 1);
        bytes32 next = registered(set, "next", words);
        bytes32 typeHash = keccak256("Retire(bytes32 logId,bytes32 successor,uint64 treeSize,bytes32 rootHash)");
        Quorum memory q = powerQuorum(x, abi.encode(typeHash, words[0], next, words[1], words[2]), _bits(x, enough));
        bytes memory call = abi.encodeCall(IAnchorRegistry.retire, (_logs[x].id, genesisOf(set, "next", words), q));
        (bool success,) = called(x, ANYBODY, call);
        require(success == (isOpen(x) && enough), "a retirement");
        if (success) _logs[x].retired = true;
    }

    // ── everybody else ───────────────────────────────────────────────────────────────────────────────────────────────

    /// Two relayers, one head: the second is too late, whatever it brings.
    function race(uint256 who, uint256 a, uint256 b) external {
        uint256 x = who % 2;
        uint256 from = headOf(x);
        (uint256 first, uint256 second) = (from + within(a, 1, 6), from + within(b, 1, 6));
        (bool success,) = _anchored(x, from, first);
        if (!success) return;
        _headMoved(x, first);
        (bool late, bytes memory answer) = _anchored(x, from, second);
        if (first == second) require(late && !abi.decode(answer, (bool)), "the same again");
        else require(!late && bytes4(answer) == selector("StaleHead(uint256,uint256)"), "too late");
    }

    function stale(uint256 who, uint256 which, uint256 ahead) external {
        uint256 x = who % 2;
        if (_logs[x].sizes.length < 2) return;
        uint256 from = _logs[x].sizes[which % (_logs[x].sizes.length - 1)];
        (bool success,) = _anchored(x, from, headOf(x) + within(ahead, 1, 6));
        require(!success, "from an old head");
        if (from == 1) return;
        (success,) = _anchored(x, 1, from);
        require(!success, "an old head");
    }

    /// One thing is wrong with an otherwise good anchor.
    function forge(uint256 who, uint256 kind, uint256 seed) external {
        uint256 x = who % 2;
        uint256 from = headOf(x);
        uint256 size = from + within(seed, 1, 6);
        _waitedFor(x, size);
        Set memory set = setFor(x, size);
        uint64 signers = quorumBits(set);
        bytes32[] memory path = _logs[x].tree.consistency(from, size);
        bytes32 root = _logs[x].tree.root(size);
        kind %= 6;
        if (kind == 0) signers = firstOnes(quorumOf(set.keys.length) - 1);
        if (kind == 1) root ^= bytes32(1 << seed % 256);
        if (kind == 2) path[seed % path.length] ^= bytes32(1 << seed % 256);
        if (kind == 3) set = setOf(set.id, 100, set.keys.length);
        if (kind == 4) ++set.id;
        (Attested memory to, bytes memory seals) = attested(x, size, root, set, signers);
        if (kind == 5) seals = flipped(seals, seed);
        bytes memory call = abi.encodeCall(IAnchorRegistry.anchor, (_logs[x].id, uint64(from), to, path, seals));
        (bool success,) = called(x, ANYBODY, call);
        require(!success, "forged");
    }

    /// What was signed once is of no use twice.
    function replay(uint256 who) external {
        uint256 x = who % 2;
        if (_lastPower[x].length == 0) return;
        (bool success,) = called(x, ANYBODY, _lastPower[x]);
        require(!success, "17: a power signature used twice");
    }

    /// Members contradict themselves. Fewer than a quorum are named; only a quorum, which is rare, ends the log.
    function contradict(uint256 who, uint256 luck, uint256 seed) external {
        uint256 x = who % 2;
        uint256 size = within(seed, 2, headOf(x) + 4);
        Set memory set = setFor(x, size);
        bool enough = luck % 8 == 0;
        uint64 signers = enough ? quorumBits(set) : firstOnes(quorumOf(set.keys.length) - 1);
        (Attested memory a, bytes memory sealsA) = attested(x, size, keccak256("one"), set, signers);
        (Attested memory b, bytes memory sealsB) = attested(x, size, keccak256("two"), set, quorumBits(set));
        bytes memory call = abi.encodeCall(IAnchorRegistry.reportEquivocation, (_logs[x].id, a, sealsA, b, sealsB));
        (bool success,) = called(x, ANYBODY, call);
        require(success == (signers != 0), "a contradiction");
        if (success && enough) _logs[x].frozen = true;
    }

    // ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────

    function _anchored(uint256 x, uint256 from, uint256 size) private returns (bool success, bytes memory answer) {
        _waitedFor(x, size);
        Set memory set = setFor(x, size);
        (Attested memory to, bytes memory seals) = attested(x, size, _logs[x].tree.root(size), set, quorumBits(set));
        bytes32[] memory path = _logs[x].tree.consistency(from, size);
        bytes memory call = abi.encodeCall(IAnchorRegistry.anchor, (_logs[x].id, uint64(from), to, path, seals));
        (success, answer) = called(x, ANYBODY, call);
        if (success) _lastAnchor = call;
    }

    function _waitedFor(uint256 x, uint256 size) private {
        grownTo(x, size);
        if (block.timestamp < boundaryOf(size)) vm.warp(boundaryOf(size));
    }

    function _headMoved(uint256 x, uint256 size) private {
        Ghost storage log = _logs[x];
        log.sizes.push(size);
        if (log.nextFrom == 0 || size < log.nextFrom) return;
        (log.setId, log.firstKey, log.keys, log.nextFrom) = (log.setId + 1, log.nextFirstKey, log.nextKeys, 0);
    }

    /// A pause or a resumption went through: the guardian's own pause, if one runs, ends here.
    function _braked(uint256 x, bytes memory call) private {
        Ghost storage log = _logs[x];
        ++log.nonce;
        _lastPower[x] = call;
        uint256 end = block.timestamp < log.guardianTo ? block.timestamp : log.guardianTo;
        log.guardianSeconds += end - log.guardianFrom;
        (log.guardianFrom, log.guardianTo) = (0, 0);
    }

    function _bits(uint256 x, bool enough) private view returns (uint64) {
        Set memory set = powerSet(x);
        return enough ? quorumBits(set) : firstOnes(quorumOf(set.keys.length) - 1);
    }

    function _isPaused(uint256 x) private view returns (bool) {
        return block.timestamp < part(wordsOf(x)[0], 120, 40);
    }

    function _isPause(uint256 until) private view returns (bool) {
        return until > block.timestamp && until <= block.timestamp + PAUSE_MAX;
    }

    function _possession(Set memory old, Set memory fresh, bytes32 digest) private pure returns (bytes memory signed) {
        for (uint256 i = 0; i < fresh.keys.length; ++i) {
            bool known = false;
            for (uint256 k = 0; k < old.keys.length; ++k) {
                known = known || old.keys[k] == fresh.keys[i];
            }
            if (!known) signed = bytes.concat(signed, compact(fresh.keys[i], digest));
        }
    }

    // ── what holds between calls ─────────────────────────────────────────────────────────────────────────────────────

    function requireHeads() external view {
        for (uint256 x = 0; x < 2; ++x) {
            uint256[6] memory words = wordsOf(x);
            require(part(words[0], 0, 40) == headOf(x), "10: a head that nobody set");
            require(words[1] == uint256(_logs[x].tree.root(headOf(x))), "2: no extension of all earlier heads");
            require(headOf(x) > 1 || words[1] == uint256(_logs[x].id), "3: size 1 is the log id");
            require(boundaryOf(headOf(x)) <= block.timestamp, "12: a head of the future");
            require(part(words[0], 40, 40) <= block.timestamp, "12: anchored in the future");
        }
    }

    function requireSetsAndFlags() external view {
        for (uint256 x = 0; x < 2; ++x) {
            uint256[6] memory words = wordsOf(x);
            require(words[2] == uint256(currentSet(x).key), "16: the set");
            require(part(words[0], 224, 24) == _logs[x].setId, "5: the set id");
            require(part(words[0], 160, 40) == _logs[x].nextFrom, "5: the pending set");
            require(_logs[x].nextFrom == 0 || words[4] == uint256(nextSet(x).key), "16: the pending set");
            require((part(words[0], 248, 1) == 1) == _logs[x].frozen, "6, 18: frozen");
            require((part(words[0], 249, 1) == 1) == _logs[x].retired, "6: retired");
            require(part(words[3], 224, 32) == _logs[x].nonce, "17: the nonce");
            require((words[5] != 0) == _logs[x].retired, "14: a successor");
        }
    }

    function requireHistory() external view {
        for (uint256 x = 0; x < 2; ++x) {
            uint256 count = _logs[x].sizes.length;
            for (uint256 i = count > 3 ? count - 3 : 0; i < count; ++i) {
                uint256 size = _logs[x].sizes[i];
                bytes32[] memory path = _logs[x].tree.consistency(size, headOf(x));
                bytes32 root = _logs[x].tree.root(size);
                registry.verifyHistorical(_logs[x].id, uint64(size), root, path);
                try registry.verifyHistorical(_logs[x].id, uint64(size), root ^ bytes32(1 << i % 256), path) {
                    revert("13: an altered head is historical");
                } catch {}
            }
        }
    }

    function requireGuardian() external view {
        for (uint256 x = 0; x < 2; ++x) {
            Ghost storage log = _logs[x];
            uint256 end = block.timestamp < log.guardianTo ? block.timestamp : log.guardianTo;
            uint256 paused = log.guardianSeconds + end - log.guardianFrom;
            require(2 * paused <= block.timestamp - STARTED + PAUSE_MAX, "8: more than half of the time");
        }
    }
}
