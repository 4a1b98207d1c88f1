/**
 * Text with signature lines under it, and the keys that check them: the signed note of C2SP.
 *
 * Ed25519 (type 01), Ed25519 with a time (type 04), ML-DSA-44 with a time (type 06), whose message is made of a
 * checkpoint's three lines. Source: SPEC §8.3; C2SP signed-note, tlog-cosignature; FIPS 204.
 */

import { concat, equal, fromUint, hex, isWellFormed, startsWith, toBig, utf8, utf8Text } from "./bytes.js";
import { asOctets, parseB64, sha256 } from "./encoding.js";
import { fieldMalformed, missing, notCanonical, refusal, tooLong } from "./errors.js";
import { ed25519Key, verifySignature } from "./keys.js";
import { ml_dsa44 } from "./vendor/noble.js";

const MAX_NOTE = 256 * 1024; // bytes: 64 post-quantum lines of 3,300 characters, and room
const MAX_LINES = 160; // two lines for each of 64 validators, and witnesses
const MAX_TIME = 2n ** 63n - 1n; // C2SP tlog-cosignature
const MLDSA_KEY = 1312;
const MLDSA_SIGNATURE = 2420;

export const TYPE_ED25519 = Uint8Array.of(1);
export const TYPE_COSIGNATURE = Uint8Array.of(4);
export const TYPE_MLDSA = Uint8Array.of(6);
export const TYPE_QUORUM = concat(Uint8Array.of(0xff), utf8("hybrid-bridge/eip712-checkpoint/v1")); // the key is an address
/** @type {[Uint8Array, number][]} */
const KEY_WIDTHS = [[TYPE_ED25519, 32], [TYPE_COSIGNATURE, 32], [TYPE_MLDSA, MLDSA_KEY], [TYPE_QUORUM, 20]];

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const SPACE = /[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/; // what is no control character already

/**
 * @typedef {{ name: string, keyId: Uint8Array, signature: Uint8Array, text: string }} NoteLine
 * @typedef {{ name: string, kind: Uint8Array, key: Uint8Array, keyId: Uint8Array }} VerifierKey
 */

/** @param {string} text @returns {NoteLine} */
function parseLine(text) {
  const parts = text.split(" ");
  if (parts.length !== 3 || parts[0] !== "—") {
    throw fieldMalformed("note.line", "a dash, a name and a signature, one space between");
  }
  const data = parseB64(parts[2], "note.line");
  const line = { name: requireName(parts[1]), keyId: data.slice(0, 4), signature: data.slice(4), text };
  if (line.keyId.length !== 4 || line.signature.length === 0) {
    throw fieldMalformed("note.line", "a key id of 4 bytes and a signature");
  }
  return line;
}

/** `name` if it can name a key. @param {string} name */
function requireName(name) {
  if (requirePlain(name, "key_name").includes("+") || name === "" || SPACE.test(name)) {
    throw fieldMalformed("key_name", "not empty, without white space and plus sign");
  }
  return name;
}

/** Text without control characters and lone surrogates. @param {string} text @param {string} field */
export function requirePlain(text, field) {
  if (CONTROL.test(text) || !isWellFormed(text)) throw fieldMalformed(field, "UTF-8 without control characters");
  return text;
}

/** A text that ends with a line feed, and its signature lines; strict, and bounded before anything is read. @param {string | Uint8Array} text */
export function parseSignedNote(text) {
  const decoded = decodeText(text);
  const lines = decoded.split("\n").length - 1;
  if (lines > MAX_LINES) throw tooLong("note.lines", MAX_LINES, lines);
  const at = decoded.lastIndexOf("\n\n");
  const signatures = decoded.slice(at + 2);
  if (at < 0 || !signatures.endsWith("\n")) {
    throw fieldMalformed("note", "text, an empty line, signature lines, a line feed at the end");
  }
  const message = decoded.slice(0, at);
  for (const line of message.split("\n")) requirePlain(line, "note");
  return { message: `${message}\n`, lines: signatures.slice(0, -1).split("\n").map(parseLine) };
}

/** @param {string | Uint8Array} text */
function decodeText(text) {
  if (typeof text === "string" && !isWellFormed(text)) throw notCanonical("note");
  const data = typeof text === "string" ? utf8(text) : asOctets(text, "note");
  if (data.length > MAX_NOTE) throw tooLong("note", MAX_NOTE, data.length);
  const decoded = utf8Text(data);
  if (decoded === null) throw notCanonical("note");
  return decoded;
}

// ── verifier keys ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A public key as tools of transparency logs write it down. @param {string} name @param {Uint8Array} kind @param {Uint8Array} key @returns {VerifierKey} */
export function verifierKey(name, kind, key) {
  requireName(name);
  const [, width] = KEY_WIDTHS.find(([known]) => equal(known, kind)) ?? [null, -1];
  if (key.length !== width) throw fieldMalformed("vkey", "a key of type 01, 04 or 06, or a validator's address");
  return { name, kind, key, keyId: sha256(concat(utf8(`${name}\n`), kind, key)).slice(0, 4) };
}

/** The text `name+hex(keyid)+b64(type ‖ key)`. @param {string} text @returns {VerifierKey} */
export function parseVkey(text) {
  const [name, keyId, ...rest] = requirePlain(text, "vkey").split("+");
  if (rest.length === 0) throw fieldMalformed("vkey", "name, key id and key with a plus sign between");
  const data = parseB64(rest.join("+"), "vkey");
  const [kind] = KEY_WIDTHS.find(([known]) => startsWith(data, known)) ?? [new Uint8Array()];
  const key = verifierKey(name, kind, data.slice(kind.length));
  if (hex(key.keyId) !== keyId) throw notCanonical("vkey");
  return key;
}

/** Name and key id, by which a line finds its key. @param {{ name: string, keyId: Uint8Array }} one */
export const placeOf = (one) => `${one.name} ${hex(one.keyId)}`;

/** The note, if a known key signed it and no line of a known key is wrong. @param {string | Uint8Array} text @param {string[]} vkeys */
export function verifySignedNote(text, vkeys) {
  const note = parseSignedNote(text);
  const known = new Map(vkeys.map(parseVkey).map((key) => [placeOf(key), key]));
  const matching = note.lines.filter((line) => known.has(placeOf(line)));
  if (matching.length === 0) throw missing("a signature by a known key");
  for (const line of matching) verifyLine(/** @type {VerifierKey} */ (known.get(placeOf(line))), line, utf8(note.message));
  return note;
}

/** The signature of `line` over `body` is by `key`. Names and key ids are not compared. @param {VerifierKey} key @param {NoteLine} line @param {Uint8Array} body */
export function verifyLine(key, line, body) {
  if (equal(key.kind, TYPE_ED25519)) return verifySignature(ed25519Key(key.key), body, line.signature);
  if (equal(key.kind, TYPE_COSIGNATURE)) {
    const message = concat(utf8(`cosignature/v1\ntime ${cosignedAt(line)}\n`), body);
    return verifySignature(ed25519Key(key.key), message, line.signature.slice(8));
  }
  if (equal(key.kind, TYPE_MLDSA)) {
    return verifyMldsa(key.key, subtree(key.name, cosignedAt(line), body), line.signature.slice(8));
  }
  throw fieldMalformed("vkey", "type 01, 04 or 06");
}

/** The time in a line of type 04 or 06. @param {NoteLine} line */
export function cosignedAt(line) {
  const time = toBig(line.signature.subarray(0, 8));
  if (line.signature.length <= 8 || time > MAX_TIME) {
    throw fieldMalformed("note.line", "a time below 2^63, then a signature");
  }
  return time;
}

/** The message of type 06: extension lines are no part of it. @param {string} name @param {bigint} time @param {Uint8Array} body */
function subtree(name, time, body) {
  const [origin, size = "", root = ""] = (utf8Text(body) ?? "").split("\n");
  const [signer, log] = [utf8(name), utf8(origin)];
  if (signer.length < 1 || signer.length > 255 || log.length < 1 || log.length > 255 || !/^[0-9]{1,19}$/.test(size)) {
    throw fieldMalformed("note", "names of at most 255 bytes, and a size, under an ML-DSA-44 line");
  }
  const parts = [fromUint(signer.length, 1), signer, fromUint(time, 8), fromUint(log.length, 1), log];
  return concat(utf8("subtree/v1\n\0"), ...parts, new Uint8Array(8), fromUint(BigInt(size), 8), parseB64(root, "root"));
}

/** @param {Uint8Array} key @param {Uint8Array} message @param {Uint8Array} signature */
function verifyMldsa(key, message, signature) {
  if (signature.length !== MLDSA_SIGNATURE || key.length !== MLDSA_KEY) {
    throw fieldMalformed("signature", `${MLDSA_SIGNATURE} bytes by a key of ${MLDSA_KEY}`);
  }
  if (!ml_dsa44.verify(signature, message, key)) {
    throw refusal("SignatureWrong", { signer: `ML-DSA-44 key ${hex(sha256(key))}` });
  }
}
