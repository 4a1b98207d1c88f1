"""Pages of ours in a real browser: what each shows, and what none of them ever does."""

import json
from typing import Any

from tests.web.node import axe, chromium, run


def explore(*visits: dict[str, Any]) -> list[dict[str, Any]]:
    """What the explorer's page shows after each visit.

    Whatever the visit, it complains of nothing, fetches nothing but itself, is no wider than the screen, runs one
    script beside its inert values, and axe finds nothing in it (WCAG 2.2 AA, and its best practices).
    """
    told = [{"ready": "#answer > *", **visit} for visit in visits]
    seen: list[dict[str, Any]] = run("browse.mjs", chromium(), axe(), text=json.dumps({"page": "", "visits": told}))
    for visit, one in zip(visits, seen, strict=True):
        assert one["complaints"] == [], visit["page"]
        assert one["unlabelled"] == 0
        assert one["violations"] == []
        assert (one["scripts"], one["images"], one["pwned"], one["tooWide"]) == (2, 0, None, [])
        assert one["widths"][0] == one["widths"][1]
        assert one["asked"] == [visit["page"]]
    return seen
