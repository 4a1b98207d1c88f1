/** Who may attest: validator sets, the quorum rule, the identity key's word for an attestation key. Source: SPEC §8.1. */

import { compare, concat, isWellFormed, utf8 } from "./bytes.js";
import { asOctets, context, MAX_U64, packWords, parseCanonicalJson, Reader, sha256, unpackWords } from "./encoding.js";
import { fieldMalformed, refusal } from "./errors.js";
import { readSignature, requireKeyScheme, verifySignature } from "./keys.js";
import { isObject } from "./shape.js";

export const MAX_VALIDATORS = 64; // the signers of an anchor are the bits of one u64
export const ENTRY_WIDTH = 128;
const TYPE_HASH = sha256(utf8("HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)"));
const KEY_BINDING_WIDTH = 117;
const MAX_NAME = 4096; // bytes of the text behind a name hash

/** q(n) = ⌊2n/3⌋ + 1. @param {number} n */
export function quorum(n) {
  if (n < 1 || n > MAX_VALIDATORS) throw fieldMalformed("validators", `1 to ${MAX_VALIDATORS}`);
  return Math.floor((2 * n) / 3) + 1;
}

/** The id and the name in the text behind a name hash. @param {string} text @returns {[string, string]} */
export function parseName(text) {
  if (!isWellFormed(text)) throw fieldMalformed("json", "no lone surrogate");
  const document = parseCanonicalJson(utf8(text), "name", MAX_NAME);
  if (isObject(document) && Object.keys(document).join(" ") === "id name") {
    const { id, name } = document;
    if (typeof id === "string" && typeof name === "string") return [id, name];
  }
  throw fieldMalformed("name", "an object with the texts id and name");
}

/**
 * @typedef {{ address: Uint8Array, nameHash: Uint8Array, certificateHash: Uint8Array, keyBindingHash: Uint8Array }} ValidatorEntry
 * @typedef {{ setId: number, entries: ValidatorEntry[], digest: Uint8Array, quorum: number }} ValidatorSet
 */

/** A set in address order: strictly ascending, no zero address, 1 to 64 members. @param {number} setId @param {ValidatorEntry[]} entries @returns {ValidatorSet} */
export function validatorSet(setId, entries) {
  if (!(setId >= 1 && setId <= MAX_U64)) throw fieldMalformed("set_id", "1 to 2^53-1");
  const needed = quorum(entries.length);
  /** @type {Uint8Array} */ let before = new Uint8Array(20);
  entries.forEach((entry, index) => {
    if (entry.address.length !== 20 || compare(entry.address, before) <= 0) throw refusal("EntriesMalformed", { index });
    before = entry.address;
  });
  const words = entries.map((one) => packWords("abbb", [one.address, one.nameHash, one.certificateHash, one.keyBindingHash]));
  const digest = sha256(concat(packWords("buu", [TYPE_HASH, setId, entries.length]), ...words));
  return { setId, entries, digest, quorum: needed };
}

/** 128 bytes a member, in order. @param {number} setId @param {Uint8Array} data */
export function decodeEntries(setId, data) {
  const size = asOctets(data, "entries").length;
  const count = Math.floor(size / ENTRY_WIDTH);
  if (size % ENTRY_WIDTH || count > MAX_VALIDATORS) {
    throw refusal("RecordMalformed", { expected: ENTRY_WIDTH * Math.min(count, MAX_VALIDATORS), got: size });
  }
  const words = /** @type {Uint8Array[]} */ (unpackWords("abbb".repeat(count), data));
  const entries = Array.from({ length: count }, (_, i) => {
    const [address, nameHash, certificateHash, keyBindingHash] = words.slice(4 * i, 4 * i + 4);
    return { address, nameHash, certificateHash, keyBindingHash };
  });
  return validatorSet(setId, entries);
}

/** A key binding with the identity key's signature, 183 bytes. @param {Uint8Array} data */
export function decodeKeyBinding(data) {
  const reader = new Reader(asOctets(data, "key_binding").slice(0, KEY_BINDING_WIDTH));
  if (reader.u8("version") !== 1) throw fieldMalformed("key_binding.version", "1");
  const binding = {
    originHash: reader.b32("origin_hash"),
    certificateHash: reader.b32("certificate_hash"),
    address: reader.fixed(20, "address"),
    mldsaKeyHash: reader.b32("mldsa_key_hash"),
  };
  const tail = new Reader(data.slice(KEY_BINDING_WIDTH));
  const signed = readSignature(tail);
  tail.end("key_binding");
  const message = concat(context("key-binding"), data.slice(0, KEY_BINDING_WIDTH));
  return { ...binding, ...signed, message, digest: sha256(message) };
}

/** @typedef {ReturnType<typeof decodeKeyBinding>} KeyBinding */

/** `key` signed this binding. THE CALLER CHECKS that the certificate holds that key. @param {KeyBinding} binding @param {import("./keys.js").PublicKey} key */
export function verifyKeyBinding(binding, key) {
  requireKeyScheme(key, binding.scheme);
  verifySignature(key, binding.message, binding.signature);
}
