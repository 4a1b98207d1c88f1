/**
 * What must be shown of an invoice before an outsider may say that a financing on it is no false one (I12, F-R15).
 *
 * Source: SCENARIOS §2.1, S4; SPEC §9.2, §9.4.
 */

import { equal, hex } from "../bytes.js";
import { BridgeError, fieldMalformed, fieldMismatch, missing } from "../errors.js";
import { JURISDICTION, normalise } from "../identifiers.js";
import { CREDITOR_INVOICE, CREDITOR_INVOICE_LOOSE, E_INVOICE, INVOICE_TERMS, normalised } from "../labels.js";
import { keyOf, pyText } from "../values.js";

const E_INVOICE_NUMBERS = ["cn_einv", "einv_uuid"]; // in China, and abroad
const MAX_TWINS = 8; // ordinals tried for a soft label

/**
 * @typedef {import("./outside.js").Fields} Fields
 * @typedef {import("../labels.js").Label} Label
 * @typedef {{ authorisers: Set<string>, indices: Set<string> }} Insertion key ids as text, indices in hex
 * @typedef {{ leaf: Uint8Array, fields: Fields, insertion: Insertion | null }} AssetRecord
 * @typedef {{ label: Label, index: Uint8Array, value: import("../labels.js").IdentityValue | null }} ProvenLabel
 * @typedef {{ registrations: AssetRecord[], confirmations: AssetRecord[], labels: ProvenLabel[] }} Invoices
 */

/** Look at every invoice, financed or not. @param {Invoices} shown */
export function requireNoContradiction(shown) {
  for (const { fields } of [...shown.registrations, ...shown.confirmations]) {
    if (fields.has("object")) wantingOf(shown, pyText(fields.get("object")));
  }
}

/** What is not shown of the invoice behind `asset`; nothing if it is this invoice that was confirmed (I12). @param {Invoices} shown @param {string} asset */
export function wantingOf(shown, asset) {
  const invoice = only(shown.registrations, asset, "registered");
  const confirmation = only(shown.confirmations, asset, "confirmed");
  const found = [];
  if (confirmation === null) found.push(`I12: the debtor's confirmation of asset ${asset}`);
  else if (confirmation.insertion === null) {
    found.push(`I12: the transaction of the confirmation of asset ${asset}, which names the labels that it inserted`);
  }
  if (invoice === null) return [...found, `I12: the opened invoice of asset ${asset}`];
  requireAgreement(invoice, confirmation);
  try {
    requireNumbers(invoice.fields);
    requireOwnLabels(shown, asset, invoice, confirmation);
    if (confirmation?.insertion) review(shown, asset, invoice, confirmation, confirmation.insertion);
  } catch (error) {
    if (!(error instanceof BridgeError) || error.name !== "Missing") throw error;
    found.push(`I12: of the invoice of asset ${asset}, ${error.fields.what}`);
  }
  return found;
}

/** @param {AssetRecord[]} records @param {string} asset @param {string} what */
function only(records, asset, what) {
  const found = records.filter((record) => record.fields.get("object") === asset);
  if (found.length > 1) throw fieldMismatch("object", `${what} once`, `${found.length} times`);
  return found[0] ?? null;
}

/** The debtor confirmed this sum with its own key (I1, I4). @param {AssetRecord} invoice @param {AssetRecord | null} confirmation */
function requireAgreement(invoice, confirmation) {
  if (confirmation === null) return;
  for (const name of ["gross", "ccy"]) {
    const [given, confirmed] = [invoice.fields.get(name) ?? null, confirmation.fields.get(name) ?? null];
    if (given !== null && confirmed !== null && keyOf(given) !== keyOf(confirmed)) {
      throw fieldMismatch(`${name} (I4)`, pyText(given), pyText(confirmed));
    }
  }
  const debtor = invoice.fields.get("debtor") ?? null;
  if (confirmation.insertion === null || debtor === null) return;
  const { authorisers } = confirmation.insertion;
  if (authorisers.size !== 1 || !authorisers.has(/** @type {string} */ (debtor))) {
    throw fieldMismatch("authorisers (I1)", pyText(debtor), [...authorisers].sort().join(", "));
  }
}

/** A private field that is kept back looks like one that does not exist: a number not opened may hide a label. @param {Fields} fields */
function requireNumbers(fields) {
  for (const name of ["jurisdiction", "inv_no", "debtor"]) opened(fields, name);
  opened(fields, E_INVOICE_NUMBERS[normalise(JURISDICTION, opened(fields, "jurisdiction")) === "CN" ? 0 : 1]);
}

/** @param {Fields} fields @param {string} name */
function opened(fields, name) {
  if (!fields.has(name)) throw missing(`the opened field ${name}`);
  return pyText(fields.get(name));
}

/** A label that was opened to this object is one that follows from the opened invoice. @param {Invoices} shown @param {string} asset @param {AssetRecord} invoice @param {AssetRecord | null} confirmation */
function requireOwnLabels(shown, asset, invoice, confirmation) {
  // Until the confirmation says `distinct` or not, an ordinal above 1 contradicts nothing.
  const isDistinct = confirmation === null || !confirmation.fields.has("distinct") || confirmation.fields.get("distinct") === true;
  const own = new Set(labelSpellings(invoice.fields, isDistinct).flat().map((label) => label.key));
  for (const { label, value } of shown.labels) {
    if (value !== null && value.objectId === asset && !own.has(label.key)) {
      throw fieldMismatch("label", "of this invoice", `type ${label.type} of another`);
    }
  }
}

/** @param {Invoices} shown @param {string} asset @param {AssetRecord} invoice @param {AssetRecord} confirmation @param {Insertion} insertion */
function review(shown, asset, invoice, confirmation, insertion) {
  const indices = new Map(shown.labels.map(({ label, index }) => [label.key, hex(index)]));
  for (const label of reviewLabels(invoice.fields, confirmation.fields.get("distinct") === true, indices, insertion.indices)) {
    requireOpened(shown, label, asset, confirmation.leaf);
  }
}

/** The registry holds the label, and holds it for this object and this confirmation. @param {Invoices} shown @param {Label} label @param {string} asset @param {Uint8Array} leaf */
function requireOpened(shown, label, asset, leaf) {
  const values = shown.labels.filter((one) => one.label.key === label.key && one.value !== null).map((one) => one.value);
  for (const value of values) {
    if (value?.objectId !== asset || !equal(value.entryLeaf, leaf)) {
      throw fieldMismatch("labels.value", "this object and its confirmation", "another");
    }
  }
  if (values.length === 0) throw missing(`its label of type ${label.type}, present in the registry and opened`);
}

// ── the labels that follow from an invoice ─────────────────────────────────────────────────────────────────────────

/** The identity labels of an invoice, from the opened fields of its `asset.register`. @param {Fields} fields @param {number} ordinal */
export function mandatoryLabels(fields, ordinal) {
  const [seller, buyer] = [opened(fields, "seller"), opened(fields, "buyer")];
  const numbers = E_INVOICE_NUMBERS.filter((name) => fields.has(name)).map((name) => pyText(fields.get(name)));
  if (numbers.length > 1) throw fieldMalformed(E_INVOICE_NUMBERS[1], `not beside ${E_INVOICE_NUMBERS[0]}: one of the two`);
  const labels = numbers.map((number) => normalised(E_INVOICE, opened(fields, "jurisdiction"), number));
  if (fields.has("inv_no")) {
    const number = opened(fields, "inv_no");
    labels.push(normalised(CREDITOR_INVOICE, seller, number), normalised(CREDITOR_INVOICE_LOOSE, seller, number, String(ordinal)));
  }
  const terms = ["ccy", "gross", "issue_date"].map((name) => opened(fields, name));
  return [...labels, normalised(INVOICE_TERMS, buyer, ...terms, String(ordinal))];
}

/** The mandatory labels, each among the indices that the confirmation inserted. @param {Fields} fields @param {boolean} isDistinct @param {Map<string, string>} indices by label @param {Set<string>} inserted */
function reviewLabels(fields, isDistinct, indices, inserted) {
  const [found, unknown] = [/** @type {Label[]} */ ([]), /** @type {number[]} */ ([])];
  for (const spellings of labelSpellings(fields, isDistinct)) {
    const standing = spellings.find((spelling) => inserted.has(indices.get(spelling.key) ?? ""));
    if (standing) found.push(standing);
    else if (spellings.some((spelling) => !indices.has(spelling.key))) unknown.push(spellings[0].type);
    else throw fieldMismatch("label", `type ${spellings[0].type} of this invoice`, "another index");
  }
  if (unknown.length) throw missing(`the VRF proofs of its labels of type ${unknown.join(", ")}`);
  return found;
}

/** Of each mandatory label all forms that count: a soft one of a `distinct` invoice may have a higher ordinal. @param {Fields} fields @param {boolean} isDistinct */
function labelSpellings(fields, isDistinct) {
  const twins = Array.from({ length: isDistinct ? MAX_TWINS : 1 }, (_, i) => mandatoryLabels(fields, i + 1));
  return twins[0].map((_, i) => [...new Map(twins.map((labels) => [labels[i].key, labels[i]])).values()]);
}
