/** Check 11 of `verify`: where the checkpoints stand on public chains, as far as the verifier's trust reaches. */

import { bitCount, equal, hex } from "../bytes.js";
import { decodeHeader, verifyEvmAnchor } from "../anchor.js";
import { fieldMalformed, fieldMismatch, refusal } from "../errors.js";
import { checkpointOf } from "./decoded.js";
import { early, verifyTokens } from "./times.js";

/**
 * What the verifier's own sources agree on about one public chain and one contract.
 * @typedef {{ chainId: number, contract: Uint8Array, basis: string, finalizedHashes: Map<number, Uint8Array>,
 *   head: { treeSize: number, root: Uint8Array, state: string } }} PublicSight
 * @typedef {import("./decoded.js").Decoded} Decoded
 * @typedef {import("../trust.js").Trust} Trust
 * @typedef {{ tree_size: number, chain_id: number, contract: Uint8Array, block_number: number, block_hash: Uint8Array, block_time: number,
 *   last_number: number, last_hash: Uint8Array, basis: string, missing: string }} AnchorFact
 * @typedef {{ epoch: number, chain_id: number, block_number: number, time: number, basis: string }} BeaconFact
 * @typedef {{ anchors: AnchorFact[], stamps: import("./times.js").Stamp[], beacons: BeaconFact[], byState: string,
 *   newestHead: PublicSight["head"] | null, warnings: string[] }} Standing
 */

/** Anchors whose public block the verifier's trust reaches; the earliest first. @param {Standing} standing */
export const trustedAnchors = (standing) =>
  standing.anchors.filter((anchor) => anchor.basis).sort((one, other) => one.block_time - other.block_time);

/** By epoch: the latest public block that it names and that is known to be real. @param {Standing} standing */
export const notBefore = (standing) =>
  new Map(standing.beacons.filter((one) => one.basis).sort((one, other) => one.time - other.time).map(({ epoch, time }) => [epoch, time]));

/** Structure of every anchor, then what the trust file and the sights say of its public block (SPEC §13). @param {Decoded} d @param {import("./signers.js").SignedNote[]} signed @param {Trust} trust @param {PublicSight[]} sights @returns {Standing} */
export function verifyAnchors(d, signed, trust, sights) {
  requireNotes(d);
  const stamps = verifyTokens(d, trust);
  const beacons = beaconsOf(d, trust, sights);
  const evm = d.bundle.anchors.filter((/** @type {any} */ anchor) => anchor.type === "evm");
  const anchors = evm.map((/** @type {any} */ anchor) => anchorFact(d, signed, anchor, trust, sights));
  const byState = vouchedByState(d, sights);
  const heads = sights.map((sight) => sight.head).sort((one, other) => other.treeSize - one.treeSize);
  return { anchors, stamps, beacons, byState, newestHead: heads[0] ?? null, warnings: [...early(d, stamps), ...late(d, beacons), ...states(sights)] };
}

/** Every anchor, judged or not, is of a checkpoint shown; a witness has a line in it. @param {Decoded} d */
function requireNotes(d) {
  const lines = new Map(d.notes.map((note) => [note.size, new Set(note.lines.map((line) => line.name))]));
  for (const anchor of d.bundle.anchors) {
    const names = lines.get(anchor.tree_size);
    if (names === undefined) throw fieldMismatch("anchors.tree_size", "a checkpoint shown", anchor.tree_size);
    if (anchor.type === "witness" && !names.has(anchor.name)) {
      throw fieldMismatch("anchors.name", "a line of this name in the note", anchor.name);
    }
  }
}

// ── anchors ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Decoded} d @param {import("./signers.js").SignedNote[]} signed @param {any} anchor @param {Trust} trust @param {PublicSight[]} sights @returns {AnchorFact} */
function anchorFact(d, signed, anchor, trust, sights) {
  const { note, set } = /** @type {import("./signers.js").SignedNote} */ (signed.find((one) => one.note.size === anchor.tree_size));
  const facts = verifyEvmAnchor(anchor, checkpointOf(d, note, set));
  const n = set.entries.length;
  if (facts.signers >> BigInt(n) !== 0n || bitCount(facts.signers) < set.quorum) {
    throw fieldMismatch("anchors.signers", `at least ${set.quorum} of ${n}`, `0b${facts.signers.toString(2)}`);
  }
  return {
    tree_size: anchor.tree_size,
    chain_id: anchor.chain_id,
    contract: anchor.contract,
    block_number: facts.blockNumber,
    block_hash: facts.blockHash,
    block_time: facts.blockTime,
    last_number: facts.lastNumber,
    last_hash: facts.lastHash,
    ...basisOf(anchor, facts, trust, sights),
  };
}

/** Who vouches for contract and public block; or what is missing. @param {any} anchor @param {{ lastNumber: number, lastHash: Uint8Array }} facts @param {Trust} trust @param {PublicSight[]} sights */
function basisOf(anchor, { lastNumber, lastHash }, trust, sights) {
  const { chain_id: chainId, contract } = anchor;
  const basis = vouched(chainId, lastNumber, lastHash, trust, sights);
  const asked = sights.some((sight) => sight.chainId === chainId && equal(sight.contract, contract));
  const named = trustedChain(trust, chainId)?.contracts.some((/** @type {Uint8Array} */ one) => equal(one, contract)) ?? false;
  if (!asked && !named) {
    return { basis: "", missing: `trust in contract 0x${hex(contract)} on chain ${chainId} (trust file or --contract)` };
  }
  if (basis) return { basis, missing: "" };
  return { basis: "", missing: `that public block ${lastNumber} of chain ${chainId} has the hash 0x${hex(lastHash)} (trust file or --rpc)` };
}

/** Whoever of the verifier's sources says that this public block is real; "" if none knows the number. @param {number} chainId @param {number} number @param {Uint8Array} hash @param {Trust} trust @param {PublicSight[]} sights */
function vouched(chainId, number, hash, trust, sights) {
  const vouching = new Set();
  for (const { where, hashes } of sourcesOf(chainId, trust, sights)) {
    const real = hashes.get(number);
    if (real === undefined) continue;
    if (!equal(real, hash)) throw fieldMismatch(`public block ${number}`, hex(real), hex(hash));
    vouching.add(where);
  }
  return [...vouching].join(", ");
}

/** @param {number} chainId @param {Trust} trust @param {PublicSight[]} sights @returns {{ where: string, hashes: Map<number, Uint8Array> }[]} */
function sourcesOf(chainId, trust, sights) {
  const chain = trustedChain(trust, chainId);
  const file = { where: "the trust file", hashes: new Map(chain?.block_hashes.map((/** @type {any} */ block) => [block.number, block.hash])) };
  const asked = sights.filter((sight) => sight.chainId === chainId);
  return [...(chain ? [file] : []), ...asked.map((sight) => ({ where: sight.basis, hashes: sight.finalizedHashes }))];
}

/** @param {Trust} trust @param {number} chainId */
const trustedChain = (trust, chainId) => trust.public_chains.find((chain) => chain.chain_id === chainId);

/** The contract's own head, if it stands at a size shown here: the same root, or two histories exist. @param {Decoded} d @param {PublicSight[]} sights */
function vouchedByState(d, sights) {
  let vouching = "";
  for (const { head, contract, chainId, basis } of sights) {
    const note = d.notes.find((one) => one.size === head.treeSize);
    if (note === undefined) continue;
    if (!equal(head.root, note.root)) throw refusal("HeadConflict", { size: note.size, head: head.root, root: note.root });
    vouching = `head of contract 0x${hex(contract)} on chain ${chainId}, by ${basis}`;
  }
  return vouching;
}

/** @param {PublicSight[]} sights */
const states = (sights) =>
  sights.filter(({ head }) => head.state !== "active")
    .map(({ contract, chainId, head }) => `contract 0x${hex(contract)} on chain ${chainId} calls this log ${head.state}`);

// ── beacons ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Each public block shown is one that an epoch names by its hash. @param {Decoded} d @param {Trust} trust @param {PublicSight[]} sights @returns {BeaconFact[]} */
function beaconsOf(d, trust, sights) {
  const parts = d.bundle.public_blocks;
  if (new Set(parts.map((/** @type {any} */ part) => `${part.chain_id} ${hex(part.header)}`)).size !== parts.length) {
    throw fieldMalformed("public_blocks", "each once");
  }
  return parts.flatMap((/** @type {any} */ part) => {
    const header = decodeHeader(part.header);
    const naming = d.epochs.map(({ record }) => record).filter((record) => names(record, part.chain_id, header));
    if (naming.length === 0) throw fieldMismatch("public_blocks", "a beacon of an epoch shown", hex(header.hash));
    const basis = vouched(part.chain_id, header.number, header.hash, trust, sights);
    return naming.map((record) => ({
      epoch: record.epoch, chain_id: record.publicChainId, block_number: header.number, time: header.time, basis,
    }));
  });
}

/** @param {any} record @param {number} chainId @param {import("../anchor.js").Header} header */
const names = (record, chainId, { number, hash }) =>
  record.publicChainId === chainId && record.publicBlockNumber === number && equal(record.publicBlockHash, hash);

/** Whoever names a public block that is younger than the epoch's end wrote the epoch after its end. @param {Decoded} d @param {BeaconFact[]} beacons */
function late(d, beacons) {
  const closed = new Map(d.epochs.map(({ record }) => [record.epoch, record.closedAt]));
  return beacons.flatMap(({ epoch, time }) => {
    const after = time - closed.get(epoch);
    return after > 0 ? [`epoch ${epoch} names a public block made ${after} s after it closed: it was written late`] : [];
  });
}
