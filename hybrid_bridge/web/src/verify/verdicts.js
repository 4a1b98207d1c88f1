/** The verdicts of SPEC §12, one function each: what was found, what it rests on, what would be needed to say more. */

import { equal, hex, isZero } from "../bytes.js";
import { CLAIMED, NOT_SHOWN, PROVEN, span, UNDECIDED, utc, VERIFIED } from "../evidence.js";
import { checkpointTimestamp } from "../genesis.js";
import { labelTableHash } from "../labels.js";
import { isMet, parsePolicy, witnessesOf } from "../tlog-policy.js";
import { entriesOf } from "./decoded.js";
import { membersAmong, nameOf } from "./names.js";
import { isBroken, promiseMissing } from "./promise.js";
import { notBefore, trustedAnchors } from "./public.js";
import { isOpenFact, mayChange, NOT_REGISTERED, statementOf } from "./registry.js";

/**
 * What the checks found.
 * @typedef {{ decoded: import("./decoded.js").Decoded, trust: import("../trust.js").Trust, now: number,
 *   signed: import("./signers.js").SignedNote[], names: import("./names.js").Names, registered: import("./registry.js").Registered,
 *   standing: import("./public.js").Standing, promised: import("./promise.js").Promised | null, renewed: import("./times.js").Stamp[],
 *   rules: { warnings: string[], missing: string[] }, brakes: { facts: any[], warnings: string[] }, source: import("./source.js").Source }} Findings
 * @typedef {import("../evidence.js").Verdict} Verdict
 */

/** What to bring if the verifier has not chosen to rely on this log; "" if he has. @param {Findings} f */
function logMissing({ trust, decoded: { genesis } }) {
  const isTrusted = trust.logs.some((log) => equal(log.log_id, genesis.logId));
  return isTrusted ? "" : `trust in log ${hex(genesis.logId)} (trust file or --log)`;
}

/** Who signed the first checkpoint, on which everything else stands. @param {Findings} f */
export const signersOf = ({ signed: [first], names }) => first.signers.map((address) => nameOf(names, first.set.setId, address));

/** @param {string} name @param {string} result @param {string} detail @param {string} rests_on @param {string} missing @returns {Verdict} */
const verdict = (name, result, detail, rests_on, missing = "") => ({ name, result, detail, rests_on, missing });

/** @param {number} number @param {string} one @param {string} many */
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** All of them, in the order of SPEC §12. @param {Findings} f */
export const verdictsOf = (f) => [
  integrity(f), quorumVerdict(f), namesVerdict(f), level(f), publicAnchor(f), witnesses(f), notAfter(f), notBeforeVerdict(f), freshness(f),
  registry(f), omission(f), governance(f),
];

// ── the log and who keeps it ───────────────────────────────────────────────────────────────────────────────────────

/** @param {Findings} f */
function integrity(f) {
  const entries = entriesOf(f.decoded);
  const fields = entries.reduce((total, { entry }) => total + entry.disclosures.length, 0);
  const detail = `${count(fields, "field")} → ${count(entries.length, "entry", "entries")} → ` +
    `${count(f.decoded.epochs.length, "epoch")} → checkpoint of size ${f.decoded.notes[0].size}`;
  const missing = logMissing(f);
  return verdict("integrity", missing ? UNDECIDED : VERIFIED, detail, "SHA-256, and the log id that you chose to rely on", missing);
}

/** @param {Findings} f */
function quorumVerdict(f) {
  const [{ set, signers }] = f.signed;
  const detail = `${signers.length} of ${set.entries.length} validators of set ${set.setId} signed; ${set.quorum} are needed`;
  const hidden = trustedAnchors(f.standing).length || f.standing.byState ? "" : ", and that no later set is kept from you";
  const missing = logMissing(f);
  return verdict("quorum", missing ? UNDECIDED : VERIFIED, detail, `secp256k1 signatures of the set that the log id fixes${hidden}`, missing);
}

/** @param {Findings} f */
function namesVerdict(f) {
  const signers = signersOf(f);
  const certified = signers.filter((name) => name.isCertified);
  if (certified.length === signers.length) {
    const members = membersAmong(certified);
    const fewer = members === certified.length ? "" : `, of ${count(members, "member")}`;
    return verdict("names", VERIFIED, `all ${certified.length} signers are named by certificates${fewer}`, "certificates issued by roots you trust");
  }
  const reasons = [...new Set(signers.filter((name) => !name.isCertified).map((name) => name.basis))].join(", ");
  const detail = `${certified.length} of ${signers.length} signers are named by certificates; the others: ${reasons}`;
  const missing = "certificates in the bundle, and their issuer under member_roots in the trust file";
  return verdict("names", UNDECIDED, detail, "the validators' own word", missing);
}

/** Never rounded up: without names a quorum may be one server, and one entity with many keys is one name. @param {Findings} f */
function level(f) {
  const [members, needed] = [membersAmong(signersOf(f)), f.signed[0].set.quorum];
  const missing = logMissing(f);
  if (members >= needed && !missing && f.source.level) {
    const bound = f.source.level === "A3" ? ", with their results and the state after them" : `, ${f.source.wanting}`;
    const detail = `more than two thirds of the private chain's validators signed the blocks of all transactions${bound}`;
    return verdict("level", f.source.level, detail, "names and quorum, and signatures of the validators that the ledger id fixes");
  }
  if (members >= needed && !missing) {
    const detail = `${members} named members countersigned the same root; the private chain's consensus is not shown`;
    return verdict("level", "A1", detail, "names and quorum");
  }
  const lacks = missing || `certified names of ${needed} different members; ${members} are shown`;
  return verdict("level", "A0", "a quorum signed, but not of members whom you know by name", "quorum", lacks);
}

// ── public chains and time ─────────────────────────────────────────────────────────────────────────────────────────

/** @param {Findings} f */
function publicAnchor({ standing }) {
  const said = (/** @type {string} */ result, /** @type {string} */ detail, missing = "") =>
    verdict("public anchor", result, detail, "the public chain, its append-only contract, and your source of the block hash", missing);
  const [anchor] = trustedAnchors(standing);
  if (anchor) {
    return said(VERIFIED, `size ${anchor.tree_size} in public block ${anchor.block_number} of chain ${anchor.chain_id}, contract ` +
      `0x${hex(anchor.contract)}; its hash by ${anchor.basis}`);
  }
  if (standing.byState) return said(VERIFIED, `${standing.byState}: the same size and root`);
  const [shown] = standing.anchors;
  if (shown) {
    return said(UNDECIDED, `receipt and headers agree with size ${shown.tree_size}; whether the public block is real is unknown`, shown.missing);
  }
  return said(NOT_SHOWN, "no anchor in the bundle", "an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract");
}

/** By the verifier's own policy alone, all of it met on one checkpoint shown: later ones extend earlier ones. @param {Findings} f */
function witnesses(f) {
  const said = (/** @type {string} */ result, /** @type {string} */ detail, missing = "") =>
    verdict("witnesses", result, detail, "cosignatures of the witnesses that your tlog_policy names", missing);
  const { bundle, genesis } = f.decoded;
  if (f.trust.tlog_policy === null) {
    const kept = bundle.anchors.filter((/** @type {any} */ anchor) => anchor.type === "witness").length;
    if (kept) return said(UNDECIDED, `${count(kept, "cosignature")} kept, not judged`, "a tlog_policy in the trust file");
    return said(NOT_SHOWN, "none", "cosignatures, and a tlog_policy in the trust file");
  }
  const policy = parsePolicy(f.trust.tlog_policy);
  const { origin } = f.signed[0].note;
  const ours = [genesis.logKey, bundle.genesis.mldsa_key].filter((key) => key !== null);
  if (policy.logs.length && !policy.logs.some((log) => log.name === origin && ours.some((key) => equal(key, log.key)))) {
    return said(UNDECIDED, "policy of other logs", "a tlog_policy with this log, or with none");
  }
  for (const { note, cosigned } of f.signed) {
    if (isMet(policy, cosigned.map(([witness]) => witness))) {
      return said(VERIFIED, `policy met by size ${note.size}: ${cosigned.map(cosignedText).join(", ") || "none needed"}`);
    }
  }
  const most = Math.max(...f.signed.map(({ cosigned }) => cosigned.length));
  const detail = `policy not met: ${count(most, "cosignature")} of its ${count(witnessesOf(policy).length, "witness", "witnesses")}`;
  return said(UNDECIDED, detail, `cosignatures that meet ${policy.quorum} of the tlog_policy (hybrid-bridge witness ask)`);
}

/** Time 0 is no time: consistent with all it has seen, perhaps not the newest. @param {[string, bigint]} witnessed */
const cosignedText = ([witness, moment]) => (moment ? `${witness} at ${utc(moment)}` : `${witness}, without a time`);

/** @param {Findings} f */
function notAfter(f) {
  const tokens = [...f.standing.stamps, ...f.renewed].map((stamp) => stamp.fact);
  const times = [
    ...trustedAnchors(f.standing).map((one) => ({ time: one.block_time, what: "the time of the public block", rests: "the public chain's clock" })),
    ...tokens.filter((token) => token.basis).map((token) => ({
      time: token.time, what: `a timestamp of ${token.authority}`, rests: "that authority's clock and key; revocation is not checked",
    })),
  ];
  if (times.length === 0) {
    const missing = tokens.length ? tokens[0].missing : "a verified public anchor or timestamp in the bundle";
    return verdict("not after", tokens.length ? UNDECIDED : NOT_SHOWN, "no time", "a public chain's clock, or a timestamping authority's", missing);
  }
  const earliest = times.reduce((least, one) => (one.time < least.time ? one : least));
  const [epoch] = f.decoded.epochs;
  const since = epoch ? `, ${earliest.time - epoch.record.closedAt} s after epoch ${epoch.record.epoch} closed` : "";
  return verdict("not after", VERIFIED, `all of it existed by ${utc(earliest.time)}, ${earliest.what}${since}`, earliest.rests);
}

/** @param {Findings} f */
function notBeforeVerdict(f) {
  const times = [...notBefore(f.standing)].sort(([one], [other]) => one - other);
  const rests = "the public chain's clock";
  if (times.length) {
    const detail = times.map(([epoch, moment]) => `epoch ${epoch} was finished after ${utc(moment)}`).join("; ");
    return verdict("not before", VERIFIED, detail, rests);
  }
  const missing = "an epoch's beacon, its public block in the bundle, and that block's hash from your own source";
  return verdict("not before", NOT_SHOWN, "no time", rests, missing);
}

/** Old is not wrong: without a newer head nobody can say whether the log still lives. @param {Findings} f */
function freshness(f) {
  const { genesis, notes } = f.decoded;
  let [size, source] = [notes[notes.length - 1].size, "the newest checkpoint in the bundle"];
  const head = f.standing.newestHead;
  if (head !== null && head.treeSize > size) [size, source] = [head.treeSize, "the contract's head"];
  const age = f.now - Number(checkpointTimestamp(genesis, size));
  const overdue = age - genesis.cadence - genesis.grace;
  const late = overdue > 0 ? `; the next is overdue by ${span(overdue)}` : "";
  const detail = `${source} is of ${utc(f.now - age)}, ${span(age)} old${late}`;
  const limit = f.trust.max_age;
  let missing = "";
  if (age < 0) missing = "a clock that has reached the checkpoint's time";
  else if (limit !== null && age > limit) missing = `a head not older than ${span(limit)}`;
  else if (limit === null && overdue > 0) missing = "a newer head (--rpc), or a max_age in the trust file";
  return verdict("freshness", missing ? UNDECIDED : `${age} s`, detail, "your clock", missing);
}

// ── the registry, and what happened since ──────────────────────────────────────────────────────────────────────────

/** @param {Findings} f */
function registry(f) {
  const rests = "the quorum's registry root and the log's VRF key";
  const facts = f.registered.labels.length;
  if (facts === 0) return verdict("registry", NOT_SHOWN, "no label", rests, "labels in the bundle");
  const missing = registryMissing(f);
  return verdict("registry", missing ? UNDECIDED : VERIFIED, `${count(facts, "statement")} about labels, listed apart`, rests, missing);
}

/** @param {Findings} f */
function registryMissing(f) {
  const { genesis } = f.decoded;
  const limit = f.trust.max_age;
  const { labels } = f.registered;
  if (logMissing(f)) return logMissing(f);
  if (limit !== null && labels.some((fact) => mayChange(fact) && f.now - fact.at > limit)) {
    return `the labels at an epoch not older than ${limit} s: what is shown may have changed since`;
  }
  if (labels.some(isOpenFact)) return "every version of the label, the one after the last, and the opening of the last";
  if (!equal(genesis.labelTableHash, labelTableHash())) {
    return "a verifier with this log's own table of labels: it spells them otherwise";
  }
  if (!isZero(genesis.predecessor) && labels.some((fact) => statementOf(fact) === NOT_REGISTERED)) {
    return `the label at the end of the log before, ${hex(genesis.predecessor)}`;
  }
  return "";
}

/** A claim that was refuted never comes here: the check has thrown (SPEC §12). @param {Findings} f */
function omission(f) {
  const rests = "the node's identity key, and a quorum that sorted each batch";
  const owed = f.promised;
  if (owed === null) return verdict("omission", NOT_SHOWN, "no promise", rests, "a promise, and every epoch of its window");
  const { promise, signer } = owed;
  const window = `epochs ${promise.acceptedEpoch} to ${promise.byEpoch}`;
  const who = signer === null ? "somebody whose certificate is not shown" : signer.text;
  const late = owed.late.length ? `; it came late, in epoch ${owed.late[0]}` : "";
  const entry = hex(promise.entryLeaf);
  if (isBroken(owed) && !logMissing(f)) {
    return verdict("omission", PROVEN, `${who} promised entry ${entry} and left it and its refusal out of ${window}${late}`, rests);
  }
  return verdict("omission", CLAIMED, `${who} promised entry ${entry} in ${window}${late}`, rests, promiseMissing(owed) || logMissing(f));
}

/** What the validators changed after everything shown here was recorded, up to the newest checkpoint (SPEC §7.3). @param {Findings} f */
function governance(f) {
  const { detail, missing } = since(f.decoded);
  const rests = "the governance tree in the epoch records";
  if (!missing && !logMissing(f)) return verdict("governance since", VERIFIED, detail, rests);
  const result = missing && f.decoded.governance === null ? NOT_SHOWN : UNDECIDED;
  return verdict("governance since", result, detail, rests, missing || logMissing(f));
}

/** What is shown of governance, and what would be needed to say that it is all of it. @param {import("./decoded.js").Decoded} d */
function since(d) {
  const byEpoch = new Map(d.epochs.map(({ record }) => [record.epoch, record]));
  const stated = d.epochs.filter((epoch) => epoch.entries.length || epoch.labels.length || epoch.part.absences.length);
  const shown = d.governance;
  const newer = d.notes[d.notes.length - 1].size - 1;
  const fallback = shown === null ? d.epochs[0]?.record.epoch ?? newer : shown.older.epoch;
  const older = stated.length ? stated[0].record.epoch : fallback; // epochs ascend
  const detail = shown === null ? "no statement" : `${count(shown.records.length, "record")} from epoch ${shown.older.epoch} to ${shown.newer.epoch}`;
  if (!byEpoch.has(newer)) return { detail, missing: `the record of epoch ${newer}, the newest of the checkpoints shown` };
  const [least, most] = [byEpoch.get(older).governanceSize, byEpoch.get(newer).governanceSize];
  if (least === most) return { detail: `none from epoch ${older} to ${newer}, shown by equal sizes`, missing: "" };
  if (shown !== null && shown.older.governanceSize <= least && most <= shown.newer.governanceSize) return { detail, missing: "" };
  return { detail, missing: `the governance records from epoch ${older} to ${newer}` };
}
