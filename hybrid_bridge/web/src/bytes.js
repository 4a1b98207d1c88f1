/** Byte strings: hex, order, integers. Nothing here judges; see `encoding.js`. */

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {Uint8Array} bytes */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string} text of an even number of hex digits */
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {...Uint8Array} parts */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Below zero, zero or above, as `<`, `=` and `>` of byte strings. @param {Uint8Array} a @param {Uint8Array} b */
export function compare(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** @param {Uint8Array} a @param {Uint8Array} b */
export const equal = (a, b) => a.length === b.length && compare(a, b) === 0;

/** @param {Uint8Array} bytes */
export const isZero = (bytes) => bytes.every((byte) => byte === 0);

/** @param {Uint8Array} bytes @param {Uint8Array} start */
export const startsWith = (bytes, start) => equal(bytes.subarray(0, start.length), start);

/** UTF-8 of a text without lone surrogates; for others see `isWellFormed`. @param {string} text */
export const utf8 = (text) => ENCODER.encode(text);

/** The text, or null if the bytes are no UTF-8. @param {Uint8Array} bytes */
export function utf8Text(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/** Each byte as the character of that number. @param {Uint8Array} bytes */
export const latin1 = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** @param {string} text */
export const isAscii = (text) => /^[\x00-\x7f]*$/.test(text);

/** Whether no surrogate stands alone. @param {string} text */
export const isWellFormed = (text) => !/\p{Surrogate}/u.test(text);

/** Characters, as Python counts them; a text that is short in UTF-16 is not counted. @param {string} text */
export function characters(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The order of code points, which beyond the BMP is not that of UTF-16. @param {string} a @param {string} b */
export const compareText = (a, b) => compare(utf8(a), utf8(b));

/** Big-endian, unsigned. @param {Uint8Array} bytes */
export const toBig = (bytes) => (bytes.length === 0 ? 0n : BigInt(`0x${hex(bytes)}`));

/** Little-endian, unsigned. @param {Uint8Array} bytes */
export const toBigLittle = (bytes) => toBig(bytes.slice().reverse());

/** Big-endian in `width` bytes. @param {number | bigint} value @param {number} width */
export const fromUint = (value, width) => unhex(BigInt(value).toString(16).padStart(2 * width, "0"));

/** A whole number as Number where that is exact, else as BigInt; the two compare, and never are the same. @param {bigint} value */
export const exact = (value) => (value >= -MAX_BIG && value <= MAX_BIG ? Number(value) : value);
const MAX_BIG = BigInt(Number.MAX_SAFE_INTEGER);

/** Bits of a number up to 2^53-1, or of a BigInt. @param {number | bigint} value */
export const bitLength = (value) => (BigInt(value) === 0n ? 0 : BigInt(value).toString(2).length);

/** Bits that are set. @param {number | bigint} value */
export const bitCount = (value) => BigInt(value).toString(2).replaceAll("0", "").length;

/** [x0, x1], [x1, x2] … @template T @param {readonly T[]} items @returns {[T, T][]} */
export const pairwise = (items) => items.slice(1).map((item, i) => [items[i], item]);

/** Whether each byte string comes after the one before. @param {readonly Uint8Array[]} items */
export const isAscending = (items) => pairwise(items).every(([one, next]) => compare(one, next) < 0);
