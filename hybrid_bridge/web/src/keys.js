/**
 * Identity keys: Ed25519 and P-256, one encoding of each key, 64 bytes of signature (`hybrid_bridge/core/keys.py`).
 *
 * noble's Ed25519 multiplies by the cofactor; SPEC §1 asks for encode(sB − hA) = R byte for byte, so the equation is
 * written out here over its points. Source: SPEC §1; RFC 8032 §5.1.7; FIPS 186-5.
 */

import { concat, equal, startsWith, toBig, toBigLittle, unhex } from "./bytes.js";
import { asOctets, b64u, sha256 } from "./encoding.js";
import { fieldMalformed, fieldMismatch, refusal } from "./errors.js";
import { ed25519, p256, sha512 } from "./vendor/noble.js";

export const ED25519 = 0x0807; // TLS 1.3 SignatureScheme registry
export const P256 = 0x0403;
export const SIGNATURE_BYTES = 64;
export const MAX_SPKI = 91;

const ED25519_PREFIX = unhex("302a300506032b6570032100"); // RFC 8410 §4
const P256_PREFIX = unhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"); // RFC 5480, uncompressed
const FIELD_PRIME = 2n ** 255n - 19n;
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * An identity key that others can check.
 * @typedef {{ scheme: number, spki: Uint8Array, keyId: Uint8Array, point: any }} PublicKey
 */

/** @type {Map<string, PublicKey>} the same few members sign everything */ const KNOWN = new Map();
const MOST_KNOWN = 4096;

/** The key in a SubjectPublicKeyInfo: Ed25519 of 44 bytes or P-256 uncompressed of 91. @param {Uint8Array} spki */
export function decodeSpki(spki) {
  const scheme = schemeOf(asOctets(spki, "spki"));
  if (scheme === null) throw badSpki();
  return publicKey(scheme, spki);
}

/** @param {Uint8Array} spki */
const schemeOf = (spki) => ({ 44: ED25519, 91: P256 })[spki.length] ?? null;
const badSpki = () => fieldMalformed("spki", "Ed25519 of 44 bytes or P-256 uncompressed of 91");

/** @param {number} scheme @param {Uint8Array} spki @returns {PublicKey} */
export function publicKey(scheme, spki) {
  const name = `${scheme} ${b64u(spki)}`;
  let key = KNOWN.get(name);
  if (key === undefined) {
    key = { scheme, spki, keyId: sha256(spki), point: load(scheme, spki) };
    if (KNOWN.size < MOST_KNOWN) KNOWN.set(name, key);
  }
  return key;
}

/** The key of 32 raw bytes (RFC 8410 §4). @param {Uint8Array} raw */
export const ed25519Key = (raw) => publicKey(ED25519, concat(ED25519_PREFIX, asOctets(raw, "key")));

/** @param {number} scheme @param {Uint8Array} spki */
function load(scheme, spki) {
  requireScheme(scheme);
  const prefix = scheme === ED25519 ? ED25519_PREFIX : P256_PREFIX;
  if (schemeOf(spki) !== scheme || !startsWith(spki, prefix)) throw badSpki();
  const point = scheme === ED25519 ? edPoint(spki.subarray(prefix.length)) : p256Point(spki.subarray(prefix.length - 1));
  if (point === null) throw fieldMalformed("spki", scheme === ED25519 ? "a point of edwards25519" : "a point of P-256");
  if (scheme === ED25519 && point.isSmallOrder()) throw fieldMalformed("spki", "a point not of small order");
  return point;
}

/** A canonical point of edwards25519, or null. @param {Uint8Array} encoded */
export function edPoint(encoded) {
  try {
    return ed25519.Point.fromBytes(encoded, false);
  } catch {
    return null;
  }
}

/** @param {Uint8Array} encoded */
function p256Point(encoded) {
  try {
    return p256.Point.fromBytes(encoded);
  } catch {
    return null;
  }
}

/** Check 64 bytes of signature over `message`. @param {PublicKey} key @param {Uint8Array} message @param {Uint8Array} signature */
export function verifySignature(key, message, signature) {
  if (signature.length !== SIGNATURE_BYTES) throw fieldMalformed("signature", `exactly ${SIGNATURE_BYTES} bytes`);
  const holds = key.scheme === ED25519 ? edHolds(key, message, signature) : p256Holds(key, message, signature);
  if (!holds) throw refusal("SignatureWrong", { signer: keyIdText(key.keyId) });
}

/** @param {PublicKey} key @param {Uint8Array} message @param {Uint8Array} signature */
function edHolds(key, message, signature) {
  const y = toBigLittle(signature.subarray(0, 32)) & ((1n << 255n) - 1n);
  if (y >= FIELD_PRIME) throw fieldMalformed("signature", "R canonical: y < 2^255-19");
  if (toBigLittle(signature.subarray(32)) >= ED25519_ORDER) throw fieldMalformed("signature", "S < L");
  return edEquation(key.point, key.spki.subarray(12), message, signature);
}

/** encode(sB − hA) = R, for S below the order. @param {any} point @param {Uint8Array} encoded @param {Uint8Array} message @param {Uint8Array} signature */
export function edEquation(point, encoded, message, signature) {
  const r = signature.subarray(0, 32);
  const h = toBigLittle(sha512(concat(r, encoded, message))) % ED25519_ORDER;
  const s = toBigLittle(signature.subarray(32));
  const got = ed25519.Point.BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(h));
  return equal(got.toBytes(), r);
}

/** @param {PublicKey} key @param {Uint8Array} message @param {Uint8Array} signature */
function p256Holds(key, message, signature) {
  const r = toBig(signature.subarray(0, 32));
  const s = toBig(signature.subarray(32));
  if (r < 1n || r >= P256_ORDER || s < 1n || s > P256_ORDER / 2n) {
    throw fieldMalformed("signature", "1 <= r < n and 1 <= s <= n/2");
  }
  return p256.verify(signature, sha256(message), key.point.toBytes(false), { prehash: false, lowS: true });
}

/** A key id as it stands in fields, logs and errors (SPEC §1). @param {Uint8Array} keyId */
export const keyIdText = (keyId) => b64u(keyId);

// ── a signature beside a struct: u16 scheme ‖ 64 bytes ─────────────────────────────────────────────────────────────

/** @param {import("./encoding.js").Reader} reader */
export function readSignature(reader) {
  const scheme = reader.u16("scheme");
  requireScheme(scheme);
  return { scheme, signature: reader.fixed(SIGNATURE_BYTES, "signature") };
}

/** `key` is the signer a struct names, of the scheme it names, and signed. @param {PublicKey} key @param {Uint8Array} signer @param {number} scheme @param {Uint8Array} message @param {Uint8Array} signature */
export function verifySigned(key, signer, scheme, message, signature) {
  if (!equal(key.keyId, signer)) throw fieldMismatch("signer", keyIdText(signer), keyIdText(key.keyId));
  requireKeyScheme(key, scheme);
  verifySignature(key, message, signature);
}

/** @param {PublicKey} key @param {number} scheme */
export function requireKeyScheme(key, scheme) {
  if (key.scheme !== scheme) throw fieldMismatch("scheme", schemeText(key.scheme), schemeText(scheme));
}

/** @param {number} scheme */
const schemeText = (scheme) => `0x${scheme.toString(16).padStart(4, "0")}`;

/** @param {number} scheme */
function requireScheme(scheme) {
  if (scheme !== ED25519 && scheme !== P256) throw fieldMalformed("scheme", "0x0807 (Ed25519) or 0x0403 (P-256)");
}

