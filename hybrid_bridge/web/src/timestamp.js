/**
 * The bytes of RFC 3161: what a token says; and whether it is to be believed.
 *
 * Python asks OpenSSL about the path to a root; here the rules it needs are written out: each issuer signed, is an
 * authority within its path length, may sign certificates, and is valid at genTime. Revocation is checked nowhere.
 * Source: SPEC §13; RFC 3161 §2.3, §2.4; RFC 5652 §5; RFC 5816; RFC 5280 §6.
 */

import { equal, hex, toBig } from "./bytes.js";
import { HASHES, ECDSA, isIssuedBy, keyIn, readCertificate, RSA_PKCS1, subjectText } from "./certificate.js";
import { der, DerReader, explicit, INTEGER, isMinimal, NULL, OCTETS, SEQUENCE, SET } from "./der.js";
import { asOctets } from "./encoding.js";
import { BridgeError, fieldMalformed, fieldMismatch, missing, refusal, tooLong } from "./errors.js";
import { readExtensions } from "./extensions.js";
import { sha1 } from "./vendor/noble.js";

export const SECOND = 10n ** 9n;
const MAX_TOKEN = 1 << 16; // bytes (SPEC §11)
const MAX_CERTIFICATES = 8; // in one token: the signer's and what leads to a root
const MAX_PATH = 4; // certificates between the signer's and a root
const FIELD = "token";
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"; // by SHA-1 (RFC 2634)
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"; // RFC 5816
const RSA_OF_DIGEST = "1.2.840.113549.1.1.1"; // the hash is that of the signer's digest
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
/** @type {Record<string, string>} SHA-256 or stronger; names as `renewals[].hash` has them */
const HASH_NAMES = {
  "2.16.840.1.101.3.4.2.1": "sha-256", "2.16.840.1.101.3.4.2.2": "sha-384", "2.16.840.1.101.3.4.2.3": "sha-512",
  "2.16.840.1.101.3.4.2.8": "sha3-256", "2.16.840.1.101.3.4.2.9": "sha3-384", "2.16.840.1.101.3.4.2.10": "sha3-512",
};

/** @typedef {any} Token */

/** A TimeStampToken: DER, one signer, signed attributes, its certificate within. @param {Uint8Array} data @returns {Token} */
export function decodeToken(data) {
  data = asOctets(data, FIELD);
  if (data.length > MAX_TOKEN) throw tooLong(FIELD, MAX_TOKEN, data.length);
  const outer = new DerReader(data, FIELD);
  const contentInfo = outer.inside(SEQUENCE);
  outer.end();
  requireOid(contentInfo.oid(), SIGNED_DATA);
  const wrapped = contentInfo.inside(explicit(0));
  contentInfo.end();
  const signed = wrapped.inside(SEQUENCE);
  wrapped.end();
  const version = signed.take(INTEGER).content;
  const digests = signed.take(SET).content;
  const content = signed.take(SEQUENCE);
  const certificates = readCertificates(signed.take(explicit(0)).content);
  signed.optional(explicit(1)); // revocation lists: nobody here judges them
  const signers = signed.take(SET);
  signed.end();
  const tstInfo = encapsulated(content.content);
  return { der: data, version, digests, tstInfo, certificates, ...readTstInfo(tstInfo), ...readSigner(signers.content) };
}

/** @param {string} got @param {string} expected */
function requireOid(got, expected) {
  if (got !== expected) throw fieldMalformed(FIELD, `object identifier ${expected}`);
}

/** @param {Uint8Array} content */
function readCertificates(content) {
  const reader = new DerReader(content, FIELD);
  const found = [];
  while (reader.peek() !== -1) {
    found.push(reader.take(SEQUENCE).whole);
    if (found.length > MAX_CERTIFICATES) throw tooLong("token.certificates", MAX_CERTIFICATES, found.length);
  }
  return found;
}

/** @param {Uint8Array} content */
function encapsulated(content) {
  const reader = new DerReader(content, FIELD);
  requireOid(reader.oid(), TST_INFO);
  const wrapped = reader.inside(explicit(0));
  reader.end();
  const inside = wrapped.take(OCTETS).content;
  wrapped.end();
  return inside;
}

// ── what is stamped, and when ──────────────────────────────────────────────────────────────────────────────────────

/** @param {Uint8Array} data */
function readTstInfo(data) {
  const outer = new DerReader(data, FIELD);
  const reader = outer.inside(SEQUENCE);
  outer.end();
  if (reader.integer() !== 1n) throw fieldMalformed(FIELD, "TSTInfo version 1");
  reader.oid(); // the authority's policy: any
  const imprint = reader.inside(SEQUENCE);
  const hash = hashName(readAlgorithm(imprint));
  const digest = imprint.take(OCTETS).content;
  imprint.end();
  if (digest.length !== HASHES[hash].outputLen) throw fieldMalformed(FIELD, `an imprint as long as ${hash}`);
  reader.integer(); // the token's serial number
  const generated = reader.nanoseconds();
  const accuracy = readAccuracy(reader.optional(SEQUENCE));
  reader.flag(); // ordering
  if (reader.peek() === INTEGER) reader.integer(); // the nonce
  reader.optional(explicit(0)); // the authority's own name: its certificate has it
  requireNoCritical(reader.optional(explicit(1)));
  reader.end();
  const by = Number((generated + accuracy + SECOND - 1n) / SECOND); // rounded up to a whole second
  return { hash, imprint: digest, generated, by };
}

/** Seconds, thousandths, millionths: each may be left out. @param {import("./der.js").Element | null} element */
function readAccuracy(element) {
  const reader = new DerReader(element?.content ?? new Uint8Array(), FIELD);
  let total = 0n;
  for (const [tag, unit, most] of /** @type {[number, bigint, bigint][]} */ ([[INTEGER, SECOND, 86_400n], [0x80, 10n ** 6n, 999n], [0x81, 1000n, 999n]])) {
    if (reader.peek() !== tag) continue;
    const value = reader.integer(tag);
    if (value < 0n || value > most) throw fieldMalformed(FIELD, "an accuracy of at most a day");
    total += value * unit;
  }
  reader.end();
  return total;
}

/** @param {import("./der.js").Element | null} element */
function requireNoCritical(element) {
  const reader = new DerReader(element?.content ?? new Uint8Array(), FIELD);
  while (reader.peek() !== -1) {
    const extension = reader.inside(SEQUENCE);
    const oid = extension.oid();
    const critical = extension.flag();
    extension.take(OCTETS);
    extension.end();
    if (critical) throw missing(`a verifier that understands the extension ${oid} of timestamp tokens`);
  }
}

/** An algorithm, and its parameters as they stand (empty if absent or NULL). @param {DerReader} reader */
function readAlgorithm(reader) {
  const inner = reader.inside(SEQUENCE);
  const oid = inner.oid();
  const parameters = inner.peek() === -1 ? new Uint8Array() : inner.any().whole;
  inner.end();
  return { oid, parameters: equal(parameters, Uint8Array.of(NULL, 0)) ? new Uint8Array() : parameters };
}

/** @param {{ oid: string, parameters: Uint8Array }} algorithm */
function hashName({ oid, parameters }) {
  const name = HASH_NAMES[oid];
  if (name === undefined || parameters.length) throw fieldMalformed(FIELD, "SHA-256 or stronger");
  return name;
}

// ── who signed it ──────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Uint8Array} content */
function readSigner(content) {
  const outer = new DerReader(content, FIELD);
  const reader = outer.inside(SEQUENCE);
  outer.end(); // one signer: a second one could be of another mind
  if (reader.integer() !== 1n) throw fieldMalformed(FIELD, "a signer named by issuer and serial number");
  const sid = reader.inside(SEQUENCE);
  const issuer = sid.take(SEQUENCE).whole;
  const serial = sid.integer();
  sid.end();
  const digestHash = hashName(readAlgorithm(reader));
  const attributes = reader.take(explicit(0)).content;
  const algorithm = readAlgorithm(reader);
  const signature = reader.take(OCTETS).content;
  reader.optional(explicit(1)); // unsigned attributes say nothing that counts
  reader.end();
  // RFC 5652 §5.4: signed under the tag of a SET.
  return { issuer, serial, digestHash, signedAttributes: der(SET, attributes), algorithm, signature, ...readAttributes(attributes) };
}

/** The digest of the content, and the hashes of the signer's certificate; each attribute once. @param {Uint8Array} data */
function readAttributes(data) {
  const reader = new DerReader(data, FIELD);
  /** @type {Map<string, Uint8Array>} */ const found = new Map();
  while (reader.peek() !== -1) {
    const attribute = reader.inside(SEQUENCE);
    const oid = attribute.oid();
    const values = attribute.take(SET).content;
    attribute.end();
    if (found.has(oid)) throw fieldMalformed(FIELD, "each signed attribute once");
    found.set(oid, values);
  }
  requireOid(only(found, CONTENT_TYPE).oid(), TST_INFO);
  const messageDigest = only(found, MESSAGE_DIGEST).take(OCTETS).content;
  const certificateHashes = [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].filter((oid) => found.has(oid))
    .map((oid) => firstHash(only(found, oid), oid));
  if (certificateHashes.length === 0) throw fieldMalformed(FIELD, "the signer's certificate among the signed attributes");
  return { messageDigest, certificateHashes };
}

/** A reader of the one value of this attribute. @param {Map<string, Uint8Array>} attributes @param {string} oid */
function only(attributes, oid) {
  const values = new DerReader(attributes.get(oid) ?? new Uint8Array(), `${FIELD}.attribute ${oid}`);
  const { whole } = values.any();
  values.end();
  return new DerReader(whole, FIELD);
}

/** The first certificate hash is the signer's (RFC 5816 §2.2.1; RFC 2634 §5.4). @param {DerReader} reader @param {string} oid */
function firstHash(reader, oid) {
  const first = reader.inside(SEQUENCE).inside(SEQUENCE).inside(SEQUENCE);
  if (oid === SIGNING_CERTIFICATE) return { hash: sha1, value: first.take(OCTETS).content };
  const name = first.peek() === SEQUENCE ? hashName(readAlgorithm(first)) : "sha-256";
  return { hash: HASHES[name], value: first.take(OCTETS).content };
}

// ── what can be said without trusting anybody ──────────────────────────────────────────────────────────────────────

/** It is over `data`, and its own certificate signed. @param {Token} token @param {Uint8Array} data */
export function verifyToken(token, data) {
  requireBytes("token.imprint", HASHES[token.hash](data), token.imprint);
  const signer = signerOf(token);
  requirePurpose(signer);
  requireBytes("token.message_digest", HASHES[token.digestHash](token.tstInfo), token.messageDigest);
  verifySigner(signer, token);
  return { certificate: signer, name: [...subjectText(signer)].slice(0, 256).join(""), until: signer.ends };
}

/** @param {string} field @param {Uint8Array} expected @param {Uint8Array} got */
function requireBytes(field, expected, got) {
  if (!equal(expected, got)) throw fieldMismatch(field, hex(expected), hex(got));
}

/** The certificate that the signer names, if the signed attributes name it too. @param {Token} token */
function signerOf(token) {
  for (const data of token.certificates) {
    const certificate = readCertificate(data);
    subjectText(certificate);
    if (!equal(certificate.issuer, token.issuer) || certificate.serial !== token.serial) continue;
    // SHA-1 only picks among certificates here: the key in it still has to have signed.
    for (const { hash, value } of token.certificateHashes) requireBytes("token.certificate", value, hash(data));
    return certificate;
  }
  throw fieldMismatch("token.certificates", "the signer's", `${token.certificates.length} others`);
}

/** Time stamping alone, and critical (RFC 3161 §2.3); no authority over other certificates. @param {import("./certificate.js").Certificate} certificate */
function requirePurpose(certificate) {
  const misuse = misuseOf(extensionsOf(certificate));
  if (misuse) throw fieldMismatch("token.certificate", "for time stamping alone, and critical", misuse);
}

/** @param {import("./certificate.js").Certificate} certificate */
function extensionsOf(certificate) {
  try {
    return readExtensions(certificate.extensions);
  } catch (error) {
    if (error instanceof BridgeError) throw refusal("CertificateMalformed", { rule: "readable extensions, each once" });
    throw error;
  }
}

/** @param {import("./extensions.js").Extensions} extensions */
function misuseOf({ isAuthority, signsCertificates, signsLists, purposes, isPurposeCritical }) {
  if (isAuthority) return "a certificate authority";
  if (signsCertificates || signsLists) return "a key that signs certificates";
  const fits = isPurposeCritical && purposes.length === 1 && purposes[0] === TIME_STAMPING;
  return fits ? "" : "other purposes, or not critical";
}

/** @param {import("./certificate.js").Certificate} signer @param {Token} token */
function verifySigner(signer, token) {
  const key = keyIn(signer);
  const { oid, parameters } = token.algorithm;
  if (parameters.length) throw missing(`a verifier that knows the parameters of signature algorithm ${oid}`);
  /** @type {Record<string, string>} */ const rsa = { ...RSA_PKCS1, [RSA_OF_DIGEST]: token.digestHash };
  const hash = key.kind === "rsa" ? rsa[oid] : key.kind === "ec" ? /** @type {Record<string, string>} */ (ECDSA)[oid] : undefined;
  if (hash === undefined) throw missing(`a verifier that knows signature algorithm ${oid} with the key of this certificate`);
  if (!key.verify(token.signedAttributes, token.signature, hash)) {
    throw refusal("SignatureWrong", { signer: "timestamping authority" });
  }
}

// ── the way to a root ──────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The signer's certificate and what leads from it to one of `roots`, all valid at genTime; empty if nothing does.
 * @param {Token} token @param {import("./certificate.js").Certificate} signer @param {import("./certificate.js").Certificate[]} roots
 */
export function trustedPath(token, signer, roots) {
  const path = climb(signer, token.certificates.map(readCertificate), roots);
  const isValid = path.every(({ begins, ends }) => BigInt(begins) * SECOND <= token.generated && token.generated < (BigInt(ends) + 1n) * SECOND);
  return isValid && mayLead(path) && namesItsDigest(token) ? path : [];
}

/** What OpenSSL asks of the SignedData's head: some version of one byte, and the signer's digest among those named. @param {Token} token */
function namesItsDigest({ version, digests, digestHash }) {
  try {
    const reader = new DerReader(digests, FIELD);
    const names = [];
    while (reader.peek() !== -1) names.push(hashName(readAlgorithm(reader)));
    return version.length > 0 && isMinimal(version) && toBig(version) < 256n && (version[0] & 0x80) === 0 && names.includes(digestHash);
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

/** Step by step to an issuer; a root before any other. No second way is tried. @param {import("./certificate.js").Certificate} signer @param {import("./certificate.js").Certificate[]} pool @param {import("./certificate.js").Certificate[]} roots */
function climb(signer, pool, roots) {
  const path = [signer];
  for (let step = 0; step <= MAX_PATH; step++) {
    const last = path[path.length - 1];
    const root = roots.find((candidate) => isIssuedBy(last, candidate));
    if (root !== undefined) return [...path, root];
    const between = pool.find((candidate) => !path.some((one) => equal(one.der, candidate.der)) && isIssuedBy(last, candidate));
    if (between === undefined) return [];
    path.push(between);
  }
  return [];
}

/** Every issuer is an authority for certificates; the root signed itself (RFC 5280 §6.1.4). @param {import("./certificate.js").Certificate[]} path */
function mayLead(path) {
  if (path.length === 0) return true;
  const root = path[path.length - 1];
  if (!equal(root.issuer, root.subject)) return false;
  try {
    return path.every((certificate, depth) => {
      const found = extensionsOf(certificate);
      if (found.isUnknownCritical || (depth > 0 && found.purposes.length && !found.purposes.includes(TIME_STAMPING))) return false;
      return depth === 0 || (found.isAuthority && (!found.hasUsage || found.signsCertificates) && depth - 1 <= found.pathLength);
    });
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}

