"""Fonts for a report: just the glyphs that it needs, as TrueType, to be embedded.

Noto Serif SC for text, Noto Sans SC for headlines, and the half-width forms of Noto Sans SC, all of one width, for
commands and hashes. They come as data in a Python package (OFL-1.1), with PostScript outlines; reportlab embeds
TrueType, so the cubic curves become quadratic ones, each within a thousandth of an em.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pylopdf_fonts_zh_cn
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

SERIF, SANS, MONO = "NotoSerifSC", "NotoSansSC", "NotoSansSC-HalfWidth"
MAX_ERROR: Final = 1.0  # font units, of 1,000 to the em
_NOTDEF: Final = ".notdef"
_PATHS: Final = {
    SERIF: pylopdf_fonts_zh_cn.serif_path,
    SANS: pylopdf_fonts_zh_cn.sans_path,
    MONO: pylopdf_fonts_zh_cn.sans_path,
}


@dataclass(frozen=True)
class Face:
    """One face: which glyph stands for which character."""

    name: str
    font: Any  # fontTools has no types
    glyphs: dict[int, str]
    made: dict[str, Any] = field(default_factory=dict)  # outlines that were converted before: the dear part

    def has(self, character: str) -> bool:
        """Whether it can be drawn."""
        return ord(character) in self.glyphs

    def subset(self, characters: Iterable[str]) -> tuple[str, bytes]:
        """A TrueType font with these characters and its name, which is another for other characters."""
        wanted = {ord(c): self.glyphs[ord(c)] for c in sorted(set(characters)) if self.has(c)}
        name = f"{self.name}-{sha256(repr(list(wanted)).encode()).hexdigest()[:8]}"
        order = [_NOTDEF, *dict.fromkeys(wanted.values())]
        shapes = self.font.getGlyphSet()
        builder = FontBuilder(unitsPerEm=self.font["head"].unitsPerEm, isTTF=True)
        builder.setupGlyphOrder(order)
        builder.setupCharacterMap(wanted)
        for glyph in order:
            if glyph not in self.made:
                self.made[glyph] = _quadratic(shapes, glyph)
        builder.setupGlyf({glyph: self.made[glyph] for glyph in order})
        left = {
            name: builder.font["glyf"][name].xMin if builder.font["glyf"][name].numberOfContours else 0
            for name in order
        }
        builder.setupHorizontalMetrics({name: (self.font["hmtx"][name][0], left[name]) for name in order})
        head = self.font["hhea"]
        builder.setupHorizontalHeader(ascent=head.ascent, descent=head.descent)
        builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
        builder.setupOS2(sTypoAscender=head.ascent, sTypoDescender=head.descent, sCapHeight=733)
        builder.setupPost()
        builder.font.recalcTimestamp = False
        written = BytesIO()
        builder.font.save(written)
        return name, written.getvalue()


def _quadratic(shapes: Any, name: str) -> Any:  # noqa: ANN401 fontTools has no types
    pen = TTGlyphPen(None)
    shapes[name].draw(Cu2QuPen(pen, MAX_ERROR, reverse_direction=True))
    return pen.glyph()


@dataclass(frozen=True, slots=True)
class Faces:
    """The names under which reportlab knows the three faces of one report."""

    serif: str
    sans: str
    mono: str


@cache
def face(name: str) -> Face:
    """Opened once; the glyphs themselves are read when they are wanted."""
    font = TTFont(Path(_PATHS[name]()), lazy=True)
    glyphs = dict(font.getBestCmap())
    if name == MONO:
        narrow = _half_width(font)
        glyphs = {code: narrow.get(glyph, glyph) for code, glyph in glyphs.items()}
    return Face(name, font, glyphs)


def _half_width(font: Any) -> dict[str, str]:  # noqa: ANN401 fontTools has no types
    """The OpenType feature `hwid`: for each glyph its form of half an em."""
    table = font["GSUB"].table
    lookups = {
        index
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "hwid"
        for index in record.Feature.LookupListIndex
    }
    found: dict[str, str] = {}
    for index in sorted(lookups):
        for part in table.LookupList.Lookup[index].SubTable:
            found |= getattr(part, "ExtSubTable", part).mapping
    return found
