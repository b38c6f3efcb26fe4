"""Taking a test: begin or go on, answer, hand in, and have a grade looked at again."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated, NoReturn

from pydantic import Field

from storage.errors import Conflict, InvalidInput, NotFound
from storage.models import AttemptAnswer, TestAttempt
from storage.repositories.attempts import ABANDONED, OPEN
from storage.repositories.base import as_uuid
from tools.actions.test_outputs import Answered, Appealed, Attempt, AttemptResult, Feedback
from tools.attempts.appealing import decide, opened, settle
from tools.attempts.beginning import begin
from tools.attempts.finishing import finish, is_over, mark, put
from tools.attempts.showing import (
    asked_of,
    asked_question,
    attempt_result,
    given_of,
    paged,
    percent,
    places_of,
    question_result,
    seconds_left,
)
from tools.context import ToolContext
from tools.fields import Cursor, Limit, TestRef
from tools.grading.asked import Response
from tools.grading.responses import in_words, read_response
from tools.progress.recording import Studied, amend, record
from tools.spec import Effect, Input, tool

AttemptId = Annotated[
    str, Field(min_length=32, max_length=36, description="An attempt's id, from start_test.")
]
QuestionNumber = Annotated[int, Field(ge=1, le=10_000, description="Its number in the attempt, from 1.")]
QuestionId = Annotated[str, Field(min_length=32, max_length=36, description="A question's id.")]


class StartTest(Input):
    test_id: TestRef
    feedback: Feedback = Field(
        default="at_end",
        description="at_once: practice, each answer is graded and explained when it is given.",
    )
    fresh: bool = Field(default=False, description="Give up an attempt that is open, and begin anew.")
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.WRITE, toolset="tests", own_transaction=True)
async def start_test(ctx: ToolContext, args: StartTest) -> Attempt:
    """Begin a test, or go on with the attempt that is open: its questions in their order, what was answered, the time left."""
    async with transaction(ctx) as inner:
        test = await inner.db.tests.reachable(args.test_id)
        found = await inner.db.attempts.open_of(test.id)
    if found is not None and is_over(found, ctx):
        await time_is_up(ctx, found)
    async with transaction(ctx) as inner:
        row = await inner.db.attempts.open_of(test.id)
        resumed = row is not None and not args.fresh
        if row is not None and args.fresh:
            row.status = ABANDONED
            await inner.db.tests.session.flush()
        if not resumed:
            # Another call may have begun one in the meantime; then that one goes on.
            row = await begin(inner, test, args.feedback) or await inner.db.attempts.open_of(test.id)
            if row is not None:
                seen = Studied("quiz", "view", class_id=row.class_id, test_id=row.test_id)
                row.session_id = await record(inner, seen)
        if row is None:
            raise Conflict("This attempt was just handed in. Call start_test again.", code="try_again")
        return await shown(inner, row, args, resumed=resumed)


async def shown(ctx: ToolContext, row: TestAttempt, args: StartTest, *, resumed: bool) -> Attempt:
    answers = await ctx.db.attempts.answers(row.id)
    page, next_cursor = paged(answers, args.limit, args.cursor)
    places = await places_of(ctx, [asked_of(one).material_id for one in page if one.points is not None])
    return Attempt.model_validate(
        {
            "attempt_id": row.id,
            "test_id": row.test_id,
            "title": row.test_title,
            "status": row.status,
            "feedback": row.feedback,
            "resumed": resumed,
            "started_at": row.started_at,
            "expires_at": row.expires_at,
            "seconds_left": seconds_left(row, ctx.now()),
            "question_count": len(answers),
            "answered_count": sum(one.response is not None for one in answers),
            "max_score": row.max_score or 0.0,
            "questions": [asked_question(one, places) for one in page],
            "next_cursor": next_cursor,
        }
    )


@asynccontextmanager
async def transaction(ctx: ToolContext) -> AsyncGenerator[ToolContext]:
    """The context of one of the transactions that these tools open."""
    async with ctx.storage.as_user(ctx.principal.user_id) as db:
        yield replace(ctx, repositories=db)


async def time_is_up(ctx: ToolContext, row: TestAttempt) -> NoReturn:
    """Grade what was answered in time, and say so."""
    await finish(ctx, row.id)
    async with transaction(ctx) as inner:
        row = await inner.db.attempts.get(row.id)
    raise Conflict(
        f"The time of this attempt is up. What was answered is graded: {row.score or 0:g} of {row.max_score or 0:g} points."
        " submit_test shows the result, start_test begins anew.",
        code="time_is_up",
        details={"attempt_id": str(row.id)},
    )


class OneAttempt(Input):
    attempt_id: AttemptId | None = None
    test_id: TestRef | None = Field(
        default=None,
        description="In place of attempt_id: the attempt of this test. Without either the one that is open.",
    )


class OneQuestion(OneAttempt):
    question_id: QuestionId | None = None
    number: QuestionNumber | None = None


async def attempt_of(ctx: ToolContext, args: OneAttempt) -> TestAttempt:
    """The attempt that is named, or the one of a test: the open one, else the latest. When nothing is named, the only open one.
    Raises NotFound, and Conflict when several are open."""
    if args.attempt_id is not None:
        return await ctx.db.attempts.get(args.attempt_id)
    if args.test_id is None:
        return await only_open(ctx)
    test = await ctx.db.tests.reachable(args.test_id)
    row = await ctx.db.attempts.latest_of(test.id)
    if row is None:
        raise NotFound(f"{test.title!r} has not been begun. start_test begins it.", code="attempt_not_found")
    return row


async def only_open(ctx: ToolContext) -> TestAttempt:
    rows = await ctx.db.attempts.opened()
    if not rows:
        raise NotFound("No test is open. start_test begins one.", code="attempt_not_found")
    if len(rows) > 1:
        titles = ", ".join(repr(row.test_title) for row in rows)
        raise Conflict(f"Several tests are open: {titles}. Say which, by test_id.", code="ambiguous_attempt")
    return rows[0]


async def graded_attempt_of(ctx: ToolContext, args: OneAttempt) -> TestAttempt:
    """The same; when nothing is named, the one that was graded last."""
    last = await ctx.db.attempts.last_graded() if args.attempt_id is None and args.test_id is None else None
    return last or await attempt_of(ctx, args)


async def answer_of(ctx: ToolContext, row: TestAttempt, args: OneQuestion) -> AttemptAnswer:
    """The row of the question that is named, locked. Raises InvalidInput and NotFound."""
    question_id = as_uuid(args.question_id) if args.question_id is not None else None
    if args.question_id is None and args.number is None:
        raise InvalidInput("Name the question by question_id or by number.", code="question_missing")
    found = None
    if question_id is not None or args.question_id is None:
        found = await ctx.db.attempts.answer(row.id, question_id=question_id, number=args.number)
    if found is None:
        named = args.question_id or f"number {args.number}"
        raise NotFound(f"This attempt has no question {named}.", code="question_not_found")
    return found


class AnswerQuestion(OneQuestion):
    response: Response = Field(
        description="A choice's id, letter or text; a list of them (several right, or an order); true or false; a text, or a"
        ' list of texts for gaps; {"1": "b"} for pairs.'
    )
    confidence: float | None = Field(default=None, ge=0, le=1, description="How sure the student is, 0 to 1.")
    response_time_ms: int | None = Field(default=None, ge=0, le=86_400_000)


@tool(effect=Effect.WRITE, toolset="tests", own_transaction=True)
async def answer_question(ctx: ToolContext, args: AnswerQuestion) -> Answered:
    """Answer a question of an open attempt, or change the answer. Name the question by id or number; without
    attempt or test it is the one that is open. Questions of the user's own are for search_materials."""
    async with transaction(ctx) as inner:
        row = await inner.db.attempts.for_writing((await attempt_of(inner, args)).id)
        over = row.status == OPEN and is_over(row, ctx)
        if not over:
            answer = await answer_of(inner, row, args)
            await take_down(inner, row, answer, args)
            if row.feedback == "at_end" or answer.response is None:
                await inner.db.attempts.session.flush()
                return await answered(inner, row, answer)
            keys = await inner.db.attempts.keys(row.id)
    if over:
        await time_is_up(ctx, row)
    marked = await mark(ctx, row, [answer], keys)
    async with transaction(ctx) as inner:
        row = await inner.db.attempts.for_writing(row.id)
        answer = await answer_of(inner, row, args)
        if marked and answer.points is None and answer.question_id is not None:
            put(answer, marked[0])
            session_id = asked_of(answer).session_id
            await amend(inner, session_id, answer.question_id, is_correct=bool(answer.is_correct))
        return await answered(inner, row, answer)


async def take_down(ctx: ToolContext, row: TestAttempt, answer: AttemptAnswer, args: AnswerQuestion) -> None:
    """Store what was answered. Raises Conflict when the attempt or the answer stands already, InvalidInput for a response of the
    wrong form."""
    if row.status != OPEN:
        raise Conflict(
            "This attempt was handed in, so its answers stand. start_test begins a new one.",
            code="attempt_over",
        )
    if answer.points is not None:
        raise Conflict("This answer was graded when it was given, so it stands.", code="already_graded")
    asked = asked_of(answer)
    response = read_response(asked, args.response)
    is_first = answer.response is None
    answer.response = {"value": response} if response is not None else None
    answer.answered_at = ctx.now() if response is not None else None
    answer.confidence = args.confidence
    answer.response_time_ms = args.response_time_ms
    if is_first and response is not None:
        row.session_id = await record(ctx, studied(row, answer))
        answer.question = {**answer.question, "session_id": str(row.session_id)}


def studied(row: TestAttempt, answer: AttemptAnswer) -> Studied:
    asked = asked_of(answer)
    return Studied(
        "quiz",
        "answer",
        class_id=row.class_id,
        test_id=row.test_id,
        question_id=answer.question_id,
        material_id=asked.material_id,
        concept_id=answer.concept_id,
        response_time_ms=answer.response_time_ms,
        confidence=answer.confidence,
        data={"topic": asked.topic, "type": asked.type, "attempt_id": str(row.id)},
    )


async def answered(ctx: ToolContext, row: TestAttempt, answer: AttemptAnswer) -> Answered:
    asked, given = asked_of(answer), given_of(answer)
    done, count = await ctx.db.attempts.counts(row.id)
    places = await places_of(ctx, [asked.material_id] if answer.points is not None else [])
    return Answered.model_validate(
        {
            "attempt_id": row.id,
            "question_id": answer.question_id,
            "number": asked.number,
            "response": given,
            "understood": in_words(asked, given) if given is not None else "No answer.",
            "answered_count": done,
            "question_count": count,
            "seconds_left": seconds_left(row, ctx.now()),
            "result": question_result(answer, places) if answer.points is not None else None,
        }
    )


class SubmitTest(OneAttempt):
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.WRITE, toolset="tests", own_transaction=True)
async def submit_test(ctx: ToolContext, args: SubmitTest) -> AttemptResult:
    """Hand an attempt in and grade it: score, results by topic and type, and for each question the key, why, and where it stands."""
    async with transaction(ctx) as inner:
        row = await attempt_of(inner, args)
    if row.status == ABANDONED:
        raise Conflict("This attempt was given up for a new one.", code="attempt_over")
    await finish(ctx, row.id)
    async with transaction(ctx) as inner:
        return await attempt_result(inner, await inner.db.attempts.get(row.id), args.limit, args.cursor)


class AppealGrade(OneQuestion):
    text: str = Field(min_length=1, max_length=2000, description="Why the grade is wrong.")


@tool(effect=Effect.WRITE, toolset="tests", own_transaction=True)
async def appeal_grade(ctx: ToolContext, args: AppealGrade) -> Appealed:
    """Have the grade of one answer looked at again, once. A right answer that the key did not foresee then earns its points."""
    async with transaction(ctx) as inner:
        row = await inner.db.attempts.for_writing((await graded_attempt_of(inner, args)).id)
        case = await opened(inner, await answer_of(inner, row, args), args.text)
    look = await decide(ctx, case, args.text)
    async with transaction(ctx) as inner:
        row = await inner.db.attempts.for_writing(row.id)
        answer = await answer_of(inner, row, args)
        upheld = await settle(inner, row, answer, look)
        result = question_result(answer, await places_of(inner, [asked_of(answer).material_id]))
        score, most = row.score or 0.0, row.max_score or 0.0
        return Appealed(
            attempt_id=row.id,
            upheld=upheld,
            message=("The points were raised. " if upheld else "The grade stands. ")
            + (answer.appeal_outcome or ""),
            question=result,
            score=score,
            max_score=most,
            percent=percent(score, most),
        )
