"""Cases of the family note/ (SPEC §15)."""

import base64

import reference as r
from cases import bad, flip, good
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from quorums import KEYS, LOG_ID, ORIGIN, ROOT, SIZE, digest, make_set, statement

LOG_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
WITNESS_SEED = r.sha(b"witness seed")
QUORUM_TYPE = b"\xffhybrid-bridge/eip712-checkpoint/v1"
SECTION = "SPEC §8.3"


def b64(data):
    return base64.b64encode(data).decode()


def ed25519(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.public_key().public_bytes_raw(), key.sign


def key_id(name, kind, key):
    return r.sha(name.encode() + b"\n" + kind + key)[:4]


def line(name, kind, key, signature):
    return f"— {name} {b64(key_id(name, kind, key) + signature)}"


def log_line(body, name=ORIGIN, seed=LOG_SEED):
    public, sign = ed25519(seed)
    return line(name, b"\x01", public, sign(body.encode()))


def quorum_lines(members, fields, origin=ORIGIN):
    message = digest(fields)
    for address in members["addresses"]:
        tail = fields["timestamp"].to_bytes(8, "big") + fields["set_id"].to_bytes(8, "big")
        name = f"{origin}/v/{address.hex()}"
        yield line(name, QUORUM_TYPE, address, tail + r.sign(KEYS[address], message))


def note_cases():
    four = make_set(1, [1, 2, 3, 4])
    fields = statement(four)
    body = f"{ORIGIN}\n{SIZE}\n{b64(ROOT)}\n"
    lines = [log_line(body), *quorum_lines(four, fields)]
    base = {"origin": ORIGIN, "log_id": LOG_ID, "log_key": ed25519(LOG_SEED)[0], "timestamp": fields["timestamp"]}
    base |= {"set_id": 1, "entries": b"".join(four["entries"])}

    def given(text=body, under=lines):
        return {**base, "note": text + "\n" + "".join(f"{one}\n" for one in under)}

    yield good("note-good", SECTION, given(), four["addresses"])
    yield good("note-good three of four", SECTION, given(under=lines[:4]), four["addresses"][:3])
    yield good("note-good without log line", SECTION, given(under=lines[1:]), four["addresses"])
    stranger = line("somebody.example", b"\x01", bytes(32), b"any bytes at all")
    yield good("note-good with a stranger's line", SECTION, given(under=[*lines, stranger]), four["addresses"])
    for name, text, error in body_mutations(body):
        yield bad(name, SECTION, given(text), error)
    for name, under, error in line_mutations(body, lines, four, fields):
        if error == "ok":
            yield good(name, SECTION, given(under=under), four["addresses"])
        else:
            yield bad(name, SECTION, given(under=under), error)
    for name, text, error in text_mutations(given()["note"]):
        yield bad(name, SECTION, {**base, "note": text}, error)


def body_mutations(body):
    origin, size, root, _ = body.split("\n")
    yield "extension-line", body + "more\n", "FieldMalformed"
    yield "extension-line blank", body + " \n", "FieldMalformed"
    yield "size-leading-zero", f"{origin}\n0{size}\n{root}\n", "FieldMalformed"
    yield "size-zero", f"{origin}\n0\n{root}\n", "FieldMalformed"
    yield "size-plus-sign", f"{origin}\n+{size}\n{root}\n", "FieldMalformed"
    yield "size-arabic-digit", f"{origin}\n٢\n{root}\n", "FieldMalformed"
    yield "size-2^53", f"{origin}\n{2**53}\n{root}\n", "FieldMalformed"
    yield "size-empty", f"{origin}\n\n{root}\n", "FieldMalformed"
    yield "size-of-another-tree", f"{origin}\n3\n{root}\n", "SignatureWrong"
    yield "origin-mismatch", f"example.org/other\n{size}\n{root}\n", "FieldMismatch"
    yield "origin-space", f"example org\n{size}\n{root}\n", "FieldMalformed"
    yield "origin-upper-case", f"Example.org/receivables\n{size}\n{root}\n", "FieldMalformed"
    yield "origin-201-characters", f"{'a' * 201}\n{size}\n{root}\n", "FieldMalformed"
    yield "origin-empty", f"\n{size}\n{root}\n", "FieldMalformed"
    yield "root-43-chars", f"{origin}\n{size}\n{root[:-1]}\n", "FieldMalformed"
    yield "root-45-chars", f"{origin}\n{size}\n{root}=\n", "FieldMalformed"
    yield "root-33-bytes", f"{origin}\n{size}\n{b64(ROOT + bytes(1))}\n", "DigestLength"
    yield "root-trailing-bits-set", f"{origin}\n{size}\n{root[:-2]}{chr(ord(root[-2]) + 1)}=\n", "NotCanonical"
    yield "root-base64url", f"{origin}\n{size}\n{root[:8]}-{root[9:]}\n", "NotCanonical"
    yield "root-of-another-tree", f"{origin}\n{size}\n{b64(r.sha(b'x'))}\n", "SignatureWrong"
    yield "root-missing", f"{origin}\n{size}\n", "FieldMalformed"
    yield "control-character", f"{origin}\n{size}\n{root}\x00\n", "FieldMalformed"
    yield "control-character carriage return", f"{origin}\r\n{size}\n{root}\n", "FieldMalformed"
    yield "control-character tab", f"{origin}\t\n{size}\n{root}\n", "FieldMalformed"
    yield "control-character delete", f"{origin}\x7f\n{size}\n{root}\n", "FieldMalformed"


def line_mutations(body, lines, four, fields):
    log, *quorum = lines
    yield "known-key-bad-signature log", [flip_line(log, 4), *quorum], "SignatureWrong"
    yield "known-key-bad-signature beside a good one", [log, flip_line(log, 4), *quorum], "SignatureWrong"
    yield "known-key-bad-signature quorum", [log, *quorum[:3], flip_line(quorum[3], 4 + 16 + 20)], "SignatureWrong"
    yield "known-key-bad-signature of another", [*quorum[:3], graft(quorum[3], quorum[2])], "SignatureWrong"
    yield "cosignature-time-altered quorum", [log, flip_line(quorum[0], 4 + 7), *quorum[1:]], "FieldMismatch"
    yield "cosignature-set-altered quorum", [log, flip_line(quorum[0], 4 + 15), *quorum[1:]], "FieldMismatch"
    yield "quorum-line-doubled", [log, quorum[0], *quorum], "FieldMalformed"
    yield "quorum-line-doubled at the end", [*lines, quorum[3]], "FieldMalformed"
    yield "quorum-lines-unsorted", [log, quorum[1], quorum[0], *quorum[2:]], "FieldMalformed"
    yield "quorum-line-80-bytes", [log, *quorum[:3], cut(quorum[3], -1)], "Truncated"
    yield "quorum-line-82-bytes", [log, *quorum[:3], stretch(quorum[3])], "TrailingBytes"
    yield "quorum-line-v-0", [log, *quorum[:3], stretch(cut(quorum[3], -1))], "FieldMalformed"
    yield "log-line-63-bytes", [cut(log, -1), *quorum], "FieldMalformed"
    yield "below-quorum note", lines[:3], "BelowQuorum"
    yield "below-quorum log line only", [log], "BelowQuorum"
    renamed = [one.replace(f"{ORIGIN}/v/", f"{ORIGIN}/w/") for one in quorum]
    yield "keyid-collision-unknown-name", [log, *quorum, renamed[0]], "ok"
    yield "keyid-collision-unknown-name instead", [log, *quorum[:2], *renamed[2:]], "BelowQuorum"
    known = quorum[0].split(" ")[1]
    yield "known-name-unknown-keyid", [log, f"— {known} {b64(bytes(4) + b'x')}", *quorum], "ok"
    yield "name-upper-case instead", [log, *quorum[:2], quorum[2].replace("/v/", "/V/")], "BelowQuorum"
    posing = [*quorum_lines(four, {**fields, "log_id": r.sha(b"other")})]
    yield "checkpoint-of-other-log", posing, "SignatureWrong"
    other = [*quorum_lines(four, fields, "example.org/other")]
    yield "quorum-lines-of-other-origin", other, "BelowQuorum"
    yield "log-line-of-other-key", [log_line(body, seed=WITNESS_SEED), *quorum], "ok"


def text_mutations(text):
    yield "no-blank-line", text.replace("\n\n", "\n"), "FieldMalformed"
    yield "no-signature-line", text.split("\n\n")[0] + "\n\n", "FieldMalformed"
    yield "no-line-feed-at-end", text[:-1], "FieldMalformed"
    yield "line-feed-too-many-at-end", text + "\n", "FieldMalformed"
    yield "blank-line-twice", text.replace("\n\n", "\n\n\n"), "FieldMalformed"
    yield "hyphen-for-dash", text.replace("—", "-"), "FieldMalformed"
    yield "two-spaces", text.replace("— ", "—  ", 1), "FieldMalformed"
    yield "space-at-line-end", text.replace("\n— ", " \n— ", 2).replace("\n \n", "\n\n"), "FieldMalformed"
    yield "plus-in-name", text.replace("— example", "— exam+ple", 1), "FieldMalformed"
    yield "no-break-space-in-name", text.replace("— example", "— exam\u00a0ple", 1), "FieldMalformed"
    yield "signature-not-padded", text[:-1].rstrip("=") + "\n", "NotCanonical"
    yield "signature-key-id-only", text + f"— somebody.example {b64(bytes(4))}\n", "FieldMalformed"
    yield "signature-empty", text + "— somebody.example \n", "FieldMalformed"
    yield "lines-161", text + f"— somebody.example {b64(bytes(5))}\n" * (161 - text.count("\n")), "TooLong"
    yield "empty", "", "FieldMalformed"


def data_of(one):
    return base64.b64decode(one.split(" ")[2])


def with_data(one, data):
    return " ".join([*one.split(" ")[:2], b64(data)])


def flip_line(one, byte):
    return with_data(one, flip(data_of(one), 8 * byte))


def cut(one, end):
    return with_data(one, data_of(one)[:end])


def stretch(one):
    return with_data(one, data_of(one) + b"\x00")


def graft(one, other):
    """The line `one` with the signature of the line `other`."""
    return with_data(one, data_of(one)[:4] + data_of(other)[4:])


def witness_cases():
    """Ordinary notes and witnesses: Ed25519 with and without a time."""
    body = f"{ORIGIN}\n{SIZE}\n{b64(ROOT)}\n"
    public, sign = ed25519(WITNESS_SEED)
    name, time = "witness.example/w1", 1800000700
    plain = line(name, b"\x01", public, sign(body.encode()))
    message = f"cosignature/v1\ntime {time}\n{body}".encode()
    timed = line(name, b"\x04", public, time.to_bytes(8, "big") + sign(message))
    vkeys = {
        kind: f"{name}+{key_id(name, bytes([kind]), public).hex()}+{b64(bytes([kind]) + public)}" for kind in (1, 4)
    }

    def given(*under, text=body, keys=None):
        return {"note": text + "\n" + "".join(f"{one}\n" for one in under), "vkeys": list(keys or vkeys.values())}

    section = "C2SP signed-note, tlog-cosignature"
    yield good("witness-good plain", section, given(plain))
    yield good("witness-good with time", section, given(timed))
    yield good("witness-good both", section, given(plain, timed))
    extended = body + "an extension line\n"
    yield good(
        "witness-good extension", section, given(line(name, b"\x01", public, sign(extended.encode())), text=extended)
    )
    renamed = timed.replace("/w1", "/w2")
    for case, value, error in (
        ("cosignature-time-altered", given(flip_line(timed, 11)), "SignatureWrong"),
        ("cosignature-time-beyond-2^63", given(sign_bit(timed)), "FieldMalformed"),
        (
            "cosignature-without-time",
            given(with_data(timed, data_of(timed)[:4] + data_of(timed)[12:])),
            "FieldMalformed",
        ),
        ("cosignature-time-only", given(with_data(timed, data_of(timed)[:12])), "FieldMalformed"),
        ("cosignature-as-plain", given(with_data(plain, data_of(plain)[:4] + data_of(timed)[12:])), "SignatureWrong"),
        ("plain-as-cosignature", given(with_data(timed, data_of(timed)[:12] + data_of(plain)[4:])), "SignatureWrong"),
        ("known-key-bad-signature", given(flip_line(plain, 20)), "SignatureWrong"),
        ("known-key-bad-signature beside a good one", given(timed, flip_line(plain, 20)), "SignatureWrong"),
        ("signature-s-not-reduced", given(not_reduced(plain)), "FieldMalformed"),
        ("body-changed", given(plain, text=body.replace("\n2\n", "\n3\n")), "SignatureWrong"),
        ("extension-line added", given(plain, text=extended), "SignatureWrong"),
        ("unknown-name", given(renamed), "Missing"),
        ("no-key-known", {**given(plain), "vkeys": []}, "Missing"),
        ("key-of-other-type", given(timed, keys=(vkeys[1],)), "Missing"),
        (
            "vkey-id-of-other-type",
            given(plain, keys=(vkeys[1].replace(vkeys[1].split("+")[1], "00000000"),)),
            "NotCanonical",
        ),
        ("vkey-id-upper-case", given(plain, keys=(upper_id(vkeys[1]),)), "NotCanonical"),
        ("vkey-type-02", given(plain, keys=(f"{name}+00000000+{b64(bytes([2]) + public)}",)), "FieldMalformed"),
        ("vkey-31-bytes", given(plain, keys=(f"{name}+00000000+{b64(bytes([1]) + public[:31])}",)), "FieldMalformed"),
        ("vkey-without-name", given(plain, keys=("+" + vkeys[1].split("+", 1)[1],)), "FieldMalformed"),
        ("vkey-one-part", given(plain, keys=(name,)), "FieldMalformed"),
    ):
        yield bad(case, section, value, error)


def sign_bit(one):
    data = data_of(one)
    return with_data(one, data[:4] + bytes([data[4] | 0x80]) + data[5:])


def not_reduced(one):
    data = data_of(one)
    s = int.from_bytes(data[36:], "little") + 2**252 + 27742317777372353535851937790883648493
    return with_data(one, data[:36] + s.to_bytes(32, "little"))


def upper_id(vkey):
    name, number, key = vkey.split("+", 2)
    return f"{name}+{number.upper()}+{key}"
