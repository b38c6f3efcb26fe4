"""What people show to others: public links, classmates, shared items."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, func
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from storage.models.base import Base, Identified, Owned, Timestamped, one_of, same_owner

SHARED = {
    "material_id": "materials",
    "note_id": "notes",
    "deck_id": "decks",
    "test_id": "tests",
    "document_id": "documents",
    "course_id": "courses",
}
CONNECTION_STATUSES = ("pending", "accepted", "declined", "blocked")


class Targeted:
    """Points at exactly one thing of the same owner."""

    material_id: Mapped[UUID | None] = mapped_column(index=True, comment="The material.")
    note_id: Mapped[UUID | None] = mapped_column(index=True, comment="The note.")
    deck_id: Mapped[UUID | None] = mapped_column(index=True, comment="The deck.")
    test_id: Mapped[UUID | None] = mapped_column(index=True, comment="The test.")
    document_id: Mapped[UUID | None] = mapped_column(index=True, comment="The document.")
    course_id: Mapped[UUID | None] = mapped_column(index=True, comment="The course.")

    own_constraints: ClassVar[tuple[Any, ...]] = ()

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            *cls.own_constraints,
            CheckConstraint(f"num_nonnulls({', '.join(SHARED)}) = 1", name="target"),
            *(same_owner(column, table) for column, table in SHARED.items()),
        )


class ShareLink(Base, Identified, Owned, Timestamped, Targeted):
    """A public link to one thing. A view is counted in one statement with the check of the limit, after the password was right."""

    __tablename__ = "share_links"

    code: Mapped[str] = mapped_column(unique=True, comment="What stands in the address; 128 random bits.")
    password_hash: Mapped[str | None] = mapped_column(comment="Argon2id; null for no password.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When it ends by itself.")
    max_views: Mapped[int | None] = mapped_column(comment="How often it can be opened; null for no limit.")
    view_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"), comment="How often it was.")
    last_accessed_at: Mapped[datetime | None] = mapped_column(comment="When it was last opened.")
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When its owner ended it.")

    own_constraints = (
        CheckConstraint("max_views > 0", name="max_views"),
        CheckConstraint("view_count <= max_views", name="view_count"),
        Index("ix_share_links_user_id_created_at", "user_id", "created_at"),
        Index("ix_share_links_expires_at", "expires_at", postgresql_where=sql("revoked_at IS NULL")),
    )


class Connection(Base, Identified, Owned, Timestamped):
    """Two classmates. One asks; only the other can accept, by the function `lyceum_answer_connection`."""

    __tablename__ = "connections"

    classmate_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), comment="The one who was asked."
    )
    status: Mapped[str] = mapped_column(
        server_default=sql("'pending'"), comment="pending, accepted, declined or blocked."
    )
    message: Mapped[str | None] = mapped_column(comment="Words with the request.")
    answered_at: Mapped[datetime | None] = mapped_column(comment="When it was answered.")

    __table_args__ = (
        one_of("status", CONNECTION_STATUSES),
        CheckConstraint("user_id <> classmate_id", name="two_people"),
        Index(
            "uq_connections_pair",
            func.least(sql("user_id"), sql("classmate_id")),
            func.greatest(sql("user_id"), sql("classmate_id")),
            unique=True,
        ),
        Index("ix_connections_user_id_status", "user_id", "status"),
        Index("ix_connections_classmate_id_status", "classmate_id", "status"),
    )


class SharedItem(Base, Identified, Owned, Timestamped, Targeted):
    """A thing that its owner lets one classmate read and copy; deleting the row ends it."""

    __tablename__ = "shared_items"

    recipient_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), comment="The classmate who may read it."
    )
    message: Mapped[str | None] = mapped_column(comment="Words with it.")

    own_constraints = (
        CheckConstraint("user_id <> recipient_id", name="two_people"),
        UniqueConstraint(
            "recipient_id", *SHARED, name="uq_shared_items_once", postgresql_nulls_not_distinct=True
        ),
        Index("ix_shared_items_recipient_id_created_at", "recipient_id", "created_at"),
        Index("ix_shared_items_user_id_created_at", "user_id", "created_at"),
    )
