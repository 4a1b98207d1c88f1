/** Keys as the names behind them, as far as anybody showed: each name with its own mark. */

import { el } from "../page/dom.js";
import { cut, short } from "./format.js";
import { KEEP, badge } from "./marks.js";

/** @typedef {import("./words.js").Language} Language */

const SHORT_NAME = 28; // characters

/**
 * A key may have another name in another set, so a name is that of a key in a set.
 * @typedef {{ byKey: Map<string, { value: any, source: string }>, everywhere: Map<string, { value: any, source: string } | null>, unclear: Set<string> }} Names
 */

/** @param {any} values @returns {Names} */
export function namesOf(values) {
  const byKey = new Map(), everywhere = new Map(), owners = new Map();
  for (const set of values.sets) for (const { address, name, legal_id: id } of set.keepers) {
    byKey.set(`${set.set_id.value} ${address.value}`, name);
    const before = everywhere.get(address.value);
    everywhere.set(address.value, before === undefined || (before?.value === name.value && before?.source === name.source) ? name : null);
    const shown = cut(String(name.value), SHORT_NAME);
    owners.set(shown, (owners.get(shown) ?? new Set()).add(`${name.value}\n${id.value}`));
  }
  const unclear = [...owners].filter(([, several]) => several.size > 1).map(([shown]) => shown);
  return { byKey, everywhere, unclear: new Set(unclear) };
}

/** One key; of no set that is known: its name if it has one and the same in all of them. @param {string} address @param {Names} names @param {Language} language @param {unknown} set */
export function person(address, names, language, set) {
  const name = set === null ? names.everywhere.get(address) : names.byKey.get(`${set} ${address}`);
  if (!name?.value) return el("span", { title: String(address) }, el("code", {}, short(address)));
  const shown = cut(String(name.value), SHORT_NAME);
  const which = names.unclear.has(shown) ? [" ", el("code", {}, short(address))] : [];
  return el("span", { class: "value", title: String(address) }, shown, ...which, KEEP, badge(name.source, language));
}

/** Keys of a marked list, of one set or of whichever. @param {{ value: string[], source: string }} marked @param {Names} names @param {Language} language @param {unknown} [set] */
export function people({ value, source }, names, language, set = null) {
  if (!value.length) return el("span", { class: "value" }, `—${KEEP}`, badge(source, language));
  const items = value.map((address) => el("li", {}, person(address, names, language, set)));
  return el("div", { class: "people" }, el("ul", {}, ...items), badge(source, language));
}
