/** A batch does not hold an entry: its leaves ascend, and the two neighbours leave no room. Source: SPEC §6. */

import { isAscending } from "./bytes.js";
import { asDigest } from "./encoding.js";
import { fieldMalformed } from "./errors.js";
import { verifyInclusion } from "./proof.js";

/**
 * @typedef {{ leaf: Uint8Array, index: number, path: Uint8Array[] }} Neighbour
 * @typedef {{ leaf: Uint8Array, left: Neighbour | null, right: Neighbour | null }} Absence
 */

/** Those of the two neighbours that are there. @param {Absence} absence @returns {Neighbour[]} */
export const neighboursOf = ({ left, right }) => /** @type {Neighbour[]} */ ([left, right].filter((side) => side !== null));

/** A batch of `size` sorted leaves with this `root` has no room for the leaf. @param {Absence} absence @param {number} size @param {Uint8Array} root */
export function verifyAbsence(absence, size, root) {
  const { left, right } = absence;
  if (left === null && right === null) throw fieldMalformed("absence", "at least one neighbour");
  const before = left === null ? -1 : left.index;
  const after = right === null ? size : right.index;
  if (after !== before + 1) throw fieldMalformed("absence", "neighbours at adjacent places, or one at its end of the batch");
  const leaves = [left?.leaf, absence.leaf, right?.leaf].filter((leaf) => leaf !== undefined);
  if (!isAscending(leaves.map((leaf) => asDigest(leaf, "absence.leaf")))) {
    throw fieldMalformed("absence", "left < leaf < right");
  }
  for (const one of neighboursOf(absence)) verifyInclusion(one.leaf, one.index, size, one.path, root);
}
