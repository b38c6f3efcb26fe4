"""PDF pages as segments: text in reading order with the box of every line, headings, labels; running heads left out."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.ingest.cleaning import one_line
from tools.ingest.headings import HeadingPath
from tools.ingest.pdf.boxes import Box
from tools.ingest.pdf.document import (
    ERRORS,
    FORGET_AFTER,
    PAGE_ERRORS,
    PageDamaged,
    corrupt,
    forget_used,
    mupdf,
    notice_of,
    open_pdf,
    page_calls,
)
from tools.ingest.pdf.figures import PageParts, figures_of, repeated_pictures
from tools.ingest.pdf.furniture import Furniture
from tools.ingest.pdf.labels import PageLabels
from tools.ingest.pdf.layout import FontWidths
from tools.ingest.pdf.outline import Outline, entries_by_page, heading_sizes
from tools.ingest.pdf.paragraphs import Group, PageText, paragraphs
from tools.ingest.pdf.scans import needs_recognition, recognised
from tools.ingest.pdf.sheet import Draft, Sheet, read_page, sheet
from tools.ingest.pdf.tables import ruled_tables
from tools.ingest.reader.place import touch
from tools.ingest.segments import (
    ContentType,
    DocumentInfo,
    FoundFigure,
    Reading,
    Segment,
    SegmentKind,
)

MEDIA_TYPE = "application/pdf"
SAMPLE_PAGES = 32
AS_INSTALLED = Reading()


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


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that was read: what it prints, by which outline and furniture it is judged."""

    sheet: Sheet
    outline: Outline
    furniture: Furniture


class PdfExtractor:
    """One open PDF. Not for use from several threads at a time."""

    def __init__(self, path: Path, reading: Reading = AS_INSTALLED) -> None:
        """Raises Refusal: encrypted, corrupt, no_pages or too_many_pages."""
        self._document = open_pdf(path)
        self._threads = reading.threads
        self._sample: dict[int, Draft] = {}
        self._learnt: _Learnt | None = None
        self._scanned = Furniture()
        try:
            self._labels = PageLabels(self._document)
            title = one_line((self._document.metadata or {}).get("title") or "")
            author = one_line((self._document.metadata or {}).get("author") or "")
            self.info = DocumentInfo(
                MEDIA_TYPE,
                SegmentKind.PAGE,
                self._document.page_count,
                title or None,
                author=author or None,
                notice=notice_of(self._document),
            )
        except ERRORS as error:
            self._document.close()
            raise corrupt() from error

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """Pages from that ordinal on; a page that cannot be read is empty and says so. Raises Refusal corrupt when none can.

        Earlier pages with text are read again when resuming (about 3 ms each): headings in force come from them.
        Scanned ones are not, so on scans the headings in force begin anew.
        """
        learnt, place, broken = self._learn(skip), _Place(), 0
        for number in range(self._document.page_count):
            if number in skip:
                segment = _unread(number, place, "stopped the reading and was left out")
            else:
                touch(number)
                segment = self._safely(number, learnt, place, recognise=number >= start)
                broken += segment.notice is not None
            if number >= start:
                yield segment
            if number % FORGET_AFTER == FORGET_AFTER - 1:
                forget_used()
        if broken == self._document.page_count:
            raise corrupt()

    def figures(self) -> Iterator[FoundFigure]:
        """Pictures, drawings and tables with their captions, page by page; not of pages that need text recognition."""
        learnt, ordinal = self._learn(()), 0
        repeated = repeated_pictures(self._document)
        seen: Counter[Box] = Counter()
        for number in range(self._document.page_count):
            touch(number)
            try:
                parts = self._parts(number, learnt)
                found = list(figures_of(parts, repeated, seen)) if parts else []
            except PageDamaged:
                continue
            for figure in found:
                yield replace(figure, ordinal=ordinal)
                ordinal += 1
            forget_used()

    def close(self) -> None:
        self._sample.clear()
        self._document.close()

    def _learn(self, skip: Collection[int]) -> _Learnt:
        """Fonts, outline and running heads, from up to twice SAMPLE_PAGES pages with text, spread over the document."""
        if self._learnt is not None:
            return self._learnt
        count = self._document.page_count
        widths = FontWidths()
        for number in range(0, count, max(1, count // SAMPLE_PAGES)):
            if number not in skip:
                self._take_sample(number, widths)
        fixed = widths.fixed()
        furniture, sheets = Furniture(), [sheet(draft, fixed) for draft in self._sample.values()]
        for page in sheets:
            furniture.learn(page.rows, page.geometry.height)
        body = _body_size(sheets)
        entries = entries_by_page(_outline_of(self._document))
        heads = () if entries else heading_sizes((page.rows for page in sheets), body)
        self._learnt = _Learnt(Outline(body, entries, heads), furniture, fixed)
        return self._learnt

    def _take_sample(self, number: int, widths: FontWidths) -> None:
        touch(number)
        try:
            draft = read_page(self._loaded(number))
        except PageDamaged:
            return
        if draft.pieces and not draft.legibility.is_garbage:
            self._sample[number] = draft
            widths.learn(draft.pieces)

    def _safely(self, number: int, learnt: _Learnt, place: _Place, *, recognise: bool) -> Segment:
        """The page, empty with a notice when it is damaged: MuPDF says so of what it reads, or only warns."""
        mupdf.TOOLS.mupdf_warnings()  # empties them, also the count of a repeated one that is still to come
        try:
            segment = self._segment(number, learnt, place, recognise=recognise)
        except PageDamaged:
            return _unread(number, place, "is damaged and could not be read")
        if not segment.text and mupdf.TOOLS.mupdf_warnings():
            return _unread(number, place, "is damaged and could not be read")
        return segment

    def _segment(self, number: int, learnt: _Learnt, place: _Place, *, recognise: bool) -> Segment:
        page, label = self._loaded(number), self._labels.of(number)
        draft = self._sample.pop(number, None) or read_page(page)
        read = self._read(page, draft, learnt, recognise=recognise)
        if read is None:
            return _unread(number, place, "was not read")
        groups = _groups(read, (label or "", str(number + 1)))
        place.depth = read.outline.mark(number, groups, place.depth)
        for entry in read.outline.missing(number, groups):
            place.path.enter(entry.level, entry.title)
            place.depth = max(place.depth, entry.level)
        above, levels = place.path.titles, place.path.levels
        text = PageText(read.sheet.geometry.fractions)
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

    def _loaded(self, number: int) -> Any:
        with page_calls():
            return self._document[number]

    def _read(self, page: Any, draft: Draft, learnt: _Learnt, *, recognise: bool) -> _Page | None:
        """The page by its text layer, or as text recognition reads it; None when it needs that and may not have it."""
        if needs_recognition(page, draft):
            if not recognise:
                return None
            scan = recognised(page, draft, self._threads)
            forget_used()
            if scan is not None:
                self._scanned.learn(scan.rows, scan.geometry.height)
                outline = Outline(_body_size([scan]), learnt.outline.entries)
                return _Page(scan, outline, self._scanned)
        return _Page(sheet(draft, learnt.fixed_fonts), learnt.outline, learnt.furniture)

    def _parts(self, number: int, learnt: _Learnt) -> PageParts | None:
        """A page for its figures; None when it is a scan."""
        page = self._loaded(number)
        draft = self._sample.pop(number, None) or read_page(page)
        read = self._read(page, draft, learnt, recognise=False)
        if read is None:
            return None
        groups = _groups(read, (self._labels.of(number) or "", str(number + 1)))
        read.outline.mark(number, groups, 0)
        text = PageText(read.sheet.geometry.fractions)
        for group in groups:
            text.add(group)
        return PageParts(page, number, read.sheet, groups, text.blocks)


def _groups(read: _Page, numbers: tuple[str, str]) -> list[Group]:
    """The paragraphs of a page without its furniture; `numbers` are its label and number."""
    page = read.sheet
    rows = read.furniture.without(page.rows, page.geometry.height, numbers)
    tables = ruled_tables(page.words, page.vectors, rows) if page.words else []
    return paragraphs(rows, read.outline.body_size, tables)


def _unread(number: int, place: _Place, what: str) -> Segment:
    return Segment(
        ordinal=number,
        kind=SegmentKind.PAGE,
        number=number + 1,
        text="",
        heading_path=place.path.titles,
        heading_levels=place.path.levels,
        notice=f"Page {number + 1} {what}.",
    )


def _outline_of(document: Any) -> list[Any]:
    """The file's own outline, empty when it is broken."""
    try:
        return list(document.get_toc(simple=True))
    except PAGE_ERRORS:
        return []


def _body_size(sheets: Sequence[Sheet]) -> float:
    """The size, in points, that most characters have."""
    sizes: Counter[float] = Counter()
    for page in sheets:
        for row in page.rows:
            sizes[round(row.size, 1)] += len(row.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0
