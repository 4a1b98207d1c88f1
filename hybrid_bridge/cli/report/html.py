"""A report as one HTML file: no script, nothing fetched, a policy that forbids both; the file it is about goes with it.

Every text passes through `_text` and becomes characters; no attribute but our own class names is written.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from hybrid_bridge.cli.report.code import side, squares
from hybrid_bridge.cli.report.commands import script
from hybrid_bridge.cli.report.model import Block, Code, Head, Items, Report, Section, Steps, Table, Text
from hybrid_bridge.cli.report.shell import BUNDLE
from hybrid_bridge.cli.report.texts import QUOTE, Words

LANGS: Final = {"en": "en", "zh": "zh-CN"}


def html(report: Report, data: bytes) -> bytes:
    """The whole page, UTF-8."""
    t = Words(report.lang)
    style = (files("hybrid_bridge.cli.report") / "style.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    parts = [
        f'<!doctype html>\n<html lang="{LANGS[report.lang]}">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{_text(report.title)} {report.report_id}</title>",
        f"<style>{style}</style>\n</head>\n<body>\n<main>",
        f"<h1>{_text(report.title)}</h1>\n<p>{_text(report.subtitle)}</p>",
        f'<p class="id">{_text(t("subject.report"))} {report.report_id} · {_text(report.made)}</p>',
        *(part for section in report.sections for part in _section(report, section)),
        _links(report, data, t),
        f"</main>\n<footer>{_text(report.footer)}</footer>\n</body>\n</html>\n",
    ]
    return "\n".join(parts).encode()


def _section(report: Report, section: Section) -> Iterator[str]:
    yield f'<section id="{section.key}">\n<h2>{_text(section.title)}</h2>'
    for block in section.blocks:
        yield from _block(block)
    if section.key == "self":
        yield _drawn(report.code)
    yield "</section>"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Head(text):
            yield f"<h3>{_text(text)}</h3>"
        case Text(text, tone):
            kind = "" if tone == "none" else f' class="box {tone}"'
            yield f"<p{kind}>{_flow(text)}</p>"
        case Items(items):
            yield "<ul>" + "".join(f"<li>{_flow(item)}</li>" for item in items) + "</ul>"
        case Table():
            yield from _table(block)
        case Code(text):
            yield f"<pre>{_text(text)}</pre>"
        case Steps():
            yield from _steps(block)


def _table(table: Table) -> Iterator[str]:
    columns = "".join(f'<col span="1" width="{weight}%">' for weight in table.weights)
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.head)
    kind = ' class="pair"' if len(table.head) == 2 else ""
    yield f"<table{kind}><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead><tbody>"
    tones = table.tones or ("none",) * len(table.rows)
    for row, tone in zip(table.rows, tones, strict=True):
        yield f"<tr>{''.join(_cells(table.head, row, tone))}</tr>"
    yield "</tbody></table>"


def _cells(head: Sequence[str], row: Sequence[str], tone: str) -> Iterator[str]:
    for place, (title, cell) in enumerate(zip(head, row, strict=True)):
        kind = f' class="{tone}"' if place == 1 and tone != "none" else ""
        yield f'<td{kind} data-head="{_text(title)}">{_flow(cell)}</td>'


def _steps(steps: Steps) -> Iterator[str]:
    yield '<ol class="steps">'
    for step in steps.steps:
        compared, kind = steps.compared(step), "label" if step.holds else "label differs"
        yield f'<li><span class="label">{_text(step.title)}</span>\n<pre>{_text(step.command)}</pre>'
        yield f'<span class="label">{_text(steps.label)}</span> <code>{_text(step.value)}</code>'
        yield f'<br><span class="{kind}">{_text(compared)}</span></li>' if compared else "</li>"
    yield "</ol>"


def _drawn(text: str) -> str:
    """The code as a drawing, dark on white whatever the page's colours."""
    size = side(text)
    path = "".join(f"M{column} {row}h{length}v1h-{length}z" for row, column, length in squares(text))
    return (
        f'<svg role="img" aria-label="{_text(text)}" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path d="{path}" fill="#000"/></svg>'
    )


def _links(report: Report, data: bytes, t: Words) -> str:
    """The file and the commands, inside the page: a browser saves them without a network."""
    files = {
        ("attached.html", BUNDLE): ("application/json", data),
        ("attached.commands", "commands.sh"): ("text/plain", script(report.sections).encode()),
    }
    links = (
        f'<p><a download="{name}" href="data:{kind};base64,{b64encode(content).decode()}">{_text(t(key))}</a></p>'
        for (key, name), (kind, content) in files.items()
    )
    return "\n".join(links)


def _flow(text: str) -> str:
    """Text in which what is quoted keeps its direction of writing to itself."""
    return QUOTE.sub(lambda found: f"<bdi>{found[0]}</bdi>", _text(text))


def _text(text: str) -> str:
    return escape(text, quote=True)
