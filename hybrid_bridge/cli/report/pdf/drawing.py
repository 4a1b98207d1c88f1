"""Blocks as what reportlab flows over pages: paragraphs, tables that break between rows, commands, the code."""

from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import textsplit
from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, Preformatted, Spacer, paragraph
from reportlab.platypus import Table as Grid

from hybrid_bridge.cli.report.code import side, squares
from hybrid_bridge.cli.report.model import Block, Code, Head, Items, Section, Steps, Table, Text
from hybrid_bridge.cli.report.pdf.characters import LIST_MARK
from hybrid_bridge.cli.report.pdf.fonts import Faces

WIDTH: Final = 481.0  # points between the margins of A4
INK, SOFT, LINE, BOX = (HexColor(f"#{rgb}") for rgb in ("1b1b1b", "5a5a5a", "bdbdbd", "f5f5f3"))
TONES: Final = {"good": HexColor("#1d6b35"), "open": HexColor("#7a4b00"), "bad": HexColor("#a3171c"), "none": INK}
CODE_SIDE: Final = 110.0  # points

# reportlab knows what may not begin a line in Japanese; Chinese has these too.
for _module in (paragraph, textsplit):
    _module.ALL_CANNOT_START += "".join(c for c in "，：；！？”’》、。）" if c not in _module.ALL_CANNOT_START)


class Pen:
    """Styles of one language, and the blocks drawn with them."""

    def __init__(self, lang: str, faces: Faces) -> None:
        self.faces = faces
        wrap: dict[str, Any] = {"wordWrap": "CJK"} if lang == "zh" else {}
        plain = ParagraphStyle(
            "text", fontName=faces.serif, fontSize=9.6, leading=14.2, textColor=INK, spaceAfter=5, **wrap
        )
        plain.bulletFontName = faces.serif
        self.text = plain
        self.title = ParagraphStyle("title", plain, fontName=faces.sans, fontSize=21, leading=27, spaceAfter=2)
        self.section = ParagraphStyle("section", plain, fontName=faces.sans, fontSize=13.5, leading=18, spaceAfter=6)
        self.head = ParagraphStyle(
            "head", plain, fontName=faces.sans, fontSize=10, leading=14, spaceBefore=7, spaceAfter=3
        )
        self.item = ParagraphStyle("item", plain, leftIndent=12, bulletIndent=2, spaceAfter=2)
        self.cell = ParagraphStyle("cell", plain, fontSize=8.4, leading=11.6, spaceAfter=0)
        self.column = ParagraphStyle("column", self.cell, fontName=faces.sans, fontSize=7.6, textColor=SOFT)
        self.label = ParagraphStyle("label", self.column, fontSize=7.8, leading=11, spaceAfter=1)
        self.mono = ParagraphStyle(
            "mono",
            plain,
            fontName=faces.mono,
            fontSize=8,
            leading=10.6,
            backColor=BOX,
            borderPadding=(2, 3, 3, 3),
            spaceAfter=4,
        )
        self.value = ParagraphStyle(
            "value", plain, fontName=faces.mono, fontSize=8, leading=10.8, spaceAfter=1, wordWrap="CJK"
        )

    def section_of(self, section: Section, code: str) -> Iterator[Flowable]:
        """A section with its headline, which never stands alone at the foot of a page."""
        parts = [Rule(section.key, section.title), self.paragraph(section.title, self.section)]
        parts += [part for block in section.blocks for part in self.block(block)]
        yield Spacer(0, 10)
        yield CondPageBreak(90)
        if section.key == "self":
            yield KeepTogether([*parts, Drawing(code)])
        else:
            yield from parts

    def block(self, block: Block) -> Iterator[Flowable]:
        """One block."""
        match block:
            case Head(text):
                yield CondPageBreak(70)
                yield self.paragraph(text, self.head)
            case Text(text, tone):
                yield self.paragraph(text, self.text) if tone == "none" else self._box(text, tone)
            case Items(items):
                for item in items:
                    yield Paragraph(
                        escape(drawable(item, self.faces.serif)),
                        self.item,
                        bulletText=drawable(LIST_MARK, self.faces.serif),
                    )
            case Table():
                yield self._table(block)
                yield Spacer(0, 7)
            case Code(text):
                yield Preformatted(drawable(text, self.faces.mono), self.mono)
            case Steps():
                yield from self._steps(block)

    def paragraph(self, text: str, style: ParagraphStyle) -> Paragraph:
        """Text that is only text: no markup of anybody is read in it."""
        return Paragraph(escape(drawable(text, style.fontName)), style)

    def _box(self, text: str, tone: str) -> Flowable:
        style = ParagraphStyle("box", self.text, fontName=self.faces.sans, fontSize=10, leading=15, spaceAfter=0)
        box = Grid([[self.paragraph(text, style)]], colWidths=[WIDTH])
        whole = (0, 0), (-1, -1)
        lines = [
            ("FONT", *whole, self.faces.serif),
            ("BACKGROUND", *whole, BOX),
            ("LINEBEFORE", *whole, 4, TONES[tone]),
        ]
        settings = {"FONT": self.faces.serif, "LEFTPADDING": 12, "TOPPADDING": 7, "BOTTOMPADDING": 9}
        box.setStyle([*lines, *((name, *whole, value) for name, value in settings.items())])
        return KeepTogether([box, Spacer(0, 7)])

    def _table(self, table: Table) -> Flowable:
        tones = table.tones or ("none",) * len(table.rows)
        rows = [[self.paragraph(cell, self.column) for cell in table.head]]
        for row, tone in zip(table.rows, tones, strict=True):
            cells = [self.paragraph(cell, self.cell) for cell in row]
            if table.tones:
                cells[1] = self.paragraph(
                    row[1], ParagraphStyle("tone", self.cell, fontName=self.faces.sans, textColor=TONES[tone])
                )
            rows.append(cells)
        total = sum(table.weights)
        widths = [WIDTH * weight / total for weight in table.weights]
        grid = Grid(rows, colWidths=widths, repeatRows=1, splitInRow=1)  # a row may be higher than a page
        grid.setStyle(
            [
                ("FONT", (0, 0), (-1, -1), self.faces.serif),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ]
        )
        return grid

    def _steps(self, steps: Steps) -> Iterator[Flowable]:
        label = escape(drawable(steps.label, self.faces.sans))
        printed = f'<font name="{self.faces.sans}" color="#5a5a5a">{label}</font>'
        for step in steps.steps:
            parts: list[Flowable] = [
                self.paragraph(step.title, self.label),
                Preformatted(drawable(step.command, self.faces.mono), self.mono),
                Spacer(0, 2),
                Paragraph(f"{printed} {escape(drawable(step.value, self.faces.mono))}", self.value),
            ]
            compared = steps.compared(step)
            if compared:
                style = self.label if step.holds else ParagraphStyle("bad", self.label, textColor=TONES["bad"])
                parts.append(self.paragraph(compared, style))
            yield KeepTogether([*parts, Spacer(0, 5)])


class Rule(Flowable):  # type: ignore[misc]
    """A line over a headline, which a reader's outline leads to."""

    def __init__(self, key: str, title: str) -> None:
        super().__init__()
        self.key, self.title = key, title
        self.width, self.height = WIDTH, 5

    def draw(self) -> None:
        """Called by reportlab."""
        self.canv.bookmarkHorizontal(self.key, 0, 20)
        self.canv.addOutlineEntry(self.title, self.key)
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(1)
        self.canv.line(0, 4, WIDTH, 4)


class Drawing(Flowable):  # type: ignore[misc]
    """The two-dimensional code, drawn in squares."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.width = self.height = CODE_SIDE

    def draw(self) -> None:
        """Called by reportlab; rows count from above, points from below."""
        unit = CODE_SIDE / side(self.text)
        self.canv.setFillColor(INK)
        for row, column, length in squares(self.text):
            self.canv.rect(column * unit, CODE_SIDE - (row + 1) * unit, length * unit, unit, stroke=0, fill=1)


def drawable(text: str, name: str) -> str:
    """The text with each character that the registered face has no glyph for as its number."""
    known = getFont(name).face.charToGlyph
    return "".join(c if ord(c) in known or c == "\n" else f"\\u{ord(c):04x}" for c in text)
