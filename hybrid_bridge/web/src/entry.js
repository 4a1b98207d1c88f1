/**
 * The 37 bytes a batch holds for each record: its type, its width, its field root.
 *
 * A record, a refusal and a decoy have the same shape and hash alike. Source: SPEC §3; the refusal SPEC §5.
 */

import { bitCount, concat, fromUint } from "./bytes.js";
import { Reader } from "./encoding.js";
import { refusal } from "./errors.js";

export const ENTRY_BYTES = 37;
export const MAX_WIDTH = 1024; // 2^10 field leaves
const MIN_WIDTH = 8; // 2^3
const MAX_RECORD_TYPE = 0xfffe; // 0 and 0xFFFF are invalid
const DECOY = 0;
const RECORD = 1;
const REFUSAL = 2;

/** @typedef {{ kind: number, recordType: number, width: number, body: Uint8Array }} Entry */

/** @param {Uint8Array} data @returns {Entry} */
export function decodeEntry(data) {
  const reader = new Reader(data);
  const kind = reader.u8("entry.kind");
  const [recordType, width] = [reader.u16("entry.record_type"), reader.u16("entry.width")];
  const body = reader.b32("entry.body");
  reader.end("entry");
  if (kind === RECORD) {
    if (recordType < 1 || recordType > MAX_RECORD_TYPE) throw refusal("EntryMalformed", { offset: 1 });
    requireWidth(width);
  } else {
    if (kind !== REFUSAL && kind !== DECOY) throw refusal("EntryMalformed", { offset: 0 });
    if (recordType !== 0) throw refusal("EntryMalformed", { offset: 1 });
    if (width !== 0) throw refusal("EntryMalformed", { offset: 3 });
  }
  return { kind, recordType, width, body };
}

/** A record's entry; a refusal or a decoy is none, whatever is shown with it. @param {Uint8Array} data */
export function decodeRecordEntry(data) {
  const { kind, recordType, width, body } = decodeEntry(data);
  if (kind !== RECORD) throw refusal("EntryMalformed", { offset: 0 });
  return { recordType, width, fieldRoot: body };
}

/** The entry that says that a rule refused this transaction. @param {Uint8Array} transactionId */
export const refusalEntry = (transactionId) => concat(fromUint(REFUSAL, 1), new Uint8Array(4), transactionId);

/** @param {number} width */
export function requireWidth(width) {
  if (bitCount(width) !== 1 || width < MIN_WIDTH || width > MAX_WIDTH) throw refusal("EntryMalformed", { offset: 3 });
  return width;
}
