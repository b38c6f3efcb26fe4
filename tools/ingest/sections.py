"""Builds segments out of typed paragraphs, for formats that have no pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tools.ingest.cleaning import clean, one_line, squeeze
from tools.ingest.headings import HeadingPath
from tools.ingest.segments import Block, ContentType, Segment, SegmentKind

SECTION_CHARS = 4000
"""A section longer than this continues in a new segment at the next paragraph."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One block of a document in reading order. Tables and code keep their line breaks."""

    type: ContentType
    text: str
    level: int = 0
    verbatim: bool = False


@dataclass(slots=True)
class TextBuilder:
    """Joins blocks to one text and notes where each one stands."""

    parts: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    length: int = 0

    def add(self, paragraph: Paragraph) -> None:
        text = _text_of(paragraph)
        if not text:
            return
        if self.parts:
            close = paragraph.type is ContentType.LIST and self.blocks[-1].type is ContentType.LIST
            separator = "\n" if close else "\n\n"
            self.parts.append(separator)
            self.length += len(separator)
        start = self.length
        self.parts.append(text)
        self.length += len(text)
        self.blocks.append(Block(paragraph.type, start, self.length, paragraph.level))

    def text(self) -> str:
        return "".join(self.parts)


def _text_of(paragraph: Paragraph) -> str:
    if paragraph.verbatim:
        return clean(paragraph.text).strip("\n").rstrip()
    if paragraph.type is ContentType.HEADING:
        return one_line(paragraph.text)
    return squeeze(paragraph.text)


def sections(paragraphs: Iterator[Paragraph]) -> Iterator[Segment]:
    """Segments of kind SECTION: a new one at each heading that follows text, and after SECTION_CHARS characters."""
    path, above = HeadingPath(), HeadingPath()
    builder, ordinal = TextBuilder(), 0
    for paragraph in paragraphs:
        if builder.blocks and _starts_section(builder, paragraph):
            yield _section(builder, ordinal, above)
            builder, ordinal = TextBuilder(), ordinal + 1
            above = HeadingPath(path.titles, path.levels)
        builder.add(paragraph)
        if paragraph.type is ContentType.HEADING:
            path.enter(paragraph.level, one_line(paragraph.text))
    if builder.blocks:
        yield _section(builder, ordinal, above)


def _starts_section(builder: TextBuilder, paragraph: Paragraph) -> bool:
    if paragraph.type is ContentType.HEADING:
        return builder.blocks[-1].type is not ContentType.HEADING
    only_headings = builder.blocks[-1].type is ContentType.HEADING
    return not only_headings and builder.length + len(paragraph.text) > SECTION_CHARS


def _section(builder: TextBuilder, ordinal: int, above: HeadingPath) -> Segment:
    return Segment(
        ordinal=ordinal,
        kind=SegmentKind.SECTION,
        number=ordinal + 1,
        text=builder.text(),
        heading_path=above.titles,
        heading_levels=above.levels,
        blocks=tuple(builder.blocks),
    )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table; the first row is taken as the header. Empty when no cell has text."""
    cells = [[one_line(cell).replace("|", "\\|") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
