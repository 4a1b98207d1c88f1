/** What a brake may be on, which notices tell of it, and which record types no brake stops. Source: SCENARIOS S7. */

import { parseB64u } from "../encoding.js";
import { BridgeError } from "../errors.js";
import { eventCode } from "../labels.js";

export const [ON_NOTICE, OFF_NOTICE, FREEZE_NOTICE, LIFT_NOTICE] = [1, 2, 5, 6]; // of SPEC §7.3
/** Which notice each of these records leaves: freeze.order, freeze.lift, brake.on, brake.off. */
export const NOTICES = new Map([[0x0011, FREEZE_NOTICE], [0x0012, LIFT_NOTICE], [0x0013, ON_NOTICE], [0x0014, OFF_NOTICE]]);
export const PASSING = new Set([...NOTICES.keys(), 0x010e]); // and note.pay_ack
export const ALL = "ALL";

/** @param {number} recordType */
export const typeScope = (recordType) => `TYPE:${eventCode(recordType)}`;
/** @param {string} key */
export const memberScope = (key) => `MEMBER:${key}`;

/** Every scope in which a brake would stop a record. @param {number} recordType @param {string[]} keys its submitter's and its authorisers' */
export const scopesOf = (recordType, keys) =>
  PASSING.has(recordType) ? [] : [ALL, typeScope(recordType), ...keys.map(memberScope)];

/** Whether it is one of the three, in its one spelling. @param {string} text */
export const isScope = (text) =>
  text === ALL || /^TYPE:0x[0-9a-f]{4}$/.test(text) || (text.startsWith("MEMBER:") && isDigest(text.slice(7)));

/** base64url of 32 bytes. @param {string} text */
export function isDigest(text) {
  try {
    return parseB64u(text, "key").length === 32;
  } catch (error) {
    if (error instanceof BridgeError) return false;
    throw error;
  }
}
