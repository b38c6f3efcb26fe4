"""Numbers for evidence, and the citations that they stand for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from storage.locators import Locator
from storage.models import File, Material
from storage.repositories import Repositories
from tools.actions.notes import url_of
from tools.documents.content import Citation, Content
from tools.notes.reading import Sentence
from tools.search.places import locate

Key = tuple[UUID, int, int]
"""Material, segment and first character."""


@dataclass
class Citing:
    """Gives each piece of evidence its number; `known` are the citations that the document has already."""

    known: list[Citation] = field(default_factory=list)
    _numbers: dict[Key, int] = field(default_factory=dict)
    _fresh: dict[int, tuple[Material, Sentence]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = {
            (one.material_id, one.locator.segment, one.locator.char_start): one.number
            for one in self.known
            if one.material_id is not None
        }

    def number(self, material: Material, evidence: Sentence) -> int:
        key = (material.id, evidence.segment, evidence.start)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            self._fresh[self._numbers[key]] = (material, evidence)
        return self._numbers[key]

    def numbers(self, material: Material, evidence: Iterable[Sentence]) -> list[int]:
        return list(dict.fromkeys(self.number(material, one) for one in evidence))

    async def citations(self, db: Repositories) -> list[Citation]:
        """All of them, in order of their numbers; the fresh ones are located now."""
        places = list(dict.fromkeys((material.id, one.segment) for material, one in self._fresh.values()))
        segments = await db.materials.segments_at(places)
        files: dict[UUID, File | None] = {}
        for number, (material, one) in self._fresh.items():
            if material.id not in files:
                files[material.id] = await db.materials.file(material.file_id) if material.file_id else None
            segment = segments[material.id, one.segment]
            locator = locate(material, segment, one.start, one.end, one.path)
            url = url_of(locator, material, files[material.id])
            self.known.append(_citation(number, material, one, locator, url))
        self._fresh.clear()
        return sorted(self.known, key=lambda citation: citation.number)


def _citation(number: int, material: Material, one: Sentence, locator: Locator, url: str | None) -> Citation:
    return Citation(
        number=number,
        material_id=material.id,
        chunk_id=one.chunk_id,
        title=material.title,
        label=locator.label(),
        quote=one.text,
        locator=locator,
        url=url,
    )


def renumbered(content: Content, citations: Sequence[Citation]) -> tuple[Content, list[Citation]]:
    """Only the citations that the content uses, numbered in the order in which they appear. Pure."""
    order: dict[int, int] = {}

    def seen(number: int) -> int:
        return order.setdefault(number, len(order) + 1)

    stored = content.model_dump(mode="json")
    stored["sections"] = [_changed(section, seen) for section in stored["sections"]]
    by_number = {one.number: one for one in citations}
    kept = [
        by_number[old].model_copy(update={"number": new}) for old, new in order.items() if old in by_number
    ]
    return Content.model_validate(stored), kept


def _changed(value: Any, seen: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: [seen(n) for n in part] if key in ("cites", "asked_at") else _changed(part, seen)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_changed(part, seen) for part in value]
    return value
