"""Key files: Ethereum keystore version 3, scrypt, readable by their owner only (RELAYER §5.1).

A password comes from a file of its own or from a callback, never from a command line or the environment.
"""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hybrid_bridge.core.signing import address_of, public_key_of
from hybrid_bridge.errors import FieldMalformed, KeyUnusable
from hybrid_bridge.ports import Randomness
from hybrid_bridge.units import Address

LEAST_WORK: Final = 1 << 17  # scrypt n; 0.4 s and 128 MB a guess
MOST_WORK: Final = 1 << 20  # 1 GB; more is a way to stop the process that opens the file
SIZES: Final = [8, 1, 32]  # r, p and dklen of every keystore in use; others cost a reader memory or hours
MAX_FILE: Final = 1 << 14  # bytes; a keystore has some 500


def password_from_file(path: Path) -> str:
    """The file's content without one final newline.

    Raises:
        KeyUnusable: missing, readable by others, or not text.
    """
    return _private_text(path).removesuffix("\n")


def require_private(path: Path) -> None:
    """Nothing, if only its owner can read the file.

    Raises:
        KeyUnusable: missing, readable by others, or not text.
    """
    _private_text(path)


def create_keystore(path: Path, password: str, randomness: Randomness) -> Address:
    """A new key in a new file of mode 0600; the address it has. An existing file is never touched.

    Raises:
        KeyUnusable: the file is there already, or cannot be written.
    """
    while True:
        private = randomness(32)
        try:
            address = address_of(public_key_of(private))
            break
        except FieldMalformed:  # zero, or not below the order: once in 2^128
            continue
    from eth_account import Account  # noqa: PLC0415 dear: a third of a node's start, and most keys are in no keystore

    document = Account.encrypt(private, password, kdf="scrypt", iterations=LEAST_WORK)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        raise KeyUnusable(key=path.name, rule="a file that can be made and is not there yet") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    return address


def open_keystore(path: Path, password: Callable[[], str]) -> bytes:
    """The 32 bytes of the private key.

    Raises:
        KeyUnusable: missing, readable by others, weak, or another password.
    """
    try:
        document = json.loads(_private_text(path))
        work, *sizes = (document["crypto"]["kdfparams"][name] for name in ("n", "r", "p", "dklen"))
        kdf, version = document["crypto"]["kdf"], document["version"]
    except (ValueError, KeyError, TypeError):
        raise KeyUnusable(key=path.name, rule="a keystore of version 3") from None
    if version != 3 or kdf != "scrypt" or not isinstance(work, int) or not LEAST_WORK <= work <= MOST_WORK:
        raise KeyUnusable(key=path.name, rule="version 3 with scrypt, n from 2^17 to 2^20")
    if sizes != SIZES:
        raise KeyUnusable(key=path.name, rule="scrypt with r = 8, p = 1, 32 bytes")
    from eth_account import Account  # noqa: PLC0415 dear, as above

    try:
        private = bytes(Account.decrypt(document, password()))
        address = address_of(public_key_of(private))
    except (ValueError, KeyError, TypeError, FieldMalformed):
        raise KeyUnusable(key=path.name, rule="a whole keystore and its password") from None
    if str(document.get("address", "")).lower().removeprefix("0x") not in ("", address.hex()):
        raise KeyUnusable(key=path.name, rule="the address of its key")
    return private


def _private_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_FILE + 1)
    except OSError:
        raise KeyUnusable(key=path.name, rule="a file that can be read") from None
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise KeyUnusable(key=path.name, rule="a file that only its owner can read: chmod 600")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnusable(key=path.name, rule="UTF-8 text") from None
    if len(data) > MAX_FILE:
        raise KeyUnusable(key=path.name, rule=f"at most {MAX_FILE} bytes")
    return text
