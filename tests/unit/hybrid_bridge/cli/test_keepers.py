"""What `members` makes of a contract's events and of files, on a consortium in memory; no chain, no network."""

import base64
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybrid_bridge.adapters.evm import keepers as evm
from hybrid_bridge.adapters.evm.keepers import Kept, SetEvent
from hybrid_bridge.cli.keepers import Sight, SignedSize, decode_sets, report_of, signed_sizes
from hybrid_bridge.cli.keeping import LATER, UNSIGNED, signed_under
from hybrid_bridge.cli.members import _told
from hybrid_bridge.cli.openings import Claimed, Openings, keeper_of
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.independence import independence
from hybrid_bridge.core.note import TYPE_COSIGNATURE, VerifierKey
from hybrid_bridge.core.signing import sign_digest, to_compact
from hybrid_bridge.core.validators import name_text
from hybrid_bridge.errors import FieldMismatch, Missing, SetMismatch
from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock
from hybrid_bridge.steps.verify.names import CERTIFIED
from hybrid_bridge.units import TreeSize, TxHash, UnixSeconds
from tests.bundles import CADENCE, CHAIN, CONTRACT, HANDOVER, NOW, START, consortium, set_of

BLOCK = PublicBlock(number=9, hash=b"\x09" * 32, parent=b"\x08" * 32, time=UnixSeconds(NOW))


def b64(data):
    return base64.b64encode(data).decode()


def world():
    return consortium()


def sets():
    return [set_of(1, world().first), set_of(2, world().second)]


def events():
    first, second = sets()
    return (
        SetEvent(1, first.digest, TreeSize(1), first.encode_entries(), 1, TxHash(b"\x01" * 32)),
        SetEvent(2, second.digest, HANDOVER, second.encode_entries(), 2, TxHash(b"\x02" * 32)),
    )


def anchored(size, signers=3, tx=None):
    checkpoint = world().checkpoint(size)
    return AnchoredEvent(
        log_id=world().genesis.log_id,
        tree_size=TreeSize(size),
        root=checkpoint.root,
        timestamp=checkpoint.timestamp,
        set_id=checkpoint.set_id,
        signers=(1 << signers) - 1,
        block=BLOCK,
        tx_hash=TxHash(tx or sha256(b"%d" % size)),
        log_index=0,
    )


def calldata(size, signers=3):
    digest = world().checkpoint(size).digest()
    validators = world().validators_of(size)[:signers]
    return b"\xaa" * 4 + b"".join(to_compact(sign_digest(v.attestation, digest)) for v in validators)


def kept(**changes):
    anchors = (anchored(2), anchored(4), anchored(6))
    head = Head(
        tree_size=TreeSize(6),
        root=anchors[-1].root,
        timestamp=anchors[-1].timestamp,
        anchored_at=UnixSeconds(NOW),
        set_id=2,
        next_from_size=TreeSize(0),
        paused_until=UnixSeconds(0),
        state="active",
    )
    whole = Kept(
        chain_id=CHAIN,
        contract=CONTRACT,
        basis="one endpoint that calls public block 9 final",
        at=BLOCK,
        head=head,
        origin=world().origin,
        genesis=world().genesis.encode(),
        sets=events(),
        anchors=anchors,
        calldata={event.tx_hash: calldata(event.tree_size) for event in anchors},
    )
    return replace(whole, **changes)


def openings(bundle=None):
    found = Openings()
    found.take_bundle(bundle or world().history(), world().genesis.log_id)
    return found


def report(opened=None, roots=(), notes=(), now=NOW, **changes):
    sight = Sight(openings=opened or Openings(), roots=tuple(roots), notes=tuple(notes), now=UnixSeconds(now))
    return report_of(kept(**changes), world().genesis, sets(), sight)


# ── sets ──


def test_the_first_set_is_the_genesis_records_and_each_other_its_hashs():
    assert decode_sets(world().genesis, events()) == sets()
    one, two = events()
    for spoilt in ([replace(one, entries=two.entries)], [one, replace(two, set_hash=sha256(b"x"))]):
        with pytest.raises(SetMismatch):
            decode_sets(world().genesis, spoilt)


@pytest.mark.parametrize("pick", [(), (1,), (0, 0)], ids=["none", "the first is missing", "twice"])
def test_sets_without_one_between_are_no_answer(pick):
    with pytest.raises(Missing):
        decode_sets(world().genesis, [events()[k] for k in pick])


def test_a_head_or_an_anchor_of_a_set_that_no_event_took_up_is_no_answer():
    with pytest.raises(Missing):
        report(head=replace(kept().head, set_id=3))
    with pytest.raises(Missing):
        signed_sizes(world().genesis, sets()[:1], kept())


def test_a_set_that_waits_for_its_handover_is_pending():
    shown = report(head=replace(kept().head, set_id=1))
    assert [(one.set_id, one.state, one.to_size) for one in shown.sets] == [(1, "in force", 4), (2, "pending", None)]


# ── names ──


def test_a_bundle_opens_names_and_certificates_and_a_root_certifies_them():
    shown = report(openings(), roots=[world().root])
    assert {keeper.basis for one in shown.sets for keeper in one.keepers} == {CERTIFIED}
    assert (shown.sets[1].independence.entities, shown.sets[1].independence.to_sign) == (4, 3)
    text = "\n".join(_told(shown))
    assert "4 legal entities known" in text
    assert "independence: 3 of the entities are enough to sign, 2 to block; by names certified by your roots" in text


def test_a_certificate_that_has_run_out_certifies_nobody():
    shown = report(openings(), roots=[world().root], now=START + 100 * 365 * 86_400)
    assert {keeper.basis for keeper in shown.sets[0].keepers} == {"self-stated; its certificate is not valid now"}
    assert shown.sets[0].independence.entities == 0
    assert shown.overdue > 0


def test_a_name_of_another_key_is_refuted_and_a_key_of_no_set_is_left_alone():
    found = openings()
    found.claims.append(Claimed(b"\x01" * 20, "LEI:X", "Nobody", sha256(b"nobody")))
    report(found)
    found.claims.append(replace(found.claims[0], name_hash=sha256(b"other")))
    with pytest.raises(FieldMismatch) as caught:
        report(found)
    assert caught.value.field == f"name of 0x{found.claims[0].address.hex()}"


def test_a_certificate_that_names_somebody_else_certifies_nobody():
    from hybrid_bridge.core.certificate import read_certificate  # noqa: PLC0415

    entry, found = sets()[0].entries[0], openings()
    names = {entry.name_hash: Claimed(entry.address, "LEI:OTHER", "Other", entry.name_hash)}
    keeper = keeper_of(entry, names, found.certificates, [read_certificate(world().root)], UnixSeconds(NOW))
    assert keeper.basis.startswith("self-stated; its certificate names somebody else")
    assert keeper.marks(certified=True) == ()


def test_one_company_in_two_spellings_is_one():
    found = openings()
    keepers = [keeper_of(e, found.names(sets()), {}, [], UnixSeconds(NOW)) for e in sets()[0].entries]
    one, two = replace(keepers[0], legal_id="LEI:5493001KJTIIGC8Y1R12"), keepers[1]
    two = replace(two, legal_id="lei: 5493001k jtiigc8y1r12")
    counted = independence([keeper.marks(certified=False) for keeper in (one, two, *keepers[2:])])
    assert (counted.n, counted.entities) == (4, 3)
    strange = replace(two, legal_id="LEI:5493001\u041aJTIIGC8Y1R12")
    assert strange.marks(certified=False) == ()


# ── signatures ──


def test_a_signature_that_is_not_shown_is_the_contracts_word_alone():
    one = kept().anchors[0]
    (signed, *_) = signed_sizes(world().genesis, sets(), kept(calldata={one.tx_hash: calldata(2, signers=2)}))
    assert (len(signed.signers), len(signed.unseen)) == (2, 1)
    shown = report(calldata={})
    assert all(not signed.signers for signed in shown.signed)
    text = "\n".join(_told(shown))
    assert "no signature was found" in text
    assert "named by the contract, signature not seen" in text


def test_calldata_is_looked_for_until_all_whom_the_event_names_are_found_and_only_then_kept(monkeypatch):
    whole, one = calldata(2), kept().anchors[0]
    first, rest = whole[: 4 + 64], whole[4 + 64 :]
    shown = {"one": first + b"\x01", "two": None, "three": rest, "four": b"\x02"}
    asked = []

    def answer(chain, _tx):
        asked.append(chain)
        return shown[chain]

    monkeypatch.setattr(evm, "_input", answer)
    wanted = evm.all_of([(one.tx_hash, evm._has_named(one, evm.readable(events()).get(one.set_id)))])
    found = evm.calldata_of(list(shown), wanted, {one.tx_hash: first})
    assert asked == ["one", "two", "three"]
    (signed,) = signed_sizes(world().genesis, sets(), kept(anchors=(one,), calldata=found))
    assert (len(signed.signers), signed.unseen) == (3, ())
    assert evm.calldata_of(list(shown), wanted, found) == found
    assert len(asked) == 3


@pytest.mark.parametrize("junk", [None, b"\x01"], ids=["nothing", "junk"])
def test_who_lets_us_wait_for_what_is_not_enough_is_asked_so_often_and_no_more(monkeypatch, junk):
    """One of three that hangs would take five seconds for each of hundreds of transactions."""
    clock, asked = [0.0], Counter()

    def answer(chain, tx):
        asked[chain] += 1
        clock[0] += 5 if chain == "slow" else 0.01
        return junk if chain == "slow" else tx

    monkeypatch.setattr(evm, "_input", answer)
    monkeypatch.setattr(evm, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    transactions = [TxHash(bytes([number]) * 32) for number in range(1, 101)]
    wanted = {tx: lambda data, tx=tx: data.endswith(tx) for tx in transactions}
    found = evm.calldata_of(["slow", "quick"], wanted, {})
    assert asked == {"slow": evm.MAX_WAITS, "quick": 100}
    assert all(found[tx].endswith(tx) for tx in transactions)


@pytest.mark.parametrize("spoilt", [(), (replace(events()[0], entries=b"\x01"),)], ids=["no set", "no entries"])
def test_an_event_of_a_set_that_cannot_be_read_asks_for_no_calldata_twice(spoilt):
    assert evm._has_named(kept().anchors[0], evm.readable(spoilt).get(kept().anchors[0].set_id))(b"")


def test_other_lines_under_a_note_are_named_and_not_judged(tmp_path):
    text = world().signed(world().checkpoint(6), world().second)
    witness = VerifierKey("w.example", TYPE_COSIGNATURE, bytes(range(32)))
    line = f"\u2014 w.example {b64(witness.key_id + bytes(72))}\n"
    (path := tmp_path / "note").write_text(text + line)
    (signed,) = signed_under(path, world().genesis, sets(), kept()).signed
    assert (len(signed.signers), signed.cosigned) == (4, ("w.example",))
    assert "cosigned by, not judged here: w.example" in "\n".join(_told(report(notes=[signed])))


def in_a_file(folder, text):
    (path := folder / "note").write_text(text)
    return path


def test_a_note_that_nobody_of_the_set_signed_is_left_out(tmp_path):
    text = world().signed(world().checkpoint(6), ())
    copied = signed_under(in_a_file(tmp_path, text), world().genesis, sets(), kept())
    assert copied.signed == ()
    assert [(one.size, one.source, one.reason) for one in copied.left_out] == [(6, "note", UNSIGNED)]


def test_a_note_of_a_set_that_is_not_final_yet_is_not_judged_and_refutes_nothing(tmp_path):
    path = in_a_file(tmp_path, world().signed(world().checkpoint(6), world().second))
    known = kept(sets=events()[:1], anchors=kept().anchors[:1])
    copied = signed_under(path, world().genesis, sets()[:1], known)
    assert (copied.signed, [one.reason for one in copied.left_out]) == ((), [LATER])
    (signed,) = signed_under(path, world().genesis, sets(), kept()).signed
    assert len(signed.signers) == 4


def test_an_anchor_of_another_boundary_than_the_logs_clock_has_is_no_answer():
    one = anchored(2)
    with pytest.raises(Missing):
        signed_sizes(world().genesis, sets(), kept(anchors=(replace(one, timestamp=one.timestamp + 3000),)))


def test_a_first_set_that_is_not_responsible_from_size_one_on_is_no_answer():
    one, two = events()
    with pytest.raises(Missing):
        decode_sets(world().genesis, [replace(one, from_size=TreeSize(2)), two])


def silent_in(**changes):
    return [(one.address, one.last_size, one.missed, one.is_told) for one in report(**changes).silent]


def test_whom_the_contract_names_is_not_silent_though_nobody_shows_the_signature():
    addresses, tx = sets()[1].addresses, kept().anchors[-1].tx_hash
    assert silent_in() == [(addresses[3], None, 1, False)]
    assert silent_in(calldata={tx: calldata(6, signers=2)}) == [(addresses[3], None, 1, True)]
    assert silent_in(calldata={}) == []
    assert "1 since, as the contract says" in "\n".join(_told(report(calldata={tx: calldata(6, signers=2)})))


def test_a_note_of_fewer_than_a_quorum_makes_nobody_silent_and_nobody_present(tmp_path):
    path = in_a_file(tmp_path, world().signed(world().checkpoint(7, root=sha256(b"7")), world().second[:2]))
    notes = signed_under(path, world().genesis, sets(), kept()).signed
    assert [len(one.signers) for one in notes] == [2]
    assert silent_in(notes=notes) == silent_in()


def test_a_key_has_the_name_that_its_own_set_binds_it_to():
    found = report(openings())
    named = [
        replace(one, keepers=tuple(replace(keeper, name=name) for keeper in one.keepers))
        for one, name in zip(found.sets, ("Old Bank", "New Bank"), strict=True)
    ]
    lines = [line for line in _told(replace(found, sets=tuple(named))) if line.startswith("  size ") and "(" in line]
    assert [("Old Bank" in line, "New Bank" in line) for line in lines] == [(True, False), (True, False), (False, True)]


def test_silence_is_counted_over_checkpoints_of_the_set_in_force():
    addresses = sets()[1].addresses
    note = SignedSize(
        size=TreeSize(7), at=UnixSeconds(START + 6 * CADENCE), set_id=2, source="n", signers=addresses[1:]
    )
    silent = {one.address: (one.last_size, one.missed) for one in report(notes=[note]).silent}
    assert silent == {addresses[0]: (6, 1)}
    silent = {one.address: (one.last_size, one.missed) for one in report().silent}
    assert silent == {addresses[3]: (None, 1)}


def test_the_report_for_machines_has_what_people_read():
    found = report(openings()).to_json()
    assert (found["format"], found["head_size"]) == ("hybrid-bridge/keepers/v1", 6)
    assert found["sets"][0]["keepers"][0]["history"][0][0] == 1
    assert found["without_anchor"] == [[3, 3], [5, 5]]


@pytest.mark.parametrize("text", [b"\xff\xfe", b"no name", b'{"id":1,"name":"x"}', b'{"name":"x","id":"y"}', b""])
def test_a_published_text_that_is_no_name_opens_nothing(text: bytes) -> None:
    openings = Openings()
    openings.take_published([(b"\x11" * 20, text)])
    assert openings.claims == []


def test_a_published_name_opens_its_hash() -> None:
    openings = Openings()
    text = name_text("LEI:A", "一 Ltd").encode()
    openings.take_published([(b"\x11" * 20, text)])
    assert [(one.address, one.legal_id, one.name) for one in openings.claims] == [(b"\x11" * 20, "LEI:A", "一 Ltd")]
