"""A consortium whose ledger is a dict: real keys, real signatures, the real step; no network, no disk, no clock."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core import vrf
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.label_table import label_table_hash
from hybrid_bridge.core.registry import genesis_tree
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.core.transaction import (
    BeaconPayload,
    GovernancePayload,
    SignaturePart,
    SignedTransaction,
)
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet, name_hash
from hybrid_bridge.steps.commit import BlockOutcome, MemberInfo, Rules, execute_block, genesis_state
from hybrid_bridge.steps.submit import Submission, finish
from hybrid_bridge.testing.datasets.play import Player, member_updates, private_keys, read_lines
from hybrid_bridge.testing.datasets.story import CADENCE, START
from hybrid_bridge.units import Address, EpochNumber, Height, KeyId, Seconds, SetId, UnixSeconds
from hybrid_bridge.units import Sequence as SequenceNumber

ORIGIN = "example.org/receivables"
VRF_SEED = hashlib.sha256(b"TEST vrf").digest()
LADDER = 1 << 6 | 1 << 10


def counted(name: str = "randomness"):
    """Bytes that never repeat and are the same in each run."""
    count = 0

    def take(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{name}/{count}".encode()).digest(size)

    return take


def validator_entry(name: str) -> ValidatorEntry:
    """The entry of a validator, made of its name."""
    parts = [sha256(f"{what} of {name}".encode()) for what in ("address", "certificate", "binding")]
    return ValidatorEntry(Address(parts[0][:20]), name_hash(f"LEI:{name}", name), parts[1], parts[2])


def genesis_of(nodes: Sequence[str], cadence: int = CADENCE, ladder: int = LADDER, registry_ladder: int = 0) -> Genesis:
    """A genesis record whose first validators are `nodes`."""
    entries = sorted(map(validator_entry, nodes), key=lambda entry: entry.address)
    k_1 = b"\x42" * 32
    secret = Secret(k_1, origin_hash(ORIGIN))
    return Genesis(
        origin_hash=origin_hash(ORIGIN),
        genesis_time=UnixSeconds(START),
        cadence=Seconds(cadence),
        grace=Seconds(0),
        promise_delay=6,
        batch_ladder=ladder,
        registry_ladder=registry_ladder or ladder,
        vrf_public_key=vrf.public_key(VRF_SEED),
        registry_root=genesis_tree(secret, registry_ladder or ladder).root,
        label_table_hash=label_table_hash(),
        set_hash=ValidatorSet(SetId(1), tuple(entries)).digest,
        decoy_key_hash=decoy_key_hash(k_1),
        log_key=vrf.public_key(sha256(b"TEST log key")),
        guardian=Address(bytes(20)),
        pause_max=Seconds(86_400),
        ledger_id=sha256(b"ledger"),
        first_block=Height(1),
        policy_hash=sha256(b"policy"),
    )


class MemoryLedger:
    """State, height and members of one consortium; `keys` holds everybody's."""

    def __init__(
        self, keys: Mapping[str, PrivateKey], nodes: Sequence[str], pack: RulePack | None = None, engine=(), **genesis
    ):
        self.keys = keys
        self.nodes = list(nodes)
        self.rules = Rules(genesis_of(nodes, **genesis), pack or RulePack())
        self.log_id = self.rules.log_id
        self.state: dict[bytes, bytes] = {}
        self.write(genesis_state(self.rules.genesis, [self.member(name) for name in nodes], engine))
        self.height = 1
        self.time = START
        self.player = Player(keys, self.log_id, VRF_SEED, counted())
        self.outcomes: list[BlockOutcome] = []

    def member(self, name: str) -> MemberInfo:
        """A first validator."""
        return MemberInfo(validator_entry(name), self.keys[name].public.key_id)

    def write(self, writes) -> None:
        """Apply a block's writes."""
        for key, value in writes:
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value

    def execute(self, *transactions: SignedTransaction, time: int | None = None) -> BlockOutcome:
        """The outcome of the next block; nothing is kept."""
        return execute_block(self.state, self.rules, Height(self.height), UnixSeconds(time or self.time), transactions)

    def block(self, *transactions: SignedTransaction, time: int | None = None) -> BlockOutcome:
        """Execute the next block and keep what it wrote."""
        outcome = self.execute(*transactions, time=time)
        self.write(outcome.writes)
        self.height += 1
        self.time = outcome.time
        self.outcomes.append(outcome)
        return outcome

    # ── kinds 2 and 3 ──

    def sign(self, payload, submitter: str, authorisers: Sequence[str] = (), expires: int = 9_999) -> SignedTransaction:
        """A transaction of any kind, signed by these."""
        sequence = self.player.sequences.get(submitter, 0)
        self.player.sequences[submitter] = sequence + 1
        submission = Submission(
            log_id=self.log_id,
            submitter=self.keys[submitter].public.key_id,
            sequence=SequenceNumber(sequence),
            expires_epoch=EpochNumber(expires),
            authorisers=tuple(self.keys[name].public.key_id for name in authorisers),
        )
        body = submission.body(payload)
        consents = [SignaturePart.over(body.consent, self.keys[name]) for name in authorisers]
        return finish(body, SignaturePart.over(body.message, self.keys[submitter]), consents)

    def governance(self, *records: bytes, submitter: str | None = None, quorum: Sequence[str] | None = None):
        """The governance records of one decision with the consent of the validators."""
        return self.sign(
            GovernancePayload(records), submitter or self.nodes[0], self.nodes if quorum is None else quorum
        )

    def beacon(self, number: int, submitter: str) -> SignedTransaction:
        """A beacon."""
        return self.sign(BeaconPayload(1, number, sha256(str(number).encode())), submitter)

    # ── data sets ──

    @classmethod
    def of_dataset(cls, files: Mapping[str, bytes], **genesis: Any) -> "MemoryLedger":
        """A ledger whose members are those of a set, admitted in its first block."""
        members = json.loads(files["members.json"])
        ledger = cls(private_keys(files), [row["key"] for row in members if "node" in row["roles"]], **genesis)
        certificates = {name: validator_entry(name).certificate_hash for name in ledger.nodes}
        updates = member_updates(files, ledger.log_id, ledger.keys, certificates)
        ledger.block(*(ledger.governance(update.encode()) for _, update in updates))
        return ledger

    def play(self, event, *, keep: bool = True):
        """One event in a block of its own, at its time: what was sent, what became of it."""
        time = max(event["at"], self.time)
        epoch = (time - START) // self.rules.genesis.cadence + 1
        played = self.player.play(event, EpochNumber(epoch + 2))
        outcome = self.block(played.signed, time=time) if keep else self.execute(played.signed, time=time)
        return played, outcome


def key_id(keys: Mapping[str, PrivateKey], name: str) -> KeyId:
    """The key id of a name."""
    return keys[name].public.key_id


__all__ = ["LADDER", "ORIGIN", "VRF_SEED", "ZERO", "MemoryLedger", "counted", "genesis_of", "key_id", "read_lines"]
