// Shows the certificates on standard input, {certificates, roots} in hex, as far as the roots issued them; prints JSON.

import { readFileSync } from "node:fs";
import { hex, unhex } from "../../hybrid_bridge/web/src/bytes.js";
import { readCertificate, showCertificate } from "../../hybrid_bridge/web/src/certificate.js";
import { BridgeError } from "../../hybrid_bridge/web/src/errors.js";

const { certificates, roots } = JSON.parse(readFileSync(0, "utf8"));
const trusted = roots.map((data) => readCertificate(unhex(data)));

function shown(data) {
  try {
    const { spki, begins, ends, subject } = showCertificate(data, trusted);
    const told = subject && { names: [...subject.names].sort(), ids: [...subject.legalIds].sort(), is_identity: subject.isIdentity };
    return { spki: hex(spki), begins, ends, subject: told };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return error.name;
  }
}

process.stdout.write(JSON.stringify(certificates.map((data) => shown(unhex(data)))));
