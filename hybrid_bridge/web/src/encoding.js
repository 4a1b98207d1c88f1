/**
 * Every byte that is hashed or signed: integers, binary structs, canonical JSON, word records, the hash layer.
 *
 * Strict both ways, as `hybrid_bridge/core/encoding.py`. Source: SPEC §1.
 */

import { bitLength, concat, equal, fromUint, isWellFormed, isZero, toBig, utf8, utf8Text } from "./bytes.js";
import { fieldMalformed, notCanonical, refusal, tooLong } from "./errors.js";
import { sha256 as hash256 } from "./vendor/noble.js";

export const MAX_U64 = Number.MAX_SAFE_INTEGER; // 2^53-1: JavaScript, JSON and SQL must agree on every number
export const MAX_JSON_DEPTH = 8; // containers inside containers; no document of ours needs more
export const ZERO = new Uint8Array(32);

/** H of SPEC §1. @param {Uint8Array} data @returns {Uint8Array} */
export const sha256 = (data) => hash256(data);

/** CTX(name): the prefix of every hash, MAC and signature that is no tree node (SPEC §1). @param {string} name */
export const context = (name) => utf8(`hybrid-bridge/v1/${name}\0`);

/** `value` if it has 32 bytes. @param {unknown} value @param {string} field @returns {Uint8Array} */
export function asDigest(value, field) {
  const data = asOctets(value, field);
  if (data.length !== 32) throw refusal("DigestLength", { field, got: data.length });
  return data;
}

/** `value` if it is a byte string. @param {unknown} value @param {string} field @returns {Uint8Array} */
export function asOctets(value, field) {
  if (!(value instanceof Uint8Array)) throw fieldMalformed(field, "a byte string");
  return value;
}

/** `value` if it is an integer. @param {unknown} value @param {string} field @returns {number} */
export function asInteger(value, field) {
  if (!Number.isInteger(value) && typeof value !== "bigint") throw fieldMalformed(field, "an integer");
  return /** @type {number} */ (value);
}

// ── base64url without padding ──────────────────────────────────────────────────────────────────────────────────────

const URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SIXES = new Map(Array.from(URL_SAFE, (letter, six) => [letter, six]));

/** RFC 4648 §5 without padding. @param {Uint8Array} data */
export function b64u(data) {
  const out = [];
  for (let i = 0; i < data.length; i += 3) {
    const bits = (data[i] << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0);
    for (let k = 0; k <= Math.min(3, data.length - i); k++) out.push(URL_SAFE[(bits >> (18 - 6 * k)) & 63]);
  }
  return out.join("");
}

/** The inverse of `b64u`: no padding, no other alphabet, no unused bit set. @param {string} text @param {string} field */
export function parseB64u(text, field) {
  if (typeof text !== "string") throw fieldMalformed(field, "a text");
  const data = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    const six = SIXES.get(letter);
    if (six === undefined) throw notCanonical(field);
    bits = ((bits << 6) | six) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      data[at++] = (bits >> held) & 0xff;
    }
  }
  if (held >= 6 || (bits & ((1 << held) - 1)) !== 0) throw notCanonical(field);
  return data;
}

/** RFC 4648 §4, padded; only inside texts of C2SP and x5c (SPEC §1). @param {Uint8Array} data */
export const b64 = (data) => b64u(data).replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((3 - (data.length % 3)) % 3);

/** The inverse of `b64`. @param {string} text @param {string} field */
export function parseB64(text, field) {
  if (typeof text !== "string") throw fieldMalformed(field, "a text");
  const bare = text.replace(/=*$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(bare)) throw notCanonical(field);
  const data = parseB64u(bare.replaceAll("+", "-").replaceAll("/", "_"), field);
  if (b64(data) !== text) throw notCanonical(field);
  return data;
}

// ── canonical JSON ─────────────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {string | number | boolean | null | Json[] | { [key: string]: Json }} Json */

/** JCS (RFC 8785) of a value of ours: integers only, at most 8 nested containers. @param {unknown} value */
export const canonicalJson = (value) => utf8(writeJson(value, 0));

/** @param {unknown} value @param {number} depth @returns {string} */
function writeJson(value, depth) {
  if (typeof value === "string") return writeText(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw fieldMalformed("json", "integers are at most 2^53-1 in size");
    return String(value || 0);
  }
  if (typeof value !== "object") throw fieldMalformed("json", "string, integer, boolean, null, array or object");
  if (depth >= MAX_JSON_DEPTH) throw fieldMalformed("json", `at most ${MAX_JSON_DEPTH} nested containers`);
  if (Array.isArray(value)) return `[${value.map((inner) => writeJson(inner, depth + 1)).join(",")}]`;
  const members = /** @type {Record<string, unknown>} */ (value);
  const keys = Object.keys(members).sort(); // by UTF-16 code units: RFC 8785 §3.2.3
  return `{${keys.map((key) => `${writeText(key)}:${writeJson(members[key], depth + 1)}`).join(",")}}`;
}

/** @param {string} text */
function writeText(text) {
  if (!isWellFormed(text)) throw fieldMalformed("json", "no lone surrogate");
  return JSON.stringify(text);
}

/** JSON that must equal its own canonical form (SPEC §1). @param {Uint8Array} data @param {string} field @param {number} limit @returns {any} */
export function parseCanonicalJson(data, field, limit) {
  const value = parseJson(data, field, limit);
  if (!equal(canonicalJson(value), data)) throw notCanonical(field);
  return value;
}

/**
 * JSON in whatever spelling, each member of an object once: our value set only, never deep. Objects have no prototype.
 * @param {Uint8Array} data @param {string} field @param {number} limit @returns {any}
 */
export function parseJson(data, field, limit) {
  data = asOctets(data, field);
  if (data.length > limit) throw tooLong(field, limit, data.length);
  const text = utf8Text(data);
  if (text === null) throw fieldMalformed(field, "UTF-8");
  return new JsonReader(text, field).whole();
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;

/** A recursive descent, bounded in depth: `JSON.parse` takes floats and doubled members without a word. */
class JsonReader {
  /** @param {string} text @param {string} field */
  constructor(text, field) {
    this.text = text;
    this.field = field;
    this.at = 0;
  }

  whole() {
    const value = this.value(0);
    this.skip();
    if (this.at !== this.text.length) throw this.broken();
    return value;
  }

  broken() {
    return fieldMalformed(this.field, `JSON; it ends or breaks at character ${this.at}`);
  }

  skip() {
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  /** Take `token` if it stands here. @param {string} token */
  takes(token) {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** @param {number} depth @returns {Json} */
  value(depth) {
    this.skip();
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first === "{" || first === "[") {
      if (depth >= MAX_JSON_DEPTH) throw fieldMalformed(this.field, `at most ${MAX_JSON_DEPTH} nested containers`);
      this.at++;
      return first === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (this.takes("true")) return true;
    if (this.takes("false")) return false;
    if (this.takes("null")) return null;
    return this.number();
  }

  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) throw this.broken();
    const value = Number(found[0]);
    if (found[1] || found[2] || !Number.isSafeInteger(value)) {
      throw fieldMalformed(this.field, "numbers are integers of at most 2^53-1");
    }
    this.at = NUMBER.lastIndex;
    return value || 0;
  }

  string() {
    const start = this.at++;
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x5c) this.at++;
      else if (code === 0x22) {
        this.at++;
        try {
          return JSON.parse(this.text.slice(start, this.at));
        } catch {
          break;
        }
      }
    }
    throw this.broken();
  }

  /** @param {number} depth */
  array(depth) {
    /** @type {Json[]} */ const items = [];
    this.skip();
    if (this.takes("]")) return items;
    for (;;) {
      items.push(this.value(depth));
      this.skip();
      if (this.takes("]")) return items;
      if (!this.takes(",")) throw this.broken();
    }
  }

  /** @param {number} depth */
  object(depth) {
    /** @type {{ [key: string]: Json }} */ const members = Object.create(null);
    this.skip();
    if (this.takes("}")) return members;
    for (;;) {
      this.skip();
      if (this.text[this.at] !== '"') throw this.broken();
      const key = this.string();
      this.skip();
      if (!this.takes(":")) throw this.broken();
      const value = this.value(depth);
      if (key in members) throw fieldMalformed(this.field, "each member of an object once");
      members[key] = value;
      this.skip();
      if (this.takes("}")) return members;
      if (!this.takes(",")) throw this.broken();
    }
  }
}

// ── binary structs (SPEC §1; RFC 8446 §3) ──────────────────────────────────────────────────────────────────────────

/** Writes a binary struct field after field. Every method returns the writer. */
export class Writer {
  /** @param {Uint8Array} prefix */
  constructor(prefix = new Uint8Array()) {
    this.parts = [prefix];
  }

  /** @param {number} value @param {number} width @param {string} field */
  uint(value, width, field) {
    if (!Number.isSafeInteger(value) || value < 0 || bitLength(value) > 8 * width) {
      throw fieldMalformed(field, `unsigned integer of ${width} bytes, at most 2^53-1`);
    }
    this.parts.push(fromUint(value, width));
    return this;
  }

  /** @param {number} value @param {string} field */
  u8(value, field) {
    return this.uint(value, 1, field);
  }

  /** @param {number} value @param {string} field */
  u16(value, field) {
    return this.uint(value, 2, field);
  }

  /** @param {number} value @param {string} field */
  u32(value, field) {
    return this.uint(value, 4, field);
  }

  /** @param {number} value @param {string} field */
  u64(value, field) {
    return this.uint(value, 8, field);
  }

  /** Exactly `width` bytes as they are. @param {Uint8Array} value @param {number} width @param {string} field */
  fixed(value, width, field) {
    if (value.length !== width) throw fieldMalformed(field, `exactly ${width} bytes`);
    this.parts.push(value);
    return this;
  }

  /** @param {Uint8Array} value @param {string} field */
  b32(value, field) {
    return this.fixed(value, 32, field);
  }

  /** A length prefix of `width` bytes, then the bytes. @param {Uint8Array} value @param {number} width @param {string} field */
  opaque(value, width, field) {
    this.uint(value.length, width, field);
    this.parts.push(value);
    return this;
  }

  bytes() {
    return concat(...this.parts);
  }
}

/** Reads a binary struct field after field; the inverse of `Writer`. `end` must be called last. */
export class Reader {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = asOctets(data, "struct");
    this.position = 0;
  }

  /** The next `width` bytes. @param {number} width @param {string} field */
  fixed(width, field) {
    const left = this.data.length - this.position;
    if (left < width) throw refusal("Truncated", { field, needed: width, got: left });
    this.position += width;
    return this.data.slice(this.position - width, this.position);
  }

  /** @param {number} width @param {string} field */
  uint(width, field) {
    const value = toBig(this.fixed(width, field));
    if (value > BigInt(MAX_U64)) throw fieldMalformed(field, "at most 2^53-1");
    return Number(value);
  }

  /** @param {string} field */
  u8(field) {
    return this.uint(1, field);
  }

  /** @param {string} field */
  u16(field) {
    return this.uint(2, field);
  }

  /** @param {string} field */
  u32(field) {
    return this.uint(4, field);
  }

  /** @param {string} field */
  u64(field) {
    return this.uint(8, field);
  }

  /** @param {string} field */
  b32(field) {
    return this.fixed(32, field);
  }

  /** @param {number} width @param {string} field @param {number} limit */
  opaque(width, field, limit) {
    const length = this.uint(width, field);
    if (length > limit) throw tooLong(field, limit, length);
    return this.fixed(length, field);
  }

  /** A count, refused above `limit` before anything is read. @param {number} width @param {string} field @param {number} limit */
  count(width, field, limit) {
    const count = this.uint(width, field);
    if (count > limit) throw tooLong(field, limit, count);
    return count;
  }

  /** Nothing may be left. @param {string} field */
  end(field) {
    const left = this.data.length - this.position;
    if (left !== 0) throw refusal("TrailingBytes", { field, count: left });
  }
}

// ── word records (SPEC §7) ─────────────────────────────────────────────────────────────────────────────────────────

/** 32-byte words, one for each letter of `kinds`: b = bytes32, u = uint64, a = address. @param {string} kinds @param {(Uint8Array | number)[]} values */
export const packWords = (kinds, values) => concat(...values.map((value, i) => packWord(kinds[i], value, i)));

/** @param {string} kind @param {Uint8Array | number} value @param {number} index */
function packWord(kind, value, index) {
  if (!(value instanceof Uint8Array)) {
    if (kind !== "u" || !Number.isSafeInteger(value) || value < 0) throw refusal("WordMalformed", { index });
    return fromUint(value, 32);
  }
  if (value.length !== { b: 32, a: 20 }[kind]) throw refusal("WordMalformed", { index });
  return concat(new Uint8Array(32 - value.length), value);
}

/** The inverse of `packWords`. @param {string} kinds @param {Uint8Array} data @returns {(Uint8Array | number)[]} */
export function unpackWords(kinds, data) {
  if (data.length !== 32 * kinds.length) {
    throw refusal("RecordMalformed", { expected: 32 * kinds.length, got: data.length });
  }
  return Array.from(kinds, (kind, i) => unpackWord(kind, data.slice(32 * i, 32 * i + 32), i));
}

/** @param {string} kind @param {Uint8Array} word @param {number} index */
function unpackWord(kind, word, index) {
  if (kind === "b") return word;
  if (!isZero(word.subarray(0, kind === "u" ? 24 : 12))) throw refusal("WordMalformed", { index });
  if (kind === "a") return word.slice(12);
  const value = toBig(word.subarray(24));
  if (value > BigInt(MAX_U64)) throw refusal("WordMalformed", { index });
  return Number(value);
}

/** @type {Record<string, string>} */
const KINDS = { bytes32: "b", uint64: "u", address: "a" };

/** The layout that one type string describes, word 0 (its hash) included; names become camelCase as they stand there. */
export class WordRecord {
  /** @param {string} typeString */
  constructor(typeString) {
    this.hash = sha256(utf8(typeString));
    const words = typeString.slice(typeString.indexOf("(") + 1, -1).split(",").map((word) => word.split(" "));
    this.kinds = "b" + words.map(([kind]) => KINDS[kind]).join("");
    this.names = words.map(([, name]) => name);
    this.width = 32 * this.kinds.length;
  }

  /** The words of `value`, which has a member for each name. @param {any} value */
  encode(value) {
    return packWords(this.kinds, [this.hash, ...this.names.map((name) => value[name])]);
  }

  /** The inverse of `encode`. @param {Uint8Array} data @returns {any} */
  decode(data) {
    data = asOctets(data, "record");
    if (data.length !== this.width) throw refusal("RecordMalformed", { expected: this.width, got: data.length });
    if (!equal(data.subarray(0, 32), this.hash)) throw refusal("WordMalformed", { index: 0 });
    const words = unpackWords(this.kinds, data).slice(1);
    return Object.fromEntries(this.names.map((name, i) => [name, words[i]]));
  }

  /** A rule about the word `name` holds. @param {boolean} holds @param {string} name */
  require(holds, name) {
    if (!holds) throw refusal("WordMalformed", { index: this.names.indexOf(name) + 1 });
  }
}
