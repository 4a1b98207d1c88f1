/** Checks 7 and 8 of `verify`: which validators are responsible, and whether a quorum of them signed. */

import { equal, hex, utf8 } from "../bytes.js";
import { logKeyOf, quorumKey, quorumName, quorumSignatures, verifyLogLine } from "../checkpoint.js";
import { sha256 } from "../encoding.js";
import { fieldMalformed, fieldMismatch, refusal, requireSame } from "../errors.js";
import { verifyRoot } from "../exports/cose-receipt.js";
import { verifySuccession } from "../governance.js";
import { cosignedAt, placeOf, TYPE_MLDSA, verifierKey, verifyLine } from "../note.js";
import { leafHash } from "../proof.js";
import { parsePolicy, witnessesOf } from "../tlog-policy.js";
import { validatorSet } from "../validators.js";
import { allValidators, checkpointOf } from "./decoded.js";

const FIRST_SET = 1;

/**
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {import("../validators.js").ValidatorSet} ValidatorSet
 * @typedef {import("../checkpoint.js").Note} Note
 * @typedef {{ firstSize: number, set: ValidatorSet, shown: import("./decoded.js").DecodedValidator[] }} KnownSet and the first size it is responsible for
 * @typedef {{ note: Note, set: ValidatorSet, signers: Uint8Array[], witnessing: import("../note.js").NoteLine[],
 *   cosigned: [string, bigint][] }} SignedNote lines of witnesses that no policy knows are unchecked
 */

/** The set for a checkpoint of this size: size decides, never a clock (SPEC §8.1). @param {KnownSet[]} sets @param {number} size */
export const responsible = (sets, size) => {
  const found = sets.filter((known) => known.firstSize <= size);
  return found[found.length - 1].set;
};

// ── 7 validator sets ───────────────────────────────────────────────────────────────────────────────────────────────

/** Set 1 against the genesis record; each later one appointed under the one before (SPEC §12 step 7). @param {Decoded} d @returns {KnownSet[]} */
export function verifySets(d) {
  const sets = [{ firstSize: 1, set: openedSet(FIRST_SET, d.validators, d.genesis.setHash), shown: d.validators }];
  const replaced = new Set((d.governance?.records ?? []).filter((one) => one.type === "SetUpdate").map((one) => hex(one.replaces)));
  for (const { update, epoch, note, validators, part } of d.rotations) {
    const old = sets[sets.length - 1];
    verifySuccession(update, old.set, epoch.epoch);
    if (replaced.has(hex(leafHash(part.update)))) throw fieldMismatch("rotations.update", "of a set that took charge", "of one replaced");
    // The note that covers an update is of a size the old set was responsible for, or a deposed set could go on.
    if (note.size < old.firstSize || note.size >= update.effectiveFromSize) {
      throw fieldMismatch("rotations.note.size", `${old.firstSize} to ${update.effectiveFromSize - 1}`, note.size);
    }
    requireEpochSet(epoch, sets);
    verifyNote(d, note, old.set, new Set());
    const set = openedSet(update.setId, validators, update.setHash);
    sets.push({ firstSize: update.effectiveFromSize, set, shown: validators });
  }
  for (const { record } of d.epochs) requireEpochSet(record, sets);
  return sets;
}

/** The set whose entries these parts open, if it is the one that a record commits to. @param {number} setId @param {import("./decoded.js").DecodedValidator[]} shown @param {Uint8Array} expected */
function openedSet(setId, shown, expected) {
  const entries = shown.map(({ part, binding }) => ({
    address: part.address, nameHash: sha256(utf8(part.name)), certificateHash: part.certificate_hash, keyBindingHash: binding.digest,
  }));
  const set = validatorSet(setId, entries);
  if (!equal(set.digest, expected)) throw refusal("SetMismatch", { expected, calculated: set.digest });
  return set;
}

/** @param {any} record @param {KnownSet[]} sets */
function requireEpochSet(record, sets) {
  const set = responsible(sets, record.epoch + 1);
  requireSame("epoch.set_id", set.setId, record.setId);
  if (!equal(record.setHash, set.digest)) throw refusal("SetMismatch", { expected: record.setHash, calculated: set.digest });
}

// ── 8 quorums ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each checkpoint's quorum and log line, and the policy's witnesses; ascending by size. @param {Decoded} d @param {KnownSet[]} sets @param {import("../trust.js").Trust} trust @returns {SignedNote[]} */
export function verifyNotes(d, sets, trust) {
  const policy = trust.tlog_policy === null ? null : parsePolicy(trust.tlog_policy);
  const signed = d.notes.map((note) => {
    const named = d.bundle.anchors.filter((/** @type {any} */ one) => one.type === "witness" && one.tree_size === note.size);
    return verifyNote(d, note, responsible(sets, note.size), new Set(named.map((/** @type {any} */ one) => one.name)));
  });
  d.bundle.checkpoints.forEach((/** @type {any} */ part, /** @type {number} */ i) => {
    if (part.receipt !== null) verifyRoot(d.genesis, d.notes[i].origin, d.notes[i].root, part.receipt);
  });
  return policy === null ? signed : signed.map((one) => withCosignatures(one, policy));
}

/** The witnesses of the policy among the lines: one line each, and it holds, or the note is refused. @param {SignedNote} signed @param {import("../tlog-policy.js").Policy} policy @returns {SignedNote} */
function withCosignatures(signed, policy) {
  const known = new Map(witnessesOf(policy).map(([name, key]) => [placeOf(key), { name, key }]));
  /** @type {Map<string, bigint>} */ const cosigned = new Map();
  for (const line of signed.witnessing) {
    const found = known.get(placeOf(line));
    if (found === undefined) continue;
    if (cosigned.has(found.name)) throw fieldMalformed("note.lines", "one line of each witness");
    verifyLine(found.key, line, signed.note.body);
    cosigned.set(found.name, cosignedAt(line));
  }
  const witnessing = signed.witnessing.filter((line) => !known.has(placeOf(line)));
  return { ...signed, witnessing, cosigned: [...cosigned] };
}

/** One note: its lines are known, enough of the set signed, each signature holds, and the log key's. @param {Decoded} d @param {Note} note @param {ValidatorSet} set @param {Set<string>} witnesses @returns {SignedNote} */
function verifyNote(d, note, set, witnesses) {
  const members = new Map(set.entries.map(({ address }) => [placeOf(quorumKey(note, address)), address]));
  const logPlace = placeOf(logKeyOf(note, d.genesis.logKey));
  const postQuantum = postQuantumKeys(d, note, set);
  const isOther = (/** @type {string} */ place) => !members.has(place) && !postQuantum.has(place) && place !== logPlace;
  const others = note.lines.filter((line) => isOther(placeOf(line)));
  if (others.some((line) => !witnesses.has(line.name))) {
    // In a bundle no line may stand that nobody checks, or a changed byte could pass unnoticed (ADR 8).
    throw fieldMalformed("note.lines", "lines of the log key, of responsible validators, of witnesses named in anchors");
  }
  if (note.lines.filter((line) => placeOf(line) === logPlace).length !== 1) {
    throw fieldMalformed("note.lines", "one line of the log key");
  }
  const signers = note.lines.flatMap((line) => members.get(placeOf(line)) ?? []);
  if (signers.length < set.quorum) throw refusal("BelowQuorum", { needed: set.quorum, got: signers.length });
  // Checks that lines ascend, so that nobody counts twice, and that each signature recovers to its line's address.
  quorumSignatures(note, set, checkpointOf(d, note, set));
  verifyLogLine(note, d.genesis.logKey);
  for (const line of note.lines) {
    const key = postQuantum.get(placeOf(line));
    if (key !== undefined) verifyLine(key, line, note.body);
  }
  return { note, set, signers, witnessing: others, cosigned: [] };
}

/** The ML-DSA-44 keys shown for the log and for the set, by the lines they may have, one each. @param {Decoded} d @param {Note} note @param {ValidatorSet} set */
function postQuantumKeys(d, note, set) {
  const placed = (/** @type {Uint8Array} */ address, /** @type {Uint8Array} */ digest) => `${hex(address)} ${hex(digest)}`;
  const parts = new Map(allValidators(d).map(({ part, binding }) => [placed(part.address, binding.digest), part.mldsa_key]));
  const shown = [[note.origin, d.bundle.genesis.mldsa_key], ...set.entries.map((entry) => [
    quorumName(note.origin, entry.address), parts.get(placed(entry.address, entry.keyBindingHash)) ?? null,
  ])];
  const keys = shown.filter(([, key]) => key !== null).map(([name, key]) => verifierKey(name, TYPE_MLDSA, key));
  const known = new Map(keys.map((key) => [placeOf(key), key]));
  const lines = note.lines.map(placeOf).filter((place) => known.has(place));
  if (new Set(lines).size !== lines.length) throw fieldMalformed("note.lines", "one line of each post-quantum key");
  return known;
}

