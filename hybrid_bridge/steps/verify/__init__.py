"""Step 6 of 6. A bundle and the verifier's own trust in, evidence out. After `relay`; nothing comes after it.

Who: anybody. No network, no clock, no key, no account; what the verifier knows of the public chain is an argument.
Guarantees: what is called verified follows from the trust given, SHA-256 and the signature schemes (SPEC §12).
Does not: believe any key, address or link because the bundle names it; fetch; judge whether a document is true.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hybrid_bridge.core.bundle import Bundle, decode_bundle
from hybrid_bridge.core.evidence import Check, Evidence
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BridgeError, Missing
from hybrid_bridge.steps.verify.decoded import decode
from hybrid_bridge.steps.verify.log import require_arithmetic, require_identity, verify_paths
from hybrid_bridge.steps.verify.names import verify_names, verify_transactions
from hybrid_bridge.steps.verify.paths import absences, consistencies, inclusions
from hybrid_bridge.steps.verify.promise import verify_promise
from hybrid_bridge.steps.verify.public import PublicSight, verify_anchors
from hybrid_bridge.steps.verify.registry import verify_labels
from hybrid_bridge.steps.verify.report import evidence_of
from hybrid_bridge.steps.verify.rules import verify_rules
from hybrid_bridge.steps.verify.signers import verify_notes, verify_sets
from hybrid_bridge.steps.verify.source import verify_source
from hybrid_bridge.steps.verify.times import verify_renewals
from hybrid_bridge.steps.verify.verdicts import Findings
from hybrid_bridge.units import UnixSeconds

__all__ = ["PublicSight", "verify"]

T = TypeVar("T")


@dataclass(slots=True)
class _Course:
    """Which numbered checks were passed; an error that stops the course carries them."""

    passed: list[Check] = field(default_factory=list)

    def take(self, number: int, name: str, count: int, check: Callable[[], T]) -> T:
        try:
            result = check()
        except BridgeError as error:
            error.reached = tuple(f"{c.number} {c.name}" for c in self.passed)
            error.stopped_at = f"{number} {name}"
            error.add_note(f"failed at check {number}: {name}")
            error.add_note("passed before it: " + (", ".join(error.reached) or "none"))
            raise
        self.passed.append(Check(number=number, name=name, count=count))
        return result


def verify(data: bytes, trust: Trust, now: UnixSeconds, sights: tuple[PublicSight, ...] = ()) -> Evidence:
    """Verify a bundle in the numbered order of SPEC §12: cheap before dear, a failure stops.

    (1) shape (2) format (3) structs (4) arithmetic (5) identity (6) hash paths (7) validator sets (8) quorums
    (9) names and signatures (10) registry (11) public anchor (12) promise (13) rules and events since (14) freshness.

    NOT CHECKED HERE: that a public block hash is real; THE CALLER'S `trust` AND `sights` SAY SO.

    Args:
        data: the bundle's bytes, at most 1 MiB.
        trust: the verifier's own file.
        now: whole Unix seconds, for freshness alone.
        sights: what the verifier's own sources say of public chains; empty when offline.

    Raises:
        Malformed: the bytes break the specification.
        Refuted: they contradict themselves, a signature or the public chain; `reached` has the checks passed before.
        Undecided: a critical extension is unknown. What is merely missing is a verdict in the evidence instead.
        NotOmitted: (Refuted) the bundle claims an omission and shows what was promised.
    """
    course = _Course()
    bundle = course.take(1, "shape", 1, lambda: decode_bundle(data))
    course.take(2, "format", 1, lambda: _require_understood(bundle))
    d = course.take(
        3, "structs", len(bundle.epochs) + len(bundle.checkpoints), lambda: decode(bundle, len(trust.member_roots))
    )
    paths = sum(1 for _ in inclusions(d)) + sum(1 for _ in consistencies(d)) + sum(1 for _ in absences(d))
    course.take(4, "arithmetic", paths, lambda: require_arithmetic(d))
    course.take(5, "identity", 1, lambda: require_identity(d))
    course.take(6, "hash paths", paths, lambda: verify_paths(d))
    sets = course.take(7, "validator sets", 1 + len(d.rotations), lambda: verify_sets(d))
    signed = course.take(8, "quorums", len(d.notes), lambda: verify_notes(d, sets, trust))
    names = course.take(9, "names", len(d.all_validators), lambda: verify_names(d, sets, trust))
    course.take(9, "transactions", len(d.transactions), lambda: verify_transactions(d))
    labels = sum(len(epoch.labels) for epoch in d.epochs)
    registered = course.take(10, "registry", labels, lambda: verify_labels(d))
    standing = course.take(11, "public anchor", len(bundle.anchors), lambda: verify_anchors(d, signed, trust, sights))
    promised = course.take(12, "promise", int(d.promise is not None), lambda: verify_promise(d, sets, names))
    renewed = course.take(13, "renewals", len(bundle.renewals), lambda: verify_renewals(d, trust, standing.stamps))
    rules = course.take(13, "rules", len(d.entries), lambda: verify_rules(d, registered))
    source = course.take(13, "source evidence", len(d.sources), lambda: verify_source(d, sets, names))
    findings = Findings(
        decoded=d,
        trust=trust,
        now=now,
        signed=signed,
        names=names,
        registered=registered,
        standing=standing,
        promised=promised,
        renewed=renewed,
        rules=rules,
        source=source,
    )
    return course.take(14, "freshness", 1, lambda: evidence_of(findings, tuple(course.passed)))


def _require_understood(bundle: Bundle) -> None:
    if bundle.critical:
        raise Missing(what=f"a verifier that understands the extension {bundle.critical[0][:64]}")
