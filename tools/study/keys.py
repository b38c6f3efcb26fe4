"""The forms of a question: what it offers (`options`), its key (`answer`), and what a person may answer (`response`).

| type | `options` | `answer` | response |
|---|---|---|---|
| multiple_choice | choices | `choice` | the id, letter or text of a choice |
| multiple_answer | choices | `choices` | a list of them |
| true_false | none | `value` | true or false |
| cloze | none; gaps stand in the text as {{1}}, {{2}} | `gaps` | a text for each gap, in order |
| short_answer | none | `expected` (an open one also `rubric`) | a text |
| matching | two lists of choices, left and right | `pairs` | right id or text by left id |
| ordering | choices | `order` | their ids or texts, first to last |

A choice is `{"id": "a", "text": "…"}`; ids are short and say nothing about the key. They are stored in the order in which
they were made; an attempt shuffles them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

QuestionType = Literal[
    "multiple_choice", "multiple_answer", "true_false", "cloze", "short_answer", "matching", "ordering"
]
CardType = Literal["basic", "reversed", "cloze", "multiple_choice"]
BloomLevel = Literal["remember", "understand", "apply", "analyze", "evaluate", "create"]
Difficulty = Literal["easy", "medium", "hard", "mixed"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(Part):
    id: str
    text: str


class Number(Part):
    """An expected number: right within `tolerance` (absolute, in `unit`)."""

    value: float
    tolerance: float = 0.0
    unit: str | None = None


class Expected(Part):
    """What is right in a gap or a short answer."""

    text: str = Field(description="The answer as it is shown.")
    accepted: list[str] = Field(default_factory=list, description="Other wordings that are as right.")
    number: Number | None = Field(default=None, description="When the answer is a number.")


class RubricPoint(Part):
    """One thing that an open answer must say."""

    text: str
    points: float = 1.0


class ChoiceKey(Part):
    type: Literal["multiple_choice"] = "multiple_choice"
    choice: str


class ChoicesKey(Part):
    type: Literal["multiple_answer"] = "multiple_answer"
    choices: list[str]


class TruthKey(Part):
    type: Literal["true_false"] = "true_false"
    value: bool
    correction: str | None = Field(default=None, description="Of a false statement: how it would be right.")


class ClozeKey(Part):
    type: Literal["cloze"] = "cloze"
    gaps: list[Expected]


class ShortKey(Part):
    type: Literal["short_answer"] = "short_answer"
    expected: Expected
    rubric: list[RubricPoint] = Field(default_factory=list)


class MatchingKey(Part):
    type: Literal["matching"] = "matching"
    pairs: dict[str, str] = Field(description="Right id by left id.")


class OrderingKey(Part):
    type: Literal["ordering"] = "ordering"
    order: list[str]


Key = Annotated[
    ChoiceKey | ChoicesKey | TruthKey | ClozeKey | ShortKey | MatchingKey | OrderingKey,
    Field(discriminator="type"),
]
KEY: TypeAdapter[Key] = TypeAdapter(Key)


def key_of(stored: dict[str, Any]) -> Key:
    """The key as stored in `test_questions.answer`."""
    return KEY.validate_python(stored)
