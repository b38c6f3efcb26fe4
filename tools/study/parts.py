"""Which passages a request means: a chapter, pages, what is about some words, or what stands around earlier questions."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from storage.errors import NotFound
from storage.models import Material
from storage.repositories import Repositories
from storage.repositories.lexical import Scope
from storage.repositories.making import Asked, Place
from storage.resources import Storage
from tools.ingest.passages import Reference, page_of_reference
from tools.search.engine import search
from tools.search.headings import section, stretches, titles
from tools.search.places import unit_of
from tools.search.query import parse

HITS_PER_ITEM = 2
"""Passages that are looked for, for each item."""
FEWEST_HITS, MOST_HITS = 6, 40
WORDS_PER_ITEM = 12
"""A section with fewer words is not enough, so that passages about it are looked for elsewhere too."""
NEAR = 0.35
"""Share of the best hit's score from which a passage is about the words too."""
WEAK_COSINE = 0.25
"""Below it, and without a common word, a passage is not about the words; as in search_materials."""
AROUND_WORDS = 600
"""What is read around the passage of an earlier question, within its section."""
HEADINGS_SHOWN = 12

_CHAPTERS = re.compile(
    r"\b(?:sections|chapters|kapitel|abschnitte)\s*(\d{1,3})\s*(?:(-|–|to|bis)|and|und|&|,)\s*(\d{1,3})\b(?!\.\d)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")

Ordinals = dict[UUID, set[int]]
"""Passages by material."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the blueprint."""

    title: str | None
    """None for all of the material."""
    ranges: tuple[tuple[UUID, int, int], ...]
    """Material, first and last passage."""
    weight: float = 1.0
    focus: str | None = None
    """Words that the items should be about."""
    fixed: tuple[tuple[str, float | None], ...] = ()
    """Exactly these types, with their points."""

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "ranges": [[str(material_id), first, last] for material_id, first, last in self.ranges],
            "weight": self.weight,
            "focus": self.focus,
            "fixed": [list(one) for one in self.fixed],
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Part":
        return cls(
            title=stored["title"],
            ranges=tuple((UUID(material_id), first, last) for material_id, first, last in stored["ranges"]),
            weight=stored["weight"],
            focus=stored["focus"],
            fixed=tuple((type, points) for type, points in stored["fixed"]),
        )

    def holds(self, material_id: UUID, ordinal: int) -> bool:
        return any(one == material_id and first <= ordinal <= last for one, first, last in self.ranges)


class Parts:
    """Finds parts of some materials that have been read."""

    def __init__(self, storage: Storage, db: Repositories, materials: Sequence[Material]) -> None:
        self._storage = storage
        self._db = db
        self._materials = materials
        self._places: dict[UUID, list[Place]] = {}

    async def places(self, material_id: UUID) -> list[Place]:
        if material_id not in self._places:
            self._places[material_id] = await self._db.making.places(material_id)
        return self._places[material_id]

    async def between(self, first: int | None, last: int | None) -> Part:
        """All passages, or those on pages first..last. Raises NotFound when there are none."""
        found: Ordinals = {}
        for material in self._materials:
            found[material.id] = {
                place.ordinal
                for place in await self.places(material.id)
                if (first is None or place.number >= first) and (last is None or place.number <= last)
            }
        if not any(found.values()):
            raise NotFound(self._no_pages(first), code="no_such_page")
        if first is None and last is None:
            return Part(None, ranges_of(found))
        unit = unit_of(self._materials[0])
        named = f"{unit} {first}" if first == last else f"{unit}s {first or 1} to {last or 'the end'}"
        return Part(named, ranges_of(found))

    def _no_pages(self, first: int | None) -> str:
        named = " and ".join(repr(material.title) for material in self._materials[:3])
        count = max((material.page_count or 0 for material in self._materials), default=0)
        return f"There is no {unit_of(self._materials[0])} {first} in {named} ({count} in all)."

    async def about(self, topic: str, count: int, within: Part | None = None, weight: float = 1.0) -> Part:
        """What a topic means: a place by its number, a heading, or passages about its words.

        Raises NotFound, with the headings there are, when nothing of the material is like it.
        """
        title, found, focus = await self._meant(topic, count)
        if within is not None:
            found = {
                key: {ordinal for ordinal in ordinals if within.holds(key, ordinal)}
                for key, ordinals in found.items()
            }
        if not any(found.values()):
            raise NotFound(await self._nothing_like(topic), code="no_such_topic")
        return Part(title, ranges_of(found), weight, focus)

    async def _meant(self, topic: str, count: int) -> tuple[str, Ordinals, str | None]:
        numbers = chapters(topic)
        reference = page_of_reference(topic)
        if numbers or (reference is not None and reference.section is not None):
            return await self._sections(topic, numbers or [str(reference and reference.section)])
        if reference is not None:
            return topic, {m.id: await self._at(m, reference) for m in self._materials}, None
        headed = await self._headed(topic)
        size = sum(
            [
                place.words
                for key, (_, ordinals) in headed.items()
                for place in await self.places(key)
                if place.ordinal in ordinals
            ]
        )
        if headed and size >= count * WORDS_PER_ITEM:
            named = dict.fromkeys(title for title, _ in headed.values())
            return " · ".join(named), {key: ordinals for key, (_, ordinals) in headed.items()}, None
        found = await self.like(topic, max(FEWEST_HITS, min(MOST_HITS, count * HITS_PER_ITEM)))
        for key, (_, ordinals) in headed.items():
            found.setdefault(key, set()).update(ordinals)
        return topic, found, topic

    async def _sections(self, topic: str, numbers: Sequence[str]) -> tuple[str, Ordinals, str | None]:
        """Under headings with these numbers. In several materials, only in those that have the first of them."""
        found: Ordinals = {}
        names: dict[str, None] = {}
        for material in self._materials:
            outline = stretches([place.heading_path for place in await self.places(material.id)])
            for number in numbers:
                stretch = section(number, outline)
                if stretch is not None:
                    names[stretch[0]] = None
                    found.setdefault(material.id, set()).update(range(stretch[1], stretch[2] + 1))
        return " · ".join(names)[:300] or topic, found, None

    async def _at(self, material: Material, reference: Reference) -> set[int]:
        """Passages on a page or slide, by its number, else by the one printed on it, or in a span of time."""
        places = await self.places(material.id)
        is_spoken = material.segment_kind == "span"
        if reference.t_start is not None and reference.t_end is not None:
            return {
                p.ordinal for p in places
                if p.t_start is not None and p.t_start < reference.t_end and (p.t_end or 0) > reference.t_start
            }  # fmt: skip
        first, last = (
            (reference.slide, reference.last_slide)
            if reference.slide
            else (reference.page, reference.last_page)
        )
        if is_spoken or (reference.slide and material.segment_kind != "slide"):
            return set()
        label = reference.label or (str(first) if last is None else None)
        numbered = {p.ordinal for p in places if first is not None and first <= p.number <= (last or first)}
        return numbered or {p.ordinal for p in places if label is not None and p.label == label}

    async def _headed(self, topic: str) -> dict[UUID, tuple[str, set[int]]]:
        """By material: the heading that has all words of the topic, and what stands under it."""
        asked = set(_folded(topic))
        found = {}
        for material in self._materials:
            outline = stretches([place.heading_path for place in await self.places(material.id)])
            stretch = section(topic, outline)
            if stretch is not None and asked and asked <= set(_folded(stretch[0])):
                found[material.id] = (stretch[0], set(range(stretch[1], stretch[2] + 1)))
        return found

    async def like(self, words: str, most: int) -> Ordinals:
        """The passages about some words, by hybrid search."""
        query = parse(words)
        vector = await self._storage.query_vectors.of(query.text)
        where = {
            place.id: (m.id, place.ordinal) for m in self._materials for place in await self.places(m.id)
        }
        one = self._materials[0].id if len(self._materials) == 1 else None
        hits = []
        for class_id in dict.fromkeys(material.class_id for material in self._materials):
            scope = Scope(class_id, one)
            reach = await self._db.lexical.reach(scope)
            hits += await search(self._storage, self._db, query, vector, scope, reach)
        hits = [
            hit for hit in hits
            if hit.key in where and (hit.lexical is not None or hit.dense is None or hit.dense >= WEAK_COSINE)
        ]  # fmt: skip
        hits.sort(key=lambda hit: -hit.score)
        found: Ordinals = {}
        for hit in hits[:most]:
            if hit.score >= NEAR * hits[0].score:
                material_id, ordinal = where[hit.key]
                found.setdefault(material_id, set()).add(ordinal)
        return found

    async def _nothing_like(self, topic: str) -> str:
        known = [
            title
            for material in self._materials
            for title in titles(stretches([place.heading_path for place in await self.places(material.id)]))
        ]
        shown = "; ".join(title[:80] for title in known[:HEADINGS_SHOWN])
        more = f" and {len(known) - HEADINGS_SHOWN} more" if len(known) > HEADINGS_SHOWN else ""
        headings = f" Its headings: {shown}{more}." if known else ""
        named = " and ".join(repr(material.title) for material in self._materials[:3])
        return f"Nothing in {named} is about {topic!r}.{headings}"

    # --- around what was asked before

    async def around(self, asked: Iterable[Asked], within: Part | None = None) -> list[tuple[Asked, Part]]:
        """For each earlier question the passages around its source; those of which the source is gone are left out."""
        where = {p.id: (m.id, p.ordinal) for m in self._materials for p in await self.places(m.id)}
        found = []
        for one in asked:
            origin = next((where[key] for key in one.chunk_ids if key in where), None)
            origin = origin or await self._on_its_page(one)
            if origin is not None and (within is None or within.holds(*origin)):
                found.append((one, await self.beside(*origin)))
        return found

    async def _on_its_page(self, asked: Asked) -> tuple[UUID, int] | None:
        """The source of a question after its material was read again."""
        if (
            asked.material_id not in {material.id for material in self._materials}
            or asked.material_id is None
        ):
            return None
        segment = (asked.locator or {}).get("segment")
        places = await self.places(asked.material_id)
        return next(((asked.material_id, p.ordinal) for p in places if p.segment == segment), None)

    async def beside(self, material_id: UUID, ordinal: int) -> Part:
        """The passages around one, as far as its section goes."""
        places = await self.places(material_id)
        first = last = ordinal
        path, room = places[ordinal].heading_path, AROUND_WORDS - places[ordinal].words
        for step in range(1, len(places)):
            for at in (ordinal + step, ordinal - step):
                fits = 0 <= at < len(places) and places[at].heading_path == path and places[at].words <= room
                if fits and at in (first - 1, last + 1):
                    first, last, room = min(first, at), max(last, at), room - places[at].words
            if step > max(last - ordinal, ordinal - first):
                break
        title = path[-1] if path else f"{unit_of(self._of(material_id))} {places[ordinal].number}"
        return Part(title, ((material_id, first, last),))

    def _of(self, material_id: UUID) -> Material:
        return next(material for material in self._materials if material.id == material_id)


def chapters(topic: str) -> list[str]:
    """The numbers that "chapters 2 to 4" or "chapters 3 and 5" names."""
    match = _CHAPTERS.search(topic)
    if match is None:
        return []
    first, last = int(match.group(1)), int(match.group(3))
    return [str(n) for n in (range(first, last + 1) if match.group(2) else (first, last))]


def ranges_of(found: Mapping[UUID, Collection[int]]) -> tuple[tuple[UUID, int, int], ...]:
    """Passages that follow each other as ranges."""
    ranges: list[tuple[UUID, int, int]] = []
    for material_id, ordinals in found.items():
        for ordinal in sorted(ordinals):
            if ranges and ranges[-1][0] == material_id and ranges[-1][2] == ordinal - 1:
                ranges[-1] = (material_id, ranges[-1][1], ordinal)
            else:
                ranges.append((material_id, ordinal, ordinal))
    return tuple(ranges)


def joined(parts: Sequence[tuple[float, tuple[tuple[str, float | None], ...], Part]]) -> list[Part]:
    """Parts with the same title and material as one: weights and fixed items add up."""
    groups: dict[tuple[str | None, UUID], list[tuple[float, tuple[tuple[str, float | None], ...], Part]]] = {}
    for one in parts:
        groups.setdefault((one[2].title, one[2].ranges[0][0]), []).append(one)
    made = []
    for (title, _), group in groups.items():
        found: Ordinals = {}
        for _, _, part in group:
            for material_id, first, last in part.ranges:
                found.setdefault(material_id, set()).update(range(first, last + 1))
        fixed = tuple(one for _, items, _ in group for one in items)
        made.append(Part(title, ranges_of(found), sum(weight for weight, _, _ in group), None, fixed))
    return made


def _folded(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
