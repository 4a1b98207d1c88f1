/** What a Merkle-Patricia trie of Ethereum holds under a key. Source: Yellow Paper, appendix D; SPEC §13. */

import { equal, hex } from "./bytes.js";
import { asDigest, asOctets } from "./encoding.js";
import { fieldMalformed, fieldMismatch, refusal, tooLong } from "./errors.js";
import { decodeRlp, listOf } from "./rlp.js";
import { keccak256 } from "./signing.js";

const MAX_KEY = 32; // bytes; a hashed key of the state trie is the longest there is
const MAX_NODE = 1 << 18; // bytes; a leaf of the receipt trie holds a whole receipt

/**
 * What the trie of `root` holds under `key`; `proof` is the nodes from the root down that are named by hash.
 * @param {Uint8Array} root @param {Uint8Array} key @param {Uint8Array[]} proof
 */
export function trieValue(root, key, proof) {
  for (const node of proof) asOctets(node, "trie.node");
  if (key.length < 1 || key.length > MAX_KEY) throw fieldMalformed("trie.key", `1 to ${MAX_KEY} bytes`);
  const most = 2 * key.length + 1;
  if (proof.length > most) throw tooLong("trie.proof", most, proof.length);
  const nodes = [...proof];
  const path = nibbles(key);
  const value = descend(named(asDigest(root, "trie.root"), nodes), path, nodes);
  if (value === null) throw fieldMismatch("trie.key", path.map((nibble) => nibble.toString(16)).join(""), "");
  if (nodes.length) throw refusal("TrailingBytes", { field: "trie.proof", count: nodes.length });
  return value;
}

/** The value or null; `path` keeps what is left of it. @param {import("./rlp.js").Rlp} node @param {number[]} path @param {Uint8Array[]} nodes */
function descend(node, path, nodes) {
  for (;;) {
    const items = listOf(node, 2, 17, "trie.node");
    let child;
    if (items.length === 17) {
      if (path.length === 0) return held(items[16], path);
      child = items[/** @type {number} */ (path.shift())];
    } else if (items.length === 2) {
      const { ends, partial } = hexPrefix(items[0]);
      if (partial.some((nibble, i) => path[i] !== nibble)) return null;
      path.splice(0, partial.length);
      child = items[1];
      if (ends) return held(child, path);
    } else throw fieldMalformed("trie.node", "2 or 17 items");
    if (child instanceof Uint8Array && child.length === 0) return null;
    node = child instanceof Uint8Array ? named(asDigest(child, "trie.node"), nodes) : child;
  }
}

/** The next node, which must have this hash. @param {Uint8Array} name @param {Uint8Array[]} nodes */
function named(name, nodes) {
  const data = nodes.shift();
  if (data === undefined) throw refusal("Truncated", { field: "trie.proof", needed: 1, got: 0 });
  if (data.length > MAX_NODE) throw tooLong("trie.node", MAX_NODE, data.length);
  const calculated = keccak256(data);
  if (!equal(calculated, name)) throw fieldMismatch("trie.node", hex(name), hex(calculated));
  return decodeRlp(data, "trie.node", MAX_NODE);
}

/** The value at the end of the path; null if the path goes on, or there is none. @param {import("./rlp.js").Rlp} value @param {number[]} path */
function held(value, path) {
  if (path.length || (value instanceof Uint8Array && value.length === 0)) return null;
  if (!(value instanceof Uint8Array)) throw fieldMalformed("trie.value", "a byte string");
  return value;
}

/** @param {Uint8Array} data */
const nibbles = (data) => Array.from(data).flatMap((byte) => [byte >> 4, byte & 15]);

/** Flag nibble 0 or 1 extension, 2 or 3 leaf, odd without a pad nibble. @param {import("./rlp.js").Rlp} value */
function hexPrefix(value) {
  const rule = "hex-prefix encoding";
  if (!(value instanceof Uint8Array) || value.length === 0 || value[0] >> 4 > 3) throw fieldMalformed("trie.path", rule);
  const [flag, ...partial] = nibbles(value);
  if (!(flag & 1) && partial.shift() !== 0) throw fieldMalformed("trie.path", rule);
  if (flag < 2 && partial.length === 0) throw fieldMalformed("trie.path", "an extension has a path");
  return { ends: flag >= 2, partial };
}

