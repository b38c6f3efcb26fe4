"""Tests: list, read and delete. Making them is in `test_making`, taking them in `test_taking`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import Field

from storage.errors import Forbidden, NotFound
from storage.models import Test, TestAttempt, TestQuestion
from storage.repositories.attempts import OPEN, StoredKey
from storage.repositories.tests import OpenQuestion
from tools.actions.test_outputs import (
    AttemptItem,
    AttemptResult,
    DeletedTest,
    Making,
    MemberResult,
    TestDetails,
    TestItem,
    TestList,
    TestQuestionItem,
    Version,
)
from tools.attempts.beginning import asked_form
from tools.attempts.showing import (
    Places,
    attempt_fields,
    attempt_item,
    attempt_result,
    evidence_of,
    paged,
    places_of,
    question_fields,
)
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, Limit, TestRef
from tools.grading.asked import order_of, shown_key
from tools.grading.responses import in_words, right_response
from tools.spec import Effect, Input, tool
from tools.study.keys import key_of

MOST_RESULTS = 50


async def making_of(ctx: ToolContext, row: Test) -> Making | None:
    """The job behind an unfinished test of one's own, until it is forgotten."""
    job_id = row.parameters.get("job_id")
    if job_id is None or row.parameters.get("complete") or row.user_id != ctx.principal.user_id:
        return None
    try:
        job = await ctx.db.jobs.get(job_id)
    except NotFound:
        return None
    return Making(
        job_id=job.id,
        status=job.status,
        done=row.question_count,
        total=row.parameters.get("total") or job.progress_total,
        message=job.error or job.progress_message,
    )


async def test_fields(ctx: ToolContext, row: Test, attempts: Sequence[TestAttempt]) -> dict[str, Any]:
    """What lists and details of a test both show. `attempts` are one's own at it, newest first."""
    graded = [one for one in attempts if one.graded_at is not None]
    items = [attempt_item(one) for one in graded]
    same = ("id", "title", "description", "class_id", "shared_with_class", "difficulty", "time_limit_seconds",
            "question_count", "total_points", "model", "version", "version_of_id", "created_at")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in same},
        "own": row.user_id == ctx.principal.user_id,
        "making": await making_of(ctx, row),
        "notice": row.parameters.get("notice"),
        "attempts": len(graded),
        "open_attempt_id": next((one.id for one in attempts if one.status == OPEN), None),
        "best": max(items, key=lambda one: one.percent or 0.0, default=None),
        "last": items[0] if items else None,
    }


class ListTests(Input):
    class_id: ClassRef | None = None
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="tests")
async def list_tests(ctx: ToolContext, args: ListTests) -> TestList:
    """List tests, newest first: one's own, and those shared in the classes one is in; with the best and the last result."""
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    page = await ctx.db.tests.recent(
        class_id=target.id if target else None, limit=args.limit, cursor=args.cursor
    )
    attempts: dict[UUID | None, list[TestAttempt]] = {}
    for one in await ctx.db.attempts.of_tests([row.id for row in page.items]):
        attempts.setdefault(one.test_id, []).append(one)
    items = [TestItem(**await test_fields(ctx, row, attempts.get(row.id, []))) for row in page.items]
    return TestList(items=items, next_cursor=page.next_cursor, total=page.total)


class GetTest(Input):
    test_id: TestRef
    with_answers: bool = Field(
        default=False,
        description="Show keys and explanations: of one's own test, or of a shared one after having taken it.",
    )
    attempt_id: str | None = Field(
        default=None,
        max_length=36,
        description="Show the result of this attempt of one's own, question by question.",
    )
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="tests")
async def get_test(ctx: ToolContext, args: GetTest) -> TestDetails:
    """Read a test: its questions (without answers unless asked for), past results and versions. start_test takes it."""
    row = await ctx.db.tests.reachable(args.test_id)
    attempts = await ctx.db.attempts.of_tests([row.id])
    keys = await keys_of(ctx, row, attempts) if args.with_answers else {}
    page, next_cursor = paged(await ctx.db.tests.open_questions(row), args.limit, args.cursor)
    places = await places_of(ctx, [one.material_id for one in keys.values()])
    first = int(args.cursor or 0)
    versions = await ctx.db.tests.versions(row)
    return TestDetails(
        **await test_fields(ctx, row, attempts),
        blueprint=row.blueprint,
        rejected=row.rejected,
        versions=[Version(id=one.id, version=one.version, title=one.title) for one in versions],
        results=results(attempts),
        members=await members_of(ctx, row),
        with_answers=args.with_answers,
        questions=[
            question_item(row, one, first + n, keys.get(one.id), places) for n, one in enumerate(page, 1)
        ],
        next_cursor=next_cursor,
        result=await result_of(ctx, row, args),
    )


def results(attempts: Sequence[TestAttempt]) -> list[AttemptItem]:
    return [attempt_item(one) for one in attempts[:MOST_RESULTS]]


async def result_of(ctx: ToolContext, row: Test, args: GetTest) -> AttemptResult | None:
    """Raises NotFound for an attempt at another test, and for one that is not graded: its keys are not shown."""
    if args.attempt_id is None:
        return None
    attempt = await ctx.db.attempts.get(args.attempt_id)
    if attempt.test_id != row.id or attempt.graded_at is None:
        raise NotFound(
            "This test has no graded attempt of that id. submit_test grades one.", code="attempt_not_found"
        )
    return await attempt_result(ctx, attempt, args.limit, args.cursor)


async def keys_of(
    ctx: ToolContext, row: Test, attempts: Sequence[TestAttempt]
) -> Mapping[UUID, StoredKey | TestQuestion]:
    """Keys by question: all of one's own test, else those of the attempts that one has handed in. Raises Forbidden before."""
    if row.user_id == ctx.principal.user_id:
        return {one.id: one for one in await ctx.db.tests.questions(row.id)}
    graded = [one for one in attempts if one.graded_at is not None]
    if not graded:
        raise Forbidden(
            "The answers of a shared test are shown once you have taken it: start_test, then submit_test.",
            code="answers_hidden",
        )
    return await ctx.db.attempts.keys(graded[0].id)


def question_item(
    row: Test, one: OpenQuestion, number: int, key: StoredKey | TestQuestion | None, places: Places
) -> TestQuestionItem:
    """Options are shuffled, always the same way: the order in which they were made may tell the key."""
    order = order_of(one.type, one.options, f"{row.id} {one.id}")
    asked = asked_form(one, order, number)
    fields = question_fields(asked, one.id)
    if key is None:
        return TestQuestionItem(**fields)
    right = right_response(shown_key(key_of(key.answer), order))
    return TestQuestionItem(
        **fields,
        answer=right,
        answer_text=in_words(asked, right),
        explanation=key.explanation,
        evidence=evidence_of(key.quote, key.locator, key.material_id, places),
        quality_score=key.quality_score if isinstance(key, TestQuestion) else None,
    )


async def members_of(ctx: ToolContext, row: Test) -> list[MemberResult]:
    """How the members of a class did, for those who teach it."""
    if row.class_id is None or not await ctx.db.tests.teaches(row.class_id):
        return []
    found = await ctx.db.attempts.of_members(row.id)
    names = await ctx.db.attempts.names(list({one.user_id for one in found}))
    return [
        MemberResult(**attempt_fields(one), user_id=one.user_id, name=names.get(one.user_id)) for one in found
    ]


class OneTest(Input):
    test_id: TestRef


@tool(effect=Effect.DESTROY, toolset="tests")
async def delete_test(ctx: ToolContext, args: OneTest) -> DeletedTest:
    """Delete a test of one's own. Results of its attempts are kept. restore_item brings it back within 30 days."""
    row = await ctx.db.tests.resolve(args.test_id)
    await ctx.db.tests.remove(row)
    return DeletedTest(id=row.id, title=row.title)
