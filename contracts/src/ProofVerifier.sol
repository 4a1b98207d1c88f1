// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LogFrozen, UnknownLog} from "./Errors.sol";
import {Checkpoint, EntryProof, Epoch, EpochProof, Fact, FieldProof, State, Terminal} from "./Types.sol";
import {IAnchorRegistry} from "./interfaces/IAnchorRegistry.sol";
import {IProofVerifier} from "./interfaces/IProofVerifier.sol";
import {Disclosure} from "./libraries/Disclosure.sol";
import {Entry} from "./libraries/Entry.sol";
import {EpochRecord} from "./libraries/EpochRecord.sol";
import {Precompiles} from "./libraries/Precompiles.sol";
import {PrefixTree} from "./libraries/PrefixTree.sol";
import {Tree} from "./libraries/Tree.sol";

/// Everything that callers must know stands in the interface.
contract ProofVerifier is IProofVerifier {
    constructor() {
        Precompiles.requireSha256();
    }

    function verifyInclusion(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path, bytes32 root)
        external
        view
    {
        Tree.verifyInclusion(leaf, index, size, path, root);
    }

    function verifyConsistency(
        uint64 older,
        uint64 newer,
        bytes32[] calldata path,
        bytes32 olderRoot,
        bytes32 newerRoot
    ) external view {
        Tree.verifyConsistency(older, newer, path, olderRoot, newerRoot);
    }

    function verifyEpoch(IAnchorRegistry registry, bytes32 logId, Checkpoint calldata c, EpochProof calldata e)
        external
        view
        returns (Epoch memory)
    {
        return _epoch(registry, logId, c, e);
    }

    function verifyEntry(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        EntryProof calldata x
    ) external view returns (Fact memory) {
        return _fact(_epoch(registry, logId, c, e), x);
    }

    function verifyDisclosure(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        EntryProof calldata x,
        FieldProof calldata f
    ) external view returns (Fact memory fact, bool isClaim) {
        fact = _fact(_epoch(registry, logId, c, e), x);
        isClaim = Disclosure.verify(fact.fieldRoot, fact.width, f);
    }

    function verifyRegistryPresence(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        bytes32 index,
        bytes32 commitment,
        bytes32[] calldata siblings
    ) external view returns (uint64 epoch) {
        Epoch memory words = _epoch(registry, logId, c, e);
        PrefixTree.verifyPresence(words.registryRoot, index, commitment, siblings);
        return words.epoch;
    }

    function verifyRegistryAbsence(
        IAnchorRegistry registry,
        bytes32 logId,
        Checkpoint calldata c,
        EpochProof calldata e,
        bytes32 index,
        Terminal calldata end,
        bytes32[] calldata siblings
    ) external view returns (uint64 epoch) {
        Epoch memory words = _epoch(registry, logId, c, e);
        PrefixTree.verifyAbsence(words.registryRoot, index, end, siblings);
        return words.epoch;
    }

    function _fact(Epoch memory epoch, EntryProof calldata x) private view returns (Fact memory) {
        (uint16 recordType, uint16 width, bytes32 fieldRoot) = Entry.read(x.entry);
        Tree.verifyInclusion(Tree.leaf(x.entry), x.index, epoch.batchSize, x.path, epoch.batchRoot);
        return Fact({epoch: epoch.epoch, recordType: recordType, width: width, fieldRoot: fieldRoot});
    }

    function _epoch(IAnchorRegistry registry, bytes32 logId, Checkpoint calldata c, EpochProof calldata e)
        private
        view
        returns (Epoch memory epoch)
    {
        State state = registry.head(logId).state;
        if (state == State.Unknown) revert UnknownLog(logId);
        if (state == State.Frozen) revert LogFrozen(logId);
        registry.verifyHistorical(logId, c.treeSize, c.rootHash, c.path);
        epoch = EpochRecord.read(e.record, logId);
        Tree.verifyInclusion(Tree.leaf(e.record), epoch.epoch, c.treeSize, e.path, c.rootHash);
    }
}
