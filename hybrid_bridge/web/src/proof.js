/**
 * What a tree of RFC 6962 promises: that a leaf is in it, that a newer tree extends an older one.
 *
 * The number of hashes in a path is checked before the first one is hashed: that stops one leaf from verifying at several
 * indices. Source: SPEC §1, §2; RFC 9162 §2.1.3.2, §2.1.4.2.
 */

import { bitCount, bitLength, concat, equal } from "./bytes.js";
import { asDigest, asInteger, asOctets, MAX_U64, sha256 } from "./encoding.js";
import { fieldMalformed, refusal } from "./errors.js";

export const MAX_INCLUSION_PATH = 53; // a tree of 2^53-1 leaves
export const MAX_CONSISTENCY_PATH = 54; // one more: the node at which the older tree ends

const LEAF_TAG = Uint8Array.of(0);
const NODE_TAG = Uint8Array.of(1);

/** LEAF(d) = H(0x00 ‖ d). @param {Uint8Array} data */
export const leafHash = (data) => sha256(concat(LEAF_TAG, asOctets(data, "data")));

/** NODE(l, r) = H(0x01 ‖ l ‖ r). @param {Uint8Array} left @param {Uint8Array} right */
export const nodeHash = (left, right) => sha256(concat(NODE_TAG, asDigest(left, "left"), asDigest(right, "right")));

/** How many hashes the path of `index` has in a tree of `size` leaves. @param {number} index @param {number} size */
export function inclusionLength(index, size) {
  requireSizes(asInteger(size, "size"), size);
  if (asInteger(index, "index") < 0 || index >= size) throw refusal("IndexBeyondSize", { index, size });
  const inner = innerLength(index, size);
  return inner + bitCount(BigInt(index) >> BigInt(inner));
}

/** Levels on which the path may turn either way. @param {number} index @param {number} size */
const innerLength = (index, size) => bitLength(BigInt(index) ^ BigInt(size - 1));

/** The root of a tree of `size` leaves in which `leaf` stands at `index`. Compares nothing. @param {Uint8Array} leaf @param {number} index @param {number} size @param {Uint8Array[]} path */
export function inclusionRoot(leaf, index, size, path) {
  const siblings = requirePath(path, inclusionLength(index, size));
  const inner = innerLength(index, size);
  const bits = BigInt(index);
  let value = asDigest(leaf, "leaf_hash");
  siblings.forEach((sibling, k) => {
    const isRight = k >= inner || (bits >> BigInt(k)) & 1n;
    value = isRight ? nodeHash(sibling, value) : nodeHash(value, sibling);
  });
  return value;
}

/** Return if `leaf` stands at `index` in the tree of `size` leaves with this `root` (SPEC §2). @param {Uint8Array} leaf @param {number} index @param {number} size @param {Uint8Array[]} path @param {Uint8Array} root */
export function verifyInclusion(leaf, index, size, path, root) {
  const expected = asDigest(root, "root");
  requireRoot(expected, inclusionRoot(leaf, index, size, path));
}

/** @param {number} oldSize @param {number} newSize */
export function consistencyLength(oldSize, newSize) {
  requireSizes(asInteger(oldSize, "old_size"), asInteger(newSize, "new_size"));
  if (oldSize === newSize) return 0;
  const { shift, inner, border } = consistencyShape(oldSize, newSize);
  return inner + border + (BigInt(oldSize) === 1n << BigInt(shift) ? 0 : 1);
}

/** Trailing zeros of the older size, levels below and hashes above the point where the trees part. @param {number} oldSize @param {number} newSize */
function consistencyShape(oldSize, newSize) {
  const old = BigInt(oldSize);
  const shift = bitLength(old & -old) - 1;
  const inner = bitLength((old - 1n) ^ BigInt(newSize - 1)) - shift;
  return { shift, inner, border: bitCount((old - 1n) >> BigInt(inner + shift)) };
}

/** The roots of both trees as the path has them. Compares nothing. @param {number} oldSize @param {number} newSize @param {Uint8Array[]} path @param {Uint8Array} oldRoot */
export function consistencyRoots(oldSize, newSize, path, oldRoot) {
  const siblings = [...requirePath(path, consistencyLength(oldSize, newSize))];
  let seed = asDigest(oldRoot, "old_root");
  if (oldSize === newSize) return [seed, seed];
  const { shift, inner } = consistencyShape(oldSize, newSize);
  if (BigInt(oldSize) !== 1n << BigInt(shift)) seed = /** @type {Uint8Array} */ (siblings.shift());
  let older = seed;
  let newer = seed;
  const position = BigInt(oldSize - 1) >> BigInt(shift);
  siblings.forEach((sibling, k) => {
    if (k >= inner || (position >> BigInt(k)) & 1n) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
    } else newer = nodeHash(newer, sibling);
  });
  return [older, newer];
}

/** Return if the tree with `newRoot` begins with all leaves of the tree with `oldRoot`, in order (SPEC §2). @param {number} oldSize @param {number} newSize @param {Uint8Array[]} path @param {Uint8Array} oldRoot @param {Uint8Array} newRoot */
export function verifyConsistency(oldSize, newSize, path, oldRoot, newRoot) {
  const expectedOld = asDigest(oldRoot, "old_root");
  const expectedNew = asDigest(newRoot, "new_root");
  const [older, newer] = consistencyRoots(oldSize, newSize, path, expectedOld);
  requireRoot(expectedOld, older);
  requireRoot(expectedNew, newer);
}

/** @param {Uint8Array} expected @param {Uint8Array} calculated */
export function requireRoot(expected, calculated) {
  if (!equal(expected, calculated)) throw refusal("RootMismatch", { expected, calculated });
}

/** @param {unknown} path @param {number} expected @returns {Uint8Array[]} */
function requirePath(path, expected) {
  if (!Array.isArray(path)) throw fieldMalformed("path", "a sequence");
  if (path.length !== expected) throw refusal("PathLength", { expected, got: path.length });
  return path.map((sibling) => asDigest(sibling, "path"));
}

/** @param {number} older @param {number} newer */
function requireSizes(older, newer) {
  if (!(older >= 1 && older <= newer && newer <= MAX_U64)) throw refusal("SizeOrder", { older, newer });
}
