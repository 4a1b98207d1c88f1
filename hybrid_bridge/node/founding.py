"""Found a consortium: authority, keys, genesis record, the first transactions, and each member's folder.

All of it is made in one place and one moment, which suits a demo, a test or a dress rehearsal. Founders who do not
trust one another make their own keys and bring certificates instead; the files are the same.

    OUT/ca/                the authority: keep its key apart, it can admit a stranger
    OUT/public/            genesis.bin, origin.txt, entries.bin, members.json, policy.json, ca.pem: for everybody
    OUT/nodes/NAME/        one member: settings, secrets, certificates, the public files, empty stores
    OUT/nodes/NAME/owner/  the TLS certificate of the member's own people
    OUT/clients/NAME/      the TLS certificate of a relayer or an auditor
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.cometbft.home import public_key_of as public_key_of_vote
from hybrid_bridge.adapters.hpke_sealer import public_of
from hybrid_bridge.adapters.pki import Authority, Holder, Issued, found_authority, issue_identity, issue_tls
from hybrid_bridge.business.policy import KEY, Policy, Powers, require_holder
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import ZERO, Writer, sha256
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.governance import ADD, MemberUpdate
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.core.labels import label_table_hash
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.registry import Pair, genesis_tree
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.core.signing import address_of, public_key_of
from hybrid_bridge.core.transaction import Body, GovernancePayload, SignaturePart, SignedTransaction
from hybrid_bridge.core.validators import KeyBinding, SignedKeyBinding, name_hash, quorum
from hybrid_bridge.core.vrf import public_key
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node.directory import (
    POLICY,
    ROLES,
    Member,
    encode_directory,
    first_set,
    ledger_of,
    sealing_message,
)
from hybrid_bridge.node.engine_homes import CONSENSUS, EngineAddress, chain_name, dialled, home, key_home, key_names
from hybrid_bridge.node.settings import (
    FILE,
    LOG_KEYS,
    LOG_MLDSA,
    MLDSA,
    NodeSettings,
    require_endpoint,
    write_settings,
)
from hybrid_bridge.ports import Randomness
from hybrid_bridge.units import Address, Digest, EpochNumber, Height, LogId, Seconds, UnixSeconds
from hybrid_bridge.units import Sequence as SequenceNumber

FOUNDING: Final = "founding.bin"  # the first transactions
SECRET_MODE: Final = 0o600
PUBLIC_MODE: Final = 0o644
NO_MLDSA: Final = Digest(bytes(32))
DAY: Final = Seconds(86_400)
NOBODY: Final = Address(bytes(20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder:
    """A member to be: who, in which roles, where it will listen."""

    name: str
    legal_name: str
    legal_id: str
    roles: tuple[str, ...]
    endpoint: str
    attestation: Address | None = None  # of a key that its owner keeps elsewhere; None: one is made with the others
    engine: EngineAddress | None = None  # where its consensus engine listens; all founders' or nobody's

    @property
    def holder(self) -> Holder:
        """As certificates have it."""
        return Holder(self.name, self.legal_name, self.legal_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the founders agreed on. Times in seconds; ladders as in SPEC §7.1."""

    origin: str
    genesis_time: UnixSeconds
    cadence: Seconds
    founders: tuple[Founder, ...]
    relayers: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()
    grace: Seconds
    promise_delay: int = 6
    batch_ladder: int = 1 << 6 | 1 << 8 | 1 << 10 | 1 << 14
    registry_ladder: int = 1 << 2 | 1 << 4 | 1 << 6 | 1 << 8 | 1 << 12
    pause_max: Seconds = DAY
    guardian: Address = NOBODY
    receipts: bool = True  # whether the log has a key for COSE receipts
    block_interval_ms: int = 100
    block_every: Seconds = Seconds(0)  # noqa: RUF009 a NewType; seconds with exactly one block each, 0: on demand
    log_level: str = "info"
    powers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # who may stop what; what is not here is usual
    alone_max: int = 6  # epochs, of a brake that one holder pulls alone
    post_quantum: bool = False  # the log and every validator sign notes by ML-DSA-44 too


@dataclass(frozen=True, slots=True)
class File:
    """A file to be written: content and mode."""

    data: bytes = field(repr=False)
    mode: int = PUBLIC_MODE


@dataclass(frozen=True, slots=True)
class _Keys:
    """One founder's own secrets."""

    identity: PrivateKey
    secrets: dict[str, bytes] = field(repr=False)
    certificate: bytes  # DER
    engine: dict[str, bytes] = field(repr=False)  # node, and a validator's consensus; of the engine, no file of keys/

    @property
    def address(self) -> Address:
        return address_of(public_key_of(self.secrets["attestation"]))

    @property
    def mldsa(self) -> bytes | None:
        """The validator's public ML-DSA-44 key, if it has one."""
        return MldsaKey(self.secrets[MLDSA]).public if MLDSA in self.secrets else None


@dataclass(frozen=True, slots=True)
class Foundation:
    """A consortium on paper: its log id, and every file by its path below the chosen folder."""

    genesis: Genesis
    members: tuple[Member, ...]
    files: dict[str, File]
    dummies: list[Pair]  # the registry's pairs of epoch 0


def found(plan: Plan, randomness: Randomness, now: UnixSeconds) -> Foundation:
    """Make all keys, certificates and records of a new consortium.

    Raises:
        Malformed: the plan breaks a rule; `SettingsMalformed` names the entry.
    """
    _require_plan(plan)
    authority = found_authority(plan.origin, now)
    keys = {founder.name: _keys(plan, founder, authority, randomness, now) for founder in plan.founders}
    names = ["set", "vrf", "log"] + ["receipt"] * plan.receipts + [LOG_MLDSA] * plan.post_quantum
    shared = {name: randomness(32) for name in names}
    registry = genesis_tree(Secret(shared["set"], origin_hash(plan.origin)), plan.registry_ladder)
    unbound = tuple(_member(plan, founder, keys[founder.name], LogId(bytes(32))) for founder in plan.founders)
    policy = _policy(plan, {name: own.identity for name, own in keys.items()})
    genesis = _genesis(plan, unbound, shared, registry.root, policy)
    members = tuple(_member(plan, founder, keys[founder.name], genesis.log_id) for founder in plan.founders)
    engines = _engine_files(plan, genesis, members, keys)
    log_key = PrivateKey.from_seed(shared["log"]).public.spki[-32:]
    mldsa = MldsaKey(shared[LOG_MLDSA]).public if plan.post_quantum else None
    public = {
        "genesis.bin": File(genesis.encode()),
        "origin.txt": File(plan.origin.encode("ascii") + b"\n"),
        "entries.bin": File(first_set(members).encode_entries()),
        "members.json": File(encode_directory(plan.origin, log_key, members, mldsa, _chain(plan))),
        POLICY: File(policy.encode()),
        "ca.pem": File(authority.certificate),
    }
    files = {f"public/{name}": file for name, file in public.items()}
    files |= {"ca/ca.pem": File(authority.certificate), "ca/ca.key": File(authority.key, SECRET_MODE)}
    first = _founding_transactions(genesis, members, keys, plan)
    for founder in plan.founders:
        mine = keys[founder.name].secrets | {name: shared[name] for name in _shared_with(founder) if name in shared}
        folder = _node_files(plan, founder, mine, authority, now) | engines.get(founder.name, {}) | public
        if "sequencer" in founder.roles or founder.engine is not None:  # whoever may propose the first block
            folder[FOUNDING] = File(first)
        files |= {f"nodes/{founder.name}/{name}": file for name, file in folder.items()}
    clients = [(name, "relayer") for name in plan.relayers] + [(name, "auditor") for name in plan.auditors]
    for client, role in clients:
        issued = issue_tls(authority, Holder(client, client, "none"), role, (), now)
        files |= {f"clients/{client}/{name}": file for name, file in _tls_files(issued, authority).items()}
    return Foundation(genesis, members, files, list(registry.pairs()))


def _require_plan(plan: Plan) -> None:
    names = [founder.name for founder in plan.founders] + [*plan.relayers, *plan.auditors]
    if len(set(names)) != len(names):
        raise SettingsMalformed(key="members.name", rule="each name once")
    if sum("sequencer" in founder.roles for founder in plan.founders) != 1:
        raise SettingsMalformed(key="members.roles", rule="exactly one sequencer")
    _chain(plan)
    for founder in plan.founders:
        require_endpoint(founder.endpoint, f"members.{founder.name}.endpoint")
        if not founder.roles or not set(founder.roles) <= set(ROLES):
            raise SettingsMalformed(key=f"members.{founder.name}.roles", rule=f"of {', '.join(ROLES)}")
        if founder.attestation is not None and "validator" not in founder.roles:
            raise SettingsMalformed(key=f"members.{founder.name}.attestation", rule="for validators")
        if "sequencer" in founder.roles and "validator" not in founder.roles:
            raise SettingsMalformed(key=f"members.{founder.name}.roles", rule="the sequencer is a validator")


def _keys(plan: Plan, founder: Founder, authority: Authority, randomness: Randomness, now: UnixSeconds) -> _Keys:
    signing = ["attestation"] * (founder.attestation is None) + [MLDSA] * plan.post_quantum
    names = ["identity", "sealing", "party"] + signing * ("validator" in founder.roles)
    secrets = {name: randomness(32) for name in names}
    identity = PrivateKey.from_seed(secrets["identity"])
    engine = key_names(founder.roles) if founder.engine is not None else []
    certificate = issue_identity(authority, founder.holder, identity.public, now)
    return _Keys(identity, secrets, certificate, {name: randomness(32) for name in engine})


def _member(plan: Plan, founder: Founder, keys: _Keys, log_id: LogId) -> Member:
    sealing_key = public_of(keys.secrets["sealing"])
    address = binding = None
    if "validator" in founder.roles:
        address = founder.attestation or keys.address
        mldsa = NO_MLDSA if keys.mldsa is None else sha256(keys.mldsa)
        word = KeyBinding(origin_hash(plan.origin), sha256(keys.certificate), address, mldsa)
        signature = keys.identity.sign(word.message())
        binding = SignedKeyBinding(word, keys.identity.public.scheme, signature).encode()
    return Member(
        name=founder.name,
        legal_name=founder.legal_name,
        legal_id=founder.legal_id,
        roles=founder.roles,
        endpoint=founder.endpoint,
        certificate=keys.certificate,
        sealing_key=sealing_key,
        sealing_signature=keys.identity.sign(sealing_message(log_id, sealing_key)),
        address=address,
        key_binding=binding,
        mldsa_key=keys.mldsa,
        consensus_key=public_key_of_vote(keys.engine[CONSENSUS]) if CONSENSUS in keys.engine else None,
        engine=None if founder.engine is None else dialled(keys.engine, founder.engine.peers),
    )


def _policy(plan: Plan, identities: Mapping[str, PrivateKey]) -> Policy:
    """What the genesis record commits to. A plan names a guardian as a member; the policy has its key."""
    unknown = plan.powers.keys() - {power.name for power in fields(Powers)}
    if unknown:
        raise SettingsMalformed(key=f"powers.{min(unknown)[:64]}", rule="no such power")
    named = {f"member:{name}": f"{KEY}{key_id_text(key.public.key_id)}" for name, key in identities.items()}
    powers = {
        power: tuple(require_holder(named.get(holder, holder), f"powers.{power}") for holder in holders)
        for power, holders in plan.powers.items()
    }
    regulators = tuple(founder.name for founder in plan.founders if "regulator" in founder.roles)
    return Policy(regulators=regulators, powers=Powers(**powers, alone_max=plan.alone_max))


def _genesis(
    plan: Plan, members: tuple[Member, ...], shared: dict[str, bytes], registry_root: Digest, policy: Policy
) -> Genesis:
    return Genesis(
        origin_hash=origin_hash(plan.origin),
        genesis_time=plan.genesis_time,
        cadence=plan.cadence,
        grace=plan.grace,
        promise_delay=plan.promise_delay,
        batch_ladder=plan.batch_ladder,
        registry_ladder=plan.registry_ladder,
        vrf_public_key=public_key(shared["vrf"]),
        registry_root=registry_root,
        label_table_hash=label_table_hash(),
        set_hash=first_set(members).digest,
        decoy_key_hash=decoy_key_hash(shared["set"]),
        log_key=PrivateKey.from_seed(shared["log"]).public.spki[-32:],
        receipt_key=PrivateKey.from_seed(shared["receipt"]).public.spki[-32:] if plan.receipts else ZERO,
        log_mldsa_key_hash=sha256(MldsaKey(shared[LOG_MLDSA]).public) if plan.post_quantum else NO_MLDSA,
        guardian=plan.guardian,
        pause_max=plan.pause_max,
        ledger_id=ledger_of(plan.origin, _chain(plan), members)[1],
        first_block=Height(1),
        policy_hash=policy.digest,
    )


def _founding_transactions(genesis: Genesis, members: tuple[Member, ...], keys: dict[str, _Keys], plan: Plan) -> bytes:
    """The first transactions: before epoch 1 there is no member; a quorum of the validators adds them (SPEC §7.3).

    Where there is a consensus engine, its first validators' keys get their names here, too.
    """
    validators = [keys[founder.name].identity for founder in plan.founders if "validator" in founder.roles]
    signers = sorted(validators, key=lambda key: key.public.key_id)[: quorum(len(validators))]
    submitter = next(keys[founder.name].identity for founder in plan.founders if "sequencer" in founder.roles)
    records = [_added(genesis, member, keys[member.name]) for member in members]
    records += [_bound(genesis, member, keys[member.name]) for member in members if member.consensus_key is not None]
    writer = Writer().u16(len(records), "founding")
    for sequence, record in enumerate(records):
        body = Body(
            log_id=genesis.log_id,
            submitter=submitter.public.key_id,
            sequence=SequenceNumber(sequence),
            expires_epoch=EpochNumber(1),
            authorisers=tuple(key.public.key_id for key in signers),
            payload=GovernancePayload((record,)),
        )
        consents = [SignaturePart.over(body.consent, key) for key in signers]
        signed = SignedTransaction.assemble(body, SignaturePart.over(body.message, submitter), consents)
        writer.opaque(signed.encode(), 4, "founding")
    return writer.bytes()


def _added(genesis: Genesis, member: Member, keys: _Keys) -> bytes:
    update = MemberUpdate(
        log_id=genesis.log_id,
        action=ADD,
        name_hash=name_hash(member.legal_id, member.legal_name),
        certificate_hash=sha256(member.certificate),
        key_id=keys.identity.public.key_id,
        roles=member.role_bits,
        from_epoch=EpochNumber(1),
    )
    return update.encode()


def _bound(genesis: Genesis, member: Member, keys: _Keys) -> bytes:
    public = member.consensus_key or b""
    return ConsensusKey.signed(keys.engine[CONSENSUS], public, genesis.log_id, keys.identity.public.key_id).encode()


def _shared_with(founder: Founder) -> Sequence[str]:
    """Every member: the VRF key (SPEC §9.3). Validators: K_set (§10). Whoever signs notes: the log's keys (ADR 61).

    That is the sequencer, which orders; where an engine orders it is every validator, so that none is indispensable.
    """
    signs = "validator" in founder.roles if founder.engine is not None else "sequencer" in founder.roles
    return ["vrf"] + ["set"] * ("validator" in founder.roles) + list(LOG_KEYS) * signs


def _node_files(
    plan: Plan, founder: Founder, secrets: dict[str, bytes], authority: Authority, now: UnixSeconds
) -> dict[str, File]:
    host, _ = require_endpoint(founder.endpoint, "endpoint")
    member = issue_tls(authority, founder.holder, "member", sorted({host, "127.0.0.1"}), now)
    owner = issue_tls(authority, founder.holder, "owner", (), now)
    files = {f"keys/{name}.key": File(secret.hex().encode() + b"\n", SECRET_MODE) for name, secret in secrets.items()}
    files |= {"keys/tls.key": File(member.key, SECRET_MODE), "tls.pem": File(member.certificate)}
    files |= {f"owner/{name}": file for name, file in _tls_files(owner, authority).items()}
    folder = Path()
    settings = NodeSettings(
        folder=folder,
        name=founder.name,
        listen=founder.endpoint,
        log_level=plan.log_level,
        reflection=False,
        block_interval_ms=plan.block_interval_ms,
        block_every=plan.block_every,
        engine_rpc="" if founder.engine is None else founder.engine.rpc,
        pool_limit=10_000,
        secrets={name: folder / "keys" / f"{name}.key" for name in [*secrets, "tls"]},
    )
    return files | {FILE: File(write_settings(settings).encode())}


def _chain(plan: Plan) -> str | None:
    return chain_name(plan.origin, [founder.engine for founder in plan.founders])


def _engine_files(
    plan: Plan, genesis: Genesis, members: tuple[Member, ...], keys: dict[str, _Keys]
) -> dict[str, dict[str, File]]:
    """Each member's home of the engine, by name; nothing for the embedded ledger."""
    chain = _chain(plan)
    if chain is None:
        return {}
    found = {}
    for founder in plan.founders:
        if founder.engine is not None:
            peers = [m.engine for m in members if m.engine is not None and m.name != founder.name]
            made = home(chain, genesis, members, peers, founder.engine) | key_home(keys[founder.name].engine)
            modes = {True: SECRET_MODE, False: PUBLIC_MODE}
            found[founder.name] = {path: File(data, modes[secret]) for path, (data, secret) in made.items()}
    return found


def _tls_files(issued: Issued, authority: Authority) -> dict[str, File]:
    return {
        "tls.pem": File(issued.certificate),
        "tls.key": File(issued.key, SECRET_MODE),
        "ca.pem": File(authority.certificate),
    }
