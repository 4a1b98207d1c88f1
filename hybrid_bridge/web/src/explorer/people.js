/** Keys as the names behind them, as far as anybody showed: each name with its own mark. */

import { el } from "../page/dom.js";
import { cut, short } from "./format.js";
import { KEEP, badge } from "./marks.js";

/** @typedef {import("./words.js").Language} Language */

const SHORT_NAME = 28; // characters

/** @typedef {Map<string, { value: any, source: string }>} Names by address */

/** @param {any} values @returns {Names} */
export function namesOf(values) {
  const known = values.sets.flatMap((/** @type {any} */ set) => set.keepers.map((/** @type {any} */ one) => [one.address.value, one.name]));
  return new Map(known);
}

/** One key. @param {string} address @param {Names} names @param {Language} language */
export function person(address, names, language) {
  const name = names.get(address);
  if (!name?.value) return el("span", { title: String(address) }, el("code", {}, short(address)));
  return el("span", { class: "value", title: String(address) }, cut(String(name.value), SHORT_NAME), KEEP, badge(name.source, language));
}

/** Keys of a marked list. @param {{ value: string[], source: string }} marked @param {Names} names @param {Language} language */
export function people({ value, source }, names, language) {
  if (!value.length) return el("span", { class: "value" }, `—${KEEP}`, badge(source, language));
  const items = value.map((address) => el("li", {}, person(address, names, language)));
  return el("div", { class: "people" }, el("ul", {}, ...items), badge(source, language));
}
