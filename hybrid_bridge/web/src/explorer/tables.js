/** Tables that become cards on a phone and stay tables for a screen reader, and lists of names and values. */

import { el } from "../page/dom.js";

/** @typedef {string | Node} Cell */

/** @param {string} caption @param {string[]} columns @param {Cell[][]} rows */
export function table(caption, columns, rows) {
  const head = el("tr", { role: "row" }, ...columns.map((name) => el("th", { scope: "col", role: "columnheader" }, name)));
  const body = rows.map((cells) => el("tr", { role: "row" }, ...cells.map((cell, at) =>
    at === 0 ? el("th", { scope: "row", role: "rowheader", "data-label": columns[at] }, cell) : el("td", { role: "cell", "data-label": columns[at] }, cell))));
  return el("table", { role: "table" },
    el("caption", { class: "unseen" }, caption),
    el("thead", { role: "rowgroup" }, head),
    el("tbody", { role: "rowgroup" }, ...body));
}

/** @param {[string, Cell][]} pairs */
export const facts = (pairs) => el("dl", {}, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));

/** @param {string} id @param {string} heading @param {...Cell} children */
export const section = (id, heading, ...children) => el("section", { id, "aria-labelledby": `h-${id}` }, el("h2", { id: `h-${id}` }, heading), ...children);

/** Cells side by side. @param {...Cell} cells */
export const row = (...cells) => el("span", {}, ...cells);

/** What may be wider than the screen. @param {string} label @param {Node} inside */
export const scroll = (label, inside) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, inside);
