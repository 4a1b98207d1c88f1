"""Where a key is, as one line of the settings: a file, a token, a server, a cloud. Strict, and without secrets.

::

    keystore:PATH?password=PASSPHRASE
    pkcs11:token=NAME;object=NAME?module-path=/ABSOLUTE/MODULE.so&pin-source=PASSPHRASE
    web3signer:https://HOST:PORT?key=0x{128 hex digits}[&ca=PATH][&certificate=PATH&certificate-key=file:PATH]
    aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID[?endpoint=https://HOST]
    gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N[?endpoint=https://HOST]
    azure-kms:https://VAULT.vault.azure.net/keys/NAME/VERSION

PASSPHRASE as in `passphrases`. Source: RFC 7512 for `pkcs11:`; RELAYER §5.1.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from hybrid_bridge.adapters.hsm.aws_kms import AwsPlace
from hybrid_bridge.adapters.hsm.gcp_kms import GcpPlace
from hybrid_bridge.adapters.hsm.pkcs11_key import Pkcs11Place
from hybrid_bridge.adapters.web.key_vault import PUBLIC, VaultPlace
from hybrid_bridge.custody.passphrases import Passphrase, parse_passphrase
from hybrid_bridge.errors import SettingsMalformed

MAX_PLACE: Final = 2048  # characters
_PATH_NAMES: Final = ("token", "serial", "object", "id")
_PIN_VALUE: Final = "no PIN in the settings: name a pin-source"
_KEYSTORE: Final = "keystore:PATH?password=file:PATH, fd:N or command:…"
_PKCS11: Final = "pkcs11:token=NAME;object=NAME?module-path=/PATH&pin-source=file:PATH, fd:N or command:…"
_WEB3SIGNER: Final = "web3signer:https://HOST:PORT?key=0x and 128 hex digits"
_AWS: Final = "aws-kms:arn:aws:kms:REGION:ACCOUNT:key/ID, the key's own ARN, no alias"
_GCP: Final = "gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N"
_AZURE: Final = "azure-kms:https://VAULT.vault.azure.net/keys/NAME/VERSION, or of a managed HSM"
_ENDPOINT: Final = "endpoint=https://HOST, or http to this machine's loopback"
_ARN: Final = re.compile(r"arn:aws(?:-[a-z]{1,8}){0,3}:kms:([a-z0-9-]{1,32}):[0-9]{12}:key/(?:mrk-)?[0-9a-f-]{32,36}")
_VERSION: Final = re.compile(
    r"projects/[a-z0-9.:-]{1,64}/locations/[a-z0-9-]{1,63}/keyRings/[\w-]{1,63}"
    r"/cryptoKeys/[\w-]{1,63}/cryptoKeyVersions/[1-9][0-9]{0,9}",
    re.ASCII,
)
_VAULT: Final = re.compile(  # Azure's clouds, each with the audience its tokens are for
    r"https://[a-z0-9-]{1,63}\.((?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net))"
    r"/keys/[A-Za-z0-9-]{1,127}/[0-9a-f]{32}"
)
_VAULT_HERE: Final = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}/keys/[A-Za-z0-9-]{1,127}/[0-9a-f]{32}")
_VALUE: Final = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=]|%[0-9A-Fa-f]{2})+")  # RFC 7512 §2.3, pk11-pchar


@dataclass(frozen=True, slots=True)
class Keystore:
    """An Ethereum keystore file and what opens it."""

    path: Path
    passphrase: Passphrase

    def __str__(self) -> str:
        return f"keystore {self.path}"


@dataclass(frozen=True, slots=True)
class Token:
    """A key in a PKCS#11 token and where its PIN comes from."""

    key: Pkcs11Place
    pin: Passphrase

    def __str__(self) -> str:
        return str(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSigner:
    """A key behind a server of web3signer's API. TLS, or this machine."""

    url: str
    public_key: bytes
    ca: Path | None
    certificate: tuple[Path, Path] | None  # ours, and its key

    def __str__(self) -> str:
        return f"web3signer {self.url}"


Place = Keystore | Token | RemoteSigner | AwsPlace | GcpPlace | VaultPlace


def parse_place(text: str, folder: Path, key: str) -> Place:
    """Where a key is.

    Args:
        text: one of the forms above.
        folder: of the settings; relative paths start there.
        key: the setting's name, for errors.

    Raises:
        SettingsMalformed: none of the forms, an unknown, missing or repeated part, or a secret in it.
    """
    scheme, _, rest = text.partition(":")
    parse = _SCHEMES.get(scheme)
    if parse is None or len(text) > MAX_PLACE:
        raise SettingsMalformed(key=key, rule="keystore:…, pkcs11:…, web3signer:…, aws-kms:…, gcp-kms:… or azure-kms:…")
    return parse(rest, folder, key)


def scheme_of(place: Place) -> str:
    """The word before the colon."""
    return _NAMES[type(place)]


def require_attesting(place: Place, name: str) -> Place:
    """`place`, unless no attestation key may be there.

    Raises:
        SettingsMalformed: a web3signer hashes for itself and signs for whoever reaches it; no guard stands before it.
    """
    if isinstance(place, RemoteSigner):
        raise SettingsMalformed(key=name, rule="file:, keystore:, pkcs11:, aws-kms:, gcp-kms: or azure-kms:")
    return place


def _keystore(rest: str, folder: Path, key: str) -> Keystore:
    path, _, source = rest.partition("?password=")
    if not path or not source:
        raise SettingsMalformed(key=key, rule=_KEYSTORE)
    return Keystore(folder / path, parse_passphrase(source, folder, key))


def _token(rest: str, folder: Path, key: str) -> Token:
    path, _, query = rest.partition("?")
    named = {name: _decoded(value, key) for name, value in _parts(path, ";", key).items()}
    asked = _parts(query, "&", key)
    if "pin-value" in asked or "pin-value" in named:
        raise SettingsMalformed(key=key, rule=_PIN_VALUE)
    if set(asked) != {"module-path", "pin-source"} or not set(named) <= set(_PATH_NAMES) or "token" not in named:
        raise SettingsMalformed(key=key, rule=_PKCS11)
    if "object" not in named and "id" not in named:
        raise SettingsMalformed(key=key, rule="object=NAME or id=%01…: the key's own names")
    module = Path(asked["module-path"])
    if not module.is_absolute():
        raise SettingsMalformed(key=key, rule="an absolute module-path: a driver is code")
    place = Pkcs11Place(
        module=module,
        token=_text(named["token"], key),
        serial=_text(named["serial"], key) if "serial" in named else None,
        label=_text(named["object"], key) if "object" in named else None,
        id=named.get("id"),
    )
    return Token(place, parse_passphrase(asked["pin-source"], folder, key))


def _remote(rest: str, folder: Path, key: str) -> RemoteSigner:
    url, _, query = rest.partition("?")
    asked = _parts(query, "&", key)
    if "key" not in asked or not set(asked) <= {"key", "ca", "certificate", "certificate-key"}:
        raise SettingsMalformed(key=key, rule=_WEB3SIGNER)
    if not re.fullmatch(r"0x[0-9a-fA-F]{128}", asked["key"]):
        raise SettingsMalformed(key=key, rule=_WEB3SIGNER)
    parts = _split(url, key)
    files = {name: value for name, value in asked.items() if name != "key"}
    if parts.scheme == "http" and (files or not _is_here(parts.hostname or "")):
        raise SettingsMalformed(key=key, rule="https, or http to this machine's loopback without certificates")
    return RemoteSigner(
        url=url.rstrip("/"),
        public_key=bytes.fromhex(asked["key"][2:]),
        ca=folder / asked["ca"] if "ca" in asked else None,
        certificate=_pair(files, folder, key),
    )


def _aws(rest: str, _folder: Path, key: str) -> AwsPlace:
    arn, _, query = rest.partition("?")
    found = _ARN.fullmatch(arn)
    if found is None:
        raise SettingsMalformed(key=key, rule=_AWS)
    return AwsPlace(arn=arn, region=found[1], endpoint=_endpoint(query, key))


def _gcp(rest: str, _folder: Path, key: str) -> GcpPlace:
    version, _, query = rest.partition("?")
    if not _VERSION.fullmatch(version):
        raise SettingsMalformed(key=key, rule=_GCP)
    return GcpPlace(version=version, endpoint=_endpoint(query, key))


def _azure(rest: str, _folder: Path, key: str) -> VaultPlace:
    found = _VAULT.fullmatch(rest)
    if found is None and not _VAULT_HERE.fullmatch(rest):
        raise SettingsMalformed(key=key, rule=_AZURE)
    return VaultPlace(url=rest, audience=PUBLIC if found is None else found[1])


def _endpoint(query: str, key: str) -> str | None:
    """A service's address in a private network: a server, no path."""
    if not query:
        return None
    asked = _parts(query, "&", key)
    if set(asked) != {"endpoint"}:
        raise SettingsMalformed(key=key, rule=_ENDPOINT)
    parts = _split(asked["endpoint"], key)
    if parts.path or parts.query or (parts.scheme == "http" and not _is_here(parts.hostname or "")):
        raise SettingsMalformed(key=key, rule=_ENDPOINT)
    return asked["endpoint"]


def _pair(files: Mapping[str, str], folder: Path, key: str) -> tuple[Path, Path] | None:
    if ("certificate" in files) != ("certificate-key" in files):
        raise SettingsMalformed(key=key, rule="certificate and certificate-key together")
    if "certificate" not in files:
        return None
    scheme, _, path = files["certificate-key"].partition(":")
    if scheme != "file" or not path:
        raise SettingsMalformed(key=key, rule="certificate-key=file:PATH")
    return folder / files["certificate"], folder / path


def _split(url: str, key: str) -> SplitResult:
    """A plain address of a server: no user, query or fragment."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        fits, parts = False, urlsplit("")
    if not fits or parts.fragment or not re.fullmatch(r"[!-~]+", url):
        raise SettingsMalformed(key=key, rule=_WEB3SIGNER)
    return parts


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(text: str, separator: str, key: str) -> dict[str, str]:
    """`name=value` and the next, each name once and no value empty."""
    parts: dict[str, str] = {}
    for item in text.split(separator):
        name, _, value = item.partition("=")
        if not name or not value or name in parts:
            raise SettingsMalformed(key=key, rule="name=value, each name once")
        parts[name] = value
    return parts


def _decoded(value: str, key: str) -> bytes:
    if not _VALUE.fullmatch(value):
        raise SettingsMalformed(key=key, rule="characters as in RFC 7512, all others as %XX")
    return unquote_to_bytes(value)


def _text(value: bytes, key: str) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise SettingsMalformed(key=key, rule="names in printable UTF-8")
    return text


_SCHEMES: Final[Mapping[str, Callable[[str, Path, str], Place]]] = {
    "keystore": _keystore,
    "pkcs11": _token,
    "web3signer": _remote,
    "aws-kms": _aws,
    "gcp-kms": _gcp,
    "azure-kms": _azure,
}
_NAMES: Final[Mapping[type, str]] = {
    Keystore: "keystore",
    Token: "pkcs11",
    RemoteSigner: "web3signer",
    AwsPlace: "aws-kms",
    GcpPlace: "gcp-kms",
    VaultPlace: "azure-kms",
}
