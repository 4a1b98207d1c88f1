/** Anchors over time as a picture: drawn by calls, never out of text. The table beside it has the same values. */

import { el } from "../page/dom.js";
import { count, time } from "./format.js";
import { KEEP, badge } from "./marks.js";
import { say } from "./words.js";

/** @typedef {import("./words.js").Language} Language */

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 260;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 16, 24, 36];
const MAX_DOTS = 300;

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Nothing where there is nothing to draw, or numbers that no contract has. @param {any} values @param {Language} language @param {number} width */
export function chart(values, language, width) {
  const anchors = values.anchors.map((/** @type {any} */ one) => ({ at: one.anchored_at.value, size: one.size.value }));
  if (!anchors.length || !anchors.every((/** @type {any} */ one) => Number.isSafeInteger(one.at) && Number.isSafeInteger(one.size))) return el("div", {});
  const [begins, ends] = [anchors[0].at, Math.max(Number(values.as_of.time.value), anchors[0].at + 1)];
  const [least, most] = [anchors[0].size, Math.max(anchors[anchors.length - 1].size, anchors[0].size + 1)];
  const x = (/** @type {unknown} */ at) => LEFT + ((Math.min(Math.max(Number(at) || begins, begins), ends) - begins) / (ends - begins)) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ size) => HEIGHT - BOTTOM - ((size - least) / (most - least)) * (HEIGHT - TOP - BOTTOM);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-labelledby": "chart-title chart-desc" },
    svg("title", { id: "chart-title" }, say(language, "chart")),
    svg("desc", { id: "chart-desc" }, say(language, "chartSays")),
    svg("defs", {}, hatch()),
    ...values.freshness.periods.map((/** @type {any} */ one) => band("late", x(one.begins.value), x(one.ends.value ?? ends))),
    ...values.pauses.map((/** @type {any} */ one) => band("paused", x(one.begins.value), x(one.ended_at.value ?? ends))),
    ...axes(width, y, least, most),
    ...times(width, begins, ends),
    ...handovers(values, language, x),
    steps(anchors, x, y, ends),
    ...(anchors.length > MAX_DOTS ? [] : anchors.map((/** @type {any} */ one) => svg("circle", { class: "dot", cx: x(one.at), cy: y(one.size), r: 3.5 }))));
  return el("div", { class: "picture" }, picture, legend(language));
}

/** Lines across, so that a delay is not told by its colour alone. */
const hatch = () => svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
  svg("rect", { class: "late-back", width: 6, height: 6 }), svg("line", { class: "late-line", x1: 0, y1: 0, x2: 0, y2: 6 }));

/** @param {string} kind @param {number} from @param {number} to */
const band = (kind, from, to) => svg("rect", { class: `band ${kind}`, x: from, y: TOP, width: Math.max(2, to - from), height: HEIGHT - TOP - BOTTOM });

/** @param {number} width @param {(size: number) => number} y @param {number} least @param {number} most */
function axes(width, y, least, most) {
  const ticks = [...new Set([least, Math.round((least + most) / 2), most])];
  return ticks.flatMap((size) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(size), y2: y(size) }),
    svg("text", { class: "tick", x: LEFT - 8, y: y(size) + 4, "text-anchor": "end" }, count(size)),
  ]);
}

/** @param {number} width @param {number} begins @param {number} ends */
const times = (width, begins, ends) => [
  svg("text", { class: "tick", x: LEFT, y: HEIGHT - 12, "text-anchor": "start" }, time(begins)),
  ...(width > 480 ? [svg("text", { class: "tick", x: width - RIGHT, y: HEIGHT - 12, "text-anchor": "end" }, time(ends))] : []),
];

/** Where another set took over. @param {any} values @param {Language} language @param {(at: unknown) => number} x */
const handovers = (values, language, x) => values.sets.slice(1).filter((/** @type {any} */ set) => set.first_anchored_at.value !== null).flatMap((/** @type {any} */ set) => {
  const at = x(set.first_anchored_at.value);
  return [
    svg("line", { class: "handover", x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }),
    svg("text", { class: "tick", x: at, y: TOP - 8, "text-anchor": "middle" }, `${say(language, "set")} ${count(set.set_id.value)}`),
  ];
});

/** A head stands until the next one. @param {{ at: number, size: number }[]} anchors @param {(at: unknown) => number} x @param {(size: number) => number} y @param {number} ends */
function steps(anchors, x, y, ends) {
  const path = anchors.map(({ at, size }, place) => (place === 0 ? `M${x(at)} ${y(size)}` : `H${x(at)}V${y(size)}`));
  return svg("path", { class: "steps", d: `${path.join("")}H${x(ends)}` });
}

/** @param {Language} language */
function legend(language) {
  const swatch = (/** @type {string} */ kind, /** @type {Element} */ drawn, /** @type {string} */ name) =>
    el("li", { class: kind }, svg("svg", { width: 28, height: 14, "aria-hidden": "true" }, drawn), " ", say(language, name), KEEP, badge("chain", language));
  return el("ul", { class: "legend" },
    swatch("", svg("path", { class: "steps", d: "M1 12H14V3H27" }), "chartSize"),
    swatch("", svg("rect", { class: "band late", width: 28, height: 14 }), "chartLate"),
    swatch("", svg("rect", { class: "band paused", width: 28, height: 14 }), "chartPaused"),
    swatch("", svg("line", { class: "handover", x1: 14, x2: 14, y1: 0, y2: 14 }), "chartSet"));
}
