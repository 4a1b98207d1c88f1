/** The receipt key's word over a root, as COSE tools read it (SPEC §14; RFC 9942; RFC 9052 §4.4; RFC 8949 §4.2). */

import { concat, isZero, utf8 } from "../bytes.js";
import { sha256 } from "../encoding.js";
import { fieldMalformed } from "../errors.js";
import { ed25519Key, verifySignature } from "../keys.js";

const EDDSA = Uint8Array.of(0x27); // -8
const CWT_ISSUER = Uint8Array.of(0xa1, 0x01);
const VDS_RFC9162 = Uint8Array.of(0x19, 0x01, 0x8b, 0x01); // 395: 1

/** @param {number} major @param {number} length below 65,536 */
function head(major, length) {
  if (length < 24) return Uint8Array.of((major << 5) | length);
  if (length < 256) return Uint8Array.of((major << 5) | 24, length);
  return Uint8Array.of((major << 5) | 25, length >> 8, length & 0xff);
}

/** @param {Uint8Array} data */
const byteString = (data) => concat(head(2, data.length), data);
/** @param {string} text */
const textString = (text) => concat(head(3, utf8(text).length), utf8(text));

/** {alg: EdDSA, kid: H(key), CWT claims: {iss: origin}, vds: RFC9162_SHA256}. @param {string} origin @param {Uint8Array} keyHash */
const protectedHeader = (origin, keyHash) =>
  concat(Uint8Array.of(0xa4, 0x01), EDDSA, Uint8Array.of(0x04), byteString(keyHash), Uint8Array.of(0x0f), CWT_ISSUER, textString(origin), VDS_RFC9162);

/** The Sig_structure over a root, whatever the proof that leads to it. @param {string} origin @param {Uint8Array} receiptKey @param {Uint8Array} root */
function toBeSigned(origin, receiptKey, root) {
  const header = byteString(protectedHeader(origin, sha256(receiptKey)));
  return concat(Uint8Array.of(0x84), textString("Signature1"), header, byteString(new Uint8Array()), byteString(root));
}

/** The receipt key of the genesis record signed this root. @param {any} genesis @param {string} origin @param {Uint8Array} root @param {Uint8Array} signature */
export function verifyRoot(genesis, origin, root, signature) {
  if (isZero(genesis.receiptKey)) throw fieldMalformed("receipt", "of a log whose genesis record names a receipt key");
  verifySignature(ed25519Key(genesis.receiptKey), toBeSigned(origin, genesis.receiptKey, root), signature);
}
