/**
 * The extensions of an X.509 certificate, each once, those that count here read strictly. Source: RFC 5280 §4.2.1.
 *
 * A shape that is known and wrong makes the whole list unreadable, as it does for Python's library (`extension-shapes.js`).
 */

import { BITS, BOOLEAN, DerReader, explicit, INTEGER, OCTETS, SEQUENCE } from "./der.js";
import { fieldMalformed } from "./errors.js";
import { generalNames, SHAPES, wholeOf } from "./extension-shapes.js";

const FIELD = "certificate.extension";
const ALTERNATIVE_NAMES = "2.5.29.17";
const KEY_TERM = "2.5.29.16"; // of the private key: the library knows it, here it is only DER

/**
 * @typedef {{ oid: string, critical: boolean, value: Uint8Array }} Extension
 * @typedef {{ isAuthority: boolean, pathLength: number, hasUsage: boolean, signsCertificates: boolean, signsLists: boolean,
 *   purposes: string[], isPurposeCritical: boolean, isUnknownCritical: boolean, uris: string[] }} Extensions
 */

/** @param {Extension[]} extensions @returns {Extensions} */
export function readExtensions(extensions) {
  const oids = extensions.map((extension) => extension.oid);
  if (new Set(oids).size !== oids.length) throw fieldMalformed(FIELD, "each once");
  /** @type {Extensions} */ const found = {
    isAuthority: false, pathLength: Infinity, hasUsage: false, signsCertificates: false, signsLists: false, purposes: [],
    isPurposeCritical: false, isUnknownCritical: false, uris: [],
  };
  for (const { oid, critical, value } of extensions) {
    if (oid in READERS) Object.assign(found, READERS[oid](value));
    else if (oid in SHAPES) SHAPES[oid](value);
    else if (oid === KEY_TERM) requireDer(wholeOf(value, SEQUENCE));
    if (oid === "2.5.29.37") found.isPurposeCritical = critical;
    if (critical && (!(oid in READERS) || ["2.5.29.14", "2.5.29.35"].includes(oid))) found.isUnknownCritical = true;
  }
  return found;
}

/** @param {Uint8Array} value */
function requireDer(value) {
  const reader = new DerReader(value, FIELD);
  while (reader.peek() !== -1) {
    const { tag, content } = reader.any();
    if (tag & 0x20) requireDer(content);
  }
}

/** @param {Uint8Array} value */
function basicConstraints(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  const isAuthority = reader.peek() === BOOLEAN && reader.flag();
  const length = reader.peek() === INTEGER ? reader.integer() : null;
  reader.end();
  if (length !== null && (length < 0n || length >= 2n ** 64n)) throw fieldMalformed(FIELD, "a path length");
  return { isAuthority, pathLength: length === null ? Infinity : Number(length) };
}

/** Bits 5 and 6: certificates, revocation lists. @param {Uint8Array} value */
function keyUsage(value) {
  const [unused, ...octets] = wholeOf(value, BITS);
  const last = octets[octets.length - 1] ?? 0;
  if (unused === undefined || unused > 7 || (unused && (octets.length === 0 || last & ((1 << unused) - 1)))) {
    throw fieldMalformed(FIELD, "a BIT STRING");
  }
  const first = octets[0] ?? 0;
  return { hasUsage: true, signsCertificates: (first & 0x04) !== 0, signsLists: (first & 0x02) !== 0 };
}

/** @param {Uint8Array} value */
function purposes(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  const found = [];
  while (reader.peek() !== -1) found.push(reader.oid());
  return { purposes: found };
}

/** @param {Uint8Array} value */
function subjectKeyId(value) {
  wholeOf(value, OCTETS);
  return {};
}

/** Key, issuer and serial number, each may be left out, the last two together. @param {Uint8Array} value */
function authorityKeyId(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  reader.optional(0x80);
  const issuer = reader.optional(explicit(1));
  if (issuer !== null) generalNames(issuer.content);
  const serial = reader.peek() === 0x82 ? reader.integer(0x82) : null;
  reader.end();
  if ((issuer === null) !== (serial === null)) throw fieldMalformed(FIELD, "issuer and serial number together");
  return {};
}

/** @param {Uint8Array} value */
const alternativeNames = (value) => ({ uris: generalNames(wholeOf(value, SEQUENCE)) });

/** @type {Record<string, (value: Uint8Array) => Partial<Extensions>>} */
const READERS = {
  "2.5.29.14": subjectKeyId,
  "2.5.29.15": keyUsage,
  [ALTERNATIVE_NAMES]: alternativeNames,
  "2.5.29.19": basicConstraints,
  "2.5.29.35": authorityKeyId,
  "2.5.29.37": purposes,
};
