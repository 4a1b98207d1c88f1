"""The history of the engine's set, out of a ledger's records and an engine's headers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_bridge.core.cometbft import COMMITTED, SignedHeader, ValidatorSet
from hybrid_bridge.core.governance import ADD, MEMBER, MemberUpdate, SetUpdate
from hybrid_bridge.core.validators import ValidatorEntry
from hybrid_bridge.core.validators import ValidatorSet as LogSet
from hybrid_bridge.errors import TooLong
from hybrid_bridge.node import votes as node_votes
from hybrid_bridge.node.votes import Votes
from tests import comet_chain as made
from tests.unit.hybrid_bridge.core.test_cometbft_evidence import GOOD, epoch, genesis

LOG = genesis().log_id


def member_update() -> bytes:
    word = made.sha(b"word")
    return MemberUpdate(
        log_id=LOG, action=ADD, name_hash=word, certificate_hash=word, key_id=word, roles=MEMBER, from_epoch=1
    ).encode()


def set_update(size: int) -> bytes:
    word = made.sha(b"word")
    validators = LogSet(2, (ValidatorEntry(word[:20], word, word, word),))
    update = SetUpdate(
        log_id=LOG,
        previous_set_hash=word,
        set_hash=validators.digest,
        effective_from_size=size,
        decoy_key_hash=word,
        validators=validators,
    )
    return update.encode()


@dataclass
class Chain:
    """Ten blocks an epoch; the engine's set changes in the block behind each of `told`, the log's records stand where said."""

    records: list[tuple[int, bytes]]
    told: dict[int, tuple[made.Key, ...]]
    height: int = 1_000
    asked: list[int] = field(default_factory=list)

    # as the ledger

    def governance(self, after: int) -> Iterator[tuple[int, int, bytes]]:
        return ((i, *row) for i, row in enumerate(self.records, 1) if i > after)

    def header(self, height: int) -> Any:
        return SimpleNamespace(epoch=height // 10) if height <= self.height else None

    def first_height_after(self, epoch: int) -> int | None:
        first = 10 * (epoch + 1)
        return first if first <= self.height else None

    # as the engine

    def set_at(self, height: int) -> tuple[made.Key, ...]:
        return next((keys for told, keys in reversed(self.told.items()) if told + 2 <= height), made.FIRST)

    def validators(self, height: int) -> ValidatorSet:
        return made.set_of(self.set_at(height))

    def signed_header(self, height: int) -> SignedHeader:
        self.asked.append(height)
        header = made.header(self.set_at(height), self.set_at(height + 1), height=height)
        return made.signed(header, self.set_at(height))


def votes(chain: Chain) -> Votes:
    return Votes(chain, genesis(), chain)  # type: ignore[arg-type]


FOUNDED = [(1, member_update()), *((1, made.bound(seed, LOG)) for seed in (1, 2, 3, 4))]


def test_a_chain_that_never_changed_shows_its_first_set_and_whose_it_is() -> None:
    own = votes(Chain(list(FOUNDED), {}))
    assert own.first == made.set_of(made.FIRST)
    assert own.handovers(500) == ()
    tree = [made.GENESIS_RECORD, *(record for _, record in FOUNDED)]
    bound = own.bindings(GOOD, epoch(governance_size=6))
    assert bound is not None
    assert [binding.index for binding in bound] == [2, 3, 4, 5]
    assert all(len(binding.path) == len(made.path(binding.index, tree)) for binding in bound)


def test_a_change_is_found_behind_the_first_block_of_its_epoch_and_shown_with_no_more_votes_than_it_takes() -> None:
    chain = Chain([*FOUNDED, (34, made.bound(5, LOG)), (35, set_update(8))], {70: made.SECOND})
    own = votes(chain)
    (handover,) = own.handovers(72)
    assert (handover.signed.header.height, handover.following) == (71, made.set_of(made.SECOND))
    assert sum(vote.flag == COMMITTED for vote in handover.signed.commit.votes) == 3
    handover.signed.verify(made.set_of(made.FIRST))


def test_a_change_that_is_not_in_force_yet_is_not_shown() -> None:
    chain = Chain([*FOUNDED, (34, made.bound(5, LOG)), (35, set_update(8))], {70: made.SECOND}, height=71)
    assert votes(chain).handovers(71) == ()
    short = Chain([*FOUNDED, (34, made.bound(5, LOG)), (35, set_update(8))], {70: made.SECOND}, height=39)
    assert votes(short).handovers(39) == ()


def test_what_came_since_is_read_and_no_header_twice() -> None:
    chain = Chain(list(FOUNDED), {70: made.SECOND})
    own = votes(chain)
    assert own.handovers(69) == ()
    chain.records += [(62, made.bound(5, LOG))]
    assert len(own.handovers(100)) == len(own.handovers(200)) == 1
    assert chain.asked == [11, 71]


def test_a_record_behind_the_epoch_is_not_shown_with_it() -> None:
    own = votes(Chain(list(FOUNDED), {}))
    bound = own.bindings(GOOD, epoch(governance_size=4))
    assert bound is not None
    assert [binding.index for binding in bound] == [2, 3]
    assert own.bindings(GOOD, epoch(governance_size=2)) is None


def test_never_more_than_an_outsider_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain([*FOUNDED, (34, made.bound(5, LOG))], {40: made.SECOND})
    monkeypatch.setattr(node_votes, "MAX_HANDOVERS", 0)
    with pytest.raises(TooLong):
        votes(chain).handovers(100)
    monkeypatch.setattr(node_votes, "MAX_BINDINGS", 3)
    with pytest.raises(TooLong):
        votes(chain).bindings(GOOD, epoch(governance_size=7))
