/** Check 3 of `verify`: every byte string of a bundle decoded, once. Nothing is hashed, nothing is believed. */

import { compareText, equal, hex, pairwise, utf8 } from "../bytes.js";
import { checkpoint } from "../attestation.js";
import { MAX_BUNDLE } from "../bundle.js";
import { parseNote } from "../checkpoint.js";
import { decodeEvidence, signaturesIn, TYPE } from "../cometbft/evidence.js";
import { parseDisclosure, requireOnce, SCHEMA } from "../disclosure.js";
import { parseCanonicalJson } from "../encoding.js";
import { decodeRecordEntry, refusalEntry } from "../entry.js";
import { decodeEpoch } from "../epoch.js";
import { fieldMalformed, tooLong } from "../errors.js";
import { parseJwt } from "../exports/sd-jwt.js";
import { checkpointTimestamp, decodeGenesis } from "../genesis.js";
import { decodeGovernance } from "../governance.js";
import { decodeIdentityValue, decodeLabel, decodeLifeValue, LIFE } from "../labels.js";
import { decodePromise } from "../promise.js";
import { decodeTransaction } from "../transaction.js";
import { decodeKeyBinding, parseName } from "../validators.js";

const MAX_SIGNATURES = 1024; // signature checks a bundle may ask for (SPEC §15)
const MAX_VRF_PROOFS = 1024;
const TOKEN_SIGNATURES = 8; // a timestamp's own, and its certificates'

/** @typedef {any} Part a part of the bundle, members named as in the document */
/**
 * @typedef {{ part: Part, legalId: string, name: string, binding: import("../validators.js").KeyBinding }} DecodedValidator
 * @typedef {{ recordType: number, width: number, fieldRoot: Uint8Array, part: Part, disclosures: import("../disclosure.js").Disclosure[],
 *   schema: string, transaction: import("../transaction.js").SignedTransaction | null, jwt: import("../exports/sd-jwt.js").IssuedJwt | null }} DecodedEntry
 * @typedef {{ label: import("../labels.js").Label, version: number, proof: Uint8Array, opened: { data: Uint8Array, value: any, opening: Uint8Array } | null }} DecodedLabel
 * @typedef {{ record: any, part: Part, entries: DecodedEntry[], refusals: Part[], labels: { label: DecodedLabel | null, part: Part }[] }} DecodedEpoch
 * @typedef {{ update: any, epoch: any, note: import("../checkpoint.js").Note, validators: DecodedValidator[], part: Part }} DecodedRotation
 * @typedef {{ older: any, newer: any, records: any[], part: Part }} DecodedGovernance
 * @typedef {{ bundle: any, genesis: any, validators: DecodedValidator[], rotations: DecodedRotation[], notes: import("../checkpoint.js").Note[],
 *   epochs: DecodedEpoch[], governance: DecodedGovernance | null, promise: import("../promise.js").SignedPromise | null,
 *   sources: Map<number, any> }} Decoded
 */

/** Every entry shown, with its epoch. @param {Decoded} d */
export const entriesOf = (d) => d.epochs.flatMap((epoch) => epoch.entries.map((entry) => ({ epoch, entry })));

/** Signed transactions that are shown. @param {Decoded} d */
export const transactionsOf = (d) => entriesOf(d).flatMap(({ entry }) => (entry.transaction === null ? [] : [entry.transaction]));

/** Validators of every set shown. @param {Decoded} d */
export const allValidators = (d) => [...d.validators, ...d.rotations.flatMap((rotation) => rotation.validators)];

/** What the validators signed, if the note is true. @param {Decoded} d @param {import("../checkpoint.js").Note} note @param {import("../validators.js").ValidatorSet} set */
export const checkpointOf = (d, note, set) =>
  checkpoint({
    logId: d.genesis.logId, treeSize: note.size, root: note.root, timestamp: checkpointTimestamp(d.genesis, note.size),
    setId: set.setId, setHash: set.digest,
  });

/** @param {any} bundle of the right shape @param {number} roots how many authorities the verifier names @returns {Decoded} */
export function decode(bundle, roots) {
  const promise = bundle.promise === null ? null : decodePromise(bundle.promise);
  const refusal = promise === null ? null : refusalEntry(promise.transactionId);
  const epochs = bundle.epochs.map((/** @type {Part} */ part) => decodeEpochPart(part, refusal));
  const decoded = {
    bundle,
    genesis: decodeGenesis(bundle.genesis.record),
    validators: decodeValidators(bundle.genesis.validators),
    rotations: bundle.rotations.map(decodeRotation),
    notes: bundle.checkpoints.map((/** @type {Part} */ part) => parseNote(part.note)),
    epochs,
    governance: bundle.governance === null ? null : decodeGovernancePart(bundle.governance, epochs),
    promise,
    sources: decodeSources(bundle, epochs),
  };
  if (bundle.provenance !== null) parseCanonicalJson(utf8(bundle.provenance), "provenance", MAX_BUNDLE);
  requireFew(decoded, roots);
  return decoded;
}

/** A verifier's time is bounded before the first signature is looked at (SPEC §15). @param {Decoded} d @param {number} roots */
function requireFew(d, roots) {
  const { bundle } = d;
  const lines = [...d.notes, ...d.rotations.map((rotation) => rotation.note)].map((note) => note.lines.length);
  const sources = [...d.sources.values()].map(signaturesIn);
  const counts = [...lines, ...transactionsOf(d).map((signed) => signed.signatures.length), ...sources];
  let signatures = counts.reduce((total, count) => total + count, 0) + (d.promise === null ? 0 : 1);
  signatures += bundle.checkpoints.filter((/** @type {Part} */ part) => part.receipt !== null).length;
  signatures += entriesOf(d).filter(({ entry }) => entry.jwt !== null).length;
  if (bundle.certificates.length) {
    const bindings = new Set(allValidators(d).map((validator) => hex(validator.part.key_binding)));
    signatures += bundle.certificates.length * roots + bindings.size;
  }
  const tokens = bundle.anchors.filter((/** @type {Part} */ anchor) => anchor.type === "rfc3161").length;
  signatures += TOKEN_SIGNATURES * (bundle.renewals.length + tokens);
  const proofs = d.epochs.flatMap((epoch) => epoch.labels).filter(({ label }) => label !== null).length;
  if (signatures > MAX_SIGNATURES) throw tooLong("bundle.signatures", MAX_SIGNATURES, signatures);
  if (proofs > MAX_VRF_PROOFS) throw tooLong("bundle.labels", MAX_VRF_PROOFS, proofs);
}

/** @param {any} bundle @param {DecodedEpoch[]} epochs */
function decodeSources(bundle, epochs) {
  const shown = new Set(epochs.map((epoch) => epoch.record.epoch));
  const found = new Map();
  for (const part of bundle.source_evidence) {
    if (part.type !== TYPE) continue; // evidence of other engines stays undecoded
    if (!shown.has(part.epoch) || found.has(part.epoch)) {
      throw fieldMalformed("source_evidence.epoch", "an epoch that is shown, once");
    }
    found.set(part.epoch, decodeEvidence(part.data));
  }
  return found;
}

/** @param {Part[]} parts @returns {DecodedValidator[]} */
const decodeValidators = (parts) =>
  parts.map((part) => {
    const [legalId, name] = parseName(part.name);
    return { part, legalId, name, binding: decodeKeyBinding(part.key_binding) };
  });

/** @param {Part} part @returns {DecodedRotation} */
function decodeRotation(part) {
  const update = decodeGovernance(part.update);
  if (update.type !== "SetUpdate") throw fieldMalformed("rotations.update", "a SetUpdate record");
  const epoch = decodeEpoch(part.epoch.record);
  const note = parseNote(part.note);
  return { update, epoch, note, validators: decodeValidators(part.validators), part };
}

/** @param {Part} part @param {DecodedEpoch[]} epochs @returns {DecodedGovernance} */
function decodeGovernancePart(part, epochs) {
  const records = new Map(epochs.map((epoch) => [epoch.record.epoch, epoch.record]));
  const [older, newer] = [records.get(part.from_epoch), records.get(part.to_epoch)];
  if (!older || !newer || older.epoch >= newer.epoch) {
    throw fieldMalformed("governance", "from an epoch shown to a later epoch shown");
  }
  return { older, newer, records: part.records.map((/** @type {Part} */ one) => decodeGovernance(one.record)), part };
}

/** `refusal`: the one entry that may stand here without being a record, as the answer to the promise. @param {Part} part @param {Uint8Array | null} refusal @returns {DecodedEpoch} */
function decodeEpochPart(part, refusal) {
  if (new Set(part.entries.map((/** @type {Part} */ entry) => entry.index)).size !== part.entries.length) {
    throw fieldMalformed("entries", "each once");
  }
  const isRefusal = (/** @type {Part} */ entry) => refusal !== null && equal(entry.entry, refusal);
  const refusals = part.entries.filter(isRefusal);
  if (refusals.some((/** @type {Part} */ one) => one.disclosures.length || one.transaction !== null || one.issuer_jwt !== null)) {
    throw fieldMalformed("entries", "of a refusal nothing but entry, index and path");
  }
  return {
    record: decodeEpoch(part.record),
    part,
    entries: part.entries.filter((/** @type {Part} */ entry) => !isRefusal(entry)).map(decodeEntryPart),
    refusals,
    labels: part.labels.map((/** @type {Part} */ one) => ({ label: decodeLabelPart(one), part: one })),
  };
}

/** @param {Part} part @returns {DecodedLabel | null} */
function decodeLabelPart(part) {
  const { label, version, proof, value, opening } = part;
  if (label === null || version === null || proof === null) {
    if ([label, version, proof, value, opening].some((member) => member !== null)) {
      throw fieldMalformed("labels", "label, version and proof: all, or none and nothing opened");
    }
    return null;
  }
  const decoded = decodeLabel(label);
  return { label: decoded, version, proof, opened: decodeOpening(decoded, value, opening) };
}

/** What the commitment at an index is said to hold. @param {import("../labels.js").Label} label @param {string | null} value @param {Uint8Array | null} opening */
function decodeOpening(label, value, opening) {
  if (value === null || opening === null) {
    if (value !== null || opening !== null) throw fieldMalformed("labels", "value and opening: both or none");
    return null;
  }
  const data = utf8(value);
  return { data, value: label.type === LIFE ? decodeLifeValue(data) : decodeIdentityValue(data), opening };
}

/** @param {Part} part @returns {DecodedEntry} */
function decodeEntryPart(part) {
  if (pairwise(/** @type {Part[]} */ (part.disclosures)).some(([older, newer]) => older.index >= newer.index)) {
    throw fieldMalformed("entries.disclosures", "strictly ascending by index");
  }
  const disclosures = part.disclosures.map((/** @type {Part} */ one) => parseDisclosure(one.value));
  requireOnce(disclosures.map((/** @type {any} */ one) => one.name));
  const schema = disclosures.find((/** @type {any} */ one) => one.name === SCHEMA)?.value;
  if (disclosures.length && typeof schema !== "string") {
    throw fieldMalformed(SCHEMA, "a string, disclosed whenever anything is");
  }
  return {
    ...decodeRecordEntry(part.entry),
    part,
    disclosures,
    schema: typeof schema === "string" ? schema : "",
    transaction: part.transaction === null ? null : decodeTransaction(part.transaction),
    jwt: part.issuer_jwt === null ? null : parseJwt(part.issuer_jwt),
  };
}

/** Names in the order of their code points. @param {object} members */
export const sortedNames = (members) => Object.keys(members).sort(compareText);
