"""D1, receivables finance: one core enterprise, its suppliers in three tiers, their banks; honest trade and labelled fraud.

``small`` tells two hundred days with eight suppliers and three banks; every accepted root note together is exactly
¥1,600,000.00. A slice with fewer suppliers and banks tells one busy day, for demonstrations in real time.
Source: SCENARIOS §2.1, §3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.encoding import Json, canonical_json
from hybrid_bridge.testing.datasets import day, market
from hybrid_bridge.testing.datasets.story import CADENCE, START, ZONE, Firm, Story
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.synthetic import lei, uscc
from hybrid_bridge.testing.datasets.trade import Trade

GENERATOR: Final = 2  # a change of any byte is another number
SUPPLIERS: Final = 8
BANKS: Final = 3
TOTAL: Final = 160_000_000  # fen; ¥1,600,000.00
_CITIES: Final = ("Hangmen", "Suyang", "Ningbei", "Wuxiang", "Changting", "Jiadong", "Haiyuan", "Tongshan")


@dataclass(frozen=True, slots=True)
class DataSet:
    """Files by path. `events.jsonl` in order, `expected.jsonl` what a checker must find."""

    files: Mapping[str, bytes]


def generate(*, suppliers: int = SUPPLIERS, banks: int = BANKS, seed: str = "TEST small") -> DataSet:
    """The small set; with fewer suppliers or banks, the one-day slice.

    Raises:
        ValueError: not 1 to 8 suppliers and 2 or 3 banks.
    """
    if not (1 <= suppliers <= SUPPLIERS and 2 <= banks <= BANKS):
        problem = "1 to 8 suppliers and 2 or 3 banks"
        raise ValueError(problem)
    small = (suppliers, banks) == (SUPPLIERS, BANKS)
    story = Story(seed=seed)
    _cast(story, suppliers, banks)
    trade = Trade(story)
    if small:
        market.tell(trade, TOTAL)
    else:
        day.tell(trade, TOTAL)
    issued, children, wide = _count_notes(story)
    manifest: dict[str, Json] = {
        "set": "receivables",
        "size": "small" if small else "slice",
        "suppliers": suppliers,
        "banks": banks,
        "seed": seed,
        "generator": GENERATOR,
        "clock": {"genesis_time": START, "cadence": CADENCE, "zone": ZONE},
        "events": len(story.events),
        "cases": len(story.expected),
        "notes": issued + children,
        "root_notes": len(trade.root_faces),
        "root_faces": str(sum(trade.root_faces)),
        "wide_split_children": wide,
        "currency": "CNY",
    }
    files = {
        "manifest.json": canonical_json(manifest) + b"\n",
        "STORY.md": (market.STORY if small else day.STORY).encode(),
        **story.files(),
    }
    return DataSet(dict(sorted(files.items())))


def _count_notes(story: Story) -> tuple[int, int, int]:
    """Notes issued, children, and apart from them the children of splits wider than ten; refused ones left out."""
    refused = {row["at_event"] for row in story.expected if str(row["expect"]).startswith("rejected")}
    stands = [event for event in story.events if event["event"] not in refused]
    issued = sum(event["schema"] == "note.issue/1" for event in stands)
    splits = [event["fields"] for event in stands if event["schema"] == "note.split/1"]
    sizes = [sum(name.endswith(".face") for name in fields) for fields in splits if isinstance(fields, dict)]
    return issued, sum(size for size in sizes if size <= 10), sum(size for size in sizes if size > 10)


def _cast(story: Story, suppliers: int, banks: int) -> None:
    stream = Stream(story.seed, "firms")

    def firm(role: str, name: str, *roles: str) -> None:
        story.firms[role] = Firm(
            role=role, name=f"TEST {name}", uscc=uscc(stream), lei=lei(stream) if roles else "", roles=roles
        )

    firm("core", "Longhe Special Steel Group Co., Ltd.", "member", "node")
    firm("operator", "Neutral Platform Operator Co., Ltd.", "member", "node")
    for k in range(banks):
        firm(f"bank-{k + 1}", f"Bank of {_CITIES[k]}", "member", "node")
    firm("regulator", "Financial Supervision Bureau", "member", "regulator")
    firm("court", "Internet Court", "member", "court")
    for k in range(suppliers):
        firm(f"supplier-{k + 1}", f"{_CITIES[k]} Industrial Supply Co., Ltd.")
