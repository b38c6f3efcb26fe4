"""Classes: what a student's material is sorted into."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import InvalidInput
from storage.models import Class
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, Limit
from tools.spec import Effect, Input, tool

Name = Annotated[
    str, Field(min_length=1, max_length=100, description="What the class is called, e.g. Physics 101.")
]
Words = Annotated[str | None, Field(max_length=200)]


class ClassItem(BaseModel):
    id: UUID
    name: str
    description: str | None
    subject: str | None
    teacher_name: str | None
    period: str | None
    color: str | None
    icon: str | None
    material_count: int
    created_at: datetime

    @classmethod
    def of(cls, row: Class, material_count: int) -> "ClassItem":
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "material_count"}
        return cls(**fields, material_count=material_count)


class ClassList(BaseModel):
    items: list[ClassItem]
    next_cursor: str | None
    total: int


class ListClasses(Input):
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="classes")
async def list_classes(ctx: ToolContext, args: ListClasses) -> ClassList:
    """List the user's classes with the number of materials in each, newest first."""
    page = await ctx.db.classes.recent(limit=args.limit, cursor=args.cursor)
    counts = await ctx.db.classes.material_counts(page.items)
    items = [ClassItem.of(row, counts.get(row.id, 0)) for row in page.items]
    return ClassList(items=items, next_cursor=page.next_cursor, total=page.total)


class CreateClass(Input):
    name: Name
    description: str | None = Field(default=None, max_length=2000)
    subject: Words = None
    teacher_name: Words = None
    period: Words = None
    color: str | None = Field(
        default=None, pattern=r"^#[0-9a-fA-F]{6}$", description="A colour such as #3366cc."
    )
    icon: str | None = Field(default=None, max_length=50)


@tool(effect=Effect.WRITE, toolset="classes")
async def create_class(ctx: ToolContext, args: CreateClass) -> ClassItem:
    """Create a class to put material into."""
    now = ctx.now()
    row = Class(
        id=ctx.new_id(), user_id=ctx.principal.user_id, created_at=now, updated_at=now, **args.model_dump()
    )
    return ClassItem.of(await ctx.db.classes.add(row), 0)


class UpdateClass(Input):
    class_id: ClassRef
    name: Name | None = None
    description: str | None = Field(default=None, max_length=2000)
    subject: Words = None
    teacher_name: Words = None
    period: Words = None
    color: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    icon: str | None = Field(default=None, max_length=50)


@tool(effect=Effect.WRITE, toolset="classes")
async def update_class(ctx: ToolContext, args: UpdateClass) -> ClassItem:
    """Change a class's name, description or other details. Only the arguments that are given change."""
    changes = args.model_dump(exclude={"class_id"}, exclude_unset=True)
    if not changes:
        raise InvalidInput(
            "Nothing to change: give at least one of name, description, subject, …", code="no_changes"
        )
    if changes.get("name", "") is None:
        raise InvalidInput("A class needs a name.", code="invalid_arguments")
    row = await ctx.db.classes.resolve(args.class_id)
    await ctx.db.classes.change(row, changes)
    counts = await ctx.db.classes.material_counts([row])
    return ClassItem.of(row, counts.get(row.id, 0))


class DeleteClass(Input):
    class_id: ClassRef


class DeletedClass(BaseModel):
    id: UUID
    name: str
    material_count: int = Field(description="Materials that went with it.")


@tool(effect=Effect.DESTROY, toolset="classes")
async def delete_class(ctx: ToolContext, args: DeleteClass) -> DeletedClass:
    """Delete a class with everything in it. Use delete_material to remove a single material."""
    row = await ctx.db.classes.resolve(args.class_id)
    counts = await ctx.db.classes.material_counts([row])
    await ctx.db.classes.change(row, {"deleted_at": ctx.now()})
    return DeletedClass(id=row.id, name=row.name, material_count=counts.get(row.id, 0))
