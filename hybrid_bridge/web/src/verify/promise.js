/**
 * Check 12 of `verify`: did a node break its promise? Its signature, its window, and the absence of what it owes.
 *
 * Shown absent from every epoch of the window it is broken, and the bundle proves it. Shown present, the claim is refuted.
 * Anything less is a claim that waits for an answer. Source: SPEC §5.
 */

import { equal, hex } from "../bytes.js";
import { neighboursOf } from "../absence.js";
import { refusalEntry } from "../entry.js";
import { fieldMismatch, refusal } from "../errors.js";
import { verifyPromiseBy, verifyWindow } from "../promise.js";
import { leafHash } from "../proof.js";
import { identityKeys, nameOf } from "./names.js";
import { absences } from "./paths.js";
import { responsible } from "./signers.js";

/**
 * A promise whose window holds nothing of what it owes, as far as the bundle shows that window.
 * @typedef {{ promise: import("../promise.js").SignedPromise, signer: import("./names.js").Name | null, unshown: { first: number, last: number } | null, late: number[] }} Promised
 * @typedef {import("./decoded.js").Decoded} Decoded
 */

/** A node signed, and every epoch of the window was shown to hold neither leaf. @param {Promised} owed */
export const isBroken = (owed) => owed.signer !== null && owed.unshown === null;

/** What a proof still needs; "" when there is one. @param {Promised} owed */
export function promiseMissing({ signer, unshown }) {
  const lacks = signer === null ? ["the certificate of the validator that signed the promise"] : [];
  if (unshown !== null) {
    const which = unshown.first === unshown.last ? `epoch ${unshown.first}` : `epochs ${unshown.first} to ${unshown.last}`;
    lacks.push(`the absence of entry and refusal in ${which}`);
  }
  return lacks.join(", and ");
}

/** What the bundle shows of its promise; null without one (SPEC §12 step 12). @param {Decoded} d @param {import("./signers.js").KnownSet[]} sets @param {import("./names.js").Names} names @returns {Promised | null} */
export function verifyPromise(d, sets, names) {
  const { promise } = d;
  if (promise === null) return null;
  verifyWindow(promise, d.genesis.promiseDelay);
  const signer = signerOf(d, promise, sets, names);
  const owed = new Map([[hex(promise.entryLeaf), "entry"], [hex(leafHash(refusalEntry(promise.transactionId))), "refusal"]]);
  const late = new Set();
  for (const { epoch, leaf } of standing(d)) {
    const what = owed.get(hex(leaf));
    if (what === undefined) continue;
    if (epoch <= promise.byEpoch) throw refusal("NotOmitted", { epoch, what, leaf });
    late.add(epoch);
  }
  return { promise, signer, unshown: unshown(d, promise, [...owed.keys()]), late: [...late].sort((one, other) => one - other) };
}

/** The validator whose certified key signed: one of the set responsible for the epoch in which it accepted. @param {Decoded} d @param {import("../promise.js").SignedPromise} promise @param {import("./signers.js").KnownSet[]} sets @param {import("./names.js").Names} names */
function signerOf(d, promise, sets, names) {
  const size = promise.acceptedEpoch + 1;
  const set = responsible(sets, size);
  const keys = identityKeys(d);
  let shown = 0;
  for (const { certificateHash, address } of set.entries) {
    const key = keys.get(hex(certificateHash));
    if (key === undefined) continue;
    if (equal(key.keyId, promise.signer)) {
      verifyPromiseBy(promise, key);
      return nameOf(names, set.setId, address);
    }
    shown++;
  }
  // The set is known for sizes that the bundle covers; of a later one nobody can say who is not in it.
  if (shown === set.entries.length && size <= d.notes[d.notes.length - 1].size) {
    throw fieldMismatch("promise.signer", `the identity key of a validator of set ${set.setId}`, hex(promise.signer));
  }
  return null;
}

/** Every leaf that the bundle shows in a batch: entries, refusals, and neighbours of what is absent. @param {Decoded} d */
function standing(d) {
  const found = d.epochs.flatMap(({ record, entries, refusals }) =>
    [...entries.map((entry) => entry.part), ...refusals].map((part) => ({ epoch: record.epoch, leaf: leafHash(part.entry) })));
  const beside = absences(d).flatMap(({ epoch, absence }) =>
    neighboursOf(absence).map(({ leaf }) => ({ epoch: epoch.record.epoch, leaf })));
  return [...found, ...beside];
}

/** The first and the last epoch of the window without the absence of both leaves. @param {Decoded} d @param {import("../promise.js").SignedPromise} promise @param {string[]} owed */
function unshown(d, promise, owed) {
  const shown = new Map(d.epochs.map(({ record, part }) => [record.epoch, new Set(part.absences.map((/** @type {any} */ one) => hex(one.leaf)))]));
  const lacking = [];
  for (let epoch = promise.acceptedEpoch; epoch <= promise.byEpoch; epoch++) { // promiseDelay is at most 1,000
    if (!owed.every((leaf) => shown.get(epoch)?.has(leaf))) lacking.push(epoch);
  }
  return lacking.length ? { first: lacking[0], last: lacking[lacking.length - 1] } : null;
}
