"""Check 10 of `verify`: what the registry says at an epoch about labels (SPEC §9.4)."""

from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core import vrf
from hybrid_bridge.core.bundle import TerminalPart
from hybrid_bridge.core.labels import LIFE, IdentityValue, Label, LifeValue, alpha, commitment
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedLabel, DecodedOpening
from hybrid_bridge.steps.verify.insertions import require_one_story
from hybrid_bridge.units import EpochNumber, RegistryIndex, UnixSeconds

NOT_REGISTERED: Final = "not registered"
USE_UNKNOWN: Final = "present, use unknown"
NO_STATEMENT: Final = "no statement"
OBJECT: Final = "object "  # and the object's id


@dataclass(frozen=True, slots=True)
class Standing:
    """One version of one label at an epoch: its index, present or absent, and the value it was opened to."""

    index: RegistryIndex
    present: bool
    value: IdentityValue | LifeValue | None


@dataclass(frozen=True, slots=True)
class LabelFact:
    """Everything shown about one label at one epoch; versions in the order shown."""

    epoch: EpochNumber
    at: UnixSeconds  # closedAt of the epoch
    label: Label
    versions: dict[int, Standing] = field(default_factory=dict)

    @property
    def statement(self) -> str:
        """`not registered`, `object X`, `state S after event n`, `present, use unknown` or `no statement`."""
        return self._life() if self.label.type == LIFE else self._identity()

    @property
    def is_open(self) -> bool:
        """Nothing, or not enough, can be said: a version or an opening is not shown."""
        return self.statement in (USE_UNKNOWN, NO_STATEMENT)

    @property
    def may_change(self) -> bool:
        """A label that is registered stays so; what is absent may be registered, and a life goes on."""
        return self.label.type == LIFE or self.statement == NOT_REGISTERED

    def _identity(self) -> str:
        standing = self.versions[0]
        if isinstance(standing.value, IdentityValue):
            return OBJECT + standing.value.object_id
        return USE_UNKNOWN if standing.present else NOT_REGISTERED

    def _life(self) -> str:
        """Versions 0 … n present, n opened, n+1 shown absent; else nothing can be said (SPEC §9.4)."""
        last = -1
        while last + 1 in self.versions and self.versions[last + 1].present:
            last += 1
        if last + 1 not in self.versions:
            return NO_STATEMENT
        if last < 0:
            return NOT_REGISTERED
        value = self.versions[last].value
        if not isinstance(value, LifeValue):
            return USE_UNKNOWN
        until = value.state.get("until_epoch")  # of a freeze that ends by itself: no event tells of its end
        ends = f", until the end of epoch {until}, beneath it {value.state.get('below')}" if until else ""
        return f"state {value.state.get('state', value.code)}{ends} after event {last}"


@dataclass(frozen=True, slots=True)
class IndexFact:
    """A registry index that stands without its label: present or absent, whoever's it is."""

    epoch: EpochNumber
    at: UnixSeconds
    index: RegistryIndex
    present: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """What all labels and bare indices shown come to."""

    labels: tuple[LabelFact, ...]
    indices: tuple[IndexFact, ...]


def verify_labels(d: Decoded) -> Registered:
    """VRF proofs and openings of all labels shown; their paths were followed in check 6.

    Raises:
        Malformed: a version twice, a value that is no JCS object.
        Refuted: a VRF proof or an opening contradicts index or commitment; life versions with a gap; another epoch or a
            transaction shown contradicts it.
    """
    labels: list[LabelFact] = []
    indices: list[IndexFact] = []
    for epoch in d.epochs:
        when, facts = (epoch.record.epoch, epoch.record.closed_at), dict[Label, LabelFact]()
        for shown, part in epoch.labels:
            present = part.terminal is not None and part.terminal.index == part.index
            if shown is None:
                indices.append(IndexFact(*when, RegistryIndex(part.index), present))
                continue
            fact = facts.setdefault(shown.label, LabelFact(*when, shown.label))
            if shown.version in fact.versions:
                raise FieldMalformed(field="labels", rule="each version of a label once")
            _verify_index(d, shown, part.index)
            value = None if shown.opened is None else _value(d, shown, shown.opened, part.terminal if present else None)
            fact.versions[shown.version] = Standing(RegistryIndex(part.index), present, value)
        for fact in facts.values():
            _require_no_gap(fact)
        labels += facts.values()
    require_one_story(d)
    return Registered(tuple(labels), tuple(indices))


def _verify_index(d: Decoded, shown: DecodedLabel, index: bytes) -> None:
    """The index is that of this version of this label: only the holder of the VRF key can have made it."""
    output = vrf.verify(d.genesis.vrf_public_key, alpha(d.log_id, shown.label, shown.version), shown.proof)
    if vrf.index_of(output) != index:
        raise FieldMismatch(field="labels.index", expected=vrf.index_of(output).hex(), got=index.hex())


def _value(
    d: Decoded, shown: DecodedLabel, opened: DecodedOpening, pair: TerminalPart | None
) -> IdentityValue | LifeValue:
    """The value, if the commitment that stands at the index opens to it."""
    if pair is None:
        raise FieldMismatch(field="labels.opening", expected="a label that is present", got="absent")
    calculated = commitment(opened.opening, d.log_id, shown.label, shown.version, opened.data)
    if calculated != pair.commitment:
        raise FieldMismatch(field="labels.commitment", expected=pair.commitment.hex(), got=calculated.hex())
    return opened.value


def _require_no_gap(fact: LabelFact) -> None:
    """Versions count up without a gap (SPEC §9.3): one above an absent one is evidence against the validators."""
    absent = [version for version, standing in fact.versions.items() if not standing.present]
    present = [version for version, standing in fact.versions.items() if standing.present]
    if absent and present and max(present) > min(absent):
        raise FieldMismatch(
            field="labels.version", expected=f"none above {min(absent)}", got=f"{max(present)} is present"
        )
