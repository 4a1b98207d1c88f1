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


INVOICE = ("object", "debtor", "ccy", "gross", "seller", "buyer", "jurisdiction", "cn_einv", "inv_no", "issue_date")


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
        *([_ordered(play, traded, size)] if play.directory.engine is not None else []),
    ]


def _ordered(play: Play, traded: Traded, size: TreeSize) -> Request:
    """What consensus itself shows: the transaction in its block, its result, the state after it (level A3)."""
    confirm = find_event(play.files, "asset.confirm/1")
    order = _order(traded, size, [(confirm, ("object",))])
    order.disclosed[0].transaction = True
    question = (
        "Did two thirds of the validators order and accept this confirmation? (Shown: its signed transaction, with all "
        "its claims.)"
    )
    return Request("ordered", question, "core", order)


def _financing(play: Play, traded: Traded, size: TreeSize) -> Request:
    """A financed note for a bank that would refinance it: the invoice is opened to it, or nothing would be proven.

    Only a reader of the invoice sees that the labels which the debtor's confirmation inserted are this invoice's, and
    only the financing's own transaction shows that no further note hides in it (I12).
    """
    roots = {event["fields"]["note"] for event in events(play.files) if event["schema"] == "note.issue/1"}
    finance = next(e for e in events(play.files) if e["schema"] == "fin.finance/1" and e["fields"]["note.0"] in roots)
    note = finance["fields"]["note.0"]
    issue = _issue_of(play, note)
    asset = issue["fields"]["back.0.object"]
    register = find_event(play.files, "asset.register/1", object=asset)
    confirm = find_event(play.files, "asset.confirm/1", object=asset)
    backing = ("note", "ccy", "face", "back.0.object", "back.0.allot")
    opened = [(register, INVOICE), (confirm, ("object",)), (issue, backing), (finance, ("note.0",))]
    order = _order(traded, size, opened)
    order.purpose = "registry"
    signed = {traded.entry_leaf(confirm), traded.entry_leaf(finance)}  # they name every label and every note
    for shown in order.disclosed:
        shown.transaction = shown.entry_leaf in signed
    invoice = [normalised(row["type"], *row["parts"]) for row in confirm["labels"]]
    for label in (*invoice, life("note", note)):
        order.labels.append(pb.RegisteredRequest(label=label.encode()))
    question = (
        "Is a note on this very invoice financed, at one bank and no other? (Opened to whoever asks: the invoice; else "
        "the answer is undecided. Undisclosed: what the bank lent.)"
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
        purpose="record",
        entry_leaves=leaves,
        disclosed=disclosed,
        size=size,
        cose_receipt=True,
        presentable=presentable,
    )
