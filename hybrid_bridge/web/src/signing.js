/**
 * secp256k1 as Ethereum uses it: addresses, strict signatures, recovery (`hybrid_bridge/core/signing.py`).
 *
 * 65 bytes r ‖ s ‖ v with v in {27, 28}, r and s not zero, s in the lower half of the order. Source: SPEC §8.2.
 */

import { toBig } from "./bytes.js";
import { asDigest, asOctets } from "./encoding.js";
import { fieldMalformed, refusal } from "./errors.js";
import { keccak_256, secp256k1 } from "./vendor/noble.js";

export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // SEC 2 §2.4.1
export const HALF_ORDER = ORDER / 2n;

/** keccak-256, only where Ethereum asks for it. @param {Uint8Array} data @returns {Uint8Array} */
export const keccak256 = (data) => keccak_256(data);

/** The last 20 bytes of keccak-256 over the point. @param {any} point */
const addressOf = (point) => keccak256(point.toBytes(false).subarray(1)).slice(12);

/** A compressed point of 33 bytes, or null. @param {Uint8Array} key */
export function compressedPoint(key) {
  if (key.length !== 33 || (key[0] !== 2 && key[0] !== 3)) return null;
  try {
    return secp256k1.Point.fromBytes(key);
  } catch {
    return null;
  }
}

/** `signature` if it is the one strict encoding of its value (SPEC §8.2). @param {Uint8Array} signature */
export function requireSignature(signature) {
  if (asOctets(signature, "signature").length !== 65) throw fieldMalformed("signature", "65 bytes r, s, v");
  const r = toBig(signature.subarray(0, 32));
  const s = toBig(signature.subarray(32, 64));
  if (r < 1n || r >= ORDER) throw fieldMalformed("signature", "r is from 1 to the order less 1");
  if (s < 1n || s > HALF_ORDER) throw fieldMalformed("signature", "s is from 1 to half of the order");
  if (signature[64] !== 27 && signature[64] !== 28) throw fieldMalformed("signature", "v is 27 or 28");
  return signature;
}

/** The address whose key made this signature over `digest`; never the zero address. @param {Uint8Array} digest @param {Uint8Array} signature */
export function recoverAddress(digest, signature) {
  const strict = requireSignature(signature);
  const hash = asDigest(digest, "digest");
  try {
    const parsed = secp256k1.Signature.fromBytes(strict.subarray(0, 64), "compact");
    return addressOf(parsed.addRecoveryBit(strict[64] - 27).recoverPublicKey(hash));
  } catch {
    throw refusal("SignatureWrong", { signer: "nobody" });
  }
}
