"""Real nodes, a real EVM, and a sequencer that cheats when it is told to: registry, promises, omission, audit.

bank-a is a member and no validator.
"""

import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from hybrid_bridge.adapters.grpc_member.desk import GrpcDesk
from hybrid_bridge.business.dates import date_of
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.encoding import b64u, canonical_json
from hybrid_bridge.core.labels import Label, creditor_invoice, normalised
from hybrid_bridge.errors import NotEntitled, RuleRejected
from hybrid_bridge.node.opening import owner_tls
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import EpochNumber, UnixSeconds
from tests.e2e.network import (
    NAMES,
    Network,
    fields_of,
    found_network,
    free_endpoint,
    plan,
    register,
    registration,
    until,
)
from tests.e2e.public_chain import PublicChain, start, start_public_chain, told, typed

PARTY = "LEI:5493001KJTIIGC8Y1R12"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    root = tmp_path_factory.mktemp("cheated") / "out"
    network = found_network(root, replace(plan(bank_a=("member",)), auditors=("auditor",), promise_delay=2))
    try:
        start(network, "core", "tests.e2e.cheating_sequencer", str(network.folder("core")))
        for name in NAMES[1:]:
            network.start(name)
        for name in NAMES:
            network.await_status(name, "first final block", lambda status: status.final_height >= 1)
        yield network
    finally:
        network.end()


@pytest.fixture(scope="module")
def chain(network: Network) -> PublicChain:
    return start_public_chain(network)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """An invoice by its number alone."""
    number = f"INV-{secrets.token_hex(4).upper()}"
    path = tmp_path / "invoice.json"
    path.write_text(json.dumps({"type": 3, "parts": [PARTY, number]}))
    return path


def ends(code: int, ask: Callable[[], CompletedProcess[str]], patience: float = 120.0) -> CompletedProcess[str]:
    """Ask while the answer is `undecided`; the code that is not must be `code`."""

    def decided() -> CompletedProcess[str] | None:
        done = ask()
        return None if done.returncode == 3 else done

    done = until(f"exit code {code}", decided, patience)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def stranger(chain: PublicChain, bundle: Path, *required: str) -> tuple[str, ...]:
    """`verify` by somebody who has the file and one public block hash, offline."""
    trust = bundle.with_suffix(".trust.json")
    trust.write_bytes(chain.trust(bundle, *required).encode())
    return "verify", str(bundle), "--trust", str(trust), "--json"


def confirm(network: Network, object_id: str, number: str, *labels: Label) -> None:
    core, inserted = network.desk("core"), labels or (creditor_invoice(PARTY, number),)
    request = pb.DraftRequest(
        schema="asset.confirm/1",
        fields=fields_of(object=object_id, gross="1250000", ccy="CNY", distinct=False),
        authorisers=[pb.Authoriser(purpose="identity")],
        labels=canonical_json([b64u(label.encode()) for label in inserted]),
        audience=["supplier", "bank-a"],
    )
    core.send(core.draft(request).draft)


# ── not financed before ──


def test_a_bank_asks_before_it_lends_and_a_third_party_checks_the_answer(
    network: Network, chain: PublicChain, paper: Path, tmp_path: Path
) -> None:
    bank, before, after, receipt = str(network.folder("bank-a")), *(tmp_path / f"{n}.hb.json" for n in "bar")
    asking = ("registry", "check", "--dir", bank, "--label-file", str(paper), *chain.asked)
    ends(0, lambda: typed(*asking, "--out", str(before)))
    found = told(typed(*stranger(chain, before)))
    assert [fact["statement"] for fact in found["registry"]] == ["not registered"]  # type: ignore[index, attr-defined]

    asset = register(network, secrets.token_hex(16))
    network.await_status("core", "the asset", lambda status: status.final_height >= asset.sent.height)
    until("delivered", lambda: network.status("supplier").undelivered == 0)
    confirm(network, asset.object_id, json.loads(paper.read_text())["parts"][1])
    taken = until(
        "taken", lambda: done if (done := typed(*asking, "--out", str(after), "--json")).returncode == 1 else None
    )
    assert told(taken)["answer"] == "taken"
    other = ("registry", "check", "--bundle", str(after), "--label-file", str(paper), "--trust")
    trust = tmp_path / "trust.json"
    trust.write_bytes(chain.trust(after).encode())
    assert typed(*other, str(trust)).returncode == 1

    with_others = ("registry", "check", "--dir", str(silenced(network, "bank-a", tmp_path)), "--label-file", str(paper))
    assert typed(*with_others).returncode == 3  # its own node does not answer
    asked = ("--node", f"supplier={network.endpoint('supplier')}", *chain.asked)
    assert told(ends(1, lambda: typed(*with_others, *asked, "--json")))["answer"] == "taken"

    making = ("registry", "receipt", "--dir", bank, "--label-file", str(paper), *chain.asked, "--out", str(receipt))
    ends(0, lambda: typed(*making))
    done = typed(*stranger(chain, receipt))
    assert done.returncode == 0, done.stdout
    first, second = told(done)["registry"]  # type: ignore[misc]
    assert second["epoch"] == first["epoch"] + 1
    assert (first["statement"], second["statement"]) == ("not registered", f"object {asset.object_id}")


def test_a_bank_that_is_no_validator_finances_what_it_has_read(network: Network) -> None:
    supplier, core, bank = (network.desk(name) for name in ("supplier", "core", "bank-a"))
    asset, note, buyer = secrets.token_hex(16), secrets.token_hex(16), "USCI:91350100M000100Y43"
    number = f"INV-{asset[:8].upper()}"
    terms = {"ccy": "CNY", "gross": "1250000", "issue_date": "2026-01-05"}
    sent_everywhere(network, "supplier", registration(network, asset, seller=PARTY, buyer=buyer, **terms))
    labels = [
        normalised(3, PARTY, number),
        normalised(4, PARTY, number, "1"),
        normalised(5, buyer, *terms.values(), "1"),
    ]
    confirm(network, asset, number, *labels)
    until("the bank has both documents", lambda: len(read_by(bank)) >= 2 and not network.status("core").undelivered)
    holder = b64u(supplier.key("holder").key_id)
    now = int(time.time())
    today = date_of(UnixSeconds(now), RulePack().zone)
    issued: dict[str, object] = {
        "note": note,
        "debtor": b64u(core.key("identity").key_id),
        "ccy": "CNY",
        "face": "1250000",
        "issue_date": today.isoformat(),
        "due_date": (today + timedelta(days=60)).isoformat(),
        "payee_key": holder,
        "back.0.object": asset,
        "back.0.allot": "1250000",
        "event_time": now,
    }
    sent_everywhere(network, "core", written("note.issue/1", canonical_json(issued), "identity"))
    sent_everywhere(network, "supplier", written("note.accept/1", fields_of(note=note), "holder"))
    until("financed", lambda: financed(network, note))
    network.await_status("bank-a", "nothing owed", lambda status: status.undelivered == 0)


def financed(network: Network, note: str) -> bool:
    """Reserved with its holder and financed; both lapse by the clock (I5), then they are asked for again."""
    bank, supplier = network.desk("bank-a"), network.desk("supplier")
    claims: dict[str, object] = {"note.0": note, "fin_key": b64u(bank.key("fin").key_id)}
    holder, fin = pb.Authoriser(key_id=supplier.key("holder").key_id), pb.Authoriser(purpose="fin")
    try:
        fields = fields_of(**claims, ttl_epochs=24)
        draft = bank.draft(pb.DraftRequest(schema="fin.reserve/1", fields=fields, authorisers=[fin, holder])).draft
        bank.send(draft, supplier.authorise(draft, ["holder"]).signatures)
    except RuleRejected as refused:
        if refused.rule != "I5":
            raise
    try:
        fields = fields_of(**claims, check_epoch=network.status("bank-a").epoch)
        return bank.send(bank.draft(written("fin.finance/1", fields, "fin")).draft).code == 0
    except RuleRejected as refused:
        if refused.rule != "I5":
            raise
        return False


def written(schema: str, fields: bytes, purpose: str) -> pb.DraftRequest:
    return pb.DraftRequest(schema=schema, fields=fields, authorisers=[pb.Authoriser(purpose=purpose)])


def sent_everywhere(network: Network, name: str, request: pb.DraftRequest) -> pb.SendResponse:
    """Sent at one desk, in a block of everybody."""
    desk = network.desk(name)
    draft = desk.draft(request).draft
    sent = until(request.schema, lambda: desk.send(draft))
    for other in NAMES:
        network.await_status(other, "the block", lambda status: status.height >= sent.height)
    return sent


def read_by(desk: GrpcDesk) -> list[bytes]:
    return [row.entry_leaf for row in desk.records()]


def silenced(network: Network, name: str, folder: Path) -> Path:
    """A member's folder with a node that does not answer, as if its machine were gone."""
    copy = Path(shutil.copytree(network.folder(name), folder / name))
    settings = (copy / "node.toml").read_text()
    (copy / "node.toml").write_text(settings.replace(network.endpoint(name), free_endpoint()))
    return copy


# ── no silent omission ──


def promises(network: Network) -> dict[str, dict[str, object]]:
    command = ("member", "promises", "--dir", str(network.folder("supplier")), "--json")
    done = until("the promises", lambda: done if (done := typed(*command)).returncode == 0 else None)
    return {row["transaction"]: row for row in json.loads(done.stdout)}


def test_a_kept_promise_refutes_the_claim(network: Network, tmp_path: Path) -> None:
    asset = register(network, secrets.token_hex(16))
    transaction = asset.sent.transaction_id.hex()
    assert promises(network)[transaction]["standing"] in {"due", "kept"}
    until("kept", lambda: promises(network)[transaction]["standing"] == "kept")
    out = tmp_path / "none.hb.json"
    claim = ("evidence", "omission", "--dir", str(network.folder("supplier")), "--transaction", transaction)
    done = ends(1, lambda: typed(*claim, "--out", str(out)))
    assert "NotOmitted" in done.stderr
    assert not out.exists()


def test_a_dropped_transaction_becomes_evidence_that_a_stranger_verifies_offline(
    network: Network, chain: PublicChain, tmp_path: Path
) -> None:
    folder, flag, out = str(network.folder("supplier")), network.folder("core") / "drop", tmp_path / "omission.hb.json"
    flag.touch()
    dropped = register(network, secrets.token_hex(16))
    flag.unlink()
    transaction = dropped.sent.transaction_id.hex()
    assert promises(network)[transaction]["standing"] == "due"
    early = typed("evidence", "omission", "--dir", folder, "--transaction", transaction, "--out", str(out))
    assert early.returncode == 3, early.stdout + early.stderr
    (network.folder("core") / "hold").unlink()
    claim = ("evidence", "omission", "--dir", folder, "--transaction", transaction, *chain.asked, "--out", str(out))
    done = ends(0, lambda: typed(*claim, "--json"))
    assert told(done)["omission"] == "proven"
    assert promises(network)[transaction]["standing"] == "broken"

    verified = typed(*stranger(chain, out, "integrity", "quorum", "public anchor", "omission"))
    assert verified.returncode == 0, verified.stdout
    found = told(verified)
    verdicts = {v["name"]: v["result"] for v in found["verdicts"]}  # type: ignore[index, attr-defined]
    assert (verdicts["omission"], verdicts["public anchor"]) == ("proven", "verified")
    assert "core Ltd" in str(found["warnings"])

    lost, kept, again = silenced(network, "supplier", tmp_path), tmp_path / "promise", tmp_path / "again.hb.json"
    kept.write_text(b64u(dropped.sent.promise) + "\n")
    claim = ("evidence", "omission", "--dir", str(lost), "--transaction", transaction, "--promise", str(kept))
    asked = ("--node", f"bank-b={network.endpoint('bank-b')}", *chain.asked, "--out", str(again), "--json")
    assert told(ends(0, lambda: typed(*claim, *asked)))["omission"] == "proven"

    sequence = typed("ledger", "sequence", "--dir", folder, "--json")
    rows = {row["name"]: row for row in json.loads(sequence.stdout)}
    assert sequence.returncode == 1
    assert rows["supplier"]["dropped"] == [promises(network)[transaction]["sequence"]]
    assert all(len(row["seen"]) == 1 for row in rows.values())
    another = register(network, secrets.token_hex(16))
    assert promises(network)[another.sent.transaction_id.hex()]["sequence"] == rows["supplier"]["dropped"][0]


def test_nobody_promised_a_transaction_of_somebody_else(network: Network, tmp_path: Path) -> None:
    asset = register(network, secrets.token_hex(16))
    bank, out = str(network.folder("bank-b")), str(tmp_path / "x.hb.json")
    until("caught up", lambda: network.status("bank-b").height >= asset.sent.height)
    done = typed("evidence", "omission", "--dir", bank, "--transaction", asset.sent.transaction_id.hex(), "--out", out)
    assert done.returncode == 2
    assert registration(network, asset.object_id).schema == "asset.register/1"


# ── audit ──


def test_an_auditor_replays_the_registry_and_sees_what_was_tampered_with(
    network: Network, chain: PublicChain, tmp_path: Path
) -> None:
    folder, trust = tmp_path / "deltas", tmp_path / "trust.json"
    source = ("--node", f"bank-b={network.endpoint('bank-b')}", "--as", str(network.root / "clients" / "auditor"))
    ends(0, lambda: typed("audit", "fetch", str(folder), *source, *chain.asked))
    trust.write_bytes(chain.trust(folder / "checkpoint.hb.json").encode())
    done = typed("audit", "registry", str(folder), "--trust", str(trust), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in public block" in str(told(done)["public_anchor"])
    path = folder / "00000001.delta"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    broken = typed("audit", "registry", str(folder), "--trust", str(trust), "--from-start")
    assert broken.returncode == 1
    assert "epoch 1 of the registry" in broken.stderr


def test_an_auditor_may_ask_for_nothing_else(network: Network) -> None:

    tls = owner_tls(network.root / "clients" / "auditor")
    with GrpcDesk.at("bank-b", network.endpoint("bank-b"), tls) as desk:
        for ask in (desk.status, desk.records, lambda: list(desk.epochs(EpochNumber(1), EpochNumber(1)))):
            with pytest.raises(NotEntitled):
                ask()
