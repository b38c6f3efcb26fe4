"""Whether the text layer of a page says what is printed, or is garbage: glyphs without a meaning, shifted letters, bad OCR.

Judged by what all text in an alphabet has in common, so that formulas, code, tables and other languages pass.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

_UNMAPPED = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x10-\x1a\x7f-\x9f]")
_PROSE = re.compile("[A-Za-z]{4,}")
"""Runs of letters as words have them, formulas and most of code have not."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Share of each letter, in per mille: the mean of English, German, French, Spanish, Italian, Portuguese, Dutch and Polish
# (https://en.wikipedia.org/wiki/Letter_frequency).
_USUAL = (90, 14, 33, 43, 142, 12, 19, 25, 78, 4, 11, 44, 26, 73, 66, 24, 5, 65, 63, 61, 36, 13, 11, 2, 10, 9)
_NORM = sqrt(sum(share * share for share in _USUAL))
_SMALL_WORDS = frozenset(
    "the and for that with this are from not der die und den das von ist mit des ein eine sich auf für nicht les des est "
    "une que dans pour par los las del una por con para che per non della het een van niet voor dat não uma dos "
    "nie się jest och att som det ikke ile bir".split()
)
"""Of the languages of Europe: text that has them is text, however rare its letters."""
_WORD = re.compile(r"\S+")
_EDGES = ".,;:!?()[]{}\"'„“”‘’«»‹›–—-…*/"
_JUNK_INSIDE = re.compile(
    r"[^\W\d_][\d|~^<>{}\\=_§$%&@#!;:,]+[^\W\d_]|[|~^<>{}\\=§$%@#]|[a-zäöü][A-ZÄÖÜ][a-zäöü]"
)
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}|^[bcdfghjklmnpqrstvwxz]{4,}$", re.I)
_RUN = re.compile(r"([._\-=*~ ])\1{2,}|(?:\. ){3,}")

ENOUGH_LETTERS = 150
ENOUGH_WORDS = 20
LEAST_LIKENESS = 0.80
LEAST_SMALL_WORDS = 0.03
MOST_UNMAPPED = 0.2
MOST_ODD_WORDS = 0.25
LEAST_MEANINGFUL = 0.35


@dataclass(frozen=True, slots=True)
class Legibility:
    """Of the text of a page."""

    text: str
    characters: int
    """Without white space."""
    unmapped: float
    """Share of the characters that no font says the meaning of."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Legibility":
        """Lines that repeat count once: some patterns and drawings are made of glyphs."""
        text = "\n".join(dict.fromkeys(lines))
        count = len(text) - text.count(" ") - text.count("\n")
        plain = "\ufffd" not in text and text.replace("\n", " ").isprintable()
        bad = 0 if plain else len(_UNMAPPED.findall(text))
        return cls(text, count, bad / count if count else 0.0)

    @property
    def is_garbage(self) -> bool:
        """Nobody can read it, whatever the page shows."""
        if self.characters < 10:
            return False
        if self.unmapped > MOST_UNMAPPED:
            return True
        words = self.text.lower().split()
        small = sum(map(_SMALL_WORDS.__contains__, words))
        if small >= max(ENOUGH_WORDS, LEAST_SMALL_WORDS * len(words)):
            return False
        letters = "".join(_PROSE.findall(self.text)).lower()
        if len(letters) < ENOUGH_LETTERS:
            return self._says_nothing()
        if _likeness(letters) >= LEAST_LIKENESS or not self._is_latin(len(letters)):
            return False
        return small < LEAST_SMALL_WORDS * len(words)

    def _is_latin(self, letters: int) -> bool:
        """Other alphabets have few of these letters, and other statistics."""
        return letters > 0.5 * sum(character.isalpha() for character in self.text)

    def _says_nothing(self) -> bool:
        """Hardly a letter or digit, as when the codes of a font without a table come out as punctuation."""
        if self.characters < 60:
            return False
        plain = "".join(_RUN.sub(" ", self.text).split())
        known = sum(character.isalnum() for character in plain)
        return len(plain) >= 60 and known < LEAST_MEANINGFUL * len(plain)

    @property
    def odd_words(self) -> float:
        """Share of words that look like errors of a bad text recognition; 0 where there are too few to tell."""
        words = [word.strip(_EDGES) for word in _WORD.findall(_RUN.sub(" ", self.text))]
        words = [word for word in words if word and not word.isdigit()]
        if len(words) < ENOUGH_WORDS:
            return 0.0
        return sum(map(_is_odd, words)) / len(words)


def _likeness(letters: str) -> float:
    """Cosine of the frequencies of small letters with the usual ones, 0 to 1."""
    counts = [letters.count(letter) for letter in _LETTERS]
    norm = sqrt(sum(count * count for count in counts))
    return sum(a * b for a, b in zip(counts, _USUAL, strict=True)) / (norm * _NORM)


def _is_odd(word: str) -> bool:
    if len(word) == 1:
        return word.casefold() not in "aioyàéèeu&" and word.isascii()
    return bool(_JUNK_INSIDE.search(word)) or bool(_CONSONANTS.search(word))
