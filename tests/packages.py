"""Evidence packages, good ones and ones taken apart, written by the standard library and not by our own code."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SM3, Hash

from hybrid_bridge.core.encoding import b64u, canonical_json

MEDIA_TYPE = b"application/vnd.hybrid-bridge.evidence+zip"


def sm3(data: bytes) -> bytes:
    state = Hash(SM3())
    state.update(data)
    return state.finalize()


def manifest(files: Mapping[str, bytes], **changes: Any) -> bytes:
    rows = [
        {
            "path": path,
            "size": len(data),
            "sha256": b64u(hashlib.sha256(data).digest()),
            "sha512": b64u(hashlib.sha512(data).digest()),
            "sm3": b64u(sm3(data)),
        }
        for path, data in sorted(files.items())
    ]
    return canonical_json({"format": "hybrid-bridge/evidence-package/v1", "files": rows, **changes})


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """The files as a ZIP, dates and all as somebody else's program would write them; `mimetype` is stored."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name, data in files.items():
            package.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else method)
    return target.getvalue()


def package(bundle: bytes, method: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    """A package of a bundle and these files; "__" in a name stands for "/", "_dot_" for "."."""
    named = {name.replace("__", "/").replace("_dot_", "."): data for name, data in more.items()}
    files = {"mimetype": MEDIA_TYPE, "bundle.json": bundle, **named}
    return zipped({**files, "META-INF/manifest.json": manifest(files)}, method)
