/**
 * A CometBFT block header, and whether more than two thirds of a validator set signed it.
 *
 * Source: CometBFT v0.38, spec/core/data_structures.md and spec/core/encoding.md.
 */

import { concat, equal, hex, isZero, toBig, toBigLittle, utf8 } from "../bytes.js";
import { sha256 } from "../encoding.js";
import { fieldMalformed, fieldMismatch, refusal, requireSame } from "../errors.js";
import { edEquation } from "../keys.js";
import { leafHash, nodeHash } from "../proof.js";
import { compressedPoint, HALF_ORDER } from "../signing.js";
import { ed25519, secp256k1 } from "../vendor/noble.js";
import * as pb from "./protobuf.js";

export const MAX_VALIDATORS = 10_000; // of the engine: types.MaxVotesCount
export const MAX_TOTAL_POWER = 2n ** 63n / 8n - 1n; // of the engine: types.MaxTotalVotingPower
export const [ABSENT, COMMITTED, NIL] = [1, 2, 3];
export const SECP256K1 = "secp256k1";
export const ED25519 = "ed25519";
const PRECOMMIT = 2;
const MIN_SECONDS = -62_135_596_800; // year 1: the time of a vote that is absent
const MAX_SECONDS = 253_402_300_800; // year 10000
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** @type {Record<string, [number, number]>} number in PublicKey's oneof, bytes */
const KEYS = { [ED25519]: [1, 32], [SECP256K1]: [2, 33] };

/** RFC 6962 §2.1, word for word: these trees are seen whole. @param {Uint8Array[]} leaves @returns {Uint8Array} */
function rootOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  const k = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** @typedef {{ seconds: number, nanos: number }} Timestamp */

/** @param {number} seconds @param {number} nanos @returns {Timestamp} */
export function timestamp(seconds, nanos) {
  if (seconds < MIN_SECONDS || seconds >= MAX_SECONDS || nanos > 999_999_999) {
    throw fieldMalformed("time", "a moment of the years 1 to 9999 in nanoseconds");
  }
  return { seconds, nanos };
}

/** @param {Timestamp} time */
const encodeTime = ({ seconds, nanos }) => concat(pb.number(1, seconds), pb.number(2, nanos));

/** What a vote names: the header's hash, and number and root of the block's parts. @param {any} id */
export function blockId(id) {
  const isHash = (/** @type {Uint8Array} */ bytes) => bytes.length === 0 || bytes.length === 32;
  if (!isHash(id.hash) || !isHash(id.parts_hash)) throw fieldMalformed("block_id", "hashes of 32 bytes, parts of 32 bits");
  return id;
}

/** @param {any} id */
const encodeBlockId = (id) =>
  concat(pb.octets(1, id.hash), pb.message(2, concat(pb.number(1, id.parts), pb.octets(2, id.parts_hash))));

/** The fourteen fields that the block hash commits to. @param {any} header */
export function header(header) {
  const length = utf8(header.chain_id).length;
  if (length < 1 || length > 50 || header.chain_id.includes("\0")) throw fieldMalformed("chain_id", "1 to 50 bytes without a zero");
  if (header.height < 1) throw fieldMalformed("height", "from 1, 63 bits");
  return { ...header, hash: headerHash(header) };
}

/** Root over the fields, each in its protobuf encoding; scalars as wrapper messages. @param {any} h */
function headerHash(h) {
  const hashes = [h.last_commit_hash, h.data_hash, h.validators_hash, h.next_validators_hash, h.consensus_hash, h.app_hash,
    h.last_results_hash, h.evidence_hash, h.proposer_address];
  const fields = [
    concat(pb.number(1, h.block_version), pb.number(2, h.app_version)),
    pb.octets(1, utf8(h.chain_id)),
    pb.number(1, h.height),
    encodeTime(h.time),
    encodeBlockId(h.last_block_id),
    ...hashes.map((hash) => pb.octets(1, hash)),
  ];
  return rootOf(fields.map(leafHash));
}

/** A consensus key and how much its vote weighs. @param {any} validator */
export function validator({ kind, key, power }) {
  if (key.length !== KEYS[kind][1]) throw fieldMalformed("validator", "an ed25519 key of 32 bytes or a secp256k1 key of 33");
  if (power < 1) throw fieldMalformed("power", `from 1 to ${MAX_TOTAL_POWER}`);
  return { kind, key, power };
}

/** In the engine's order: power descending, then address. @param {any} set */
export function engineSet({ validators }) {
  if (validators.length < 1) throw fieldMalformed("validators", `1 to ${MAX_VALIDATORS}`);
  if (new Set(validators.map((/** @type {any} */ one) => hex(one.key))).size < validators.length) {
    throw fieldMalformed("validators", "each key once");
  }
  const power = validators.reduce((/** @type {bigint} */ total, /** @type {any} */ one) => total + BigInt(one.power), 0n);
  if (power > MAX_TOTAL_POWER) throw fieldMalformed("validators", `at most ${MAX_TOTAL_POWER} of power`);
  const leaves = validators.map((/** @type {any} */ one) =>
    leafHash(concat(pb.message(1, pb.octets(KEYS[one.kind][0], one.key)), pb.number(2, one.power))));
  return { validators, power, hash: rootOf(leaves) };
}

/** One slot of a commit. Only COMMITTED counts. @param {any} vote */
export function vote(vote) {
  if ((vote.flag === ABSENT) !== (vote.signature.length === 0)) throw fieldMalformed("vote", "absent without a signature, else one");
  return vote;
}

/** What that validator signed: the length-delimited CanonicalVote. @param {any} signed @param {any} slot */
const signBytes = ({ header: h, commit }, slot) =>
  pb.delimited(concat(
    pb.number(1, PRECOMMIT), pb.fixed64(2, h.height), pb.fixed64(3, commit.round), pb.message(4, encodeBlockId(commit.block_id)),
    pb.message(5, encodeTime(slot.time)), pb.octets(6, utf8(h.chain_id)),
  ));

/** More than two thirds of the power of `trusted` signed this header. @param {any} signed @param {any} trusted */
export function verifySignedHeader(signed, trusted) {
  const { header: h, commit } = signed;
  if (!equal(h.validators_hash, trusted.hash)) {
    throw refusal("SetMismatch", { expected: h.validators_hash, calculated: trusted.hash });
  }
  if (!equal(commit.block_id.hash, h.hash)) throw fieldMismatch("commit.block_id", hex(h.hash), hex(commit.block_id.hash));
  requireSame("votes", trusted.validators.length, commit.votes.length);
  let power = 0n;
  trusted.validators.forEach((/** @type {any} */ one, /** @type {number} */ i) => {
    if (commit.votes[i].flag !== COMMITTED) return;
    if (!holds(one, signBytes(signed, commit.votes[i]), commit.votes[i].signature)) {
      throw refusal("SignatureWrong", { signer: hex(one.key) });
    }
    power += BigInt(one.power);
  });
  if (power * 3n <= trusted.power * 2n) throw refusal("BelowQuorum", { needed: (trusted.power * 2n) / 3n + 1n, got: power });
}

/** @param {any} one @param {Uint8Array} message @param {Uint8Array} signature */
const holds = (one, message, signature) =>
  signature.length === 64 && (one.kind === ED25519 ? edHolds(one.key, message, signature) : secpHolds(one.key, message, signature));

/** As OpenSSL, which takes points that are not canonical. @param {Uint8Array} key @param {Uint8Array} message @param {Uint8Array} signature */
function edHolds(key, message, signature) {
  if (toBigLittle(signature.subarray(32)) >= ED25519_ORDER) return false;
  try {
    return edEquation(ed25519.Point.fromBytes(key, true), key, message, signature);
  } catch {
    return false;
  }
}

/** @param {Uint8Array} key @param {Uint8Array} message @param {Uint8Array} signature */
function secpHolds(key, message, signature) {
  const point = compressedPoint(key);
  if (point === null || toBig(signature.subarray(32)) > HALF_ORDER || isZero(signature.subarray(32))) return false;
  return secp256k1.verify(signature, sha256(message), key, { prehash: false, lowS: true });
}
