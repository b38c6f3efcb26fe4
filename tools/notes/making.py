"""The job that makes notes. Each section is saved when it is done, so that what is there can be used, and an attempt that
was broken off goes on behind it."""

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np

from storage.errors import NotFound
from storage.models import Material, Note, NoteSource
from storage.repositories import Repositories
from storage.repositories.notes import PassageText
from storage.resources import Storage
from tools.context import TextModel
from tools.notes.draft import Draft, Lexicon, Maker
from tools.notes.outline import Section, plan
from tools.notes.page import place_of, section_page
from tools.notes.quoting import Quoting
from tools.notes.reading import Sentence, sentences_of
from tools.notes.terms import content_stems, distinct_words, spread_of
from tools.notes.topics import Matrix
from tools.notes.writing import PROMPT_VERSION, Writing
from tools.search.places import locate
from tools.worker import GiveWay, JobFailed, RunningJob, Stopped, TryAgain

MAKE_NOTES = "make_notes"
"""Kind of the job; its arguments name the note, the material and the part of it."""
TEXTS_A_STEP = 24
"""Embedded at a time, some 0.2 s, so that a cancelled job ends soon."""
UNREAD = ("queued", "processing")
QUOTED = "_Every point is a sentence of the material as it stands; its number opens the place. No language model was used._"
WRITTEN = (
    "_Written by {model} from the material. The number behind a point opens the passage that supports it._"
)
GONE = "The notes were deleted, so there is nothing left to do."
NOTHING_YET = "_Up to here: nothing yet._"
_UP_TO_HERE = re.compile(r"\n*_Up to here: (?:part \d+ of \d+|nothing yet)\._(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a material falls into the sections of its notes."""

    sections: list[Section]
    lexicon: Lexicon
    text_config: str


class NotesMaking:
    """Handler of the job."""

    def __init__(self, storage: Storage, model: TextModel | None) -> None:
        self._storage = storage
        self._model = model

    async def __call__(self, running: RunningJob) -> None:
        """Raises JobFailed when there is nothing to make notes from, TryAgain while the material is still being read, Stopped
        when cancelled, GiveWay between two sections when somebody else waits."""
        began = time.monotonic()
        note, material = await self._open(running)
        await running.progress(0, None, "Reading the material", force=True)
        made = await running.unless_halted(self._plan(running, note, material))
        running.slow_start = time.monotonic() - began
        maker = await self._maker()
        total = len(made.sections)
        for index in range(note.parameters.get("sections_done", 0), total):
            await running.progress(index, total, f"Making part {index + 1} of {total}", force=True)
            section = made.sections[index]
            draft = await running.unless_halted(maker.make(section, note.type, made.lexicon))
            await self._save(running, material, made, index, draft, maker.name)
            if index + 1 < total and await running.is_held_up():
                raise GiveWay(running.job.priority)
        await self._finish(running)
        await running.progress(total, total, "The notes are ready", force=True)

    async def _open(self, running: RunningJob) -> tuple[Note, Material]:
        arguments = running.job.arguments
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            try:
                note = await db.notes.resolve(arguments["note_id"])
            except NotFound as error:
                raise JobFailed("note_deleted", GONE) from error
            material = await db.materials.by_id(UUID(arguments["material_id"]))
        if material is None or material.deleted_at is not None:
            raise JobFailed("material_deleted", "The material was deleted, so no notes can be made from it.")
        if material.status in UNREAD and not material.chunk_count:
            raise TryAgain(
                "material_not_ready", f"{material.title!r} is still being read; the notes follow by themselves.",
                is_counted=False,
            )  # fmt: skip
        if not material.chunk_count:
            reason = material.error or "It was not read to its end."
            raise JobFailed("material_not_read", f"There is no text to make notes from. {reason}")
        return note, material

    # --- reading

    async def _plan(self, running: RunningJob, note: Note, material: Material) -> Plan:
        """The sections; the same for every attempt as long as the material is."""
        wanted = running.job.arguments
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            passages = await db.notes.passages(
                material.id,
                segments=(wanted.get("first"), wanted.get("last")),
                seconds=(wanted.get("t_start"), wanted.get("t_end")),
            )
        await self._remember_version(running, note, passages)
        sentences = await asyncio.to_thread(lambda: list(sentences_of(passages)))
        if not sentences:
            raise JobFailed(
                "nothing_to_note", "There are no whole sentences in this part to make notes from."
            )
        configs = [passage.text_config for passage in passages]
        config = max(set(configs), key=configs.count)
        async with self._storage.as_user(running.user_id, read_only=True) as db:
            stems = await db.notes.stems(distinct_words(one.text for one in sentences), config)
        stemmed = [replace(one, stems=content_stems(one.text, stems)) for one in sentences]
        sections = await plan(stemmed, note.type, self._embed)
        parts = [[stem for one in section.sentences for stem in one.stems] for section in sections]
        return Plan(sections, Lexicon(stems, spread_of(parts), len(parts)), config)

    async def _remember_version(
        self, running: RunningJob, note: Note, passages: Sequence[PassageText]
    ) -> None:
        """Half of the notes from one reading of the material and half from another would cite places that are not there."""
        version = hashlib.sha256(b"".join(passage.id.bytes for passage in passages)).hexdigest()[:16]
        known = note.parameters.get("version")
        if known not in (None, version) and note.parameters.get("sections_done"):
            raise JobFailed(
                "material_changed",
                "The material was read again since these notes were begun. Make new notes from it.",
            )
        async with self._storage.as_user(running.user_id) as db:
            row = await db.notes.for_writing(note.id)
            row.parameters = row.parameters | {"version": version}
        note.parameters = row.parameters

    async def _embed(self, texts: Sequence[str]) -> Matrix:
        """A unit vector for each text."""
        steps = [texts[first : first + TEXTS_A_STEP] for first in range(0, len(texts), TEXTS_A_STEP)]
        return np.vstack(
            [await asyncio.to_thread(self._storage.embedder.embed_documents, step) for step in steps]
        )

    async def _maker(self) -> Maker:
        """The language model where one answers, else the quotes."""
        quoting = Quoting(self._embed)
        name = await self._model.which() if self._model is not None else None
        if self._model is None or name is None:
            return quoting
        return Writing(self._model, name, self._embed, quoting)

    # --- writing

    async def _save(
        self, running: RunningJob, material: Material, made: Plan, index: int, draft: Draft, maker: str
    ) -> None:
        """The section with its sources, in one transaction."""
        section, total = made.sections[index], len(made.sections)
        async with self._storage.as_user(running.user_id) as db:
            row = await self._for_writing(db, running)
            if row.parameters.get("sections_done", 0) != index:
                raise Stopped
            sources = {place_key(s.locator): s.ordinal for s in await db.notes.sources(row.id)}
            fresh: dict[int, Sentence] = {}

            def number(sentence: Sentence) -> int:
                key = (sentence.segment, sentence.start)
                if key not in sources:
                    sources[key] = len(sources) + 1
                    fresh[sources[key]] = sentence
                return sources[key]

            page = section_page(
                draft, row.type, place_of(section.sentences, material.segment_kind or ""), number
            )
            await self._add_sources(db, row, material, fresh)
            lead = QUOTED if maker == "builtin" else WRITTEN.format(model=maker)
            row.text = with_part(row.text, lead, page, index + 1, total)
            row.model, row.language, row.text_config = maker, material.language, made.text_config
            row.parameters = counted(row.parameters, draft, index + 1, total, maker)
            row.quality_score = quality(row.parameters)

    async def _for_writing(self, db: Repositories, running: RunningJob) -> Note:
        try:
            return await db.notes.for_writing(UUID(running.job.arguments["note_id"]))
        except NotFound as error:
            raise JobFailed("note_deleted", GONE) from error

    async def _add_sources(
        self, db: Repositories, note: Note, material: Material, fresh: Mapping[int, Sentence]
    ) -> None:
        segments = await db.materials.segments_at(
            list(dict.fromkeys((material.id, one.segment) for one in fresh.values()))
        )
        await db.notes.add_sources(
            [
                NoteSource(
                    id=self._storage.clock.new_id(),
                    user_id=note.user_id,
                    note_id=note.id,
                    ordinal=ordinal,
                    material_id=material.id,
                    chunk_id=one.chunk_id,
                    quote=one.text,
                    locator=locate(
                        material, segments[material.id, one.segment], one.start, one.end, one.path
                    ).model_dump(mode="json"),
                )
                for ordinal, one in fresh.items()
            ]
        )

    async def _finish(self, running: RunningJob) -> None:
        async with self._storage.as_user(running.user_id) as db:
            row = await self._for_writing(db, running)
            if not row.parameters.get("complete"):
                row.text = "\n\n".join([_UP_TO_HERE.sub("", row.text).strip(), *remarks(row.parameters)])
                row.parameters = row.parameters | {"complete": True}


def place_key(locator: Mapping[str, Any]) -> tuple[int, int]:
    return int(locator["segment"]), int(locator["char_start"])


def with_part(text: str, lead: str, page: str, done: int, total: int) -> str:
    """The notes with one more section; what their owner wrote meanwhile stays."""
    before = _UP_TO_HERE.sub("", text).strip()
    up_to_here = [f"_Up to here: part {done} of {total}._"] if done < total else []
    return "\n\n".join(filter(None, [before or lead, page, *up_to_here]))


def counted(known: Mapping[str, Any], draft: Draft, done: int, total: int, maker: str) -> dict[str, Any]:
    """How the notes were made, after one more section."""
    added = {
        "points": len(draft.points),
        "written": draft.written,
        "dropped": draft.dropped,
        "quoted_sections": int(draft.fell_back or maker == "builtin"),
        "input_tokens": draft.input_tokens,
        "output_tokens": draft.output_tokens,
    }
    sums = {name: known.get(name, 0) + value for name, value in added.items()}
    prompt = {} if maker == "builtin" else {"prompt": PROMPT_VERSION}
    return {**known, **sums, **prompt, "sections_done": done, "sections_total": total}


def quality(parameters: Mapping[str, Any]) -> float | None:
    """Share of the points that stood before the gate; quotes always do."""
    written = parameters["written"]
    return round(1 - parameters["dropped"] / written, 3) if written else None


def remarks(parameters: Mapping[str, Any]) -> list[str]:
    """What the student should know of notes that a language model wrote."""
    if "prompt" not in parameters:
        return []
    said = []
    if parameters["dropped"]:
        said.append(
            f"_Left out: {parameters['dropped']} of {parameters['written']} statements of the model that its passages did not support._"
        )
    if parameters["quoted_sections"]:
        said.append(
            f"_Parts that only quote, because the model gave nothing usable for them: {parameters['quoted_sections']} of {parameters['sections_total']}._"
        )
    return said
