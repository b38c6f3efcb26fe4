"""Taking files in: streams bytes to the store, and makes a material with its job out of a stored file."""

import mimetypes
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

from pydantic import BaseModel, Field

from storage.errors import Forbidden, NotFound
from storage.files import Stored, file_key
from storage.models import File, Job, Material
from storage.repositories import Repositories
from storage.repositories.jobs import BULK, URGENT
from storage.resources import Storage
from tools.context import Principal, ToolContext
from tools.door import Door
from tools.ingest.sniff import (
    DOCX_TYPE,
    HTML_TYPE,
    ODS_TYPE,
    PPTX_TYPE,
    SRT_TYPE,
    TEXT_TYPE,
    VTT_TYPE,
    XLS_TYPE,
    XLSB_TYPE,
    XLSX_TYPE,
)
from tools.quota import Arrival

INGEST = "ingest_material"
"""Kind of the job that reads, cuts, embeds and indexes a material."""
FILES_AT_ONCE, FILES_OF_A_COMMAND = 2, 1
"""Open files of a user that are read before those of an import."""

KINDS = {
    PPTX_TYPE: "slides",
    DOCX_TYPE: "text",
    XLSX_TYPE: "text",
    XLS_TYPE: "text",
    XLSB_TYPE: "text",
    ODS_TYPE: "text",
    HTML_TYPE: "web_page",
    VTT_TYPE: "recording",
    SRT_TYPE: "recording",
}
FAMILIES = {"image": "photo", "audio": "recording", "video": "recording", "text": "text"}
"""What a file is to a student, by its media type or the first half of it; everything else is a textbook."""


class Taken(BaseModel):
    """What became of an upload. `duplicate`: the same bytes are in this class already, so nothing was added."""

    material_id: UUID
    job_id: UUID | None = Field(description="The job that reads it; follow it with get_job.")
    duplicate: bool


async def receive(
    storage: Storage,
    principal: Principal,
    filename: str,
    parts: AsyncIterator[bytes],
    *,
    size: int | None = None,
) -> UUID:
    """Stream a file into the store and note it as the caller's. Gives the upload's id. `size`: its bytes, where known.

    Raises TooLarge over the limit or the quota, InvalidInput for a file that can never be read; an upload that breaks off
    leaves nothing behind.
    """
    if not principal.allows("materials:write"):
        raise Forbidden(
            "This needs the permission 'materials:write', which this key does not have.", code="missing_scope"
        )
    arrival, door = Arrival(storage, principal.user_id, filename), Door(filename)
    await arrival.expect(size or 1)
    upload_id = storage.clock.new_id()
    key = file_key(principal.user_id, upload_id)
    try:
        limit = storage.settings.max_upload_mb << 20
        stored = await storage.files.put(key, arrival.counted(door.watched(parts)), limit=limit)
        try:
            async with storage.as_user(principal.user_id) as db:
                await arrival.settle(db, stored.size)
                await db.materials.add_file(file_row(principal.user_id, upload_id, filename, stored, door))
        except BaseException:
            await storage.files.delete(key)
            raise
    except BaseException:
        await arrival.broken_off()
        raise
    return upload_id


async def discard(storage: Storage, principal: Principal, upload_id: UUID) -> None:
    """Forget an upload that did not become a material."""
    async with storage.as_user(principal.user_id) as db:
        await db.materials.remove_file(upload_id)
    await storage.files.delete(file_key(principal.user_id, upload_id))


def file_row(user_id: UUID, file_id: UUID, filename: str, stored: Stored, door: Door) -> File:
    """What is noted of a file that lies in the store and went through the door."""
    found = door.found
    return File(
        id=file_id,
        user_id=user_id,
        filename=plain_name(filename),
        object_key=file_key(user_id, file_id),
        media_type=found.media_type if found and found.media_type != TEXT_TYPE else None,
        size_bytes=stored.size,
        sha256=stored.sha256,
    )


def plain_name(filename: str) -> str:
    """The name without folders and characters that cannot be shown; never empty."""
    name = PurePath(filename.replace("\\", "/")).name.strip()
    return "".join(c for c in name if c.isprintable())[:255] or "upload"


def guessed_kind(file: File) -> str:
    """By its content where its first bytes told what it is, else by its name."""
    media_type = file.media_type or mimetypes.guess_type(file.filename)[0] or ""
    return KINDS.get(media_type) or FAMILIES.get(media_type.partition("/")[0], "textbook")


@dataclass(frozen=True, slots=True)
class About:
    """What the sender says of a material."""

    title: str | None = None
    kind: str | None = None
    author: str | None = None
    source_url: str | None = None


async def make_material(
    ctx: ToolContext,
    db: Repositories,
    class_ref: str,
    upload_id: UUID,
    about: About,
) -> Taken:
    """Turn a stored upload into a material of a class and queue its job; the same bytes twice are the same material.

    The job is announced by the context once the transaction stands. Raises NotFound for the class or the upload.
    """
    target = await db.classes.resolve(class_ref)
    file = await uploaded_file(db, upload_id)
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
        title=(about.title or name.stem.replace("_", " ").strip() or file.filename)[:300],
        kind=about.kind or guessed_kind(file),
        author=about.author,
        source_url=about.source_url,
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


async def uploaded_file(db: Repositories, upload_id: UUID) -> File | None:
    """The file of an upload, whether it came in one request or in several; None while some of it is missing."""
    upload = await db.uploads.get(upload_id)
    if upload is None:
        return await db.materials.file(upload_id)
    return await db.materials.file(UUID(upload.outcome["file_id"])) if upload.outcome else None


async def queue_ingest(
    ctx: ToolContext, db: Repositories, material_id: UUID, *, is_fresh: bool = False
) -> Job:
    """A new job for a material, announced once the transaction stands. `is_fresh`: read it again although it was read.

    Somebody waits for the first files; when more are open already, the next ones are an import that can wait.
    """
    at_once = FILES_OF_A_COMMAND if ctx.principal.surface == "cli" else FILES_AT_ONCE
    is_bulk = await db.jobs.count_open(INGEST) >= at_once
    job = await db.jobs.add(
        Job(
            id=ctx.new_id(),
            user_id=ctx.principal.user_id,
            kind=INGEST,
            material_id=material_id,
            priority=BULK if is_bulk else URGENT,
            arguments={"fresh": True} if is_fresh else {},
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
