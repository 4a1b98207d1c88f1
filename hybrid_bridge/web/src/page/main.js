/** The page: files in, verdicts out. It keeps nothing and sends nothing but block numbers to endpoints that are typed in. */

import { hex, utf8Text } from "../bytes.js";
import { evidenceJson, utc } from "../evidence.js";
import { isPackage, packageJson } from "../package/index.js";
import { drawChain, linksOf, linksOfRefusal } from "./chain.js";
import { byId, el } from "./dom.js";
import { tellExpected } from "./expected.js";
import { told } from "./phrases.js";
import { say } from "./words.js";
import { cancel, isWorker, run, serve } from "./worker.js";

/**
 * `answer` draws what was last said, in the language of the moment. `found` is the digest of the bundle that it is about, null before.
 * @type {{ language: "en" | "zh", bundle: File | null, trust: File | null, documents: File[], found: string | null, answer: () => Node[] }}
 */
const state = { language: "en", bundle: null, trust: null, documents: [], found: null, answer: () => [] };

const t = (/** @type {string} */ name) => say(state.language, name);

/** The verifier's own sentences. @param {string} text */
const inWords = (text) => told(state.language, text);

// ── what is given ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A bundle or a package, a trust file, or a document, by what is in it. Whoever sends a bundle may send a trust file of his own in
 * the clothes of an invoice: so a trust file must be called one of JSON, too.
 * @param {File} file @returns {Promise<"trust" | "bundle" | "document">}
 */
async function kindOf(file) {
  const first = new Uint8Array(await file.slice(0, 1 << 21).arrayBuffer());
  const start = utf8Text(first) ?? "";
  const isNamed = file.name.endsWith(".json") && !file.name.endsWith(".hb.json");
  if (isNamed && start.includes('"hybrid-bridge/trust/v1"') && start.trimStart().startsWith("{")) return "trust";
  return start.startsWith('{"anchors":') || file.name.endsWith(".hb.json") || isPackage(first) ? "bundle" : "document";
}

/** What is there to be judged, and by what: a reader knows his own trust file by its name. */
function tellGiven() {
  const { bundle, trust, documents } = state;
  const named = [bundle && [t(bundle.name.endsWith(".zip") ? "package" : "bundle"), bundle.name], trust && [t("trustFile"), trust.name], ...documents.map((one) => [t("document"), one.name])];
  byId("given").replaceChildren(el("span", {}, named.flatMap((one) => (one ? [one.join(": ")] : [])).join(" · ")));
}

/** What is judged now, or nothing any more, as the page's address sees it. @param {string | null} digest */
function found(digest) {
  state.found = digest;
  tellExpected(state.language, digest);
}

/** @param {Iterable<File>} files */
async function takeAll(files) {
  /** @type {Record<"trust" | "bundle" | "document", File[]>} */ const given = { trust: [], bundle: [], document: [] };
  for (const file of files) given[await kindOf(file)].push(file);
  cancel();
  found(null); // what was judged before is no longer what lies here
  if (given.trust.length > 1) {
    state.trust = null;
    tellGiven();
    return answer(() => [el("p", { class: "head amber", id: "head" }, t("twoTrusts"))]);
  }
  state.documents = given.document;
  state.trust = given.trust[0] ?? state.trust;
  state.bundle = given.bundle.at(-1) ?? state.bundle;
  tellGiven();
  await judge();
}

/** Hex of so many bytes that was typed in; empty if it is none. @param {string} id @param {number} bytes */
function typedHex(id, bytes) {
  const typed = byId(id).value.trim().replace(/^0x/, "").toLowerCase();
  return /^[0-9a-f]+$/.test(typed) && typed.length === 2 * bytes ? typed : "";
}

// ── what is said ───────────────────────────────────────────────────────────────────────────────────────────────────

async function judge() {
  const { bundle, trust, documents } = state;
  found(null);
  if (bundle === null) return answer(() => [el("p", {}, t("noBundle"))]);
  const urls = byId("rpc").value.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean);
  const needed = Number(byId("needed").value) || 1;
  const typed = { logId: typedHex("log", 32), contract: typedHex("contract", 20) };
  for (const [id, read] of [["log", typed.logId], ["contract", typed.contract]]) {
    if (byId(id).value.trim() && !read) {
      cancel(); // what was judged before would be answered below it
      byId(id).focus();
      return answer(() => [el("p", { class: "head amber", id: "head" }, t(`${id}Malformed`))]);
    }
  }
  const running = run({ bundle, trust, documents, ...typed, urls, needed, now: Math.floor(Date.now() / 1000) }, showStep);
  answer(working);
  const outcome = await running;
  if (outcome === null) return;
  found(outcome.sha256);
  answer(() => said(outcome));
}

/** @param {() => Node[]} draw */
function answer(draw) {
  state.answer = draw;
  byId("answer").replaceChildren(...draw());
}

/** While the worker is at it: which check, and the way out. */
function working() {
  const button = el("button", { type: "button", id: "cancel" }, t("cancel"));
  button.addEventListener("click", () => {
    cancel();
    answer(() => [el("p", { class: "head amber", id: "head", tabindex: "-1" }, t("cancelled"))]);
    byId("head").focus();
  });
  const step = el("span", { id: "step", "aria-live": "off" });
  return [el("div", { class: "asking" }, el("p", {}, t("working")), el("progress", { "aria-label": t("working") }), step, button)];
}

/** @param {string} step */
function showStep(step) {
  byId("step")?.replaceChildren(step);
}

/** @param {import("./judge.js").Outcome} outcome */
function said({ evidence, documents = [], packed = null, refusal, fault }) {
  if (refusal) return refused(refusal);
  return evidence ? shown(evidence, documents, packed) : [el("p", { class: "head amber", id: "head" }, `${t("fault")} ${fault}`)];
}

/** @param {any} evidence @param {import("./chain.js").Document[]} documents @param {import("../package/index.js").PackageEvidence | null} packed */
function shown(evidence, documents, packed) {
  const complete = evidence.missing.length === 0;
  const inside = (packed?.documents ?? []).map(({ path, sha256, size }) => ({ name: path, sha256, size }));
  const links = linksOf(evidence, documents, inside, state.language);
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
    ...(packed ? [packageTable(packed)] : []),
    ...list("notProven", evidence.not_proven),
    rawValues(packed ? packageJson(packed) : evidenceJson(evidence)),
  ];
}

/** @param {import("./judge.js").Refusal} error */
function refused(error) {
  const colour = error.branch === "Undecided" ? "amber" : "red";
  const { name, branch, fields, stoppedAt, reached } = error;
  const plainly = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Uint8Array ? hex(value) : String(value)]));
  return [
    el("p", { class: `head ${colour}`, id: "head", tabindex: "-1", "data-error": name }, `${t(branch)} ${name}`),
    el("p", {}, `${t("stopped")}: ${stoppedAt || "—"}`),
    el("p", {}, `${t("reached")}: ${reached.join(", ") || "—"}`),
    section("chain", drawChain(linksOfRefusal(error), state.language)),
    rawValues({ error: name, branch, fields: plainly, stopped_at: stoppedAt, reached }),
  ];
}

/** @param {string} name @param {...Node} children */
const section = (name, ...children) => el("section", { "aria-labelledby": `h-${name}` }, el("h2", { id: `h-${name}` }, t(name)), ...children);

/** @param {string} name @param {string[]} items */
const list = (name, items) => (items.length ? [section(name, el("ul", {}, ...items.map((item) => el("li", {}, inWords(item)))))] : []);

/** @param {any} evidence */
function verdictTable({ verdicts }) {
  const head = el("tr", {}, ...["verdict", "result", "detail", "rests", "missing"].map((name) => el("th", { scope: "col" }, t(name))));
  const rows = verdicts.map((/** @type {any} */ one) =>
    el("tr", { "data-verdict": one.name, "data-result": one.result }, el("th", { scope: "row" }, inWords(one.name)),
      ...[one.result, one.detail, one.rests_on, one.missing].map((text) => el("td", {}, inWords(text)))));
  return el("div", { class: "scroll", tabindex: "0" }, el("table", { class: "verdicts" }, el("thead", {}, head), el("tbody", {}, ...rows)));
}

/** @param {any} record */
function fieldTable(record) {
  const rows = record.fields.map((/** @type {any} */ field) => el("tr", {}, el("th", { scope: "row" }, field.name), el("td", {}, String(field.value))));
  const caption = el("caption", {}, `${t("fields")}: ${record.schema}, ${t("epoch")} ${record.epoch}`);
  return el("section", {}, el("div", { class: "scroll", tabindex: "0" }, el("table", {}, caption, el("tbody", {}, ...rows))));
}

/** Documents of a package, the field that names each, and when the package existed. @param {import("../package/index.js").PackageEvidence} packed */
function packageTable({ documents, manifest, stamp }) {
  const row = (/** @type {string} */ name, /** @type {string} */ value) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value));
  const rows = documents.map(({ path, size, epoch, field }) => row(path, `${size} B, ${field}, ${t("epoch")} ${epoch}`));
  const time = stamp ? `${utc(stamp.time)}, ${stamp.authority}: ${stamp.basis || stamp.missing}` : t("none");
  const more = [row(t("manifest"), hex(manifest)), row(t("stamp"), time)];
  return el("section", {}, el("div", { class: "scroll", tabindex: "0" }, el("table", { id: "package" }, el("caption", {}, t("package")), el("tbody", {}, ...rows, ...more))));
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
  tellGiven();
  tellExpected(state.language, state.found);
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
  window.addEventListener("hashchange", () => tellExpected(state.language, state.found));
  byId("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    judge();
  });
  for (const language of /** @type {("en" | "zh")[]} */ (["en", "zh"])) {
    byId(language).addEventListener("click", () => {
      state.language = language;
      translate();
      answer(state.answer);
    });
  }
  state.language = navigator.language.startsWith("zh") ? "zh" : "en";
  translate();
}

if (isWorker) serve();
else begin();
