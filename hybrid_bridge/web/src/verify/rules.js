/** Check 13 of `verify`: artefact digests, openings against records, rules between records. */

import { compareText, hex } from "../bytes.js";
import { requireNoContradiction, wantingOf } from "../business/backing.js";
import { crossChecks, requireEventTime } from "../business/outside.js";
import { ASSET_CONFIRM, ASSET_REGISTER, RECORD_TYPES, SCHEMAS } from "../business/schema.js";
import { b64u } from "../encoding.js";
import { fieldMalformed, fieldMismatch } from "../errors.js";
import { keyIdText } from "../keys.js";
import { eventCode } from "../labels.js";
import { leafHash } from "../proof.js";
import { claimsOf } from "../transaction.js";
import { keyOf, pyText } from "../values.js";
import { entriesOf } from "./decoded.js";
import { opsOf } from "./registry.js";

/**
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {import("./decoded.js").DecodedEntry} DecodedEntry
 * @typedef {import("../business/outside.js").Fields} Fields
 * @typedef {Map<string, { entry: DecodedEntry, fields: Fields, leaf: Uint8Array }>} Records by leaf, with all that is known of their fields
 */

/** Warnings for people and what would have to be shown; what a rule forbids throws. @param {Decoded} d @param {import("./registry.js").Registered} registered */
export function verifyRules(d, registered) {
  const shown = entriesOf(d);
  const opened = shown.map(({ entry }) => ({ recordType: entry.recordType, fields: fieldsOf(entry), isPartial: entry.transaction === null }));
  for (const artefact of d.bundle.artefacts) requireArtefact(artefact, opened.map((record) => record.fields));
  /** @type {Records} */ const records = new Map();
  shown.forEach(({ entry }, i) => {
    const leaf = leafHash(entry.part.entry);
    records.set(hex(leaf), { entry, fields: opened[i].fields, leaf });
  });
  requireValues(registered, records);
  const invoices = invoicesOf(registered, records);
  requireNoContradiction(invoices);
  const outcome = crossChecks(opened, (asset) => wantingOf(invoices, asset));
  shown.forEach(({ epoch: { record } }, i) => requireEventTime(opened[i], record.closedAt - d.genesis.cadence, record.closedAt));
  const unknown = unknownOf(shown.map(({ entry }) => entry)).map((what) => `a verifier that knows the ${what}`);
  return { warnings: outcome.warnings, missing: [...outcome.missing, ...unknown] };
}

/** The fields disclosed and, with its transaction, all its claims. @param {DecodedEntry} entry @returns {Fields} */
function fieldsOf({ disclosures, transaction }) {
  const claims = transaction === null ? [] : [...claimsOf(transaction.body).values()];
  return new Map([...disclosures, ...claims].map(({ name, value }) => [name, value]));
}

/** Records whose fields, or whose claims in a shown transaction, nobody here can judge. @param {DecodedEntry[]} entries */
function unknownOf(entries) {
  const schemas = entries.filter((one) => one.disclosures.length && !SCHEMAS.has(one.schema))
    .map((one) => `schema ${[...one.schema].slice(0, 64).join("")}`);
  const types = entries.filter((one) => one.transaction !== null && !RECORD_TYPES.has(one.recordType))
    .map((one) => `record type ${eventCode(one.recordType)}`);
  return [...new Set([...schemas, ...types])].sort(compareText);
}

// ── labels ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A label's value that names a record shown says what that record says, and that record inserted it. @param {import("./registry.js").Registered} registered @param {Records} records */
function requireValues(registered, records) {
  for (const { index, value } of registered.labels.flatMap((fact) => [...fact.versions.values()])) {
    const named = value === null ? undefined : records.get(hex(value.entryLeaf));
    if (named === undefined) continue;
    const { entry, fields } = named;
    if (value.kind === "life") {
      same("labels.value.code", eventCode(entry.recordType), value.code);
      continue;
    }
    if (fields.has("object")) same("labels.value.object", pyText(fields.get("object")), value.objectId);
    if (entry.transaction !== null && !opsOf(entry).some((op) => hex(op.index) === hex(index))) {
      throw fieldMismatch("labels.value.entry", "the record that inserted it", "another");
    }
  }
}

/** What is shown of invoices; every identity label with the index its VRF proof gave. @param {import("./registry.js").Registered} registered @param {Records} records */
function invoicesOf(registered, records) {
  const of = (/** @type {number} */ kind) => [...records.values()].filter(({ entry }) => entry.recordType === kind)
    .map(({ entry, fields, leaf }) => ({ leaf, fields, insertion: insertionOf(entry) }));
  const labels = registered.labels.flatMap(({ label, versions }) =>
    [...versions.values()].filter(({ value }) => value?.kind !== "life").map(({ index, value }) => ({ label, index, value })));
  return { registrations: of(ASSET_REGISTER), confirmations: of(ASSET_CONFIRM), labels };
}

/** @param {DecodedEntry} entry */
function insertionOf(entry) {
  if (entry.transaction === null) return null;
  const authorisers = new Set(entry.transaction.body.authorisers.map(keyIdText));
  return { authorisers, indices: new Set(opsOf(entry).map((op) => hex(op.index))) };
}

// ── documents ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The named field of a record holds the document's SHA-256; what else that record says of it agrees. @param {any} artefact @param {Fields[]} records */
function requireArtefact(artefact, records) {
  const holding = records.filter((fields) => typeof fields.get(artefact.field) === "string");
  if (holding.length === 0) throw fieldMalformed("artefacts.field", "a disclosed field that holds a SHA-256");
  const digest = b64u(artefact.sha256);
  const matching = holding.find((fields) => fields.get(artefact.field) === digest);
  if (matching === undefined) throw fieldMismatch(artefact.field, holding[0].get(artefact.field), digest);
  const group = artefact.field.replace(/sha256$/, "");
  const stated = [["name", artefact.name], ["media", artefact.media_type], ["size", artefact.size]];
  if (artefact.sm3 !== null) stated.push(["sm3", b64u(artefact.sm3)]);
  for (const [name, value] of stated) {
    if (matching.has(group + name)) same(group + name, keyOf(matching.get(group + name)), value);
  }
}

/** @param {string} field @param {any} expected @param {any} got */
function same(field, expected, got) {
  if (expected !== got) throw fieldMismatch(field, pyText(expected), pyText(got));
}
