"""Begins an attempt: fixes its questions, their order and that of their options, and its end."""

from datetime import timedelta
from uuid import UUID

from storage.errors import Conflict
from storage.models import AttemptAnswer, Test, TestAttempt
from storage.repositories.tests import OpenQuestion
from tools.actions.test_outputs import Feedback
from tools.context import ToolContext
from tools.grading.asked import Asked, Order, order_of, shown_columns, shuffled


async def begin(ctx: ToolContext, test: Test, feedback: Feedback) -> TestAttempt | None:
    """A new attempt with what the test has now. None when another one was opened meanwhile. Raises Conflict for an empty test."""
    questions = await ctx.db.tests.open_questions(test)
    if not questions:
        unfinished = test.parameters.get("job_id") and not test.parameters.get("complete")
        raise Conflict(
            "This test is still being made and has no question yet. Try again in a moment."
            if unfinished
            else "This test has no questions.",
            code="no_questions",
        )
    attempt_id, now = ctx.new_id(), ctx.now()
    order = ordered(questions, str(attempt_id))
    limit = test.time_limit_seconds
    row = TestAttempt(
        id=attempt_id,
        user_id=ctx.principal.user_id,
        test_id=test.id,
        test_title=test.title,
        class_id=test.class_id,
        status="in_progress",
        feedback=feedback,
        presentation=[{"question_id": str(one.id), **places.model_dump()} for one, places in order],
        started_at=now,
        expires_at=now + timedelta(seconds=limit) if limit else None,
        max_score=round(sum(one.points for one in questions), 2),
        results={},
    )
    answers = [
        AttemptAnswer(
            id=ctx.new_id(),
            user_id=row.user_id,
            attempt_id=attempt_id,
            question_id=one.id,
            question=asked_form(one, places, number).model_dump(mode="json"),
            concept_id=one.concept_id,
            max_points=one.points,
        )
        for number, (one, places) in enumerate(order, 1)
    ]
    return row if await ctx.db.attempts.add(row, answers) else None


def ordered(questions: list[OpenQuestion], seed: str) -> list[tuple[OpenQuestion, Order]]:
    """Questions with the order of their options, the same for the same seed."""
    by_id = {str(one.id): one for one in questions}
    return [
        (by_id[key], order_of(by_id[key].type, by_id[key].options, f"{seed} {key}"))
        for key in shuffled(list(by_id), seed)
    ]


def asked_form(one: OpenQuestion, places: Order, number: int) -> Asked:
    """The question as it is shown, without its key."""
    options, right = shown_columns(one.type, one.options, places)
    return Asked.model_validate(
        {
            "number": number,
            "type": one.type,
            "text": one.text,
            "options": options,
            "right": right,
            "points": one.points,
            "topic": one.topic,
            "concept_id": one.concept_id,
            "difficulty": one.difficulty,
            "bloom_level": one.bloom_level,
            "material_id": one.material_id,
            "gaps": one.gaps,
        }
    )


def order_in(row: TestAttempt, question_id: UUID) -> Order:
    """How the attempt shows the options of a question."""
    found = next(one for one in row.presentation if one["question_id"] == str(question_id))
    return Order.model_validate(found)
