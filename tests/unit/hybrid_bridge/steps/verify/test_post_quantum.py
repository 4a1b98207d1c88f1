"""ML-DSA-44 lines of validators: checked when their keys are shown, of the responsible set alone, for no quorum."""

from dataclasses import replace
from functools import cache

import pytest

from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.checkpoint import parse_note, quorum_name
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.note import NoteLine, cosign
from hybrid_bridge.core.validators import SignedKeyBinding
from hybrid_bridge.errors import BelowQuorum, BridgeError, FieldMalformed, FieldMismatch, SignatureWrong
from hybrid_bridge.steps.verify import verify
from tests.bundles import NOW, ROTATED, Consortium, edit, flip


class Quantum(Consortium):
    """Every validator has a post-quantum key; the rotated one has another in the second set."""

    def _validator(self, row, generation):
        made, key = super()._validator(row, generation), self.keys[row["key"]]
        binding = SignedKeyBinding.decode(made.part.key_binding).binding
        public = mldsa(row["key"], generation).public
        binding = replace(binding, mldsa_key_hash=sha256(public))
        signed = SignedKeyBinding(binding, key.public.scheme, key.sign(binding.message())).encode()
        return replace(made, part=replace(made.part, key_binding=signed, mldsa_key=public))


def mldsa(name: str, generation: int = 1) -> MldsaKey:
    return MldsaKey(sha256(f"TEST post-quantum {name} {generation}".encode()))


@cache
def world() -> Quantum:
    return Quantum(origin="quantum.example/receivables")


def line_of(name: str, generation: int = 1) -> NoteLine:
    shown = world().second if generation == 2 else world().first
    address = next(validator.part.address for validator in shown if validator.name == name)
    body = parse_note(world().note(4)).body()
    return cosign(quorum_name(world().origin, address), mldsa(name, generation), NOW, body)


def with_lines(*lines: NoteLine) -> Bundle:
    def change(text: str) -> str:
        note = parse_note(text)
        return replace(note, lines=(*note.lines, *lines)).text()

    return edit(world().receivable(), "checkpoints.0.note", change)


def judged(bundle: Bundle):
    return verify(bundle.encode(), world().trust(), NOW)


NAMES = ("bank-1", ROTATED)


def test_lines_of_validators_hold_or_may_be_left_out():
    for lines in ((), (line_of(NAMES[1]),), tuple(line_of(v.name) for v in world().first)):
        evidence = judged(with_lines(*lines))
        assert evidence.complete
        assert evidence.unjudged == ()


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (lambda: [replace(line_of(ROTATED), signature=flip(line_of(ROTATED).signature))], SignatureWrong),
        (lambda: [line_of(ROTATED), line_of(ROTATED)], FieldMalformed),
        (lambda: [line_of(ROTATED, 2)], FieldMalformed),  # a key of the set that is not responsible yet
    ],
    ids=["altered", "twice", "of the next set"],
)
def test_a_wrong_line_rejects_the_note(lines, error):
    with pytest.raises(error) as caught:
        judged(with_lines(*lines()))
    assert caught.value.stopped_at == "8 quorums"


def test_they_count_for_no_quorum():
    def only_two(text: str) -> str:
        note = parse_note(text)
        return replace(note, lines=(*note.lines[:3], *(line_of(v.name) for v in world().first))).text()

    with pytest.raises(BelowQuorum):
        judged(edit(world().receivable(), "checkpoints.0.note", only_two))


def test_a_key_that_the_binding_does_not_name_is_refused():
    bundle = edit(world().receivable(), "genesis.validators.0.mldsa_key", lambda _: MldsaKey(bytes(32)).public)
    with pytest.raises(FieldMismatch) as caught:
        judged(bundle)
    assert caught.value.field == "validator.mldsa_key"


def test_the_log_s_key_must_be_the_one_of_the_genesis_record():
    bundle = edit(world().receivable(), "genesis.mldsa_key", lambda _: MldsaKey(bytes(32)).public)
    with pytest.raises(FieldMismatch) as caught:
        judged(bundle)
    assert (caught.value.field, caught.value.stopped_at) == ("genesis.mldsa_key", "5 identity")


def test_a_changed_byte_of_a_line_never_verifies_as_before():
    line = line_of(ROTATED)
    before = judged(with_lines(line))
    for bit in range(0, 8 * len(line.signature), 997):
        with pytest.raises(BridgeError):
            judged(with_lines(replace(line, signature=flip(line.signature, bit))))
    assert judged(with_lines(line)) == before
