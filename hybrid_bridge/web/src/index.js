/**
 * hybrid-bridge's verifier for JavaScript: the same verdict as `hybrid-bridge verify`, with the same named reason.
 *
 *     import { evidenceJson, parseTrust, verify } from "./verifier.js";
 *     const evidence = verify(bundleBytes, parseTrust(trustBytes), Math.floor(Date.now() / 1000));
 *     console.log(evidenceJson(evidence));            // throws BridgeError: .name, .branch, .fields, .stoppedAt
 */

export { BridgeError } from "./errors.js";
export { evidenceJson } from "./evidence.js";
export { isPackage, packageJson, verifyPackage } from "./package/index.js";
export { bareTrust, parseTrust } from "./trust.js";
export { verify } from "./verify/index.js";
