/** The page: files in, verdicts out. It keeps nothing and sends nothing but block numbers to endpoints that are typed in. */

import { hex, unhex, utf8Text } from "../bytes.js";
import { sha256 } from "../encoding.js";
import { BridgeError } from "../errors.js";
import { evidenceJson } from "../evidence.js";
import { bareTrust, parseTrust } from "../trust.js";
import { verify } from "../verify/index.js";
import { drawChain, linksOf, linksOfRefusal } from "./chain.js";
import { byId, el } from "./dom.js";
import { lookAll, numbersOf } from "./endpoints.js";
import { say } from "./words.js";

const MAX_FILE = 256 * 1024 * 1024; // a document is hashed whole, in memory

/** @type {{ language: "en" | "zh", bundle: Uint8Array | null, trust: Uint8Array | null, documents: import("./chain.js").Document[] }} */
const state = { language: navigator.language.startsWith("zh") ? "zh" : "en", bundle: null, trust: null, documents: [] };

const t = (/** @type {string} */ name) => say(state.language, name);

// ── what is given ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A bundle, a trust file, or a document: told apart by what is in it, never by its name. @param {File} file */
async function take(file) {
  if (file.size > MAX_FILE) return;
  const data = new Uint8Array(await file.arrayBuffer());
  const start = utf8Text(data.subarray(0, 1 << 21)) ?? "";
  if (start.includes('"hybrid-bridge/trust/v1"') && start.trimStart().startsWith("{")) state.trust = data;
  else if (start.startsWith('{"anchors":') || file.name.endsWith(".hb.json")) state.bundle = data;
  else state.documents.push({ name: file.name, sha256: sha256(data), size: data.length });
  byId("given").textContent = [state.bundle && "bundle", state.trust && t("trustFile"), ...state.documents.map((one) => one.name)].filter(Boolean).join(" · ");
}

/** @param {Iterable<File>} files */
async function takeAll(files) {
  state.documents = [];
  for (const file of files) await take(file);
  await judge();
}

/** The trust file, or the log id that is typed in, and the contract for the endpoints. */
function trustGiven() {
  const typed = byId("log").value.trim().replace(/^0x/, "");
  const trust = state.trust ? parseTrust(state.trust) : bareTrust();
  if (/^[0-9a-fA-F]{64}$/.test(typed)) trust.logs.push({ log_id: unhex(typed.toLowerCase()), genesis: null });
  return trust;
}

/** Contracts that count: typed in, or of the trust file. @param {import("../trust.js").Trust} trust @returns {Uint8Array[]} */
function contractsGiven(trust) {
  const typed = byId("contract").value.trim().replace(/^0x/, "");
  if (/^[0-9a-fA-F]{40}$/.test(typed)) return [unhex(typed.toLowerCase())];
  return trust.public_chains.flatMap((chain) => chain.contracts);
}

// ── what is said ───────────────────────────────────────────────────────────────────────────────────────────────────

async function judge() {
  const out = byId("answer");
  out.replaceChildren();
  if (state.bundle === null) return out.append(el("p", {}, t("noBundle")));
  const now = Math.floor(Date.now() / 1000);
  try {
    const trust = trustGiven();
    let evidence = verify(state.bundle, trust, now);
    const urls = byId("rpc").value.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean);
    if (urls.length) {
      out.append(el("p", { class: "asking" }, t("asking")));
      const needed = Math.max(Number(byId("needed").value) || 1, Math.floor(urls.length / 2) + 1);
      const { sights, failed } = await lookAll(urls, needed, numbersOf(evidence), contractsGiven(trust));
      evidence = verify(state.bundle, trust, now, sights);
      evidence.warnings.push(...failed.map((/** @type {string} */ url) => `no answer from ${url}`));
    }
    out.replaceChildren(...shown(evidence));
  } catch (error) {
    out.replaceChildren(...refused(error));
  }
}

/** @param {any} evidence */
function shown(evidence) {
  const complete = evidence.missing.length === 0;
  const links = linksOf(evidence, state.documents, state.language);
  const strangers = links.some((link) => link.colour === "red");
  const colour = strangers ? "red" : complete ? "green" : "amber";
  const head = el("p", { class: `head ${colour}`, id: "head", tabindex: "-1" }, t(strangers ? "stranger" : complete ? "complete" : "incomplete"));
  return [
    head,
    section("chain", drawChain(links, state.language)),
    ...list("missing", evidence.missing),
    ...list("warnings", evidence.warnings),
    section("verdicts", verdictTable(evidence)),
    ...evidence.records.map(fieldTable),
    ...list("notProven", evidence.not_proven),
    rawValues(evidenceJson(evidence)),
  ];
}

/** @param {unknown} error */
function refused(error) {
  if (!(error instanceof BridgeError)) return [el("p", { class: "head amber", id: "head" }, `${t("fault")} ${String(error)}`)];
  const colour = error.branch === "Undecided" ? "amber" : "red";
  const { name, branch, fields, stoppedAt, reached } = error;
  const told = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Uint8Array ? hex(value) : String(value)]));
  return [
    el("p", { class: `head ${colour}`, id: "head", tabindex: "-1", "data-error": name }, `${t(branch)} ${name}`),
    el("p", {}, `${t("stopped")}: ${stoppedAt || "—"}`),
    el("p", {}, `${t("reached")}: ${reached.join(", ") || "—"}`),
    section("chain", drawChain(linksOfRefusal(error), state.language)),
    rawValues({ error: name, branch, fields: told, stopped_at: stoppedAt, reached }),
  ];
}

/** @param {string} name @param {...Node} children */
const section = (name, ...children) => el("section", { "aria-labelledby": `h-${name}` }, el("h2", { id: `h-${name}` }, t(name)), ...children);

/** @param {string} name @param {string[]} items */
const list = (name, items) => (items.length ? [section(name, el("ul", {}, ...items.map((item) => el("li", {}, item))))] : []);

/** @param {any} evidence */
function verdictTable({ verdicts }) {
  const head = el("tr", {}, ...["verdict", "result", "detail", "rests", "missing"].map((name) => el("th", { scope: "col" }, t(name))));
  const rows = verdicts.map((/** @type {any} */ one) =>
    el("tr", {}, el("th", { scope: "row" }, one.name), ...[one.result, one.detail, one.rests_on, one.missing].map((text) => el("td", {}, text))));
  return el("div", { class: "scroll", tabindex: "0" }, el("table", { class: "verdicts" }, el("thead", {}, head), el("tbody", {}, ...rows)));
}

/** @param {any} record */
function fieldTable(record) {
  const rows = record.fields.map((/** @type {any} */ field) => el("tr", {}, el("th", { scope: "row" }, field.name), el("td", {}, String(field.value))));
  const caption = el("caption", {}, `${t("fields")}: ${record.schema}, ${t("epoch")} ${record.epoch}`);
  return el("section", {}, el("div", { class: "scroll", tabindex: "0" }, el("table", {}, caption, el("tbody", {}, ...rows))));
}

/** @param {unknown} values */
function rawValues(values) {
  const text = JSON.stringify(values, (_, value) => (typeof value === "bigint" ? String(value) : value), 2);
  const button = el("button", { type: "button" }, t("copy"));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
  });
  const shownRaw = el("pre", { id: "raw", tabindex: "0" });
  shownRaw.textContent = text;
  return el("details", {}, el("summary", {}, t("raw")), button, shownRaw);
}

// ── the page itself ────────────────────────────────────────────────────────────────────────────────────────────────

function translate() {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = t(element.getAttribute("data-say") ?? "title");
}

function begin() {
  const zone = byId("zone");
  const files = byId("files");
  files.addEventListener("change", () => takeAll(files.files ?? []));
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  document.addEventListener("dragover", () => zone.classList.add("over"));
  document.addEventListener("dragleave", () => zone.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    zone.classList.remove("over");
    takeAll(event.dataTransfer?.files ?? []);
  });
  byId("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    judge();
  });
  for (const language of /** @type {("en" | "zh")[]} */ (["en", "zh"])) {
    byId(language).addEventListener("click", () => {
      state.language = language;
      translate();
      if (state.bundle) judge();
    });
  }
  translate();
}

begin();
