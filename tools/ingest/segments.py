"""What extraction makes of a file: segments (a page, a slide or a section) with text, lines and blocks.

Shapes only; no I/O. A segment's `text` is final: every offset in lines, blocks and chunks counts its characters.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class SegmentKind(StrEnum):
    PAGE = "page"
    SLIDE = "slide"
    SECTION = "section"
    SPAN = "span"
    """About a minute of a recording."""


class ContentType(StrEnum):
    """What a block or chunk is."""

    TEXT = "text"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    FORMULA = "formula"
    CAPTION = "caption"
    TRANSCRIPT = "transcript"


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: its characters [start, end) of the segment's text and its box in page fractions (0..1)."""

    start: int
    end: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list, table, formula or caption: characters [start, end) of the segment's text."""

    type: ContentType
    start: int
    end: int
    level: int = 0
    """Heading level from 1; 0 for everything else."""


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word: characters [start, end) of the segment's text, and when it is heard, in seconds of the recording."""

    start: int
    end: int
    t_start: float
    t_end: float


@dataclass(frozen=True, slots=True)
class Segment:
    ordinal: int
    kind: SegmentKind
    number: int
    """Page or slide number from 1; for sections and spans the running number from 1."""
    text: str
    label: str | None = None
    """The number printed on the page, where the file has one."""
    heading_path: tuple[str, ...] = ()
    """Headings in force where the segment begins, outermost first."""
    heading_levels: tuple[int, ...] = ()
    """The level of each of these headings; empty counts 1, 2, 3."""
    blocks: tuple[Block, ...] = ()
    lines: tuple[Line, ...] = ()
    t_start: float | None = None
    """Of a span: its first and last second."""
    t_end: float | None = None
    words: tuple[Word, ...] = ()
    """Of a span: each word with its time, in order."""
    notice: str | None = None
    """One sentence for the student when a part of it could not be read."""


@dataclass(frozen=True, slots=True)
class FoundFigure:
    """A picture, table or drawing cut out of the document. `box` is in page fractions, None without pages."""

    ordinal: int
    segment: int
    """Ordinal of the segment it stands in."""
    kind: str
    """figure, diagram, photo, table or formula."""
    image: bytes
    media_type: str
    """Of the image: image/png or image/jpeg."""
    label: str | None = None
    """What the text calls it: "Figure 3"."""
    caption: str | None = None
    text: str | None = None
    """Words found in it."""
    box: tuple[float, float, float, float] | None = None
    position: int = 0
    """Character of the segment's text that it stands beside."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded and found. Lies wholly inside one segment: `text` is segment.text[start:end], for the later chunks of
    a table with its header rows before it."""

    ordinal: int
    segment: int
    type: ContentType
    text: str
    start: int
    end: int
    heading_path: tuple[str, ...]
    token_count: int
    word_count: int
    language: str | None = None
    """BCP 47, where it could be told."""

    def embedding_text(self) -> str:
        """The chunk as the embedder reads it: heading path, then the text."""
        return "\n".join(filter(None, (" › ".join(self.heading_path), self.text)))


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is known before the first segment is read."""

    media_type: str
    segment_kind: SegmentKind
    segment_count: int | None
    """Pages, slides or sections, when the file says; None when only reading tells."""
    title: str | None = None
    language: str | None = None
    author: str | None = None
    duration_seconds: float | None = None
    """Of a recording."""
    notice: str | None = None
    """One sentence for the student about the whole file, such as that its macros were ignored."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read; the same for all files of a worker."""

    speech_model: str | None = None
    """Folder or name of a faster-whisper model; None: there is none."""
    threads: int = 2
    """CPU threads for text recognition and speech."""


class Extractor(Protocol):
    """Opens one kind of file. `info` is cheap; the iterators are lazy and hold one page, slide or minute in memory."""

    info: DocumentInfo

    def segments(self, start: int = 0, skip: Collection[int] = ()) -> Iterator[Segment]:
        """From the ordinal `start` on. Ordinals in `skip` have killed an earlier attempt: they come as an empty segment with
        a notice, without being touched. Raises Refusal."""
        ...

    def figures(self) -> Iterator[FoundFigure]:
        """Pictures worth keeping, in order. A figure that cannot be cut out is left out."""
        ...

    def close(self) -> None: ...


class Refusal(Exception):
    """A file that cannot be used. `code` is stable; the message is one sentence for a student."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Sniffed:
    """The kind of a file by its content, never by its name."""

    media_type: str
    extension: str
    path: Path = field(default_factory=Path)
