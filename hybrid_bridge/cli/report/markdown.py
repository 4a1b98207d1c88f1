"""A report as Markdown (CommonMark with tables), the file at its end as base64."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from hybrid_bridge.cli.report.model import Block, Code, Head, Items, Report, Steps, Table, Text
from hybrid_bridge.cli.report.texts import Words

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&$]|^[-+.]|(?<=^\d)[.)])")


def markdown(report: Report, data: bytes) -> bytes:
    """The whole page, UTF-8."""
    t = Words(report.lang)
    lines = [
        f"# {_text(report.title)}",
        f"**{_text(report.subtitle)}**",
        f"{_text(t('subject.report'))} {report.report_id} · {_text(report.made)}",
    ]
    for section in report.sections:
        lines.append(f"## {_text(section.title)}")
        lines += [part for block in section.blocks for part in _block(block)]
    lines.append(_text(t("attached.base64")))
    lines.append("```text\n" + "\n".join(wrap(b64encode(data).decode(), 96)) + "\n```")
    lines.append(f"*{_text(report.footer)}*")
    return ("\n\n".join(lines) + "\n").encode()


def _block(block: Block) -> Iterator[str]:
    match block:
        case Head(text):
            yield f"### {_text(text)}"
        case Text(text, tone):
            yield _text(text) if tone == "none" else f"> **{_text(text)}**"
        case Items(items):
            yield "\n".join(f"- {_text(item)}" for item in items)
        case Table(head, rows):
            yield "\n".join(_row(row) for row in (head, ["---"] * len(head), *rows))
        case Code(text):
            yield f"```sh\n{text}\n```"
        case Steps(steps):
            for step in steps:
                yield f"**{_text(step.title)}**"
                yield f"```sh\n{step.command}\n```"
                compared = block.compared(step)
                yield f"{_text(block.label)} {_code(step.value)}" + (f" ({_text(compared)})" if compared else "")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell if cell == "---" else _text(cell) for cell in cells) + " |"


def _text(text: str) -> str:
    """Text that stays text: no markup of a stranger is drawn."""
    return _SPECIAL.sub(r"\\\1", text)


def _code(text: str) -> str:
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if len(ticks) > 1 else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
