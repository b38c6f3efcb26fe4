"""Notes, written by the student or made from material, and what they were made from."""

from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSVECTOR
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

NOTE_TYPES = ("note", "lecture", "summary", "outline", "cornell")


class Note(Base, Identified, Owned, Timestamped, SoftDeleted, Generated, Shareable):
    """A note in Markdown."""

    __tablename__ = "notes"

    class_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("classes.id", ondelete="SET NULL"), comment="The class it belongs to, own or joined."
    )
    title: Mapped[str] = mapped_column(comment="Title.")
    text: Mapped[str] = mapped_column(comment="Content, in Markdown.")
    type: Mapped[str] = mapped_column(
        server_default=sql("'note'"), comment="note, lecture, summary, outline or cornell."
    )
    tags: Mapped[list[str]] = mapped_column(server_default=sql("'{}'"), comment="Words to file it under.")
    language: Mapped[str | None] = mapped_column(comment="Language (BCP 47).")
    text_config: Mapped[str] = mapped_column(
        server_default=sql("'english'"), comment="Text search configuration of its lexemes."
    )
    lexemes: Mapped[str] = mapped_column(
        TSVECTOR, Computed("lyceum_lexemes(text_config, ARRAY[title], text)", persisted=True),
        comment="Words of title and content, reduced to stems.",
    )  # fmt: skip

    __table_args__ = (
        one_of("type", NOTE_TYPES),
        parent(),
        Index("ix_notes_class_id_created_at", "class_id", "created_at"),
        Index("ix_notes_user_id_created_at", "user_id", "created_at", postgresql_where=LIVE),
        Index("ix_notes_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        Index("ix_notes_lexemes", "lexemes", postgresql_using="gin", postgresql_where=LIVE),
        shared_in_class("notes"),
        trigrams("notes", "title"),
    )


class NoteSource(Base, Identified, Owned):
    """A passage that a note was made from."""

    __tablename__ = "note_sources"

    note_id: Mapped[UUID] = mapped_column(comment="The note.")
    ordinal: Mapped[int] = mapped_column(Integer, comment="Its number in the note's citations, from 1.")
    material_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("materials.id", ondelete="SET NULL"), index=True, comment="The material."
    )
    chunk_id: Mapped[UUID | None] = mapped_column(
        comment="The chunk; no foreign key, since reprocessing replaces chunks."
    )
    quote: Mapped[str | None] = mapped_column(comment="The passage's words.")
    locator: Mapped[Json] = mapped_column(
        comment="Where it stands: page, slide or seconds, character range, boxes."
    )

    __table_args__ = (
        same_owner("note_id", "notes"),
        UniqueConstraint("note_id", "ordinal"),
        Index("ix_note_sources_user_id", "user_id"),
    )
