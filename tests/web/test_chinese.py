"""Every sentence that the verifier says of a bundle is in the page's table of Chinese ones, and no row hides another."""

import json
import re
from functools import cache
from typing import Any

from tests.bundles import NOW, consortium
from tests.vectors.operations import bundle_bytes, bundle_trust
from tests.web.node import ROOT, run
from tests.web.test_same_verdict import EXAMPLES, VECTORS


def line(bundle: bytes, trust: bytes, now: int) -> str:
    return json.dumps({"bundle": bundle.hex(), "trust": trust.hex(), "now": now})


def of_the_vectors() -> list[str]:
    lines = []
    for name in VECTORS:
        document = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text("utf-8"))
        shared = {key: value for key, value in document.items() if key not in {"operation", "count", "cases"}}
        given = [shared | case["input"] for case in document["cases"] if case["class"] in {"ok", "Undecided"}]
        lines += [line(bundle_bytes(one), bundle_trust(one), one["now"]) for one in given]
    return lines


def of_the_consortium() -> list[str]:
    """Each kind of bundle under trust files that lack something, and at other times."""
    log = consortium()
    lacking: tuple[dict[str, Any], ...] = (
        *({}, {"member_roots": ()}, {"logs": ()}, {"public_chains": ()}),
        *({"max_age": 1}, {"max_age": 10**9}, {"minimum_level": "A3"}),
    )
    trusts = [log.trust(**changes).encode() for changes in lacking]
    whole = [bundle.encode() for bundle in log.all().values()]
    lines = [line(bundle, trust, NOW) for bundle in whole for trust in trusts]
    return lines + [line(bundle, trusts[0], now) for bundle in whole for now in (0, NOW + 10**7)]


@cache
def gathered() -> Any:
    trust = (EXAMPLES / "trust.json").read_bytes()
    examples = [line(path.read_bytes(), trust, 1_900_000_000) for path in sorted(EXAMPLES.glob("*.hb.json"))]
    return run("gather_texts.mjs", text="\n".join([*of_the_vectors(), *of_the_consortium(), *examples]))


def test_no_sentence_of_the_verifier_is_missing() -> None:
    said = dict(gathered()["said"])
    assert len(said) > 150
    assert [text for text, chinese in said.items() if chinese is None] == []
    assert [text for text, chinese in said.items() if chinese == text and not re.fullmatch("A[0-3]", text)] == []


def test_each_row_of_the_table_is_found_and_all_its_places_exist() -> None:
    rows = gathered()["rows"]
    assert [english for english, filled, found in rows if found != filled] == []
    assert len({english for english, _, _ in rows}) == len(rows) > 100


def test_the_sentences_of_a_verdict_in_the_sources_are_all_in_the_table() -> None:
    """What no bundle here makes the verifier say: whole sentences that stand in its sources as constants."""
    sources = ("verify/verdicts.js", "verify/source.js", "verify/promise.js", "evidence.js")
    table = {english for english, _, _ in gathered()["rows"]}
    for name in sources:
        text = (ROOT / "hybrid_bridge" / "web" / "src" / name).read_text("utf-8")
        code = "\n".join(one for one in text.splitlines() if not one.lstrip().startswith(("*", "/*", "//", "import")))
        constants = set(re.findall(r'"([A-Za-z][A-Za-z0-9,\' ()_:-]* [A-Za-z0-9,\' ()_:-]+)"', code))
        assert {one for one in constants if not one.startswith((",", ";")) and one not in table} == set(), name
