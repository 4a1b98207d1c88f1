"""The slow reference: every rule as its recursive or textbook definition, and not one line of `hybrid_bridge`.

Speed does not matter here; that the two cannot share a mistake does. Source: SPEC §1, §2, §8, §9; RFC 6962 §2.1;
RFC 9162 §2.1; FIPS 202 (with Keccak's own padding); SEC 1 §4.1; SEC 2 §2.4.1; RFC 6979; EIP-712.
"""

import hashlib
import hmac
from functools import cache

MAX = 2**53 - 1


def sha(data):
    return hashlib.sha256(data).digest()


def context(name):
    return b"hybrid-bridge/v1/" + name.encode() + b"\x00"


def word(value):
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\x00")


# ── trees (RFC 6962 §2.1) ────────────────────────────────────────────────────────────────────────────────────────────


def leaf(data):
    return sha(b"\x00" + data)


def node(left, right):
    return sha(b"\x01" + left + right)


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def proof(old, leaves):
    return subproof(old, leaves, True)


def subproof(old, leaves, whole):
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*subproof(old, leaves[:k], whole), root(leaves[k:])]
    return [*subproof(old - k, leaves[k:], False), root(leaves[:k])]


def path_length(index, size):
    if size == 1:
        return 0
    k = split(size)
    return 1 + (path_length(index, k) if index < k else path_length(index - k, size - k))


def path_root(value, index, size, siblings):
    if size == 1:
        return value
    k = split(size)
    if index < k:
        return node(path_root(value, index, k, siblings[:-1]), siblings[-1])
    return node(siblings[-1], path_root(value, index - k, size - k, siblings[:-1]))


def proof_length(old, new, whole=True):
    if old == new:
        return 0 if whole else 1
    k = split(new)
    return 1 + (proof_length(old, k, whole) if old <= k else proof_length(old - k, new - k, False))


def proof_roots(old, new, hashes, old_root, whole=True):
    if old == new:
        return (old_root, old_root) if whole else (hashes[0], hashes[0])
    k = split(new)
    if old <= k:
        older, newer = proof_roots(old, k, hashes[:-1], old_root, whole)
        return older, node(newer, hashes[-1])
    older, newer = proof_roots(old - k, new - k, hashes[:-1], old_root, False)
    return node(hashes[-1], older), node(hashes[-1], newer)


def inclusion_verdict(value, index, size, siblings, expected):
    if not 1 <= size <= MAX:
        return "SizeOrder"
    if not 0 <= index < size:
        return "IndexBeyondSize"
    if len(siblings) != path_length(index, size):
        return "PathLength"
    return "ok" if path_root(value, index, size, siblings) == expected else "RootMismatch"


def consistency_verdict(old, new, hashes, old_root, new_root):
    if not 1 <= old <= new <= MAX:
        return "SizeOrder"
    if len(hashes) != proof_length(old, new):
        return "PathLength"
    return "ok" if proof_roots(old, new, hashes, old_root) == (old_root, new_root) else "RootMismatch"


# ── prefix trees (SPEC §9.1); rules are (leaf tag, inner tag, empty value) ───────────────────────────────────────────

OURS = (b"\x02", b"\x03", bytes(32))


def bit(key, depth):
    return "01"[key[depth // 8] >> 7 - depth % 8 & 1]


def prefix_root(pairs, rules=OURS, depth=0):
    if not pairs:
        return rules[2]
    if len(pairs) == 1:
        [(key, value)] = pairs.items()
        return sha(rules[0] + key + value)
    left, right = halves(pairs, depth)
    return sha(rules[1] + prefix_root(left, rules, depth + 1) + prefix_root(right, rules, depth + 1))


def halves(pairs, depth):
    return [{key: value for key, value in pairs.items() if bit(key, depth) == side} for side in "01"]


def prefix_proof(key, pairs, rules=OURS, depth=0):
    """Terminal and path."""
    if len(pairs) < 2:
        return next(iter(pairs.items()), None), []
    left, right = halves(pairs, depth)
    mine, other = (right, left) if bit(key, depth) == "1" else (left, right)
    terminal, path = prefix_proof(key, mine, rules, depth + 1)
    return terminal, [*path, prefix_root(other, rules, depth + 1)]


def prefix_verdict(root, key, terminal, path, rules=OURS):
    """The value, None for absence, or the name of the error."""
    if len(path) > 256:
        return "PathLength"
    if any(len(item) != 32 for item in (root, key, *(terminal or ()), *path)):
        return "DigestLength"
    if path and path[0] == rules[2]:
        return "TerminalMalformed"
    if terminal and any(bit(terminal[0], depth) != bit(key, depth) for depth in range(len(path))):
        return "TerminalMalformed"
    if climbed(key, terminal, path, rules, 0) != root:
        return "RootMismatch"
    return terminal[1] if terminal and terminal[0] == key else None


def climbed(key, terminal, path, rules, depth):
    if not path:
        return sha(rules[0] + terminal[0] + terminal[1]) if terminal else rules[2]
    below, sibling = climbed(key, terminal, path[:-1], rules, depth + 1), path[-1]
    return sha(rules[1] + (sibling + below if bit(key, depth) == "1" else below + sibling))


# ── keccak-256 ───────────────────────────────────────────────────────────────────────────────────────────────────────


MASK = 2**64 - 1


def rotate(lane, by):
    return (lane << by | lane >> (64 - by)) & MASK


def round_bit(t):
    """Bit t of the linear feedback shift register x^8 + x^6 + x^5 + x^4 + 1."""
    register = 1
    for _ in range(t % 255):
        register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return register & 1


ROUNDS = [sum(round_bit(j + 7 * r) << 2**j - 1 for j in range(7)) for r in range(24)]


def turns():
    """Where each lane goes and by how much it turns: FIPS 202 §3.2.2 and §3.2.3 in one walk from (1, 0)."""
    found, x, y = [(0, 0, 0)], 1, 0
    for t in range(24):
        found.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (t + 1) * (t + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return found


TURNS = turns()


def permute(a):
    """Keccak-f[1600]; lane (x, y) is a[x + 5y]."""
    for constant in ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
        b = [0] * 25
        for old, new, by in TURNS:
            lane = a[old] ^ d[old % 5]
            b[new] = (lane << by | lane >> (64 - by)) & MASK
        a = [b[i] ^ (~b[i - i % 5 + (i + 1) % 5] & b[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        a[0] ^= constant
    return a


@cache  # the same type strings, domains and trie nodes come again and again
def keccak(data):
    rate = 136
    fill = rate - len(data) % rate
    padded = bytearray(data + b"\x01" + bytes(fill - 1))
    padded[-1] |= 0x80
    state = [0] * 25
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i] ^= int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
        state = permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


# ── secp256k1 ────────────────────────────────────────────────────────────────────────────────────────────────────────

P = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = 3 * a[0] ** 2 * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiples(point):
    """0, 1, … 255 times the point, and 256 times."""
    row = [None]
    while len(row) < 257:
        row.append(add(row[-1], point))
    return row


WINDOWS = [multiples(G)]
while len(WINDOWS) < 32:
    WINDOWS.append(multiples(WINDOWS[-1][256]))


def multiply(k):
    """k times the generator, eight bits at a time."""
    total = None
    for i, row in enumerate(WINDOWS):
        total = add(total, row[k >> 8 * i & 255])
    return total


def address(key):
    x, y = multiply(key)
    return keccak(word(x) + word(y))[12:]


def nonces(key, digest):
    """RFC 6979 §3.2 with HMAC-SHA-256."""
    seed = word(key) + word(int.from_bytes(digest, "big") % ORDER)
    k, v = bytes(32), b"\x01" * 32
    for tag in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + tag + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        if 0 < int.from_bytes(v, "big") < ORDER:
            yield int.from_bytes(v, "big")
        k = hmac.digest(k, v + b"\x00", "sha256")
        v = hmac.digest(k, v, "sha256")


def sign(key, digest):
    """65 bytes r ‖ s ‖ v with low s."""
    for k in nonces(key, digest):
        x, y = multiply(k)
        r = x % ORDER
        s = pow(k, -1, ORDER) * (int.from_bytes(digest, "big") + r * key) % ORDER
        if r and s and x < ORDER:
            odd = y & 1
            return word(r) + word(min(s, ORDER - s)) + bytes([27 + (odd if s <= ORDER // 2 else 1 - odd)])
    raise AssertionError


# ── EIP-712 (SPEC §8.2) ──────────────────────────────────────────────────────────────────────────────────────────────

LOG_DOMAIN = "EIP712Domain(string name,string version,bytes32 salt)"
POWER_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
CHECKPOINT = (
    "Checkpoint(bytes32 logId,uint64 treeSize,bytes32 rootHash,uint64 timestamp,"
    "uint64 validatorSetId,bytes32 validatorSetHash)"
)
SET_UPDATE = "ValidatorSetUpdate(bytes32 logId,uint64 setId,bytes32 newSetHash,uint64 effectiveFromSize)"


def struct(type_string, *values):
    return keccak(keccak(type_string.encode()) + b"".join(word(value) for value in values))


def typed(separator, struct_hash):
    return keccak(b"\x19\x01" + separator + struct_hash)


def log_domain(salt):
    return struct(LOG_DOMAIN, keccak(b"HybridBridge"), keccak(b"1"), salt)


def power_domain(chain_id, contract, salt):
    return struct(POWER_DOMAIN, keccak(b"HybridBridge"), keccak(b"1"), chain_id, contract, salt)


# ── validator sets (SPEC §8.1) ───────────────────────────────────────────────────────────────────────────────────────


def needed(n):
    """The least k with 3k > 2n."""
    k = 0
    while 3 * k <= 2 * n:
        k += 1
    return k


def set_hash(set_id, entries):
    return sha(
        sha(b"HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)")
        + word(set_id)
        + word(len(entries))
        + b"".join(entries)
    )
