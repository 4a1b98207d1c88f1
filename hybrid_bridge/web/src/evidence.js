/** What verification returns: separate verdicts, never one green tick (SPEC §12; `hybrid_bridge/core/evidence.py`). */

import { b64u } from "./encoding.js";
import { daysIn } from "./identifiers.js";

export const VERIFIED = "verified";
export const UNDECIDED = "undecided";
export const NOT_SHOWN = "not shown";
export const PROVEN = "proven"; // an omission: the bundle holds, and what it shows is a node's breach
export const CLAIMED = "claimed, unanswered"; // an omission of which not everything is shown

export const NOT_PROVEN = [
  "that what was entered was true before it was entered",
  "dealings outside the ledger",
  "who stands behind a key beyond its certificate",
  "that a member's own database equals the ledger",
  "legal effect",
];
const DAY = 86_400; // seconds
const LAST_SECOND = 253_402_300_799; // 9999-12-31T23:59:59Z; no calendar text beyond it

/** @typedef {{ name: string, result: string, detail: string, rests_on: string, missing: string }} Verdict */

/** Nothing could be said; `missing` names what would be needed. @param {Verdict} verdict */
export const isOpen = (verdict) => [UNDECIDED, NOT_SHOWN, CLAIMED].includes(verdict.result);

/** A moment for people: `2026-01-05 08:00:00 UTC`; beyond the year 9999 the bare number. @param {number | bigint} moment */
export function utc(moment) {
  if (!(moment >= 0 && moment <= LAST_SECOND)) return `second ${moment}`;
  return `${new Date(Number(moment) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A span for people: seconds up to two days, then days with one decimal, cut and not rounded. @param {number} seconds */
export function span(seconds) {
  if (Math.abs(seconds) < 2 * DAY) return `${seconds} s`;
  const tenths = (BigInt(Math.abs(seconds)) * 10n) / BigInt(DAY);
  return `${seconds < 0 ? "-" : ""}${tenths / 10n}.${tenths % 10n} days`;
}

/** For machines: names as here, bytes as base64url, as `hybrid-bridge verify --json` has it. @param {any} evidence */
export const evidenceJson = (evidence) => ({
  format: "hybrid-bridge/evidence/v1",
  complete: evidence.missing.length === 0,
  ...toJson(evidence),
});

/** @param {any} value @returns {any} */
function toJson(value) {
  if (value instanceof Uint8Array) return b64u(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, toJson(held)]));
}

/** Seconds since 1970 of a calendar moment; null if there is none. @param {number[]} parts year, month, day, hour, minute, second */
export function secondsOf([year, month, day, hour, minute, second]) {
  const isDay = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!isDay || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}
