/** Values with the mark that says whose word they are. A value without one is not shown. */

import { el } from "../page/dom.js";
import { text } from "./format.js";
import { say } from "./words.js";

/**
 * @typedef {import("./words.js").Language} Language
 * @typedef {{ value: any, source: string }} Marked
 * @typedef {any} Values
 */

/** The letter of each source; the legend has the words. @type {Record<string, string>} */
export const LETTERS = { chain: "P", log_id: "G", signature: "S", copy: "L", claimed: "F", certified: "A", certificate: "C", word: "W", builder: "B", nobody: "?" };

/** Between a value and its mark no line ends. */
export const KEEP = "\u00a0";

/** The mark alone. @param {string} source @param {Language} language */
export function badge(source, language) {
  const known = Object.hasOwn(LETTERS, source) ? source : "nobody";
  const words = say(language, known);
  return el("span", { class: `mark from-${known}`, title: words, "data-source": known },
    el("span", { "aria-hidden": "true" }, LETTERS[known]), el("span", { class: "unseen" }, ` (${words.split(/[:,;：，；]/)[0]})`));
}

/**
 * A value and its mark; what nobody showed is a dash.
 * @param {Marked} marked @param {Language} language @param {(value: any) => string | Node} [shown]
 */
export function val(marked, language, shown = text) {
  const { value, source } = marked;
  if (value === null || value === undefined) return el("span", { class: "value" }, `—${KEEP}`, badge(source, language));
  const inner = shown(value);
  return el("span", { class: "value" }, inner, KEEP, badge(source, language));
}

/** A hash in full, in letters of one width. @param {unknown} value */
export const code = (value) => el("code", {}, text(value));
