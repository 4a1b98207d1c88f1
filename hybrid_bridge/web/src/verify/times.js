/** Timestamps in `verify`: tokens over checkpoints (check 11) and over the whole bundle (check 13, renewals). */

import { coveredBy } from "../bundle.js";
import { readCertificate, subjectText } from "../certificate.js";
import { sha256 } from "../encoding.js";
import { BridgeError, fieldMismatch, requireSame } from "../errors.js";
import { utc } from "../evidence.js";
import { checkpointTimestamp } from "../genesis.js";
import { decodeToken, SECOND, trustedPath, verifyToken } from "../timestamp.js";

const UNKNOWN = "unknown";

/**
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {{ place: string, authority: string, time: number, until: number, hash: string, sha256: Uint8Array, basis: string, missing: string }} TokenFact
 * @typedef {{ token: import("../timestamp.js").Token, fact: TokenFact, treeSize: number | null }} Stamp null: it is over the whole bundle
 */

/** Each RFC 3161 token over the body of the note it names (SPEC §13). @param {Decoded} d @param {import("../trust.js").Trust} trust @returns {Stamp[]} */
export function verifyTokens(d, trust) {
  const bodies = new Map(d.notes.map((note) => [note.size, note.body]));
  return d.bundle.anchors.filter((/** @type {any} */ anchor) => anchor.type === "rfc3161").map((/** @type {any} */ anchor) => {
    const token = decodeToken(anchor.token);
    const body = /** @type {Uint8Array} */ (bodies.get(anchor.tree_size));
    const fact = judged(token, body, `size ${anchor.tree_size}`, trust);
    if (fact.time < d.genesis.genesisTime) {
      throw fieldMismatch("anchors.token.time", `>= ${d.genesis.genesisTime}, when the log began`, fact.time);
    }
    return { token, fact, treeSize: anchor.tree_size };
  });
}

/** Whoever shows a stamp older than the checkpoint's own time has a clock that is ahead, or the authority's lags. @param {Decoded} d @param {Stamp[]} stamps */
export const early = (d, stamps) =>
  stamps.flatMap(({ fact, treeSize }) => {
    const lead = treeSize === null ? 0 : Number(checkpointTimestamp(d.genesis, treeSize)) - fact.time;
    return lead > 0 ? [`the timestamp over ${fact.place} is ${lead} s older than the checkpoint's own time`] : [];
  });

/** What a token over `data` says, and which of the verifier's roots, if any, its authority leads to. @param {import("../timestamp.js").Token} token @param {Uint8Array} data @param {string} place @param {import("../trust.js").Trust} trust @returns {TokenFact} */
export function judged(token, data, place, trust) {
  const fact = { place, authority: UNKNOWN, time: token.by, until: 0, hash: token.hash, sha256: sha256(token.der), basis: "", missing: "" };
  let authority;
  try {
    authority = verifyToken(token, data);
  } catch (error) {
    // An algorithm that is not known here: nothing is said, nothing refuted.
    if (error instanceof BridgeError && error.name === "Missing") return { ...fact, missing: String(error.fields.what) };
    throw error;
  }
  const path = trustedPath(token, authority.certificate, trust.tsa_roots.map(readCertificate));
  const until = path.length ? Math.min(...path.map((certificate) => certificate.ends)) : authority.until;
  const basis = path.length ? `${subjectText(path[path.length - 1])}, one of your tsa_roots` : "";
  const missing = basis ? "" : "the root of this authority under tsa_roots in the trust file";
  return { ...fact, authority: authority.name, until, basis, missing };
}

/** Each renewal is over the bundle with the renewals before it, later than all it covers, and in time (SPEC §14). @param {Decoded} d @param {import("../trust.js").Trust} trust @param {Stamp[]} stamps @returns {Stamp[]} */
export function verifyRenewals(d, trust, stamps) {
  /** @type {Stamp[]} */ const renewed = [];
  d.bundle.renewals.forEach((/** @type {any} */ part, /** @type {number} */ number) => {
    const token = decodeToken(part.token);
    requireSame(`renewals[${number}].hash`, token.hash, part.hash);
    const fact = judged(token, coveredBy(d.bundle, number), `renewal ${number}`, trust);
    const newest = [...stamps, ...renewed].map((stamp) => stamp.token.generated).reduce((most, one) => (one > most ? one : most), -1n);
    if (token.generated <= newest) throw fieldMismatch(`renewals[${number}].time`, `> ${newest} ns, covered by it`, `${token.generated} ns`);
    const before = renewed[renewed.length - 1]?.fact;
    if (before && before.authority !== UNKNOWN && token.generated / SECOND > before.until) {
      throw fieldMismatch(`renewals[${number}].time`, `<= ${before.until}, when the certificate before had run out`, fact.time);
    }
    renewed.push({ token, fact, treeSize: null });
  });
  return renewed;
}

/** Trusted tokens whose certificate had run out before anything later covered them: their worth fades. @param {Stamp[]} stamps @param {Stamp[]} renewed @param {number} now */
export function runOut(stamps, renewed, now) {
  const trusted = renewed.filter(({ fact }) => fact.basis).map(({ fact }) => fact.time); // anybody can make one that is not
  const last = renewed[renewed.length - 1];
  return [...stamps, ...renewed.slice(-1)].flatMap((stamp) => {
    const covering = trusted.length && stamp !== last ? trusted[0] : now;
    const { basis, until, place } = stamp.fact;
    return basis && until < covering ? [`the certificate of the timestamp over ${place} ran out on ${utc(until)}, unrenewed`] : [];
  });
}
