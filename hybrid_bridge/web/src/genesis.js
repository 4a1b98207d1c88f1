/**
 * The genesis record: log leaf 0, governance leaf 0, and by its hash the consortium's name. Source: SPEC §7.1.
 */

import { exact, isZero } from "./bytes.js";
import { MAX_U64, WordRecord } from "./encoding.js";
import { refusal } from "./errors.js";
import { leafHash } from "./proof.js";
import { requireVrfKey } from "./vrf.js";

const GENESIS = new WordRecord(
  "HybridBridge.Genesis.v1(bytes32 originHash,uint64 specVersion,uint64 genesisTime,uint64 cadence,uint64 grace," +
    "uint64 promiseDelay,uint64 batchLadder,uint64 registryLadder,uint64 registrySuite,bytes32 vrfPublicKey," +
    "bytes32 registryRoot,bytes32 labelTableHash,bytes32 setHash,bytes32 decoyKeyHash,bytes32 logKey," +
    "bytes32 receiptKey,bytes32 logMldsaKeyHash,address guardian,uint64 pauseMax,bytes32 ledgerId,uint64 firstBlock," +
    "bytes32 policyHash,bytes32 predecessor,uint64 predecessorSize,bytes32 predecessorRoot)",
);
/** @type {[string, number, number][]} */
const RANGES = [
  ["specVersion", 1, 1],
  ["genesisTime", 1, 2 ** 40 - 1],
  ["cadence", 1, 86_400],
  ["grace", 0, 2 ** 32 - 1],
  ["promiseDelay", 1, 1_000],
  ["registrySuite", 1, 1],
  ["pauseMax", 0, 2_592_000],
];
/** @type {[string, number, number][]} lowest and highest bit */
const LADDERS = [["batchLadder", 3, 20], ["registryLadder", 1, 20]];
const NEVER_ZERO = ["originHash", "registryRoot", "setHash", "decoyKeyHash", "logKey"];

/** @typedef {any} Genesis a member for each name of the type string, and `logId` */

/** @param {Uint8Array} data 832 bytes @returns {Genesis} */
export function decodeGenesis(data) {
  const genesis = GENESIS.decode(data);
  for (const [name, low, high] of RANGES) GENESIS.require(low <= genesis[name] && genesis[name] <= high, name);
  for (const [name, low, high] of LADDERS) GENESIS.require(isLadder(genesis[name], low, high), name);
  for (const name of NEVER_ZERO) GENESIS.require(!isZero(genesis[name]), name);
  const continues = !isZero(genesis.predecessor);
  GENESIS.require(genesis.predecessorSize > 0 === continues, "predecessorSize");
  GENESIS.require(!isZero(genesis.predecessorRoot) === continues, "predecessorRoot");
  requireVrfKey(genesis.vrfPublicKey, "vrf_public_key");
  return { ...genesis, logId: leafHash(data) };
}

/** Some bits from `low` to `high`, and no others. @param {number} ladder @param {number} low @param {number} high */
const isLadder = (ladder, low, high) => ladder > 0 && ladder < 2 ** (high + 1) && ladder % 2 ** low === 0;

/** genesisTime + (treeSize − 1)·cadence (SPEC §8.2); exact however large. @param {Genesis} genesis @param {number} treeSize */
export function checkpointTimestamp(genesis, treeSize) {
  if (!(treeSize >= 1 && treeSize <= MAX_U64)) throw refusal("SizeOrder", { older: 1, newer: treeSize });
  return moment(genesis, BigInt(treeSize) - 1n);
}

/** When `epoch` ends: genesisTime + e·cadence. @param {Genesis} genesis @param {number} epoch */
export const closedAt = (genesis, epoch) => moment(genesis, BigInt(epoch));

/** @param {Genesis} genesis @param {bigint} epochs */
const moment = (genesis, epochs) => exact(BigInt(genesis.genesisTime) + epochs * BigInt(genesis.cadence));
