"""How a material falls into the sections of its notes: by its headings where it has them, by topics where it has none."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from tools.notes.reading import Sentence
from tools.notes.topics import Matrix, announces, topic_starts

MOST_SECTIONS = {"summary": 10}
USUAL_MOST = 26
SECTION_WORDS = 900
"""A headed section longer than this is divided by its subheadings."""
TOPIC_WORDS = 450
"""Of a talk: three minutes at 150 words a minute."""
LEAST_WORDS = 120
"""A shorter section joins its neighbour; a short material still falls into three."""

Embed = Callable[[Sequence[str]], Awaitable[Matrix]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the material that becomes one part of the notes."""

    sentences: tuple[Sentence, ...]
    titles: tuple[str, ...] = ()
    """Headings that it stands under in the material; empty for a topic of a talk."""
    is_topic: bool = False
    """Part of what `titles` names, to be told from the rest by its words."""


async def plan(sentences: Sequence[Sentence], type: str, embed: Embed) -> list[Section]:
    """The sections, in order. `embed` gives a unit vector for each text; it is only asked where headings are missing."""
    total = _words(sentences)
    most = MOST_SECTIONS.get(type, USUAL_MOST)
    third = max(LEAST_WORDS, total / 3)
    limit = max(min(SECTION_WORDS, third), total / most)
    topic = max(min(TOPIC_WORDS, third), total / most)
    parts = _merged(_by_headings(sentences, 0, limit), max(LEAST_WORDS, limit / 6))
    while len(parts) > most:
        limit *= 1.4
        parts = _merged(_by_headings(sentences, 0, limit), max(LEAST_WORDS, limit / 3))
    sections: list[Section] = []
    for part in parts:
        if _words(part) > 1.6 * max(limit if part[0].path else topic, topic):
            sections += await _topics(part, topic, embed)
        else:
            titles = _titles(part)
            again = bool(sections) and bool(titles) and sections[-1].titles == titles
            sections.append(Section(tuple(part), titles, is_topic=again))
    return sections


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(len(sentence.text.split()) for sentence in sentences)


def _by_headings(sentences: Sequence[Sentence], depth: int, limit: float) -> list[list[Sentence]]:
    """Runs of sentences under the same headings, down to the depth at which they are short enough."""
    if _words(sentences) <= limit or all(len(one.path) <= depth for one in sentences):
        return [list(sentences)] if sentences else []
    runs = [list(run) for _, run in groupby(sentences, key=lambda one: one.path[: depth + 1])]
    return [part for run in runs for part in _by_headings(run, depth + 1, limit)]


def _merged(parts: Sequence[list[Sentence]], least: float) -> list[list[Sentence]]:
    """Short parts join the one behind them, within the same outermost heading where there is more than one."""
    merged: list[list[Sentence]] = []
    for part in parts:
        if merged and _words(merged[-1]) < least and _chapter(merged[-1]) == _chapter(part):
            merged[-1] = [*merged[-1], *part]
        else:
            merged.append(list(part))
    if len(merged) > 1 and _words(merged[-1]) < least and _chapter(merged[-1]) == _chapter(merged[-2]):
        merged[-2] += merged.pop()
    return merged


def _chapter(part: Sequence[Sentence]) -> tuple[str, ...]:
    """The outermost heading, when there is a deeper one: only then it says what belongs together."""
    path = part[0].path
    return path[:1] if len(path) > 1 else ()


def _titles(part: Sequence[Sentence]) -> tuple[str, ...]:
    """The headings that all its sentences stand under, with one or two of the next level where they say more."""
    shared = part[0].path
    for one in part:
        while shared and one.path[: len(shared)] != shared:
            shared = shared[:-1]
    deeper = list(dict.fromkeys(one.path[len(shared)] for one in part if len(one.path) > len(shared)))
    if not deeper or (shared and len(deeper) > 2):
        return shared
    return (*shared, " · ".join(deeper[:2]) + (" …" if len(deeper) > 2 else ""))


async def _topics(part: Sequence[Sentence], topic: float, embed: Embed) -> list[Section]:
    vectors = await embed([one.text for one in part])
    count = max(2, round(_words(part) / topic))
    starts = topic_starts(
        vectors, [one.stems for one in part], [one.spoken and announces(one.text) for one in part], count
    )
    ends = [*starts[1:], len(part)]
    titles = _titles(part) if part[0].path else ()
    return [Section(tuple(part[a:b]), titles, is_topic=True) for a, b in zip(starts, ends, strict=True)]
