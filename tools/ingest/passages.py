"""Where a passage stands on its page or in its recording, and which place a question names ("page 57", "slide 12",
"section 3.2", "minute 12"). Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.locators import Box
from tools.ingest.segments import Chunk, Line, Word


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


def heard(words: Sequence[Word], start: int, end: int) -> tuple[float, float] | None:
    """When characters [start, end) are spoken, in seconds: the beginning of the first word and the end of the last. None when
    no word touches them."""
    spoken = [word for word in words if word.start < end and word.end > start]
    return (spoken[0].t_start, max(word.t_end for word in spoken)) if spoken else None


def chunk_beside(position: int, segment: int, chunks: Iterable[Chunk]) -> int | None:
    """Ordinal of the chunk that a figure at a character of a segment belongs to: the one around that character, else the
    nearest of the segment, the earlier one of two. None when the segment has no chunk."""

    def distance(chunk: Chunk) -> tuple[int, int]:
        return max(chunk.start - position, position - chunk.end, 0), chunk.ordinal

    nearest = min((chunk for chunk in chunks if chunk.segment == segment), key=distance, default=None)
    return None if nearest is None else nearest.ordinal


@dataclass(frozen=True, slots=True)
class Reference:
    """A place named in a question. Exactly one of page, label, slide, section and t_start is set."""

    page: int | None = None
    last_page: int | None = None
    """End of a range, "pages 10-12"."""
    slide: int | None = None
    last_slide: int | None = None
    section: str | None = None
    """Number as printed: "3.2"."""
    label: str | None = None
    """A printed page number that is no digit: "xiv"."""
    t_start: float | None = None
    """Of a recording: seconds from its beginning."""
    t_end: float | None = None
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


_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?!\d|:\d)"
_MINUTE = re.compile(
    rf"\b(?:in\s+|at\s+|bei\s+)?(?:minutes?|minuten?|min\.?)\s*(?:({_CLOCK})|{_RANGE})", re.I
)
_TIME = re.compile(
    rf"(?:(?:\b(?:at|around|about|from|timestamp|time|bei|um|ab|gegen)|@)\s*|^\s*)({_CLOCK})"
    rf"(?:\s*(?:-|–|—|to|bis|and)\s*({_CLOCK}))?(?!\s*(?:[ap]\.?m\b|uhr))",
    re.I,
)
AROUND = (-2.0, 10.0)
"""Seconds before and after a named second that are meant by it."""


def page_of_reference(query: str) -> Reference | None:
    """The first place that the question names, or None. A page wins over a slide, a slide over a section, a section over a
    time."""
    for pattern, kind in ((_PAGE, "page"), (_SLIDE, "slide"), (_ROMAN, "label"), (_SECTION, "section")):
        match = pattern.search(query)
        if match and match.group(1):
            return _reference(kind, match, _rest(query, match))
    return _time_of_reference(query)


def seconds_of(time: str) -> float | None:
    """Seconds of "12:30", "1:02:03", "750" or "750.5"; None for anything else."""
    parts = time.strip().removesuffix("s").split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"[0-9]{1,6}", part) for part in parts[:-1]):
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", parts[-1]) or any(
        float(part) >= 60 for part in parts[1:]
    ):
        return None
    return sum(float(part) * 60.0**power for power, part in enumerate(reversed(parts)))


def _time_of_reference(query: str) -> Reference | None:
    minute = _MINUTE.search(query)
    if minute and minute.group(2):
        first, last = int(minute.group(2)), int(minute.group(3) or minute.group(2))
        return Reference(t_start=first * 60.0, t_end=(max(first, last) + 1) * 60.0, rest=_rest(query, minute))
    match = minute or _TIME.search(query)
    first_second = seconds_of(match.group(1)) if match else None
    if match is None or first_second is None:
        return None
    until = seconds_of(match.group(2)) if match.re is _TIME and match.group(2) else None
    if until is None or until < first_second:
        return Reference(
            t_start=max(0.0, first_second + AROUND[0]),
            t_end=first_second + AROUND[1],
            rest=_rest(query, match),
        )
    return Reference(t_start=first_second, t_end=until, rest=_rest(query, match))


def _rest(query: str, match: re.Match[str]) -> str:
    return " ".join((query[: match.start()] + " " + query[match.end() :]).split())


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
