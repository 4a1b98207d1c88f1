/** Check 14 of `verify`: the verdicts, everything that was looked at, and what the trust file still asks for. */

import { hex, utf8 } from "../bytes.js";
import { TYPE } from "../cometbft/evidence.js";
import { canonicalJson, sha256 } from "../encoding.js";
import { isOpen, NOT_PROVEN, utc } from "../evidence.js";
import { ACTIONS, NOTICE_NAMES } from "../governance.js";
import { describeLabel, eventCode } from "../labels.js";
import { leafHash } from "../proof.js";
import { allValidators, entriesOf, sortedNames, transactionsOf } from "./decoded.js";
import { isBroken } from "./promise.js";
import { statementOf } from "./registry.js";
import { runOut } from "./times.js";
import { signersOf, verdictsOf } from "./verdicts.js";

/** @typedef {import("./verdicts.js").Findings} Findings */
/** @typedef {import("./decoded.js").Decoded} Decoded */

/** All verdicts of SPEC §12, in its order; names of members are those of `hybrid_bridge/core/evidence.py`. @param {Findings} f @param {{ number: number, name: string, count: number }[]} checks */
export function evidenceOf(f, checks) {
  const { decoded: d } = f;
  const verdicts = verdictsOf(f);
  return {
    log_id: d.genesis.logId,
    origin: d.bundle.genesis.origin,
    purpose: d.bundle.purpose,
    tree_size: d.notes[0].size,
    verdicts,
    checks,
    records: entriesOf(d).map(({ epoch, entry }) => recordFact(epoch, entry)),
    registry: registryFacts(f.registered),
    absences: d.epochs.flatMap(({ record, part }) => part.absences.map((/** @type {any} */ one) => ({ epoch: record.epoch, leaf: one.leaf }))),
    promise: f.promised === null ? null : promiseFact(f.promised),
    governance: (d.governance?.records ?? []).map((record, i) => ({ index: d.governance?.part.records[i].index, what: described(record) })),
    blocks: f.source.blocks,
    brakes: f.brakes.facts,
    anchors: f.standing.anchors,
    tokens: [...f.standing.stamps, ...f.renewed].map((stamp) => stamp.fact),
    beacons: f.standing.beacons,
    artefacts: d.bundle.artefacts.map(artefactFact),
    signers: [...new Set(signersOf(f).map((name) => name.text))],
    warnings: [
      ...broken(f), ...f.standing.warnings, ...runOut(f.standing.stamps, f.renewed, f.now), ...f.brakes.warnings, ...f.rules.warnings, ...gaps(d),
    ],
    missing: [...missingOf(f, verdicts), ...f.rules.missing],
    unjudged: unjudged(f).map(({ place, data }) => ({ place, sha256: sha256(data) })),
    not_proven: NOT_PROVEN,
  };
}

/** What is required and no verdict gives: by the trust file, or because it was given, as a policy or a promise. @param {Findings} f @param {import("../evidence.js").Verdict[]} verdicts */
function missingOf({ trust, promised }, verdicts) {
  const required = new Set([...trust.require, "integrity"]);
  if (trust.tlog_policy !== null) required.add("witnesses");
  if (trust.max_age !== null) required.add("freshness");
  if (promised !== null) required.add("omission"); // a bundle with a promise claims that it was broken
  /** @type {Map<string, string[]>} */ const wanted = new Map();
  for (const verdict of verdicts) {
    if (required.has(verdict.name) && isOpen(verdict)) wanted.set(verdict.missing, [...(wanted.get(verdict.missing) ?? []), verdict.name]);
    if (verdict.name === "level" && verdict.result < (trust.minimum_level ?? "")) {
      wanted.set(`${trust.minimum_level}; ${verdict.result} was reached`, ["level"]);
    }
  }
  return [...wanted].map(([missing, names]) => `${names.join(", ")}: ${missing}`);
}

// ── what was looked at ─────────────────────────────────────────────────────────────────────────────────────────────

/** @param {import("./decoded.js").DecodedEpoch} epoch @param {import("./decoded.js").DecodedEntry} entry */
function recordFact({ record }, { recordType, width, part, disclosures, schema, transaction }) {
  const fields = disclosures.map(({ name, value }, i) => ({ name, value, is_claim: part.disclosures[i].index < width / 2 }));
  return {
    epoch: record.epoch,
    by: record.closedAt,
    record_type: eventCode(recordType),
    schema: schema || "not shown",
    leaf: leafHash(part.entry),
    fields,
    undisclosed: width - fields.length,
    transaction: transaction === null ? null : transaction.body.transactionId,
    submitter: transaction === null ? null : transaction.body.submitter,
    sequence: transaction === null ? null : transaction.body.sequence,
  };
}

/** @param {import("./registry.js").Registered} registered */
function registryFacts({ labels, indices }) {
  const told = labels.map((fact) => ({
    epoch: fact.epoch, at: fact.at, label: describeLabel(fact.label), versions: [...fact.versions.keys()], statement: statementOf(fact),
  }));
  const bare = indices.map(({ epoch, at, index, present }) => ({
    epoch, at, label: `index ${hex(index)}`, versions: [], statement: `${present ? "present" : "absent"}, label not shown`,
  }));
  return [...told, ...bare];
}

/** @param {import("./promise.js").Promised} promised */
const promiseFact = ({ promise, signer }) => ({
  transaction: promise.transactionId,
  entry_leaf: promise.entryLeaf,
  accepted_at: promise.acceptedTime,
  accepted_epoch: promise.acceptedEpoch,
  by_epoch: promise.byEpoch,
  signer: signer === null ? "" : signer.text,
});

/** The bundle is verified; the node is not: whoever reads no further than the head must still see it. @param {Findings} f */
function broken({ promised }) {
  if (promised === null || !isBroken(promised)) return [];
  return [`broken promise: ${promised.signer?.text} accepted a transaction and left it out of the log`];
}

/** Numbers count up by one (SPEC §4): what lies between two that are shown stands in a block and is not shown. @param {Decoded} d */
function gaps(d) {
  /** @type {Map<string, Set<number>>} */ const shown = new Map();
  for (const { body } of transactionsOf(d)) {
    const submitter = hex(body.submitter);
    shown.set(submitter, (shown.get(submitter) ?? new Set()).add(body.sequence));
  }
  return [...shown].flatMap(([submitter, numbers]) => {
    const ordered = [...numbers].sort((one, other) => one - other);
    const between = ordered[ordered.length - 1] - ordered[0] + 1 - ordered.length;
    return between ? [`of submitter ${submitter} the numbers ${ordered.join(", ")} are shown; ${between} between them not`] : [];
  });
}

/** @param {any} record */
function described(record) {
  if (record.type === "SetUpdate") {
    return `validator set ${record.setId} of ${record.n}, responsible from size ${record.effectiveFromSize} on`;
  }
  if (record.type === "MemberUpdate") {
    return `${ACTIONS[record.action - 1]}, key ${hex(record.keyId)}, from epoch ${record.fromEpoch} on`;
  }
  if (record.type === "ConsensusKey") {
    return `consensus key ${hex(record.key)} for key ${hex(record.keyId)}, from the next epoch on`;
  }
  const until = record.until ? ` until ${utc(record.until)}` : "";
  return `${NOTICE_NAMES[record.noticeType - 1]} at ${utc(record.time)}${until}, entry ${hex(record.entryLeaf)}`;
}

/** @param {any} part */
const artefactFact = ({ name, media_type, size, sha256, sha512, sm3, field }) => ({ name, media_type, size, sha256, sha512, sm3, field });

/** Everything in the bundle that no check looks into. Nothing may be said because it is there. @param {Findings} f @returns {{ place: string, data: Uint8Array }[]} */
function unjudged(f) {
  const { bundle } = f.decoded;
  const found = unjudgedSignatures(f);
  if (bundle.promise !== null && f.promised?.signer === null) found.push({ place: "signature of the promise", data: bundle.promise });
  for (const anchor of bundle.anchors) {
    if (anchor.type === "ots") found.push({ place: `${anchor.type} anchor of size ${anchor.tree_size}`, data: anchor.proof });
  }
  for (const { type, epoch, data } of bundle.source_evidence) {
    if (type !== TYPE) found.push({ place: `source evidence ${type} of epoch ${epoch}`, data });
  }
  if (bundle.provenance !== null) found.push({ place: "provenance", data: utf8(bundle.provenance) });
  for (const name of sortedNames(bundle.extensions)) found.push({ place: `extension ${name}`, data: canonicalJson(bundle.extensions[name]) });
  return found;
}

/** @param {Findings} f */
function unjudgedSignatures({ decoded, signed }) {
  const certified = new Set(decoded.bundle.certificates.map((/** @type {Uint8Array} */ data) => hex(sha256(data))));
  const bindings = allValidators(decoded).filter(({ part }) => !certified.has(hex(part.certificate_hash)))
    .map(({ part }) => ({ place: `signature of the key binding of 0x${hex(part.address)}`, data: part.key_binding }));
  const lines = signed.flatMap(({ note, witnessing }) =>
    witnessing.map((line) => ({ place: `line of ${line.name} on size ${note.size}`, data: utf8(line.text) })));
  return [...bindings, ...lines];
}
