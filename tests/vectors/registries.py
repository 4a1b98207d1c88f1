"""Cases of the family registry/: prefix trees of three families, and the VRF (SPEC §15)."""

import curve
import reference as r
from cases import bad, flip, good

RULES = {
    "ours": r.OURS,
    "JMT": (b"JMT::LeafNode", b"JMT::IntrnalNode", b"SPARSE_MERKLE_PLACEHOLDER_HASH__"),
    "SMT": (b"\x00", b"\x01", bytes(32)),
}
PAIRS = {r.sha(b"key %d" % i): r.sha(b"value %d" % i) for i in range(40)}
STEM = r.sha(b"twins")[:31]
TWINS = {STEM + bytes([last]): r.sha(b"twin %d" % last) for last in (0x54, 0x55)}  # differ in their last bit
SETS = {
    "none": {},
    "one": dict(list(PAIRS.items())[:1]),
    "two": dict(list(PAIRS.items())[:2]),
    "forty": PAIRS,
    "twins": {**PAIRS, **TWINS},
}
SECTION = "SPEC §9.1"
LONG = {"path-257", "absence-of-what-is-there", "value-one-bit", "sibling-one-bit 0"}


def registry_root_cases():
    for family, rules in RULES.items():
        for name, pairs in SETS.items():
            given = {"rules": list(rules), "pairs": list(pairs.items())}
            yield good(f"root-good {family} {name}", SECTION, given, r.prefix_root(pairs, rules))
        doubled = [*PAIRS.items(), next(iter(PAIRS.items()))]
        yield bad(f"key-twice {family}", SECTION, {"rules": list(rules), "pairs": doubled}, "FieldMismatch")
        for size in (31, 33):
            short = [*PAIRS.items(), (bytes(size), bytes(32))]
            yield bad(f"key-of-{size}-bytes {family}", SECTION, {"rules": list(rules), "pairs": short}, "DigestLength")


def registry_proof_cases():
    for family, rules in RULES.items():
        for name, pairs in SETS.items():
            for told, key in asked(pairs, rules):
                terminal, path = r.prefix_proof(key, pairs, rules)
                true = {"root": r.prefix_root(pairs, rules), "key": key, "terminal": terminal, "path": path}
                where = f"{family} {name} {told}"
                yield good(f"{told}-good {where}", SECTION, {"rules": list(rules), **true}, pairs.get(key))
                yield from proof_mutations(where, rules, pairs, true)


def asked(pairs, rules):
    """A key that is there, one that ends in a hole, one that ends in another pair; as far as the set has them."""
    if pairs:
        yield "presence", list(pairs)[-1]
    others = [r.sha(b"other %d" % i) for i in range(200)]
    ends = {bool(r.prefix_proof(key, pairs, rules)[0]): key for key in others}
    if False in ends:
        yield "absence by a hole", ends[False]
    if True in ends:
        yield "absence by a neighbour", ends[True]


def proof_mutations(where, rules, pairs, true):
    for name, change in changes(rules, pairs, true):
        given = {**true, **change}
        if len(given["path"]) > 200 and name not in LONG:
            continue  # eight kilobytes each; their like are tried on short paths
        verdict = r.prefix_verdict(given["root"], given["key"], given["terminal"], given["path"], rules)
        if isinstance(verdict, str):
            yield bad(f"{name} {where}", SECTION, {"rules": list(rules), **given}, verdict)


def changes(rules, pairs, true):
    key, terminal, path, value = true["key"], true["terminal"], true["path"], r.sha(b"another value")
    present = key in pairs
    yield "root-one-bit", {"root": flip(true["root"], 9)}
    yield "empty-root", {"root": rules[2]}
    yield "key-one-bit", {"key": flip(key, 7)}
    if len(pairs) == 1:
        yield "path-257", {"path": [value] * 257}
    yield "path-one-long", {"path": [*path, true["root"]]}
    yield "deepest-sibling-empty", {"path": [rules[2], *path]}
    yield "root-of-31-bytes", {"root": true["root"][:31]}
    yield "key-of-33-bytes", {"key": key + b"\x00"}
    yield "presence-of-anything", {"terminal": [key, value]}
    if present:
        yield "absence-of-what-is-there", {"terminal": None}
        yield "hole-with-wrong-root", {"terminal": None}
        yield "value-one-bit", {"terminal": [key, flip(terminal[1], 250)]}
        yield "absence-terminal-equals-key", {"terminal": [key, bytes(32)]}
        yield "value-of-31-bytes", {"terminal": [key, terminal[1][:31]]}
    elif terminal:
        yield "presence-of-neighbour", {"terminal": [key, terminal[1]]}
        yield "hole-instead-of-neighbour", {"terminal": None}
    for other, held in list(pairs.items())[:2]:
        if other != key:
            yield f"absence-terminal-off-prefix {other.hex()[:4]}", {"terminal": [other, held]}
            yield f"proof-of-another-key {other.hex()[:4]}", proof_of(other, pairs, rules)
    for k in range(min(len(path), 4)):
        yield f"sibling-one-bit {k}", {"path": [*path[:k], flip(path[k], 11 * k), *path[k + 1 :]]}
        yield f"sibling-empty {k}", {"path": [*path[:k], rules[2], *path[k + 1 :]]}
        yield f"path-cut {k}", {"path": path[k + 1 :]}
        yield f"path-cut-to-a-hole {k}", {"path": path[k + 1 :], "terminal": None}
    if len(path) > 1:
        yield "siblings-reversed", {"path": path[::-1]}
        yield "path-one-short", {"path": path[:-1]}
        yield "sibling-of-31-bytes", {"path": [path[0][:31], *path[1:]]}


def proof_of(other, pairs, rules):
    terminal, path = r.prefix_proof(other, pairs, rules)
    return {"terminal": terminal, "path": path}


# ── the VRF (RFC 9381) ───────────────────────────────────────────────────────────────────────────────────────────────

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
KEY = curve.public_key(SEED)
LOG, OTHER_LOG = r.sha(b"log"), r.sha(b"other log")
FILING, MISALIGNED = b"\x00\x0c\x02\x00\x02AB\x00\x01C", b"\x00\x0c\x02\x00\x01A\x00\x02BC"
LABEL, OTHER_LABEL = b"\x00\x02\x02\x00\x02CN\x00\x0226", b"\x00\x02\x02\x00\x02CN\x00\x0227"


def alpha(log=LOG, label=LABEL, version=0):
    return r.context("label") + log + label + version.to_bytes(4, "big")


def vrf_cases():
    for i in range(4):
        seed, text = r.sha(b"seed %d" % i), r.sha(b"alpha") * i
        given = {"key": curve.public_key(seed), "alpha": text, "proof": curve.prove(seed, text)}
        yield judged(f"vrf-good {i}", given)
    for name, given in vrf_mutations():
        yield judged(name, given)


def judged(name, given):
    verdict = curve.verdict(given["key"], given["alpha"], given["proof"])
    make = bad if isinstance(verdict, str) else good
    return make(name, "SPEC §9.3", given, verdict)


def vrf_mutations():
    proof = curve.prove(SEED, alpha())
    true = {"key": KEY, "alpha": alpha(), "proof": proof}
    yield "vrf-good label", true
    yield "vrf-proof-of-other-label", {**true, "alpha": alpha(label=OTHER_LABEL)}
    yield "vrf-proof-of-other-version", {**true, "alpha": alpha(version=1)}
    yield "vrf-proof-of-other-log", {**true, "alpha": alpha(log=OTHER_LOG)}
    filing = {**true, "alpha": alpha(label=FILING), "proof": curve.prove(SEED, alpha(label=FILING))}
    yield "vrf-good filing", filing
    yield "parts-misaligned", {**filing, "alpha": alpha(label=MISALIGNED)}
    yield "vrf-other-key", {**true, "key": curve.public_key(bytes(32))}
    s = curve.little(proof[48:])
    for factor in (1, 2, 14):
        yield f"vrf-s-not-reduced by {factor}", {**true, "proof": proof[:48] + scalar(s + factor * curve.L)}
    for value in (0, 1, curve.L - 1, curve.L, 2**256 - 1):
        yield f"vrf-s {value:x}", {**true, "proof": proof[:48] + scalar(value)}
    yield "vrf-c-zero", {**true, "proof": proof[:32] + bytes(16) + proof[48:]}
    yield "vrf-c-and-s-zero", {**true, "proof": proof[:32] + bytes(48)}
    for size in (0, 79, 81):
        yield f"vrf-proof-of-{size}-bytes", {**true, "proof": (proof + b"\x00")[:size]}
    for size in (0, 31, 33):
        yield f"vrf-key-of-{size}-bytes", {**true, "key": (KEY + b"\x00")[:size]}
    for k in range(0, 640, 37):
        yield f"vrf-proof-one-bit {k}", {**true, "proof": flip(proof, k)}
    for k in range(0, 256, 51):
        yield f"vrf-key-one-bit {k}", {**true, "key": flip(KEY, k)}
    for k, point in enumerate(curve.SMALL):
        encoded = curve.encode_point(point)
        yield f"vrf-small-order-key {k}", {**true, "key": encoded}
        yield f"vrf-small-order-gamma {k}", {**true, "proof": encoded + proof[32:]}
    for name, data in no_points():
        yield f"vrf-key-{name}", {**true, "key": data}
        yield f"vrf-gamma-{name}", {**true, "proof": data + proof[32:]}
    yield from torsion_cases()


def no_points():
    yield "y-is-p", scalar(curve.P)
    yield "y-is-p-plus-1", scalar(curve.P + 1)
    yield "y-largest", scalar(2**255 - 1)
    yield "identity-with-sign", scalar(1 | 1 << 255)
    yield "order-2-with-sign", scalar(curve.P - 1 | 1 << 255)
    yield "off-the-curve", scalar(2)


def torsion_cases():
    """Made by who knows the secret key: true where c is a multiple of the torsion's order, else refuted."""
    x, _ = curve.expand(SEED)
    for k in (1, 2, 4):
        key = curve.encode_point(curve.add(curve.multiply(x, curve.BASE), curve.SMALL[k]))
        for mixed_key, name in ((KEY, "gamma"), (key, "key")):
            point = curve.to_curve(mixed_key, alpha())
            torsion = curve.SMALL[k] if name == "gamma" else curve.IDENTITY
            gamma = curve.add(curve.multiply(x, point), torsion)
            found = {}
            for nonce in range(1, 100):
                proof = curve.forge(x, mixed_key, gamma, nonce, alpha())
                found.setdefault(curve.little(proof[32:48]) % (8 // k) == 0, proof)
                if len(found) == 2:
                    break
            for cancels, proof in sorted(found.items()):
                word = "cancels" if cancels else "stays"
                given = {"key": mixed_key, "alpha": alpha(), "proof": proof}
                yield f"vrf-torsion-in-{name} of order {8 // k}, {word}", given


def scalar(number):
    return number.to_bytes(32, "little")
