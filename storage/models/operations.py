"""Jobs in the background and the audit trail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Identified, Json, Owned, Timestamped, one_of, same_owner

JOB_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


class Job(Base, Identified, Owned, Timestamped):
    """The truth about a piece of background work; the Redis stream only says where to look. A worker holds a running
    job by a lease that it renews; when the lease has passed, any worker may take it."""

    __tablename__ = "jobs"

    kind: Mapped[str] = mapped_column(comment="What is to be done: ingest_material, generate_test, …")
    material_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The material it works on, if it does."
    )
    status: Mapped[str] = mapped_column(
        server_default=text("'queued'"), comment="queued, running, succeeded, failed or cancelled."
    )
    priority: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Higher comes first.")
    arguments: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="What the worker needs to know."
    )
    result: Mapped[Json | None] = mapped_column(comment="What came out: ids and counts.")
    progress_done: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Steps done.")
    progress_total: Mapped[int | None] = mapped_column(comment="Steps in all, once known.")
    progress_message: Mapped[str | None] = mapped_column(comment="What is being done.")
    attempts: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Times a worker took it."
    )
    max_attempts: Mapped[int] = mapped_column(
        Integer, server_default=text("3"), comment="Times before it fails for good."
    )
    run_after: Mapped[datetime | None] = mapped_column(
        comment="Not before this time: the pause before another try."
    )
    worker: Mapped[str | None] = mapped_column(comment="Name of the worker that holds it.")
    lease_until: Mapped[datetime | None] = mapped_column(comment="Until when, unless it renews.")
    cancel_requested: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Its owner wants it stopped."
    )
    error_code: Mapped[str | None] = mapped_column(comment="Why it failed, for programs.")
    error: Mapped[str | None] = mapped_column(comment="Why it failed, in a sentence.")
    started_at: Mapped[datetime | None] = mapped_column(comment="When a worker last took it.")
    finished_at: Mapped[datetime | None] = mapped_column(comment="When it ended.")

    __table_args__ = (
        one_of("status", JOB_STATUSES),
        same_owner("material_id", "materials"),
        Index("ix_jobs_user_id_created_at", "user_id", "created_at"),
        Index("ix_jobs_user_id_started_at", "user_id", "started_at"),
        Index(
            "ix_jobs_open", "status", "lease_until", postgresql_where=text("status IN ('queued', 'running')")
        ),
        Index("ix_jobs_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )


class AuditLog(Base):
    """Who did what. One row for every WRITE and DESTROY call, also the failed ones; monthly partitions, kept for 2 years."""

    __tablename__ = "audit_logs"

    id: Mapped[UUID] = mapped_column(primary_key=True, comment="UUIDv7, made by the application.")
    created_at: Mapped[datetime] = mapped_column(primary_key=True, comment="When; decides the partition.")
    user_id: Mapped[UUID] = mapped_column(
        comment="Who; no foreign key, so that the trail never stops a deletion."
    )
    action: Mapped[str] = mapped_column(comment="Name of the tool.")
    surface: Mapped[str] = mapped_column(comment="Way in: http, mcp, chat, cli, …")
    arguments: Mapped[Json] = mapped_column(
        comment="Arguments without secrets and file bodies, texts cut short."
    )
    entity_type: Mapped[str | None] = mapped_column(comment="Table of the item.")
    entity_id: Mapped[UUID | None] = mapped_column(comment="The item that was made or changed.")
    old_values: Mapped[Json | None] = mapped_column(comment="Changed columns before.")
    new_values: Mapped[Json | None] = mapped_column(comment="Changed columns after.")
    is_success: Mapped[bool] = mapped_column(comment="Whether it worked.")
    error_code: Mapped[str | None] = mapped_column(comment="Why it did not, for programs.")
    error_message: Mapped[str | None] = mapped_column(comment="Why it did not, in a sentence.")
    ip_address: Mapped[str | None] = mapped_column(comment="Where from.")
    user_agent: Mapped[str | None] = mapped_column(comment="With what program.")
    session_id: Mapped[UUID | None] = mapped_column(comment="From which signed-in device.")
    key_id: Mapped[UUID | None] = mapped_column(comment="With which API key.")
    client_id: Mapped[UUID | None] = mapped_column(comment="Which connected program (oauth_clients) did it.")

    __table_args__ = (
        Index("ix_audit_logs_user_id_created_at", "user_id", "created_at"),
        Index("ix_audit_logs_entity_id", "entity_id", postgresql_where=text("entity_id IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )


class Upkeep(Base):
    """One row per recurring task of the whole installation, held by a lease as a job is. Nobody's data."""

    __tablename__ = "upkeep"

    task: Mapped[str] = mapped_column(
        primary_key=True, comment="Name of the task: daily purge, account erasure."
    )
    worker: Mapped[str | None] = mapped_column(comment="Name of the worker that does it now.")
    lease_until: Mapped[datetime | None] = mapped_column(comment="Until when, unless it renews.")
    position: Mapped[str | None] = mapped_column(
        comment="How far it is, so that another worker goes on from there."
    )
    started_at: Mapped[datetime | None] = mapped_column(comment="When the current or last turn began.")
    finished_at: Mapped[datetime | None] = mapped_column(comment="When the last turn ended.")
    removed: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="What the last turn removed, counted."
    )
    error: Mapped[str | None] = mapped_column(comment="Why the last turn failed.")


class SealKey(Base):
    """The one secret that `lyceum_seal` signs a caller's id with, made by the migration. No role may read it."""

    __tablename__ = "seal_keys"

    key: Mapped[bytes] = mapped_column(primary_key=True, comment="32 random bytes.")
