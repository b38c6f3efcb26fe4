"""Documents made from material, in versions, and files made for taking away."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
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
    one_of,
    parent,
    same_owner,
    shared_in_class,
    trigrams,
)

DOCUMENT_KINDS = ("cheat_sheet", "study_guide", "summary", "past_paper_answers", "quiz_sheet")
DOCUMENT_STATUSES = ("generating", "ready", "failed")
EXPORT_KINDS = ("document", "deck", "test", "course", "concepts", "account")
EXPORT_FORMATS = ("docx", "pdf", "md", "html", "json", "csv", "txt", "apkg", "zip", "cypher")
EXPORT_STATUSES = ("pending", "ready", "failed", "expired")


class Document(Base, Identified, Owned, Timestamped, SoftDeleted, Generated, Shareable):
    """One version of a cheat sheet, guide, summary, set of answers or quiz sheet."""

    __tablename__ = "documents"

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"), comment="The class it belongs to, own or joined."
    )
    material_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("materials.id", ondelete="SET NULL"),
        index=True,
        comment="The material it is about, if one alone.",
    )
    kind: Mapped[str] = mapped_column(
        comment="cheat_sheet, study_guide, summary, past_paper_answers or quiz_sheet."
    )
    title: Mapped[str] = mapped_column(comment="Title.")
    lineage_id: Mapped[UUID] = mapped_column(comment="Same for all versions: the id of the first.")
    version: Mapped[int] = mapped_column(Integer, server_default=sql("1"), comment="Counts from 1.")
    superseded_at: Mapped[datetime | None] = mapped_column(
        comment="When a newer version came; null for the newest."
    )
    status: Mapped[str] = mapped_column(server_default=sql("'ready'"), comment="generating, ready or failed.")
    text: Mapped[str] = mapped_column(comment="Content, in Markdown.")
    content: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="Its sections and items, for the renderers."
    )
    citations: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="The locators that its numbers in brackets stand for."
    )
    options: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="What was asked for: pages, paper, depth."
    )
    page_count: Mapped[int | None] = mapped_column(comment="Pages, as rendered.")
    word_count: Mapped[int | None] = mapped_column(comment="Words.")

    __table_args__ = (
        one_of("kind", DOCUMENT_KINDS),
        one_of("status", DOCUMENT_STATUSES),
        parent(),
        same_owner("lineage_id", "documents"),
        UniqueConstraint("lineage_id", "version"),
        Index(
            "uq_documents_newest", "lineage_id", unique=True, postgresql_where=sql("superseded_at IS NULL")
        ),
        Index("ix_documents_class_id_created_at", "class_id", "created_at"),
        Index("ix_documents_user_id_created_at", "user_id", "created_at", postgresql_where=LIVE),
        Index("ix_documents_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        shared_in_class("documents"),
        trigrams("documents", "title"),
    )


class Export(Base, Identified, Owned, Timestamped):
    """A file made for taking away; removed some days after it was made."""

    __tablename__ = "exports"

    kind: Mapped[str] = mapped_column(comment="document, deck, test, course, concepts or account.")
    document_id: Mapped[UUID | None] = mapped_column(index=True, comment="The document.")
    deck_id: Mapped[UUID | None] = mapped_column(index=True, comment="The deck.")
    test_id: Mapped[UUID | None] = mapped_column(index=True, comment="The test.")
    course_id: Mapped[UUID | None] = mapped_column(index=True, comment="The course.")
    format: Mapped[str] = mapped_column(comment="docx, pdf, md, html, json, csv, txt, apkg, zip or cypher.")
    status: Mapped[str] = mapped_column(
        server_default=sql("'pending'"), comment="pending, ready, failed or expired."
    )
    options: Mapped[Json] = mapped_column(server_default=sql("'{}'"), comment="What was asked for.")
    file_id: Mapped[UUID | None] = mapped_column(index=True, comment="The file, once it is ready.")
    job_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("jobs.id", ondelete="SET NULL"), index=True, comment="The job that makes it."
    )
    error: Mapped[str | None] = mapped_column(comment="Why it failed, in a sentence.")
    completed_at: Mapped[datetime | None] = mapped_column(comment="When it was ready.")
    expires_at: Mapped[datetime] = mapped_column(comment="When the file is removed.")

    __table_args__ = (
        one_of("kind", EXPORT_KINDS),
        one_of("format", EXPORT_FORMATS),
        one_of("status", EXPORT_STATUSES),
        CheckConstraint(
            "num_nonnulls(document_id, deck_id, test_id, course_id)"
            " = CASE WHEN kind IN ('document', 'deck', 'test', 'course') THEN 1 ELSE 0 END",
            name="target",
        ),
        same_owner("document_id", "documents"),
        same_owner("deck_id", "decks"),
        same_owner("test_id", "tests"),
        same_owner("course_id", "courses"),
        same_owner("file_id", "files", keep=True),
        Index("ix_exports_user_id_created_at", "user_id", "created_at"),
        Index("ix_exports_expires_at", "expires_at", postgresql_where=sql("status <> 'expired'")),
    )
