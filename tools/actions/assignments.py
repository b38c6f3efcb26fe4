"""Assignments: what is due, for oneself or set for a class, and how far one is with it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import Forbidden, InvalidInput
from storage.models import Assignment, Deck, Test
from storage.repositories.assignments import Due
from tools.context import ToolContext
from tools.dates import Period, read_period, zone
from tools.fields import AssignmentRef, ClassRef, Cursor, DeckRef, Limit, MaterialRef, TestRef
from tools.spec import Effect, Input, tool

Type = Literal["homework", "reading", "quiz", "test", "exam", "project", "other"]
Status = Literal["pending", "in_progress", "done"]
Title = Annotated[str, Field(min_length=1, max_length=300, description="What is to be done.")]
Moment = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        description="2026-03-20 (its end), 2026-03-20T17:00, Friday, tomorrow at 5 pm, in 3 days, 20 March; in the user's time zone.",
    ),
]


class AssignmentItem(BaseModel):
    id: UUID
    class_id: UUID
    class_name: str
    title: str
    type: Type
    description: str | None
    due_at: datetime = Field(description="In the user's time zone.")
    overdue: bool = Field(description="Past its time and not done.")
    status: Status = Field(description="How far the user is.")
    completed_at: datetime | None
    score: float | None = Field(description="The user's result in per cent, where there is one.")
    for_class: bool = Field(description="Set for everybody in the class.")
    own: bool = Field(description="Made by the user, who alone can change more than their own status.")
    material_id: UUID | None
    test_id: UUID | None
    deck_id: UUID | None

    @classmethod
    def of(cls, due: Due, now: datetime, user_id: UUID) -> "AssignmentItem":
        named = {"class_name", "due_at", "overdue", "status", "completed_at", "score", "own"}
        fields = {name: getattr(due.row, name) for name in cls.model_fields if name not in named}
        return cls(
            **fields,
            class_name=due.class_name,
            due_at=due.row.due_at.astimezone(now.tzinfo),
            overdue=due.row.due_at < now and due.status != "done",
            status=due.status,
            completed_at=due.completed_at,
            score=due.score,
            own=due.row.user_id == user_id,
        )


class AssignmentList(BaseModel):
    items: list[AssignmentItem]
    next_cursor: str | None
    total: int
    today: datetime = Field(description="The present moment in the user's time zone.")


async def local_now(ctx: ToolContext) -> datetime:
    """The present in the time zone of the user's profile."""
    user = await ctx.db.accounts.me()
    return ctx.now().astimezone(zone(user.timezone))


class ListAssignments(Input):
    class_id: ClassRef | None = None
    status: Status | Literal["open"] | None = Field(
        default=None, description="open: pending or in progress. Left out: all."
    )
    due_from: Moment | None = Field(default=None, description="Due then or later: a day or a time; today.")
    due_to: Moment | None = Field(
        default=None, description="Due then or earlier: a day, a time, this week, next week, 20 March."
    )
    overdue: bool | None = Field(default=None, description="Only those past their time and not done.")
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="assignments")
async def list_assignments(ctx: ToolContext, args: ListAssignments) -> AssignmentList:
    """List what is due, soonest first: the user's own assignments and those set in classes they joined, with their status.

    For what is still to be done, ask for status open.
    """
    now = await local_now(ctx)
    since = read_period(args.due_from, now).start if args.due_from else None
    until = read_period(args.due_to, now).end if args.due_to else None
    statuses = ["pending", "in_progress"] if args.status == "open" else [args.status] if args.status else []
    if args.overdue:
        until = min(until, now) if until else now
        statuses = [name for name in statuses or ["pending", "in_progress"] if name != "done"]
    elif args.overdue is False:
        since = max(since, now) if since else now
    target = await ctx.db.classes.reachable(args.class_id) if args.class_id else None
    page = await ctx.db.assignments.due(
        class_id=target.id if target else None,
        statuses=statuses,
        since=since,
        until=until,
        limit=args.limit,
        cursor=args.cursor,
    )
    items = [AssignmentItem.of(due, now, ctx.principal.user_id) for due in page.items]
    return AssignmentList(items=items, next_cursor=page.next_cursor, total=page.total, today=now)


class CreateAssignment(Input):
    title: Title
    class_id: ClassRef
    due_at: Moment
    type: Type = "homework"
    description: str | None = Field(default=None, max_length=5000)
    for_class: bool = Field(
        default=False, description="Set it for everybody in the class; only who teaches it can."
    )
    material_id: MaterialRef | None = Field(default=None, description="What to read: id or title.")
    test_id: TestRef | None = None
    deck_id: DeckRef | None = None


@tool(effect=Effect.WRITE, toolset="assignments")
async def create_assignment(ctx: ToolContext, args: CreateAssignment) -> AssignmentItem:
    """Note something that is due (homework, exam, project, …), with its date. A date alone means the end of that day."""
    target = await ctx.db.classes.reachable(args.class_id)
    if args.for_class:
        await only_who_teaches(ctx, target.id)
    now = await local_now(ctx)
    given = args.model_dump(include={"title", "type", "description", "for_class"})
    row = Assignment(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        class_id=target.id,
        due_at=moment(args.due_at, now).astimezone(UTC),
        **given,
        **await linked(
            ctx, args.model_dump(include={"material_id", "test_id", "deck_id"}, exclude_none=True)
        ),
    )
    return AssignmentItem.of(await ctx.db.assignments.add(row), now, ctx.principal.user_id)


def moment(text: str, now: datetime) -> datetime:
    """When something is due: the end of what was said."""
    period: Period = read_period(text, now)
    return period.end


async def only_who_teaches(ctx: ToolContext, class_id: UUID) -> None:
    if not await ctx.db.assignments.teaches(class_id):
        raise Forbidden(
            "Only those who teach a class can set an assignment for everybody in it. Leave out for_class to note it for yourself.",
            code="only_teachers",
        )


async def linked(ctx: ToolContext, wanted: dict[str, str | None]) -> dict[str, UUID | None]:
    """Ids of the material, test and deck that were named; null empties the link."""
    found: dict[str, UUID | None] = {name: None for name, ref in wanted.items() if ref is None}
    if material := wanted.get("material_id"):
        found["material_id"] = (await ctx.db.materials.resolve(material)).id
    if test := wanted.get("test_id"):
        found["test_id"] = await ctx.db.assignments.linked(Test, test)
    if deck := wanted.get("deck_id"):
        found["deck_id"] = await ctx.db.assignments.linked(Deck, deck)
    return found


class UpdateAssignment(Input):
    assignment_id: AssignmentRef
    status: Status | None = Field(default=None, description="How far the user is with it.")
    title: Title | None = None
    class_id: ClassRef | None = Field(default=None, description="Move it to this class: id or name.")
    due_at: Moment | None = None
    type: Type | None = None
    description: str | None = Field(default=None, max_length=5000)
    for_class: bool | None = None
    material_id: MaterialRef | None = None
    test_id: TestRef | None = None
    deck_id: DeckRef | None = None


NEEDED = ("status", "title", "class_id", "due_at", "type", "for_class")
LINKS = ("material_id", "test_id", "deck_id")


@tool(effect=Effect.WRITE, toolset="assignments")
async def update_assignment(ctx: ToolContext, args: UpdateAssignment) -> AssignmentItem:
    """Mark an assignment as done, in progress or pending, or change its date, title or details.

    Only the arguments that are given change. Of an assignment that a teacher set, the user changes their own status only.
    """
    changes = args.model_dump(exclude={"assignment_id"}, exclude_unset=True)
    if not changes:
        raise InvalidInput(
            "Nothing to change: give at least one of status, due_at, title, …", code="no_changes"
        )
    if missing := [name for name in NEEDED if changes.get(name, "") is None]:
        raise InvalidInput(f"An assignment needs a {missing[0]}.", code="invalid_arguments")
    now = await local_now(ctx)
    due = await ctx.db.assignments.resolve(args.assignment_id)
    status: Status | None = changes.pop("status", None)
    if changes:
        only_own(due, ctx.principal.user_id)
        await ctx.db.assignments.change(due.row, await as_columns(ctx, changes, due, now))
    if status is not None:
        again = due.status == "done" == status
        completed = due.completed_at if again else ctx.now() if status == "done" else None
        await ctx.db.assignments.set_progress(due, status, completed)
    return AssignmentItem.of(await ctx.db.assignments.resolve(str(due.row.id)), now, ctx.principal.user_id)


def only_own(due: Due, user_id: UUID) -> None:
    if due.row.user_id != user_id:
        raise Forbidden(
            "This assignment was set by somebody else: you can only change your own status.",
            code="not_your_assignment",
        )


async def as_columns(ctx: ToolContext, changes: dict[str, Any], due: Due, now: datetime) -> dict[str, Any]:
    """Arguments as values of the row's columns."""
    values = {name: value for name, value in changes.items() if name not in LINKS}
    if "class_id" in values:
        values["class_id"] = (await ctx.db.classes.reachable(values["class_id"])).id
    if values.get("for_class", due.row.for_class):
        await only_who_teaches(ctx, values.get("class_id", due.row.class_id))
    if "due_at" in values:
        values["due_at"] = moment(values["due_at"], now).astimezone(UTC)
    return values | await linked(ctx, {name: changes[name] for name in LINKS if name in changes})


class OneAssignment(Input):
    assignment_id: AssignmentRef


class DeletedAssignment(BaseModel):
    id: UUID
    title: str


@tool(effect=Effect.DESTROY, toolset="assignments")
async def delete_assignment(ctx: ToolContext, args: OneAssignment) -> DeletedAssignment:
    """Delete an assignment that the user made. restore_item brings it back within 30 days."""
    due = await ctx.db.assignments.resolve(args.assignment_id)
    only_own(due, ctx.principal.user_id)
    await ctx.db.assignments.change(due.row, {"deleted_at": ctx.now()})
    return DeletedAssignment(id=due.row.id, title=due.row.title)
