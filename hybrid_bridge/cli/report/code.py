"""The two-dimensional code of a report, as rows of dark squares (ISO/IEC 18004, by segno)."""

from typing import Final

QUIET: Final = 4  # squares around it that stay white, as the standard asks


def squares(text: str) -> tuple[tuple[int, int, int], ...]:
    """Dark runs as (row, column, length), the quiet zone counted in."""
    import segno  # noqa: PLC0415 the other formats do without

    runs = []
    for row, line in enumerate(segno.make_qr(text, error="m").matrix, start=QUIET):
        column = 0
        while column < len(line):
            length = next((k for k, dark in enumerate(line[column:]) if not dark), len(line) - column)
            if length:
                runs.append((row, column + QUIET, length))
            column += length + 1
    return tuple(runs)


def side(text: str) -> int:
    """How many squares the code is wide and high, with its quiet zone."""
    import segno  # noqa: PLC0415

    return int(segno.make_qr(text, error="m").symbol_size(border=QUIET)[0])
