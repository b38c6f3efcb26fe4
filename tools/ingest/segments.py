"""What extraction makes of a file: segments (a page, a slide or a section) with text, lines and blocks.

Shapes only; no I/O. A segment's `text` is final: every offset in lines, blocks and chunks counts its characters.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class SegmentKind(StrEnum):
    PAGE = "page"
    SLIDE = "slide"
    SECTION = "section"


class ContentType(StrEnum):
    """What a block or chunk is."""

    TEXT = "text"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    FORMULA = "formula"
    CAPTION = "caption"


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
class Segment:
    ordinal: int
    kind: SegmentKind
    number: int
    """Page or slide number from 1; for sections the running number from 1."""
    text: str
    label: str | None = None
    """The number printed on the page, where the file has one."""
    heading_path: tuple[str, ...] = ()
    """Headings in force where the segment begins, outermost first."""
    heading_levels: tuple[int, ...] = ()
    """The level of each of these headings; empty counts 1, 2, 3."""
    blocks: tuple[Block, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded and found. Lies wholly inside one segment; `text` == segment.text[start:end]."""

    ordinal: int
    segment: int
    type: ContentType
    text: str
    start: int
    end: int
    heading_path: tuple[str, ...]
    token_count: int
    word_count: int

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


class Extractor(Protocol):
    """Opens one kind of file. `info` is cheap; `segments(start)` yields from that ordinal on, lazily."""

    info: DocumentInfo

    def segments(self, start: int = 0) -> Iterator[Segment]: ...

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
