/**
 * The field tree of a record: claims, private fields and decoys under one root, always full. Source: SPEC §3.
 */

import { compare, isAscending } from "./bytes.js";
import { decoyDigest, disclosureDigest, ORIGIN, requireHalf, requireOnce, SCHEMA } from "./disclosure.js";
import { ZERO } from "./encoding.js";
import { MAX_WIDTH, requireWidth } from "./entry.js";
import { fieldMalformed, tooLong } from "./errors.js";
import { leafHash, nodeHash, requireRoot } from "./proof.js";

export const MAX_HALF = MAX_WIDTH / 2;

/** What every record's claims must fulfil, whatever its schema. @param {import("./disclosure.js").Disclosure[]} claims */
export function requireClaims(claims) {
  requireOnce(claims.map((claim) => claim.name));
  for (const claim of claims) requireHalf(claim.name, "claim");
  for (const name of [SCHEMA, ORIGIN]) {
    if (!claims.some((claim) => claim.name === name && typeof claim.value === "string")) {
      throw fieldMalformed(name, "a claim of every record, a string");
    }
  }
}

/** The field root of a record whose claims are known: NODE(MTH(left), private_root). @param {string[]} claimTexts @param {Uint8Array} privateRoot @param {number} width */
export function rebuildRoot(claimTexts, privateRoot, width) {
  return nodeHash(fold(leftHalf(claimTexts.map(disclosureDigest), requireWidth(width))), privateRoot);
}

/** The field root of a record of which only the leaf data are known. @param {Uint8Array[]} claims @param {Uint8Array[]} right */
export function rootOfDigests(claims, right) {
  const left = leftHalf(claims, requireWidth(2 * right.length));
  requireAscending(right, "private");
  return fold([...left, ...right]);
}

/**
 * Open a record to its full audience: every right leaf is a field with its own name or a shown decoy.
 * @param {{ width: number, fieldRoot: Uint8Array }} entry @param {import("./disclosure.js").Disclosure[]} claims
 * @param {import("./disclosure.js").Disclosure[]} secrets @param {Uint8Array[]} decoySeeds
 */
export function checkFullOpening(entry, claims, secrets, decoySeeds) {
  const ordered = [...claims].sort((a, b) => compare(a.digest, b.digest));
  requireWidth(entry.width);
  requireClaims(ordered);
  requireOnce([...claims, ...secrets].map((field) => field.name));
  if (secrets.length + decoySeeds.length !== entry.width / 2) {
    throw fieldMalformed("decoys", "private fields and decoys fill the right half");
  }
  const left = leftHalf(ordered.map((claim) => claim.digest), entry.width);
  const right = [...secrets.map((field) => field.digest), ...decoySeeds.map(decoyDigest)].sort(compare);
  requireAscending(right, "decoys");
  requireRoot(entry.fieldRoot, fold([...left, ...right]));
}

/** Items that stand in one order only, each once. @param {Uint8Array[]} items @param {string} name */
export function requireAscending(items, name) {
  if (!isAscending(items)) throw fieldMalformed(name, "strictly ascending");
}

/** @param {Uint8Array[]} digests @param {number} width */
function leftHalf(digests, width) {
  const half = width / 2;
  if (digests.length > half) throw tooLong("claims", half, digests.length);
  requireAscending(digests, "claims");
  return [...digests, ...Array(half - digests.length).fill(ZERO)];
}

/** The root of a full tree. @param {Uint8Array[]} leaves */
function fold(leaves) {
  let level = leaves.map(leafHash);
  while (level.length > 1) level = level.filter((_, i) => i % 2 === 0).map((left, i) => nodeHash(left, level[2 * i + 1]));
  return level[0];
}

