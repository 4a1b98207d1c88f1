"""The gate before every call: whose certificate, in what role, how many at once; only then the message is read.

grpc lends a call of one message its thread first and waits on it for the message; who may ask would be seen after that,
so that anybody with a certificate could hold every thread by sending nothing. Hence the interceptor makes each such
method one that reads its message itself, which is the same on the wire, and checks before it reads.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from traceback import format_tb
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from hybrid_bridge.errors import BridgeError, Broken, FieldMalformed, NotEntitled, TooManyCalls
from hybrid_bridge.rpc.bounds import require_numbers
from hybrid_bridge.rpc.faults import status_of, trailing
from hybrid_bridge.rpc.service import Authenticate, Call, Caller, Service

CALLS_OF_ONE: Final = (
    24  # threads that one caller may hold; a member's node needs three, and one for each waiting submit
)

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in its types alone
_Behaviour: TypeAlias = Callable[[Any, Any], Any]

_log = logging.getLogger(__name__)


class Gate(grpc.ServerInterceptor):
    """Stands before every method of a server, those of grpc's health and reflection services too."""

    def __init__(self, services: Sequence[Service], authenticate: Authenticate) -> None:
        self._services: Mapping[str, Service] = {service.name: service for service in services}
        self._authenticate = authenticate
        self._turn = threading.Lock()
        self._held: Counter[Caller] = Counter()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """The handler behind the gate; None where there is none."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        path = str(handler_call_details.method).lstrip("/")
        if handler.response_streaming:
            make, behaviour = grpc.stream_stream_rpc_method_handler, self._many(path, handler)
        else:
            make, behaviour = grpc.stream_unary_rpc_method_handler, self._one(path, handler)
        deserializer = handler.request_deserializer if handler.request_streaming else None
        return make(behaviour, deserializer, handler.response_serializer)

    def _one(self, path: str, handler: Any) -> _Behaviour:  # noqa: ANN401 grpc's own types
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary

        def one(messages: Iterator[Any], context: grpc.ServicerContext) -> Any:  # noqa: ANN401 grpc's own types
            with _faults_sent(context, path), self._admitted(path, context) as call:
                return inner(_request(handler, messages), call)

        return one

    def _many(self, path: str, handler: Any) -> _Behaviour:  # noqa: ANN401 grpc's own types
        inner = handler.stream_stream if handler.request_streaming else handler.unary_stream

        def many(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            with _faults_sent(context, path), self._admitted(path, context) as call:
                yield from inner(_request(handler, messages), call)

        return many

    @contextmanager
    def _admitted(self, path: str, context: grpc.ServicerContext) -> Iterator[Call | grpc.ServicerContext]:
        """What the method gets beside its message: our own a `Call`, those of grpc's services their context.

        Counted until the thread is free again, not until the call is over: who hangs up early frees no thread.
        """
        caller = self._caller(context)
        service = self._services.get(path.rpartition("/")[0])
        if service is not None and not service.entitled(caller):
            raise NotEntitled(caller=f"{caller.role}:{caller.name}", call=path)
        with self._turn:
            if self._held[caller] >= CALLS_OF_ONE:
                raise TooManyCalls(limit=CALLS_OF_ONE)
            self._held[caller] += 1
        try:
            yield context if service is None else Call(caller, context.is_active)
        finally:
            with self._turn:
                self._held[caller] -= 1

    def _caller(self, context: grpc.ServicerContext) -> Caller:
        """Who calls, by a certificate that is good now."""
        certificates = context.auth_context().get("x509_pem_cert", ())
        return self._authenticate(bytes(next(iter(certificates), b"")))


def _request(handler: Any, messages: Iterator[Any]) -> Any:  # noqa: ANN401 grpc's own types
    """The one message of a call, bounded; or the stream of them.

    Raises:
        FieldMalformed: none came, it is none of this method's, or a number in it is too large.
    """
    if handler.request_streaming:
        return messages
    data = next(messages, None)
    if data is None:
        raise FieldMalformed(field="request", rule="exactly one message")
    try:
        request = handler.request_deserializer(data)
    except DecodeError:
        raise FieldMalformed(field="request", rule="a message of this method") from None
    require_numbers(request)
    return request


@contextmanager
def _faults_sent(context: grpc.ServicerContext, method: str) -> Iterator[None]:
    """End the call with the error's status and fields. What we did not foresee leaves no text: it could be private."""
    try:
        yield
    except BridgeError as error:
        fault = error
        _log.info("refused %s: %s", method, type(error).__name__)
    except Exception as error:
        if not context.is_active():  # the caller hung up; grpc raises out of a stream that is gone
            raise
        fault = Broken()
        _log.critical("unforeseen %s in %s\n%s", type(error).__name__, method, "".join(format_tb(error.__traceback__)))
    else:
        return
    context.set_trailing_metadata(trailing(fault))
    context.abort(status_of(fault), type(fault).__name__)
