/**
 * Labels: the canonical names of things outside and of what happens to an object, and the table that spells them.
 *
 * An identity label has version 0 only; the life label of an object has one version for each event. Source: SPEC §9.2,
 * §9.3; SCENARIOS S4.
 */

import { concat, hex, utf8, utf8Text } from "./bytes.js";
import { canonicalJson, context, parseB64u, parseCanonicalJson, Reader, sha256, Writer } from "./encoding.js";
import { fieldMalformed, notCanonical, refusal } from "./errors.js";
import * as ids from "./identifiers.js";
import { isObject } from "./shape.js";
import { hmac, sha256 as hash256 } from "./vendor/noble.js";

export const LIFE = 1;
export const E_INVOICE = 2;
export const CREDITOR_INVOICE = 3;
export const CREDITOR_INVOICE_LOOSE = 4;
export const INVOICE_TERMS = 5;
const TABLE_VERSION = "1";
const MAX_PART = 512; // bytes; the longest spelling has 64 characters
const MAX_VALUE = 8_192; // bytes of a value's JSON
const COMMITMENT_KEY = utf8("hybrid-bridge/v1/registry-commitment");

/** @typedef {{ name: string, kind: string, parts: string[], normalise: (...parts: string[]) => string[] }} Row */

/** @param {...((text: string) => string)} normalisers @returns {(...parts: string[]) => string[]} */
const each = (...normalisers) => (...parts) => parts.map((part, i) => normalisers[i](part));
/** @param {ids.Form} form */
const by = (form) => (/** @type {string} */ text) => ids.normalise(form, text);

/** @param {string} jurisdiction @param {string} number */
function eInvoice(jurisdiction, number) {
  const where = ids.normalise(ids.JURISDICTION, jurisdiction);
  return [where, ids.normalise(where === "CN" ? ids.CN_EINV : ids.UUID, number)];
}

/** @param {string} jurisdiction @param {string} number */
function declaration(jurisdiction, number) {
  const where = ids.normalise(ids.JURISDICTION, jurisdiction);
  if (where !== "CN") throw fieldMalformed("jurisdiction", "CN; no other declaration number has a form yet");
  return [where, ids.normalise(ids.CN_DECL, number)];
}

/** @param {string} bank @param {string} reference */
const receipt = (bank, reference) =>
  bank === "UETR" ? [bank, ids.normalise(ids.UUID, reference)] : [ids.partyId(bank), ids.normalise(ids.INV_NO, reference)];

/** The first 14 characters and the rest, as Python counts them. @param {string} item */
function serial(item) {
  const all = [...item];
  return [ids.sgtin(all.slice(0, 14).join(""), all.slice(14).join(""))];
}

/** @param {string} name @param {string} kind @param {string[]} parts @param {(...parts: string[]) => string[]} normalise @returns {Row} */
const row = (name, kind, parts, normalise) => ({ name, kind, parts, normalise });

/** @type {Row[]} by label type; there is no type 0 */
const TABLE = [
  row("", "", [], each()),
  row("life", "life", ["object type", "object id"], each(by(ids.OBJECT_TYPE), by(ids.OBJECT_ID))),
  row("e-invoice", "hard", ["jurisdiction", "cn-einv | uuid"], eInvoice),
  row("creditor's invoice", "hard", ["party", "inv-no"], each(ids.partyId, by(ids.INV_NO))),
  row("creditor's invoice", "soft", ["party", "inv-no loose", "ordinal"], each(ids.partyId, ids.invNoLoose, by(ids.ORDINAL))),
  row("invoice terms", "soft", ["party", "ccy", "amount", "date", "ordinal"],
    each(ids.partyId, by(ids.CCY), by(ids.AMOUNT), by(ids.DATE), by(ids.ORDINAL))),
  row("customs declaration", "hard", ["jurisdiction", "cn-decl"], declaration),
  row("transport document", "hard", ["carrier", "ebl"], ids.ebl),
  row("payment receipt", "hard", ["UETR | party", "uuid | inv-no"], receipt),
  row("exporter's invoice", "soft", ["usci", "inv-no loose", "ccy", "amount", "ordinal"],
    each(by(ids.USCI), ids.invNoLoose, by(ids.CCY), by(ids.AMOUNT), by(ids.ORDINAL))),
  row("return", "hard", ["party", "name", "period"], each(ids.partyId, by(ids.NAME), by(ids.PERIOD))),
  row("evidence manifest", "hard", ["sha-256"], each(by(ids.SHA256))),
  row("public filing", "hard", ["name", "inv-no"], each(by(ids.NAME), by(ids.INV_NO))),
  row("serial", "hard", ["sgtin"], serial),
  row("lot", "hard", ["gtin", "lot"], each(ids.gtin, by(ids.LOT))),
];

/** H(JCS of the label table), as genesis records hold it. */
export function labelTableHash() {
  const forms = Object.fromEntries(ids.FORMS.map((f) => [f.name, { case: f.case, check: f.check, code: f.code, pattern: f.pattern }]));
  const types = TABLE.slice(1).map(({ kind, name, parts }, i) => [String(i + 1), { kind, name, parts }]);
  return sha256(canonicalJson({ forms, types: Object.fromEntries(types), version: TABLE_VERSION }));
}

// ── labels ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @typedef {{ type: number, parts: string[], encoded: Uint8Array, key: string }} Label `key` is equal for equal labels */

/** U16 type ‖ u8 parts ‖ parts × (u16 length ‖ UTF-8), in its one spelling. @param {Uint8Array} data @returns {Label} */
export function decodeLabel(data) {
  const reader = new Reader(data);
  const [type, count] = [reader.u16("label.type"), reader.u8("label.parts")];
  /** @type {string[]} */ const parts = [];
  for (let i = 0; i < count; i++) {
    const part = utf8Text(reader.opaque(2, "label.part", MAX_PART));
    if (part === null) throw notCanonical("label.part");
    parts.push(part);
  }
  reader.end("label");
  const label = normalised(type, ...parts);
  if (label.parts.some((part, i) => part !== parts[i])) throw notCanonical("label.parts");
  return label;
}

/** The label of these parts as people write them, in the order of the table. @param {number} type @param {...string} parts @returns {Label} */
export function normalised(type, ...parts) {
  if (!(type >= 1 && type < TABLE.length)) throw fieldMalformed("label.type", `1 to ${TABLE.length - 1}`);
  const { parts: names, normalise } = TABLE[type];
  if (parts.length !== names.length) throw fieldMalformed("label.parts", names.join(", "));
  const spelt = normalise(...parts);
  const writer = new Writer().u16(type, "label.type").u8(spelt.length, "label.parts");
  for (const part of spelt) writer.opaque(utf8(part), 2, "label.part");
  const encoded = writer.bytes();
  return { type, parts: spelt, encoded, key: hex(encoded) };
}

/** For people: what kind of label, and its parts. @param {Label} label */
export const describeLabel = (label) => `${TABLE[label.type].name} ${label.parts.join(" ")}`;

/** The VRF input: CTX("label") ‖ log_id ‖ label ‖ u32 version. @param {Uint8Array} logId @param {Label} label @param {number} version */
export function alpha(logId, label, version) {
  if (version !== 0 && label.type !== LIFE) throw fieldMalformed("label.version", "0 for an identity label");
  return concat(context("label"), logId, label.encoded, new Writer().u32(version, "label.version").bytes());
}

/** The hiding commitment to `value` at `version` of `label` (SPEC §9.3). @param {Uint8Array} opening @param {Uint8Array} logId @param {Label} label @param {number} version @param {Uint8Array} value */
export function commitment(opening, logId, label, version, value) {
  const writer = new Writer().b32(opening, "opening").b32(logId, "log_id").opaque(label.encoded, 2, "label");
  writer.u32(version, "label.version").opaque(value, 2, "value");
  return hmac(hash256, COMMITMENT_KEY, writer.bytes());
}

// ── what a commitment opens to ─────────────────────────────────────────────────────────────────────────────────────

/**
 * @typedef {{ kind: "identity", entryLeaf: Uint8Array, objectId: string }} IdentityValue
 * @typedef {{ kind: "life", code: string, entryLeaf: Uint8Array, state: any }} LifeValue
 */

/** @param {Uint8Array} data @returns {IdentityValue} */
export function decodeIdentityValue(data) {
  const [entry, objectId, table] = members(data, ["entry", "object", "table"]);
  const entryLeaf = parseB64u(text(entry), "entry");
  text(objectId);
  text(table);
  if (entryLeaf.length !== 32) throw refusal("DigestLength", { field: "entry", got: entryLeaf.length });
  if (!/^[0-9a-f]{32}$/.test(objectId)) throw fieldMalformed("object", "32 hex digits, lower case");
  return { kind: "identity", entryLeaf, objectId };
}

/** The event, its entry, and the state after it. @param {Uint8Array} data @returns {LifeValue} */
export function decodeLifeValue(data) {
  const [code, entry, state] = members(data, ["code", "entry", "state"]);
  if (!isObject(state)) throw fieldMalformed("value", "state is an object");
  text(code);
  const entryLeaf = parseB64u(text(entry), "entry");
  if (entryLeaf.length !== 32) throw refusal("DigestLength", { field: "entry", got: entryLeaf.length });
  if (!/^0x[0-9a-f]{4}$/.test(code)) throw fieldMalformed("code", "0x and four hex digits, lower case");
  return { kind: "life", code, entryLeaf, state };
}

/** A record type as it stands in a life value: `0x0101`. @param {number} recordType */
export const eventCode = (recordType) => `0x${recordType.toString(16).padStart(4, "0")}`;

/** @param {Uint8Array} data @param {string[]} names */
function members(data, names) {
  const value = parseCanonicalJson(data, "value", MAX_VALUE);
  if (!isObject(value) || Object.keys(value).join(" ") !== names.join(" ")) {
    throw fieldMalformed("value", `an object of ${names.join(", ")}`);
  }
  return names.map((name) => value[name]);
}

/** @param {unknown} value @returns {string} */
function text(value) {
  if (typeof value !== "string") throw fieldMalformed("value", "texts, save the state");
  return value;
}

