"""`hybrid-bridge bundle`: what one claims; the public chain's evidence put into one."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybrid_bridge.adapters.evm import chain as chains
from hybrid_bridge.adapters.evm import evidence as evidences
from hybrid_bridge.cli.bundle import describe
from hybrid_bridge.core.bundle import TokenAnchor, decode_bundle
from hybrid_bridge.core.encoding import canonical_json
from tests.bundles import CONTRACT, as_json, consortium, edit

CALL = ("--rpc", "http://127.0.0.1:1", "--contract", CONTRACT.hex())


def test_info_says_what_a_bundle_claims_and_that_it_is_a_claim(typed):
    outcome = typed("bundle", "info", "financing.hb.json")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "This bundle CLAIMS the following; nothing of it has been verified."
    assert "  registry" in lines
    assert any(line.startswith("  epoch 3: e-invoice CN ") and line.endswith(", version 0: present") for line in lines)
    assert any(line.endswith(", version 4: absent") for line in lines)
    assert "  4 certificates" in lines
    assert max(map(len, lines)) <= 120


def test_info_for_machines(typed):
    described = typed("bundle", "info", "history.hb.json", "--json").json()
    assert described == describe(consortium().history())
    assert described["other parts"] == ["1 rotations", "1 absent entries", "2 governance records", "4 certificates"]


def test_info_of_what_is_bare():
    bare = dict.fromkeys(("label", "version", "proof", "value", "opening"))
    bundle = edit(consortium().unregistered(), "epochs.0.labels.0", lambda part: replace(part, **bare))
    bundle = replace(bundle, anchors=(TokenAnchor(tree_size=4, token=b"x"),))
    described = describe(bundle)
    assert described["registry"] == [f"epoch 3: index {bundle.epochs[0].labels[0].index.hex()}: absent"]
    assert described["public anchors"] == ["size 4, rfc3161"]
    assert describe(edit(consortium().receivable(), "epochs.0.entries.0.disclosures", lambda _: ()))["records"] == [
        "epoch 1: nothing disclosed: no field disclosed"
    ]


def test_info_of_what_is_no_bundle_is_malformed(typed, folder):
    (folder / "x.hb.json").write_bytes(canonical_json({**as_json(consortium().receivable()), "format": "x"}))
    outcome = typed("bundle", "info", "x.hb.json")
    assert outcome.code == 2
    assert outcome.err.startswith("malformed: ")


# ── upgrade ──


@pytest.fixture
def anchored(monkeypatch):
    """A public chain on which these sizes are anchored and final."""

    def stand(*sizes):
        class Chain:
            def __init__(self, rpc, contract):
                assert contract == CONTRACT

            def finalized(self):
                return SimpleNamespace(number=1_000)

            def anchored(self, log, first, last):
                assert (log, first, last) == (consortium().genesis.log_id, 0, 1_000)
                return [SimpleNamespace(tree_size=size) for size in sizes]

        monkeypatch.setattr(chains, "Web3Chain", Chain)
        monkeypatch.setattr(evidences, "anchor_evidence", lambda chain, event: consortium().anchor(event.tree_size))

    return stand


def test_upgrade_puts_the_newest_final_anchor_into_the_file(typed, folder, anchored):
    anchored(3, 4, 9)
    path = folder / "receivable.hb.json"
    bare = edit(consortium().receivable(), "anchors", lambda _: ())
    path.write_bytes(bare.encode())
    outcome = typed("bundle", "upgrade", "receivable.hb.json", *CALL)
    assert (outcome.code, outcome.out) == (0, "receivable.hb.json: 1 public anchor\n")
    assert decode_bundle(path.read_bytes()) == consortium().receivable()
    assert sorted(p.name for p in folder.iterdir() if "receivable" in p.name) == ["receivable.hb.json"]


def test_upgrade_replaces_an_older_anchor_of_the_same_checkpoint_and_keeps_the_others(typed, folder, anchored):
    anchored(4)
    older = replace(consortium().anchor(4), descendants=())
    token = TokenAnchor(tree_size=4, token=b"x")
    elsewhere = replace(consortium().anchor(4), chain_id=1)
    bundle = edit(consortium().receivable(), "anchors", lambda _: (older, token, elsewhere))
    (folder / "receivable.hb.json").write_bytes(bundle.encode())
    outcome = typed("bundle", "upgrade", "receivable.hb.json", *CALL, "-o", "new.hb.json")
    assert (outcome.code, outcome.out) == (0, "new.hb.json: 2 public anchors\n")
    anchors = decode_bundle((folder / "new.hb.json").read_bytes()).anchors
    assert anchors == (token, elsewhere, consortium().anchor(4))
    assert decode_bundle((folder / "receivable.hb.json").read_bytes()) == bundle


def test_upgrade_without_a_final_anchor_is_undecided_and_changes_nothing(typed, folder, anchored):
    anchored(3, 9)
    before = (folder / "receivable.hb.json").read_bytes()
    outcome = typed("bundle", "upgrade", "receivable.hb.json", *CALL)
    assert outcome.code == 3
    assert "a final anchor of size 4 in that contract" in outcome.err
    assert (folder / "receivable.hb.json").read_bytes() == before


def test_upgrade_of_standard_input_needs_an_output(typed):
    outcome = typed("bundle", "upgrade", "-", *CALL)
    assert outcome.code == 2
    assert "--output is needed" in outcome.err
