"""The material in a class: files, segments with locators, chunks, the inverted index over lexemes, figures."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, func
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import (
    LIVE,
    Base,
    Identified,
    Json,
    Owned,
    SoftDeleted,
    Timestamped,
    one_of,
    parent,
    same_owner,
    trigrams,
)

MATERIAL_KINDS = (
    "textbook",
    "slides",
    "lecture",
    "recording",
    "photo",
    "web_page",
    "text",
    "past_paper",
)
MATERIAL_STATUSES = ("queued", "processing", "searchable", "ready", "failed", "cancelled")
SEGMENT_KINDS = ("page", "slide", "section", "span")
CHUNK_TYPES = ("text", "heading", "list", "table", "formula", "caption", "transcript")
FIGURE_KINDS = ("figure", "diagram", "photo", "table", "formula")


class File(Base, Identified, Owned, Timestamped, SoftDeleted):
    """An object in the file store."""

    __tablename__ = "files"

    filename: Mapped[str] = mapped_column(comment="Name that its owner knows it by.")
    object_key: Mapped[str] = mapped_column(unique=True, comment="Its path in the store.")
    media_type: Mapped[str | None] = mapped_column(comment="Kind of content, found by looking at it.")
    size_bytes: Mapped[int] = mapped_column(BigInteger, comment="Length.")
    sha256: Mapped[bytes] = mapped_column(comment="Checksum of the content.")

    __table_args__ = (
        parent(),
        Index("ix_files_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
    )


class Upload(Base, Identified, Owned, Timestamped):
    """A file that arrives in several requests (tus 1.0). Its parts lie in the store under its id until all are there."""

    __tablename__ = "uploads"

    filename: Mapped[str] = mapped_column(comment="Name that its owner knows it by.")
    size_bytes: Mapped[int | None] = mapped_column(BigInteger, comment="Length of the whole, once known.")
    received_bytes: Mapped[int] = mapped_column(
        BigInteger, server_default=sql("0"), comment="How much has arrived."
    )
    parts: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="Length of each stored part, in order."
    )
    details: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"), comment="What the sender said of it: class, title, kind."
    )
    outcome: Mapped[Json | None] = mapped_column(comment="What became of it: ids of material and job.")
    expires_at: Mapped[datetime] = mapped_column(index=True, comment="When an unfinished one is thrown away.")

    __table_args__ = (Index("ix_uploads_user_id", "user_id"),)


class Material(Base, Identified, Owned, Timestamped, SoftDeleted):
    """One thing a student studies from. Words are searchable from status `searchable` on, vectors too from `ready` on."""

    __tablename__ = "materials"

    class_id: Mapped[UUID] = mapped_column(comment="Its class, of the same owner.")
    file_id: Mapped[UUID | None] = mapped_column(index=True, comment="The original, where there is one.")
    title: Mapped[str] = mapped_column(comment="Title.")
    description: Mapped[str | None] = mapped_column(comment="What it is, in its owner's words.")
    kind: Mapped[str] = mapped_column(
        comment="textbook, slides, lecture, recording, photo, web_page, text or past_paper."
    )
    author: Mapped[str | None] = mapped_column(comment="Who wrote or spoke it.")
    isbn: Mapped[str | None] = mapped_column(comment="Of a book.")
    source_url: Mapped[str | None] = mapped_column(comment="Where it was fetched from.")
    tags: Mapped[list[str]] = mapped_column(server_default=sql("'{}'"), comment="Words to file it under.")
    status: Mapped[str] = mapped_column(
        server_default=sql("'queued'"), comment="queued, processing, searchable, ready, failed or cancelled."
    )
    error_code: Mapped[str | None] = mapped_column(comment="Why it failed, for programs.")
    error: Mapped[str | None] = mapped_column(comment="Why it failed, in a sentence.")
    checksum: Mapped[bytes] = mapped_column(
        comment="SHA-256 of the content: the same bytes twice are one material."
    )
    language: Mapped[str | None] = mapped_column(comment="Main language (BCP 47).")
    text_configs: Mapped[list[str]] = mapped_column(
        server_default=sql("'{english}'"), comment="Text search configurations of its chunks."
    )
    segment_kind: Mapped[str | None] = mapped_column(
        comment="What it is divided into: page, slide, section or span."
    )
    page_count: Mapped[int | None] = mapped_column(comment="Number of segments.")
    word_count: Mapped[int | None] = mapped_column(
        comment="Words of all chunks; the total length that BM25 needs."
    )
    duration_seconds: Mapped[float | None] = mapped_column(comment="Of a recording.")
    chunk_count: Mapped[int] = mapped_column(server_default=sql("0"), comment="Chunks that search can find.")
    embedding_model: Mapped[str | None] = mapped_column(comment="Model of its vectors, once all stand.")
    notice: Mapped[str | None] = mapped_column(
        comment="What its owner should know of a material that was read: pages left out, macros ignored."
    )
    processed_at: Mapped[datetime | None] = mapped_column(comment="When it became ready.")
    shared_with_class: Mapped[bool] = mapped_column(
        server_default=sql("true"), comment="Whether the members of its class may read it."
    )

    __table_args__ = (
        one_of("kind", MATERIAL_KINDS),
        one_of("status", MATERIAL_STATUSES),
        same_owner("class_id", "classes"),
        same_owner("file_id", "files", keep=True),
        parent(),
        Index("ix_materials_class_id_created_at", "class_id", "created_at"),
        Index("ix_materials_user_id_created_at", "user_id", "created_at"),
        Index("ix_materials_deleted_at", "deleted_at", postgresql_where=sql("deleted_at IS NOT NULL")),
        Index("uq_materials_class_id_checksum", "class_id", "checksum", unique=True, postgresql_where=LIVE),
        trigrams("materials", "title"),
    )


class MaterialSegment(Base, Identified, Owned):
    """A page, slide, section or transcript span, with its text. Boxes are fractions of the page, offsets count characters of `text`."""

    __tablename__ = "material_segments"

    material_id: Mapped[UUID] = mapped_column(comment="Its material.")
    ordinal: Mapped[int] = mapped_column(Integer, comment="Position in the material, from 0.")
    kind: Mapped[str] = mapped_column(comment="page, slide, section or span.")
    number: Mapped[int] = mapped_column(Integer, comment="Number a person would say: page 57, slide 12.")
    label: Mapped[str | None] = mapped_column(comment="Number printed on it, where it differs: iv, A-3.")
    t_start: Mapped[float | None] = mapped_column(comment="Of a span: first second.")
    t_end: Mapped[float | None] = mapped_column(comment="Of a span: last second.")
    heading_path: Mapped[list[str]] = mapped_column(
        server_default=sql("'{}'"), comment="Headings above its start."
    )
    heading_levels: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), server_default=sql("'{}'"), comment="Their levels, from 1."
    )
    text: Mapped[str] = mapped_column(comment="Its text.")
    lines: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="[start, end, x0, y0, x1, y1] of each printed line."
    )
    blocks: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"),
        comment="[type, start, end, level] of each paragraph, list, table or formula.",
    )
    words: Mapped[list[Any]] = mapped_column(
        server_default=sql("'[]'"), comment="[start, end, t_start, t_end] of each spoken word."
    )
    notice: Mapped[str | None] = mapped_column(comment="Why a part of it could not be read.")
    staged: Mapped[bool] = mapped_column(
        server_default=sql("false"),
        comment="Still being read; takes the place of the others once all are there.",
    )

    __table_args__ = (
        one_of("kind", SEGMENT_KINDS),
        same_owner("material_id", "materials"),
        UniqueConstraint("material_id", "staged", "ordinal"),
        Index("ix_material_segments_user_id", "user_id"),
    )


class Chunk(Base, Identified, Owned):
    """What search finds: a passage of a material. Replaced as a whole when the material is processed again."""

    __tablename__ = "chunks"

    class_id: Mapped[UUID] = mapped_column(index=True, comment="Its class.")
    material_id: Mapped[UUID] = mapped_column(comment="Its material.")
    ordinal: Mapped[int] = mapped_column(Integer, comment="Position in the material, from 0.")
    segment: Mapped[int] = mapped_column(Integer, comment="Ordinal of the segment it stands in.")
    type: Mapped[str] = mapped_column(comment="text, heading, list, table, formula, caption or transcript.")
    text: Mapped[str] = mapped_column(comment="The passage.")
    char_start: Mapped[int] = mapped_column(
        Integer, comment="First character, counted in the segment's text."
    )
    char_end: Mapped[int] = mapped_column(Integer, comment="Character after the last one.")
    heading_path: Mapped[list[str]] = mapped_column(server_default=sql("'{}'"), comment="Headings above it.")
    token_count: Mapped[int] = mapped_column(Integer, comment="Tokens of the embedding model.")
    word_count: Mapped[int] = mapped_column(
        Integer, comment="Lexemes with repeats: the document length of BM25."
    )
    language: Mapped[str | None] = mapped_column(comment="Language (BCP 47).")
    summary: Mapped[str | None] = mapped_column(comment="One sentence, where one was made.")
    text_config: Mapped[str] = mapped_column(
        server_default=sql("'english'"), comment="Text search configuration of its lexemes."
    )
    lexemes: Mapped[str] = mapped_column(
        TSVECTOR, Computed("lyceum_lexemes(text_config, heading_path, text)", persisted=True), deferred=True,
        comment="Its words and its headings', reduced to stems.",
    )  # fmt: skip
    embedding_model: Mapped[str | None] = mapped_column(
        comment="Set once its vector stands in the collection."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the row was made.")

    __table_args__ = (
        one_of("type", CHUNK_TYPES),
        same_owner("class_id", "classes"),
        same_owner("material_id", "materials"),
        UniqueConstraint("material_id", "ordinal"),
        Index("ix_chunks_user_id_material_id", "user_id", "material_id"),
        Index("ix_chunks_waiting", "material_id", "ordinal", postgresql_where=sql("embedding_model IS NULL")),
    )


class ChunkPosting(Base):
    """The inverted index of one material: for a lexeme, which chunks hold it, how often, and how long those chunks are."""

    __tablename__ = "chunk_postings"

    material_id: Mapped[UUID] = mapped_column(primary_key=True, comment="Its material.")
    lexeme: Mapped[str] = mapped_column(primary_key=True, comment="A word's stem.")
    class_id: Mapped[UUID] = mapped_column(comment="Its class.")
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, comment="The user whose row this is."
    )
    ordinals: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), comment="Ordinals of the chunks that hold it."
    )
    frequencies: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), comment="How often, chunk by chunk.")
    lengths: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), comment="Word counts of those chunks.")

    __table_args__ = (
        same_owner("class_id", "classes"),
        same_owner("material_id", "materials"),
        Index("ix_chunk_postings_class_id_lexeme", "class_id", "lexeme"),
    )


class Figure(Base, Identified, Owned):
    """A picture, table or formula on a page, with its caption."""

    __tablename__ = "figures"

    material_id: Mapped[UUID] = mapped_column(comment="Its material.")
    ordinal: Mapped[int] = mapped_column(Integer, comment="Position in the material, from 0.")
    segment: Mapped[int] = mapped_column(Integer, comment="Ordinal of the segment it stands in.")
    kind: Mapped[str] = mapped_column(comment="figure, diagram, photo, table or formula.")
    label: Mapped[str | None] = mapped_column(comment="What the text calls it: Figure 3.")
    caption: Mapped[str | None] = mapped_column(comment="The words below or above it.")
    text: Mapped[str | None] = mapped_column(comment="Words found in it.")
    box: Mapped[list[float] | None] = mapped_column(comment="x0, y0, x1, y1 as fractions of the page.")
    chunk: Mapped[int | None] = mapped_column(Integer, comment="Ordinal of the chunk it stands beside.")
    file_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The picture cut out, where it was kept."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the row was made.")

    __table_args__ = (
        one_of("kind", FIGURE_KINDS),
        same_owner("material_id", "materials"),
        same_owner("file_id", "files", keep=True),
        UniqueConstraint("material_id", "ordinal"),
        Index("ix_figures_user_id", "user_id"),
    )
