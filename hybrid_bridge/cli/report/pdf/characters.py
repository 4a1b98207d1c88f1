"""Which characters of a report stand in which face: no glyph is made that no page shows."""

from collections.abc import Iterator

from hybrid_bridge.cli.report.model import Block, Code, Head, Items, Report, Steps, Table, Text

LIST_MARK = "–"


def in_serif(report: Report) -> Iterator[str]:
    """Running text and the cells of tables."""
    yield report.subtitle + LIST_MARK
    for block in _blocks(report):
        match block:
            case Text(text, "none"):
                yield text
            case Items(items):
                yield from items
            case Table(rows=rows):
                yield from (cell for row in rows for cell in row)
            case _:
                pass


def in_sans(report: Report) -> Iterator[str]:
    """Headlines, boxes, heads of tables, what has a colour, titles of commands, head and foot of a page."""
    yield report.title + report.made + report.footer + report.page_of + "·"
    yield from (section.title for section in report.sections)
    for block in _blocks(report):
        match block:
            case Head(text) | Text(text):
                yield text
            case Table(head, rows, _, tones):
                yield from head
                yield from (row[1] for row in rows if tones)
            case Steps(steps, label):
                yield label
                yield from (step.title + block.compared(step) for step in steps)
            case _:
                pass


def in_mono(report: Report) -> Iterator[str]:
    """Commands and what they print."""
    for block in _blocks(report):
        match block:
            case Code(text):
                yield text
            case Steps(steps):
                yield from (step.command + step.value for step in steps)
            case _:
                pass


def _blocks(report: Report) -> Iterator[Block]:
    return (block for section in report.sections for block in section.blocks)
