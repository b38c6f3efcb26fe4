"""Reads the materials of a document: sections with their sentences, formulas and tables, in order."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from storage.models import Material
from storage.repositories.notes import PassageText
from storage.resources import Storage
from tools.documents.extras import FoundFormula, FoundTable, formulas_of, tables_of
from tools.notes.draft import Lexicon
from tools.notes.outline import Embed, Section, plan
from tools.notes.page import place_of
from tools.notes.reading import Sentence, sentences_of
from tools.notes.terms import content_stems, distinct_words, spread_of
from tools.notes.topics import Matrix
from tools.study.parts import Part

_LEADERS = re.compile(r"(?:\. ?){5}")
"""Dots between a title and its page: a table of contents is nothing to learn."""
_FRONT = re.compile(r"(?:preface|foreword|vorwort|about (?:the|this)|list of|contents|.* · preface$)", re.I)
FEW = 4
"""Sections: a material with so few has no front matter to leave out."""
TEXTS_A_STEP = 24
"""Embedded at a time, some 0.2 s, so that a cancelled job ends soon."""


@dataclass(frozen=True, slots=True)
class Portion:
    """A section of one material with what stands in it."""

    material: Material
    section: Section
    place: str
    formulas: tuple[FoundFormula, ...] = ()
    tables: tuple[FoundTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """What a document is made from."""

    portions: tuple[Portion, ...]
    lexicon: Lexicon
    chunk_ids: tuple[UUID, ...]
    """In order of reading: they change when a material is read again."""


def embedder(storage: Storage) -> Embed:
    """Texts to unit vectors, some at a time."""

    async def embed(texts: Sequence[str]) -> Matrix:
        steps = [texts[first : first + TEXTS_A_STEP] for first in range(0, len(texts), TEXTS_A_STEP)]
        return np.vstack([await asyncio.to_thread(storage.embedder.embed_documents, one) for one in steps])

    return embed


async def gathered(
    storage: Storage, user_id: UUID, materials: Sequence[Material], part: Part | None, type: str
) -> Script:
    """`part`: only these passages. `type`: how coarse the sections are, as for notes: "summary" or another."""
    stems: dict[str, str | None] = {}
    portions: list[Portion] = []
    chunk_ids: list[UUID] = []
    for material in materials:
        async with storage.as_user(user_id, read_only=True) as db:
            passages = await db.notes.passages(material.id)
            pages = await db.documents.segments(material.id, None, None)
        passages = [one for one in passages if part is None or part.holds(material.id, one.ordinal)]
        chunk_ids += [passage.id for passage in passages]
        sentences = await asyncio.to_thread(_read, passages)
        own = await _stems(storage, user_id, sentences, passages)
        stems = own | stems
        stemmed = [replace(one, stems=content_stems(one.text, own)) for one in sentences]
        if stemmed:
            sections = await plan(stemmed, type, embedder(storage))
            formulas = await asyncio.to_thread(formulas_of, pages, passages)
            portions += _portions(material, sections, formulas, tables_of(pages, passages))
    parts = [[stem for one in portion.section.sentences for stem in one.stems] for portion in portions]
    return Script(tuple(portions), Lexicon(stems, spread_of(parts), max(1, len(parts))), tuple(chunk_ids))


def _read(passages: Sequence[PassageText]) -> list[Sentence]:
    return [one for one in sentences_of(passages) if not _LEADERS.search(one.text)]


async def _stems(
    storage: Storage, user_id: UUID, sentences: Sequence[Sentence], passages: Sequence[PassageText]
) -> dict[str, str | None]:
    configs = [passage.text_config for passage in passages]
    if not configs:
        return {}
    config = max(set(configs), key=configs.count)
    async with storage.as_user(user_id, read_only=True) as db:
        return await db.notes.stems(distinct_words(one.text for one in sentences), config)


def _portions(
    material: Material,
    sections: Sequence[Section],
    formulas: Sequence[FoundFormula],
    tables: Sequence[FoundTable],
) -> list[Portion]:
    """Each formula and table goes to the last section that begins before it."""
    starts = [(section.sentences[0].segment, section.sentences[0].start) for section in sections]

    def home(evidence: Sentence) -> int:
        before = [n for n, start in enumerate(starts) if start <= (evidence.segment, evidence.start)]
        return before[-1] if before else 0

    return [
        Portion(
            material,
            section,
            place_of(section.sentences, material.segment_kind or ""),
            tuple(one for one in formulas if home(one.evidence) == n),
            tuple(one for one in tables if home(one.evidence) == n),
        )
        for n, section in enumerate(sections)
        if len(sections) < FEW or not any(_FRONT.match(title) for title in section.titles)
    ]
