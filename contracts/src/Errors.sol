// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Names, fields and order are those of hybrid_bridge/errors.py, so that a revert decodes to the same class.

// ── Malformed: the sender mends the bytes ────────────────────────────────────────────────────────────────────────────

/// A path has another length than index and sizes fix (SPEC §2).
error PathLength(uint256 expected, uint256 got);
/// Not 1 <= older <= newer <= 2^53-1 (SPEC §2).
error SizeOrder(uint256 older, uint256 newer);
/// Not 0 <= index < size (SPEC §2).
error IndexBeyondSize(uint256 index, uint256 size);
/// A record has another length than its type.
error RecordMalformed(uint256 expected, uint256 got);
/// The word at this index is out of range or padded wrongly (SPEC §7).
error WordMalformed(uint256 index);
/// The validator entry at this index is zero, out of order, padded wrongly or missing (SPEC §8.1).
error EntriesMalformed(uint256 index);
/// The seal of the member at this index is cut off, has a high s, or belongs to nobody.
error SealsMalformed(uint256 index);
/// A batch entry breaks the 37-byte layout at this offset (SPEC §3).
error EntryMalformed(uint256 offset);

/// A disclosure is longer than 8,192 bytes, or not ASCII, from this offset on (SPEC §3).
error DisclosureMalformed(uint256 offset);
/// The end of a registry path does not agree with its key (SPEC §9.1).
error TerminalMalformed();
/// More updates in one call than a bit each can answer for.
error BatchLength(uint256 limit, uint256 got);

// ── Refuted: well-formed and false, so evidence ──────────────────────────────────────────────────────────────────────

/// The path, or the text, leads to another hash than the expected one.
error RootMismatch(bytes32 expected, bytes32 calculated);
/// These validators are not the set that is responsible here (SPEC §8.1).
error SetMismatch(bytes32 expected, bytes32 calculated);
/// Fewer members signed than the quorum rule asks for (SPEC §8.1).
error BelowQuorum(uint256 needed, uint256 got);
/// A new validator has not proven that it holds its key; zero = bytes after the last newcomer.
error NewcomerUnproven(address validator);
/// The registry holds another root for this size: two histories exist.
error HeadConflict(uint256 size, bytes32 head, bytes32 root);
/// The registry holds this index, which was said to be absent.
error IndexPresent(bytes32 index);

// ── Undecided: good later, or after mending the path ─────────────────────────────────────────────────────────────────

/// The checkpoint's epoch boundary lies ahead of the public clock.
error TimestampAhead(uint256 timestamp, uint256 publicTime);
/// The brake is on until this time.
error LogPaused(uint256 until);
/// The head is not the size this update starts from, or the update does not lie beyond it.
error StaleHead(uint256 headSize, uint256 fromSize);

// ── Rejected: the caller changes the request ─────────────────────────────────────────────────────────────────────────

/// No log of this id is registered here.
error UnknownLog(bytes32 logId);
/// A quorum of this log contradicted itself: frozen for good.
error LogFrozen(bytes32 logId);
/// This log has ended; its successor goes on.
error LogRetired(bytes32 successor);
/// A rotation is pending from this size on; anchor that size first.
error RotationPending(uint256 fromSize);
/// A rotation must take effect at a size from low to high.
error RotationOutOfRange(uint256 fromSize, uint256 low, uint256 high);
/// A pause must end at a time from low to high.
error PauseOutOfRange(uint256 until, uint256 low, uint256 high);
/// The guardian may pause again at this time: at most half of the time is his.
error PauseTooSoon(uint256 notBefore);
/// Only the log's guardian may do this; zero = the log has none.
error NotGuardian(address caller);
/// Nothing to resume: no pause is in force.
error NotPaused();
/// The successor's genesis record names another predecessor, size or root than this log's head.
error SuccessorMismatch(bytes32 expected, bytes32 got);
/// The two statements do not contradict one another.
error NoConflict();

// ── Broken: in constructors only ─────────────────────────────────────────────────────────────────────────────────────

/// The chain lacks the precompile at this address, or it gives wrong answers.
error PrecompileMissing(uint256 number);
