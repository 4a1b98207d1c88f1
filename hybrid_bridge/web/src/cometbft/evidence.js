/**
 * Consensus evidence of a CometBFT ledger: what a bundle carries as source evidence `cometbft/1`, and what it proves.
 *
 * The ledger id in the genesis record commits to the first validators; from them the history is walked to the blocks that
 * are shown. Source: SPEC §5, §11; CometBFT v0.38, spec/light-client/verification.
 */

import { compare, concat, equal, fromUint, hex, utf8 } from "../bytes.js";
import { b64u, context, MAX_U64, parseCanonicalJson, sha256, Writer } from "../encoding.js";
import { epochOf } from "../epoch.js";
import { fieldMalformed, fieldMismatch, refusal, requireSame } from "../errors.js";
import { decodeConsensusKey } from "../governance.js";
import { inclusionRoot, leafHash, MAX_INCLUSION_PATH, requireRoot } from "../proof.js";
import { array, literal, octets, record, text, uint } from "../shape.js";
import {
  blockId, COMMITTED, ED25519, engineSet, header, MAX_TOTAL_POWER, MAX_VALIDATORS, NIL, SECP256K1, timestamp, validator, verifySignedHeader, vote,
} from "./header.js";
import * as pb from "./protobuf.js";

export const TYPE = "cometbft/1";
const MAX_EVIDENCE = 1 << 20; // bytes

// ── JSON ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const HASH = octets(32);
const PATH = array(HASH, MAX_INCLUSION_PATH);
const U = uint();

/** Seconds, a point, nine digits: text, since the time of an absent vote lies in the year 1. @type {import("../shape.js").Codec} */
const TIME = {
  parse(value, field) {
    const found = /^(0|-?[1-9][0-9]{0,11})\.([0-9]{9})$/.exec(text(23).parse(value, field));
    if (found === null) throw fieldMalformed(field, "seconds, a point and nine digits");
    return timestamp(Number(found[1]), Number(found[2]));
  },
  write: (time) => `${time.seconds}.${String(time.nanos).padStart(9, "0")}`,
};
/** @type {import("../shape.js").Codec} */
const FLAG = {
  parse(value, field) {
    const flag = uint(NIL).parse(value, field);
    if (flag === 0) throw fieldMalformed(field, "1, 2 or 3");
    return flag;
  },
  write: (flag) => flag,
};
const BLOCK_ID = record({ hash: octets(null, 32), parts: uint(2 ** 32 - 1), parts_hash: octets(null, 32) }, {}, blockId);
const HEADER = record(
  {
    block_version: U, app_version: U, chain_id: text(50), height: U, time: TIME, last_block_id: BLOCK_ID, last_commit_hash: HASH,
    data_hash: HASH, validators_hash: HASH, next_validators_hash: HASH, consensus_hash: HASH, app_hash: octets(null, 64),
    last_results_hash: HASH, evidence_hash: HASH, proposer_address: octets(20),
  },
  {},
  header,
);
const VOTE = record({ flag: FLAG, time: TIME, signature: octets(null, 64) }, {}, vote);
const COMMIT = record({ round: uint(2 ** 31 - 1), block_id: BLOCK_ID, votes: array(VOTE, MAX_VALIDATORS) });
const SIGNED = record({ header: HEADER, commit: COMMIT });
const MOST_POWER = MAX_TOTAL_POWER < BigInt(MAX_U64) ? Number(MAX_TOTAL_POWER) : MAX_U64;
const VALIDATOR = record({ kind: literal(ED25519, SECP256K1), key: octets(null, 33), power: uint(MOST_POWER) }, {}, validator);
const SET = record({ validators: array(VALIDATOR, MAX_VALIDATORS) }, {}, engineSet);
const STATE = record({ chain: HASH, governance_size: U, governance_root: HASH, writes: HASH });
const OUTCOME = record({ following: SIGNED, code: uint(2 ** 16 - 1), path: PATH, state: STATE });
const EXECUTION = record({ block: SIGNED, index: U, count: U, path: PATH }, { outcome: OUTCOME });
/** @type {import("../shape.js").Codec} */
const BOUND = {
  parse: (value, field) => decodeConsensusKey(octets(288).parse(value, field)),
  write: (bound) => b64u(bound.encoded),
};
const EVIDENCE = record(
  {
    chain_id: text(50), first: SET, handovers: array(record({ signed: SIGNED, following: SET }), 256), last: SIGNED,
    executions: array(EXECUTION, 64),
  },
  { bindings: array(record({ index: U, record: BOUND, path: PATH }), 512) },
  (evidence) => {
    if (evidence.bindings?.length === 0) throw fieldMalformed("bindings", "left out if there are none");
    return evidence;
  },
);

/** @typedef {any} Evidence */

/** @param {Uint8Array} data @returns {Evidence} */
export const decodeEvidence = (data) => EVIDENCE.parse(parseCanonicalJson(data, "source evidence", MAX_EVIDENCE), "source evidence");

/** How many signatures must be checked, at most. @param {Evidence} evidence */
export function signaturesIn({ handovers, last, executions }) {
  const following = executions.flatMap((/** @type {any} */ one) => (one.outcome === null ? [] : [one.outcome.following]));
  const signed = [...handovers.map((/** @type {any} */ one) => one.signed), last, ...executions.map((/** @type {any} */ one) => one.block), ...following];
  return signed.flatMap((one) => one.commit.votes).filter((slot) => slot.flag === COMMITTED).length;
}

/** Of every header shown of the epoch's blocks and of the one behind each. @param {Evidence} evidence @returns {number[]} */
function heightsIn({ last, executions }) {
  const following = executions.flatMap((/** @type {any} */ one) => (one.outcome === null ? [] : [one.outcome.following]));
  return [last, ...executions.map((/** @type {any} */ one) => one.block), ...following].map((signed) => signed.header.height);
}

// ── which validators when ──────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {{ chainId: string, periods: { start: number, set: any }[] }} History */

/** The set in charge at its height signed this header of this chain. @param {History} history @param {any} signed */
function verifyIn(history, signed) {
  requireSame("chain_id", history.chainId, signed.header.chain_id);
  verifySignedHeader(signed, inCharge(history, signed.header.height));
}

/** The set that signs at a height. @param {History} history @param {number} height */
function inCharge({ periods }, height) {
  const found = periods.filter(({ start }) => start <= height);
  if (found.length === 0) throw fieldMismatch("height", `from ${periods[0].start}`, height);
  return found[found.length - 1].set;
}

/** From the set at genesis: each change is named by a header that the set before it signed. @param {Evidence} evidence @param {number} initialHeight @returns {History} */
function walk(evidence, initialHeight) {
  /** @type {History} */ const history = { chainId: evidence.chain_id, periods: [{ start: initialHeight, set: evidence.first }] };
  for (const { signed, following } of evidence.handovers) {
    const { start } = history.periods[history.periods.length - 1];
    if (signed.header.height < start) throw fieldMismatch("height", `from ${start}`, signed.header.height);
    verifyIn(history, signed);
    if (!equal(following.hash, signed.header.next_validators_hash)) {
      throw refusal("SetMismatch", { expected: signed.header.next_validators_hash, calculated: following.hash });
    }
    history.periods.push({ start: signed.header.height + 1, set: following });
  }
  return history;
}

// ── whose the keys are ─────────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {Map<string, Uint8Array>} Holders key id by consensus key in hex */
/** @typedef {Set<string>} Seats the identity keys of a set, in hex */

/** By records that stand in the epoch's governance tree. @param {any[]} bindings @param {any} epoch @returns {Holders} */
function holdersOf(bindings, epoch) {
  /** @type {Holders} */ const holders = new Map();
  let before = -1;
  for (const { index, record: bound, path } of bindings) {
    if (index <= before) throw fieldMalformed("bindings", "strictly ascending by index");
    before = index;
    requireSame("binding.log_id", hex(epoch.logId), hex(bound.logId));
    requireRoot(epoch.governanceRoot, inclusionRoot(leafHash(bound.encoded), index, epoch.governanceSize, path));
    const holder = holders.get(hex(bound.key)) ?? bound.keyId;
    holders.set(hex(bound.key), holder);
    requireSame("holder of a consensus key", hex(holder), hex(bound.keyId));
  }
  return holders;
}

/** Who votes in a set of the engine; null if a record is missing. @param {any} set @param {Holders} holders @returns {Seats | null} */
function seatsOf({ validators }, holders) {
  const found = validators.map((/** @type {any} */ one) => holders.get(hex(one.key)));
  const seats = /** @type {Seats} */ (new Set(found.filter((/** @type {any} */ key) => key !== undefined).map(hex)));
  if (seats.size < found.length) {
    if (found.includes(undefined)) return null;
    throw fieldMismatch("engine's validators", "one vote a member", `${found.length} votes`);
  }
  if (validators.some((/** @type {any} */ one) => one.kind !== SECP256K1 || one.power !== 1)) {
    throw fieldMismatch("engine's validators", "secp256k1 keys of power 1", "another vote");
  }
  return seats;
}

/** Every vote behind the first set's is a member's, by a record that is shown. @param {History} history @param {Holders} holders */
function requireNamed({ periods }, holders) {
  for (const { set } of periods.slice(1)) {
    if (seatsOf(set, holders) === null) {
      const stranger = set.validators.find((/** @type {any} */ one) => !holders.has(hex(one.key)));
      throw fieldMismatch("consensus key", "a member's by a governance record", hex(stranger.key));
    }
  }
}

/** Within the epoch, the engine's set changes by its first block alone (SPEC §8.1). @param {History} history @param {any} epoch */
function requireTold({ periods }, epoch) {
  for (const { start } of periods.slice(1)) {
    const told = start - 2; // its effect begins two blocks later
    if (epoch.firstBlock < told && told < epoch.endBlock) throw fieldMismatch("block of a change", epoch.firstBlock, told);
  }
}

/** @param {Seats | null} one @param {Seats | null} other */
const sameSeats = (one, other) => one !== null && other !== null && one.size === other.size && [...one].every((seat) => other.has(seat));

/**
 * Whether each set of the engine is a set of the log: the first the first, each later one none before its turn.
 * @param {Consensus} consensus @param {number[]} sizes of the checkpoint that the epoch of each change closes
 * @param {{ firstSize: number, seats: Seats | null }[]} terms the log's sets from the first on
 */
export function isTied({ history, holders }, sizes, terms) {
  let [at, known] = [0, true];
  [terms[0].firstSize, ...sizes].forEach((size, i) => {
    const { start, set } = history.periods[i];
    const seats = seatsOf(set, holders);
    const due = terms.map((_, k) => k).filter((k) => k >= at && terms[k].firstSize <= size);
    const found = due.find((k) => sameSeats(seats, terms[k].seats));
    if (found !== undefined) at = found;
    else if (seats === null || due.some((k) => terms[k].seats === null)) known = false;
    else throw fieldMismatch(`engine's validators from block ${start} on`, "a set of the log in its turn", "others");
  });
  return known;
}

/**
 * Whether each header is signed by the set that votes at its height, and no older one. An epoch's set votes from the third
 * block of the epoch on; in the first two still does the set of the last epoch whose first block lies two blocks back: the
 * one before, if it has so many blocks (SPEC §8.1). False where an older set signs and it is not shown that it could not.
 * @param {Consensus} consensus @param {Evidence} evidence @param {any} epoch @param {Seats} own
 * @param {{ seats: Seats | null, blocks: number | null }} before the epoch before: null for what is not shown of it
 */
export function isOwn({ history, holders }, evidence, epoch, own, before) {
  let known = true;
  for (const height of heightsIn(evidence)) {
    const lacking = epoch.firstBlock + 2 - height; // blocks that lie between the first one of its set's epoch and here
    const [seats, expected] = [seatsOf(inCharge(history, height), holders), lacking <= 0 ? own : before.seats];
    if (seats === null || expected === null) known = false;
    else if (!sameSeats(seats, expected)) {
      const couldBeOlder = lacking > 0 && (before.blocks === null || before.blocks < lacking);
      const its = `the log's set of epoch ${lacking <= 0 ? epoch.epoch : epoch.epoch - 1}`;
      if (!couldBeOlder) throw fieldMismatch(`engine's validators at block ${height}`, its, "others");
      known = false;
    }
  }
  return known;
}

// ── what it proves ─────────────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {{ history: History, holders: Holders, signers: Uint8Array[], hasOutcomes: boolean }} Consensus */

/**
 * What the engine's validators decided, once all that is shown is true.
 * @param {Evidence} evidence @param {any} genesis already believed @param {any} epoch already believed
 * @param {Uint8Array[]} transactions signed bytes of those that the bundle shows in this epoch @returns {Consensus}
 */
export function verifyEvidence(evidence, genesis, epoch, transactions) {
  requireSame("ledger id", hex(genesis.ledgerId), hex(ledgerId(evidence.chain_id, evidence.first)));
  const history = walk(evidence, genesis.firstBlock);
  const holders = holdersOf(evidence.bindings ?? [], epoch);
  requireNamed(history, holders);
  requireTold(history, epoch);
  verifyLast(evidence.last, history, genesis, epoch);
  requireSame("executions", transactions.length, evidence.executions.length);
  transactions.forEach((transaction, i) => verifyExecution(history, epoch, transaction, evidence.executions[i]));
  const hasOutcomes = evidence.executions.every((/** @type {any} */ one) => one.outcome !== null);
  return { history, holders, signers: signersOf(history, holders, evidence.last), hasOutcomes };
}

/** H(CTX("ledger") ‖ "cometbft/1" ‖ 00 ‖ chain id ‖ 00 ‖ u16 n ‖ n compressed keys, ascending) (SPEC §5). @param {string} chainId @param {any} first */
function ledgerId(chainId, { validators }) {
  if (validators.some((/** @type {any} */ one) => one.kind !== SECP256K1 || one.power !== 1)) {
    throw fieldMalformed("validators", "secp256k1 keys of power 1");
  }
  const keys = validators.map((/** @type {any} */ one) => one.key).sort(compare);
  return sha256(concat(context("ledger"), utf8(`${TYPE}\0${chainId}\0`), fromUint(keys.length, 2), ...keys));
}

/** @param {any} last @param {History} history @param {any} genesis @param {any} epoch */
function verifyLast(last, history, genesis, epoch) {
  verifyIn(history, last);
  requireSame("last block", hex(epoch.lastBlockHash), hex(last.header.hash));
  requireSame("height of the last block", epoch.endBlock - 1, last.header.height);
  requireSame("epoch of the last block", epoch.epoch, epochOf(genesis, last.header.time.seconds));
}

/** @param {History} history @param {any} epoch @param {Uint8Array} transaction @param {any} execution */
function verifyExecution(history, epoch, transaction, { block, index, count, path, outcome }) {
  verifyIn(history, block);
  const { height } = block.header;
  if (height < epoch.firstBlock || height >= epoch.endBlock) {
    throw fieldMismatch("height of the transaction", `from ${epoch.firstBlock}, below ${epoch.endBlock}`, height);
  }
  requireRoot(block.header.data_hash, inclusionRoot(leafHash(sha256(transaction)), index, count, path));
  if (outcome === null) return;
  const following = outcome.following.header;
  verifyIn(history, outcome.following);
  requireSame("block before the outcome", hex(block.header.hash), hex(following.last_block_id.hash));
  requireRoot(following.last_results_hash, inclusionRoot(leafHash(pb.number(1, outcome.code)), index, count, outcome.path));
  requireSame("code", 0, outcome.code);
  requireRoot(following.app_hash, stateHash(outcome.state));
}

/** H(CTX("engine-state") ‖ chain ‖ u64 governanceSize ‖ governanceRoot ‖ writes) (SPEC §5). @param {any} state */
function stateHash(state) {
  const writer = new Writer(context("engine-state")).b32(state.chain, "chain").u64(state.governance_size, "governance_size");
  return sha256(writer.b32(state.governance_root, "governance_root").b32(state.writes, "writes").bytes());
}

/** Whose votes stand under a header, in the engine's order, as far as that is known. @param {History} history @param {Holders} holders @param {any} signed */
function signersOf(history, holders, signed) {
  const voted = inCharge(history, signed.header.height).validators
    .filter((/** @type {any} */ _, /** @type {number} */ i) => signed.commit.votes[i].flag === COMMITTED);
  return voted.flatMap((/** @type {any} */ one) => holders.get(hex(one.key)) ?? []);
}
