"""The explorer's files over HTTP: two names and nothing else, so no path of a caller ever reaches the disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hybrid_bridge.cli.explorer.page import PAGE, VALUES

if TYPE_CHECKING:
    from hybrid_bridge.adapters.web.serving import Handler, Reply

SERVED: Final[Mapping[str, tuple[str, str]]] = {
    "/": (PAGE, "text/html; charset=utf-8"),
    f"/{PAGE}": (PAGE, "text/html; charset=utf-8"),
    f"/{VALUES}": (VALUES, "application/json"),
}
NOBODY_AROUND: Final = "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "public, max-age=5",
    "Content-Security-Policy": f"default-src 'none'; {NOBODY_AROUND}",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MAX_FILE: Final = 1 << 26  # bytes; four thousand anchors of sixty-four signers have less


def beside(folder: Path, others: "Handler") -> "Handler":
    """The files of `folder` at their names, and whatever else is served at all others."""

    def handle(method: str, path: str, body: bytes) -> "Reply":
        if path.partition("?")[0] in SERVED:
            return reply_to(folder, method, path)
        return others(method, path, body)

    return handle


def reply_to(folder: Path, method: str, path: str) -> "Reply":
    """One of the files; anything else is not there."""
    from hybrid_bridge.adapters.web.serving import Reply  # noqa: PLC0415

    if method not in ("GET", "HEAD"):
        return Reply(405, b"", {**HEADERS, "Allow": "GET, HEAD"})
    name, kind = SERVED.get(path.partition("?")[0], ("", ""))
    if not name:
        return Reply(404, b"", HEADERS)
    try:
        with (folder / name).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError:
        return Reply(404, b"", HEADERS)
    if len(data) > MAX_FILE:  # half a page would be none
        return Reply(500, b"", HEADERS)
    headers = {**HEADERS, "Content-Type": kind}
    if name == PAGE:  # its own policy names the one script and the one style
        headers["Content-Security-Policy"] = NOBODY_AROUND
    return Reply(200, data, headers)
