"""A question as one attempt asks it: in its own order, with ids that follow that order, so that "B" is the second one shown.

Its key is left out until it may be known. This form is kept in `attempt_answers.question`, so that a result can be read
after the test was changed. Responses are kept in the form that `answer_question` takes.
"""

import random
from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tools.study.keys import (
    Choice,
    ChoiceKey,
    ChoicesKey,
    Key,
    MatchingKey,
    OrderingKey,
    QuestionType,
    key_of,
)

Response = bool | int | float | str | list[str | int | float] | dict[str, str]
"""An id, letter or text of a choice; a list of them; true or false; a text, or a list with one for each gap; right by left."""


class Asked(BaseModel):
    number: int = Field(description="Its place in this attempt, from 1.")
    type: QuestionType
    text: str
    options: list[Choice] = Field(
        default_factory=list, description="In the order shown; of a matching the left column."
    )
    right: list[Choice] = Field(default_factory=list, description="Of a matching the right column.")
    points: float = 1.0
    topic: str | None = None
    concept_id: UUID | None = None
    difficulty: int | None = None
    bloom_level: str | None = None
    material_id: UUID | None = None
    gaps: int = Field(default=0, description="Of a cloze: how many texts are wanted.")
    answer: dict[str, Any] | None = Field(
        default=None, description="The key by the ids shown; from grading on."
    )
    explanation: str | None = None
    quote: str | None = None
    locator: dict[str, Any] | None = None
    source_chunk_ids: list[UUID] = Field(default_factory=list)
    session_id: UUID | None = Field(default=None, description="The study session in which it was answered.")

    @property
    def key(self) -> Key | None:
        return key_of(self.answer) if self.answer is not None else None


def letter(place: int) -> str:
    """a, b, …, z, aa, ab, …"""
    more, last = divmod(place, len(ascii_lowercase))
    return (letter(more - 1) if more else "") + ascii_lowercase[last]


def columns_of(type: str, options: Sequence[Any]) -> tuple[list[Choice], list[Choice]]:
    """What `test_questions.options` holds: choices and, of a matching, the right column."""
    if type != "matching":
        return [Choice.model_validate(one) for one in options], []
    left, right = options
    return [Choice.model_validate(one) for one in left], [Choice.model_validate(one) for one in right]


def shuffled(ids: Sequence[str], seed: str) -> list[str]:
    """The same order for the same seed, whatever the order in which the ids come."""
    order = sorted(ids)
    random.Random(seed).shuffle(order)
    return order


class Order(BaseModel):
    """Ids of the stored options in the order in which an attempt shows them."""

    options: list[str] = Field(default_factory=list)
    right: list[str] = Field(default_factory=list)


def order_of(type: str, options: Sequence[Any], seed: str) -> Order:
    left, right = columns_of(type, options)
    return Order(
        options=shuffled([one.id for one in left], f"{seed} left"),
        right=shuffled([one.id for one in right], f"{seed} right"),
    )


def renamed(order: Order, *, matching: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Stored id → id shown, of both columns. A matching numbers its left column."""
    left = {stored: str(n + 1) if matching else letter(n) for n, stored in enumerate(order.options)}
    return left, {stored: letter(n) for n, stored in enumerate(order.right)}


def shown_columns(type: str, options: Sequence[Any], order: Order) -> tuple[list[Choice], list[Choice]]:
    left, right = columns_of(type, options)
    names, right_names = renamed(order, matching=type == "matching")
    texts = {one.id: one.text for one in left}
    right_texts = {one.id: one.text for one in right}
    return (
        [Choice(id=names[stored], text=texts[stored]) for stored in order.options],
        [Choice(id=right_names[stored], text=right_texts[stored]) for stored in order.right],
    )


def shown_key(key: Key, order: Order) -> Key:
    """The key by the ids that the attempt shows."""
    left, right = renamed(order, matching=isinstance(key, MatchingKey))
    if isinstance(key, ChoiceKey):
        return ChoiceKey(choice=left[key.choice])
    if isinstance(key, ChoicesKey):
        return ChoicesKey(choices=[left[one] for one in key.choices])
    if isinstance(key, OrderingKey):
        return OrderingKey(order=[left[one] for one in key.order])
    if isinstance(key, MatchingKey):
        return MatchingKey(pairs={left[a]: right[b] for a, b in key.pairs.items()})
    return key
