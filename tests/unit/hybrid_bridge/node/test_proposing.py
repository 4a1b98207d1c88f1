"""What may be proposed, what a validator looks at before it consents, what a newcomer takes."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters import pki
from hybrid_bridge.adapters.pki import (
    Authority,
    Holder,
    certify,
    found_authority,
    issue_identity,
    request_identity,
    request_tls,
    requested_by,
)
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import (
    ADD,
    REMOVE,
    REPLACE_CERTIFICATE,
    SUSPEND,
    MemberUpdate,
    SetUpdate,
    decode_governance,
)
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.validators import KeyBinding, SignedKeyBinding
from hybrid_bridge.errors import (
    AdmissionRejected,
    BridgeError,
    CertificateMalformed,
    CertificateRefused,
    EnvelopeUnopenable,
    FieldMalformed,
    FieldMismatch,
    KeyUnusable,
    Malformed,
    Missing,
    RootMismatch,
    SequencerStays,
    SettingsMalformed,
    SignatureWrong,
    StoreBroken,
    TooLong,
)
from hybrid_bridge.node import proposals
from hybrid_bridge.node.applying import Application, apply, make_card
from hybrid_bridge.node.cards import Card, parse_card
from hybrid_bridge.node.directory import sealing_message
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.joining import join
from hybrid_bridge.node.proposals import Handed, Proposal, ProposalStore, parse_proposal
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.node.rekeying import next_attestation, next_identity, use_next
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.testing.crashing import CrashPlan, Killed
from hybrid_bridge.units import Address, Seconds, UnixSeconds
from tests.unit.hybrid_bridge.node.coming import approved, authority, newcomer, proposer
from tests.unit.hybrid_bridge.node.members import START, VALIDATORS, Members, randomness, started

YEARS = Seconds(11 * 365 * 86_400)


@pytest.fixture(scope="module")
def town(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """A consortium in epoch 1; no test changes its ledger."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("town") / "out"
    shutil.copytree(root, folder)
    members = Members(folder, foundation)
    with members.stack:
        yield started(members)


@pytest.fixture(scope="module")
def applied(town: Members) -> tuple[Path, Card]:
    return newcomer(town)


@pytest.fixture(scope="module")
def proposal(town: Members, applied: tuple[Path, Card]) -> Proposal:
    return proposer(town, "core").propose(Wish(kind="admit", card=applied[1], reason="a fifth bank", from_epoch=9))


def test_a_newcomer_is_admitted_and_becomes_a_validator_at_one_date(town: Members, proposal: Proposal) -> None:
    member, validators = proposal.decoded()
    assert isinstance(member, MemberUpdate)
    assert isinstance(validators, SetUpdate)
    assert (member.action, member.from_epoch, validators.effective_from_size, proposal.expires_epoch) == (ADD, 9, 10, 8)
    assert validators.n == 5
    assert len(proposal.authorisers) == 4
    said = proposer(town, "bank-a").judge(parse_proposal(proposal.encode()))
    assert said[0] == "admit bank-c: a fifth bank"
    assert any("+bank-c" in line and "4 of 5" in line for line in said)


def test_who_goes_is_left_out_of_the_set_and_is_not_asked(town: Members) -> None:
    for kind, action in (("remove", REMOVE), ("suspend", SUSPEND)):
        made = proposer(town, "core").propose(Wish(kind=kind, name="bank-b"))
        member, validators = made.decoded()
        assert isinstance(validators, SetUpdate)
        assert isinstance(member, MemberUpdate)
        assert (validators.n, member.action, len(made.authorisers)) == (3, action, 3)
        assert any("-bank-b" in line for line in proposer(town, "bank-a").judge(made))
    lone = proposer(town, "core").propose(Wish(kind="remove", name="regulator")).decoded()
    assert [type(record) for record in lone] == [MemberUpdate]


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Wish(kind="remove", name="core"), SequencerStays),
        (Wish(kind="suspend", name="core"), SequencerStays),
        (Wish(kind="reinstate", name="bank-a"), AdmissionRejected),
        (Wish(kind="remove", name="nobody"), BridgeError),
        (Wish(kind="admit", name="bank-a"), FieldMalformed),
        (Wish(kind="remove", name="bank-b", from_epoch=2), FieldMalformed),
        (Wish(kind="remove", name="bank-b", approvers=("core", "regulator")), AdmissionRejected),
        (Wish(kind="remove", name="bank-b", approvers=("core", "core", "bank-a")), Missing),
    ],
)
def test_what_cannot_be_is_not_proposed(town: Members, wish: Wish, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        proposer(town, "core").propose(wish)


def test_a_card_of_today_changes_nothing_and_nobody_takes_anothers_name(town: Members) -> None:
    card = make_card(town.folder("bank-a"), None)
    for kind in ("admit", "rotate-key"):
        with pytest.raises(AdmissionRejected, match="something changes"):
            proposer(town, "core").propose(Wish(kind=kind, card=card))
    stolen = renamed(town, "bank-a", "LEI:OTHER")
    with pytest.raises(AdmissionRejected, match="a name that no other member has or had"):
        proposer(town, "core").propose(Wish(kind="rotate-key", card=stolen))
    stranger = renamed(town, "bank-x", "LEI:X")
    with pytest.raises(AdmissionRejected, match="a member of today"):
        proposer(town, "core").propose(Wish(kind="rotate-key", card=stranger))


def test_nobody_takes_anothers_attestation_key(town: Members) -> None:
    """The binding is signed by who states a key, not by the key."""
    stranger = renamed(town, "bank-x", "LEI:X")
    theirs = town.open("core").view.directory.member("bank-b").address
    key, genesis = PrivateKey.from_seed(sha256(b"bank-x")), town.foundation.genesis
    word = KeyBinding(
        origin_hash=genesis.origin_hash,
        certificate_hash=sha256(stranger.member.certificate),
        address=Address(theirs or b""),
        mldsa_key_hash=ZERO,
    )
    signed = SignedKeyBinding(word, key.public.scheme, key.sign(word.message()))
    member = replace(stranger.member, roles=("validator",), address=theirs, key_binding=signed.encode())
    with pytest.raises(AdmissionRejected, match="no other member has or had"):
        proposer(town, "core").propose(Wish(kind="admit", card=Card.over(member, genesis.log_id, key)))


def test_nobody_takes_anothers_legal_id_or_name_however_it_is_written(town: Members) -> None:
    theirs = town.open("core").view.directory.member("bank-b")
    spaced = theirs.legal_name.upper().replace(" ", "  ")
    for card in (
        renamed(town, "bank-x", theirs.legal_id),
        renamed(town, "bank-x", theirs.legal_id.lower()),
        renamed(town, "bank-x", "LEI:X", spaced),
    ):
        with pytest.raises(AdmissionRejected, match="a legal id and a legal name that no other member has"):
            proposer(town, "core").propose(Wish(kind="admit", card=card))
    other = renamed(town, "bank-b", theirs.legal_id, "Bank B and Sons")
    with pytest.raises(AdmissionRejected, match="that this member has"):
        proposer(town, "core").propose(Wish(kind="rotate-key", card=other))


def test_a_second_identity_key_comes_when_the_first_goes(town: Members) -> None:
    theirs = town.open("core").view.directory.member("regulator")
    card = renamed(town, "regulator", theirs.legal_id, theirs.legal_name, theirs.roles)
    for kind in ("admit", "rotate-key"):
        proposal = proposer(town, "core").propose(Wish(kind=kind, card=card, from_epoch=9))
        added, removed = proposal.decoded()
        assert isinstance(added, MemberUpdate)
        assert isinstance(removed, MemberUpdate)
        assert (added.action, removed.action) == (ADD, REMOVE)
        proposer(town, "bank-a").judge(proposal)
        for records in ((added,), (added, replace(removed, from_epoch=10))):
            with pytest.raises(AdmissionRejected, match="one identity key a member"):
                proposer(town, "bank-a").judge(with_records(proposal, *records))


def renamed(
    town: Members, name: str, legal_id: str, legal_name: str = "", roles: tuple[str, ...] = ("member",)
) -> Card:
    """A card of somebody with a proper certificate of that name."""
    key, genesis = PrivateKey.from_seed(sha256(name.encode())), town.foundation.genesis
    holder = Holder(name, legal_name or f"{name} Ltd", legal_id)
    member = replace(
        make_card(town.folder("regulator"), None).member,
        name=name,
        legal_name=holder.legal_name,
        legal_id=legal_id,
        roles=roles,
        certificate=issue_identity(authority(town), holder, key.public, START),
    )
    signed = replace(member, sealing_signature=key.sign(sealing_message(genesis.log_id, member.sealing_key)))
    return Card.over(signed, genesis.log_id, key)


@pytest.mark.parametrize("rule", ["issuer", "validity", "usage", "name"])
def test_a_certificate_that_is_not_to_be_taken_is_refused_by_its_fault(town: Members, applied, rule: str) -> None:
    folder, good = applied
    member, key, ca, now = good.member, PrivateKey.from_seed(seed_of(folder)), authority(town), town.clock.now()
    holder = Holder(member.name, member.legal_name, member.legal_id)
    if rule == "issuer":
        ca = found_authority("test.example/receivables", START)
    elif rule == "validity":
        now = UnixSeconds(START - YEARS)
    elif rule == "name":
        holder = replace(holder, legal_id="LEI:OTHER")
    certificate = (
        certificate_for_others(ca, holder, key, now) if rule == "usage" else issue_identity(ca, holder, key.public, now)
    )
    card = replace(good, member=replace(member, certificate=certificate))
    with pytest.raises(CertificateRefused) as refused:
        proposer(town, "core").propose(Wish(kind="admit", card=card))
    assert refused.value.rule == rule


def certificate_for_others(ca: Authority, holder: Holder, key: PrivateKey, now: UnixSeconds) -> bytes:
    """An identity certificate that may sign other certificates."""
    builder = pki._end_builder(ca, holder, "identity", now, Seconds(86_400)).public_key(
        pki.ed25519.Ed25519PublicKey.from_public_bytes(key.public.spki[-32:])
    )
    builder._extensions = [one for one in builder._extensions if not isinstance(one.value, pki.x509.KeyUsage)]
    builder = builder.add_extension(pki._usage(certificates=True), critical=True)
    builder = builder.add_extension(pki._names(holder.name, "identity", ()), critical=False)
    return pki._signed(ca, builder).public_bytes(pki.Encoding.DER)


def seed_of(folder: Path) -> bytes:
    return bytes.fromhex((folder / "keys" / "identity.key").read_text())


def test_a_card_is_the_members_own_word_to_the_last_byte(town: Members, applied: tuple[Path, Card]) -> None:
    _, card = applied
    assert parse_card(card.encode()) == card
    roots, genesis = (town.root / "public" / "ca.pem").read_bytes(), town.foundation.genesis
    moved = replace(card, member=replace(card.member, endpoint="127.0.0.1:7001"))
    with pytest.raises(SignatureWrong):
        moved.identity(roots, genesis)
    with pytest.raises(FieldMismatch):
        replace(card, log_id=bytes(32)).identity(roots, genesis)
    for roles, address in ((("validator",), None), (("member",), card.member.address)):
        with pytest.raises(FieldMalformed):
            replace(card, member=replace(card.member, roles=roles, address=address)).identity(roots, genesis)


def test_nobody_consents_to_what_does_not_fit(town: Members, proposal: Proposal) -> None:
    bank = proposer(town, "bank-a")
    added, validators = (decode_governance(data) for data in proposal.records)
    assert isinstance(added, MemberUpdate)
    assert isinstance(validators, SetUpdate)
    for changed, error in (
        (replace(proposal, log_id=bytes(32)), FieldMismatch),
        (replace(proposal, expires_epoch=0), AdmissionRejected),
        (replace(proposal, reason="another"), FieldMismatch),
        (replace(proposal, cards=()), BridgeError),
        (replace(proposal, secrets=proposal.secrets[1:]), Missing),
        (replace(proposal, secrets=tuple(map(spoilt, proposal.secrets))), EnvelopeUnopenable),
        (with_records(proposal, replace(added, roles=1), validators), FieldMismatch),
        (with_records(proposal, replace(added, certificate_hash=bytes(32)), validators), Missing),
        (with_records(proposal, added, replace(validators, previous_set_hash=bytes(32))), FieldMismatch),
        (with_records(proposal, added, replace(validators, decoy_key_hash=bytes(32))), EnvelopeUnopenable),
    ):
        with pytest.raises(error):
            bank.approve(changed)
    assert not list(ProposalStore(town.folder("bank-a")).all())


def spoilt(handed: Handed) -> Handed:
    return replace(handed, envelope=handed.envelope[:-1] + bytes([handed.envelope[-1] ^ 1]))


def with_records(proposal: Proposal, *records: MemberUpdate | SetUpdate) -> Proposal:
    return replace(proposal, records=tuple(record.encode() for record in records))


def test_consent_is_a_validators_that_is_asked_and_for_this_proposal(town: Members, proposal: Proposal) -> None:
    with pytest.raises(AdmissionRejected):
        proposer(town, "regulator").approve(proposal)
    (consents,) = approved(town, proposal, ["bank-b"])
    assert list(ProposalStore(town.folder("bank-b")).all()) == [proposal]
    with pytest.raises(FieldMismatch):
        consents.part(replace(proposal, reason="another"))
    with pytest.raises(Malformed):
        replace(consents, signature=consents.signature[1:]).part(proposal)
    tip = town.open("core").view.progress.tip
    with pytest.raises(Missing):
        proposer(town, "core").enact(proposal, [consents])
    assert town.open("core").view.progress.tip == tip


def test_a_newcomer_takes_what_the_genesis_record_names_and_nothing_else(
    town: Members, applied: tuple[Path, Card], proposal: Proposal, tmp_path: Path
) -> None:
    folder = tmp_path / "bank-c"
    shutil.copytree(applied[0], folder)
    pairs = proposal.registry or b""
    for changed, error in (
        (replace(proposal, cards=()), AdmissionRejected),
        (replace(proposal, secrets=tuple(map(spoilt, proposal.secrets))), EnvelopeUnopenable),
        (replace(proposal, secrets=proposal.secrets[:-1]), KeyUnusable),
        (replace(proposal, registry=pairs[64:]), RootMismatch),
    ):
        with pytest.raises(error):
            join(folder, changed)
    assert not (folder / "ledger.db").exists()
    join(folder, proposal)
    assert (folder / "keys" / "vrf.key").read_text() == (town.folder("core") / "keys" / "vrf.key").read_text()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    join(folder, proposal)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (folder / "guard.db").unlink()
    with pytest.raises(StoreBroken):  # a guard that was lost is never made anew: what it signed is not known
        join(folder, proposal)
    assert not (folder / "guard.db").exists()


WRITES = ("replace", "touch", "mkdir", "write_bytes", "chmod")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_join_that_was_killed_at_any_write_is_made_again_to_the_same_end(
    applied: tuple[Path, Card], proposal: Proposal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(applied[0], whole)
    count = len(played(monkeypatch, whole, proposal, CrashPlan({})))
    assert count > 12
    expected = contents(whole)
    for number in range(count):
        folder = tmp_path / f"{number}"
        shutil.copytree(applied[0], folder)
        with pytest.raises(Killed):
            played(monkeypatch, folder, proposal, CrashPlan({number: when}))
        join(folder, proposal)
        assert contents(folder) == expected, number
        shutil.rmtree(folder)


def played(monkeypatch: pytest.MonkeyPatch, folder: Path, proposal: Proposal, plan: CrashPlan) -> list[str]:
    """The writes of a join, some of which it does not survive."""
    with monkeypatch.context() as patch:
        for name in WRITES:
            real = getattr(Path, name)

            def around(path: Path, *args: object, _name: str = name, _real: object = real, **kwargs: object) -> object:
                return plan.around(_name, lambda: _real(path, *args, **kwargs))  # type: ignore[operator]

            patch.setattr(Path, name, around)
        join(folder, proposal)
    return plan.seen


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file that a node reads, with its mode; a store is there or not."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".new")
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, b"" if path.suffix == ".db" else path.read_bytes())
        for path in found
    }


def test_a_newcomer_applies_for_what_is_to_be_had(town: Members, tmp_path: Path) -> None:
    good = Application(name="bank-d", legal_name="D", legal_id="LEI:D", roles=("member",), endpoint="127.0.0.1:1")
    public = town.root / "public"
    for changed in (replace(good, name="bank-a"), replace(good, roles=("sequencer",)), replace(good, roles=())):
        with pytest.raises(AdmissionRejected):
            apply(public, tmp_path / "d", changed, randomness())
    requests = apply(public, tmp_path / "d", good, randomness())
    assert all(path.exists() for path in requests)
    with pytest.raises(SettingsMalformed):
        apply(public, tmp_path / "d", good, randomness())
    with pytest.raises(Missing):
        make_card(tmp_path / "d", None)
    settings = read_settings(tmp_path / "d")
    assert (settings.name, "attestation" in settings.secrets) == ("bank-d", False)


def test_an_authority_certifies_a_request_for_whom_it_names(town: Members) -> None:
    holder, ca = Holder("bank-e", "Bank E", "LEI:E"), authority(town)
    request = request_identity(holder, sha256(b"seed"))
    assert requested_by(request) == ("identity", holder)
    assert certify(ca, request, START)
    assert certify(ca, request_tls(holder, "owner", ()).certificate, START).startswith(b"-----BEGIN CERTIFICATE")
    for bad in (b"", b"-----BEGIN CERTIFICATE REQUEST-----\n", request_tls(holder, "relayer", ()).certificate):
        with pytest.raises(CertificateMalformed):
            certify(ca, bad, START)


def test_another_certificate_or_identity_key_brings_another_set_too(town: Members, tmp_path: Path) -> None:
    folder = tmp_path / "bank-b"
    shutil.copytree(town.folder("bank-b"), folder)
    ca, here = authority(town), make_card(folder, None).member
    holder = Holder("bank-b", here.legal_name, here.legal_id)
    renewed = issue_identity(ca, holder, PrivateKey.from_seed(seed_of(folder)).public, UnixSeconds(START + 60))
    following = certify(ca, next_identity(folder, randomness("identity")).read_bytes(), START)
    with pytest.raises(SettingsMalformed):
        next_identity(folder, randomness("third"))
    for certificate, actions in ((renewed, [REPLACE_CERTIFICATE]), (following, [ADD, REMOVE])):
        card = make_card(folder, certificate)
        assert (card.member.certificate, card.member.address) == (certificate, here.address)
        made = proposer(town, "core").propose(Wish(kind="rotate-key", card=card))
        *updates, validators = made.decoded()
        assert [update.action for update in updates] == actions  # type: ignore[union-attr]
        assert isinstance(validators, SetUpdate)
        (entry,) = [one for one in validators.validators.entries if one.address == here.address]
        assert entry.certificate_hash == sha256(certificate)
        assert len(proposer(town, "bank-a").judge(made)) == len(actions) + 5
    stranger = issue_identity(ca, holder, PrivateKey.from_seed(sha256(b"stranger")).public, START)
    with pytest.raises(KeyUnusable):
        make_card(folder, stranger)
    use_next(folder, "identity")
    assert read_settings(folder).secrets["identity"].name == "identity-2.key"
    assert make_card(folder, following).member.certificate == following


def test_the_sequencers_identity_key_stays(town: Members, tmp_path: Path) -> None:
    folder = tmp_path / "core"
    shutil.copytree(town.folder("core"), folder)
    certificate = certify(authority(town), next_identity(folder, randomness("core")).read_bytes(), START)
    with pytest.raises(AdmissionRejected, match="identity key"):
        proposer(town, "core").propose(Wish(kind="rotate-key", card=make_card(folder, certificate)))


def test_a_key_follows_another_one_at_a_time(town: Members, tmp_path: Path) -> None:
    folder = tmp_path / "bank-b"
    shutil.copytree(town.folder("bank-b"), folder)
    for name in ("attestation", "identity"):
        with pytest.raises(KeyUnusable):
            use_next(folder, name)
    before = make_card(folder, None)
    address = next_attestation(folder, randomness("other"))
    with pytest.raises(SettingsMalformed):
        next_attestation(folder, randomness("third"))
    assert make_card(folder, None).member.address == address != before.member.address
    use_next(folder, "attestation")
    settings = read_settings(folder)
    assert settings.secrets["attestation"].name == f"attestation-{address.hex()[:8]}.key"
    assert "attestation_next" not in settings.secrets


def test_a_proposal_is_kept_once_and_what_is_none_is_refused(tmp_path: Path, proposal: Proposal) -> None:
    store = ProposalStore(tmp_path)
    store.keep(proposal)
    store.keep(proposal)
    assert list(store.all()) == [proposal]
    assert [store.with_record(leaf) for leaf in proposal.leaves] == [proposal, proposal]
    assert store.with_record(bytes(32)) is None  # type: ignore[arg-type]
    (tmp_path / "proposals" / "x.json").write_bytes(b"{}")
    with pytest.raises(Malformed):
        list(store.all())


def test_no_source_fills_the_store_for_another_and_nothing_goes_to_make_room(
    tmp_path: Path, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "MAX_HANDED", 2)
    monkeypatch.setattr(proposals, "MAX_KEPT", 3)
    store = ProposalStore(tmp_path)
    many = [replace(proposal, reason=str(number)) for number in range(9)]
    for one in many[:2]:
        store.keep(one, "bank-a")
    for source in ("bank-a", "bank-a"):
        with pytest.raises(TooLong):
            store.keep(many[8], source)
    for one in many[2:4]:
        store.keep(one, "bank")  # whose name begins as the other's
    for one in many[4:7]:
        store.keep(one)
    with pytest.raises(TooLong):
        store.keep(many[8])
    store.keep(many[0])  # it is there, whoever brought it
    assert {one.reason for one in store.all()} == {str(number) for number in range(7)}
    store.drop(many[1])
    store.keep(many[8], "bank-a")
    assert {one.reason for one in store.all()} == {"0", "2", "3", "4", "5", "6", "8"}
    for one in (many[8], many[8], many[4]):  # decided: they take no share any more, and are kept
        store.settle(one)
    store.keep(many[7], "bank-a")
    store.keep(many[1])
    store.keep(many[8], "bank-a")
    for again in (store, ProposalStore(tmp_path)):
        assert {one.reason for one in again.all()} == {str(number) for number in range(9)}
    store.drop(many[8])
    assert many[8] not in set(store.all())


def test_every_validator_is_among_the_approvers(town: Members, proposal: Proposal) -> None:
    assert {town.key_id(name) for name in VALIDATORS} == set(proposal.authorisers)
