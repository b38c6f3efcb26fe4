"""Quiz sheets: the questions of a test as they are printed, and their key. Shuffled by a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from storage.models import Material, TestQuestion
from tools.documents.citing import Citing
from tools.documents.content import Asked, Section
from tools.documents.rendering.paging import letter_of
from tools.documents.work import PartMade
from tools.notes.reading import Sentence
from tools.study.keys import Choice, Key, key_of

LINES = {"short_answer": 4}
"""Lines to write on; more where the key has several points."""
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Printed:
    """A question before it is laid out."""

    form: str
    text: str
    key: Key
    options: Sequence[Choice]
    right: Sequence[Choice]
    points: float
    explanation: str | None
    quote: str | None


def asked(number: int, one: Printed, seed: int, cites: list[int]) -> Asked:
    """A question as it is printed: columns and choices in an order of the seed's, lettered as they stand."""
    order = random.Random(f"{seed}-{number}")
    left, right = list(one.options), list(one.right)
    if one.form != "matching":
        order.shuffle(left)
    order.shuffle(right)
    if (
        one.form == "ordering"
        and len(left) > 1
        and [choice.id for choice in left] == getattr(one.key, "order", None)
    ):
        left = [*left[1:], left[0]]
    names = {choice.id: letter_of(n) for n, choice in enumerate(left)}
    sides = {choice.id: str(n) for n, choice in enumerate(right, 1)}
    rubric = getattr(one.key, "rubric", [])
    return Asked(
        number=number,
        form=one.form,
        text=one.text,
        options=[Choice(id=names[choice.id], text=choice.text) for choice in left],
        right=[Choice(id=sides[choice.id], text=choice.text) for choice in right],
        points=one.points,
        lines=min(MOST_LINES, LINES[one.form] + 2 * len(rubric)) if one.form in LINES else 0,
        key=key_text(one, names, sides, left),
        explanation=one.explanation,
        quote=one.quote,
        cites=cites,
    )


def key_text(one: Printed, names: dict[str, str], sides: dict[str, str], left: Sequence[Choice]) -> str:
    """What is right, in words, with the letters as printed."""
    texts = {choice.id: choice.text for choice in (*one.options, *one.right)}

    def named(choice: str) -> str:
        return f"{names.get(choice, '?')}) {texts.get(choice, '')}"

    match one.key.type:
        case "multiple_choice":
            # The box is printed without its letter.
            return texts.get(one.key.choice, "")
        case "multiple_answer":
            return "; ".join(texts.get(choice.id, "") for choice in left if choice.id in one.key.choices)
        case "true_false":
            said = "True" if one.key.value else "False"
            return f"{said}. {one.key.correction}" if one.key.correction else said
        case "cloze":
            return "; ".join(gap.text for gap in one.key.gaps)
        case "short_answer":
            points = "; ".join(point.text for point in one.key.rubric)
            return f"{one.key.expected.text} ({points})" if points else one.key.expected.text
        case "matching":
            return ", ".join(f"{names.get(a, '?')}–{sides.get(b, '?')}" for a, b in one.key.pairs.items())
        case "ordering":
            return " → ".join(texts.get(choice, "") for choice in one.key.order)


@dataclass(slots=True)
class TestWork:
    """Prints the questions of a test."""

    __test__ = False

    rows: Sequence[TestQuestion]
    evidence: dict[UUID, tuple[Material, Sentence]]
    """By question."""
    seed: int
    version: str
    maker: str

    @property
    def total(self) -> int:
        return len(self.rows)

    async def part(self, index: int, citing: Citing) -> PartMade:
        row = self.rows[index]
        listed = row.options[0] if row.type == "matching" else row.options
        right = row.options[1] if row.type == "matching" else []
        one = Printed(
            form=row.type,
            text=row.text,
            key=key_of(row.answer),
            options=[Choice.model_validate(choice) for choice in listed],
            right=[Choice.model_validate(choice) for choice in right],
            points=row.points,
            explanation=row.explanation,
            quote=row.quote,
        )
        known = self.evidence.get(row.id)
        cites = [citing.number(*known)] if known else []
        return PartMade(Section(heading="", items=[asked(index + 1, one, self.seed, cites)]))

    async def close(self) -> None:
        """Nothing is held."""
