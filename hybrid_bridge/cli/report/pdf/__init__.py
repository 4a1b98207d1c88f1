"""A report as PDF: A4, its own fonts within, page numbers, the file it is about as an attachment.

The same report gives the same bytes. reportlab and the fonts are an extra of the package (ADR 50).
"""

from collections.abc import Iterator
from io import BytesIO

from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from hybrid_bridge.cli.report.commands import script
from hybrid_bridge.cli.report.model import Report
from hybrid_bridge.cli.report.pdf.attaching import attach, settle
from hybrid_bridge.cli.report.pdf.characters import in_mono, in_sans, in_serif
from hybrid_bridge.cli.report.pdf.describing import describe
from hybrid_bridge.cli.report.pdf.drawing import INK, LINE, SOFT, WIDTH, Pen, drawable
from hybrid_bridge.cli.report.pdf.fonts import MONO, SANS, SERIF, Faces, face
from hybrid_bridge.cli.report.shell import BUNDLE
from hybrid_bridge.cli.report.texts import Words

A4 = (595.28, 841.89)
LEFT, TOP, BOTTOM = (A4[0] - WIDTH) / 2, 66.0, 58.0


def pdf(report: Report, data: bytes) -> bytes:
    """The whole document. It is laid out twice: only then is it known how many pages it has."""
    faces = _registered(report)
    _, pages = _laid_out(report, data, faces, 0)
    written, _ = _laid_out(report, data, faces, pages)
    return written


def _laid_out(report: Report, data: bytes, faces: Faces, pages: int) -> tuple[bytes, int]:
    """The bytes, and how many pages they are."""
    written = BytesIO()
    document = BaseDocTemplate(
        written,
        pagesize=A4,
        title=f"{report.title} {report.report_id}",
        subject=report.subtitle,
        author=report.report_id,
        keywords=report.code,  # `bundle zip --report` finds the digest there, which pages have in pieces
        creator="hybrid-bridge",
        lang=_language(report),
        displayDocTitle=True,  # a reader's window has the title, not the file's name
        invariant=1,
        initialFontName=faces.serif,
    )

    def framed(canvas: Canvas, template: BaseDocTemplate) -> None:
        _frame(canvas, report, faces, report.page_of.format(page=template.page, pages=pages))

    frame = Frame(LEFT, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame], onPage=framed)])
    document.build(list(_story(report, Pen(report.lang, faces))), canvasmaker=_holding(report, data))
    return written.getvalue(), document.page


def _language(report: Report) -> str:
    """As browsers and readers name it (BCP 47)."""
    return "zh-CN" if report.lang == "zh" else "en"


def _registered(report: Report) -> Faces:
    """The three faces with the characters that this report shows.

    reportlab keeps the first font of a name for ever, so another set of characters gets another name.
    """
    t = Words(report.lang)
    more = t("subject.report") + t("attached.pdf", name=BUNDLE) + "".join(map(chr, range(0x20, 0x7F)))
    names = []
    for one, told in ((SERIF, in_serif(report)), (SANS, in_sans(report)), (MONO, in_mono(report))):
        name, data = face(one).subset({*more, *"".join(told)})
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


def _holding(report: Report, data: bytes) -> type[Canvas]:
    """A canvas that puts the files into its document before it writes it."""
    files = {BUNDLE: ("application/json", data), "commands.sh": ("text/plain", script(report.sections).encode())}

    class Holding(Canvas):  # type: ignore[misc]
        def save(self) -> None:
            settle(self._doc, report.at, data + report.report_id.encode() + report.lang.encode())
            attach(self._doc, files)
            describe(self._doc, report, _language(report))
            super().save()

    return Holding


def _frame(canvas: Canvas, report: Report, faces: Faces, page: str) -> None:
    """Title and id above, what rests on this page and its number below."""
    canvas.saveState()
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
    canvas.restoreState()
