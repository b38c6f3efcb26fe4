"""Where a passage stands on its page, and which place a question names ("page 57", "slide 12", "section 3.2"). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from storage.locators import Box
from tools.ingest.segments import Line


def boxes_for(lines: Iterable[Line], start: int, end: int) -> list[Box]:
    """Boxes of the lines that characters [start, end) touch, the first and last narrowed to the passage.

    Characters are taken as equally wide, so a narrowed edge is right to about a word.
    """
    boxes = []
    for line in lines:
        first, last = max(start, line.start), min(end, line.end)
        if first >= last:
            continue
        if line.y1 - line.y0 > 2 * (line.x1 - line.x0):  # sideways text: whole lines
            boxes.append(Box(x0=line.x0, y0=line.y0, x1=line.x1, y1=line.y1))
            continue
        scale = (line.x1 - line.x0) / (line.end - line.start)
        boxes.append(
            Box(
                x0=line.x0 + (first - line.start) * scale,
                y0=line.y0,
                x1=line.x1 - (line.end - last) * scale,
                y1=line.y1,
            )
        )
    return boxes


@dataclass(frozen=True, slots=True)
class Reference:
    """A place named in a question. Exactly one of page, slide and section is set."""

    page: int | None = None
    last_page: int | None = None
    """End of a range, "pages 10-12"."""
    slide: int | None = None
    last_slide: int | None = None
    section: str | None = None
    """Number as printed: "3.2"."""
    label: str | None = None
    """A printed page number that is no digit: "xiv"."""
    rest: str = ""
    """The question without the reference."""


_RANGE = r"(\d{1,4})(?:\s*(?:-|–|—|to|bis|and)\s*(\d{1,4}))?(?![\d.]*\d)"
_PAGE = re.compile(
    rf"\b(?:pages?|pp?\.|pg\.?|seiten?|s\.(?=\s*\d)|p(?=\s?\d))\s*(?:no\.?|number)?\s*{_RANGE}", re.I
)
_ROMAN = re.compile(r"\bpage\s+((?=[ivxlc])(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3}))\b", re.I)
_SLIDE = re.compile(rf"\b(?:slides?|folien?)\s*(?:no\.?|number)?\s*{_RANGE}", re.I)
_SECTION = re.compile(
    r"(?:\b(?:sections?|sec\.|subsection|chapters?|ch\.|chap\.|kapitel|abschnitt)|§)\s*(\d{1,3}(?:\.\d{1,3}){0,4})\b",
    re.I,
)


def page_of_reference(query: str) -> Reference | None:
    """The first place that the question names, or None. A page wins over a slide, a slide over a section."""
    for pattern, kind in ((_PAGE, "page"), (_SLIDE, "slide"), (_ROMAN, "label"), (_SECTION, "section")):
        match = pattern.search(query)
        if match and match.group(1):
            rest = " ".join((query[: match.start()] + " " + query[match.end() :]).split())
            return _reference(kind, match, rest)
    return None


def _reference(kind: str, match: re.Match[str], rest: str) -> Reference:
    if kind == "label":
        return Reference(label=match.group(1).lower(), rest=rest)
    if kind == "section":
        return Reference(section=match.group(1), rest=rest)
    first = int(match.group(1))
    last = int(match.group(2)) if match.group(2) else None
    last = last if last is not None and last >= first else None
    if kind == "page":
        return Reference(page=first, last_page=last, rest=rest)
    return Reference(slide=first, last_slide=last, rest=rest)
