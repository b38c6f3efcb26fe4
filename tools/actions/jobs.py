"""Jobs: what runs in the background, how far it is, and stopping or repeating it."""

import asyncio
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.models import Job
from storage.repositories.jobs import FINAL
from tools.context import ToolContext
from tools.fields import Cursor, JobRef, Limit
from tools.ingest.ending import note_end
from tools.intake import INGEST, announce_later
from tools.job_news import follow, read_state
from tools.spec import Effect, Input, tool
from tools.worker import tell

LONGEST_WAIT = 50
"""Seconds: many clients give a call up after 60."""
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class JobItem(BaseModel):
    id: UUID
    kind: str
    status: Status
    material_id: UUID | None
    done: int = Field(description="Units done, e.g. pages.")
    total: int | None
    message: str | None
    attempts: int
    error_code: str | None
    error: str | None
    result: dict[str, Any] | None = Field(
        description="What it made, once it has succeeded; its form follows the kind."
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Job) -> "JobItem":
        fields = {n: getattr(row, n) for n in cls.model_fields if n not in ("done", "total", "message")}
        return cls(**fields, done=row.progress_done, total=row.progress_total, message=row.progress_message)


class JobList(BaseModel):
    items: list[JobItem]
    next_cursor: str | None
    total: int


class ListJobs(Input):
    status: Status | None = None
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="jobs")
async def list_jobs(ctx: ToolContext, args: ListJobs) -> JobList:
    """List background jobs, newest first, with their progress."""
    page = await ctx.db.jobs.recent(status=args.status, limit=args.limit, cursor=args.cursor)
    return JobList(
        items=[JobItem.of(row) for row in page.items], next_cursor=page.next_cursor, total=page.total
    )


class OneJob(Input):
    job_id: JobRef


class GetJob(OneJob):
    wait_seconds: int = Field(
        default=0,
        ge=0,
        le=LONGEST_WAIT,
        description="Wait so long for it to end, rather than ask again and again.",
    )


@tool(effect=Effect.READ, toolset="jobs", own_transaction=True)
async def get_job(ctx: ToolContext, args: GetJob) -> JobItem:
    """Look at one job: its status, how far it is, and why it failed. Can wait for its end."""
    found = await read_job(ctx, args.job_id)
    if args.wait_seconds == 0 or found.status in FINAL:
        return found
    with suppress(TimeoutError):
        async with asyncio.timeout(args.wait_seconds):
            await watch(ctx, found)
    return await read_job(ctx, args.job_id)


async def read_job(ctx: ToolContext, job_id: str) -> JobItem:
    async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
        return JobItem.of(await db.jobs.get(job_id))


async def watch(ctx: ToolContext, found: JobItem) -> None:
    """Pass on how far the job is until it ends. Progress only grows, as MCP wants it, though a retry begins anew."""
    first = await read_state(ctx.storage, ctx.principal, found.id)
    told = first["done"]
    await ctx.progress(told, first["total"], first["message"] or first["status"])
    async with aclosing(follow(ctx.storage, ctx.principal, found.id, first)) as states:
        async for state in states:
            if state["done"] > told:
                told = state["done"]
                await ctx.progress(told, state["total"], state["message"] or state["status"])


@tool(effect=Effect.WRITE, toolset="jobs")
async def cancel_job(ctx: ToolContext, args: OneJob) -> JobItem:
    """Stop a job. What it has done so far is kept; retry_job goes on from there."""
    row = await ctx.db.jobs.cancel(await ctx.db.jobs.get(args.job_id))
    if row.status == "cancelled":
        if row.kind == INGEST:
            await note_end(ctx.db, row, "cancelled", None, None)
        ctx.after_commit.append(
            lambda: tell(ctx.storage, row.id, "cancelled", row.progress_done, row.progress_total, None)
        )
    return JobItem.of(row)


@tool(effect=Effect.WRITE, toolset="jobs")
async def retry_job(ctx: ToolContext, args: OneJob) -> JobItem:
    """Run a failed or cancelled job again, from where it stopped."""
    row = await ctx.db.jobs.retry(await ctx.db.jobs.get(args.job_id))
    if row.material_id:
        await ctx.db.materials.back_to_work(row.material_id)
    announce_later(ctx, row.id)
    return JobItem.of(row)
