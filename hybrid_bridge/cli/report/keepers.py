"""Commands about who keeps the log: certificates, and the log key's line under a checkpoint.

That line is the one signature here which standard tools verify; it counts for no quorum (SPEC §8.3).
"""

from typing import Final

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.bench import Bench
from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.checkpoint import Note
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.note import TYPE_ED25519, key_id, to_b64

KEY_WORD: Final = 15  # of a genesis record (SPEC §7.1)
SPKI: Final = "302a300506032b6570032100"  # what stands before an Ed25519 key in DER (RFC 8410 §4)
VERIFIED: Final = "Signature Verified Successfully"  # what OpenSSL says


def certificates(bench: Bench, data: bytes, bundle: Bundle) -> None:
    """Each certificate as a file, named by its digest in the set below."""
    for number, der in enumerate(bundle.certificates):
        name = f"certificate-{number}.der"
        title = bench.t("step.certificate", number=number)
        bench.add(title, shell.extract(data, der, shell.BUNDLE, name), sha256(der).hex())


def log_line(bench: Bench, bundle: Bundle, note: Note) -> None:
    """The log key's Ed25519 signature over the checkpoint's text, by OpenSSL; nothing if it does not hold."""
    key = bundle.genesis.record[32 * KEY_WORD : 32 * KEY_WORD + 32]
    named = key_id(note.origin, TYPE_ED25519, key)
    for line in note.lines:
        if line.key_id == named and len(line.signature) == 64:
            body = f"{note.origin} {note.size} {to_b64(note.root)}"
            command = (
                shell.wrapped(f"printf '%s\\n%s\\n%s\\n' {body} > note.txt")
                + "\n"
                + shell.wrapped(f"printf {SPKI}{key.hex()} | xxd -r -p > log-key.der")
                + "\n"
                + shell.wrapped(f"printf {line.signature.hex()} | xxd -r -p > note.sig")
                + "\nopenssl pkeyutl -verify -pubin -keyform DER -inkey log-key.der \\\n"
                + "  -rawin -in note.txt -sigfile note.sig"
            )
            bench.add(bench.t("step.log_line", size=note.size), command, VERIFIED)
