"""A CometBFT chain out of thin air: headers, commits and set changes, signed by keys of our own.

Encodings come from the generated protobuf classes, none from the code under test.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.timestamp_pb2 import Timestamp as PbTimestamp
from google.protobuf.wrappers_pb2 import BytesValue, Int64Value, StringValue

from hybrid_bridge.core.cometbft import (
    ABSENT,
    COMMITTED,
    ED25519,
    SECP256K1,
    BlockId,
    Commit,
    Header,
    SignedHeader,
    Timestamp,
    Validator,
    ValidatorSet,
    Vote,
)
from hybrid_bridge.core.cometbft_evidence import CometbftEvidence, Execution, LedgerState, Outcome
from hybrid_bridge.core.cometbft_history import Handover
from hybrid_bridge.core.cometbft_seats import Binding
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.rpc.cometbft.tendermint.abci.types_pb2 import ExecTxResult
from hybrid_bridge.rpc.cometbft.tendermint.crypto.keys_pb2 import PublicKey
from hybrid_bridge.rpc.cometbft.tendermint.types import canonical_pb2, types_pb2
from hybrid_bridge.rpc.cometbft.tendermint.types.validator_pb2 import SimpleValidator
from hybrid_bridge.rpc.cometbft.tendermint.version.types_pb2 import Consensus
from tests.vectors import reference

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NEVER = Timestamp(-62_135_596_800, 0)  # the time of a vote that is absent
CHAIN = "consortium-1"


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


EMPTY = sha(b"")


def mth(leaves: list[bytes]) -> bytes:
    return reference.root([reference.leaf(leaf) for leaf in leaves])


def path(index: int, leaves: list[bytes]) -> tuple[bytes, ...]:
    return tuple(reference.path(index, [reference.leaf(leaf) for leaf in leaves]))


class Key:
    """A consensus key."""

    def __init__(self, seed: int, kind: str = SECP256K1, power: int = 1) -> None:
        self.secp = ec.derive_private_key(seed + 1, ec.SECP256K1())
        self.ed = ed25519.Ed25519PrivateKey.from_private_bytes(sha(seed.to_bytes(4, "big")))
        self.kind, self.power = kind, power

    @cached_property
    def validator(self) -> Validator:
        if self.kind == ED25519:
            return Validator(ED25519, self.ed.public_key().public_bytes_raw(), self.power)
        point = self.secp.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return Validator(SECP256K1, point, self.power)

    def sign(self, message: bytes, *, high: bool = False) -> bytes:
        if self.kind == ED25519:
            return self.ed.sign(message)
        r, s = decode_dss_signature(self.secp.sign(message, ec.ECDSA(hashes.SHA256())))
        low = min(s, ORDER - s)
        return r.to_bytes(32, "big") + (ORDER - low if high else low).to_bytes(32, "big")


def keys(*seeds: int, **kind: Any) -> tuple[Key, ...]:
    """In the engine's order for equal powers one needs RIPEMD-160; any order is a set."""
    return tuple(Key(seed, **kind) for seed in seeds)


def set_of(members: Iterable[Key]) -> ValidatorSet:
    return ValidatorSet(tuple(key.validator for key in members))


# ── encodings by the generated classes ───────────────────────────────────────────────────────────────────────────────


def pb_time(time: Timestamp) -> PbTimestamp:
    return PbTimestamp(seconds=time.seconds, nanos=time.nanos)


def pb_block_id(block: BlockId) -> types_pb2.BlockID:
    parts = types_pb2.PartSetHeader(total=block.parts, hash=block.parts_hash)
    return types_pb2.BlockID(hash=block.hash, part_set_header=parts)


def header_hash(h: Header) -> bytes:
    fields = [
        Consensus(block=h.block_version, app=h.app_version),
        StringValue(value=h.chain_id),
        Int64Value(value=h.height),
        pb_time(h.time),
        pb_block_id(h.last_block_id),
        BytesValue(value=h.last_commit_hash),
        BytesValue(value=h.data_hash),
        BytesValue(value=h.validators_hash),
        BytesValue(value=h.next_validators_hash),
        BytesValue(value=h.consensus_hash),
        BytesValue(value=h.app_hash),
        BytesValue(value=h.last_results_hash),
        BytesValue(value=h.evidence_hash),
        BytesValue(value=h.proposer_address),
    ]
    return mth([field.SerializeToString() for field in fields])


def set_hash(validators: ValidatorSet) -> bytes:
    leaves = [
        SimpleValidator(pub_key=PublicKey(**{v.kind: v.key}), voting_power=v.power) for v in validators.validators
    ]
    return mth([leaf.SerializeToString() for leaf in leaves])


def sign_bytes(header: Header, commit: Commit, time: Timestamp) -> bytes:
    own = commit.block_id
    vote = canonical_pb2.CanonicalVote(
        type=types_pb2.SIGNED_MSG_TYPE_PRECOMMIT,
        height=header.height,
        round=commit.round,
        block_id=canonical_pb2.CanonicalBlockID(
            hash=own.hash,
            part_set_header=canonical_pb2.CanonicalPartSetHeader(total=own.parts, hash=own.parts_hash),
        ),
        timestamp=pb_time(time),
        chain_id=header.chain_id,
    )
    raw = vote.SerializeToString()
    assert len(raw) < 1 << 14
    return bytes([len(raw)]) + raw if len(raw) < 128 else bytes([len(raw) & 127 | 128, len(raw) >> 7]) + raw


def results(codes: Iterable[int]) -> list[bytes]:
    return [ExecTxResult(code=code).SerializeToString() for code in codes]


# ── a chain ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def header(members: tuple[Key, ...], following: tuple[Key, ...] | None = None, **changes: Any) -> Header:
    values: dict[str, Any] = {
        "block_version": 11,
        "app_version": 1,
        "chain_id": CHAIN,
        "height": 7,
        "time": Timestamp(1_800_000_000, 123_456_789),
        "last_block_id": BlockId(sha(b"last"), 1, sha(b"parts")),
        "last_commit_hash": sha(b"commit"),
        "data_hash": EMPTY,
        "validators_hash": set_hash(set_of(members)),
        "next_validators_hash": set_hash(set_of(following or members)),
        "consensus_hash": sha(b"parameters"),
        "app_hash": sha(b"state"),
        "last_results_hash": EMPTY,
        "evidence_hash": EMPTY,
        "proposer_address": bytes(20),
    }
    return Header(**values | changes)


def signed(made: Header, members: tuple[Key, ...], *, absent: int = 0, round_: int = 0, **changes: Any) -> SignedHeader:
    """The header with a commit; the last `absent` validators did not vote."""
    block = BlockId(header_hash(made), 1, sha(b"parts of this"))
    commit = replace(Commit(round_, block, ()), **changes)
    votes = []
    for i, key in enumerate(members):
        time = replace(made.time, nanos=i)
        if i < len(members) - absent:
            votes.append(Vote(COMMITTED, time, key.sign(sign_bytes(made, commit, time))))
        else:
            votes.append(Vote(ABSENT, NEVER, b""))
    return SignedHeader(made, replace(commit, votes=tuple(votes)))


def handover(members: tuple[Key, ...], following: tuple[Key, ...], height: int, **changes: Any) -> Handover:
    made = header(members, following, height=height, **changes)
    return Handover(signed(made, members), set_of(following))


# ── evidence of one epoch with two transactions ──────────────────────────────────────────────────────────────────────

FIRST, SECOND = keys(1, 2, 3, 4), keys(2, 3, 4, 5)
TRANSACTIONS = (b"one transaction", b"another")
STATE = LedgerState(sha(b"chain"), 3, sha(b"governance"), sha(b"writes"))


def execution(
    members: tuple[Key, ...],
    transactions: tuple[bytes, ...],
    index: int,
    height: int,
    codes: tuple[int, ...],
    **at: Any,
) -> Execution:
    leaves = [sha(transaction) for transaction in transactions]
    block = signed(header(members, height=height, data_hash=mth(leaves), **at), members)
    following = header(
        members,
        height=height + 1,
        last_block_id=block.commit.block_id,
        last_results_hash=mth(results(codes)),
        app_hash=STATE.hash,
        **at,
    )
    outcome = Outcome(
        following=signed(following, members), code=codes[index], path=path(index, results(codes)), state=STATE
    )
    return Execution(block=block, index=index, count=len(leaves), path=path(index, leaves), outcome=outcome)


LOG = sha(b"log")  # whose governance records they are; a test may have another one
GENESIS_RECORD = b"a genesis record"


def holder(seed: int) -> bytes:
    """The identity key to which the consensus key of that seed is bound."""
    return sha(b"identity %d" % seed)


@cache  # the library signs with fresh randomness each time
def bound(seed: int, log_id: bytes = LOG, member: int | None = None, replaces: bytes = bytes(32)) -> bytes:
    """A ConsensusKey record, word by word, possession signed by the library that is not under test."""
    key, identity = Key(seed), holder(seed if member is None else member)
    point = key.validator.key
    possession = key.sign(b"hybrid-bridge/v1/consensus-key\0" + log_id + identity + point)
    words = (sha(TYPE.encode()), log_id, identity, point[:1].rjust(32, b"\0"), point[1:], replaces)
    return b"".join(words) + possession + bytes(32)


TYPE = (
    "HybridBridge.ConsensusKey.v1(bytes32 logId,bytes32 keyId,uint64 keyPrefix,bytes32 keyX,bytes32 replaces,"
    "bytes32 possessionR,bytes32 possessionS,bytes32 reasonHash)"
)


def governance(log_id: bytes = LOG, seeds: Iterable[int] = (1, 2, 3, 4, 5)) -> list[bytes]:
    """The records of a log: its genesis record, and whose the keys are, with other records between."""
    records = [GENESIS_RECORD]
    for seed in seeds:
        records += [bound(seed, log_id), b"another record %d" % seed]
    return records


def bindings(records: list[bytes], *indices: int) -> tuple[Binding, ...]:
    """These of the records, or every ConsensusKey record, with their paths."""
    chosen = indices or [i for i, one in enumerate(records) if one[:32] == sha(TYPE.encode())]
    return tuple(Binding(i, ConsensusKey.decode(records[i]), path(i, records)) for i in chosen)


def evidence(**changes: Any) -> CometbftEvidence:
    """Blocks 5 to 9 are the epoch; the set changed in block 2; the transactions stand in block 6 among three."""
    among = (TRANSACTIONS[0], b"a refused one", TRANSACTIONS[1])
    last = signed(header(SECOND, height=9), SECOND, absent=1)
    values: dict[str, Any] = {
        "chain_id": CHAIN,
        "first": set_of(FIRST),
        "handovers": (handover(FIRST, SECOND, 2),),
        "last": last,
        "executions": tuple(execution(SECOND, among, i, 6, (0, 3, 0)) for i in (0, 2)),
        "bindings": bindings(governance()),
    }
    return CometbftEvidence(**values | changes)
