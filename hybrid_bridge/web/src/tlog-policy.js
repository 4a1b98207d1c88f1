/** Which witnesses count, and how many: the text of C2SP tlog-policy, read strictly. Source: SPEC §11, §13. */

import { characters, equal } from "./bytes.js";
import { fieldMalformed, tooLong } from "./errors.js";
import { parseVkey, TYPE_COSIGNATURE, TYPE_ED25519, TYPE_MLDSA } from "./note.js";

const MAX_POLICY = 1 << 16; // characters
const MAX_NAMES = 256; // logs, witnesses and groups together
const NONE = "none";

/**
 * @typedef {import("./note.js").VerifierKey} VerifierKey
 * @typedef {{ key: VerifierKey | null, threshold: number, members: string[] }} Node a witness, or a group of some
 * @typedef {{ logs: VerifierKey[], nodes: Map<string, Node>, quorum: string }} Policy
 */

/** @param {string} text @returns {Policy} */
export function parsePolicy(text) {
  if (characters(text) > MAX_POLICY) throw tooLong("tlog_policy", MAX_POLICY, characters(text));
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) || (text && !text.endsWith("\n"))) {
    throw fieldMalformed("tlog_policy", "lines that end with a line feed, no control character but tab");
  }
  /** @type {Draft} */ const draft = { logs: [], nodes: new Map(), taken: new Set(), quorum: null };
  text.split("\n").forEach((line, i) => {
    const items = line.split(/[ \t]+/).filter((item) => item);
    if (items.length && !items[0].startsWith("#")) readLine(draft, items, `tlog_policy line ${i + 1}`);
  });
  if (draft.quorum === null) throw fieldMalformed("tlog_policy", "exactly one quorum line");
  return { logs: draft.logs, nodes: draft.nodes, quorum: draft.quorum };
}

/** @typedef {{ logs: VerifierKey[], nodes: Map<string, Node>, taken: Set<string>, quorum: string | null }} Draft */

/** @param {Draft} draft @param {string[]} items @param {string} field */
function readLine(draft, [word, ...rest], field) {
  if (word === "log" && (rest.length === 1 || rest.length === 2)) readLog(draft, rest[0], field);
  else if (word === "witness" && (rest.length === 2 || rest.length === 3)) readWitness(draft, rest[0], rest[1], field);
  else if (word === "group" && rest.length >= 3) readGroup(draft, rest, field);
  else if (word === "quorum" && rest.length === 1 && draft.quorum === null && (rest[0] === NONE || draft.nodes.has(rest[0]))) {
    [draft.quorum] = rest;
  } else throw fieldMalformed(field, "log, witness, group, or one quorum of a name defined before");
  const names = draft.logs.length + draft.nodes.size;
  if (names > MAX_NAMES) throw tooLong(field, MAX_NAMES, names);
}

/** @param {Draft} draft @param {string} text @param {string} field */
function readLog(draft, text, field) {
  const key = keyOfKind(text, [TYPE_ED25519, TYPE_MLDSA], field);
  require(!draft.logs.some((log) => equal(log.key, key.key)), field, "each log key once");
  draft.logs.push(key);
}

/** @param {Draft} draft @param {string} name @param {string} text @param {string} field */
function readWitness(draft, name, text, field) {
  const key = keyOfKind(text, [TYPE_COSIGNATURE, TYPE_MLDSA], field);
  const isKnown = [...draft.nodes.values()].some((node) => node.key !== null && equal(node.key.key, key.key));
  require(!isKnown, field, "each witness key once");
  define(draft, name, { key, threshold: 0, members: [] }, field);
}

/** @param {Draft} draft @param {string[]} rest @param {string} field */
function readGroup(draft, [name, threshold, ...members], field) {
  for (const member of members) {
    require(draft.nodes.has(member), field, "members defined before");
    require(!draft.taken.has(member), field, "each name a member once");
    draft.taken.add(member);
  }
  const number = /^[1-9][0-9]{0,3}$/.test(threshold) ? Number(threshold) : 0;
  const needed = threshold === "all" ? members.length : threshold === "any" ? 1 : number;
  require(needed >= 1 && needed <= members.length, field, "all, any, or a number from 1 to that of the members");
  define(draft, name, { key: null, threshold: needed, members }, field);
}

/** @param {Draft} draft @param {string} name @param {Node} node @param {string} field */
function define(draft, name, node, field) {
  require(name !== NONE && !draft.nodes.has(name), field, "each name once, and not the name none");
  draft.nodes.set(name, node);
}

/** @param {string} text @param {Uint8Array[]} kinds @param {string} field */
function keyOfKind(text, kinds, field) {
  const key = parseVkey(text);
  require(kinds.some((kind) => equal(kind, key.kind)), field, "a key of the type that logs or witnesses have");
  return key;
}

/** @param {boolean} fact @param {string} field @param {string} rule */
function require(fact, field, rule) {
  if (!fact) throw fieldMalformed(field, rule);
}

/** Every witness, by the name the policy gives it. @param {Policy} policy @returns {[string, VerifierKey][]} */
export const witnessesOf = (policy) => [...policy.nodes].flatMap(([name, { key }]) => (key === null ? [] : [[name, key]]));

/** Whether the quorum is met when the witnesses of these names have cosigned one checkpoint. @param {Policy} policy @param {string[]} cosigned */
export function isMet(policy, cosigned) {
  const met = new Map([[NONE, true]]);
  for (const [name, node] of policy.nodes) { // members stand before their group
    met.set(name, node.key !== null ? cosigned.includes(name) : node.members.filter((member) => met.get(member)).length >= node.threshold);
  }
  return met.get(policy.quorum) === true;
}
