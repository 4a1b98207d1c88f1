/**
 * What one X.509 certificate says, read once; whether a root that the verifier names issued it.
 *
 * Python reads certificates with a library that is strict; here every element that is looked at is read strictly too, and
 * whatever cannot be read is CertificateMalformed. Source: SPEC §8.1, §12 step 9; RFC 5280; RFC 4514.
 */

import { concat, equal, hex, latin1, toBig, utf8Text } from "./bytes.js";
import {
  BITS, calendarParts, DerReader, explicit, INTEGER, isMinimal, NULL, OCTETS, OID, SEQUENCE, SET, TIME, UTC_TIME,
} from "./der.js";
import { sha256 } from "./encoding.js";
import { BridgeError, refusal } from "./errors.js";
import { secondsOf } from "./evidence.js";
import { readExtensions } from "./extensions.js";
import { decodeSpki, edEquation, edPoint } from "./keys.js";
import {
  p256, p384, p521, secp256k1, sha224, sha256 as hash256, sha3_224, sha3_256, sha3_384, sha3_512, sha384, sha512,
} from "./vendor/noble.js";

export const MAX_CERTIFICATE_NAME = 64; // characters that X.520 has room for
const FIELD = "certificate";
const IDENTITY = /^urn:hybrid-bridge:identity:[a-z][a-z0-9-]{0,31}$/;
const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const ED25519_OID = "1.3.101.112";
/** @type {Record<string, any>} */
const CURVES = { "1.2.840.10045.3.1.7": p256, "1.3.132.0.34": p384, "1.3.132.0.35": p521, "1.3.132.0.10": secp256k1 };
/** secp192r1, secp224r1, brainpool of 256, 384 and 512 bits: can be read, and are no use here. */
const OTHER_CURVES = new Set([
  "1.2.840.10045.3.1.1", "1.3.132.0.33", "1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.11", "1.3.36.3.3.2.8.1.1.13",
]);
/** @type {Record<string, any>} */
export const HASHES = {
  "sha-224": sha224, "sha-256": hash256, "sha-384": sha384, "sha-512": sha512, "sha3-224": sha3_224, "sha3-256": sha3_256,
  "sha3-384": sha3_384, "sha3-512": sha3_512,
};
export const RSA_PKCS1 = {
  "1.2.840.113549.1.1.11": "sha-256", "1.2.840.113549.1.1.12": "sha-384", "1.2.840.113549.1.1.13": "sha-512",
};
export const ECDSA = {
  "1.2.840.10045.4.3.2": "sha-256", "1.2.840.10045.4.3.3": "sha-384", "1.2.840.10045.4.3.4": "sha-512",
};
/** What certificates are signed with; tokens only with those above. @type {Record<string, string>} */
const ANY_RSA = {
  ...RSA_PKCS1, "1.2.840.113549.1.1.14": "sha-224", "2.16.840.1.101.3.4.3.13": "sha3-224", "2.16.840.1.101.3.4.3.14": "sha3-256",
  "2.16.840.1.101.3.4.3.15": "sha3-384", "2.16.840.1.101.3.4.3.16": "sha3-512",
};
/** @type {Record<string, string>} */
const ANY_ECDSA = {
  ...ECDSA, "1.2.840.10045.4.3.1": "sha-224", "2.16.840.1.101.3.4.3.9": "sha3-224", "2.16.840.1.101.3.4.3.10": "sha3-256",
  "2.16.840.1.101.3.4.3.11": "sha3-384", "2.16.840.1.101.3.4.3.12": "sha3-512",
};
/** @type {Record<string, number>} bytes of keys that can be read and are no use here: X25519, X448, Ed448 */
const OTHER_KEYS = { "1.3.101.110": 32, "1.3.101.111": 56, "1.3.101.113": 57 };
const ORGANIZATION = "2.5.4.10";
const ORGANIZATION_ID = "2.5.4.97";
const UNIQUE_ID = "2.5.4.45"; // the one attribute that is a bit string
/** @type {Record<string, string>} RFC 4514 §3 */
const SHORT_NAMES = {
  "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", [ORGANIZATION]: "O", "2.5.4.11": "OU", "2.5.4.6": "C", "2.5.4.9": "STREET",
  "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
};

/** @param {string} rule */
const malformed = (rule) => refusal("CertificateMalformed", { rule });

/** Whatever the strict reader complains of is a certificate that cannot be read. @template T @param {string} rule @param {() => T} read @returns {T} */
function reading(rule, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof BridgeError) throw malformed(rule);
    throw error;
  }
}

/**
 * @typedef {{ oid: string, parameters: Uint8Array | null, whole: Uint8Array }} Algorithm
 * @typedef {{ oid: string, tag: number, content: Uint8Array }} Attribute
 * @typedef {{ der: Uint8Array, tbs: Uint8Array, serial: bigint, inner: Algorithm, outer: Algorithm, signature: Uint8Array,
 *   issuer: Uint8Array, subject: Uint8Array, rdns: Attribute[][], begins: number, ends: number, spki: Uint8Array,
 *   extensions: import("./extensions.js").Extension[] }} Certificate times in whole seconds; names as DER
 */

/** A DER certificate with a validity. @param {Uint8Array} data @returns {Certificate} */
export const readCertificate = (data) => reading("a DER X.509 certificate", () => decodeCertificate(data));

/** @param {Uint8Array} data @returns {Certificate} */
function decodeCertificate(data) {
  const outside = new DerReader(data, FIELD);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const tbs = reader.take(SEQUENCE);
  const outer = readAlgorithm(reader);
  const signature = readBits(reader.take(BITS).content);
  reader.end();
  const body = new DerReader(tbs.content, FIELD);
  const version = readVersion(body);
  const number = body.take(INTEGER).content;
  if (number.length === 0 || !isMinimal(number) || number[0] & 0x80 || toBig(number) === 0n) throw malformed("a serial number from one on");
  const inner = readAlgorithm(body);
  const issuer = body.take(SEQUENCE);
  readName(issuer.content);
  const validity = body.inside(SEQUENCE);
  const [begins, ends] = [readTime(validity), readTime(validity)];
  validity.end();
  const subject = body.take(SEQUENCE);
  const rdns = readName(subject.content);
  const spki = body.take(SEQUENCE);
  readSpki(spki.content);
  for (const tag of [0x81, 0x82]) {
    const id = body.optional(tag);
    if (id !== null) readBits(id.content);
  }
  const extensions = splitExtensions(body.optional(explicit(3)));
  body.end();
  if (version !== 0n && version !== 2n) throw malformed("version 1 or 3");
  return {
    der: data, tbs: tbs.whole, serial: toBig(number), inner, outer, signature, issuer: issuer.whole, subject: subject.whole, rdns,
    begins, ends, spki: spki.whole, extensions,
  };
}

/** @param {DerReader} body */
function readVersion(body) {
  if (body.peek() !== explicit(0)) return 0n;
  const reader = body.inside(explicit(0));
  const version = reader.integer();
  reader.end();
  if (version <= 0n) throw malformed("a version that is not the default"); // X.690 §11.5
  return version;
}

/** @param {DerReader} reader @returns {Algorithm} */
function readAlgorithm(reader) {
  const { content, whole } = reader.take(SEQUENCE);
  const inside = new DerReader(content, FIELD);
  const oid = inside.oid();
  const parameters = inside.peek() === -1 ? null : inside.any().whole;
  inside.end();
  if (oid === EC) requireCurve(parameters);
  const takesNone = oid in ECDSA || oid === ED25519_OID;
  if (takesNone && parameters !== null) throw malformed("an algorithm without parameters");
  if (oid in RSA_PKCS1 && (parameters === null || !equal(parameters, Uint8Array.of(NULL, 0)))) throw malformed("NULL parameters");
  return { oid, parameters, whole };
}

/** A curve by its name, or one that is written out, which nobody here uses (RFC 5480 §2.1.1). @param {Uint8Array | null} parameters */
function requireCurve(parameters) {
  const reader = new DerReader(parameters ?? new Uint8Array(), FIELD);
  if (reader.peek() === OID) reader.oid();
  else if (reader.peek() !== SEQUENCE && reader.peek() !== NULL) throw malformed("a curve");
}

/** Whole bytes of a BIT STRING, unused bits zero. @param {Uint8Array} content */
function readBits(content) {
  const [unused, ...rest] = content;
  if (unused === undefined || unused > 7 || (unused && (rest.length === 0 || rest[rest.length - 1] & ((1 << unused) - 1)))) {
    throw malformed("a BIT STRING");
  }
  return Uint8Array.from(rest);
}

/** @param {Uint8Array} content @returns {Attribute[][]} */
function readName(content) {
  const reader = new DerReader(content, FIELD);
  const rdns = [];
  while (reader.peek() !== -1) {
    const set = reader.inside(SET);
    /** @type {Attribute[]} */ const attributes = [];
    /** @type {Uint8Array} */ let before = new Uint8Array();
    while (set.peek() !== -1) {
      const { content: pair, whole } = set.take(SEQUENCE);
      if (attributes.length && latin1(whole) < latin1(before)) throw malformed("attributes in order");
      before = whole;
      attributes.push(readAttribute(pair));
    }
    rdns.push(attributes);
  }
  return rdns;
}

/** @param {Uint8Array} content @returns {Attribute} */
function readAttribute(content) {
  const reader = new DerReader(content, FIELD);
  const oid = reader.oid();
  const { tag, content: value } = reader.any();
  reader.end();
  if ((tag & 0x1f) === 0x1f) throw malformed("a tag of one byte");
  if (tag === 0x13 && !/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(latin1(value))) throw malformed("a PrintableString");
  if (tag === 0x1c && (value.length % 4 || wideText(value, 4) === null)) throw malformed("a UniversalString");
  if (tag === 0x1e && (value.length % 2 || wideText(value, 2) === null)) throw malformed("a BMPString");
  return { oid, tag, content: value };
}

/** UTCTime or GeneralizedTime with seconds and Z (RFC 5280 §4.1.2.5). @param {DerReader} reader */
function readTime(reader) {
  const isShort = reader.peek() === UTC_TIME;
  const text = latin1(reader.take(isShort ? UTC_TIME : TIME).content);
  if (!(isShort ? /^[0-9]{12}Z$/ : /^[0-9]{14}Z$/).test(text)) throw malformed("a time");
  const digits = isShort ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text.slice(0, -1)}` : text.slice(0, -1);
  const seconds = secondsOf(calendarParts(digits));
  if (seconds === null) throw malformed("a day that exists");
  return seconds;
}

/** @param {Uint8Array} content */
function readSpki(content) {
  const reader = new DerReader(content, FIELD);
  const algorithm = readAlgorithm(reader);
  const { content: bits } = reader.take(BITS);
  reader.end();
  return { algorithm, key: readBits(bits), isWhole: bits[0] === 0 };
}

/** @param {import("./der.js").Element | null} element @returns {import("./extensions.js").Extension[]} */
function splitExtensions(element) {
  if (element === null) return [];
  const outside = new DerReader(element.content, FIELD);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const extensions = [];
  while (reader.peek() !== -1) {
    const extension = reader.inside(SEQUENCE);
    const oid = extension.oid();
    const critical = extension.flag();
    extensions.push({ oid, critical, value: extension.take(OCTETS).content });
    extension.end();
  }
  return extensions;
}

// ── keys and signatures ────────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {{ kind: string, verify: (message: Uint8Array, signature: Uint8Array, hash: string) => boolean }} CertifiedKey */

/** The key in a certificate, of a kind that can be used here. @param {Certificate} certificate @returns {CertifiedKey} */
export function keyIn(certificate) {
  const rule = "a public key that can be read here";
  return reading(rule, () => {
    const { algorithm, key, isWhole } = readSpki(new DerReader(certificate.spki, FIELD).take(SEQUENCE).content);
    if (!isWhole) throw malformed(rule);
    if (algorithm.oid === RSA) return rsaKey(key);
    if (algorithm.oid === EC && algorithm.parameters) return ecKey(algorithm.parameters, key);
    if (algorithm.oid === ED25519_OID && key.length === 32) return ed25519Key(key);
    if (OTHER_KEYS[algorithm.oid] === key.length) return { kind: "other", verify: () => false };
    throw malformed(rule);
  });
}

/** @param {Uint8Array} key @returns {CertifiedKey} */
function ed25519Key(key) {
  return {
    kind: "ed25519",
    verify(message, signature) {
      const point = edPoint(key);
      return point !== null && signature.length === 64 && isBelowOrder(signature) && edEquation(point, key, message, signature);
    },
  };
}

/** @param {Uint8Array} signature */
const isBelowOrder = (signature) =>
  toBig(signature.slice(32).reverse()) < 2n ** 252n + 27742317777372353535851937790883648493n;

/** @param {Uint8Array} parameters @param {Uint8Array} key @returns {CertifiedKey} */
function ecKey(parameters, key) {
  const name = new DerReader(parameters, FIELD).oid();
  if (OTHER_CURVES.has(name)) return { kind: "other", verify: () => false };
  const curve = CURVES[name];
  if (curve === undefined) throw malformed("a curve that is known here");
  let point;
  try {
    point = curve.Point.fromBytes(key);
  } catch {
    throw malformed("a point of its curve");
  }
  return {
    kind: "ec",
    verify(message, signature, hash) {
      try {
        const compact = ecdsaCompact(signature, curve.Point.Fn.BYTES);
        return curve.verify(compact, HASHES[hash](message), point.toBytes(false), { prehash: false, lowS: false });
      } catch (error) {
        if (error instanceof BridgeError) return false;
        throw error;
      }
    },
  };
}

/** r ‖ s of a DER signature. @param {Uint8Array} signature @param {number} width */
function ecdsaCompact(signature, width) {
  const outside = new DerReader(signature, FIELD);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const contents = [reader.take(INTEGER).content, reader.take(INTEGER).content];
  reader.end();
  const isPositive = contents.every((content) => content.length > 0 && isMinimal(content) && !(content[0] & 0x80));
  const digits = contents.map((content) => toBig(content).toString(16).padStart(2 * width, "0"));
  if (!isPositive || digits.some((text) => text.length > 2 * width)) throw malformed("a signature");
  return Uint8Array.from(digits.join("").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2). @param {Uint8Array} key @returns {CertifiedKey} */
function rsaKey(key) {
  const outside = new DerReader(key, FIELD);
  const reader = outside.inside(SEQUENCE);
  outside.end();
  const [modulus, exponent] = [reader.take(INTEGER).content, reader.take(INTEGER).content];
  reader.end();
  const [n, e] = [toBig(modulus), toBig(exponent)];
  if (![modulus, exponent].every(isMinimal) || modulus[0] & 0x80 || e < 3n || e % 2n === 0n || e >= 2n ** 33n || n < 2n ** 1023n || n >= 2n ** 16384n) {
    throw malformed("an RSA key");
  }
  const width = Math.ceil(n.toString(16).length / 2);
  return {
    kind: "rsa",
    verify(message, signature, hash) {
      const s = toBig(signature);
      if (signature.length !== width || s >= n) return false;
      const got = power(s, e, n).toString(16).padStart(2 * width, "0");
      return got === hex(pkcs1Encoded(HASHES[hash](message), hash, width));
    },
  };
}

/** @type {Record<string, string>} the DER before the digest (RFC 8017 §9.2 note 1) */
const DIGEST_INFO = {
  "sha-224": "302d300d06096086480165030402040500041c", "sha3-224": "302d300d06096086480165030402070500041c",
  "sha-256": "3031300d060960864801650304020105000420", "sha-384": "3041300d060960864801650304020205000430",
  "sha-512": "3051300d060960864801650304020305000440", "sha3-256": "3031300d060960864801650304020805000420",
  "sha3-384": "3041300d060960864801650304020905000430", "sha3-512": "3051300d060960864801650304020a05000440",
};

/** @param {Uint8Array} digest @param {string} hash @param {number} width */
function pkcs1Encoded(digest, hash, width) {
  const info = concat(Uint8Array.from(DIGEST_INFO[hash].match(/../g) ?? [], (pair) => parseInt(pair, 16)), digest);
  return concat(Uint8Array.of(0, 1), new Uint8Array(width - info.length - 3).fill(0xff), Uint8Array.of(0), info);
}

/** @param {bigint} base @param {bigint} exponent @param {bigint} modulus */
function power(base, exponent, modulus) {
  let [result, square] = [1n, base % modulus];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Whether `issuer` signed `certificate`, by name and by a signature that is not weak. @param {Certificate} certificate @param {Certificate} issuer */
export function isIssuedBy(certificate, issuer) {
  if (!equal(certificate.issuer, issuer.subject) || !equal(certificate.inner.whole, certificate.outer.whole)) return false;
  const { oid } = certificate.outer;
  const hash = /** @type {Record<string, string>} */ ({ ...ANY_RSA, ...ANY_ECDSA, [ED25519_OID]: "" })[oid];
  const kind = oid in ANY_RSA ? "rsa" : oid in ANY_ECDSA ? "ec" : "ed25519";
  if (hash === undefined) return false;
  try {
    const key = keyIn(issuer);
    return key.kind === kind && key.verify(certificate.tbs, certificate.signature, hash);
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

// ── what verifiers ask of a certificate ────────────────────────────────────────────────────────────────────────────

/**
 * Whom it names counts only if a root of the verifier issued it; else `subject` is null.
 * @param {Uint8Array} data @param {Certificate[]} roots
 */
export function showCertificate(data, roots) {
  const certificate = readCertificate(data);
  const isTrusted = roots.some((root) => isIssuedBy(certificate, root));
  keyIn(certificate);
  const { spki, begins, ends } = certificate;
  return { digest: sha256(data), spki, begins, ends, subject: isTrusted ? subjectOf(certificate) : null };
}

/** The identity key in a certificate. @param {Uint8Array} data */
export function certifiedKey(data) {
  const certificate = readCertificate(data);
  keyIn(certificate);
  return decodeSpki(certificate.spki);
}

/** @param {Certificate} certificate */
export function subjectOf(certificate) {
  const texts = attributeTexts(certificate) ?? [];
  const of = (/** @type {string} */ oid) => new Set(texts.filter((text) => text.oid === oid).map((text) => text.value));
  return { names: of(ORGANIZATION), legalIds: of(ORGANIZATION_ID), isIdentity: isForIdentity(certificate) };
}

/** Attributes of the subject as texts; null if one of them cannot be read. @param {Certificate} certificate */
function attributeTexts(certificate) {
  const texts = [];
  for (const attribute of certificate.rdns.flat()) {
    if (attribute.tag === BITS && attribute.oid === UNIQUE_ID) continue;
    const value = attributeText(attribute);
    if (value === null || !hasRoom(attribute.oid, value)) return null;
    texts.push({ oid: attribute.oid, value });
  }
  return texts;
}

/** @param {Attribute} attribute */
function attributeText({ tag, content }) {
  if (tag === 0x1e || tag === 0x1c) return wideText(content, tag === 0x1e ? 2 : 4);
  return [0x04, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a].includes(tag) ? utf8Text(content) : null;
}

/** UTF-16 or UTF-32, big-endian. @param {Uint8Array} content @param {number} width */
function wideText(content, width) {
  const units = Array.from({ length: content.length / width }, (_, i) => Number(toBig(content.subarray(i * width, (i + 1) * width))));
  if (units.some((unit) => unit > 0x10ffff || (width === 4 && unit >= 0xd800 && unit < 0xe000))) return null;
  const text = width === 2 ? String.fromCharCode(...units) : String.fromCodePoint(...units);
  return /\p{Surrogate}/u.test(text) ? null : text;
}

/** Lengths that X.520 gives countries and common names. @param {string} oid @param {string} value */
function hasRoom(oid, value) {
  const length = new TextEncoder().encode(value).length;
  if (oid === "2.5.4.6" || oid === "1.3.6.1.4.1.311.60.2.1.3") return length === 2;
  return oid !== "2.5.4.3" || (length >= 1 && length <= 64);
}

/** The legal id whole; the name as far as X.520 has room for it. @param {{ names: Set<string>, legalIds: Set<string> }} subject @param {string} name @param {string} legalId */
export const holdsName = (subject, name, legalId) =>
  subject.names.has([...name].slice(0, MAX_CERTIFICATE_NAME).join("")) && subject.legalIds.has(legalId);

/** Exactly one URI among the alternative names, and it says so. @param {Certificate} certificate */
function isForIdentity(certificate) {
  try {
    const { uris } = readExtensions(certificate.extensions);
    return uris.length === 1 && IDENTITY.test(uris[0]);
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

/** The subject for people, the last part first (RFC 4514). @param {Certificate} certificate */
export const subjectText = (certificate) =>
  [...certificate.rdns].reverse().map((rdn) => rdn.map(attributeRfc4514).join("+")).join(",");

/** @param {Attribute} attribute */
function attributeRfc4514(attribute) {
  const name = SHORT_NAMES[attribute.oid] ?? attribute.oid;
  if (attribute.tag === BITS && attribute.oid === UNIQUE_ID) return `${name}=#${hex(attribute.content)}`;
  const value = attributeText(attribute);
  if (value === null) throw malformed("readable names");
  return `${name}=${escaped(value)}`;
}

/** @param {string} value */
function escaped(value) {
  let text = value.replace(/[\\"+,;<>]/g, "\\$&").replaceAll("\0", "\\00");
  if (text.startsWith("#") || (text.startsWith(" ") && text.length > 1)) text = `\\${text}`;
  return text.endsWith(" ") ? `${text.slice(0, -1)}\\ ` : text;
}

