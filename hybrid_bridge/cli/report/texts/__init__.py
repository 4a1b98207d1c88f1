"""All fixed words of a report, each in English and Chinese in one row, so that neither can lack what the other has.

`Words` gives them in one language. What `verify` says in English is put into Chinese by the sentences of `phrases`;
names, values and whatever else stands in the evidence stay as they are.
"""

import re
from functools import cache
from typing import Final

from hybrid_bridge.cli.report.texts.checks import CHECKS
from hybrid_bridge.cli.report.texts.english import ENGLISH
from hybrid_bridge.cli.report.texts.errors import ERRORS
from hybrid_bridge.cli.report.texts.findings import FINDINGS
from hybrid_bridge.cli.report.texts.frame import FRAME
from hybrid_bridge.cli.report.texts.law import LAW
from hybrid_bridge.cli.report.texts.phrases import PHRASES
from hybrid_bridge.cli.report.texts.steps import STEPS

LANGUAGES: Final = ("en", "zh")
PARTS: Final = (FRAME, FINDINGS, ERRORS, CHECKS, STEPS, LAW)
TABLE: Final[dict[str, tuple[str, str]]] = {key: row for part in PARTS for key, row in part.items()}


QUOTE: Final = re.compile("“[^“”]*”")
_REFILLED: Final = re.compile("“”")


class Words:
    """The texts in one language: `t("title")`, `t("size", bytes=5)`."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._column = LANGUAGES.index(lang)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its values.

        Raises:
            KeyError: no such text, or a value that it needs was not given.
        """
        return TABLE[key][self._column].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in TABLE

    def said(self, text: str) -> str:
        """A sentence of `verify` in this language; one that nobody has put into it stays English.

        What stands between quotation marks is a stranger's and no part of the sentence.
        """
        quotes = QUOTE.findall(text)
        bare = QUOTE.sub("“”", text)
        told = in_english(bare) if self.lang == "en" else in_chinese(bare) or bare
        return _REFILLED.sub(lambda _: quotes.pop(0), told) if told.count("“”") == len(quotes) else text


def in_english(text: str) -> str:
    """A sentence of `verify` as a report says it to people who did not choose what it relies on."""
    for said, told in ENGLISH:
        text = text.replace(said, told)
    return text


def in_chinese(text: str) -> str | None:
    """A sentence of `verify` in Chinese; None if it is none that is known. Parts that are sentences follow suit."""
    for pattern, chinese in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            return chinese.format(**{name: _part(name, value) for name, value in found.groupdict().items()})
    return None


def _part(name: str, value: str) -> str:
    """Of a placeholder that ends in `_s` the value is a sentence, or several with commas or semicolons between."""
    if not name.endswith("_s"):
        return value
    whole = in_chinese(value)
    if whole is not None:
        return whole
    for mark, chinese in (("; ", "；"), (", ", "、")):
        if mark in value:
            return chinese.join(_part(name, piece) for piece in value.split(mark))
    return value


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_pattern(english), chinese) for english, chinese in PHRASES)


def _pattern(english: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", english)
    made = (f"(?P<{piece}>.+?)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
    return re.compile("".join(made), re.DOTALL)
