"""Taking files in: streams bytes to the store, and makes a material with its job out of a stored file."""

from collections.abc import AsyncIterator
from pathlib import PurePath
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import Forbidden, NotFound
from storage.files import Stored, file_key
from storage.models import File, Job, Material
from storage.repositories import Repositories
from storage.resources import Storage
from tools.context import Principal, ToolContext

INGEST = "ingest_material"
"""Kind of the job that reads, cuts, embeds and indexes a material."""

KINDS_BY_SUFFIX = {
    ".pptx": "slides",
    ".docx": "text",
    ".md": "text",
    ".txt": "text",
    ".html": "web_page",
    ".htm": "web_page",
}


class Taken(BaseModel):
    """What became of an upload. `duplicate`: the same bytes are in this class already, so nothing was added."""

    material_id: UUID
    job_id: UUID | None = Field(description="The job that reads it; follow it with get_job.")
    duplicate: bool


async def receive(storage: Storage, principal: Principal, filename: str, parts: AsyncIterator[bytes]) -> UUID:
    """Stream a file into the store and note it as the caller's. Gives the upload's id.

    Raises TooLarge over the limit; an upload that breaks off leaves nothing behind.
    """
    if not principal.allows("materials:write"):
        raise Forbidden(
            "This needs the permission 'materials:write', which this key does not have.", code="missing_scope"
        )
    upload_id = storage.clock.new_id()
    key = file_key(principal.user_id, upload_id)
    stored = await storage.files.put(key, parts, limit=storage.settings.max_upload_mb << 20)
    try:
        async with storage.as_user(principal.user_id) as db:
            await db.materials.add_file(_file_row(principal.user_id, upload_id, filename, stored))
    except BaseException:
        await storage.files.delete(key)
        raise
    return upload_id


async def discard(storage: Storage, principal: Principal, upload_id: UUID) -> None:
    """Forget an upload that did not become a material."""
    async with storage.as_user(principal.user_id) as db:
        await db.materials.remove_file(upload_id)
    await storage.files.delete(file_key(principal.user_id, upload_id))


def _file_row(user_id: UUID, upload_id: UUID, filename: str, stored: Stored) -> File:
    name = PurePath(filename.replace("\\", "/")).name.strip() or "upload"
    return File(
        id=upload_id,
        user_id=user_id,
        filename="".join(c for c in name if c.isprintable())[:255] or "upload",
        object_key=file_key(user_id, upload_id),
        size_bytes=stored.size,
        sha256=stored.sha256,
    )


async def make_material(
    ctx: ToolContext,
    db: Repositories,
    class_ref: str,
    upload_id: UUID,
    *,
    title: str | None,
    kind: str | None,
) -> Taken:
    """Turn a stored upload into a material of a class and queue its job; the same bytes twice are the same material.

    The job is announced by the context once the transaction stands. Raises NotFound for the class or the upload.
    """
    target = await db.classes.resolve(class_ref)
    file = await db.materials.file(upload_id)
    if file is None:
        raise NotFound(
            "No such upload. Send the file to /api/uploads, or give content_base64.", code="upload_not_found"
        )
    name = PurePath(file.filename)
    row = Material(
        id=ctx.new_id(),
        user_id=ctx.principal.user_id,
        class_id=target.id,
        file_id=file.id,
        title=(title or name.stem.replace("_", " ").strip() or file.filename)[:300],
        kind=kind or KINDS_BY_SUFFIX.get(name.suffix.lower(), "textbook"),
        status="queued",
        checksum=file.sha256,
    )
    existing = await db.materials.add_or_existing(row)
    if existing is not row:
        newest = await db.jobs.latest_for([existing.id])
        job = newest.get(existing.id)
        if file.id != existing.file_id:
            ctx.after_commit.append(lambda: discard(ctx.storage, ctx.principal, file.id))
        return Taken(material_id=existing.id, job_id=job.id if job else None, duplicate=True)
    job = await queue_ingest(ctx, db, row.id)
    return Taken(material_id=row.id, job_id=job.id, duplicate=False)


async def queue_ingest(ctx: ToolContext, db: Repositories, material_id: UUID) -> Job:
    """A new job for a material, announced once the transaction stands."""
    job = await db.jobs.add(
        Job(
            id=ctx.new_id(), user_id=ctx.principal.user_id, kind=INGEST, material_id=material_id, arguments={}
        )
    )
    announce_later(ctx, job.id)
    return job


def announce_later(ctx: ToolContext, job_id: UUID) -> None:
    """Tell the workers of a job as soon as they can see it."""
    ctx.after_commit.append(lambda: ctx.storage.jobs.announce(job_id, ctx.principal.user_id))


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Bytes in memory as a stream of one part."""
    yield data
