"""What a language model is asked to write for each type of item: a small flat object, and the JSON schema of a list of them."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from tools.study.keys import BloomLevel

_PREFIX = re.compile(r"^\s*(?:\(?[A-Ha-h1-8][).:]|[-*•])\s+")
_NUMBER = re.compile(r"\d+")


def _passage_number(value: Any) -> Any:
    """2, "2", "[2]" and "passage 2" are the same."""
    found = _NUMBER.search(value) if isinstance(value, str) else None
    return int(found[0]) if found else value


def _plain(value: Any) -> Any:
    """On one line, without Markdown's bold and without the letter or number before an option."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return " ".join(_PREFIX.sub("", value).replace("**", "").split()) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Passage = Annotated[int, BeforeValidator(_passage_number), Field(ge=1)]
Line = Annotated[str, StringConstraints(min_length=8, max_length=500), BeforeValidator(_plain)]
"""A question, a statement, a sentence."""
Answer = Annotated[str, StringConstraints(min_length=1, max_length=300), BeforeValidator(_plain)]
Lines = BeforeValidator(_listed)


class Written(BaseModel):
    model_config = ConfigDict(extra="ignore")
    passage: Passage
    level: BloomLevel = "understand"

    @field_validator("level", mode="before")
    @classmethod
    def _known_level(cls, value: Any) -> Any:
        """A level by another name is no reason to lose the item."""
        return value if value in LEVELS else "understand"


LEVELS = ("remember", "understand", "apply", "analyze", "evaluate", "create")


class WrittenChoice(Written):
    question: Line
    right: Answer
    wrong: Annotated[list[Answer], Lines, Field(min_length=2, max_length=5)]


class WrittenChoices(Written):
    question: Line
    right: Annotated[list[Answer], Lines, Field(min_length=2, max_length=5)]
    wrong: Annotated[list[Answer], Lines, Field(min_length=1, max_length=5)]


class WrittenStatement(Written):
    """A false statement is the true one with some words put in the place of others: so it differs in one thing, and costs
    a third of the tokens of two statements."""

    statement: Line
    words: Answer
    instead: Answer


class WrittenGaps(Written):
    sentence: Line
    gaps: Annotated[list[Answer], Lines, Field(min_length=1, max_length=4)]


class WrittenShort(Written):
    question: Line
    answer: Answer
    also: Annotated[list[Answer], Lines] = Field(default_factory=list)


class WrittenPair(BaseModel):
    passage: Passage
    left: Answer
    right: Answer


class WrittenPairs(Written):
    passage: Passage = 1
    """Each pair names its own."""
    question: Line
    pairs: list[WrittenPair] = Field(min_length=3, max_length=6)


class WrittenSteps(Written):
    question: Line
    steps: Annotated[list[Answer], Lines, Field(min_length=3, max_length=7)]


class WrittenCard(Written):
    front: Line
    back: Answer


class WrittenTerm(Written):
    term: Answer
    meaning: Line


FORMS: dict[str, type[Written]] = {
    "multiple_choice": WrittenChoice,
    "multiple_answer": WrittenChoices,
    "true_false": WrittenStatement,
    "cloze": WrittenGaps,
    "short_answer": WrittenShort,
    "matching": WrittenPairs,
    "ordering": WrittenSteps,
    "card_basic": WrittenCard,
    "card_reversed": WrittenTerm,
    "card_cloze": WrittenGaps,
    "card_multiple_choice": WrittenChoice,
}
"""By the name of its prompt file: the type of a question, or of a card behind "card_"."""

_TEXT = {"type": "string"}
_NUMBERED = {"type": "integer"}


def _texts(least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": _TEXT, "minItems": least, "maxItems": most}


_PAIR = {
    "type": "object",
    "properties": {"passage": _NUMBERED, "left": _TEXT, "right": _TEXT},
    "required": ["passage", "left", "right"],
    "additionalProperties": False,
}
_PROPERTIES: dict[str, dict[str, Any]] = {
    "multiple_choice": {"question": _TEXT, "right": _TEXT, "wrong": _texts(3, 3)},
    "multiple_answer": {"question": _TEXT, "right": _texts(2, 3), "wrong": _texts(2, 3)},
    "true_false": {"statement": _TEXT, "words": _TEXT, "instead": _TEXT},
    "cloze": {"sentence": _TEXT, "gaps": _texts(1, 2)},
    "short_answer": {"question": _TEXT, "answer": _TEXT, "also": _texts(0, 3)},
    "matching": {
        "question": _TEXT,
        "pairs": {"type": "array", "items": _PAIR, "minItems": 3, "maxItems": 5},
    },
    "ordering": {"question": _TEXT, "steps": _texts(3, 6)},
    "card_basic": {"front": _TEXT, "back": _TEXT},
    "card_reversed": {"term": _TEXT, "meaning": _TEXT},
    "card_cloze": {"sentence": _TEXT, "gaps": _texts(1, 2)},
    "card_multiple_choice": {"question": _TEXT, "right": _TEXT, "wrong": _texts(3, 3)},
}


def schema_of(kind: str, count: int, passages: int, levels: tuple[str, ...]) -> dict[str, Any]:
    """The JSON schema of an answer with at most so many items. Small, so that a server compiles it to a short grammar, and
    without a level where any will do: each field costs a slow server a second an item."""
    number = {"type": "integer", "minimum": 1, "maximum": passages}
    properties = dict(_PROPERTIES[kind]) if kind == "matching" else {"passage": number, **_PROPERTIES[kind]}
    if levels:
        properties["level"] = {"enum": list(levels)}
    item = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item, "minItems": count - count // 3, "maxItems": count}
        },
        "required": ["items"],
        "additionalProperties": False,
    }


_EXAMPLES: dict[str, str] = {
    "multiple_choice": '"question": "…", "right": "…", "wrong": ["…", "…", "…"]',
    "multiple_answer": '"question": "…", "right": ["…", "…"], "wrong": ["…", "…"]',
    "true_false": '"statement": "…", "words": "…", "instead": "…"',
    "cloze": '"sentence": "…", "gaps": ["…"]',
    "short_answer": '"question": "…", "answer": "…", "also": []',
    "matching": '"question": "…", "pairs": [{"passage": 1, "left": "…", "right": "…"}]',
    "ordering": '"question": "…", "steps": ["…", "…", "…"]',
    "card_basic": '"front": "…", "back": "…"',
    "card_reversed": '"term": "…", "meaning": "…"',
    "card_cloze": '"sentence": "…", "gaps": ["…"]',
    "card_multiple_choice": '"question": "…", "right": "…", "wrong": ["…", "…", "…"]',
}


def example_of(kind: str, levels: tuple[str, ...] = ()) -> str:
    """The same for models that are not held to a schema: what an answer looks like."""
    number = "" if kind == "matching" else '"passage": 1, '
    level = f', "level": "{levels[0]}"' if levels else ""
    return f'{{"items": [{{{number}{_EXAMPLES[kind]}{level}}}]}}'
