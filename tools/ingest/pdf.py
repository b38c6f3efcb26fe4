"""PDF pages as segments: text in reading order with the box of every line, headings, labels; running heads left out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymupdf

from tools.ingest.cleaning import one_line
from tools.ingest.headings import HeadingPath
from tools.ingest.pdf_furniture import Furniture
from tools.ingest.pdf_layout import FontWidths
from tools.ingest.pdf_outline import Outline, entries_by_page, heading_sizes
from tools.ingest.pdf_paragraphs import PageText, paragraphs
from tools.ingest.pdf_sheet import Sheet, read_page, sheet
from tools.ingest.segments import ContentType, DocumentInfo, Refusal, Segment, SegmentKind

MEDIA_TYPE = "application/pdf"
SAMPLE_PAGES = 32
# What MuPDF throws at damaged files: FileDataError and EmptyFileError are RuntimeErrors, so are its own errors.
ERRORS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)

_mupdf: Any = pymupdf  # its annotations cover only a part
_mupdf.TOOLS.mupdf_display_errors(False)
_mupdf.TOOLS.mupdf_display_warnings(False)


def open_pdf(path: Path) -> Any:
    """The document, unlocked. Raises Refusal: encrypted, corrupt or no_pages."""
    try:
        document = _mupdf.open(path, filetype="pdf")
        locked = document.needs_pass and not document.authenticate("")
        pages = 0 if locked else document.page_count
    except ERRORS as error:
        raise _corrupt() from error
    if locked:
        document.close()
        raise Refusal(
            "encrypted", "This PDF is protected with a password. Save it without one and upload it again."
        )
    if pages == 0:
        repaired = document.is_repaired
        document.close()
        raise _corrupt() if repaired else Refusal("no_pages", "This PDF has no pages.")
    return document


def _corrupt() -> Refusal:
    return Refusal("corrupt", "This PDF is damaged and cannot be read. Try to open it and save it again.")


@dataclass(slots=True)
class _Place:
    """Where reading stands: the headings in force and the level of the innermost one of the file's own outline."""

    path: HeadingPath = field(default_factory=HeadingPath)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What is known of the whole document before its pages are read."""

    outline: Outline
    furniture: Furniture
    fixed_fonts: frozenset[str]


class PdfExtractor:
    """One open PDF. Not for use from several threads at a time."""

    def __init__(self, path: Path) -> None:
        self._document = open_pdf(path)
        self._sample: dict[int, Sheet] = {}
        self._learnt: _Learnt | None = None
        title = one_line((self._document.metadata or {}).get("title") or "")
        self.info = DocumentInfo(MEDIA_TYPE, SegmentKind.PAGE, self._document.page_count, title or None)

    def segments(self, start: int = 0) -> Iterator[Segment]:
        """Pages from that ordinal on. Raises Refusal needs_ocr before the first when no page has text, or corrupt.

        Earlier pages are read again when resuming (about 3 ms each): headings in force come from them.
        """
        try:
            learnt, place = self._learn(), _Place()
            for number in range(self._document.page_count):
                segment = self._segment(number, learnt, place)
                if number >= start:
                    yield segment
        except ERRORS as error:
            raise _corrupt() from error

    def close(self) -> None:
        self._sample.clear()
        self._document.close()

    def _learn(self) -> _Learnt:
        """Fonts, outline and running heads, from up to twice SAMPLE_PAGES pages spread over the document."""
        if self._learnt is not None:
            return self._learnt
        count = self._document.page_count
        raw = {
            number: read_page(self._document[number])
            for number in range(0, count, max(1, count // SAMPLE_PAGES))
        }
        widths = FontWidths()
        for page in raw.values():
            widths.learn(page.content)
        fixed = widths.fixed()
        self._sample = {number: sheet(page, fixed) for number, page in raw.items()}
        sheets = list(self._sample.values())
        if not any(page.rows for page in sheets):
            self._refuse_pictures()
        body = _body_size(sheets)
        entries = entries_by_page(self._document.get_toc(simple=True))
        heads = () if entries else heading_sizes((page.rows for page in sheets), body)
        furniture = Furniture.learn((page.rows, page.page.height) for page in sheets)
        self._learnt = _Learnt(Outline(body, entries, heads), furniture, fixed)
        return self._learnt

    def _refuse_pictures(self) -> None:
        if not any(page.get_text("text").strip() for page in self._document):
            raise Refusal(
                "needs_ocr",
                "This PDF has no text, only pictures of pages. "
                "It needs text recognition (OCR), which this version does not do yet.",
            )

    def _segment(self, number: int, learnt: _Learnt, place: _Place) -> Segment:
        page = self._document[number]
        label = one_line(page.get_label() or "") or None
        drawn = self._sample.pop(number, None) or sheet(read_page(page), learnt.fixed_fonts)
        rows = learnt.furniture.without(drawn.rows, drawn.page.height, (label or "", str(number + 1)))
        groups = paragraphs(rows, learnt.outline.body_size)
        place.depth = learnt.outline.mark(number, groups, place.depth)
        for entry in learnt.outline.missing(number, groups):
            place.path.enter(entry.level, entry.title)
            place.depth = max(place.depth, entry.level)
        above, levels = place.path.titles, place.path.levels
        text = PageText(drawn.fractions)
        for group in groups:
            text.add(group)
            if group.type is ContentType.HEADING:
                place.path.enter(group.level, group.title)
        return Segment(
            ordinal=number,
            kind=SegmentKind.PAGE,
            number=number + 1,
            text=text.text,
            label=label,
            heading_path=above,
            heading_levels=levels,
            blocks=tuple(text.blocks),
            lines=tuple(text.lines),
        )


def _body_size(sheets: list[Sheet]) -> float:
    """The size, in points, that most characters have."""
    sizes: Counter[float] = Counter()
    for page in sheets:
        for row in page.rows:
            sizes[round(row.size, 1)] += len(row.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0
