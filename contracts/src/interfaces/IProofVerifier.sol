// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint, EntryProof, Epoch, EpochProof, Fact, FieldProof, Terminal} from "../Types.sol";
import {IAnchorRegistry} from "./IAnchorRegistry.sol";

/// @title Proofs against an anchored head, for contracts that act on facts of a log
/// @notice Stateless. **Every function reverts with a typed error or returns facts; none returns a bool that could be
/// ignored.**
///
/// The caller MUST pin registry, verifier and logId: all three are trust. The caller MUST judge age and confirmations: this
/// contract does not. A path to the head is good until the next anchor only: whoever needs longer stores the checkpoint
/// after `IAnchorRegistry.verifyHistorical` and later uses `verifyInclusion` against it.
interface IProofVerifier {
    /// @notice Reverts unless `leaf`, already hashed, stands at `index` in the tree of `size` leaves under `root`.
    /// @custom:reverts SizeOrder IndexBeyondSize PathLength RootMismatch
    function verifyInclusion(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path, bytes32 root)
        external
        view;

    /// @notice Reverts unless the tree of `older` leaves under `olderRoot` is a prefix of that of `newer` under `newerRoot`.
    /// @custom:reverts SizeOrder PathLength RootMismatch
    function verifyConsistency(
        uint64 older,
        uint64 newer,
        bytes32[] calldata path,
        bytes32 olderRoot,
        bytes32 newerRoot
    ) external view;

    /// @notice The words of an epoch record that is a leaf of an anchored checkpoint. Nothing is given of a frozen log.
    /// @dev Order: log known and not frozen · checkpoint under the head · shape of the record · epoch < c.treeSize · path.
    /// The hashes in the record are as the quorum signed them; that they hash what they should is not checked here.
    /// @custom:reverts UnknownLog LogFrozen SizeOrder PathLength RootMismatch RecordMalformed WordMalformed IndexBeyondSize
    function verifyEpoch(IAnchorRegistry registry, bytes32 logId, Checkpoint calldata c, EpochProof calldata e)
        external
        view
        returns (Epoch memory);

    /// @notice The fact that a batch entry states, after all checks of `verifyEpoch`.
    /// SHARP EDGE: `fieldRoot` commits to fields; it is not the fields. Open them before acting on their values.
    /// @custom:reverts those of verifyEpoch, EntryMalformed
    function verifyEntry(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        EntryProof calldata x
    ) external view returns (Fact memory);

    /// @notice The fact, and that the disclosure is one of its fields, after all checks of `verifyEntry`.
    /// SHARP EDGE: the string is not parsed here. Act on a value with `Claims.requireClaim`, which rebuilds the string from
    /// the consumer's own name and value.
    /// @return fact of the record. @return isClaim every member could read the field; else it is private to its audience.
    /// @custom:reverts those of verifyEntry, DisclosureMalformed
    function verifyDisclosure(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        EntryProof calldata x,
        FieldProof calldata f
    ) external view returns (Fact memory fact, bool isClaim);

    /// @notice Reverts unless the registry of that epoch holds (index, commitment), after all checks of `verifyEpoch`.
    /// SHARP EDGE: about an index, not about a label. Whoever fixed the index must have checked its VRF proof, and the
    /// statement holds at that epoch only.
    /// @param siblings lowest first, empty ones as zero, at most 256 (SPEC §9.1).
    /// @return epoch of the statement.
    /// @custom:reverts those of verifyEpoch, TerminalMalformed
    function verifyRegistryPresence(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        bytes32 index,
        bytes32 commitment,
        bytes32[] calldata siblings
    ) external view returns (uint64 epoch);

    /// @notice Reverts unless the registry of that epoch does not hold `index`, after all checks of `verifyEpoch`.
    /// SHARP EDGE: as in `verifyRegistryPresence`; and an absent index is that of a free label only if it is that label's.
    /// @param end where the path of `index` ends: a hole, or another index with the same first bits.
    /// @return epoch of the statement.
    /// @custom:reverts those of verifyEpoch, TerminalMalformed IndexPresent
    function verifyRegistryAbsence(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        bytes32 index,
        Terminal calldata end,
        bytes32[] calldata siblings
    ) external view returns (uint64 epoch);
}
