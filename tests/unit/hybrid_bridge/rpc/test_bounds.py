import pytest

from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.rpc.bounds import require_numbers
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import MAX_U64


@pytest.mark.parametrize(
    "message",
    [
        pb.BlocksRequest(first_height=MAX_U64, follow=True),
        pb.WitnessResponse(countersignatures=[b"a"], attestations=[pb.SizedSignature(size=MAX_U64)]),
        pb.SubmitRequest(signed=[b"", b"x"]),
        pb.DraftRequest(audience=["a", "b"]),
    ],
)
def test_numbers_up_to_two_to_the_53_pass(message: object) -> None:
    require_numbers(message)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (pb.BlocksRequest(first_height=MAX_U64 + 1), "first_height"),
        (pb.WitnessResponse(attestations=[pb.SizedSignature(size=1), pb.SizedSignature(size=2**64 - 1)]), "size"),
    ],
)
def test_larger_ones_are_refused_wherever_they_stand(message: object, field: str) -> None:
    with pytest.raises(FieldMalformed) as refused:
        require_numbers(message)
    assert refused.value.field == field


def test_what_is_no_message_of_ours_is_let_through() -> None:
    require_numbers(iter(()))
