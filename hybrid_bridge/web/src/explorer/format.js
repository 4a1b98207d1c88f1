/** Numbers, times and hashes as people read them. Whatever a value is, these give a text and raise nothing. */

/** @typedef {import("./words.js").Language} Language */

const MAX_TEXT = 120; // characters of a stranger's text that stand in a table; the raw values have all of it

/** @param {unknown} value */
export const text = (value) => cut(String(value), MAX_TEXT);

/** @param {string} value @param {number} most */
export const cut = (value, most) => (value.length > most ? `${[...value].slice(0, most).join("")}…` : value);

/** @param {unknown} value */
export function time(value) {
  const moment = new Date(Number(value) * 1000);
  return Number.isNaN(moment.getTime()) ? text(value) : moment.toISOString().replace("T", " ").replace(/:\d\d\.\d{3}Z$/, "\u00a0UTC").replace(/^\+/, "");
}

const UNITS = /** @type {[number, string, string][]} */ ([[86_400, "d", "天"], [3600, "h", "小时"], [60, "min", "分"], [1, "s", "秒"]]);

/** Seconds: the two largest units. @param {unknown} value @param {Language} language */
export function span(value, language) {
  let rest = Math.abs(Math.trunc(Number(value)));
  if (!Number.isFinite(rest)) return text(value);
  const parts = [];
  for (const [size, en, zh] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(language === "zh" ? `${count} ${zh}` : `${count} ${en}`);
  }
  return (Number(value) < 0 ? "−" : "") + (parts.slice(0, 2).join(" ") || (language === "zh" ? "0 秒" : "0 s"));
}

/** A hash or an address: its beginning and its end. @param {unknown} value */
export function short(value) {
  const whole = String(value);
  return /^0x[0-9a-f]{20,}$/.test(whole) ? `${whole.slice(0, 8)}…${whole.slice(-6)}` : text(whole);
}

/** Chains that are known to pay in ether: Ethereum, OP, Base, Arbitrum, Linea, zkSync, Scroll, and tests of these. */
const IN_ETHER = new Set([1, 10, 324, 8453, 42_161, 59_144, 534_352, 17_000, 560_048, 84_532, 421_614, 11_155_111, 11_155_420]);

/** Of 10^18 wei, in the coin of that chain as far as it is known. @param {unknown} value @param {unknown} chain @param {Language} language */
export function coins(value, chain, language) {
  if (!/^[0-9]{1,40}$/.test(String(value))) return text(value);
  const digits = String(value).padStart(19, "0");
  const fraction = digits.slice(-18);
  const first = fraction.search(/[1-9]/);
  const kept = fraction.slice(0, first < 0 ? 1 : Math.min(18, Math.max(4, first + 4))).replace(/0+$/, "") || "0";
  return `${digits.slice(0, -18)}.${kept} ${IN_ETHER.has(Number(chain)) ? "ETH" : language === "zh" ? "原生代币" : "native coins"}`;
}

/** @param {unknown} value */
export const count = (value) => (typeof value === "number" ? value.toLocaleString("en-US").replaceAll(",", "\u202f") : text(value));
