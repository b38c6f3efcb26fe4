"""The shape of a question (definition, why, how many, who, …) and which sentences have the shape of its answer."""

import re
from enum import Enum

from assistant.models.words import stem, words


class Shape(Enum):
    DEFINITION = "definition"
    WHY = "why"
    NUMBER = "number"
    TIME = "time"
    NAME = "name"
    HOW = "how"
    OTHER = "other"


_SHAPES = (
    (
        re.compile(
            r"\bhow (many|much|large|big|long|far|fast|high|small)\b|\bwhat (number|percentage|value|order)\b",
            re.I,
        ),
        Shape.NUMBER,
    ),
    (re.compile(r"^\W*(when|in (what|which) year|what year)\b", re.I), Shape.TIME),
    (re.compile(r"^\W*(who|whose|whom|which|where)\b", re.I), Shape.NAME),
    (re.compile(r"\b(why|reason|causes?|what for)\b", re.I), Shape.WHY),
    (
        re.compile(
            r"^\W*(what|who)\s+(is|are|was|were|does .* mean)\b|\b(define|definition|meaning|mean)\b", re.I
        ),
        Shape.DEFINITION,
    ),
    (re.compile(r"^\W*how\b", re.I), Shape.HOW),
)
_DEFINES = re.compile(
    r"\b(?:is|are|was|were|means?|denotes?|refers? to|is called|are called|is known as|is defined|consists? of)\b",
    re.I,
)
_NAMED_LAST = re.compile(r"\b(?:called|known as|termed|referred to as|named)\b", re.I)
_REASON = re.compile(
    r"\b(?:because|since|therefore|thus|hence|due to|reason|as a result|consequently|so that|in order to|leads? to|causes?)\b",
    re.I,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|twice|first|second|third|hundred|thousand)\b",
    re.I,
)
_YEAR = re.compile(
    r"\b(?:1[0-9]{3}|20[0-9]{2})\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w-]+|^[A-Z][\w-]+(?: [A-Z][\w-]+)+")
_METHOD = re.compile(
    r"\b(?:by|using|through|first|then|next|step|procedure|method|compute|we (?:can|may|need|must|use))\b",
    re.I,
)
_DANGLING = re.compile(
    r"^(?:this|that|these|those|it|they|he|she|such|however|moreover|furthermore|also|then|so|but|and|or|here|there)\b",
    re.I,
)
_FOUND_BY = {
    Shape.WHY: _REASON,
    Shape.NUMBER: _NUMBER,
    Shape.TIME: _YEAR,
    Shape.NAME: _NAME,
    Shape.HOW: _METHOD,
}

FITS, HALF_FITS, DANGLES = 0.12, 0.06, -0.05


def shape_of(question: str) -> Shape:
    """The first shape whose words the question has."""
    return next((shape for pattern, shape in _SHAPES if pattern.search(question)), Shape.OTHER)


def shape_bonus(question: str, wanted: list[str], sentence: str) -> float:
    """What to add to a sentence's score for its form, between -0.05 and 0.12."""
    fragment = sentence[:1].islower() or sentence.rstrip("\"'”’)")[-1:] not in ".!"
    dangling = DANGLES if fragment or _DANGLING.match(sentence) else 0.0
    shape = shape_of(question)
    if shape is Shape.DEFINITION:
        return dangling + _defining(wanted, sentence)
    pattern = _FOUND_BY.get(shape)
    return dangling + (FITS if pattern and pattern.search(sentence) else 0.0)


def _defining(wanted: list[str], sentence: str) -> float:
    """ "X is …" with X at the start counts fully, "… is called X" too; a defining verb after X anywhere counts half."""
    verb = _DEFINES.search(sentence)
    named = _NAMED_LAST.search(sentence)
    if named and _holds(wanted, sentence[named.end() : named.end() + 60]):
        return FITS
    if not verb or not _holds(wanted, sentence[: verb.start()]):
        return 0.0
    return FITS if len(words(sentence[: verb.start()])) <= len(wanted) + 4 else HALF_FITS


def _holds(wanted: list[str], text: str) -> bool:
    stems = {stem(w) for w in words(text)}
    return sum(t in stems for t in wanted) * 2 >= len(wanted)
