"""The auditor replays a registry; whoever feeds him a tampered middle is caught at the epoch in which it lies."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.audit import Audit
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.registry import Delta, PrefixTree, genesis_tree
from hybrid_bridge.errors import (
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    RecordMalformed,
    RootMismatch,
    TrailingBytes,
)
from tests.bundles import EPOCHS, LADDERS, Consortium, consortium, flip


def world() -> Consortium:
    return consortium()


def steps(log=None):
    """Every epoch's record and delta, as an honest member serves them."""
    log = log or world()
    dummies = genesis_tree(log.secrets[0], LADDERS)
    first = Delta(
        log_id=log.genesis.log_id, epoch=0, old_root=ZERO, new_root=dummies.root, pairs=tuple(dummies.pairs())
    )
    made, root = [(log.genesis.encode(), first)], dummies.root
    for epoch, closed in enumerate(log.closed, 1):
        new = closed.record.registry_root
        delta = Delta(log_id=log.genesis.log_id, epoch=epoch, old_root=root, new_root=new, pairs=closed.pairs)
        made.append((closed.record.encode(), delta))
        root = new
    return made


def audited(made, log=None) -> Audit:
    audit = Audit((log or world()).genesis)
    for record, delta in made:
        audit.take(record, delta)
    return audit


def refused(made, error: type[BridgeError], epoch: int, log=None) -> BridgeError:
    """The error, and that the auditor names the epoch in which the tampering lies."""
    with pytest.raises(error) as caught:
        audited(made, log)
    assert caught.value.__notes__ == [f"epoch {epoch} of the registry"]
    return caught.value


def tampered(epoch: int, **changes):
    made = steps()
    record, delta = made[epoch]
    made[epoch] = record, replace(delta, **changes)
    return made


def pairs_of(epoch: int):
    return list(steps()[epoch][1].pairs)


def root_after(made):
    tree = PrefixTree()
    for _, delta in made:
        tree = tree.insert(delta.pairs)
    return tree.root


# ── honest ──


def test_an_honest_history_is_replayed_to_the_root_that_the_quorum_signed():
    audit = audited(steps())
    audit.finish(EPOCHS + 1, world().log.root(EPOCHS + 1))
    assert audit.next_epoch == EPOCHS + 1
    assert (audit.mark.epoch, audit.mark.registry_root) == (EPOCHS, world().closed[-1].record.registry_root)
    assert audit.mark.insertions == sum(len(delta.pairs) for _, delta in steps())


@pytest.mark.parametrize("stop", range(EPOCHS + 1))
def test_an_audit_goes_on_where_it_stopped(stop):
    made = steps()
    mark = audited(made[: stop + 1]).mark
    audit = Audit(world().genesis)
    audit.resume(mark, [r for r, _ in made[: stop + 1]], [p for _, d in made[: stop + 1] for p in d.pairs])
    for record, delta in made[stop + 1 :]:
        audit.take(record, delta)
    audit.finish(EPOCHS + 1, world().log.root(EPOCHS + 1))


# ── a tampered middle ──


def test_a_pair_swapped_in_the_middle():
    index, value = pairs_of(2)[0]
    swapped = tuple(sorted([(index, flip(value)), *pairs_of(2)[1:]]))
    refused(tampered(2, pairs=swapped), RootMismatch, 2)


def test_a_pair_swapped_in_the_middle_and_compensated_later():
    """The forger follows his own tree: epoch 2 has another pair, and from epoch 3 on the true set is there again."""
    made = steps()
    taken, late = pairs_of(2)[0], pairs_of(3)[0]
    second = tuple(sorted([late, *pairs_of(2)[1:]]))
    third = tuple(sorted([taken, *pairs_of(3)[1:]]))
    root = root_after([*made[:2], (b"", replace(made[2][1], pairs=second))])
    made[2] = made[2][0], replace(made[2][1], pairs=second, new_root=root)
    made[3] = made[3][0], replace(made[3][1], pairs=third, old_root=root)
    assert root_after(made) == root_after(steps())
    refused(made, RootMismatch, 2)


def test_a_forged_record_over_a_forged_delta_is_no_leaf_of_the_log():
    """Record and delta agree with one another; the checkpoint knows another record."""
    made = steps()
    index, value = pairs_of(5)[0]
    pairs = tuple(sorted([(index, flip(value)), *pairs_of(5)[1:]]))
    root = root_after([*made[:5], (b"", replace(made[5][1], pairs=pairs))])
    forged = replace(world().closed[4].record, registry_root=root)
    made[5] = forged.encode(), replace(made[5][1], pairs=pairs, new_root=root)
    audit = audited(made)
    with pytest.raises(RootMismatch):
        audit.finish(EPOCHS + 1, world().log.root(EPOCHS + 1))


def test_a_removed_pair():
    refused(tampered(2, pairs=tuple(pairs_of(2)[1:])), FieldMalformed, 2)


def test_a_removed_pair_whose_place_a_dummy_takes():
    made = steps()
    dummy = world().secrets[0].dummy(2, 10_000)
    pairs = tuple(sorted([dummy, *pairs_of(2)[1:]]))
    made[2] = made[2][0], replace(made[2][1], pairs=pairs)
    refused(made, RootMismatch, 2)


def test_delta_removes_key():
    """A key inserted twice would be a key replaced."""
    again = pairs_of(1)[0]
    pairs = tuple(sorted([(again[0], flip(again[1])), *pairs_of(2)[1:]]))
    assert refused(tampered(2, pairs=pairs), FieldMismatch, 2).field == "registry.index"


def test_delta_off_ladder():
    more = world().secrets[0].dummy(9, 9)
    refused(tampered(2, pairs=tuple(sorted([*pairs_of(2), more]))), FieldMalformed, 2)


def test_a_delta_of_another_log():
    other = steps(consortium("other.example/receivables"))
    made = steps()
    made[2] = made[2][0], other[2][1]
    assert refused(made, FieldMismatch, 2).field == "delta.log_id"
    refused(other, FieldMismatch, 0)


def test_two_deltas_for_one_epoch():
    made = steps()
    assert refused([*made[:3], made[2], *made[3:]], FieldMismatch, 3).field == "epoch.epoch"
    again = [*made[:3], (made[3][0], made[2][1]), *made[4:]]
    assert refused(again, FieldMismatch, 3).field == "delta.epoch"


def test_an_epoch_left_out():
    made = steps()
    refused([*made[:2], *made[3:]], FieldMismatch, 2)


def test_a_start_that_is_not_the_founding():
    made = steps()
    assert refused(made[1:], FieldMismatch, 0).field == "audit.genesis"


def test_a_founding_with_another_set_of_dummies():
    pairs = tuple(sorted([world().secrets[0].dummy(0, 9_999), *pairs_of(0)[1:]]))
    refused(tampered(0, pairs=pairs), RootMismatch, 0)
    forged = PrefixTree().insert(pairs).root
    refused(tampered(0, pairs=pairs, new_root=forged), RootMismatch, 0)


def test_a_founding_on_another_rung():
    pairs = tuple(sorted([*pairs_of(0), *(world().secrets[0].dummy(7, i) for i in range(120))]))
    assert len(pairs) == 1 << 7
    assert refused(tampered(0, pairs=pairs), FieldMismatch, 0).field == "delta.count"


@pytest.mark.parametrize("name", ["old_root", "new_root"])
def test_a_root_that_the_delta_claims(name):
    refused(tampered(3, **{name: bytes(32)}), RootMismatch, 3)


def test_a_record_of_another_epoch_or_none_at_all():
    made = steps()
    for record in (made[2][0], b"", made[3][0] + b"\x00"):
        broken = [*made[:3], (record, made[3][1])]
        with pytest.raises((FieldMismatch, RecordMalformed, TrailingBytes, BridgeError)) as caught:
            audited(broken)
        assert caught.value.exit_code in {1, 2}


def test_the_checkpoint_covers_every_epoch_or_the_audit_is_not_over():
    audit = audited(steps()[:-1])
    with pytest.raises(FieldMismatch) as caught:
        audit.finish(EPOCHS + 1, world().log.root(EPOCHS + 1))
    assert caught.value.field == "audit.epochs"


# ── going on ──


def test_a_second_history_is_seen_when_the_audit_goes_on():
    made = steps()
    mark = audited(made[:3]).mark
    pairs = [p for _, d in made[:3] for p in d.pairs]
    records = [record for record, _ in made[:3]]
    liar = world().variant(2, stats_commitment=bytes(32)).closed[1].record.encode()
    with pytest.raises(RootMismatch):
        Audit(world().genesis).resume(mark, [*records[:2], liar], pairs)
    with pytest.raises(RootMismatch):
        Audit(world().genesis).resume(mark, records, pairs[1:])
    with pytest.raises(FieldMismatch):
        Audit(world().genesis).resume(mark, records[:2], pairs)
    with pytest.raises(FieldMismatch):
        Audit(world().genesis).resume(mark, records, [*pairs, pairs[0]])


def test_a_mark_that_somebody_else_wrote_vouches_for_no_pairs():
    """The records are genuine, the pairs are not, and the mark was made to fit the pairs."""
    made = steps()
    honest = audited(made).mark
    records = [record for record, _ in made]
    pairs = [(index, bytes(32)) for _, d in made for index, _ in d.pairs]
    forged = replace(honest, registry_root=PrefixTree().insert(pairs).root)
    with pytest.raises(RootMismatch):
        Audit(world().genesis).resume(forged, records, pairs)
    genesis_pairs = [(index, bytes(32)) for index, _ in made[0][1].pairs]
    first = replace(audited(made[:1]).mark, registry_root=PrefixTree().insert(genesis_pairs).root)
    with pytest.raises(RootMismatch):
        Audit(world().genesis).resume(first, records[:1], genesis_pairs)
