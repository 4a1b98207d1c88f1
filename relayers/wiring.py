"""The composition root: settings in, a relayer with real adapters out. Only this file knows which adapter is which.

Adapters are imported when they are needed: `status` and `config validate` start without web3 and gRPC.
"""

import stat
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.custody.places import parse_place
from hybrid_bridge.errors import FieldMismatch, KeyUnusable, SetMismatch, SettingsMalformed
from hybrid_bridge.ports import ConsortiumMember, PublicChain
from hybrid_bridge.units import Address, UnixSeconds
from relayers.collect import Collector
from relayers.journal import Journal, Scope
from relayers.log import Log, SetPeriod
from relayers.observe import Observer
from relayers.relay import Relayer
from relayers.revisions import SCHEMA_VERSION
from relayers.settings import ChainSettings, Endpoint, LogSettings, Settings
from relayers.turns import stride
from relayers.views import LogClock, Policy, TurnPolicy

if TYPE_CHECKING:
    from hybrid_bridge.custody.signers import Held
    from relayers.metrics import Metrics

MAX_PUBLIC_FILE = 1 << 20  # bytes; genesis record and validator entries have some thousands


class SystemClock:
    """The machine's clock, in whole seconds."""

    def now(self) -> UnixSeconds:
        """Seconds since 1970."""
        return UnixSeconds(int(time.time()))


def scope_of(settings: Settings) -> Scope:
    """What the journal belongs to."""
    chain = settings.chain
    return Scope(
        chain_id=chain.chain_id,
        genesis_hash=chain.genesis_hash,
        contract=chain.contract,
        log_id=settings.log.log_id,
        signer=chain.signer_address,
    )


def load_log(settings: LogSettings) -> Log:
    """Genesis record and validator sets, each checked against what commits to it.

    Raises:
        SettingsMalformed: a file is missing.
        Malformed: a file is not of its form.
        FieldMismatch: another log's genesis record.
        SetMismatch: set 1 is not the genesis record's.
    """
    genesis = Genesis.decode(_public_file(settings.genesis))
    if genesis.log_id != settings.log_id:
        raise FieldMismatch(field="log.id", expected=settings.log_id.hex(), got=genesis.log_id.hex())
    sets = [ValidatorSet.decode_entries(item.set_id, _public_file(item.entries)) for item in settings.sets]
    if sets[0].digest != genesis.set_hash:
        raise SetMismatch(expected=genesis.set_hash, calculated=sets[0].digest)
    clock = LogClock(genesis_time=genesis.genesis_time, cadence=genesis.cadence, grace=genesis.grace)
    periods = (SetPeriod(item.from_size, found) for item, found in zip(settings.sets, sets, strict=True))
    return Log(genesis.log_id, clock, tuple(periods))


def require_gas_key(chain: ChainSettings, log: Log) -> None:
    """A gas key pays, and that is all: whoever steals it must not be able to attest (RELAYER §5.3).

    Raises:
        KeyUnusable: a validator of the log attests with it.
    """
    if any(chain.signer_address in period.validators.addresses for period in log.periods):
        raise KeyUnusable(key="chain.signer_address", rule="a key with which no validator attests")


def held_key(chain: ChainSettings) -> "Held":
    """The gas key, just asked whether it signs.

    Raises:
        KeyUnusable: it cannot be opened, or has another address than the settings say.
        Unreachable: where it is kept, nobody answers.
    """
    from hybrid_bridge.custody.signers import held  # noqa: PLC0415

    return held(chain.signer, "chain.signer", chain.signer_address)


def address_at(place: str, folder: Path) -> Address:
    """The address of a key that no settings name yet.

    Raises:
        SettingsMalformed: no place of a key.
        KeyUnusable, Unreachable: as `held_key`.
    """
    from hybrid_bridge.custody.signers import address_at  # noqa: PLC0415

    return address_at(parse_place(place, folder, "--at"), "--at")


def policy_of(settings: Settings, log: Log) -> Policy:
    """What the operator and the genesis record decided."""
    chain = settings.chain
    operators = chain.operators
    is_listed = chain.signer_address in operators
    turns = TurnPolicy(
        operators=len(operators),
        my_index=operators.index(chain.signer_address) if is_listed else len(operators),
        grace_blocks=chain.grace_blocks,
        anchor_every=stride(settings.log.anchor_every),
        delay=settings.log.delay,
    )
    return Policy(clock=log.clock, fees=chain.fees, turns=turns)


def observer_of(settings: Settings) -> Observer:
    """The endpoints. Connects to nothing yet."""
    from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact  # noqa: PLC0415 see the module's docstring

    chain = settings.chain
    return Observer(
        scope=scope_of(settings),
        endpoints=tuple(_endpoint(endpoint, chain) for endpoint in chain.endpoints),
        quorum=chain.rpc_quorum,
        depth=chain.depth,
        first_number=chain.first_number,
        code_hash=artefact(REGISTRY).runtime_code_hash,
    )


def collector_of(settings: LogSettings, log: Log) -> Collector:
    """The members. Connects to nothing yet."""
    return Collector(log, members_of(settings), settings.delay, stride(settings.anchor_every))


def relayer_of(settings: Settings, journal: Journal) -> Relayer:
    """Everything a tick needs.

    Raises:
        KeyUnusable: the gas key cannot be opened, has another address than the settings say, or attests for somebody.
        Unreachable: where the gas key is kept, nobody answers.
        BridgeError: as `load_log`.
    """
    from hybrid_bridge.adapters.evm.calls import anchor_calldata  # noqa: PLC0415
    from hybrid_bridge.custody.signers import open_gas_key  # noqa: PLC0415

    log = load_log(settings.log)
    require_gas_key(settings.chain, log)
    return Relayer(
        scope=scope_of(settings),
        log=log,
        policy=policy_of(settings, log),
        journal=journal,
        observer=observer_of(settings),
        collector=collector_of(settings.log, log),
        signer=open_gas_key(settings.chain.signer, "chain.signer", settings.chain.signer_address),
        encode_anchor=anchor_calldata,
        clock=SystemClock(),
    )


def metrics_of(settings: Settings, relayer: Relayer, epoch: int) -> "Metrics":
    """The instruments, with whose numbers they are."""
    from relayers.metrics import Metrics, Subject  # noqa: PLC0415

    subject = Subject(
        chain=settings.chain.name,
        scope=relayer.scope,
        log=relayer.log,
        policy=relayer.policy,
        endpoints=tuple(endpoint.name for endpoint in settings.chain.endpoints),
        quorum=settings.chain.rpc_quorum,
        members=tuple(name for name, _ in settings.log.members),
        certificate_ends=_end_of(_public_file(settings.log.tls.certificate)),
        version=version("hybrid-bridge"),
        schema=SCHEMA_VERSION,
    )
    return Metrics(subject, epoch)


# ── adapters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoint(endpoint: Endpoint, chain: ChainSettings) -> PublicChain:
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415
    from hybrid_bridge.adapters.evm.rpc import JsonRpc  # noqa: PLC0415

    url = endpoint.url
    if isinstance(url, Path):
        url = _secret_file(url, f"endpoints.{endpoint.name}").decode("utf-8").strip()
    return Web3Chain(JsonRpc(endpoint.name, url), chain.contract)


def members_of(settings: LogSettings) -> tuple[ConsortiumMember, ...]:
    """Each by its name in the settings."""
    from hybrid_bridge.adapters.grpc_member.log import GrpcMember  # noqa: PLC0415
    from hybrid_bridge.rpc.channel import ClientTls  # noqa: PLC0415

    files = settings.tls
    tls = ClientTls(_public_file(files.ca), _public_file(files.certificate), _secret_file(files.key, "log.tls.key"))
    return tuple(GrpcMember.at(name, address, tls) for name, address in settings.members)


def _end_of(certificate: bytes) -> UnixSeconds | None:
    """When it ends. One that is none is the channel's to refuse: every member is then silent."""
    from cryptography import x509  # noqa: PLC0415

    try:
        return UnixSeconds(int(x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp()))
    except ValueError:
        return None


def _public_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PUBLIC_FILE + 1)
    except OSError:
        raise SettingsMalformed(key=path.name, rule="a readable file") from None
    if len(data) > MAX_PUBLIC_FILE:
        raise SettingsMalformed(key=path.name, rule=f"at most {MAX_PUBLIC_FILE} bytes")
    return data


def _secret_file(path: Path, key: str) -> bytes:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyUnusable(key=key, rule="a file that only its owner can read: chmod 600")
    except OSError:
        raise KeyUnusable(key=key, rule="a readable file") from None
    return _public_file(path)
