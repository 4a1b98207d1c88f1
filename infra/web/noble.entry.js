// What the verifier takes from other people's libraries, and nothing else: @noble/* by Paul Miller, MIT licence.
export { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
export { keccak_256, sha3_224, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";
export { sha1 } from "@noble/hashes/legacy.js";
export { hmac } from "@noble/hashes/hmac.js";
export { ed25519 } from "@noble/curves/ed25519.js";
export { p256, p384, p521 } from "@noble/curves/nist.js";
export { secp256k1 } from "@noble/curves/secp256k1.js";
export { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
