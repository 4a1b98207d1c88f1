// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchLength,
    HeadConflict,
    LogFrozen,
    LogPaused,
    LogRetired,
    NotGuardian,
    NotPaused,
    PauseTooSoon,
    RootMismatch,
    RotationPending,
    SetMismatch,
    StaleHead,
    TimestampAhead,
    UnknownLog
} from "./Errors.sol";
import {Attested, Brake, Head, Log, Quorum, State, Update} from "./Types.sol";
import {IAnchorRegistry} from "./interfaces/IAnchorRegistry.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Genesis, GenesisRecord} from "./libraries/Genesis.sol";
import {HeadWord, HeadWords} from "./libraries/HeadWord.sol";
import {Precompiles} from "./libraries/Precompiles.sol";
import {Seals} from "./libraries/Seals.sol";
import {Tree} from "./libraries/Tree.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {ValidatorSets} from "./libraries/ValidatorSets.sol";

/// Everything that callers must know stands in the interface.
contract AnchorRegistry is IAnchorRegistry {
    uint256 private constant MAX_BATCH = 256; // one bit each in the answer
    mapping(bytes32 logId => Log log) private _logs;

    constructor() {
        Precompiles.requireEcrecover();
        Precompiles.requireSha256();
    }

    function anchor(bytes32 logId, uint64 fromSize, Attested calldata to, bytes32[] calldata path, bytes calldata seals)
        external
        returns (bool advanced)
    {
        Log storage log = _logs[logId];
        HeadWord meta = log.meta;
        bytes32 root = log.root;
        uint40 size = meta.treeSize();
        uint40 time = _now();

        if (to.treeSize == size && to.rootHash == root && meta.isRegistered()) return false; // (1)
        _requireOpen(logId, log, meta); // (2)
        if (time < meta.pausedUntil()) revert LogPaused(meta.pausedUntil());
        if (to.treeSize == size) revert HeadConflict(size, root, to.rootHash); // (3)
        if (fromSize != size || to.treeSize < size) revert StaleHead(size, fromSize); // (4)
        uint256 timestamp = meta.timestampOf(to.treeSize);
        if (timestamp > time) revert TimestampAhead(timestamp, time); // (5) so to.treeSize <= time < 2^40
        Tree.verifyConsistency(fromSize, to.treeSize, path, root, to.rootHash); // (6)
        bool isHandover = meta.isHandover(to.treeSize); // (7)
        if (isHandover) meta = meta.withNextSet();
        bytes32 key = isHandover ? log.nextKey : log.setKey;
        bytes32 digest = TypedData.checkpoint(logId, to, timestamp, meta.setId());
        Seals.requireQuorum(digest, to.setHash, key, to.signers, seals); // (8)

        log.meta = meta.withHead(uint40(to.treeSize), time);
        log.root = to.rootHash;
        if (isHandover) log.setKey = key;
        emit Anchored(logId, to.treeSize, to.rootHash, uint64(timestamp), meta.setId(), to.signers);
        return true;
    }

    function anchorBatch(Update[] calldata updates) external returns (uint256 advanced) {
        if (updates.length > MAX_BATCH) revert BatchLength(MAX_BATCH, updates.length);
        for (uint256 i = 0; i < updates.length; ++i) {
            Update calldata u = updates[i];
            try this.anchor(u.logId, u.fromSize, u.to, u.path, u.seals) returns (bool moved) {
                if (moved) advanced |= 1 << i;
            } catch (bytes memory reason) {
                emit AnchorRefused(u.logId, u.to.treeSize, bytes4(reason)); // its selector
            }
        }
    }

    function register(bytes calldata genesis, string calldata origin, bytes calldata entries)
        external
        returns (bytes32 logId)
    {
        GenesisRecord.requireLength(genesis);
        logId = Tree.leaf(genesis);
        Log storage log = _logs[logId];
        if (log.meta.isRegistered()) return logId; // a race of two is harmless
        Genesis memory words = GenesisRecord.read(genesis);
        bytes32 originHash = sha256(bytes(origin));
        if (originHash != words.originHash) revert RootMismatch(words.originHash, originHash);
        (bytes32 setHash, bytes memory list) = ValidatorSets.read(1, entries);
        if (setHash != words.setHash) revert SetMismatch(words.setHash, setHash);

        log.meta = HeadWords.registered(_now(), words.genesisTime, words.cadence);
        log.root = logId;
        log.setKey = keccak256(list);
        log.brake = Brake({guardian: words.guardian, pauseMax: words.pauseMax, grace: words.grace, nonce: 0});
        emit Registered(logId, origin, genesis);
        emit ValidatorSet(logId, 1, setHash, 1, entries);
    }

    function publishNames(bytes32 logId, bytes calldata entries, string[] calldata names) external {
        (Log storage log, HeadWord meta) = _known(logId);
        uint24 setId = meta.setId();
        bytes32 expected = log.setKey;
        bytes32 key = ValidatorSets.key(setId, entries);
        if (key != expected && meta.nextFromSize() != 0) {
            expected = log.nextKey;
            key = ValidatorSets.key(++setId, entries);
        }
        if (key != expected) revert SetMismatch(expected, key);
        ValidatorSets.requireCount(entries, names.length);
        for (uint256 i = 0; i < names.length; ++i) {
            if (bytes(names[i]).length == 0) continue;
            emit ValidatorNamed(logId, setId, ValidatorSets.requireName(entries, i, names[i]), names[i]);
        }
    }

    function rotateValidators(
        bytes32 logId,
        uint64 effectiveFromSize,
        Quorum calldata old,
        bytes calldata entries,
        bytes calldata newcomers
    ) external {
        (Log storage log, HeadWord meta) = _open(logId);
        if (meta.nextFromSize() != 0) revert RotationPending(meta.nextFromSize());
        meta.requireHandover(effectiveFromSize, _now());
        uint24 setId = meta.setId() + 1;
        (bytes32 setHash, bytes memory list) = ValidatorSets.read(setId, entries);
        bytes32 digest = TypedData.validatorSetUpdate(logId, setId, setHash, effectiveFromSize);
        bytes memory oldList = Seals.requireQuorum(digest, old.setHash, log.setKey, old.signers, old.seals);
        ValidatorSets.requirePossession(digest, oldList, list, newcomers);

        log.meta = meta.withPending(uint40(effectiveFromSize)); // requireHandover: no more
        log.nextKey = keccak256(list);
        emit ValidatorSet(logId, setId, setHash, effectiveFromSize, entries);
    }

    function pause(bytes32 logId, uint64 until, bytes32 reasonHash, Quorum calldata q) external {
        (Log storage log, HeadWord meta) = _open(logId);
        HeadWords.requirePause(until, log.brake.pauseMax, _now());
        bytes32 digest = TypedData.pause(logId, log.brake.nonce, until, reasonHash);
        Seals.requireQuorum(digest, q.setHash, _powerKey(log, meta), q.signers, q.seals);

        log.meta = meta.withPause(uint40(until));
        emit Paused(logId, log.brake.nonce++, until, reasonHash, false);
    }

    function pauseByGuardian(bytes32 logId, uint64 until, bytes32 reasonHash) external {
        (Log storage log, HeadWord meta) = _open(logId);
        address guardian = log.brake.guardian;
        if (guardian == address(0) || msg.sender != guardian) revert NotGuardian(msg.sender);
        HeadWords.requirePause(until, log.brake.pauseMax, _now());
        uint256 notBefore = uint256(meta.pausedUntil()) + log.brake.pauseMax;
        if (_now() < notBefore) revert PauseTooSoon(notBefore);

        log.meta = meta.withPause(uint40(until));
        emit Paused(logId, log.brake.nonce++, until, reasonHash, true);
    }

    function resume(bytes32 logId, bytes32 reasonHash, Quorum calldata q) external {
        (Log storage log, HeadWord meta) = _open(logId);
        if (_now() >= meta.pausedUntil()) revert NotPaused();
        bytes32 digest = TypedData.resume(logId, log.brake.nonce, reasonHash);
        Seals.requireQuorum(digest, q.setHash, _powerKey(log, meta), q.signers, q.seals);

        log.meta = meta.withPause(_now());
        emit Resumed(logId, log.brake.nonce++, reasonHash);
    }

    function retire(bytes32 logId, bytes calldata successorGenesis, Quorum calldata q) external {
        (Log storage log, HeadWord meta) = _open(logId);
        bytes32 root = log.root;
        GenesisRecord.requireLength(successorGenesis);
        bytes32 next = Tree.leaf(successorGenesis);
        if (!_logs[next].meta.isRegistered()) revert UnknownLog(next);
        GenesisRecord.requirePredecessor(successorGenesis, logId, meta.treeSize(), root);
        bytes32 digest = TypedData.retire(logId, next, meta.treeSize(), root);
        Seals.requireQuorum(digest, q.setHash, _powerKey(log, meta), q.signers, q.seals);

        log.meta = meta.retired();
        log.successor = next;
        emit Retired(logId, next, meta.treeSize(), root);
    }

    function reportEquivocation(
        bytes32 logId,
        Attested calldata a,
        bytes calldata sealsA,
        Attested calldata b,
        bytes calldata sealsB
    ) external {
        (Log storage log,) = _known(logId);
        Evidence.reportEquivocation(logId, log, a, sealsA, b, sealsB);
    }

    function reportInconsistent(
        bytes32 logId,
        Attested calldata a,
        bytes calldata seals,
        bytes32 otherRoot,
        bytes32[] calldata path
    ) external {
        (Log storage log,) = _known(logId);
        Evidence.reportInconsistent(logId, log, a, seals, otherRoot, path);
    }

    function head(bytes32 logId) external view returns (Head memory) {
        Log storage log = _logs[logId];
        HeadWord meta = log.meta;
        State state = meta.state(_now());
        return Head({
            treeSize: meta.treeSize(),
            rootHash: log.root,
            timestamp: state == State.Unknown ? 0 : uint64(meta.timestampOf(meta.treeSize())),
            anchoredAt: meta.anchoredAt(),
            validatorSetId: meta.setId(),
            nextFromSize: meta.nextFromSize(),
            pausedUntil: meta.pausedUntil(),
            state: state
        });
    }

    function overdue(bytes32 logId) external view returns (uint64) {
        (Log storage log, HeadWord meta) = _known(logId);
        uint256 due = meta.timestampOf(uint64(meta.treeSize()) + 1) + log.brake.grace;
        return _now() > due ? uint64(_now() - due) : 0;
    }

    function isFresh(bytes32 logId, uint64 maxAge) external view returns (bool) {
        HeadWord meta = _logs[logId].meta;
        State state = meta.state(_now());
        if (state != State.Active && state != State.Paused) return false;
        uint256 timestamp = meta.timestampOf(meta.treeSize());
        return timestamp <= _now() && _now() - timestamp <= maxAge;
    }

    function verifyHistorical(bytes32 logId, uint64 treeSize, bytes32 rootHash, bytes32[] calldata path) external view {
        (Log storage log, HeadWord meta) = _known(logId);
        Tree.verifyConsistency(treeSize, meta.treeSize(), path, rootHash, log.root);
    }

    function setKey(bytes32 logId) external view returns (bytes32) {
        return _logs[logId].setKey;
    }

    function brake(bytes32 logId) external view returns (Brake memory) {
        return _logs[logId].brake;
    }

    function successor(bytes32 logId) external view returns (bytes32) {
        return _logs[logId].successor;
    }

    /// Cut to the width it is stored in: on a chain whose clock is not in seconds, nothing can spill into other fields.
    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }

    function _known(bytes32 logId) private view returns (Log storage log, HeadWord meta) {
        log = _logs[logId];
        meta = log.meta;
        if (!meta.isRegistered()) revert UnknownLog(logId);
    }

    function _open(bytes32 logId) private view returns (Log storage log, HeadWord meta) {
        log = _logs[logId];
        meta = log.meta;
        _requireOpen(logId, log, meta);
    }

    /// Once the boundary of a pending handover is past, brake and end are the new set's: dismissed keys could otherwise
    /// renew a pause for ever, and the handover happens in an anchor.
    function _powerKey(Log storage log, HeadWord meta) private view returns (bytes32) {
        uint40 from = meta.nextFromSize();
        return from != 0 && _now() >= meta.timestampOf(from) ? log.nextKey : log.setKey;
    }

    function _requireOpen(bytes32 logId, Log storage log, HeadWord meta) private view {
        if (!meta.isRegistered()) revert UnknownLog(logId);
        if (meta.isFrozen()) revert LogFrozen(logId);
        if (meta.isRetired()) revert LogRetired(log.successor);
    }
}
