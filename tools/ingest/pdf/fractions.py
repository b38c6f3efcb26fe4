"""Fractions and roots: what stands above and below a bar is written on one line, "(a + b)/c", where the bar was.

Works on single glyphs, and only on the lines that a bar touches.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tools.ingest.pdf.boxes import Box, union
from tools.ingest.pdf.glyphs import COLUMN_GAP, Glyph, piece_of, runs_of, text_of
from tools.ingest.pdf.layout import Row, base_of, extents, font_traits

_THIN = 1.6
_MAX_BARS = 150
"""Plots have more of them."""
_AXIS = 0.25
"""Height of a fraction bar above the base line, in sizes (TeX's axis height)."""
_EXTENSION = re.compile(r"cmex|mathextension|lmex|esint", re.I)
_BRACKETS = re.compile(r"\{[^{}]*\}|\([^()]*\)|\[[^\[\]]*\]")
_SEVERAL = re.compile(r"[\s+−\-=±·,/<>≈≤≥]")
_ONE_FACTOR = re.compile(r"(?:\d+(?:\.\d+)?!?|[∆∂δd]?[^\W\d][′!]*)(?:[\^_](?:\w|\{[^{}]*\}))*(?:\([^()]*\))?")


def bars_in(vectors: Iterable[Box], width: float) -> list[Box]:
    """Short horizontal lines that may part a fraction on a page `width` points wide; none where there are too many."""
    bars = [box for box in vectors if box[3] - box[1] < _THIN and 2.5 < box[2] - box[0] < 0.6 * width]
    return bars if len(bars) <= _MAX_BARS else []


def touched(lines: Sequence[dict[str, Any]], bars: Sequence[Box]) -> set[int]:
    """Numbers of the lines that stand right above, below or across a bar which has text on both sides."""
    found: set[int] = set()
    boxes = [line["bbox"] for line in lines]
    for x0, y, x1, _ in bars:
        low, high, left, right = y + 14, y - 16, x0 - 1, x1 + 1
        near = [
            number
            for number, box in enumerate(boxes)
            if box[1] < low and box[3] > high and box[2] > left and box[0] < right
        ]
        # Something over and something under the bar must be no wider than it.
        tops = [
            box[1]
            for number in near
            for span in lines[number]["spans"]
            if (box := span["bbox"])[0] > x0 - 2 and box[2] < x1 + 2 and span["text"] != " "
        ]
        if tops and min(tops) < y - 2 and max(tops) > y - 4:
            found.update(near)
    return found


def folded(lines: Sequence[tuple[int, int, dict[str, Any]]], bars: Sequence[Box]) -> dict[int, list[Row]]:
    """New pieces for the touched lines, by the number of the line in whose place they stand.

    `lines` are number, block and line of MuPDF's dict. Empty when no bar parts a fraction.
    """
    glyphs = [glyph for number, block, line in lines for glyph in _glyphs(number, block, line, bars)]
    composed = False
    for bar in sorted(bars, key=lambda bar: bar[2] - bar[0]):
        composed = _compose(glyphs, bar) or composed
    if not composed:
        return {}
    pieces: dict[int, list[Row]] = {}
    for run in runs_of(glyphs):
        piece = piece_of(run)
        if piece is not None:
            pieces.setdefault(min(glyph.line for glyph in run), []).append(piece)
    return pieces


def _glyphs(number: int, block: int, line: dict[str, Any], bars: Sequence[Box]) -> Iterator[Glyph]:
    """Words of a line; a span that stands on two heights is cut into its characters."""
    spans = line["spans"]
    main = max((span["size"] for span in spans if not _is_extension(span["font"])), default=10.0)
    for span in spans:
        printed = span["text"]
        text = printed.strip()
        if not text:
            continue
        size, font, flags = span["size"], span["font"], span["flags"]
        math, tall = font_traits(font, flags)[2], _is_extension(font)
        ascent, descent = extents(span)
        x0, y0, x1, y1 = span["bbox"]
        x0 += (len(printed) - len(printed.lstrip())) * (x1 - x0) / len(printed)
        if len(text) == 1 or y1 - y0 < 1.25 * (ascent + descent):
            base = base_of(span)
            yield Glyph(
                text,
                x0,
                base - ascent,
                x1,
                base + descent,
                base,
                size,
                font,
                flags,
                number,
                block,
                main,
                math,
                tall,
            )
            continue
        width = (x1 - x0) / len(text)
        heights = span["origin"][1], y0 + ascent, y1 - descent
        for index, character in enumerate(text):
            left, right = x0 + index * width, x0 + (index + 1) * width
            base = _height(left, right, heights, index > 0, bars)
            if not character.isspace():
                yield Glyph(
                    character, left, base - ascent, right, base + descent, base,
                    size, font, flags, number, block, main, math, tall,
                )  # fmt: skip


@functools.lru_cache(maxsize=512)
def _is_extension(font: str) -> bool:
    return bool(_EXTENSION.search(font))


def _height(
    left: float, right: float, heights: tuple[float, float, float], later: bool, bars: Sequence[Box]
) -> float:
    """Base line of a character of a span that has two: that of its first character, `heights[0]`, and another."""
    first, upper, lower = heights
    other = upper if abs(upper - first) > abs(lower - first) else lower
    middle = (left + right) / 2
    in_bar = any(
        x0 - 1 < middle < x1 + 1 and (0 < y - other < right - left + 8 or 0 < other - y < right - left + 12)
        for x0, y, x1, _ in bars
    )
    return other if later and in_bar else first


# --- one bar


def _compose(glyphs: list[Glyph], bar: Box) -> bool:
    """Replaces what belongs to the bar by one glyph; False when it is no fraction or root."""
    x0, y, x1, _ = bar
    left, right, top, bottom = x0 - 1.5, x1 + 1.5, y - 40, y + 40
    over = [g for g in glyphs if g.x0 >= left and g.x1 <= right and g.y0 < bottom and g.y1 > top]
    below = _nearest([(glyph.base - y, glyph) for glyph in over if glyph.base > y + 0.5])
    if not below:
        return False
    above = _nearest([(y - glyph.base, glyph) for glyph in over if glyph.base < y + 0.5])
    close = [g for g in glyphs if g.y0 < bottom and g.y1 > top and g.x0 < x1 + 40 and g.x1 > x0 - 40]
    size = max((glyph.size for glyph in (*above, *below)), default=0.0)
    root = next((g for g in close if g.text == "√" and abs(g.x1 - x0) < 2 and g.y0 - 3 < y < g.y1), None)
    if root is not None:
        text = text_of(below)
        _replace(glyphs, [root, *below], f"√{text}" if len(text) == 1 else f"√({text})", below)
        return True
    if not above or not _is_fraction(close, bar, above, below):
        return False
    base, main = _line_of(close, bar, [*above, *below], size)
    text = _as_fraction(text_of(above), text_of(below))
    _replace(glyphs, [*above, *below], text, above, base=base, size=main)
    return True


def _nearest(glyphs: Sequence[tuple[float, Glyph]]) -> list[Glyph]:
    """Of glyphs with their distances from the bar those of the line next to it, with its scripts."""
    if not glyphs:
        return []
    first, glyph = min(glyphs, key=lambda pair: pair[0])
    if first > 1.3 * glyph.size:
        return []
    size = max(glyph.size for distance, glyph in glyphs if distance < first + 0.55 * glyph.size)
    return [glyph for distance, glyph in glyphs if distance < first + 0.8 * size]


def _is_fraction(glyphs: Sequence[Glyph], bar: Box, above: list[Glyph], below: list[Glyph]) -> bool:
    """Both parts are centred, one is as wide as the bar, and neither is a piece of a longer line, as underlined text is."""
    width = bar[2] - bar[0]
    middle = (bar[0] + bar[2]) / 2
    widths = []
    for part in (above, below):
        x0, _, x1, _ = union(glyph.box for glyph in part)
        widths.append(x1 - x0)
        if _has_gap(part):
            return False
        if abs((x0 + x1) / 2 - middle) > 0.12 * width + 1.5 or _goes_on(glyphs, part, x0, x1):
            return False
    return max(widths) > 0.6 * width - 2


def _has_gap(part: Sequence[Glyph]) -> bool:
    """As the cells of a table have above and below its rules."""
    row = sorted(part, key=lambda glyph: glyph.x0)
    reach = row[0].x1
    for glyph in row[1:]:
        if glyph.x0 - reach > COLUMN_GAP * glyph.size:
            return True
        reach = max(reach, glyph.x1)
    return False


def _goes_on(glyphs: Sequence[Glyph], part: Sequence[Glyph], x0: float, x1: float) -> bool:
    own = {id(glyph) for glyph in part}
    mains = [glyph for glyph in part if glyph.is_main] or part
    for glyph in glyphs:
        least = 0.12 * glyph.size
        if not (-least < glyph.x0 - x1 < least or -least < x0 - glyph.x1 < least):
            continue
        if (
            glyph.text[:1].isalnum()
            and id(glyph) not in own
            and any(
                abs(glyph.base - other.base) < 0.1 * other.size and abs(glyph.size - other.size) < 0.5
                for other in mains
            )
        ):
            return True
    return False


def _line_of(glyphs: Sequence[Glyph], bar: Box, parts: Sequence[Glyph], size: float) -> tuple[float, float]:
    """Base line and size of the text that the fraction stands in."""
    own = {id(glyph) for glyph in parts}
    best, least = (bar[1] + _AXIS * size, size), 3.0 * size
    for glyph in glyphs:
        if id(glyph) in own or not glyph.is_main or glyph.tall:
            continue
        gap = max(glyph.x0 - bar[2], bar[0] - glyph.x1)
        if 0.1 * glyph.size < glyph.base - bar[1] < 0.42 * glyph.size and -1 < gap < least:
            best, least = (glyph.base, glyph.size), gap
    return best


def _replace(
    glyphs: list[Glyph],
    old: Sequence[Glyph],
    text: str,
    like: Sequence[Glyph],
    *,
    base: float | None = None,
    size: float | None = None,
) -> None:
    gone = {id(glyph) for glyph in old}
    x0, y0, x1, y1 = union(glyph.box for glyph in old)
    model = max(like, key=lambda glyph: glyph.size)
    first = min(glyph.line for glyph in old)
    glyphs[:] = [glyph for glyph in glyphs if id(glyph) not in gone]
    base, size = base or model.base, size or model.size
    glyphs.append(
        Glyph(
            text,
            x0,
            y0,
            x1,
            y1,
            base,
            size,
            model.font,
            model.flags,
            first,
            model.block,
            size,
            True,
            composed=True,
        )
    )


def _as_fraction(above: str, below: str) -> str:
    several = _SEVERAL.search(_without_brackets(above))
    upper = f"({above})" if several else above
    lower = below if _ONE_FACTOR.fullmatch(below) else f"({below})"
    return f"{upper}/{lower}"


def _without_brackets(text: str) -> str:
    while (shorter := _BRACKETS.sub("", text)) != text:
        text = shorter
    return text
