"""Begins the work on a document: reads what its options name, and gives what makes its parts."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from storage.errors import LyceumError, NotFound
from storage.models import Document, Material, Test
from storage.repositories import Repositories
from storage.repositories.notes import PassageText
from storage.resources import Storage
from tools.context import TextModel
from tools.documents.answers import AnswerWork, Library
from tools.documents.content import Options, content_of
from tools.documents.gathering import embedder, gathered
from tools.documents.quiz import TestWork
from tools.documents.sections import NOTES_TYPE, SectionWork
from tools.documents.wanted import HITS
from tools.documents.work import Work
from tools.notes.draft import Lexicon, Maker
from tools.notes.quoting import Quoting
from tools.notes.reading import Sentence, sentences_of
from tools.notes.terms import content_stems, distinct_words, spread_of
from tools.notes.writing import Writing
from tools.study.papers import paper_questions
from tools.study.parts import Part, Parts
from tools.study.sources import is_unread
from tools.worker import JobFailed, TryAgain


class Beginning:
    """`user_id` owns the document."""

    def __init__(self, storage: Storage, model: TextModel | None, user_id: UUID) -> None:
        self._storage = storage
        self._model = model
        self._user_id = user_id

    async def work(self, row: Document) -> Work:
        """Raises JobFailed when there is nothing to make it from, TryAgain while material is still being read."""
        options = Options.model_validate(row.options)
        if row.kind == "quiz_sheet":
            return await self._test(options)
        materials = await self._materials(options.material_ids)
        if row.kind == "past_paper_answers":
            return await self._answers(options, materials)
        part = await self._part(options, materials)
        return await self._sections(row, options, materials, part)

    async def _materials(self, ids: Sequence[UUID]) -> list[Material]:
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            found = await db.materials.by_ids(list(ids))
        rows = [found[key] for key in ids if key in found and found[key].deleted_at is None]
        if not rows:
            raise JobFailed("material_deleted", "The material was deleted, so nothing can be made from it.")
        waiting = next((row for row in rows if is_unread(row)), None)
        if waiting is not None:
            raise TryAgain(
                "material_not_ready", f"{waiting.title!r} is still being read; this follows by itself.",
                is_counted=False,
            )  # fmt: skip
        ready = [row for row in rows if row.chunk_count]
        if not ready:
            reason = rows[0].error or "It was not read to its end."
            raise JobFailed("material_not_read", f"There is no text to make anything from. {reason}")
        return ready

    async def _part(self, options: Options, materials: Sequence[Material]) -> Part | None:
        """Found by the request where the material was read by then, else now."""
        if options.part is not None:
            return Part.of(options.part)
        if not (options.topic or options.first or options.last):
            return None
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            finder = Parts(self._storage, db, materials)
            try:
                part = await finder.between(options.first, options.last)
                return await finder.about(options.topic, HITS, part) if options.topic else part
            except LyceumError as error:
                raise JobFailed(error.code, str(error)) from error

    async def _name(self) -> str | None:
        return await self._model.which() if self._model is not None else None

    async def _sections(
        self, row: Document, options: Options, materials: Sequence[Material], part: Part | None
    ) -> Work:
        kind = content_of(row.content, row.kind, row.title).kind
        type = NOTES_TYPE.get((kind, options.depth), "lecture")
        script = await gathered(self._storage, self._user_id, materials, part, type)
        if not script.portions:
            raise JobFailed(
                "nothing_to_say", "There are no whole sentences in this part to make anything from."
            )
        embed, name = embedder(self._storage), await self._name()
        notes: Maker = Quoting(embed)
        if self._model is not None and name is not None:
            notes = Writing(self._model, name, embed, Quoting(embed))
        return SectionWork(
            script, notes, kind, options.depth, version_of(script.chunk_ids), len(materials) > 1
        )

    # --- past papers

    async def _answers(self, options: Options, materials: Sequence[Material]) -> Work:
        (paper,) = await self._materials([options.paper_id] if options.paper_id else [])
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            segments = await db.documents.segments(paper.id, None, None)
            paper_passages = await db.notes.passages(paper.id)
            passages = {row.id: await db.notes.passages(row.id) for row in materials}
        questions = paper_questions(segments)
        if not questions:
            raise JobFailed("no_questions", f"No numbered questions were found in {paper.title!r}.")
        ids = [one.id for held in (paper_passages, *passages.values()) for one in held]
        return AnswerWork(
            storage=self._storage,
            user_id=self._user_id,
            paper=paper,
            paper_passages=paper_passages,
            paper_text={one.ordinal: (one.number, one.text) for one in segments},
            questions=questions,
            library=await self._library(materials, passages),
            embed=embedder(self._storage),
            version=version_of(ids),
            model=self._model,
            model_name=await self._name(),
        )

    async def _library(
        self, materials: Sequence[Material], passages: Mapping[UUID, Sequence[PassageText]]
    ) -> Library:
        stems: dict[str, str | None] = {}
        sentences: dict[UUID, list[Sentence]] = {}
        material_of: dict[UUID, UUID] = {}
        for material in materials:
            read = list(sentences_of(passages[material.id]))
            config = passages[material.id][0].text_config if passages[material.id] else "english"
            async with self._storage.as_user(self._user_id, read_only=True) as db:
                own = await db.notes.stems(distinct_words(one.text for one in read), config)
            stems = own | stems
            for one in read:
                stemmed = replace(one, stems=content_stems(one.text, own))
                sentences.setdefault(one.chunk_id, []).append(stemmed)
                material_of[one.chunk_id] = material.id
        spread = spread_of([stem for one in part for stem in one.stems] for part in sentences.values())
        return Library(
            {row.id: row for row in materials},
            sentences,
            material_of,
            Lexicon(stems, spread, max(1, len(sentences))),
        )

    # --- quizzes

    async def _test(self, options: Options) -> Work:
        """The active questions of a test, with the sentences that support them. Waits until the test is made."""
        async with self._storage.as_user(self._user_id, read_only=True) as db:
            try:
                test = await db.making.test(options.test_id or UUID(int=0))
                if await _is_being_made(db, test):
                    raise TryAgain(
                        "test_not_ready", "The questions are still being made; the sheet follows by itself.",
                        is_counted=False,
                    )  # fmt: skip
            except NotFound as error:
                raise JobFailed("test_deleted", "The test was deleted, so it cannot be printed.") from error
            rows = [one for one in await db.making.question_rows(test.id) if one.status == "active"]
            materials = await db.materials.by_ids([one.material_id for one in rows if one.material_id])
        if not rows:
            raise JobFailed("test_empty", "This test has no questions.")
        evidence = {
            one.id: (materials[one.material_id], _quoted(one.quote, one.locator, one.source_chunk_ids))
            for one in rows
            if one.material_id in materials and one.quote and one.locator and one.source_chunk_ids
        }
        return TestWork(
            rows, evidence, options.seed, version_of([one.id for one in rows]), rows[0].model or "builtin"
        )


async def _is_being_made(db: Repositories, test: Test) -> bool:
    """Whether its job goes on; of one that was given up, what is there is printed."""
    job_id = test.parameters.get("job_id")
    if job_id is None or test.parameters.get("complete"):
        return False
    try:
        return (await db.jobs.get(str(job_id))).status in ("queued", "running")
    except NotFound:
        return False


def _quoted(quote: str, locator: dict[str, object], chunk_ids: Sequence[UUID]) -> Sentence:
    """Stored evidence as a sentence again."""
    segment, start, end = (int(str(locator.get(name) or 0)) for name in ("segment", "char_start", "char_end"))
    path = locator.get("heading_path")
    headings = tuple(map(str, path)) if isinstance(path, list) else ()
    return Sentence(chunk_ids[0], segment, segment + 1, start, end, quote, headings, spoken=False)


def version_of(ids: Sequence[UUID]) -> str:
    return hashlib.sha256(b"".join(key.bytes for key in ids)).hexdigest()[:16]
