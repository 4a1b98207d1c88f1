/**
 * Extensions that say nothing here and yet must have their shape, as Python's library wants it. Source: RFC 5280 §4.2; RFC 7633.
 */

import { latin1, utf8Text } from "./bytes.js";
import { DerReader, explicit, INTEGER, NULL, oidText, SEQUENCE, SET } from "./der.js";
import { fieldMalformed } from "./errors.js";

const FIELD = "certificate.extension";
const [IA5, UTF8, VISIBLE, BMP] = [0x16, 0x0c, 0x1a, 0x1e];
const [UNIVERSAL, TEXTS] = [0x1c, [0x04, UTF8, 0x12, 0x13, 0x14, IA5, 0x17, 0x18, VISIBLE]];
const wrong = (/** @type {string} */ rule) => fieldMalformed(FIELD, rule);

/** The content of the one element. @param {Uint8Array} value @param {number} tag */
export function wholeOf(value, tag) {
  const outside = new DerReader(value, FIELD);
  const { content } = outside.take(tag);
  outside.end();
  return content;
}

/** A reader of each element of a list, to be read to its end. @param {Uint8Array} content @param {number} tag @param {(inside: DerReader) => void} read */
function each(content, tag, read) {
  const reader = new DerReader(content, FIELD);
  while (reader.peek() !== -1) {
    const inside = reader.inside(tag);
    read(inside);
    inside.end();
  }
}

/** @param {Uint8Array} content */
const isAscii = (content) => content.every((octet) => octet < 0x80);

/** The URIs among the names. @param {Uint8Array} content */
export function generalNames(content) {
  const reader = new DerReader(content, FIELD);
  const uris = [];
  while (reader.peek() !== -1) {
    const { tag, content: name } = reader.any();
    generalName(tag, name);
    if (tag === 0x86) uris.push(latin1(name));
  }
  return uris;
}

/** @param {number} tag @param {Uint8Array} name */
function generalName(tag, name) {
  if ([0x81, 0x82, 0x86].includes(tag)) {
    if (!isAscii(name)) throw wrong("ASCII");
  } else if (tag === 0x87) {
    if (![4, 8, 16, 32].includes(name.length)) throw wrong("an IP address");
  } else if (tag === 0x88) {
    if (oidText(name) === null) throw wrong("an object identifier");
  } else if (tag === 0xa0) {
    const inside = new DerReader(name, FIELD);
    inside.oid();
    const held = inside.inside(explicit(0));
    held.any();
    held.end();
    inside.end();
  } else if (tag === 0xa4) directoryName(wholeOf(name, SEQUENCE));
  else throw wrong("a general name that is known");
}

/** @param {Uint8Array} content */
const directoryName = (content) => each(content, SET, relativeName);

/** @param {DerReader} set */
function relativeName(set) {
  do {
    const attribute = set.inside(SEQUENCE);
    attribute.oid();
    const { tag, content } = attribute.any();
    attribute.end();
    const isWide = (tag === BMP && content.length % 2 === 0) || (tag === UNIVERSAL && content.length % 4 === 0);
    if (!isWide && !(TEXTS.includes(tag) && utf8Text(content) !== null)) throw wrong("an attribute that is a text");
  } while (set.peek() !== -1);
}

/** @param {Uint8Array} value */
const descriptions = (value) => each(wholeOf(value, SEQUENCE), SEQUENCE, (inside) => {
  inside.oid();
  const { tag, content } = inside.any();
  generalName(tag, content);
});

/** @param {Uint8Array} value */
const policies = (value) => each(wholeOf(value, SEQUENCE), SEQUENCE, (inside) => {
  inside.oid();
  if (inside.peek() !== -1) each(inside.take(SEQUENCE).content, SEQUENCE, qualifier);
});

/** A place on the net, or a notice for people. @param {DerReader} inside */
function qualifier(inside) {
  const kind = inside.oid();
  if (kind === "1.3.6.1.5.5.7.2.1") {
    if (!isAscii(inside.take(IA5).content)) throw wrong("ASCII");
  } else if (kind === "1.3.6.1.5.5.7.2.2") notice(inside.inside(SEQUENCE));
  else throw wrong("a policy qualifier that is known");
}

/** @param {DerReader} inside */
function notice(inside) {
  if (inside.peek() === SEQUENCE) {
    const reference = inside.inside(SEQUENCE);
    displayText(reference);
    const numbers = reference.inside(SEQUENCE);
    while (numbers.peek() !== -1) numbers.integer();
    reference.end();
  }
  if (inside.peek() !== -1) displayText(inside);
  inside.end();
}

/** @param {DerReader} inside */
function displayText(inside) {
  const { tag, content } = inside.any();
  if (![IA5, UTF8, VISIBLE, BMP].includes(tag)) throw wrong("a text");
  if (tag === UTF8 ? utf8Text(content) === null : tag !== BMP && !isAscii(content)) throw wrong("characters of this text");
}

/** @param {Uint8Array} value */
function features(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  if (reader.peek() === -1) throw wrong("one TLS feature at least");
  while (reader.peek() !== -1) if (![5n, 17n].includes(reader.integer())) throw wrong("a TLS feature that is known");
}

/** @param {Uint8Array} value */
function policyConstraints(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  const found = [0x80, 0x81].flatMap((tag) => (reader.peek() === tag ? [reader.integer(tag)] : []));
  reader.end();
  if (found.length === 0 || found.some((one) => one < 0n)) throw wrong("one number at least");
}

/** Names that are permitted, and that are not; from and to which depth is read by nobody. @param {Uint8Array} value */
function nameConstraints(value) {
  const reader = new DerReader(wholeOf(value, SEQUENCE), FIELD);
  const parts = [0xa0, 0xa1].flatMap((tag) => reader.optional(tag) ?? []);
  reader.end();
  let count = 0;
  for (const part of parts) {
    each(part.content, SEQUENCE, (inside) => {
      const { tag, content } = inside.any();
      generalName(tag, content);
      for (const depth of [0x80, 0x81]) if (inside.peek() === depth) inside.integer(depth);
      count++;
    });
  }
  if (count === 0) throw wrong("one name at least");
}

/** @param {Uint8Array} value */
function inhibitAny(value) {
  const reader = new DerReader(value, FIELD);
  const number = reader.integer(INTEGER);
  reader.end();
  if (number < 0n) throw wrong("a number");
}

/** @param {Uint8Array} value */
function distribution(value) {
  each(wholeOf(value, SEQUENCE), SEQUENCE, (point) => {
    const place = point.optional(explicit(0));
    if (place !== null) {
      const inside = new DerReader(place.content, FIELD);
      const { tag, content } = inside.any();
      inside.end();
      if (tag === 0xa0) generalNames(content);
      else if (tag === 0xa1) relativeName(new DerReader(content, FIELD));
      else throw wrong("a place");
    }
    const reasons = point.optional(0x81);
    if (reasons !== null) bits(reasons.content);
    const issuer = point.optional(explicit(2));
    if (issuer !== null) generalNames(issuer.content);
    if (place === null && issuer === null) throw wrong("a place or an issuer");
  });
}

/** @param {Uint8Array} content */
function bits(content) {
  const [unused, ...octets] = content;
  const last = octets[octets.length - 1] ?? 0;
  if (unused === undefined || unused > 7 || (unused && (octets.length === 0 || last & ((1 << unused) - 1)))) throw wrong("a BIT STRING");
}

/** @param {Uint8Array} value */
function nothing(value) {
  if (wholeOf(value, NULL).length) throw wrong("nothing");
}

/** @type {Record<string, (value: Uint8Array) => void>} */
export const SHAPES = {
  "1.3.6.1.5.5.7.1.1": descriptions,
  "1.3.6.1.5.5.7.1.11": descriptions,
  "1.3.6.1.5.5.7.1.24": features,
  "1.3.6.1.5.5.7.48.1.5": nothing,
  "2.5.29.18": (value) => void generalNames(wholeOf(value, SEQUENCE)),
  "2.5.29.30": nameConstraints,
  "2.5.29.31": distribution,
  "2.5.29.32": policies,
  "2.5.29.36": policyConstraints,
  "2.5.29.46": distribution,
  "2.5.29.54": inhibitAny,
};
