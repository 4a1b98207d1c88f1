// Every text of evidence that the verifier says of the bundles on standard input, JSON lines of {bundle, trust, now}, bytes in hex.

import { readFileSync } from "node:fs";
import { BridgeError } from "../../hybrid_bridge/web/src/errors.js";
import { inChinese, TABLE } from "../../hybrid_bridge/web/src/page/phrases.js";
import { parseTrust } from "../../hybrid_bridge/web/src/trust.js";
import { verify } from "../../hybrid_bridge/web/src/verify/index.js";

const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const said = new Map();
for (const line of readFileSync(0, "utf8").split("\n").filter((text) => text)) {
  const { bundle, trust, now } = JSON.parse(line);
  try {
    const { verdicts, warnings, missing, not_proven: notProven } = verify(bytes(bundle), parseTrust(bytes(trust)), now);
    const texts = verdicts.flatMap((one) => [one.name, one.result, one.detail, one.rests_on, one.missing]);
    for (const text of [...texts, ...warnings, ...missing, ...notProven]) if (text) said.set(text, inChinese(text));
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
  }
}
// Each row with its places filled: it must find itself and no row before it.
const SAMPLES = { n: "7", x: "0xabcd1234", d: "2026-01-05 08:00:00 UTC", t: "ZZ top" };
const rows = TABLE.map(([english, chinese]) => {
  const places = [...english.matchAll(/\{([nxdt])\}/g)].map(([, kind]) => SAMPLES[kind]);
  const filled = (text) => text.replace(/\{(\d)\}/g, (_, place) => places[Number(place)] ?? "no such place");
  return [english, filled(chinese), inChinese(english.replace(/\{([nxdt])\}/g, (_, kind) => SAMPLES[kind]))];
});
process.stdout.write(JSON.stringify({ said: [...said], rows }));
