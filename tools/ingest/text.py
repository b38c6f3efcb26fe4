"""Plain text as sections of a few thousand characters, cut at paragraph ends. Read as it streams by."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.ingest.charset import encoding_of
from tools.ingest.cleaning import clean
from tools.ingest.sections import Paragraph, Sectioned
from tools.ingest.segments import ContentType, DocumentInfo, SegmentKind
from tools.ingest.sniff import HEAD_BYTES, TEXT_TYPE

_BLANK = re.compile(r"\n[ \t]*\n\s*")
_ITEM = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+\S")
_MAX_PARAGRAPH = 3000
_PART = 1 << 18


class TextExtractor(Sectioned):
    what = "file"
    pictured = False

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self._encoding = encoding_of(file.read(HEAD_BYTES))
        self.info = DocumentInfo(TEXT_TYPE, SegmentKind.SECTION, None)

    def paragraphs(self) -> Iterator[Paragraph]:
        for paragraph in self._paragraphs():
            listed = all(_ITEM.match(line.lstrip()) for line in paragraph.split("\n"))
            kind = ContentType.LIST if listed else ContentType.TEXT
            for part in _bounded(paragraph):
                yield Paragraph(kind, part, verbatim=True)

    def _paragraphs(self) -> Iterator[str]:
        """Text between blank lines."""
        rest = ""
        with self._path.open(encoding=self._encoding, errors="replace") as file:
            while part := file.read(_PART):
                *whole, rest = _BLANK.split(rest + clean(part))
                yield from filter(str.strip, whole)
                if len(rest) > _PART:
                    *whole, rest = _bounded(rest)
                    yield from whole
        if rest.strip():
            yield rest.strip("\n")


def _bounded(paragraph: str) -> Iterator[str]:
    """Cuts a paragraph without end (a file of one line) at white space."""
    start = 0
    while len(paragraph) - start > _MAX_PARAGRAPH:
        half, end = start + _MAX_PARAGRAPH // 2, start + _MAX_PARAGRAPH
        cut = max(paragraph.rfind(mark, half, end) for mark in ("\n", ". "))
        if cut < 0:
            cut = paragraph.rfind(" ", half, end)
        cut = cut + 1 if cut > 0 else end
        yield paragraph[start:cut]
        start = cut
    yield paragraph[start:]
