/**
 * What an outsider can check between the receivables records that a bundle opens (SCENARIOS §2.1, column O).
 *
 * A rule that the opened fields break is Refuted; one that needs what is not shown is missing or a warning. Of a
 * *partial* record not every claim is known to be shown: what it leaves out must neither refute nor excuse anything.
 */

import { fieldMismatch } from "../errors.js";
import { isDate } from "../identifiers.js";
import { distinct, keyOf, pyText } from "../values.js";
import { EVENT_TIME, FIN_FINANCE, FIN_REFINANCE, NOTE_ISSUE, NOTE_SPLIT, RECORD_TYPES } from "./schema.js";

/**
 * @typedef {import("../values.js").Value} Value
 * @typedef {Map<string, Value>} Fields
 * @typedef {{ recordType: number, fields: Fields, isPartial: boolean }} Opened
 */

const TENOR_WARN_DAYS = 184; // six calendar months at their longest
const ADVANCE_RATE_BPS = 9_000n;
const BACKDATE_MAX = 86_400; // seconds
const FUTURE_MAX = 120;
const MAX_ROWS = 200; // of a repeated group; the widest is `note.k` of a financing

/** All rules over the opened records. @param {Opened[]} opened @param {(asset: string) => string[]} wanting what is not shown of the invoice behind an asset */
export function crossChecks(opened, wanting) {
  /** @type {Map<string, string[]>} each asset is asked about once: it may back very many notes */ const asked = new Map();
  const once = (/** @type {string} */ asset) => {
    if (!asked.has(asset)) asked.set(asset, wanting(asset));
    return asked.get(asset) ?? [];
  };
  const shown = { faces: facesOf(opened), parents: parentsOf(opened), issues: issuesOf(opened), wanting: once };
  /** @type {string[]} */ const warnings = [];
  /** @type {string[]} */ const missing = [];
  for (const record of opened) {
    if (record.recordType === NOTE_SPLIT) warnings.push(...split(record, shown));
    else if (record.recordType === NOTE_ISSUE) {
      warnings.push(...tenor(record.fields));
      requireAllotments(record);
    } else if (record.recordType === FIN_FINANCE || record.recordType === FIN_REFINANCE) {
      missing.push(...advance(record, shown), ...financing(record, shown));
    }
  }
  return { warnings, missing: [...new Set(missing)] };
}

/** @typedef {{ faces: Map<Value, bigint>, parents: Map<Value, Value>, issues: Map<Value, Opened[]>, wanting: (asset: string) => string[] }} Shown */

/** The values of `prefix.0.suffix`, `prefix.1.suffix` … that are shown, in order. @param {Fields} fields @param {string} prefix @param {string} suffix */
function numbered(fields, prefix, suffix) {
  const names = Array.from({ length: MAX_ROWS }, (_, k) => `${prefix}.${k}${suffix && `.${suffix}`}`);
  return names.filter((name) => fields.has(name)).map((name) => fields.get(name));
}

/** Minor units, or null. @param {Value} value */
const amountOf = (value) => (typeof value === "string" && /^[0-9]{1,18}$/.test(value) ? BigInt(value) : null);

/** @param {(bigint | null)[]} amounts */
const sum = (amounts) => amounts.reduce((/** @type {bigint} */ total, amount) => total + (amount ?? 0n), 0n);

// ── I2 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each child that is shown, and its face. @param {Fields} fields @returns {[Value, Value][]} */
const rowsOf = (fields) =>
  Array.from({ length: MAX_ROWS }, (_, k) => k).filter((k) => fields.has(`child.${k}.note`))
    .map((k) => [fields.get(`child.${k}.note`), fields.get(`child.${k}.face`)]);

/** Face by note, from the issue or from the split that made the note. @param {Opened[]} opened */
function facesOf(opened) {
  /** @type {Map<Value, bigint>} */ const faces = new Map();
  for (const { recordType, fields } of opened) {
    /** @type {[Value, Value][]} */ const shown = recordType === NOTE_SPLIT ? rowsOf(fields) : [];
    if (recordType === NOTE_ISSUE && fields.has("note")) shown.push([fields.get("note"), fields.get("face")]);
    for (const [note, value] of shown) {
      const face = amountOf(value);
      if (face === null) continue;
      const before = faces.get(keyOf(note)) ?? face;
      if (before !== face) throw fieldMismatch(`face of note ${pyText(note)} (I2)`, before, face);
      faces.set(keyOf(note), face);
    }
  }
  return faces;
}

/** By child, the note that was spent for it. @param {Opened[]} opened */
function parentsOf(opened) {
  /** @type {Map<Value, Value>} */ const parents = new Map();
  for (const { recordType, fields } of opened) {
    if (recordType !== NOTE_SPLIT || !fields.has("note")) continue;
    const note = fields.get("note");
    for (const [child] of rowsOf(fields)) {
      if (parents.has(keyOf(child)) && keyOf(parents.get(keyOf(child))) !== keyOf(note)) {
        throw fieldMismatch(`parent of note ${pyText(child)} (I2)`, "one", `${pyText(parents.get(keyOf(child)))} and ${pyText(note)}`);
      }
      parents.set(keyOf(child), note);
    }
  }
  return parents;
}

/** I2: the children's faces add up to the parent's. @param {Opened} record @param {Shown} shown @returns {string[]} */
function split({ fields, isPartial }, shown) {
  const parent = fields.has("note") ? shown.faces.get(keyOf(fields.get("note"))) : undefined;
  const total = sum(numbered(fields, "child", "face").map(amountOf));
  if (parent === undefined) {
    return ["split: the parent's face is not shown, so conservation (I2) was checked by the validators alone"];
  }
  if (total > parent || (total < parent && !isPartial)) throw fieldMismatch("split.children (I2)", parent, total);
  if (total < parent) return [`split: the children shown add up to ${total} of ${parent}; some are not shown`];
  if (!isPartial) return [];
  return [
    `split: the children shown add up to ${total} of ${parent}; that there is no other child was checked by the ` +
      "validators alone (the split's transaction is not shown)",
  ];
}

// ── I4 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Opened[]} opened */
function issuesOf(opened) {
  /** @type {Map<Value, Opened[]>} */ const issues = new Map();
  for (const record of opened) {
    if (record.recordType !== NOTE_ISSUE || !record.fields.has("note")) continue;
    const note = keyOf(record.fields.get("note"));
    issues.set(note, [...(issues.get(note) ?? []), record]);
  }
  return issues;
}

/** Each asset that is shown to back the note, beside its own allotment; what is not shown of the two is null. @param {Fields} issue */
function backed(issue) {
  const rows = Array.from({ length: MAX_ROWS }, (_, k) => ({ asset: issue.get(`back.${k}.object`) ?? null, allot: issue.get(`back.${k}.allot`) ?? null }));
  return rows.filter(({ asset, allot }) => asset !== null || allot !== null).map(({ asset, allot }) => ({ asset, allot: amountOf(allot) }));
}

/** I4: each asset once, each with an allotment that is not zero, and all of them add up to the face. @param {Opened} record */
function requireAllotments({ fields, isPartial }) {
  const face = amountOf(fields.get("face"));
  const rows = backed(fields);
  const assets = rows.map(({ asset }) => asset).filter((asset) => asset !== null);
  const allotted = rows.map(({ allot }) => allot).filter((allot) => allot !== null);
  if (allotted.includes(0n) || distinct(assets) !== assets.length) {
    throw fieldMismatch("back.allot (I4)", "each asset once, not zero", `[${allotted.join(", ")}]`);
  }
  const isWhole = !isPartial && rows.length > 0 && assets.length === rows.length && allotted.length === rows.length;
  const total = sum(allotted);
  if (face !== null && (total > face || (isWhole && total < face))) throw fieldMismatch("back.allot (I4)", face, total);
}

// ── I6 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** I6: a long tenor is a warning. @param {Fields} fields @returns {string[]} */
function tenor(fields) {
  const [issued, due] = ["issue_date", "due_date"].map((name) => fields.get(name));
  if (typeof issued !== "string" || typeof due !== "string" || !isDate(issued) || !isDate(due)) return [];
  const days = (Date.parse(`${due}T00:00:00Z`) - Date.parse(`${issued}T00:00:00Z`)) / 86_400_000;
  return days > TENOR_WARN_DAYS ? [`tenor: due ${days} days after issue, more than six months`] : [];
}

/** I6b: the advance is at most nine tenths of the faces, where both are shown. I5: no note is financed twice. @param {Opened} record @param {Shown} shown @returns {string[]} */
function advance({ fields, isPartial }, shown) {
  const notes = numbered(fields, "note", "");
  const doubled = notes.length - distinct(notes);
  if (doubled) throw fieldMismatch("note (I5)", "each note once", `${doubled} twice`);
  const paid = amountOf(fields.get("advance"));
  if (paid === null) return [];
  const faces = notes.map((note) => shown.faces.get(keyOf(note)) ?? null);
  if (notes.length === 0 || faces.includes(null)) return ["I6b: the face of each financed note"];
  const limit = (sum(faces) * ADVANCE_RATE_BPS) / 10_000n;
  if (paid <= limit) return [];
  if (!isPartial) throw fieldMismatch("advance (I6b)", `<= ${limit}`, paid);
  return [`I6b: every financed note; those shown carry an advance of ${limit}, not of ${paid}`];
}

// ── I9 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** I9: the event's time lies about the epoch, from `begin` to `end`. @param {Opened} record @param {number} begin @param {number} end */
export function requireEventTime({ recordType, fields }, begin, end) {
  const moment = keyOf(fields.get(EVENT_TIME));
  if (!RECORD_TYPES.has(recordType) || typeof moment !== "number") return;
  const [least, most] = [begin - BACKDATE_MAX, end + FUTURE_MAX];
  if (moment < least || moment > most) throw fieldMismatch(`${EVENT_TIME} (I9)`, `${least} to ${most}`, moment);
}

// ── I12 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** I12: a financing counts only with all that backs it: each invoice opened, confirmed, its labels proven. @param {Opened} record @param {Shown} shown @returns {string[]} */
function financing({ fields, isPartial }, shown) {
  const notes = numbered(fields, "note", "");
  const found = [];
  if (isPartial || notes.length === 0) found.push("I12: the transaction of the financing, which names every note that it financed");
  for (const note of notes) {
    const issues = shown.issues.get(keyOf(rootOf(note, shown))) ?? [];
    if (issues.length === 0) found.push(`I12: the issue of the financed note ${pyText(note)}`);
    for (const issue of issues) found.push(...backing(note, issue.fields, shown));
  }
  return found;
}

/** Every asset of the issue: the allotments shown add up to the face, and a hidden one may not be zero (I4). @param {Value} note @param {Fields} issue @param {Shown} shown */
function backing(note, issue, shown) {
  const rows = backed(issue);
  const allotted = rows.filter(({ asset, allot }) => asset !== null && allot !== null).map(({ allot }) => allot);
  const found = [];
  if (rows.length === 0 || allotted.length !== rows.length || sum(allotted) !== amountOf(issue.get("face"))) {
    found.push(`I12: all that backs the note ${pyText(note)}: every asset with its allotment, and the face they add up to`);
  }
  for (const { asset } of rows) if (asset !== null) found.push(...shown.wanting(pyText(asset)));
  return found;
}

/** The issued note that splits lead back to, as far as they are shown. @param {Value} note @param {Shown} shown */
function rootOf(note, shown) {
  let root = note;
  // In a circle they would lead on for ever.
  for (let left = shown.parents.size; left > 0 && shown.parents.has(keyOf(root)); left--) root = shown.parents.get(keyOf(root));
  return root;
}
