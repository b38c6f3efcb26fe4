"""What a page consists of, the same for all formats: runs of text, citations and formulas in paragraphs, lists and tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.documents.maths.inline import Code, Math, Plain, Run, runs


@dataclass(frozen=True, slots=True)
class Mark:
    """[3]: points at the third source."""

    number: int


Part = Run | Mark
Parts = Sequence[Part]
Style = Literal["normal", "lead", "quote", "answer", "missing", "small", "label"]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    parts: Parts
    note: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    parts: Parts
    style: Style = "normal"


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[Parts]
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class Display:
    """A formula on a line of its own, with what it is about before it."""

    formula: Math | Code
    about: Parts = ()
    label: str = ""
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    rows: Sequence[Sequence[Parts]]
    """The first one is the header."""
    caption: Parts = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A numbered question with what is offered and room for the answer; not broken over pages."""

    number: str
    parts: Parts
    points: str = ""
    options: Sequence[tuple[str, Parts]] = ()
    box: Literal["letter", "circle", "square", "number"] = "letter"
    right: Sequence[tuple[str, Parts]] = ()
    lines: int = 0


@dataclass(frozen=True, slots=True)
class NameLine:
    """Room for name, date and points reached."""

    points: str


@dataclass(frozen=True, slots=True)
class PageBreak:
    pass


@dataclass(frozen=True, slots=True)
class Source:
    number: int
    title: str
    place: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Sources:
    items: Sequence[Source]


Block = Heading | Paragraph | Bullets | Display | Grid | Question | NameLine | PageBreak | Sources


@dataclass(frozen=True, slots=True)
class Page:
    """A document ready to be rendered."""

    title: str
    subtitle: str
    blocks: Sequence[Block]
    paper: Literal["a4", "letter"] = "a4"
    columns: int = 1
    size: float = 10.5
    """Of the text, in points."""
    is_compact: bool = False
    """A cheat sheet: narrow margins, no space lost, no print under SMALLEST."""


SMALLEST = 7.0
"""Points: no print of a cheat sheet is smaller."""


def cited(text: str, cites: list[int], bold: str | None = None) -> Parts:
    """A text with its citations behind it."""
    return [*runs(text, bold), *([Plain(" ")] if cites else []), *(Mark(n) for n in cites)]


def plain(text: str, *, is_bold: bool = False) -> Parts:
    return [Plain(text, is_bold)]
