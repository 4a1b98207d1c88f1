"""The three questions of the outsider, and what the members disclose to answer them: nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_bridge.cli.demo.cast import events
from hybrid_bridge.cli.demo.founding import Play
from hybrid_bridge.cli.demo.trading import Traded, find_event
from hybrid_bridge.core.labels import life, normalised
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.testing.datasets.play import Event
from hybrid_bridge.units import TreeSize

CHILD_FIELDS = ("note", "face")  # of each part of a split; its payee and his documents stay undisclosed


@dataclass(frozen=True, slots=True)
class Request:
    """One bundle: its name, the question it answers, who is asked, for what."""

    name: str
    question: str
    node: str
    order: pb.BundleRequest


def requests(play: Play, traded: Traded, size: TreeSize) -> list[Request]:
    """All on the checkpoint of that size."""
    split = find_event(play.files, "note.split/1")
    issue = _issue_of(play, split["fields"]["note"])
    return [
        Request(
            "receivable",
            "Does this receivable exist, and when is it due? (Who owes, who is owed, how much: undisclosed.)",
            "core",
            _order(traded, size, [(issue, ("note", "due_date"))], presentable=True),
        ),
        Request(
            "split",
            "Was this note split, and do the parts add up to the whole? (Whose they are: undisclosed.)",
            "supplier",
            _order(
                traded, size, [(issue, ("note", "ccy", "face")), (split, ("note", *_children(split)))], presentable=True
            ),
        ),
        _financing(play, traded, size),
    ]


def _financing(play: Play, traded: Traded, size: TreeSize) -> Request:
    """A financed note, the confirmed invoice behind it, and what the registry says of both."""
    roots = {event["fields"]["note"] for event in events(play.files) if event["schema"] == "note.issue/1"}
    finance = next(e for e in events(play.files) if e["schema"] == "fin.finance/1" and e["fields"]["note.0"] in roots)
    note = finance["fields"]["note.0"]
    issue = _issue_of(play, note)
    confirm = find_event(play.files, "asset.confirm/1", object=issue["fields"]["back.0.object"])
    backing = ("note", "ccy", "face", "back.0.object", "back.0.allot")
    order = _order(traded, size, [(confirm, ("object",)), (issue, backing), (finance, ("note.0",))])
    order.purpose = "registry"
    invoice = confirm["labels"][0]
    for label in (normalised(invoice["type"], *invoice["parts"]), life("note", note)):
        order.labels.append(pb.RegisteredRequest(label=label.encode()))
    question = (
        "Is a note on this very invoice financed, at one bank and no other? (Which bank, what terms: undisclosed.)"
    )
    return Request("financing", question, "bank-a", order)


def _issue_of(play: Play, note: str) -> Event:
    return find_event(play.files, "note.issue/1", note=note)


def _children(split: Event) -> list[str]:
    return [name for name in split["fields"] if name.startswith("child.") and name.endswith(CHILD_FIELDS)]


def _order(
    traded: Traded, size: TreeSize, opened: Sequence[tuple[Event, Sequence[str]]], *, presentable: bool = False
) -> pb.BundleRequest:
    """Ready to be exported: with the log's receipt and, of a member's own records, its word for presentations."""
    leaves = [traded.entry_leaf(event) for event, _ in opened]
    disclosed = [pb.Disclosed(entry_leaf=traded.entry_leaf(event), names=names) for event, names in opened]
    return pb.BundleRequest(
        purpose="record", entry_leaves=leaves, disclosed=disclosed, size=size, receipt=True, presentable=presentable
    )
