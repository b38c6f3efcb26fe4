"""Ends attempts and grades them. The grading itself holds no transaction, since a language model may take its time."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray

from storage.errors import Conflict, LyceumError
from storage.models import AttemptAnswer, TestAttempt
from storage.repositories.attempts import ABANDONED, StoredKey, ungraded_attempts
from storage.resources import Storage
from tools.attempts.beginning import order_in
from tools.attempts.showing import asked_of, given_of, results_of
from tools.context import Principal, ToolContext
from tools.grading.asked import Asked, shown_key
from tools.grading.grades import Grade
from tools.grading.grading import Judge, grade
from tools.progress.recording import amend
from tools.study.keys import key_of

log = structlog.get_logger()

GRACE = timedelta(seconds=5)
"""An answer that was on its way when the time was up still counts."""
SWEEP_AT_ONCE = 50
RUBRIC_SECONDS = 90.0
"""How long a language model is asked while somebody waits for a result; the rest is graded without it, and may be appealed."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A question with its key and the grade of what was answered."""

    answer_id: UUID
    asked: Asked
    grade: Grade


def judge_of(ctx: ToolContext) -> Judge:
    embedder = ctx.storage.embedder

    async def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return await asyncio.to_thread(embedder.embed_documents, texts)

    return Judge(embed, ctx.model)


def is_over(row: TestAttempt, ctx: ToolContext) -> bool:
    """Whether its time is up, the grace included."""
    return row.expires_at is not None and ctx.now() > row.expires_at + GRACE


async def finish(ctx: ToolContext, attempt_id: UUID) -> None:
    """Hand in and grade an attempt; nothing happens when that was done. May be called again after a crash.

    Raises NotFound, and Conflict when the owner of a shared test has taken it back: then the answers stay as they are.
    """
    user_id = ctx.principal.user_id
    async with ctx.storage.as_user(user_id) as db:
        row = await db.attempts.for_writing(attempt_id)
        if row.graded_at is not None or row.status == ABANDONED:
            return
        _close(ctx, row)
        answers = await db.attempts.answers(row.id)
        keys = await db.attempts.keys(row.id)
        if not keys and any(one.question_id for one in answers):
            raise Conflict(
                "Whoever shared this test has taken it back, so it cannot be graded. Your answers are kept.",
                code="test_taken_back",
            )
    marked = await mark(ctx, row, [one for one in answers if one.points is None], keys)
    async with ctx.storage.as_user(user_id) as db:
        row = await db.attempts.for_writing(attempt_id)
        if row.graded_at is None:
            await _store(replace(ctx, repositories=db), row, marked)


def _close(ctx: ToolContext, row: TestAttempt) -> None:
    if row.submitted_at is None:
        over = is_over(row, ctx)
        row.status = "expired" if over else "submitted"
        row.submitted_at = row.expires_at if over else ctx.now()


async def mark(
    ctx: ToolContext, row: TestAttempt, answers: Sequence[AttemptAnswer], keys: Mapping[UUID, StoredKey]
) -> list[Marked]:
    """Grades of answers whose keys may be known. No transaction is needed."""
    judge, marked, began = judge_of(ctx), [], time.monotonic()
    for n, one in enumerate(answers):
        if judge.model is not None and time.monotonic() - began > RUBRIC_SECONDS:
            judge = replace(judge, model=None)
        await ctx.progress(n, len(answers), "Grading")
        key = keys.get(one.question_id) if one.question_id else None
        if key is not None:
            asked = with_key(asked_of(one), key, row)
            found = await grade(asked, key_of(asked.answer or {}), given_of(one), judge)
            marked.append(Marked(one.id, asked, found))
    return marked


def with_key(asked: Asked, key: StoredKey, row: TestAttempt) -> Asked:
    """The question with its key by the ids shown, and what supports it."""
    shown = shown_key(key_of(key.answer), order_in(row, key.question_id))
    return asked.model_copy(
        update={
            "answer": shown.model_dump(mode="json"),
            "explanation": key.explanation,
            "quote": key.quote,
            "locator": key.locator,
            "source_chunk_ids": key.source_chunk_ids,
            "material_id": key.material_id,
        }
    )


def put(answer: AttemptAnswer, marked: Marked) -> None:
    """Store a grade."""
    found = marked.grade
    answer.question = marked.asked.model_dump(mode="json")
    answer.points = found.points(answer.max_points)
    answer.is_correct = found.is_correct
    answer.graded_by = found.by
    answer.grading = found.detail
    answer.grading_explanation = found.why


async def _store(ctx: ToolContext, row: TestAttempt, marked: Sequence[Marked]) -> None:
    grades = {one.answer_id: one for one in marked}
    answers = await ctx.db.attempts.answers(row.id)
    for answer in answers:
        if answer.points is not None:
            continue
        if answer.id in grades:
            put(answer, grades[answer.id])
        else:
            _leave_out(answer)
        if answer.response is not None and answer.question_id is not None:
            await amend(
                ctx, asked_of(answer).session_id, answer.question_id, is_correct=bool(answer.is_correct)
            )
    total(row, answers)
    row.graded_at = ctx.now()
    if row.status == "submitted":
        row.status = "graded"


def _leave_out(answer: AttemptAnswer) -> None:
    """Its question was taken out of the test meanwhile."""
    answer.points = answer.max_points = 0.0
    answer.grading_explanation = "The question was taken out of the test, so it does not count."


def total(row: TestAttempt, answers: Sequence[AttemptAnswer]) -> None:
    row.score = round(sum(answer.points or 0.0 for answer in answers), 2)
    row.max_score = round(sum(answer.max_points for answer in answers), 2)
    row.results = results_of(answers)


async def grade_overdue(storage: Storage) -> int:
    """Grade attempts whose time is up, of all users, with what was answered. Gives how many. For the worker."""
    async with storage.database.transaction(None, read_only=True) as session:
        waiting = await ungraded_attempts(session, int(GRACE.total_seconds()), SWEEP_AT_ONCE)
    done = 0
    for attempt_id, user_id in waiting:
        ctx = ToolContext(Principal(user_id, surface="worker"), storage, None)
        try:
            await finish(ctx, attempt_id)
            done += 1
        except LyceumError as error:
            log.info("attempt_not_graded", attempt_id=str(attempt_id), reason=str(error))
            await _set_aside(ctx, attempt_id)
        except Exception:
            # One that cannot be graded must not keep the worker from all others.
            log.exception("attempt_not_graded", attempt_id=str(attempt_id))
            await _set_aside(ctx, attempt_id)
    return done


async def _set_aside(ctx: ToolContext, attempt_id: UUID) -> None:
    """It cannot be graded now, and need not be looked at for ever; submit_test grades it once that is possible again."""
    with suppress(LyceumError):
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            _close(ctx, await db.attempts.for_writing(attempt_id))
