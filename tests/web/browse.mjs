// Opens the page from disk in a headless Chromium, gives it files, and prints what it then shows.
// run:  node tests/web/browse.mjs CHROMIUM [AXE] < scenario.json     {page, visits: [{files, fill, click, cancel, width, scheme, page, ready, look, shot}]}
//       ready: an element that stands there once the page has begun. look: an expression; its value is `looked`. shot: a file for a picture.
//       cancel: files that are given first, and given up while they are being judged.
//       AXE: axe-core's script; then each answer has what it finds against WCAG 2.2 AA.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { page: first, visits } = JSON.parse(readFileSync(0, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "chromium-"));
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-pipe",
  "--disable-background-networking", "--lang=en", `--user-data-dir=${profile}`];
const browser = spawn(process.argv[2], flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , input, output] = browser.stdio;

// The DevTools protocol over pipes: JSON with a zero byte behind it.
const waiting = new Map();
const heard = [];
let [last, held] = [0, ""];
output.on("data", (chunk) => {
  held += chunk;
  for (let at = held.indexOf("\0"); at >= 0; at = held.indexOf("\0")) {
    const message = JSON.parse(held.slice(0, at));
    held = held.slice(at + 1);
    if (message.id) waiting.get(message.id)(message);
    else if (message.method === "Target.attachedToTarget") attached(message);
    else heard.push(message);
  }
});
function send(method, params = {}, sessionId = undefined) {
  const id = ++last;
  input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => {
    waiting.set(id, (message) => (message.error ? reject(new Error(`${method}: ${message.error.message}`)) : resolve(message.result)));
  });
}

// A page's worker is a session of its own: it is listened to before it runs, for it may ask somebody, too.
const parents = new Map();
function attached({ sessionId: parent, params: { sessionId } }) {
  if (!parent) return;
  parents.set(sessionId, parent);
  for (const method of ["Network.enable", "Runtime.enable", "Log.enable", "Runtime.runIfWaitingForDebugger"]) send(method, {}, sessionId).catch(() => {}); // it may have ended
}

async function visit({ files = [], fill = {}, click = [], cancel = null, width = 1200, scheme = "light", page = first, ready = "#files", look = "null", shot = "" }) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const ask = (method, params) => send(method, params, sessionId);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const until = async (condition) => {
    for (const end = Date.now() + 120_000; Date.now() < end; ) {
      if (await evaluate(condition)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`never: ${condition}`);
  };
  await ask("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
  for (const domain of ["Page", "Runtime", "DOM", "Log", "Network"]) await ask(`${domain}.enable`);
  await ask("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
  await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  await ask("Page.navigate", { url: page });
  await until(`document.readyState === 'complete' && document.documentElement.lang !== '' && !!document.querySelector(${JSON.stringify(ready)})`);
  for (const [id, value] of Object.entries(fill)) await evaluate(`document.getElementById(${JSON.stringify(id)}).value = ${JSON.stringify(value)}`);
  const give = async (chosen) => {
    const { root } = await ask("DOM.getDocument");
    const { nodeId } = await ask("DOM.querySelector", { nodeId: root.nodeId, selector: "#files" });
    await ask("DOM.setFileInputFiles", { files: chosen, nodeId });
  };
  const start = Date.now();
  let held = null;
  if (cancel) {
    await give(cancel);
    await until("(document.querySelector('#step')?.textContent ?? '').startsWith('10 ')");
    // Long after the check has begun the page still draws, and what it says has not changed.
    held = await evaluate(`(async () => {
      let frames = 0;
      for (const end = performance.now() + 300; performance.now() < end; frames++) await new Promise((drawn) => setTimeout(drawn, 0));
      const step = document.querySelector("#step")?.textContent ?? "";
      document.querySelector("#cancel")?.click();
      const head = document.querySelector("#head")?.textContent ?? "";
      const left = document.querySelectorAll(".asking").length;
      document.getElementById("answer").replaceChildren(); // what comes next is the answer to what is given next
      return { frames, step, head, left };
    })()`);
  }
  if (files.length) {
    await give(files);
    await until("document.getElementById('answer').childElementCount > 0 && !document.querySelector('.asking')");
  }
  const ms = Date.now() - start;
  for (const selector of click) await evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  if (click.length) await until("document.getElementById('answer').childElementCount > 0");
  const seen = await evaluate(`({
    title: document.title, lang: document.documentElement.lang,
    head: document.querySelector("#head")?.textContent ?? "", headClass: document.querySelector("#head")?.className ?? "",
    error: document.querySelector("#head")?.dataset.error ?? "",
    links: [...document.querySelectorAll(".chain li")].map((li) => [li.dataset.link, li.dataset.colour]),
    verdicts: [...document.querySelectorAll("main table thead ~ tbody tr")].map((tr) => [tr.dataset.verdict ?? tr.cells[0].textContent, tr.dataset.result ?? tr.cells[1].textContent]),
    raw: document.querySelector("#raw")?.textContent ?? "", text: (document.getElementById("answer") ?? document.body).textContent,
    scripts: document.scripts.length, images: document.images.length, pwned: window.pwned ?? null,
    unlabelled: [...document.querySelectorAll("input, textarea, button")].filter((one) => !(one.labels?.length || one.textContent)).length,
    tooWide: [...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll, pre") &&
      one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((one) => one.tagName + "#" + one.id + "." + one.className),
    widths: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
    back: getComputedStyle(document.body).backgroundColor,
  })`);
  const looked = await evaluate(look);
  if (shot) {
    const { data } = await ask("Page.captureScreenshot", { captureBeyondViewport: true });
    writeFileSync(shot, Buffer.from(data, "base64"));
  }
  const violations = process.argv[3] ? await evaluate(`${readFileSync(process.argv[3], "utf8")}
    ;axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
      .then((found) => found.violations.map((one) => [one.id, one.nodes.map((node) => node.target.join(" "))]))`) : [];
  const mine = heard.filter((message) => (parents.get(message.sessionId) ?? message.sessionId) === sessionId);
  const told = mine.filter((message) => message.method === "Log.entryAdded" || message.method === "Runtime.exceptionThrown");
  const asked = mine.filter((message) => message.method === "Network.requestWillBeSent").map((message) => message.params.request.url.split("?")[0]);
  await send("Target.closeTarget", { targetId });
  return { ...seen, looked, ms, cancelled: held, violations, asked: [...new Set(asked)], complaints: told.map((message) => JSON.stringify(message.params).slice(0, 400)) };
}

try {
  const answers = [];
  for (const one of visits) answers.push(await visit(one));
  process.stdout.write(JSON.stringify(answers));
} finally {
  const gone = new Promise((resolve) => browser.once("exit", resolve));
  send("Browser.close").catch(() => browser.kill());
  await gone;
  // Its children may outlive it for a moment, and write.
  rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
}
