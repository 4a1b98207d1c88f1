/** Every Merkle path of a bundle, named: what must lead from which leaf to which root. */

import { pairwise } from "../bytes.js";
import { leafHash } from "../proof.js";
import { verifyRegistry } from "../registry-proof.js";

/**
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {{ leaf: () => Uint8Array, index: number, size: number, path: Uint8Array[], root: Uint8Array }} Inclusion the leaf is hashed only when the path is followed
 * @typedef {{ oldSize: number, newSize: number, path: Uint8Array[], oldRoot: Uint8Array, newRoot: Uint8Array }} Consistency
 */

/** @param {Uint8Array} data @param {number} index @param {number} size @param {Uint8Array[]} path @param {Uint8Array} root @returns {Inclusion} */
const inclusion = (data, index, size, path, root) => ({ leaf: () => leafHash(data), index, size, path, root });

/** Genesis, rotations, epochs, entries, disclosures, governance records: each on the tree that holds it. @param {Decoded} d @returns {Inclusion[]} */
export function inclusions(d) {
  const [first] = d.notes;
  const { genesis } = d.bundle;
  const found = [inclusion(genesis.record, 0, first.size, genesis.path, first.root)];
  for (const { part, epoch, note } of d.rotations) {
    found.push(inclusion(part.epoch.record, epoch.epoch, note.size, part.epoch.path, note.root));
    found.push(inclusion(part.update, part.index, epoch.governanceSize, part.path, epoch.governanceRoot));
  }
  for (const epoch of d.epochs) {
    found.push(inclusion(epoch.part.record, epoch.record.epoch, first.size, epoch.part.path, first.root), ...inEpoch(epoch));
  }
  if (d.governance !== null) {
    const { governanceSize, governanceRoot } = d.governance.newer;
    for (const one of d.governance.part.records) found.push(inclusion(one.record, one.index, governanceSize, one.path, governanceRoot));
  }
  return found;
}

/** @param {import("./decoded.js").DecodedEpoch} epoch */
function inEpoch({ record, refusals, entries }) {
  const inBatch = (/** @type {any} */ part) => inclusion(part.entry, part.index, record.batchSize, part.path, record.batchRoot);
  const found = refusals.map(inBatch);
  for (const { part, width, fieldRoot, disclosures } of entries) {
    found.push(inBatch(part));
    disclosures.forEach(({ digest }, i) => {
      const shown = part.disclosures[i];
      found.push(inclusion(digest, shown.index, width, shown.path, fieldRoot));
    });
  }
  return found;
}

/** Rotation notes with the first checkpoint, each checkpoint with the next, governance between two epochs. @param {Decoded} d @returns {Consistency[]} */
export function consistencies(d) {
  const [first] = d.notes;
  const found = d.rotations.map(({ note, part }) => between(note, first, part.consistency));
  pairwise(d.notes).forEach(([older, newer], i) => found.push(between(older, newer, d.bundle.checkpoints[i + 1].consistency)));
  if (d.governance !== null) {
    const { older, newer, part } = d.governance;
    found.push({
      oldSize: older.governanceSize, newSize: newer.governanceSize, path: part.consistency, oldRoot: older.governanceRoot, newRoot: newer.governanceRoot,
    });
  }
  return found;
}

/** @param {any} older @param {any} newer @param {Uint8Array[]} path */
const between = (older, newer, path) => ({ oldSize: older.size, newSize: newer.size, path, oldRoot: older.root, newRoot: newer.root });

/** Every leaf said to be absent from an epoch's batch. @param {Decoded} d */
export const absences = (d) =>
  d.epochs.flatMap((epoch) => epoch.part.absences.map((/** @type {import("../absence.js").Absence} */ absence) => ({ epoch, absence })));

/** The path of a registry index, present or absent, leads to the epoch's registry root (SPEC §9.1). @param {import("./decoded.js").DecodedEpoch} epoch @param {any} part */
export function follow(epoch, part) {
  const terminal = part.terminal === null ? null : [part.terminal.index, part.terminal.commitment];
  verifyRegistry(epoch.record.registryRoot, part.index, terminal, part.path);
}
