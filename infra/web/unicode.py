"""Writes the code points of Unicode 3.2 as a table for the JavaScript verifier (SPEC §9.2): ranges, as Python knows them.

run:  python infra/web/unicode.py > hybrid_bridge/web/src/unicode32.js
"""

import sys
import unicodedata

HEAD = """/**
 * The code points of Unicode 3.2, for labels alone: what NFKC makes of these no later table changes (SPEC §9.2).
 *
 * Written by `infra/web/unicode.py`. Gap before each range, then its length, each in base 36, one after the other.
 */

"""


def ranges():
    start = None
    for code in range(sys.maxunicode + 2):
        known = code <= sys.maxunicode and unicodedata.ucd_3_2_0.category(chr(code)) != "Cn"
        if known and start is None:
            start = code
        if not known and start is not None:
            yield start, code
            start = None


def base36(number):
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if not number:
            return digits


def table():
    """The whole file."""
    numbers, before = [], 0
    for start, end in ranges():
        numbers += [base36(start - before), base36(end - start)]
        before = end
    lines, line = [], ""
    for number in numbers:
        if len(line) + len(number) > 110:
            lines.append(line)
            line = ""
        line += f"{number} "
    text = " +\n".join(f'  "{part}"' for part in [*lines, line.rstrip()])
    return f"""{HEAD}const TABLE =
{text};

/** @type {{[number, number][]}} first and one after the last */ const RANGES = [];
let next = 0;
const numbers = TABLE.split(" ").map((number) => parseInt(number, 36));
for (let i = 0; i < numbers.length; i += 2) {{
  const start = next + numbers[i];
  next = start + numbers[i + 1];
  RANGES.push([start, next]);
}}

/** Known to Unicode 3.2. @param {{number}} code */
export const isOld = (code) => RANGES.some(([start, end]) => start <= code && code < end);
"""


if __name__ == "__main__":
    sys.stdout.write(table())
