"""What was deleted and can still be brought back, of every kind."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import Conflict
from storage.life.retention import RESTORABLE
from storage.repositories.life import Deleted
from tools.actions.materials import OneMaterial, restore_material
from tools.context import ToolContext
from tools.fields import Cursor, Limit
from tools.spec import Effect, Input, tool


class DeletedItem(BaseModel):
    id: UUID
    kind: str = Field(
        description="class, material, note, deck, flashcard, test, document, course, conversation, …"
    )
    title: str
    deleted_at: datetime
    restorable_until: datetime = Field(description="Afterwards it is purged, with its files and vectors.")

    @classmethod
    def of(cls, row: Deleted) -> "DeletedItem":
        return cls(
            id=row.id,
            kind=row.kind,
            title=row.title,
            deleted_at=row.deleted_at,
            restorable_until=row.deleted_at + RESTORABLE,
        )


class ListDeletedItems(Input):
    limit: Limit = 20
    cursor: Cursor = None


class DeletedItems(BaseModel):
    items: list[DeletedItem]
    next_cursor: str | None
    total: int


@tool(effect=Effect.READ, toolset="account")
async def list_deleted_items(ctx: ToolContext, args: ListDeletedItems) -> DeletedItems:
    """List what the user deleted in the last 30 days, newest first. restore_item brings a thing back."""
    page = await ctx.db.life.bin(ctx.now() - RESTORABLE, limit=args.limit, cursor=args.cursor)
    return DeletedItems(
        items=[DeletedItem.of(row) for row in page.items], next_cursor=page.next_cursor, total=page.total
    )


class RestoreItem(Input):
    item_id: str = Field(min_length=1, max_length=400, description="A deleted thing: its id or its title.")


class RestoredItem(BaseModel):
    id: UUID
    kind: str
    title: str


@tool(effect=Effect.WRITE, toolset="account")
async def restore_item(ctx: ToolContext, args: RestoreItem) -> RestoredItem:
    """Bring back something that was deleted less than 30 days ago, of any kind, with what was in it."""
    row = await ctx.db.life.in_bin(args.item_id, ctx.now() - RESTORABLE)
    if row.kind == "material":
        material = await ctx.db.materials.by_id(row.id)
        home = await ctx.db.classes.by_id(material.class_id) if material else None
        if home is None or home.deleted_at is not None:
            raise Conflict(
                "The class of this material was deleted too. Restore the class first.", code="class_deleted"
            )
        await restore_material.handler(ctx, OneMaterial(material_id=str(row.id)))
    elif row.kind == "document":
        await ctx.db.documents.restore(row.id)
    else:
        await ctx.db.life.restore(row)
    return RestoredItem(id=row.id, kind=row.kind, title=row.title)
