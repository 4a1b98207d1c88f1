// Answers every case of the given files of vectors; prints what was wrong, as JSON.
// run:  node tests/web/run_vectors.mjs tests/vectors/tree/inclusion.json …

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { hex, unhex } from "../../hybrid_bridge/web/src/bytes.js";
import { BridgeError } from "../../hybrid_bridge/web/src/errors.js";
import { labelsOf, OPERATIONS } from "./operations.mjs";

function bytesIn(value) {
  if (typeof value === "string" && value.startsWith("0x")) return unhex(value.slice(2));
  if (Array.isArray(value)) return value.map(bytesIn);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, bytesIn(held)])) : value;
}

function plain(value) {
  if (value instanceof Uint8Array) return `0x${hex(value)}`;
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)])) : value;
}

function answer(run, given) {
  try {
    return { got: plain(run(given)), kind: "ok" };
  } catch (error) {
    if (error instanceof BridgeError) return { got: error.name, kind: error.branch };
    return { got: `${error.stack}`, kind: "fault" };
  }
}

function judge(path) {
  const { operation, count, cases, ...rest } = JSON.parse(readFileSync(path, "utf8"));
  const run = OPERATIONS[operation];
  if (run === undefined) return { operation, asked: 0, wrong: [["no such operation", operation]] };
  const shared = bytesIn(rest);
  const wrong = [];
  for (const { name, input, expected, class: kind } of cases) {
    const said = answer(run, { ...shared, ...bytesIn(input) });
    if (said.kind !== kind || !isDeepStrictEqual(said.got, expected)) wrong.push([name, kind, expected, said.kind, said.got]);
  }
  return { operation, asked: cases.length, wrong };
}

/** labels/variants.json: a table and not cases. */
function judgeLabels(path) {
  const { paper, labels, same, refused, other, ...collisions } = JSON.parse(readFileSync(path, "utf8"));
  const said = (fields) => answer(() => labelsOf({ ...paper, ...fields }), {});
  const wrong = [];
  let asked = 0;
  const check = (name, fields, holds) => {
    asked++;
    if (!holds(said(fields))) wrong.push([name, said(fields)]);
  };
  const meets = (answered) => answered.kind === "ok" && answered.got.some((label) => labels.some((known) => isDeepStrictEqual(label, known)));
  for (const [name, fields] of Object.entries(same)) check(name, fields, (answered) => isDeepStrictEqual(answered.got, labels));
  for (const [name, fields] of Object.entries(other)) check(name, fields, (answered) => answered.kind === "ok" && !meets(answered));
  for (const [name, fields] of Object.entries(refused)) check(name, fields, (answered) => answered.kind === "Malformed");
  for (const name of ["collides-loosely", "collides-by-terms"]) {
    for (const [how, fields] of Object.entries(collisions[name])) check(how, fields, meets);
  }
  return { operation: "labels", asked, wrong };
}

const told = process.argv.slice(2).map((path) => [path, path.endsWith("variants.json") ? judgeLabels(path) : judge(path)]);
process.stdout.write(JSON.stringify(Object.fromEntries(told)));
