/** The explorer's page: values that are in it, shown. It asks nobody for anything. */

import { byId, el } from "../page/dom.js";
import { anchorsSection, copier } from "./anchors.js";
import { chart } from "./chart.js";
import { costsSection, delaysSection, endsSection, pausesSection, reportsSection } from "./events.js";
import { count, span, text, time } from "./format.js";
import { keepersSection, notesSection, silentSection } from "./keepers.js";
import { LETTERS, badge, code, val } from "./marks.js";
import { namesOf } from "./people.js";
import { facts, row, section } from "./tables.js";
import { say } from "./words.js";

/** @typedef {import("./anchors.js").View} View */

const FORMAT = "hybrid-bridge/explorer/v1";
const MIN_CHART = 300; // pixels

/** @type {{ language: import("./words.js").Language }} */
const state = { language: navigator.language.startsWith("zh") ? "zh" : "en" };

const t = (/** @type {string} */ name) => say(state.language, name);

function draw() {
  const out = byId("answer");
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = t(element.getAttribute("data-say") ?? "title");
  for (const language of ["en", "zh"]) byId(language).setAttribute("aria-pressed", String(language === state.language));
  try {
    const values = JSON.parse(byId("values").textContent);
    if (values?.format !== FORMAT) return out.replaceChildren(el("p", {}, t("noValues")));
    document.title = `${text(values.log.origin.value)} — ${t("title")}`;
    out.replaceChildren(...shown({ values, language: state.language, names: namesOf(values) }));
    picture();
  } catch (error) {
    out.replaceChildren(el("p", { class: "head red", id: "head" }, `${t("fault")} ${String(error)}`));
  }
}

/** @param {View} view */
function shown(view) {
  const { values, language } = view;
  return [
    el("p", { class: "origin" }, val(values.log.origin, language)),
    ...head(view),
    el("p", {}, t(values.names_from_files.value ? "leadNames" : "lead")),
    sourcesSection(view),
    logSection(view),
    ...endsSection(view),
    reportsSection(view),
    section("chart", t("chart"), el("div", { id: "picture" })),
    delaysSection(view),
    keepersSection(view),
    ...silentSection(view),
    anchorsSection(view),
    costsSection(view),
    pausesSection(view),
    ...notesSection(view),
    el("p", {}, copier(t("copyAll"), () => byId("values").textContent, language)),
  ];
}

// ── state and age ──────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {View} view */
function head({ values, language }) {
  const { log, as_of: asOf, freshness } = values;
  const late = freshness.overdue.value > 0;
  const ended = ["frozen", "retired"].includes(log.state.value);
  const now = Math.floor(Date.now() / 1000);
  const missed = !ended && !late && now > freshness.due.value;
  const kind = ended ? log.state.value : late ? "overdue" : log.state.value === "paused" ? "paused" : missed ? "unknown" : "inTime";
  const colour = { frozen: "red", retired: "amber", overdue: "red", paused: "amber", inTime: "green" }[/** @type {string} */ (kind)] ?? "amber";
  const words = t({ frozen: "sayFrozen", retired: "sayRetired", overdue: "sayOverdue", paused: "sayPaused", unknown: "sinceThen", inTime: "sayInTime" }[/** @type {string} */ (kind)] ?? "sayInTime");
  const more = kind === "overdue" ? [" ", val(freshness.overdue, language, (value) => span(value, language)), "."] : kind === "paused" ? [" ", val(log.paused_until, language, time)] : [];
  const alsoPaused = kind === "overdue" && log.state.value === "paused" ? [el("p", {}, `${t("sayPaused")} `, val(log.paused_until, language, time))] : [];
  const age = now - asOf.time.value;
  return [
    el("p", { class: `head ${colour}`, id: "head", "data-state": String(kind) }, t(String(kind)), " ", badge(log.state.source, language), el("span", { class: "calm" }, ` ${words}`, ...more)),
    ...alsoPaused,
    el("p", { id: "age" }, `${t("builtAt")} `, val(asOf.number, language, count), ` ${t("ofTime")} `, val(asOf.time, language, time), `, ${span(Math.abs(age), language)} ${t(age < 0 ? "ahead" : "ago")}.`),
    ...(missed && kind === "paused" ? [el("p", { class: "amber" }, t("sinceThen"))] : []),
  ];
}

/** How many endpoints say so: the builder's own sentence, of which there are two. */
const toldBy = (/** @type {string} */ told, /** @type {string} */ language) => language !== "zh" ? told : told
  .replace(/^(\d+) of (\d+) endpoints that call public block (\d+) final$/, "$2 个节点中有 $1 个确认公共链区块 $3 为最终")
  .replace(/^one endpoint that calls public block (\d+) final$/, "一个节点确认公共链区块 $1 为最终");

/** @param {View} view */
function sourcesSection({ values, language }) {
  const told = String(values.sources.chain).split(": ").slice(1).join(": ");
  const items = Object.keys(LETTERS).map((source) =>
    el("li", {}, badge(source, language), " ", t(source), ...(source === "chain" ? [` (${t("endpoints")}: `, text(toldBy(told, language)), ")"] : [])));
  return el("details", { class: "card", open: "" }, el("summary", {}, el("h2", {}, t("sources"))), el("ul", { class: "plain sources" }, ...items));
}

/** @param {View} view */
function logSection({ values: { log }, language }) {
  const place = (/** @type {string} */ name, /** @type {any} */ marked, /** @type {(value: any) => string | Node} */ how) => /** @type {[string, Node]} */ ([t(name), val(marked, language, how)]);
  const lasting = (/** @type {unknown} */ value) => span(value, language);
  return section("log", t("log"), facts([
    place("logId", log.log_id, code),
    place("contract", log.contract, code),
    place("chainId", log.chain_id, text),
    [t("headSize"), row(val(log.head_size, language, count), ` ${t("headAt")} `, val(log.head_at, language, time))],
    place("headRoot", log.head_root, code),
    [t("cadence"), row(val(log.cadence, language, lasting), `; ${t("grace")} `, val(log.grace, language, lasting))],
    place("genesisTime", log.genesis_time, time),
    place("guardian", log.guardian, code),
    ...(log.predecessor.value === null ? [] : [place("predecessor", log.predecessor, code)]),
  ]));
}

/** As wide as there is room. */
function picture() {
  const room = byId("picture");
  const values = JSON.parse(byId("values").textContent);
  if (room) room.replaceChildren(chart(values, state.language, Math.max(MIN_CHART, Math.floor(room.clientWidth))));
}

function begin() {
  for (const language of /** @type {const} */ (["en", "zh"])) {
    byId(language).addEventListener("click", () => {
      state.language = language;
      draw();
    });
  }
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (width !== window.innerWidth) picture();
    width = window.innerWidth;
  });
  draw();
}

begin();
