"""Members come, go and change keys while the others go on: who attests, who is believed, who is let in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.node.bundling import BundleOrder, Bundler
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import EpochNumber, TreeSize
from tests.unit.hybrid_bridge.node.coming import agreed, joined, newcomer, pass_epoch
from tests.unit.hybrid_bridge.node.members import NAMES, Members, started

FIVE = (*NAMES, "bank-c")


@pytest.fixture(scope="module")
def grown(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """Four validators admit a fifth in epoch 2, from epoch 4 on; six epochs are closed."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("grown") / "out"
    shutil.copytree(root, folder)
    members = Members(folder, foundation)
    with members.stack:
        started(members)
        pass_epoch(members, 1)
        home, card = newcomer(members)
        proposal = agreed(members, Wish(kind="admit", card=card, from_epoch=4))
        pass_epoch(members, 2)
        joined(members, home, proposal)
        for epoch in (3, 4, 5, 6):
            pass_epoch(members, epoch, FIVE)
        yield members


def test_a_newcomer_attests_from_its_size_on_and_closes_as_the_others_do(grown: Members) -> None:
    view = grown.open("bank-c").view
    assert view.address is not None
    assert [signed.size for signed in view.epochs.attested(view.address, TreeSize(0))] == [5, 6, 7]
    assert {grown.open(name).view.logbook.root() for name in FIVE} == {view.logbook.root()}
    sets = [view.logbook.record(EpochNumber(epoch)).set_id for epoch in range(1, 7)]
    assert sets == [1, 1, 1, 2, 2, 2]
    assert view.logbook.validators(TreeSize(5)).quorum == 4


def test_everybody_knows_the_newcomer_and_its_words_make_blocks_final(grown: Members) -> None:
    for name in FIVE:
        view = grown.open(name).view
        assert view.directory.is_member("bank-c")
        assert view.directory.member("bank-c").endpoint == "127.0.0.1:7000"
        assert view.progress.final == view.progress.tip
        assert grown.open(name).enrolment.lacking() == []


def test_bundles_of_before_and_after_verify_with_the_handover_shown(grown: Members) -> None:
    trust = Trust(logs=(TrustedLog(log_id=grown.foundation.genesis.log_id),))
    for name in ("core", "bank-c"):
        bundler = Bundler(grown.open(name).view, lambda _size: b"")
        for size, rotations, newest in ((4, 0, False), (4, 1, True), (7, 1, False)):
            bundle = bundler.bundle(checkpoint(size, newest=newest))
            evidence = verify(bundle.encode(), trust, grown.clock.now())
            assert (len(bundle.rotations), evidence.verdict("quorum").result) == (rotations, "verified")


def checkpoint(size: int, *, newest: bool = False) -> BundleOrder:
    return BundleOrder(
        purpose="checkpoint", records=(), labels=(), size=TreeSize(size), label_epoch=EpochNumber(0), newest=newest
    )
