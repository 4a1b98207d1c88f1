"""Signed set updates out of a folder: one file for each signer, as `hybrid-bridge contract sign` writes them.

Looked at anew in each tick, so that signatures may arrive while the relayer runs. What is no such file is passed over:
whoever puts rubbish there must not stop a rotation. A member's node does not offer set updates yet.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hybrid_bridge.core.power import MAX_FILE, SignedPower, decode_signed
from hybrid_bridge.errors import BridgeError

MAX_FILES: Final = 1024  # 64 signers of several updates, and room


def signed_updates(folder: Path | None) -> Iterator[SignedPower]:
    """All statements in this folder; none where there is no folder."""
    try:
        files = [] if folder is None else sorted(folder.iterdir())[:MAX_FILES]
    except OSError:
        return
    for file in files:
        try:
            with file.open("rb") as opened:
                data = opened.read(MAX_FILE + 1)
            yield decode_signed(data)
        except (OSError, BridgeError):
            continue
