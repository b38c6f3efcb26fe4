"""The words of a PDF page with their boxes, as the cells of tables are made of them; scripts stay with their word."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tools.ingest.pdf.layout import font_traits, readable
from tools.ingest.pdf.scripts import marked, script_of
from tools.ingest.pdf.tables import Word

_SOLID = re.compile(r"\S+")


@dataclass(slots=True)
class _Piece:
    """Glyphs without white space between them."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    base: float
    math: bool
    stem: str = ""
    """What stands before the script at its end."""
    sign: str = ""
    script: str = ""


def words_of(lines: Iterable[dict[str, Any]]) -> list[Word]:
    """From MuPDF's lines; a word that contains white space in the file is cut in proportion to its characters."""
    found: list[_Piece] = []
    for line in lines:
        for span in line["spans"]:
            for piece in _pieces(span):
                if not (found and _joins(found[-1], piece)):
                    found.append(piece)
    return [(piece.x0, piece.y0, piece.x1, piece.y1, piece.text) for piece in found if piece.text]


def _pieces(span: dict[str, Any]) -> Iterator[_Piece]:
    text = span["text"]
    if text == " ":
        return
    x0, y0, x1, y1 = span["bbox"]
    width = (x1 - x0) / max(1, len(text))
    math = font_traits(span["font"], span["flags"])[2]
    for match in _SOLID.finditer(text):
        left, right = x0 + match.start() * width, x0 + match.end() * width
        yield _Piece(readable(match.group()), left, y0, right, y1, span["size"], span["origin"][1], math)


def _joins(word: _Piece, piece: _Piece) -> bool:
    """Appends the piece to the word that it touches, as a script where it is one."""
    gap = piece.x0 - word.x1
    sign = script_of(piece.size, piece.base, word.size, word.base)
    if sign:
        if not -2.5 * word.size < gap < 0.25 * word.size:
            return False
    elif not -0.3 * word.size < gap < 0.12 * word.size or abs(piece.base - word.base) > 0.3 * word.size:
        return False
    if not sign:
        word.text += piece.text
    elif sign != word.sign:
        word.stem, word.script = word.text, piece.text
    else:
        word.script += piece.text
    word.sign = sign
    if sign:
        word.text = word.stem + marked(word.stem, sign, word.script, math=word.math or piece.math)
    word.x1 = max(word.x1, piece.x1)
    return True
