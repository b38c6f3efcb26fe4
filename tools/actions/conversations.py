"""Conversations with the assistant: list them, read one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from storage.models import Conversation, Message
from tools.context import ToolContext
from tools.fields import ClassRef, ConversationRef, Cursor, Limit
from tools.spec import Effect, Input, tool


class ConversationItem(BaseModel):
    id: UUID
    thread_id: str = Field(description="The name that the chat client uses for it.")
    title: str
    class_id: UUID | None
    message_count: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Conversation) -> "ConversationItem":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class ConversationList(BaseModel):
    items: list[ConversationItem]
    next_cursor: str | None
    total: int


class ListConversations(Input):
    class_id: ClassRef | None = None
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="conversations")
async def list_conversations(ctx: ToolContext, args: ListConversations) -> ConversationList:
    """List earlier conversations, the most recent first."""
    target = await ctx.db.classes.resolve(args.class_id) if args.class_id else None
    page = await ctx.db.conversations.recent(
        class_id=target.id if target else None, limit=args.limit, cursor=args.cursor
    )
    items = [ConversationItem.of(row) for row in page.items]
    return ConversationList(items=items, next_cursor=page.next_cursor, total=page.total)


class MessageItem(BaseModel):
    id: UUID
    role: str
    text: str
    status: str = Field(description="complete, interrupted, cancelled or failed.")
    citations: list[dict[str, Any]] = Field(description="Number, quote and locator of each [n] in the text.")
    parts: list[dict[str, Any]] = Field(description="Tool calls of this answer, in order.")
    run_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Message, run_id: str | None) -> "MessageItem":
        return cls(**{n: getattr(row, n) for n in cls.model_fields if n != "run_id"}, run_id=run_id)


class ConversationDetail(ConversationItem):
    messages: list[MessageItem] = Field(
        description="In reading order; the newest ones unless a cursor is given."
    )
    active_run_id: str | None = Field(description="The run that is answering right now.")
    next_cursor: str | None = Field(description="Leads to older messages.")


class GetConversation(Input):
    conversation_id: ConversationRef
    limit: Limit = 50
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="conversations")
async def get_conversation(ctx: ToolContext, args: GetConversation) -> ConversationDetail:
    """Read a conversation: its messages with their citations, and whether an answer is being made right now."""
    db = ctx.db.conversations
    row = await db.resolve(args.conversation_id)
    page = await db.messages(row.id, limit=args.limit, cursor=args.cursor)
    active = await db.active_run(row.id)
    runs = await db.runs([message.run_id for message in page.items if message.run_id])
    names = {run_id: run.client_run_id for run_id, run in runs.items()}
    return ConversationDetail(
        **ConversationItem.of(row).model_dump(),
        messages=[MessageItem.of(m, names.get(m.run_id) if m.run_id else None) for m in page.items],
        active_run_id=active.client_run_id if active else None,
        next_cursor=page.next_cursor,
    )
