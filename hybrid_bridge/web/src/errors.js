/**
 * Errors, by who must act: the same names under the same branches as `hybrid_bridge/errors`.
 *
 * Malformed: the bytes break the specification. Refuted: they contradict one another, a signature, or the verifier's own
 * knowledge. Undecided: something is missing.
 */

import { hex } from "./bytes.js";

const NAMES = {
  Malformed: [
    "FieldMalformed", "TooLong", "TrailingBytes", "Truncated", "NotCanonical", "DigestLength", "PathLength", "SizeOrder",
    "IndexBeyondSize", "RecordMalformed", "WordMalformed", "EntriesMalformed", "EntryMalformed", "DisclosureMalformed",
    "TerminalMalformed", "CertificateMalformed",
  ],
  Refuted: [
    "RootMismatch", "SetMismatch", "BelowQuorum", "SignatureWrong", "SignerUnknown", "HeadConflict", "FieldMismatch",
    "NotOmitted",
  ],
  Undecided: ["Missing", "EndpointRefused"],
};
const BRANCH = new Map(Object.entries(NAMES).flatMap(([branch, names]) => names.map((name) => [name, branch])));

/** Root of everything this library throws on purpose; any other exception is a fault of the library. */
export class BridgeError extends Error {
  /** @param {string} name @param {Record<string, unknown>} fields */
  constructor(name, fields) {
    super(`${name}(${Object.entries(fields).map(([key, value]) => `${key}=${shown(value)}`).join(", ")})`);
    if (!BRANCH.has(name)) throw new TypeError(`no such error: ${name}`);
    this.name = name;
    this.fields = fields;
    /** @type {string} */ this.branch = BRANCH.get(name) ?? "";
    /** @type {string[]} checks of `verify` that were passed before this one */ this.reached = [];
    this.stoppedAt = "";
  }
}

/** @param {unknown} value */
const shown = (value) => (value instanceof Uint8Array ? hex(value) : String(value));

/** @param {string} name @param {Record<string, unknown>} fields */
export const refusal = (name, fields = {}) => new BridgeError(name, fields);
/** @param {string} field @param {string} rule */
export const fieldMalformed = (field, rule) => refusal("FieldMalformed", { field, rule });
/** @param {string} field @param {unknown} expected @param {unknown} got */
export const fieldMismatch = (field, expected, got) =>
  refusal("FieldMismatch", { field, expected: String(expected), got: String(got) });
/** @param {string} field */
export const notCanonical = (field) => refusal("NotCanonical", { field });
/** @param {string} field @param {number} limit @param {number} got */
export const tooLong = (field, limit, got) => refusal("TooLong", { field, limit, got });
/** @param {string} what */
export const missing = (what) => refusal("Missing", { what });

/** Throw unless both texts or numbers are the same. @param {string} field @param {unknown} expected @param {unknown} got */
export function requireSame(field, expected, got) {
  if (expected !== got) throw fieldMismatch(field, expected, got);
}
