/** What validators sign and what their signatures are worth: EIP-712 statements and quorums. Source: SPEC §8.1, §8.2. */

import { compare, concat, equal, exact, hex, pairwise, utf8 } from "./bytes.js";
import { asDigest, asInteger, MAX_U64, packWords } from "./encoding.js";
import { fieldMalformed, refusal, requireSame } from "./errors.js";
import { keccak256, recoverAddress } from "./signing.js";

const NAME = keccak256(utf8("HybridBridge"));
const VERSION = keccak256(utf8("1"));
const LOG_DOMAIN = "EIP712Domain(string name,string version,bytes32 salt)";
const POWER_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)";
const CHECKPOINT =
  "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,uint64 validatorSetId,bytes32 validatorSetHash)";
const SET_UPDATE = "ValidatorSetUpdate(bytes32 logId,uint64 setId,bytes32 newSetHash,uint64 effectiveFromSize)";

/**
 * The tree of `treeSize` leaves of this log has this root, at this boundary, signed under this set.
 * @typedef {{ logId: Uint8Array, treeSize: number, root: Uint8Array, timestamp: number, setId: number, setHash: Uint8Array }} Checkpoint
 */

/** Refuses what can never be signed. @param {any} stated @returns {Checkpoint} */
export function checkpoint(stated) {
  for (const [field, value] of [["log_id", stated.logId], ["root", stated.root], ["set_hash", stated.setHash]]) {
    asDigest(value, field);
  }
  for (const [field, number, least] of [["tree_size", stated.treeSize, 2], ["timestamp", stated.timestamp, 0], ["set_id", stated.setId, 1]]) {
    const value = asInteger(number, field);
    if (!(value >= least && value <= MAX_U64)) throw fieldMalformed(field, `${least} to 2^53-1`);
  }
  return stated;
}

/** The 32 bytes that are signed, in the log domain: valid on every chain. @param {Checkpoint} c */
export function checkpointDigest(c) {
  const struct = hashStruct(CHECKPOINT, "bubuub", [c.logId, c.treeSize, c.root, c.timestamp, c.setId, c.setHash]);
  return signedDigest(hashStruct(LOG_DOMAIN, "bbb", [NAME, VERSION, c.logId]), struct);
}

/** What a quorum signs to appoint a set on one contract of one chain (CONTRACT §3.4). @param {any} u */
export function setUpdateDigest(u) {
  const struct = hashStruct(SET_UPDATE, "bubu", [u.logId, u.setId, u.newSetHash, u.effectiveFromSize]);
  return signedDigest(hashStruct(POWER_DOMAIN, "bbuab", [NAME, VERSION, u.chainId, u.contract, u.logId]), struct);
}

/** keccak(typeHash ‖ words): every member of our types is one word. @param {string} type @param {string} kinds @param {(Uint8Array | number)[]} values */
const hashStruct = (type, kinds, values) => keccak256(concat(keccak256(utf8(type)), packWords(kinds, values)));

/** @param {Uint8Array} separator @param {Uint8Array} struct */
const signedDigest = (separator, struct) => keccak256(concat(Uint8Array.of(0x19, 1), separator, struct));

/** The checkpoint carries the time its size asks for. @param {Checkpoint} c @param {number} genesisTime @param {number} cadence */
export function verifyBoundary(c, genesisTime, cadence) {
  for (const [field, value, least] of /** @type {[string, number, number][]} */ ([["genesis_time", genesisTime, 0], ["cadence", cadence, 1]])) {
    if (!(value >= least && value <= MAX_U64)) throw fieldMalformed(field, `${least} to 2^53-1`);
  }
  const expected = exact(BigInt(genesisTime) + (BigInt(c.treeSize) - 1n) * BigInt(cadence));
  if (expected > MAX_U64) throw fieldMalformed("timestamp", "at most 2^53-1");
  requireSame("timestamp", expected, c.timestamp);
}

/** The signers, ascending, if enough members of the set that the checkpoint names signed it. @param {Checkpoint} c @param {import("./validators.js").ValidatorSet} set @param {Uint8Array[]} signatures */
export function verifyQuorum(c, set, signatures) {
  requireSame("set_id", set.setId, c.setId);
  if (!equal(c.setHash, set.digest)) throw refusal("SetMismatch", { expected: c.setHash, calculated: set.digest });
  return quorumSigners(checkpointDigest(c), set, signatures);
}

/** The signers of any statement, ascending, if they are enough of the set. @param {Uint8Array} digest @param {import("./validators.js").ValidatorSet} set @param {Uint8Array[]} signatures */
export function quorumSigners(digest, set, signatures) {
  if (signatures.length > set.entries.length) throw fieldMalformed("signatures", "at most one for each member");
  if (signatures.length < set.quorum) throw refusal("BelowQuorum", { needed: set.quorum, got: signatures.length });
  const members = new Set(set.entries.map((entry) => hex(entry.address)));
  const signers = signatures.map((signature) => recoverAddress(digest, signature));
  for (const address of signers) if (!members.has(hex(address))) throw refusal("SignerUnknown", { address });
  if (pairwise(signers).some(([earlier, later]) => compare(later, earlier) <= 0)) {
    throw fieldMalformed("signatures", "strictly ascending by address");
  }
  return signers;
}
