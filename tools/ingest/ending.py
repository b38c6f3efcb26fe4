"""Whether a job still has its material, and what becomes of a material when the job that reads it ends without success."""

from uuid import UUID

from storage.models import Job, Material
from storage.repositories import Repositories
from tools.worker import JobFailed


async def live(db: Repositories, material_id: UUID | None) -> Material:
    """The material that a job is about. Raises JobFailed when it was deleted, or its class."""
    material = await db.materials.by_id(material_id) if material_id else None
    home = await db.classes.by_id(material.class_id) if material else None
    if material is None or material.deleted_at or home is None or home.deleted_at:
        raise JobFailed("material_deleted", "The material was deleted, so there is nothing left to do.")
    return material


async def note_end(db: Repositories, job: Job, status: str, code: str | None, sentence: str | None) -> None:
    """Put the end of an ingest job on its material. One that was to be read again keeps what stood before."""
    material = await db.materials.by_id(job.material_id) if job.material_id else None
    if material is None:
        return
    if job.arguments.get("fresh") and "words" not in job.arguments and material.chunk_count:
        stands = "searchable" if await db.reading.is_waiting(material.id) else "ready"
        notice = f"Reading it again did not work. {sentence}" if sentence else material.notice
        await db.materials.set(material.id, status=stands, notice=notice)
    else:
        await db.materials.set(material.id, status=status, error_code=code, error=sentence)
