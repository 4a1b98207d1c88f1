/**
 * Outside numbers, each in its one spelling (`hybrid_bridge/core/identifiers.py`).
 *
 * NFKC → drop spaces, controls and zero-width characters → every dash becomes `-` → ASCII case → codes also drop
 * `- . / ( )` → the form's pattern → its check digit. Source: SPEC §9.2; SCENARIOS S4, S5.
 */

import { characters } from "./bytes.js";
import { fieldMalformed, tooLong } from "./errors.js";
import { isOld } from "./unicode32.js";

const MAX_TEXT = 256; // characters before normalising; the longest form has 70
const GONE = /[\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u1680\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff]/gu;
// The ideograph for one is among the dashes: nobody sees that it is none.
const DASHES = /[\u058a\u05be\u1806\u2010-\u2015\u2212\u301c\u3030\u30a0\ufe58\ufe63\uff0d\u4e00]/gu;
const SEPARATORS = /[-./()]/g;

/** @typedef {{ name: string, pattern: string, case: "upper" | "lower" | "kept", code: boolean, check: string }} Form */

/** @param {string} name @param {string} pattern @param {Partial<Form>} rest @returns {Form} */
const form = (name, pattern, rest = {}) => ({ name, pattern, case: "upper", code: false, check: "", ...rest });

const GS1_TEXT = String.raw`!"%&'()*+,\-./0-9:;<=>?A-Z_`; // GS1 General Specifications, character set 82, less lower case

export const USCI = form("usci", "[0-9A-HJ-NPQRTUWXY]{18}", { code: true, check: "GB 32100" });
const LEI = form("lei", "[0-9A-Z]{18}[0-9]{2}", { code: true, check: "ISO 17442" });
const VAT = form("vat", "[A-Z]{2}[0-9A-Z+*]{2,15}", { code: true });
export const CN_EINV = form("cn-einv", "[0-9]{20}", { code: true });
export const CN_DECL = form("cn-decl", "[0-9]{4}20[0-9]{2}[01][0-9]{9}", { code: true });
export const INV_NO = form("inv-no", String.raw`[0-9A-Z\u4e00-\u9fff./()-]{1,64}`);
const INV_NO_LOOSE = form("inv-no loose", String.raw`[0-9A-Z\u4e00-\u9fff]{1,64}`, { code: true });
const GTIN = form("gtin", "[0-9]{14}", { code: true, check: "GS1" });
const GLN = form("gln", "[0-9]{13}", { code: true, check: "GS1" });
const SGTIN = form("sgtin", `[0-9]{14}[${GS1_TEXT}a-z]{1,20}`, { case: "kept", check: "GS1 of 14" });
export const LOT = form("lot", `[${GS1_TEXT}]{1,20}`);
const CONTAINER = form("container", "[A-Z]{3}[UJZ][0-9]{7}", { code: true, check: "ISO 6346" });
const CARRIER = form("carrier", "[0-9A-Z]{2,4}", { code: true });
const EBL = form("ebl", "[0-9A-Z]{1,20}", { code: true });
export const UUID = form("uuid", "[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", { case: "lower" });
export const SHA256 = form("sha-256", "[0-9a-f]{64}", { case: "lower" });
export const OBJECT_ID = form("object id", "[0-9a-f]{32}", { case: "lower" });
export const OBJECT_TYPE = form("object type", "[a-z][a-z0-9_]{0,31}", { case: "kept" });
export const JURISDICTION = form("jurisdiction", "[A-Z]{2}");
export const CCY = form("ccy", "[A-Z]{3}");
export const AMOUNT = form("amount", "0|[1-9][0-9]{0,17}");
export const DATE = form("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", { check: "calendar" });
export const PERIOD = form("period", "[0-9]{4}(-(0[1-9]|1[0-2]|Q[1-4]))?|[0-9]{4}-[0-9]{2}-[0-9]{2}");
export const NAME = form("name", String.raw`[0-9A-Z\u4e00-\u9fff._/()-]{1,64}`);
export const ORDINAL = form("ordinal", "[1-9][0-9]{0,3}");

/** All of them: what the label table's hash commits to. */
export const FORMS = [
  USCI, LEI, VAT, CN_EINV, CN_DECL, INV_NO, INV_NO_LOOSE, GTIN, GLN, SGTIN, LOT, CONTAINER, CARRIER, EBL, UUID, SHA256,
  OBJECT_ID, OBJECT_TYPE, JURISDICTION, CCY, AMOUNT, DATE, PERIOD, NAME, ORDINAL,
];

/** The one spelling of `text`. @param {Form} form @param {string} text */
export function normalise(form, text) {
  const spelt = spell(form, text);
  if (!new RegExp(`^(?:${form.pattern})$`, "u").test(spelt)) throw fieldMalformed(form.name, form.pattern);
  if (form.check && !CHECKS[form.check](spelt)) throw fieldMalformed(form.name, `check digit of ${form.check}`);
  return spelt;
}

/** @param {Form} form @param {string} text */
function spell(form, text) {
  if (characters(text) > MAX_TEXT) throw tooLong(form.name, MAX_TEXT, characters(text));
  if (![...text].every(isKnown)) throw fieldMalformed(form.name, "characters of Unicode 3.2");
  const plain = text.normalize("NFKC").replace(GONE, "").replace(DASHES, "-");
  const spelt = withCase(plain, form.case);
  return form.code ? spelt.replace(SEPARATORS, "") : spelt;
}

/** Known to Unicode 3.2, or a plain ideograph. @param {string} character */
function isKnown(character) {
  const code = /** @type {number} */ (character.codePointAt(0));
  return (code >= 0x9fa6 && code <= 0x9fff) || isOld(code);
}

/** ASCII letters alone. @param {string} text @param {string} kind */
function withCase(text, kind) {
  if (kind === "upper") return text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return kind === "lower" ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}

// ── check digits ───────────────────────────────────────────────────────────────────────────────────────────────────

const USCI_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/** The last character of 18: weights 3^i mod 31 (GB 32100-2015). @param {string} text */
function isUsci(text) {
  let [total, weight] = [0, 1];
  for (const letter of text.slice(0, 17)) {
    total += USCI_ALPHABET.indexOf(letter) * weight;
    weight = (weight * 3) % 31;
  }
  return USCI_ALPHABET[(31 - (total % 31)) % 31] === text[17];
}

/** ISO/IEC 7064 mod 97-10. @param {string} text */
function isLei(text) {
  let left = 0;
  for (const letter of text) left = (left * (letter <= "9" ? 10 : 100) + parseInt(letter, 36)) % 97;
  return left === 1;
}

/** Weights 3, 1, 3 … from the right (GS1 mod 10). @param {string} text with its check digit last */
function isGs1(text) {
  const digits = Array.from(text.slice(0, -1)).reverse();
  const total = digits.reduce((sum, digit, i) => sum + Number(digit) * (i % 2 ? 1 : 3), 0);
  return String((10 - (total % 10)) % 10) === text[text.length - 1];
}

/** Weights 2^i, mod 11, mod 10 (ISO 6346); letters count up from 10 without the multiples of 11. @param {string} text */
function isContainer(text) {
  const values = Array.from({ length: 29 }, (_, i) => i + 10).filter((value) => value % 11);
  const total = Array.from(text.slice(0, 10)).reduce((sum, letter, i) => {
    const value = letter <= "9" ? Number(letter) : values[letter.charCodeAt(0) - 65];
    return sum + value * 2 ** i;
  }, 0);
  return String((total % 11) % 10) === text[10];
}

/** YYYY-MM-DD, a day that exists, from the year 1 on. @param {string} text */
export function isDate(text) {
  const found = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  if (found === null) return false;
  const [year, month, day] = found.slice(1).map(Number);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

/** @param {number} year @param {number} month */
export function daysIn(year, month) {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}

/** @type {Record<string, (text: string) => boolean>} */
const CHECKS = {
  "GB 32100": isUsci,
  "ISO 17442": isLei,
  GS1: isGs1,
  "GS1 of 14": (text) => isGs1(text.slice(0, 14)),
  "ISO 6346": isContainer,
  calendar: isDate,
};

// ── numbers of more than one form ──────────────────────────────────────────────────────────────────────────────────

/** A party that carries its scheme already. @param {string} text */
export function partyId(text) {
  const spelt = spell(VAT, text);
  const [scheme] = spelt.split(":", 1);
  const rest = spelt.slice(scheme.length + 1);
  for (const form of [USCI, LEI, VAT]) {
    if (scheme === form.name.toUpperCase()) return `${scheme}:${normalise(form, rest)}`;
  }
  throw fieldMalformed("party", "begins with USCI:, LEI: or VAT:");
}

/** `INV-001` gives `INV1`: no separators, no leading zeros of any run of digits. @param {string} text */
export const invNoLoose = (text) =>
  normalise(INV_NO_LOOSE, spell(INV_NO_LOOSE, text).replace(/(?<![0-9])0+(?=[0-9])/g, ""));

/** GTIN-8, -12, -13 or -14, padded to 14 digits. @param {string} text */
export function gtin(text) {
  const digits = spell(GTIN, text);
  return normalise(GTIN, [8, 12, 13].includes(digits.length) ? digits.padStart(14, "0") : digits);
}

/** GTIN-14 and serial number, whose case is kept. @param {string} item @param {string} serial */
export const sgtin = (item, serial) => normalise(SGTIN, gtin(item) + serial);

/** Carrier code and transport document reference. @param {string} carrier @param {string} reference */
export const ebl = (carrier, reference) => [normalise(CARRIER, carrier), normalise(EBL, reference)];
