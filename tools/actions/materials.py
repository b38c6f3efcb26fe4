"""Materials: what a student studies from. List, delete and restore; adding them is in `adding`, reading in `reading`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import Conflict
from storage.models import Class, Job, Material
from storage.vectors.names import collection_name
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, Limit, MaterialRef
from tools.intake import INGEST, queue_ingest
from tools.spec import Effect, Input, tool

Status = Literal["queued", "processing", "searchable", "ready", "failed", "cancelled"]


class JobProgress(BaseModel):
    done: int
    total: int | None
    message: str | None


class MaterialItem(BaseModel):
    id: UUID
    class_id: UUID
    title: str
    kind: str
    status: Status = Field(
        description="queued, processing, searchable (words can be searched, meaning is still being indexed), ready, failed or cancelled."
    )
    error_code: str | None
    error: str | None = Field(description="Why it failed, in one sentence.")
    notice: str | None = Field(description="What to know of it, such as pages that could not be read.")
    source_url: str | None = Field(
        description="Where it was fetched from. To an address at youtu.be, ?t= adds the second."
    )
    language: str | None
    segment_kind: str | None = Field(description="What it is divided into: page, slide, section or span.")
    page_count: int | None = Field(description="How many of them.")
    duration_seconds: float | None = Field(description="Of a recording.")
    word_count: int | None
    chunk_count: int
    embedding_model: str | None
    created_at: datetime
    job_id: UUID | None
    progress: JobProgress | None = Field(description="How far the job is, while one runs.")

    @classmethod
    def of(cls, row: Material, job: Job | None) -> "MaterialItem":
        fields = {n: getattr(row, n) for n in cls.model_fields if n not in ("job_id", "progress")}
        running = job is not None and job.status in ("queued", "running")
        progress = (
            JobProgress(done=job.progress_done, total=job.progress_total, message=job.progress_message)
            if job is not None and running
            else None
        )
        return cls(**fields, job_id=job.id if job else None, progress=progress)


async def with_job(ctx: ToolContext, row: Material) -> MaterialItem:
    return MaterialItem.of(row, (await ctx.db.jobs.latest_for([row.id])).get(row.id))


class MaterialList(BaseModel):
    items: list[MaterialItem]
    next_cursor: str | None
    total: int


class ListMaterials(Input):
    class_id: ClassRef | None = None
    status: Status | None = None
    limit: Limit = 20
    cursor: Cursor = None


@tool(effect=Effect.READ, toolset="materials")
async def list_materials(ctx: ToolContext, args: ListMaterials) -> MaterialList:
    """List materials, of one class or of all, newest first, with their status and progress. What is in them finds
    search_materials."""
    target = await ctx.db.classes.resolve(args.class_id) if args.class_id else None
    page = await ctx.db.materials.recent(
        class_id=target.id if target else None, status=args.status, limit=args.limit, cursor=args.cursor
    )
    jobs = await ctx.db.jobs.latest_for([row.id for row in page.items])
    items = [MaterialItem.of(row, jobs.get(row.id)) for row in page.items]
    return MaterialList(items=items, next_cursor=page.next_cursor, total=page.total)


class OneMaterial(Input):
    material_id: MaterialRef


@tool(effect=Effect.READ, toolset="materials")
async def get_material(ctx: ToolContext, args: OneMaterial) -> MaterialItem:
    """Look at one material: status, size, language, and how far its job is. Use read_material for its text."""
    return await with_job(ctx, await ctx.db.materials.resolve(args.material_id))


class DeletedMaterial(BaseModel):
    id: UUID
    title: str


@tool(effect=Effect.DESTROY, toolset="materials")
async def delete_material(ctx: ToolContext, args: OneMaterial) -> DeletedMaterial:
    """Delete a material. It is not found any more; restore_material brings it back within 30 days."""
    row = await ctx.db.materials.resolve(args.material_id)
    for job in (await ctx.db.jobs.latest_for([row.id])).values():
        if job.status in ("queued", "running"):
            await ctx.db.jobs.cancel(job)
    await ctx.db.materials.set(row.id, deleted_at=ctx.now())
    target = await ctx.db.classes.resolve(str(row.class_id))
    ctx.after_commit.append(lambda: forget_vectors(ctx, row.id, collection_of(target, row)))
    return DeletedMaterial(id=row.id, title=row.title)


async def forget_vectors(ctx: ToolContext, material_id: UUID, collection: str) -> None:
    """Once a worker sees that the material is deleted, so that this waits for no more than the batch it is at."""
    async with ctx.storage.as_user(ctx.principal.user_id) as db:
        ids = await db.materials.forget_vectors(material_id)
    await ctx.storage.vectors.delete(collection, ids)


def collection_of(target: Class, row: Material) -> str:
    return collection_name(target.collection_prefix, row.kind)


@tool(effect=Effect.WRITE, toolset="materials")
async def reprocess_material(ctx: ToolContext, args: OneMaterial) -> MaterialItem:
    """Read a material once more, for instance after its reading was improved. Its old text can be searched until then."""
    row = await ctx.db.materials.resolve(args.material_id)
    if await ctx.db.jobs.count_open(INGEST, row.id):
        raise Conflict(
            "This material is being read right now. Wait for its job, or stop it with cancel_job.",
            code="material_busy",
        )
    await ctx.db.materials.set(row.id, status="queued", error=None, error_code=None)
    job = await queue_ingest(ctx, ctx.db, row.id, is_fresh=True)
    return MaterialItem.of(row, job)


@tool(effect=Effect.WRITE, toolset="materials")
async def restore_material(ctx: ToolContext, args: OneMaterial) -> MaterialItem:
    """Bring a deleted material back. Its words can be searched at once; a job indexes its meaning again."""
    row = await ctx.db.materials.resolve(args.material_id, deleted=True)
    status = "searchable" if row.chunk_count else "queued"
    await ctx.db.materials.restore(row, status)
    job = await queue_ingest(ctx, ctx.db, row.id)
    return MaterialItem.of(row, job)
