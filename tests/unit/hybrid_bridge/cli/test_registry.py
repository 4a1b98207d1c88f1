"""`hybrid-bridge registry`: free, taken, similar or open, whoever gives the bundle."""

import json
import time
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybrid_bridge.business.paper import read
from hybrid_bridge.cli import registry
from hybrid_bridge.cli.answers import WORDS
from hybrid_bridge.cli.standing import answer_of, moment_of, with_twins
from hybrid_bridge.core import vrf
from hybrid_bridge.core.bundle import CheckpointPart, EpochPart, TerminalPart
from hybrid_bridge.core.labels import LIFE, Label, alpha, normalised
from hybrid_bridge.core.registry import genesis_tree
from hybrid_bridge.errors import Unreachable
from hybrid_bridge.ports import Head
from hybrid_bridge.steps.batch import label_index
from hybrid_bridge.steps.verify import PublicSight, verify
from hybrid_bridge.steps.verify.registry import USE_UNKNOWN
from hybrid_bridge.testing.datasets.story import CADENCE, START
from tests.bundles import CHAIN, CONTRACT, NOW, Consortium, consortium

EPOCH = 3
CLOSED = START + EPOCH * CADENCE
LIMIT = 3 * CADENCE  # three epochs are longer than an hour here
NUMBERS = {"inv_no": "NOT-BROUGHT-1", "cn_einv": "26990000000000000001", "gross": "77"}


def world() -> Consortium:
    return consortium()


def labels_of(document):
    return with_twins(read(document).labels)


def taken() -> dict[str, str]:
    """An invoice that is registered and confirmed, as its paper says it."""
    object_id = world().events[13]["fields"]["object"]
    fields = next(
        e["fields"] for e in world().events if e["schema"] == "asset.register/1" and e["fields"]["object"] == object_id
    )
    return {
        name: fields[name]
        for name in ("seller", "buyer", "jurisdiction", "cn_einv", "inv_no", "ccy", "gross", "issue_date")
    }


def free() -> dict[str, str]:
    return taken() | NUMBERS


def parts(labels, epoch: int = EPOCH, **options):
    for label in labels:
        if label.type == LIFE:
            yield from world().life_of(*label.parts, epoch)
        else:
            yield world().label(label, 0, epoch, **options)


def shown(labels, epoch: int = EPOCH, *, size: int = 4, **options) -> EpochPart:
    return world().epoch_part(epoch, size, labels=tuple(parts(labels, epoch, **options)))


def bundle(*epochs: EpochPart, size: int = 4):
    return world().bundle(size, *epochs, purpose="registry")


class Desk:
    """A member's node that has all documents, or none."""

    def __init__(self, *, opened: bool = True) -> None:
        self.opened, self.asked = opened, []

    def status(self):
        return SimpleNamespace(log_id=world().genesis.log_id)

    def bundle(self, request) -> bytes:
        labels = [Label.decode(one.label) for one in request.labels]
        self.asked.append(labels)
        size = request.size or 4
        return bundle(shown(labels, size - 1, size=size, opened=self.opened), size=size).encode()


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW + 0.7)


@pytest.fixture
def paper(folder):
    def write(document) -> str:
        (folder / "paper.json").write_text(json.dumps(document, default=str))
        return "paper.json"

    return write


@pytest.fixture
def asked(typed, paper, monkeypatch, folder):
    """The answer of one's own node."""

    def ask(document, *arguments, desk=None):
        monkeypatch.setattr(registry, "_desk", lambda _folder: nullcontext(desk or Desk()))
        monkeypatch.setattr(registry, "log_id_of", lambda _folder: world().genesis.log_id)
        return typed("registry", "check", "--dir", str(folder), "--label-file", paper(document), *arguments)

    return ask


@pytest.fixture
def judged(typed, paper, folder):
    """The answer of somebody else's bundle."""

    def judge(document, made, *arguments, **trust):
        (folder / "other.hb.json").write_bytes(made.encode())
        (folder / "own-trust.json").write_bytes(world().trust(**trust).encode())
        source = ("--bundle", "other.hb.json", "--trust", "own-trust.json")
        return typed("registry", "check", *source, "--label-file", paper(document), *arguments)

    return judge


# ── one's own node ──


def test_free_is_0_and_every_label_of_the_paper_is_shown_absent(asked):
    done = asked(free(), "--json")
    found = done.json()
    assert (done.code, found["answer"], found["exit_code"]) == (0, "free", 0)
    assert [(row["type"], row["standing"], row["epoch"]) for row in found["labels"]] == [
        (number, "absent", EPOCH) for number in (2, 3, 4, 5)
    ]
    assert not found["anchored"]


def test_taken_is_1_with_the_object_and_its_state(asked):
    done = asked(taken(), "--json")
    found = done.json()
    assert (done.code, found["answer"]) == (1, "taken")
    object_id = world().events[13]["fields"]["object"]
    rows = [row for row in found["labels"] if row["standing"] == "present"]
    assert {row["object"] for row in rows} == {object_id}
    assert all(row["state"].startswith("state ") for row in rows)
    assert [row["parts"][-1] for row in found["labels"] if row["standing"] == "absent"] == ["2", "2"]  # no true twins


def test_a_retyped_number_is_taken_too(asked):
    full_width = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}
    paper = taken()
    retyped = paper | {
        "inv_no": paper["inv_no"].replace("-", "\u2014").translate(full_width).lower(),
        "cn_einv": " ".join(paper["cn_einv"]),
    }
    assert asked(retyped).code == 1


def test_who_holds_no_document_hears_taken_and_no_more(asked):
    done = asked(taken(), desk=Desk(opened=False))
    assert done.code == 1
    assert done.out.startswith("TAKEN")
    assert "object not opened" in done.out


def test_the_same_terms_under_another_number_are_similar(asked):
    done = asked(taken() | {"inv_no": "OTHER-9", "cn_einv": "26990000000000000009"})
    assert done.code == 3
    assert done.out.startswith("SIMILAR")


def test_a_number_that_cannot_be_one_is_2(asked):
    done = asked(free() | {"cn_einv": "12"})
    assert done.code == 2
    assert "cn-einv" in done.err


def test_a_misspelt_field_is_2_and_named(asked):
    done = asked(free() | {"cn_einvoice": "26990000000000000001"})
    assert done.code == 2
    assert "cn_einvoice" in done.err


def test_labels_that_the_paper_does_not_allow_are_told(asked):
    paper = {name: value for name, value in free().items() if name != "cn_einv"}
    why = "hard label e-invoice: no cn_einv or einv_uuid is given"
    assert f"  not asked  {why}" in asked(paper).out.splitlines()
    assert asked(paper, "--json").json()["not_asked"] == [why]
    assert asked(free(), "--json").json()["not_asked"] == []


def test_what_is_no_json_is_2(typed, folder):
    for data in (b"{", b'{"type":3,"type":3,"parts":[]}', b"[" * 99 + b"]" * 99, b"\xff"):
        (folder / "paper.json").write_bytes(data)
        assert typed("registry", "check", "--dir", str(folder), "--label-file", "paper.json").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--dir", ".", "--bundle", "x.hb.json"),
        ("--dir", ".", "--rpc", "http://127.0.0.1:1"),
        ("--trust", "trust.json"),
    ],
)
def test_one_source_is_named(typed, paper, folder, arguments):
    (folder / "x.hb.json").write_bytes(b"{}")
    assert typed("registry", "check", "--label-file", paper(free()), *arguments).code == 2


def test_the_proof_is_kept_and_judged_alike_by_a_third_party(asked, typed):
    assert asked(free(), "--out", "proof.hb.json").code == 0
    done = typed(
        "registry", "check", "--bundle", "proof.hb.json", "--trust", "trust.json", "--label-file", "paper.json"
    )
    assert (done.code, done.out.splitlines()[0]) == (0, WORDS["free"])
    assert typed("verify", "proof.hb.json", "--trust", "trust.json").code == 0


# ── other members asked too ──


class Silent(Desk):
    def bundle(self, request) -> bytes:
        raise Unreachable(endpoint="own", call="Bundle")


class Member:
    """Another member, which opens nothing; it shows its checkpoint of this size."""

    def __init__(self, size: int, **options) -> None:
        self.size, self.options = size, options

    def labels(self, labels, size: int):
        wanted = [label for label in labels if label.type != LIFE]
        shown_at = size or self.size
        return bundle(shown(wanted, shown_at - 1, size=shown_at, opened=False, **self.options), size=shown_at)


@pytest.fixture
def with_members(asked, monkeypatch):
    def ask(document, *members, desk=None):
        monkeypatch.setattr(registry, "others", lambda _folder, _nodes: nullcontext(list(members)))
        return asked(document, "--json", desk=desk)

    return ask


@pytest.mark.parametrize(("document", "answer"), [(free, "free"), (taken, "taken")])
def test_another_member_answers_when_one_s_own_node_does_not(with_members, document, answer):
    done = with_members(document(), Member(4), desk=Silent())
    assert done.json()["answer"] == answer
    assert with_members(document(), desk=Silent()).code == 3


def test_the_newest_answer_that_holds_is_taken_whoever_gives_it(with_members):
    assert with_members(free(), Member(6), Member(4)).json()["tree_size"] == 6
    assert with_members(free(), Member(4)).json()["tree_size"] == 4


def test_an_answer_that_does_not_hold_counts_for_nothing(with_members, monkeypatch):
    class Liar(Member):
        def labels(self, labels, size: int):
            made = super().labels(labels, size)
            (epoch,) = made.epochs
            first, *rest = epoch.labels
            lied = replace(first, terminal=None)
            return replace(made, epochs=(replace(epoch, labels=(lied, *rest)),))

    assert with_members(taken(), Liar(6)).json()["tree_size"] == 4
    assert with_members(taken(), Liar(6), desk=Silent()).code == 3


# ── a hostile member's bundle ──


def hidden(document, label_type: int, **changes):
    """A bundle of a paper in which one label's part is changed."""
    labels = labels_of(document)
    epoch = shown(labels)
    made = tuple(
        replace(part, **changes) if label.type == label_type else part
        for label, part in zip(labels, epoch.labels, strict=True)
    )
    return bundle(replace(epoch, labels=made))


def test_an_honest_bundle_of_a_registered_paper_says_taken(judged):
    assert judged(taken(), bundle(shown(labels_of(taken())))).code == 1


def test_a_label_that_is_left_out_leaves_the_answer_open(judged):
    labels = [label for label in labels_of(taken()) if label.type == 99]
    assert judged(taken(), bundle(shown(labels))).code == 3
    soft_only = [label for label in labels_of(free()) if label.kind == "soft"]
    done = judged(free(), bundle(shown(soft_only)), "--json")
    assert (done.code, done.json()["answer"]) == (3, "undecided")
    assert sum("its standing is not in the bundle" in what for what in done.json()["missing"]) == 2


@pytest.mark.parametrize("change", [{"inv_no": "INV-X"}, {"cn_einv": "26990000000000000099"}])
def test_the_absence_of_another_spelling_is_no_answer(judged, change):
    """He shows truly that the labels of a slightly other paper are absent."""
    done = judged(taken(), bundle(shown(labels_of(free() | change))), "--json")
    assert (done.code, done.json()["answer"]) == (3, "undecided")


def test_the_absence_of_the_next_twin_is_no_answer(judged):
    """Ordinal 2 of a soft label is absent although ordinal 1 stands there."""
    labels = [label for label in labels_of(free()) if label.kind == "hard"]
    twins = [Label(label.type, (*label.parts[:-1], "2")) for label in read(taken()).labels if label.kind == "soft"]
    done = judged(
        taken() | {"inv_no": NUMBERS["inv_no"], "cn_einv": NUMBERS["cn_einv"]}, bundle(shown([*labels, *twins]))
    )
    assert done.code == 3


def test_ordinal_1_alone_leaves_the_answer_open(judged):
    """Supplier and debtor said `distinct` of a first paper and left ordinal 1 free for a second one."""
    done = judged(free(), bundle(shown(read(free()).labels)), "--json")
    assert (done.code, done.json()["answer"]) == (3, "undecided")
    assert done.json()["missing"] == ["each ordinal up to 8 of the soft labels at epoch 3: a twin may stand there"]


@pytest.mark.parametrize("ordinal", ["2", "5", "8"])
def test_a_twin_above_a_free_ordinal_is_similar(ordinal):
    labels = read(free()).labels
    evidence = verify(bundle(shown(labels_of(free()))).encode(), world().trust(), NOW)
    soft = next(label for label in labels if label.kind == "soft")
    twin = Label(soft.type, (*soft.parts[:-1], ordinal))
    facts = tuple(
        replace(fact, statement=USE_UNKNOWN) if fact.label == twin.describe() else fact for fact in evidence.registry
    )
    moment = moment_of(world().genesis, evidence.tree_size, NOW, None)
    answer = answer_of(labels, replace(evidence, registry=facts), moment)
    assert (answer.outcome, answer.exit_code) == ("similar", 3)
    assert [row.label for row in answer.rows if row.standing == "present"] == [twin]


def test_a_proof_by_another_vrf_key_is_refuted(judged):
    label = labels_of(taken())[0]
    proof = vrf.prove(bytes(32), alpha(world().genesis.log_id, label, 0))
    index = vrf.index_of(vrf.proof_output(proof))
    absent = world().closed[EPOCH - 1].registry.prove(index)
    end = absent.terminal
    terminal = None if end is None else TerminalPart(index=end.key, commitment=end.value)
    made = hidden(taken(), 2, index=index, proof=proof, terminal=terminal, path=absent.path, value=None, opening=None)
    assert judged(taken(), made).code == 1
    assert "SignatureWrong" in judged(taken(), made).err


def test_an_identity_label_has_no_other_version(judged):
    done = judged(taken(), hidden(taken(), 2, version=1))
    assert (done.code, "FieldMalformed" in done.err) == (2, True)


def test_the_index_of_another_label_is_refuted(judged):
    label = normalised(2, "CN", "26990000000000000001")
    index, _ = label_index(world().genesis, world().vrf_seed, label, 0)
    absent = world().label(label, 0, EPOCH)
    made = hidden(taken(), 2, index=index, terminal=absent.terminal, path=absent.path, value=None, opening=None)
    assert "REFUTED" in judged(taken(), made).err


def test_a_neighbours_pair_under_its_own_path_is_refuted(judged):
    other = world().label(labels_of(taken())[1], 0, EPOCH)
    made = hidden(taken(), 2, terminal=other.terminal, path=other.path, value=None, opening=None)
    done = judged(taken(), made)
    assert done.code in {1, 2}
    assert "RootMismatch" in done.err or "TerminalMalformed" in done.err


def test_a_hole_where_the_label_stands_is_refuted(judged):
    done = judged(taken(), hidden(taken(), 2, terminal=None, value=None, opening=None))
    assert (done.code, "RootMismatch" in done.err) == (1, True)


def test_the_registry_root_of_another_log_is_another_log(judged):
    other = consortium("other.example/receivables")
    labels = tuple(other.label(label, 0, EPOCH) for label in labels_of(free()))
    made = other.bundle(4, other.epoch_part(EPOCH, 4, labels=labels), purpose="registry", anchors=())
    done = judged(free(), made, require=("integrity",))
    assert done.code == 3


def test_a_stale_absence_is_no_answer(judged):
    """The checkpoint is the newest; the labels are shown at the epoch before, when the paper was not registered yet."""
    done = judged(free(), bundle(shown(labels_of(free()), 2)), "--json")
    assert (done.code, done.json()["answer"]) == (3, "undecided")
    assert sum("its standing at epoch 3, the newest covered" in what for what in done.json()["missing"]) == 4


def test_a_fresher_checkpoint_beside_it_makes_an_old_absence_no_younger(judged):
    newer = CheckpointPart(note=world().note(6), consistency=tuple(world().log.consistency_path(4, 6)))
    first = CheckpointPart(note=world().note(4), consistency=())
    epoch = shown(labels_of(free()))
    made = world().bundle(
        4, epoch, checkpoints=(first, newer), rotations=(world().rotation(4),), anchors=(world().anchor(6),)
    )
    assert judged(free(), made).code == 3


def test_who_wants_it_fresh_says_so(judged):
    made = bundle(shown(labels_of(free())))
    assert judged(free(), made).code == 0
    done = judged(free(), made, "--json", max_age=3_600)
    assert done.code == 3
    assert any("at an epoch not older than 3600 s" in what for what in done.json()["missing"])


@pytest.fixture
def later(monkeypatch):
    """The clock of whoever asks, so long after epoch 3 closed."""

    def at(age: int) -> None:
        monkeypatch.setattr(time, "time", lambda: CLOSED + age)

    return at


@pytest.mark.parametrize(("age", "code"), [(0, 0), (LIMIT, 0), (LIMIT + 1, 3), (365 * 86_400, 3), (-1, 3)])
def test_free_is_never_said_of_an_old_bundle_though_no_trust_file_speaks_of_age(judged, later, age, code):
    later(age)
    done = judged(free(), bundle(shown(labels_of(free()))), "--json")
    found = done.json()
    assert (done.code, found["answer"]) == (code, "undecided" if code else "free")
    assert (found["age"], found["max_age"]) == (age, LIMIT)
    assert any("--max-age" in what or "clock" in what for what in found["missing"]) == bool(code)


def test_the_nodes_own_answer_may_not_be_old_either(asked, later):
    later(LIMIT + 1)
    done = asked(free())
    assert done.code == 3
    assert done.out.startswith("UNDECIDED")
    assert "3.0 days old" in done.out


def test_how_old_is_too_old_is_the_askers_to_say(judged, asked, later):
    made = bundle(shown(labels_of(free())))
    later(365 * 86_400)
    assert judged(free(), made, "--max-age", str(365 * 86_400)).code == 0
    assert judged(free(), made, max_age=366 * 86_400).code == 0
    assert judged(free(), made, "--max-age", "3600", max_age=366 * 86_400).code == 3
    assert judged(free(), made, "--max-age", str(366 * 86_400), max_age=3_600).code == 3, "the trust file stays"
    later(60)
    assert asked(free(), "--max-age", "59").code == 3
    assert asked(free(), "--max-age", "60").code == 0


def test_what_is_taken_stays_so_however_old_the_bundle(judged, later):
    later(365 * 86_400)
    done = judged(taken(), bundle(shown(labels_of(taken()))))
    assert (done.code, "365.0 days old" in done.out) == (1, True)


def test_a_contract_that_is_fresh_makes_the_bundle_no_younger(judged, later, monkeypatch):
    """The log lives on, and what it registered since is not in the bundle."""
    later(365 * 86_400)
    head = Head(
        tree_size=369, root=bytes(32), timestamp=CLOSED + 365 * 86_400, anchored_at=0, set_id=1, next_from_size=0,
        paused_until=0, state="active",
    )  # fmt: skip
    sight = PublicSight(
        chain_id=CHAIN, contract=CONTRACT, basis="final", finalized_number=9, finalized_hashes={}, head=head
    )
    monkeypatch.setattr(registry, "sights_of", lambda *_: (sight,))
    asking = ("--rpc", "http://127.0.0.1:1", "--contract", "0x" + CONTRACT.hex())
    assert judged(free(), bundle(shown(labels_of(free()))), *asking).code == 3


def test_the_newest_epoch_shown_has_the_last_word(judged):
    labels = labels_of(taken())
    assert judged(taken(), bundle(shown(labels, 2), shown(labels, 3))).code == 1


# ── receipts ──


def in_epoch_2(labels):
    """A history in which nothing was registered before epoch 2."""
    before = genesis_tree(world().secrets[0], world().genesis.registry_ladder)
    late = world().variant(1, registry=before, registry_root=before.root)
    epochs = [late.epoch_part(e, 4, labels=tuple(late.label(label, 0, e) for label in labels)) for e in (1, 2)]
    return late.bundle(4, *epochs, purpose="registry", anchors=())


def test_a_receipt_needs_a_folder_and_keeps_what_the_node_shows(typed, paper, folder, monkeypatch):
    assert typed("registry", "receipt", "--label-file", paper(taken()), "--out", "r.hb.json").code == 2

    class Receipts(Desk):
        def bundle(self, request) -> bytes:
            assert request.receipts
            labels = [Label.decode(one.label) for one in request.labels]
            return (came(labels) if came is not None else bundle(shown(labels))).encode()

    came = in_epoch_2
    monkeypatch.setattr(registry, "_desk", lambda _folder: nullcontext(Receipts()))
    done = typed("registry", "receipt", "--dir", str(folder), "--label-file", paper(taken()), "--out", "r.hb.json")
    assert done.code == 0
    assert (folder / "r.hb.json").exists()
    assert sum(line.startswith("  present") for line in done.out.splitlines()) == 4
    again = ("--ordinal", "2", "--json")
    done = typed(
        "registry", "receipt", "--dir", str(folder), "--label-file", "paper.json", "--out", "r.hb.json", *again
    )
    rows = done.json()["labels"]
    assert [row["standing"] for row in rows if row["epoch"] == 2] == ["present", "present", "absent", "absent"]
    assert [row["standing"] for row in rows if row["epoch"] == 1] == ["absent"] * 4
    assert done.code == 3, "the second twin never came"
    came = None
    done = typed("registry", "receipt", "--dir", str(folder), "--label-file", "paper.json", "--out", "r.hb.json")
    assert done.code == 3, "present alone is no receipt"
