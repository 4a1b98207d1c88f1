// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HeadWord} from "./libraries/HeadWord.sol";

/// A checkpoint as its signers attested it. Timestamp and set id are computed, never sent.
struct Attested {
    uint64 treeSize; // leaves of the log; >= 2, since the tree of size 1 is the log id itself
    bytes32 rootHash;
    bytes32 setHash; // SPEC §8.1, of the set responsible for treeSize
    uint64 signers; // bit i = the i-th member in address order signed
}

/// Signatures for the rare calls; the fields mean what they mean in `Attested` and in `anchor`.
struct Quorum {
    bytes32 setHash;
    uint64 signers;
    bytes seals;
}

/// One log's part of a batch; the fields mean what the arguments of `anchor` mean.
struct Update {
    bytes32 logId;
    uint64 fromSize;
    Attested to;
    bytes32[] path;
    bytes seals;
}

/// Frozen before Retired before Paused before Active, where several hold.
enum State {
    Unknown,
    Active,
    Paused,
    Frozen,
    Retired
}

struct Head {
    uint64 treeSize;
    bytes32 rootHash;
    uint64 timestamp; // epoch boundary of treeSize
    uint64 anchoredAt; // public block time of the call that set this head
    uint64 validatorSetId;
    uint64 nextFromSize; // first size of the pending set; 0 = no rotation pending
    uint64 pausedUntil; // 0 = never paused
    State state;
}

struct Brake {
    address guardian; // may pause alone; zero = nobody
    uint32 pauseMax; // longest pause, seconds
    uint32 grace; // seconds after the boundary before a missing epoch counts as overdue
    uint32 nonce; // pauses and resumes so far
}

/// All state of one log. The order is normative: storage proofs read slot keccak256(logId, 0) + offset.
struct Log {
    HeadWord meta; // +0; zero = not registered
    bytes32 root; // +1; the log id at size 1
    bytes32 setKey; // +2; keccak256(setHash, address_1 … address_n), addresses packed and ascending
    Brake brake; // +3
    bytes32 nextKey; // +4; setKey of the pending set, left in place after the handover
    bytes32 successor; // +5; log id, once retired
}

/// A checkpoint of the log. `path` leads to the head as it is at execution; empty if it is the head.
struct Checkpoint {
    uint64 treeSize;
    bytes32 rootHash;
    bytes32[] path;
}

/// An epoch record (640 bytes) and its path in a checkpoint; the leaf index is the epoch.
struct EpochProof {
    bytes record;
    bytes32[] path;
}

/// A batch entry (37 bytes) and its place in the batch of its epoch.
struct EntryProof {
    bytes entry;
    uint64 index;
    bytes32[] path;
}

/// A disclosure as shipped and its place in the field tree of its record (SPEC §3).
struct FieldProof {
    bytes disclosure;
    uint64 index;
    bytes32[] path;
}

/// Where a registry path ends: in a hole, both words zero, or in this pair (SPEC §9.1).
struct Terminal {
    bool hole;
    bytes32 index;
    bytes32 commitment;
}

/// A claim opened by salt and place; name and value are the consumer's own (see Claims).
struct Opened {
    bytes32 salt;
    uint64 index;
    bytes32[] path;
}

/// Words 1 … 19 of an epoch record, in their order (SPEC §7.2).
struct Epoch {
    bytes32 logId;
    uint64 epoch;
    uint64 firstBlock;
    uint64 endBlock;
    bytes32 lastBlockHash;
    uint64 batchSize;
    bytes32 batchRoot;
    bytes32 registryRoot;
    uint64 governanceSize;
    bytes32 governanceRoot;
    uint64 setId;
    bytes32 setHash;
    uint64 publicChainId;
    uint64 publicBlockNumber;
    bytes32 publicBlockHash;
    uint64 closedAt;
    uint64 flags;
    bytes32 statsCommitment;
    bytes32 blind;
}

/// What a proven entry says: when, what kind of record, and the root of its fields.
struct Fact {
    uint64 epoch;
    uint16 recordType;
    uint16 width; // leaves of the field tree: claims in the left half, private fields and decoys in the right
    bytes32 fieldRoot;
}
