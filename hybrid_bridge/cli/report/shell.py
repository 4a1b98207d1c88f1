"""Commands for a plain `sh` with coreutils, xxd and OpenSSL: nothing of this project is called.

Only hex digits, base64 and names made here stand in them, so that no text of a stranger is ever run. A long command
is continued by a backslash at the end of its line, which the shell takes away: it may be copied as it stands.
"""

import re
from typing import Final

from hybrid_bridge.core.encoding import b64u

WIDTH: Final = 112  # characters of a line, so that it fits on a sheet
_SAFE: Final = re.compile(r"[A-Za-z0-9+/=_.:-]*")
_NOTHING: Final = "''"  # no padding, as `printf` takes it
_NEAR: Final = 50  # how far before the end of a line a break between words is looked for
TOOLS: Final = (
    "sha256sum",
    "cut",
    "grep",
    "head",
    "tail",
    "tr",
    "cat",
    "sed",
    "xxd",
    "openssl",
)  # that no shell has built in
BUNDLE: Final = "bundle.hb.json"  # what the reader calls the file that the report is about


def safe(text: str) -> bool:
    """Whether a text may stand in a command without quotes."""
    return _SAFE.fullmatch(text) is not None


def wrapped(command: str) -> str:
    """The command with its lines continued; it begins with whatever is quoted, which is shorter than a line."""
    lines = []
    while len(command) > WIDTH:
        cut = max(command.rfind(mark, WIDTH - _NEAR, WIDTH) for mark in (" | ", " > "))
        cut = WIDTH if cut < 0 else cut + 1  # between two words, if there are two; else within one
        lines.append(command[:cut])
        command = command[cut:]
    return "\\\n".join([*lines, command])


def sha256_of_text(text: str) -> str:
    """SHA-256 of ASCII text, as hex."""
    return wrapped(f"printf %s {text} | sha256sum | cut -c1-64")


def sha256_of_hex(prefix: str, *parts: str) -> str:
    """SHA-256 of bytes given in hex."""
    return wrapped(f"printf {prefix}{''.join(parts)} | xxd -r -p | sha256sum | cut -c1-64")


def hmac_of_hex(key: str, message: str) -> str:
    """HMAC-SHA256 of bytes given in hex under a key that is ASCII text of ours."""
    return wrapped(f"printf {message} | xxd -r -p | openssl dgst -sha256 -hmac {key} -r | cut -c1-64")


def bits_of_hex(text: str, count: int) -> str:
    """The first bits of 32 bytes given in hex, the most significant of each byte first."""
    return wrapped(f"printf {text} | xxd -r -p | xxd -b -c 32 | cut -c11- | tr -d ' ' | cut -c1-{count}")


def digest_of_cut(source: str, taken: tuple[int, int], algorithm: str, name: str) -> str:
    """Write the file `source` without the bytes between two offsets to `name`; its digest by OpenSSL."""
    cut = f"{{ head -c {taken[0]} {source}; tail -c +{taken[1] + 1} {source}; }} > {name}"
    return f"{cut}\nopenssl dgst -{algorithm} -r {name} | cut -d ' ' -f 1"


def set_hash_of_file(head: str, name: str, start: int) -> str:
    """SHA-256 of bytes given in hex and of what a file holds from an offset on."""
    return wrapped(f"{{ printf {head} | xxd -r -p; tail -c +{start + 1} {name}; }} | sha256sum | cut -c1-64")


def leaf_of_file(name: str) -> str:
    """LEAF of a file's bytes: SHA-256 of a zero byte and them (RFC 6962 §2.1)."""
    return f"{{ printf '\\000'; cat {name}; }} | sha256sum | cut -c1-64"


def word_of_file(name: str, index: int) -> str:
    """A word of 32 bytes in a file of words, as hex."""
    return f"tail -c +{32 * index + 1} {name} | head -c 32 | xxd -p -c 32"


def root_of_note(name: str) -> str:
    """The root in a checkpoint's text, as hex."""
    return f"sed -n 3p {name} | openssl base64 -d -A | xxd -p -c 32"


def decode_text(text: str) -> str:
    """What a base64url text says."""
    return wrapped(f"printf %s {text}{_padding(text)} | tr _- /+ | openssl base64 -d -A; echo")


def extract(data: bytes, part: bytes, source: str, name: str) -> str | None:
    """Take the base64url text of `part` out of the file `source` and write its bytes to `name`; None: it is not there.

    Ends with the SHA-256 of what was written.
    """
    text = b64u(part)
    at = data.find(text.encode("ascii"))
    if at < 0:
        return None
    cut = f"{{ tail -c +{at + 1} {source} | head -c {len(text)}; printf %s {_padding(text) or _NOTHING}; }}"
    return f"{cut} | tr _- /+ |\n  openssl base64 -d -A > {name}; sha256sum {name} | cut -c1-64"


def lines_of(data: bytes, text: str, source: str, name: str) -> str | None:
    """Take `text`, which stands in a JSON string of the file `source`, out of it as lines; None: it is not there.

    Ends with the SHA-256 of what was written.
    """
    written = text.replace("\n", "\\n").encode()
    at = data.find(b'"' + written)
    if at < 0:
        return None
    cut = f"tail -c +{at + 2} {source} | head -c {len(written)}"
    return f"{cut} | sed 's/\\\\n/\\\n/g' > {name}; sha256sum {name} | cut -c1-64"


def _padding(text: str) -> str:
    return "=" * (-len(text) % 4)
