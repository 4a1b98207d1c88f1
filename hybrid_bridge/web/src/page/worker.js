/**
 * One worker for each judgement, made of the page's own script: a slow bundle never holds the page up, and is ended by ending it.
 *
 * A page on disk may load no second file, so the script starts again from a `blob:` of its own text (ADR 52).
 */

import { judge } from "./judge.js";

/** Whether this is the worker. */
export const isWorker = typeof document === "undefined";
const script = isWorker ? "" : (document.currentScript?.textContent ?? "");
/** @type {() => void} */ let end = () => {};

/** In the worker: one job, then its outcome. */
export function serve() {
  const scope = /** @type {any} */ (self);
  scope.onmessage = async (/** @type {MessageEvent} */ { data }) =>
    scope.postMessage({ outcome: await judge(data, (step) => scope.postMessage({ step })) });
}

/**
 * What the worker says of a job; null if another one began, or it was cancelled, before it was done.
 * @param {import("./judge.js").Job} job @param {(step: string) => void} tell @returns {Promise<import("./judge.js").Outcome | null>}
 */
export function run(job, tell) {
  cancel();
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(url);
  return new Promise((resolve) => {
    const ended = (/** @type {import("./judge.js").Outcome | null} */ outcome) => {
      worker.terminate();
      URL.revokeObjectURL(url);
      end = () => {};
      resolve(outcome);
    };
    end = () => ended(null);
    worker.onmessage = ({ data }) => ("outcome" in data ? ended(data.outcome) : tell(data.step));
    worker.onerror = (event) => ended({ fault: event.message || "the worker did not start", sha256: "" });
    worker.postMessage(job);
  });
}

/** End what is being judged, if anything is. */
export const cancel = () => end();
