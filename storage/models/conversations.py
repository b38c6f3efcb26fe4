"""Conversations, their messages, and the runs that answer them."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from storage.models.base import Base, Identified, SoftDeleted, Timestamp, Timestamped
from storage.models.materials import one_of

MESSAGE_ROLES = ("user", "assistant", "tool")
MESSAGE_STATUSES = ("complete", "interrupted", "cancelled", "failed")
RUN_STATUSES = ("running", "succeeded", "failed", "cancelled", "interrupted")


class Conversation(Base, Identified, Timestamped, SoftDeleted):
    """`thread_id` is the AG-UI client's name for it: our id as text, unless the client chose its own."""

    __tablename__ = "conversations"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    class_id: Mapped[UUID | None] = mapped_column(ForeignKey("classes.id", ondelete="SET NULL"), index=True)
    thread_id: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    message_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    last_message_at: Mapped[Timestamp | None]

    __table_args__ = (
        UniqueConstraint("user_id", "thread_id"),
        Index("ix_conversations_user_id_last_message_at", "user_id", "last_message_at"),
    )


class Run(Base, Identified, Timestamped):
    """One answer being made. `client_run_id` is unique per user, so a repeated request finds the first run."""

    __tablename__ = "runs"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    client_run_id: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default=sql("'running'"))
    model: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    heartbeat_at: Mapped[Timestamp]
    finished_at: Mapped[Timestamp | None]

    __table_args__ = (
        one_of("status", RUN_STATUSES),
        UniqueConstraint("user_id", "client_run_id"),
        Index("ix_runs_running", "heartbeat_at", postgresql_where=sql("status = 'running'")),
    )


class Message(Base, Identified):
    """`parts` holds what is not plain text, in order: tool calls and their results. `citations` are resolved locators."""

    __tablename__ = "messages"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    role: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default=sql("'complete'"))
    text: Mapped[str] = mapped_column(Text)
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    created_at: Mapped[Timestamp]

    __table_args__ = (
        one_of("role", MESSAGE_ROLES),
        one_of("status", MESSAGE_STATUSES),
        Index("ix_messages_conversation_id_created_at", "conversation_id", "created_at", "id"),
    )
