"""What every table shares: naming of constraints, UUIDv7 keys, timestamps, the owner column."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, MetaData, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Owner = Annotated[UUID, mapped_column(ForeignKey("users.id", ondelete="CASCADE"))]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Identified:
    """A UUIDv7 key made by the application, so that it is known before the row is written."""

    id: Mapped[UUID] = mapped_column(primary_key=True)


class Timestamped:
    """`updated_at` is kept by the trigger `set_updated_at`."""

    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class SoftDeleted:
    deleted_at: Mapped[Timestamp | None]
