/**
 * What a member signs: one business record, or the governance records of one decision, or one beacon.
 *
 * A body has exactly one encoding, its id never covers signatures, and its list of authorisers is inside. Source: SPEC §4.
 */

import { concat, equal, hex, isAscii, latin1 } from "./bytes.js";
import { MAX_DISCLOSURE, ORIGIN, parseDisclosure } from "./disclosure.js";
import { asOctets, context, Reader, sha256, Writer } from "./encoding.js";
import { decodeRecordEntry, ENTRY_BYTES } from "./entry.js";
import { fieldMalformed, fieldMismatch, tooLong } from "./errors.js";
import { MAX_HALF, rebuildRoot, requireAscending, requireClaims } from "./field-tree.js";
import { keyIdText, MAX_SPKI, publicKey, SIGNATURE_BYTES, verifySignature } from "./keys.js";
import { requireRoot } from "./proof.js";

const RECORD = 1;
const GOVERNANCE = 2;
const BEACON = 3;
const MAX_BODY = 65_536;
const MAX_OPS = 16;
const MAX_GOVERNANCE = 8; // records of one decision
const MAX_AUTHORISERS = 64;
const MAX_SIGNED = MAX_BODY + 1 + (1 + MAX_AUTHORISERS) * (2 + 1 + MAX_SPKI + SIGNATURE_BYTES);

/**
 * @typedef {{ labelType: number, index: Uint8Array, commitment: Uint8Array }} RegistryOp
 * @typedef {{ kind: number, logId: Uint8Array, submitter: Uint8Array, sequence: number, expiresEpoch: number,
 *   authorisers: Uint8Array[], entry: Uint8Array | null, privateRoot: Uint8Array, claims: string[], ops: RegistryOp[],
 *   encoded: Uint8Array, consented: Uint8Array, message: Uint8Array, transactionId: Uint8Array }} Body
 * @typedef {{ body: Body, signatures: { scheme: number, spki: Uint8Array, signature: Uint8Array }[] }} SignedTransaction
 */

/** Shape only: `verifyStateless` judges. @param {Uint8Array} data @returns {SignedTransaction} */
export function decodeTransaction(data) {
  data = asOctets(data, "transaction");
  if (data.length > MAX_SIGNED) throw tooLong("transaction", MAX_SIGNED, data.length);
  const reader = new Reader(data);
  const body = readBody(reader, data);
  const count = reader.count(1, "signatures", 1 + MAX_AUTHORISERS);
  const signatures = [];
  for (let i = 0; i < count; i++) signatures.push(readPart(reader));
  if (count !== 1 + body.authorisers.length) {
    throw fieldMalformed("signatures", "the submitter's, then one for each authoriser");
  }
  reader.end("transaction");
  return { body, signatures };
}

/** u16 scheme ‖ u8 length ‖ SPKI ‖ signature. @param {Reader} reader */
function readPart(reader) {
  const [scheme, spki] = [reader.u16("scheme"), reader.opaque(1, "spki", MAX_SPKI)];
  return { scheme, spki, signature: reader.fixed(SIGNATURE_BYTES, "signature") };
}

/** The body that begins here. @param {Reader} reader @param {Uint8Array} data @returns {Body} */
function readBody(reader, data) {
  if (reader.u8("version") !== 1) throw fieldMalformed("version", "1");
  const kind = reader.u8("kind");
  const [logId, submitter] = [reader.b32("log_id"), reader.b32("submitter")];
  const [sequence, expiresEpoch] = [reader.u64("sequence"), reader.u64("expires_epoch")];
  const from = reader.position;
  const count = reader.count(1, "authorisers", MAX_AUTHORISERS);
  const authorisers = Array.from({ length: count }, () => reader.b32("authoriser"));
  const payload = readPayload(reader, kind);
  requireAscending(authorisers, "authorisers");
  if (reader.position > MAX_BODY) throw tooLong("body", MAX_BODY, reader.position);
  const encoded = data.slice(0, reader.position);
  const message = concat(context("transaction"), encoded);
  const fields = { kind, logId, submitter, sequence, expiresEpoch, authorisers };
  return { ...fields, ...payload, encoded, consented: data.slice(from, reader.position), message, transactionId: sha256(message) };
}

/** @param {Reader} reader @param {number} kind */
function readPayload(reader, kind) {
  const nothing = { entry: null, privateRoot: new Uint8Array(), claims: [], ops: [] };
  if (kind === RECORD) return readRecord(reader);
  if (kind === GOVERNANCE) readDecision(reader);
  else if (kind === BEACON) {
    reader.u64("chain_id");
    reader.u64("number");
    reader.b32("hash");
  } else throw fieldMalformed("kind", "1 record, 2 governance, 3 beacon");
  return nothing;
}

/** u8 count, then u16 length ‖ record each; what they say is nothing to a reader of bundles. @param {Reader} reader */
function readDecision(reader) {
  const count = reader.count(1, "records", MAX_GOVERNANCE);
  if (count === 0) throw fieldMalformed("records", "at least one");
  for (let left = count; left > 0; left--) reader.opaque(2, "record", MAX_BODY);
}

/** Entry, private root, claims, ops. @param {Reader} reader */
function readRecord(reader) {
  const [entry, privateRoot] = [reader.fixed(ENTRY_BYTES, "entry"), reader.b32("private_root")];
  const claims = [];
  for (let left = reader.count(2, "claims", MAX_HALF); left > 0; left--) claims.push(readClaim(reader));
  const ops = [];
  for (let left = reader.count(1, "ops", MAX_OPS); left > 0; left--) ops.push(readOp(reader));
  decodeRecordEntry(entry);
  requireAscending(ops.map((op) => new Writer().u16(op.labelType, "label_type").b32(op.index, "index").bytes()), "ops");
  return { entry, privateRoot, claims, ops };
}

/** @param {Reader} reader */
function readClaim(reader) {
  const text = latin1(reader.opaque(2, "claim", MAX_DISCLOSURE));
  if (!isAscii(text)) throw fieldMalformed("claim", "ASCII");
  return text;
}

/** 71 bytes: insert an identity label's index, the only operation there is. @param {Reader} reader */
function readOp(reader) {
  const [op, labelType, version] = [reader.u8("op"), reader.u16("label_type"), reader.u32("version")];
  const [index, commitment] = [reader.b32("index"), reader.b32("commitment")];
  if (op !== 1) throw fieldMalformed("op", "1, insert identity label");
  if (labelType < 2) throw fieldMalformed("label_type", "at least 2; life labels are derived");
  if (version !== 0) throw fieldMalformed("version", "0 for an identity label");
  return { labelType, index, commitment };
}

/** A record's claims by name, in left-half order; empty for the other kinds. @param {Body} body */
export function claimsOf(body) {
  const claims = body.claims.map(parseDisclosure);
  if (body.entry !== null) requireClaims(claims);
  return new Map(claims.map((claim) => [claim.name, claim]));
}

/**
 * All that can be checked without the ledger's state, cheap before dear: (1) consortium (2) keys are those the body names
 * (3) claims, origin, field root (4) signatures. @param {SignedTransaction} signed @param {Uint8Array} logId
 */
export function verifyStateless({ body, signatures }, logId) {
  if (!equal(body.logId, logId)) throw fieldMismatch("log_id", hex(logId), hex(body.logId));
  const keys = signatures.map((part) => publicKey(part.scheme, part.spki));
  [body.submitter, ...body.authorisers].forEach((named, i) => {
    if (!equal(keys[i].keyId, named)) throw fieldMismatch("signer", keyIdText(named), keyIdText(keys[i].keyId));
  });
  verifyRecord(body);
  const consent = consentOf(body);
  keys.forEach((key, i) => verifySignature(key, i === 0 ? body.message : consent, signatures[i].signature));
}

/** What each authoriser signs: without submitter and sequence, so that it can be gathered first. @param {Body} body */
const consentOf = (body) =>
  new Writer(context("authorisation")).u8(body.kind, "kind").b32(body.logId, "log_id").u64(body.expiresEpoch, "expires_epoch")
    .fixed(body.consented, body.consented.length, "consented").bytes();

/** @param {Body} body */
function verifyRecord(body) {
  if (body.entry === null) return;
  const entry = decodeRecordEntry(body.entry);
  const origin = claimsOf(body).get(ORIGIN)?.value;
  const submitter = keyIdText(body.submitter);
  if (origin !== submitter) throw fieldMismatch(ORIGIN, submitter, String(origin).slice(0, 64));
  requireRoot(entry.fieldRoot, rebuildRoot(body.claims, body.privateRoot, entry.width));
}
