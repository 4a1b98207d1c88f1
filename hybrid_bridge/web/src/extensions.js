/**
 * The extensions of an X.509 certificate, each once, those that count here read strictly. Source: RFC 5280 §4.2.1.
 *
 * A shape that is known and wrong makes the whole list unreadable, as it does for Python's library; of shapes that say
 * nothing here it is enough that they are DER.
 */

import { latin1 } from "./bytes.js";
import { BITS, BOOLEAN, DerReader, explicit, INTEGER, OCTETS, SEQUENCE } from "./der.js";
import { fieldMalformed } from "./errors.js";

const FIELD = "certificate.extension";
const ALTERNATIVE_NAMES = "2.5.29.17";
/** Names, policies, where to ask: what the library knows and nobody here reads. */
const SEQUENCES = new Set([
  "2.5.29.16", "2.5.29.18", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.36", "2.5.29.46", "1.3.6.1.5.5.7.1.1",
  "1.3.6.1.5.5.7.1.11", "1.3.6.1.5.5.7.1.24",
]);

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
    else if (SEQUENCES.has(oid)) requireDer(wholeOf(value, SEQUENCE));
    if (oid === "2.5.29.37") found.isPurposeCritical = critical;
    if (critical && (!(oid in READERS) || ["2.5.29.14", "2.5.29.35"].includes(oid))) found.isUnknownCritical = true;
  }
  return found;
}

/** The content of the one element. @param {Uint8Array} value @param {number} tag */
function wholeOf(value, tag) {
  const outside = new DerReader(value, FIELD);
  const { content } = outside.take(tag);
  outside.end();
  return content;
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

/** The URIs among the names. @param {Uint8Array} content */
function generalNames(content) {
  const reader = new DerReader(content, FIELD);
  const uris = [];
  while (reader.peek() !== -1) {
    const { tag, content: name } = reader.any();
    if ([0xa0, 0xa3, 0xa4, 0xa5].includes(tag)) requireDer(name);
    else if (![0x81, 0x82, 0x86, 0x87, 0x88].includes(tag)) throw fieldMalformed(FIELD, "a general name");
    const isText = [0x81, 0x82, 0x86].includes(tag);
    if (isText && name.some((octet) => octet > 0x7f)) throw fieldMalformed(FIELD, "ASCII");
    if (tag === 0x87 && ![4, 8, 16, 32].includes(name.length)) throw fieldMalformed(FIELD, "an IP address");
    if (tag === 0x86) uris.push(latin1(name));
  }
  return uris;
}

/** @type {Record<string, (value: Uint8Array) => Partial<Extensions>>} */
const READERS = {
  "2.5.29.14": subjectKeyId,
  "2.5.29.15": keyUsage,
  [ALTERNATIVE_NAMES]: alternativeNames,
  "2.5.29.19": basicConstraints,
  "2.5.29.35": authorityKeyId,
  "2.5.29.37": purposes,
};
