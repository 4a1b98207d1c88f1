"""A consortium whose order CometBFT makes: five real engines beside five real nodes, four of them with a vote.

Members and engines are killed at any time; what is decided stays decided, and an outsider sees who decided it.
"""

import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from hybrid_bridge.adapters.cometbft.home import consensus_key_file, public_key_of
from hybrid_bridge.adapters.cometbft.rpc import EngineRpc
from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.cometbft import COMMITTED, Vote
from hybrid_bridge.core.cometbft_evidence import CometbftEvidence
from hybrid_bridge.core.cometbft_history import walk
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import RuleRejected, Undecided, Unknown
from hybrid_bridge.node.cards import parse_card
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Height, UnixSeconds
from tests import engines
from tests.e2e.engine_network import EngineNetwork, await_height, founded, hashes
from tests.e2e.membership import decided, decided_by_hand, done, newcomer, newest_set
from tests.e2e.network import (
    NAMES,
    PATIENCE,
    Network,
    confirm,
    register,
    registration,
    running,
    until,
)
from tests.e2e.test_node_commands import exported_and_accepted
from tests.governing import governed, identity_of

VALIDATORS = NAMES[:4]
SNAPSHOT_EVERY = 10
AHEAD = 4  # epochs from a proposal to its effect; doubled where this machine was too slow


@pytest.fixture(scope="module")
def network() -> Iterator[EngineNetwork]:
    with founded() as made:
        for name in NAMES:
            settings = made.folder(name) / "node.toml"
            settings.write_text(f"snapshot_every = {SNAPSHOT_EVERY}\n" + settings.read_text())
        for name in ("regulator", "bank-a"):
            shutil.copytree(made.folder(name), made.root / f"{name}-as-founded")
        yield from running(made)  # type: ignore[misc]


def evidence_of(network: EngineNetwork, leaf: bytes, name: str = "supplier", *, receipt: bool = False) -> bytes:
    """A bundle that shows the record with its signed transaction."""
    shown = pb.Disclosed(entry_leaf=leaf, names=["object"], transaction=True)
    order = pb.BundleRequest(purpose="record", entry_leaves=[leaf], disclosed=[shown], cose_receipt=receipt)
    return until("its epoch under a quorum", lambda: network.desk(name).bundle(order))


def trusting(network: EngineNetwork) -> Trust:
    return Trust(
        logs=(TrustedLog(log_id=network.directory.log_id),),
        member_roots=(
            load_pem_x509_certificate((network.root / "public" / "ca.pem").read_bytes()).public_bytes(Encoding.DER),
        ),
        minimum_level="A3",
        require=("integrity", "quorum", "names"),
    )


def test_all_members_execute_alike_and_a_refusal_stands_on_the_record(network: EngineNetwork) -> None:
    first, second = (register(network, secrets.token_hex(16)) for _ in range(2))
    confirm(network, first)
    with pytest.raises(RuleRejected) as refused:
        confirm(network, replace(second, invoice=first.invoice))
    assert refused.value.rule == "L-hard"
    with pytest.raises(RuleRejected) as refused:  # of a member without a vote, at a validator's node
        network.desk("regulator").send(network.desk("regulator").draft(registration(network, first.object_id)).draft)
    assert refused.value.rule == "authority"
    height = network.status("core").height
    await_height(network, NAMES, height + 1)
    assert len(hashes(network, NAMES, height)) == 1


def test_an_outsider_sees_that_two_thirds_ordered_and_accepted_a_transaction(network: EngineNetwork) -> None:
    asset = register(network, secrets.token_hex(16))
    data = evidence_of(network, asset.entry_leaf)
    trust = trusting(network)
    evidence = verify(data, trust, UnixSeconds(int(time.time())))
    assert {verdict.name: verdict.result for verdict in evidence.verdicts}["level"] == "A3"
    assert evidence.missing == ()
    bundle = decode_bundle(data)
    assert [part.type for part in bundle.source_evidence] == ["cometbft/1"]
    bare = replace(bundle, source_evidence=())
    assert verify(bare.encode(), replace(trust, minimum_level=None), UnixSeconds(int(time.time()))).missing == ()


def test_what_the_engines_sign_verifies_by_our_own_code_from_the_first_block_on(network: EngineNetwork) -> None:
    rpc = network.rpc("supplier")
    first = rpc.validators(Height(1))
    history = walk(rpc.signed_header(Height(1)).header.chain_id, Height(1), first, ())
    for height in range(1, network.status("supplier").height):
        history.verify(rpc.signed_header(Height(height)))


def test_the_engines_own_light_client_accepts_the_header_that_a_bundle_carries(
    network: EngineNetwork, tmp_path: Path
) -> None:
    """A foreign verifier: it asks two members, trusts the first block alone, and proves what it passes on."""
    (part,) = decode_bundle(evidence_of(network, register(network, secrets.token_hex(16)).entry_leaf)).source_evidence
    shown = CometbftEvidence.decode(part.data).last.header
    primary, witness = (f"http://{read_settings(network.folder(name)).engine_rpc}" for name in ("core", "bank-b"))
    trusted = network.rpc("core").signed_header(Height(1)).header
    (port,) = free_ports(1)
    command = [engines.engine("cometbft"), "light", trusted.chain_id, "--primary", primary, "--witnesses", witness]
    command += ["--height", "1", "--hash", trusted.hash.hex(), "--home-dir", tmp_path / "light"]
    client = engines.Child([*command, "--laddr", f"tcp://127.0.0.1:{port}"], tmp_path / "light.log")
    try:
        light = EngineRpc(Service("light client", f"http://127.0.0.1:{port}").post)
        proven = until("the light client", lambda: light.signed_header(shown.height))
    finally:
        client.stop()
    assert proven.header == shown


def test_one_of_four_dead_business_goes_on_two_dead_it_halts_and_resumes_by_itself(network: EngineNetwork) -> None:
    """The one has the role that orders elsewhere: a member without the log's keys gets lines and receipts all the same."""
    others = ("bank-b", "supplier", "bank-a")
    until("a line of each", lambda: {*network.status("regulator").log_holders} == {*VALIDATORS})
    network.kill("core")
    sent = register(network, secrets.token_hex(16)).sent
    await_height(network, others, sent.height)
    size = network.status("bank-b").size + 1
    asked = pb.BundleRequest(purpose="checkpoint", size=size, cose_receipt=True)
    (shown,) = decode_bundle(until("a receipt by another", lambda: network.desk("regulator").bundle(asked))).checkpoints
    assert shown.receipt
    network.kill("bank-a")
    with pytest.raises(Undecided):
        register(network, secrets.token_hex(16))
    halted = network.status("bank-b").height
    assert network.status("supplier").height <= halted + 1
    network.start("bank-a")
    await_height(network, others, halted + 3)
    network.start("core")
    height = network.status("bank-b").height
    await_height(network, VALIDATORS, height + 1)
    assert len(hashes(network, VALIDATORS, height)) == 1


@pytest.mark.parametrize("who", ["the engine", "the node", "both"])
def test_killed_under_load_a_member_comes_back_to_the_engines_height(network: EngineNetwork, who: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(lambda: [register(network, secrets.token_hex(16)).sent for _ in range(6)])
        if who != "the engine":
            Network.kill(network, "bank-a")
        if who != "the node":
            network.kill_engine("bank-a")
        if who != "the engine":
            Network.start(network, "bank-a")
        if who == "the node":
            network.engines.pop("bank-a").wait(60)  # it ends by itself: its application is gone
        network.start_engine("bank-a")
        heights = [one.height for one in sent.result()]
    await_height(network, VALIDATORS, max(heights) + 1)
    assert len(hashes(network, VALIDATORS, max(heights))) == 1


def test_all_killed_at_once_all_come_back(network: EngineNetwork) -> None:
    sent = register(network, secrets.token_hex(16)).sent
    for name in NAMES:
        network.kill(name)
    for name in NAMES:
        network.start(name)
    await_height(network, NAMES, sent.height + 2)
    assert len(hashes(network, NAMES, sent.height)) == 1


# ── votes that come and go ───────────────────────────────────────────────────────────────────────────────────────────


def order(network: EngineNetwork, record: bytes) -> None:
    """Signed by three of four, offered by bank-a, which submits nothing else."""
    quorum = [identity_of(network.folder(name)) for name in ("bank-a", "core", "supplier")]
    data = governed(network.directory.log_id, record, quorum, next(network.numbers)).encode()
    until("room in the pool", lambda: network.rpc("bank-a").broadcast(data) == 0)


def voting(network: EngineNetwork, name: str = "core") -> set[bytes]:
    """The keys in charge now."""
    rpc, height = network.rpc(name), network.status(name).height
    return {validator.key for validator in rpc.validators(Height(height)).validators}


def has_voted(network: EngineNetwork, key: bytes) -> bool:
    """Whether the newest block but one bears this key's vote."""
    rpc, height = network.rpc("core"), Height(network.status("core").height - 1)
    keys = [validator.key for validator in rpc.validators(height).validators]
    return key in keys and rpc.signed_header(height).commit.votes[keys.index(key)].flag == COMMITTED


def verified(network: EngineNetwork, data: bytes) -> tuple[set[str], int]:
    """Who signed the last block of the record's epoch, by name, and how often the engine's set had changed by then."""
    evidence = verify(data, trusting(network), UnixSeconds(int(time.time())))
    assert evidence.missing == ()
    (fact,) = evidence.blocks
    (part,) = decode_bundle(data).source_evidence
    return {name.split(" Ltd")[0] for name in fact.signers}, len(CometbftEvidence.decode(part.data).handovers)


def test_a_validator_gets_a_new_key_while_it_is_down_and_signs_by_it_when_it_is_back(network: EngineNetwork) -> None:
    """Its old key is thought lost: three others bind a new one, and business goes on all the time."""
    asset = register(network, secrets.token_hex(16))
    before = evidence_of(network, asset.entry_leaf)
    signers, changes = verified(network, before)
    assert (len(signers) >= 3, signers <= set(VALIDATORS), changes) == (True, True, 0)
    network.kill("bank-b")
    member, secret = network.directory.member("bank-b"), secrets.token_bytes(32)
    assert member.consensus_key is not None
    new, key_id = public_key_of(secret), network.directory.identities["bank-b"].key_id
    record = ConsensusKey.signed(secret, new, network.directory.log_id, key_id, replaces=sha256(member.consensus_key))
    order(network, record.encode())
    until("the new key in the engine's set", lambda: new in voting(network))
    assert member.consensus_key not in voting(network)
    without = register(network, secrets.token_hex(16))
    signers, changes = verified(network, evidence_of(network, without.entry_leaf))
    assert (signers, changes) == ({"core", "supplier", "bank-a"}, 1)
    home = network.folder("bank-b") / "engine" / "config" / "priv_validator_key.json"
    home.write_bytes(consensus_key_file(secret))
    network.start("bank-b")
    until("a vote by the new key", lambda: has_voted(network, new))
    height = network.status("core").height
    await_height(network, NAMES, height + 1)
    assert len(hashes(network, NAMES, height)) == 1
    assert verified(network, before)[1] == 0  # what was shown before stays as it was
    assert verified(network, evidence_of(network, asset.entry_leaf))[1] == 0


def founded_again(network: EngineNetwork, name: str) -> None:
    """Its stores as the founders made them, before the first block; what its key has signed stays."""
    for path in network.folder(name).glob("*.db*"):
        if not path.name.startswith("guard"):
            path.unlink()
    for path in (network.root / f"{name}-as-founded").glob("*.db"):
        if path.stem != "guard":
            shutil.copy(path, network.folder(name))


def forgetful(network: EngineNetwork, name: str) -> None:
    """Its engine as the founders made it. Never for a validator: it would vote again."""
    data = network.folder(name) / "engine" / "data"
    shutil.rmtree(data)
    data.mkdir()
    (data / "priv_validator_state.json").write_text('{"height": "0", "round": 0, "step": 0}')


def test_a_member_whose_stores_are_lost_executes_every_block_again(network: EngineNetwork) -> None:
    """The regulator: it signs nothing, so it may begin again with what the founders gave it."""
    network.kill("regulator")
    founded_again(network, "regulator")
    network.start("regulator")
    height = network.status("core").height
    await_height(network, ("regulator",), height + 1)
    assert len(hashes(network, ("core", "regulator"), height)) == 1


def test_an_engine_of_another_chain_is_not_answered(network: EngineNetwork) -> None:
    """A genesis file that was changed is found before anything is executed."""
    network.kill("regulator")
    founded_again(network, "regulator")
    home = network.folder("regulator") / "engine"
    forgetful(network, "regulator")
    genesis = json.loads((home / "config" / "genesis.json").read_text())
    genesis["app_state"]["log_id"] = secrets.token_hex(32)
    (home / "config" / "genesis.json").write_text(json.dumps(genesis))
    network.start("regulator")
    assert network.running.pop("regulator").wait(120) == 4
    assert "FieldMismatch(field='app_state'" in (network.folder("regulator") / "node.log").read_text()


# ── the next sets ────────────────────────────────────────────────────────────────────────────────────────────────────


REMAINING = ("core", "supplier", "bank-a", "bank-c")


def test_a_fifth_validator_joins_by_commands_and_votes_and_one_of_the_first_leaves(network: EngineNetwork) -> None:
    """A newcomer with a node and an engine of its own; nobody's engine is told of it by hand or started again."""
    peers, rpc = (f"127.0.0.1:{port}" for port in free_ports(2))
    card = newcomer(network, "bank-c", "--engine", peers, "--engine-rpc", rpc)
    key = parse_card(card.read_bytes()).member.consensus_key or b""
    proposal = decided_by_hand(network, ("admit", str(card)), VALIDATORS, ahead=4 * AHEAD, patience=PATIENCE)
    done("member", "join", str(proposal), "--dir", str(network.folder("bank-c")))
    network.start("bank-c")
    until("a vote of the fifth", lambda: has_voted(network, key))
    assert len(voting(network)) == 5
    joined = register(network, secrets.token_hex(16))
    await_height(network, ("bank-c",), network.status("core").height)
    assert len(hashes(network, ("core", "bank-c"), network.status("bank-c").height - 1)) == 1
    decided(network, pb.ProposeRequest(kind="remove", name="bank-b"), REMAINING, ahead=AHEAD, patience=PATIENCE)
    until("four votes", lambda: len(voting(network)) == 4)
    network.kill("bank-b")
    left = register(network, secrets.token_hex(16))
    signers, changes = verified(network, evidence_of(network, left.entry_leaf))
    assert signers <= set(REMAINING)
    signers, fewer = verified(network, evidence_of(network, joined.entry_leaf))
    assert (signers <= {*VALIDATORS, "bank-c"}, fewer) == (True, changes - 1)


def test_a_member_with_an_empty_ledger_joins_by_a_snapshot_after_two_changes_of_the_set(network: EngineNetwork) -> None:
    """It walks the sets, signs again when others have signed what it took, shows others' old headers, and votes.

    Business goes on all the time. Of the founders one has left, and one of those who sign now is none.
    """
    network.kill("bank-a")
    founded_again(network, "bank-a")
    others = [read_settings(network.folder(name)).engine_rpc for name in ("core", "supplier")]
    settings = network.folder("bank-a") / "node.toml"
    settings.write_text(f"engine_archives = {json.dumps(others)}\n" + settings.read_text())
    await_height(network, ("core",), SNAPSHOT_EVERY + 3)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(lambda: [register(network, secrets.token_hex(16)).sent for _ in range(6)])
        order = [sys.executable, "-m", "hybrid_bridge", "node", "sync", "--dir", str(network.folder("bank-a"))]
        until(
            "a checkpoint to believe in",
            lambda: not subprocess.run([*order, "--rpc", others[0], "--rpc", others[1]], check=False).returncode,
        )
        log = network.folder("bank-a") / "node.log"
        network.start("bank-a")
        until("peers are asked", lambda: "has no ledger yet and takes a snapshot" in log.read_text())
        network.kill("bank-a")  # wherever they are: both begin again
        network.start("bank-a")
        network.engines.pop("bank-a").wait(PATIENCE)  # it ends by itself once the ledger is in place
        network.start_engine("bank-a")
        heights = [one.height for one in sent.result()]
    await_height(network, REMAINING, max(heights) + 1)
    assert "ledger in place up to block" in log.read_text()
    height = register(network, secrets.token_hex(16)).sent.height  # its engine has no block from before the snapshot
    await_height(network, REMAINING, height + 1)
    assert len(until("its engine's word", lambda: hashes(network, REMAINING, height))) == 1

    size = until("a checkpoint by its key", lambda: network.relayed("bank-a").newest_size())
    assert not (network.folder("bank-a") / "sync.json").exists()
    core = until("core's of that size", lambda: network.relayed("core").checkpoint(size).note)
    assert core.splitlines()[2] == network.relayed("bank-a").checkpoint(size).note.splitlines()[2]

    asset = register(network, secrets.token_hex(16))
    bundle = until("what it was delivered", lambda: delivered(network, asset.entry_leaf, "bank-a"))
    assert [part.type for part in decode_bundle(bundle).source_evidence] == ["cometbft/1"]
    height = network.status("core").height
    until("four votes", lambda: all(vote.flag == COMMITTED for vote in votes(network, height)))


def delivered(network: EngineNetwork, leaf: bytes, name: str) -> bytes | None:
    """As `evidence_of`, once the record has come."""
    try:
        return evidence_of(network, leaf, name)
    except Unknown:
        return None


def votes(network: EngineNetwork, height: int) -> tuple[Vote, ...]:
    """The newest that core's engine has, at or above a height."""
    return network.rpc("core").signed_header(Height(max(height, network.status("core").height - 1))).commit.votes


# ── nobody is indispensable ──────────────────────────────────────────────────────────────────────────────────────────


def sold_to(network: EngineNetwork, name: str) -> bytes:
    """The leaf of a registration in which core has no part."""
    debtor = b64u(network.directory.identities[name].key_id)
    request, supplier = registration(network, secrets.token_hex(16), debtor=debtor), network.desk("supplier")
    del request.audience[:]
    request.audience.append(name)
    return supplier.send(supplier.draft(request).draft).entry_leaf


def test_whoever_was_to_order_ends_for_good_and_others_sign_for_the_log_and_remove_it(
    network: EngineNetwork, tmp_path: Path
) -> None:
    """Complete bundles and receipts come from other members."""
    others = tuple(name for name in newest_set(network, "supplier").names if name != "core")
    until("a line of each", lambda: {*network.status("supplier").log_holders} == {"core", *others})
    network.kill("core")
    leaf = until("a block of those who are left", lambda: sold_to(network, "bank-a"))
    data = evidence_of(network, leaf, receipt=True)
    assert verified(network, data)[0] <= {*others}
    exported_and_accepted(network, tmp_path / "without-core.hb.json", leaf.hex())
    removal = pb.ProposeRequest(kind="remove", name="core", reason="it is gone")
    decided(network, removal, others, ahead=AHEAD, patience=PATIENCE, at="supplier")
    until("one vote less", lambda: len(voting(network, "supplier")) == len(others))
    left = evidence_of(network, until("business goes on", lambda: sold_to(network, "bank-a")), receipt=True)
    assert verified(network, left)[0] <= {*others}
    for name in others:  # each holds them, whether founded with them or handed them as a newcomer
        holders = network.status(name).log_holders
        assert name in holders
        assert "core" not in holders
