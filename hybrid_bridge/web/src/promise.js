/** What a node owes after it accepted a transaction: its entry, or its refusal, by a named epoch. Source: SPEC §5. */

import { concat } from "./bytes.js";
import { context, Reader } from "./encoding.js";
import { fieldMalformed, fieldMismatch } from "./errors.js";
import { readSignature, verifySigned } from "./keys.js";

const PROMISE_BYTES = 153;

/** @param {Uint8Array} data 219 bytes */
export function decodePromise(data) {
  const reader = new Reader(data);
  if (reader.u8("version") !== 1) throw fieldMalformed("version", "1");
  const promise = {
    logId: reader.b32("log_id"),
    transactionId: reader.b32("transaction_id"),
    entryLeaf: reader.b32("entry_leaf"),
    acceptedTime: reader.u64("accepted_time"),
    acceptedEpoch: reader.u64("accepted_epoch"),
    byEpoch: reader.u64("by_epoch"),
    signer: reader.b32("signer"),
  };
  if (promise.byEpoch < promise.acceptedEpoch) throw fieldMalformed("by_epoch", "not before accepted_epoch");
  const signed = readSignature(reader);
  reader.end("promise");
  return { ...promise, ...signed, message: concat(context("promise"), data.slice(0, PROMISE_BYTES)) };
}

/** @typedef {ReturnType<typeof decodePromise>} SignedPromise */

/** by_epoch <= accepted_epoch + promiseDelay. @param {SignedPromise} promise @param {number} promiseDelay */
export function verifyWindow(promise, promiseDelay) {
  const latest = promise.acceptedEpoch + promiseDelay;
  if (promise.byEpoch > latest) throw fieldMismatch("by_epoch", `at most ${latest}`, promise.byEpoch);
}

/** `key` is the signer and signed. @param {SignedPromise} promise @param {import("./keys.js").PublicKey} key */
export const verifyPromiseBy = (promise, key) =>
  verifySigned(key, promise.signer, promise.scheme, promise.message, promise.signature);
