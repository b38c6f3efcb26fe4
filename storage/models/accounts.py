"""People, their signed-in devices and their API keys."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from storage.models.base import Base, Identified, SoftDeleted, Timestamp, Timestamped


class User(Base, Identified, Timestamped, SoftDeleted):
    """`is_local_owner` marks the account that a laptop's first start makes; it has no password until one is set."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_local_owner: Mapped[bool] = mapped_column(server_default=text("false"))
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    last_login_at: Mapped[Timestamp | None]

    __table_args__ = (
        Index("uq_users_email", func.lower(email), unique=True),
        Index("uq_users_local_owner", is_local_owner, unique=True, postgresql_where=text("is_local_owner")),
    )


class UserSession(Base, Identified, Timestamped):
    """One signed-in device: a short access token and a refresh token that rotates; only hashes are kept (SHA-256)."""

    __tablename__ = "user_sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    access_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    access_expires_at: Mapped[Timestamp]
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    refresh_expires_at: Mapped[Timestamp]
    previous_refresh_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    rotated_at: Mapped[Timestamp | None]
    device: Mapped[str | None] = mapped_column(Text)
    ip_address: Mapped[str | None] = mapped_column(Text)
    last_used_at: Mapped[Timestamp | None]
    revoked_at: Mapped[Timestamp | None]


class ApiKey(Base, Identified, Timestamped):
    """A key for programs. The key itself is shown once; `prefix` lets a person recognise it in a list."""

    __tablename__ = "api_keys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[Timestamp | None]
    last_used_at: Mapped[Timestamp | None]
    revoked_at: Mapped[Timestamp | None]
