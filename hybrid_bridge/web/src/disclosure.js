/**
 * One field of a record, opened: a salted string that hashes to a leaf of the record's field tree.
 *
 * The left half of the leaves are claims, the right half private fields and decoys: where a leaf stands says what it is.
 * Source: SPEC §3; RFC 9901.
 */

import { characters, compareText, concat, isAscii, pairwise, utf8 } from "./bytes.js";
import { b64u, canonicalJson, context, parseB64u, parseCanonicalJson, sha256 } from "./encoding.js";
import { fieldMalformed, fieldMismatch, tooLong } from "./errors.js";
import { leafHash, verifyInclusion } from "./proof.js";
import { isObject } from "./shape.js";

export const SCHEMA = "_schema"; // a claim of every record; disclosed whenever anything is
export const ORIGIN = "_origin"; // a claim of every record: the submitter's key id
export const RESERVED = new Set([SCHEMA, ORIGIN, "_chain", "_label"]);
export const MAX_DISCLOSURE = 8192; // characters

const SALT_BYTES = 32;
const MAX_NAME = 64;
const NAME = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;
const RESERVED_HALF = new Map([[SCHEMA, "claim"], [ORIGIN, "claim"], ["_chain", "private"]]);

/** @typedef {{ salt: Uint8Array, name: string, value: string | number | boolean | null, text: string, digest: Uint8Array }} Disclosure */

/** @param {string} text @returns {Disclosure} */
export function parseDisclosure(text) {
  if (typeof text !== "string") throw fieldMalformed("disclosure", "a text");
  if (characters(text) > MAX_DISCLOSURE) throw tooLong("disclosure", MAX_DISCLOSURE, characters(text));
  const parts = parseCanonicalJson(parseB64u(text, "disclosure"), "disclosure", MAX_DISCLOSURE);
  if (!Array.isArray(parts) || parts.length !== 3) throw fieldMalformed("disclosure", "an array of salt, name and value");
  const [salt, name, value] = parts;
  if (typeof salt !== "string" || typeof name !== "string") throw fieldMalformed("disclosure", "salt and name are strings");
  if (Array.isArray(value) || isObject(value)) throw fieldMalformed("disclosure", "no array or object as a value");
  return disclosure(parseB64u(salt, "salt"), name, value);
}

/** A field with its salt; only a well-formed one can be made. @param {Uint8Array} salt @param {string} name @param {any} value @returns {Disclosure} */
function disclosure(salt, name, value) {
  if (salt.length !== SALT_BYTES) throw fieldMalformed("salt", `exactly ${SALT_BYTES} bytes`);
  if (characters(name) > MAX_NAME || !(RESERVED.has(name) || NAME.test(name))) {
    throw fieldMalformed("name", "[a-z][a-z0-9_]*(.[a-z0-9_]+)*, at most 64 characters, or defined");
  }
  const text = b64u(canonicalJson([b64u(salt), name, value]));
  if (text.length > MAX_DISCLOSURE) throw tooLong(name, MAX_DISCLOSURE, text.length);
  return { salt, name, value, text, digest: disclosureDigest(text) };
}

/** The f of SPEC §3: H(ASCII(disclosure)). @param {string} text */
export function disclosureDigest(text) {
  if (!isAscii(text)) throw fieldMalformed("disclosure", "ASCII");
  return sha256(utf8(text));
}

/** The leaf data of a field decoy. @param {Uint8Array} seed */
export function decoyDigest(seed) {
  if (seed.length !== 32) throw fieldMalformed("decoy", "exactly 32 bytes");
  return sha256(concat(context("field-decoy"), seed));
}

/** A reserved name stands only in its own half. @param {string} name @param {string} half */
export function requireHalf(name, half) {
  const expected = RESERVED_HALF.get(name) ?? half;
  if (expected !== half) throw fieldMismatch(name, expected, half);
}

/** Every name stands once in a record. @param {string[]} names */
export function requireOnce(names) {
  for (const [name, following] of pairwise([...names].sort(compareText))) {
    if (name === following) throw fieldMalformed(name, "once in a record");
  }
}

/** @param {boolean} isClaim */
export const halfOf = (isClaim) => (isClaim ? "claim" : "private");

/**
 * All fields shown of one record, each at its place and in the half its schema gives its name.
 * @param {{ width: number, fieldRoot: Uint8Array }} entry
 * @param {{ value: string, index: number, path: Uint8Array[] }[]} shown ascending by index
 * @param {(schema: string, name: string) => string} halfOfName
 */
export function openFields(entry, shown, halfOfName) {
  if (pairwise(shown).some(([one, following]) => one.index >= following.index)) {
    throw fieldMalformed("disclosures", "strictly ascending by index");
  }
  const opened = shown.map((part) => openField(part, entry));
  requireOnce(opened.map((part) => part.disclosure.name));
  const schema = opened.find((part) => part.disclosure.name === SCHEMA)?.disclosure.value;
  if (opened.length && typeof schema !== "string") throw fieldMalformed(SCHEMA, "a string, disclosed whenever anything is");
  for (const { disclosure: { name }, isClaim } of opened) {
    const got = halfOf(isClaim);
    const expected = RESERVED.has(name) ? got : halfOfName(String(schema), name);
    if (expected !== got) throw fieldMismatch(name, expected, got);
  }
  return opened;
}

/** @param {{ value: string, index: number, path: Uint8Array[] }} part @param {{ width: number, fieldRoot: Uint8Array }} entry */
function openField(part, entry) {
  const opened = parseDisclosure(part.value);
  verifyInclusion(leafHash(opened.digest), part.index, entry.width, part.path, entry.fieldRoot);
  const isClaim = part.index < entry.width / 2;
  requireHalf(opened.name, halfOf(isClaim));
  return { disclosure: opened, isClaim };
}
