"""Cases of the family epoch/ (SPEC §15): an epoch record after another, under a genesis record."""

import reference as r
from cases import bad, good

SECTION = "SPEC §7.2"
GENESIS_TYPE = (
    "HybridBridge.Genesis.v1(bytes32 originHash,uint64 specVersion,uint64 genesisTime,uint64 cadence,uint64 grace,"
    "uint64 promiseDelay,uint64 batchLadder,uint64 registryLadder,uint64 registrySuite,bytes32 vrfPublicKey,"
    "bytes32 registryRoot,bytes32 labelTableHash,bytes32 setHash,bytes32 decoyKeyHash,bytes32 logKey,"
    "bytes32 receiptKey,bytes32 logMldsaKeyHash,address guardian,uint64 pauseMax,bytes32 ledgerId,uint64 firstBlock,"
    "bytes32 policyHash,bytes32 predecessor,uint64 predecessorSize,bytes32 predecessorRoot)"
)
EPOCH_TYPE = (
    "HybridBridge.Epoch.v1(bytes32 logId,uint64 epoch,uint64 firstBlock,uint64 endBlock,bytes32 lastBlockHash,"
    "uint64 batchSize,bytes32 batchRoot,bytes32 registryRoot,uint64 governanceSize,bytes32 governanceRoot,"
    "uint64 setId,bytes32 setHash,uint64 publicChainId,uint64 publicBlockNumber,bytes32 publicBlockHash,"
    "uint64 closedAt,uint64 flags,bytes32 statsCommitment,bytes32 blind)"
)
KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # of the RFC 8032 test-1 seed
TIME, CADENCE = 1_800_000_000, 600


def words(type_string, values):
    return r.sha(type_string.encode()) + b"".join(r.word(value) for value in values)


def genesis(origin="example.org/receivables", receipt_key=bytes(32)):
    return words(
        GENESIS_TYPE,
        [r.sha(origin.encode()), 1, TIME, CADENCE, 1800, 6, 0x440, 0x14, 1, KEY, r.sha(b"registry"), r.sha(b"labels"),
         r.sha(b"set"), r.sha(b"decoys"), KEY, receipt_key, bytes(32), bytes(20), 86400, r.sha(b"ledger"), 1,
         r.sha(b"policy"), bytes(32), 0, bytes(32)],
    )  # fmt: skip


GENESIS = genesis()
LOG_ID = r.leaf(GENESIS)
NAMES = [part.rpartition(" ")[2] for part in EPOCH_TYPE.split("(")[1][:-1].split(",")]


def epoch(number, log_id=LOG_ID, **changes):
    values = {
        "logId": log_id, "epoch": number, "firstBlock": 10 * number - 9, "endBlock": 10 * number + 1,
        "lastBlockHash": r.sha(b"block %d" % (10 * number)), "batchSize": 64, "batchRoot": r.sha(b"batch %d" % number),
        "registryRoot": r.sha(b"registry %d" % number), "governanceSize": 5, "governanceRoot": r.sha(b"governance"),
        "setId": 1, "setHash": r.sha(b"set"), "publicChainId": 1, "publicBlockNumber": 100 + number,
        "publicBlockHash": r.sha(b"public %d" % number), "closedAt": TIME + number * CADENCE, "flags": 0,
        "statsCommitment": r.sha(b"stats"), "blind": r.sha(b"blind %d" % number),
    }  # fmt: skip
    assert set(changes) <= set(values)
    return words(EPOCH_TYPE, [{**values, **changes}[name] for name in NAMES])


def after(**changes):
    return {"genesis": GENESIS, "older": epoch(6), "newer": epoch(7, **changes)}


def raw(name, word):
    """Word `name` as these 32 bytes, whatever it may hold."""
    at = 32 * (NAMES.index(name) + 1)
    data = epoch(7)
    return {"genesis": GENESIS, "older": epoch(6), "newer": data[:at] + word + data[at + 32 :]}


def epoch_cases():
    yield good("next", SECTION, after())
    yield good("next with the brake on", SECTION, after(flags=1))
    yield good("next without a beacon", SECTION, after(publicChainId=0, publicBlockNumber=0, publicBlockHash=bytes(32)))
    idle = {"firstBlock": 61, "endBlock": 61, "lastBlockHash": r.sha(b"block 60")}
    yield good("next without a block", SECTION, after(**idle))
    yield good("next under the next set", SECTION, after(setId=2, setHash=r.sha(b"set 2")))
    yield good("next with more governance", SECTION, after(governanceSize=9, governanceRoot=r.sha(b"more")))
    for name, given, error in (*order_mutations(idle), *word_mutations()):
        yield bad(name, SECTION, given, error)


def order_mutations(idle):
    yield "non-contiguous-epochs", {"genesis": GENESIS, "older": epoch(6), "newer": epoch(8)}, "FieldMismatch"
    yield "index-differs-from-epoch", after(epoch=6), "FieldMismatch"
    yield "same-epoch-again", {"genesis": GENESIS, "older": epoch(6), "newer": epoch(6)}, "FieldMismatch"
    yield "epoch-of-other-log", after(logId=r.leaf(genesis("other.example/log"))), "FieldMismatch"
    yield "blocks-overlap", after(firstBlock=60), "FieldMismatch"
    yield "blocks-gap", after(firstBlock=62), "FieldMismatch"
    yield "idle-block-hash-other", after(**{**idle, "lastBlockHash": r.sha(b"block 61")}), "FieldMismatch"
    yield "closedat-off-by-one", after(closedAt=TIME + 7 * CADENCE + 1), "FieldMismatch"
    yield "closedat-off-by-one earlier", after(closedAt=TIME + 7 * CADENCE - 1), "FieldMismatch"
    yield "time-goes-backwards", after(closedAt=TIME + 5 * CADENCE), "FieldMismatch"
    yield "batch-size-off-ladder", after(batchSize=128), "FieldMalformed"
    yield "governance-size-falls", after(governanceSize=4), "FieldMismatch"
    yield "governance-root-other", after(governanceRoot=r.sha(b"other")), "FieldMismatch"
    yield "set-hash-other", after(setHash=r.sha(b"other")), "FieldMismatch"
    yield "set-id-skipped", after(setId=3, setHash=r.sha(b"set 3")), "FieldMismatch"


def word_mutations():
    yield "registry-root-zero", after(registryRoot=bytes(32)), "WordMalformed"
    yield "flags-unknown-bit", after(flags=2), "WordMalformed"
    yield "end-before-first", after(endBlock=60), "WordMalformed"
    yield "batch-size-no-power", after(batchSize=63), "WordMalformed"
    yield "governance-size-zero", after(governanceSize=0), "WordMalformed"
    yield "set-id-zero", after(setId=0), "WordMalformed"
    yield "beacon-half-zero chain", after(publicChainId=0), "WordMalformed"
    yield "beacon-half-zero number", after(publicBlockNumber=0), "WordMalformed"
    yield "beacon-half-zero hash", after(publicBlockHash=bytes(32)), "WordMalformed"
    for name in ("epoch", "firstBlock", "batchSize", "setId", "closedAt", "flags"):
        yield f"pad-byte-set {name}", raw(name, b"\x01" + bytes(31)), "WordMalformed"
        yield f"u64-over-2^53 {name}", raw(name, r.word(2**53)), "WordMalformed"
    yield (
        "epoch-zero",
        {"genesis": GENESIS, "older": epoch(6), "newer": epoch(0, firstBlock=1, endBlock=1)},
        "WordMalformed",
    )
    good_ = epoch(7)
    for name, data in (("639-bytes", good_[:-1]), ("641-bytes", good_ + b"\x00"), ("empty", b"")):
        yield name, {"genesis": GENESIS, "older": epoch(6), "newer": data}, "RecordMalformed"
    other = r.sha(b"HybridBridge.Epoch.v2()") + good_[32:]
    yield "type-of-another-record", {"genesis": GENESIS, "older": epoch(6), "newer": other}, "WordMalformed"
