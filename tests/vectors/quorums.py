"""Cases of the family quorum/ (SPEC §15), and the fixture of SPEC §17."""

import reference as r
from cases import bad, flip, good

LOG_ID = bytes.fromhex("2723b7869e5eafec1e8a2c0f79c66dab9f0d693a03ceb1602ec9df710a6a905a")
ROOT = bytes.fromhex("2a230a37fe3a8cad73614edfa841475ae8ebe693d7550f652b00a8adb82c8cfc")
ORIGIN = "example.org/receivables"
GENESIS_TIME, CADENCE, SIZE = 1800000000, 600, 2
ADDRESSES = {key: r.address(key) for key in range(1, 67)}
KEYS = {address: key for key, address in ADDRESSES.items()}


def entry(number, address):
    certificate = r.sha(b"certificate %d" % number)
    name = r.sha(b'{"id":"LEI:TEST%d","name":"Member %d"}' % (number, number))
    struct = b"\x01" + r.sha(ORIGIN.encode()) + certificate + address + bytes(32)
    return r.word(address) + name + certificate + r.sha(r.context("key-binding") + struct)


def make_set(set_id, keys):
    """Set id, entries and addresses, in address order."""
    addresses = sorted(ADDRESSES[key] for key in keys)
    entries = [entry(i, address) for i, address in enumerate(addresses)]
    return {"id": set_id, "entries": entries, "addresses": addresses, "hash": r.set_hash(set_id, entries)}


def statement(members, **changes):
    """The checkpoint of the fixture under this set."""
    fields = {"log_id": LOG_ID, "tree_size": SIZE, "root": ROOT, "timestamp": GENESIS_TIME + (SIZE - 1) * CADENCE}
    return fields | {"set_id": members["id"], "set_hash": members["hash"]} | changes


def digest(fields, domain=None):
    separator = domain or r.log_domain(fields["log_id"])
    return r.typed(separator, r.struct(r.CHECKPOINT, *fields.values()))


def signatures(members, count, message):
    return [r.sign(KEYS[address], message) for address in members["addresses"][:count]]


def case_input(members, fields, given, sets=None):
    entries = [{"from_size": 1, "set_id": members["id"], "entries": b"".join(members["entries"])}]
    clock = {"genesis_time": GENESIS_TIME, "cadence": CADENCE}
    return fields | clock | {"sets": sets or entries, "signatures": given}


def sweep_cases():
    """The rule for every n. Set n is the first n of the 64 entries that the file gives once."""
    addresses = sorted(KEYS[a] for a in sorted(KEYS)[:64])
    whole = make_set(1, addresses)
    for n in range(1, 65):
        members = {key: whole[key][:n] for key in ("entries", "addresses")} | {"id": 1}
        members["hash"] = r.set_hash(1, members["entries"])
        signed = signatures(members, r.needed(n), digest(statement(members)))
        given = {"members": n, "set_hash": members["hash"], "signatures": signed}
        yield good(f"exactly-quorum {n}", "SPEC §8.1", given, {"needed": r.needed(n)})
        yield bad(f"below-quorum {n}", "SPEC §8.1", {**given, "signatures": signed[:-1]}, "BelowQuorum")
    yield bad("n-zero", "SPEC §8.1", {"members": 0, "set_hash": r.set_hash(1, []), "signatures": []}, "FieldMalformed")
    sixty_five = make_set(1, [KEYS[a] for a in sorted(KEYS)[:65]])
    given = {"members": 65, "set_hash": sixty_five["hash"], "signatures": signed}
    yield bad("n-65", "SPEC §8.1", given, "RecordMalformed")


def sweep_extra():
    """65 entries, so that a set of 65 can be refused too."""
    return {
        **statement({"id": 1, "hash": b""}),
        "genesis_time": GENESIS_TIME,
        "cadence": CADENCE,
        "entries": b"".join(make_set(1, [KEYS[a] for a in sorted(KEYS)[:65]])["entries"]),
    }


def quorum_cases():
    four = make_set(1, [1, 2, 3, 4])
    fields = statement(four)
    signed = signatures(four, 4, digest(fields))
    section = "SPEC §8.2"
    yield good("quorum-good three of four", section, case_input(four, fields, signed[:3]), four["addresses"][:3])
    yield good("quorum-good four of four", section, case_input(four, fields, signed), four["addresses"])
    for name, given, error in signature_mutations(four, fields, signed):
        yield bad(name, section, case_input(four, fields, given), error)
    for name, given, error in statement_mutations(four, fields, signed):
        yield bad(name, section, given, error)
    yield from rotation_cases(four)


def signature_mutations(four, fields, signed):
    a, b, c, d = signed
    stranger = r.sign(9, digest(fields))
    s = int.from_bytes(c[32:64], "big")
    high = c[:32] + r.word(r.ORDER - s) + bytes([55 - c[64]])
    yield "below-quorum none", [], "BelowQuorum"
    yield "below-quorum two", [a, b], "BelowQuorum"
    yield "duplicate-signer", [a, b, b], "FieldMalformed"
    yield "duplicate-signer first", [a, a, b], "FieldMalformed"
    yield "duplicate-signer five", [a, b, c, d, d], "FieldMalformed"
    yield "unsorted-signers", [b, a, c], "FieldMalformed"
    yield "unsorted-signers reversed", [d, c, b, a], "FieldMalformed"
    yield "signer-not-in-set", [a, b, stranger], "SignerUnknown"
    yield "signer-not-in-set beside a quorum", [a, b, c, stranger], "SignerUnknown"
    yield "high-s", [a, b, high], "FieldMalformed"
    for v in (0, 1, 26, 29):
        yield f"v-0-or-1 v={v}", [a, b, c[:64] + bytes([v])], "FieldMalformed"
    yield "v-flipped", [a, b, c[:64] + bytes([55 - c[64]])], "SignerUnknown"
    yield "r-zero", [a, b, bytes(32) + c[32:]], "FieldMalformed"
    yield "s-zero", [a, b, c[:32] + bytes(32) + c[64:]], "FieldMalformed"
    yield "r-order", [a, b, r.word(r.ORDER) + c[32:]], "FieldMalformed"
    yield "s-order", [a, b, c[:32] + r.word(r.ORDER) + c[64:]], "FieldMalformed"
    yield "recovered-zero-address", [a, b, r.word(5) + c[32:]], "SignatureWrong"  # no point has x = 5
    yield "signature-64-bytes", [a, b, c[:64]], "FieldMalformed"
    yield "signature-66-bytes", [a, b, c + b"\x00"], "FieldMalformed"
    yield "wrong-logid-salt", signatures(four, 3, digest(fields, r.log_domain(bytes(32)))), "SignerUnknown"
    power = r.power_domain(1, b"\xcc" * 20, LOG_ID)
    yield "domain-with-chainid", signatures(four, 3, digest(fields, power)), "SignerUnknown"
    other = digest({**fields, "log_id": r.sha(b"other")}, r.log_domain(LOG_ID))
    yield "wrong-logid-field", signatures(four, 3, other), "SignerUnknown"
    for name, field, value in (
        ("signed-another-root", "root", r.sha(b"x")),
        ("signed-another-size", "tree_size", 3),
        ("signed-another-time", "timestamp", fields["timestamp"] + 1),
    ):
        yield name, signatures(four, 3, digest({**fields, field: value})), "SignerUnknown"
    yield "signed-the-digest-twice-hashed", signatures(four, 3, r.keccak(digest(fields))), "SignerUnknown"


def statement_mutations(four, fields, signed):
    late = statement(four, timestamp=fields["timestamp"] + 1)
    given = case_input(four, late, signatures(four, 3, digest(late)))
    yield "timestamp-not-boundary", given, "FieldMismatch"
    early = statement(four, timestamp=fields["timestamp"] - CADENCE)
    given = case_input(four, early, signatures(four, 3, digest(early)))
    yield "timestamp-not-boundary one epoch early", given, "FieldMismatch"
    other = statement(four, set_id=2)
    yield "set-mismatch-id", case_input(four, other, signatures(four, 3, digest(other))), "FieldMismatch"
    other = statement(four, set_hash=r.sha(b"another set"))
    yield "set-mismatch-hash", case_input(four, other, signatures(four, 3, digest(other))), "SetMismatch"
    other = statement(four, tree_size=1, timestamp=GENESIS_TIME)
    yield "size-one", case_input(four, other, signatures(four, 3, digest(other))), "FieldMalformed"
    given = case_input(four, fields, signed[:3])
    entries = four["entries"]
    for name, changed, error in (
        ("entries-unsorted", [*entries[:2], entries[3], entries[2]], "EntriesMalformed"),
        ("entry-twice", [entries[0], *entries[:3]], "EntriesMalformed"),
        ("address-zero", [bytes(32) + entries[0][32:], *entries[1:]], "EntriesMalformed"),
        ("address-pad-byte-set", [b"\x01" + entries[0][1:], *entries[1:]], "WordMalformed"),
        ("entries-one-byte-short", [*entries[:3], entries[3][:-1]], "RecordMalformed"),
        ("entry-left-out", entries[:3], "SetMismatch"),
        ("entry-name-changed", [*entries[:3], flip(entries[3], 8 * 40)], "SetMismatch"),
    ):
        sets = [{"from_size": 1, "set_id": 1, "entries": b"".join(changed)}]
        yield name, {**given, "sets": sets}, error


def rotation_cases(four):
    new = make_set(2, [3, 4, 5, 6])
    sets = [
        {"from_size": from_size, "set_id": members["id"], "entries": b"".join(members["entries"])}
        for from_size, members in ((1, four), (10, new))
    ]
    for name, size, members, error in (
        ("old-set-before-handover", 9, four, None),
        ("new-set-at-handover", 10, new, None),
        ("old-set-after-handover", 10, four, "FieldMismatch"),
        ("old-set-after-handover much later", 5000, four, "FieldMismatch"),
        ("new-set-too-early", 9, new, "FieldMismatch"),
        ("new-set-too-early by far", 2, new, "FieldMismatch"),
    ):
        fields = statement(members, tree_size=size, timestamp=GENESIS_TIME + (size - 1) * CADENCE)
        given = case_input(members, fields, signatures(members, 3, digest(fields)), sets)
        if error:
            yield bad(name, "SPEC §8.1", given, error)
        else:
            yield good(name, "SPEC §8.1", given, members["addresses"][:3])
    posing = statement(new, tree_size=10, timestamp=GENESIS_TIME + 9 * CADENCE)
    given = case_input(new, posing, signatures(four, 3, digest(posing)), sets)
    yield bad("old-set-after-handover under the new name", "SPEC §8.1", given, "SignerUnknown")


def power_cases():
    """The appointment of a set, which is worth something in one contract on one chain only."""
    four, new = make_set(1, [1, 2, 3, 4]), make_set(2, [3, 4, 5, 6])
    contract = bytes(range(0xA0, 0xB4))
    fields = {"log_id": LOG_ID, "set_id": 2, "new_set_hash": new["hash"], "effective_from_size": 10}
    base = {"chain_id": 1, "contract": contract, **fields, "entries": b"".join(four["entries"])}

    def signed(chain_id=1, place=contract, salt=LOG_ID, **changes):
        values = (fields | changes).values()
        return signatures(four, 3, r.typed(r.power_domain(chain_id, place, salt), r.struct(r.SET_UPDATE, *values)))

    section = "SPEC §8.2"
    yield good("power-good", section, {**base, "signatures": signed()}, four["addresses"][:3])
    for name, given in (
        ("power-signature-on-other-chain", signed(chain_id=10)),
        ("power-signature-on-other-contract", signed(place=bytes(20))),
        ("power-signature-of-other-log", signed(salt=bytes(32))),
        ("power-signature-for-other-set", signed(new_set_hash=bytes(32))),
        ("power-signature-for-other-size", signed(effective_from_size=11)),
        ("power-signature-for-other-id", signed(set_id=3)),
        ("checkpoint-signature-as-power", signatures(four, 3, digest(statement(four)))),
    ):
        yield bad(name, section, {**base, "signatures": given}, "SignerUnknown")
    yield bad("below-quorum power", section, {**base, "signatures": signed()[:2]}, "BelowQuorum")
