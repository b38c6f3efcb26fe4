"""From the passages of materials to the topics that items are made from. Pure.

Unlike the sections of notes, topics are short: results are grouped by them, and a maker reads one at a time. They follow the
headings; where there are none, the passages, without asking for meanings, so that ten questions of a long book begin at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from uuid import UUID

from storage.repositories.notes import PassageText
from tools.notes.reading import Sentence, sentences_of
from tools.notes.terms import Stems, content_stems, key_terms, spread_of, tokens
from tools.study.port import Topic

TOPIC_WORDS = 700
"""A topic longer than this is divided."""
LEAST_WORDS = 120
"""A shorter one joins its neighbour under the same heading."""
TINY_WORDS = 40
"""A shorter one joins its neighbour in any case, as slides do."""
LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one material."""

    material_id: UUID
    title: str
    language: str | None
    sentences: tuple[Sentence, ...]
    """With stems."""
    ordinals: Mapping[UUID, int]
    """Of each passage: its place in the material."""


def read(passages: Iterable[PassageText]) -> list[Sentence]:
    """Whole sentences of the passages; stems are not known yet."""
    return list(sentences_of(passages))


def stemmed(sentences: Iterable[Sentence], stems: Stems) -> tuple[Sentence, ...]:
    return tuple(replace(one, stems=content_stems(one.text, stems)) for one in sentences)


def usual_config(passages: Sequence[PassageText]) -> str:
    """The text search configuration that most of the passages have."""
    return Counter(passage.text_config for passage in passages).most_common(1)[0][0]


def divided(sentences: Sequence[Sentence]) -> list[tuple[Sentence, ...]]:
    """Runs of sentences that belong together: those under one heading, where it is long by passages."""
    runs = [list(run) for _, run in groupby(sentences, key=lambda one: one.path)]
    found: list[tuple[Sentence, ...]] = []
    for run in _merged(runs):
        found += _cut(run) if words(run) > 1.5 * TOPIC_WORDS else [tuple(run)]
    return found


def words(sentences: Iterable[Sentence]) -> int:
    return sum(len(one.text.split()) for one in sentences)


def _merged(runs: Iterable[list[Sentence]]) -> list[list[Sentence]]:
    """Short runs join the one before them, when they stand under the same heading, and very short ones in any case."""
    merged: list[list[Sentence]] = []
    for run in runs:
        if merged:
            shorter = min(words(merged[-1]), words(run))
            if shorter < TINY_WORDS or (shorter < LEAST_WORDS and _are_near(merged[-1][0].path, run[0].path)):
                merged[-1] += run
                continue
        merged.append(run)
    return merged


def _are_near(path: Sequence[str], other: Sequence[str]) -> bool:
    """Siblings under a heading, or one above the other."""
    shared = 0
    while shared < min(len(path), len(other)) and path[shared] == other[shared]:
        shared += 1
    return shared >= max(1, min(len(path), len(other)) - 1)


def _cut(run: Sequence[Sentence]) -> list[tuple[Sentence, ...]]:
    """A long run in equal pieces, cut between passages where that is near."""
    size = words(run) / max(2, round(words(run) / TOPIC_WORDS))
    pieces: list[list[Sentence]] = [[]]
    length = 0
    for before, one in zip((None, *run), run, strict=False):
        is_new = before is None or before.chunk_id != one.chunk_id
        if length >= size * (0.8 if is_new else 1.2):
            pieces.append([])
            length = 0
        pieces[-1].append(one)
        length += len(one.text.split())
    if len(pieces) > 1 and length < LEAST_WORDS:
        last = pieces.pop()
        pieces[-1] += last
    return [tuple(piece) for piece in pieces]


def topics_of(readings: Sequence[Reading], stems: Stems) -> list[Topic]:
    """The topics of all materials, in order."""
    runs = [(reading, run) for reading in readings for run in divided(reading.sentences)]
    spread = spread_of([stem for one in run for stem in one.stems] for _, run in runs)
    return [
        Topic(_title(run, reading, stems, spread, len(runs)), run, reading.language) for reading, run in runs
    ]


def _title(
    run: Sequence[Sentence], reading: Reading, stems: Stems, spread: Mapping[str, int], parts: int
) -> str:
    """The innermost heading that all of it stands under, else its key terms, else the material's title."""
    shared = run[0].path
    for one in run:
        while shared and one.path[: len(shared)] != shared:
            shared = shared[:-1]
    if shared:
        return _short(shared[-1])
    terms = key_terms([tokens(one.text, stems) for one in run], spread, parts, 2)
    named = " and ".join(terms)
    return _short(named[:1].upper() + named[1:] or reading.title)


def _short(title: str) -> str:
    """On one line, not too long for a table."""
    line = " ".join(title.split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"
