"""`hybrid-bridge bundle`: what one claims; the public chain's evidence put into one."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybrid_bridge.adapters.evm import chain as chains
from hybrid_bridge.adapters.evm import evidence as evidences
from hybrid_bridge.cli.bundle import describe
from hybrid_bridge.core.anchor import decode_header
from hybrid_bridge.core.bundle import TokenAnchor, decode_bundle
from hybrid_bridge.core.encoding import canonical_json
from tests.bundles import CHAIN, CONTRACT, as_json, consortium, edit

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
    """A public chain on which these sizes are anchored and final, in the contract of the tests' trust file."""

    def stand(*sizes):
        class Chain:
            def __init__(self, rpc, contract):
                self.rpc, self.contract = rpc, contract

            def chain_id(self):
                return CHAIN

            def finalized(self):
                return SimpleNamespace(number=1_000)

            def anchored(self, log, first, last):
                assert (log, first, last) == (consortium().genesis.log_id, 0, 1_000)
                if self.contract != CONTRACT:
                    return []
                numbers = {size: decode_header(consortium().anchor(size).header).number for size in sizes if size < 9}
                return [
                    SimpleNamespace(tree_size=size, block=SimpleNamespace(number=numbers.get(size))) for size in sizes
                ]

        def evidence(chain, event, up_to=None):
            anchor = consortium().anchor(event.tree_size)
            up_to = event.block.number if up_to is None else up_to
            return replace(anchor, descendants=anchor.descendants[: up_to - event.block.number])

        monkeypatch.setattr(chains, "Web3Chain", Chain)
        monkeypatch.setattr(evidences, "anchor_evidence", evidence)
        headers = [consortium().anchor(4).header, *consortium().anchor(4).descendants]
        monkeypatch.setattr(
            evidences, "header_bytes", lambda rpc, hash: {decode_header(h).hash: h for h in headers}[hash]
        )

    return stand


def put(folder, *anchors):
    bundle = edit(consortium().receivable(), "anchors", lambda _: anchors)
    (folder / "receivable.hb.json").write_bytes(bundle.encode())
    return bundle


def anchors_of(folder, name="receivable.hb.json"):
    return decode_bundle((folder / name).read_bytes()).anchors


def test_upgrade_puts_the_newest_final_anchor_into_the_file(typed, folder, anchored):
    anchored(3, 4, 9)
    put(folder)
    outcome = typed("bundle", "upgrade", "receivable.hb.json", *CALL, "--to", last_hash(consortium().anchor(4)))
    assert (outcome.code, outcome.out) == (0, "receivable.hb.json: 1 public anchor\n")
    assert decode_bundle((folder / "receivable.hb.json").read_bytes()) == consortium().receivable()
    assert sorted(p.name for p in folder.iterdir() if "receivable" in p.name) == ["receivable.hb.json"]


def test_upgrade_by_a_trust_file_asks_its_contracts_and_goes_to_the_block_hash_it_has(typed, folder, anchored):
    anchored(4)
    put(folder)
    assert consortium().anchor(4).descendants
    outcome = typed("bundle", "upgrade", "receivable.hb.json", "--rpc", "http://127.0.0.1:1", "--trust", "trust.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert anchors_of(folder) == (consortium().anchor(4),)
    assert typed("verify", "receivable.hb.json", "--trust", "trust.json").code == 0


def test_upgrade_without_a_goal_takes_the_public_block_of_the_event_alone(typed, folder, anchored):
    anchored(4)
    put(folder)
    assert typed("bundle", "upgrade", "receivable.hb.json", *CALL).code == 0
    assert anchors_of(folder) == (replace(consortium().anchor(4), descendants=()),)


def test_upgrade_puts_longer_headers_on_the_same_anchor_and_leaves_the_others_alone(typed, folder, anchored):
    anchored(4)
    shorter = replace(consortium().anchor(4), descendants=consortium().anchor(4).descendants[:1])
    token = TokenAnchor(tree_size=4, token=b"x")
    elsewhere = replace(consortium().anchor(4), chain_id=1)
    bundle = put(folder, shorter, token, elsewhere)
    goal = last_hash(consortium().anchor(4))
    outcome = typed("bundle", "upgrade", "receivable.hb.json", *CALL, "--to", goal, "-o", "new.hb.json")
    assert (outcome.code, outcome.out) == (0, "new.hb.json: 2 public anchors\n")
    assert anchors_of(folder, "new.hb.json") == (consortium().anchor(4), token, elsewhere)
    assert decode_bundle((folder / "receivable.hb.json").read_bytes()) == bundle


def test_upgrade_never_takes_headers_away(typed, folder, anchored):
    anchored(4)
    put(folder, consortium().anchor(4))
    assert typed("bundle", "upgrade", "receivable.hb.json", *CALL).code == 0
    assert anchors_of(folder) == (consortium().anchor(4),)


def test_upgrade_keeps_an_anchor_whose_headers_went_another_way(typed, folder, anchored):
    anchored(4)
    other = replace(consortium().anchor(4), descendants=(consortium().anchor(4).header,))
    put(folder, other)
    goal = last_hash(consortium().anchor(4))
    assert typed("bundle", "upgrade", "receivable.hb.json", *CALL, "--to", goal).code == 0
    assert anchors_of(folder) == (other, consortium().anchor(4))


def test_upgrade_from_an_endpoint_on_another_branch_than_the_trusted_hash_is_refuted(typed, folder, anchored):
    anchored(4)
    before = put(folder)
    trust = consortium().trust()
    (chain,) = trust.public_chains
    blocks = tuple(replace(block, hash=bytes(32)) for block in chain.block_hashes)
    wrong = replace(trust, public_chains=(replace(chain, block_hashes=blocks),))
    (folder / "wrong.json").write_bytes(wrong.encode())
    outcome = typed("bundle", "upgrade", "receivable.hb.json", "--rpc", "http://127.0.0.1:1", "--trust", "wrong.json")
    assert outcome.code == 1
    assert "FieldMismatch(field='public block'" in outcome.err
    assert decode_bundle((folder / "receivable.hb.json").read_bytes()) == before


def test_upgrade_without_a_final_anchor_is_undecided_and_changes_nothing(typed, folder, anchored):
    anchored(3, 9)
    before = (folder / "receivable.hb.json").read_bytes()
    outcome = typed("bundle", "upgrade", "receivable.hb.json", *CALL)
    assert outcome.code == 3
    assert "a final anchor of size 4 in that contract" in outcome.err
    assert (folder / "receivable.hb.json").read_bytes() == before


def test_upgrade_by_a_trust_file_that_knows_no_contract_there_is_undecided(typed, folder, anchored):
    anchored(4)
    (folder / "none.json").write_bytes(replace(consortium().trust(), public_chains=()).encode())
    outcome = typed("bundle", "upgrade", "receivable.hb.json", "--rpc", "http://127.0.0.1:1", "--trust", "none.json")
    assert outcome.code == 3


def test_upgrade_of_standard_input_needs_an_output(typed):
    outcome = typed("bundle", "upgrade", "-", *CALL)
    assert outcome.code == 2
    assert "--output is needed" in outcome.err


def test_upgrade_needs_to_know_the_contract(typed):
    outcome = typed("bundle", "upgrade", "receivable.hb.json", "--rpc", "http://127.0.0.1:1")
    assert outcome.code == 2
    assert "--contract or --trust" in outcome.err


def last_hash(anchor):
    return decode_header(anchor.descendants[-1]).hash.hex()
