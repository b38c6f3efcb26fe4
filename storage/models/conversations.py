"""Conversations, their messages, and the runs that answer them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import (
    Base,
    Identified,
    Owned,
    SoftDeleted,
    Timestamped,
    one_of,
    parent,
    same_owner,
    trigrams,
)

MESSAGE_ROLES = ("user", "assistant", "tool")
MESSAGE_STATUSES = ("complete", "interrupted", "cancelled", "failed")
RUN_STATUSES = ("running", "succeeded", "failed", "cancelled", "interrupted")


class Conversation(Base, Identified, Owned, Timestamped, SoftDeleted):
    """A talk with the assistant."""

    __tablename__ = "conversations"

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"),
        index=True,
        comment="The class it is about, own or joined.",
    )
    thread_id: Mapped[str] = mapped_column(
        comment="The AG-UI client's name for it: our id, unless the client chose its own."
    )
    title: Mapped[str] = mapped_column(comment="Title.")
    message_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"), comment="Messages in it.")
    last_message_at: Mapped[datetime | None] = mapped_column(comment="When the last one came.")

    __table_args__ = (
        UniqueConstraint("user_id", "thread_id"),
        parent(),
        Index("ix_conversations_user_id_last_message_at", "user_id", "last_message_at"),
        Index("ix_conversations_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        trigrams("conversations", "title"),
    )


class Run(Base, Identified, Owned, Timestamped):
    """One answer being made."""

    __tablename__ = "runs"

    conversation_id: Mapped[UUID] = mapped_column(index=True, comment="Its conversation.")
    client_run_id: Mapped[str] = mapped_column(
        comment="The client's name for it, so that a repeated request finds the first run."
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'running'"), comment="running, succeeded, failed, cancelled or interrupted."
    )
    model: Mapped[str | None] = mapped_column(comment="Model that answers: builtin or provider:name.")
    error_code: Mapped[str | None] = mapped_column(comment="Why it failed, for programs.")
    error: Mapped[str | None] = mapped_column(comment="Why it failed, in a sentence.")
    input_tokens: Mapped[int | None] = mapped_column(comment="Tokens the model read.")
    output_tokens: Mapped[int | None] = mapped_column(comment="Tokens it wrote.")
    heartbeat_at: Mapped[datetime] = mapped_column(comment="Last sign of life of the process that runs it.")
    finished_at: Mapped[datetime | None] = mapped_column(comment="When it ended.")

    __table_args__ = (
        one_of("status", RUN_STATUSES),
        same_owner("conversation_id", "conversations"),
        UniqueConstraint("user_id", "client_run_id"),
        Index("ix_runs_running", "heartbeat_at", postgresql_where=sql("status = 'running'")),
    )


class Message(Base, Identified, Owned):
    """What was said, by the student, the assistant or a tool."""

    __tablename__ = "messages"

    conversation_id: Mapped[UUID] = mapped_column(comment="Its conversation.")
    run_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("runs.id", ondelete="SET NULL"), index=True, comment="The run that made it."
    )
    role: Mapped[str] = mapped_column(comment="user, assistant or tool.")
    status: Mapped[str] = mapped_column(
        server_default=sql("'complete'"), comment="complete, interrupted, cancelled or failed."
    )
    text: Mapped[str] = mapped_column(comment="Its words.")
    parts: Mapped[list[dict[str, Any]]] = mapped_column(
        server_default=sql("'[]'"), comment="What is not plain text, in order: tool calls and their results."
    )
    citations: Mapped[list[dict[str, Any]]] = mapped_column(
        server_default=sql("'[]'"), comment="The locators that its numbers in brackets stand for."
    )
    token_count: Mapped[int | None] = mapped_column(comment="Tokens of the model that read or wrote it.")
    created_at: Mapped[datetime] = mapped_column(comment="When it was said.")

    __table_args__ = (
        one_of("role", MESSAGE_ROLES),
        one_of("status", MESSAGE_STATUSES),
        same_owner("conversation_id", "conversations"),
        Index("ix_messages_conversation_id_created_at", "conversation_id", "created_at", "id"),
        Index("ix_messages_user_id", "user_id"),
    )
