/** Governance records: who keeps the accounts, who is a member, what an outsider must know. Source: SPEC §7.3. */

import { concat, equal, hex } from "./bytes.js";
import { asOctets, WordRecord } from "./encoding.js";
import { fieldMismatch, refusal, requireSame } from "./errors.js";
import { compressedPoint } from "./signing.js";
import { decodeEntries, ENTRY_WIDTH } from "./validators.js";

const SET_UPDATE = new WordRecord(
  "HybridBridge.SetUpdate.v1(bytes32 logId,uint64 setId,bytes32 previousSetHash,bytes32 setHash," +
    "uint64 effectiveFromSize,bytes32 decoyKeyHash,bytes32 replaces,bytes32 reasonHash,uint64 n)",
);
const MEMBER_UPDATE = new WordRecord(
  "HybridBridge.MemberUpdate.v1(bytes32 logId,uint64 action,bytes32 nameHash,bytes32 certificateHash,bytes32 keyId," +
    "uint64 roles,uint64 fromEpoch,bytes32 cardHash,bytes32 replaces,bytes32 reasonHash)",
);
const NOTICE = new WordRecord(
  "HybridBridge.Notice.v1(bytes32 logId,uint64 noticeType,uint64 source,uint64 time,uint64 until,bytes32 entryLeaf," +
    "bytes32 subjectHash,bytes32 detailHash)",
);
const CONSENSUS_KEY = new WordRecord(
  "HybridBridge.ConsensusKey.v1(bytes32 logId,bytes32 keyId,uint64 keyPrefix,bytes32 keyX,bytes32 replaces," +
    "bytes32 possessionR,bytes32 possessionS,bytes32 reasonHash)",
);

export const ACTIONS = [ // from 1
  "member added", "member removed", "certificate or card replaced", "member suspended", "member reinstated",
];
const MAX_ROLES = 31; // member, node, regulator, court, auditor: one bit each
export const OWN_RECORD = 1; // Notice.source
const PLATFORM = 2;
export const NOTICE_NAMES = [
  "brake on", "brake off", "code or contract upgrade", "administrator change", "freeze", "lift", "erasure",
  "redaction observed", "trust root change", "algorithm change", "archive or prune", "outage", "fork or rollback observed",
  "other power used", "policy or rule pack", "label table", "object reassigned", "succeeded by another log",
]; // Notice.noticeType, from 1

/** @typedef {any} GovernanceRecord `type` is SetUpdate, MemberUpdate, Notice or ConsensusKey */

/** The next validator set, (10 + 4n)·32 bytes. @param {Uint8Array} data */
function decodeSetUpdate(data) {
  if (data.length < SET_UPDATE.width) throw refusal("RecordMalformed", { expected: SET_UPDATE.width, got: data.length });
  const words = SET_UPDATE.decode(data.slice(0, SET_UPDATE.width));
  const expected = SET_UPDATE.width + words.n * ENTRY_WIDTH;
  if (data.length !== expected) throw refusal("RecordMalformed", { expected, got: data.length });
  SET_UPDATE.require(words.setId >= 2, "setId");
  const validators = decodeEntries(words.setId, data.slice(SET_UPDATE.width));
  SET_UPDATE.require(words.effectiveFromSize >= 3, "effectiveFromSize");
  if (!equal(words.setHash, validators.digest)) {
    throw refusal("SetMismatch", { expected: words.setHash, calculated: validators.digest });
  }
  return { type: "SetUpdate", ...words, validators };
}

/** A member comes, goes, has another certificate or card, is suspended or reinstated: 352 bytes. @param {Uint8Array} data */
function decodeMemberUpdate(data) {
  const words = MEMBER_UPDATE.decode(data);
  MEMBER_UPDATE.require(words.action >= 1 && words.action <= ACTIONS.length, "action");
  MEMBER_UPDATE.require(words.roles <= MAX_ROLES, "roles");
  return { type: "MemberUpdate", ...words };
}

/** @param {Uint8Array} data */
function decodeNotice(data) {
  const words = NOTICE.decode(data);
  NOTICE.require(words.noticeType >= 1 && words.noticeType <= NOTICE_NAMES.length, "noticeType");
  NOTICE.require(words.source === OWN_RECORD || words.source === PLATFORM, "source");
  return { type: "Notice", ...words };
}

/** Which key signs for a member in the engine; its signature of possession is not checked. @param {Uint8Array} data */
export function decodeConsensusKey(data) {
  const words = CONSENSUS_KEY.decode(data);
  CONSENSUS_KEY.require(words.keyPrefix === 2 || words.keyPrefix === 3, "keyPrefix");
  const key = concat(Uint8Array.of(words.keyPrefix), words.keyX);
  CONSENSUS_KEY.require(compressedPoint(key) !== null, "keyX");
  return { type: "ConsensusKey", ...words, key, encoded: data };
}

const DECODERS = new Map([
  [hex(SET_UPDATE.hash), decodeSetUpdate],
  [hex(MEMBER_UPDATE.hash), decodeMemberUpdate],
  [hex(NOTICE.hash), decodeNotice],
  [hex(CONSENSUS_KEY.hash), decodeConsensusKey],
]);

/** Any record behind the genesis record, told apart by word 0. @param {Uint8Array} data @returns {GovernanceRecord} */
export function decodeGovernance(data) {
  const decode = DECODERS.get(hex(asOctets(data, "governance").subarray(0, 32)));
  if (decode === undefined) throw refusal("WordMalformed", { index: 0 });
  return decode(data);
}

/** `update`, committed in `epoch`, may follow the `current` set (SPEC §8.1). @param {GovernanceRecord} update @param {import("./validators.js").ValidatorSet} current @param {number} epoch */
export function verifySuccession(update, current, epoch) {
  requireSame("set_update.set_id", current.setId + 1, update.setId);
  requireSame("set_update.previous_set_hash", hex(current.digest), hex(update.previousSetHash));
  if (update.effectiveFromSize < epoch + 2) {
    throw fieldMismatch("set_update.effective_from_size", `>= ${epoch + 2}`, update.effectiveFromSize);
  }
}
