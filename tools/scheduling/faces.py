"""The cards of one note: what each of them asks and answers. Every way in (by hand, made, imported) stores them so.

| type | rows | `front` | `back` | `gap` |
|---|---|---|---|---|
| basic | one | question | answer | null |
| reversed | two of one group | what is asked: of the second row the answer | the other side | 1, 2 |
| cloze | one for each number of a gap, one group | the whole text with {{c1::gaps::hints}} | text of the gaps with its number | that number |
| multiple_choice | one | question | text of the right option | null |
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import InvalidInput
from tools.study.keys import CardType, Choice

_GAP = re.compile(
    r"\{\{c(?P<number>\d{1,3})::(?P<text>.*?)(?:::(?P<hint>[^{}:][^{}]*?))?\}\}(?!\})", re.DOTALL
)
_BROKEN = re.compile(r"\{\{\s*c\d*\s*(?::|$)")
MOST_GAPS = 50
BLANK = "[…]"


@dataclass(frozen=True, slots=True)
class Gap:
    """One {{c1::text::hint}}. Several may have one number: they are asked together."""

    number: int
    text: str
    hint: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Face:
    """What one row holds."""

    front: str
    back: str
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person sees."""

    question: str
    answer: str


def gaps_of(text: str) -> list[Gap]:
    """The gaps of a cloze in order of the text."""
    return [
        Gap(int(found["number"]), found["text"], found["hint"], found.start(), found.end())
        for found in _GAP.finditer(text)
    ]


def checked_gaps(text: str) -> list[Gap]:
    """The gaps of a cloze. Raises InvalidInput for a text without gaps, an empty gap, or one that is not closed."""
    gaps = gaps_of(text)
    if not gaps:
        raise InvalidInput(
            "A cloze needs at least one gap, written {{c1::hidden words}} or {{c1::hidden words::hint}}.",
            code="no_gaps",
        )
    if any(not gap.text.strip() for gap in gaps):
        raise InvalidInput("A gap hides no words: write {{c1::hidden words}}.", code="empty_gap")
    if any(gap.number == 0 for gap in gaps):
        raise InvalidInput("Gaps are numbered from 1: {{c1::…}}, {{c2::…}}.", code="invalid_gap")
    outside = _outside(text, gaps)
    if _BROKEN.search(outside) or any(_BROKEN.search(gap.text) for gap in gaps):
        raise InvalidInput(
            "A gap is not closed, or stands inside another one: each ends with }} before the next begins.",
            code="invalid_gap",
        )
    if len({gap.number for gap in gaps}) > MOST_GAPS:
        raise InvalidInput(f"A cloze may ask for at most {MOST_GAPS} gaps.", code="too_many_gaps")
    return gaps


def faces_of(type: CardType, front: str, back: str) -> list[Face]:
    """The rows of one note. Raises InvalidInput for a cloze whose gaps are not well written."""
    if type == "reversed":
        return [Face(front, back, 1), Face(back, front, 2)]
    if type == "cloze":
        gaps = checked_gaps(front)
        return [Face(front, hidden(gaps, number), number) for number in sorted({gap.number for gap in gaps})]
    return [Face(front, back)]


def hidden(gaps: Sequence[Gap], number: int) -> str:
    """What the card of this number asks for."""
    return ", ".join(dict.fromkeys(gap.text for gap in gaps if gap.number == number))


def shown(type: str, front: str, back: str, gap: int | None) -> Shown:
    """Question and answer as they are read: of a cloze the text with its gap open, and with all words."""
    if type != "cloze" or gap is None:
        return Shown(front, back)
    gaps = gaps_of(front)
    return Shown(_filled(front, gaps, asked=gap), hidden(gaps, gap) or back)


def whole_text(text: str) -> str:
    """A cloze with nothing hidden."""
    return _filled(text, gaps_of(text), asked=None)


def _filled(text: str, gaps: Sequence[Gap], asked: int | None) -> str:
    parts, at = [], 0
    for gap in gaps:
        blank = f"[{gap.hint}]" if gap.hint else BLANK
        parts += [text[at : gap.start], blank if gap.number == asked else gap.text]
        at = gap.end
    return "".join([*parts, text[at:]])


def _outside(text: str, gaps: Sequence[Gap]) -> str:
    parts, at = [], 0
    for gap in gaps:
        parts.append(text[at : gap.start])
        at = gap.end
    return "\n".join([*parts, text[at:]])


def choices_in_order(options: Sequence[Choice], seed: bytes) -> list[Choice]:
    """The choices of a card shuffled by a seed, so that the right one is learned and not its place."""
    return sorted(options, key=lambda choice: _digest(seed, choice.id))


def _digest(seed: bytes, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), key=seed[:64], digest_size=8).digest()
