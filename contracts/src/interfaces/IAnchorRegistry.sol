// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested, Brake, Head, Quorum} from "../Types.sol";

/// @title The public heads of consortium logs: append-only, quorum-signed, owned by nobody
/// @notice Holds one head per log. A log is an RFC 6962 tree of epoch records; its id is the leaf hash of its genesis record.
/// Every update carries a consistency path from the stored head, so not even a full quorum can rewrite what was anchored.
///
/// Order of calls: `register` once, by anybody · `anchor` for as long as the log lives, by anybody · `rotateValidators` when
/// the members change, by anybody who holds the old quorum's signatures. `msg.sender` decides nothing in any of them.
///
/// What the registry cannot know: whether an entry was true; whether an epoch record is well formed (only hashes pass
/// through); whether the set here is the one in the log's governance tree (both are public: compare); whether the first
/// set knows that it was registered. **A log of size 1 proves nothing.**
interface IAnchorRegistry {
    /// @notice A log has its place here. `origin` is the text whose hash the genesis record holds.
    event Registered(bytes32 indexed logId, string origin, bytes genesis);

    /// @notice `entries` answer for all sizes from `fromSize` on. Announced at once; in force with the first head >= fromSize.
    event ValidatorSet(bytes32 indexed logId, uint64 indexed setId, bytes32 setHash, uint64 fromSize, bytes entries);

    /// @notice The head moved. `timestamp` is the epoch boundary, never the block time; bit i of `signers` is the i-th
    /// member of the set in address order.
    event Anchored(
        bytes32 indexed logId,
        uint64 indexed treeSize,
        bytes32 rootHash,
        uint64 timestamp,
        uint64 validatorSetId,
        uint64 signers
    );

    /// @notice Moves the head of `logId` to a larger checkpoint. Anybody may send it; calldata never expires by time.
    /// @dev Checks, cheap before dear: (1) `to` is the head already: returns false, nothing written, no event, in every state
    /// of the log (2) registered, not frozen, not retired, not paused (3) not another root for the head's size (4) starts at
    /// the head and grows (5) its boundary is past (6) the path leads from the head's root to the new one (7) the set is the
    /// one responsible for the new size (8) a quorum of it signed.
    /// SHARP EDGE: `fromSize` and `path` are good for one head only. When the head moved, make them anew; the seals stay.
    /// @param fromSize the head's size for which `path` was made.
    /// @param path RFC 6962 consistency path from `fromSize` to `to.treeSize`.
    /// @param seals for each member in address order: r, vs (64 bytes, EIP-2098) if its bit in `to.signers` is set, else its
    /// 20-byte address. More than a quorum is accepted and paid for.
    /// @return advanced false if nothing was to be done.
    /// @custom:reverts UnknownLog LogFrozen LogRetired LogPaused HeadConflict StaleHead TimestampAhead PathLength
    /// RootMismatch SealsMalformed SetMismatch BelowQuorum
    function anchor(bytes32 logId, uint64 fromSize, Attested calldata to, bytes32[] calldata path, bytes calldata seals)
        external
        returns (bool advanced);

    /// @notice Gives a log its place, with head (1, logId) and set 1. Needs no right and gives none: the id commits to the
    /// first set, so nobody can register somebody else's log with his own validators. Twice is once.
    /// @param genesis 832 bytes (SPEC §7.1).
    /// @param origin text of the origin; its SHA-256 stands in the record.
    /// @param entries the first validator set, 128 bytes a member (SPEC §8.1).
    /// @custom:reverts RecordMalformed WordMalformed RootMismatch EntriesMalformed SetMismatch
    function register(bytes calldata genesis, string calldata origin, bytes calldata entries)
        external
        returns (bytes32 logId);

    /// @notice Appoints the next validator set, responsible from `effectiveFromSize` on. At most one is pending; there is no
    /// cancelling: the log's own governance tree has fixed that set already.
    /// @dev Signed in the power domain: for this contract on this chain only. Works during a pause.
    /// @param old quorum of the current set over ValidatorSetUpdate.
    /// @param entries the new set, 128 bytes a member.
    /// @param newcomers for each address not in the old set, in address order: r, vs over the same digest, 64 bytes.
    /// @custom:reverts UnknownLog LogFrozen LogRetired RotationPending RotationOutOfRange EntriesMalformed SealsMalformed
    /// SetMismatch BelowQuorum NewcomerUnproven
    function rotateValidators(
        bytes32 logId,
        uint64 effectiveFromSize,
        Quorum calldata old,
        bytes calldata entries,
        bytes calldata newcomers
    ) external;

    /// @notice The newest anchored checkpoint and the state of the log. Never reverts: State.Unknown and zeros if not registered.
    /// SHARP EDGE: look at `state`. Decide about age and confirmations yourself.
    function head(bytes32 logId) external view returns (Head memory);

    /// @notice Seconds by which the log is late: since the boundary of the first epoch not covered, plus grace. 0 = in time.
    /// A pause does not stop this clock.
    /// @custom:reverts UnknownLog
    function overdue(bytes32 logId) external view returns (uint64);

    /// @notice Is the log Active or Paused, and its head's boundary at most `maxAge` seconds old? False before genesis time.
    function isFresh(bytes32 logId, uint64 maxAge) external view returns (bool);

    /// @notice Reverts unless (treeSize, rootHash) is the head or a prefix of it.
    /// SHARP EDGE: `path` is good until the next anchor only. To rely on a checkpoint for longer, store it after this call.
    /// @custom:reverts UnknownLog SizeOrder PathLength RootMismatch
    function verifyHistorical(bytes32 logId, uint64 treeSize, bytes32 rootHash, bytes32[] calldata path) external view;

    /// @notice keccak256(setHash, packed addresses) of the set in force; zero if not registered.
    function setKey(bytes32 logId) external view returns (bytes32);

    /// @notice Who may pause alone, for how long, after what grace a log is overdue, and how often it was paused or resumed.
    function brake(bytes32 logId) external view returns (Brake memory);

    /// @notice The log that continues a retired one; zero before.
    function successor(bytes32 logId) external view returns (bytes32);
}
