/**
 * The file an outsider holds: one strict shape, believed nowhere. Members are named as in the document. Source: SPEC §11.
 */

import { compareText, pairwise } from "./bytes.js";
import { canonicalJson, parseCanonicalJson } from "./encoding.js";
import { fieldMalformed } from "./errors.js";
import { array, isObject, literal, nullable, octets, record, tagged, text, uint } from "./shape.js";

export const MAX_BUNDLE = 1 << 20; // bytes; a court's reader must be able to bound it

/** @typedef {any} Bundle */

/** @param {number} limit @returns {import("./shape.js").Codec} */
const jsonObject = (limit) => ({
  parse(value, field) {
    if (!isObject(value) || Object.keys(value).length > limit) throw fieldMalformed(field, `an object of at most ${limit} members`);
    return value;
  },
  write: (value) => value,
});

/** @param {import("./shape.js").Codec} codec @returns {import("./shape.js").Codec} */
const atLeastOne = (codec) => ({
  parse(value, field) {
    const parts = codec.parse(value, field);
    if (parts.length === 0) throw fieldMalformed(field, "at least one");
    return parts;
  },
  write: codec.write,
});

const B32 = octets(32);
const PATH = array(B32, 54); // a consistency path between sizes up to 2^53-1
const U = uint();
const NOTE = text(1 << 18);
const VALIDATORS = array(
  record(
    { address: octets(20), name: text(1024), certificate_hash: B32, key_binding: octets(183) },
    { mldsa_key: octets(1312) },
  ),
  64,
);
const PROVEN = record({ record: octets(640), path: PATH });
const NEIGHBOUR = record({ leaf: B32, index: U, path: PATH });
const LABEL = record(
  { index: B32, terminal: nullable(record({ index: B32, commitment: B32 })), path: array(B32, 256) },
  { label: octets(null, 4096), version: uint(2 ** 32 - 1), proof: octets(80), value: text(8192), opening: B32 },
);
const ENTRY = record(
  { entry: octets(37), index: U, path: PATH, disclosures: array(record({ value: text(8192), index: U, path: PATH }), 256) },
  { transaction: octets(null, 1 << 17), issuer_jwt: text(1 << 17) },
);
const EPOCH = record({
  record: octets(640),
  path: PATH,
  entries: array(ENTRY, 64),
  absences: array(record({ leaf: B32 }, { left: NEIGHBOUR, right: NEIGHBOUR }), 64),
  labels: array(LABEL, 256),
});
const ANCHOR = tagged({
  evm: record({
    tree_size: U,
    chain_id: U,
    contract: octets(20),
    header: octets(null, 4096),
    tx_index: U,
    receipt: octets(null, 1 << 17),
    proof: array(octets(null, 4096), 64),
    log_index: U,
    descendants: array(octets(null, 4096), 256),
  }),
  rfc3161: record({ tree_size: U, token: octets(null, 1 << 16) }),
  witness: record({ tree_size: U, name: text(256) }),
  ots: record({ tree_size: U, proof: octets(null, 1 << 16) }),
});
const CHECKPOINT = record({ note: NOTE, consistency: PATH }, { receipt: octets(64) });
const ROTATION = record({
  update: octets(null, (10 + 4 * 64) * 32),
  index: U,
  path: PATH,
  epoch: PROVEN,
  note: NOTE,
  consistency: PATH,
  validators: VALIDATORS,
});
const GOVERNANCE = record({
  from_epoch: U,
  to_epoch: U,
  consistency: PATH,
  records: array(record({ index: U, record: octets(null, 8512), path: PATH }), 256),
});
const ARTEFACT = record(
  { name: text(255), media_type: text(127), size: U, sha256: B32, field: text(64) },
  { sha512: octets(64), sm3: B32 },
);
const BUNDLE = record(
  {
    format: literal("hybrid-bridge/bundle/v1"),
    purpose: literal("record", "registry", "omission", "governance", "checkpoint"),
    critical: array(text(64), 64),
    extensions: jsonObject(64),
    genesis: record({ origin: text(200), record: octets(832), path: PATH, validators: VALIDATORS }, { mldsa_key: octets(1312) }),
    rotations: array(ROTATION, 64),
    checkpoints: atLeastOne(array(CHECKPOINT, 16)),
    epochs: array(EPOCH, 64),
    source_evidence: array(record({ type: text(64), epoch: U, data: octets(null, MAX_BUNDLE) }), 64),
    certificates: array(octets(null, 1 << 14), 64),
    anchors: array(ANCHOR, 16),
    public_blocks: array(record({ chain_id: U, header: octets(null, 4096) }), 64),
    artefacts: array(ARTEFACT, 256),
    renewals: array(
      record({ hash: literal("sha-256", "sha-512", "sha3-256", "sha3-512"), token: octets(null, 1 << 16) }),
      64,
    ),
  },
  { governance: GOVERNANCE, promise: octets(219), provenance: text(1 << 16) },
);

/** Steps 1 and 2 of SPEC §12, except that an unknown critical extension is the verifier's to judge. @param {Uint8Array} data @returns {Bundle} */
export function decodeBundle(data) {
  const bundle = BUNDLE.parse(parseCanonicalJson(data, "bundle", MAX_BUNDLE), "bundle");
  const ordered = pairwise(/** @type {string[]} */ (bundle.critical)).every(([one, next]) => compareText(one, next) < 0);
  if (!ordered || !bundle.critical.every((/** @type {string} */ name) => Object.hasOwn(bundle.extensions, name))) {
    throw fieldMalformed("bundle.critical", "sorted, unique, each a key of extensions");
  }
  return bundle;
}

/** The bytes of this bundle with its renewals cut to the first so many: what the next one stamps (SPEC §14). @param {Bundle} bundle @param {number} renewals */
export const coveredBy = (bundle, renewals) =>
  canonicalJson(BUNDLE.write({ ...bundle, renewals: bundle.renewals.slice(0, renewals) }));
