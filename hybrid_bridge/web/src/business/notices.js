/** What the notice of a brake or a freeze says beneath its hashes, found by trying. Source: SPEC §7.3; SCENARIOS S7. */

import { equal, hex } from "../bytes.js";
import { canonicalJson, sha256 } from "../encoding.js";
import { OWN_RECORD } from "../governance.js";
import { BRAKE_REASONS, BRAKE_RELEASES, FREEZE_REASONS, FREEZE_RELEASES, RECORD_TYPES } from "./schema.js";
import { ALL, FREEZE_NOTICE, LIFT_NOTICE, memberScope, OFF_NOTICE, ON_NOTICE, typeScope } from "./scopes.js";

const QUORUM = "quorum"; // of the validators
const MAX_HOLDERS = 64; // keys that are tried as the holder of a power: time is bounded (SPEC §15)
const REASONS = new Map([
  [ON_NOTICE, BRAKE_REASONS],
  [OFF_NOTICE, BRAKE_RELEASES],
  [FREEZE_NOTICE, FREEZE_REASONS],
  [LIFT_NOTICE, FREEZE_RELEASES],
]);

/** As in a notice: H(JCS of text or data). @param {unknown} value */
export const textHash = (value) => sha256(canonicalJson(value));

/** Whether it tells of a brake or a freeze of this ledger. @param {any} notice */
export const isStop = (notice) => notice.source === OWN_RECORD && REASONS.has(notice.noticeType);

/** Every scope that there is to try, by the hash of its text. @param {Iterable<number>} types @param {string[]} keys */
export function scopesByHash(types, keys) {
  const scopes = [ALL, ...[...new Set([...RECORD_TYPES, ...types])].map(typeScope), ...keys.map(memberScope)];
  return new Map(scopes.map((scope) => [hex(textHash(scope)), scope]));
}

/** Who and why, if it is the quorum or one of `holders`; "" twice where it is not opened. @param {any} notice @param {number} until @param {string[]} holders */
export function reasonOf(notice, until, holders) {
  const ends = notice.noticeType === OFF_NOTICE ? {} : { until_epoch: until };
  for (const code of REASONS.get(notice.noticeType) ?? []) {
    for (const by of [QUORUM, ...holders.slice(0, MAX_HOLDERS)]) {
      if (equal(textHash({ by, reason_code: code, ...ends }), notice.detailHash)) return { by, code };
    }
  }
  return { by: "", code: "" };
}
