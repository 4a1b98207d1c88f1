/** Check 10 of `verify`: what the registry says at an epoch about labels, and that it is one story (SPEC §9.3, §9.4). */

import { equal, hex } from "../bytes.js";
import { fieldMalformed, fieldMismatch, requireSame } from "../errors.js";
import { alpha, commitment, LIFE } from "../labels.js";
import { isTrue, pyText } from "../values.js";
import { indexOf, verifyVrf } from "../vrf.js";
import { entriesOf } from "./decoded.js";

export const NOT_REGISTERED = "not registered";
const USE_UNKNOWN = "present, use unknown";
const NO_STATEMENT = "no statement";
const ABSENT = "absent";

/**
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {{ index: Uint8Array, present: boolean, value: any }} Standing one version of one label at an epoch
 * @typedef {{ epoch: number, at: number, label: import("../labels.js").Label, versions: Map<number, Standing> }} LabelFact in the order shown
 * @typedef {{ epoch: number, at: number, index: Uint8Array, present: boolean }} IndexFact an index that stands without its label
 * @typedef {{ labels: LabelFact[], indices: IndexFact[] }} Registered
 */

/** `not registered`, `object X`, `state S after event n`, `present, use unknown` or `no statement`. @param {LabelFact} fact */
export const statementOf = (fact) => (fact.label.type === LIFE ? lifeStatement(fact) : identityStatement(fact));

/** @param {LabelFact} fact */
function identityStatement({ versions }) {
  const { value, present } = /** @type {Standing} */ (versions.get(0));
  if (value !== null) return `object ${value.objectId}`;
  return present ? USE_UNKNOWN : NOT_REGISTERED;
}

/** Versions 0 … n present, n opened, n+1 shown absent; else nothing can be said (SPEC §9.4). @param {LabelFact} fact */
function lifeStatement({ versions }) {
  let last = -1;
  while (versions.get(last + 1)?.present) last++;
  if (!versions.has(last + 1)) return NO_STATEMENT;
  if (last < 0) return NOT_REGISTERED;
  const { value } = /** @type {Standing} */ (versions.get(last));
  if (value === null) return USE_UNKNOWN;
  const { state, code } = value;
  // Of a freeze that ends by itself: no event tells of its end.
  const ends = isTrue(state.until_epoch) ? `, until the end of epoch ${pyText(state.until_epoch)}, beneath it ${pyText(state.below)}` : "";
  return `state ${pyText("state" in state ? state.state : code)}${ends} after event ${last}`;
}

/** Nothing, or not enough, can be said. @param {LabelFact} fact */
export const isOpenFact = (fact) => [USE_UNKNOWN, NO_STATEMENT].includes(statementOf(fact));

/** What is absent may be registered, and a life goes on. @param {LabelFact} fact */
export const mayChange = (fact) => fact.label.type === LIFE || statementOf(fact) === NOT_REGISTERED;

/** VRF proofs and openings of all labels shown; their paths were followed in check 6. @param {Decoded} d @returns {Registered} */
export function verifyLabels(d) {
  /** @type {Registered} */ const found = { labels: [], indices: [] };
  for (const { record, labels } of d.epochs) {
    const when = { epoch: record.epoch, at: record.closedAt };
    /** @type {Map<string, LabelFact>} */ const facts = new Map();
    for (const { label: shown, part } of labels) {
      const present = part.terminal !== null && equal(part.terminal.index, part.index);
      if (shown === null) {
        found.indices.push({ ...when, index: part.index, present });
        continue;
      }
      const fact = facts.get(shown.label.key) ?? { ...when, label: shown.label, versions: new Map() };
      facts.set(shown.label.key, fact);
      if (fact.versions.has(shown.version)) throw fieldMalformed("labels", "each version of a label once");
      verifyIndex(d, shown, part.index);
      const value = shown.opened === null ? null : openedValue(d, shown, shown.opened, present ? part.terminal : null);
      fact.versions.set(shown.version, { index: part.index, present, value });
    }
    for (const fact of facts.values()) requireNoGap(fact);
    found.labels.push(...facts.values());
  }
  requireOneStory(d);
  return found;
}

/** The index is that of this version of this label: only the holder of the VRF key can have made it. @param {Decoded} d @param {import("./decoded.js").DecodedLabel} shown @param {Uint8Array} index */
function verifyIndex(d, shown, index) {
  const output = verifyVrf(d.genesis.vrfPublicKey, alpha(d.genesis.logId, shown.label, shown.version), shown.proof);
  requireSame("labels.index", hex(indexOf(output)), hex(index));
}

/** The value, if the commitment that stands at the index opens to it. @param {Decoded} d @param {import("./decoded.js").DecodedLabel} shown @param {any} opened @param {any} pair */
function openedValue(d, shown, opened, pair) {
  if (pair === null) throw fieldMismatch("labels.opening", "a label that is present", ABSENT);
  const calculated = commitment(opened.opening, d.genesis.logId, shown.label, shown.version, opened.data);
  requireSame("labels.commitment", hex(pair.commitment), hex(calculated));
  return opened.value;
}

/** Versions count up without a gap: one above an absent one is evidence against the validators. @param {LabelFact} fact */
function requireNoGap({ versions }) {
  const numbers = (/** @type {boolean} */ present) => [...versions].filter(([, standing]) => standing.present === present).map(([version]) => version);
  const [least, most] = [Math.min(...numbers(false)), Math.max(...numbers(true))];
  if (most > least) throw fieldMismatch("labels.version", `none above ${least}`, `${most} is present`);
}

// ── one story of the registry, however many epochs are shown ───────────────────────────────────────────────────────

/** What the shown transaction behind an entry inserts; nothing if it is not shown. @param {import("./decoded.js").DecodedEntry} entry */
export const opsOf = (entry) => entry.transaction?.body.ops ?? [];

/** Every index shown, and every pair beside one, with itself at other epochs and with its transaction. @param {Decoded} d */
function requireOneStory(d) {
  /** @type {Map<string, Map<number, string>>} by index, then by epoch */ const standing = new Map();
  /** @type {Map<string, number>} */ const types = new Map();
  const note = (/** @type {Uint8Array} */ index, /** @type {number} */ epoch, /** @type {string} */ held) => {
    const byEpoch = standing.get(hex(index)) ?? new Map();
    standing.set(hex(index), byEpoch.set(epoch, held));
  };
  for (const { record, labels } of d.epochs) {
    for (const { label, part } of labels) {
      note(part.index, record.epoch, ABSENT);
      // The pair in which the path ends stands there, whosoever it is.
      if (part.terminal !== null) note(part.terminal.index, record.epoch, hex(part.terminal.commitment));
      if (label !== null) types.set(hex(part.index), label.label.type);
    }
  }
  for (const [index, byEpoch] of standing) requireGrowth(index, byEpoch);
  const inserted = new Set();
  for (const { epoch, entry } of entriesOf(d)) {
    for (const op of opsOf(entry)) {
      const index = hex(op.index);
      if (inserted.has(index)) throw fieldMismatch("transaction.ops", "each index once", index);
      inserted.add(index);
      requireSame("transaction.ops.label_type", types.get(index) ?? op.labelType, op.labelType);
      for (const [at, held] of standing.get(index) ?? []) {
        requireSame(`registry index ${index}`, at >= epoch.record.epoch ? hex(op.commitment) : ABSENT, held);
      }
    }
  }
}

/** `byEpoch` ascends, as the epochs do. @param {string} index @param {Map<number, string>} byEpoch */
function requireGrowth(index, byEpoch) {
  let before = ABSENT;
  for (const held of byEpoch.values()) {
    if (before !== ABSENT && before !== held) throw fieldMismatch(`registry index ${index}`, before, held);
    before = held;
  }
}
