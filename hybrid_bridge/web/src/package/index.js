/**
 * The evidence package: a bundle, the documents it speaks of, and what helps to read both (SPEC §14).
 *
 * What can be derived from the bundle must equal it, what is a document must be named by a disclosed field, everything must
 * stand in the manifest. Twins: `hybrid_bridge/core/package.py`, `hybrid_bridge/steps/verify/package.py`.
 */

import { compareText, concat, equal, hex, pairwise, utf8 } from "../bytes.js";
import { decodeBundle, MAX_BUNDLE } from "../bundle.js";
import { der, DerReader, INTEGER, SEQUENCE } from "../der.js";
import { b64u, parseCanonicalJson, sha256 } from "../encoding.js";
import { fieldMalformed, fieldMismatch, refusal, tooLong } from "../errors.js";
import { evidenceJson } from "../evidence.js";
import { array, literal, octets, record, text, uint } from "../shape.js";
import { decodeToken } from "../timestamp.js";
import { sha256 as hash256, sha512 as hash512 } from "../vendor/noble.js";
import { verify } from "../verify/index.js";
import { judged } from "../verify/times.js";
import { Sm3 } from "./sm3.js";
import { MAGIC, MAX_NAME, MAX_UNPACKED, membersOf, STORED, unpacked } from "./zip.js";

const MEDIA_TYPE = "application/vnd.hybrid-bridge.evidence+zip";
const [MIMETYPE, BUNDLE, MANIFEST, STAMP] = ["mimetype", "bundle.json", "META-INF/manifest.json", "META-INF/manifest.tsr"];
const ARTEFACTS = "artefacts/";
const FOLDERS = [ARTEFACTS, "tokens/", "certs/", "report/", "spec/", "verifier/"];
const MAX_MANIFEST = 1 << 20;
const KEPT = new Map([[MIMETYPE, MEDIA_TYPE.length], [BUNDLE, MAX_BUNDLE], [MANIFEST, MAX_MANIFEST], [STAMP, (1 << 16) + 64]]);
const FILE = record({ path: text(MAX_NAME), size: uint(MAX_UNPACKED), sha256: octets(32), sha512: octets(64), sm3: octets(32) });
const LISTED = record({ format: literal("hybrid-bridge/evidence-package/v1"), files: array(FILE, 1024) });

/**
 * @typedef {{ path: string, size: number, sha256: Uint8Array, sha512: Uint8Array, sm3: Uint8Array }} PackedFile
 * @typedef {{ bundle: Uint8Array, manifest: Uint8Array, files: PackedFile[], stamp: Uint8Array | null }} Package
 * @typedef {{ path: string, size: number, sha256: Uint8Array, epoch: number, field: string }} DocumentFact
 * @typedef {{ evidence: any, documents: DocumentFact[], manifest: Uint8Array, stamp: any }} PackageEvidence
 */

/** Whether a file that starts so is meant to be a package. A bundle starts with `{`. @param {Uint8Array} start */
export const isPackage = (start) => equal(start.subarray(0, 4), MAGIC);

/**
 * Verify a package: its shape, its bundle, its documents, the timestamp over its manifest.
 * @param {Blob} file @param {import("../trust.js").Trust} trust @param {number} now @param {import("../verify/public.js").PublicSight[]} sights
 * @param {(step: string) => void} tell @returns {Promise<PackageEvidence>}
 */
export async function verifyPackage(file, trust, now, sights = [], tell = () => {}) {
  const read = await readPackage(file, tell);
  return judgePackage(read, verify(read.bundle, trust, now, sights, tell), trust);
}

/** The evidence of the bundle, and beside it a member `package`, as `hybrid-bridge verify --json` has it. @param {PackageEvidence} found */
export function packageJson({ evidence, documents, manifest, stamp }) {
  const told = stamp && { authority: stamp.authority, time: stamp.time, basis: stamp.basis, missing: stamp.missing };
  const shown = documents.map(({ path, size, sha256: digest, epoch, field }) => ({ path, size, sha256: b64u(digest), epoch, field }));
  return { ...evidenceJson(evidence), package: { manifest: b64u(manifest), documents: shown, stamp: told } };
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * (1) container (2) first entry (3) layout (4) manifest = files, both ways (5) files derived from the bundle.
 *
 * NOT CHECKED HERE: the bundle, what the documents are to it, the timestamp. `judgePackage` DOES THAT.
 * @param {Blob} file @param {(step: string) => void} tell hears of each entry @returns {Promise<Package>}
 */
export async function readPackage(file, tell = () => {}) {
  const members = await membersOf(file);
  requireLayout(members);
  /** @type {Map<string, Uint8Array>} */ const kept = new Map();
  for (const member of members) if (KEPT.has(member.name)) kept.set(member.name, await whole(file, member));
  const [mimetype, bundle, manifest] = [MIMETYPE, BUNDLE, MANIFEST].map((name) => /** @type {Uint8Array} */ (kept.get(name)));
  if (!equal(mimetype, utf8(MEDIA_TYPE))) throw fieldMalformed("package.mimetype", MEDIA_TYPE);
  const files = parseManifest(manifest);
  const found = [];
  for (const member of members) {
    if (member.name === MANIFEST || member.name === STAMP) continue;
    tell(member.name);
    found.push(await digested(member.name, unpacked(file, member)));
  }
  requireSame(files, found, "package.manifest");
  await requireDerived(decodeBundle(bundle), found);
  return { bundle, manifest, files, stamp: kept.get(STAMP) ?? null };
}

/** @param {import("./zip.js").Member[]} members */
function requireLayout(members) {
  if (members[0].name !== MIMETYPE || members[0].method !== STORED) throw fieldMalformed("package", "the entry mimetype first, and stored");
  const names = members.map((member) => member.name);
  for (const name of [BUNDLE, MANIFEST]) if (!names.includes(name)) throw fieldMalformed("package", `an entry ${name}`);
  for (const name of names) {
    const isListed = name.split("/").length === 2 && FOLDERS.some((folder) => name.startsWith(folder));
    if (!KEPT.has(name) && !isListed) throw fieldMalformed("package", "nothing but what SPEC §14 lists");
  }
}

/** @param {Blob} file @param {import("./zip.js").Member} member */
async function whole(file, member) {
  const limit = /** @type {number} */ (KEPT.get(member.name));
  if (member.size > limit) throw tooLong(member.name, limit, member.size);
  const pieces = [];
  for await (const piece of unpacked(file, member)) pieces.push(piece);
  return concat(...pieces);
}

/** @param {string} path @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} pieces @returns {Promise<PackedFile>} */
async function digested(path, pieces) {
  const [one, other, third] = [hash256.create(), hash512.create(), new Sm3()];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    for (const state of [one, other, third]) state.update(piece);
  }
  return { path, size, sha256: one.digest(), sha512: other.digest(), sm3: third.digest() };
}

/** @param {Uint8Array} data @returns {PackedFile[]} */
function parseManifest(data) {
  const { files } = LISTED.parse(parseCanonicalJson(data, "manifest", MAX_MANIFEST), "manifest");
  if (!pairwise(files).every(([one, next]) => compareText(one.path, next.path) < 0)) {
    throw fieldMalformed("manifest.files", "ascending paths, each once");
  }
  return files;
}

/** The files that repeat parts of the bundle for other people's tools: tokens as TimeStampResp, certificates. @param {any} bundle @param {PackedFile[]} found */
async function requireDerived(bundle, found) {
  const two = (/** @type {number} */ i) => String(i).padStart(2, "0");
  const response = (/** @type {Uint8Array} */ token) => der(SEQUENCE, der(SEQUENCE, der(INTEGER, Uint8Array.of(0))), token);
  /** @type {[string, Uint8Array][]} */ const derived = [
    ...bundle.anchors.flatMap((/** @type {any} */ part, /** @type {number} */ i) =>
      (part.type === "rfc3161" ? [[`tokens/anchor-${two(i)}.tsr`, response(part.token)]] : [])),
    ...bundle.renewals.map((/** @type {any} */ part, /** @type {number} */ i) => [`tokens/renewal-${two(i)}.tsr`, response(part.token)]),
    ...bundle.certificates.map((/** @type {Uint8Array} */ data, /** @type {number} */ i) => [`certs/certificate-${two(i)}.der`, data]),
  ];
  const expected = [];
  for (const [path, data] of derived) expected.push(await digested(path, [data]));
  requireSame(expected, found.filter(({ path }) => path.startsWith("tokens/") || path.startsWith("certs/")), "package.bundle");
}

/** @param {PackedFile[]} expected @param {PackedFile[]} got @param {string} field */
function requireSame(expected, got, field) {
  const [these, those] = [expected, got].map((files) => new Map(files.map((file) => [file.path, file])));
  const shown = (/** @type {Map<string, PackedFile>} */ files, /** @type {string} */ path) => {
    const file = files.get(path);
    return file ? `${path}: ${file.size} bytes, ${hex(file.sha256)}` : `no ${path}`;
  };
  for (const path of [...new Set([...these.keys(), ...those.keys()])].sort(compareText)) {
    const [one, other] = [these.get(path), those.get(path)];
    if (!one || !other || !isSame(one, other)) throw fieldMismatch(field, shown(these, path), shown(those, path));
  }
}

/** @param {PackedFile} one @param {PackedFile} other */
const isSame = (one, other) =>
  one.size === other.size && equal(one.sha256, other.sha256) && equal(one.sha512, other.sha512) && equal(one.sm3, other.sm3);

// ── judging ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The documents and the timestamp of a package, once its bundle is verified. @param {Package} read @param {any} evidence @param {import("../trust.js").Trust} trust @returns {PackageEvidence} */
export function judgePackage(read, evidence, trust) {
  const stamp = read.stamp && judged(decodeResponse(read.stamp), read.manifest, "manifest", trust);
  const documents = read.files.filter(({ path }) => path.startsWith(ARTEFACTS)).map((file) => documentFact(file, evidence));
  return { evidence, documents, manifest: sha256(read.manifest), stamp };
}

/** The token of a TimeStampResp. @param {Uint8Array} data */
function decodeResponse(data) {
  const outer = new DerReader(data, "answer");
  const response = outer.inside(SEQUENCE);
  outer.end();
  const status = response.inside(SEQUENCE).integer(); // its words are not for us
  if (status !== 0n && status !== 1n) {
    throw refusal("EndpointRefused", { endpoint: "manifest.tsr", call: "timestamp", code: status, reason: "PKIStatus" });
  }
  const token = response.take(SEQUENCE).whole;
  response.end();
  return decodeToken(token);
}

/** @param {PackedFile} file @param {any} evidence @returns {DocumentFact} */
function documentFact(file, evidence) {
  const digest = b64u(file.sha256);
  for (const { epoch, fields } of evidence.records) {
    const holding = fields.find((/** @type {any} */ field) => field.value === digest);
    if (holding === undefined) continue;
    for (const listed of evidence.artefacts) requireAlike(file, listed);
    return { path: file.path, size: file.size, sha256: file.sha256, epoch, field: holding.name };
  }
  throw fieldMismatch(file.path, "a SHA-256 that a disclosed field holds", `${hex(file.sha256)}, which is none of them`);
}

/** What the holder's list says of the same document beside its SHA-256 can be checked, now that it is here. @param {PackedFile} file @param {any} listed */
function requireAlike(file, listed) {
  if (!equal(listed.sha256, file.sha256)) return;
  const agrees = (/** @type {Uint8Array | null} */ stated, /** @type {Uint8Array} */ got) => stated === null || equal(stated, got);
  if (file.size !== listed.size || !agrees(listed.sha512, file.sha512) || !agrees(listed.sm3, file.sm3)) {
    throw fieldMismatch(file.path, "what artefacts[] says of it", `${file.size} bytes`);
  }
}
