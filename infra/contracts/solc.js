// The pinned compiler as a program; NODE_PATH names its node_modules.
//   --version     its version          --keccak256   hash of the hex on stdin          else: standard JSON, stdin to stdout
const solc = () => require("solc");
const stdin = () => require("fs").readFileSync(0, "utf8");

if (process.argv.includes("--version")) {
  process.stdout.write("Version: " + solc().version() + "\n");
} else if (process.argv.includes("--keccak256")) {
  process.stdout.write(require("js-sha3").keccak256(Buffer.from(stdin(), "hex")) + "\n");
} else {
  process.stdout.write(solc().compile(stdin()) + "\n");
}
