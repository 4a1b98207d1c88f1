"""Bundles of the consortium in memory, its log on the chain of the `world`, and what `contract proof` makes of them for it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybrid_bridge.adapters.evm.facts import proof_arguments
from hybrid_bridge.core.attestation import seals
from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.signing import sign_digest
from hybrid_bridge.errors import Missing
from tests.bundles import Consortium, set_of

if TYPE_CHECKING:
    from tests.evm.conftest import World

REGISTERED, CONFIRMED = 12, 13  # events of the same invoice
OTHER_REGISTERED, OTHER_CONFIRMED = 0, 1
SIZE = 4


def stand(world: "World", log: Consortium, *sizes: int) -> None:
    """The log registered, and anchored at these sizes under its first set."""
    validators = set_of(1, log.first)
    log_id = world.registry.call("register", log.genesis.encode(), log.origin, validators.encode_entries())
    assert log_id == log.genesis.log_id
    for older, size in zip((1, *sizes), sizes, strict=False):
        checkpoint = log.checkpoint(size)
        digest = checkpoint.digest()
        signatures = {v.part.address: sign_digest(v.attestation, digest) for v in log.first}
        signers, packed = seals(validators, signatures)
        to = (size, checkpoint.root, validators.digest, signers)
        assert world.registry.call("anchor", log_id, older, to, log.log.consistency_path(older, size), packed)


def confirmed(log: Consortium, registered: int = REGISTERED, confirmation: int = CONFIRMED) -> Bundle:
    """An invoice, and the word of its debtor: the claims that the escrow asks for, and no other."""
    entries = (
        log.entry(registered, "object", "debtor", "creditor_key"),
        log.entry(confirmation, "object", "ccy", "gross"),
    )
    return log.bundle(SIZE, log.epoch_part(1, SIZE, entries=tuple(sorted(entries, key=lambda part: part.index))))


def arguments(log: Consortium, bundle: Bundle, head: int = SIZE) -> dict[str, Any]:
    path = [] if head == SIZE else log.log.consistency_path(SIZE, head)
    return proof_arguments(bundle, path)


def fact(told: Mapping[str, Any], record_type: int) -> dict[str, Any]:
    """The first record of this type.

    Raises:
        Missing: none is shown.
    """
    for one in told["facts"]:
        if one["recordType"] == record_type:
            return dict(one)
    raise Missing(what=f"a record of type {record_type}")


def shown(fact: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The escrow's `Shown`.

    Raises:
        Missing: a claim is not disclosed.
    """
    if missing := [name for name in names if "opened" not in fact["fields"].get(name, {})]:
        raise Missing(what=f"the claim {missing[0]}")
    claims = [fact["fields"][name]["opened"] for name in names]
    return {"epoch": fact["epochProof"], "entry": fact["entryProof"], "claims": claims}


def encoded(parts: list[dict[str, Any]], value: Any) -> list[Any]:
    """JSON under the names of an interface's inputs, as the encoder takes it: every name there, and no other."""
    assert {part["name"] for part in parts} == set(value)
    return [_value(part, value[part["name"]]) for part in parts]


def _value(part: dict[str, Any], value: Any) -> Any:
    kind = part["type"]
    if kind.endswith("]"):
        inner = {**part, "type": kind[: kind.rindex("[")]}
        return [_value(inner, one) for one in value]
    if kind == "tuple":
        return tuple(encoded(part["components"], value))
    if kind.startswith("bytes"):
        data = bytes.fromhex(value.removeprefix("0x"))
        assert kind == "bytes" or len(data) == int(kind[5:])
        return data
    return value
