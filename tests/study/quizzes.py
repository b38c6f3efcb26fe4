"""A test with a question of each type, and right answers to them."""

from typing import Any

from storage.models import Test, TestQuestion
from storage.resources import Storage
from tools.context import Principal

QUESTIONS: list[dict[str, Any]] = [
    {
        "type": "multiple_choice", "text": "Where is ATP made?", "topic": "Cells",
        "options": [{"id": "c1", "text": "Ribosome"}, {"id": "c2", "text": "Mitochondrion"}, {"id": "c3", "text": "Nucleus"}],
        "answer": {"type": "multiple_choice", "choice": "c2"},
        "explanation": "Mitochondria make ATP.", "quote": "ATP is made in mitochondria.",
    },
    {
        "type": "multiple_answer", "text": "Which are planets?", "topic": "Sky", "points": 2.0,
        "options": [{"id": i, "text": t} for i, t in zip("wxyz", ["Mars", "Moon", "Venus", "Sirius"], strict=True)],
        "answer": {"type": "multiple_answer", "choices": ["w", "y"]},
    },
    {"type": "true_false", "text": "The sun is a star.", "topic": "Sky", "answer": {"type": "true_false", "value": True}},
    {
        "type": "cloze", "text": "{{1}} are {{2}}.", "topic": "Cells",
        "answer": {"type": "cloze", "gaps": [{"text": "Enzymes"}, {"text": "proteins"}]},
    },
    {
        "type": "short_answer", "text": "Energy carrier of the cell?", "topic": "Cells",
        "answer": {"type": "short_answer", "expected": {"text": "ATP"}},
        "quote": "The carrier is ATP, also known as adenosine triphosphate.",
    },
    {
        "type": "matching", "text": "Match.", "topic": "Cells",
        "options": [[{"id": "l1", "text": "DNA"}, {"id": "l2", "text": "Ribosome"}], [{"id": "r1", "text": "genes"}, {"id": "r2", "text": "protein"}]],
        "answer": {"type": "matching", "pairs": {"l1": "r1", "l2": "r2"}},
    },
    {
        "type": "ordering", "text": "Order.", "topic": "Cells",
        "options": [{"id": i, "text": t} for i, t in zip("pqr", ["prophase", "metaphase", "anaphase"], strict=True)],
        "answer": {"type": "ordering", "order": ["p", "q", "r"]},
    },
]  # fmt: skip
RIGHT: dict[str, Any] = {
    "multiple_choice": "mitochondrion", "multiple_answer": ["Venus", "Mars"], "true_false": "wahr",
    "cloze": ["enzyme", "Proteins"], "short_answer": "atp", "matching": {"DNA": "genes", "Ribosome": "protein"},
    "ordering": ["prophase", "metaphase", "anaphase"],
}  # fmt: skip


async def make_test(storage: Storage, who: Principal, title: str = "Cells", **fields: Any) -> str:
    """A test with a question of each type. Gives its id."""
    new_id, questions = storage.clock.new_id, fields.pop("questions", QUESTIONS)
    row = Test(
        id=new_id(), user_id=who.user_id, title=title, difficulty="mixed", version=1, rejected={"trivial": 2}, blueprint={},
        question_count=len(questions), total_points=sum(one.get("points", 1.0) for one in questions), parameters={},
        created_at=storage.clock.now(), shared_with_class=fields.pop("shared_with_class", False), **fields,
    )  # fmt: skip
    rows = [
        TestQuestion(
            id=new_id(), user_id=who.user_id, test_id=row.id, ordinal=n, source_chunk_ids=[],
            **{"options": [], "points": 1.0, "status": "active", **one},
        )
        for n, one in enumerate(questions)
    ]  # fmt: skip
    async with storage.as_user(who.user_id) as db:
        await db.tests.add(row, rows)
    return str(row.id)
