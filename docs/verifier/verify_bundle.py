"""An independent verifier of hybrid-bridge bundles: one file, no line of the project in it. § means docs/spec/SPEC.md.

Usage: python verify_bundle.py BUNDLE.hb.json TRUST.json (Python 3.11, coincurve, safe-pysha3). CHECKED: the log is one
YOU trust; each shown field stands in its record, in the half that is printed, that in its epoch, that under the
checkpoint; a quorum of the validators that the log id fixes signed it; an event of a contract YOU trust, in a public
block on which one rests whose hash YOU trust, says the same size and root; artefacts' SHA-256. Exit code: 0 verified,
1 refuted, 2 malformed, 3 undecided (something is missing; several checkpoints, later sets, critical extensions, a
promise, a line of a witness or a post-quantum key). NOT CHECKED: format, purpose, unknown members, orders; key ids,
record types; the log key's line; names, certificates, key bindings; schema, halves, doubled names, rules; transactions,
receipts, JWTs; registry; absences; governance; beacons; tx_index; other anchors; renewals; freshness.
"""

import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

from coincurve import PublicKey
from sha3 import keccak_256

SET = bytes.fromhex("6e87e25102f736f98f729108d5f951d38fcf55272a1142e71025e0ff9f4094b8")  # type hashes, §17
DOMAIN = bytes.fromhex("599a80fcaa47b95e2323ab4d34d34e0cc9feda4b843edafcc30c7bdf60ea15bf")
CHECKPOINT = bytes.fromhex("7f5c204447db420ebedcf891bfac3b67b398689342ac83d0e9fcb74fdb913603")
ANCHORED = bytes.fromhex("872116b15c227d4ffc8e3f0c9552d14bb06bc9a2362786aa99e24f5fc094a90b")  # topic 0, §13
HALF, REFUTED, MALFORMED, UNDECIDED = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0, 1, 2, 3


def say(*words):  # one line: what a field holds is its writer's, and may not look like a verdict
    print(*("".join(c if c.isprintable() else "?" for c in str(word)) for word in words))


def require(holds, code, what):
    if not holds:
        say(("", "REFUTED:", "malformed:", "undecided:")[code], what)
        sys.exit(code)


def octets(text):
    """base64 in its one spelling: base64url without padding (§1); inside notes the standard alphabet, padded."""
    data = urlsafe_b64decode((text := text.rstrip("=").replace("+", "-").replace("/", "_")) + "=" * (-len(text) % 4))
    require(urlsafe_b64encode(data).rstrip(b"=").decode() == text, MALFORMED, "base64")
    return data


def climb(data, index, size, path):
    """The root of the tree in which `data` is leaf `index` (§2). The path's length is checked before any hashing."""
    inner = (index ^ (size - 1)).bit_length()
    require(0 <= index < size and len(path) == inner + (index >> inner).bit_count(), MALFORMED, "index or path length")
    value = sha256(b"\x00" + data).digest()
    for level, sibling in enumerate(map(octets, path)):
        pair = (sibling, value) if level >= inner or index >> level & 1 else (value, sibling)
        value = sha256(b"\x01" + b"".join(pair)).digest()
    return value


def verify_quorum(bundle, genesis, log_id):
    """What a quorum signed (§8): size, root, and the topics and data that the public event must have."""
    origin, validators = bundle["genesis"]["origin"], bundle["genesis"]["validators"]
    body, lines = bundle["checkpoints"][0]["note"].removesuffix("\n").split("\n\n")
    (stated, text, root), entries = body.split("\n"), b""
    require(stated == origin and str(size := int(text)) == text and len(root) == 44, MALFORMED, "checkpoint")
    for v in validators:
        binding = sha256(b"hybrid-bridge/v1/key-binding\x00" + octets(v["key_binding"])[:117]).digest()
        entries += bytes(12) + octets(v["address"]) + sha256(v["name"].encode()).digest()
        entries += octets(v["certificate_hash"]) + binding
    set_hash = sha256(SET + (1).to_bytes(32) + len(validators).to_bytes(32) + entries).digest()
    require(set_hash == genesis[13], REFUTED, "validators are not those of the genesis record")
    time = int.from_bytes(genesis[3]) + (size - 1) * int.from_bytes(genesis[4])
    signed = [log_id, size.to_bytes(32), root := octets(root), time.to_bytes(32), (1).to_bytes(32), set_hash]
    domain = keccak_256(DOMAIN + keccak_256(b"HybridBridge").digest() + keccak_256(b"1").digest() + log_id).digest()
    digest = keccak_256(b"\x19\x01" + domain + keccak_256(CHECKPOINT + b"".join(signed)).digest()).digest()
    names, signers = [f"{origin}/v/{octets(v['address']).hex()}" for v in validators], []
    for dash, name, text in (line.split(" ") for line in lines.split("\n") if not line.startswith(f"— {origin} ")):
        line, stated = octets(text), ("—", signed[3][24:] + signed[4][24:])
        require(name in names and len(line) == 85, UNDECIDED, "a line that is not checked here")
        require((dash, line[4:20]) == stated, REFUTED, "a line of another time or set")
        require(line[84] in {27, 28} and int.from_bytes(line[52:84]) <= HALF, MALFORMED, "s above half the order, or v")
        key = PublicKey.from_signature_and_message(line[20:84] + bytes([line[84] - 27]), digest, hasher=None)
        require(name == f"{origin}/v/{keccak_256(key.format(compressed=False)[1:]).hexdigest()[24:]}", REFUTED, name)
        signers.append(name)
    require(signers == sorted(set(signers)) and len(signers) > 2 * len(names) // 3, REFUTED, "no quorum signed")
    return size, root, [ANCHORED, log_id, signed[1]], root + signed[3] + signed[4]


def rlp(data):
    """The first RLP item of `data` and what follows it (Ethereum Yellow Paper, appendix B)."""
    if data[0] < 0x80:
        return data[:1], data[1:]
    is_list, at, items = data[0] >= 0xC0, 1, []
    if (size := data[0] - (0xC0 if is_list else 0x80)) > 55:
        size, at = int.from_bytes(data[1 : size - 54]), size - 54
    body, rest = data[at : at + size], data[at + size :]
    while is_list and body:
        item, body = rlp(body)
        items.append(item)
    return (items if is_list else body), rest


def verify_anchor(anchor, topics, data, trust):
    """Whether the last public block is trusted, when a receipt of the first one holds the event (§13)."""
    header, receipt, contract = (octets(anchor[part]) for part in ("header", "receipt", "contract"))
    items = named = [rlp(header)[0][5]]
    for node in map(octets, anchor["proof"]):  # a branch or an extension names the nodes below it, a leaf holds
        require(keccak_256(node).digest() in named, REFUTED, "node of the receipt trie")
        items = rlp(node)[0]
        named = items if len(items) == 17 else items[1:]
    require(items[0][0] >> 4 in {2, 3} and named == [receipt], REFUTED, "receipt is not in that public block")
    status, _, _, logs = rlp(receipt[receipt[0] < 0x80 :])[0]
    address, seen, payload = logs[anchor["log_index"]]
    require([status, address, seen, payload[:96]] == [b"\x01", contract, topics, data], REFUTED, "another event")
    for later in map(octets, anchor["descendants"]):
        require(rlp(later)[0][0] == keccak_256(header).digest(), REFUTED, "public headers do not follow one another")
        header = later
    name = urlsafe_b64encode(keccak_256(header).digest()).decode()[:43]
    block = {"number": int.from_bytes(rlp(header)[0][8]), "hash": name}
    chains = [c for c in trust["public_chains"] if c["chain_id"] == anchor["chain_id"]]
    return any(anchor["contract"] in c["contracts"] and block in c["block_hashes"] for c in chains)


try:
    data, trust = Path(sys.argv[1]).read_bytes(), json.loads(Path(sys.argv[2]).read_bytes())
    canonical = json.dumps(bundle := json.loads(data), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    require(canonical.encode() == data, MALFORMED, "not the canonical JSON")
    record, origin, opened = octets(bundle["genesis"]["record"]), bundle["genesis"]["origin"], []
    genesis, log_id = [record[at : at + 32] for at in range(0, 832, 32)], sha256(b"\x00" + record).digest()
    require(sha256(origin.encode()).digest() == genesis[1], REFUTED, "the origin is another")
    more = bundle["checkpoints"][1:] + bundle["rotations"] + bundle["critical"] + [*bundle.get("promise", "")]
    require(not more, UNDECIDED, "more than set 1, or a promise")
    size, root, topics, event = verify_quorum(bundle, genesis, log_id)
    require(climb(record, 0, size, bundle["genesis"]["path"]) == root, REFUTED, "path of the genesis record")
    for epoch in bundle["epochs"]:
        record = octets(epoch["record"])
        number, batch_size = int.from_bytes(record[64:96]), int.from_bytes(record[192:224])
        require(climb(record, number, size, epoch["path"]) == root, REFUTED, "epoch path")
        for part in epoch["entries"]:
            entry = octets(part["entry"])
            require(climb(entry, part["index"], batch_size, part["path"]) == record[224:256], REFUTED, "entry path")
            for shown in part["disclosures"]:
                field, width = sha256(shown["value"].encode()).digest(), int.from_bytes(entry[3:5])
                require(climb(field, shown["index"], width, shown["path"]) == entry[5:], REFUTED, "field path")
                opened.append(tuple(json.loads(octets(shown["value"]))[1:]))
                say(f"epoch {number}/{'claim' if shown['index'] < width // 2 else 'private'}:", *opened[-1])
    require(all((a["field"], a["sha256"]) in opened for a in bundle["artefacts"]), REFUTED, "SHA-256 of an artefact")
    trusted = [verify_anchor(anchor, topics, event, trust) for anchor in bundle["anchors"] if anchor["type"] == "evm"]
    require(log_id in [octets(log["log_id"]) for log in trust["logs"]], UNDECIDED, f"trust in log {log_id.hex()}")
    require(any(trusted), UNDECIDED, "no public block that you trust")
    say(f"VERIFIED: log {origin}, checkpoint of size {size}")
except Exception as error:  # noqa: BLE001 bytes that break the reading code are malformed
    require(False, MALFORMED, repr(error))
