"""Finds the heading that a person means: by its number ("3.2", "Chapter 3"), its words, or words like them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

ALIKE = 0.6
"""Similarity (0 to 1) of words from which a heading is meant; below it, spelling alone joins what does not belong together."""

_NUMBER = re.compile(
    r"(?:chapter|section|part|appendix|lecture|kapitel|abschnitt|teil|anhang|chapitre|§)?\s*(\d{1,3}(?:\.\d{1,3}){0,4}|[A-Z](?:\.\d{1,3}){1,4})\.?",
    re.I,
)
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks [first, last] that follow each other under the same headings, outermost first."""

    path: tuple[str, ...]
    first: int
    last: int


def stretches(paths: Sequence[Sequence[str]]) -> list[Stretch]:
    """The heading paths of all chunks of a material, in order, as runs of equal ones."""
    found: list[Stretch] = []
    for ordinal, path in enumerate(map(tuple, paths)):
        if found and found[-1].path == path:
            found[-1] = Stretch(path, found[-1].first, ordinal)
        else:
            found.append(Stretch(path, ordinal, ordinal))
    return found


def section(wanted: str, outline: Sequence[Stretch]) -> tuple[str, int, int] | None:
    """The title that is meant, and the first and last chunk under it. None when no heading is like it."""
    number = _NUMBER.fullmatch(wanted.strip())
    title = _numbered(number.group(1), outline) if number else _worded(wanted, outline)
    if title is None:
        return None
    first = next(number for number, stretch in enumerate(outline) if title in stretch.path)
    last = first
    while last + 1 < len(outline) and title in outline[last + 1].path:
        last += 1
    return title, outline[first].first, outline[last].last


def titles(outline: Sequence[Stretch]) -> list[str]:
    """Every heading once, in order of appearance."""
    return list(dict.fromkeys(title for stretch in outline for title in stretch.path))


def _numbered(number: str, outline: Sequence[Stretch]) -> str | None:
    """A chapter whose own heading has no number is known by the numbers of its sections."""
    own = re.compile(rf"(?:\w+\s+|§\s*)?{re.escape(number)}(?![\w]|\.\d)", re.I)
    below = re.compile(rf"(?:\w+\s+|§\s*)?{re.escape(number)}\.\d", re.I)
    for title in titles(outline):
        if own.match(title):
            return title
    for stretch in outline:
        for above, title in zip(("", *stretch.path), stretch.path, strict=False):
            if below.match(title):
                return above or title
    return None


def _worded(wanted: str, outline: Sequence[Stretch]) -> str | None:
    asked = _folded(wanted)
    if not asked:
        return None
    best = max(titles(outline), key=lambda title: _likeness(asked, _folded(title)), default=None)
    return best if best is not None and _likeness(asked, _folded(best)) >= ALIKE else None


def _likeness(asked: str, title: str) -> float:
    """1 for the same words, at least 0.8 when the title has all of them, else how alike they are spelled."""
    if asked == title:
        return 1.0
    spelled = SequenceMatcher(None, asked, title).ratio()
    if set(asked.split()) <= set(title.split()):
        return 0.8 + 0.19 * spelled
    # A number in front ("3.2 Stability") is no misspelling.
    bare = title.lstrip("0123456789 ")
    return min(0.79, max(spelled, SequenceMatcher(None, asked, bare).ratio()))


def _folded(title: str) -> str:
    return " ".join(_WORDS.findall(title.casefold()))
