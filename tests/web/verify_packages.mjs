// Verifies packages that stand on standard input as JSON lines of {package, trust, now}, bytes in hex; prints evidence or error.
// The built module is asked, as users get it.

import { readFileSync } from "node:fs";
import { BridgeError, packageJson, parseTrust, verifyPackage } from "../../hybrid_bridge/web/verifier.js";

const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));

async function judged({ package: data, trust, now }) {
  try {
    return packageJson(await verifyPackage(new Blob([bytes(data)]), parseTrust(bytes(trust)), now));
  } catch (error) {
    if (!(error instanceof BridgeError)) return { error: "fault", stack: `${error?.stack}` };
    const { name, branch, stoppedAt, reached, fields } = error;
    return { error: name, branch: branch.toLowerCase(), stopped_at: stoppedAt, reached, field: fields.field ?? null };
  }
}

const answers = [];
for (const line of readFileSync(0, "utf8").split("\n").filter((text) => text)) answers.push(await judged(JSON.parse(line)));
process.stdout.write(JSON.stringify(answers));
