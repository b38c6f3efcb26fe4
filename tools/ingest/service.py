"""The worker with everything it needs to read material."""

from storage.models import Job
from storage.resources import Storage
from storage.vectors.writer import VectorWriter
from tools.ingest.pipeline import Ingestion, note_end
from tools.intake import INGEST
from tools.life.export import EXPORT, AccountExport, note_failure
from tools.life.upkeep import Upkeep
from tools.worker import Handler, Worker


def make_worker(storage: Storage, name: str) -> Worker:
    """A worker for all kinds of jobs."""
    writer = VectorWriter(storage.settings.vector_url or "", storage.embedder)

    async def ended(job: Job, status: str, code: str | None, sentence: str | None) -> None:
        if job.kind == EXPORT:
            await note_failure(storage, job, sentence)
        else:
            await note_end(storage, job, status, code, sentence)

    handlers: dict[str, Handler] = {INGEST: Ingestion(storage, writer), EXPORT: AccountExport(storage)}
    return Worker(storage, name, handlers, ended, Upkeep(storage, name))
