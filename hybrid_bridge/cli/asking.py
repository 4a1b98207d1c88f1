"""Other members asked for the proof that one's own node should give: if it lost its data, or lies, it stops nothing.

Whoever answers is judged as any stranger's file would be, so it does not matter who it is. No label travels: another
member gets an index, and what stands there; label and VRF proof are put beside it here, with the key in one's folder.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from hybrid_bridge.core.bundle import Bundle, LabelPart, decode_bundle
from hybrid_bridge.core.encoding import parse_b64u
from hybrid_bridge.core.labels import LIFE, Label, alpha
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.errors import BridgeError, Broken, FieldMalformed, Missing
from hybrid_bridge.units import LogId, RegistryIndex

if TYPE_CHECKING:
    from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
    from hybrid_bridge.node.settings import NodeSettings

T = TypeVar("T")
PROMISE: Final = 219  # bytes
IDENTITY_VERSION: Final = 0  # the only one an identity label has

node_option = click.option(
    "--node",
    "nodes",
    metavar="NAME=HOST:PORT",
    multiple=True,
    help="Ask this member too, with the certificate of the folder's node; repeatable.",
)


@dataclass(frozen=True, slots=True)
class Other:
    """Another member's node, as one's own member asks it."""

    peer: "GrpcPeer"
    log_id: LogId
    vrf_seed: bytes

    def labels(self, labels: Sequence[Label], size: int) -> Bundle:
        """What stands at the indices of these labels; the state of an object is for its own validators to open."""
        from hybrid_bridge.core import vrf  # noqa: PLC0415 libsodium only when asked
        from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415 gRPC is dear; help must not pay

        proofs: dict[bytes, tuple[Label, bytes]] = {}
        for label in (label for label in labels if label.type != LIFE):
            proof = vrf.prove(self.vrf_seed, alpha(self.log_id, label, IDENTITY_VERSION))
            proofs[RegistryIndex(vrf.index_of(vrf.proof_output(proof)))] = label, proof
        bundle = decode_bundle(self.peer.prove(pb.ProveRequest(size=size, indices=list(proofs))))

        def named(part: LabelPart) -> LabelPart:
            if part.index not in proofs:
                return part
            label, proof = proofs[part.index]
            return replace(part, label=label.encode(), version=IDENTITY_VERSION, proof=proof)

        epochs = (replace(epoch, labels=tuple(map(named, epoch.labels))) for epoch in bundle.epochs)
        return replace(bundle, epochs=tuple(epochs))

    def omission(self, promise: SignedPromise, size: int) -> Bundle:
        """Every epoch of the promise's window as this member has closed it."""
        from hybrid_bridge.rpc.v1 import bridge_pb2 as pb  # noqa: PLC0415 gRPC is dear; help must not pay

        return decode_bundle(self.peer.prove(pb.ProveRequest(size=size, promise=promise.encode())))


def log_id_of(folder: Path) -> LogId:
    """Of the folder's genesis record: nobody has to be asked for it."""
    from hybrid_bridge.node.directory import read_directory  # noqa: PLC0415 certificates are dear; help must not pay

    return read_directory(folder).log_id


@contextmanager
def others(folder: Path, nodes: Sequence[str]) -> Iterator[list[Other]]:
    """The members named by `--node`.

    Raises:
        FieldMalformed: not NAME=HOST:PORT.
        KeyUnusable: the folder lacks the node's keys.
    """
    from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer  # noqa: PLC0415 gRPC is dear; help must not pay
    from hybrid_bridge.node.opening import tls_files  # noqa: PLC0415
    from hybrid_bridge.node.settings import read_secret, read_settings, require_endpoint  # noqa: PLC0415

    if not nodes:
        yield []
        return
    settings: NodeSettings = read_settings(folder)
    tls, seed, log_id = tls_files(settings), read_secret(settings, "vrf"), log_id_of(folder)
    with ExitStack() as stack:
        found = []
        for text in nodes:
            name, separator, endpoint = text.partition("=")
            if not separator or not name:
                raise FieldMalformed(field="--node", rule="NAME=HOST:PORT")
            require_endpoint(endpoint, "--node")
            found.append(Other(stack.enter_context(GrpcPeer.at(name, endpoint, tls)), log_id, seed))
        yield found


def best(asks: Sequence[Callable[[], T]], worth: Callable[[T], int]) -> T:
    """Ask all, and take the answer of most worth, the first among equals. What nobody answers, the first one's error.

    Raises:
        BridgeError: of the first that was asked, when no one has an answer.
    """
    answers, errors = [], []
    for ask in asks:
        try:
            answers.append(ask())
        except Broken:
            raise
        except BridgeError as error:
            errors.append(error)
    if not answers:
        raise errors[0] if errors else Missing(what="somebody to ask")
    return max(answers, key=worth)


def read_promise(path: Path) -> SignedPromise:
    """A promise as `member submit` printed it: base64url of 219 bytes.

    Raises:
        Malformed: it is none.
    """
    with path.open("rb") as file:
        data = file.read(2 * PROMISE)
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise FieldMalformed(field="--promise", rule="base64url of 219 bytes") from None
    return SignedPromise.decode(parse_b64u(text, "--promise"))
