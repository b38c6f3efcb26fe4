"""Jobs in the background and the audit trail."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from storage.models.base import Base, Identified, Timestamp, Timestamped
from storage.models.materials import one_of

JOB_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


class Job(Base, Identified, Timestamped):
    """The truth about a piece of background work; the Redis stream only says where to look.

    A worker holds a running job by a lease that it renews; when `lease_until` has passed, any worker may take it.
    """

    __tablename__ = "jobs"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    material_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("materials.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str] = mapped_column(Text, server_default=text("'queued'"))
    priority: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    progress_done: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    progress_total: Mapped[int | None]
    progress_message: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(Integer, server_default=text("3"))
    run_after: Mapped[Timestamp | None]
    worker: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[Timestamp | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    error_code: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[Timestamp | None]
    finished_at: Mapped[Timestamp | None]

    __table_args__ = (
        one_of("status", JOB_STATUSES),
        Index("ix_jobs_user_id_created_at", "user_id", "created_at"),
        Index(
            "ix_jobs_open", "status", "lease_until", postgresql_where=text("status IN ('queued', 'running')")
        ),
    )


class AuditLog(Base):
    """Who did what. One row for every WRITE and DESTROY call, also the failed ones; monthly partitions."""

    __tablename__ = "audit_logs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[Timestamp] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column()
    action: Mapped[str] = mapped_column(Text)
    surface: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    entity_id: Mapped[UUID | None]
    is_success: Mapped[bool]
    error_message: Mapped[str | None] = mapped_column(Text)
    ip_address: Mapped[str | None] = mapped_column(Text)
    user_agent: Mapped[str | None] = mapped_column(Text)
    session_id: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_audit_logs_user_id_created_at", "user_id", "created_at"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )
