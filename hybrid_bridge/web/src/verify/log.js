/** Checks 4, 5 and 6 of `verify`: arithmetic, identity, hash paths. No signature is looked at here. */

import { compare, equal, hex, isAscending, pairwise, utf8 } from "../bytes.js";
import { neighboursOf, verifyAbsence } from "../absence.js";
import { findField, requireKind, SCHEMAS } from "../business/schema.js";
import { halfOf, requireHalf, RESERVED } from "../disclosure.js";
import { sha256 } from "../encoding.js";
import { verifyEpoch, verifyFirst, verifyNext } from "../epoch.js";
import { fieldMalformed, fieldMismatch, refusal, requireSame } from "../errors.js";
import { eventCode } from "../labels.js";
import { consistencyLength, inclusionLength, leafHash, verifyConsistency, verifyInclusion } from "../proof.js";
import { entriesOf, transactionsOf } from "./decoded.js";
import { absences, consistencies, follow, inclusions } from "./paths.js";

/** @typedef {import("./decoded.js").Decoded} Decoded */

// ── 4 arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Everything that numbers alone can refuse (SPEC §12 step 4). @param {Decoded} d */
export function requireArithmetic(d) {
  if (d.bundle.checkpoints[0].consistency.length) throw fieldMalformed("checkpoints[0].consistency", "empty");
  if (d.notes[0].size < 2) throw fieldMalformed("checkpoints[0].size", "at least 2; size 1 is the log id itself");
  if (pairwise(d.notes).some(([older, newer]) => older.size >= newer.size)) {
    throw fieldMalformed("checkpoints", "sizes strictly ascending");
  }
  if (!isAscending(d.bundle.certificates.map(sha256))) throw fieldMalformed("certificates", "strictly ascending by hash");
  requireEpochs(d);
  requireGovernance(d);
  requireLengths(d);
}

/** @param {Decoded} d */
function requireLengths(d) {
  for (const { index, size, path } of inclusions(d)) requireLength(inclusionLength(index, size), path);
  for (const { oldSize, newSize, path } of consistencies(d)) requireLength(consistencyLength(oldSize, newSize), path);
  for (const { epoch, absence } of absences(d)) {
    for (const { index, path } of neighboursOf(absence)) requireLength(inclusionLength(index, epoch.record.batchSize), path);
  }
}

/** @param {number} expected @param {Uint8Array[]} path */
function requireLength(expected, path) {
  if (expected !== path.length) throw refusal("PathLength", { expected, got: path.length });
}

/** @param {Decoded} d */
function requireEpochs(d) {
  if (pairwise(d.epochs).some(([older, newer]) => older.record.epoch >= newer.record.epoch)) {
    throw fieldMalformed("epochs", "strictly ascending");
  }
  const records = allRecords(d);
  for (const record of records) {
    verifyEpoch(d.genesis, record.epoch, record);
    if (record.epoch === 1) verifyFirst(d.genesis, record);
  }
  for (const [before, after] of pairwise(records)) {
    if (after.epoch === before.epoch + 1) verifyNext(d.genesis, before, after);
    requireGrowth(before, after);
  }
}

/** Those of `epochs` and of rotations in one line; one that stands in both is one. @param {Decoded} d */
function allRecords(d) {
  /** @type {Map<number, { record: any, bytes: Uint8Array }>} */ const records = new Map();
  const shown = [
    ...d.epochs.map(({ record, part }) => ({ record, bytes: part.record })),
    ...d.rotations.map(({ epoch, part }) => ({ record: epoch, bytes: part.epoch.record })),
  ];
  for (const one of shown) {
    const { epoch } = one.record;
    const before = records.get(epoch) ?? one;
    if (!equal(before.bytes, one.bytes)) throw fieldMismatch("rotations.epoch", `the record of epoch ${epoch}`, "another");
    records.set(epoch, before);
  }
  return [...records.values()].map(({ record }) => record).sort((a, b) => a.epoch - b.epoch);
}

/** What no later epoch can undo, however many lie between. @param {any} older @param {any} newer */
function requireGrowth(older, newer) {
  for (const [name, field] of [["endBlock", "end_block"], ["governanceSize", "governance_size"], ["setId", "set_id"]]) {
    if (newer[name] < older[name]) throw fieldMismatch(`epoch.${field}`, `>= ${older[name]}`, newer[name]);
  }
  if (newer.firstBlock < older.endBlock) throw fieldMismatch("epoch.first_block", `>= ${older.endBlock}`, newer.firstBlock);
  if (newer.governanceSize === older.governanceSize) {
    requireSame("epoch.governance_root", hex(older.governanceRoot), hex(newer.governanceRoot));
  }
}

/** Every record between the two epochs, each once: else something could be kept back (SPEC §11). @param {Decoded} d */
function requireGovernance(d) {
  if (d.governance === null) return;
  const [least, end] = [d.governance.older.governanceSize, d.governance.newer.governanceSize];
  const { records } = d.governance.part;
  const wanted = Math.max(end - least, 0);
  if (records.length !== wanted || records.some((/** @type {any} */ one, /** @type {number} */ i) => one.index !== least + i)) {
    throw fieldMalformed("governance.records", `every index from ${least} below ${end}, once`);
  }
}

// ── 5 identity ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** One log everywhere; whether it is the right one is the trust file's to say. @param {Decoded} d */
export function requireIdentity(d) {
  const { genesis } = d.bundle;
  const logId = hex(d.genesis.logId);
  requireSame("genesis.origin", hex(d.genesis.originHash), hex(sha256(utf8(genesis.origin))));
  if (genesis.mldsa_key !== null) requireSame("genesis.mldsa_key", hex(d.genesis.logMldsaKeyHash), hex(sha256(genesis.mldsa_key)));
  for (const note of [...d.notes, ...d.rotations.map((rotation) => rotation.note)]) requireSame("note.origin", genesis.origin, note.origin);
  for (const { update } of d.rotations) requireSame("set_update.log_id", logId, hex(update.logId));
  for (const record of d.governance?.records ?? []) requireSame("governance.log_id", logId, hex(record.logId));
  for (const { body } of transactionsOf(d)) requireSame("transaction.log_id", logId, hex(body.logId));
  if (d.promise !== null) requireSame("promise.log_id", logId, hex(d.promise.logId));
}

// ── 6 hash paths ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Follow every path; each field stands in the half its schema gives it (SPEC §12 step 6). @param {Decoded} d */
export function verifyPaths(d) {
  for (const one of inclusions(d)) verifyInclusion(one.leaf(), one.index, one.size, one.path, one.root);
  for (const one of consistencies(d)) verifyConsistency(one.oldSize, one.newSize, one.path, one.oldRoot, one.newRoot);
  for (const { epoch, absence } of absences(d)) verifyAbsence(absence, epoch.record.batchSize, epoch.record.batchRoot);
  for (const epoch of d.epochs) for (const part of epoch.part.labels) follow(epoch, part);
  requireOrder(d);
  for (const { entry } of entriesOf(d)) requireHalves(entry);
}

/** No second `face` among the private leaves (SPEC §3). @param {import("./decoded.js").DecodedEntry} entry */
function requireHalves({ recordType, width, schema: name, disclosures, part }) {
  const schema = SCHEMAS.get(name);
  if (schema !== undefined) requireSame("_schema", eventCode(recordType), eventCode(schema.recordType));
  disclosures.forEach((disclosure, i) => {
    const half = halfOf(part.disclosures[i].index < width / 2);
    requireHalf(disclosure.name, half);
    if (schema === undefined || RESERVED.has(disclosure.name)) return;
    const found = findField(schema, disclosure.name);
    requireSame(disclosure.name, found.half, half);
    requireKind(found.kind, disclosure.value, disclosure.name);
  });
}

/** Leaves ascend within each epoch, entries and neighbours alike; no entry is in two epochs (SPEC §6). @param {Decoded} d */
function requireOrder(d) {
  /** @type {Map<string, number>} */ const stands = new Map();
  for (const epoch of d.epochs) {
    requireAscending(epoch);
    const number = epoch.record.epoch;
    for (const { entry } of epoch.part.entries) {
      const leaf = hex(leafHash(entry));
      const at = stands.get(leaf) ?? number;
      if (at !== number) throw fieldMismatch("entry", `in epoch ${at} alone`, `again in ${number}`);
      stands.set(leaf, at);
    }
  }
}

/** @param {import("./decoded.js").DecodedEpoch} epoch */
function requireAscending({ part }) {
  /** @type {Map<number, Uint8Array>} */ const leaves = new Map();
  for (const { index, entry } of part.entries) leaves.set(index, leafHash(entry));
  for (const absence of part.absences) for (const { index, leaf } of neighboursOf(absence)) leaves.set(index, leaf);
  const ordered = [...leaves].sort(([one], [other]) => one - other);
  for (const [[index, leaf], [other, following]] of pairwise(ordered)) {
    if (compare(leaf, following) >= 0) {
      throw fieldMismatch("batch.leaves", "strictly ascending", `${hex(leaf)} at ${index}, ${hex(following)} at ${other}`);
    }
  }
}
