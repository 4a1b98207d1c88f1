"""Evidence for people: verdicts in one column, what they rest on beneath, nothing wider than a page."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.core.evidence import (
    CLAIMED,
    NOT_SHOWN,
    PROVEN,
    UNDECIDED,
    Evidence,
    OpenedField,
    RecordFact,
    TokenFact,
    Verdict,
    utc,
)
from hybrid_bridge.steps.verify.exports import ExportEvidence
from hybrid_bridge.steps.verify.package import PackageEvidence

WIDTH = 120
MARKS = {UNDECIDED: "?", CLAIMED: "?", NOT_SHOWN: "·", PROVEN: "!"}
TIMES = ("_time",)  # a field whose name ends so holds Unix seconds


def render(evidence: Evidence) -> str:
    """The evidence for people, each line at most 120 characters wide."""
    sections = (
        _head(evidence),
        _listed("Missing", evidence.missing),
        _verdicts(evidence.verdicts),
        _listed("Warnings", evidence.warnings),
        *(_record(fact) for fact in evidence.records),
        _listed("Registry", _registry(evidence)),
        _listed("Promise", _promise(evidence)),
        _listed("Not in the batch", (f"epoch {fact.epoch}: entry {fact.leaf.hex()}" for fact in evidence.absences)),
        _listed("Governance records", (f"{fact.index}: {fact.what}" for fact in evidence.governance)),
        _listed("Blocks signed by", _blocks(evidence)),
        _listed("Timestamps", _tokens(evidence.tokens)),
        _listed("Documents, by digest alone: compare your copy", _artefacts(evidence)),
        _listed("Signed by", evidence.signers),
        _listed("In the bundle and judged by no check", (item.place for item in evidence.unjudged)),
        _listed("NOT proven, here or anywhere", evidence.not_proven),
        _listed("Checks passed", [", ".join(dict.fromkeys(f"{c.number} {c.name}" for c in evidence.checks))]),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def render_export(evidence: ExportEvidence) -> str:
    """What an export shows, for people."""
    done = "VERIFIED" if evidence.complete else "INCOMPLETE: its own statement could not be verified"
    sections = (
        [f"{done}: {evidence.kind}"],
        _listed("Missing", evidence.missing),
        _verdicts(evidence.verdicts),
        _listed("It speaks of", (f"{name}: {value}" for name, value in evidence.facts.items())),
        _fields(evidence.fields),
        _listed("NOT proven, here or anywhere", evidence.not_proven),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines)


def render_package(found: PackageEvidence) -> str:
    """The evidence of the package's bundle, and then what is said of the package itself."""
    return f"{render(found.evidence)}\n\n" + "\n".join(_listed("Evidence package", _package(found)))


def _package(found: PackageEvidence) -> Iterator[str]:
    yield f"its files are those of its manifest, SHA-256 {found.manifest.hex()}"
    for document in found.documents:
        yield f"{document.path}: {document.size} bytes, SHA-256 equal to field {document.field}, epoch {document.epoch}"
    if found.stamp is not None:
        yield from _tokens((found.stamp,))
    yield "report/, spec/ and verifier/ are its maker's word; nothing above rests on them"


def _head(evidence: Evidence) -> Iterator[str]:
    done = "VERIFIED" if evidence.complete else "INCOMPLETE: something that you require could not be verified"
    yield done
    if evidence.verdict("omission").result == PROVEN:
        yield "  and what is verified is A BROKEN PROMISE of one of the log's own nodes: see omission"
    yield f"  log {plain(evidence.origin)}, checkpoint of size {evidence.tree_size}"
    yield f"  log id {evidence.log_id.hex()}"


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[str]:
    names = max(len(verdict.name) for verdict in verdicts)
    results = max(len(verdict.result) for verdict in verdicts)
    for verdict in verdicts:
        start = f"  {_mark(verdict)} {verdict.name:<{names}}  {verdict.result:<{results}}  "
        yield from hanging(start, verdict.detail)
        if not verdict.is_open:
            yield from hanging(" " * len(start), f"rests on {verdict.rests_on}")
        elif verdict.result in (UNDECIDED, CLAIMED):
            yield from hanging(" " * len(start), f"to say more, bring {verdict.missing}")


def _mark(verdict: Verdict) -> str:
    return MARKS.get(verdict.result, "?" if verdict.missing else "✓")


def _record(fact: RecordFact) -> Iterator[str]:
    title = f"Record {fact.schema} ({fact.record_type}), epoch {fact.epoch}, ended {utc(fact.by)} by the ledger's clock"
    yield from hanging("", title)
    yield from _fields(fact.fields)
    number = f"number {fact.sequence} of its submitter"
    signed = "" if fact.transaction is None else f"; transaction {fact.transaction.hex()}, {number}, signatures hold"
    yield from hanging("  ", f"({fact.undisclosed} other leaves, decoys among them, stay undisclosed{signed})")


def _fields(fields: Sequence[OpenedField]) -> Iterator[str]:
    shown = sorted((field for field in fields if field.name[0] != "_"), key=lambda field: field.name)
    names = max((len(field.name) for field in shown), default=0)
    for field in shown:
        yield from hanging(f"  {field.name:<{names}}  ", _value(field))


def _value(field: OpenedField) -> str:
    if field.name.endswith(TIMES) and isinstance(field.value, int):
        return f"{field.value} ({utc(field.value)})"
    return str(field.value)


def _registry(evidence: Evidence) -> Iterator[str]:
    for fact in evidence.registry:
        versions = f" (versions shown: {', '.join(map(str, fact.versions))})" if len(fact.versions) > 1 else ""
        yield f"at the end of epoch {fact.epoch} ({utc(fact.at)}): {fact.label}: {fact.statement}{versions}"


def _promise(evidence: Evidence) -> Iterator[str]:
    fact = evidence.promise
    if fact is not None:
        who = fact.signer or "a key whose certificate is not shown; its signature is not checked"
        yield f"transaction {fact.transaction.hex()}"
        yield f"entry       {fact.entry_leaf.hex()}"
        yield f"accepted {utc(fact.accepted_at)} by the node's clock, in epoch {fact.accepted_epoch}"
        yield f"owed by the end of epoch {fact.by_epoch}, by {who}"


def _tokens(facts: tuple[TokenFact, ...]) -> Iterator[str]:
    for fact in facts:
        standing = f"its authority: {fact.basis}" if fact.basis else f"NOT trusted; bring {fact.missing}"
        yield f"{fact.place}: existed by {utc(fact.time)}, says {fact.authority} ({fact.hash}); {standing}"


def _blocks(evidence: Evidence) -> Iterator[str]:
    for fact in evidence.blocks:
        yield f"block {fact.height}, the last of epoch {fact.epoch}: {', '.join(fact.signers)}"


def _artefacts(evidence: Evidence) -> Iterator[str]:
    for fact in evidence.artefacts:
        yield f"{fact.name} ({fact.media_type}, {fact.size} bytes): SHA-256 {fact.sha256.hex()}, field {fact.field}"


def _listed(title: str, items: "Iterator[str] | tuple[str, ...] | list[str]") -> Iterator[str]:
    lines = [line for item in items for line in hanging("  ", item)]
    if lines:
        yield title
        yield from lines


def hanging(start: str, text: str) -> Iterator[str]:
    """`start` and the text after it, further lines under the text's first letter."""
    lines = wrap(plain(text), WIDTH - len(start), break_on_hyphens=False) or [""]
    yield (start + lines[0]).rstrip()
    for line in lines[1:]:
        yield " " * len(start) + line
