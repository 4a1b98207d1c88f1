"""Every decoder of `core` against bytes that others wrote: arbitrary ones, and good ones with something changed.

Nothing but our errors leaves a decoder, in bounded time; and what it takes, it writes again as the same bytes: one
value, one encoding (SPEC §15). The table names every decoder there is, and a test walks `core` to see that it does.
"""

import importlib
import inspect
import json
import pkgutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge import core
from hybrid_bridge.adapters.cometbft import home
from hybrid_bridge.core import (
    anchor,
    block,
    bundle,
    cbor,
    certificate,
    checkpoint,
    cometbft_evidence,
    consensus_key,
    cosigning,
    delivery,
    disclosure,
    encoding,
    entry,
    epoch,
    frontier,
    genesis,
    governance,
    interchange,
    keys,
    labels,
    note,
    package,
    power,
    promise,
    public_transaction,
    reading,
    registry,
    rlp,
    signing,
    snapshot,
    split_view,
    timestamp,
    tlog_policy,
    transaction,
    trust,
    validators,
)
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.exports import cose_receipt, sd_jwt, tlog_proof
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.node import cards, directory, proposals
from hybrid_bridge.units import Address, ChainId, EpochNumber, Height, KeyId, LogId, SetId, TreeSize, UnixSeconds
from tests import comet_chain
from tests.packages import package as packed
from tests.vectors.operations import bundle_bytes, bundle_trust

VECTORS = Path(__file__).parents[1] / "vectors"
SECONDS = 2.0  # of this process, for one value of a few thousand bytes; the dearest takes thousandths
Value = bytes | str


# ── good values, out of the vectors ──────────────────────────────────────────────────────────────────────────────────


@cache
def document(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def good(name: str, *members: str) -> list[Any]:
    """These members of the input of the good cases."""
    found = []
    for case in (case for case in document(name)["cases"] if case["class"] == "ok"):
        for member in members:
            inner: Any = case["input"]
            for step in member.split("."):
                inner = inner[int(step) if step.isdecimal() else step]
            found.append(inner)
    return [bytes.fromhex(one[2:]) if isinstance(one, str) and one.startswith("0x") else one for one in found]


@cache
def whole(name: str = "record", file: str = "bundle/verify") -> bundle.Bundle:
    return bundle.decode_bundle(whole_bytes(name, file))


def whole_bytes(name: str, file: str = "bundle/verify") -> bytes:
    return bundle_bytes({"bundles": document(file)["bundles"], "bundle": name})


def notes() -> list[str]:
    return [*good("note/quorum", "note")[:3], whole("growing").checkpoints[1].note]


def lines() -> list[str]:
    return notes()[0].split("\n\n")[1].splitlines()


def vkeys() -> list[str]:
    return [key for keys_ in good("note/witness", "vkeys") for key in keys_][:4]


def tokens() -> list[bytes]:
    return [part.token for part in whole("stamped", "anchor/stamps").anchors if isinstance(part, bundle.TokenAnchor)]


KEY = keys.PrivateKey.from_seed(bytes(32))
HEADER = block.BlockHeader(
    log_id=LogId(ZERO), height=Height(1), previous_hash=ZERO, time=UnixSeconds(1), epoch=EpochNumber(1), tx_count=1,
    tx_root=ZERO, state=ZERO,
)  # fmt: skip
ACK = delivery.Acknowledgement(
    log_id=LogId(ZERO), entry_leaf=ZERO, envelope_hash=ZERO, received_time=UnixSeconds(1), receiver=KEY.public.key_id
)
MEMBER = governance.MemberUpdate(
    log_id=LogId(ZERO), action=1, name_hash=ZERO, certificate_hash=ZERO, key_id=KeyId(ZERO), roles=1,
    from_epoch=EpochNumber(1),
)  # fmt: skip
NOTICE = governance.Notice(
    log_id=LogId(ZERO), notice_type=1, source=1, time=UnixSeconds(1), until=UnixSeconds(0), entry_leaf=ZERO,
    subject_hash=ZERO,
)  # fmt: skip
BOUND = consensus_key.ConsensusKey.signed(
    sha256(b"vote"), home.public_key_of(sha256(b"vote")), LogId(ZERO), KeyId(ZERO)
)
READING = reading.Reading(
    entry_leaf=bytes(32), submitter="supplier", reader="owner:regulator", what="record", time=7, salt=bytes(16)
)
CARD = cards.Card(
    log_id=ZERO,
    member=directory.Member(
        name="bank-c", legal_name="Bank C", legal_id="LEI:C", roles=("validator",), endpoint="127.0.0.1:1",
        certificate=b"\x30\x00", sealing_key=ZERO, sealing_signature=bytes(64), address=b"\x01" * 20,
        key_binding=bytes(183),
    ),
)  # fmt: skip
BARE_PROPOSAL = proposals.Proposal(
    log_id=ZERO,
    kind="remove",
    name="bank-b",
    reason="",
    records=(MEMBER.encode(),),
    authorisers=(ZERO,),
    expires_epoch=9,
)
PROPOSAL = replace(
    BARE_PROPOSAL, kind="admit", cards=(CARD,), registry=bytes(128),
    secrets=(proposals.Handed(name="bank-c", kind="vrf", envelope=bytes(80)),),
)  # fmt: skip
CONSENTS = proposals.Consents(proposal=PROPOSAL.digest, signature=bytes(110))
PAUSE = power.Pause(
    chain_id=ChainId(1), contract=Address(b"\xcc" * 20), log_id=LogId(ZERO), nonce=4, until=UnixSeconds(9),
    reason="stolen keys",
)  # fmt: skip


def signed_public() -> bytes:
    sent = public_transaction.PublicTransaction(
        chain_id=1, nonce=7, to=bytes(20), value=0, data=b"call", gas=100_000, max_fee=10**10, tip=10**9
    )  # type: ignore[arg-type]
    return public_transaction.encode_signed(sent, signing.sign_digest(sha256(b"key"), sent.digest()))


def delivered() -> bytes:
    shown = whole().epochs[0].entries[0]
    fields = tuple(delivery.DeliveredField(value=d.value, index=d.index, path=d.path) for d in shown.disclosures)
    return delivery.DeliveryPlaintext(entry=shown.entry, disclosures=fields, decoys=(ZERO,)).encode()


def log_key() -> note.VerifierKey:
    part = whole("growing").genesis
    return note.VerifierKey(part.origin, note.TYPE_ED25519, genesis.Genesis.decode(part.record).log_key)


def request() -> bytes:
    growing = whole("growing").checkpoints[1]
    return cosigning.AddCheckpoint(TreeSize(3), growing.consistency, growing.note).encode()


def good_anchor(member: str) -> list[bytes]:
    return [getattr(part, member) for part in whole().anchors]


def trust_bytes() -> bytes:
    return bundle_trust({"bundles": document("bundle/verify")["bundles"], "bundle": "record"})


def opened(part: int) -> list[bytes]:
    """Values behind commitments: of an identity label, or of a life."""
    shown = [label for epoch_ in whole("registered", "registry/shown").epochs for label in epoch_.labels if label.value]
    kind = [b"\x00\x03", b"\x00\x01"][part]
    return [label.value.encode() for label in shown if label.value and (label.label or b"")[:2] == kind]


def promised() -> bytes:
    return whole("omission", "promise/verify").promise or b""


def packages() -> list[bytes]:
    data = whole_bytes("record")
    parts = {name.replace("/", "__"): content for name, content in package.derived(whole()).items()}
    return [packed(data, **parts), packed(data, 8, artefacts__x=b"abc", **parts)]


def signatures() -> list[bytes]:
    return [bytes.fromhex(one[2:]) for ones in good("quorum/power", "signatures") for one in ones]


def guard_files() -> list[bytes]:
    files = [
        step["file"].encode()
        for case in document("guard/interchange")["cases"]
        for step in case["input"]["steps"]
        if step["expect"] == "exported"
    ]
    return sorted(files, key=len)[-4:]


def p256_spki() -> bytes:
    return next(one for one in good("tx/stateless", "data") if bytes.fromhex("3059301306") in one)[-64 - 91 : -64]


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """A decoder, good values for it, and its inverse (None: the decoder keeps less than it reads)."""

    decode: Callable[[Any], Any]
    samples: Callable[[], list[Any]]
    encode: Callable[[Any], Value] | None = lambda value: value.encode()


def text_of(value: Any) -> str:
    return str(value.text())


TABLE: dict[str, Row] = {
    "anchor.decode_header": Row(anchor.decode_header, lambda: good_anchor("header"), None),
    "anchor.decode_receipt": Row(anchor.decode_receipt, lambda: good_anchor("receipt"), None),
    "block.BlockHeader.decode": Row(block.BlockHeader.decode, lambda: [HEADER.encode()]),
    "block.Block.decode": Row(
        block.Block.decode, lambda: [block.Block(HEADER, ((0, good("tx/stateless", "data")[0]),)).encode()]
    ),
    "block.Countersignature.decode": Row(
        block.Countersignature.decode, lambda: [block.Countersignature.over(HEADER, KEY).encode()]
    ),
    "split_view.SplitView.decode": Row(
        split_view.SplitView.decode, lambda: [split_view.SplitView(whole("record"), whole("rotated")).encode()]
    ),
    "bundle.decode_bundle": Row(bundle.decode_bundle, lambda: [whole_bytes("record"), whole_bytes("rotated")]),
    "cbor.decode": Row(lambda data: cbor.decode(data, "x", 18), lambda: good("export/cose-inclusion", "data"), None),
    "cards.parse_card": Row(cards.parse_card, lambda: [CARD.encode()], cards.Card.encode),
    "proposals.parse_proposal": Row(
        proposals.parse_proposal, lambda: [PROPOSAL.encode(), BARE_PROPOSAL.encode()], proposals.Proposal.encode
    ),
    "proposals.parse_consents": Row(proposals.parse_consents, lambda: [CONSENTS.encode()], proposals.Consents.encode),
    "certificate.read_certificate": Row(certificate.read_certificate, lambda: list(whole().certificates), None),
    "checkpoint.parse_note": Row(checkpoint.parse_note, notes, text_of),
    "cometbft_evidence.CometbftEvidence.decode": Row(
        cometbft_evidence.CometbftEvidence.decode, lambda: [comet_chain.evidence().encode()]
    ),
    "cosigning.decode_request": Row(cosigning.decode_request, lambda: [request()]),
    "cosigning.read_checkpoint": Row(
        lambda data: cosigning.read_checkpoint(cosigning.decode_request(data), [log_key()]),
        lambda: [request()],
        None,
    ),
    "delivery.parse_delivery": Row(delivery.parse_delivery, lambda: [delivered()]),
    "delivery.Acknowledgement.decode": Row(delivery.Acknowledgement.decode, lambda: [ACK.encode()]),
    "delivery.SignedAcknowledgement.decode": Row(
        delivery.SignedAcknowledgement.decode, lambda: [delivery.SignedAcknowledgement.over(ACK, KEY).encode()]
    ),
    "disclosure.parse_disclosure": Row(
        disclosure.parse_disclosure,
        lambda: [part.value for part in whole().epochs[0].entries[0].disclosures],
        text_of,
    ),
    "encoding.parse_b64u": Row(
        lambda text: encoding.parse_b64u(text, "x"), lambda: ["", "AAAA", "_-8", "AQ"], encoding.b64u
    ),
    "encoding.parse_canonical_json": Row(
        lambda data: encoding.parse_canonical_json(data, "x", 1 << 20),
        lambda: [whole_bytes("record")],
        encoding.canonical_json,
    ),
    "encoding.parse_json": Row(lambda data: encoding.parse_json(data, "x", 1 << 20), lambda: [trust_bytes()], None),
    "entry.decode_entry": Row(
        entry.decode_entry, lambda: [*good("entry/decode", "data"), bytes(37), b"\x02" + bytes(36)]
    ),
    "entry.decode_record_entry": Row(entry.decode_record_entry, lambda: good("entry/decode", "data")),
    "epoch.EpochRecord.decode": Row(epoch.EpochRecord.decode, lambda: good("epoch/next", "newer")),
    "exports.cose_receipt.parse_receipt": Row(
        cose_receipt.parse_receipt,
        lambda: good("export/cose-inclusion", "data") + good("export/cose-consistency", "data"),
        None,
    ),
    "exports.sd_jwt.parse_jwt": Row(
        sd_jwt.parse_jwt, lambda: [one.split("~")[0] for one in good("export/sd-jwt", "data")], text_of
    ),
    "exports.sd_jwt.parse_presentation": Row(
        sd_jwt.parse_presentation, lambda: [one.encode() for one in good("export/sd-jwt", "data")]
    ),
    "exports.tlog_proof.parse_tlog_proof": Row(tlog_proof.parse_tlog_proof, lambda: good("export/tlog-proof", "data")),
    "frontier.Frontier.decode": Row(
        frontier.Frontier.decode,
        lambda: [frontier.EMPTY.encode(), frontier.EMPTY.append(ZERO).append(ZERO).append(ZERO).encode()],
    ),
    "genesis.Genesis.decode": Row(genesis.Genesis.decode, lambda: [whole().genesis.record]),
    "consensus_key.ConsensusKey.decode": Row(consensus_key.ConsensusKey.decode, lambda: [BOUND.encode()]),
    "governance.SetUpdate.decode": Row(governance.SetUpdate.decode, lambda: [whole("rotated").rotations[0].update]),
    "governance.MemberUpdate.decode": Row(governance.MemberUpdate.decode, lambda: [MEMBER.encode()]),
    "governance.Notice.decode": Row(governance.Notice.decode, lambda: [NOTICE.encode()]),
    "governance.decode_governance": Row(
        governance.decode_governance, lambda: [whole("rotated").rotations[0].update, MEMBER.encode(), NOTICE.encode()]
    ),
    "interchange.decode_interchange": Row(interchange.decode_interchange, guard_files),
    "keys.decode_spki": Row(keys.decode_spki, lambda: [KEY.public.spki, p256_spki()], lambda key: key.spki),
    "labels.Label.decode": Row(labels.Label.decode, lambda: good("registry/label", "data")),
    "labels.IdentityValue.decode": Row(labels.IdentityValue.decode, lambda: opened(0)),
    "labels.LifeValue.decode": Row(labels.LifeValue.decode, lambda: opened(1)),
    "note.parse_line": Row(note.parse_line, lines, text_of),
    "note.parse_signed_note": Row(note.parse_signed_note, notes, text_of),
    "note.parse_vkey": Row(note.parse_vkey, vkeys, text_of),
    "note.parse_b64": Row(lambda text: note.parse_b64(text, "x"), lambda: ["", "AAAA", "+/8=", "AQ=="], note.to_b64),
    "package.read_package": Row(lambda data: package.read_package(memoryview(data)), packages, None),
    "power.decode_draft": Row(power.decode_draft, lambda: [power.Draft(statement=PAUSE).encode()]),
    "power.decode_signed": Row(
        power.decode_signed, lambda: [power.SignedPower(statement=PAUSE, signature=signatures()[0]).encode()]
    ),
    "promise.Promise.decode": Row(promise.Promise.decode, lambda: [promised()[:153]]),
    "promise.SignedPromise.decode": Row(promise.SignedPromise.decode, lambda: [promised()]),
    "public_transaction.decode_signed": Row(public_transaction.decode_signed, lambda: [signed_public()], None),
    "registry.Delta.decode": Row(registry.Delta.decode, lambda: good("registry/delta", "steps.0.delta")),
    "rlp.decode_rlp": Row(
        lambda data: rlp.decode_rlp(data, "x", 1 << 17), lambda: good_anchor("header"), rlp.encode_rlp
    ),
    "signing.from_compact": Row(
        signing.from_compact, lambda: list(map(signing.to_compact, signatures())), signing.to_compact
    ),
    "reading.parse_reading": Row(reading.parse_reading, lambda: [READING.encode()], reading.Reading.encode),
    "snapshot.Chunk.decode": Row(
        snapshot.Chunk.decode,
        lambda: [snapshot.Chunk((snapshot.OrderedBlock(ZERO, block.Block(HEADER, ()).encode()),) * 3).encode()],
    ),
    "timestamp.decode_token": Row(timestamp.decode_token, tokens, lambda token: token.der),
    "timestamp.decode_response": Row(
        lambda data: timestamp.decode_response(data, "x"),
        lambda: [timestamp.encode_response(token) for token in tokens()],
        None,
    ),
    "tlog_policy.parse_policy": Row(
        tlog_policy.parse_policy,
        lambda: [document("anchor/stamps")["bundles"]["witnessed"]["trust"]["tlog_policy"]],
        None,
    ),
    "transaction.Body.decode": Row(
        transaction.Body.decode,
        lambda: [transaction.SignedTransaction.decode(one).body.encode() for one in good("tx/stateless", "data")],
    ),
    "transaction.SignedTransaction.decode": Row(
        transaction.SignedTransaction.decode, lambda: good("tx/stateless", "data")
    ),
    "trust.parse_trust": Row(trust.parse_trust, lambda: [trust_bytes()], None),
    "validators.parse_name": Row(
        validators.parse_name,
        lambda: [v.name for v in whole().genesis.validators],
        lambda named: validators.name_text(*named),
    ),
    "validators.ValidatorSet.decode_entries": Row(
        lambda data: validators.ValidatorSet.decode_entries(SetId(1), data),
        lambda: good("quorum/power", "entries"),
        lambda made: made.encode_entries(),
    ),
    "validators.KeyBinding.decode": Row(
        validators.KeyBinding.decode, lambda: [v.key_binding[:117] for v in whole().genesis.validators]
    ),
    "validators.SignedKeyBinding.decode": Row(
        validators.SignedKeyBinding.decode, lambda: [v.key_binding for v in whole().genesis.validators]
    ),
    "words.WordRecord.decode": Row(genesis.GENESIS.decode, lambda: [whole().genesis.record], None),
}


# ── what is tried ────────────────────────────────────────────────────────────────────────────────────────────────────


def decoders() -> Iterator[str]:
    """Every public function and method of `core` that decodes, parses, reads or loads what others may have written.

    Those that take a reader, a state or a stored node read within a value whose decoder is in the table.
    """
    for found in pkgutil.walk_packages(core.__path__, "hybrid_bridge.core."):
        module, place = importlib.import_module(found.name), found.name.removeprefix("hybrid_bridge.core.")
        for name, thing in inspect.getmembers(module):
            if name.startswith("_") or getattr(thing, "__module__", "") != found.name:
                continue
            if inspect.isfunction(thing) and takes_foreign_bytes(name, thing):
                yield f"{place}.{name}"
            if inspect.isclass(thing):
                methods = inspect.getmembers(thing, inspect.isroutine)
                yield from (
                    f"{place}.{name}.{inner}" for inner, method in methods if takes_foreign_bytes(inner, method)
                )


def takes_foreign_bytes(name: str, function: Callable[..., Any]) -> bool:
    if name.split("_", maxsplit=1)[0] not in {"decode", "parse", "read", "load"}:
        return False
    first = next((p for p in inspect.signature(function).parameters.values() if p.name not in {"self", "cls"}), None)
    return first is not None and first.name not in {"reader", "state", "number"}


def test_the_table_names_every_decoder_of_core() -> None:
    """A new decoder has to stand above before it can be merged."""
    found = set(decoders())
    assert len(found) >= 45
    assert found - TABLE.keys() == set()


@pytest.mark.parametrize("name", TABLE)
def test_the_samples_decode_and_are_written_again_as_they_were(name: str) -> None:
    row = TABLE[name]
    samples = row.samples()
    assert samples
    for sample in samples:
        value = row.decode(sample)
        if row.encode is not None:
            assert row.encode(value) == sample


@st.composite
def changed(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A good value, changed in up to three places: bits flipped, a slice cut out, doubled, moved, or bytes put in."""
    data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        how = draw(st.sampled_from(("flip", "cut", "double", "end", "start", "put", "ones")))
        if how == "flip" and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
        else:
            put = draw(st.binary(max_size=9)) if how == "put" else b""
            data = {
                "cut": data[:at] + data[end:], "double": data[:end] + data[at:], "end": data[:at], "start": data[at:],
                "ones": data[:at] + b"\xff" * (end - at) + data[end:],
            }.get(how, data[:at] + put + data[at:])  # fmt: skip
    return data


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_only_our_errors_leave_a_decoder_and_what_it_takes_has_one_encoding(name: str, data: st.DataObject) -> None:
    row, samples = TABLE[name], TABLE[name].samples()
    is_text = isinstance(samples[0], str)
    raw = [one.encode() if isinstance(one, str) else one for one in samples]
    foreign = data.draw(st.one_of(changed(raw), changed(raw), st.binary(max_size=300)))
    given_: Value = foreign.decode("utf-8", "surrogateescape") if is_text else foreign
    begun = time.process_time()
    try:
        value = row.decode(given_)
    except BridgeError:
        return
    finally:
        assert time.process_time() - begun < SECONDS
    if row.encode is not None:
        assert row.encode(value) == given_
