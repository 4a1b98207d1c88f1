/** What a registry root says about one index: present with this commitment, or absent. Source: SPEC §9.1. */

import { concat, equal, toBig } from "./bytes.js";
import { asDigest, sha256, ZERO } from "./encoding.js";
import { fieldMalformed, refusal } from "./errors.js";
import { requireRoot } from "./proof.js";

const BITS = 256; // of an index

/**
 * How a prefix tree is hashed; foreign trees of the same shape are another row.
 * @typedef {{ leafTag: Uint8Array, innerTag: Uint8Array, empty: Uint8Array }} Rules
 * @type {Rules}
 */
export const OURS = { leafTag: Uint8Array.of(2), innerTag: Uint8Array.of(3), empty: ZERO };

/**
 * What the tree with this `root` holds at `key`: its value, or null for nothing.
 * @param {Uint8Array} root @param {Uint8Array} key @param {Uint8Array[] | null} terminal key and value of a pair, or null for a hole
 * @param {Uint8Array[]} path siblings, lowest first @param {Rules} rules
 */
export function verifyRegistry(root, key, terminal, path, rules = OURS) {
  requireRules(rules);
  const calculated = registryRoot(key, terminal, path, rules);
  requireRoot(asDigest(root, "registry_root"), calculated);
  return terminal !== null && equal(terminal[0], key) ? terminal[1] : null;
}

/** @param {Rules} rules */
export function requireRules(rules) {
  asDigest(rules.empty, "rules.empty");
  if (equal(rules.leafTag, rules.innerTag)) throw fieldMalformed("rules.inner_tag", "another tag than that of leaves");
}

/** @param {Uint8Array} index @param {Uint8Array[] | null} terminal @param {Uint8Array[]} path @param {Rules} rules */
function registryRoot(index, terminal, path, rules) {
  if (!Array.isArray(path)) throw fieldMalformed("registry.path", "a sequence");
  if (path.length > BITS) throw refusal("PathLength", { expected: BITS, got: path.length });
  let bits = prefix(asDigest(index, "registry.index"), path.length);
  const siblings = path.map((sibling) => asDigest(sibling, "registry.path"));
  // One key or none below the parent: the parent itself would be the terminal.
  if (siblings.length && equal(siblings[0], rules.empty)) throw refusal("TerminalMalformed");
  let value = rules.empty;
  if (terminal !== null) {
    const [key, held] = requirePair(terminal);
    if (prefix(key, path.length) !== bits) throw refusal("TerminalMalformed");
    value = sha256(concat(rules.leafTag, key, held));
  }
  for (const sibling of siblings) {
    value = sha256(bits & 1n ? concat(rules.innerTag, sibling, value) : concat(rules.innerTag, value, sibling));
    bits >>= 1n;
  }
  return value;
}

/** @param {unknown} terminal */
function requirePair(terminal) {
  if (!Array.isArray(terminal)) throw fieldMalformed("terminal", "a sequence");
  if (terminal.length !== 2) throw refusal("TerminalMalformed");
  return [asDigest(terminal[0], "terminal.index"), asDigest(terminal[1], "terminal.commitment")];
}

/** The first `count` bits, the last of them lowest. @param {Uint8Array} index @param {number} count */
const prefix = (index, count) => toBig(index) >> BigInt(BITS - count);
