/** The anchors, newest first, and all that is known of one of them. */

import { byId, el } from "../page/dom.js";
import { count, coins, span, text, time } from "./format.js";
import { code, val } from "./marks.js";
import { people } from "./people.js";
import { facts, row, scroll, section, table } from "./tables.js";
import { say } from "./words.js";

/**
 * @typedef {import("./words.js").Language} Language
 * @typedef {{ values: any, language: Language, names: import("./people.js").Names }} View
 */

const PAGE = 20; // rows

/** @param {View} view */
export function anchorsSection(view) {
  const { values, language } = view;
  const t = (/** @type {string} */ name) => say(language, name);
  const list = el("div", { id: "anchor-list" });
  const detail = el("div", { id: "detail" });
  fillList(view, list, detail, 0);
  const read = values.anchors_read.all.value ? [] : [el("p", {}, t("anchorsRead"), " ", val(values.anchors_read.first_size, language, count))];
  return section("anchors", t("anchors"), ...read, finder(view, detail), list, detail, el("p", {}, el("small", {}, t("withheld"))));
}

/** @param {View} view @param {HTMLElement} list @param {HTMLElement} detail @param {number} start */
function fillList(view, list, detail, start) {
  const { values, language, names } = view;
  const t = (/** @type {string} */ name) => say(language, name);
  const newest = [...values.anchors].reverse();
  const rows = newest.slice(start, start + PAGE).map((one) => {
    const more = el("button", { type: "button", "aria-label": `${t("details")}: ${t("detailOf")} ${one.size.value}` }, t("details"));
    more.addEventListener("click", () => showDetail(view, detail, one, true));
    return [
      val(one.size, language, count), val(one.boundary, language, time), val(one.anchored_at, language, time), val(one.delay, language, (value) => span(value, language)),
      people(one.signers, names, language, one.set_id.value), val(one.cost_wei, language, (wei) => coins(wei, values.log.chain_id.value, language)), more,
    ];
  });
  const shown = table(t("anchors"), ["size", "boundary", "anchoredAt", "delay", "signers", "cost", "details"].map(t), rows);
  const step = (/** @type {string} */ name, /** @type {number} */ to) => {
    const button = el("button", { type: "button", ...(to < 0 || to >= newest.length ? { disabled: "" } : {}) }, t(name));
    button.addEventListener("click", () => {
      fillList(view, list, detail, to);
      /** @type {HTMLElement} */ (list.firstElementChild).focus(); // the button is gone, and the reader is at the rows
    });
    return button;
  };
  const steps = newest.length > PAGE ? [el("p", { class: "steppers" }, step("newer", start - PAGE), " ", step("older", start + PAGE))] : [];
  list.replaceChildren(scroll(`${t("anchors")}, ${t("table")}`, shown), ...steps);
}

/** Any size, and the anchor that covers it. @param {View} view @param {HTMLElement} detail */
function finder(view, detail) {
  const t = (/** @type {string} */ name) => say(view.language, name);
  const form = el("form", { class: "finder" },
    el("label", { for: "find" }, t("findSize")), " ",
    el("input", { id: "find", type: "number", min: "1", required: "" }), " ",
    el("button", { type: "submit" }, t("find")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = Number(byId("find").value);
    const covering = view.values.anchors_read.first_size.value <= wanted && view.values.anchors.find((/** @type {any} */ one) => one.size.value >= wanted);
    if (covering) showDetail(view, detail, covering, true);
    else detail.replaceChildren(el("p", { role: "status" }, t("notCovered")));
  });
  return form;
}

/** @param {View} view @param {HTMLElement} detail @param {any} one @param {boolean} focus */
export function showDetail({ values, language, names }, detail, one, focus) {
  const t = (/** @type {string} */ name) => say(language, name);
  const set = values.sets.find((/** @type {any} */ each) => each.set_id.value === one.set_id.value);
  const heading = el("h3", { id: "h-detail", tabindex: "-1" }, `${t("detailOf")} ${text(one.size.value)}`);
  const place = (/** @type {string} */ name, /** @type {any} */ marked, /** @type {(value: any) => string | Node} */ shown) => /** @type {[string, Node]} */ ([t(name), val(marked, language, shown)]);
  const shown = facts([
    place("root", one.root, code),
    place("boundary", one.boundary, time),
    place("epochClosed", one.epoch_closed_at, time),
    place("anchoredAt", one.anchored_at, time),
    place("delay", one.delay, (value) => span(value, language)),
    place("transaction", one.transaction, code),
    place("block", one.block, count),
    place("blockHash", one.block_hash, code),
    place("logIndex", one.log_index, count),
    [t("set"), row(val(one.set_id, language, count), " · q ", ...(set ? [val(set.q, language, count), " / n ", val(set.n, language, count)] : ["—"]))],
    [t("signers"), people(one.signers, names, language, one.set_id.value)],
    ...(one.named_only.value.length ? [/** @type {[string, Node]} */ ([t("namedOnly"), people(one.named_only, names, language, one.set_id.value)])] : []),
    place("gas", one.gas, count),
    place("price", one.price_wei, text),
    place("costWei", one.cost_wei, text),
  ]);
  detail.replaceChildren(el("div", { class: "card", role: "region", "aria-labelledby": "h-detail" }, heading, shown, rawValues(one, language)));
  if (focus) heading.focus();
}

/** What machines read, to copy. @param {unknown} values @param {Language} language */
export function rawValues(values, language) {
  const shown = el("pre", { id: "raw", tabindex: "0", "aria-label": say(language, "raw") });
  shown.textContent = JSON.stringify(values, null, 2);
  return el("details", {}, el("summary", {}, say(language, "raw")), copier(say(language, "copyIt"), () => shown.textContent ?? "", language), shown);
}

/** @param {string} name @param {() => string} what @param {Language} language */
export function copier(name, what, language) {
  const button = el("button", { type: "button" }, name);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(what());
    button.textContent = say(language, "copied");
  });
  return button;
}
