"""The log's keys under a consensus engine: who holds them, who is known to, to whom they are handed, who may go."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.pki import certify
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.exports.cose_receipt import verify_root
from hybrid_bridge.core.governance import MemberUpdate
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import (
    AdmissionRejected,
    FieldMalformed,
    KeyUnusable,
    NotYet,
    SequencerStays,
    SignatureWrong,
    Unknown,
    Unreachable,
)
from hybrid_bridge.node.applying import make_card
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.closing import Closer
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.founding import Plan, found
from hybrid_bridge.node.joining import join
from hybrid_bridge.node.keys import Keys
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.log_keys import RECENT, WORDS, handed_to, holders, require_kept, taken
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.proposals import Proposal, handed, parse_proposal
from hybrid_bridge.node.proposing import Wish
from hybrid_bridge.node.receipts import Asked, receipt_of, sign_receipt
from hybrid_bridge.node.rekeying import next_consensus, next_identity
from hybrid_bridge.node.settings import LOG_KEYS, read_settings
from hybrid_bridge.node.view import View
from hybrid_bridge.steps.batch import ClosingKeys
from hybrid_bridge.units import EpochNumber, TreeSize
from tests.bundles import flip
from tests.unit.hybrid_bridge.node.coming import authority, newcomer
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, plan, randomness
from tests.unit.hybrid_bridge.node.test_closing import first_epoch
from tests.unit.hybrid_bridge.node.test_engine import PlayedEngine, begun, engine_plan, laid_with_engines, played
from tests.unit.hybrid_bridge.node.test_engine_joining import AT, enacted, proposer, resigned

__all__ = ["begun", "laid_with_engines", "played"]

TWO = TreeSize(2)
HANDED = ("log", "receipt")  # what a log without a post-quantum key has


@dataclass
class Holder:
    """A peer that gives a receipt, or raises."""

    answer: bytes | Exception

    @property
    def log(self) -> "Holder":
        return self

    def receipt(self, _size: TreeSize) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def files_of(agreed: Plan) -> dict[str, set[str]]:
    """Which of the log's keys each founder is given."""
    files = found(agreed, randomness(), START).files
    return {name: {key for key in LOG_KEYS if f"nodes/{name}/keys/{key}.key" in files} for name in NAMES}


def as_before(members: Members, *names: str) -> None:
    """A folder founded before decision 61: of the log's keys it has none."""
    for name in names:
        settings = members.folder(name) / "node.toml"
        lines = settings.read_text().splitlines(keepends=True)
        settings.write_text("".join(line for line in lines if line.split(" = ")[0] not in LOG_KEYS))
        for key in HANDED:
            (members.folder(name) / "keys" / f"{key}.key").unlink()
        members.reopen(name)


def told(members: Members, at: str, *tellers: str) -> None:
    """These have told a line at that member's node."""
    logbook = members.open(at).view.logbook
    logbook._told |= dict.fromkeys(tellers, logbook.size)


def everybody_told(members: Members) -> None:
    for name in NAMES:
        told(members, name, *(one for one in VALIDATORS if one != name))


# ── founded ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_an_engine_orders_every_founding_validator_holds_the_logs_keys_and_nobody_else() -> None:
    held = files_of(replace(engine_plan(), post_quantum=True))
    assert held == {name: set(LOG_KEYS) for name in VALIDATORS} | {"regulator": set()}
    assert files_of(replace(engine_plan(), receipts=False))["bank-a"] == {"log"}


def test_where_one_member_orders_it_alone_holds_them() -> None:
    held = files_of(replace(plan(), post_quantum=True))
    assert held == {"core": set(LOG_KEYS)} | {name: set() for name in NAMES[1:]}


def test_the_keys_lie_together_and_are_the_genesis_records(played: PlayedEngine) -> None:
    folder = played.members.folder("bank-a")
    settings = folder / "node.toml"
    text = settings.read_text()
    for name in HANDED:
        settings.write_text(text.replace(f'{name} = "file:keys/{name}.key"\n', ""))
        with pytest.raises(KeyUnusable) as refused:
            Keys.load(read_settings(folder), read_directory(folder))
        assert refused.value.key == name
    settings.write_text(text)
    (folder / "keys" / "log.key").write_text("07" * 32 + "\n")
    with pytest.raises(KeyUnusable) as refused:
        Keys.load(read_settings(folder), read_directory(folder))
    assert refused.value.key == "log"


def test_a_folder_of_before_goes_on_and_takes_the_files_by_hand(begun: PlayedEngine) -> None:
    members = begun.members
    as_before(members, "bank-a")
    assert holders(members.open("bank-a").view) == set()
    core, bank = members.folder("core"), members.folder("bank-a")
    for key in HANDED:
        shutil.copy(core / "keys" / f"{key}.key", bank / "keys")
    with (bank / "node.toml").open("a") as settings:
        settings.writelines(f'{key} = "file:keys/{key}.key"\n' for key in HANDED)
    assert holders(members.reopen("bank-a").view) == {"bank-a"}


# ── signed ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def second_holder(members: Members, name: str) -> LogBook:
    """The same log's keys at another member."""
    view = members.open(name).view
    core = members.open("core").view.keys
    assert core.log is not None
    view.logbook.sign_lines(core.log, core.log_mldsa)
    return view.logbook


def test_two_holders_sign_one_line_and_each_takes_the_others(members: Members) -> None:
    first, second = first_epoch(members).open("core").view, second_holder(members, "bank-a")
    line = first.epochs.line(TWO)
    assert line is not None
    assert members.open("bank-a").view.epochs.line(TWO) == line
    second.take_line(TWO, line, "core")
    assert second.tellers == {"core": TWO}


def test_of_two_post_quantum_lines_of_one_size_the_first_stays(tmp_path: Path) -> None:
    """Those have chance in them; both are good, and a note has one."""
    foundation = found(replace(plan(), post_quantum=True), randomness("q"), START)
    lay(foundation, tmp_path / "out")
    members = Members(tmp_path / "out", foundation)
    with members.stack:
        book = second_holder(first_epoch(members), "bank-a")
        ours, theirs = (members.open(name).view.epochs.line(TWO) for name in ("bank-a", "core"))
        assert ours is not None
        assert theirs is not None
        assert ours[:64] == theirs[:64]
        book.take_line(TWO, theirs, "core")
        assert members.open("bank-a").view.epochs.line(TWO) == ours


def test_a_holder_signs_no_size_that_it_has_not_closed(members: Members) -> None:
    first_epoch(members)
    members.spread(members.order(START + 2 * CADENCE))
    members.close_epoch("core")
    assert second_holder(members, "bank-a").size == TWO
    assert members.open("bank-a").view.epochs.newest_line() == TWO


def test_under_an_engine_a_line_is_over_what_a_quorum_has_signed_and_over_nothing_else(begun: PlayedEngine) -> None:
    """Several hold the keys: whoever computed another root than the rest, and was not stopped yet, adds no second."""
    close_first(begun)
    view = begun.members.open("bank-a").view
    assert view.keys.log is not None
    view.logbook.sign_lines(view.keys.log)
    assert (view.logbook.size, view.epochs.newest_line()) == (TWO, 0)
    view.progress.raised("quorum", TWO)
    view.logbook.sign_lines(view.keys.log)
    assert view.epochs.newest_line() == TWO


def test_who_has_halted_gives_lines_to_what_a_quorum_signed_and_to_nothing_else(members: Members) -> None:
    first_epoch(members)
    members.spread(members.order(START + 2 * CADENCE))
    members.close_epoch("core")
    view = members.open("core").view
    view.brake.pull("a person looks")
    second_holder(members, "core")
    assert (view.logbook.size, view.epochs.newest_line()) == (3, TWO)
    view.progress.raised("quorum", 3)
    second_holder(members, "core")
    assert view.epochs.newest_line() == 3


# ── known ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_holders_are_ourselves_and_who_told_a_line_and_is_a_member_today(begun: PlayedEngine) -> None:
    view = begun.members.open("bank-a").view
    assert holders(view) == {"bank-a"}
    told(begun.members, "bank-a", "core", "somebody-who-left")
    assert holders(view) == {"bank-a", "core"}
    told(begun.members, "regulator", "core")
    assert holders(begun.members.open("regulator").view) == {"core"}


def test_who_tells_lines_no_more_is_not_built_on_and_does_not_go_for_nothing(begun: PlayedEngine) -> None:
    """It may be lost, or has destroyed its copy: then the last that lives stays."""
    members = begun.members
    as_before(members, "bank-a")
    told(members, "bank-a", "core", "bank-b", "supplier")
    view = members.open("bank-a").view
    view.progress.raised("quorum", RECENT + 1)
    assert holders(view) == set()
    view.logbook._told |= {"core": TWO, "bank-b": TreeSize(1)}
    assert holders(view) == {"core"}
    with pytest.raises(SequencerStays) as refused:
        require_kept(view, {"core"}, {"core", "bank-b", "supplier"})
    assert refused.value.name == "core"
    require_kept(view, {"bank-b"}, {"core", "supplier"})  # silence keeps nobody
    view.logbook._told.pop("core")
    with pytest.raises(SequencerStays) as refused:
        require_kept(view, {"bank-b"}, {"core", "supplier"})
    assert refused.value.name == "bank-b"


@pytest.mark.parametrize(
    ("known", "leaving", "staying", "refused"),
    [
        (("core", "bank-b"), {"core"}, {"core", "bank-b"}, ""),
        (("core",), {"core"}, {"core", "bank-b"}, "core"),
        ((), {"core"}, {"core", "bank-b"}, "core"),  # presumed to hold them, until it is heard
        ((), {"bank-b"}, {"core", "bank-b"}, ""),  # never heard, and it is not presumed
        (("bank-b",), {"bank-b"}, {"core", "bank-b"}, "bank-b"),  # the last that is known
        (("core", "bank-b"), {"core", "bank-b"}, {"core", "bank-b", "supplier"}, "bank-b"),
        (("core", "bank-b"), {"core"}, {"core", "supplier"}, "core"),  # of the set, not of the members
        (("core", "bank-b"), set(), {"supplier"}, ""),
    ],
)
def test_who_leaves_leaves_a_holder_in_the_set(
    begun: PlayedEngine, known: tuple[str, ...], leaving: set[str], staying: set[str], refused: str
) -> None:
    members = begun.members
    as_before(members, "bank-a")
    told(members, "bank-a", *known)
    view = members.open("bank-a").view
    if not refused:
        require_kept(view, leaving, staying)
        return
    with pytest.raises(SequencerStays) as error:
        require_kept(view, leaving, staying)
    assert error.value.name == refused


def test_in_the_embedded_ledger_the_sequencer_stays_whoever_holds_what(members: Members) -> None:
    told(members, "core", *VALIDATORS)
    view = members.open("core").view
    with pytest.raises(SequencerStays):
        require_kept(view, {"core"}, set(VALIDATORS))
    require_kept(view, {"bank-a"}, set(VALIDATORS))


# ── who may go ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["remove", "suspend"])
def test_the_sequencer_goes_where_another_holds_the_keys(begun: PlayedEngine, kind: str) -> None:
    members = begun.members
    everybody_told(members)
    wish = Wish(kind=kind, name="core", from_epoch=4)
    proposal = proposer(begun, "bank-a").propose(wish)
    consents = [proposer(begun, name).approve(proposal) for name in ("supplier", "bank-b")]
    proposer(begun, "bank-a").enact(proposal, consents)
    begun.time += 3 * CADENCE
    begun.decide()
    for name in NAMES:
        members.open(name).enrolment.renew()
        directory = members.open(name).view.directory
        assert {member.name for member in directory.orderers(4)} == set(VALIDATORS) - {"core"}
        assert directory.is_member("core") == (kind == "suspend")
        assert directory.sequencer.name == "core"
    with pytest.raises(SequencerStays) as last:
        require_kept(members.open("bank-a").view, {"supplier", "bank-a", "bank-b"}, set())
    assert last.value.name == "bank-a"


def test_nobody_consents_to_the_going_of_whom_alone_it_knows_to_hold_them(begun: PlayedEngine) -> None:
    """Each judges by what it was told itself: whoever proposed it may have heard more."""
    members = begun.members
    as_before(members, "bank-b")
    everybody_told(members)
    proposal = proposer(begun, "bank-a").propose(Wish(kind="remove", name="core", from_epoch=4))
    bank = members.open("bank-b").view
    bank.logbook._told.clear()
    with pytest.raises(SequencerStays) as refused:
        proposer(begun, "bank-b").approve(proposal)
    assert refused.value.name == "core"
    told(members, "bank-b", "supplier")
    proposer(begun, "bank-b").approve(proposal)


def test_no_set_leaves_the_only_holder_out(begun: PlayedEngine) -> None:
    members = begun.members
    everybody_told(members)
    proposal = proposer(begun, "bank-a").propose(Wish(kind="remove", name="core", from_epoch=4))
    alone = replace(proposal, records=proposal.records[1:])  # it stays a member, without a seat
    proposer(begun, "supplier").judge(alone)
    as_before(members, "supplier")
    with pytest.raises(SequencerStays):
        proposer(begun, "supplier").judge(alone)


def renewed(members: Members, name: str) -> Card:
    """A member's card with another identity key and another vote."""
    folder = members.folder(name)
    request = next_identity(folder, randomness("identity")).read_bytes()
    next_consensus(folder, randomness("vote"))
    return make_card(folder, certify(authority(members), request, members.clock.now()))


def test_the_only_holder_changes_its_identity_key(begun: PlayedEngine) -> None:
    """Its old key is removed; the member goes on. So does the sequencer, which orders nothing here."""
    members = begun.members
    as_before(members, "supplier", "bank-a", "bank-b")
    card = renewed(members, "core")
    proposal = enacted(begun, Wish(kind="rotate-key", card=card, name="core", from_epoch=4))
    assert [type(record) for record in proposal.decoded()][:2] == [MemberUpdate, MemberUpdate]
    directory = members.open("bank-b").view.directory
    new = card.identity((members.folder("core") / "ca.pem").read_bytes(), directory.genesis)
    assert directory.name_of(new.key_id) == "core"


def test_the_only_holder_is_no_member_at_no_time(begun: PlayedEngine) -> None:
    """Its new key would count only long after the old one: it would be away meanwhile, by its own card."""
    members = begun.members
    as_before(members, "supplier", "bank-a", "bank-b")
    card = renewed(members, "core")
    proposal = proposer(begun).propose(Wish(kind="rotate-key", card=card, name="core", from_epoch=4))
    added, removed, *others = proposal.decoded()
    assert isinstance(added, MemberUpdate)
    late = replace(added, from_epoch=EpochNumber(5)).encode()
    split = replace(proposal, records=(late, removed.encode(), *(one.encode() for one in others)))
    proposer(begun, "supplier").judge(proposal)
    with pytest.raises(SequencerStays):
        proposer(begun, "supplier").judge(split)


def test_who_was_the_sequencer_comes_again_without_the_role(begun: PlayedEngine) -> None:
    members = begun.members
    everybody_told(members)
    folder, card = newcomer(members, engine=AT)
    claiming = resigned(members, folder, card, roles=("validator", "sequencer"))
    with pytest.raises(AdmissionRejected, match="role"):
        proposer(begun).propose(Wish(kind="admit", card=claiming))
    core = members.folder("core")
    again = resigned(members, core, make_card(core, None), roles=("validator",))
    proposal = proposer(begun, "bank-a").propose(Wish(kind="remove", name="core", from_epoch=4))
    consents = [proposer(begun, name).approve(proposal) for name in ("supplier", "bank-b")]
    proposer(begun, "bank-a").enact(proposal, consents)
    begun.time += 3 * CADENCE
    begun.decide()
    for name in NAMES:
        members.open(name).enrolment.renew()
    made = proposer(begun, "bank-a").propose(Wish(kind="admit", card=again, from_epoch=8))
    assert any("+core" in line for line in proposer(begun, "supplier").judge(made))


# ── handed to a newcomer ─────────────────────────────────────────────────────────────────────────────────────────────


def admitted(played: PlayedEngine, *roles: str, at: str = "core") -> tuple[Path, Card, Proposal]:
    folder, card = newcomer(played.members, "bank-c", *roles, engine=AT)
    return folder, card, proposer(played, at).propose(Wish(kind="admit", card=card, from_epoch=4))


def test_a_new_validator_is_handed_the_keys_and_its_node_holds_them(begun: PlayedEngine) -> None:
    folder, _, proposal = admitted(begun)
    said = proposer(begun, "bank-a").judge(parse_proposal(proposal.encode()))
    assert [line for line in said if WORDS in line] == [f"  bank-c {WORDS}: it can sign notes and receipts"]
    join(folder, proposal)
    for key in HANDED:
        path = folder / "keys" / f"{key}.key"
        assert path.read_bytes() == (begun.members.folder("core") / "keys" / path.name).read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
    assert not (folder / "keys" / "log_mldsa.key").exists()
    settings = read_settings(folder)
    assert {*HANDED} <= settings.secrets.keys()
    assert (settings.engine_rpc, settings.listen) == (AT.rpc, "127.0.0.1:7000")
    assert begun.members.open("bank-c").view.keys.log is not None
    assert holders(begun.members.open("bank-c").view) == set()  # its record stands in no block yet
    join(folder, proposal)
    assert read_settings(folder) == settings


def test_a_join_killed_at_any_file_is_made_again(
    begun: PlayedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after each file is put in place: no machine has it half."""
    folder, _, proposal = admitted(begun)
    clean, put, moments, last = tmp_path / "clean", Path.replace, 0, 0

    def laid() -> set[Path]:
        files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return {path for path in files if path.suffix not in (".lock", ".new")}

    def lives() -> None:
        nonlocal moments
        moments += 1
        if moments == last:
            raise KeyboardInterrupt

    def replaces(path: Path, target: Path) -> Path:
        lives()
        made = put(path, target)
        lives()
        return made

    def joins() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replaces)
            join(folder, proposal)

    shutil.copytree(folder, clean)
    joins()
    whole, named, moment_count = laid(), read_settings(folder).secrets, moments
    assert moment_count > 2 * len(HANDED) + 4
    for moment in range(1, moment_count + 1):
        shutil.rmtree(folder)
        shutil.copytree(clean, folder)
        moments, last = 0, moment
        with pytest.raises(KeyboardInterrupt):
            joins()
        join(folder, proposal)
        assert (laid(), read_settings(folder).secrets) == (whole, named)


def test_a_join_that_died_before_its_settings_named_the_keys_is_made_again(
    begun: PlayedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, proposal = admitted(begun)

    def dies(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hybrid_bridge.node.joining.rewrite_secrets", dies)
        with pytest.raises(KeyboardInterrupt):
            join(folder, proposal)
    assert not (folder / "keys" / "vrf.key").exists()
    join(folder, proposal)
    assert {*HANDED} <= read_settings(folder).secrets.keys()


def test_a_join_names_the_keys_beside_secrets_that_lie_elsewhere(begun: PlayedEngine, tmp_path: Path) -> None:
    folder, _, proposal = admitted(begun)
    elsewhere = (folder / "keys" / "tls.key").rename(tmp_path / "tls.key")
    settings = folder / "node.toml"
    settings.write_text(settings.read_text().replace("file:keys/tls.key", f"file:{elsewhere}"))
    join(folder, proposal)
    secrets = read_settings(folder).secrets
    assert secrets["tls"] == elsewhere
    assert secrets["log"] == folder / "keys" / "log.key"


def test_who_was_a_member_without_the_keys_takes_them_when_it_comes_again(begun: PlayedEngine) -> None:
    folder, _, proposal = admitted(begun)
    without = replace(proposal, secrets=tuple(one for one in proposal.secrets if one.kind not in LOG_KEYS))
    join(folder, without)
    assert not {*LOG_KEYS} & read_settings(folder).secrets.keys()
    join(folder, proposal)
    assert {*HANDED} <= read_settings(folder).secrets.keys()


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_of_another_length_is_refused_before_anything_is_made(begun: PlayedEngine, seed: bytes) -> None:
    folder, card, proposal = admitted(begun)
    genesis = begun.members.open("core").view.directory.genesis
    others = tuple(one for one in proposal.secrets if one.kind != "log")
    short = handed(genesis.log_id, card.member, "log", seed, genesis.log_key)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(FieldMalformed):
        join(folder, replace(proposal, secrets=(*others, short)))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_who_gets_no_vote_or_is_proposed_by_no_holder_is_handed_none(begun: PlayedEngine) -> None:
    as_before(begun.members, "bank-b")
    _, _, by_another = admitted(begun, at="bank-b")
    _, watcher = newcomer(begun.members, "watcher", "regulator", engine=AT)
    without_vote = proposer(begun).propose(Wish(kind="admit", card=watcher, from_epoch=4))
    for proposal in (by_another, without_vote):
        assert not {one.kind for one in proposal.secrets} & {*LOG_KEYS}
        assert not any(WORDS in line for line in proposer(begun, "bank-a").judge(proposal))


def test_nobody_is_handed_the_keys_of_whom_the_approvers_read_nothing(begun: PlayedEngine) -> None:
    _, _, proposal = admitted(begun)
    view = begun.members.open("core").view
    aside = tuple(handed_to(view, view.directory.member("bank-b")))
    removal = proposer(begun, "core").propose(Wish(kind="suspend", name="supplier", from_epoch=4))
    for made in (proposal, removal):
        proposer(begun, "bank-a").judge(made)
        with pytest.raises(FieldMalformed, match="newcomer"):
            proposer(begun, "bank-a").judge(replace(made, secrets=(*made.secrets, *aside)))


def test_in_the_embedded_ledger_no_newcomer_is_handed_any(members: Members) -> None:
    view = members.open("core").view
    assert view.keys.log_seeds.keys() == {*HANDED}
    assert list(handed_to(view, view.directory.member("bank-a"))) == []


def test_a_newcomer_refuses_keys_that_are_not_the_logs(begun: PlayedEngine) -> None:
    folder, card, proposal = admitted(begun)
    genesis = begun.members.open("core").view.directory.genesis
    kept = tuple(one for one in proposal.secrets if one.kind not in LOG_KEYS)
    (log, receipt) = (one for one in proposal.secrets if one.kind in LOG_KEYS)
    other = handed(genesis.log_id, card.member, "log", bytes(31) + b"\x01", genesis.log_key)
    mldsa = handed(genesis.log_id, card.member, "log_mldsa", bytes(31) + b"\x01", ZERO)
    for given, key in (((log,), "receipt"), ((other, receipt), "log"), ((log, receipt, mldsa), "log_mldsa")):
        with pytest.raises(KeyUnusable) as refused:
            join(folder, replace(proposal, secrets=(*kept, *given)))
        assert refused.value.key == key
        assert not (folder / "keys" / "vrf.key").exists()
    join(folder, replace(proposal, secrets=kept))
    assert not {*LOG_KEYS} & read_settings(folder).secrets.keys()


def test_of_a_post_quantum_log_a_newcomer_takes_all_three_keys(tmp_path: Path) -> None:
    lay(found(replace(engine_plan(), post_quantum=True), randomness("q"), START), tmp_path / "out")
    members = Members(tmp_path / "out", found(engine_plan(), randomness(), START))
    with members.stack:
        view = members.open("core").view
        member, sealing = view.directory.member("bank-a"), members.open("bank-a").view.keys.sealing
        given = tuple(handed_to(view, member))
        empty = Proposal(
            log_id=view.directory.log_id, kind="admit", name="", reason="", records=(), authorisers=(), expires_epoch=1
        )
        found_there = taken(replace(empty, secrets=given), member, sealing, view.directory)
        assert found_there == members.open("bank-a").view.keys.log_seeds
        assert found_there.keys() == {*LOG_KEYS}
        for one in given:
            others = tuple(other for other in given if other != one)
            with pytest.raises(KeyUnusable) as refused:
                taken(replace(empty, secrets=others), member, sealing, view.directory)
            assert refused.value.key == one.kind
        assert taken(empty, member, sealing, view.directory) == {}


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def close_first(played: PlayedEngine) -> None:
    """Epoch 1 is closed at core and bank-a, with the quorum's signatures."""
    played.time = START + CADENCE
    played.decide()
    played.time += 1
    for name in ("core", "bank-a"):
        view = played.members.open(name).view
        view.progress.raised("final", view.progress.tip)
        assert view.keys.secret is not None
        closer = Closer(view.ledger, view.logbook, view.directory, view.progress)
        closer.close_next(ClosingKeys(secret=view.keys.secret, vrf_seed=view.keys.vrf))


def quorate(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a quorum had signed what it closed."""
    monkeypatch.setattr(LogBook, "note", lambda *_args, **_kwargs: "")
    assert view.logbook.size == TWO


@pytest.fixture
def noted(begun: PlayedEngine, monkeypatch: pytest.MonkeyPatch) -> PlayedEngine:
    close_first(begun)
    for name in ("core", "bank-a"):
        quorate(begun.members.open(name).view, monkeypatch)
    return begun


def verified(view: View, signature: bytes) -> bytes:
    directory = view.directory
    verify_root(directory.genesis, directory.origin, view.logbook.root(TWO), signature)
    return signature


def test_whoever_holds_the_key_gives_the_same_receipt(noted: PlayedEngine) -> None:
    core, bank = (noted.members.open(name).view for name in ("core", "bank-a"))
    assert verified(core, sign_receipt(core, TWO)) == verified(bank, receipt_of(bank, {}, TWO))


def test_a_member_without_the_key_asks_one_after_the_other_and_takes_what_verifies(noted: PlayedEngine) -> None:
    good = sign_receipt(noted.members.open("core").view, TWO)
    as_before(noted.members, "bank-a")
    told(noted.members, "bank-a", "supplier", "bank-b")
    view = noted.members.open("bank-a").view
    wrong = PrivateKey.from_seed(bytes(32)).sign(b"another root")
    for first in (Unreachable(endpoint="core", call="Receipt"), Unknown(what="receipt key"), wrong, flip(good)):
        peers: dict[str, Asked] = {"core": Holder(first), "supplier": Holder(good), "regulator": Holder(b"")}  # type: ignore[dict-item]
        assert receipt_of(view, peers, TWO) == good
    last: dict[str, Asked] = {"core": Holder(AssertionError("it told no line")), "bank-b": Holder(good)}  # type: ignore[dict-item]
    assert receipt_of(view, last, TWO) == good
    with pytest.raises(SignatureWrong):
        receipt_of(view, {"core": Holder(wrong)}, TWO)  # type: ignore[dict-item]
    with pytest.raises(NotYet, match="peer of ours"):
        receipt_of(view, {"regulator": Holder(good)}, TWO)  # type: ignore[dict-item]


def test_who_told_lines_once_is_asked_after_those_who_tell_them(noted: PlayedEngine) -> None:
    good = sign_receipt(noted.members.open("core").view, TWO)
    as_before(noted.members, "bank-a")
    told(noted.members, "bank-a", "supplier", "bank-b")
    view = noted.members.open("bank-a").view
    view.progress.raised("quorum", RECENT + 1)
    view.logbook._told |= {"bank-b": TreeSize(1)}
    lost = Holder(AssertionError("asked before one that lives"))
    assert receipt_of(view, {"bank-b": lost, "supplier": Holder(good)}, TWO) == good  # type: ignore[dict-item]
    assert receipt_of(view, {"bank-b": Holder(good)}, TWO) == good  # type: ignore[dict-item]


def test_a_holder_that_signs_no_more_asks_the_others(noted: PlayedEngine) -> None:
    view = noted.members.open("bank-a").view
    good = sign_receipt(view, TWO)
    view.brake.pull("a person looks")
    assert receipt_of(view, {"core": Holder(good)}, TWO) == good  # type: ignore[dict-item]
    with pytest.raises(NotYet, match="a person has looked"):
        receipt_of(view, {}, TWO)


def test_in_the_embedded_ledger_nobody_but_the_sequencer_is_asked(members: Members) -> None:
    told(members, "bank-a", "supplier")
    with pytest.raises(NotYet, match="peer of ours"):
        receipt_of(members.open("bank-a").view, {"supplier": Holder(b"")}, TWO)  # type: ignore[dict-item]
