/** Check 13 of `verify`: the private chain's own consensus, where the bundle shows it. It raises A1 to A2 or A3. */

import { hex } from "../bytes.js";
import { isOwn, isTied, verifyEvidence } from "../cometbft/evidence.js";
import { epochOf } from "../epoch.js";
import { nameOf } from "./names.js";
import { responsible } from "./signers.js";

const [A2, A3] = ["A2", "A3"];
const RESULTS = "their results are not shown";
const TIES = "it is not shown whose the keys of each later set are";
const RETIRED = "older keys signed a first block of an epoch, and it is not shown that they still could";
const FIRST_SET = 1;

/**
 * How far consensus is shown for every record of the bundle: A3, A2, or "" for one that lacks it.
 * @typedef {{ level: string, wanting: string, blocks: { epoch: number, height: number, signers: string[] }[] }} Source
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {import("./signers.js").KnownSet[]} KnownSets
 * @typedef {import("./names.js").Names} Names
 */

/** @param {Decoded} d @param {KnownSets} sets @param {Names} names @returns {Source} */
export function verifySource(d, sets, names) {
  /** @type {Map<number, string>} */ const wanting = new Map();
  const blocks = [];
  const known = namesByKey(sets, names);
  for (const epoch of d.epochs) {
    const number = epoch.record.epoch;
    const evidence = d.sources.get(number);
    if (evidence === undefined) continue;
    const transactions = epoch.entries.flatMap((entry) => entry.part.transaction ?? []);
    const consensus = verifyEvidence(evidence, d.genesis, epoch.record, transactions);
    const ties = tiesWanting(d, epoch.record, evidence, consensus, sets, names);
    wanting.set(number, consensus.hasOutcomes ? ties : RESULTS);
    if (consensus.signers.length) {
      const signers = consensus.signers.map((key) => known.get(hex(key)) ?? `key ${hex(key)}`);
      blocks.push({ epoch: number, height: evidence.last.header.height, signers });
    }
  }
  const needed = d.epochs.filter((epoch) => epoch.entries.length);
  const bare = needed.some((epoch) => epoch.entries.some((entry) => entry.transaction === null));
  if (bare || needed.length === 0 || needed.some((epoch) => !wanting.has(epoch.record.epoch))) return { level: "", wanting: "", blocks };
  const found = needed.map((epoch) => wanting.get(epoch.record.epoch) ?? "").filter((text) => text);
  return { level: found.length ? A2 : A3, wanting: found[0] ?? "", blocks };
}

/** What is wanting to see that every set of the engine is one of the log, and each height's the one then. @param {Decoded} d @param {any} record @param {any} evidence @param {import("../cometbft/evidence.js").Consensus} consensus @param {KnownSets} sets @param {Names} names */
function tiesWanting(d, record, evidence, consensus, sets, names) {
  const terms = sets.map((known) => ({ firstSize: known.firstSize, seats: seatsOf(known, names) }));
  const sizes = evidence.handovers.map((/** @type {any} */ handover) => epochOf(d.genesis, handover.signed.header.time.seconds) + 1);
  const tied = isTied(consensus, sizes, terms);
  const own = terms[record.setId - FIRST_SET].seats;
  const exact = own === null || isOwn(consensus, evidence, record, own, epochBefore(d, record.epoch, sets, terms));
  // The ledger id names the first set's keys; here the log has no other set yet.
  if (evidence.handovers.length === 0 && record.setId === FIRST_SET) return "";
  if (!tied || own === null) return TIES;
  return exact ? "" : RETIRED;
}

/** Its set is responsible for the checkpoint of as many leaves as this epoch's number. @param {Decoded} d @param {number} number @param {KnownSets} sets @param {{ firstSize: number, seats: Set<string> | null }[]} terms */
function epochBefore(d, number, sets, terms) {
  const shown = d.epochs.find((epoch) => epoch.record.epoch === number - 1)?.record;
  return { seats: terms[responsible(sets, number).setId - FIRST_SET].seats, blocks: shown ? shown.endBlock - shown.firstBlock : null };
}

/** The identity keys of a set; null if a certificate is not shown. @param {import("./signers.js").KnownSet} known @param {Names} names */
function seatsOf({ set }, names) {
  const keys = set.entries.map(({ address }) => nameOf(names, set.setId, address).key);
  return keys.includes(null) ? null : new Set(keys.map((key) => hex(/** @type {Uint8Array} */ (key))));
}

/** By identity key, as the newest set that is shown has them. @param {KnownSets} sets @param {Names} names */
const namesByKey = (sets, names) =>
  new Map(sets.flatMap(({ set }) => set.entries.map(({ address }) => nameOf(names, set.setId, address)))
    .filter((name) => name.key !== null).map((name) => [hex(/** @type {Uint8Array} */ (name.key)), name.text]));
