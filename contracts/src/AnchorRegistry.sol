// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    HeadConflict,
    LogFrozen,
    LogPaused,
    LogRetired,
    RootMismatch,
    RotationOutOfRange,
    RotationPending,
    SetMismatch,
    StaleHead,
    TimestampAhead,
    UnknownLog
} from "./Errors.sol";
import {Attested, Brake, Head, Log, Quorum, State} from "./Types.sol";
import {IAnchorRegistry} from "./interfaces/IAnchorRegistry.sol";
import {Genesis, GenesisRecord} from "./libraries/Genesis.sol";
import {HeadWord, HeadWords} from "./libraries/HeadWord.sol";
import {Precompiles} from "./libraries/Precompiles.sol";
import {Seals} from "./libraries/Seals.sol";
import {Tree} from "./libraries/Tree.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {ValidatorSets} from "./libraries/ValidatorSets.sol";

/// Everything that callers must know stands in the interface.
contract AnchorRegistry is IAnchorRegistry {
    /// A far-away handover would block every later one.
    uint256 private constant ROTATION_HORIZON = 90 days;

    mapping(bytes32 logId => Log log) private _logs;

    constructor() {
        Precompiles.requireEcrecover();
        Precompiles.requireSha256();
    }

    /// @inheritdoc IAnchorRegistry
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

    /// @inheritdoc IAnchorRegistry
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

    /// @inheritdoc IAnchorRegistry
    function rotateValidators(
        bytes32 logId,
        uint64 effectiveFromSize,
        Quorum calldata old,
        bytes calldata entries,
        bytes calldata newcomers
    ) external {
        Log storage log = _logs[logId];
        HeadWord meta = log.meta;
        _requireOpen(logId, log, meta);
        if (meta.nextFromSize() != 0) revert RotationPending(meta.nextFromSize());
        _requireInRange(meta, effectiveFromSize);
        uint24 setId = meta.setId() + 1;
        (bytes32 setHash, bytes memory list) = ValidatorSets.read(setId, entries);
        bytes32 digest = TypedData.validatorSetUpdate(logId, setId, setHash, effectiveFromSize);
        bytes memory oldList = Seals.requireQuorum(digest, old.setHash, log.setKey, old.signers, old.seals);
        ValidatorSets.requirePossession(digest, oldList, list, newcomers);

        log.meta = meta.withPending(uint40(effectiveFromSize));
        log.nextKey = keccak256(list);
        emit ValidatorSet(logId, setId, setHash, effectiveFromSize, entries);
    }

    /// @inheritdoc IAnchorRegistry
    function head(bytes32 logId) external view returns (Head memory) {
        Log storage log = _logs[logId];
        HeadWord meta = log.meta;
        State state = _state(meta);
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

    /// @inheritdoc IAnchorRegistry
    function overdue(bytes32 logId) external view returns (uint64) {
        Log storage log = _logs[logId];
        HeadWord meta = log.meta;
        if (!meta.isRegistered()) revert UnknownLog(logId);
        uint256 due = meta.timestampOf(uint64(meta.treeSize()) + 1) + log.brake.grace;
        return _now() > due ? uint64(_now() - due) : 0;
    }

    /// @inheritdoc IAnchorRegistry
    function isFresh(bytes32 logId, uint64 maxAge) external view returns (bool) {
        HeadWord meta = _logs[logId].meta;
        State state = _state(meta);
        if (state != State.Active && state != State.Paused) return false;
        uint256 timestamp = meta.timestampOf(meta.treeSize());
        return timestamp <= _now() && _now() - timestamp <= maxAge;
    }

    /// @inheritdoc IAnchorRegistry
    function verifyHistorical(bytes32 logId, uint64 treeSize, bytes32 rootHash, bytes32[] calldata path) external view {
        Log storage log = _logs[logId];
        HeadWord meta = log.meta;
        if (!meta.isRegistered()) revert UnknownLog(logId);
        Tree.verifyConsistency(treeSize, meta.treeSize(), path, rootHash, log.root);
    }

    /// @inheritdoc IAnchorRegistry
    function setKey(bytes32 logId) external view returns (bytes32) {
        return _logs[logId].setKey;
    }

    /// @inheritdoc IAnchorRegistry
    function brake(bytes32 logId) external view returns (Brake memory) {
        return _logs[logId].brake;
    }

    /// @inheritdoc IAnchorRegistry
    function successor(bytes32 logId) external view returns (bytes32) {
        return _logs[logId].successor;
    }

    /// Cut to the width it is stored in: on a chain whose clock is not in seconds, nothing can spill into other fields.
    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }

    function _requireOpen(bytes32 logId, Log storage log, HeadWord meta) private view {
        if (!meta.isRegistered()) revert UnknownLog(logId);
        if (meta.isFrozen()) revert LogFrozen(logId);
        if (meta.isRetired()) revert LogRetired(log.successor);
    }

    /// Beyond the head, and its boundary at most ROTATION_HORIZON ahead.
    function _requireInRange(HeadWord meta, uint64 fromSize) private view {
        uint256 low = uint256(meta.treeSize()) + 1;
        uint256 latest = _now() + ROTATION_HORIZON;
        uint256 high = latest < meta.genesisTime() ? 0 : (latest - meta.genesisTime()) / meta.cadence() + 1;
        if (high > type(uint40).max) high = type(uint40).max;
        if (fromSize < low || fromSize > high) revert RotationOutOfRange(fromSize, low, high);
    }

    function _state(HeadWord meta) private view returns (State) {
        if (!meta.isRegistered()) return State.Unknown;
        if (meta.isFrozen()) return State.Frozen;
        if (meta.isRetired()) return State.Retired;
        return _now() < meta.pausedUntil() ? State.Paused : State.Active;
    }
}
