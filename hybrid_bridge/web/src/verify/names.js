/** Check 9 of `verify`: who the keys belong to, as far as certificates say so, and the signatures on transactions. */

import { equal, hex } from "../bytes.js";
import { requireTypedClaims, RECORD_TYPES } from "../business/schema.js";
import { certifiedKey, holdsName, MAX_CERTIFICATE_NAME, readCertificate, showCertificate } from "../certificate.js";
import { ORIGIN } from "../disclosure.js";
import { b64u, sha256 } from "../encoding.js";
import { fieldMismatch, requireSame } from "../errors.js";
import { verifyJwt } from "../exports/sd-jwt.js";
import { checkpointTimestamp } from "../genesis.js";
import { decodeSpki, keyIdText } from "../keys.js";
import { verifyStateless } from "../transaction.js";
import { verifyKeyBinding } from "../validators.js";
import { pyText } from "../values.js";
import { allValidators, entriesOf } from "./decoded.js";

const SELF_STATED = "self-stated";
const CERTIFIED = "certified by a root you trust";

/**
 * A validator's name as the set commits to it, and what stands behind it.
 * @typedef {{ name: string, legalId: string, basis: string, certificate: Uint8Array, key: Uint8Array | null, text: string, isCertified: boolean }} Name
 * @typedef {Map<string, Name>} Names by set and address: one address may bear another name in another set
 * @typedef {import("./decoded.js").Decoded} Decoded
 */

/** @param {number} setId @param {Uint8Array} address */
export const nameKey = (setId, address) => `${setId} ${hex(address)}`;

/** @param {Names} names @param {number} setId @param {Uint8Array} address */
export const nameOf = (names, setId, address) => /** @type {Name} */ (names.get(nameKey(setId, address)));

/** How many different members are certified among them: who shares legal id, certificate or key is one. @param {Name[]} names */
export function membersAmong(names) {
  /** @type {Set<string>[]} */ let members = [];
  for (const { isCertified, legalId, certificate, key } of names) {
    if (!isCertified) continue;
    const marks = new Set([`id ${legalId}`, hex(certificate), key === null ? "" : hex(key)]);
    const same = members.filter((member) => [...marks].some((mark) => member.has(mark)));
    members = [...members.filter((member) => !same.includes(member)), new Set([...marks, ...same.flatMap((member) => [...member])])];
  }
  return members.length;
}

/** Key bindings, certificates and names of all validators (SPEC §12 step 9). @param {Decoded} d @param {import("./signers.js").KnownSet[]} sets @param {import("../trust.js").Trust} trust @returns {Names} */
export function verifyNames(d, sets, trust) {
  for (const validator of allValidators(d)) requireBinding(d, validator);
  const roots = trust.member_roots.map(readCertificate);
  trust.tsa_roots.forEach(readCertificate); // who trusts what nobody can read is told so before it is needed
  const shown = certificatesOf(d, roots);
  const at = checkpointTimestamp(d.genesis, d.notes[0].size);
  const verified = new Set();
  /** @type {Names} */ const names = new Map();
  for (const { set, shown: validators } of sets) {
    for (const validator of validators) {
      const certificate = shown.get(hex(validator.part.certificate_hash)) ?? null;
      const binding = hex(validator.part.key_binding);
      if (certificate !== null && !verified.has(binding)) {
        verifyKeyBinding(validator.binding, decodeSpki(certificate.spki));
        verified.add(binding);
      }
      names.set(nameKey(set.setId, validator.part.address), named(validator, certificate, at));
    }
  }
  return names;
}

/** What a binding says is true of the set's entry, whether or not its signature can be checked. @param {Decoded} d @param {import("./decoded.js").DecodedValidator} validator */
function requireBinding(d, { part, binding }) {
  requireSame("key_binding.origin_hash", hex(d.genesis.originHash), hex(binding.originHash));
  requireSame("key_binding.certificate_hash", hex(part.certificate_hash), hex(binding.certificateHash));
  requireSame("key_binding.address", hex(part.address), hex(binding.address));
  if (part.mldsa_key !== null) requireSame("validator.mldsa_key", hex(binding.mldsaKeyHash), hex(sha256(part.mldsa_key)));
}

// ── certificates ───────────────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {ReturnType<typeof showCertificate>} ShownCertificate */

/** Each read once, however many validators and sets it stands behind. @param {Decoded} d @param {import("../certificate.js").Certificate[]} roots */
function certificatesOf(d, roots) {
  const shown = d.bundle.certificates.map((/** @type {Uint8Array} */ data) => showCertificate(data, roots));
  const wanted = new Set(allValidators(d).map(({ part }) => hex(part.certificate_hash)));
  for (const { digest } of shown) {
    if (!wanted.has(hex(digest))) throw fieldMismatch("certificates", "certificates of the validators shown", hex(digest));
  }
  return new Map(shown.map((/** @type {ShownCertificate} */ one) => [hex(one.digest), one]));
}

/** The identity keys of the validators whose certificates are shown, by certificate hash; after `verifyNames`. @param {Decoded} d @returns {Map<string, import("../keys.js").PublicKey>} */
export const identityKeys = (d) =>
  new Map(d.bundle.certificates.map((/** @type {Uint8Array} */ data) => [hex(sha256(data)), certifiedKey(data)]));

/** The name as the set has it; of a certified one no more than the certificate has room for. @param {import("./decoded.js").DecodedValidator} validator @param {ShownCertificate | null} certificate @param {number | bigint} at @returns {Name} */
function named(validator, certificate, at) {
  const basis = certificate === null ? SELF_STATED : basisOf(certificate, validator, at);
  const letters = [...validator.name];
  const isCut = basis === CERTIFIED && letters.length > MAX_CERTIFICATE_NAME;
  const name = isCut ? `${letters.slice(0, MAX_CERTIFICATE_NAME).join("")}…` : validator.name;
  const { legalId } = validator;
  return {
    name, legalId, basis, certificate: validator.part.certificate_hash, key: certificate === null ? null : sha256(certificate.spki),
    text: `${name} (${legalId}; ${basis})`, isCertified: basis === CERTIFIED,
  };
}

/** `CERTIFIED`, or what is wanting: then the name is no more than the validators' own word. @param {ShownCertificate} certificate @param {import("./decoded.js").DecodedValidator} validator @param {number | bigint} at */
function basisOf({ subject, begins, ends }, validator, at) {
  if (subject === null) return `${SELF_STATED}; its certificate is of an issuer you did not name`;
  if (at < begins || at > ends) return `${SELF_STATED}; its certificate was not valid at the checkpoint's time`;
  if (!subject.isIdentity) return `${SELF_STATED}; its certificate is not for an identity key`;
  if (!holdsName(subject, validator.name, validator.legalId)) return `${SELF_STATED}; its certificate names somebody else`;
  return CERTIFIED;
}

// ── transactions ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Each shown transaction is the one behind its entry, in time, whole and signed; so is each JWT. @param {Decoded} d */
export function verifyTransactions(d) {
  for (const { epoch, entry } of entriesOf(d)) {
    if (entry.transaction === null) continue;
    const { body } = entry.transaction;
    if (body.entry === null || !equal(body.entry, entry.part.entry)) {
      throw fieldMismatch("transaction.entry", b64u(entry.part.entry), "another entry");
    }
    if (body.expiresEpoch < epoch.record.epoch) {
      throw fieldMismatch("transaction.expires_epoch", `>= ${epoch.record.epoch}`, body.expiresEpoch);
    }
    verifyStateless(entry.transaction, d.genesis.logId);
    if (RECORD_TYPES.has(entry.recordType)) requireTypedClaims(body, body.entry);
  }
  for (const { epoch, entry } of entriesOf(d)) {
    if (entry.jwt === null) continue;
    requireStatement(d, epoch, entry, entry.jwt);
    verifyJwt(entry.jwt);
  }
}

/** @param {Decoded} d @param {import("./decoded.js").DecodedEpoch} epoch @param {import("./decoded.js").DecodedEntry} entry @param {import("../exports/sd-jwt.js").IssuedJwt} jwt */
function requireStatement(d, epoch, entry, jwt) {
  const origin = entry.disclosures.find((disclosure) => disclosure.name === ORIGIN)?.value;
  requireSame("issuer_jwt.log", hex(d.genesis.logId), hex(jwt.log));
  requireSame("issuer_jwt.epoch", epoch.record.epoch, jwt.epoch);
  requireSame("issuer_jwt.entry", b64u(entry.part.entry), b64u(jwt.entryBytes));
  requireSame("issuer_jwt.key", pyText(origin), keyIdText(jwt.key.keyId));
}
