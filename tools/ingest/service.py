"""The worker with everything it needs to read material."""

import os
from functools import partial

from storage.models import Job
from storage.resources import Storage
from storage.vectors.writer import VectorWriter
from tools.context import TextModel
from tools.documents.making import MAKE_DOCUMENT, DocumentMaking
from tools.exchange.exporting import EXPORT_DECK, DeckExport
from tools.exchange.importing import IMPORT_DECK, DeckImport
from tools.ingest.ending import note_end
from tools.ingest.pipeline import Ingestion
from tools.ingest.reader.reader import Reader
from tools.ingest.speech_model import speech_model
from tools.ingest.summaries import SUMMARISE, Summaries
from tools.intake import INGEST
from tools.life.export import EXPORT, AccountExport, note_failure
from tools.life.upkeep import Upkeep
from tools.notes.making import MAKE_NOTES, NotesMaking
from tools.scheduling.fit_job import FIT_SCHEDULER, SchedulerFitting
from tools.study.making import Making
from tools.study.rules.equipment import IDLE_SECONDS, Equipment
from tools.study.rules.maker import RuleMaker
from tools.study.target import GENERATE_FLASHCARDS, GENERATE_TEST
from tools.worker import Handler, Worker

MOST_THREADS = 4


def make_worker(
    storage: Storage,
    name: str,
    reader: Reader | None = None,
    model: TextModel | None = None,
    equipment: Equipment | None = None,
) -> Worker:
    """A worker for all kinds of jobs; without a model its notes consist of quotes. It closes the reader and the equipment of the
    built-in maker when it stops."""
    writer = VectorWriter(storage.settings.vector_url or "", storage.embedder)
    reader = reader or make_reader(storage)
    equipment = equipment or Equipment(IDLE_SECONDS)

    async def ended(job: Job, status: str, code: str | None, sentence: str | None) -> None:
        if job.kind in (EXPORT, EXPORT_DECK):
            await note_failure(storage, job, sentence)
        elif job.kind == INGEST:
            async with storage.as_user(job.user_id) as db:
                await note_end(db, job, status, code, sentence)

    async def close() -> None:
        await equipment.close()
        await reader.close()

    making = Making(storage, model, partial(RuleMaker, equipment=equipment))
    handlers: dict[str, Handler] = {
        INGEST: Ingestion(storage, writer, reader, model),
        EXPORT: AccountExport(storage),
        IMPORT_DECK: DeckImport(storage),
        EXPORT_DECK: DeckExport(storage),
        MAKE_NOTES: NotesMaking(storage, model),
        MAKE_DOCUMENT: DocumentMaking(storage, model),
        SUMMARISE: Summaries(storage, model),
        GENERATE_TEST: making,
        GENERATE_FLASHCARDS: making,
        FIT_SCHEDULER: SchedulerFitting(),
    }
    return Worker(storage, name, handlers, ended, Upkeep(storage, name), close)


def make_reader(storage: Storage) -> Reader:
    """Reads files as the settings say."""
    settings = storage.settings
    find_model = partial(speech_model, settings.speech_model, settings.data_dir / "cache")
    return Reader(min(os.cpu_count() or 1, MOST_THREADS), find_model)
