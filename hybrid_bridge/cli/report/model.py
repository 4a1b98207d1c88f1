"""A report as data: sections of blocks, in one language. The builders make it, the renderers only draw it.

Whatever the text, it prints on one line and cannot turn a line around: `cleaned` sees to that once, for all renderers.
Sentences are never cut: what strangers wrote is bounded before it goes into one (`strangers`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hybrid_bridge.cli.report.strangers import visible
from hybrid_bridge.core.encoding import Json, sha256
from hybrid_bridge.units import UnixSeconds

MAX_SHOWN: Final = 600  # characters of one value in a report; a longer one is cut, and named by its digest
TONES: Final = ("good", "open", "bad", "none")  # what a colour may say; the words say it too


@dataclass(frozen=True, slots=True)
class Head:
    """A headline within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `tone` other than "none" makes it a box."""

    text: str
    tone: str = "none"


@dataclass(frozen=True, slots=True)
class Items:
    """A list. An empty one is left out."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; `weights` are the widths of the columns, `tones` the colour of each row's second cell."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    weights: tuple[int, ...]
    tones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One command, what it must print, and the value elsewhere in the bundle that this must equal, if there is one."""

    title: str
    command: str  # plain sh; long lines are continued by a backslash
    value: str
    stated: str = ""  # "" where nothing is compared
    where: str = ""  # of `stated`
    needs: str = ""  # a file beside the bundle, which a reader may not have

    @property
    def holds(self) -> bool:
        """Nothing else is stated elsewhere."""
        return self.stated in ("", self.value)


@dataclass(frozen=True, slots=True)
class Steps:
    """Commands in order: later ones use files that earlier ones made."""

    steps: tuple[Step, ...]
    label: str  # before the value
    equals: str  # with {where}
    differs: str  # with {where} and {stated}

    def compared(self, step: Step) -> str:
        """Whether the value is what is stated elsewhere, in words; "" where nothing is."""
        if not step.stated:
            return ""
        return (self.equals if step.holds else self.differs).format(where=step.where, stated=step.stated)


@dataclass(frozen=True, slots=True)
class Code:
    """Text that is kept as it is, line by line."""

    text: str


Block: TypeAlias = Head | Text | Items | Table | Steps | Code


@dataclass(frozen=True, slots=True)
class Section:
    """A headline and what stands under it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole page, without the file it is about."""

    report_id: str
    lang: str  # "en" or "zh"
    title: str
    subtitle: str
    at: UnixSeconds
    made: str  # the same moment in words
    outcome: str  # "verified", "incomplete", "refuted", "undecided" or "malformed"
    tone: str
    code: str  # what the two-dimensional code holds
    footer: str
    page_of: str  # with {page} and {pages}
    sections: tuple[Section, ...]

    def to_json(self) -> Json:
        """For machines: the same texts."""
        return {
            "id": self.report_id,
            "lang": self.lang,
            "title": self.title,
            "subtitle": self.subtitle,
            "at": self.at,
            "outcome": self.outcome,
            "code": self.code,
            "sections": [
                {"key": section.key, "title": section.title, "blocks": [_json(block) for block in section.blocks]}
                for section in self.sections
            ],
        }


def _json(block: Block) -> Json:
    match block:
        case Head(text):
            return {"head": text}
        case Text(text, tone):
            return {"text": text, "tone": tone}
        case Items(items):
            return {"items": list(items)}
        case Table(head, rows):
            return {"head": list(head), "rows": [list(row) for row in rows]}
        case Steps(steps):
            return {"steps": [_step_json(step) for step in steps]}
        case Code(text):
            return {"code": text}


def _step_json(step: Step) -> Json:
    found: dict[str, Json] = {"title": step.title, "command": step.command, "value": step.value}
    return found | ({"stated": step.stated, "where": step.where, "holds": step.holds} if step.stated else {})


def cleaned(report: Report) -> Report:
    """The report with every text safe to draw, whatever strangers wrote into a bundle; empty blocks left out."""
    sections = (replace(s, title=_line(s.title), blocks=tuple(_kept(s.blocks))) for s in report.sections)
    return replace(
        report,
        subtitle=shown(report.subtitle),
        sections=tuple(section for section in sections if section.blocks),
    )


def shown(text: str) -> str:
    """A value as one line of bounded length in which nothing is invisible and nothing runs backwards."""
    line = _line(text)
    if len(line) <= MAX_SHOWN:
        return line
    digest = sha256(text.encode("utf-8", "surrogatepass")).hex()
    return f"{line[:MAX_SHOWN]}… [{len(text)}; SHA-256 {digest}]"


def _line(text: str) -> str:
    return visible(" ".join(text.split("\n")))


def _kept(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        match block:
            case Head(text):
                yield Head(_line(text))
            case Text(text, tone) if text:
                yield Text(_line(text), tone)
            case Items(items) if items:
                yield Items(tuple(map(_line, items)))
            case Table(rows=rows) if rows:
                yield replace(block, rows=tuple(tuple(map(_line, row)) for row in rows))
            case Steps(steps) if steps:
                yield replace(block, steps=tuple(_cleaned_step(step) for step in steps))
            case Code():
                yield Code("\n".join(map(visible, block.text.split("\n"))))
            case _:
                pass  # nothing in it


def _cleaned_step(step: Step) -> Step:
    return replace(step, title=_line(step.title), value=shown(step.value), stated=shown(step.stated))
