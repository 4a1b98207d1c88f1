"""The gate before every call: whose certificate, what role, how often, how many; only then the message is read.

grpc lends a call of one message its thread first and waits on it for the message; who may ask would be seen after that,
so that anybody with a certificate could hold every thread by sending nothing. Hence the interceptor makes each such
method one that reads its message itself, which is the same on the wire, and checks before it reads.
A connection outlives its certificate, and so does a stream: whose certificate is good no more gets nothing further.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from traceback import format_tb
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from hybrid_bridge.errors import BridgeError, Broken, FieldMalformed, NotEntitled, Throttled, TooManyCalls
from hybrid_bridge.rpc.bounds import require_numbers
from hybrid_bridge.rpc.faults import status_of, trailing
from hybrid_bridge.rpc.limits import UNIT, Buckets
from hybrid_bridge.rpc.service import Authenticate, Call, Caller, Service

CALLS_OF_ONE: Final = (
    24  # threads that one caller may hold; a member's node needs three, and one for each waiting submit
)

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in its types alone
_Behaviour: TypeAlias = Callable[[Any, Any], Any]

_log = logging.getLogger(__name__)


class Gate(grpc.ServerInterceptor):
    """Stands before every method of a server, those of grpc's health and reflection services too."""

    def __init__(
        self,
        services: Sequence[Service],
        authenticate: Authenticate,
        buckets: Buckets,
        throttled: Callable[[Caller, str], None],
    ) -> None:
        """`throttled` hears whose call of what class was one too many."""
        self._services: Mapping[str, Service] = {service.name: service for service in services}
        self._authenticate, self._buckets, self._throttled = authenticate, buckets, throttled
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
            with _faults_sent(context, path), self._admitted(path, "reads", context) as call:
                answer = inner(_request(handler, messages, call), call.passed)
                self._caller(context)  # a held answer may be late
                return answer

        return one

    def _many(self, path: str, handler: Any) -> _Behaviour:  # noqa: ANN401 grpc's own types
        inner = handler.stream_stream if handler.request_streaming else handler.unary_stream

        def many(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
            with _faults_sent(context, path), self._admitted(path, "streams", context) as call:
                for answer in inner(_request(handler, messages, call), call.passed):
                    self._caller(context)
                    yield answer
                self._caller(context)  # it may have ended for this

        return many

    @contextmanager
    def _admitted(self, path: str, kind: str, context: grpc.ServicerContext) -> "Iterator[_Admitted]":
        """A call that may go on, of this class unless its service says another.

        Counted until the thread is free again, not until the call is over: who hangs up early frees no thread.
        """
        caller = self._caller(context)
        name, _, method = path.rpartition("/")
        service = self._services.get(name)
        kind = kind if service is None else service.kinds.get(method, kind)
        self._pay(caller, kind)
        if service is not None and not service.entitled(caller):
            raise NotEntitled(caller=f"{caller.role}:{caller.name}", call=path)
        with self._turn:
            if self._held[caller] >= CALLS_OF_ONE:
                raise TooManyCalls(limit=CALLS_OF_ONE)
            self._held[caller] += 1
        try:
            call = Call(caller, lambda: self._stands(context), partial(self._buckets.charge, caller, kind))
            yield _Admitted(call.charge, context if service is None else call)
        finally:
            with self._turn:
                self._held[caller] -= 1
                if not self._held[caller]:
                    del self._held[caller]

    def _pay(self, caller: Caller, kind: str) -> None:
        try:
            self._buckets.take(caller, kind)
        except Throttled:
            self._throttled(caller, kind)
            raise

    def _stands(self, context: grpc.ServicerContext) -> bool:
        """Whether the caller is still there, with a certificate that is good now."""
        try:
            self._caller(context)
        except BridgeError:
            return False
        return bool(context.is_active())

    def _caller(self, context: grpc.ServicerContext) -> Caller:
        """Who calls, by a certificate that is good now."""
        certificates = context.auth_context().get("x509_pem_cert", ())
        return self._authenticate(bytes(next(iter(certificates), b"")))


@dataclass(frozen=True, slots=True)
class _Admitted:
    charge: Callable[[int], None]
    passed: Call | grpc.ServicerContext  # what the method gets: ours a `Call`, those of grpc's services their context


def _request(handler: Any, messages: Iterator[Any], admitted: _Admitted) -> Any:  # noqa: ANN401 grpc's own types
    """The one message of a call, bounded; or the stream of them.

    Raises:
        FieldMalformed: none came, it is none of this method's, or a number in it is too large.
    """
    if handler.request_streaming:
        return messages
    data = next(messages, None)
    if data is None:
        raise FieldMalformed(field="request", rule="exactly one message")
    admitted.charge(len(data) // UNIT)
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
