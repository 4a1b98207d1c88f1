/** What the verifier brings: which logs, public chains and public block hashes it takes for real. Source: SPEC §11. */

import { equal } from "./bytes.js";
import { canonicalJson, parseJson } from "./encoding.js";
import { fieldMalformed } from "./errors.js";
import { leafHash } from "./proof.js";
import { array, literal, octets, record, text, uint } from "./shape.js";
import { parsePolicy } from "./tlog-policy.js";

const MAX_TRUST = 1 << 20; // bytes
const REQUIREMENTS = [
  "integrity", "quorum", "names", "public anchor", "witnesses", "not after", "not before", "freshness", "registry",
  "omission", "governance since",
]; // the verdicts that a trust file may require; the level has a member of its own

const LOG = record({ log_id: octets(32) }, { genesis: octets(832) }, (log) => {
  if (log.genesis !== null && !equal(leafHash(log.genesis), log.log_id)) {
    throw fieldMalformed("trust.logs.genesis", "the record that log_id is the hash of");
  }
  return log;
});
const CHAIN = record({
  chain_id: uint(),
  contracts: array(octets(20), 64),
  block_hashes: array(record({ number: uint(), hash: octets(32) }), 4096),
  sources: array(text(512), 16),
  threshold: uint(16),
});
const TRUST = record(
  {
    format: literal("hybrid-bridge/trust/v1"),
    logs: array(LOG, 256),
    public_chains: array(CHAIN, 64),
    tsa_roots: array(octets(null, 1 << 14), 64),
    member_roots: array(octets(null, 1 << 14), 64),
    require: array(literal(...REQUIREMENTS), REQUIREMENTS.length),
  },
  { tlog_policy: text(1 << 16), max_age: uint(), minimum_level: literal("A0", "A1", "A2", "A3") },
);

/**
 * The verifier's own file; members are named as in it, absent ones are null.
 * @typedef {{ logs: any[], public_chains: any[], tsa_roots: Uint8Array[], member_roots: Uint8Array[], require: string[],
 *   tlog_policy: string | null, max_age: number | null, minimum_level: string | null }} Trust
 */

/** The trust of somebody who has no file: what is shown can be read, nothing relied on. @param {Uint8Array[]} logIds @returns {Trust} */
export const bareTrust = (logIds = []) => ({
  logs: logIds.map((log_id) => ({ log_id, genesis: null })), public_chains: [], tsa_roots: [], member_roots: [],
  require: ["integrity", "quorum", "public anchor"], tlog_policy: null, max_age: null, minimum_level: null,
});

/** White space is free; members are strict. @param {Uint8Array} data @returns {Trust} */
export function parseTrust(data) {
  const value = parseJson(data, "trust", MAX_TRUST);
  canonicalJson(value); // our value set only: no lone surrogate
  const trust = TRUST.parse(value, "trust");
  if (trust.tlog_policy !== null) parsePolicy(trust.tlog_policy); // refused here, not when the first witness is met
  requireOnce(trust.public_chains.map((/** @type {any} */ chain) => chain.chain_id), "trust.public_chains");
  for (const chain of trust.public_chains) {
    requireOnce(chain.block_hashes.map((/** @type {any} */ block) => block.number), "trust.public_chains.block_hashes");
  }
  return trust;
}

/** What stands twice could contradict itself, and one of the two would be ignored. @param {number[]} numbers @param {string} field */
function requireOnce(numbers, field) {
  if (new Set(numbers).size !== numbers.length) throw fieldMalformed(field, "each number once");
}
