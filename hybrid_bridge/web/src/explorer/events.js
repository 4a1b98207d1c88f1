/** What happened beside the anchors: delays, brakes, reports, the end; and what it all cost. */

import { el } from "../page/dom.js";
import { count, coins, short, span, text, time } from "./format.js";
import { badge, code, val } from "./marks.js";
import { people } from "./people.js";
import { facts, row, scroll, section, table } from "./tables.js";
import { say } from "./words.js";

/** @typedef {import("./anchors.js").View} View */

/** @param {View} view */
export function delaysSection({ values, language }) {
  const t = (/** @type {string} */ name) => say(language, name);
  const { periods, looked_from_size: from } = values.freshness;
  const looked = from.value === 1 ? [] : [el("p", {}, `${t("lookedFrom")} `, val(from, language, count))];
  if (!periods.length) return section("delays", t("delays"), ...looked, el("p", {}, t("noDelay")));
  const rows = [...periods].reverse().map((/** @type {any} */ one) => [
    val(one.begins, language, time),
    one.ends.value === null ? row(`${t("goesOn")} `, badge(one.ends.source, language)) : val(one.ends, language, time),
    val(one.seconds, language, (value) => span(value, language)),
    val(one.size, language, count),
  ]);
  return section("delays", t("delays"), ...looked, table(t("delays"), ["begins", "ends", "lasted", "headThen"].map(t), rows));
}

/** @param {View} view */
export function pausesSection(view) {
  const t = (/** @type {string} */ name) => say(view.language, name);
  return section("pauses", t("pauses"), el("h3", {}, t("ofContract")), pauses(view), el("h3", {}, t("ofLedger")), ...brakes(view));
}

/** Brakes in the ledger itself, which only its records tell. @param {View} view */
function brakes({ values: { brakes: { epochs_read: read, periods } }, language }) {
  const t = (/** @type {string} */ name) => say(language, name);
  if (read.value === null) return [el("p", {}, `${t("noRecords")} `, badge(read.source, language))];
  const looked = el("p", {}, `${t("recordsRead")} `, val(read, language, count), periods.length ? "" : ` ${t("noBrake")}`);
  const rows = [...periods].reverse().map((/** @type {any} */ one) => [
    val(one.begins, language, time), val(one.ends, language, time), row(val(one.first_epoch, language, count), " – ", val(one.last_epoch, language, count)),
  ]);
  return [looked, ...(rows.length ? [table(t("ofLedger"), ["begins", "ends", "epochs"].map(t), rows)] : [])];
}

/** @param {View} view */
function pauses({ values, language, names }) {
  const t = (/** @type {string} */ name) => say(language, name);
  if (!values.pauses.length) return el("p", {}, t("noPause"));
  const rows = [...values.pauses].reverse().map((/** @type {any} */ one) => [
    val(one.begins, language, time),
    val(one.until, language, time),
    el("div", {}, val(one.by, language, (by) => t(by === "guardian" ? "byGuardian" : "byQuorum")),
      one.by.value === "guardian" ? el("div", {}, val(one.guardian, language, short)) : people(one.signers, names, language)),
    el("div", {}, val(one.outcome, language, (outcome) => t(String(outcome))), ...(one.ended_at.value === null ? [] : [el("div", {}, val(one.ended_at, language, time))]),
      ...(one.lifted_by.value.length ? [people(one.lifted_by, names, language)] : [])),
    val(one.reason_hash, language, short),
    el("div", {}, val(one.transaction, language, short), ...(one.lifted_in.value === null ? [] : [el("div", {}, val(one.lifted_in, language, short))])),
  ]);
  const columns = ["begins", "ends", "by", "outcome", "reason", "transaction"].map(t);
  return scroll(`${t("ofContract")}, ${t("table")}`, table(t("ofContract"), columns, rows));
}

/** @param {View} view */
export function reportsSection({ values, language, names }) {
  const t = (/** @type {string} */ name) => say(language, name);
  if (!values.reports.length) return section("reports", t("reports"), el("p", {}, t("noReport")));
  const cards = values.reports.map((/** @type {any} */ one) => el("div", { class: "card alarm" }, facts([
    [t("kind"), val(one.kind, language, (kind) => t(String(kind)))],
    [t("members"), people(one.members, names, language, one.set_id.value)],
    [t("size"), row(val(one.size, language, count), ` · ${t("set")} `, val(one.set_id, language, count))],
    [t("roots"), row(val(one.root, language, code), el("br", {}), val(one.other_root, language, code))],
    [t("reported"), row(val(one.at, language, time), " ", val(one.transaction, language, short))],
    [t("outcome"), val(one.froze, language, (froze) => t(froze ? "froze" : "changedNothing"))],
  ])));
  const { reports_left_out: out } = values;
  const more = out.value ? [el("p", {}, `${t("reportsLeftOut")} `, val(out, language, count))] : [];
  return section("reports", t("reports"), ...more, ...cards);
}

/** @param {View} view */
export function endsSection({ values, language, names }) {
  const t = (/** @type {string} */ name) => say(language, name);
  const cards = values.ends.map((/** @type {any} */ one) => el("div", { class: "card alarm" }, facts([
    [t("outcome"), val(one.how, language, (how) => t(String(how)))],
    [t("begins"), row(val(one.at, language, time), " ", val(one.transaction, language, short))],
    [t("size"), val(one.size, language, count)],
    [t("root"), val(one.root, language, code)],
    ...(one.successor.value === null ? [] : [/** @type {[string, Node]} */ ([t("successor"), val(one.successor, language, code)])]),
    ...(one.signers.value.length ? [/** @type {[string, Node]} */ ([t("signers"), people(one.signers, names, language)])] : []),
  ])));
  return cards.length ? [section("end", t("end"), ...cards)] : [];
}

/** @param {View} view */
export function costsSection({ values, language }) {
  const t = (/** @type {string} */ name) => say(language, name);
  const { costs } = values;
  const unknown = costs.without_receipt.value ? ["; ", val(costs.without_receipt, language, count), ` ${t("costUnknown")}`] : [];
  const native = (/** @type {unknown} */ wei) => coins(wei, values.log.chain_id.value, language);
  const least = costs.without_receipt.value ? [`${t("atLeast")} `] : [];
  return section("costs", t("costs"), facts([
    [t("costCount"), row(val(costs.transactions, language, count), ...unknown)],
    [t("gas"), row(...(costs.gas.value === null ? [] : least), val(costs.gas, language, count))],
    [t("costSum"), costs.wei.value === null ? val(costs.wei, language) : row(...least, val(costs.wei, language, native), " = ", val(costs.wei, language, (wei) => `${text(wei)} wei`))],
    [t("costMean"), row(val(costs.mean_wei, language, native))],
  ]), el("p", {}, el("small", {}, t("costSays"))));
}
