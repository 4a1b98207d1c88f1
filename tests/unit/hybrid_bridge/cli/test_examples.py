"""The recorded bundles under the rules of today: what is kept back of the financing is missed."""

from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.cli import examples
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds
from tests.bundles import edit

FILES = Path(examples.__file__).parent / "example_files"
FINANCING = decode_bundle((FILES / "financing.hb.json").read_bytes())


def judged(bundle=FINANCING) -> Evidence:
    trust = parse_trust((FILES / "trust.json").read_bytes())
    return verify(bundle.encode(), trust, UnixSeconds(2_000_000_000))


@pytest.mark.parametrize("name", ["receivable", "split", "financing"])
def test_the_good_ones_are_complete(name):
    assert judged(decode_bundle((FILES / f"{name}.hb.json").read_bytes())).complete


def without(kept):
    epochs = tuple(replace(e, entries=tuple(entry for entry in e.entries if kept(entry))) for e in FINANCING.epochs)
    return replace(FINANCING, epochs=epochs)


def test_without_its_invoice_opened_the_financing_is_undecided():
    (missing,) = judged(without(lambda entry: entry.entry[1:3] != b"\x01\x01")).missing
    assert missing.startswith("I12: the opened invoice of asset")


@pytest.mark.parametrize(
    ("record_type", "missing"),
    [
        (b"\x01\x02", "I12: the transaction of the confirmation of asset"),
        (b"\x01\x0a", "I12: the transaction of the financing, which names every note that it financed"),
    ],
)
def test_without_the_transaction_of_confirmation_or_financing_it_is_undecided(record_type, missing):
    def unsigned(epochs):
        return tuple(replace(epoch, entries=tuple(map(bare, epoch.entries))) for epoch in epochs)

    def bare(entry):
        return replace(entry, transaction=None) if entry.entry[1:3] == record_type else entry

    (found,) = judged(edit(FINANCING, "epochs", unsigned)).missing
    assert found.startswith(missing)


def test_without_any_one_label_of_the_invoice_the_financing_is_undecided():
    last = len(FINANCING.epochs) - 1
    for number in range(4):
        labels = FINANCING.epochs[last].labels
        fewer = edit(FINANCING, f"epochs.{last}.labels", lambda _, k=number, all_=labels: (*all_[:k], *all_[k + 1 :]))
        (missing,) = judged(fewer).missing
        assert "the VRF proofs of its labels" in missing
