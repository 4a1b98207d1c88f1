/** Recursive length prefix: public headers, receipts and trie nodes; strict and bounded. Source: Yellow Paper, appendix B. */

import { concat, toBig, unhex } from "./bytes.js";
import { asOctets, MAX_U64 } from "./encoding.js";
import { fieldMalformed, notCanonical, refusal, tooLong } from "./errors.js";

const MAX_DEPTH = 16; // a receipt nests 4 deep, a trie node with its short children 9

/** @typedef {Uint8Array | Rlp[]} Rlp */

/** The one encoding of a byte string of at most 55 bytes. @param {Uint8Array} value */
export const encodeShort = (value) =>
  value.length === 1 && value[0] < 0x80 ? value : concat(Uint8Array.of(0x80 + value.length), value);

/** An unsigned integer without leading zeros, zero is empty. @param {number} value */
export function uintBytes(value) {
  const digits = value === 0 ? "" : value.toString(16);
  return unhex(digits.length % 2 ? `0${digits}` : digits);
}

/** @param {Uint8Array} data @param {string} field @param {number} limit @returns {Rlp} */
export function decodeRlp(data, field, limit) {
  data = asOctets(data, field);
  if (data.length > limit) throw tooLong(field, limit, data.length);
  const [value, end] = item(data, 0, data.length, field, 0);
  if (end !== data.length) throw refusal("TrailingBytes", { field, count: data.length - end });
  return value;
}

/** @param {Uint8Array} data @param {number} at @param {number} end @param {string} field @param {number} depth @returns {[Rlp, number]} */
function item(data, at, end, field, depth) {
  const { start, stop, isList } = span(data, at, end, field);
  if (!isList) {
    if (stop - start === 1 && start > at && data[start] < 0x80) throw notCanonical(field);
    return [data.slice(start, stop), stop];
  }
  if (depth >= MAX_DEPTH) throw fieldMalformed(field, `at most ${MAX_DEPTH} nested lists`);
  /** @type {Rlp[]} */ const items = [];
  for (let next = start; next < stop; ) {
    const [value, after] = item(data, next, stop, field, depth + 1);
    items.push(value);
    next = after;
  }
  return [items, stop];
}

/** Where the payload of the item at `at` starts and stops. @param {Uint8Array} data @param {number} at @param {number} end @param {string} field */
function span(data, at, end, field) {
  if (at >= end) throw refusal("Truncated", { field, needed: 1, got: 0 });
  const first = data[at];
  if (first < 0x80) return { start: at, stop: at + 1, isList: false };
  const short = first & 0x3f;
  let [start, length] = [at + 1, BigInt(short)];
  if (short > 55) {
    start = at + 1 + short - 55;
    const digits = data.subarray(at + 1, Math.min(start, end));
    if (digits.length < short - 55) throw refusal("Truncated", { field, needed: short - 55, got: digits.length });
    length = toBig(digits);
    if (digits[0] === 0 || length <= 55n) throw notCanonical(field);
  }
  if (length > BigInt(end - start)) throw refusal("Truncated", { field, needed: length, got: end - start });
  return { start, stop: start + Number(length), isList: first >= 0xc0 };
}

/** The inverse of `uintBytes`, at most `limit`. @param {Rlp} value @param {string} field @param {number} limit */
export function uintOf(value, field, limit = MAX_U64) {
  if (value instanceof Uint8Array && value.length <= 32 && value[0] !== 0 && toBig(value) <= BigInt(limit)) {
    return Number(toBig(value));
  }
  throw fieldMalformed(field, `unsigned integer without leading zeros, at most ${limit}`);
}

/** @param {Rlp} value @param {number} width @param {string} field */
export function bytesOf(value, width, field) {
  if (!(value instanceof Uint8Array) || value.length !== width) throw fieldMalformed(field, `exactly ${width} bytes`);
  return value;
}

/** @param {Rlp} value @param {number} least @param {number} most @param {string} field @returns {Rlp[]} */
export function listOf(value, least, most, field) {
  if (!Array.isArray(value) || value.length < least || value.length > most) {
    throw fieldMalformed(field, `a list of ${least} to ${most} items`);
  }
  return value;
}
