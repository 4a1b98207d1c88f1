/**
 * A record as an SD-JWT: its submitter signs the digests of all fields, the holder shows those it chooses.
 *
 * Source: SPEC §14; RFC 9901; RFC 7515, RFC 8037.
 */

import { concat, hex, isAscii, latin1, utf8 } from "../bytes.js";
import { certifiedKey } from "../certificate.js";
import { disclosureDigest, halfOf, ORIGIN, parseDisclosure, requireHalf, requireOnce, SCHEMA } from "../disclosure.js";
import { b64, b64u, canonicalJson, parseB64, parseB64u, parseCanonicalJson } from "../encoding.js";
import { decodeRecordEntry, MAX_WIDTH } from "../entry.js";
import { fieldMalformed, fieldMismatch, notCanonical, tooLong } from "../errors.js";
import { rootOfDigests } from "../field-tree.js";
import { ED25519, keyIdText, SIGNATURE_BYTES, verifySignature } from "../keys.js";
import { requireRoot } from "../proof.js";
import { array, isObject, literal, octets, record, uint } from "../shape.js";

const TYPE = "hybrid-bridge+sd-jwt";
const MAX_JWT = 1 << 17; // characters
const MAX_PRESENTATION = 1 << 20;
const MAX_CERTIFICATE = 1 << 14; // bytes
/** Names that JWT or this format give a meaning of their own: as a field's name they would be read as that. */
const RESERVED_CLAIMS = new Set(["hb", "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "status"]);

/** Standard base64, as RFC 7515 has it in x5c alone; that it is canonical is seen when all is written again. @type {import("../shape.js").Codec} */
const CERTIFICATE = {
  parse(value, field) {
    if (typeof value !== "string" || [...value].length > Math.floor((MAX_CERTIFICATE + 2) / 3) * 4) {
      throw fieldMalformed(field, `base64 of at most ${MAX_CERTIFICATE} bytes`);
    }
    if (value.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw notCanonical(field);
    const bare = value.replace(/=+$/, "");
    const whole = bare.slice(0, bare.length - (bare.length % 4));
    const rest = parseLoose(bare.slice(whole.length));
    return concat(parseB64(whole, field), rest);
  },
  write: b64,
};

/** The last two or three letters; bits that are not used may be set. @param {string} letters */
function parseLoose(letters) {
  const bits = Array.from(letters, (letter) => ALPHABET.indexOf(letter)).reduce((held, six) => (held << 6) | six, 0);
  if (letters.length === 2) return Uint8Array.of(bits >> 4);
  return letters.length === 3 ? Uint8Array.of(bits >> 10, (bits >> 2) & 0xff) : new Uint8Array();
}
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEADER = record({ alg: literal("EdDSA", "ES256"), typ: literal(TYPE), x5c: array(CERTIFICATE, 1) });
const DIGESTS = array(octets(32), MAX_WIDTH);
const STATEMENT = record({ log: octets(32), epoch: uint(), entry: octets(37), claims: uint(MAX_WIDTH / 2) });

/**
 * @typedef {{ log: Uint8Array, epoch: number, entryBytes: Uint8Array, entry: { width: number, fieldRoot: Uint8Array }, claims: number,
 *   digests: Uint8Array[], key: import("../keys.js").PublicKey, signature: Uint8Array, signed: Uint8Array }} IssuedJwt
 */

/** Nothing is verified but that the text is the one text of what it says. @param {string} text @returns {IssuedJwt} */
export function parseJwt(text) {
  if ([...text].length > MAX_JWT) throw tooLong("sd-jwt", MAX_JWT, [...text].length);
  const parts = text.split(".");
  if (parts.length !== 3) throw fieldMalformed("sd-jwt", "header, payload and signature");
  const header = HEADER.parse(readJson(parts[0], "sd-jwt.header"), "sd-jwt.header");
  const { digests, statement } = readPayload(readJson(parts[1], "sd-jwt.payload"));
  if (statement.epoch < 1) throw fieldMalformed("sd-jwt.hb.epoch", "from 1 on: leaf 0 is the genesis record");
  const entry = decodeRecordEntry(statement.entry);
  const signature = parseB64u(parts[2], "sd-jwt.signature");
  if (signature.length !== SIGNATURE_BYTES) throw fieldMalformed("sd-jwt.signature", `${SIGNATURE_BYTES} bytes`);
  const certificate = header.x5c[0] ?? new Uint8Array();
  const key = certifiedKey(certificate);
  const written = signingInput(key.scheme, certificate, digests, statement);
  if (`${written}.${b64u(signature)}` !== text) throw notCanonical("sd-jwt");
  const { log, epoch, claims } = statement;
  return { log, epoch, entryBytes: statement.entry, entry, claims, digests, key, signature, signed: utf8(written) };
}

/** Header and payload, each the one JCS text in base64url (RFC 7515 §5.1). @param {number} scheme @param {Uint8Array} certificate @param {Uint8Array[]} digests @param {any} statement */
function signingInput(scheme, certificate, digests, statement) {
  const header = { alg: scheme === ED25519 ? "EdDSA" : "ES256", typ: TYPE, x5c: [b64(certificate)] };
  const payload = { _sd: digests.map(b64u), _sd_alg: "sha-256", hb: STATEMENT.write(statement) };
  return `${b64u(canonicalJson(header))}.${b64u(canonicalJson(payload))}`;
}

/** @param {string} text @param {string} name */
const readJson = (text, name) => parseCanonicalJson(parseB64u(text, name), name, MAX_JWT);

/** @param {any} value */
function readPayload(value) {
  if (!isObject(value) || Object.keys(value).sort().join(" ") !== "_sd _sd_alg hb") {
    throw fieldMalformed("sd-jwt.payload", "_sd, _sd_alg and hb");
  }
  literal("sha-256").parse(value._sd_alg, "sd-jwt._sd_alg");
  return { digests: DIGESTS.parse(value._sd, "sd-jwt._sd"), statement: STATEMENT.parse(value.hb, "sd-jwt.hb") };
}

/** The digests are those of the entry and the certified key signed them. NOT CHECKED HERE: who issued the certificate; that the entry stands in the log. @param {IssuedJwt} jwt */
export function verifyJwt(jwt) {
  const [claims, right] = [jwt.digests.slice(0, jwt.claims), jwt.digests.slice(jwt.claims)];
  if (2 * right.length !== jwt.entry.width || claims.length !== jwt.claims) {
    throw fieldMalformed("sd-jwt._sd", "the claims, then half the entry's width");
  }
  if (new Set(jwt.digests.map(hex)).size !== jwt.digests.length) throw fieldMalformed("sd-jwt._sd", "each digest once");
  requireRoot(jwt.entry.fieldRoot, rootOfDigests(claims, right));
  verifySignature(jwt.key, jwt.signed, jwt.signature);
}

/** The JWT and the disclosures that the holder chose. @param {Uint8Array} data */
export function parsePresentation(data) {
  if (data.length > MAX_PRESENTATION) throw tooLong("sd-jwt", MAX_PRESENTATION, data.length);
  const text = latin1(data);
  if (!isAscii(text) || !text.endsWith("~")) throw fieldMalformed("sd-jwt", "ASCII that ends with ~: no key binding");
  const [jwt, ...disclosures] = text.slice(0, -1).split("~");
  if (disclosures.length > MAX_WIDTH) throw tooLong("sd-jwt.disclosures", MAX_WIDTH, disclosures.length);
  return { jwt: parseJwt(jwt), disclosures: disclosures.map(parseDisclosure) };
}

/** The fields shown, if the submitter of the record signed them all. @param {ReturnType<typeof parsePresentation>} presentation */
export function verifyPresentation({ jwt, disclosures }) {
  verifyJwt(jwt);
  requireOnce(disclosures.map((shown) => shown.name));
  const places = new Map(jwt.digests.map((digest, place) => [hex(digest), place]));
  let last = -1;
  const fields = disclosures.map((shown) => {
    const place = places.get(hex(disclosureDigest(shown.text))) ?? -1;
    if (place <= last) throw fieldMismatch(shown.name, "one of the digests, in their order", "another");
    last = place;
    if (RESERVED_CLAIMS.has(shown.name)) throw fieldMalformed(shown.name, "no name that JWT reads as its own");
    requireHalf(shown.name, halfOf(place < jwt.claims));
    return { disclosure: shown, isClaim: place < jwt.claims };
  });
  const values = new Map(disclosures.map((shown) => [shown.name, shown.value]));
  for (const name of [SCHEMA, ORIGIN]) {
    if (typeof values.get(name) !== "string") throw fieldMalformed(name, "a string, disclosed whenever anything is");
  }
  const [origin, got] = [values.get(ORIGIN), keyIdText(jwt.key.keyId)];
  if (got !== origin) throw fieldMismatch(ORIGIN, origin, got);
  return fields;
}

