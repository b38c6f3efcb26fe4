"""Reads materials as makers need them: sentences with stems, topics, and which topics belong to which part of the blueprint."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from storage.models import Material
from storage.resources import Storage
from tools.notes.draft import Lexicon
from tools.notes.terms import Stems, distinct_words, spread_of
from tools.study.grounds import Reading, divided, read, stemmed, topics_of, usual_config, words
from tools.study.parts import Part
from tools.study.planning import LEAST_POOL, Portion
from tools.study.port import Topic


@dataclass(frozen=True, slots=True)
class Script:
    """Materials as they are read for making items."""

    topics: Sequence[Topic]
    """What items are made of."""
    lexicon: Lexicon
    topics_of_part: Sequence[range]
    context: Sequence[Topic]
    """What stands around a small part: wrong options are taken from it too."""
    material_of: Mapping[UUID, UUID]
    """Chunk → its material, in order of reading."""

    def portions(self, parts: Sequence[Part]) -> list[Portion]:
        """The parts that have something to ask about. Fixed items of others move to the whole."""
        sizes = {number: words(topic.sentences) for number, topic in enumerate(self.topics)}
        found = []
        for part, numbers in zip(parts, self.topics_of_part, strict=True):
            own = {number: sizes[number] for number in numbers if sizes[number]}
            if own or (part.fixed and any(sizes.values())):
                topics = own or {number: size for number, size in sizes.items() if size}
                found.append(Portion(topics, part.weight, part.fixed, part.focus))
        return found


async def read_script(
    storage: Storage, user_id: UUID, materials: Sequence[Material], parts: Sequence[Part]
) -> Script:
    """Reads all of the materials, so that what is common is known from the whole."""
    stems: dict[str, str | None] = {}
    readings = [await _read(storage, user_id, material, stems) for material in materials]

    def divide() -> Script:
        topics: list[Topic] = []
        ranges = []
        for part in parts:
            own = [_within(reading, part) for reading in readings]
            made = topics_of([one for one in own if one.sentences], stems)
            ranges.append(range(len(topics), len(topics) + len(made)))
            topics += made
        context = _around(readings, parts, stems, LEAST_POOL - sum(words(one.sentences) for one in topics))
        runs = [run for reading in readings for run in divided(reading.sentences)]
        spread = spread_of([stem for one in run for stem in one.stems] for run in runs)
        material_of = {key: reading.material_id for reading in readings for key in reading.ordinals}
        return Script(topics, Lexicon(stems, spread, len(runs)), ranges, context, material_of)

    return await asyncio.to_thread(divide)


async def _read(storage: Storage, user_id: UUID, material: Material, stems: dict[str, str | None]) -> Reading:
    async with storage.as_user(user_id, read_only=True) as db:
        passages = await db.notes.passages(material.id)
    sentences = await asyncio.to_thread(read, passages)
    config = usual_config(passages) if passages else "english"
    async with storage.as_user(user_id, read_only=True) as db:
        own: Stems = await db.notes.stems(distinct_words(one.text for one in sentences), config)
    for word, stem in own.items():
        stems.setdefault(word, stem)
    return Reading(
        material_id=material.id,
        title=material.title,
        language=material.language,
        sentences=await asyncio.to_thread(stemmed, sentences, own),
        ordinals={passage.id: passage.ordinal for passage in passages},
    )


def _within(reading: Reading, part: Part) -> Reading:
    """What of a material belongs to a part."""
    inside = {key for key, ordinal in reading.ordinals.items() if part.holds(reading.material_id, ordinal)}
    return replace(reading, sentences=tuple(one for one in reading.sentences if one.chunk_id in inside))


def _around(readings: Sequence[Reading], parts: Sequence[Part], stems: Stems, room: int) -> list[Topic]:
    """The nearest topics outside of the parts, as many words as there is room for; none when there is none."""
    if room <= 0:
        return []
    found = []
    for reading in readings:
        held = {
            ordinal
            for ordinal in reading.ordinals.values()
            if any(p.holds(reading.material_id, ordinal) for p in parts)
        }
        rest = tuple(one for one in reading.sentences if reading.ordinals[one.chunk_id] not in held)
        for topic in topics_of([replace(reading, sentences=rest)], stems) if rest else []:
            at = reading.ordinals[topic.sentences[0].chunk_id]
            distance = min((abs(at - ordinal) for ordinal in held), default=len(reading.ordinals))
            found.append((distance, topic))
    kept = []
    for _, topic in sorted(found, key=lambda one: one[0]):
        room -= words(topic.sentences)
        kept.append(topic)
        if room <= 0:
            break
    return kept
