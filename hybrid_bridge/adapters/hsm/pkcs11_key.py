"""A secp256k1 key in an HSM, over PKCS#11. The key never leaves it; what it answers is judged by the caller.

The binding is an extra (`hybrid-bridge[pkcs11]`). Calls of a module go one at a time, each in a thread of its own that
is given up at its deadline: a module may hang in the driver for ever, and an answer that comes late is dropped.
A session that fails is closed and opened anew at the next request. A PIN that was refused is not tried again: tokens
lock themselves after a few.
Source: PKCS#11 v2.40 §2.3.1 (EC keys), §2.3.6 (CKM_ECDSA); RFC 7512 (the URI).
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from hybrid_bridge.adapters.hsm.lane import Lane
from hybrid_bridge.errors import BridgeError, KeyUnusable, Unreachable
from hybrid_bridge.units import Digest, Seconds

if TYPE_CHECKING:
    import pkcs11

DEADLINE: Final = Seconds(15)  # of one request: an HSM signs in milliseconds, but a PIN has to be fetched first
SECP256K1: Final = bytes.fromhex("06052b8104000a")  # the curve's OID 1.3.132.0.10 in DER: CKA_EC_PARAMS
# The device, the token or the session is gone for now, or our handles are stale: ask again.
_AWAY: Final = (
    "CryptokiNotInitialized",
    "DeviceError",
    "DeviceMemory",
    "DeviceRemoved",
    "FunctionCancelled",
    "FunctionFailed",
    "GeneralError",
    "HostMemory",
    "KeyHandleInvalid",
    "ObjectHandleInvalid",
    "OperationActive",
    "OperationNotInitialized",
    "SessionClosed",
    "SessionCount",
    "SessionHandleInvalid",
    "TokenNotPresent",
    "UserNotLoggedIn",
)
_PIN: Final = ("PinExpired", "PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "UserPinNotInitialized")
_T = TypeVar("_T")
_LOCKS: Final[dict[Path, threading.Lock]] = {}  # one for each module of the process, whoever uses it for what key


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs11Place:
    """A key by the names it has in a token; at least one of `label` and `id`."""

    module: Path
    token: str
    serial: str | None
    label: str | None
    id: bytes | None

    def __str__(self) -> str:
        parts = [f"token {self.token}"]
        parts += [f"serial {self.serial}"] * (self.serial is not None)
        parts += [f"object {self.label}"] * (self.label is not None)
        parts += [f"id {self.id.hex()}"] if self.id is not None else []
        return f"PKCS#11 {', '.join(parts)}, module {self.module}"


@dataclass(frozen=True, slots=True)
class KeyTraits:
    """What the token says of the key."""

    is_extractable: bool
    is_sensitive: bool


class Pkcs11Key:
    """One private key of one token. Threads: any; requests wait for one another, also for those of its neighbours."""

    def __init__(self, place: Pkcs11Place, pin: Callable[[], str], name: str, deadline: Seconds = DEADLINE) -> None:
        """Touches nothing yet.

        Args:
            place: where the key is.
            pin: asked for whenever a session is opened.
            name: the key's in the settings, for errors.
            deadline: of one request.
        """
        self._place, self._pin, self._name = place, pin, name
        self._lane = Lane(name, deadline, _LOCKS.setdefault(place.module, threading.Lock()))
        self._opened: tuple[pkcs11.Session, pkcs11.SignMixin] | None = None
        self._refused = ""  # why the PIN was

    def open(self) -> KeyTraits:
        """Log in and find the key.

        Raises:
            KeyUnusable: no binding, module, token or key of these names; the PIN is wrong; another kind of key.
            Unreachable: no answer, or the device is away.
        """
        return self._lane.run("open", lambda: self._guarded("open", self._traits))

    def sign(self, digest: Digest) -> bytes:
        """64 bytes r ‖ s by CKM_ECDSA over these 32, as the token gives them: s may be high, no two are alike.

        Raises:
            Unreachable: no answer, or the device is away; what it may still make is dropped.
            KeyUnusable: it never will.
        """
        return self._lane.run("sign", lambda: self._guarded("sign", lambda: self._sign(digest)))

    def _sign(self, digest: Digest) -> bytes:
        from pkcs11 import Mechanism  # noqa: PLC0415 an extra

        return bytes(self._key().sign(bytes(digest), mechanism=Mechanism.ECDSA))

    def _guarded(self, call: str, work: Callable[[], _T]) -> _T:
        """`work`, with the binding's errors as ours."""
        if self._refused:
            raise self._locked_out(self._refused)
        try:
            import pkcs11  # noqa: PLC0415 an extra
        except ImportError:
            raise KeyUnusable(
                key=self._name, rule="PKCS#11 needs its extra: pip install 'hybrid-bridge[pkcs11]'"
            ) from None
        try:
            return work()
        except BridgeError:
            raise
        except pkcs11.NoSuchToken:
            if call == "open":
                raise KeyUnusable(key=self._name, rule=f"a token {self._place.token} in the module") from None
            raise self._away(call) from None
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            kind = type(error).__name__
            if kind in _PIN:
                self._refused = kind
                raise self._locked_out(kind) from None
            if kind in _AWAY:
                raise self._away(call) from None
            raise KeyUnusable(key=self._name, rule=f"a key of a module that signs by CKM_ECDSA ({kind})") from None

    def _locked_out(self, kind: str) -> KeyUnusable:
        return KeyUnusable(key=self._name, rule=f"the token's PIN ({kind}); it is not tried again")

    def _away(self, call: str) -> Unreachable:
        """The session is given up; the next request opens another."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(Exception):  # it is gone already, or will be with the process
                opened[0].close()
        return Unreachable(endpoint=self._name, call=call)

    def _key(self) -> "pkcs11.SignMixin":
        if self._opened is None:
            session = self._session()
            try:
                self._opened = session, self._found(session)
            except BaseException:
                with suppress(Exception):
                    session.close()
                raise
        return self._opened[1]

    def _session(self) -> "pkcs11.Session":
        import pkcs11  # noqa: PLC0415 an extra

        serial = None if self._place.serial is None else self._place.serial.encode()
        if not self._place.module.is_file():
            raise KeyUnusable(key=self._name, rule="a PKCS#11 module at module-path")
        try:
            token = pkcs11.lib(str(self._place.module)).get_token(token_label=self._place.token, token_serial=serial)
        except pkcs11.MultipleTokensReturned:
            raise KeyUnusable(key=self._name, rule="one token of this label: name its serial") from None
        try:
            return token.open(user_pin=self._pin())
        except pkcs11.UserAlreadyLoggedIn:  # another key of this token, in this process
            return token.open()

    def _found(self, session: "pkcs11.Session") -> "pkcs11.SignMixin":
        import pkcs11  # noqa: PLC0415 an extra
        from pkcs11 import Attribute, KeyType, ObjectClass  # noqa: PLC0415

        names: dict[Attribute, object] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if self._place.label is not None:
            names[Attribute.LABEL] = self._place.label
        if self._place.id is not None:
            names[Attribute.ID] = self._place.id
        keys = list(session.get_objects(names))  # to the end: a search cut short lives on in the session
        if not keys:
            raise KeyUnusable(key=self._name, rule="a private key of these names in the token")
        if len(keys) > 1:
            raise KeyUnusable(key=self._name, rule="one private key of these names: give both object and id")
        key = keys[0]
        if not isinstance(key, pkcs11.SignMixin):
            raise KeyUnusable(key=self._name, rule="a private key that may sign")
        if _attribute(key, Attribute.KEY_TYPE) != KeyType.EC or _attribute(key, Attribute.EC_PARAMS) != SECP256K1:
            raise KeyUnusable(key=self._name, rule="a private key on secp256k1")
        if _attribute(key, Attribute.ALWAYS_AUTHENTICATE):
            raise KeyUnusable(key=self._name, rule="a key that signs without a PIN for each signature")
        return key

    def _traits(self) -> KeyTraits:
        from pkcs11 import Attribute  # noqa: PLC0415 an extra

        key = self._key()
        return KeyTraits(
            is_extractable=_attribute(key, Attribute.EXTRACTABLE) is not False,
            is_sensitive=_attribute(key, Attribute.SENSITIVE) is True,
        )


def _attribute(key: "pkcs11.SignMixin", attribute: "pkcs11.Attribute") -> object:
    """None where the token does not know the attribute."""
    from pkcs11 import AttributeSensitive, AttributeTypeInvalid  # noqa: PLC0415 an extra

    try:
        value: object = key[attribute]
    except (AttributeSensitive, AttributeTypeInvalid):
        return None
    return value
