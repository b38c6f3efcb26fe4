"""Materials: what a student studies from. Upload, list, read, delete and restore."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from storage.errors import InvalidInput, NotFound
from storage.models import Class, Job, Material, MaterialSegment
from storage.vectors.names import collection_name
from tools.context import ToolContext
from tools.fields import ClassRef, Cursor, Limit, MaterialRef
from tools.intake import Taken, discard, make_material, once, queue_ingest, receive
from tools.spec import Effect, Input, tool

Kind = Annotated[
    Literal["textbook", "slides", "lecture", "recording", "photo", "web_page", "text", "past_paper"],
    Field(description="What it is; guessed from the file when left out."),
]
Status = Literal["queued", "processing", "searchable", "ready", "failed", "cancelled"]
SMALL_FILE = 8 << 20
"""Bytes that a tool call may carry in base64; larger files go to /api/uploads."""
READ_BUDGET = 20_000
"""Characters that one call of read_material returns at most."""


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
    language: str | None
    page_count: int | None
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


class UploadMaterial(Input):
    class_id: ClassRef
    upload_id: str | None = Field(default=None, description="The id that /api/uploads gave.", max_length=36)
    filename: str | None = Field(
        default=None, max_length=255, description="With content_base64: the file's name."
    )
    content_base64: str | None = Field(default=None, description="A small file (at most 8 MB), base64.")
    title: str | None = Field(default=None, max_length=300)
    kind: Kind | None = None

    @model_validator(mode="after")
    def one_source(self) -> "UploadMaterial":
        if (self.upload_id is None) == (self.content_base64 is None):
            raise ValueError("give either upload_id or content_base64 with filename")
        if self.content_base64 is not None and not self.filename:
            raise ValueError("content_base64 needs a filename")
        return self


@tool(effect=Effect.WRITE, toolset="materials", own_transaction=True)
async def upload_material(ctx: ToolContext, args: UploadMaterial) -> Taken:
    """Add a file (PDF, PPTX, DOCX, Markdown, HTML or text) to a class. Answers at once with a job that reads it.

    Send small files here as base64; send larger ones to /api/uploads. Use add_text for plain text you have at hand.
    """
    if args.upload_id is not None:
        upload_id = as_id(args.upload_id)
    else:
        data = decoded(args.content_base64 or "")
        async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
            await db.classes.resolve(args.class_id)
        upload_id = await receive(ctx.storage, ctx.principal, args.filename or "", once(data))
    try:
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            return await make_material(ctx, db, args.class_id, upload_id, title=args.title, kind=args.kind)
    except BaseException:
        if args.upload_id is None:
            await discard(ctx.storage, ctx.principal, upload_id)
        raise


def as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(
            "No such upload. Send the file to /api/uploads first.", code="upload_not_found"
        ) from error


def decoded(content: str) -> bytes:
    if len(content) > SMALL_FILE * 4 // 3 + 4:
        raise InvalidInput(
            "This file is too large for a tool call: send it to /api/uploads.", code="file_too_large"
        )
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("content_base64 is not valid base64.", code="invalid_base64") from error


class AddText(Input):
    class_id: ClassRef
    title: str = Field(min_length=1, max_length=300)
    text: str = Field(min_length=1, max_length=2_000_000, description="Plain text or Markdown.")
    kind: Kind = "text"


@tool(effect=Effect.WRITE, toolset="materials", own_transaction=True)
async def add_text(ctx: ToolContext, args: AddText) -> Taken:
    """Add text (plain or Markdown) to a class as a material, so that it can be searched and cited."""
    async with ctx.storage.as_user(ctx.principal.user_id, read_only=True) as db:
        await db.classes.resolve(args.class_id)
    upload_id = await receive(ctx.storage, ctx.principal, f"{args.title[:200]}.md", once(args.text.encode()))
    try:
        async with ctx.storage.as_user(ctx.principal.user_id) as db:
            return await make_material(ctx, db, args.class_id, upload_id, title=args.title, kind=args.kind)
    except BaseException:
        await discard(ctx.storage, ctx.principal, upload_id)
        raise


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
    """List materials, of one class or of all, newest first, with their status and progress."""
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


class ReadMaterial(Input):
    material_id: MaterialRef
    first: int = Field(default=1, ge=1, description="First page, slide or section to read, from 1.")
    last: int | None = Field(default=None, ge=1, description="Last one, included. Left out: as much as fits.")


class ReadSegment(BaseModel):
    number: int
    label: str | None = Field(description="The number printed on the page, when it differs.")
    heading_path: list[str]
    text: str


class ReadResult(BaseModel):
    material_id: UUID
    title: str
    unit: str | None = Field(description="page, slide or section.")
    count: int | None = Field(description="How many of them the material has.")
    segments: list[ReadSegment]
    next_first: int | None = Field(description="Give this as `first` to read on; null at the end.")


@tool(effect=Effect.READ, toolset="materials")
async def read_material(ctx: ToolContext, args: ReadMaterial) -> ReadResult:
    """Read the text of a material, page by page. Use search_materials to find where something stands."""
    row = await ctx.db.materials.resolve(args.material_id)
    if args.last is not None and args.last < args.first:
        raise InvalidInput("`last` comes before `first`.", code="invalid_range")
    last = min(args.last or args.first + 49, args.first + 49)
    rows = await ctx.db.materials.segments(row.id, args.first - 1, last - 1)
    if not rows:
        unit = row.segment_kind or "page"
        raise NotFound(
            f"There is no {unit} {args.first} in {row.title!r} ({row.page_count or 0} in all).",
            code="no_such_page",
        )
    segments, used = fitting(list(rows))
    following = args.first + used
    ended = following > (row.page_count or 0) or (args.last is not None and following > args.last)
    return ReadResult(
        material_id=row.id,
        title=row.title,
        unit=row.segment_kind,
        count=row.page_count,
        segments=segments,
        next_first=None if ended else following,
    )


def fitting(rows: list[MaterialSegment]) -> tuple[list[ReadSegment], int]:
    """Whole segments within the budget, and how many they are; the first one is cut when it is too long alone."""
    kept: list[ReadSegment] = []
    room = READ_BUDGET
    for row in rows:
        if kept and len(row.text) > room:
            break
        text = row.text if len(row.text) <= READ_BUDGET else row.text[:READ_BUDGET] + " […]"
        kept.append(ReadSegment(number=row.number, label=row.label, heading_path=row.heading_path, text=text))
        room -= len(text)
    return kept, len(kept)


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
    ids = await ctx.db.materials.forget_vectors(row.id)
    target = await ctx.db.classes.resolve(str(row.class_id))
    ctx.after_commit.append(lambda: ctx.storage.vectors.delete(collection_of(target, row), ids))
    return DeletedMaterial(id=row.id, title=row.title)


def collection_of(target: Class, row: Material) -> str:
    return collection_name(target.collection_prefix, row.kind)


@tool(effect=Effect.WRITE, toolset="materials")
async def restore_material(ctx: ToolContext, args: OneMaterial) -> MaterialItem:
    """Bring a deleted material back. Its words can be searched at once; a job indexes its meaning again."""
    row = await ctx.db.materials.resolve(args.material_id, deleted=True)
    status = "searchable" if row.chunk_count else "queued"
    await ctx.db.materials.restore(row, status)
    job = await queue_ingest(ctx, ctx.db, row.id)
    return MaterialItem.of(row, job)
