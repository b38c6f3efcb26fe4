"""The shape of a question (definition, why, how many, who, …) and which sentences have the shape of its answer."""

import re
from enum import Enum
from functools import lru_cache

from assistant.models.words import STOP, fold, stem, words


class Shape(Enum):
    DEFINITION = "definition"
    COMPARISON = "comparison"
    WHY = "why"
    NUMBER = "number"
    TIME = "time"
    CONDITION = "condition"
    NAME = "name"
    HOW = "how"
    OTHER = "other"


_SHAPES = (
    (
        re.compile(r"\b(differences?|differs?|compared?|comparison|versus|vs|better|worse)\b", re.I),
        Shape.COMPARISON,
    ),
    (
        re.compile(
            r"\bhow (many|much|large|big|long|far|fast|high|small)\b|\bwhat (number|percentage|value|order)\b",
            re.I,
        ),
        Shape.NUMBER,
    ),
    (re.compile(r"^\W*(when (was|were|did|has|had)|in (what|which) year|what year)\b", re.I), Shape.TIME),
    (re.compile(r"^\W*(when|under (what|which))\b", re.I), Shape.CONDITION),
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
_COPULA = (
    r"(?:means?|denotes?|refers? to|consists? of|(?:is|are|was|were)(?:\s+(?:then|thus|therefore|here))?"
    r"\s+(?:defined|an?|the|one|any|when|where|that|how|those))\b"
)
_REASON = re.compile(
    r"\b(?:because|since|therefore|thus|hence|due to|reason|as a result|consequently|so that|in order to|leads? to|causes?|explained by)\b",
    re.I,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|twice|first|second|third|hundred|thousand)\b",
    re.I,
)
_YEAR = re.compile(
    r"\b(?:1[0-9]{3}|20[0-9]{2})\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless|provided|only|criterion|conditions?|as long as|sufficiently|requires?)\b",
    re.I,
)
_CONTRAST = re.compile(
    r"\b(?:while|whereas|but|than|unlike|contrast|contrary|compared|both|however|instead|other hand|respectively|differ\w*)\b",
    re.I,
)
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w-]+|^[A-Z][\w-]+(?: [A-Z][\w-]+)+")
_METHOD = re.compile(
    r"\b(?:by|using|through|first|then|next|step|procedure|method|compute|we (?:can|may|need|must|use))\b",
    re.I,
)
_DANGLING = re.compile(
    r"^(?:this|that|these|those|it|they|he|she|such|however|moreover|furthermore|also|then|so|but|and|or|here|there|to this end)\b",
    re.I,
)
_TASK = re.compile(
    r"^(?:consider|determine|compute|calculate|show|set up|write|make|find|derive|explain|implement|plot|choose|assume|suppose"
    r"|demonstrate|prove|discuss|verify|run|extend|hint|use|apply|repeat|modify|create|solve|generalize|let|document|analyze|interpret|test)\b",
    re.I,
)
_CAPTION = re.compile(r"^(?:fig(?:ure|s?\.)|table|tab\.|listing|algorithm|exercise|problem)\s*\d", re.I)
_FOUND_BY = {
    Shape.WHY: _REASON,
    Shape.NUMBER: _NUMBER,
    Shape.TIME: _YEAR,
    Shape.NAME: _NAME,
    Shape.HOW: _METHOD,
    Shape.CONDITION: _CONDITION,
    Shape.COMPARISON: _CONTRAST,
}

DEFINES, FITS, HALF_FITS, DANGLES, ASIDE = 0.35, 0.12, 0.06, -0.05, -0.12
"""ASIDE: captions, and what an exercise tells the reader to do."""


def shape_of(question: str) -> Shape:
    """The first shape whose words the question has."""
    return next((shape for pattern, shape in _SHAPES if pattern.search(question)), Shape.OTHER)


def shape_bonus(question: str, wanted: list[str], sentence: str) -> float:
    """What to add to a sentence's score for its form, between -0.17 and 0.35."""
    fragment = sentence[:1].islower() or sentence.rstrip("\"'”’)")[-1:] not in ".!"
    bonus = DANGLES if fragment or _DANGLING.match(sentence) else 0.0
    bonus += DANGLES if sentence[:1].islower() else 0.0
    shape = shape_of(question)
    if _CAPTION.match(sentence) or (shape is not Shape.HOW and _TASK.match(sentence)):
        bonus += ASIDE
    if shape is Shape.DEFINITION:
        return bonus + _defining(question, wanted, sentence)
    pattern = _FOUND_BY.get(shape)
    return bonus + (FITS if pattern and pattern.search(sentence) else 0.0)


_SUBJECT = re.compile(
    r"^\W*(?:what|who)(?:'s|\s+(?:is|are|was|were|does))\s+(?:meant by\s+)?(?:an?\s+|the\s+)?(?P<a>.+?)(?:\s+mean)?$"
    r"|\b(?:definition|meaning) of\s+(?:an?\s+|the\s+)?(?P<b>.+)$|\bdefine\s+(?:an?\s+|the\s+)?(?P<c>.+)$",
    re.I,
)
_QUALIFIED = re.compile(
    r"\s+(?:of|in|for|on|with|from|to|at|when|that|which|according)\b.*$|\s*[,;(].*$", re.I
)


@lru_cache(maxsize=64)
def subject(question: str) -> str:
    """What a definition is asked of, without what qualifies it: "half-life" of "What is the half-life of a substance?"."""
    match = _SUBJECT.search(question.rstrip("?!. "))
    whole = next((g for g in match.groups() if g), "") if match else ""
    head = _QUALIFIED.sub("", whole)
    return head if any(w not in STOP for w in words(head)) else whole


@lru_cache(maxsize=64)
def _definition_of(term: str) -> re.Pattern[str] | None:
    """`TERM [symbol][, which] is a …`, or `called the TERM`, over folded text."""
    parts = [re.escape(stem(w)) + r"\w*" for w in words(term)]
    if not parts:
        return None
    name = r"[\s-]+".join(parts)
    called = r"(?:called|known as|termed|referred to as|named)\s+(?:an?\s+|the\s+)?[\"“'‘]?(?:\w+\s+)?"
    return re.compile(
        rf"\b{name}(?:\s+\S{{1,8}})?\s*(?:\([^)]{{1,30}}\)\s*)?,?\s*(?:which\s+|that\s+)?{_COPULA}|\b{called}{name}"
    )


def _defining(question: str, wanted: list[str], sentence: str) -> float:
    """A definition of the subject counts fully; a defining verb after its words at the start, or anywhere, less."""
    pattern = _definition_of(fold(subject(question)))
    defines = pattern.search(fold(sentence)) if pattern is not None else None
    if defines:
        begins = defines.start() < 30 or re.search(
            r", (?:which|that)\b|called|known as|termed|referred to|named", defines[0]
        )
        return DEFINES if begins else DEFINES - FITS
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
