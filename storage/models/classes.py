"""Classes, who is in them, and what is due."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import (
    LIVE,
    Base,
    Identified,
    Owned,
    SoftDeleted,
    Timestamped,
    between,
    one_of,
    parent,
    same_owner,
    trigrams,
)

MEMBER_ROLES = ("student", "assistant", "teacher")
ASSIGNMENT_TYPES = ("homework", "reading", "quiz", "test", "exam", "project", "other")
ASSIGNMENT_STATUSES = ("pending", "in_progress", "done")


class Class(Base, Identified, Owned, Timestamped, SoftDeleted):
    """A class or subject. Its owner teaches it; others are members by a code."""

    __tablename__ = "classes"

    name: Mapped[str] = mapped_column(comment="Name; unique among its owner's live classes.")
    description: Mapped[str | None] = mapped_column(comment="What it is about.")
    subject: Mapped[str | None] = mapped_column(comment="Field, such as physics.")
    teacher_name: Mapped[str | None] = mapped_column(comment="Who teaches it at school.")
    period: Mapped[str | None] = mapped_column(comment="Hour or term in the timetable.")
    color: Mapped[str | None] = mapped_column(comment="Colour on the page.")
    icon: Mapped[str | None] = mapped_column(comment="Icon on the page.")
    current_grade: Mapped[str | None] = mapped_column(comment="Mark so far, as the school writes it.")
    grade_percent: Mapped[int | None] = mapped_column(SmallInteger, comment="Mark so far in per cent.")
    collection_prefix: Mapped[str] = mapped_column(
        unique=True, comment="Begins the names of its vector collections; unique for all, never changed."
    )

    __table_args__ = (
        between("grade_percent", 0, 100),
        parent(),
        Index("ix_classes_user_id_created_at", "user_id", "created_at"),
        Index("uq_classes_user_id_name", "user_id", func.lower(name), unique=True, postgresql_where=LIVE),
        trigrams("classes", "name"),
    )


class ClassMember(Base, Identified, Timestamped):
    """Somebody in another person's class. Made by the function `lyceum_join_class` alone, so that nobody is enrolled unasked."""

    __tablename__ = "class_members"

    class_id: Mapped[UUID] = mapped_column(comment="The class.")
    owner_id: Mapped[UUID] = mapped_column(comment="The owner of the class.")
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), comment="The member.")
    role: Mapped[str] = mapped_column(
        server_default=sql("'student'"),
        comment="student; assistant and teacher also see the others' progress.",
    )
    enrollment_code_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("enrollment_codes.id", ondelete="SET NULL"), index=True, comment="The code they came by."
    )

    __table_args__ = (
        one_of("role", MEMBER_ROLES),
        same_owner("class_id", "classes", owner="owner_id"),
        UniqueConstraint("class_id", "user_id"),
        Index("ix_class_members_user_id", "user_id", "class_id"),
        Index("ix_class_members_owner_id", "owner_id"),
    )


class EnrollmentCode(Base, Identified, Owned, Timestamped):
    """A code by which others join a class of its owner."""

    __tablename__ = "enrollment_codes"

    class_id: Mapped[UUID] = mapped_column(comment="The class it opens.")
    code: Mapped[str] = mapped_column(comment="What is typed; unique, whatever the case.")
    role: Mapped[str] = mapped_column(
        server_default=sql("'student'"), comment="Role of those who join by it."
    )
    max_uses: Mapped[int | None] = mapped_column(comment="How many may join by it; null for no limit.")
    use_count: Mapped[int] = mapped_column(server_default=sql("0"), comment="How many did.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When it stops working by itself.")
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When its owner withdrew it.")

    __table_args__ = (
        one_of("role", MEMBER_ROLES),
        CheckConstraint("use_count <= max_uses", name="use_count"),
        same_owner("class_id", "classes"),
        Index("uq_enrollment_codes_code", func.upper(code), unique=True),
        Index("ix_enrollment_codes_class_id", "class_id"),
        Index("ix_enrollment_codes_user_id", "user_id"),
    )


class Assignment(Base, Identified, Owned, Timestamped, SoftDeleted):
    """Something due: for oneself, or set by those who teach a class for all its members."""

    __tablename__ = "assignments"

    class_id: Mapped[UUID] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"), comment="The class.")
    title: Mapped[str] = mapped_column(comment="What is to be done.")
    type: Mapped[str] = mapped_column(
        server_default=sql("'homework'"), comment="homework, reading, quiz, test, exam, project or other."
    )
    description: Mapped[str | None] = mapped_column(comment="Details.")
    due_at: Mapped[datetime] = mapped_column(comment="When it is due.")
    for_class: Mapped[bool] = mapped_column(
        server_default=sql("false"),
        comment="Every member sees it; only those who teach the class may set it.",
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'pending'"), comment="Its author's own progress: pending, in_progress or done."
    )
    completed_at: Mapped[datetime | None] = mapped_column(comment="When its author was done.")
    material_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("materials.id", ondelete="SET NULL"), index=True, comment="What to read."
    )
    test_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tests.id", ondelete="SET NULL"), index=True, comment="The test to take."
    )
    deck_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("decks.id", ondelete="SET NULL"), index=True, comment="The cards to learn."
    )

    __table_args__ = (
        one_of("type", ASSIGNMENT_TYPES),
        one_of("status", ASSIGNMENT_STATUSES),
        Index("ix_assignments_class_id_due_at", "class_id", "due_at", postgresql_where=LIVE),
        Index("ix_assignments_class_id", "class_id"),
        Index("ix_assignments_user_id_status_due_at", "user_id", "status", "due_at"),
        trigrams("assignments", "title"),
    )


class AssignmentProgress(Base, Identified, Owned, Timestamped):
    """How far one member is with an assignment of the class."""

    __tablename__ = "assignment_progress"

    assignment_id: Mapped[UUID] = mapped_column(
        ForeignKey("assignments.id", ondelete="CASCADE"), comment="The assignment."
    )
    class_id: Mapped[UUID] = mapped_column(
        ForeignKey("classes.id", ondelete="CASCADE"),
        index=True,
        comment="Its class; those who teach it see the row.",
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'pending'"), comment="pending, in_progress or done."
    )
    completed_at: Mapped[datetime | None] = mapped_column(comment="When the member was done.")
    score: Mapped[float | None] = mapped_column(comment="Result in per cent, where there is one.")

    __table_args__ = (
        one_of("status", ASSIGNMENT_STATUSES),
        between("score", 0, 100),
        UniqueConstraint("assignment_id", "user_id"),
        Index("ix_assignment_progress_user_id", "user_id"),
    )
