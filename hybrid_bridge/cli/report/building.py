"""The report of a case in one language: findings first, the file itself last."""

from hybrid_bridge.cli.report.case import OUTCOME_TONES, Case
from hybrid_bridge.cli.report.checks import checks
from hybrid_bridge.cli.report.commands import commands
from hybrid_bridge.cli.report.found import findings
from hybrid_bridge.cli.report.law import law
from hybrid_bridge.cli.report.model import Report, cleaned
from hybrid_bridge.cli.report.records import records, statements
from hybrid_bridge.cli.report.reliance import reliance
from hybrid_bridge.cli.report.subject import attached, code_of, oneself, subject
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.cli.report.times import not_proven, since, times
from hybrid_bridge.core.evidence import utc


def build(case: Case, lang: str) -> Report:
    """Every text of the report, ready to be drawn."""
    t = Words(lang)
    sections = (
        findings(case, t),
        subject(case, t),
        reliance(case, t),
        records(case, t),
        statements(case, t),
        times(case, t),
        since(case, t),
        not_proven(case, t),
        checks(case, t),
        commands(case, t),
        oneself(case, t),
        law(case, t),
        attached(case, t),
    )
    origin = "" if case.bundle is None else case.bundle.genesis.origin
    return cleaned(
        Report(
            report_id=case.report_id,
            lang=lang,
            title=t("title"),
            subtitle=t("subtitle", origin=origin) if origin else t("subtitle.unread"),
            at=case.at,
            made=f"{t('subject.at')} {utc(case.at)}",
            outcome=case.outcome,
            tone=OUTCOME_TONES[case.outcome],
            code=code_of(case),
            footer=t("footer"),
            page_of=t("page", page="{page}", pages="{pages}"),
            sections=sections,
        )
    )
