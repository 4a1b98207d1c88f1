/**
 * An index that nobody can enumerate, and whoever holds the label can check: ECVRF-EDWARDS25519-SHA512-TAI.
 *
 * Source: RFC 9381, cipher suite 0x03; SPEC §9.3. A proof is Γ (32) ‖ c (16, little-endian) ‖ s (32, little-endian).
 */

import { concat, equal, toBigLittle } from "./bytes.js";
import { asOctets } from "./encoding.js";
import { fieldMalformed, refusal } from "./errors.js";
import { edPoint } from "./keys.js";
import { ed25519, sha512 } from "./vendor/noble.js";

const PROOF_BYTES = 80;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n; // `q` in RFC 9381
const SUITE = 3;
const END = Uint8Array.of(0);

/** The 64-byte output of `alpha` under `publicKey`, if `proof` shows it (RFC 9381 §5.3). @param {Uint8Array} publicKey @param {Uint8Array} alpha @param {Uint8Array} proof */
export function verifyVrf(publicKey, alpha, proof) {
  const [key, input, shown] = [asOctets(publicKey, "vrf_public_key"), asOctets(alpha, "vrf_alpha"), asOctets(proof, "vrf_proof")];
  const y = requireVrfKey(key, "vrf_public_key");
  if (shown.length !== PROOF_BYTES) throw fieldMalformed("vrf_proof", `exactly ${PROOF_BYTES} bytes`);
  const s = toBigLittle(shown.subarray(48));
  if (s >= ORDER) throw fieldMalformed("vrf_proof", "s below the group order");
  const gamma = requirePoint(shown.subarray(0, 32), "vrf_proof");
  const c = toBigLittle(shown.subarray(32, 48));
  const h = toCurve(key, input);
  const u = ed25519.Point.BASE.multiplyUnsafe(s).subtract(y.multiplyUnsafe(c));
  const v = h.multiplyUnsafe(s).subtract(gamma.multiplyUnsafe(c));
  const points = [key, h.toBytes(), shown.subarray(0, 32), u.toBytes(), v.toBytes()];
  const challenge = sha512(concat(Uint8Array.of(SUITE, 2), ...points, END)).subarray(0, 16);
  if (!equal(challenge, shown.subarray(32, 48))) throw refusal("SignatureWrong", { signer: "vrf" });
  return sha512(concat(Uint8Array.of(SUITE, 3), cleared(gamma).toBytes(), END));
}

/** The registry index of an output: its first half (SPEC §9.3). @param {Uint8Array} output */
export const indexOf = (output) => output.slice(0, 32);

/** A key that may stand in a genesis record (RFC 9381 §5.4.5). @param {Uint8Array} key @param {string} field */
export function requireVrfKey(key, field) {
  const point = requirePoint(key, field);
  if (cleared(point).is0()) throw fieldMalformed(field, "not of small order");
  return point;
}

/** 8 times a point. @param {any} point */
const cleared = (point) => point.double().double().double();

/** @param {Uint8Array} data @param {string} field */
function requirePoint(data, field) {
  const point = data.length === 32 ? edPoint(data) : null;
  if (point === null) throw fieldMalformed(field, "the encoding of a point of edwards25519");
  return point;
}

/** Try and increment, salted with the public key (RFC 9381 §5.4.1.1). @param {Uint8Array} key @param {Uint8Array} alpha */
function toCurve(key, alpha) {
  for (let counter = 0; counter < 256; counter++) {
    const digest = sha512(concat(Uint8Array.of(SUITE, 1), key, alpha, Uint8Array.of(counter, 0)));
    const point = edPoint(digest.slice(0, 32));
    if (point !== null && !cleared(point).is0()) return cleared(point);
  }
  throw fieldMalformed("alpha", "leads to the curve within 256 tries");
}
