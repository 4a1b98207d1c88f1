"""What a member serves to auditors replays to the roots that its quorum signed, and only auditors get it."""

import pytest

from hybrid_bridge.core.audit import Audit
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.registry import Delta
from hybrid_bridge.errors import NotYet
from hybrid_bridge.node.audit_service import AuditService
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from tests.unit.hybrid_bridge.node.members import Members, started
from tests.unit.hybrid_bridge.node.test_promises import close
from tests.unit.hybrid_bridge.node.trade import an_object, registration, sent

AUDITOR = Call(Caller("auditor", "auditor"), lambda: True)


def service(members: Members, name: str = "core") -> AuditService:
    view = members.open(name).view
    return AuditService(view, Bundler(view, lambda _size: b""))


def test_what_is_served_replays_to_the_checkpoint(members: Members) -> None:
    started(members)
    sent(members, "supplier", registration(members, an_object()))
    close(members, 3)
    served = service(members)
    note = parse_note(decode_bundle(served.checkpoint(pb.CheckpointRequest(), AUDITOR).bundle).checkpoints[0].note)
    audit = Audit(members.foundation.genesis)
    for first, last in ((0, 1), (2, 99)):
        for message in served.deltas(pb.EpochsRequest(first=first, last=last), AUDITOR):
            audit.take(message.record, Delta.decode(message.delta))
    audit.finish(note.size, note.root)
    assert audit.next_epoch == note.size == 4


def test_a_checkpoint_without_a_quorum_is_not_served(members: Members) -> None:
    with pytest.raises(NotYet):
        service(members).checkpoint(pb.CheckpointRequest(size=2), AUDITOR)


@pytest.mark.parametrize(
    ("name", "role", "entitled"),
    [
        ("anybody", "auditor", True),
        ("bank-a", "member", True),
        ("core", "owner", True),
        ("bank-a", "owner", False),
        ("stranger", "member", False),
        ("north", "relayer", False),
    ],
)
def test_who_may_ask(members: Members, name: str, role: str, entitled: bool) -> None:
    assert service(members).service().entitled(Caller(name, role)) is entitled
