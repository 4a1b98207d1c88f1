// What each operation of tests/vectors asks of the JavaScript verifier: a function of a few lines for each question.
// `given` is a case's input, merged with what its file says for all cases; byte strings are Uint8Array.

import { verifyEvmAnchor } from "../../hybrid_bridge/web/src/anchor.js";
import { checkpoint, quorumSigners, setUpdateDigest, verifyBoundary, verifyQuorum } from "../../hybrid_bridge/web/src/attestation.js";
import { mandatoryLabels } from "../../hybrid_bridge/web/src/business/backing.js";
import { equal, hex, utf8 } from "../../hybrid_bridge/web/src/bytes.js";
import { hasLogLine, parseNote, quorumSignatures, verifyLogLine, verifyNoteOfAny } from "../../hybrid_bridge/web/src/checkpoint.js";
import { openFields, parseDisclosure } from "../../hybrid_bridge/web/src/disclosure.js";
import { decodeRecordEntry } from "../../hybrid_bridge/web/src/entry.js";
import { decodeEpoch, verifyNext } from "../../hybrid_bridge/web/src/epoch.js";
import { BridgeError, missing } from "../../hybrid_bridge/web/src/errors.js";
import { parsePresentation, verifyPresentation } from "../../hybrid_bridge/web/src/exports/sd-jwt.js";
import { checkFullOpening } from "../../hybrid_bridge/web/src/field-tree.js";
import { decodeGenesis } from "../../hybrid_bridge/web/src/genesis.js";
import { decodeLabel } from "../../hybrid_bridge/web/src/labels.js";
import { leafHash, verifyConsistency, verifyInclusion } from "../../hybrid_bridge/web/src/proof.js";
import { verifyRegistry } from "../../hybrid_bridge/web/src/registry-proof.js";
import { decodeTransaction, verifyStateless } from "../../hybrid_bridge/web/src/transaction.js";
import { parseTrust } from "../../hybrid_bridge/web/src/trust.js";
import { decodeEntries, quorum } from "../../hybrid_bridge/web/src/validators.js";
import { verify } from "../../hybrid_bridge/web/src/verify/index.js";
import { verifyVrf } from "../../hybrid_bridge/web/src/vrf.js";

const require = (fact, what) => {
  if (!fact) throw new Error(what);
};

function sweep(given) {
  const entries = given.entries.slice(0, 128 * given.members);
  const signers = checkpointSigners({ ...given, sets: [{ from_size: 1, set_id: 1, entries }] });
  require(signers.length === quorum(given.members), "as many as are needed");
  return { needed: quorum(given.members) };
}

/** As a verifier does: the size names the set, the set and the clock are compared, then the signatures. */
function checkpointSigners(given) {
  const responsible = given.sets.filter((one) => one.from_size <= given.tree_size).at(-1);
  const members = decodeEntries(responsible.set_id, responsible.entries);
  const stated = checkpoint({
    logId: given.log_id, treeSize: given.tree_size, root: given.root, timestamp: given.timestamp, setId: given.set_id, setHash: given.set_hash,
  });
  verifyBoundary(stated, given.genesis_time, given.cadence);
  return verifyQuorum(stated, members, given.signatures);
}

function power(given) {
  const digest = setUpdateDigest({
    chainId: given.chain_id, contract: given.contract, logId: given.log_id, setId: given.set_id, newSetHash: given.new_set_hash,
    effectiveFromSize: given.effective_from_size,
  });
  return quorumSigners(digest, decodeEntries(1, given.entries), given.signatures);
}

function note(given) {
  const parsed = parseNote(given.note, given.origin);
  const members = decodeEntries(given.set_id, given.entries);
  if (hasLogLine(parsed, given.log_key)) verifyLogLine(parsed, given.log_key);
  const stated = checkpoint({
    logId: given.log_id, treeSize: parsed.size, root: parsed.root, timestamp: given.timestamp, setId: members.setId, setHash: members.digest,
  });
  return verifyQuorum(stated, members, quorumSignatures(parsed, members, stated));
}

function entry(given) {
  const { recordType, width, fieldRoot } = decodeRecordEntry(given.data);
  return { kind: 1, record_type: recordType, width, body: fieldRoot };
}

function transaction(given) {
  const signed = decodeTransaction(given.data);
  verifyStateless(signed, given.log_id);
  return signed.body.transactionId;
}

function registryProof(given) {
  const [leafTag, innerTag, empty] = given.rules;
  return verifyRegistry(given.root, given.key, given.terminal, given.path, { leafTag, innerTag, empty });
}

function label(given) {
  const read = decodeLabel(given.data);
  require(equal(read.encoded, given.data), "one encoding");
  return { type: read.type, parts: read.parts };
}

function evm(given) {
  const c = given.checkpoint;
  const stated = checkpoint({ logId: c.log_id, treeSize: c.tree_size, root: c.root, timestamp: c.timestamp, setId: c.set_id, setHash: c.set_hash });
  const facts = verifyEvmAnchor(given, stated);
  return {
    block_number: facts.blockNumber, block_hash: facts.blockHash, block_time: facts.blockTime, signers: Number(facts.signers),
    last_number: facts.lastNumber, last_hash: facts.lastHash,
  };
}

// ── whole bundles ──────────────────────────────────────────────────────────────────────────────────────────────────

/** RFC 6902, of which the vectors use add, remove and replace. */
function patched(document, patch) {
  const copy = structuredClone(document);
  for (const { op, path, value } of patch) {
    const steps = path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop();
    const inside = steps.reduce((held, step) => held[step], copy);
    if (op === "remove") Array.isArray(inside) ? inside.splice(Number(last), 1) : delete inside[last];
    else if (op === "add" && Array.isArray(inside)) inside.splice(Number(last), 0, value);
    else inside[last] = value;
  }
  return copy;
}

/** As the file says it, in the order of code points, whatever it is. */
function written(value) {
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${written(value[key])}`).join(",")}}`;
}

function bundleBytes(given) {
  if ("text" in given) return utf8(given.text.repeat(given.times));
  let text = written(patched(given.bundles[given.bundle].document, given.patch ?? []));
  if (given.replace) text = text.replace(given.replace[0], () => given.replace[1]);
  return utf8(text);
}

function bundleTrust(given) {
  const base = given.bundles[given.bundle ?? Object.keys(given.bundles)[0]].trust;
  return parseTrust(utf8(JSON.stringify({ ...base, ...given.trust })));
}

const shown = (evidence) => JSON.stringify(evidence, (_, value) => (value instanceof Uint8Array ? hex(value) : typeof value === "bigint" ? `${value}` : value));

function bundle(given) {
  const [data, trust] = [bundleBytes(given), bundleTrust(given)];
  const evidence = verify(data, trust, given.now);
  if (evidence.missing.length) throw missing(evidence.missing[0]);
  for (let at = 0; given.every && at < data.length; at += given.every) {
    const broken = data.slice();
    broken[at] ^= 1 << (at % 8);
    try {
      const other = verify(broken, trust, given.now);
      require(other.missing.length || shown(other) !== shown(evidence), `byte ${at} counts`);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
    }
  }
  return {
    registry: evidence.registry.map((fact) => fact.statement),
    omission: evidence.verdicts.find((verdict) => verdict.name === "omission").result,
  };
}

/** Of each record type that is wanted one record is shown with these claims; Missing, when none is. */
function facts(given) {
  const evidence = verify(bundleBytes(given), bundleTrust(given), given.now);
  for (const [recordType, claims] of Object.entries(given.wants)) {
    const holds = (record) => Object.entries(claims).every(([name, value]) => record.fields.some((field) => field.is_claim && field.name === name && field.value === value));
    if (!evidence.records.some((record) => record.record_type === recordType && holds(record))) throw missing(`a record ${recordType} with the claims that are wanted`);
  }
  return null;
}

/** The labels of one spelling of the paper of labels/variants.json; an error where there are none. */
export const labelsOf = (fields) => mandatoryLabels(new Map(Object.entries(fields)), 1).map(({ type, parts }) => ({ type, parts }));

const bundles = ["bundle/verify", "rotation/verify", "replay/verify", "promise/verify", "anchor/stamps", "registry/shown"];

export const OPERATIONS = {
  "tree/inclusion": (given) => (verifyInclusion(given.leaf, given.index, given.size, given.path, given.root), null),
  "tree/consistency": (given) => (verifyConsistency(given.old_size, given.new_size, given.path, given.old_root, given.new_root), null),
  "cross/inclusion": (given) => (verifyInclusion(leafHash(given.data), given.index, given.size, given.path, given.root), null),
  "quorum/sweep": sweep,
  "quorum/checkpoint": checkpointSigners,
  "quorum/power": power,
  "note/quorum": note,
  "note/witness": (given) => (verifyNoteOfAny(given.note, given.vkeys), null),
  "entry/decode": entry,
  "disclosure/shown": (given) =>
    openFields(decodeRecordEntry(given.entry), given.shown, (_, name) => given.halves[name]).map((field) => field.isClaim),
  "disclosure/full": (given) =>
    (checkFullOpening(decodeRecordEntry(given.entry), given.claims.map(parseDisclosure), given.private.map(parseDisclosure), given.decoys), null),
  "tx/stateless": transaction,
  "epoch/next": (given) => (verifyNext(decodeGenesis(given.genesis), decodeEpoch(given.older), decodeEpoch(given.newer)), null),
  "bundle/facts": facts,
  "registry/proof": registryProof,
  "registry/vrf": (given) => verifyVrf(given.key, given.alpha, given.proof),
  "registry/label": label,
  "export/sd-jwt": (given) => verifyPresentation(parsePresentation(utf8(given.data))).map((field) => field.isClaim),
  "anchor/evm": evm,
  ...Object.fromEntries(bundles.map((operation) => [operation, bundle])),
};
