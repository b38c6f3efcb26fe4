"""Builds segments out of typed paragraphs, for formats that have no pages, and finds what belongs to their pictures."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from tools.ingest.cleaning import clean, one_line, squeeze
from tools.ingest.headings import HeadingPath
from tools.ingest.pictures import LABEL, Picture, Placed, figures_in, lines_in
from tools.ingest.segments import (
    Block,
    ContentType,
    DocumentInfo,
    FoundFigure,
    Reading,
    Refusal,
    Segment,
    SegmentKind,
)

SECTION_CHARS = 4000
"""A section longer than this continues in a new segment at the next paragraph."""
SKIPPED = "This part could not be read and was left out."
_CAPTION_CHARS = 400


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One block of a document in reading order. Tables and code keep their line breaks."""

    type: ContentType
    text: str
    level: int = 0
    verbatim: bool = False
    pictures: tuple[Picture, ...] = ()
    notice: str | None = None
    """One sentence for the segment that it stands in."""


@dataclass(slots=True)
class TextBuilder:
    """Joins blocks to one text and notes where each one stands."""

    parts: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    pictures: list[Placed] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, paragraph: Paragraph) -> None:
        text = _text_of(paragraph)
        if paragraph.notice and paragraph.notice not in self.notices:
            self.notices.append(paragraph.notice)
        if text:
            self._append(text, paragraph.type, paragraph.level)
        start = self.blocks[-1].start if text else self.length
        self.pictures += [Placed(picture, start) for picture in paragraph.pictures]

    def _append(self, text: str, kind: ContentType, level: int) -> None:
        if self.parts:
            close = kind is ContentType.LIST and self.blocks[-1].type is ContentType.LIST
            separator = "\n" if close else "\n\n"
            self.parts.append(separator)
            self.length += len(separator)
        start = self.length
        self.parts.append(text)
        self.length += len(text)
        self.blocks.append(Block(kind, start, self.length, level))

    def text(self) -> str:
        return "".join(self.parts)

    def notice(self) -> str | None:
        return " ".join(self.notices) or None


def _text_of(paragraph: Paragraph) -> str:
    if paragraph.verbatim:
        return clean(paragraph.text).strip("\n").rstrip()
    if paragraph.type is ContentType.HEADING:
        return one_line(paragraph.text)
    return squeeze(paragraph.text)


def sections(paragraphs: Iterator[Paragraph]) -> Iterator[tuple[Segment, list[Placed]]]:
    """Segments of kind SECTION with their pictures: a new one at each heading that follows text, and after SECTION_CHARS
    characters."""
    path, above = HeadingPath(), HeadingPath()
    builder, ordinal = TextBuilder(), 0
    for paragraph in _captions_known(paragraphs):
        if builder.blocks and _starts_section(builder, paragraph):
            yield _section(builder, ordinal, above)
            builder, ordinal = TextBuilder(), ordinal + 1
            above = HeadingPath(path.titles, path.levels)
        builder.add(paragraph)
        if paragraph.type is ContentType.HEADING:
            path.enter(paragraph.level, one_line(paragraph.text))
    if builder.blocks or builder.pictures:
        yield _section(builder, ordinal, above)


def _captions_known(paragraphs: Iterator[Paragraph]) -> Iterator[Paragraph]:
    """A short paragraph "Figure 3: …" right below a picture is its caption, whatever its style."""
    below_picture = False
    for paragraph in paragraphs:
        short = paragraph.type is ContentType.TEXT and len(paragraph.text) <= _CAPTION_CHARS
        if below_picture and short and LABEL.match(paragraph.text.lstrip()):
            paragraph = replace(paragraph, type=ContentType.CAPTION)
        yield paragraph
        if paragraph.text.strip() or paragraph.pictures:
            below_picture = bool(paragraph.pictures)


def _starts_section(builder: TextBuilder, paragraph: Paragraph) -> bool:
    if paragraph.type is ContentType.HEADING:
        return builder.blocks[-1].type is not ContentType.HEADING
    only_headings = builder.blocks[-1].type is ContentType.HEADING
    return not only_headings and builder.length + len(paragraph.text) > SECTION_CHARS and bool(paragraph.text)


def _section(builder: TextBuilder, ordinal: int, above: HeadingPath) -> tuple[Segment, list[Placed]]:
    made = Segment(
        ordinal=ordinal,
        kind=SegmentKind.SECTION,
        number=ordinal + 1,
        text=builder.text(),
        heading_path=above.titles,
        heading_levels=above.levels,
        blocks=tuple(builder.blocks),
        notice=builder.notice(),
    )
    return made, builder.pictures


class Sectioned:
    """An extractor for formats without pages. A format gives its paragraphs and the bytes of its pictures."""

    info: DocumentInfo
    what = "file"
    """The kind of file, as a student calls it."""
    threads = Reading().threads
    """For text recognition."""
    pictured = True
    """Whether there may be pictures in it."""
    errors: tuple[type[Exception], ...] = ()
    """What reading a damaged file of this format raises."""

    def paragraphs(self) -> Iterator[Paragraph]:
        raise NotImplementedError

    def picture(self, source: str) -> bytes | None:
        """The bytes of a picture, None where they are not in the file."""
        return None

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """Sections from that ordinal on. Raises Refusal: empty_file when there is nothing to read in it, corrupt."""
        words = False
        for segment, pictures in self._sections():
            if segment.ordinal in skip:
                segment = replace(segment, text="", blocks=(), notice=SKIPPED)
            elif not segment.text:
                segment = self._recognised(segment, pictures)
            words = words or bool(segment.text) or segment.ordinal < start
            if segment.ordinal >= start and (segment.text or segment.notice):
                yield segment
        if not words:
            raise Refusal("empty_file", f"This {self.what} has no text in it.")

    def figures(self) -> Iterator[FoundFigure]:
        """Pictures that stand in the file, with the captions beside them."""
        return figures_in(self._sections() if self.pictured else (), self._bytes_of)

    def close(self) -> None:
        """Nothing to close unless a format says so."""

    def _sections(self) -> Iterator[tuple[Segment, list[Placed]]]:
        try:
            yield from sections(self.paragraphs())
        except self.errors as error:
            raise Refusal(
                "corrupt",
                f"This {self.what} is damaged and cannot be read. Open it, save it again and upload that.",
            ) from error

    def _bytes_of(self, picture: Picture) -> bytes | None:
        try:
            return self.picture(picture.source)
        except self.errors:
            return None

    def _recognised(self, segment: Segment, pictures: list[Placed]) -> Segment:
        """A part that holds only pictures is read out of them."""
        builder = TextBuilder()
        for placed in pictures:
            data = self._bytes_of(placed.picture)
            for line in lines_in(data, self.threads) if data else ():
                builder.add(Paragraph(ContentType.TEXT, line))
        return replace(segment, text=builder.text(), blocks=tuple(builder.blocks))
