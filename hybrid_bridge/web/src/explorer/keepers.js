/** Who keeps the accounts: the sets, the one in force first; how independent they are; who was not seen signing. */

import { el } from "../page/dom.js";
import { count, cut, short, text, time } from "./format.js";
import { KEEP, badge, val } from "./marks.js";
import { people, person } from "./people.js";
import { facts, row, scroll, section, table } from "./tables.js";
import { say } from "./words.js";

/** @typedef {import("./anchors.js").View} View */

/** @param {View} view */
export function keepersSection(view) {
  const { values, language } = view;
  const order = ["in force", "pending", "past"];
  const sets = [...values.sets].sort((one, other) => order.indexOf(one.state.value) - order.indexOf(other.state.value) || other.set_id.value - one.set_id.value);
  return section("keepers", say(language, "keepers"), ...sets.map((set) => oneSet(view, set)));
}

/** @param {View} view @param {any} set */
function oneSet(view, set) {
  const { language, names } = view;
  const t = (/** @type {string} */ name) => say(language, name);
  const state = { "in force": "inForce", past: "past", pending: "pending" }[/** @type {string} */ (set.state.value)] ?? "past";
  const heading = el("h3", {}, `${t("set")} ${text(set.set_id.value)} — ${t(state)} `, badge(set.state.source, language));
  const shown = facts([
    [t("fromSize"), row(val(set.from_size, language, count), ...(set.to_size.value === null ? [] : [` ${t("toSize")} `, val(set.to_size, language, count)]))],
    [t("announced"), row(val(set.announced_at, language, time), " ", val(set.transaction, language, short))],
    [t("appointedBy"), set.appointed_by.value.length ? people(set.appointed_by, names, language, set.set_id.value - 1) : row(set.set_id.value === 1 ? t("byGenesis") : "—", KEEP, badge(set.appointed_by.source, language))],
    ...(set.first_anchor.value === null ? [] : [/** @type {[string, Node]} */ ([t("firstAnchor"), row(val(set.first_anchor, language, count), " ", val(set.first_anchored_at, language, time))])]),
    [t("independence"), independence(set, view)],
  ]);
  const columns = ["name", "legalId", "key", "certificateOf", "otherKeys"].map(t);
  const list = table(`${t("keepers")}, ${t("set")} ${set.set_id.value}`, columns, set.keepers.map((/** @type {any} */ one) => keeper(one, view)));
  const whole = el("div", { class: "set" }, shown, scroll(`${t("keepers")}, ${t("set")} ${text(set.set_id.value)}`, list));
  return state === "past" ? el("details", { class: "card" }, el("summary", {}, heading), whole) : el("div", { class: "card" }, heading, whole);
}

/** @param {any} set @param {View} view */
function independence(set, { language }) {
  const t = (/** @type {string} */ name) => say(language, name);
  return row(
    val(set.n, language, count), ` ${t("ofKeys")} `, val(set.q, language, count), "; ",
    val(set.entities, language, count), ` ${t("known")}`,
    ...(set.unknown.value ? ["; ", val(set.unknown, language, count), ` ${t("unknownKeys")}`] : []),
    ". ", el("strong", {}, val(set.to_sign, language, count), ` ${t("toSign")}, `, val(set.to_block, language, count), ` ${t("toBlock")}.`));
}

/** @param {any} one @param {View} view */
function keeper(one, { language }) {
  const t = (/** @type {string} */ name) => say(language, name);
  const name = one.name.value === null ? row(`${t("notOpened")} `, badge(one.name.source, language), el("small", { class: "basis" }, short(one.name_hash.value), " ", badge(one.name_hash.source, language)))
    : row(val(one.name, language), el("small", { class: "basis" }, basis(one.basis.value, language), " ", badge(one.basis.source, language)));
  const certificate = one.issuer.value === null ? val(one.certificate_hash, language, short)
    : row(val(one.issuer, language), el("small", { class: "basis" }, val(one.valid_from, language, (at) => time(at).slice(0, 10)), ` ${t("until")} `, val(one.valid_until, language, (at) => time(at).slice(0, 10))));
  const keys = el("ul", { class: "plain" }, ...one.keys.map((/** @type {any} */ key) =>
    el("li", {}, `${t("sinceSet")} `, val(key.set_id, language, count), ": ", val(key.address, language, short))));
  return [name, val(one.legal_id, language, (id) => cut(String(id), 60)), val(one.address, language, (address) => el("code", {}, text(address))), certificate, keys];
}

/** Each part of it is of a fixed list. @param {unknown} value @param {View["language"]} language */
const basis = (value, language) => text(value).split("; ").map((part) => say(language, part)).join(language === "zh" ? "；" : "; ");

/** @param {View} view */
export function silentSection({ values, language, names }) {
  if (!values.silent.length) return [];
  const t = (/** @type {string} */ name) => say(language, name);
  const inForce = values.sets.find((/** @type {any} */ set) => set.state.value === "in force")?.set_id.value ?? null;
  const rows = values.silent.map((/** @type {any} */ one) => [
    row(person(one.address.value, names, language, inForce), " ", badge(one.address.source, language)),
    one.last_size.value === null ? row(`${t("never")} `, badge(one.last_size.source, language)) : row(val(one.last_size, language, count), " ", val(one.last_at, language, time)),
    val(one.missed, language, count),
  ]);
  return [section("silent", t("silent"), el("p", {}, t("silentSays")), table(t("silent"), ["name", "lastSigned", "missed"].map(t), rows))];
}

/** @param {View} view */
export function notesSection({ values, language, names }) {
  const t = (/** @type {string} */ name) => say(language, name);
  const rows = values.notes.map((/** @type {any} */ one) => [
    val(one.size, language, count), val(one.boundary, language, time), people(one.signers, names, language, one.set_id.value),
    val(one.cosigned, language, (/** @type {string[]} */ lines) => lines.map(text).join(", ") || t("none")), val(one.file, language),
  ]);
  const others = values.notes_left_out.map((/** @type {any} */ one) => [
    val(one.size, language, count), val(one.file, language), val(one.reason, language, (/** @type {unknown} */ reason) => t(text(reason))),
  ]);
  return [
    ...(rows.length ? [section("notes", t("notes"), table(t("notes"), ["size", "boundary", "signers", "cosigned", "file"].map(t), rows))] : []),
    ...(others.length ? [section("left-out", t("leftOut"), table(t("leftOut"), ["size", "file", "why"].map(t), others))] : []),
  ];
}
