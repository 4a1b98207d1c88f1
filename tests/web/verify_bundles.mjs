// Verifies what stands on standard input as JSON lines of {bundle, trust, now}, bytes in hex; prints evidence or error.
// The built module is asked, as users get it. `flip: [[byte, bit], …]` asks for each change of one bit as well; `sights` are
// what the verifier's own sources say of public chains.

import { readFileSync } from "node:fs";
import { BridgeError, evidenceJson, parseTrust, verify } from "../../hybrid_bridge/web/verifier.js";

function judged(data, trust, now, sights) {
  try {
    return evidenceJson(verify(data, parseTrust(trust), now, sights));
  } catch (error) {
    if (!(error instanceof BridgeError)) return { error: "fault", stack: `${error?.stack}` };
    const { name, branch, stoppedAt, reached, fields } = error;
    return { error: name, branch: branch.toLowerCase(), stopped_at: stoppedAt, reached, field: fields.field ?? null };
  }
}

function flipped(data, [at, bit]) {
  const broken = Uint8Array.from(data);
  broken[at] ^= 1 << bit;
  return broken;
}

const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));

function sightOf({ chainId, contract, basis, hashes, head }) {
  const finalizedHashes = new Map(Object.entries(hashes).map(([number, hash]) => [Number(number), bytes(hash)]));
  return { chainId, contract: bytes(contract), basis, finalizedHashes, head: { ...head, root: bytes(head.root) } };
}

const answers = [];
for (const line of readFileSync(0, "utf8").split("\n").filter((text) => text)) {
  const { now, flip = [], sights: told = [], ...given } = JSON.parse(line);
  const [data, trust, sights] = [bytes(given.bundle), bytes(given.trust), told.map(sightOf)];
  const start = performance.now();
  const whole = judged(data, trust, now, sights);
  const ms = performance.now() - start;
  answers.push({ whole, ms, flipped: flip.map((change) => judged(flipped(data, change), trust, now, sights)) });
}
process.stdout.write(JSON.stringify(answers));
