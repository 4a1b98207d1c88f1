"""A node's settings: one TOML file, read once, frozen; unknown keys refused, secrets by `file:` URI.

The attestation key alone may be elsewhere: in a keystore or in a PKCS#11 token (`custody.places`).

Refuse rather than guess: a missing key is an error, never a default that looks right.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hybrid_bridge.adapters.pki import NAME
from hybrid_bridge.custody.databases import parse_database
from hybrid_bridge.custody.places import parse_place, require_attesting
from hybrid_bridge.custody.tls_files import REFUSE, SERVE
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed
from hybrid_bridge.rpc.limits import DEFAULT, KINDS, Limits
from hybrid_bridge.units import Seconds

FILE: Final = "node.toml"
LOG_MLDSA: Final = "log_mldsa"  # seed of the log's ML-DSA-44 key
MLDSA: Final = "mldsa"  # seed of a validator's own
REGISTRY: Final = "registry"  # the URL of a PostgreSQL database; without it the registry is a file of the folder
LOG_KEYS: Final = ("log", LOG_MLDSA, "receipt")  # seeds of what signs notes and receipts; they lie together
ATTESTATION: Final = "attestation"
ATTESTATION_NEXT: Final = "attestation_next"  # the key that follows it, from the size of its set on
_OWN: Final = ("identity", "tls", "sealing", "party")
SECRETS: Final = (*_OWN, ATTESTATION, ATTESTATION_NEXT, MLDSA, "set", "vrf", *LOG_KEYS, REGISTRY)
ALWAYS: Final = ("identity", "tls", "sealing", "party", "vrf")  # others: validators', or the log's keys
_SECRET_MODE: Final = 0o077  # bits that nobody else may have
_LEVELS: Final = ("debug", "info", "warning", "error")
_KEYS: Final[dict[str, type]] = {
    "name": str,
    "listen": str,
    "log_level": str,
    "reflection": bool,
    "block_interval_ms": int,
    "pool_limit": int,
    "secrets": dict,
}
_OPTIONAL: Final[dict[str, type]] = {
    "witnesses": str,
    "erasure_notices": str,
    "database": str,
    "block_every": int,
    "engine_rpc": str,
    "engine_archives": list,
    "snapshot_every": int,
    "metrics": str,
    "public": dict,
    "limits": dict,
    "crl": dict,
}
ENGINE_HOME: Final = "engine"  # the folder of the consensus engine
ENGINE_SOCKET: Final = "app.sock"  # in it: where it asks us
CRL_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
MAX_RATE: Final = 1_000_000
ON_DEMAND: Final = Seconds(0)
SNAPSHOT_EVERY: Final = 1000  # blocks
LIST, FOLLOW = "list", "follow"  # what is done when a record's submitter has erased it: the owner decides, or the node


@dataclass(frozen=True, slots=True)
class PublicSettings:
    """One endpoint of the public chain, and the registry's address there if it is not the usual one."""

    rpc: str  # a URL, or file:PATH with one: it may hold a key
    contract: str | None = None


@dataclass(frozen=True, slots=True)
class CrlSettings:
    """Revocation lists that must be there, and whether calls go on when one has ended."""

    files: tuple[str, ...] = ()  # none: `crl.pem` counts if it is there
    stale: str = SERVE


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What the owner decided. Paths of secrets, never secrets."""

    folder: Path
    name: str
    listen: str
    log_level: str
    reflection: bool
    block_interval_ms: int  # least time between two blocks of the sequencer
    pool_limit: int  # transactions that may wait at the sequencer
    secrets: Mapping[str, Path]
    attestation: str | None = None  # where the attestation key is, if not in a file of `secrets`
    database: str = ""  # of PostgreSQL, for ledger and records (`custody.databases`); empty: files of this folder
    witnesses: str = ""  # a file of this folder: tlog-policy text whose witnesses with a URL are asked to cosign
    erasure_notices: str = LIST
    block_every: Seconds = ON_DEMAND  # the sequencer's: seconds with exactly one block each
    metrics: str = ""  # loopback address of metrics; without it nobody listens
    public: PublicSettings | None = None  # asked at each start what our key has signed there
    engine_rpc: str = ""  # host:port of our own consensus engine; empty for the embedded ledger
    limits: Limits = DEFAULT  # of each caller at our door
    engine_archives: tuple[str, ...] = ()  # host:port of engines that have older blocks than our own
    snapshot_every: int = SNAPSHOT_EVERY  # blocks from one snapshot for new members to the next; 0: none
    crl: CrlSettings = CrlSettings()

    def path(self, name: str) -> Path:
        """A file of this node."""
        return self.folder / name


def read_settings(folder: Path) -> NodeSettings:
    """The settings in `folder`.

    Raises:
        SettingsMalformed: no such file, not TOML, or an entry is missing, unknown or out of range.
    """
    try:
        given = tomllib.loads((folder / FILE).read_text("utf-8"))
    except OSError:
        raise SettingsMalformed(
            key=FILE, rule="a readable file; make one with `hybrid-bridge consortium init`"
        ) from None
    except (ValueError, RecursionError):
        raise SettingsMalformed(key=FILE, rule="TOML in UTF-8") from None
    _require_keys(given)
    if not NAME.fullmatch(given["name"]):
        raise SettingsMalformed(key="name", rule=f"like {NAME.pattern}")
    if given["log_level"] not in _LEVELS:
        raise SettingsMalformed(key="log_level", rule=f"one of {', '.join(_LEVELS)}")
    if given.get("erasure_notices", LIST) not in (LIST, FOLLOW):
        raise SettingsMalformed(key="erasure_notices", rule=f"{LIST} or {FOLLOW}")
    _require_range(given | {"block_every": given.get("block_every", 0)}, "block_every", 0, 3600)
    _require_range({"snapshot_every": SNAPSHOT_EVERY} | given, "snapshot_every", 0, 1_000_000)
    _require_range(given, "block_interval_ms", 10, 60_000)
    _require_range(given, "pool_limit", 1, 1_000_000)
    _require_endpoints(given)
    given["public"] = _public(given.get("public"))
    given["limits"] = _limits(given.get("limits", {}))
    given["crl"] = _crl(given.get("crl", {}))
    if "database" in given:
        parse_database(given["database"], folder, "database")
    given["engine_archives"] = _endpoints(given.get("engine_archives", []), "engine_archives")
    uris = given.pop("secrets")
    attestation = _place(folder, uris)
    secrets = {name: _secret_path(folder, name, uri) for name, uri in uris.items()}
    for name, path in secrets.items():
        if sum(path == other for other in secrets.values()) > 1:
            raise SettingsMalformed(key=f"secrets.{name}", rule="a file of its own: no key has two uses")
    return NodeSettings(folder=folder, secrets=secrets, attestation=attestation, **given)


def read_secret(settings: NodeSettings, name: str) -> bytes:
    """The bytes of a secret: PEM for `tls`, else 64 hex digits and a newline.

    Raises:
        KeyUnusable: missing, readable by others, or not of its form.
    """
    path = settings.secrets.get(name)
    if path is None:
        raise KeyUnusable(key=name, rule="named in [secrets]")
    data = private_bytes(path, name)
    if name == "tls":
        return data
    try:
        secret = bytes.fromhex(data.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise KeyUnusable(key=name, rule="64 hex digits")
    return secret


def private_bytes(path: Path, name: str) -> bytes:
    """The content of a file that nobody but its owner may touch.

    Raises:
        KeyUnusable: missing, or its mode lets others in.
    """
    try:
        if path.stat().st_mode & _SECRET_MODE:
            raise KeyUnusable(key=name, rule="mode 0600")
        return path.read_bytes()
    except OSError:
        raise KeyUnusable(key=name, rule="a readable file") from None


def require_endpoint(text: str, key: str) -> tuple[str, int]:
    """Host and port of `host:port`; port 0 lets the kernel choose.

    Raises:
        SettingsMalformed: anything else.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise SettingsMalformed(key=key, rule="host:port")
    return host, int(port)


def require_loopback(text: str, key: str) -> None:
    """Return if `host:port` is reached from this machine alone.

    Raises:
        SettingsMalformed: anything else.
    """
    host, _ = require_endpoint(text, key)
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsMalformed(key=key, rule="an address on this machine's loopback")


def _require_endpoints(given: Mapping[str, Any]) -> None:
    """Where others reach us, and what only this machine may reach."""
    require_endpoint(given["listen"], "listen")
    if given.get("metrics"):
        require_loopback(given["metrics"], "metrics")
    if "engine_rpc" in given:
        require_loopback(given["engine_rpc"], "engine_rpc")


def _endpoints(given: list[object], key: str) -> tuple[str, ...]:
    for one in given:
        require_endpoint(one if isinstance(one, str) else "", key)
    return tuple(map(str, given))


def write_settings(settings: NodeSettings) -> str:
    """The TOML text of settings; the inverse of `read_settings`."""
    public, limits = settings.public, settings.limits
    contract = "" if public is None or public.contract is None else f', contract = "{public.contract}"'
    rates = ", ".join(f"{kind} = {getattr(limits, kind)}" for kind in KINDS)
    archives = json.dumps(settings.engine_archives)
    lists = ", ".join(f'"{name}"' for name in settings.crl.files)
    optional = (
        (settings.database, f"database = {json.dumps(settings.database)}  # of PostgreSQL, for ledger and records"),
        (settings.witnesses, f'witnesses = "{settings.witnesses}"'),
        (settings.engine_rpc, f'engine_rpc = "{settings.engine_rpc}"  # our own consensus engine, for us alone'),
        (settings.engine_archives, f"engine_archives = {archives}  # they have older blocks than ours"),
        (settings.snapshot_every != SNAPSHOT_EVERY, f"snapshot_every = {settings.snapshot_every}  # blocks; 0: none"),
        (settings.block_every, f"block_every = {settings.block_every}  # seconds; exactly one block in each"),
        (settings.erasure_notices != LIST, f'erasure_notices = "{settings.erasure_notices}"'),
        (settings.metrics, f'metrics = "{settings.metrics}"'),
        (public, f'public = {{ rpc = "{public and public.rpc}"{contract} }}'),
        (limits != DEFAULT, f"limits = {{ {rates} }}  # of each caller, a second"),
        (settings.crl != CrlSettings(), f'crl = {{ files = [{lists}], stale = "{settings.crl.stale}" }}'),
    )
    lines = [
        f'name = "{settings.name}"',
        f'listen = "{settings.listen}"',
        f'log_level = "{settings.log_level}"',
        f"reflection = {str(settings.reflection).lower()}",
        f"block_interval_ms = {settings.block_interval_ms}  # least time between two blocks of the sequencer",
        f"pool_limit = {settings.pool_limit}  # transactions that may wait at the sequencer",
        *(line for is_given, line in optional if is_given),
        "",
        "[secrets]",
    ]
    lines += [f'{name} = "file:{_beside(path, settings.folder)}"' for name, path in settings.secrets.items()]
    if settings.attestation is not None:
        lines.append(f'{ATTESTATION} = "{settings.attestation}"')
    return "\n".join(lines) + "\n"


def _beside(path: Path, folder: Path) -> Path:
    """As `_secret_path` reads it: from the folder on, or whole where the owner keeps a secret elsewhere."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _require_keys(given: Mapping[str, Any]) -> None:
    for key in given:
        if key not in _KEYS and key not in _OPTIONAL:
            raise SettingsMalformed(key=key[:64], rule="no such entry")
    for key in _KEYS:
        if key not in given:
            raise SettingsMalformed(key=key, rule="required")
    for key, kind in (_KEYS | _OPTIONAL).items():
        if key in given and type(given[key]) is not kind:
            raise SettingsMalformed(key=key, rule=f"of type {kind.__name__}")


def _require_range(given: Mapping[str, Any], key: str, low: int, high: int) -> None:
    if not low <= given[key] <= high:
        raise SettingsMalformed(key=key, rule=f"{low} to {high}")


def _public(given: dict[str, object] | None) -> PublicSettings | None:
    if given is None:
        return None
    if not {"rpc"} <= given.keys() <= {"rpc", "contract"} or not all(isinstance(v, str) for v in given.values()):
        raise SettingsMalformed(key="public", rule="rpc, and perhaps contract")
    rpc, contract = str(given["rpc"]), given.get("contract")
    if not re.fullmatch(r"(file:|https?://)[^\s\"\\]+", rpc):
        raise SettingsMalformed(key="public.rpc", rule="an http or https URL, or file:PATH with one")
    if contract is not None and not re.fullmatch(r"0x[0-9a-fA-F]{40}", str(contract)):
        raise SettingsMalformed(key="public.contract", rule="0x and 40 hex digits")
    return PublicSettings(rpc, None if contract is None else str(contract))


def _limits(given: dict[str, object]) -> Limits:
    for kind, rate in given.items():
        if kind not in KINDS or type(rate) is not int or not 1 <= rate <= MAX_RATE:
            raise SettingsMalformed(key=f"limits.{kind[:64]}", rule=f"one of {', '.join(KINDS)}: 1 to {MAX_RATE}")
    return Limits(**given)  # type: ignore[arg-type]  # each is an int by now


def _crl(given: dict[str, object]) -> CrlSettings:
    files, stale = given.get("files", []), given.get("stale", SERVE)
    is_list = isinstance(files, list) and all(isinstance(name, str) and re.fullmatch(CRL_NAME, name) for name in files)
    if given.keys() - {"files", "stale"} or not is_list or stale not in (SERVE, REFUSE):
        raise SettingsMalformed(key="crl", rule=f"files: names in this folder; stale: {SERVE} or {REFUSE}")
    return CrlSettings(tuple(map(str, files)), str(stale))  # type: ignore[call-overload]  # a list by now


def _place(folder: Path, uris: dict[str, object]) -> str | None:
    """Take the attestation key out of the secrets, if it is in no file of 64 hex digits."""
    uri = uris.get(ATTESTATION)
    if not isinstance(uri, str) or uri.startswith("file:"):
        return None
    key = f"secrets.{ATTESTATION}"
    require_attesting(parse_place(uri, folder, key), key)
    del uris[ATTESTATION]
    return uri


def _secret_path(folder: Path, name: str, uri: object) -> Path:
    if name not in SECRETS:
        raise SettingsMalformed(key=f"secrets.{name[:64]}", rule="no such entry")
    if not isinstance(uri, str) or not uri.startswith("file:"):
        raise SettingsMalformed(key=f"secrets.{name}", rule="a file: URI")
    return folder / uri.removeprefix("file:")
