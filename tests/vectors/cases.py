"""What a vector is made of: `{name, section, input, expected, class}`."""

CLASSES = {
    "BelowQuorum": "Refuted",
    "FieldMismatch": "Refuted",
    "RootMismatch": "Refuted",
    "SetMismatch": "Refuted",
    "SignatureWrong": "Refuted",
    "SignerUnknown": "Refuted",
    "NotOmitted": "Refuted",
    "IndexPresent": "Refuted",
    "Missing": "Undecided",
    "Expired": "Rejected",
    "SequenceRejected": "Rejected",
}  # every other error is Malformed


def hexed(value):
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [hexed(item) for item in value]
    if isinstance(value, dict):
        return {key: hexed(item) for key, item in value.items()}
    return value


def good(name, section, given, expected=None):
    return {"name": name, "section": section, "input": hexed(given), "expected": hexed(expected), "class": "ok"}


def bad(name, section, given, error):
    kind = CLASSES.get(error, "Malformed")
    return {"name": name, "section": section, "input": hexed(given), "expected": error, "class": kind}


def flip(data, bit=0):
    at = bit // 8 % len(data)
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]
