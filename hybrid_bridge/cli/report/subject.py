"""What was examined, and how anybody checks it again."""

from collections.abc import Iterator

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Block, Code, Head, Items, Section, Table, Text, shown
from hybrid_bridge.cli.report.strangers import Named, named, quoted, word
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.evidence import Evidence, utc


def subject(case: Case, t: Words) -> Section:
    """The file, the log, the report itself."""
    rows = [
        (t("subject.file"), shown(case.file_name)),
        (t("subject.size"), t("size", bytes=len(case.data))),
        (t("subject.sha256"), case.digest.hex()),
    ]
    if case.bundle is not None:
        rows += [
            (t("subject.purpose"), t(f"purpose.{case.bundle.purpose}")),
            (t("subject.origin"), case.bundle.genesis.origin),
        ]
    if case.genesis is not None:
        rows.append((t("subject.log_id"), case.genesis.log_id.hex()))
    if case.evidence is not None:
        rows.append((t("subject.tree"), t("tree", size=case.evidence.tree_size)))
    rows += [
        (t("subject.report"), case.report_id),
        (t("subject.at"), f"{utc(case.at)} ({case.at})"),
        (t("subject.program"), case.program),
    ]
    table = Table(head=(t("item"), t("value")), rows=tuple(rows), weights=(30, 70))
    more = () if case.evidence is None else tuple(_contents(case, case.evidence, t))
    return Section("subject", t("head.subject"), (table, *more))


def _contents(case: Case, evidence: Evidence, t: Words) -> Iterator[Block]:
    yield from _signed_by(evidence, t)
    lists = {
        "subject.documents": [
            t(
                "subject.document",
                path=word(fact.path),
                size=fact.size,
                sha256=fact.sha256.hex(),
                field=word(fact.field),
                epoch=fact.epoch,
            )
            for fact in (() if case.package is None else case.package.documents)
        ],
        "subject.artefacts": [
            t(
                "subject.artefact",
                name=quoted(fact.name),
                media=word(fact.media_type),
                size=fact.size,
                sha256=fact.sha256.hex(),
                field=word(fact.field),
            )
            for fact in evidence.artefacts
        ],
        "subject.blocks": [
            t("subject.block", height=fact.height, epoch=fact.epoch, signers=", ".join(map(t.said, fact.signers)))
            for fact in evidence.blocks
        ],
        "subject.unjudged": [f"{part.sha256.hex()}: {shown(t.said(part.place))}" for part in evidence.unjudged],
    }
    for key, items in lists.items():
        if items:
            yield Head(t(key))
            yield Items(tuple(items))


def _signed_by(evidence: Evidence, t: Words) -> Iterator[Block]:
    """Who signed: what a validator says of itself, and in a cell of its own what stands behind that."""
    signers = [named(signer) or Named(quoted(signer), "", "") for signer in evidence.signers]
    if signers:
        yield Head(t("subject.signers"))
        yield Table(
            head=tuple(t(f"signer.{name}") for name in ("name", "legal_id", "standing")),
            rows=tuple((one.name, one.legal_id, t.said(one.standing)) for one in signers),
            weights=(40, 26, 34),
        )


# ── how to check it again ────────────────────────────────────────────────────────────────────────────────────────────


def oneself(case: Case, t: Words) -> Section:
    """The page, the command, the script."""
    where = (t("self.page"), case.page.url) if case.page.url else (t("self.page_sha256"), case.page.sha256)
    blocks: tuple[Block, ...] = (
        Text(t("self.open" if case.page.url else "self.shipped")),
        Table(head=(t("item"), t("value")), rows=(where, (t("self.code"), code_of(case))), weights=(30, 70)),
        Text(t("self.command")),
        Code("hybrid-bridge verify bundle.hb.json --trust trust.json"),
        Text(t("self.script")),
    )
    return Section("self", t("head.self"), blocks)


def code_of(case: Case) -> str:
    """What the two-dimensional code holds."""
    digest = case.digest.hex()
    return f"{case.page.url}#sha256={digest}" if case.page.url else f"sha256:{digest}"


def attached(case: Case, t: Words) -> Section:
    """That the file goes with the report."""
    return Section("attached", t("head.attached"), (Text(t("attached.text", sha256=case.digest.hex())),))
