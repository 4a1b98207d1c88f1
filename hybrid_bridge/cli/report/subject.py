"""What was examined, what its reader relies on, and how anybody checks it again."""

from collections.abc import Iterator

from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Block, Code, Head, Items, Section, Table, Text, shown
from hybrid_bridge.cli.report.strangers import Named, named, quoted, word
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import Evidence, utc
from hybrid_bridge.core.trust import Trust

ASSUMPTIONS = ("hash", "keys", "log", "quorum", "chain", "program")


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


# ── what it rests on ─────────────────────────────────────────────────────────────────────────────────────────────────


def reliance(case: Case, t: Words) -> Section:
    """The reader's own choices, and the assumptions behind every `verified`."""
    trust_file = t("trust.none") if case.trust_data is None else sha256(case.trust_data).hex()
    rows = [(t("trust.file"), trust_file), *_chosen(case.trust, t)]
    if case.contract:
        rows.append((t("trust.contract"), case.contract))
    rows.append((t("trust.endpoints"), str(case.endpoints)))
    blocks: tuple[Block, ...] = (
        Text(t("trust.intro")),
        Table(head=(t("item"), t("value")), rows=tuple(rows), weights=(34, 66)),
        Head(t("trust.assumptions")),
        Items(tuple(t(f"assume.{name}") for name in ASSUMPTIONS)),
    )
    return Section("trust", t("head.trust"), blocks)


def _chosen(trust: Trust, t: Words) -> Iterator[tuple[str, str]]:
    nothing = t("trust.nothing")
    yield t("trust.logs"), ", ".join(log.log_id.hex() for log in trust.logs) or nothing
    for chain in trust.public_chains:
        contracts = ", ".join(f"0x{contract.hex()}" for contract in chain.contracts) or nothing
        told = t("trust.contracts", contracts=contracts, blocks=len(chain.block_hashes))
        yield t("trust.chain", chain=chain.chain_id), told
    yield t("trust.member_roots"), _digests(trust.member_roots) or nothing
    yield t("trust.tsa_roots"), _digests(trust.tsa_roots) or nothing
    yield t("trust.policy"), nothing if trust.tlog_policy is None else sha256(trust.tlog_policy.encode()).hex()
    yield t("trust.level"), trust.minimum_level or nothing
    yield t("trust.age"), nothing if trust.max_age is None else str(trust.max_age)
    yield t("trust.require"), t("comma").join(t(f"verdict.{name}") for name in trust.require)


def _digests(certificates: tuple[bytes, ...]) -> str:
    return ", ".join(sha256(der).hex() for der in certificates)


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
