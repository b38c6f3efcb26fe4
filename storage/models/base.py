"""What every table shares: naming of constraints, types, keys, timestamps, owners, evidence; and the constraints we repeat."""

import inspect
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

LIVE = sql("deleted_at IS NULL")

Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Json = dict[str, Any]


class Base(DeclarativeBase):
    """The docstring of a model is also its table's comment in the database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name and form that SQLAlchemy reads
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
        list[str]: ARRAY(Text()),
        list[float]: ARRAY(Double()),
        list[UUID]: ARRAY(Uuid()),
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table):
            table.comment = " ".join(inspect.cleandoc(cls.__doc__ or "").split())


class Identified:
    """A UUIDv7 key made by the application, so that it is known before the row is written."""

    id: Mapped[UUID] = mapped_column(
        primary_key=True, sort_order=-100, comment="UUIDv7, made by the application."
    )


class Owned:
    """A row of one user. Row-level security compares the column with the caller."""

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), sort_order=-90, comment="The user whose row this is."
    )


class Timestamped:
    """`updated_at` is kept by the trigger `set_updated_at`."""

    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), sort_order=100, comment="When the row was made."
    )
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), sort_order=101, comment="When it was last changed; kept by a trigger."
    )


class SoftDeleted:
    """Can be restored until the purge, 30 days later."""

    deleted_at: Mapped[datetime | None] = mapped_column(
        sort_order=102, comment="When its owner deleted it; purged 30 days later."
    )


class Shareable:
    """What the members of its class may be allowed to read."""

    shared_with_class: Mapped[bool] = mapped_column(
        server_default=sql("false"), sort_order=90, comment="Whether the members of its class may read it."
    )


class Generated:
    """How an item was made, when it was not written by a person."""

    model: Mapped[str | None] = mapped_column(
        sort_order=80, comment="What made it: builtin or provider:name; null when a person wrote it."
    )
    parameters: Mapped[Json] = mapped_column(
        server_default=sql("'{}'"),
        sort_order=81,
        comment="What the maker was told: prompt version, seed, temperature.",
    )
    quality_score: Mapped[float | None] = mapped_column(
        sort_order=82, comment="Judgement of the gate, 0 to 1; falls with bad ratings."
    )


class Evidenced(Generated):
    """A generated item with the passage that supports it."""

    source_chunk_ids: Mapped[list[UUID]] = mapped_column(
        server_default=sql("'{}'"), sort_order=83,
        comment="Chunks it was made from; no foreign key, since reprocessing replaces chunks.",
    )  # fmt: skip
    material_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("materials.id", ondelete="SET NULL"), index=True, sort_order=84,
        comment="The material of those chunks.",
    )  # fmt: skip
    quote: Mapped[str | None] = mapped_column(
        sort_order=85, comment="The sentence that supports it, word for word."
    )
    locator: Mapped[Json | None] = mapped_column(
        sort_order=86, comment="Where the quote stands: page, slide or seconds, character range, boxes."
    )


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A check constraint named after its column: `column IN (...)`."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(v) for v in values)})", name=column)


def between(column: str, low: float, high: float) -> CheckConstraint:
    """A check constraint named after its column: both ends are allowed, and so is null."""
    return CheckConstraint(f"{column} BETWEEN {low} AND {high}", name=column)


def parent() -> UniqueConstraint:
    """What a composite foreign key of a child points at; also the index by owner."""
    return UniqueConstraint("user_id", "id")


def same_owner(
    column: str, table: str, *, keep: bool = False, owner: str = "user_id"
) -> ForeignKeyConstraint:
    """A foreign key that a row can only fill with a parent of the same owner.

    Deleting the parent deletes the row, or with `keep` only empties the column.
    """
    return ForeignKeyConstraint(
        [column, owner],
        [f"{table}.id", f"{table}.user_id"],
        ondelete=f"SET NULL ({column})" if keep else "CASCADE",
    )


def shared_in_class(table: str) -> Index:
    """Finds the few items that the people of a class share with it."""
    return Index(
        f"ix_{table}_shared", "class_id", postgresql_where=sql("shared_with_class AND deleted_at IS NULL")
    )


def trigrams(table: str, column: str) -> Index:
    """Finds titles with typos (pg_trgm); only of live rows."""
    return Index(
        f"ix_{table}_{column}_trigrams", column, postgresql_using="gin", postgresql_where=LIVE,
        postgresql_ops={column: "gin_trgm_ops"},
    )  # fmt: skip
