"""Cheat sheets, study guides and summaries: what each section of the material gives."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tools.documents.citing import Citing
from tools.documents.content import (
    Definition,
    Depth,
    DocumentKind,
    Formula,
    Item,
    Reading,
    Review,
    Section,
    Statement,
    Table,
    Terms,
)
from tools.documents.extras import FoundFormula, FoundTable
from tools.documents.gathering import Portion, Script
from tools.documents.work import PartMade
from tools.notes import cues
from tools.notes.draft import Draft, Maker, Point, PointKind
from tools.notes.quoting import questions

NOTES_TYPE: dict[tuple[DocumentKind, Depth], str] = {
    ("summary", "brief"): "summary",
    ("summary", "normal"): "outline",
    ("summary", "detailed"): "lecture",
    ("study_guide", "brief"): "outline",
    ("study_guide", "normal"): "lecture",
    ("study_guide", "detailed"): "lecture",
}
"""Which notes the points of a section are made as; a cheat sheet chooses from lecture notes."""
FORMULAS = {"brief": 2, "normal": 5, "detailed": 12}
TABLES = {"brief": 0, "normal": 1, "detailed": 3}
_ELSEWHERE = re.compile(
    r"\b(?:fig(?:ure|s?\.)|table|section|chapter|equation|eq\.|exercise|problem|page|appendix)\s*\(?[\dA-Z]|\([\dA-Z]\.\d+\)|\b(?:above|below|previous|next section|as we (?:saw|shall|will)|the reader|this book|this chapter|file|terminal)\b|[_^]\{?[_^]",
    re.IGNORECASE,
)
SHEET_FORMULAS, SHEET_TABLES = 8, 2
SHEET_WORDS = 34
"""A longer sentence has no place on a cheat sheet."""


@dataclass(frozen=True, slots=True)
class SectionWork:
    """One part of the document for each section of the materials."""

    script: Script
    maker_of_notes: Maker
    kind: DocumentKind
    depth: Depth
    version: str
    has_several: bool
    """Several materials: headings say of which."""

    @property
    def maker(self) -> str:
        return self.maker_of_notes.name

    @property
    def total(self) -> int:
        return len(self.script.portions)

    async def part(self, index: int, citing: Citing) -> PartMade:
        portion = self.script.portions[index]
        type = NOTES_TYPE.get((self.kind, self.depth), "lecture")
        draft = await self.maker_of_notes.make(portion.section, type, self.script.lexicon)
        items = _MAKERS[self.kind](draft, portion, citing, self.depth)
        where = ", ".join(filter(None, (portion.material.title if self.has_several else "", portion.place)))
        return PartMade(
            section=Section(heading=draft.heading, place=where, items=items),
            written=draft.written,
            dropped=draft.dropped,
            fell_back=draft.fell_back,
            input_tokens=draft.input_tokens,
            output_tokens=draft.output_tokens,
        )

    async def close(self) -> None:
        """Nothing is held."""


def _points(draft: Draft, portion: Portion, citing: Citing) -> list[Item]:
    return [_point(point, draft, portion, citing) for point in draft.points]


def _point(point: Point, draft: Draft, portion: Portion, citing: Citing) -> Item:
    cites = citing.numbers(portion.material, point.evidence)
    term = point.term or cues.defined_term(point.text)
    if point.kind is PointKind.DEFINITION and term:
        return Definition(term=term, text=point.text, cites=cites)
    is_central = draft.gist is not None and draft.gist.text == point.text
    return Statement(
        text=point.text, is_example=point.kind is PointKind.EXAMPLE, is_central=is_central, cites=cites
    )


def _summary(draft: Draft, portion: Portion, citing: Citing, depth: Depth) -> list[Item]:
    return _points(draft, portion, citing)


def _guide(draft: Draft, portion: Portion, citing: Citing, depth: Depth) -> list[Item]:
    first = portion.section.sentences[0]
    return [
        *([Terms(terms=list(draft.terms))] if draft.terms else []),
        *_points(draft, portion, citing),
        *_formulas(portion, citing, FORMULAS[depth]),
        *_tables(portion.tables[: TABLES[depth]], portion, citing),
        *(
            Review(question=one.question, cites=[citing.number(portion.material, one.evidence)])
            for one in questions(draft.points)
        ),
        Reading(text=_where(portion), cites=[citing.number(portion.material, first)]),
    ]


def _where(portion: Portion) -> str:
    path = portion.section.titles
    named = " › ".join(path[-2:]) if path else ""
    return ", ".join(filter(None, (portion.material.title, named, portion.place)))


def _sheet(draft: Draft, portion: Portion, citing: Citing, depth: Depth) -> list[Item]:
    """More than will fit: the sheet chooses once everything is there."""
    points = [one for one in draft.points if _fits_a_sheet(one)]
    return [
        *(_point(point, draft, portion, citing) for point in points),
        *_formulas(portion, citing, SHEET_FORMULAS),
        *_tables(portion.tables[:SHEET_TABLES], portion, citing),
    ]


def _fits_a_sheet(point: Point) -> bool:
    """Short, and it says something without what stands around it."""
    return (
        len(point.text.split()) <= SHEET_WORDS
        and not cues.points_back(point.text)
        and not _ELSEWHERE.search(point.text)
    )


def _formulas(portion: Portion, citing: Citing, most: int) -> list[Item]:
    """Numbered ones first, since the material comes back to them; shown in its order."""
    ranked = sorted(portion.formulas, key=lambda one: (one.label is None, one.about is None))[:most]
    kept = [one for one in portion.formulas if one in ranked]
    return [_formula(one, portion, citing) for one in kept]


def _formula(one: FoundFormula, portion: Portion, citing: Citing) -> Formula:
    number = citing.number(portion.material, one.evidence)
    return Formula(tex=one.tex, text=one.text, about=one.about, label=one.label, cites=[number])


def _tables(found: Sequence[FoundTable], portion: Portion, citing: Citing) -> list[Item]:
    return [
        Table(
            caption=one.caption,
            rows=[list(row) for row in one.rows],
            cites=[citing.number(portion.material, one.evidence)],
        )
        for one in found
    ]


_MAKERS = {"summary": _summary, "study_guide": _guide, "cheat_sheet": _sheet}
