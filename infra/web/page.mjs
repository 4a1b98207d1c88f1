// Puts the page together: markup, style and the built script in one file, with the policy that lets just these two run.
// run:  node infra/web/page.mjs SOURCES SCRIPT OUT

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const [sources, scriptPath, out] = process.argv.slice(2);
const script = readFileSync(scriptPath, "utf8");
const style = readFileSync(`${sources}/page.css`, "utf8");
if (/<\/script|<!--/i.test(script)) throw new Error("the script would end its own element");
const digest = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
const parts = { STYLE_HASH: digest(style), SCRIPT_HASH: digest(script), STYLE: style, SCRIPT: script };
const page = readFileSync(`${sources}/page.html`, "utf8").replace(/@([A-Z_]+)@/g, (_, name) => parts[name]);
writeFileSync(out, page);
