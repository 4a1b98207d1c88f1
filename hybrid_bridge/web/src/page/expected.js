/**
 * The bundle that the page's address names: a report's code leads here with `#sha256=` and 64 hex digits behind it (ADR 50).
 *
 * It decides nothing. Whoever wrote the address may name any bundle; a reader learns whether the file that he dropped is the
 * one he was sent to, and the verdict stays what the file's own bytes and the reader's trust make it.
 */

import { byId, el } from "./dom.js";
import { say } from "./words.js";

const NAMED = /^#sha256=([0-9a-f]{64})$/i;

/** The digest in lower case, "" where the address has no fragment, null where it has one that names no bundle. @param {string} fragment */
export function namedBy(fragment) {
  if (fragment === "" || fragment === "#") return "";
  return NAMED.exec(fragment)?.[1].toLowerCase() ?? null;
}

/**
 * What is said of the address: which bundle is expected, and what the one that was judged is to it.
 * @param {"en" | "zh"} language @param {string | null} found digest of the judged bundle; "" if none could be read; null: not judged yet
 */
export function tellExpected(language, found) {
  const wanted = namedBy(location.hash);
  const [name, colour] = standing(wanted, found);
  byId("expected").className = colour;
  byId("expected").setAttribute("data-expected", name);
  const lines = name === "" ? [] : [[name, ""], ...(wanted ? [["expectedWanted", wanted]] : []), ...(name === "expectedOther" ? [["expectedFound", found ?? ""]] : [])];
  const told = lines.map(([key, digest]) => el("span", {}, say(language, key), ...(digest ? [" ", el("code", {}, digest)] : [])));
  byId("expected").replaceChildren(...told);
}

/** A word of words.js and a colour. @param {string | null} wanted @param {string | null} found @returns {[string, string]} */
function standing(wanted, found) {
  if (wanted === "") return ["", ""];
  if (wanted === null) return ["expectedUnreadable", "amber"];
  if (found === null) return ["expectedNow", ""];
  if (found === "") return ["expectedUncompared", "amber"];
  return found === wanted ? ["expectedEqual", ""] : ["expectedOther", "red"];
}
