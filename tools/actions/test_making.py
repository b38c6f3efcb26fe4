"""Making tests from material: starts the job that does it."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput
from storage.models import Material, Test
from tools.context import ToolContext
from tools.fields import MaterialRef, TestRef
from tools.spec import Effect, tool
from tools.study.keys import QuestionType
from tools.study.request import ItemsRequest, scope_of, start_job, weights_of, wrong_as_json, wrong_of
from tools.study.target import GENERATE_TEST

USUAL = {
    "multiple_choice": 35.0,
    "cloze": 20.0,
    "short_answer": 20.0,
    "true_false": 15.0,
    "multiple_answer": 5.0,
    "matching": 5.0,
}
"""Types of a test that names none, in per cent. Few texts tell of things in an order that is worth asking for."""

Share = Annotated[float, Field(gt=0, le=1000)]


class GenerateTest(ItemsRequest):
    types: list[QuestionType] | None = Field(
        default=None,
        min_length=1,
        max_length=7,
        description="Only these types of question. Left out: a mix of all but ordering.",
    )
    type_weights: dict[QuestionType, Share] | None = Field(
        default=None,
        min_length=1,
        description='Instead of `types`: how many of each in proportion, e.g. {"multiple_choice": 3, "short_answer": 1}.',
    )
    time_limit_minutes: float | None = Field(default=None, gt=0, le=10080, description="Time for an attempt.")
    versions: int = Field(
        default=1,
        ge=1,
        le=8,
        description="How many versions, with questions and options in other orders.",
    )
    like_test_id: TestRef | None = Field(
        default=None,
        description="A test to imitate: as many new questions of each type and topic.",
    )
    like_material_id: MaterialRef | None = Field(
        default=None,
        description="A past paper to imitate in the same way, with its points.",
    )


class TestStarted(BaseModel):
    __test__ = False  # Not a test case, whatever pytest thinks of the name.

    job_id: UUID
    test_id: UUID = Field(description="The test that fills up question by question; read it with get_test.")
    title: str
    class_id: UUID | None = Field(description="Its class; null when the material is of several.")
    count: int = Field(description="Questions that were asked for.")
    materials: list[str] = Field(description="Titles of the materials that the questions come from.")
    part: str | None = Field(description="What part of them, in words; null for all, or when not known yet.")
    message: str


@tool(effect=Effect.WRITE, toolset="tests")
async def generate_test(ctx: ToolContext, args: GenerateTest) -> TestStarted:
    """Make a test from the user's material; every question has its key, an explanation and the passage that supports it.

    "Quiz me on chapter 3" is topic="chapter 3"; "ten hard ones on what I got wrong" is count=10, difficulty="hard",
    from_wrong_answers=true. A job makes it question by question; start_test works while it does.
    """
    types = weights_of(args.types, args.type_weights, USUAL)
    wrong = await wrong_of(ctx, args) if args.from_wrong_answers else []
    like, paper = await imitated(ctx, args)
    asked = await ctx.db.making.questions_of(like.id) if like else []
    origins = {one.material_id for one in [*wrong, *asked] if one.material_id is not None}
    home = (like.class_id if like else None) or (paper.class_id if paper else None)
    scope = await scope_of(ctx, args, origins=list(origins), home=home, paper=paper)
    test_id, now = ctx.new_id(), ctx.now()
    started = await start_job(
        ctx,
        args,
        GENERATE_TEST,
        scope,
        target={"test_id": str(test_id)},
        types=types,
        ask={"like_test_id": str(like.id) if like else None, "wrong": wrong_as_json(wrong)},
        paper=paper,
        versions=args.versions,
    )
    title = args.title or started.title("Questions I got wrong" if wrong else "Test")
    row = Test(
        id=test_id,
        user_id=ctx.principal.user_id,
        class_id=started.class_id,
        title=title,
        difficulty=args.difficulty,
        time_limit_seconds=max(1, round(args.time_limit_minutes * 60)) if args.time_limit_minutes else None,
        question_count=0,
        total_points=0.0,
        blueprint=args.model_dump(mode="json", exclude_defaults=True),
        version=1,
        rejected={},
        parameters={
            "job_id": str(started.job.id),
            "total": started.count,
            "seed": started.job.arguments["seed"],
        },
        shared_with_class=args.shared_with_class,
        created_at=now,
        updated_at=now,
    )
    await ctx.db.making.add([row])
    return TestStarted(
        job_id=started.job.id,
        test_id=test_id,
        title=title,
        class_id=started.class_id,
        count=started.count,
        materials=[one.title for one in started.materials],
        part=started.part,
        message=started.message("question"),
    )


async def imitated(ctx: ToolContext, args: GenerateTest) -> tuple[Test | None, Material | None]:
    """The test or the past paper that is to be imitated. Raises InvalidInput when the request says two things."""
    said = [
        name
        for name in ("topic", "topic_weights", "from_wrong_answers", "like_test_id", "like_material_id")
        if getattr(args, name)
    ]
    clashing = [name for name in said if name not in ("topic", "from_wrong_answers")]
    if len(said) > 1 and clashing:
        raise InvalidInput(
            f"These do not go together: {', '.join(said)}. Give one of them.", code="invalid_request"
        )
    like = await ctx.db.making.test_named(args.like_test_id) if args.like_test_id else None
    if like is not None and not like.question_count:
        raise InvalidInput(f"{like.title!r} has no questions yet.", code="empty_test")
    paper = await ctx.db.materials.resolve(args.like_material_id) if args.like_material_id else None
    return like, paper
