"""The first pages: the verdict in one paragraph, each verdict by itself, what is missing, or why it stopped."""

from collections.abc import Iterator
from dataclasses import fields

from hybrid_bridge.cli.report.case import OUTCOME_TONES, Case
from hybrid_bridge.cli.report.model import Block, Head, Items, Section, Table, Text, shown
from hybrid_bridge.cli.report.reliance import holds_if, required
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.core.evidence import CLAIMED, PROVEN, UNDECIDED, Evidence, Verdict, utc
from hybrid_bridge.errors import BridgeError


def findings(case: Case, t: Words) -> Section:
    """Findings come first."""
    blocks = _refusal(case, case.error, t) if case.error is not None else _verified(case, t)
    return Section("findings", t("head.findings"), tuple(blocks))


def _verified(case: Case, t: Words) -> Iterator[Block]:
    evidence = case.evidence
    if evidence is None:
        return
    held = [verdict for verdict in evidence.verdicts if is_given(verdict)]
    said = t(
        f"say.{case.outcome}",
        required=required(case.trust, t),
        held=len(held),
        all=len(evidence.verdicts),
        open=len(evidence.verdicts) - len(held),
        checks=sum(check.count > 0 for check in evidence.checks),
    )
    yield Text(t("sentences", first=t(f"outcome.{case.outcome}"), then=said), OUTCOME_TONES[case.outcome])
    yield Text(holds_if(case, evidence, t), "open")
    if evidence.verdict("omission").result == PROVEN:
        yield Text(t("say.broken_promise"), "bad")
    moment = not_after(evidence)
    yield Text(t("say.no_since") if moment is None else t("say.since", time=utc(moment)))
    yield from _headed(t("missing.head"), [_required(text, t) for text in evidence.missing])
    yield from _headed(t("warnings.head"), [t.said(text) for text in evidence.warnings])
    yield Head(t("verdicts.head"))
    yield Table(
        head=tuple(t(f"column.{name}") for name in ("verdict", "result", "detail", "rests")),
        rows=tuple(_row(verdict, t) for verdict in evidence.verdicts),
        weights=(16, 14, 40, 34),
        tones=tuple(tone_of(verdict) for verdict in evidence.verdicts),
    )


def is_given(verdict: Verdict) -> bool:
    """It says something: the lowest level is what is left where nothing could be said."""
    return not verdict.is_open and not (verdict.name == "level" and verdict.missing)


def not_after(evidence: Evidence) -> int | None:
    """The earliest time by which what is shown existed, by somebody on whom the report's maker relied."""
    times = [anchor.block_time for anchor in evidence.anchors if anchor.basis]
    times += [token.time for token in evidence.tokens if token.basis]
    return min(times, default=None)


def _headed(title: str, items: list[str]) -> Iterator[Block]:
    if items:
        yield Head(title)
        yield Items(tuple(items))


def _required(text: str, t: Words) -> str:
    """`verdict, verdict: what is missing`, or a rule's own sentence."""
    names, colon, what = text.partition(": ")
    known = [name for name in names.split(", ") if t.has(f"verdict.{name}")]
    if not colon or len(known) != len(names.split(", ")):
        return t.said(text)
    return f"{t('comma').join(t(f'verdict.{name}') for name in known)}: {t.said(what)}"


def _row(verdict: Verdict, t: Words) -> tuple[str, ...]:
    needs = verdict.is_open and verdict.missing
    basis = t("needs", what=t.said(verdict.missing)) if needs else t("rests", what=t.said(verdict.rests_on))
    return t(f"verdict.{verdict.name}"), result_of(verdict, t), t.said(verdict.detail), basis


def result_of(verdict: Verdict, t: Words) -> str:
    """The result in the report's language; levels and ages are values."""
    key = f"result.{verdict.result}"
    return t(key) if t.has(key) else t.said(verdict.result)


def tone_of(verdict: Verdict) -> str:
    """A colour, which never stands without its word."""
    if verdict.result == PROVEN:
        return "bad"
    if verdict.result in (UNDECIDED, CLAIMED) or verdict.missing:
        return "open" if verdict.result != "not shown" else "none"
    return "good"


# ── when verification stopped ────────────────────────────────────────────────────────────────────────────────────────


def _refusal(case: Case, error: BridgeError, t: Words) -> Iterator[Block]:
    stopped = check_name(error.stopped_at, t) or t("error.none")
    said = t(f"say.{case.outcome}", stopped=stopped, because=_because(error, t).rstrip(".。"))
    yield Text(t("sentences", first=t(f"outcome.{case.outcome}"), then=said), OUTCOME_TONES[case.outcome])
    yield Head(t("error.head"))
    yield Table(
        head=(t("item"), t("value")),
        rows=(
            (t("error.name"), f"{type(error).__name__}: {_because(error, t)}"),
            *((_labelled(field.name, t), _value(getattr(error, field.name))) for field in fields(error)),
            *((t("error.rule"), error.cites) for _ in [0] if error.cites),
            *((t("error.note"), shown(t.said(note))) for note in _notes(error)),
            (t("error.stopped"), stopped),
            (t("error.reached"), t("comma").join(check_name(name, t) for name in error.reached) or t("error.none")),
            (t("error.exit"), str(error.exit_code)),
        ),
        weights=(22, 78),
    )


def _because(error: BridgeError, t: Words) -> str:
    """The first sentence of the error's class."""
    key = f"because.{type(error).__name__}"
    return t(key) if t.has(key) else (type(error).__doc__ or "").strip().splitlines()[0]


def _labelled(name: str, t: Words) -> str:
    return t(f"errorfield.{name}") if t.has(f"errorfield.{name}") else name


def _notes(error: BridgeError) -> Iterator[str]:
    """What was added to the error, without the course of the checks, which has rows of its own."""
    for note in getattr(error, "__notes__", []):
        if not note.startswith(("failed at check", "passed before it")):
            yield note


def _value(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else shown(str(value))


def check_name(check: str, t: Words) -> str:
    """`6 hash paths` in the report's language."""
    number, _, name = check.partition(" ")
    if not t.has(f"check.{name}"):
        return check
    return f"{number} {t(f'check.{name}')}" if number.isdigit() else t(f"check.{name}")
