"""Courses, what they teach, and the graph of concepts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import (
    LIVE,
    Base,
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
from storage.models.tests import BLOOM_LEVELS

LEVELS = ("beginner", "intermediate", "advanced")
COURSE_STATUSES = ("generating", "draft", "published", "archived")
MATERIAL_USES = ("primary", "reference", "supplementary")
EDGE_TYPES = ("prerequisite", "relates_to", "part_of")
RELATIONS = ("similar", "opposite", "example")
EXTRACTION_TYPES = ("concept", "definition", "example", "formula")


class Course(Base, Identified, Owned, Timestamped, SoftDeleted, Generated, Shareable):
    """A course made from material: an outline by weeks with objectives."""

    __tablename__ = "courses"

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"), comment="The class it belongs to, own or joined."
    )
    title: Mapped[str] = mapped_column(comment="Title.")
    description: Mapped[str | None] = mapped_column(comment="What it teaches.")
    target_audience: Mapped[str | None] = mapped_column(comment="Whom it is for.")
    difficulty: Mapped[str | None] = mapped_column(comment="beginner, intermediate or advanced.")
    duration_weeks: Mapped[int | None] = mapped_column(SmallInteger, comment="How many weeks it takes.")
    hours_per_week: Mapped[float | None] = mapped_column(comment="Hours of work a week.")
    language: Mapped[str | None] = mapped_column(comment="Language (BCP 47).")
    status: Mapped[str] = mapped_column(
        server_default=sql("'draft'"), comment="generating, draft, published or archived."
    )
    outline: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="Weeks with their lessons, activities and locators."
    )
    prerequisites: Mapped[list[str]] = mapped_column(
        server_default=sql("'{}'"), comment="What one should know before."
    )
    assessment_methods: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="How it is tested, with weights."
    )
    resources: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'"), comment="Further reading.")
    published_at: Mapped[datetime | None] = mapped_column(comment="When it left draft.")

    __table_args__ = (
        one_of("difficulty", LEVELS),
        one_of("status", COURSE_STATUSES),
        between("duration_weeks", 1, 520),
        between("hours_per_week", 0, 168),
        parent(),
        Index("ix_courses_class_id_created_at", "class_id", "created_at"),
        Index("ix_courses_user_id_created_at", "user_id", "created_at", postgresql_where=LIVE),
        Index("ix_courses_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        shared_in_class("courses"),
        trigrams("courses", "title"),
    )


class CourseMaterial(Base, Identified, Owned):
    """A material that a course uses."""

    __tablename__ = "course_materials"

    course_id: Mapped[UUID] = mapped_column(comment="The course.")
    material_id: Mapped[UUID] = mapped_column(
        ForeignKey("materials.id", ondelete="CASCADE"),
        index=True,
        comment="The material, own or of a joined class.",
    )
    usage: Mapped[str] = mapped_column(
        server_default=sql("'primary'"), comment="primary, reference or supplementary."
    )
    relevance: Mapped[float | None] = mapped_column(comment="How much of it the course uses, 0 to 1.")

    __table_args__ = (
        one_of("usage", MATERIAL_USES),
        between("relevance", 0, 1),
        same_owner("course_id", "courses"),
        UniqueConstraint("course_id", "material_id"),
        Index("ix_course_materials_user_id", "user_id"),
    )


class Concept(Base, Identified, Owned, Timestamped, Generated):
    """A node of a class's graph: something to understand."""

    __tablename__ = "concepts"

    class_id: Mapped[UUID] = mapped_column(
        ForeignKey("classes.id", ondelete="CASCADE"), comment="The class it was found in, own or joined."
    )
    name: Mapped[str] = mapped_column(comment="What it is called; unique in the class.")
    description: Mapped[str | None] = mapped_column(comment="What it means.")
    difficulty: Mapped[str | None] = mapped_column(comment="beginner, intermediate or advanced.")
    category: Mapped[str | None] = mapped_column(comment="What kind of thing it is.")
    tags: Mapped[list[str]] = mapped_column(
        server_default=sql("'{}'"), comment="Other names, and words to file it under."
    )
    embedding_model: Mapped[str | None] = mapped_column(
        comment="Set once its vector stands in the collection."
    )

    __table_args__ = (
        one_of("difficulty", LEVELS),
        parent(),
        Index("uq_concepts_class_id_user_id_name", "class_id", "user_id", func.lower(name), unique=True),
        Index(
            "ix_concepts_name_trigrams",
            "name",
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops"},
        ),
    )


class ConceptEdge(Base, Identified, Owned):
    """An edge between two concepts of one person: the source is a prerequisite of, relates to, or is a part of the target."""

    __tablename__ = "concept_edges"

    source_id: Mapped[UUID] = mapped_column(comment="The concept it starts from.")
    target_id: Mapped[UUID] = mapped_column(index=True, comment="The concept it leads to.")
    type: Mapped[str] = mapped_column(comment="prerequisite, relates_to or part_of.")
    weight: Mapped[float] = mapped_column(server_default=sql("1"), comment="How strong, 0 to 1.")
    mandatory: Mapped[bool] = mapped_column(
        server_default=sql("false"), comment="Of a prerequisite: cannot be skipped."
    )
    relation: Mapped[str | None] = mapped_column(comment="Of relates_to: similar, opposite or example.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the row was made.")

    __table_args__ = (
        one_of("type", EDGE_TYPES),
        one_of("relation", RELATIONS),
        between("weight", 0, 1),
        CheckConstraint("source_id <> target_id", name="no_loop"),
        same_owner("source_id", "concepts"),
        same_owner("target_id", "concepts"),
        UniqueConstraint("source_id", "target_id", "type"),
        Index("ix_concept_edges_user_id", "user_id"),
    )


class CourseConcept(Base, Identified, Owned):
    """A concept that a course covers, and when."""

    __tablename__ = "course_concepts"

    course_id: Mapped[UUID] = mapped_column(comment="The course.")
    concept_id: Mapped[UUID] = mapped_column(index=True, comment="The concept.")
    week: Mapped[int | None] = mapped_column(SmallInteger, comment="Week, from 1.")
    ordinal: Mapped[int] = mapped_column(
        Integer, server_default=sql("0"), comment="Position in the week, from 0."
    )
    duration_minutes: Mapped[int | None] = mapped_column(comment="Time meant for it.")

    __table_args__ = (
        same_owner("course_id", "courses"),
        same_owner("concept_id", "concepts"),
        UniqueConstraint("course_id", "concept_id"),
        Index("ix_course_concepts_user_id", "user_id"),
    )


class KnowledgeExtraction(Base, Identified, Owned):
    """A concept, definition, example or formula found in a material, with where it stands."""

    __tablename__ = "knowledge_extractions"

    material_id: Mapped[UUID] = mapped_column(
        ForeignKey("materials.id", ondelete="CASCADE"), comment="The material, own or of a joined class."
    )
    concept_id: Mapped[UUID | None] = mapped_column(index=True, comment="The concept it belongs to.")
    chunk_id: Mapped[UUID | None] = mapped_column(
        comment="The chunk; no foreign key, since reprocessing replaces chunks."
    )
    type: Mapped[str] = mapped_column(comment="concept, definition, example or formula.")
    text: Mapped[str] = mapped_column(comment="What was found.")
    context: Mapped[str | None] = mapped_column(comment="The words around it.")
    page: Mapped[int | None] = mapped_column(comment="Number of the page, slide or section.")
    locator: Mapped[Json | None] = mapped_column(comment="Where it stands: character range, boxes.")
    confidence: Mapped[float | None] = mapped_column(comment="How sure the finder is, 0 to 1.")
    model: Mapped[str | None] = mapped_column(comment="What found it: builtin or provider:name.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the row was made.")

    __table_args__ = (
        one_of("type", EXTRACTION_TYPES),
        between("confidence", 0, 1),
        same_owner("concept_id", "concepts", keep=True),
        Index("ix_knowledge_extractions_material_id_type", "material_id", "type"),
        Index("ix_knowledge_extractions_user_id", "user_id"),
    )


class LearningObjective(Base, Identified, Owned, Timestamped):
    """What a student can do after a course."""

    __tablename__ = "learning_objectives"

    course_id: Mapped[UUID] = mapped_column(comment="The course.")
    concept_id: Mapped[UUID | None] = mapped_column(index=True, comment="The concept it is about.")
    ordinal: Mapped[int] = mapped_column(Integer, comment="Position in the course, from 0.")
    week: Mapped[int | None] = mapped_column(SmallInteger, comment="Week, from 1.")
    description: Mapped[str] = mapped_column(comment="Begins with a verb.")
    bloom_level: Mapped[str] = mapped_column(
        comment="remember, understand, apply, analyze, evaluate or create (revised Bloom taxonomy)."
    )
    is_measurable: Mapped[bool] = mapped_column(
        server_default=sql("true"), comment="Whether a test can show it."
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger, server_default=sql("0"), comment="Higher matters more."
    )

    __table_args__ = (
        one_of("bloom_level", BLOOM_LEVELS),
        same_owner("course_id", "courses"),
        same_owner("concept_id", "concepts", keep=True),
        UniqueConstraint("course_id", "ordinal"),
        Index("ix_learning_objectives_user_id", "user_id"),
    )
