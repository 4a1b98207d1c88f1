/** The chain of evidence as a picture: each link green, amber or red, with the reason in words. */

import { hex } from "../bytes.js";
import { isOpen } from "../evidence.js";
import { el } from "./dom.js";
import { told } from "./phrases.js";
import { say } from "./words.js";

/**
 * @typedef {"green" | "amber" | "red"} Colour
 * @typedef {{ name: string, colour: Colour, detail: string }} Link
 * @typedef {{ name: string, sha256: Uint8Array, size: number }} Document
 */

/** Which link a numbered check belongs to, for bundles that are refused. @type {[RegExp, string][]} */
const LINK_OF = [
  [/^(1|2|3|4|5) /, "checkpoint"], [/^6 /, "record"], [/^(7|8) /, "checkpoint"], [/^9 /, "signers"], [/^10 /, "registry"], [/^11 /, "public"],
  [/^13 rules/, "document"], [/^1[234] /, "epoch"],
];
export const LINKS = ["document", "record", "epoch", "checkpoint", "signers", "registry", "public"];

/**
 * Of a bundle that holds. `packed`: documents of the package that it came in, each of which a disclosed field names.
 * @param {any} evidence @param {Document[]} documents @param {Document[]} packed @param {"en" | "zh"} language @returns {Link[]}
 */
export function linksOf(evidence, documents, packed, language) {
  const of = (/** @type {string} */ name) => evidence.verdicts.find((/** @type {any} */ verdict) => verdict.name === name);
  const inWords = (/** @type {string} */ text) => told(language, text);
  const link = (/** @type {string} */ name, /** @type {any} */ verdict) => ({
    name, colour: /** @type {Colour} */ (isOpen(verdict) ? "amber" : "green"), detail: isOpen(verdict) ? `${inWords(verdict.detail)}: ${inWords(verdict.missing)}` : inWords(verdict.detail),
  });
  const records = evidence.records.map((/** @type {any} */ one) => `${one.schema} ${one.record_type}`).join(", ");
  const epochs = evidence.records.map((/** @type {any} */ one) => `${one.epoch}`).join(", ");
  const integrity = of("integrity");
  return [
    documentLink([...evidence.artefacts, ...packed], [...packed, ...documents], language),
    { ...link("record", integrity), detail: records || inWords(integrity.detail) },
    { ...link("epoch", integrity), detail: epochs || inWords(integrity.detail) },
    { ...link("checkpoint", of("quorum")) },
    link("signers", of("names")),
    link("registry", of("registry")),
    link("public", of("public anchor")),
  ];
}

/** Each document given is one whose SHA-256 a disclosed field holds. @param {{ sha256: Uint8Array }[]} named @param {Document[]} documents @param {"en" | "zh"} language @returns {Link} */
function documentLink(named, documents, language) {
  if (documents.length === 0) return { name: "document", colour: "amber", detail: say(language, "noDocument") };
  const held = new Set(named.map((one) => hex(one.sha256)));
  const stranger = documents.find((one) => !held.has(hex(one.sha256)));
  if (stranger) return { name: "document", colour: "red", detail: `${say(language, "documentStranger")} ${stranger.name}` };
  return { name: "document", colour: "green", detail: `${say(language, "documentHolds")}: ${documents.map((one) => one.name).join(", ")}` };
}

/** Of a bundle that was refused: red where the check failed, amber behind it. @param {any} error @returns {Link[]} */
export function linksOfRefusal(error) {
  const failed = error.inPackage ? "document" : LINK_OF.find(([pattern]) => pattern.test(error.stoppedAt))?.[1] ?? "checkpoint";
  return LINKS.map((name) => ({ name, colour: name === failed ? "red" : "amber", detail: name === failed ? error.message : "" }));
}

/** @param {Link[]} links @param {"en" | "zh"} language */
export const drawChain = (links, language) =>
  el("ol", { class: "chain" }, ...links.map(({ name, colour, detail }) =>
    el("li", { class: colour, "data-link": name, "data-colour": colour },
      el("strong", {}, say(language, name)),
      el("span", { class: "mark" }, say(language, colour)),
      el("span", { class: "why" }, detail))));
