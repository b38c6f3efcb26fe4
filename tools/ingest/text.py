"""Plain text as sections of a few thousand characters, cut at paragraph ends."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.ingest.cleaning import clean
from tools.ingest.sections import Paragraph, sections
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind
from tools.ingest.sniff import TEXT_TYPE, decode

_BLANK = re.compile(r"\n[ \t]*\n\s*")
_ITEM = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+\S")
_MAX_PARAGRAPH = 3000


class TextExtractor:
    def __init__(self, path: Path) -> None:
        self._text = clean(decode(path.read_bytes()))
        self.info = DocumentInfo(TEXT_TYPE, SegmentKind.SECTION, None)

    def segments(self, start: int = 0) -> Iterator[Segment]:
        """Sections from that ordinal on. Raises Refusal empty_file when there is nothing but white space."""
        if not self._text.strip():
            raise Refusal("empty_file", "This file has no text in it.")
        return (segment for segment in sections(_paragraphs(self._text)) if segment.ordinal >= start)

    def close(self) -> None:
        self._text = ""


def _paragraphs(text: str) -> Iterator[Paragraph]:
    for paragraph in _BLANK.split(text.strip()):
        listed = all(_ITEM.match(line.lstrip()) for line in paragraph.split("\n"))
        kind = ContentType.LIST if listed else ContentType.TEXT
        for part in _bounded(paragraph):
            yield Paragraph(kind, part, verbatim=True)


def _bounded(paragraph: str) -> Iterator[str]:
    """Cuts a paragraph without end (a file of one line) at white space."""
    while len(paragraph) > _MAX_PARAGRAPH:
        cut = max(paragraph.rfind(mark, _MAX_PARAGRAPH // 2, _MAX_PARAGRAPH) for mark in ("\n", ". "))
        if cut < 0:
            cut = paragraph.rfind(" ", _MAX_PARAGRAPH // 2, _MAX_PARAGRAPH)
        cut = cut + 1 if cut > 0 else _MAX_PARAGRAPH
        yield paragraph[:cut]
        paragraph = paragraph[cut:]
    yield paragraph
