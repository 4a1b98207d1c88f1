"""Check 10 of `verify`: what the registry says at an epoch about labels (SPEC §9.4)."""

from collections import defaultdict
from dataclasses import dataclass, field

from hybrid_bridge.core.bundle import LabelPart
from hybrid_bridge.core.labels import LIFE, IdentityValue, Label, LifeValue, alpha, commitment
from hybrid_bridge.core.registry_proof import Terminal, verify_absence, verify_presence
from hybrid_bridge.core.vrf import index_of, verify_proof
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEpoch
from hybrid_bridge.units import Commitment, Digest, EpochNumber, RegistryIndex


@dataclass(frozen=True, slots=True)
class Standing:
    """One version of one label at an epoch: present or absent, and the value it was opened to."""

    present: bool
    value: IdentityValue | LifeValue | None


@dataclass(frozen=True, slots=True)
class LabelFact:
    """Everything shown about one label at one epoch."""

    epoch: EpochNumber
    label: Label
    versions: dict[int, Standing]

    @property
    def statement(self) -> str:
        """`not registered`, `object X`, `state S after event n`, `present, use unknown` or `no statement`."""
        return self._life() if self.label.type == LIFE else self._identity()

    @property
    def object_id(self) -> str:
        """The object an identity label was opened to, or empty."""
        standing = self.versions.get(0)
        value = None if standing is None else standing.value
        return value.object_id if isinstance(value, IdentityValue) else ""

    def _identity(self) -> str:
        if not self.versions[0].present:
            return "not registered"
        return f"object {self.object_id}" if self.object_id else "present, use unknown"

    def _life(self) -> str:
        last = self.last_event
        if last is None:
            absent = self.versions.get(0)
            return "not registered" if absent is not None and not absent.present else "no statement"
        value = self.versions[last].value
        if not isinstance(value, LifeValue):
            return "present, use unknown"
        return f"state {value.state.get('state', value.code)} after event {last}"

    @property
    def last_event(self) -> int | None:
        """n, if versions 0 … n are present and n+1 is shown absent; else nothing can be said (SPEC §9.4)."""
        last = -1
        while (standing := self.versions.get(last + 1)) is not None and standing.present:
            last += 1
        closing = self.versions.get(last + 1)
        return last if last >= 0 and closing is not None and not closing.present else None


@dataclass(slots=True)
class _Shown:
    versions: dict[int, Standing] = field(default_factory=dict)
    label: Label | None = None


def verify_labels(d: Decoded) -> tuple[LabelFact, ...]:
    """Paths, VRF proofs and openings of all labels shown.

    Raises:
        Malformed: a version twice, a path of the wrong shape, a value that is no JCS object.
        Refuted: a path, a VRF proof or an opening contradicts the epoch's registry root.
    """
    facts: list[LabelFact] = []
    for epoch in d.epochs:
        shown: defaultdict[bytes, _Shown] = defaultdict(_Shown)
        for label, part in epoch.labels:
            standing = _standing(d, epoch, label, part)
            if label is None or part.version is None:
                continue
            mine = shown[label.encode()]
            if part.version in mine.versions:
                raise FieldMalformed(field="labels", rule="each version of a label once")
            if label.type != LIFE and part.version != 0:
                raise FieldMalformed(field="labels.version", rule="0 for an identity label")
            mine.versions[part.version] = standing
            mine.label = label
        facts += [LabelFact(epoch.record.epoch, s.label, s.versions) for s in shown.values() if s.label is not None]
    return tuple(facts)


def _standing(d: Decoded, epoch: DecodedEpoch, label: Label | None, part: LabelPart) -> Standing:
    present = _follow(epoch, part)
    if label is None or part.version is None or part.proof is None:
        return Standing(present, None)
    output = verify_proof(d.genesis.vrf_public_key, alpha(d.log_id, label, part.version), part.proof)
    if index_of(output) != part.index:
        raise FieldMismatch(field="labels.index", expected=index_of(output).hex(), got=part.index.hex())
    if part.value is None or part.opening is None:
        return Standing(present, None)
    data = part.value.encode("utf-8")
    value = (LifeValue if label.type == LIFE else IdentityValue).decode(data)
    opened = commitment(part.opening, d.log_id, label, part.version, data)
    if not present or part.terminal is None or opened != part.terminal.commitment:
        raise FieldMismatch(field="labels.commitment", expected=opened.hex(), got="another commitment, or absent")
    return Standing(present, value)


def _follow(epoch: DecodedEpoch, part: LabelPart) -> bool:
    root = Digest(epoch.record.registry_root)
    path = [Digest(item) for item in part.path]
    index = RegistryIndex(part.index)
    if part.terminal is not None and part.terminal.index == part.index:
        verify_presence(root, index, Commitment(part.terminal.commitment), path)
        return True
    terminal = (
        None
        if part.terminal is None
        else Terminal(RegistryIndex(part.terminal.index), Commitment(part.terminal.commitment))
    )
    verify_absence(root, index, terminal, path)
    return False
