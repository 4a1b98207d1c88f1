"""A member's own secrets, loaded once and compared with what the directory says about their owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from hybrid_bridge.adapters.hpke_sealer import public_of
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.secret import Secret, decoy_key_hash
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.vrf import public_key
from hybrid_bridge.custody.places import parse_place
from hybrid_bridge.custody.signers import open_attestation_key
from hybrid_bridge.errors import KeyUnusable
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.separating import engine_secrets, require_separate, tls_secret
from hybrid_bridge.node.settings import (
    ATTESTATION,
    ATTESTATION_NEXT,
    ENGINE_HOME,
    LOG_KEYS,
    LOG_MLDSA,
    MLDSA,
    REGISTRY,
    NodeSettings,
    private_bytes,
    read_secret,
)
from hybrid_bridge.ports import AttestationSigner, SigningPermit
from hybrid_bridge.steps.commit import FIRST_SET
from hybrid_bridge.units import Address, EcdsaSignature, SetId


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What this member holds. One that is no validator holds the first four only."""

    identity: PrivateKey
    sealing: bytes = field(repr=False)
    party: bytes = field(repr=False)
    vrf: bytes = field(repr=False)  # every member's: it can try labels against indices (SPEC §9.3)
    attestation: AttestationSigner | None
    attestation_next: AttestationSigner | None = None  # in place of that one from a later set on; till then unused
    secret: Secret | None = field(repr=False)
    log: PrivateKey | None
    receipt: PrivateKey | None = None
    mldsa: MldsaKey | None = None  # a validator's own
    log_mldsa: MldsaKey | None = None
    log_seeds: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # of the log's keys, to be handed on
    opened: dict[SetId, Secret] = field(default_factory=dict, repr=False)  # of later sets, as proposals bring them

    def secret_of(self, set_id: SetId) -> Secret | None:
        """The shared secret of a validator set, if we hold it."""
        return self.secret if set_id == FIRST_SET else self.opened.get(set_id)

    @classmethod
    def load(cls, settings: NodeSettings, directory: Directory) -> Self:
        """Read the secret files, and ask the attestation key where it is kept whether it signs.

        Raises:
            KeyUnusable: a key is missing, open to others, or another than the directory says.
            Unreachable: where the attestation key is kept, nobody answers.
        """
        member, genesis = directory.member(settings.name), directory.genesis
        addresses = directory.addresses(settings.name)
        held = {name: read_secret(settings, name) for name in settings.secrets if name not in ("tls", REGISTRY)}
        for name in ("identity", "sealing", "party", "vrf"):
            if name not in held:
                raise KeyUnusable(key=name, rule="named in [secrets]")
        keys = cls(
            identity=PrivateKey.from_seed(held["identity"]),
            sealing=held["sealing"],
            party=held["party"],
            vrf=held["vrf"],
            attestation=_attestation(settings, held, addresses),
            attestation_next=AttestationKey(held[ATTESTATION_NEXT]) if ATTESTATION_NEXT in held else None,
            secret=Secret(held["set"], genesis.origin_hash) if "set" in held else None,
            log=PrivateKey.from_seed(held["log"]) if "log" in held else None,
            receipt=PrivateKey.from_seed(held["receipt"]) if "receipt" in held else None,
            mldsa=MldsaKey(held[MLDSA]) if MLDSA in held else None,
            log_mldsa=MldsaKey(held[LOG_MLDSA]) if LOG_MLDSA in held else None,
            log_seeds={name: held[name] for name in LOG_KEYS if name in held},
        )
        address = None if keys.attestation is None else keys.attestation.address()
        for name, fits in (
            ("identity", directory.name_of(keys.identity.public.key_id) == settings.name),
            ("sealing", public_of(keys.sealing) == member.sealing_key),
            ("attestation", address in addresses if addresses else address is None),
            (MLDSA, _public(keys.mldsa) == member.mldsa_key),
            ("set", keys.secret is None or decoy_key_hash(held["set"]) == genesis.decoy_key_hash),
            ("vrf", public_key(keys.vrf) == genesis.vrf_public_key),
            ("log", keys.log is None or keys.log.public.spki[-32:] == directory.log_key),
            ("receipt", keys.receipt is None or keys.receipt.public.spki[-32:] == genesis.receipt_key),
            (LOG_MLDSA, keys.log is None or _public(keys.log_mldsa) == directory.log_mldsa_key),
        ):
            if not fits:
                raise KeyUnusable(key=name, rule="the one the directory and the genesis record name")
        apart = min(directory.log_keys.keys() - held.keys(), default="")
        if directory.engine is not None and keys.log_seeds and apart:
            raise KeyUnusable(key=apart, rule="beside the log's other keys")
        if address in directory.validators.addresses and keys.secret is None:
            raise KeyUnusable(key="set", rule="held by a validator")
        require_separate(held | _others(settings), address)
        return keys


def _others(settings: NodeSettings) -> dict[str, bytes]:
    """Secrets of this member that are used elsewhere: by TLS, by the owner's client, by the consensus engine."""
    found = dict(engine_secrets(settings.path(ENGINE_HOME)))
    owner = settings.path("owner") / "tls.key"
    if "tls" in settings.secrets:
        found["tls"] = tls_secret(read_secret(settings, "tls"))
    if owner.exists():
        found["owner's tls"] = tls_secret(private_bytes(owner, "owner's tls"))
    return found


def _attestation(
    settings: NodeSettings, held: dict[str, bytes], addresses: Sequence[Address]
) -> AttestationSigner | None:
    """The attestation key: from a file, or where its owner keeps such keys; there it may be any of ours."""
    if settings.attestation is None:
        return AttestationKey(held[ATTESTATION]) if ATTESTATION in held else None
    refusal = KeyUnusable(key=ATTESTATION, rule="a validator's")
    place = parse_place(settings.attestation, settings.folder, ATTESTATION)
    for address in addresses:
        try:
            return open_attestation_key(place, ATTESTATION, address)
        except KeyUnusable as error:
            refusal = error
    raise refusal


def _public(key: MldsaKey | None) -> bytes | None:
    return None if key is None else key.public


class AttestationKey:
    """The attestation key in this process. Signs what the guard permitted, nothing else."""

    def __init__(self, private_key: bytes) -> None:
        self._private_key = private_key
        self._address = address_of(public_key_of(private_key))

    def address(self) -> Address:
        """Of the key."""
        return self._address

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        """65 bytes, deterministic, low s."""
        return sign_digest(self._private_key, permit.digest)

    def __repr__(self) -> str:
        return f"AttestationKey(0x{self._address.hex()})"
