// Judges consensus evidence beside sets of the log, given as JSON on standard input, bytes in hex; prints level or error.

import { readFileSync } from "node:fs";
import { unhex } from "../../hybrid_bridge/web/src/bytes.js";
import { decodeEvidence } from "../../hybrid_bridge/web/src/cometbft/evidence.js";
import { decodeEpoch } from "../../hybrid_bridge/web/src/epoch.js";
import { BridgeError } from "../../hybrid_bridge/web/src/errors.js";
import { decodeGenesis } from "../../hybrid_bridge/web/src/genesis.js";
import { nameKey } from "../../hybrid_bridge/web/src/verify/names.js";
import { verifySource } from "../../hybrid_bridge/web/src/verify/source.js";

function epochOf({ record, transactions }) {
  const entries = transactions.map((data) => ({ transaction: {}, part: { transaction: unhex(data) } }));
  return { record: decodeEpoch(unhex(record)), entries };
}

function judged({ genesis, epochs, sources, sets, names }) {
  const decoded = {
    genesis: decodeGenesis(unhex(genesis)),
    epochs: epochs.map(epochOf),
    sources: new Map(sources.map(([epoch, data]) => [epoch, decodeEvidence(unhex(data))])),
  };
  const known = sets.map(({ firstSize, setId, addresses }) => ({
    firstSize, set: { setId, entries: addresses.map((address) => ({ address: unhex(address) })) },
  }));
  const told = new Map(names.map(([setId, address, key, text]) => [nameKey(setId, unhex(address)), { key: key && unhex(key), text }]));
  try {
    return verifySource(decoded, known, told);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { error: error.name, ...error.fields };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(judged)));
