"""A consortium of real processes: from a draft at one desk to a quorum note that anybody can check."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import parse_note, quorum_signatures, verify_log_line
from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.entry import decode_record_entry
from hybrid_bridge.core.labels import creditor_invoice, life
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import AdmissionRejected, NotEntitled, NotYet, RuleRejected, Unknown
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Digest, TreeSize, UnixSeconds
from tests.court_expert import bench, printed, steps
from tests.e2e.membership import (
    SLOW,
    anchored_bundle,
    anchored_size,
    carried,
    decided,
    done,
    member_tls,
    newcomer,
    newest_set,
    refused_everywhere,
)
from tests.e2e.network import NAMES, Network, Registered, confirm, register, registration, running_network, until
from tests.e2e.public_chain import PublicChain, start_public_chain

PARTY = "LEI:5493001KJTIIGC8Y1R12"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    yield from running_network(tmp_path_factory.mktemp("consortium") / "out")


@pytest.fixture(scope="module")
def asset(network: Network) -> Registered:
    return register(network, secrets.token_hex(16))


def test_a_transaction_becomes_final_everywhere(network: Network, asset: Registered) -> None:
    for name in NAMES:
        if name != "regulator":
            network.await_status(name, "final", lambda status: status.final_height >= asset.sent.height)
    found = network.desk("supplier").transaction(asset.sent.transaction_id)
    assert (found.code, found.final, found.entry) == (0, True, asset.sent.entry)
    promise = SignedPromise.decode(asset.sent.promise)
    promise.verify(network.directory.identities["core"])
    assert promise.promise.entry_leaf == asset.entry_leaf


def test_members_agree_on_every_closed_epoch(network: Network, asset: Registered) -> None:
    found = network.desk("supplier").transaction(asset.sent.transaction_id)
    for name in NAMES:
        network.await_status(
            name, "closed", lambda status: status.size > found.epoch and status.quorum_size > found.epoch
        )
    notes = {network.relayed(name).checkpoint(TreeSize(found.epoch + 1)).note.split("\n\n")[0] for name in NAMES}
    assert len(notes) == 1


def test_the_quorum_note_verifies_and_extends_the_one_before(network: Network, asset: Registered) -> None:
    directory = network.directory
    size = network.await_status("bank-a", "a quorum", lambda status: status.quorum_size >= 4).quorum_size

    def signed_by_the_log() -> NotedCheckpoint | None:
        """A quorum may be here before the line that the sequencer's node adds."""
        answer = network.relayed("bank-a").checkpoint(TreeSize(size), TreeSize(2))
        lines = parse_note(answer.note, origin=directory.origin).lines
        return answer if any(line.name == directory.origin for line in lines) else None

    served = until("the log key's line", signed_by_the_log)
    note = parse_note(served.note, origin=directory.origin)
    checkpoint = note.root
    timestamp = directory.genesis.checkpoint_timestamp(TreeSize(size))
    signatures = quorum_signatures(note, directory.validators, directory.log_id, timestamp)
    assert len(signatures) >= directory.validators.quorum
    verify_log_line(note, directory.log_key)
    old = parse_note(network.relayed("core").checkpoint(TreeSize(2)).note)
    verify_consistency(old.size, note.size, list(served.path), old.root, checkpoint)


def test_a_relayer_gets_attestation_and_path(network: Network) -> None:
    member = network.relayed("supplier")
    size = until("an attestation", lambda: member.newest_size() or None)
    root, signature = member.attestation(size)
    assert len(root) == 32
    assert len(signature) == 65
    assert len(member.consistency_path(TreeSize(1), size)) > 0
    with pytest.raises(NotYet):
        member.attestation(TreeSize(size + 1000))


def test_the_document_reaches_its_audience_and_nobody_else(network: Network, asset: Registered) -> None:
    network.await_status("supplier", "delivered", lambda status: status.undelivered == 0)
    for name in ("supplier", "core", "bank-a", "regulator"):
        document = parse_delivery(network.desk(name).record(Digest(asset.entry_leaf)))
        values = [parse_disclosure(part.value).value for part in document.disclosures]
        assert asset.seller in values
    assert asset.entry_leaf not in [record.entry_leaf for record in network.desk("bank-b").records()]


def test_a_second_object_with_the_same_invoice_is_refused(network: Network, asset: Registered) -> None:
    confirm(network, asset)
    twin = register(network, secrets.token_hex(16))
    with pytest.raises(RuleRejected) as refused:
        confirm(network, Registered(twin.object_id, asset.invoice, twin.seller, twin.entry_leaf, twin.sent))
    assert refused.value.rule == "L-hard"


def test_a_bundle_of_the_record_and_its_label_verifies(network: Network, asset: Registered) -> None:
    supplier = network.desk("supplier")
    label, story = creditor_invoice(PARTY, asset.invoice), life("asset", asset.object_id)
    request = pb.BundleRequest(
        purpose="record",
        entry_leaves=[asset.entry_leaf],
        disclosed=[pb.Disclosed(entry_leaf=asset.entry_leaf, names=["gross", "seller"])],
        labels=[pb.RegisteredRequest(label=label.encode()), pb.RegisteredRequest(label=story.encode())],
        transactions=True,
    )

    def registered() -> bytes | None:
        bundle = supplier.bundle(request)
        parts = [part for epoch in decode_bundle(bundle).epochs for part in epoch.labels]
        ends = [part.terminal.index for part in parts if part.version == 1 and part.terminal is not None]
        return bundle if set(ends) & {part.index for part in parts} else None  # itself, no neighbour

    until("the confirmed label in a checkpoint", lambda: supplier.registered(label.encode()).present or None)
    root = load_pem_x509_certificate((network.root / "public" / "ca.pem").read_bytes())
    trust = Trust(
        logs=(TrustedLog(log_id=network.directory.log_id),),
        member_roots=(root.public_bytes(Encoding.DER),),
        require=("integrity", "quorum", "names"),
    )
    evidence = verify(until("the bundle", registered), trust, UnixSeconds(2**33))
    assert not evidence.missing
    assert len(evidence.records) == 1
    assert {fact.statement for fact in evidence.registry} == {
        f"object {asset.object_id}",
        "state CONFIRMED after event 1",
    }


def test_a_bundle_with_a_field_the_record_lacks_is_refused(network: Network, asset: Registered) -> None:
    wanted = [pb.Disclosed(entry_leaf=asset.entry_leaf, names=["no_such_field"])]
    with pytest.raises(Unknown):
        network.desk("supplier").bundle(pb.BundleRequest(entry_leaves=[asset.entry_leaf], disclosed=wanted))


def test_the_same_draft_sent_twice_is_one_transaction(network: Network) -> None:
    supplier, object_id = network.desk("supplier"), secrets.token_hex(16)
    draft = supplier.draft(registration(network, object_id)).draft
    first = supplier.send(draft)
    network.await_status("supplier", "caught up", lambda status: status.height >= first.height)
    second = supplier.send(draft)
    assert (second.transaction_id, second.height) == (first.transaction_id, first.height)


def test_a_consent_is_given_for_named_keys_only(network: Network) -> None:
    draft = network.desk("supplier").draft(registration(network, secrets.token_hex(16))).draft
    with pytest.raises(AdmissionRejected):
        network.desk("bank-a").authorise(draft, ["identity"])


def test_private_values_reach_neither_ledgers_nor_logs(network: Network, asset: Registered) -> None:
    document = parse_delivery(network.desk("supplier").record(Digest(asset.entry_leaf)))
    middle = decode_record_entry(document.entry).width // 2
    private = [part.value for part in document.disclosures if part.index >= middle]
    salts = [parse_disclosure(text).salt for text in private]
    hidden = [text.encode() for text in private] + salts + [asset.seller.encode(), asset.invoice.encode()]
    assert len(private) == 2
    for name in NAMES:
        for path in network.folder(name).iterdir():
            holds = path.name.startswith("records.db") and name != "bank-b"  # those entitled hold it there alone
            if path.is_file() and not holds:
                data = path.read_bytes()
                assert not any(value in data for value in hidden), path
    shown = network.folder("bank-a") / "records.db-wal"
    assert any(value in shown.read_bytes() + (network.folder("bank-a") / "records.db").read_bytes() for value in hidden)


FOUR = ("core", "supplier", "bank-a", "bank-b")
LEFT = ("core", "supplier", "bank-a", "bank-c")


@pytest.fixture(scope="module")
def chain(network: Network) -> PublicChain:
    return start_public_chain(network)


@pytest.fixture(scope="module")
def before(network: Network, chain: PublicChain) -> bytes:
    """A bundle of the first four validators' time, with its anchor."""
    return anchored_bundle(network, chain, anchored_size(network, chain, 2))


def test_a_fifth_validator_is_admitted_by_the_four_and_catches_up(network: Network, before: bytes) -> None:
    assert decode_bundle(before).rotations == ()
    card = newcomer(network, "bank-c")
    admitted = decided(network, pb.ProposeRequest(kind="admit", card=card.read_bytes(), reason="a fifth bank"), FOUR)
    (network.root / "admitted.json").write_bytes(admitted)
    done("member", "join", str(network.root / "admitted.json"), "--dir", str(network.folder("bank-c")))
    network.start("bank-c")
    first = newest_set(network).first_size
    for name in ("core", "regulator"):
        until(f"{name}: its first size", lambda: network.status(name).quorum_size >= first, SLOW)  # noqa: B023
    until("bank-c has caught up and attests", lambda: network.status("bank-c").attested_size >= first, SLOW)
    assert list(newest_set(network, "regulator").names) == list(newest_set(network, "bank-c").names)


def test_the_public_chain_follows_the_sets_and_no_old_key_attests(
    network: Network, chain: PublicChain, before: bytes
) -> None:
    """The last of this module: after the newcomer one has another key, one goes; each set is carried over."""
    carried(network, chain, 2, LEFT)

    supplier = str(network.folder("supplier"))
    old = bytes.fromhex((network.folder("supplier") / "keys" / "attestation.key").read_text())
    done("member", "new-key", "attestation", "--dir", supplier)
    done("member", "card", "--dir", supplier, "--out", str(network.root / "supplier.card"))
    assert network.stop("supplier") == 0
    network.start("supplier")
    network.await_status("supplier", "up", lambda status: status.height > 0)
    rotating = pb.ProposeRequest(kind="rotate-key", card=(network.root / "supplier.card").read_bytes())
    decided(network, rotating, (*FOUR, "bank-c"))
    carried(network, chain, 3, (*FOUR, "bank-c"))
    decided(network, pb.ProposeRequest(kind="remove", name="bank-b", reason="merged into bank-a"), LEFT)
    carried(network, chain, 4, LEFT)

    size = anchored_size(network, chain, newest_set(network).first_size + 1)
    after = anchored_bundle(network, chain, size, "bank-c")
    for bundle, rotations in ((before, 0), (after, 3)):
        path = network.root / f"after-{rotations}.hb.json"
        path.write_bytes(bundle)
        evidence = verify(bundle, chain.trust(path), UnixSeconds(2**33))
        assert (len(decode_bundle(bundle).rotations), evidence.missing) == (rotations, ())
    expert_recomputes(network.root, "after-3", chain)
    here = {member.name for member in network.desk("bank-c").members().members}
    assert here == {"core", "supplier", "bank-a", "bank-c", "regulator"}
    with (
        GrpcPeer.at("core", network.endpoint("core"), member_tls(network, "bank-b")) as peer,
        pytest.raises(NotEntitled),
    ):
        peer.status()
    refused_everywhere(network, chain, "supplier", old)


def expert_recomputes(folder: Path, name: str, chain: PublicChain) -> None:
    """Every command of the report on a bundle whose set has changed three times, in a plain shell."""
    bundle, report = folder / f"{name}.hb.json", folder / "report.json"
    (folder / "trust.json").write_bytes(chain.trust(bundle).encode())
    relying = ("--trust", str(folder / "trust.json"), "--format", "json", "-o", str(report))
    assert ": Verified, " in done("report", str(bundle), *relying)
    listed = steps(json.loads(report.read_text("utf-8")))
    assert {"set-2.bin", "set-3.bin", "set-4.bin"} <= {word for step in listed for word in step["command"].split()}
    assert [step for step in listed if not step.get("holds", True)] == []
    where = bench(folder / "expert", folder, name)
    assert printed(where, [step["command"] for step in listed]) == [step["value"] for step in listed]
