"""Who plays: the members of the data set as members of a consortium, and which of its keys lives at whose node."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.node.founding import Founder
from hybrid_bridge.testing.datasets.play import Event, read_lines

MEMBERS: Final = ("core", "supplier", "bank-a", "bank-b")  # core holds the log's key
REGULATOR: Final = "regulator"
NODES: Final = (*MEMBERS, REGULATOR)
RELAYERS: Final = ("relayer-north", "relayer-south")
PARTS: Final = {
    "core": "owes; holds the log's key",
    "supplier": "is owed; sells what it is owed",
    "bank-a": "finances",
    "bank-b": "finances too",
    REGULATOR: "reads all, signs nothing",
}
BACKING: Final = ("asset.register/1", "asset.confirm/1", "note.issue/1")
_IN_SET: Final = {"core": "core", "supplier": "operator", "bank-a": "bank-1", "bank-b": "bank-2", REGULATOR: REGULATOR}
_ROLES: Final = {"core": ("validator", "sequencer"), REGULATOR: ("regulator",)}
_PREFIXES: Final = {"supplier-1": "supplier", "bank-1": "bank-a", "bank-2": "bank-b"}
_SELLER: Final = re.compile(rb"AccountingSupplierParty>.*?RegistrationName>([^<]+)<", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key of the data set lives in the demo: whose node, and under which purpose."""

    node: str
    purpose: str


def place_of(name: str) -> KeyPlace:
    """`core` is an identity key; `supplier-1/note-0002` is a party key at the supplier's node, made for that note."""
    for node, in_set in _IN_SET.items():
        if name == in_set:
            return KeyPlace(node, "identity")
    return KeyPlace(_PREFIXES[name.split("/", 1)[0]], name)


def part_of(node: str, *, orders: bool) -> str:
    """What a member does, in a few words; `orders`: it makes the blocks, where no engine does."""
    return PARTS[node] + ", orders the blocks" * orders


def founders(files: Mapping[str, bytes], endpoints: Mapping[str, str]) -> tuple[Founder, ...]:
    """The members with the legal names and company codes of the data set."""
    rows = {row["key"]: row for row in json.loads(files["members.json"])}
    return tuple(_founder(node, rows[_IN_SET[node]], files, endpoints[node]) for node in NODES)


def _founder(node: str, row: Mapping[str, str], files: Mapping[str, bytes], endpoint: str) -> Founder:
    legal_name, legal_id = row["name"], row["id"]
    if node == "supplier":  # here the supplier is a member itself and needs no operator
        first = events(files)[0]
        found = _SELLER.search(files[f"documents/{first['fields']['doc.0.name']}"])
        legal_id = first["fields"]["seller"]
        legal_name = found.group(1).decode() if found is not None else legal_name
    return Founder(
        name=node,
        legal_name=legal_name,
        legal_id=legal_id,
        roles=_ROLES.get(node, ("validator",)),
        endpoint=endpoint,
    )


def events(files: Mapping[str, bytes]) -> list[Event]:
    """The intended transactions, in order."""
    return read_lines(files["events.jsonl"])


def expectations(files: Mapping[str, bytes]) -> dict[int, tuple[str, str]]:
    """Event number → (expected verdict, note); every other event must be accepted."""
    return {row["at_event"]: (row["expect"], row["note"]) for row in read_lines(files["expected.jsonl"])}


def audience_of(files: Mapping[str, bytes], event: Event) -> tuple[str, ...]:
    """Who gets the private fields, by node: as the data set says, and a bank what backs the notes that it finances.

    The regulator always does, and is not named.
    """
    nodes = {node for node, in_set in _IN_SET.items() if in_set in event["audience"]}
    if event["schema"] in BACKING:
        fields = event["fields"]
        nodes |= {bank for subject, bank in _financed(files) if subject in (fields.get("object"), fields.get("note"))}
    return tuple(sorted(nodes - {REGULATOR, place_of(event["submitter"]).node}))


def _financed(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Each issued note that is financed, whole or in parts, and each invoice behind it, with the bank's node."""
    all_fields = [(event, event["fields"]) for event in events(files)]
    parents = {
        child: fields["note"]
        for event, fields in all_fields
        if event["schema"] == "note.split/1"
        for name, child in fields.items()
        if name.startswith("child.") and name.endswith(".note")
    }
    backing = {fields["note"]: fields["back.0.object"] for e, fields in all_fields if e["schema"] == "note.issue/1"}
    for event, fields in all_fields:
        if event["schema"] == "fin.finance/1":
            root = parents.get(fields["note.0"], fields["note.0"])
            yield from ((subject, place_of(event["submitter"]).node) for subject in (root, backing[root]))
