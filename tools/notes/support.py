"""Whether a passage supports what a language model wrote, by its words and numbers. Pure."""

import re
from collections.abc import Sequence

from tools.notes.reading import Sentence
from tools.notes.terms import EMPTY, POSSESSIVE, WORD, Stems

SUPPORTED = 0.5
"""Share of a point's content words that its passage must hold."""
DOUBTFUL = 0.3
"""From here on meaning decides: a paraphrase shares fewer words."""
ALIKE = 0.6
"""Cosine of such a point to a sentence of its passage."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def share_of_words(text: str, passage: Sequence[Sentence], stems: Stems) -> float:
    """Share of the text's content words that the passage holds; inflections and compounds count as the same word."""
    held = {stem for sentence in passage for stem in sentence.stems}
    words = {w for sentence in passage for w in _words(sentence.text)}
    wanted = [word for word in _words(text) if word not in EMPTY and not _is_stop(word, stems)]
    if not wanted:
        return 0.0
    return sum(stems.get(word) in held or _inflected(word, words) for word in wanted) / len(wanted)


def _words(text: str) -> set[str]:
    return {POSSESSIVE.sub("", match.group()).lower() for match in WORD.finditer(text)}


def _is_stop(word: str, stems: Stems) -> bool:
    """A stop word of the language, as far as the material uses it; other very short words mean little too."""
    return stems[word] is None if word in stems else len(word) < 4


def _inflected(word: str, words: set[str]) -> bool:
    root = word[: max(4, len(word) - 3)]
    return any(other.startswith(root) for other in words) if len(word) >= 4 else word in words


def has_its_numbers(text: str, passage: Sequence[Sentence]) -> bool:
    """Whether every number of the text stands in the passage."""
    held = {_plain(n) for sentence in passage for n in _NUMBER.findall(sentence.text)}
    return all(_plain(number) in held for number in _NUMBER.findall(text))


def _plain(number: str) -> str:
    return number.replace(",", "").rstrip(".")


def best_evidence(text: str, passage: Sequence[Sentence], stems: Stems) -> tuple[Sentence, ...]:
    """The one or two sentences of the passage that hold most of the text's words."""
    ranked = sorted(passage, key=lambda one: -share_of_words(text, [one], stems))
    first = ranked[0]
    alone = share_of_words(text, [first], stems)
    more = [one for one in ranked[1:] if share_of_words(text, [first, one], stems) >= alone + 0.25]
    return tuple(sorted([first, *more[:1]], key=lambda one: (one.segment, one.start)))
