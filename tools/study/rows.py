"""From accepted items to rows: questions and cards with their evidence, and the questions of shuffled versions. Pure."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from storage.models import Flashcard, Material, MaterialSegment, TestQuestion
from tools.scheduling.faces import Face, faces_of
from tools.search.places import locate
from tools.study.items import Card, Item, Question, fingerprint
from tools.study.keys import Choice, ShortKey, key_of

POINTS = {"multiple_answer": 2.0, "matching": 2.0, "ordering": 2.0}
"""Of types that ask for several things; 1 for all others."""
LONGEST_TAG = 50

NewId = Callable[[], UUID]


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that passed the gate and fills a slot."""

    item: Item
    score: float
    model: str
    parameters: Mapping[str, Any]
    points: float | None = None
    """Where the blueprint says so."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What evidence is located with."""

    materials: Mapping[UUID, Material]
    material_of: Mapping[UUID, UUID]
    """Chunk → its material."""
    segments: Mapping[tuple[UUID, int], MaterialSegment]


def places_of(taken: Sequence[Taken], material_of: Mapping[UUID, UUID]) -> list[tuple[UUID, int]]:
    """The segments that the quotes stand in."""
    quoted = [one.item.evidence[0] for one in taken]
    return list(dict.fromkeys((material_of[one.chunk_id], one.segment) for one in quoted))


def evidence(taken: Taken, sources: Sources) -> dict[str, Any]:
    """The columns of a generated item; the first sentence is quoted."""
    item, first = taken.item, taken.item.evidence[0]
    material = sources.materials[sources.material_of[first.chunk_id]]
    segment = sources.segments[material.id, first.segment]
    return {
        "model": taken.model,
        "parameters": {"rule": item.rule, **taken.parameters},
        "quality_score": min(1.0, max(0.0, taken.score)),
        "source_chunk_ids": list(dict.fromkeys(one.chunk_id for one in item.evidence)),
        "material_id": material.id,
        "quote": first.text,
        "locator": locate(material, segment, first.start, first.end, first.path).model_dump(mode="json"),
        "fingerprint": fingerprint(words_of(item)),
    }


def words_of(item: Item) -> str:
    """What repeats are found by."""
    return item.text if isinstance(item, Question) else item.front


def faces(card: Card) -> list[Face]:
    """What the rows of a card hold. Raises InvalidInput for a cloze that is not well written."""
    return faces_of(card.type, card.front, card.back)


def question_row(
    taken: Taken,
    question: Question,
    sources: Sources,
    test_id: UUID,
    ordinal: int,
    user_id: UUID,
    new_id: NewId,
) -> TestQuestion:
    return TestQuestion(
        id=new_id(),
        user_id=user_id,
        test_id=test_id,
        ordinal=ordinal,
        type=question.type,
        text=question.text,
        options=options_of(question),
        answer=question.key.model_dump(mode="json"),
        points=taken.points or points_of(question),
        explanation=question.explanation,
        difficulty=question.difficulty,
        bloom_level=question.bloom,
        topic=question.topic,
        **evidence(taken, sources),
    )


def card_rows(
    taken: Taken, card: Card, sources: Sources, deck_id: UUID, ordinal: int, user_id: UUID, new_id: NewId
) -> list[Flashcard]:
    """One row, or one for each direction or gap, which share a group."""
    shown = faces(card)
    group_id = new_id() if card.type in ("reversed", "cloze") else None
    return [
        Flashcard(
            id=new_id(),
            user_id=user_id,
            deck_id=deck_id,
            ordinal=ordinal + nth,
            type=card.type,
            front=face.front,
            back=face.back,
            extra=card.extra,
            options=[choice.model_dump() for choice in card.options],
            group_id=group_id,
            gap=face.gap,
            tags=[card.topic[:LONGEST_TAG].strip()] if card.topic.strip() else [],
            **evidence(taken, sources),
        )
        for nth, face in enumerate(shown)
    ]


def options_of(question: Question) -> list[Any]:
    left = [choice.model_dump() for choice in question.options]
    return [left, [choice.model_dump() for choice in question.right]] if question.type == "matching" else left


def points_of(question: Question) -> float:
    key = question.key
    if isinstance(key, ShortKey) and key.rubric:
        return max(1.0, sum(point.points for point in key.rubric))
    return POINTS.get(question.type, 1.0)


# --- versions


COPIED = (
    "type", "text", "answer", "points", "explanation", "difficulty", "bloom_level", "concept_id", "topic", "fingerprint",
    "status", "model", "parameters", "quality_score", "source_chunk_ids", "material_id", "quote", "locator",
)  # fmt: skip


def shuffled_questions(
    rows: Sequence[TestQuestion], test_id: UUID, seed: int, new_id: NewId
) -> list[TestQuestion]:
    """The questions of another version: in another order, with their options in another order. The same for the same seed."""
    order = random.Random(seed)
    left = list(rows)
    order.shuffle(left)
    return [
        TestQuestion(
            id=new_id(),
            user_id=row.user_id,
            test_id=test_id,
            ordinal=ordinal,
            options=_shuffled(row.type, row.options, order),
            **{name: getattr(row, name) for name in COPIED},
        )
        for ordinal, row in enumerate(left)
    ]


def _shuffled(type: str, options: Sequence[Any], order: random.Random) -> list[Any]:
    columns = [list(column) for column in options] if type == "matching" else [list(options)]
    for column in columns:
        order.shuffle(column)
    return columns if type == "matching" else columns[0]


# --- what exists already


def answer_text(type: str, options: Sequence[Any], answer: Any) -> str | None:
    """The key of a stored question or card as a person would read it."""
    if isinstance(answer, str):
        return answer
    key = key_of(answer)
    listed = options[0] + options[1] if type == "matching" else options
    texts = {choice.id: choice.text for choice in map(Choice.model_validate, listed)}
    match key.type:
        case "multiple_choice":
            return texts.get(key.choice)
        case "multiple_answer":
            return "; ".join(texts.get(one, "") for one in key.choices)
        case "true_false":
            return None
        case "cloze":
            return "; ".join(gap.text for gap in key.gaps)
        case "short_answer":
            return key.expected.text
        case "matching":
            return "; ".join(f"{texts.get(a)}: {texts.get(b)}" for a, b in key.pairs.items())
        case "ordering":
            return "; ".join(texts.get(one, "") for one in key.order)
