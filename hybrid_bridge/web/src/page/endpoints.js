/**
 * What endpoints of public chains say of block hashes: k of n must agree that a block is final and has this hash.
 *
 * An endpoint may lie, lag or forget; only agreement counts. Nothing else is asked, and nothing of the bundle is sent but
 * block numbers.
 */

import { unhex } from "../bytes.js";

const PATIENCE = 30_000; // milliseconds

/** @param {string} url @param {string} method @param {unknown[]} params */
async function ask(url, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(PATIENCE), credentials: "omit", referrerPolicy: "no-referrer" });
  const { result } = await answer.json();
  return result;
}

/** One endpoint's word: its chain, and the hashes of those blocks that it calls final. @param {string} url @param {number[]} numbers */
async function look(url, numbers) {
  const chainId = Number(await ask(url, "eth_chainId", []));
  const final = await ask(url, "eth_getBlockByNumber", ["finalized", false]);
  /** @type {Map<number, string>} */ const hashes = new Map();
  for (const number of numbers.filter((one) => one <= Number(final?.number))) {
    const block = await ask(url, "eth_getBlockByNumber", [`0x${number.toString(16)}`, false]);
    if (/^0x[0-9a-f]{64}$/.test(block?.hash) && Number(block.number) === number) hashes.set(number, block.hash);
  }
  return { chainId, hashes };
}

/**
 * What at least `needed` endpoints agree on, one sight for each chain and contract.
 * @param {string[]} urls @param {number} needed @param {number[]} numbers @param {Uint8Array[]} contracts
 * @returns {Promise<{ sights: import("../verify/public.js").PublicSight[], failed: string[] }>}
 */
export async function lookAll(urls, needed, numbers, contracts) {
  const looked = await Promise.allSettled(urls.map((url) => look(url, numbers)));
  const answers = looked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = urls.filter((_, i) => looked[i].status === "rejected");
  const sights = [...new Set(answers.map((answer) => answer.chainId))].flatMap((chainId) => {
    const mine = answers.filter((answer) => answer.chainId === chainId);
    const finalizedHashes = agreed(mine.map((answer) => answer.hashes), needed);
    const basis = `${needed} of ${urls.length} endpoints that call it final`;
    const head = { treeSize: 0, root: new Uint8Array(32), state: "active" }; // the contract itself is not asked here
    return finalizedHashes.size ? contracts.map((contract) => ({ chainId, contract, basis, finalizedHashes, head })) : [];
  });
  return { sights, failed };
}

/** Hashes that enough of them say, and that nobody contradicts as often. @param {Map<number, string>[]} said @param {number} needed */
function agreed(said, needed) {
  /** @type {Map<number, Uint8Array>} */ const hashes = new Map();
  for (const number of new Set(said.flatMap((one) => [...one.keys()]))) {
    const votes = said.flatMap((one) => one.get(number) ?? []);
    const enough = [...new Set(votes)].filter((hash) => votes.filter((vote) => vote === hash).length >= needed);
    if (enough.length === 1) hashes.set(number, unhex(enough[0].slice(2)));
  }
  return hashes;
}

/** Block numbers that a bundle's anchors and beacons need. @param {any} evidence */
export const numbersOf = (evidence) => [
  ...new Set([...evidence.anchors.map((/** @type {any} */ one) => one.last_number), ...evidence.beacons.map((/** @type {any} */ one) => one.block_number)]),
];

