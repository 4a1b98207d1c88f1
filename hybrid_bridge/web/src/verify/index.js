/**
 * A bundle and the verifier's own trust in, evidence out (`hybrid_bridge/steps/verify`).
 *
 * No network, no clock, no key, no account; what the verifier knows of the public chain is an argument.
 */

import { decodeBundle } from "../bundle.js";
import { BridgeError, missing } from "../errors.js";
import { verifyBrakes } from "./brakes.js";
import { allValidators, decode, entriesOf, transactionsOf } from "./decoded.js";
import { requireArithmetic, requireIdentity, verifyPaths } from "./log.js";
import { verifyNames, verifyTransactions } from "./names.js";
import { absences, consistencies, inclusions } from "./paths.js";
import { verifyPromise } from "./promise.js";
import { verifyAnchors } from "./public.js";
import { verifyLabels } from "./registry.js";
import { evidenceOf } from "./report.js";
import { verifyRules } from "./rules.js";
import { verifyNotes, verifySets } from "./signers.js";
import { verifySource } from "./source.js";
import { verifyRenewals } from "./times.js";

/** Which numbered checks were passed; an error that stops the course carries them. */
class Course {
  /** @param {(check: string) => void} tell */
  constructor(tell) {
    this.tell = tell;
    /** @type {{ number: number, name: string, count: number }[]} */ this.passed = [];
  }

  /** @template T @param {number} number @param {string} name @param {number | (() => number)} count @param {() => T} check @returns {T} */
  take(number, name, count, check) {
    let result;
    this.tell(`${number} ${name}`);
    try {
      result = check();
    } catch (error) {
      if (error instanceof BridgeError) {
        error.reached = this.passed.map((one) => `${one.number} ${one.name}`);
        error.stoppedAt = `${number} ${name}`;
      }
      throw error;
    }
    this.passed.push({ number, name, count: typeof count === "number" ? count : count() });
    return result;
  }
}

/**
 * Verify a bundle in the numbered order of SPEC §12: cheap before dear, a failure stops.
 *
 * NOT CHECKED HERE: that a public block hash is real; THE CALLER'S `trust` AND `sights` SAY SO.
 * @param {Uint8Array} data the bundle's bytes, at most 1 MiB @param {import("../trust.js").Trust} trust
 * @param {number} now whole Unix seconds, for freshness alone @param {import("./public.js").PublicSight[]} sights
 * @param {(check: string) => void} tell hears of each check as it begins
 */
export function verify(data, trust, now, sights = [], tell = () => {}) {
  const course = new Course(tell);
  const bundle = course.take(1, "shape", 1, () => decodeBundle(data));
  course.take(2, "format", 1, () => requireUnderstood(bundle));
  const structs = bundle.epochs.length + bundle.checkpoints.length;
  const d = course.take(3, "structs", structs, () => decode(bundle, trust.member_roots.length));
  const paths = inclusions(d).length + consistencies(d).length + absences(d).length;
  course.take(4, "arithmetic", paths, () => requireArithmetic(d));
  course.take(5, "identity", 1, () => requireIdentity(d));
  course.take(6, "hash paths", paths, () => verifyPaths(d));
  const sets = course.take(7, "validator sets", 1 + d.rotations.length, () => verifySets(d));
  const signed = course.take(8, "quorums", d.notes.length, () => verifyNotes(d, sets, trust));
  const names = course.take(9, "names", allValidators(d).length, () => verifyNames(d, sets, trust));
  course.take(9, "transactions", transactionsOf(d).length, () => verifyTransactions(d));
  const labels = d.epochs.reduce((total, epoch) => total + epoch.labels.length, 0);
  const registered = course.take(10, "registry", labels, () => verifyLabels(d));
  const standing = course.take(11, "public anchor", bundle.anchors.length, () => verifyAnchors(d, signed, trust, sights));
  const promised = course.take(12, "promise", d.promise === null ? 0 : 1, () => verifyPromise(d, sets, names));
  const renewed = course.take(13, "renewals", bundle.renewals.length, () => verifyRenewals(d, trust, standing.stamps));
  const rules = course.take(13, "rules", entriesOf(d).length, () => verifyRules(d, registered));
  const brakes = course.take(13, "brakes", bundle.epochs.length, () => verifyBrakes(d));
  const source = course.take(13, "source evidence", d.sources.size, () => verifySource(d, sets, names));
  const findings = { decoded: d, trust, now, signed, names, registered, standing, promised, renewed, rules, brakes, source };
  const passed = [...course.passed];
  return course.take(14, "freshness", 1, () => evidenceOf(findings, passed));
}

/** @param {any} bundle */
function requireUnderstood(bundle) {
  if (bundle.critical.length) {
    throw missing(`a verifier that understands the extension ${[...bundle.critical[0]].slice(0, 64).join("")}`);
  }
}
