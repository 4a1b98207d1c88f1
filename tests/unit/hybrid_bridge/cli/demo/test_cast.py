"""Who gets which private fields in the demo: a bank what it finances, and nothing of what another bank does."""

from functools import cache

from hybrid_bridge.cli.demo.cast import NODES, audience_of, events, part_of
from hybrid_bridge.cli.demo.trading import find_event
from hybrid_bridge.testing.datasets.receivables import generate


@cache
def files():
    return dict(generate(suppliers=1, banks=2).files)


def banks_of(event):
    return {node for node in audience_of(files(), event) if node.startswith("bank")}


def test_each_bank_reads_the_invoices_behind_the_notes_that_it_finances_and_no_others():
    for finance in (event for event in events(files()) if event["schema"] == "fin.finance/1"):
        note = finance["fields"]["note.0"]
        bank = {"bank-1": "bank-a", "bank-2": "bank-b"}[finance["submitter"]]
        split = [e for e in events(files()) if e["schema"] == "note.split/1" and note in e["fields"].values()]
        issue = find_event(files(), "note.issue/1", note=split[-1]["fields"]["note"] if split else note)
        asset = issue["fields"]["back.0.object"]
        backing = [find_event(files(), schema, object=asset) for schema in ("asset.register/1", "asset.confirm/1")]
        assert all(banks_of(event) == {bank} for event in (issue, *backing))


def test_an_invoice_that_nobody_finances_goes_to_no_bank():
    registered = [event for event in events(files()) if event["schema"] == "asset.register/1"]
    read = [banks_of(event) for event in registered]
    assert (len(registered), read.count({"bank-a"}), read.count({"bank-b"}), read.count(set())) == (9, 3, 1, 5)


def test_nobody_is_said_to_order_where_an_engine_does():
    assert "orders" in part_of("core", orders=True)
    assert not any("orders" in part_of(node, orders=False) for node in NODES)
