"""A newcomer's own part: its folder, its keys, its card. Its stores come once the members have let it in (`joining`).

No key leaves the folder; what goes out are certificate requests and the card. What comes in is checked against the
public files that the newcomer began with: the genesis record, whose hash is the log's id. Source: ADR 35.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.cometbft.home import node_id
from hybrid_bridge.adapters.cometbft.home import public_key_of as public_key_of_vote
from hybrid_bridge.adapters.hpke_sealer import public_of
from hybrid_bridge.adapters.pki import Holder, Issued, identity_of, request_identity, request_tls, require_tls
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import ZERO, canonical_json, parse_canonical_json, sha256
from hybrid_bridge.core.genesis import origin_hash
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.signing import address_of, public_key_of
from hybrid_bridge.core.validators import KeyBinding, SignedKeyBinding
from hybrid_bridge.errors import AdmissionRejected, KeyUnusable, Missing, SettingsMalformed
from hybrid_bridge.node.cards import MAX_CARD, Card, parse_card
from hybrid_bridge.node.directory import MEMBER, POLICY, Directory, Member, read_directory, sealing_message
from hybrid_bridge.node.engine_homes import (
    CONSENSUS,
    EngineAddress,
    dialled,
    key_home,
    key_names,
    require_engine_address,
)
from hybrid_bridge.node.enrolling import OWN_CARD
from hybrid_bridge.node.proposals import ProposalStore
from hybrid_bridge.node.separating import ENGINE_NODE, consensus_secret, engine_secrets
from hybrid_bridge.node.settings import (
    ATTESTATION,
    ATTESTATION_NEXT,
    ENGINE_HOME,
    FILE,
    MLDSA,
    NodeSettings,
    read_secret,
    read_settings,
    require_endpoint,
    write_settings,
)
from hybrid_bridge.ports import Randomness
from hybrid_bridge.units import Address

PUBLIC: Final = ("genesis.bin", "members.json", "ca.pem", POLICY)
APPLICATION: Final = "application.json"
IDENTITY_NEXT: Final = "identity-next"
CONSENSUS_NEXT: Final = f"{ENGINE_HOME}/config/priv_validator_key-next.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Who wants to be a member, in which roles, where its node will listen."""

    name: str
    legal_name: str
    legal_id: str
    roles: tuple[str, ...]
    endpoint: str
    engine: EngineAddress | None = None  # where its consensus engine will listen, if the consortium has them

    @property
    def holder(self) -> Holder:
        """As certificates have it."""
        return Holder(self.name, self.legal_name, self.legal_id)


# ── apply ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply(public: Path, out: Path, application: Application, randomness: Randomness) -> list[Path]:
    """Make the folder with its keys; the certificate requests to bring to the authority.

    Raises:
        SettingsMalformed: `out` holds something, or the application is none.
        Malformed, Refuted: the public files do not fit together.
        AdmissionRejected: a role that nobody applies for.
    """
    directory = read_directory(public)
    _require_application(application, directory)
    if out.exists() and any(out.iterdir()):
        raise SettingsMalformed(key="out", rule="a new or empty folder")
    is_validator = "validator" in application.roles
    names = ["identity", "sealing", "party", *([ATTESTATION] * is_validator)]
    names += [MLDSA] * (is_validator and directory.log_mldsa_key is not None)
    held = {name: randomness(32) for name in names}
    engine = {name: randomness(32) for name in key_names(application.roles)} if application.engine is not None else {}
    for name in PUBLIC:
        write_new(out / name, (public / name).read_bytes())
    for name, secret in held.items():
        write_secret(out, name, secret)
    if engine:
        _write_home(out, key_home(engine))
    host, _ = require_endpoint(application.endpoint, "endpoint")
    member = request_tls(application.holder, "member", sorted({host, "127.0.0.1"}))
    owner = request_tls(application.holder, "owner", ())
    write_new(out / "identity.csr", request_identity(application.holder, held["identity"]))
    _write_request(out / "tls.csr", out / "keys" / "tls.key", member)
    _write_request(out / "owner" / "tls.csr", out / "owner" / "tls.key", owner)
    write_new(out / "owner" / "ca.pem", (public / "ca.pem").read_bytes())
    unbound = _unbound(application, held, directory)
    if application.engine is not None:
        unbound = replace(unbound, engine=dialled(engine, application.engine.peers))
    write_new(out / APPLICATION, canonical_json(MEMBER.write(unbound)))
    write_new(out / FILE, write_settings(_settings(application, [*held, "tls", "vrf"])).encode())
    return [out / "identity.csr", out / "tls.csr", out / "owner" / "tls.csr"]


def _require_application(application: Application, directory: Directory) -> None:
    if (directory.engine is None) != (application.engine is None):
        raise SettingsMalformed(key="engine", rule="where a consensus engine orders, and nowhere else")
    if application.engine is not None:
        require_engine_address(application.engine)
    if not set(application.roles) <= {"member", "validator", "regulator", "court", "auditor"} or not application.roles:
        raise AdmissionRejected(rule="of the roles member, validator, regulator, court, auditor")
    if any(member.name == application.name for member in directory.members):
        raise AdmissionRejected(rule="a name that no other member has")


def _unbound(application: Application, held: dict[str, bytes], directory: Directory) -> Member:
    sealing_key = public_of(held["sealing"])
    signature = PrivateKey.from_seed(held["identity"]).sign(sealing_message(directory.log_id, sealing_key))
    return Member(
        name=application.name,
        legal_name=application.legal_name,
        legal_id=application.legal_id,
        roles=application.roles,
        endpoint=application.endpoint,
        certificate=b"",
        sealing_key=sealing_key,
        sealing_signature=signature,
    )


def _settings(application: Application, names: Sequence[str]) -> NodeSettings:
    folder = Path()
    return NodeSettings(
        folder=folder,
        name=application.name,
        listen=application.endpoint,
        log_level="info",
        reflection=False,
        block_interval_ms=100,
        pool_limit=10_000,
        engine_rpc="" if application.engine is None else application.engine.rpc,
        secrets={name: folder / "keys" / f"{name}.key" for name in names},
    )


# ── a card ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def install_tls(folder: Path, tls: bytes, owner: bytes) -> None:
    """Put the TLS certificates where node and owner look for them.

    Raises:
        CertificateMalformed, KeyUnusable: no certificate, or not for the key that is there.
    """
    roots = (folder / "ca.pem").read_bytes()
    for place, certificate, key in (
        (folder / "tls.pem", tls, folder / "keys" / "tls.key"),
        (folder / "owner" / "tls.pem", owner, folder / "owner" / "tls.key"),
    ):
        require_tls(certificate, key.read_bytes(), roots)
        place.write_bytes(certificate)


def make_card(folder: Path, certificate: bytes | None, endpoint: str | None = None, engine: str | None = None) -> Card:
    """The card of this folder's member: as it is, with another certificate, key or endpoint.

    Args:
        folder: of the member.
        certificate: DER, of the key that is in force or of the next one; None: the one it has.
        endpoint: where others reach its node; None: where they do.
        engine: where others reach its consensus engine, likewise.

    Raises:
        SettingsMalformed: no endpoint.
        Missing: a member without a certificate brings one.
        KeyUnusable: the certificate is not for a key of this folder.
    """
    settings, directory = read_settings(folder), read_directory(folder)
    base = current_member(folder, settings.name, directory)
    certificate = certificate or base.certificate
    if not certificate:
        raise Missing(what="the certificate of the identity key")
    identity = _identity(settings, identity_of(certificate, (folder / "ca.pem").read_bytes(), settings.name).key_id)
    require_endpoint(endpoint or base.endpoint, "endpoint")
    member = replace(
        base,
        certificate=certificate,
        endpoint=endpoint or base.endpoint,
        sealing_signature=identity.sign(sealing_message(directory.log_id, base.sealing_key)),
    )
    if "validator" in member.roles:
        member = _bound(settings, member, directory, identity)
    if directory.engine is not None:
        member = _voting(settings, member, directory, identity, engine)
    return Card.over(member, directory.log_id, identity)


def keep_card(folder: Path, card: Card) -> None:
    """A newcomer's own: its node knows itself by it before the ledger names it."""
    (folder / OWN_CARD).write_bytes(card.encode())


def current_member(folder: Path, name: str, directory: Directory) -> Member:
    """The newest that this folder says of its own member: a card, a founder's entry, an application."""
    shown = [(p, card.member) for p in ProposalStore(folder).all() for card in p.cards if card.member.name == name]
    if shown:
        return max(shown, key=lambda one: (one[0].expires_epoch, one[0].digest))[1]  # that comes to count last
    if (folder / OWN_CARD).exists():
        return parse_card((folder / OWN_CARD).read_bytes()).member
    if (folder / APPLICATION).exists():
        data = (folder / APPLICATION).read_bytes()
        return MEMBER.parse(parse_canonical_json(data, "application", MAX_CARD), "application")
    return directory.member(name)


def _identity(settings: NodeSettings, key_id: bytes) -> PrivateKey:
    """The identity key that a certificate is for: the one in use, or the next one."""
    for seed in _seeds(settings):
        key = PrivateKey.from_seed(seed)
        if key.public.key_id == key_id:
            return key
    raise KeyUnusable(key="identity", rule="the key of the certificate")


def _seeds(settings: NodeSettings) -> Iterator[bytes]:
    yield read_secret(settings, "identity")
    following = settings.folder / "keys" / f"{IDENTITY_NEXT}.key"
    if following.exists():
        yield read_secret(replace(settings, secrets={IDENTITY_NEXT: following}), IDENTITY_NEXT)


def _bound(settings: NodeSettings, member: Member, directory: Directory, identity: PrivateKey) -> Member:
    """With the key binding of the newest attestation key, signed by the identity key of the certificate."""
    address, mldsa = _attesting(settings, member), member.mldsa_key
    if MLDSA in settings.secrets:
        mldsa = MldsaKey(read_secret(settings, MLDSA)).public
    word = KeyBinding(
        origin_hash(directory.origin), sha256(member.certificate), address, ZERO if mldsa is None else sha256(mldsa)
    )
    binding = SignedKeyBinding(word, identity.public.scheme, identity.sign(word.message())).encode()
    return replace(member, address=address, key_binding=binding, mldsa_key=mldsa)


def _voting(
    settings: NodeSettings, member: Member, directory: Directory, identity: PrivateKey, engine: str | None
) -> Member:
    """With its engine's name and address; of a validator with the newest key that votes, and that key's own word."""
    keys = dict(engine_secrets(settings.folder / ENGINE_HOME))
    where = engine or (member.engine or "").partition("@")[2]
    require_endpoint(where, "engine")
    member = replace(member, engine=f"{node_id(keys[ENGINE_NODE])}@{where}")
    if "validator" not in member.roles:
        return member
    following = settings.folder / CONSENSUS_NEXT
    secret = consensus_secret(following) if following.exists() else keys[CONSENSUS]
    public = public_key_of_vote(secret)
    word = ConsensusKey.signed(secret, public, directory.log_id, identity.public.key_id)
    return replace(member, consensus_key=public, consensus_proof=word.possession)


def _attesting(settings: NodeSettings, member: Member) -> Address:
    for name in (ATTESTATION_NEXT, ATTESTATION):
        if name in settings.secrets:
            return address_of(public_key_of(read_secret(settings, name)))
    if member.address is None:
        raise KeyUnusable(key=ATTESTATION, rule="named in [secrets] for a validator")
    return Address(member.address)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_new(path: Path, data: bytes, mode: int = 0o644) -> None:
    """A file that is not there yet, with its mode before its content."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=mode, exist_ok=False)
    path.write_bytes(data)


def write_secret(folder: Path, name: str, secret: bytes) -> Path:
    """A new key file of a member."""
    path = folder / "keys" / f"{name}.key"
    write_new(path, secret.hex().encode() + b"\n", 0o600)
    return path


def _write_home(folder: Path, files: Mapping[str, tuple[bytes, bool]]) -> None:
    for path, (data, is_secret) in files.items():
        write_new(folder / path, data, 0o600 if is_secret else 0o644)
    (folder / ENGINE_HOME).chmod(0o700)  # the engine keeps every block there, readable by all


def _write_request(request: Path, key: Path, issued: Issued) -> None:
    write_new(request, issued.certificate)
    write_new(key, issued.key, 0o600)
