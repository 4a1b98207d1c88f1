/**
 * What endpoints of public chains say of block hashes: k of n must agree that a block is final and has this hash.
 *
 * An endpoint may lie, lag or forget; only agreement counts. Nothing else is asked, and nothing of the bundle is sent but
 * block numbers. An address may hold a key, so an endpoint is named by its place in the list.
 */

import { concat, unhex, utf8Text } from "../bytes.js";

const PATIENCE = 30_000; // milliseconds, of all that one endpoint is asked
const MAX_ANSWER = 1 << 22; // bytes: a public block names its transactions, 70 bytes each

/**
 * What is wanted: hashes of public blocks by number, for the contracts that count on a chain, by at least so many voices.
 * @typedef {{ numbers: number[], contracts: (chainId: number) => Uint8Array[], needed: (chainId: number) => number }} Wanted
 */

let asked = 0; // questions: an answer must name its own

/** @param {string} url @param {AbortSignal} signal @param {string} method @param {unknown[]} params */
async function ask(url, signal, method, params) {
  const question = ++asked;
  const body = JSON.stringify({ jsonrpc: "2.0", id: question, method, params });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body, signal, credentials: "omit", referrerPolicy: "no-referrer", redirect: "error" });
  const { id, result } = JSON.parse(await textOf(answer));
  if (id !== question) throw new TypeError("an answer to another question");
  return result;
}

/** @param {Response} answer */
async function textOf(answer) {
  const parts = [];
  let size = 0;
  for (const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return utf8Text(concat(...parts)) ?? "";
    size += value.length;
    if (size > MAX_ANSWER) {
      await reader.cancel();
      throw new RangeError("a longer answer than there can be");
    }
    parts.push(value);
  }
}

/** Each endpoint once, however it is written: one cannot agree with itself. @param {string[]} urls */
export const distinct = (urls) => [...new Set(urls.map((url) => (URL.canParse(url) ? new URL(url).href : url)))];

/** One endpoint's word: its chain, and the hashes of those blocks that it calls final. @param {string} url @param {number[]} numbers */
async function look(url, numbers) {
  const signal = AbortSignal.timeout(PATIENCE);
  const chainId = Number(await ask(url, signal, "eth_chainId", []));
  const final = await ask(url, signal, "eth_getBlockByNumber", ["finalized", false]);
  /** @type {Map<number, string>} */ const hashes = new Map();
  for (const number of numbers.filter((one) => one <= Number(final?.number))) {
    const block = await ask(url, signal, "eth_getBlockByNumber", [`0x${number.toString(16)}`, false]);
    if (/^0x[0-9a-f]{64}$/.test(block?.hash) && Number(block.number) === number) hashes.set(number, block.hash);
  }
  return { chainId, hashes };
}

/**
 * What enough endpoints agree on, one sight for each chain and contract; and the places of those that did not answer.
 *
 * More than half of them must agree, whatever is wanted.
 * @param {string[]} urls each once @param {Wanted} wanted
 * @returns {Promise<{ sights: import("../verify/public.js").PublicSight[], failed: number[] }>}
 */
export async function lookAll(urls, wanted) {
  const looked = await Promise.allSettled(urls.map((url) => look(url, wanted.numbers)));
  const answers = looked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = urls.flatMap((_, i) => (looked[i].status === "rejected" ? [i + 1] : []));
  const sights = [...new Set(answers.map((answer) => answer.chainId))].flatMap((chainId) => {
    const mine = answers.filter((answer) => answer.chainId === chainId);
    const needed = Math.max(Math.floor(urls.length / 2) + 1, wanted.needed(chainId));
    const finalizedHashes = agreed(mine.map((answer) => answer.hashes), needed);
    const basis = `${needed} of ${urls.length} endpoints that call it final`;
    const head = { treeSize: 0, root: new Uint8Array(32), state: "active" }; // the contract itself is not asked here
    return finalizedHashes.size ? wanted.contracts(chainId).map((contract) => ({ chainId, contract, basis, finalizedHashes, head })) : [];
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

