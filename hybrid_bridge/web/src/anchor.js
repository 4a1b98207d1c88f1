/** Where a checkpoint stands on a public chain: header, receipt and the path between them. Source: SPEC §13; CONTRACT §3.2. */

import { equal, fromUint, hex, pairwise, toBig, utf8 } from "./bytes.js";
import { asOctets, MAX_U64 } from "./encoding.js";
import { fieldMalformed, fieldMismatch, refusal, requireSame, tooLong } from "./errors.js";
import { bytesOf, decodeRlp, encodeShort, listOf, uintBytes, uintOf } from "./rlp.js";
import { keccak256 } from "./signing.js";
import { trieValue } from "./trie.js";

const MAX_HEADER = 4096; // bytes; today's have some 650
const MAX_RECEIPT = 1 << 17; // bytes; an anchor's has some 550, a batch of 256 some 70,000
const MAX_DESCENDANTS = 256; // headers after the anchor's own
const ANCHORED = keccak256(utf8("Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)")); // topic 0

/** @param {Uint8Array} data */
export function decodeHeader(data) {
  const items = listOf(decodeRlp(data, "header", MAX_HEADER), 15, 64, "header");
  const hash = keccak256(data);
  const parent = bytesOf(items[0], 32, "header.parentHash");
  bytesOf(items[3], 32, "header.stateRoot");
  const receiptsRoot = bytesOf(items[5], 32, "header.receiptsRoot");
  return { hash, parent, receiptsRoot, number: uintOf(items[8], "header.number"), time: uintOf(items[11], "header.timestamp") };
}

/** @typedef {ReturnType<typeof decodeHeader>} Header */

/** Whether the transaction succeeded, and its events (EIP-658, EIP-2718). @param {Uint8Array} data */
function decodeReceipt(data) {
  const typed = asOctets(data, "receipt").length === 0 || data[0] < 0x80;
  if (typed && !(data[0] >= 1 && data[0] <= 4)) {
    throw fieldMalformed("receipt.type", "a list, or a type from 1 to 4 and a list");
  }
  const body = listOf(decodeRlp(typed ? data.slice(1) : data, "receipt", MAX_RECEIPT), 4, 4, "receipt");
  const status = uintOf(body[0], "receipt.status", 1);
  uintOf(body[1], "receipt.cumulativeGasUsed");
  bytesOf(body[2], 256, "receipt.logsBloom");
  return { succeeded: status === 1, logs: listOf(body[3], 0, MAX_RECEIPT, "receipt.logs").map(decodeLog) };
}

/** @param {import("./rlp.js").Rlp} item */
function decodeLog(item) {
  const [address, topics, data] = listOf(item, 3, 3, "log");
  if (!(data instanceof Uint8Array)) throw fieldMalformed("log.data", "a byte string");
  const words = listOf(topics, 0, 4, "log.topics").map((topic) => bytesOf(topic, 32, "log.topics"));
  return { address: bytesOf(address, 20, "log.address"), topics: words, data };
}

/**
 * (1) bounds (2) header chain (3) receipt under receiptsRoot (4) success (5) event = checkpoint (6) time.
 *
 * NOT CHECKED HERE: that the last block hash is real, and that the contract is the right one. THE CALLER'S TRUST SAYS SO.
 * @param {any} anchor members as in SPEC §13 @param {import("./attestation.js").Checkpoint} checkpoint
 */
export function verifyEvmAnchor(anchor, checkpoint) {
  requireBounds(anchor);
  requireSame("anchor.tree_size", checkpoint.treeSize, anchor.tree_size);
  const header = decodeHeader(anchor.header);
  const last = requireChain([header, ...anchor.descendants.map(decodeHeader)]);
  const { succeeded, logs } = decodeReceipt(anchor.receipt);
  if (anchor.log_index >= logs.length) throw refusal("IndexBeyondSize", { index: anchor.log_index, size: logs.length });
  const value = trieValue(header.receiptsRoot, encodeShort(uintBytes(anchor.tx_index)), anchor.proof);
  requireBytes("anchor.receipt", keccak256(value), keccak256(anchor.receipt));
  requireSame("receipt.status", 1, Number(succeeded));
  const signers = requireEvent(logs[anchor.log_index], anchor.contract, checkpoint);
  // The contract refuses an epoch that has not ended (CONTRACT §3.2 row 5).
  if (header.time < checkpoint.timestamp) throw fieldMismatch("header.timestamp", `>= ${checkpoint.timestamp}`, header.time);
  return {
    blockNumber: header.number, blockHash: header.hash, blockTime: header.time, signers,
    lastNumber: last.number, lastHash: last.hash,
  };
}

/** @param {any} anchor */
function requireBounds(anchor) {
  if (anchor.contract.length !== 20) throw fieldMalformed("anchor.contract", "exactly 20 bytes");
  if (anchor.descendants.length > MAX_DESCENDANTS) {
    throw tooLong("anchor.descendants", MAX_DESCENDANTS, anchor.descendants.length);
  }
  if ([anchor.tx_index, anchor.log_index].some((index) => !(index >= 0 && index <= MAX_U64))) {
    throw fieldMalformed("anchor", "an index is from 0 to 2^53-1");
  }
}

/** @param {Header[]} headers */
function requireChain(headers) {
  for (const [older, newer] of pairwise(headers)) {
    requireBytes("header.parentHash", older.hash, newer.parent);
    requireSame("header.number", older.number + 1, newer.number);
  }
  return headers[headers.length - 1];
}

/** The event's word `signers`, if all the rest is this checkpoint, emitted by this contract. @param {ReturnType<typeof decodeLog>} log @param {Uint8Array} contract @param {import("./attestation.js").Checkpoint} checkpoint */
function requireEvent(log, contract, checkpoint) {
  requireBytes("log.address", contract, log.address);
  if (log.topics.length !== 3 || log.data.length !== 128) {
    throw fieldMismatch("log", "3 topics, 128 bytes", `${log.topics.length}, ${log.data.length}`);
  }
  const [topic, logId, treeSize] = log.topics;
  requireBytes("log.topic", ANCHORED, topic);
  requireBytes("log.logId", checkpoint.logId, logId);
  requireBytes("log.treeSize", fromUint(checkpoint.treeSize, 32), treeSize);
  requireBytes("log.rootHash", checkpoint.root, log.data.slice(0, 32));
  requireBytes("log.timestamp", fromUint(checkpoint.timestamp, 32), log.data.slice(32, 64));
  requireBytes("log.validatorSetId", fromUint(checkpoint.setId, 32), log.data.slice(64, 96));
  return toBig(log.data.subarray(96));
}

/** @param {string} field @param {Uint8Array} expected @param {Uint8Array} got */
function requireBytes(field, expected, got) {
  if (!equal(expected, got)) throw fieldMismatch(field, hex(expected), hex(got));
}
