"""Gas of whole transactions under today's rules and the announced ones: `python -m bench.gas` writes docs/explanation/gas.md.

Prague by py-evm in this process; Osaka and Amsterdam by geth's `evm t8n` (`infra/install.sh geth-evm`), which runs the same
list of signed transactions. Counted, not timed: every run gives the same table.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import address_of, public_key_of
from tests.engines import CACHE, PINS
from tests.evm.whole_transactions import ARTEFACT, TIME, Ledger, Place, Sent, anchors, batch, mean, measured, rare

OUT = Path(__file__).parents[1] / "docs" / "explanation" / "gas.md"
EVM = CACHE / "bin" / f"geth-evm-{PINS['GETH_EVM']}" / "evm"
KEY = keccak256(b"a key for gas")
SENDER = address_of(public_key_of(KEY))
REGISTRY = Place(1, b"\xaa" * 20)
FORKS = ("Osaka", "Amsterdam")
MEMBERS = (1, 4, 7, 16, 32, 64)
CAP = 1 << 24  # gas of one transaction, EIP-7825
SYSTEM = {  # their code is not needed; absent, the calls of a block's end fail on some forks
    "0x00000961ef480eb55e80d19ad83579a64c007002": "00",
    "0x0000bbddc7ce488642fb579f8b00f3a590007251": "00",
    "0x0000bff46984e3725691fa540a8c7589300d8282": "00",
    "0x000064d678505ad48f8ccb093bc65613800e8282": "00",
    "0x0000f90827f1c53a10cb7a02335b175320002935": "00",
    "0x000f3df6d732807ef1319fb7b8bb8522d0beac02": "00",
}


def everything(place: Place) -> Iterator[Sent]:
    for n in MEMBERS:
        yield from anchors(n)
    yield from batch()
    yield from rare(place)


# ── geth's tool ──────────────────────────────────────────────────────────────────────────────────────────────────────


def under(fork: str, sent: list[Sent], code: bytes, tool: Path = EVM) -> dict[str, int]:
    """Gas by name; the mean where a name comes more than once."""
    found: dict[str, list[int]] = {}
    for one, used in zip(sent, run(fork, alloc(code), transactions(sent), tool), strict=True):
        if one.name:
            found.setdefault(one.name, []).append(used)
    return {name: mean(values) for name, values in found.items()}


def deployment(fork: str, tool: Path = EVM) -> int:
    """Gas of the registry's creation. Its state is not counted against the cap of a transaction where it is dear."""
    creation = {"input": ARTEFACT["bytecode"], "nonce": "0x0", "gas": hex(60_000_000 if fork == "Amsterdam" else CAP)}
    fixed = {name: value for name, value in transactions([Sent("", b"")])[0].items() if name != "to"}
    return run(fork, alloc(b""), [fixed | creation], tool)[0]


def run(fork: str, accounts: dict[str, Any], signed: list[dict[str, str]], tool: Path = EVM) -> list[int]:
    """The gas of each transaction, all in one public block: each begins with cold accounts and slots."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = {"alloc": accounts, "env": environment(), "txs": signed}
        for name, value in inputs.items():
            (Path(folder) / f"{name}.json").write_text(json.dumps(value))
        files = [f"--input.{name}={folder}/{name}.json" for name in inputs]
        command = [str(tool), "t8n", f"--state.fork={fork}", "--state.chainid=1", *files, f"--output.basedir={folder}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{fork}: {done.stderr[-2000:]}")
        result = json.loads((Path(folder) / "result.json").read_text())
    receipts = result["receipts"] or []
    if result.get("rejected") or not all(map(succeeded, receipts)):
        sys.exit(f"{fork}: {result.get('rejected') or 'a transaction failed'}")
    totals = [0, *(int(receipt["cumulativeGasUsed"], 16) for receipt in receipts)]
    return [after - before for before, after in pairwise(totals)]


def succeeded(receipt: dict[str, Any]) -> bool:
    """The Python specification's tool has another word for the status."""
    return receipt.get("status") == "0x1" or receipt.get("succeeded") is True


def alloc(code: bytes) -> dict[str, Any]:
    accounts = {f"0x{SENDER.hex()}": {"balance": hex(10**24)}}
    if code:
        accounts[f"0x{REGISTRY.contract.hex()}"] = {"balance": "0x0", "code": "0x" + code.hex()}
    return accounts | {
        address: {"balance": "0x0", "nonce": "0x1", "code": "0x" + text} for address, text in SYSTEM.items()
    }


def environment() -> dict[str, Any]:
    return {
        "currentCoinbase": "0x" + "00" * 20,
        "currentGasLimit": hex(1 << 40),
        "currentNumber": "0x1",
        "currentTimestamp": hex(TIME),
        "currentRandom": "0x" + "00" * 32,
        "currentDifficulty": "0x0",
        "currentBaseFee": "0x7",
        "currentBlobGasUsed": "0x0",
        "currentExcessBlobGas": "0x0",
        "parentBeaconBlockRoot": "0x" + "00" * 32,
        "parentHash": "0x" + "00" * 32,
        "slotNumber": "0x1",
        "withdrawals": [],
    }


def transactions(sent: list[Sent]) -> list[dict[str, str]]:
    fixed = {"value": "0x0", "gasPrice": hex(10**9), "gas": hex(CAP), "v": "0x0", "r": "0x0", "s": "0x0"}
    fixed |= {"secretKey": "0x" + KEY.hex(), "to": f"0x{REGISTRY.contract.hex()}"}
    return [fixed | {"input": "0x" + one.data.hex(), "nonce": hex(nonce)} for nonce, one in enumerate(sent)]


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────

HEAD = """# Gas

Written by `python -m bench.gas`; nothing here is timed, so every run gives the same page. Whole transactions of
[the registry](../spec/CONTRACT.md), base cost and calldata included, mean of the run that [CONTRACT](../spec/CONTRACT.md)
§4.1 describes. Prague: py-evm, the column that `tests/evm/gas.json` fixes. Osaka (today's rules) and Amsterdam (announced,
not final): geth's `evm` {evm}. Two machines, one list of transactions; signatures of powers name the chain, so a few bytes
of those differ. No anchor creates a storage slot.

*plain*: each epoch, sizes 6,001 … 6,016, 10.0 path hashes. *aligned*: every eighth, 6,152 … 6,176, 4 path hashes on average.
"""
KINDS = ("plain", "aligned")


def table(names: list[str], head: str, columns: dict[str, dict[str, int]]) -> list[str]:
    """One row a name."""
    rows = [f"| {head} | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for name in names:
        cells = (f"{gas[name]:,}" if name in gas else "–" for gas in columns.values())
        rows += [f"| {name} | {' | '.join(cells)} |"]
    return rows


def page(columns: dict[str, dict[str, int]]) -> str:
    """The whole document."""
    names = list(columns["Osaka"])
    lines = [HEAD.format(evm=PINS["GETH_EVM"])]
    for kind in KINDS:
        lines += [*table([n for n in names if n.startswith(kind)], f"anchor, {kind}, members", columns), ""]
    rest = sorted(name for name in names if not name.startswith(KINDS))
    return "\n".join([*lines, *table(rest, "else, members", columns)]) + "\n"


def peer(artefact: Path) -> str:
    """EAS `timestamp(bytes32)`, no signatures and a slot each, from the artefact in its npm package (bench/README.md)."""
    code = bytes.fromhex(json.loads(artefact.read_text())["deployedBytecode"].removeprefix("0x"))
    call = keccak256(b"timestamp(bytes32)")[:4]
    sent = [Sent("timestamp", call + keccak256(b"%d" % number)) for number in range(4)]
    return ", ".join(f"{fork} {under(fork, sent, code)['timestamp']:,}" for fork in FORKS)


def again(tool: Path) -> str:
    """Osaka's column once more by another state-transition tool, e.g. `ethereum-spec-evm`; it must be the page's."""
    sent, code = list(everything(REGISTRY)), bytes.fromhex(ARTEFACT["runtime_bytecode"][2:])
    found = {"deploy AnchorRegistry": deployment("Osaka", tool), **under("Osaka", sent, code, tool)}
    rows = [[cell.strip() for cell in line.split("|")] for line in OUT.read_text().splitlines()]
    page = {row[1]: row[3] for row in rows if len(row) > 4}
    wrong = [
        f"{name}: {gas:,}, the page has {page.get(name)}" for name, gas in found.items() if page.get(name) != f"{gas:,}"
    ]
    if wrong:
        sys.exit("\n".join(wrong))
    return f"{len(found)} rows, {len(sent)} transactions: equal"


def main() -> None:
    if sys.argv[1:2] == ["again"]:
        print(again(Path(sys.argv[2])))
        return
    if not EVM.exists():
        sys.exit("geth's evm is not there. Run: ./infra/install.sh geth-evm")
    if sys.argv[1:]:
        print(peer(Path(sys.argv[1])))
        return
    ledger = Ledger()
    columns = {"Prague": {"deploy AnchorRegistry": ledger.deployment, **measured(ledger, everything(ledger.place))}}
    sent, code = list(everything(REGISTRY)), bytes.fromhex(ARTEFACT["runtime_bytecode"][2:])
    for fork in FORKS:
        columns[fork] = {"deploy AnchorRegistry": deployment(fork), **under(fork, sent, code)}
    OUT.write_text(page(columns))
    print(OUT.read_text())


if __name__ == "__main__":
    main()
