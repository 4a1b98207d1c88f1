"""A client's side of a call: mutual TLS, one name to expect, limits, and a deadline on every call.

grpcio 1.85 cannot change a channel's certificate: open a new channel first, then close the old one (RELAYER §6).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import grpc

from hybrid_bridge.errors import AnswerMalformed, FieldMalformed, Unreachable
from hybrid_bridge.rpc.bounds import require_numbers
from hybrid_bridge.rpc.faults import call_status, translated

MAX_MESSAGE: Final = 4 << 20  # bytes; the longest answer is a batch of blocks
MAX_METADATA: Final = 16 << 10

Q_contra = TypeVar("Q_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)
Q = TypeVar("Q")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClientTls:
    """What a client shows and whom it believes, as PEM. Never printed."""

    roots: bytes
    certificate: bytes
    key: bytes = field(repr=False)


class Unary(Protocol[Q_contra, A_co]):
    """A unary stub method."""

    def __call__(self, request: Q_contra, *, timeout: float) -> A_co:
        """Call it."""


def open_channel(endpoint: str, server_name: str, tls: ClientTls) -> grpc.Channel:
    """A channel to `endpoint` that talks to nobody but `server_name`. Connects on first use."""
    credentials = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
    options = (
        ("grpc.ssl_target_name_override", server_name),
        ("grpc.default_authority", server_name),
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.max_metadata_size", MAX_METADATA),
        ("grpc.enable_retries", 0),  # a retry is our decision, never the library's
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 5_000),  # what a handshake may take, no pause: a busy machine needs seconds
        ("grpc.max_reconnect_backoff_ms", 2_000),  # a member that is back is found within seconds
        ("grpc.enable_http_proxy", 0),
    )
    return grpc.secure_channel(endpoint, credentials, options)


@dataclass(frozen=True, slots=True)
class Line:
    """Asks by deadline and lets only our errors out. `name` is the endpoint's name in the settings, not its address."""

    name: str
    deadline: float  # seconds

    def ask(self, method: Unary[Q, T], request: Q, wait: float = 0.0) -> T:
        """One unary call; `wait` is time the server was asked to hold the answer.

        Raises:
            BridgeError: what the server raised; `Unreachable` when it said nothing in time.
        """
        try:
            answer = method(request, timeout=self.deadline + wait)
        except grpc.RpcError as failure:
            raise translated(failure, self.name, _call_name(method)) from None
        except ValueError:  # another thread closed the channel: whom it led to is no peer of ours any more
            raise Unreachable(endpoint=self.name, call=_call_name(method)) from None
        return self._bounded(answer, method)

    def stream(self, method: Callable[..., Iterator[T]], request: object, seconds: float) -> Iterator[T]:
        """The messages of one server stream that may last `seconds`; its deadline ends it quietly.

        Raises:
            BridgeError: as `ask`, but for the deadline.
        """
        try:
            for answer in method(request, timeout=seconds):
                yield self._bounded(answer, method)
        except grpc.RpcError as failure:
            if call_status(failure) is grpc.StatusCode.DEADLINE_EXCEEDED:
                return
            raise translated(failure, self.name, _call_name(method)) from None
        except ValueError:  # as in `ask`
            raise Unreachable(endpoint=self.name, call=_call_name(method)) from None

    def _bounded(self, answer: T, method: object) -> T:
        try:
            require_numbers(answer)
        except FieldMalformed as error:
            raise AnswerMalformed(
                endpoint=self.name, call=_call_name(method), rule=f"{error.field} <= 2^53-1"
            ) from None
        return answer


def _call_name(method: object) -> str:
    path = getattr(method, "_method", b"?")
    return bytes(path).decode("ascii", "replace").rsplit("/", 1)[-1] if isinstance(path, bytes) else "call"
