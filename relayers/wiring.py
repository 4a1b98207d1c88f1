"""The composition root: settings in, a relayer with real adapters out. Only this file knows which adapter is which.

Adapters are imported when they are needed: `status` and `config validate` start without web3 and gRPC.
"""

import stat
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.custody.places import parse_place, scheme_of
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, KeyUnusable, SetMismatch, SettingsMalformed
from hybrid_bridge.ports import ConsortiumMember, PublicBlock, PublicChain, Rotation, TransactionSigner, Update
from hybrid_bridge.units import Address, TxHash, UnixSeconds
from relayers.abreast import Abreast
from relayers.appointing import appointment
from relayers.calls import Calls
from relayers.collect import Collector
from relayers.journal import Journal, JournalReader, Scope
from relayers.log import Log, SetPeriod
from relayers.observe import Observer
from relayers.relay import Relayer
from relayers.revisions import SCHEMA_VERSION
from relayers.set_files import signed_updates
from relayers.settings import ChainSettings, Endpoint, LogSettings, Settings
from relayers.turns import stride
from relayers.views import Appointment, ChainView, LogClock, Policy, TurnPolicy

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.chain import Web3Chain
    from hybrid_bridge.adapters.evm.sent import SentTransactions
    from hybrid_bridge.custody.signers import Held
    from relayers.metrics import Instruments, Metrics

MAX_PUBLIC_FILE = 1 << 20  # bytes; genesis record and validator entries have some thousands
WRITES: Final = frozenset(name for name in vars(Journal) if name[0] != "_") - vars(JournalReader).keys()


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
        is_proven=chain.state_proofs,
        asking=Abreast(),
    ).afresh()


def collector_of(
    settings: LogSettings, log: Log, appoint: Callable[[ChainView], Appointment | None] = lambda _: None
) -> Collector:
    """The members. Connects to nothing yet."""
    return Collector(log, members_of(settings), settings.delay, stride(settings.anchor_every), appoint)


def appointing(settings: Settings, log: Log) -> Callable[[ChainView], Appointment | None]:
    """Where signed set updates come from."""
    scope, folder = scope_of(settings), settings.chain.set_updates
    return lambda chain: appointment(log, scope, chain, signed_updates(folder))


def calls_of(settings: Settings, log: Log) -> Calls:
    """How the contract is called, without a key."""
    from hybrid_bridge.adapters.evm.calls import anchor_calldata, rotate_calldata  # noqa: PLC0415

    chain = settings.chain
    return Calls(scope_of(settings), log, chain.fees, chain.rpc_quorum, anchor_calldata, rotate_calldata)


def relayer_of(settings: Settings, journal: Journal) -> Relayer:
    """Everything a tick needs.

    Raises:
        KeyUnusable: the gas key cannot be opened, has another address than the settings say, or attests for somebody.
        Unreachable: where the gas key is kept, nobody answers.
        BridgeError: as `load_log`.
    """
    from hybrid_bridge.adapters.evm.calls import anchor_calldata, rotate_calldata  # noqa: PLC0415
    from hybrid_bridge.custody.signers import open_gas_key  # noqa: PLC0415

    log = load_log(settings.log)
    require_gas_key(settings.chain, log)
    return Relayer(
        scope=scope_of(settings),
        log=log,
        policy=policy_of(settings, log),
        journal=journal,
        observer=observer_of(settings),
        collector=collector_of(settings.log, log, appointing(settings, log)),
        signer=open_gas_key(settings.chain.signer, "chain.signer", settings.chain.signer_address),
        encode_anchor=anchor_calldata,
        encode_rotation=rotate_calldata,
        clock=SystemClock(),
    )


def metrics_of(settings: Settings, relayer: Relayer, epoch: int, instruments: "Instruments") -> "Metrics":
    """One chain's numbers on the instruments of the process."""
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
        backend=scheme_of(settings.chain.signer),
    )
    return Metrics(subject, epoch, instruments)


def timed(relayer: Relayer, metrics: "Metrics") -> Relayer:
    """The same relayer, its signatures and its journal's commits measured, and whether the journal answers."""
    from relayers.timing import Answering, Timed  # noqa: PLC0415

    answering = Answering(relayer.journal, metrics.journal_answers)
    return replace(
        relayer,
        signer=cast(TransactionSigner, Timed(relayer.signer, {"sign"}, metrics.signed)),
        journal=cast(Journal, Timed(answering, WRITES, metrics.committed)),
    )


def shipped_alerts() -> str:
    """The text of `alerts.yml`: out of the wheel, or of a checkout.

    Raises:
        SettingsMalformed: it is in neither.
    """
    here = Path(__file__).parent
    for place in (here / "shipped" / "alerts.yml", here.parent / "infra" / "prometheus" / "alerts.yml"):
        if place.is_file():
            return place.read_text("utf-8")
    raise SettingsMalformed(key="alerts.yml", rule="there: install the whole wheel")


# ── adapters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoint(endpoint: Endpoint, chain: ChainSettings) -> PublicChain:
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415
    from hybrid_bridge.adapters.evm.proven_chain import ProvenChain  # noqa: PLC0415
    from hybrid_bridge.adapters.evm.rpc import JsonRpc  # noqa: PLC0415

    found = ProvenChain if chain.state_proofs else Web3Chain
    return found(JsonRpc(endpoint.name, _url_of(endpoint)), chain.contract)


def _url_of(endpoint: Endpoint) -> str:
    url = endpoint.url
    if isinstance(url, Path):
        key = f"endpoints.{endpoint.name}"
        try:
            url = _secret_file(url, key).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise KeyUnusable(key=key, rule="an address in UTF-8") from None
    return url


def hosts_of(settings: Settings) -> tuple[str, ...]:
    """Where the endpoints are, one host for each; not to be shown: some hide a password in the name."""
    return tuple(urlsplit(_url_of(endpoint)).hostname or "" for endpoint in settings.chain.endpoints)


def code_at(chain: PublicChain, address: Address, at: PublicBlock) -> bytes:
    """The code of an account."""
    return _web3(chain).code(address, at.hash)


def safe_of(chain: PublicChain) -> PublicBlock:
    """The newest public block that an endpoint calls safe."""
    return _web3(chain).safe()


def sent_of(chain: PublicChain) -> "SentTransactions":
    """What an endpoint shows of an account's transactions."""
    from hybrid_bridge.adapters.evm.sent import SentTransactions  # noqa: PLC0415

    return SentTransactions(_web3(chain).rpc)


def decode_anchor(data: bytes) -> Update:
    """A call of the contract's `anchor`.

    Raises:
        FieldMalformed: another call.
    """
    from hybrid_bridge.adapters.evm.calls import decode_anchor  # noqa: PLC0415

    return decode_anchor(data)


def decode_call(data: bytes) -> Update | Rotation:
    """A call of ours: `anchor`, or `rotateValidators`.

    Raises:
        FieldMalformed: another call.
    """
    from hybrid_bridge.adapters.evm.calls import decode_rotation  # noqa: PLC0415

    try:
        return decode_anchor(data)
    except FieldMalformed:
        return decode_rotation(data)


def sender_of(chain: PublicChain, tx: TxHash) -> Address | None:
    """Who sent a transaction; None where the endpoint does not know it, or it is of another type than ours."""
    raw = sent_of(chain).by_hash(tx)
    return None if raw is None else decode_signed(raw).sender


def _web3(chain: PublicChain) -> "Web3Chain":
    """The adapter, which can do more than the port asks."""
    from hybrid_bridge.adapters.evm.chain import Web3Chain  # noqa: PLC0415

    assert isinstance(chain, Web3Chain)  # noqa: S101 `_endpoint` makes no other
    return chain


def members_of(settings: LogSettings) -> tuple[ConsortiumMember, ...]:
    """Each by its name in the settings."""
    from hybrid_bridge.adapters.grpc_member.log import GrpcMember  # noqa: PLC0415
    from hybrid_bridge.custody.tls_files import TlsFiles, TlsPaths  # noqa: PLC0415

    files = settings.tls
    paths = TlsPaths(files.ca, files.certificate, files.key)
    tls = TlsFiles(paths, lambda: _secret_file(files.key, "log.tls.key"), lambda: UnixSeconds(int(time.time())))
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
