"""Classes and the material in them: files, segments with locators, chunks and the inverted index over lexemes."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    func,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from storage.models.base import Base, Identified, SoftDeleted, Timestamp, Timestamped

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


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A check constraint named after its column: `column IN (...)`."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=column)


class Class(Base, Identified, Timestamped, SoftDeleted):
    """`collection_prefix` begins the names of the class's vector collections; unique across all users, never changed."""

    __tablename__ = "classes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    teacher_name: Mapped[str | None] = mapped_column(Text)
    period: Mapped[str | None] = mapped_column(Text)
    color: Mapped[str | None] = mapped_column(Text)
    icon: Mapped[str | None] = mapped_column(Text)
    collection_prefix: Mapped[str] = mapped_column(Text, unique=True)

    __table_args__ = (
        Index(
            "uq_classes_user_id_name",
            "user_id",
            func.lower(name),
            unique=True,
            postgresql_where=sql("deleted_at IS NULL"),
        ),
    )


class File(Base, Identified, Timestamped, SoftDeleted):
    """An object in the file store. `object_key` is its path there."""

    __tablename__ = "files"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(Text)
    object_key: Mapped[str] = mapped_column(Text, unique=True)
    media_type: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)


class Material(Base, Identified, Timestamped, SoftDeleted):
    """One thing a student studies from. Words are searchable from status `searchable` on, vectors too from `ready` on."""

    __tablename__ = "materials"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    class_id: Mapped[UUID] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)
    title: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default=sql("'queued'"))
    error_code: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    checksum: Mapped[bytes] = mapped_column(LargeBinary)
    language: Mapped[str | None] = mapped_column(Text)
    segment_kind: Mapped[str | None] = mapped_column(Text)
    page_count: Mapped[int | None]
    word_count: Mapped[int | None]
    duration_seconds: Mapped[float | None] = mapped_column(Float)
    chunk_count: Mapped[int] = mapped_column(server_default=sql("0"))
    embedding_model: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("kind", MATERIAL_KINDS),
        one_of("status", MATERIAL_STATUSES),
        Index("ix_materials_class_id_created_at", "class_id", "created_at"),
        Index("ix_materials_user_id_created_at", "user_id", "created_at"),
        Index(
            "uq_materials_class_id_checksum",
            "class_id",
            "checksum",
            unique=True,
            postgresql_where=sql("deleted_at IS NULL"),
        ),
    )


class MaterialSegment(Base, Identified):
    """A page, slide, section or transcript span. `lines` holds [start, end, x0, y0, x1, y1] per printed line;
    `blocks` holds [type, start, end, level]. Offsets count characters of `text`, boxes are page fractions."""

    __tablename__ = "material_segments"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    material_id: Mapped[UUID] = mapped_column(ForeignKey("materials.id", ondelete="CASCADE"))
    ordinal: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    label: Mapped[str | None] = mapped_column(Text)
    heading_path: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql("'{}'"))
    heading_levels: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=sql("'{}'"))
    text: Mapped[str] = mapped_column(Text)
    lines: Mapped[list[Any]] = mapped_column(JSONB, server_default=sql("'[]'"))
    blocks: Mapped[list[Any]] = mapped_column(JSONB, server_default=sql("'[]'"))

    __table_args__ = (one_of("kind", SEGMENT_KINDS), UniqueConstraint("material_id", "ordinal"))


class Chunk(Base, Identified):
    """What search finds. `embedding_model` is set once the vector stands in the collection; `word_count` is the
    document length of BM25."""

    __tablename__ = "chunks"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"), index=True)
    material_id: Mapped[UUID] = mapped_column(ForeignKey("materials.id", ondelete="CASCADE"))
    ordinal: Mapped[int] = mapped_column(Integer)
    segment: Mapped[int] = mapped_column(Integer)
    type: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    char_start: Mapped[int] = mapped_column(Integer)
    char_end: Mapped[int] = mapped_column(Integer)
    heading_path: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql("'{}'"))
    token_count: Mapped[int] = mapped_column(Integer)
    word_count: Mapped[int] = mapped_column(Integer)
    language: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    text_config: Mapped[str] = mapped_column(Text, server_default=sql("'english'"))
    lexemes: Mapped[str] = mapped_column(
        TSVECTOR, Computed("lyceum_lexemes(text_config, heading_path, text)", persisted=True), deferred=True
    )
    embedding_model: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        one_of("type", CHUNK_TYPES),
        UniqueConstraint("material_id", "ordinal"),
        Index("ix_chunks_lexemes", "lexemes", postgresql_using="gin"),
        Index(
            "ix_chunks_waiting",
            "material_id",
            "ordinal",
            postgresql_where=sql("embedding_model IS NULL"),
        ),
    )


class ChunkPosting(Base):
    """The inverted index of one material: for a lexeme, which chunks (by ordinal) hold it, how often, and how long
    those chunks are. Three arrays of one length. A class's statistics are sums over its materials."""

    __tablename__ = "chunk_postings"

    material_id: Mapped[UUID] = mapped_column(
        ForeignKey("materials.id", ondelete="CASCADE"), primary_key=True
    )
    lexeme: Mapped[str] = mapped_column(Text, primary_key=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    ordinals: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    frequencies: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    lengths: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))

    __table_args__ = (Index("ix_chunk_postings_class_id_lexeme", "class_id", "lexeme"),)
