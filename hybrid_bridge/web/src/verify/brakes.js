/**
 * Check 13 of `verify`: brakes and freezes: what a notice says, what an epoch's flag says, what stands in an epoch.
 *
 * No brake is silent. A flag that no notice explains, a notice without its flag, and a record that a brake must have
 * stopped are each Refuted where both sides are shown. Source: SPEC §7.2, §7.3; SCENARIOS S7.
 */

import { hex, pairwise } from "../bytes.js";
import { isStop, reasonOf, scopesByHash, textHash } from "../business/notices.js";
import { FREEZE_NOTICE, NOTICES, OFF_NOTICE, ON_NOTICE, PASSING, scopesOf } from "../business/scopes.js";
import { ORIGIN } from "../disclosure.js";
import { BRAKE_ON, epochOf } from "../epoch.js";
import { fieldMismatch, requireSame } from "../errors.js";
import { closedAt } from "../genesis.js";
import { keyIdText } from "../keys.js";
import { eventCode } from "../labels.js";
import { leafHash } from "../proof.js";
import { claimsOf } from "../transaction.js";
import { pyText } from "../values.js";
import { entriesOf, transactionsOf } from "./decoded.js";
import { identityKeys } from "./names.js";

/**
 * A brake from its notice on, until it was taken off; of a freeze or a lift no more than the notice.
 * @typedef {{ notice: any, index: number, scope: string, reason: { by: string, code: string }, begun: number, until: number,
 *   off: any, ended: number | null }} Stop
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {{ d: Decoded, keys: string[], scopes: Map<string, string>, signed: Map<string, any>, stops: Stop[] }} Looked
 */

/** Whether flag bit 0 of that epoch's record must be set because of it. @param {Stop} stop @param {number} epoch */
const holdsAtTheEndOf = ({ begun, until, ended }, epoch) => begun <= epoch && epoch <= until && (ended === null || epoch < ended);

/** On in every block of that epoch; in the one in which it began a record may have stood before it. @param {Stop} stop @param {number} epoch */
const fills = (stop, epoch) => stop.begun < epoch && holdsAtTheEndOf(stop, epoch);

/** Those that an epoch's flag must show. @param {Looked} looked */
const brakesOf = (looked) => looked.stops.filter((stop) => stop.notice.noticeType === ON_NOTICE);

/** What is shown of brakes and freezes, once nothing of it contradicts anything else. @param {Decoded} d */
export function verifyBrakes(d) {
  const keys = keysOf(d);
  const types = entriesOf(d).map(({ entry }) => entry.recordType);
  const signed = new Map(entriesOf(d).filter(({ entry }) => entry.transaction !== null).map(({ entry }) => [hex(leafHash(entry.part.entry)), entry.transaction]));
  /** @type {Looked} */ const looked = { d, keys, scopes: scopesByHash(types, keys), signed, stops: [] };
  followNotices(looked);
  requireFlags(looked);
  const passed = entriesOf(d).flatMap(({ epoch, entry }) => requireUnbraked(looked, epoch.record.epoch, entry));
  return { facts: looked.stops.map(brakeFact), warnings: [...flagged(looked), ...passed] };
}

/** Of members and validators of whom the bundle says anything, those that can hold a power first. @param {Decoded} d */
function keysOf(d) {
  const members = (d.governance?.records ?? []).filter((record) => record.type === "MemberUpdate").map((record) => record.keyId);
  const signed = transactionsOf(d).flatMap(({ body }) => [body.submitter, ...body.authorisers]);
  const found = [...[...identityKeys(d).values()].map((key) => key.keyId), ...members, ...signed];
  return [...new Set([...found.map(keyIdText), ...entriesOf(d).flatMap(({ entry }) => originsOf(entry))])];
}

// ── notices ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** From the first notice shown to the last: which brake began, which one another ended. @param {Looked} looked */
function followNotices(looked) {
  const shown = looked.d.governance;
  /** @type {Map<string, number>} by hash of the scope: its place in `stops` */ const standing = new Map();
  /** @type {Map<string, number>} */ const leaves = new Map();
  shown?.records.forEach((notice, i) => {
    if (notice.type !== "Notice" || !isStop(notice)) return;
    const { index } = shown.part.records[i];
    const at = epochOfNotice(looked.d, index, notice);
    leaves.set(hex(notice.entryLeaf), notice.noticeType);
    takeNotice(looked, standing, stopOf(looked, index, notice, at), at);
  });
  requireNoticed(looked.d, leaves);
}

/** @param {Looked} looked @param {Map<string, number>} standing @param {Stop} stop @param {number} at */
function takeNotice({ stops }, standing, stop, at) {
  const { noticeType, subjectHash } = stop.notice;
  const isBrake = noticeType === ON_NOTICE || noticeType === OFF_NOTICE;
  const subject = hex(subjectHash);
  const before = isBrake ? standing.get(subject) : undefined;
  let begun = stop.begun;
  if (before !== undefined) {
    standing.delete(subject);
    if (noticeType === ON_NOTICE && holdsAtTheEndOf(stops[before], at)) begun = stops[before].begun;
    stops[before] = { ...stops[before], off: stop.notice, ended: at };
  }
  if (noticeType === ON_NOTICE) standing.set(subject, stops.length);
  if (noticeType !== OFF_NOTICE || before === undefined) stops.push({ ...stop, begun });
}

/** @param {Looked} looked @param {number} index @param {any} notice @param {number} at @returns {Stop} */
function stopOf(looked, index, notice, at) {
  // Its last second is the next epoch's.
  const until = notice.until ? epochOf(looked.d.genesis, notice.until) - 1 : 0;
  const reason = reasonOf(notice, until, looked.keys);
  const isBrake = notice.noticeType === ON_NOTICE || notice.noticeType === OFF_NOTICE;
  const scope = isBrake ? looked.scopes.get(hex(notice.subjectHash)) ?? "" : "";
  return { notice, index, scope: toldByItsRecord(looked, notice) || scope, reason, begun: at, until, off: null, ended: null };
}

/** What the record behind a notice says it is about, where its transaction is shown: the notice says the same. @param {Looked} looked @param {any} notice */
function toldByItsRecord({ d, signed }, notice) {
  const transaction = signed.get(hex(notice.entryLeaf));
  if (transaction === undefined) return "";
  /** @type {Map<string, any>} */ const claims = new Map([...claimsOf(transaction.body)].map(([name, claim]) => [name, claim.value]));
  let told = pyText(claims.get("scope"));
  /** @type {any} */ let subject = told;
  if (!claims.has("scope")) {
    const objects = [...claims.keys()].filter((name) => name.startsWith("object.")).sort(byRow).map((name) => pyText(claims.get(name)));
    told = `order ${pyText(claims.get("order"))} on ${objects.join(", ")}`;
    subject = { order: claims.get("order") ?? null, objects };
  }
  requireSame("notice.subject_hash", hex(textHash(subject)), hex(notice.subjectHash));
  const until = Number(claims.get("until_epoch") ?? 0);
  requireSame("notice.until", until ? closedAt(d.genesis, until) : 0, notice.until);
  return told;
}

/** @param {string} one @param {string} other */
const byRow = (one, other) => rowOf(one) - rowOf(other);
/** @param {string} name */
const rowOf = (name) => Number(/\.([0-9]+)$/.exec(name)?.[1] ?? 0);

/** A brake or a freeze that is shown as a record, where all notices of its epoch are known, has its own. @param {Decoded} d @param {Map<string, number>} leaves */
function requireNoticed(d, leaves) {
  const known = pairwise(d.epochs.map(({ record }) => record)).filter(([before, after]) => before.governanceSize === after.governanceSize);
  if (d.governance !== null) known.push([d.governance.older, d.governance.newer]);
  for (const { epoch, entry } of entriesOf(d)) {
    const wanted = NOTICES.get(entry.recordType);
    const number = epoch.record.epoch;
    if (wanted === undefined || !known.some(([older, newer]) => older.epoch < number && number <= newer.epoch)) continue;
    const leaf = hex(leafHash(entry.part.entry));
    requireSame(`notice of record ${leaf}`, `type ${wanted}`, `type ${leaves.get(leaf) ?? "none"}`);
  }
}

/** In which epoch it was committed: as its time says, and between the sizes of the epochs that are shown. @param {Decoded} d @param {number} index @param {any} notice */
function epochOfNotice(d, index, notice) {
  const at = epochOf(d.genesis, notice.time);
  for (const { record } of d.epochs) {
    const isBefore = index < record.governanceSize;
    if (isBefore !== at <= record.epoch) {
      const expected = `${isBefore ? "before" : "after"} the end of epoch ${record.epoch}, as index ${index}`;
      throw fieldMismatch("notice.time", expected, `epoch ${at}`);
    }
  }
  return at;
}

// ── flags ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Both ways, wherever all notices between two epochs are known: by being shown, or by equal sizes. @param {Looked} looked */
function requireFlags(looked) {
  const records = looked.d.epochs.map(({ record }) => record);
  for (const [before, after] of pairwise(records)) {
    if (before.governanceSize === after.governanceSize && flagOf(after) > flagOf(before)) {
      throw wrongFlag(after, "0: no notice since a record without it");
    }
  }
  const shown = looked.d.governance;
  if (shown === null) return;
  for (const record of records) {
    if (record.epoch <= shown.older.epoch || record.epoch > shown.newer.epoch) continue;
    const on = brakesOf(looked).some((stop) => holdsAtTheEndOf(stop, record.epoch));
    if (on && !flagOf(record)) throw wrongFlag(record, "1: a notice says that a brake was on");
    if (flagOf(record) && !on && !flagOf(shown.older)) {
      throw wrongFlag(record, `0: no notice of a brake since epoch ${shown.older.epoch}`);
    }
  }
}

/** @param {any} record */
const flagOf = (record) => record.flags & BRAKE_ON;

/** @param {any} record @param {string} expected */
const wrongFlag = (record, expected) => fieldMismatch(`flags of epoch ${record.epoch}`, expected, flagOf(record));

/** @param {Looked} looked */
const flagged = (looked) =>
  looked.d.epochs.filter(({ record }) => flagOf(record)).map(({ record }) => {
    const on = brakesOf(looked).filter((stop) => holdsAtTheEndOf(stop, record.epoch));
    const told = on.map((stop) => stop.scope || `scope with hash ${hex(stop.notice.subjectHash)}`).join(", ");
    return `the brake was on when epoch ${record.epoch} closed: ${told || "of what, by whom and why is not shown"}`;
  });

// ── records ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A record that stands although a brake was on: let through by rule, or before it, or against the rules. @param {Looked} looked @param {number} epoch @param {import("./decoded.js").DecodedEntry} entry @returns {string[]} */
function requireUnbraked(looked, epoch, entry) {
  const [kind, leaf] = [entry.recordType, hex(leafHash(entry.part.entry))];
  const body = entry.transaction?.body;
  const stopping = new Set(scopesOf(kind, body ? [body.submitter, ...body.authorisers].map(keyIdText) : originsOf(entry)));
  return brakesOf(looked).flatMap((stop) => {
    if (PASSING.has(kind) && holdsAtTheEndOf(stop, epoch)) {
      return [`record ${leaf} of type ${eventCode(kind)} stands in epoch ${epoch}: no brake stops this type`];
    }
    if (!stopping.has(stop.scope)) return [];
    if (fills(stop, epoch)) {
      throw fieldMismatch("brake", `nothing of ${stop.scope} in epoch ${epoch}: the brake was on`, `record ${leaf} of ${eventCode(kind)}`);
    }
    if (epoch !== stop.begun && epoch !== stop.ended) return [];
    const change = epoch === stop.begun ? "pulled" : "taken off";
    return [`record ${leaf} stands in epoch ${epoch}, in which the brake on ${stop.scope} was ${change}`];
  });
}

/** @param {import("./decoded.js").DecodedEntry} entry */
const originsOf = (entry) => entry.disclosures.filter((shown) => shown.name === ORIGIN).map((shown) => pyText(shown.value));

/** @param {Stop} stop */
function brakeFact({ notice, index, scope, reason, off }) {
  const names = new Map([[ON_NOTICE, "brake"], [OFF_NOTICE, "brake off"], [FREEZE_NOTICE, "freeze"]]);
  return {
    what: names.get(notice.noticeType) ?? "lift",
    index,
    scope,
    scope_hash: notice.subjectHash,
    since: notice.time,
    until: notice.until,
    by: reason.by,
    reason_code: reason.code,
    reason_hash: notice.detailHash,
    record: notice.entryLeaf,
    ended: off === null ? null : off.time,
    ended_by: off === null ? null : off.entryLeaf,
  };
}
