"""What a student did and how it went: sessions, interactions, feedback, metrics."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Identified, Json, Owned, Timestamped, between, one_of, parent

SESSION_TYPES = ("chat", "quiz", "flashcards", "revision", "reading")
SESSION_STATUSES = ("active", "completed", "abandoned")
INTERACTION_TYPES = ("answer", "review", "view", "hint", "skip", "rate")
FEEDBACK_TYPES = ("rating", "comment", "report")
FEEDBACK_STATUSES = ("active", "resolved", "withdrawn")
FEEDBACK_TARGETS = ("card_id", "question_id", "note_id", "document_id", "message_id")
METRIC_TYPES = ("accuracy", "retention", "speed", "mastery", "study_time", "reviews", "coverage")
PERIODS = ("session", "daily", "weekly", "monthly")
AGGREGATIONS = ("sum", "mean", "maximum", "last")


class StudySession(Base, Identified, Owned, Timestamped):
    """A stretch of studying."""

    __tablename__ = "study_sessions"

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"), index=True, comment="The class, own or joined."
    )
    material_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("materials.id", ondelete="SET NULL"), index=True, comment="The material, if one alone."
    )
    deck_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("decks.id", ondelete="SET NULL"), index=True, comment="The deck, if one alone."
    )
    test_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tests.id", ondelete="SET NULL"), index=True, comment="The test, if one alone."
    )
    type: Mapped[str] = mapped_column(comment="chat, quiz, flashcards, revision or reading.")
    status: Mapped[str] = mapped_column(
        server_default=sql("'active'"), comment="active, completed or abandoned."
    )
    started_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it began.")
    ended_at: Mapped[datetime | None] = mapped_column(comment="When it ended.")
    duration_seconds: Mapped[int | None] = mapped_column(comment="Time spent, without the pauses.")
    score: Mapped[float | None] = mapped_column(comment="Result in per cent.")
    items_completed: Mapped[int] = mapped_column(
        Integer, server_default=sql("0"), comment="Cards, questions or pages done."
    )
    interaction_count: Mapped[int] = mapped_column(
        Integer, server_default=sql("0"), comment="Interactions in it."
    )
    completion_percent: Mapped[float] = mapped_column(
        server_default=sql("0"), comment="How much of what was planned is done."
    )
    configuration: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="What was planned: decks, topics, length."
    )
    state: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="What the page needs to go on; emptied after 6 months."
    )

    __table_args__ = (
        one_of("type", SESSION_TYPES),
        one_of("status", SESSION_STATUSES),
        between("score", 0, 100),
        between("completion_percent", 0, 100),
        parent(),
        Index("ix_study_sessions_user_id_started_at", "user_id", "started_at"),
        Index("ix_study_sessions_active", "started_at", postgresql_where=sql("status = 'active'")),
    )


class Interaction(Base):
    """One thing done in a session. Monthly partitions; names what it was about without foreign keys, being history."""

    __tablename__ = "interactions"

    id: Mapped[UUID] = mapped_column(
        primary_key=True, sort_order=-100, comment="UUIDv7, made by the application."
    )
    created_at: Mapped[datetime] = mapped_column(primary_key=True, comment="When; decides the partition.")
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), sort_order=-90, comment="The user whose row this is."
    )
    session_id: Mapped[UUID | None] = mapped_column(comment="The study session.")
    class_id: Mapped[UUID | None] = mapped_column(comment="The class.")
    concept_id: Mapped[UUID | None] = mapped_column(comment="The concept.")
    card_id: Mapped[UUID | None] = mapped_column(comment="The card, if it was one.")
    question_id: Mapped[UUID | None] = mapped_column(comment="The question, if it was one.")
    material_id: Mapped[UUID | None] = mapped_column(comment="The material, if it was one.")
    type: Mapped[str] = mapped_column(comment="answer, review, view, hint, skip or rate.")
    is_correct: Mapped[bool | None] = mapped_column(comment="Whether it was right.")
    response_time_ms: Mapped[int | None] = mapped_column(comment="Time taken, in milliseconds.")
    confidence: Mapped[float | None] = mapped_column(comment="How sure the person was, 0 to 1.")
    data: Mapped[Json] = mapped_column(server_default=sql("'{}'"), comment="What was done, in detail.")
    feedback: Mapped[Json | None] = mapped_column(comment="What the person was told at once.")

    __table_args__ = (
        one_of("type", INTERACTION_TYPES),
        between("confidence", 0, 1),
        Index("ix_interactions_user_id_created_at", "user_id", "created_at"),
        Index("ix_interactions_session_id", "session_id"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )


class Feedback(Base, Identified, Owned, Timestamped):
    """What a person thinks of a card, question, note, document or answer."""

    __tablename__ = "feedback"

    type: Mapped[str] = mapped_column(comment="rating, comment or report.")
    rating: Mapped[int | None] = mapped_column(SmallInteger, comment="1 to 5.")
    comment: Mapped[str | None] = mapped_column(comment="In their words.")
    status: Mapped[str] = mapped_column(
        server_default=sql("'active'"), comment="active, resolved or withdrawn."
    )
    card_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("flashcards.id", ondelete="CASCADE"), index=True, comment="The card."
    )
    question_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("test_questions.id", ondelete="CASCADE"), index=True, comment="The question."
    )
    note_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("notes.id", ondelete="CASCADE"), index=True, comment="The note."
    )
    document_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("documents.id", ondelete="CASCADE"), index=True, comment="The document."
    )
    message_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True, comment="The answer in the chat."
    )
    interaction_id: Mapped[UUID | None] = mapped_column(comment="The interaction during which it was given.")
    context: Mapped[Json] = mapped_column(server_default=sql("'{}'"), comment="What the person saw.")

    __table_args__ = (
        one_of("type", FEEDBACK_TYPES),
        one_of("status", FEEDBACK_STATUSES),
        between("rating", 1, 5),
        CheckConstraint(f"num_nonnulls({', '.join(FEEDBACK_TARGETS)}) = 1", name="target"),
        CheckConstraint("type <> 'rating' OR rating IS NOT NULL", name="rated"),
        Index("ix_feedback_user_id_created_at", "user_id", "created_at"),
    )


class ProgressMetric(Base):
    """A figure about someone's learning. Monthly partitions; kept for 5 years."""

    __tablename__ = "progress_metrics"

    id: Mapped[UUID] = mapped_column(
        primary_key=True, sort_order=-100, comment="UUIDv7, made by the application."
    )
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True, comment="When; decides the partition.")
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), sort_order=-90, comment="The user whose row this is."
    )
    class_id: Mapped[UUID | None] = mapped_column(comment="The class; those who teach it see the row.")
    concept_id: Mapped[UUID | None] = mapped_column(comment="The concept.")
    session_id: Mapped[UUID | None] = mapped_column(comment="The study session.")
    type: Mapped[str] = mapped_column(
        comment="accuracy, retention, speed, mastery, study_time, reviews or coverage."
    )
    value: Mapped[float] = mapped_column(comment="Shares from 0 to 1, times in seconds, else counts.")
    period: Mapped[str | None] = mapped_column(comment="session, daily, weekly or monthly.")
    aggregation: Mapped[str | None] = mapped_column(comment="sum, mean, maximum or last.")
    data: Mapped[Json] = mapped_column(server_default=sql("'{}'"), comment="What it was computed from.")

    __table_args__ = (
        one_of("type", METRIC_TYPES),
        one_of("period", PERIODS),
        one_of("aggregation", AGGREGATIONS),
        Index("ix_progress_metrics_user_id_recorded_at", "user_id", "recorded_at"),
        Index("ix_progress_metrics_class_id_user_id", "class_id", "user_id"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )
