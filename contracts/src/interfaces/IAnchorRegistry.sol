// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attested, Brake, Head, Quorum, Update} from "../Types.sol";

/// @title The public heads of consortium logs: append-only, quorum-signed, owned by nobody
/// @notice Holds one head per log. A log is an RFC 6962 tree of epoch records; its id is the leaf hash of its genesis record.
/// Every update carries a consistency path from the stored head, so not even a full quorum can rewrite what was anchored.
///
/// Order of calls: `register` once, by anybody · `anchor` for as long as the log lives, by anybody · `rotateValidators` when
/// the members change, by anybody who holds the old quorum's signatures · `pause` and `resume` likewise, `pauseByGuardian` by
/// the guardian that the genesis record names · `retire` when another log goes on · the two reports by anybody, at any time.
/// `msg.sender` decides nothing, but for the guardian. No state of one log is written by a call for another.
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
    /// member of the set in address order. Whoever sends first chooses which quorum is named: a clear bit proves nothing.
    event Anchored(
        bytes32 indexed logId,
        uint64 indexed treeSize,
        bytes32 rootHash,
        uint64 timestamp,
        uint64 validatorSetId,
        uint64 signers
    );

    /// @notice An item of a batch changed nothing; `reason` is the selector of the error that `anchor` gave. UNSIGNED, and no
    /// evidence of anything: most refusals, HeadConflict among them, come before a signature is looked at.
    event AnchorRefused(bytes32 indexed logId, uint64 treeSize, bytes4 reason);

    /// @notice The legal name behind a validator's nameHash: JCS of id and name (SPEC §8.1).
    event ValidatorNamed(bytes32 indexed logId, uint64 indexed setId, address indexed validator, string name);

    /// @notice No new anchors until `until`. Nothing anchored is touched, and `overdue` goes on counting.
    event Paused(bytes32 indexed logId, uint64 nonce, uint64 until, bytes32 reasonHash, bool byGuardian);

    /// @notice The pause ended before its time.
    event Resumed(bytes32 indexed logId, uint64 nonce, bytes32 reasonHash);

    /// @notice This log has ended at this head; `successor` begins where it ends.
    event Retired(bytes32 indexed logId, bytes32 indexed successor, uint64 treeSize, bytes32 rootHash);

    /// @notice The members of set `setId` whose bits stand in `both` signed two roots for one size.
    event Equivocated(
        bytes32 indexed logId, uint64 indexed treeSize, bytes32 rootA, bytes32 rootB, uint64 setId, uint64 both
    );

    /// @notice The members whose bits stand in `signers` signed a checkpoint that no history joins with the head: they and the
    /// signers of the head disagree. SHARP EDGE: who lied is shown only for members of one set that signed both (compare the
    /// head's `Anchored` event); otherwise the head may be the forgery, and the reporter its maker.
    /// `provenRoot` is the head's own root at `treeSize`, or, if that lies beyond the head, the root that the signed tree has
    /// at the head's size.
    event Inconsistent(
        bytes32 indexed logId,
        uint64 indexed treeSize,
        bytes32 signedRoot,
        bytes32 provenRoot,
        uint64 setId,
        uint64 signers
    );

    /// @notice A quorum contradicted itself: the head given here is the last that this registry vouches for.
    event Frozen(bytes32 indexed logId, uint64 treeSize, bytes32 rootHash);

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

    /// @notice `anchor` for up to 256 logs in one transaction. What is refused emits `AnchorRefused`; the others go on, since
    /// otherwise anybody could void a batch by being faster on one log.
    /// SHARP EDGE: simulate, and send gas to spare: an item that runs out of gas counts as refused, with reason zero.
    /// @return advanced bit i is set if item i moved its head.
    /// @custom:reverts BatchLength
    function anchorBatch(Update[] calldata updates) external returns (uint256 advanced);

    /// @notice Gives a log its place, with head (1, logId) and set 1. Needs no right and gives none: the id commits to the
    /// first set, so nobody can register somebody else's log with his own validators. Twice is once.
    /// @param genesis 832 bytes (SPEC §7.1).
    /// @param origin text of the origin; its SHA-256 stands in the record.
    /// @param entries the first validator set, 128 bytes a member (SPEC §8.1).
    /// @custom:reverts RecordMalformed WordMalformed RootMismatch EntriesMalformed SetMismatch
    function register(bytes calldata genesis, string calldata origin, bytes calldata entries)
        external
        returns (bytes32 logId);

    /// @notice Puts legal names beside the addresses of the current or the pending set: events, no state.
    /// @param entries the set, 128 bytes a member.
    /// @param names one for each member in order: the text behind its nameHash, or nothing to skip it.
    /// @custom:reverts UnknownLog EntriesMalformed SetMismatch RootMismatch
    function publishNames(bytes32 logId, bytes calldata entries, string[] calldata names) external;

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

    /// @notice Stops new anchors until `until`, at most `pauseMax` seconds from now, by the will of a quorum.
    /// @dev Signed in the power domain over Pause(logId, nonce, until, reasonHash); every pause and resume moves the nonce. Of
    /// the current set, and of the pending one as soon as the boundary of its first size is past: it alone can then pause,
    /// resume and retire, so that dismissed keys cannot hold off the handover.
    /// @custom:reverts UnknownLog LogFrozen LogRetired PauseOutOfRange SealsMalformed SetMismatch BelowQuorum
    function pause(bytes32 logId, uint64 until, bytes32 reasonHash, Quorum calldata q) external;

    /// @notice The same by the guardian alone, who must then let as much time pass as the longest pause takes: at most half
    /// of the time is his.
    /// @custom:reverts UnknownLog LogFrozen LogRetired NotGuardian PauseOutOfRange PauseTooSoon
    function pauseByGuardian(bytes32 logId, uint64 until, bytes32 reasonHash) external;

    /// @notice Ends the pause in force now, whoever made it, by the will of a quorum.
    /// @custom:reverts UnknownLog LogFrozen LogRetired NotPaused SealsMalformed SetMismatch BelowQuorum
    function resume(bytes32 logId, bytes32 reasonHash, Quorum calldata q) external;

    /// @notice Ends the log at its present head for good, in favour of a registered one whose genesis record names this head.
    /// SHARP EDGE: anybody may still anchor what a quorum signed. Members stop signing first, anchor the last checkpoint, and
    /// write the successor's genesis record then.
    /// @custom:reverts UnknownLog LogFrozen LogRetired RecordMalformed SuccessorMismatch SealsMalformed SetMismatch
    /// BelowQuorum
    function retire(bytes32 logId, bytes calldata successorGenesis, Quorum calldata q) external;

    /// @notice Two signed checkpoints of one size with two roots. The event names who signed both; if each has a quorum, the
    /// log is frozen for good. In every state of a registered log.
    /// @dev Only the set in force counts, and the pending one for its sizes: retired keys have no power here. So a quorum can be
    /// convicted here until the next handover; afterwards its contradiction is evidence offline.
    /// @param sealsA as in `anchor`, of as many members as signed; likewise `sealsB`.
    /// @custom:reverts UnknownLog NoConflict SealsMalformed SetMismatch
    function reportEquivocation(
        bytes32 logId,
        Attested calldata a,
        bytes calldata sealsA,
        Attested calldata b,
        bytes calldata sealsB
    ) external;

    /// @notice A signed checkpoint that no history joins with the head; if it has a quorum, the log is frozen for good. In
    /// every state of a registered log.
    /// @param otherRoot if `a` is not beyond the head: the head's root at `a.treeSize`. Else: the root that the tree under
    /// `a.rootHash` has at the head's size.
    /// @param path RFC 6962 consistency path that proves it.
    /// @custom:reverts UnknownLog NoConflict SizeOrder PathLength RootMismatch SealsMalformed SetMismatch
    function reportInconsistent(
        bytes32 logId,
        Attested calldata a,
        bytes calldata seals,
        bytes32 otherRoot,
        bytes32[] calldata path
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
