/** The epoch record: log leaf e for every epoch e >= 1. Source: SPEC §7.2. */

import { bitCount, hex, isZero } from "./bytes.js";
import { WordRecord } from "./encoding.js";
import { fieldMalformed, fieldMismatch, requireSame } from "./errors.js";
import { closedAt } from "./genesis.js";

const EPOCH = new WordRecord(
  "HybridBridge.Epoch.v1(bytes32 logId,uint64 epoch,uint64 firstBlock,uint64 endBlock,bytes32 lastBlockHash," +
    "uint64 batchSize,bytes32 batchRoot,bytes32 registryRoot,uint64 governanceSize,bytes32 governanceRoot," +
    "uint64 setId,bytes32 setHash,uint64 publicChainId,uint64 publicBlockNumber,bytes32 publicBlockHash," +
    "uint64 closedAt,uint64 flags,bytes32 statsCommitment,bytes32 blind)",
);
export const BRAKE_ON = 1; // flags, bit 0

/** @typedef {any} EpochRecord a member for each name of the type string */
/** @typedef {import("./genesis.js").Genesis} Genesis */

/** @param {Uint8Array} data 640 bytes @returns {EpochRecord} */
export function decodeEpoch(data) {
  const record = EPOCH.decode(data);
  EPOCH.require(record.epoch >= 1, "epoch");
  EPOCH.require(record.endBlock >= record.firstBlock, "endBlock");
  EPOCH.require(bitCount(record.batchSize) === 1, "batchSize");
  EPOCH.require(!isZero(record.registryRoot), "registryRoot");
  EPOCH.require(record.governanceSize >= 1, "governanceSize");
  EPOCH.require(record.setId >= 1, "setId");
  const beacon = record.publicChainId > 0;
  EPOCH.require(record.publicBlockNumber > 0 === beacon, "publicBlockNumber");
  EPOCH.require(!isZero(record.publicBlockHash) === beacon, "publicBlockHash");
  EPOCH.require(record.flags === 0 || record.flags === BRAKE_ON, "flags");
  return record;
}

/** The epoch in which `time` lies (SPEC §5). @param {Genesis} genesis @param {number} time */
export function epochOf(genesis, time) {
  if (time < genesis.genesisTime) throw fieldMalformed("time", "not before the genesis time");
  return Math.floor((time - genesis.genesisTime) / genesis.cadence) + 1;
}

/** `record` may stand at log leaf `index` under this genesis, whatever stands before it. @param {Genesis} genesis @param {number} index @param {EpochRecord} record */
export function verifyEpoch(genesis, index, record) {
  requireSame("epoch.log_id", hex(genesis.logId), hex(record.logId));
  requireSame("epoch.epoch", index, record.epoch);
  requireSame("epoch.closed_at", closedAt(genesis, record.epoch), record.closedAt);
  if ((BigInt(record.batchSize) & BigInt(genesis.batchLadder)) === 0n) {
    throw fieldMalformed("epoch.batch_size", "a rung of the batch ladder");
  }
}

/** `record` may be epoch 1: it follows the genesis record. @param {Genesis} genesis @param {EpochRecord} record */
export function verifyFirst(genesis, record) {
  verifyEpoch(genesis, 1, record);
  requireSame("epoch.first_block", genesis.firstBlock, record.firstBlock);
  requireSame("epoch.set_id", 1, record.setId);
  requireSame("epoch.set_hash", hex(genesis.setHash), hex(record.setHash));
  if (record.endBlock === record.firstBlock) {
    requireSame("epoch.last_block_hash", hex(genesis.ledgerId), hex(record.lastBlockHash));
  }
  if (record.governanceSize === 1) {
    requireSame("epoch.governance_root", hex(genesis.logId), hex(record.governanceRoot));
  }
}

/** `newer` may follow `older` directly. @param {Genesis} genesis @param {EpochRecord} older @param {EpochRecord} newer */
export function verifyNext(genesis, older, newer) {
  verifyEpoch(genesis, older.epoch + 1, newer);
  requireSame("epoch.first_block", older.endBlock, newer.firstBlock);
  if (newer.endBlock === newer.firstBlock) {
    requireSame("epoch.last_block_hash", hex(older.lastBlockHash), hex(newer.lastBlockHash));
  }
  if (newer.governanceSize < older.governanceSize) {
    throw fieldMismatch("epoch.governance_size", `>= ${older.governanceSize}`, newer.governanceSize);
  }
  if (newer.governanceSize === older.governanceSize) {
    requireSame("epoch.governance_root", hex(older.governanceRoot), hex(newer.governanceRoot));
  }
  if (newer.setId === older.setId) requireSame("epoch.set_hash", hex(older.setHash), hex(newer.setHash));
  else requireSame("epoch.set_id", older.setId + 1, newer.setId);
}
