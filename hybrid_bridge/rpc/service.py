"""What a service of the API is made of: who calls, the call at work, methods, and who may ask them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import grpc


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the certificate says: a name of the consortium and one role."""

    name: str
    role: str  # member, owner, relayer or auditor


class Authenticate(Protocol):
    """Says who holds this certificate, at this moment."""

    def __call__(self, certificate: bytes) -> Caller:
        """The caller behind a PEM certificate that TLS has verified against our roots.

        Raises:
            BridgeError: expired, or none of ours.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """One call at work: who asks, whether it is still there and may be, and what it costs beside one token."""

    caller: Caller
    active: Callable[[], bool]
    charge: Callable[[int], None] = lambda _tokens: None


Method: TypeAlias = Callable[[Any, Call], Any]  # request in; answer out, or a generator of answers


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the API: its full name, how it is added to a server, its methods, and who may call them."""

    name: str
    add: Callable[[object, grpc.Server], None]  # the generated add_…Servicer_to_server
    methods: Mapping[str, Method]
    entitled: Callable[[Caller], bool]
    kinds: Mapping[str, str] = field(default_factory=dict)  # classes of calls (`limits`), where not reads or streams
