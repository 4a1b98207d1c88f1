"""A report as PDF: A4, its own fonts within, page numbers, the file it is about as an attachment.

The same report gives the same bytes. reportlab and the fonts are an extra of the package (ADR 50).
"""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from hybrid_bridge.cli.report.commands import script
from hybrid_bridge.cli.report.model import Report
from hybrid_bridge.cli.report.pdf.attaching import attach, settle
from hybrid_bridge.cli.report.pdf.drawing import INK, LINE, SOFT, WIDTH, Pen, drawable
from hybrid_bridge.cli.report.pdf.fonts import MONO, SANS, SERIF, Faces, face
from hybrid_bridge.cli.report.shell import BUNDLE
from hybrid_bridge.cli.report.texts import LANGUAGES, TABLE, Words

A4 = (595.28, 841.89)
LEFT, TOP, BOTTOM = (A4[0] - WIDTH) / 2, 66.0, 58.0


def pdf(report: Report, data: bytes) -> bytes:
    """The whole document."""
    faces = _registered(report)
    written = BytesIO()
    document = BaseDocTemplate(
        written,
        pagesize=A4,
        title=f"{report.title} {report.report_id}",
        subject=report.subtitle,
        author=report.report_id,
        creator="hybrid-bridge",
        lang="zh-CN" if report.lang == "zh" else "en",
        invariant=1,
        initialFontName=faces.serif,
    )
    frame = Frame(LEFT, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame])])
    document.build(list(_story(report, Pen(report.lang, faces))), canvasmaker=_numbered(report, data, faces))
    return written.getvalue()


def _registered(report: Report) -> Faces:
    """The three faces, with the characters of this report and whatever its language may need.

    reportlab keeps the first font of a name for ever, so another set of characters gets another name.
    """
    column = LANGUAGES.index(report.lang)
    told = json.dumps(report.to_json(), ensure_ascii=False) + report.footer + report.made + report.page_of + "–…·→"
    wanted = {*told, *map(chr, range(0x20, 0x7F)), *(c for row in TABLE.values() for c in row[column])}
    names = []
    for one in (SERIF, SANS, MONO):
        name, data = face(one).subset(wanted)
        registerFont(TTFont(name, BytesIO(data)))
        names.append(name)
    return Faces(*names)


def _story(report: Report, pen: Pen) -> Iterator[Flowable]:
    t = Words(report.lang)
    yield pen.paragraph(report.title, pen.title)
    yield pen.paragraph(report.subtitle, pen.text)
    yield pen.paragraph(f"{t('subject.report')} {report.report_id} · {report.made}", pen.label)
    for section in report.sections:
        yield from pen.section_of(section, report.code)
    yield pen.paragraph(t("attached.pdf", name=BUNDLE), pen.text)


def _numbered(report: Report, data: bytes, faces: Faces) -> type[Canvas]:
    """A canvas that draws head and foot of each page once it knows how many there are, and attaches the files."""
    commands = script(report.sections).encode()

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 reportlab has no types
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            settle(self._doc, report.at, data + report.report_id.encode() + report.lang.encode())
            attach(self._doc, {BUNDLE: ("application/json", data), "commands.sh": ("text/plain", commands)})
            pages = self._pages
            for number, page in enumerate(pages, start=1):
                self.__dict__.update(page)
                _frame(self, report, faces, report.page_of.format(page=number, pages=len(pages)))
                super().showPage()
            super().save()

    return Numbered


def _frame(canvas: Canvas, report: Report, faces: Faces, page: str) -> None:
    """Title and id above, what rests on this page and its number below."""
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.setFillColor(INK)
    canvas.setFont(faces.sans, 8)
    top, right = A4[1] - 44, LEFT + WIDTH
    canvas.drawString(LEFT, top, drawable(report.title, faces.sans))
    canvas.drawRightString(right, top, report.report_id)
    canvas.line(LEFT, top - 6, right, top - 6)
    canvas.setFillColor(SOFT)
    canvas.line(LEFT, 46, right, 46)
    canvas.drawString(LEFT, 34, drawable(report.footer, faces.sans))
    canvas.drawRightString(right, 34, drawable(page, faces.sans))
