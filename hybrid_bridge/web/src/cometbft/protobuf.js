/** The few forms of protobuf's wire format that the engine's hashes and signatures are made over. Writes only. */

import { concat, fromUint } from "../bytes.js";

const [VARINT, FIXED64, LENGTH] = [0, 1, 2];

/** Seven bits a byte, lowest first; a negative number as its 64-bit two's complement. @param {number | bigint} value */
function varint(value) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...out, Number(rest));
}

const NOTHING = new Uint8Array();
/** An integer or enum; nothing for zero. @param {number} field @param {number} value */
export const number = (field, value) => (value === 0 ? NOTHING : concat(varint((field << 3) | VARINT), varint(value)));
/** An integer in eight bytes, lowest first; nothing for zero. @param {number} field @param {number} value */
export const fixed64 = (field, value) =>
  value === 0 ? NOTHING : concat(varint((field << 3) | FIXED64), fromUint(value, 8).reverse());
/** A message that stands even where it is empty. @param {number} field @param {Uint8Array} value */
export const message = (field, value) => concat(varint((field << 3) | LENGTH), delimited(value));
/** A byte string or text in UTF-8; nothing for an empty one. @param {number} field @param {Uint8Array} value */
export const octets = (field, value) => (value.length === 0 ? NOTHING : message(field, value));
/** Length, then the bytes. @param {Uint8Array} value */
export const delimited = (value) => concat(varint(value.length), value);
