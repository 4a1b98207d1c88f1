/**
 * The table of record types: for each name what it holds, and in which half of the field tree it stands.
 *
 * Source: SCENARIOS S1, S5, §2.0, §2.1; SPEC §3. A test compares it with `hybrid_bridge/business/schema.py`.
 */

import { RESERVED, SCHEMA } from "../disclosure.js";
import { MAX_U64 } from "../encoding.js";
import { decodeRecordEntry } from "../entry.js";
import { fieldMalformed } from "../errors.js";
import { isDate } from "../identifiers.js";
import { claimsOf } from "../transaction.js";
import { isDigest, isScope } from "./scopes.js";

export const EVENT_TIME = "event_time";
export const ASSET_REGISTER = 0x0101;
export const ASSET_CONFIRM = 0x0102;
export const NOTE_ISSUE = 0x0105;
export const NOTE_SPLIT = 0x0108;
export const FIN_FINANCE = 0x010a;
export const FIN_REFINANCE = 0x010c;

/** ISO 4217, pinned: a change would change the meaning of every amount. */
const CURRENCIES = new Set(
  ("AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW KWD MOP MXN MYR NOK NZD PHP PLN RUB SAR SEK SGD " +
    "THB TRY TWD USD VND ZAR").split(" "),
);

/** @typedef {string | readonly string[]} FieldType a type of S5, or the closed list of a code */

/** @type {Record<string, (value: any) => boolean>} */
const HOLDS = {
  flag: (value) => typeof value === "boolean",
  time: (value) => typeof value === "number" && value >= 0 && value <= MAX_U64,
  count: (value) => typeof value === "number" && value >= 0 && value <= MAX_U64,
  bps: (value) => typeof value === "number" && value >= 0 && value <= 10_000,
  amount: (value) => typeof value === "string" && /^(0|[1-9][0-9]{0,17})$/.test(value),
  ccy: (value) => CURRENCIES.has(value),
  id16: (value) => typeof value === "string" && /^[0-9a-f]{32}$/.test(value),
  date: (value) => typeof value === "string" && isDate(value),
  scope: (value) => typeof value === "string" && isScope(value),
  key: (value) => typeof value === "string" && isDigest(value),
  digest: (value) => typeof value === "string" && isDigest(value),
  text: (value) => typeof value === "string",
};

/** Accept a value of this type. @param {FieldType} kind @param {any} value @param {string} where */
export function requireKind(kind, value, where) {
  const holds = typeof kind === "string" ? HOLDS[kind](value) : kind.includes(value);
  if (!holds) throw fieldMalformed(where, typeof kind === "string" ? `a value of type ${kind}` : `one of ${kind.join(", ")}`);
}

export const FREEZE_REASONS = ["COURT_ORDER", "REGULATOR_ORDER", "INVESTIGATION", "OTHER"];
export const FREEZE_RELEASES = ["ORDER_EXPIRED", "ORDER_REVOKED", "SETTLED", "OTHER"];
export const BRAKE_REASONS = ["KEY_COMPROMISE", "SOFTWARE_FAULT", "LEGAL_ORDER", "OTHER"];
export const BRAKE_RELEASES = ["RESOLVED", "ORDER_REVOKED", "MISTAKE", "OTHER"];
const ERASURE_CODES = ["REQUEST", "RETENTION", "LEGAL_ORDER", "OTHER"];
const RELEASE_CODES = ["REPAID", "WITHDRAWN", "RESERVATION_DROPPED", "OTHER"];
const ALWAYS_PRIVATE = {
  party_cert: "text", "doc.k.name": "text", "doc.k.media": "text", "doc.k.size": "count", "doc.k.sha256": "digest",
  "doc.k.sm3": "digest",
};
const FINANCING = {
  bank: "text", advance: "amount", rate: "bps", advance_rate: "bps", registry_number: "text", registry_time: "time",
  account: "text", payment_reference: "text",
};
const FREEZE = { order: "id16", "object.k": "id16" };
const AUTHORITY = { authority: "text", case_number: "text" };
const REASON = { reason: "text" };

/**
 * @typedef {{ name: string, recordType: number, claims: Record<string, FieldType>, secrets: Record<string, FieldType>,
 *   repeats: Record<string, number> }} Schema names with a segment `k` repeat; every claim is required
 */

/** @param {number} recordType @param {string} name @param {Record<string, FieldType>} claims @param {Record<string, FieldType>} secrets @param {Record<string, number>} repeats @returns {Schema} */
const schema = (recordType, name, claims, secrets = {}, repeats = {}) => ({
  name: `${name}/1`, recordType, claims: { ...claims, [EVENT_TIME]: "time" }, secrets: { ...secrets, ...ALWAYS_PRIVATE }, repeats,
});

/** @type {Map<string, Schema>} */
export const SCHEMAS = new Map([
  schema(0x0011, "freeze.order", { ...FREEZE, reason_code: FREEZE_REASONS, escrow: "flag", until_epoch: "count" }, AUTHORITY, { object: 50 }),
  schema(0x0012, "freeze.lift", { ...FREEZE, reason_code: FREEZE_RELEASES, escrow: "flag" }, AUTHORITY, { object: 50 }),
  schema(0x0013, "brake.on", { scope: "scope", reason_code: BRAKE_REASONS, until_epoch: "count" }, REASON),
  schema(0x0014, "brake.off", { scope: "scope", reason_code: BRAKE_RELEASES }, REASON),
  schema(0x0018, "erasure.notice", { "entry.k": "digest", reason_code: ERASURE_CODES }, {}, { entry: 50 }),
  schema(ASSET_REGISTER, "asset.register",
    { object: "id16", debtor: "key", ccy: "ccy", gross: "amount", creditor_key: "key" },
    { seller: "text", buyer: "text", cn_einv: "text", einv_uuid: "text", jurisdiction: "text", inv_no: "text",
      issue_date: "date", net: "amount", tax: "amount" }),
  schema(ASSET_CONFIRM, "asset.confirm", { object: "id16", gross: "amount", ccy: "ccy", distinct: "flag" },
    { order_number: "text", receipt_number: "text", contract_number: "text", acceptance_date: "date" }),
  schema(0x0103, "asset.amend", { object: "id16", gross: "amount" }, REASON),
  schema(0x0104, "asset.cancel", { object: "id16" }, REASON),
  schema(NOTE_ISSUE, "note.issue",
    { note: "id16", debtor: "key", ccy: "ccy", face: "amount", issue_date: "date", due_date: "date", payee_key: "key",
      "back.k.object": "id16", "back.k.allot": "amount" },
    { payee: "text", contract_number: "text", account: "text" }, { back: 16 }),
  schema(0x0106, "note.accept", { note: "id16" }),
  schema(0x0107, "note.decline", { note: "id16" }, REASON),
  schema(NOTE_SPLIT, "note.split",
    { note: "id16", "child.k.note": "id16", "child.k.face": "amount", "child.k.payee_key": "key" },
    { "child.k.payee": "text", "child.k.trade_document": "text" }, { child: 100 }),
  schema(0x010d, "note.pay", { note: "id16", paid: "amount" }, { payment_reference: "text" }),
  schema(0x010e, "note.pay_ack", { note: "id16", paid: "amount" }, { payment_reference: "text" }),
  schema(0x010f, "note.default", { note: "id16", amount: "amount" }, REASON),
  schema(0x0110, "note.recourse", { note: "id16", amount: "amount" }, REASON),
  schema(0x0111, "note.writeoff", { note: "id16", amount: "amount" }, REASON),
  schema(0x0112, "debtor.totals",
    { debtor: "key", period: "count", ccy: "ccy", issued: "amount", open: "amount", paid: "amount", written_off: "amount",
      cancelled: "amount" }),
  schema(0x0109, "fin.reserve", { "note.k": "id16", fin_key: "key", ttl_epochs: "count" },
    { bank: "text", application: "text" }, { note: 200 }),
  schema(FIN_FINANCE, "fin.finance", { "note.k": "id16", fin_key: "key", check_epoch: "count" }, FINANCING, { note: 200 }),
  schema(0x010b, "fin.release", { "note.k": "id16", reason_code: RELEASE_CODES }, FINANCING, { note: 200 }),
  schema(FIN_REFINANCE, "fin.refinance", { "note.k": "id16", new_fin_key: "key", check_epoch: "count" }, FINANCING, { note: 200 }),
].map((one) => [one.name, one]));

const BY_TYPE = new Map([...SCHEMAS.values()].map((one) => [one.recordType, one]));
export const RECORD_TYPES = new Set(BY_TYPE.keys());

/** Which half a name stands in, and its type. @param {Schema} schema @param {string} name @returns {{ half: string, kind: FieldType }} */
export function findField(schema, name) {
  for (const [half, table] of /** @type {[string, Record<string, FieldType>][]} */ ([["claim", schema.claims], ["private", schema.secrets]])) {
    for (const [pattern, kind] of Object.entries(table)) {
      if (matches(pattern, name)) {
        requireRow(schema, name);
        return { half, kind };
      }
    }
  }
  throw fieldMalformed(name, `a field of ${schema.name}`);
}

/** @param {string} pattern @param {string} name */
function matches(pattern, name) {
  const [wanted, got] = [pattern.split("."), name.split(".")];
  return wanted.length === got.length && wanted.every((part, i) => (part === "k" ? /^(0|[1-9][0-9]{0,3})$/.test(got[i]) : part === got[i]));
}

/** No row beyond the last that the group can have: whoever adds up its rows would not look there. @param {Schema} schema @param {string} name */
function requireRow(schema, name) {
  const [group, row] = name.split(".");
  const most = schema.repeats[group];
  if (most !== undefined && Number(row) >= most) throw fieldMalformed(name, `a row below ${most}`);
}

/**
 * The claims in a record's transaction: every one present, none unknown, each of its type, rows without a gap (S1).
 * @param {import("../transaction.js").Body} body @param {Uint8Array} entry
 */
export function requireTypedClaims(body, entry) {
  const schema = BY_TYPE.get(decodeRecordEntry(entry).recordType);
  if (schema === undefined) throw fieldMalformed("record_type", "a record type of the schema table");
  const claims = claimsOf(body);
  if (claims.get(SCHEMA)?.value !== schema.name) throw fieldMalformed(SCHEMA, `${schema.name}, as the record type says`);
  const values = new Map([...claims].filter(([name]) => !RESERVED.has(name)).map(([name, claim]) => [name, claim.value]));
  const rows = Object.fromEntries(Object.keys(schema.repeats).map((group) => [group, rowCount(group, [...values.keys()])]));
  for (const [group, most] of Object.entries(schema.repeats)) {
    if (rows[group] < 1 || rows[group] > most) throw fieldMalformed(group, `1 to ${most} rows`);
  }
  const expected = new Map(Object.entries(schema.claims).flatMap(([pattern, kind]) => expand(pattern, rows).map((name) => [name, kind])));
  const [stranger] = [...values.keys()].filter((name) => !expected.has(name)).sort();
  if (stranger !== undefined) throw fieldMalformed(stranger, `a claim of ${schema.name}, in its row`);
  for (const [name, kind] of expected) {
    if (!values.has(name)) throw fieldMalformed(name, `a required claim of ${schema.name}`);
    requireKind(kind, values.get(name), name);
  }
}

/** @param {string} group @param {string[]} names */
const rowCount = (group, names) => new Set(names.filter((name) => name.startsWith(`${group}.`)).map((name) => name.split(".")[1])).size;

/** @param {string} pattern @param {Record<string, number>} rows */
function expand(pattern, rows) {
  const [group, repeated] = pattern.split(".");
  if (repeated !== "k") return [pattern];
  return Array.from({ length: rows[group] }, (_, k) => pattern.replace(".k", `.${k}`));
}

