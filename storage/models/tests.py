"""Tests, their questions, and what people answered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import (
    LIVE,
    Base,
    Evidenced,
    Generated,
    Identified,
    Json,
    Owned,
    Shareable,
    SoftDeleted,
    Timestamped,
    between,
    one_of,
    parent,
    same_owner,
    shared_in_class,
    trigrams,
)

DIFFICULTIES = ("easy", "medium", "hard", "mixed")
QUESTION_TYPES = (
    "multiple_choice",
    "multiple_answer",
    "true_false",
    "cloze",
    "short_answer",
    "matching",
    "ordering",
)
BLOOM_LEVELS = ("remember", "understand", "apply", "analyze", "evaluate", "create")
ITEM_STATUSES = ("active", "retired")
ATTEMPT_STATUSES = ("in_progress", "submitted", "graded", "expired", "abandoned")
GRADERS = ("rule", "match", "meaning", "rubric", "appeal", "person")
FEEDBACK = ("at_end", "at_once")
APPEAL_STATUSES = ("open", "upheld", "rejected")


class Test(Base, Identified, Owned, Timestamped, SoftDeleted, Generated, Shareable):
    """A test made of questions. Shuffled versions of one test point at the first."""

    __tablename__ = "tests"
    __test__ = False  # Not a test case, whatever pytest thinks of the name.

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"), comment="The class it belongs to, own or joined."
    )
    title: Mapped[str] = mapped_column(comment="Title.")
    description: Mapped[str | None] = mapped_column(comment="What it covers.")
    difficulty: Mapped[str] = mapped_column(
        server_default=sql("'mixed'"), comment="easy, medium, hard or mixed."
    )
    time_limit_seconds: Mapped[int | None] = mapped_column(
        comment="Time for an attempt, kept by the server; null for no limit."
    )
    question_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"), comment="Active questions.")
    total_points: Mapped[float] = mapped_column(
        server_default=sql("0"), comment="Points of all active questions."
    )
    blueprint: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="What was asked for: scope, topic weights, types, Bloom levels."
    )
    version: Mapped[int] = mapped_column(
        SmallInteger, server_default=sql("1"), comment="Number of the shuffled version."
    )
    version_of_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The first version, for the others."
    )
    seed: Mapped[int | None] = mapped_column(
        BigInteger, comment="Of the shuffle, so that it can be repeated."
    )
    rejected: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="How many items the gate turned away, by reason."
    )

    __table_args__ = (
        one_of("difficulty", DIFFICULTIES),
        between("time_limit_seconds", 1, 604800),
        parent(),
        same_owner("version_of_id", "tests", keep=True),
        Index("ix_tests_class_id_created_at", "class_id", "created_at"),
        Index("ix_tests_user_id_created_at", "user_id", "created_at", postgresql_where=LIVE),
        Index("ix_tests_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        shared_in_class("tests"),
        trigrams("tests", "title"),
    )


class TestQuestion(Base, Identified, Owned, Timestamped, Evidenced):
    """A question with its key, its explanation and the passage that supports it."""

    __tablename__ = "test_questions"
    __test__ = False

    test_id: Mapped[UUID] = mapped_column(comment="Its test.")
    ordinal: Mapped[int] = mapped_column(Integer, comment="Position in the test, from 0.")
    type: Mapped[str] = mapped_column(
        comment="multiple_choice, multiple_answer, true_false, cloze, short_answer, matching or ordering."
    )
    text: Mapped[str] = mapped_column(comment="The question; gaps of a cloze as {{1}}.")
    options: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="What is offered: choices, or the two columns of a matching."
    )
    answer: Mapped[Json] = mapped_column(
        comment="The key, with accepted variants, tolerance and unit; its form follows the type."
    )
    points: Mapped[float] = mapped_column(server_default=sql("1"), comment="Points for a full answer.")
    explanation: Mapped[str | None] = mapped_column(comment="Why the key is right.")
    difficulty: Mapped[int | None] = mapped_column(SmallInteger, comment="1 to 10.")
    bloom_level: Mapped[str | None] = mapped_column(
        comment="What it asks of the mind, from remember to create."
    )
    concept_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("concepts.id", ondelete="SET NULL"), index=True, comment="The concept it is about."
    )
    topic: Mapped[str | None] = mapped_column(
        comment="What results are grouped by, where no concept is known."
    )
    fingerprint: Mapped[bytes | None] = mapped_column(
        comment="Hash of its normalised words, to find repeats in earlier tests."
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'active'"), comment="active, or retired after bad ratings."
    )
    embedding_model: Mapped[str | None] = mapped_column(
        comment="Set once its vector stands in the collection."
    )

    __table_args__ = (
        one_of("type", QUESTION_TYPES),
        one_of("bloom_level", BLOOM_LEVELS),
        one_of("status", ITEM_STATUSES),
        between("difficulty", 1, 10),
        between("quality_score", 0, 1),
        between("points", 0, 1000),
        parent(),
        same_owner("test_id", "tests"),
        UniqueConstraint("test_id", "ordinal"),
        Index("ix_test_questions_user_id_fingerprint", "user_id", "fingerprint"),
    )


class TestAttempt(Base, Identified, Owned, Timestamped):
    """One person taking a test. Outlives the test, because results are history."""

    __tablename__ = "test_attempts"
    __test__ = False

    test_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tests.id", ondelete="SET NULL"), index=True, comment="The test, own or shared."
    )
    test_title: Mapped[str] = mapped_column(comment="Its title at the start.")
    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"),
        comment="Its class; those who teach it see the attempt.",
    )
    session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("study_sessions.id", ondelete="SET NULL"), index=True, comment="The study session."
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'in_progress'"), comment="in_progress, submitted, graded, expired or abandoned."
    )
    presentation: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"),
        comment="Order of questions and of their options, as shown; survives a reload.",
    )
    started_at: Mapped[datetime] = mapped_column(comment="When it began.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When the time is up, by the server's clock.")
    submitted_at: Mapped[datetime | None] = mapped_column(comment="When it was handed in.")
    graded_at: Mapped[datetime | None] = mapped_column(comment="When every answer had its grade.")
    score: Mapped[float | None] = mapped_column(comment="Points reached.")
    max_score: Mapped[float | None] = mapped_column(comment="Points that could be reached.")
    results: Mapped[Json] = mapped_column(server_default=sql("'{}'"), comment="Points per concept and type.")
    feedback: Mapped[str] = mapped_column(
        server_default=sql("'at_end'"),
        comment="at_end, or at_once: each answer is graded when it is given, and then stands.",
    )

    __table_args__ = (
        one_of("status", ATTEMPT_STATUSES),
        one_of("feedback", FEEDBACK),
        parent(),
        Index("ix_test_attempts_user_id_started_at", "user_id", "started_at"),
        Index("ix_test_attempts_class_id_user_id", "class_id", "user_id"),
        Index(
            "uq_test_attempts_open", "user_id", "test_id", unique=True,
            postgresql_where=sql("status = 'in_progress'"),
        ),
        Index(
            "ix_test_attempts_ungraded", "submitted_at",
            postgresql_where=sql("submitted_at IS NOT NULL AND graded_at IS NULL"),
        ),
        Index("ix_test_attempts_expiring", "expires_at", postgresql_where=sql("status = 'in_progress'")),
    )  # fmt: skip


class AttemptAnswer(Base, Identified, Owned, Timestamped):
    """An answer, its grade, how that came about, and the appeal against it."""

    __tablename__ = "attempt_answers"

    attempt_id: Mapped[UUID] = mapped_column(comment="The attempt.")
    question_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("test_questions.id", ondelete="SET NULL"), index=True, comment="The question."
    )
    question: Mapped[Json] = mapped_column(
        comment="The question as it was asked, for the time after it is changed."
    )
    concept_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("concepts.id", ondelete="SET NULL"), index=True, comment="What the question was about."
    )
    response: Mapped[Json | None] = mapped_column(comment="What was answered; null for nothing yet.")
    answered_at: Mapped[datetime | None] = mapped_column(comment="When.")
    response_time_ms: Mapped[int | None] = mapped_column(comment="Time taken, in milliseconds.")
    confidence: Mapped[float | None] = mapped_column(comment="How sure the person was, 0 to 1.")
    is_correct: Mapped[bool | None] = mapped_column(
        comment="Whether it earned all points; null until graded."
    )
    points: Mapped[float | None] = mapped_column(comment="Points earned.")
    max_points: Mapped[float] = mapped_column(comment="Points that could be earned.")
    graded_by: Mapped[str | None] = mapped_column(comment="rule, match, meaning, rubric, appeal or person.")
    grading: Mapped[Json | None] = mapped_column(
        comment="How the grade came about: similarity, matched variant, rubric points."
    )
    grading_explanation: Mapped[str | None] = mapped_column(comment="The same in a sentence.")
    appeal_status: Mapped[str | None] = mapped_column(
        comment="open, upheld or rejected; null when there was none."
    )
    appeal_text: Mapped[str | None] = mapped_column(comment="Why the person thinks that the grade is wrong.")
    appeal_outcome: Mapped[str | None] = mapped_column(comment="What the second look found.")
    appealed_at: Mapped[datetime | None] = mapped_column(comment="When it was asked for.")
    points_before_appeal: Mapped[float | None] = mapped_column(comment="Points of the first grade.")

    __table_args__ = (
        one_of("graded_by", GRADERS),
        one_of("appeal_status", APPEAL_STATUSES),
        between("confidence", 0, 1),
        same_owner("attempt_id", "test_attempts"),
        UniqueConstraint("attempt_id", "question_id"),
        Index("ix_attempt_answers_user_id", "user_id"),
        Index("ix_attempt_answers_wrong", "user_id", "answered_at", postgresql_where=sql("NOT is_correct")),
    )
