"""From the passages of a material to its sentences, each with its exact place. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from storage.repositories.notes import PassageText
from tools.ingest.sentences import sentence_spans

PROSE = frozenset({"text", "list", "transcript"})
LONGEST_WORDS = 60
"""Speech without full stops is cut into pieces of about PIECE_WORDS."""
PIECE_WORDS = 28

_BULLET = re.compile(r"^\s*(?:[-*•▪◦‣–]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+")
_BULLET_MARK = re.compile(r"[•▪◦‣*–-]\s+")
_ENDED = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")
_LETTER = re.compile(r"[^\W\d_]")
_SKIPPED = re.compile(
    r"^(?:\d[\d.]*\s+)?(?:references|bibliography|literature|index|(?:table of )?contents|acknowledge?ments?|about the authors?|copyright|list of (?:figures|tables)|exercises?|problems|further reading|literatur|inhalt(?:sverzeichnis)?|sachverzeichnis)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words of a passage: characters [start, end) of a segment's text."""

    chunk_id: UUID
    segment: int
    number: int
    """Page, slide, section or span, from 1."""
    start: int
    end: int
    text: str
    """On one line, else word for word."""
    path: tuple[str, ...]
    spoken: bool
    t: float | None = None
    """Roughly when it is heard, in seconds: exact times are looked up for what is quoted."""
    stems: tuple[str, ...] = field(default=(), compare=False)


def sentences_of(passages: Iterable[PassageText]) -> Iterator[Sentence]:
    """Whole sentences of the prose, in order; headings, tables, formulas, indexes and fragments are left out."""
    for passage in passages:
        if passage.type in PROSE and not any(_SKIPPED.match(title) for title in passage.heading_path):
            spoken = passage.type == "transcript" or passage.t_start is not None
            for start, end in _spans(passage, spoken):
                made = _sentence(passage, start, end, spoken)
                if made is not None:
                    yield made


def _spans(passage: PassageText, spoken: bool) -> Iterator[tuple[int, int]]:
    """Characters of the passage's text."""
    for start, end in (
        _lines(passage) if passage.type == "list" else [(_after_headings(passage), len(passage.text))]
    ):
        for first, last in sentence_spans(passage.text, start, end):
            if spoken and len(passage.text[first:last].split()) > LONGEST_WORDS:
                yield from _pieces(passage.text, first, last)
            else:
                yield first, last


def _after_headings(passage: PassageText) -> int:
    """Where the text begins behind the headings that a chunk may start with."""
    titles = {" ".join(title.split()).casefold() for title in passage.heading_path}
    position = 0
    for line in passage.text.splitlines(keepends=True):
        bare = " ".join(line.split()).casefold().lstrip("# ")
        if bare and bare not in titles:
            break
        position += len(line)
    return position if position < len(passage.text) else 0


def _lines(passage: PassageText) -> Iterator[tuple[int, int]]:
    """The items of a list without their bullets."""
    position = 0
    for line in passage.text.splitlines(keepends=True):
        bullet = _BULLET.match(line)
        yield position + (bullet.end() if bullet else 0), position + len(line.rstrip())
        position += len(line)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    words = [match.span() for match in re.compile(r"\S+").finditer(text, start, end)]
    count = max(1, round(len(words) / PIECE_WORDS))
    size = -(-len(words) // count)
    for first in range(0, len(words), size):
        yield words[first][0], words[min(first + size, len(words)) - 1][1]


def _sentence(passage: PassageText, start: int, end: int, spoken: bool) -> Sentence | None:
    bullet = _BULLET_MARK.match(passage.text, start, end)
    start = bullet.end() if bullet else start
    text = " ".join(passage.text[start:end].split())
    if not text or not (spoken or passage.type == "list" or _is_whole(text)):
        return None
    share = start / max(1, len(passage.text))
    return Sentence(
        chunk_id=passage.id,
        segment=passage.segment,
        number=passage.number,
        start=passage.char_start + start,
        end=passage.char_start + end,
        text=text,
        path=tuple(passage.heading_path),
        spoken=spoken,
        t=_time(passage, share),
    )


def _time(passage: PassageText, share: float) -> float | None:
    if passage.t_start is None or passage.t_end is None:
        return None
    return passage.t_start + share * (passage.t_end - passage.t_start)


def _is_whole(text: str) -> bool:
    """A sentence of prose from its beginning to its end, not half of one that was cut by a page, and no code."""
    letters = len(_LETTER.findall(text))
    begins = text.lstrip("\"'“‘«([¿¡")[:1]
    return bool(_ENDED.search(text)) and not begins.islower() and letters >= 0.6 * len(text.replace(" ", ""))
