"""What notes are made of, and the port that both makers fill: one section in, points with their evidence out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tools.notes.outline import Section
from tools.notes.reading import Sentence
from tools.notes.terms import Stems


class PointKind(StrEnum):
    POINT = "point"
    DEFINITION = "definition"
    FIGURE = "figure"
    """A number, date or amount."""
    EXAMPLE = "example"


@dataclass(frozen=True, slots=True)
class Point:
    """One statement, on one line, without its citations."""

    text: str
    """As plain text, unless `marked_up`."""
    evidence: tuple[Sentence, ...]
    """What supports it, at least one; each becomes a numbered source."""
    kind: PointKind = PointKind.POINT
    cue: str | None = None
    """For the cue column of Cornell notes: a question or a key word, as plain text."""
    term: str | None = None
    """What the text defines, to be made bold."""
    marked_up: bool = False
    """A language model wrote it, in Markdown."""


@dataclass(frozen=True, slots=True)
class Review:
    """A question for review and where its answer stands. `question` is plain text."""

    question: str
    evidence: Sentence


@dataclass(frozen=True, slots=True)
class Draft:
    """One section of the notes."""

    heading: str
    points: tuple[Point, ...]
    terms: tuple[str, ...] = ()
    gist: Point | None = None
    """The section in one point, for the summary of a Cornell page."""
    questions: tuple[Review, ...] = ()
    written: int = 0
    """Points that were proposed, and of these the ones that did not stand: unsupported, without a valid citation."""
    dropped: int = 0
    fell_back: bool = False
    """The language model's answer was of no use, so this section consists of quotes."""
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What all sections of a material share: stems of words, and in how many sections a stem occurs."""

    stems: Stems
    spread: Mapping[str, int]
    parts: int


class Maker(Protocol):
    """Makes the notes on one section. Raises Unavailable when what it needs does not answer."""

    @property
    def name(self) -> str:
        """`builtin` or the name of the language model."""
        ...

    async def make(self, section: Section, type: str, lexicon: Lexicon) -> Draft: ...


def heading_for(section: Section, terms: Sequence[str]) -> str:
    """A section's heading: the material's own, or for a topic its key terms."""
    joined = " and ".join(terms[:2])
    named = joined[:1].upper() + joined[1:]
    title = " ".join(section.titles[-1].split()) if section.titles else ""
    if section.is_topic and title and joined:
        return f"{title}: {joined}"
    return title or named or "Notes"
