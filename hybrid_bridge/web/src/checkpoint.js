/** The checkpoint as text: origin, size, root, and who signed it. Source: SPEC §8.3; C2SP tlog-checkpoint. */

import { compareText, equal, hex, pairwise, utf8 } from "./bytes.js";
import { checkpointDigest } from "./attestation.js";
import { b64, MAX_U64, parseB64, Reader } from "./encoding.js";
import { fieldMalformed, missing, refusal, requireSame } from "./errors.js";
import {
  parseSignedNote, placeOf, requirePlain, TYPE_ED25519, TYPE_QUORUM, verifierKey, verifyLine, verifySignedNote,
} from "./note.js";
import { recoverAddress, requireSignature } from "./signing.js";

const MAX_ORIGIN = 200;
const ORIGIN = /^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/;
const SIZE = /^(0|[1-9][0-9]{0,15})$/; // 2^53-1 has 16 digits

/** @typedef {{ origin: string, size: number, root: Uint8Array, lines: import("./note.js").NoteLine[], body: Uint8Array }} Note */

/** A checkpoint of ours: no extension lines, our own kind of origin. No signature is verified. @param {string | Uint8Array} text @param {string | null} origin @returns {Note} */
export function parseNote(text, origin = null) {
  const note = asCheckpoint(parseSignedNote(text));
  if (note.origin.length > MAX_ORIGIN || !ORIGIN.test(note.origin)) {
    throw fieldMalformed("origin", `${ORIGIN.source}, at most ${MAX_ORIGIN} bytes`);
  }
  if (note.size < 1) throw fieldMalformed("size", "1 to 2^53-1");
  if (note.extensions.length) throw fieldMalformed("note", "no extension lines");
  if (origin !== null) requireSame("origin", origin, note.origin);
  return note;
}

/** The checkpoint of any log, if a known key signed it. @param {string | Uint8Array} text @param {string[]} vkeys */
export const verifyNoteOfAny = (text, vkeys) => asCheckpoint(verifySignedNote(text, vkeys));

/** @param {{ message: string, lines: import("./note.js").NoteLine[] }} note */
function asCheckpoint({ message, lines }) {
  const [origin, size, root, ...extensions] = message.slice(0, -1).split("\n");
  if (root === undefined) throw fieldMalformed("note", "three lines or more, none empty");
  if (!SIZE.test(size)) throw fieldMalformed("size", "decimal, without leading zero, at most 2^53-1");
  if ([...root].length !== 44) throw fieldMalformed("root", "44 characters of base64");
  const digest = parseB64(root, "root");
  for (const line of [origin, ...extensions]) {
    if (!requirePlain(line, "note")) throw fieldMalformed("note", "three lines or more, none empty");
  }
  if (Number(size) > MAX_U64) throw fieldMalformed("size", "0 to 2^53-1");
  if (digest.length !== 32) throw refusal("DigestLength", { field: "root", got: digest.length });
  const body = utf8([origin, size, b64(digest), ...extensions].map((line) => `${line}\n`).join(""));
  return { origin, size: Number(size), root: digest, lines, extensions, body };
}

// ── the log key's line ─────────────────────────────────────────────────────────────────────────────────────────────

/** Whether a line claims to be the log key's. Says nothing about the signature. @param {Note} note @param {Uint8Array} logKey */
export const hasLogLine = (note, logKey) => linesOf(note, logKeyOf(note, logKey)).length > 0;

/** @param {Note} note @param {Uint8Array} logKey */
export const logKeyOf = (note, logKey) => verifierKey(note.origin, TYPE_ED25519, logKey);

/** The log key signed this note. @param {Note} note @param {Uint8Array} logKey */
export function verifyLogLine(note, logKey) {
  const key = logKeyOf(note, logKey);
  const lines = linesOf(note, key);
  if (lines.length === 0) throw missing("the log key's line");
  for (const line of lines) verifyLine(key, line, note.body);
}

/** @param {Note} note @param {import("./note.js").VerifierKey} key */
const linesOf = (note, key) => note.lines.filter((line) => placeOf(line) === placeOf(key));

// ── the validators' lines ──────────────────────────────────────────────────────────────────────────────────────────

/** The key name of a validator's line. @param {string} origin @param {Uint8Array} address */
export const quorumName = (origin, address) => `${origin}/v/${hex(address)}`;

/** The key under which a validator's line stands. @param {Note} note @param {Uint8Array} address */
export const quorumKey = (note, address) => verifierKey(quorumName(note.origin, address), TYPE_QUORUM, address);

/**
 * The signatures of members over this note, ascending by address. Lines of unknown keys are ignored; one bad line of a
 * member rejects the note (SPEC §8.3). @param {Note} note @param {import("./validators.js").ValidatorSet} set
 * @param {import("./attestation.js").Checkpoint} stated
 */
export function quorumSignatures(note, set, stated) {
  const members = new Map(set.entries.map(({ address }) => [placeOf(quorumKey(note, address)), address]));
  const lines = note.lines.filter((line) => members.has(placeOf(line)));
  if (pairwise(lines).some(([earlier, later]) => compareText(later.name, earlier.name) <= 0)) {
    throw fieldMalformed("note.lines", "validators strictly ascending by address");
  }
  const digest = checkpointDigest(stated);
  return lines.map((line) => quorumSignature(line, /** @type {Uint8Array} */ (members.get(placeOf(line))), stated, digest));
}

/** u64 timestamp ‖ u64 setId ‖ r ‖ s ‖ v, verified. @param {import("./note.js").NoteLine} line @param {Uint8Array} address @param {import("./attestation.js").Checkpoint} stated @param {Uint8Array} digest */
function quorumSignature(line, address, stated, digest) {
  const reader = new Reader(line.signature);
  const [timestamp, setId] = [reader.u64("note.line.timestamp"), reader.u64("note.line.set_id")];
  const signature = requireSignature(reader.fixed(65, "note.line.signature"));
  reader.end("note.line");
  requireSame("note.line.timestamp", stated.timestamp, timestamp);
  requireSame("note.line.set_id", stated.setId, setId);
  if (!equal(recoverAddress(digest, signature), address)) throw refusal("SignatureWrong", { signer: `0x${hex(address)}` });
  return signature;
}

