"""The job that makes documents. Each part is saved when it is done, so that what is there can be used, and an attempt that was
broken off goes on behind it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from storage.errors import NotFound, Unavailable
from storage.models import Document, Job
from storage.resources import Storage
from tools.context import TextModel
from tools.documents.answers import PROMPT_VERSION as ANSWERS_VERSION
from tools.documents.beginning import Beginning
from tools.documents.citing import Citing, renumbered
from tools.documents.content import CITATIONS, Answered, Citation, Content, Options, content_of
from tools.documents.rendering.markdown import markdown
from tools.documents.rendering.measuring import measured
from tools.documents.rendering.paging import page_of
from tools.documents.rendering.typesetter import Typesetter
from tools.documents.sheet import fitted
from tools.documents.work import Finished, PartMade, Work
from tools.notes.making import quality
from tools.notes.writing import PROMPT_VERSION as NOTES_VERSION
from tools.worker import GiveWay, JobFailed, RunningJob, Stopped

MAKE_DOCUMENT = "generate_document"
"""Kind of the job; its arguments name the document, whose options say the rest."""
GONE = "The document was deleted, so there is nothing left to do."
QUOTED = "Every point is a sentence of the material as it stands; its number says where. No language model was used."
WRITTEN = (
    "Written by {model} from the material. The number behind a point names the passage that supports it."
)
ONE_BY_ONE = ("past_paper_answers", "quiz_sheet")
"""Kinds whose parts are single questions, which stand under the heading of the one before where it is the same."""


class DocumentMaking:
    """Handler of the job."""

    def __init__(self, storage: Storage, model: TextModel | None) -> None:
        self._storage = storage
        self._model = model

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed when there is nothing to make it from, TryAgain while material is still being read, Stopped when
        cancelled, GiveWay between two parts when somebody else waits."""
        began = time.monotonic()
        row = await self._open(running)
        await running.progress(0, None, "Reading the material", force=True)
        try:
            work = await running.unless_halted(
                Beginning(self._storage, self._model, running.user_id).work(row)
            )
        except JobFailed:
            await self.failed(running.job)
            raise
        running.slow_start = time.monotonic() - began
        try:
            await self._parts(running, row, work)
        finally:
            await work.close()
        await running.progress(work.total, work.total, "Setting the pages", force=True)
        await self._finish(running)
        await running.progress(work.total, work.total, "The document is ready", force=True)

    async def _open(self, running: RunningJob) -> Document:
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            try:
                return await db.documents.resolve(running.job.arguments["document_id"])
            except NotFound as error:
                raise JobFailed("document_deleted", GONE) from error

    async def _parts(self, running: RunningJob, row: Document, work: Work) -> None:
        await self._remember_version(running, row, work)
        total = work.total
        for index in range(row.parameters.get("parts_done", 0), total):
            await running.progress(index, total, f"Making part {index + 1} of {total}", force=index == 0)
            async with self._storage.as_user(running.user_id, read_only=True) as db:
                now = await self._row(db.documents.resolve(str(row.id)))
            citing = Citing(CITATIONS.validate_python(now.citations))
            made = await running.unless_halted(work.part(index, citing))
            await self._save(running, work, index, made, citing)
            if index + 1 < total and await running.is_held_up():
                raise GiveWay(running.job.priority)

    async def _row(self, found: Any) -> Document:
        try:
            row: Document = await found
        except NotFound as error:
            raise JobFailed("document_deleted", GONE) from error
        return row

    async def _remember_version(self, running: RunningJob, row: Document, work: Work) -> None:
        """Half of a document from one reading of the material and half from another would cite places that are not there."""
        known = row.parameters.get("version")
        if known not in (None, work.version) and row.parameters.get("parts_done"):
            raise JobFailed(
                "material_changed",
                "The material was read again since this was begun. Make a new version of it.",
            )
        ids = Options.model_validate(row.options).material_ids
        async with self._storage.as_user(running.user_id) as db:
            languages = [one.language for one in (await db.materials.by_ids(ids)).values()]
            stored = await self._row(db.documents.for_writing(row.id))
            noted = {
                "version": work.version,
                "parts_total": work.total,
                "language": next(iter(languages), None),
            }
            stored.parameters = stored.parameters | noted
            stored.status = "generating"

    async def _save(
        self, running: RunningJob, work: Work, index: int, made: PartMade, citing: Citing
    ) -> None:
        """A part with its citations, in one transaction."""
        async with self._storage.as_user(running.user_id) as db:
            row = await self._row(db.documents.for_writing(UUID(running.job.arguments["document_id"])))
            if row.parameters.get("parts_done", 0) != index:
                raise Stopped
            citations = await citing.citations(db)
            content = with_part(content_of(row.content, row.kind, row.title), made, row.kind)
            content.lead = lead_of(row.kind, work.maker)
            row.model = work.maker
            row.parameters = counted(row.parameters, made, index + 1, work)
            row.quality_score = quality(row.parameters)
            store(row, content, citations)

    async def _finish(self, running: RunningJob) -> None:
        """Choose what fits, count the pages, and say that it is ready."""
        document_id = UUID(running.job.arguments["document_id"])
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            row = await self._row(db.documents.resolve(str(document_id)))
        content = content_of(row.content, row.kind, row.title)
        content.remarks = remarks(row.parameters, content)
        if not any(section.items for section in content.sections):
            await self.failed(running.job)
            raise JobFailed("nothing_to_say", "Nothing of this material could be used.")
        finished = await running.unless_halted(self._set(row, content))
        async with self._storage.as_user(running.user_id) as db:
            row = await self._row(db.documents.for_writing(document_id))
            store(row, finished.content, finished.citations)
            row.page_count, row.status = finished.page_count, "ready"
            row.parameters = row.parameters | {
                name: value
                for name, value in (("size", finished.size), ("smallest", finished.smallest))
                if value is not None
            }

    async def _set(self, row: Document, content: Content) -> Finished:
        citations = CITATIONS.validate_python(row.citations)
        options = Options.model_validate(row.options)
        language = row.parameters.get("language")
        if row.kind == "cheat_sheet":
            return await fitted(content, citations, options, language)
        content, citations = renumbered(content, citations)
        try:
            async with Typesetter() as typesetter:
                pdf = await typesetter.pdf(page_of(content, citations, options), language)
        except Unavailable:
            # It can be read and taken away in the other formats all the same.
            return Finished(content, citations, None)
        return Finished(content, citations, (await asyncio.to_thread(measured, pdf)).pages)

    async def failed(self, job: Job) -> None:
        """Note that it will not be finished; what is there stays readable."""
        async with self._storage.as_user(job.user_id) as db:
            try:
                row = await db.documents.for_writing(UUID(job.arguments["document_id"]))
            except NotFound:
                return
            row.status = "failed"


def lead_of(kind: str, maker: str) -> str:
    """How it was made, in a sentence; a quiz sheet says nothing, for it is handed out."""
    if kind == "quiz_sheet":
        return ""
    return QUOTED if maker == "builtin" else WRITTEN.format(model=maker)


def with_part(content: Content, made: PartMade, kind: str) -> Content:
    """The content with one more part."""
    last = content.sections[-1] if content.sections else None
    if kind in ONE_BY_ONE and last is not None and last.heading == made.section.heading:
        last.items += made.section.items
    elif made.section.items or kind not in ONE_BY_ONE:
        content.sections.append(made.section)
    return content


def store(row: Document, content: Content, citations: list[Citation] | Any) -> None:
    """The content with what follows from it: its Markdown and its length."""
    page = page_of(content, citations, Options.model_validate(row.options))
    row.content = content.model_dump(mode="json")
    row.citations = [one.model_dump(mode="json") for one in citations]
    row.text = markdown(page, with_title=False, with_sources=False)
    row.word_count = len(row.text.split())


def counted(known: Mapping[str, Any], made: PartMade, done: int, work: Work) -> dict[str, Any]:
    """How the document was made, after one more part."""
    added = {
        "written": made.written,
        "dropped": made.dropped,
        "quoted_parts": int(made.fell_back or work.maker == "builtin"),
        "input_tokens": made.input_tokens,
        "output_tokens": made.output_tokens,
    }
    sums = {name: known.get(name, 0) + value for name, value in added.items()}
    prompt = {} if work.maker == "builtin" else {"prompt": f"{NOTES_VERSION}, {ANSWERS_VERSION}"}
    return {**known, **sums, **prompt, "parts_done": done, "parts_total": work.total}


def remarks(parameters: Mapping[str, Any], content: Content) -> list[str]:
    """What the student should know of how it was made."""
    said = []
    answered = [i for section in content.sections for i in section.items if isinstance(i, Answered)]
    if missing := sum(not item.is_found for item in answered):
        said.append(f"{missing} of {len(answered)} questions are not answered by this material.")
    if "prompt" not in parameters:
        return said
    if parameters["dropped"]:
        said.append(
            f"Left out: {parameters['dropped']} of {parameters['written']} statements of the model that its passages did not support."
        )
    if parameters["quoted_parts"]:
        said.append(
            f"Parts that only quote, because the model gave nothing usable for them: {parameters['quoted_parts']} of {parameters['parts_total']}."
        )
    return said
