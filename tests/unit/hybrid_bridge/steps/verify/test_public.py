"""Check 11 through whole bundles: what a public chain says, and on whose word its blocks are taken for real."""

from dataclasses import replace

import pytest
import rlp
from eth_utils import keccak

from hybrid_bridge.core.anchor import decode_header
from hybrid_bridge.core.bundle import TimestampsAnchor, TokenAnchor, WitnessAnchor
from hybrid_bridge.core.evidence import NOT_SHOWN, UNDECIDED, VERIFIED
from hybrid_bridge.core.trust import TrustedBlock, TrustedChain
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, HeadConflict, IndexBeyondSize
from hybrid_bridge.ports import Head
from hybrid_bridge.steps.verify import PublicSight
from hybrid_bridge.units import Address
from tests.bundles import CHAIN, CONTRACT, Consortium, flip, public_anchor, public_header
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

AT = "11 public anchor"
ANCHOR = "anchors.0"
OTHER = Address(b"\xbb" * 20)


def chains(*blocks: TrustedBlock, contracts=(CONTRACT,), chain_id=CHAIN):
    return (TrustedChain(chain_id=chain_id, contracts=contracts, block_hashes=blocks),)


def real(header: bytes) -> TrustedBlock:
    return TrustedBlock(number=decode_header(header).number, hash=keccak(header))


def head(size: int, root: bytes | None = None, state: str = "active") -> Head:
    return Head(
        tree_size=size,
        root=(world().log.root(size) if 0 < size <= 6 else bytes(32)) if root is None else root,
        timestamp=0,
        anchored_at=0,
        set_id=1,
        next_from_size=0,
        paused_until=0,
        state=state,
    )


def sight(size: int = 0, *headers: bytes, contract=CONTRACT, chain_id=CHAIN, **words) -> PublicSight:
    return PublicSight(
        chain_id=chain_id,
        contract=contract,
        basis="2 of 3 endpoints that call it final",
        finalized_number=1_000,
        finalized_hashes={decode_header(header).number: keccak(header) for header in headers},
        head=head(size, **words),
    )


def last() -> bytes:
    return good().anchors[0].descendants[-1]


def anchor_verdict(bundle=None, sights=(), **trust):
    return judged(bundle or good(), sights=sights, **trust).verdict("public anchor")


# ── on whose word ──


def test_a_block_hash_in_the_trust_file_is_enough():
    verdict = anchor_verdict(public_chains=chains(real(last())))
    assert verdict.result == VERIFIED
    assert verdict.detail.endswith("its hash by the trust file")


def test_evm_contract_from_bundle_only():
    """anchor/: anybody can deploy a contract that emits the event; the bundle's word for its address is none."""
    for contracts in ((), (OTHER,)):
        verdict = anchor_verdict(public_chains=chains(real(last()), contracts=contracts))
        assert (verdict.result, verdict.missing) == (
            UNDECIDED,
            f"trust in contract 0x{CONTRACT.hex()} on chain {CHAIN} (trust file or --contract)",
        )
    verdict = anchor_verdict(public_chains=chains(real(last()), chain_id=1))
    assert verdict.missing.startswith(f"trust in contract 0x{CONTRACT.hex()}")


def test_a_contract_that_the_verifier_does_not_know_emits_what_it_likes():
    forged = public_anchor(world().checkpoint(4), 0b0111, number=400, contract=OTHER)
    bundle = replace(good(), anchors=(forged,))
    evidence = judged(bundle, public_chains=chains(real(forged.descendants[-1])))
    assert not evidence.complete
    assert evidence.missing == (
        f"public anchor: trust in contract 0x{OTHER.hex()} on chain {CHAIN} (trust file or --contract)",
    )


def test_a_public_block_that_nobody_vouches_for_is_undecided_and_its_hash_is_named():
    verdict = anchor_verdict(public_chains=chains())
    assert verdict.missing == (
        f"that public block 401 of chain {CHAIN} has the hash 0x{keccak(last()).hex()} (trust file or --rpc)"
    )
    assert judged(good(), public_chains=chains()).verdict("not after").result == NOT_SHOWN


def test_a_block_hash_that_is_not_the_real_one_refutes():
    wrong = TrustedBlock(number=401, hash=bytes(32))
    error = stopped(good(), FieldMismatch, AT, public_chains=chains(wrong))
    assert (error.field, error.expected) == ("public block 401", bytes(32).hex())


def test_endpoints_may_vouch_for_block_and_contract():
    verdict = anchor_verdict(sights=[sight(0, last())], public_chains=())
    assert (verdict.result, verdict.detail.split("; ")[1]) == (
        VERIFIED,
        "its hash by 2 of 3 endpoints that call it final",
    )


def test_endpoints_asked_about_another_contract_vouch_for_the_block_alone():
    assert anchor_verdict(sights=[sight(0, last(), contract=OTHER)], public_chains=()).result == UNDECIDED
    verdict = anchor_verdict(sights=[sight(0, last(), contract=OTHER)], public_chains=chains())
    assert verdict.result == VERIFIED


def test_endpoints_of_another_chain_vouch_for_nothing():
    other = sight(0, last(), chain_id=1)
    assert anchor_verdict(sights=[other], public_chains=chains()).result == UNDECIDED


def test_every_source_that_knows_the_block_must_agree():
    """The trust file is right; the endpoints see another block there: two public histories, or a lie."""
    other = public_header(401, bytes(32), bytes(32), 1)
    stopped(good(), FieldMismatch, AT, sights=[sight(0, other)])
    both = anchor_verdict(sights=[sight(0, last()), sight(0, last(), contract=OTHER)])
    assert both.detail.endswith("its hash by the trust file, 2 of 3 endpoints that call it final")


def test_the_earliest_trusted_anchor_gives_the_time():
    anchors = (world().anchor(6), world().anchor(4))
    evidence = judged(replace(good("history"), anchors=anchors))
    assert evidence.verdict("not after").detail.startswith("all of it existed by 2026-01-08 00:01:30 UTC")
    assert [anchor.tree_size for anchor in evidence.anchors] == [6, 4]


def test_a_checkpoint_alone_has_a_time_too():
    bundle = world().bundle(4, purpose="checkpoint")
    assert judged(bundle).verdict("not after").detail == (
        "all of it existed by 2026-01-08 00:01:30 UTC, the time of the public block"
    )


def test_without_an_anchor_nothing_is_anchored():
    evidence = judged(replace(good(), anchors=()))
    assert evidence.missing == ("public anchor: an anchor (hybrid-bridge bundle upgrade), or --rpc and --contract",)
    assert "no later set is kept from you" in evidence.verdict("quorum").rests_on


# ── the contract's own word ──


def test_the_contracts_head_vouches_for_a_checkpoint_of_the_same_size_and_root():
    bundle = replace(good("history"), anchors=())
    for size in (4, 6):
        verdict = anchor_verdict(bundle, sights=[sight(size)])
        assert verdict.result == VERIFIED
        assert verdict.detail.endswith("the same size and root")
    assert anchor_verdict(bundle, sights=[sight(5)]).result == NOT_SHOWN


def test_a_head_with_another_root_means_two_histories():
    error = stopped(replace(good(), anchors=()), HeadConflict, AT, sights=[sight(4, root=bytes(32))])
    assert (error.size, error.root) == (4, world().log.root(4))


@pytest.mark.parametrize("state", ["unknown", "paused", "frozen", "retired"])
def test_a_log_that_its_contract_does_not_call_active_is_a_warning(state):
    warnings = judged(good(), sights=[sight(0, last(), state=state)]).warnings
    assert warnings == (f"contract 0x{CONTRACT.hex()} on chain {CHAIN} calls this log {state}",)


# ── the structure of an anchor ──


def test_anchor_for_unknown_size():
    for anchor in (
        world().anchor(6),
        TokenAnchor(tree_size=3, token=b"x"),
        WitnessAnchor(tree_size=9, name="w"),
        TimestampsAnchor(tree_size=2, proof=b"x"),
    ):
        error = stopped(replace(good(), anchors=(anchor,)), FieldMismatch, AT)
        assert (error.field, error.got) == ("anchors.tree_size", str(anchor.tree_size))


def test_witness_unknown_key():
    """anchor/: a witness is named, and no line in the note is his."""
    bundle = replace(good(), anchors=(WitnessAnchor(tree_size=4, name="witness.example"),))
    assert stopped(bundle, FieldMismatch, AT).field == "anchors.name"


def test_evm_status_0():
    anchor = public_anchor(world().checkpoint(4), 0b0111, number=400, status=0)
    assert stopped(replace(good(), anchors=(anchor,)), FieldMismatch, AT).field == "receipt.status"


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        pytest.param("log_index", 1, IndexBeyondSize, id="evm-log-index-other"),
        pytest.param("tx_index", 0, FieldMismatch, id="evm-receipt-proof-wrong-key"),
        pytest.param("contract", OTHER, FieldMismatch, id="contract-of-another-log"),
        pytest.param("proof.0", flip, FieldMismatch, id="trie-node"),
        pytest.param("header", flip, FieldMismatch, id="evm-descendant-unlinked"),
        pytest.param(
            "descendants.0",
            lambda h: public_header(402, keccak(last()), bytes(32), 1),
            FieldMismatch,
            id="header-left-out",
        ),
    ],
)
def test_an_anchor_that_contradicts_itself(path, change, error):
    stopped(changed("receivable", f"{ANCHOR}.{path}", change), error, AT)


@pytest.mark.parametrize(
    "words",
    [{"root": bytes(32)}, {"log_id": bytes(32)}, {"tree_size": 5}, {"timestamp": 7}, {"set_id": 2}],
    ids=lambda words: next(iter(words)),
)
def test_an_event_of_another_checkpoint(words):
    other = replace(public_anchor(replace(world().checkpoint(4), **words), 0b0111, number=400), tree_size=4)
    assert stopped(replace(good(), anchors=(other,)), FieldMismatch, AT).field.startswith("log.")


def test_evm_other_topic():
    anchor = good().anchors[0]
    topic = decode_log(anchor.receipt)[1][0]
    assert stopped(
        changed("receivable", f"{ANCHOR}.receipt", anchor.receipt.replace(topic, bytes(32))), FieldMismatch, AT
    )


def decode_log(receipt: bytes):
    return rlp.decode(receipt[1:])[3][0]


@pytest.mark.parametrize("signers", [0b0011, 0b10111, 0])
def test_signers_of_an_event_are_a_quorum_of_the_set(signers):
    anchor = public_anchor(world().checkpoint(4), signers, number=400)
    assert stopped(replace(good(), anchors=(anchor,)), FieldMismatch, AT).field == "anchors.signers"


def test_an_anchor_before_the_epoch_ended_is_refused():
    """The contract refuses it, so whoever shows one shows another contract."""
    anchor = public_anchor(world().checkpoint(4), 0b0111, number=400, after=-1)
    assert stopped(replace(good(), anchors=(anchor,)), FieldMismatch, AT).field == "header.timestamp"


def test_open_timestamps_are_kept_and_not_judged():
    anchors = (*good().anchors, TimestampsAnchor(tree_size=4, proof=b"o"))
    evidence = judged(replace(good(), anchors=anchors))
    assert [item.place for item in evidence.unjudged] == ["ots anchor of size 4"]


# ── beacons ──


def test_a_beacon_that_no_epoch_names_is_refused():
    for header in (public_header(61, bytes(32), bytes(32), 1), good().anchors[0].header):
        bundle = changed("history", "public_blocks.0.header", header)
        assert stopped(bundle, FieldMismatch, AT).field == "public_blocks"
    assert stopped(changed("history", "public_blocks.0.chain_id", 1), FieldMismatch, AT).field == "public_blocks"


def test_a_public_block_stands_once():
    bundle = changed("history", "public_blocks", lambda parts: parts * 2)
    assert stopped(bundle, FieldMalformed, AT).field == "public_blocks"


def test_a_beacon_whose_block_nobody_vouches_for_gives_no_time():
    evidence = judged(good("history"), public_chains=chains(real(world().anchor(6).descendants[-1])))
    assert evidence.verdict("not before").result == NOT_SHOWN
    assert evidence.beacons[0].basis == ""


def test_a_beacon_whose_hash_is_not_the_real_one_refutes():
    wrong = TrustedBlock(number=60, hash=bytes(32))
    assert stopped(good("history"), FieldMismatch, AT, public_chains=chains(wrong)).field == "public block 60"


def test_an_epoch_that_names_a_public_block_younger_than_itself_was_written_late():
    """A hash cannot be known before its block: the validators backdated the epoch."""

    class Backdated(Consortium):
        @property
        def beacon_header(self):
            return public_header(60, b"\x01" * 32, b"\x02" * 32, 1_800_000_000)

        def _live(self):
            self.events = self.events[:5]
            super()._live()

    late = Backdated("late.example/receivables")
    warnings = judged(late.history(), logs=late.trust().logs, public_chains=late.trust().public_chains).warnings
    closed = late.closed[1].record.closed_at
    assert warnings == (
        f"epoch 2 names a public block made {1_800_000_000 - closed} s after it closed: it was written late",
    )
