"""Superscripts and subscripts of a printed line, written with ^ and _ by the size and height of the glyphs."""

import re
from collections.abc import Callable, Sequence
from typing import Any

SMALL = 0.87
"""Glyphs below this share of the line's size may be scripts; TeX sets them at 0.7."""
_RAISED = 0.12
_LOWERED = 0.08
_FAR = 0.75
"""Shifts of the base line in shares of the size; what is farther off belongs to a fraction or a limit."""
_ORDINAL = re.compile(r"\d(?:st|nd|rd|th|er|re|e|o|a)$")
_SIGNS = frozenset("′″*†‡®™°")


def script_of(size: float, base: float, main_size: float, main_base: float) -> str:
    """ "^", "_" or "": what glyphs of `size` points on `base` are beside those of the line."""
    if size >= SMALL * main_size:
        return ""
    shift = (main_base - base) / main_size
    if _RAISED < shift < _FAR:
        return "^"
    return "_" if -_FAR < shift < -_LOWERED else ""


def marked(before: str, sign: str, text: str, *, math: bool) -> str:
    """The script as it is written after `before`; plain where a marker would only harm words ("20th", "H2O", "LaTeX")."""
    text = text.strip()
    if not sign or not text or not before.strip():
        return text
    if all(character in _SIGNS for character in text):
        return text
    if sign == "^" and (_ORDINAL.search(before[-1:] + text) or (before[-1:] + text == "LA")):
        return text
    if sign == "_" and not math and text.isdigit() and before[-1:].isalpha():
        return text
    short = len(text) == 1 or (sign == "^" and text.isdigit())
    return f"{sign}{text}" if short else f"{sign}{{{text}}}"


def with_scripts(
    spans: Sequence[dict[str, Any]],
    size: float,
    base: float,
    traits: Callable[[str, int], tuple[bool, bool, bool]],
) -> str:
    """The text of MuPDF's spans of one line whose main glyphs have `size` points and stand on `base`."""
    text = ""
    script, sign, math = "", "", False
    before_is_math = False
    for span in spans:
        part = span["text"]
        blank = part.isspace()
        kind = sign if blank else script_of(span["size"], span["origin"][1], size, base)
        if kind != sign:
            text += _closed(text, sign, script, math=math)
            script, sign, math = "", kind, before_is_math
        if kind:
            script += part
            math = math or traits(span["font"], span["flags"])[2]
        else:
            text += part
        if not blank:
            before_is_math = traits(span["font"], span["flags"])[2]
    return (text + _closed(text, sign, script, math=math)).replace(" ′", "′")


def _closed(before: str, sign: str, script: str, *, math: bool) -> str:
    if not sign:
        return ""
    after = " " if script[-1:].isspace() else ""
    if before.strip():
        return marked(before, sign, script, math=math) + after
    # At the head of a line: the number of a footnote, or a script of the line before, cut off by MuPDF.
    if sign == "^" and not math:
        return script.strip() + " "
    return marked("x", sign, script, math=True) + after
