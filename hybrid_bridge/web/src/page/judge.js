/**
 * What the page's worker does: files and the reader's trust in, an outcome out. It is ended from outside at any moment.
 *
 * An outcome is plain values, for it is sent to the page's thread: evidence, or the error that refused, or a fault.
 */

import { hex, unhex } from "../bytes.js";
import { BridgeError } from "../errors.js";
import { isPackage, judgePackage, readPackage } from "../package/index.js";
import { bareTrust, parseTrust } from "../trust.js";
import { sha256 } from "../vendor/noble.js";
import { verify } from "../verify/index.js";
import { distinct, lookAll, numbersOf } from "./endpoints.js";

const MAX_READ = (1 << 20) + 1; // one byte more than the largest bundle or trust file: longer ones are refused as such

/**
 * `bundle`: a bundle, or a package that holds one.
 * @typedef {{ bundle: Blob, trust: Blob | null, documents: File[], logId: string, contract: string, urls: string[], needed: number, now: number }} Job
 * @typedef {{ name: string, branch: string, fields: Record<string, unknown>, stoppedAt: string, reached: string[], message: string, inPackage: boolean }} Refusal
 * @typedef {{ evidence?: any, documents?: import("./chain.js").Document[], packed?: import("../package/index.js").PackageEvidence | null, refusal?: Refusal, fault?: string, sha256: string }} Outcome `sha256` of the bundle, also of the one in a package; "" if none could be read whole
 */

/** @param {Job} job @param {(step: string) => void} tell the check that begins @returns {Promise<Outcome>} */
export async function judge(job, tell) {
  let inPackage = false;
  let digest = "";
  try {
    const documents = [];
    for (const file of job.documents) {
      tell(file.name);
      documents.push(await digested(file));
    }
    const trust = await trustOf(job);
    inPackage = isPackage(new Uint8Array(await job.bundle.slice(0, 4).arrayBuffer()));
    const read = inPackage ? await readPackage(job.bundle, tell) : null;
    const data = read?.bundle ?? (await bytesOf(job.bundle));
    digest = data.length < MAX_READ ? hex(sha256(data)) : "";
    let evidence = verify(data, trust, job.now, [], tell);
    if (job.urls.length) {
      tell("endpoints");
      const { sights, failed } = await lookAll(distinct(job.urls), wantedOf(job, trust, numbersOf(evidence)));
      evidence = verify(data, trust, job.now, sights, tell);
      evidence.warnings.push(...failed.map((place) => `no answer from endpoint ${place}`));
    }
    return { evidence, documents, packed: read && judgePackage(read, evidence, trust), sha256: digest };
  } catch (error) {
    if (!(error instanceof BridgeError)) return { fault: String(error), sha256: digest };
    const { name, branch, fields, stoppedAt, reached, message } = error;
    return { refusal: { name, branch, fields, stoppedAt, reached, message, inPackage: inPackage && stoppedAt === "" }, sha256: digest };
  }
}

/** @param {Blob} file */
const bytesOf = async (file) => new Uint8Array(await file.slice(0, MAX_READ).arrayBuffer());

/** A document's digest, read piece by piece. @param {File} file */
async function digested(file) {
  const state = sha256.create();
  for (const reader = file.stream().getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return { name: file.name, sha256: state.digest(), size: file.size };
    state.update(value);
  }
}

/** The trust file, or nobody; and the log id that was typed in. @param {Job} job */
async function trustOf({ trust: file, logId }) {
  const trust = file === null ? bareTrust() : parseTrust(await bytesOf(file));
  if (logId !== "") trust.logs.push({ log_id: unhex(logId), genesis: null });
  return trust;
}

/** The contract that was typed in, or those of the trust file on that very chain; as many voices as the reader and the trust file ask. @param {Job} job @param {import("../trust.js").Trust} trust @param {number[]} numbers @returns {import("./endpoints.js").Wanted} */
function wantedOf({ contract, needed }, trust, numbers) {
  const trusted = (/** @type {number} */ chainId) => trust.public_chains.find((chain) => chain.chain_id === chainId);
  return {
    numbers,
    contracts: (chainId) => (contract !== "" ? [unhex(contract)] : (trusted(chainId)?.contracts ?? [])),
    needed: (chainId) => Math.max(needed, trusted(chainId)?.threshold ?? 0),
  };
}
