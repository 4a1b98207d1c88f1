/** DER, as much as tokens and certificates need: elements of one-byte tags, read strictly. Source: X.690 §8, §10, §11. */

import { concat, equal, latin1, toBig, unhex } from "./bytes.js";
import { asOctets } from "./encoding.js";
import { fieldMalformed, notCanonical, refusal } from "./errors.js";
import { secondsOf } from "./evidence.js";

export const [BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID] = [1, 2, 3, 4, 5, 6];
export const [UTC_TIME, TIME, SEQUENCE, SET] = [0x17, 0x18, 0x30, 0x31];
const MAX_INTEGER = 64; // bytes; serial numbers have 20, nonces 8
const MAX_OID = 64; // bytes
const GENERALIZED = /^([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z$/; // RFC 3161 §2.4.2: no trailing zero, always Z

/** The tag byte of `[number]`, constructed. @param {number} number */
export const explicit = (number) => 0xa0 | number;

/** @typedef {{ tag: number, content: Uint8Array, whole: Uint8Array }} Element */

/** Reads elements one after the other; `field` names the place in errors. */
export class DerReader {
  /** @param {Uint8Array} data @param {string} field */
  constructor(data, field) {
    this.data = asOctets(data, field);
    this.at = 0;
    this.field = field;
  }

  /** The next element's tag, or -1 at the end. */
  peek() {
    return this.at < this.data.length ? this.data[this.at] : -1;
  }

  /** The next element, which must have this tag. @param {number} tag @returns {Element} */
  take(tag) {
    if (this.peek() !== tag) throw fieldMalformed(this.field, `tag 0x${tag.toString(16)} at offset ${this.at}`);
    const read = readLength(this.data.subarray(this.at + 1, this.at + 6));
    if (read === null) throw notCanonical(this.field);
    const start = this.at + 1 + read.width;
    const end = start + read.length;
    if (end > this.data.length) {
      throw refusal("Truncated", { field: this.field, needed: read.length, got: this.data.length - start });
    }
    const element = { tag, content: this.data.slice(start, end), whole: this.data.slice(this.at, end) };
    this.at = end;
    return element;
  }

  /** Whatever element comes next. @returns {Element} */
  any() {
    return this.take(Math.max(this.peek(), 0));
  }

  /** The next element if it has this tag. @param {number} tag */
  optional(tag) {
    return this.peek() === tag ? this.take(tag) : null;
  }

  /** A reader of the next element's content. @param {number} tag */
  inside(tag) {
    return new DerReader(this.take(tag).content, this.field);
  }

  /** Nothing may follow. */
  end() {
    if (this.at < this.data.length) throw refusal("TrailingBytes", { field: this.field, count: this.data.length - this.at });
  }

  /** A whole number, negative ones too, of at most 64 bytes. @param {number} tag */
  integer(tag = INTEGER) {
    const { content } = this.take(tag);
    if (content.length < 1 || content.length > MAX_INTEGER) {
      throw fieldMalformed(this.field, `an integer of 1 to ${MAX_INTEGER} bytes`);
    }
    if (!isMinimal(content)) throw notCanonical(this.field);
    return BigInt.asIntN(8 * content.length, toBig(content));
  }

  /** An object identifier as dotted numbers. */
  oid() {
    const text = oidText(this.take(OID).content);
    if (text === null) throw fieldMalformed(this.field, "a minimal object identifier");
    return text;
  }

  /** A BOOLEAN DEFAULT FALSE: left out, or true (X.690 §11.5). */
  flag() {
    const element = this.optional(BOOLEAN);
    if (element !== null && !equal(element.content, Uint8Array.of(0xff))) throw notCanonical(this.field);
    return element !== null;
  }

  /** A GeneralizedTime from 1970 on, in nanoseconds. */
  nanoseconds() {
    const found = GENERALIZED.exec(latin1(this.take(TIME).content));
    const seconds = found && secondsOf(calendarParts(found[1]));
    if (!found || seconds === null || seconds < 0) throw fieldMalformed(this.field, "a GeneralizedTime in UTC from 1970 on");
    return BigInt(seconds) * 10n ** 9n + BigInt((found[2] ?? "0").padEnd(9, "0"));
  }
}

/** YYYYMMDDHHMMSS in its parts. @param {string} digits */
export const calendarParts = (digits) => [digits.slice(0, 4), ...(digits.slice(4).match(/../g) ?? [])].map(Number);

/** An INTEGER's content in its least form. @param {Uint8Array} content */
export const isMinimal = (content) =>
  content.length === 1 || !((content[0] === 0 && content[1] < 0x80) || (content[0] === 0xff && content[1] >= 0x80));

/** Dotted numbers, or null if it is not minimal. @param {Uint8Array} content */
export function oidText(content) {
  if (content.length < 1 || content.length > MAX_OID || content[content.length - 1] & 0x80) return null;
  /** @type {bigint[]} */ const arcs = [];
  let value = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) return null;
    value = (value << 7n) | BigInt(octet & 0x7f);
    fresh = !(octet & 0x80);
    if (fresh) {
      arcs.push(value);
      value = 0n;
    }
  }
  const first = arcs[0] < 80n ? arcs[0] / 40n : 2n;
  return [first, arcs[0] - 40n * first, ...arcs.slice(1)].join(".");
}

/** The length and how many bytes it takes; null if it is cut off, indefinite or not in its least form. @param {Uint8Array} data */
function readLength(data) {
  if (data.length === 0 || data[0] === 0x80 || data[0] > 0x84) return null;
  if (data[0] < 0x80) return { length: data[0], width: 1 };
  const width = data[0] & 0x7f;
  const length = Number(toBig(data.subarray(1, 1 + width)));
  if (data.length <= width || length < 0x80 || length < 2 ** (8 * (width - 1))) return null;
  return { length, width: 1 + width };
}

/** An element of these parts. @param {number} tag @param {...Uint8Array} parts */
export function der(tag, ...parts) {
  const content = concat(...parts);
  if (content.length < 0x80) return concat(Uint8Array.of(tag, content.length), content);
  const digits = content.length.toString(16);
  const length = unhex(digits.length % 2 ? `0${digits}` : digits);
  return concat(Uint8Array.of(tag, 0x80 | length.length), length, content);
}
